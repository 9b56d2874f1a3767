//! Every model on every backend against the scalar reference.
//!
//! Three fibers of different length and diameter per model, a biphasic pulse and an injected current. Compared are one
//! step from a state in the middle of an action potential, the times of all spikes, activation thresholds, and gradients
//! by parameters, waveforms and potentials. A limit is what the arithmetic of the precision allows.
//!
//! # Example
//! ```
//! use axonml::verification::{Candidate, verify};
//! use axonml::{Device, Precision, model};
//!
//! let candidate = Candidate::new("cpu", Precision::F64, Device::cpu());
//! let found = verify(&[model("hh")?], &[candidate], &mut |_| ())?;
//! assert!(found.iter().all(|comparison| comparison.passed()));
//! # Ok::<(), axonml::SimulationError>(())
//! ```

mod gradients;

use std::sync::{Arc, Mutex, PoisonError};

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Detection, Device, Fiber, FiberModel, FiberState, FiberStatus, Model, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Precision, Settings, Simulation, SimulationError,
    Stimulus, Text, ThresholdSearch,
};
use rayon::prelude::*;

pub use gradients::GRADIENT_KINDS;
#[cfg(feature = "cpu")]
pub(crate) use gradients::number;

/// Steps before the one that is compared: within the action potentials.
const STEPS_BEFORE: usize = 80;
const TSTOP_MS: f64 = 1.5;
/// The same for the thresholds of unmyelinated fibers, in which action potentials need longer to arrive.
const SLOW_TSTOP_MS: f64 = 4.0;
/// Their pulse, without an anodic phase: its hyperpolarization by hundreds of mV opens and closes windows of amplitudes, and
/// which of them a search meets depends on roundings.
const SLOW_PULSE_MS: f64 = 0.3;

/// Tolerance of a precision against the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest difference after one step, relative to the size of what is compared, in units of the precision's epsilon.
    pub step_eps: f64,
    /// Largest shift of a spike, us.
    pub spike_us: f64,
    /// Largest difference of a threshold, per cent.
    pub threshold_pct: f64,
    /// Largest difference of a derivative, relative to the sum of the magnitudes of its terms.
    pub gradient: f64,
}

impl Limits {
    /// The limits of a precision.
    pub fn of(precision: Precision) -> Limits {
        let gradient = gradients::limit(precision);
        match precision {
            // A step is a few dozen operations and, on implicit cables, a solve; thresholds bisect to 1e-6.
            Precision::F64 => Limits {
                step_eps: 1e4,
                spike_us: 1e-6,
                threshold_pct: 1e-4,
                gradient,
            },
            Precision::F32 => Limits {
                step_eps: 1e4,
                spike_us: 1.0,
                threshold_pct: 0.02,
                gradient,
            },
        }
    }
}

/// A backend in a precision, or why it cannot run here.
#[derive(Debug)]
pub struct Candidate {
    /// Name of the backend.
    pub backend: &'static str,
    /// Arithmetic.
    pub precision: Precision,
    /// The device, or why there is none.
    pub device: Result<Device, String>,
}

impl Candidate {
    /// A backend, as its constructor answers.
    pub fn new(
        backend: &'static str,
        precision: Precision,
        device: Result<Device, SimulationError>,
    ) -> Self {
        Candidate {
            backend,
            precision,
            device: device.map_err(|error| error.to_string()),
        }
    }
}

/// A backend compared with the reference on one model; differences are infinite where the two do not even have the same
/// spikes, or where one has no threshold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// Id of the model.
    pub model: Text,
    /// Name of the backend.
    pub backend: &'static str,
    /// The device, in words.
    pub device: String,
    /// Arithmetic.
    pub precision: Precision,
    /// Largest difference after one step, relative to the size of what is compared, in units of the precision's epsilon.
    pub step_eps: f64,
    /// Largest shift of a spike, us.
    pub spike_us: f64,
    /// Largest difference of a threshold, per cent.
    pub threshold_pct: f64,
    /// Differences of derivatives by kind of input ([`GRADIENT_KINDS`]), relative to the sum of the magnitudes of their terms.
    pub gradient: [f64; 3],
    /// Largest differences that are allowed.
    pub limits: Limits,
}

impl Comparison {
    /// Whether steps, spikes, thresholds and gradients lie within the limits.
    pub fn passed(&self) -> bool {
        self.runs_passed() && self.gradient_passed()
    }

    /// Whether steps, spikes and thresholds lie within the limits.
    pub fn runs_passed(&self) -> bool {
        self.step_eps <= self.limits.step_eps
            && self.spike_us <= self.limits.spike_us
            && self.threshold_pct <= self.limits.threshold_pct
    }

    /// Whether gradients lie within the limits.
    pub fn gradient_passed(&self) -> bool {
        self.gradient.iter().all(|&off| off <= self.limits.gradient)
    }
}

/// Compares every candidate that has a device with the scalar reference, on every model, several models at a time; `begins`
/// hears of each comparison before it begins.
///
/// # Errors
/// [`SimulationError`] if a simulation cannot be made or run.
pub fn verify(
    models: &[Model],
    candidates: &[Candidate],
    begins: &mut (dyn FnMut(String) + Send),
) -> Result<Vec<Comparison>, SimulationError> {
    let reference = Device::reference()?;
    let begins = Mutex::new(begins);
    let each = models.par_iter().map(|model| {
        let begins = |text: String| {
            let mut begins = begins.lock().unwrap_or_else(PoisonError::into_inner);
            begins(text);
        };
        compared(model, candidates, &reference, &begins)
    });
    let found: Vec<Vec<Comparison>> = each.collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The comparisons of one model.
fn compared(
    model: &Model,
    candidates: &[Candidate],
    reference: &Device,
    begins: &dyn Fn(String),
) -> Result<Vec<Comparison>, SimulationError> {
    let id = model.schema().id;
    let expected = answers(model, reference, Precision::F64, None)?;
    let (fibers, distance_um) = probes(model);
    let along = gradients::expected(model, &fibers, distance_um, reference)?;
    let mut comparisons = Vec::new();
    for candidate in candidates {
        let Ok(device) = &candidate.device else {
            continue;
        };
        let precision = candidate.precision;
        begins(format!("{id} on {} in {}", device.name(), precision.name()));
        let found = answers(model, device, precision, Some(&expected.before))?;
        let (step_eps, spike_us, threshold_pct) = differences(&found, &expected, precision);
        comparisons.push(Comparison {
            model: id.clone(),
            backend: candidate.backend,
            device: device.name(),
            precision,
            step_eps,
            spike_us,
            threshold_pct,
            gradient: gradients::differences(
                model,
                &fibers,
                distance_um,
                device,
                precision,
                &along,
            )?,
            limits: Limits::of(precision),
        });
    }
    Ok(comparisons)
}

/// States, spikes and thresholds of a model's fibers on a device.
struct Answers {
    before: Vec<FiberState>,
    after: Vec<FiberState>,
    spikes: Vec<Vec<(usize, f64)>>,
    thresholds_ma: Vec<Option<f64>>,
}

/// Fibers of a model, ragged in length and diameter, and the distance of the electrode, um.
pub(crate) fn probes(model: &dyn FiberModel) -> (Vec<Fiber>, f64) {
    let schema = model.schema();
    let (fibers, distance_um) = match schema.compartment_um {
        None => ([(5.7, 21), (8.7, 33), (14.0, 27)], 1000.0),
        Some(_) => ([(0.8, 41), (1.0, 61), (1.5, 51)], 150.0),
    };
    let fibers = fibers.map(|(um, nodes)| Fiber::new(schema.nearest_um(um), nodes));
    (fibers.to_vec(), distance_um)
}

fn answers(
    model: &dyn FiberModel,
    device: &Device,
    precision: Precision,
    before: Option<&[FiberState]>,
) -> Result<Answers, SimulationError> {
    let (fibers, distance_um) = probes(model);
    let count = fibers.len();
    let until = |tstop_ms: f64| {
        let settings = Settings {
            precision,
            tstop_ms,
            weights: Weights::Published,
            ..Settings::default()
        };
        Simulation::new(model, fibers.clone(), &settings, device)
    };
    let simulation = until(TSTOP_MS)?;
    let medium = Medium::isotropic(500.0);
    let source = Arc::new(PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um: 40.0,
        medium,
    });
    let pulse = Waveform::biphasic(0.1, 0.02)?.delayed(0.1);
    let stimulus = Stimulus::uniform(count, source.clone(), pulse);
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
            return Err(error);
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
     -> Result<Vec<FiberState>, SimulationError> {
        let outcome = simulation.resume(from, steps, &injected, 0.1, &[])?;
        debug_assert!(
            outcome
                .fibers
                .iter()
                .all(|f| f.status == FiberStatus::Completed)
        );
        simulation.completed_states(outcome)
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
    let (searched, stimulus) = match model.schema().compartment_um {
        None => (simulation, stimulus),
        Some(_) => {
            let pulse = Waveform::monophasic(SLOW_PULSE_MS)?.delayed(0.1);
            let stimulus = Stimulus::uniform(count, source, pulse);
            (until(SLOW_TSTOP_MS)?, stimulus)
        }
    };
    let thresholds = searched.thresholds(&stimulus, &search, &mut |_| ())?;
    let thresholds_ma = thresholds.iter().map(|t| t.upper_ma()).collect();
    Ok(Answers {
        before,
        after,
        spikes,
        thresholds_ma,
    })
}

/// One-step difference in epsilons, spike shift in us, threshold difference in per cent; infinite where the two do not
/// even have the same spikes, or where one has no threshold.
fn differences(found: &Answers, expected: &Answers, precision: Precision) -> (f64, f64, f64) {
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
                // Where there is none, nothing would be compared.
                _ => f64::INFINITY,
            });
    (step, spike, threshold.fold(0.0, f64::max))
}
