//! Gradients of every model and backend, against differences of runs of the scalar reference.
//!
//! The loss weighs voltages and a gate along each fiber and in the end. Each kind of input is moved along one direction that
//! changes all its numbers: what the gradient says of it is compared with the difference of the reference's losses, relative
//! to the sum of the magnitudes of all products.

use std::sync::Arc;

use axonml_core::Waveform;
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, GradientRequest, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Precision, RecordedCotangent, Settings, Simulation,
    SimulationError, Stimulus,
};

/// Kinds of inputs that gradients are taken by, in the order of [`Comparison::gradient`](super::Comparison::gradient).
pub const GRADIENT_KINDS: [&str; 3] = ["parameters", "waveforms", "potentials"];

const DT_MS: f64 = 0.005;
/// Two segments of what kernels sum in single precision, and a part.
const STEPS: usize = 140;
/// States from one recorded row to the next.
const EVERY: usize = 5;

/// A derivative along a direction, of the loss of all fibers together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Along {
    derivative: f64,
    /// Sum of the magnitudes of its terms; 0 for a difference.
    size: f64,
}

/// Largest relative difference that a precision allows.
pub(super) fn limit(precision: Precision) -> f64 {
    // A few dozen roundings a step that may all point one way; and what differences of double-precision runs can show.
    let rounding = match precision {
        Precision::F32 => f64::from(f32::EPSILON),
        Precision::F64 => f64::EPSILON,
    };
    30.0 * STEPS as f64 * rounding + 1e-8
}

/// Reproducible numbers between -1 and 1 (Steele, Lea & Flood 2014, SplitMix).
pub(crate) fn number(index: usize) -> f64 {
    let mut x = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A batch of fibers, displaced along one kind's direction by a share of it.
#[derive(Clone, Copy)]
struct Displaced {
    kind: usize,
    by: f64,
}

/// The simulation of a displaced batch, its stimulus, and the direction of everything by kind.
struct Case {
    simulation: Simulation,
    stimulus: Stimulus,
    /// By parameter.
    parameters: Vec<f64>,
    /// `[fiber]`, of its only waveform.
    waveforms: Vec<Vec<f64>>,
    /// `[fiber]`, of its sources one after the other.
    potentials: Vec<Vec<Vec<f64>>>,
}

const AMPLITUDE_MA: f64 = 0.1;

impl Case {
    fn new(
        model: &dyn FiberModel,
        fibers: &[Fiber],
        distance_um: f64,
        device: &Device,
        precision: Precision,
        displaced: Displaced,
    ) -> Result<Case, SimulationError> {
        let by = |kind: usize| match kind == displaced.kind {
            true => displaced.by,
            false => 0.0,
        };
        let schema = model.schema();
        let defaults = schema.parameters.iter().enumerate();
        let parameters: Vec<f64> = defaults.map(|(k, p)| p.value * number(k)).collect();
        let moved = schema.parameters.iter().zip(&parameters);
        let settings = Settings {
            precision,
            dt_ms: DT_MS,
            tstop_ms: DT_MS * STEPS as f64,
            // All parameters are set below.
            weights: Weights::Published,
            parameters: moved
                .map(|(p, change)| {
                    let name = format!("{}.{}", p.group, p.name);
                    (name, p.value + by(0) * change)
                })
                .collect(),
            ..Settings::default()
        };
        let simulation = Simulation::new(model, fibers.to_vec(), &settings, device)?;
        let mut stimulus = Stimulus::none(fibers.len());
        let (mut waveforms, mut potentials) = (Vec::new(), Vec::new());
        for fiber in 0..fibers.len() {
            let points = simulation.sample_points_um(fiber);
            let seed = 10_000 * (fiber + 1);
            // About a point source in a medium of 500 ohm cm.
            let ve = points
                .iter()
                .map(|z_um| 4e5 / (z_um - 40.0).hypot(distance_um));
            let ve: Vec<f64> = ve.collect();
            let of_ve: Vec<f64> = (0..ve.len()).map(|k| ve[k] * number(seed + k)).collect();
            let ve = plus(&ve, by(2), &of_ve);
            let pulse = (0..STEPS).map(|k| match k {
                20..40 => -1.0,
                _ => 0.1 * (0.2 * k as f64).sin(),
            });
            let pulse: Vec<f64> = pulse.collect();
            let of_pulse: Vec<f64> = (0..STEPS).map(|k| number(seed + 3000 + k)).collect();
            let pulse = plus(&pulse, by(1), &of_pulse);
            let waveform = Arc::new(Waveform::from_samples(DT_MS, pulse)?);
            stimulus = stimulus.potentials(fiber, ve, waveform)?;
            let mut of_potentials = vec![of_ve];
            // Every other fiber in a field that changes its shape too.
            if fiber % 2 == 1 {
                let count = points.len() * STEPS;
                let dense: Vec<f64> = (0..STEPS)
                    .flat_map(|step| {
                        let wave = move |z: &f64| 20.0 * (z / 900.0 + 0.1 * step as f64).cos();
                        points.iter().map(wave)
                    })
                    .collect();
                let of_dense: Vec<f64> = (0..count).map(|k| number(seed + 5000 + k)).collect();
                stimulus = stimulus.space_time(fiber, Arc::new(plus(&dense, by(2), &of_dense)));
                of_potentials.push(of_dense);
            }
            waveforms.push(of_pulse);
            potentials.push(of_potentials);
        }
        Ok(Case {
            simulation,
            stimulus,
            parameters,
            waveforms,
            potentials,
        })
    }

    fn observers(&self) -> [ObserverSpec; 1] {
        let states = self.simulation.schema().states.iter().take(1);
        let recorder = ObserverKind::Recorder {
            states: states.map(|name| name.to_string()).collect(),
            every: EVERY,
        };
        [ObserverSpec::new(recorder, NodeSelection::All)]
    }

    /// The loss of all fibers.
    fn loss(&self) -> Result<f64, SimulationError> {
        let observers = self.observers();
        let outcome = self
            .simulation
            .run(&self.stimulus, AMPLITUDE_MA, &observers)?;
        let mut loss = 0.0;
        for (fiber, result) in outcome.fibers.iter().enumerate() {
            if let Some(error) = self.simulation.divergence(fiber, result.status) {
                return Err(error);
            }
            loss += loss_of(fiber, result).loss;
        }
        Ok(loss)
    }

    /// The derivative along each kind's direction.
    fn derivatives(&self) -> Result<[Along; 3], SimulationError> {
        let runs = self.simulation.differentiate(
            &self.stimulus,
            AMPLITUDE_MA,
            &self.observers(),
            &|fiber: usize, outcome: &FiberOutcome| loss_of(fiber, outcome),
            GradientRequest::ALL,
        )?;
        let mut along = [Along::default(); 3];
        let mut add = |kind: usize, gradient: &[f64], direction: &[f64]| {
            for (g, d) in gradient.iter().zip(direction) {
                along[kind].derivative += g * d;
                along[kind].size += (g * d).abs();
            }
        };
        for (fiber, run) in runs.iter().enumerate() {
            let Some(gradient) = &run.gradient else {
                if let Some(error) = self.simulation.divergence(fiber, run.outcome.status) {
                    return Err(error);
                }
                // A gradient that is missing is no number, and exceeds every limit.
                return Ok([Along {
                    derivative: f64::NAN,
                    size: 1.0,
                }; 3]);
            };
            add(0, &gradient.parameters, &self.parameters);
            add(1, &gradient.sources[0].waveform, &self.waveforms[fiber]);
            for (source, direction) in gradient.sources.iter().zip(&self.potentials[fiber]) {
                add(2, &source.potentials, direction);
            }
        }
        Ok(along)
    }
}

fn plus(x: &[f64], by: f64, direction: &[f64]) -> Vec<f64> {
    x.iter().zip(direction).map(|(x, d)| x + by * d).collect()
}

/// Random weights of everything recorded.
fn loss_of(fiber: usize, outcome: &FiberOutcome) -> Evaluation {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        return Evaluation::default();
    };
    let weights = |seed: usize, count: usize, size: f64| -> Vec<f64> {
        let seed = 1_000_000 * (seed + 1) + 100_000 * fiber;
        (0..count).map(|k| size * number(seed + k)).collect()
    };
    let v_mv = weights(0, recording.v_mv.len(), 1.0);
    let states = recording.states.iter().enumerate();
    let states: Vec<Vec<f64>> = states.map(|(k, x)| weights(k + 1, x.len(), 30.0)).collect();
    let dot = |x: &[f64], w: &[f64]| -> f64 { x.iter().zip(w).map(|(x, w)| x * w).sum() };
    let of_states = recording.states.iter().zip(&states);
    Evaluation {
        loss: dot(&recording.v_mv, &v_mv) + of_states.map(|(x, w)| dot(x, w)).sum::<f64>(),
        recorded: vec![Some(RecordedCotangent { v_mv, states })],
        state: None,
    }
}

/// Steps of differences, as shares of what is moved. Wide ones see how the loss bends, narrow ones its rounding.
const DIFFERENCES: [f64; 5] = [1e-4, 3e-5, 1e-5, 3e-6, 1e-6];

/// The derivative where the slopes of two neighboring steps agree best (as Ridders 1982, Adv Eng Softw 4:75-76, ends an
/// extrapolation): the one over the narrower step, which bending has left.
fn settled(slopes: [f64; DIFFERENCES.len()]) -> f64 {
    let apart = |pair: &&[f64]| (pair[0] - pair[1]).abs();
    let nearest = slopes
        .windows(2)
        .min_by(|a, b| apart(a).total_cmp(&apart(b)));
    nearest.map_or(f64::NAN, |pair| pair[1])
}

/// Derivatives by differences of sixth order of the reference's losses, kind by kind.
pub(super) fn expected(
    model: &dyn FiberModel,
    fibers: &[Fiber],
    distance_um: f64,
    reference: &Device,
) -> Result<[f64; 3], SimulationError> {
    let mut expected = [0.0; 3];
    for (kind, expected) in expected.iter_mut().enumerate() {
        let loss = |by: f64| -> Result<f64, SimulationError> {
            let displaced = Displaced { kind, by };
            let precision = Precision::F64;
            Case::new(model, fibers, distance_um, reference, precision, displaced)?.loss()
        };
        let slope = |h: f64| -> Result<f64, SimulationError> {
            let change =
                |k: f64| -> Result<f64, SimulationError> { Ok(loss(k * h)? - loss(-k * h)?) };
            let (one, two, three) = (change(1.0)?, change(2.0)?, change(3.0)?);
            Ok((45.0 * one - 9.0 * two + three) / (60.0 * h))
        };
        let mut slopes = [0.0; DIFFERENCES.len()];
        for (slope_there, h) in slopes.iter_mut().zip(DIFFERENCES) {
            *slope_there = slope(h)?;
        }
        *expected = settled(slopes);
    }
    Ok(expected)
}

/// How far a device's gradients are from `expected`, kind by kind; infinitely if they are no numbers.
pub(super) fn differences(
    model: &dyn FiberModel,
    fibers: &[Fiber],
    distance_um: f64,
    device: &Device,
    precision: Precision,
    expected: &[f64; 3],
) -> Result<[f64; 3], SimulationError> {
    let still = Displaced { kind: 0, by: 0.0 };
    let case = Case::new(model, fibers, distance_um, device, precision, still)?;
    let found = case.derivatives()?;
    let mut off = [0.0; 3];
    for ((off, found), expected) in off.iter_mut().zip(found).zip(expected) {
        let relative = (found.derivative - expected).abs() / found.size;
        *off = if relative.is_nan() {
            f64::INFINITY
        } else {
            relative
        };
    }
    Ok(off)
}
