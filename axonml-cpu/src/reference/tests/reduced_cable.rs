//! The reduced cable: the reference against the equations, every fast kernel against the reference.

use std::sync::Arc;

use axonml_autodiff::cable::{Mode, ReducedCable, ReducedDrive};
use axonml_autodiff::engine::{RolloutFiber, Source};
use axonml_autodiff::ir::Precision;

use super::super::*;
use super::cases::{active, rollout};
use super::{assert_close, run};
use crate::{CpuBackend, Isa};

/// The sizes of a fiber of 10 um.
fn cable(nodes: usize, scale: f64) -> ReducedCable {
    ReducedCable {
        nodes,
        node_area_cm2: 1e-7,
        capacitance_nf: 3e-4 * scale,
        self_us: 9e-3,
        neighbor_us: 2e-3,
        even: Mode {
            lambda_per_ms: 31.0 * scale,
            coupling_us_per_ms: 0.11,
        },
        odd: Mode {
            lambda_per_ms: 33.0,
            coupling_us_per_ms: 0.07 * scale,
        },
        drive: ReducedDrive {
            node_even_us: 1e-3,
            node_odd_us: 3e-3,
            node_wide_us: -2e-4,
            even_us_per_ms: -0.02,
            odd_us_per_ms: 0.05,
            wide_us_per_ms: 0.01,
        },
    }
}

fn wave(k: usize, scale: f64) -> f64 {
    scale * ((k * k * 7 + 3 * k) % 23) as f64 - 11.0 * scale
}

/// Fibers of different lengths and coefficients in states that no symmetry simplifies, driven by a source, an injection
/// and space-time potentials.
fn driven(lengths: &[usize], steps: usize, dt: f64) -> Rollout {
    let mut case = rollout(Cable::Reduced(cable(3, 1.0)), active(), 0.05, dt, steps);
    case.shared = Arc::new(vec![0.4]);
    case.fibers.clear();
    case.drive.sources.clear();
    case.drive.gains.clear();
    let waveforms = (0..2).map(|index| (0..steps).map(|i| wave(i + index, 0.03)).collect());
    case.drive.waveforms = waveforms.map(Arc::new).collect();
    let mut states = Vec::new();
    for (index, &nodes) in lengths.iter().enumerate() {
        let cable = Cable::Reduced(cable(nodes, 1.0 + 0.1 * index as f64));
        let ve: Vec<f64> = (0..nodes).map(|k| wave(k + index, 5.0)).collect();
        let separable = |projection, waveform| Source::Separable {
            potentials: None,
            projection: Arc::new(projection),
            waveform,
        };
        let space_time: Vec<f64> = (0..steps * nodes).map(|k| wave(k, 0.2)).collect();
        case.drive.sources.push(Arc::new(vec![
            separable(cable.project(&ve), 0),
            separable(cable.inject(nodes / 2), 1),
            Source::SpaceTime(Arc::new(space_time)),
        ]));
        case.drive.gains.push(vec![-1.5, 1.0, 1.0]);
        states.push(FiberState {
            v_mv: (0..nodes).map(|k| wave(k + 2, 1.0) - 60.0).collect(),
            states: vec![(0..nodes).map(|k| wave(k + 3, 0.02)).collect()],
            modes: (0..cable.mode_count()).map(|k| wave(k + 5, 0.01)).collect(),
        });
        case.fibers.push(RolloutFiber {
            cable: Arc::new(cable),
            parameters: vec![0.05],
        });
    }
    case.start = Start::From(states);
    case
}

#[test]
fn a_step_balances_the_currents_of_nodes_and_modes() {
    for dt in [0.001, 0.005, 1.0] {
        let case = driven(&[4], 1, dt);
        let Start::From(start) = &case.start else {
            unreachable!()
        };
        let (before, after) = (&start[0], run(&case).state.unwrap());
        let Cable::Reduced(cable) = &*case.fibers[0].cable else {
            unreachable!()
        };
        let total = Simulation::new(&case, 0).drive(0);
        let u = |node: usize| after.v_mv[node] - case.v_reference_mv;
        let mut into_node = total.nodes_na.clone();
        for index in 0..3 {
            for (parity, mode, sign) in [(0, cable.even, 1.0), (1, cable.odd, -1.0)] {
                let at = 2 * index + parity;
                let rate = (after.modes[at] - before.modes[at]) / dt;
                let expected = mode.coupling_us_per_ms * (u(index) + sign * u(index + 1))
                    - mode.lambda_per_ms * after.modes[at]
                    + total.modes[at];
                assert!(
                    (rate - expected).abs() < 1e-9 / dt,
                    "dt {dt}, {at}: {rate} {expected}"
                );
                into_node[index] += after.modes[at];
                into_node[index + 1] += sign * after.modes[at];
            }
            for (this, other) in [(index, index + 1), (index + 1, index)] {
                into_node[this] += cable.neighbor_us * u(other) - cable.self_us * u(this);
            }
        }
        for node in 0..4 {
            let (u_0, x) = (
                before.v_mv[node] - case.v_reference_mv,
                before.states[0][node],
            );
            let ionic = 0.1 * (0.05 * (1.0 + x * x) * u(node) - 0.4 * x);
            let balance = cable.capacitance_nf / dt * (u(node) - u_0) + ionic - into_node[node];
            assert!(
                balance.abs() < 1e-9,
                "dt {dt}, node {node}: {balance} nA unaccounted for"
            );
        }
    }
}

#[test]
fn fast_kernels_agree_with_the_reference() {
    // Steps of every size: decays from almost 1 to almost 0.
    for dt in [0.001, 0.005, 0.3] {
        let mut case = driven(&[1, 2, 5, 17, 3, 30, 11, 8, 8, 4], 40, dt);
        let expected = Reference.run(&case).unwrap().fibers;
        for (precision, tolerance) in [(Precision::F64, 1e-11), (Precision::F32, 3e-4)] {
            case.precision = precision;
            for isa in Isa::available() {
                let found = CpuBackend::with_isa(isa).run(&case).unwrap().fibers;
                for (found, expected) in found.iter().zip(&expected) {
                    let (found, expected) = (found.state.as_ref(), expected.state.as_ref());
                    let (found, expected) = (found.unwrap(), expected.unwrap());
                    assert_close(&found.v_mv, &expected.v_mv, 100.0 * tolerance);
                    assert_close(&found.states[0], &expected.states[0], 10.0 * tolerance);
                    assert_close(&found.modes, &expected.modes, 10.0 * tolerance);
                }
            }
        }
    }
}

#[test]
fn a_run_in_two_parts_is_the_run_in_one() {
    let whole = driven(&[7, 4], 20, 0.01);
    for backend in [&Reference as &dyn Backend, &CpuBackend::new()] {
        let expected = backend.run(&whole).unwrap().fibers;
        let mut first = whole.clone();
        first.steps = 0..7;
        let middle = backend.run(&first).unwrap().fibers;
        let mut second = whole.clone();
        second.steps = 7..20;
        second.start = Start::From(middle.into_iter().map(|f| f.state.unwrap()).collect());
        let found = backend.run(&second).unwrap().fibers;
        for (found, expected) in found.iter().zip(&expected) {
            let (found, expected) = (found.state.as_ref(), expected.state.as_ref());
            let (found, expected) = (found.unwrap(), expected.unwrap());
            assert_close(&found.v_mv, &expected.v_mv, 1e-9);
            assert_close(&found.modes, &expected.modes, 1e-9);
        }
    }
}

#[test]
fn modes_that_cannot_decay_or_couple_are_refused() {
    for (lambda, coupling) in [
        (0.0, 1.0),
        (31.0, 0.0),
        (f64::NAN, 1.0),
        (31.0, f64::INFINITY),
    ] {
        let mut cable = cable(3, 1.0);
        cable.odd = Mode {
            lambda_per_ms: lambda,
            coupling_us_per_ms: coupling,
        };
        let case = rollout(Cable::Reduced(cable), active(), 0.05, 0.01, 1);
        let error = Reference.run(&case).unwrap_err();
        assert!(
            matches!(error, BackendError::BadCable { fiber: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_uniform_potential_does_nothing_and_mirrored_ones_mirror() {
    let cable = Cable::Reduced(cable(6, 1.0));
    let uniform = cable.project(&[0.7; 6]);
    assert!(
        uniform
            .nodes_na
            .iter()
            .chain(&uniform.modes)
            .all(|&x| x == 0.0)
    );
    let ve: Vec<f64> = (0..6).map(|k| wave(k, 1.0)).collect();
    let mut mirrored = ve.clone();
    mirrored.reverse();
    let (a, mut b) = (cable.project(&ve), cable.project(&mirrored));
    b.nodes_na.reverse();
    assert_close(&a.nodes_na, &b.nodes_na, 1e-14);
    for k in 0..5 {
        assert_close(&[b.modes[2 * (4 - k)]], &[a.modes[2 * k]], 1e-14);
        assert_close(&[b.modes[2 * (4 - k) + 1]], &[-a.modes[2 * k + 1]], 1e-14);
    }
    // A straight line has no even part, at the ends neither.
    let line: Vec<f64> = (0..6).map(|k| 3.0 * k as f64).collect();
    let projection = cable.project(&line);
    for k in 0..5 {
        assert_close(&[projection.modes[2 * k]], &[0.0], 1e-14);
        assert_close(
            &[projection.modes[2 * k + 1]],
            &[3.0 * 0.05 + 9.0 * 0.01],
            1e-14,
        );
    }
    let end = 3.0 * 3e-3 + 9.0 * -2e-4;
    assert_close(
        &projection.nodes_na,
        &[end, 0.0, 0.0, 0.0, 0.0, -end],
        1e-14,
    );
}
