//! Tests that every fiber model must pass: of a model of one's own by one line.
//!
//! ```
//! # mod example {
//! use axonml::model;
//!
//! axonml::conformance!(model("hh").unwrap());
//! # }
//! ```
//! makes a module `conformance` with a test of each of this module's functions; `axonml::conformance!(name: model)` calls
//! the module `name`, for several models in one file. `model` is any expression of a
//! [`FiberModel`](crate::FiberModel).

use std::sync::Arc;

use axonml_autodiff::adjoint::{Evaluation, GradientRequest};
use axonml_autodiff::engine::{Backend, Binding, BoundProgram, FiberState, Rollout};
use axonml_core::{Medium, PointSource, Waveform};
use axonml_cpu::{CpuBackend, Reference, TangentDirection};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, FiberOutcome, InitialState, Model, Precision, Settings, Simulation,
    SimulationError, Stimulus,
};

use crate::verification::{Candidate, number, probes, verify};

/// How a model fails a test.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Nonconformance {
    /// The model cannot be used at all.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// It does something else than it must.
    #[error("model `{model}`: {problem}")]
    Differs {
        /// Id of the model.
        model: String,
        /// The number found, and the number expected.
        problem: String,
    },
}

fn differs<T>(model: &Model, problem: String) -> Result<T, Nonconformance> {
    let model = model.schema().id.into_owned();
    Err(Nonconformance::Differs { model, problem })
}

/// Movement of a fiber at rest that passes, mV.
const STILL_MV: f64 = 0.1;

/// The steady state stays: 20 ms without stimulus move no node by more than 0.1 mV.
///
/// # Errors
/// [`Nonconformance`] with the movement.
pub fn rest_is_steady(model: &Model) -> Result<(), Nonconformance> {
    let (fibers, _) = probes(model);
    let settings = Settings {
        dt_ms: 0.01,
        tstop_ms: 20.0,
        start: InitialState::Settled { warmup_ms: 200.0 },
        ..published()
    };
    let simulation = Simulation::new(model, fibers.clone(), &settings, &Device::cpu()?)?;
    let begins = simulation.initial_states()?;
    let outcome = simulation.run(&Stimulus::none(fibers.len()), 0.0, &[])?;
    let ends = simulation.completed_states(outcome)?;
    let moved = |(a, b): (&FiberState, &FiberState)| {
        let nodes = a.v_mv.iter().zip(&b.v_mv);
        nodes.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let most = begins.iter().zip(&ends).map(moved).fold(0.0, f64::max);
    match most <= STILL_MV {
        true => Ok(()),
        false => differs(
            model,
            format!("its steady state moves by {most} mV in 20 ms, expected at most {STILL_MV}"),
        ),
    }
}

/// Rates are finite at every membrane potential from -150 to 100 mV in steps of 0.05, where singularities of published
/// formulas lie.
///
/// # Errors
/// [`Nonconformance`] with the quantity and the potential.
pub fn rates_have_no_singular_points(model: &Model) -> Result<(), Nonconformance> {
    let rollout = rollout(model, 1)?;
    let membrane = &rollout.membrane;
    for step in 0..=5000 {
        let v_mv = -150.0 + 0.05 * f64::from(step);
        // The decimal that is meant, as formulas have it.
        let v_mv = (v_mv * 100.0).round() / 100.0;
        let rest = rollout.rest(0, v_mv);
        let of = |bound: &BoundProgram| evaluate(&rollout, bound, v_mv, &rest);
        for (bound, values) in [
            (&membrane.rest, rest.clone()),
            (&membrane.currents, of(&membrane.currents)),
            (&membrane.step, of(&membrane.step)),
        ] {
            let names = bound.program.outputs().iter();
            let mut found = names.zip(&values).filter(|(_, value)| !value.is_finite());
            if let Some(((name, _), value)) = found.next() {
                return differs(
                    model,
                    format!("`{name}` is {value} at {v_mv} mV, expected a finite number"),
                );
            }
        }
    }
    Ok(())
}

/// Steady states and time constants (ms) of gates are those stated: name, potential (mV), both values as printed to the
/// digits of `relative`.
///
/// # Errors
/// [`Nonconformance`] with the gate.
pub fn gates_are_as_published(
    model: &Model,
    values: &[(&str, f64, f64, f64)],
    relative: f64,
) -> Result<(), Nonconformance> {
    let rollout = rollout(model, 1)?;
    let dt_ms = rollout.grid.dt_ms();
    for &(gate, v_mv, inf, tau_ms) in values {
        let Some(index) = rollout
            .membrane
            .states
            .iter()
            .position(|state| state == gate)
        else {
            return differs(model, format!("found no gate `{gate}`"));
        };
        let steady = rollout.rest(0, v_mv);
        // One above its steady state, a gate is exp(-dt/tau) above it a step later.
        let mut above = steady.clone();
        above[index] += 1.0;
        let after = evaluate(&rollout, &rollout.membrane.step, v_mv, &above)[index];
        let tau_found = -dt_ms / (after - steady[index]).ln();
        let near = |found: f64, stated: f64| (found / stated - 1.0).abs() <= relative;
        let published = near(steady[index], inf) && near(tau_found, tau_ms);
        if !published {
            return differs(
                model,
                format!(
                    "`{gate}` at {v_mv} mV settles at {} with {tau_found} ms, expected {inf} with {tau_ms} ms",
                    steady[index]
                ),
            );
        }
    }
    Ok(())
}

/// A fiber's run is the same to the bit whatever runs beside it, on however many threads.
///
/// # Errors
/// [`Nonconformance`] with the number of fibers beside it.
pub fn lanes_do_not_see_each_other(model: &Model) -> Result<(), Nonconformance> {
    for precision in [Precision::F64, Precision::F32] {
        let run = |count: usize, threads: usize| -> Result<Vec<FiberState>, Nonconformance> {
            let settings = Settings {
                precision,
                tstop_ms: 0.5,
                ..published()
            };
            let (probes, distance_um) = probes(model);
            let fibers: Vec<Fiber> = probes.into_iter().cycle().take(count).collect();
            let device = Device::cpu_with_threads(threads)?;
            let simulation = Simulation::new(model, fibers, &settings, &device)?;
            let outcome = simulation.run(&stimulus(count, distance_um)?, 0.1, &[])?;
            Ok(simulation.completed_states(outcome)?)
        };
        let alone = run(3, 1)?;
        for (count, threads) in [(1, 1), (7, 1), (40, 3)] {
            let beside = run(count, threads)?;
            if (0..count).any(|fiber| beside[fiber] != alone[fiber % 3]) {
                return differs(
                    model,
                    format!(
                        "a run in {} among {count} fibers on {threads} threads differs from one among 3",
                        precision.name()
                    ),
                );
            }
        }
    }
    Ok(())
}

/// Largest difference of paired derivatives, relative to the sum of the magnitudes of their terms.
const TRANSPOSED: f64 = 1e-10;

/// The gradient is the transpose of the forward derivative: a random loss of the last state paired with random changes of
/// all parameters, currents and waveforms.
///
/// # Errors
/// [`Nonconformance`] with both derivatives.
pub fn gradients_are_those_of_tangents(model: &Model) -> Result<(), Nonconformance> {
    let rollout = rollout(model, 3)?;
    let failed = |error| Nonconformance::from(SimulationError::from(error));
    let weights = |fiber: usize, outcome: &FiberOutcome| Evaluation {
        loss: 0.0,
        recorded: vec![],
        state: outcome
            .state
            .as_ref()
            .map(|state| random(state, 1000 * (fiber + 1))),
    };
    let directions: Vec<TangentDirection> = (0..rollout.fibers.len())
        .map(|fiber| {
            let mut direction = TangentDirection::zero(&rollout, fiber);
            let each = |values: &[f64], seed: usize| -> Vec<f64> {
                let values = values.iter().enumerate();
                values.map(|(k, x)| x * number(seed + k)).collect()
            };
            direction.shared = each(&rollout.shared, 17);
            direction.parameters = each(&rollout.fibers[fiber].parameters, 400);
            direction.uniform_v_mv = number(7);
            for source in &mut direction.sources {
                let steps = rollout.grid.steps();
                source.waveform = (0..steps).map(|k| number(9000 + k)).collect();
            }
            direction
        })
        .collect();
    let forward = Reference.tangent(&rollout, &directions).map_err(failed)?;
    let found = CpuBackend::new()
        .differentiate(&rollout, &weights, GradientRequest::ALL)
        .map_err(failed)?;
    for (fiber, (found, forward)) in found.iter().zip(&forward).enumerate() {
        let Some(cotangents) = found.gradient.found() else {
            return differs(model, format!("the gradient of fiber {fiber} has no value"));
        };
        let direction = &directions[fiber];
        let (mut along, mut size) = (0.0, 0.0);
        let mut pair = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).fold(0.0, |sum, (a, b)| {
                size += (a * b).abs();
                sum + a * b
            })
        };
        let mut backward = pair(&cotangents.shared, &direction.shared)
            + pair(&cotangents.parameters, &direction.parameters)
            + pair(&[cotangents.uniform_v], &[direction.uniform_v_mv]);
        for (source, change) in cotangents.sources.iter().zip(&direction.sources) {
            backward += pair(&source.waveform, &change.waveform);
        }
        if let (Some(change), Some(state)) = (forward.changes.last(), &found.outcome.state) {
            let weights = random(state, 1000 * (fiber + 1));
            along += pair(&weights.v_mv, &change.v_mv) + pair(&weights.modes, &change.modes);
            for (weights, change) in weights.states.iter().zip(&change.states) {
                along += pair(weights, change);
            }
        }
        let paired = (along - backward).abs() <= TRANSPOSED * size && size > 0.0;
        if !paired {
            return differs(
                model,
                format!(
                    "fiber {fiber}: the gradient says {backward}, the forward derivative {along} (of {size})"
                ),
            );
        }
    }
    Ok(())
}

/// The processor, and where this build has them the CUDA kernels on the processor, agree with the scalar reference: steps,
/// spikes, thresholds and gradients ([`verify`]).
///
/// # Errors
/// [`Nonconformance`] with the first comparison that exceeds its limits.
pub fn backends_agree(model: &Model) -> Result<(), Nonconformance> {
    let both = [Precision::F64, Precision::F32];
    let mut candidates: Vec<Candidate> = Vec::new();
    for precision in both {
        candidates.push(Candidate::new("cpu", precision, Device::cpu()));
        if cfg!(feature = "cuda") {
            candidates.push(Candidate::new(
                "host-kernels",
                precision,
                Device::host_kernels(),
            ));
        }
    }
    for comparison in verify(std::slice::from_ref(model), &candidates, &mut |_| ())? {
        if !comparison.passed() {
            return differs(model, format!("{comparison:?}"));
        }
    }
    Ok(())
}

/// The model's own constants, whatever weights there are.
fn published() -> Settings {
    Settings {
        weights: Weights::Published,
        ..Settings::default()
    }
}

/// A biphasic pulse of a point source beside every fiber.
fn stimulus(count: usize, distance_um: f64) -> Result<Stimulus, Nonconformance> {
    let source = Arc::new(PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um: 40.0,
        medium: Medium::isotropic(500.0),
    });
    let pulse = Waveform::biphasic(0.1, 0.02).map_err(SimulationError::from)?;
    Ok(Stimulus::uniform(count, source, pulse.delayed(0.1)))
}

/// A run of some of the probes, 0.6 ms with a pulse.
fn rollout(model: &Model, count: usize) -> Result<Rollout, Nonconformance> {
    let (probes, distance_um) = probes(model);
    let settings = Settings {
        tstop_ms: 0.6,
        ..published()
    };
    let fibers: Vec<Fiber> = probes.into_iter().take(count).collect();
    let stimulus = stimulus(fibers.len(), distance_um)?;
    let simulation = Simulation::new(model, fibers, &settings, &Device::cpu()?)?;
    let mut rollout = simulation.rollout(&stimulus, &[])?;
    let amplitudes = (0..count).map(|fiber| (fiber, 0.1));
    rollout.drive.gains = stimulus.scaling().gains_of(amplitudes);
    Ok(rollout)
}

/// Outputs of one of the membrane's programs at a node of the first fiber.
fn evaluate(rollout: &Rollout, bound: &BoundProgram, v_mv: f64, states: &[f64]) -> Vec<f64> {
    let constants = rollout.constants(&bound.bindings, 0).into_iter();
    let inputs = constants
        .zip(&bound.bindings)
        .map(|(constant, binding)| match binding {
            Binding::State(state) => states[*state],
            _ => constant.unwrap_or(v_mv - rollout.v_reference_mv),
        });
    bound.program.eval(&inputs.collect::<Vec<f64>>())
}

/// Random weights of a state.
fn random(like: &FiberState, seed: usize) -> FiberState {
    let mut seed = seed;
    let mut each = |values: &[f64], size: f64| -> Vec<f64> {
        seed += 500;
        (0..values.len()).map(|k| size * number(seed + k)).collect()
    };
    FiberState {
        v_mv: each(&like.v_mv, 1.0),
        states: like.states.iter().map(|state| each(state, 30.0)).collect(),
        modes: each(&like.modes, 1.0),
    }
}

/// Tests of a fiber model; see [`conformance`](mod@crate::conformance).
#[macro_export]
macro_rules! conformance {
    ($model:expr) => {
        $crate::conformance!(conformance: $model);
    };
    ($name:ident: $model:expr) => {
        $crate::conformance!($name: $model, gates: [] to 1e-4);
    };
    ($name:ident: $model:expr, gates: [$($gate:expr),*] to $relative:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::conformance!(@tests $model, {
                rest_is_steady,
                rates_have_no_singular_points,
                lanes_do_not_see_each_other,
                gradients_are_those_of_tangents,
                backends_agree
            });

            #[test]
            fn gates_are_as_published() {
                let model = $crate::model::Model::new($model);
                let gates: &[(&str, f64, f64, f64)] = &[$($gate),*];
                if let Err(problem) =
                    $crate::conformance::gates_are_as_published(&model, gates, $relative)
                {
                    panic!("{problem}");
                }
            }
        }
    };
    (@tests $model:expr, { $($test:ident),+ }) => {$(
        #[test]
        fn $test() {
            let model = $crate::model::Model::new($model);
            if let Err(problem) = $crate::conformance::$test(&model) {
                panic!("{problem}");
            }
        }
    )+};
}
