//! The weights that the models come with, made from nothing: exact fibres, training, evaluation, acceptance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use axonml_models::weights::{Domain, ModelFile};
use axonml_models::{Device, Precision, Settings, model};
use axonml_train::dataset::{FieldKind, Recipe};
use axonml_train::threshold_fit::{FitReport, FitState, ThresholdFit, ThresholdStage};
use axonml_train::{Acceptance, Surrogate};
use clap::Args;

#[derive(Args)]
pub(crate) struct TrainBundled {
    /// Train these only, by name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Folder that the files go to
    #[arg(short, long, default_value = "axonml-models/weights")]
    output: PathBuf,
}

/// How one set of weights is made.
struct Plan {
    name: &'static str,
    model: &'static str,
    /// What it mimics.
    exact: &'static str,
    /// Parameters that start from another value than the model's own.
    start: &'static [(&'static str, f64)],
    cases: usize,
    iterations: usize,
}

const PLANS: [Plan; 1] = [Plan {
    name: "two-mode-mrg",
    model: "two-mode",
    exact: "mrg",
    start: &[],
    cases: 256,
    iterations: 14,
}];

const RECIPE: &str = include_str!("../../axonml-train/recipes/thresholds.toml");
/// Validation draws from the same distribution with another seed.
const VALIDATION_SEED: u64 = 1001;
const VALIDATION_CASES: usize = 200;
const DIAMETERS: usize = 16;

impl TrainBundled {
    pub(crate) fn run(&self) -> Result<(), String> {
        let known: Vec<&str> = PLANS.iter().map(|plan| plan.name).collect();
        if let Some(name) = self
            .names
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(format!(
                "no weights are called `{name}`; there are {}",
                known.join(", ")
            ));
        }
        let device = Device::cpu().map_err(|error| error.to_string())?;
        for plan in &PLANS {
            if self.names.is_empty() || self.names.iter().any(|name| name == plan.name) {
                plan.train(&device, &self.output)
                    .map_err(|error| format!("{}: {error}", plan.name))?;
            }
        }
        Ok(())
    }
}

impl Plan {
    fn train(&self, device: &Device, output: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let begun = Instant::now();
        let recipe = Recipe::from_toml(RECIPE)?;
        let mut surrogate = Surrogate::new(model(self.model)?, None)?;
        for &(name, value) in self.start {
            surrogate.set(name, value)?;
        }
        let stage = ThresholdStage {
            recipe: recipe.clone(),
            cases: self.cases,
            iterations: self.iterations,
            ..ThresholdStage::default()
        };
        let validation = ThresholdStage {
            recipe: Recipe {
                seed: VALIDATION_SEED,
                ..recipe.clone()
            },
            cases: VALIDATION_CASES,
            ..stage.clone()
        };
        let fit = ThresholdFit::prepare(&stage, &surrogate, device)?;
        let validation = ThresholdFit::prepare(&validation, &surrogate, device)?;
        println!(
            "{}: {} parameters, {} cases, {} for validation ({:.0} s)",
            self.name,
            surrogate.len(),
            fit.len(),
            validation.len(),
            begun.elapsed().as_secs_f64()
        );
        let mut state = fit.begin(&surrogate, vec![0.0; surrogate.len()], device)?;
        for _ in 0..self.iterations {
            let report = fit.iterate(&surrogate, &mut state, device)?;
            println!("{} ({:.0} s)", line(&report), begun.elapsed().as_secs_f64());
            if report.converged {
                break;
            }
        }
        let on_validation = validation.begin(&surrogate, state.x.clone(), device)?;
        let validated = validation.report(&surrogate, &on_validation, device)?;
        println!("validation: {}", line(&validated));

        let mut file = ModelFile::new(surrogate.model());
        file.parameters = surrogate.parameters(&state.x).into_iter().collect();
        file.domain = domain(&recipe);
        file.provenance = self.provenance(&fit, &state, &validated);
        let mut settings = Settings {
            dt_ms: recipe.dt_ms,
            precision: Precision::F64,
            ..Settings::default()
        };
        file.apply(surrogate.schema(), &mut settings)?;
        let range = recipe.diameter_um;
        let diameter =
            |k: usize| range.low + (range.high - range.low) * k as f64 / (DIAMETERS - 1) as f64;
        let diameters_um: Vec<f64> = (0..DIAMETERS).map(diameter).collect();
        let acceptance = Acceptance::check(
            surrogate.model(),
            &settings,
            model(self.exact)?,
            &diameters_um,
            device,
        )?;
        println!("acceptance: {acceptance:?}");
        if !acceptance.accepted() {
            return Err("the weights are not accepted, and nothing was written".into());
        }
        let path = output.join(format!("{}.safetensors", self.name));
        std::fs::write(&path, file.to_bytes()?)?;
        println!(
            "{} ({:.0} s)",
            path.display(),
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    }

    fn provenance(
        &self,
        fit: &ThresholdFit,
        state: &FitState,
        validated: &FitReport,
    ) -> BTreeMap<String, String> {
        let pairs = [
            (
                "made by",
                format!("cargo xtask train-bundled {}", self.name),
            ),
            ("exact model", self.exact.to_owned()),
            ("recipe", RECIPE.to_owned()),
            (
                "stages",
                format!(
                    "Levenberg-Marquardt on thresholds, arrival, shape and rest: {} cases, {} iterations",
                    fit.len(),
                    state.iteration
                ),
            ),
            (
                "validation",
                format!(
                    "{VALIDATION_CASES} cases, seed {VALIDATION_SEED}: {}",
                    line(validated)
                ),
            ),
            ("licence", "MIT OR Apache-2.0".to_owned()),
        ];
        pairs.map(|(key, value)| (key.to_owned(), value)).into()
    }
}

fn line(report: &FitReport) -> String {
    format!(
        "thresholds: mean error {:.3} %, worst {:+.1} %; arrival {:.4} ms, shape {:.2} mV, rest {:.3} mV rms; {} without a threshold",
        report.mape_pct,
        report.worst_pct,
        report.arrival_rms_ms,
        report.shape_rms_mv,
        report.rest_rms_mv,
        report.lost
    )
}

/// Where a recipe's fibres and pulses lie.
fn domain(recipe: &Recipe) -> Domain {
    let widths = recipe
        .pulses
        .iter()
        .filter_map(|pulse| match pulse.keys.get("pw") {
            Some(axonml_train::dataset::KeyValue::Range(range)) => Some((range.low, range.high)),
            _ => None,
        });
    let pulse_width_ms = widths.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let nearest = recipe.fields.iter().filter_map(|field| match &field.kind {
        FieldKind::Point { distance_um, .. } => Some(distance_um.low),
        FieldKind::Nerve { .. } => None,
    });
    Domain {
        diameter_um: Some((recipe.diameter_um.low, recipe.diameter_um.high)),
        dt_ms: Some(recipe.dt_ms),
        pulse_width_ms,
        source_distance_um: nearest.reduce(f64::min),
        celsius: Some(37.0),
    }
}
