//! `axonml verify`: every model on every backend against the scalar reference.
//!
//! Three fibers of different length and diameter per model, a biphasic pulse and an injected current. Compared are one
//! step from a state in the middle of an action potential, the times of all spikes, activation thresholds, and gradients
//! by parameters, waveforms and potentials. A limit is what the arithmetic of the precision allows, and is printed.

mod gradients;

use std::sync::Arc;

use axonml::model::weights::Weights;
use axonml::simulation::{Detection, FiberState, FiberStatus};
use axonml::{
    Device, Fiber, FiberModel, MODELS, NodeSelection, Observation, ObserverKind, ObserverSpec,
    Precision, Settings, Simulation, Stimulus, ThresholdSearch, model,
};
use axonml::{Medium, PointSource, Waveform};
use serde_json::{Value, json};

use crate::args::{Gpu, VerifyArgs};
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::{plain, print, print_json};
use axonml::study::{Cell, Table};

/// Steps before the one that is compared: within the action potentials.
const STEPS_BEFORE: usize = 80;
const TSTOP_MS: f64 = 1.5;

/// Tolerance of a precision against the reference.
struct Limits {
    /// Largest difference after one step, relative to the size of what is compared, in units of the precision's epsilon.
    step_eps: f64,
    /// Largest shift of a spike, us.
    spike_us: f64,
    /// Largest difference of a threshold, per cent.
    threshold_pct: f64,
}

impl Limits {
    fn of(precision: Precision) -> Limits {
        match precision {
            // A step is a few dozen operations and, on implicit cables, a solve; thresholds bisect to 1e-6.
            Precision::F64 => Limits {
                step_eps: 1e4,
                spike_us: 1e-6,
                threshold_pct: 1e-4,
            },
            Precision::F32 => Limits {
                step_eps: 1e4,
                spike_us: 1.0,
                threshold_pct: 0.02,
            },
        }
    }
}

/// A backend in a precision; or why it did not run.
struct Candidate {
    label: &'static str,
    precision: Precision,
    device: Result<Device, String>,
}

/// Comparison of a backend with the reference on one model.
struct Found {
    before: Vec<FiberState>,
    after: Vec<FiberState>,
    spikes: Vec<Vec<(usize, f64)>>,
    thresholds_ma: Vec<Option<f64>>,
}

/// Runs the comparison; fails if a limit is exceeded, or a GPU was required and none ran.
pub(crate) fn verify(args: &VerifyArgs, messages: Messages) -> Result<(), CliError> {
    let reference = Device::reference()?;
    let candidates = candidates(args);
    let ran_on_gpu = candidates
        .iter()
        .any(|c| c.label == "cuda" && c.device.is_ok());
    let mut rows = Vec::new();
    let mut gradient_rows = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    let mut failed = 0;
    for model in models(&args.models)? {
        let id = model.schema().id;
        let expected = case(model, &reference, Precision::F64, None)?;
        let (fibers, distance_um) = fibers(model);
        let along = gradients::expected(model, &fibers, distance_um, &reference)?;
        for candidate in &candidates {
            let device = match &candidate.device {
                Ok(device) => device,
                Err(_) => continue,
            };
            messages.explain(format_args!(
                "{id} on {} in {}",
                device.name(),
                candidate.precision.name()
            ));
            let found = case(model, device, candidate.precision, Some(&expected.before))?;
            let limits = Limits::of(candidate.precision);
            let (step, spike, threshold) = differences(&found, &expected, candidate.precision);
            let passed = step <= limits.step_eps
                && spike <= limits.spike_us
                && threshold <= limits.threshold_pct;
            failed += usize::from(!passed);
            let verdict = if passed { "pass" } else { "FAIL" };
            rows.push(vec![
                Cell::text(id),
                Cell::text(candidate.label),
                Cell::text(candidate.precision.name()),
                Cell::text(format!("{step:.1} (<= {:.0})", limits.step_eps)),
                Cell::text(format!("{spike:.1e} (<= {:.0e})", limits.spike_us)),
                Cell::text(format!("{threshold:.1e} (<= {:.0e})", limits.threshold_pct)),
                Cell::text(verdict),
            ]);
            let precision = candidate.precision;
            let off =
                gradients::differences(model, &fibers, distance_um, device, precision, &along)?;
            let limit = gradients::limit(precision);
            let same = off.iter().all(|&off| off <= limit);
            failed += usize::from(!same);
            let mut row = vec![
                Cell::text(id),
                Cell::text(candidate.label),
                Cell::text(precision.name()),
            ];
            row.extend(off.map(|off| Cell::text(format!("{off:.1e} (<= {limit:.0e})"))));
            row.push(Cell::text(if same { "pass" } else { "FAIL" }));
            gradient_rows.push(row);
            let of_kinds: serde_json::Map<String, Value> = gradients::KINDS
                .iter()
                .zip(off)
                .map(|(kind, off)| ((*kind).to_owned(), json!(off)))
                .collect();
            results.push(json!({
                "model": id, "backend": candidate.label, "device": device.name(),
                "precision": candidate.precision.name(), "step_eps": step, "spike_shift_us": spike,
                "threshold_pct": threshold, "gradient": of_kinds, "passed": passed && same,
                "limits": {"step_eps": limits.step_eps, "spike_shift_us": limits.spike_us,
                           "threshold_pct": limits.threshold_pct, "gradient": limit},
            }));
        }
    }
    let absent: Vec<String> = candidates
        .iter()
        .filter_map(|c| {
            Some(format!(
                "{} {}: {}",
                c.label,
                c.precision.name(),
                c.device.as_ref().err()?
            ))
        })
        .collect();
    if args.json {
        print_json(
            &json!({"results": results, "did_not_run": absent, "gpu_ran": ran_on_gpu, "failed": failed}),
        )?;
    } else {
        let columns = [
            "model",
            "backend",
            "precision",
            "step_eps",
            "spike_shift_us",
            "threshold_pct",
            "verdict",
        ];
        let table = Table {
            columns: columns.map(str::to_owned).to_vec(),
            rows,
        };
        let mut text = plain(&table);
        let columns = ["model", "backend", "precision"];
        let columns = columns.iter().chain(&gradients::KINDS).chain(&["verdict"]);
        let table = Table {
            columns: columns.map(|&name| name.to_owned()).collect(),
            rows: gradient_rows,
        };
        text.push_str(
            "gradients, along a direction of each kind, against differences of the reference\n",
        );
        text.push_str(&plain(&table));
        for line in &absent {
            text.push_str(&format!("DID NOT RUN: {line}\n"));
        }
        if !ran_on_gpu {
            text.push_str("NO GPU RAN: nothing above was computed by a CUDA device\n");
        }
        print(&text)?;
    }
    if failed > 0 {
        return Err(CliError::failure(format!(
            "{failed} comparisons exceed their limits"
        )));
    }
    if args.gpu == Gpu::Require && !ran_on_gpu {
        return Err(CliError::failure("--gpu require: no CUDA device ran")
            .help("see `axonml devices` for the reason"));
    }
    Ok(())
}

fn candidates(args: &VerifyArgs) -> Vec<Candidate> {
    let both = [Precision::F64, Precision::F32];
    let all = |label, make: fn() -> Result<Device, axonml::SimulationError>| {
        both.map(|precision| Candidate {
            label,
            precision,
            device: make().map_err(|error| error.to_string()),
        })
    };
    let mut candidates: Vec<Candidate> = all("cpu", Device::cpu).into_iter().collect();
    if args.gpu != Gpu::Never {
        candidates.extend(all("cuda", || Device::cuda(0)));
    }
    if args.host_kernels {
        candidates.extend(all("host-kernels", Device::host_kernels));
    }
    candidates
}

/// The models named, or all.
fn models(named: &[String]) -> Result<Vec<&'static dyn FiberModel>, CliError> {
    match named {
        [] => Ok(MODELS.to_vec()),
        named => named.iter().map(|id| Ok(model(id)?)).collect(),
    }
}

/// Fibers of a model, ragged in length and diameter, and the distance of the electrode, um.
fn fibers(model: &dyn FiberModel) -> (Vec<Fiber>, f64) {
    match model.schema().compartment_um {
        None => (
            [(5.7, 21), (8.7, 33), (14.0, 27)]
                .map(|(d, n)| Fiber::new(d, n))
                .to_vec(),
            1000.0,
        ),
        Some(_) => (
            [(0.8, 41), (1.0, 61), (1.5, 51)]
                .map(|(d, n)| Fiber::new(d, n))
                .to_vec(),
            150.0,
        ),
    }
}

fn case(
    model: &dyn FiberModel,
    device: &Device,
    precision: Precision,
    before: Option<&[FiberState]>,
) -> Result<Found, CliError> {
    let (fibers, distance_um) = fibers(model);
    let count = fibers.len();
    let settings = Settings {
        precision,
        tstop_ms: TSTOP_MS,
        weights: Weights::Published,
        ..Settings::default()
    };
    let simulation = Simulation::new(model, fibers, &settings, device)?;
    let medium = Medium::isotropic(500.0);
    let source = Arc::new(PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um: 40.0,
        medium,
    });
    let pulse = Waveform::biphasic(0.1, 0.02)?.delayed(0.1);
    let stimulus = Stimulus::uniform(count, source, pulse);
    let clamp = Arc::new(Waveform::monophasic(0.2)?.flipped().delayed(0.4));
    let current_na = if distance_um < 500.0 { 0.1 } else { 1.0 };
    let injected = (0..count).fold(stimulus.clone(), |s, fiber| {
        s.inject(fiber, 10, current_na, clamp.clone())
    });

    let raster = ObserverSpec::new(ObserverKind::Raster, NodeSelection::All).threshold_mv(-30.0);
    let outcome = simulation.run(&injected, 0.1, &[raster])?;
    let mut spikes = Vec::with_capacity(count);
    for (fiber, result) in outcome.fibers.iter().enumerate() {
        if let Some(error) = simulation.divergence(fiber, result.status) {
            return Err(error.into());
        }
        let Observation::Raster(crossings) = &result.observations[0] else {
            continue;
        };
        let mut of_fiber: Vec<(usize, f64)> =
            crossings.iter().map(|c| (c.node, c.time_ms)).collect();
        of_fiber.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        spikes.push(of_fiber);
    }
    let states = |from: Vec<FiberState>,
                  steps: std::ops::Range<usize>|
     -> Result<Vec<FiberState>, CliError> {
        let outcome = simulation.resume(from, steps, &injected, 0.1, &[])?;
        debug_assert!(
            outcome
                .fibers
                .iter()
                .all(|f| f.status == FiberStatus::Completed)
        );
        Ok(simulation.completed_states(outcome)?)
    };
    let before = match before {
        Some(states) => states.to_vec(),
        None => states(simulation.initial_states()?, 0..STEPS_BEFORE)?,
    };
    let after = states(before.clone(), STEPS_BEFORE..STEPS_BEFORE + 1)?;

    let search = ThresholdSearch {
        detection: Detection::at_nodes(&[-5]),
        resolution: 1e-6,
        max_ma: 2.0,
        first_ma: Some(0.01),
        ..ThresholdSearch::default()
    };
    let thresholds = simulation.thresholds(&stimulus, &search, &mut |_| ())?;
    let thresholds_ma = thresholds.iter().map(|t| t.upper_ma()).collect();
    Ok(Found {
        before,
        after,
        spikes,
        thresholds_ma,
    })
}

/// One-step difference in epsilons, spike shift in us, threshold difference in per cent; infinite where the two do not
/// even have the same spikes or thresholds.
fn differences(found: &Found, expected: &Found, precision: Precision) -> (f64, f64, f64) {
    let epsilon = match precision {
        Precision::F32 => f64::from(f32::EPSILON),
        Precision::F64 => f64::EPSILON,
    };
    let mut step: f64 = 0.0;
    for (a, b) in found.after.iter().zip(&expected.after) {
        let arrays = std::iter::once((&a.v_mv, &b.v_mv))
            .chain(a.states.iter().zip(&b.states))
            .chain(std::iter::once((&a.modes, &b.modes)));
        for (a, b) in arrays {
            let size = b.iter().fold(1e-3_f64, |size, x| size.max(x.abs()));
            for (a, b) in a.iter().zip(b) {
                let difference = (a - b).abs() / (size * epsilon);
                step = step.max(if difference.is_nan() {
                    f64::INFINITY
                } else {
                    difference
                });
            }
        }
    }
    let mut spike: f64 = 0.0;
    for (a, b) in found.spikes.iter().zip(&expected.spikes) {
        if a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.0 != b.0) {
            spike = f64::INFINITY;
        }
        spike = a
            .iter()
            .zip(b)
            .map(|(a, b)| 1e3 * (a.1 - b.1).abs())
            .fold(spike, f64::max);
    }
    let threshold =
        found
            .thresholds_ma
            .iter()
            .zip(&expected.thresholds_ma)
            .map(|pair| match pair {
                (Some(a), Some(b)) => 100.0 * (a / b - 1.0).abs(),
                (None, None) => 0.0,
                _ => f64::INFINITY,
            });
    (step, spike, threshold.fold(0.0, f64::max))
}
