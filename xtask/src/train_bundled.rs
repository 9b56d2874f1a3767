//! The weights that the models come with, made from nothing: exact fibers, training, acceptance.

use std::path::{Path, PathBuf};
use std::time::Instant;

use axonml_files::Memory;
use axonml_models::weights::ModelFile;
use axonml_models::{Device, model};
use axonml_train::config::Config;
use axonml_train::run::{Progress, Watch};
use axonml_train::{Acceptance, Training};
use clap::Args;

#[derive(Args)]
pub(crate) struct TrainBundled {
    /// Train these only, by name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Folder that the files go to
    #[arg(short, long, default_value = "axonml-models/weights")]
    output: PathBuf,
    /// Go on with trainings that were interrupted
    #[arg(long)]
    resume: bool,
}

/// Folder of the configurations, one per set of weights.
const CONFIGURATIONS: &str = "axonml-train/bundled";
/// The weights, and the exact model that they mimic.
const BUNDLED: [(&str, &str); 2] = [("smf-mrg", "mrg"), ("two-mode-mrg", "mrg")];
/// Diameters at which weights are checked.
const DIAMETERS: usize = 16;

impl TrainBundled {
    pub(crate) fn run(&self) -> Result<(), String> {
        let known: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
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
        for (name, exact) in BUNDLED {
            if self.names.is_empty() || self.names.iter().any(|asked| asked == name) {
                self.train(name, exact)
                    .map_err(|error| format!("{name}: {error}"))?;
            }
        }
        Ok(())
    }

    fn train(&self, name: &str, exact: &str) -> Result<(), Box<dyn std::error::Error>> {
        let begun = Instant::now();
        let device = Device::cpu()?;
        let folder = Path::new(CONFIGURATIONS);
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml")))?;
        let config = Config::from_toml(&text, &[])?;
        let mut training =
            Training::open(&config, folder, &device, &Memory::available(), self.resume)?;
        let mut lines = Lines { name, begun };
        training.run(&mut lines)?;

        // The best on validation, which the test set has no part in.
        let trained = std::fs::read(training.folder().join(Training::BEST))?;
        let file = ModelFile::from_bytes(&trained)?;
        let acceptance = Acceptance::of_weights(
            &file,
            &model(&file.model)?,
            &model(exact)?,
            DIAMETERS,
            &device,
        )?;
        println!("{name}: {acceptance:?}");
        if !acceptance.accepted() {
            return Err("the weights are not accepted, and nothing was written".into());
        }
        let path = self.output.join(format!("{name}.safetensors"));
        axonml_files::replace(&path, &trained)?;
        println!(
            "{name}: {} ({:.0} s)",
            path.display(),
            begun.elapsed().as_secs_f64()
        );
        Ok(())
    }
}

/// A line per step on standard output.
struct Lines<'n> {
    name: &'n str,
    begun: Instant,
}

impl Watch for Lines<'_> {
    fn stepped(&mut self, progress: &Progress<'_>) {
        let valid = progress
            .validated
            .and_then(|validated| validated.thresholds.as_ref());
        let valid = valid.map(|errors| {
            format!(
                "; validation: mean {:.3} %, worst {:+.1} %, {} missed",
                errors.mape_pct, errors.worst_pct, errors.missed
            )
        });
        println!(
            "{}: {} {}: loss {:.4}{} ({:.0} s)",
            self.name,
            progress.kind,
            progress.stage_step,
            progress.report.loss,
            valid.unwrap_or_default(),
            self.begun.elapsed().as_secs_f64()
        );
    }

    fn stop(&self) -> bool {
        false
    }
}
