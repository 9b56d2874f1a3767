//! The forward derivatives of the reference against differences of its runs.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{CableCotangent, DoubleCable, ExplicitCable, ImplicitCable};
use axonml_autodiff::engine::{Backend, Rollout, Source, Start};
use axonml_cpu::{Reference, TangentDirection};
use axonml_models::FiberState;

use super::cases::{continued, irregular, plain, reprojected, with_own_parameters};
use super::pairing::{numbers, parts};
use crate::models::distinct;

fn add(to: &mut [f64], by: &[f64], h: f64) {
    to.iter_mut().zip(by).for_each(|(to, by)| *to += h * by);
}

/// The rollout `h` along directions, except through the coefficients of double cables.
fn moved(rollout: &Rollout, directions: &[TangentDirection], h: f64) -> Rollout {
    let mut moved = rollout.clone();
    let reference = directions[0].v_reference_mv;
    moved.v_reference_mv += h * reference;
    let shared: &mut Vec<f64> = Arc::make_mut(&mut moved.shared);
    add(shared, &directions[0].shared, h);
    match &mut moved.start {
        Start::Uniform { v_mv, .. } => *v_mv += h * directions[0].uniform_v_mv,
        Start::From(states) => {
            for (state, direction) in states.iter_mut().zip(directions) {
                let by = &direction.start;
                add(&mut state.v_mv, &by.v_mv, h);
                add(&mut state.modes, &by.modes, h);
                for (x, by) in state.states.iter_mut().zip(&by.states) {
                    add(x, by, h);
                }
            }
        }
    }
    for (index, direction) in directions.iter().enumerate() {
        let fiber = &mut moved.fibers[index];
        add(&mut fiber.parameters, &direction.parameters, h);
        fiber.cable = Arc::new(moved_cable(&fiber.cable, &direction.cable, h));
        let gains = moved.drive.gains[index].iter_mut();
        for (gain, by) in gains.zip(&direction.sources) {
            *gain += h * by.gain;
        }
        let sources = Arc::make_mut(&mut moved.drive.sources[index]);
        for (source, by) in sources.iter_mut().zip(&direction.sources) {
            match source {
                Source::Separable {
                    potentials,
                    waveform,
                    ..
                } => {
                    if let Some(ve) = potentials {
                        let ve: &mut Vec<f64> = Arc::make_mut(ve);
                        add(ve, &by.potentials, h);
                    }
                    if !by.waveform.is_empty() {
                        let mut own = moved.drive.waveforms[*waveform].to_vec();
                        add(&mut own, &by.waveform, h);
                        *waveform = moved.drive.waveforms.len();
                        moved.drive.waveforms.push(Arc::new(own));
                    }
                }
                Source::SpaceTime(ve) => {
                    let ve: &mut Vec<f64> = Arc::make_mut(ve);
                    add(ve, &by.potentials, h);
                }
            }
        }
    }
    let mut moved = reprojected(moved);
    for (sources, direction) in moved.drive.sources.iter_mut().zip(directions) {
        let sources = Arc::make_mut(sources);
        for (source, by) in sources.iter_mut().zip(&direction.sources) {
            if let (Source::Separable { projection, .. }, Some(by)) = (source, &by.projection) {
                let projection = Arc::make_mut(projection);
                add(&mut projection.nodes_na, &by.nodes_na, h);
                add(&mut projection.modes, &by.modes, h);
            }
        }
    }
    moved
}

fn moved_cable(cable: &Cable, by: &CableCotangent, h: f64) -> Cable {
    match (cable, by) {
        (
            Cable::Explicit(c),
            CableCotangent::Explicit {
                area_cm2,
                capacitance_nf,
                axial_us,
                v_weights,
                ve_weights,
            },
        ) => {
            let pair = |x: (f64, f64), by: &(f64, f64)| (x.0 + h * by.0, x.1 + h * by.1);
            Cable::Explicit(ExplicitCable {
                nodes: c.nodes,
                area_cm2: c.area_cm2 + h * area_cm2,
                capacitance_nf: c.capacitance_nf + h * capacitance_nf,
                axial_us: c.axial_us + h * axial_us,
                v_weights: pair(c.v_weights, v_weights),
                ve_weights: pair(c.ve_weights, ve_weights),
            })
        }
        (
            Cable::Implicit(c),
            CableCotangent::Implicit {
                area_cm2,
                capacitance_nf,
                link_us,
            },
        ) => {
            let sum = |x: &[f64], by: &[f64]| {
                let mut x = x.to_vec();
                add(&mut x, by, h);
                x
            };
            Cable::Implicit(ImplicitCable {
                area_cm2: sum(&c.area_cm2, area_cm2),
                capacitance_nf: sum(&c.capacitance_nf, capacitance_nf),
                link_us: sum(&c.link_us, link_us),
            })
        }
        (
            Cable::Double(c),
            CableCotangent::Double {
                area_cm2,
                capacitance_nf,
                ..
            },
        ) => Cable::Double(DoubleCable {
            node_area_cm2: c.node_area_cm2 + h * area_cm2,
            node_capacitance_nf: c.node_capacitance_nf + h * capacitance_nf,
            ..c.clone()
        }),
        (Cable::Reduced(c), CableCotangent::Reduced(by)) => {
            let mut c = c.clone();
            let (mut at, mut by) = (
                CableCotangent::Reduced(c.clone()),
                CableCotangent::Reduced(by.clone()),
            );
            let by: Vec<f64> = numbers(&mut by)
                .iter()
                .flat_map(|(_, x)| x.to_vec())
                .collect();
            for ((_, x), by) in numbers(&mut at).into_iter().zip(by) {
                x[0] += h * by;
            }
            if let CableCotangent::Reduced(at) = at {
                c = at;
            }
            Cable::Reduced(c)
        }
        _ => panic!("a direction is of its cable's kind"),
    }
}

/// Values shared by all fibers, taken from the first one.
fn first_fiber(mut rollout: Rollout) -> Rollout {
    rollout = rollout.select(std::iter::once(0));
    rollout.steps.end = rollout.steps.end.min(rollout.steps.start + 30);
    rollout
}

fn flat(state: &FiberState) -> Vec<f64> {
    let states = state.states.iter().flatten();
    let all = state.v_mv.iter().chain(states).chain(&state.modes);
    all.copied().collect()
}

/// The largest number of each kind in place of each number; of voltages, mV, at least 100.
fn sizes(state: &FiberState) -> Vec<f64> {
    let largest =
        |x: &[f64], least: f64| vec![x.iter().fold(least, |m, x| m.max(x.abs())); x.len()];
    let states = state.states.iter().flat_map(|x| largest(x, 0.0));
    let mut sizes = largest(&state.v_mv, 100.0);
    sizes.extend(states);
    sizes.extend(largest(&state.modes, 0.0));
    sizes
}

#[test]
fn forward_derivatives_are_differences() {
    for model in distinct() {
        for rollout in [
            plain(model),
            continued(irregular(with_own_parameters(plain(model)))),
        ] {
            let rollout = first_fiber(rollout);
            for (name, mut direction) in parts(&rollout, 0) {
                // Numbers of the modes can only move together, with those of an internode: see `super::parameters`.
                if let CableCotangent::Double { modes, .. } = &mut direction.cable {
                    modes.lambda.fill(0.0);
                    modes.b.fill(0.0);
                    modes.drive.as_flattened_mut().fill(0.0);
                    modes.end_us = 0.0;
                }
                // A uniform start has no state of its own to move.
                if let Start::Uniform { .. } = &rollout.start {
                    direction.start = TangentDirection::zero(&rollout, 0).start;
                }
                let directions = [direction];
                let tangent = Reference.tangent(&rollout, &directions).unwrap().remove(0);
                let expected = flat(tangent.changes.last().unwrap());
                let last = Reference.run(&rollout).unwrap().fibers.remove(0).state;
                assert_eq!(tangent.states.last(), last.as_ref());
                let runs: Vec<_> = [1e-3, 2e-4, 4e-5, 8e-6]
                    .map(|h| {
                        let each = [-2.0, -1.0, 1.0, 2.0].map(|k| {
                            let moved = moved(&rollout, &directions, k * h);
                            let outcome = Reference.run(&moved).unwrap().fibers.remove(0);
                            flat(&outcome.state.unwrap())
                        });
                        (h, each)
                    })
                    .into();
                let sizes = sizes(&last.unwrap());
                for (index, &expected) in expected.iter().enumerate() {
                    let error = runs.iter().map(|(h, [a, b, c, d])| {
                        let [a, b, c, d] = [a, b, c, d].map(|x| x[index]);
                        ((a - 8.0 * b + 8.0 * c - d) / (12.0 * h) - expected).abs()
                    });
                    let error = error.fold(f64::INFINITY, f64::min);
                    // Rounding of the last state, divided by the larger step.
                    let noise = 1e-12 * sizes[index] / 1e-3;
                    assert!(
                        error <= 1e-7 * expected.abs() + noise,
                        "{}: {name}, number {index}: {expected:e} is off by {error:e}",
                        model.schema().id
                    );
                }
            }
        }
    }
}
