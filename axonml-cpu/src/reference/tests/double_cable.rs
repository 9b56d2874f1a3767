//! The double cable against its modes, and a run against its parts.

use std::sync::Arc;

use axonml_autodiff::cable::{MODES, Parity};
use axonml_autodiff::engine::{NodeSelection, Observation, ObserverKind, ObserverSpec};

use super::super::*;
use super::cases::{active, double, rollout};
use super::{assert_close, drive, run};

/// A double cable in a state that no symmetry simplifies, driven by two sources.
fn driven_double(steps: usize, dt: f64) -> Rollout {
    let cable = double(4);
    let wave = |k: usize, scale: f64| scale * ((k * k * 7 + 3 * k) % 23) as f64 - 11.0 * scale;
    let ve: Vec<f64> = (0..cable.samples()).map(|k| wave(k, 2.0)).collect();
    let modes = (0..cable.mode_count()).map(|k| wave(k + 5, 0.01)).collect();
    let states = vec![vec![0.3, -0.2, 0.1, 0.0]];
    let start = FiberState {
        v_mv: (0..4).map(|k| wave(k + 2, 1.0) - 60.0).collect(),
        states,
        modes,
    };
    let projections = [cable.project(&ve), cable.inject(2)];
    let mut case = rollout(cable, active(), 0.05, dt, steps);
    case.shared = Arc::new(vec![0.4]);
    case.start = Start::From(vec![start]);
    for (index, projection) in projections.into_iter().enumerate() {
        let waveform: Vec<f64> = (0..steps).map(|i| wave(i + index, 0.03)).collect();
        drive(&mut case, projection, &waveform, [-1.5, 1.0][index]);
    }
    case
}

#[test]
fn the_double_cable_satisfies_the_equations_of_its_modes() {
    for dt in [0.001, 0.005, 1.0] {
        let case = driven_double(1, dt);
        let Start::From(start) = &case.start else {
            unreachable!()
        };
        let (before, after) = (&start[0], run(&case).state.unwrap());
        let Cable::Double(cable) = &*case.fibers[0].cable else {
            unreachable!()
        };
        let step = cable.internode.step_coefficients(dt);
        let total = Simulation::new(&case, 0).drive(0);
        let u = |node: usize| after.v_mv[node] - case.v_reference_mv;
        let mut into_node = total.nodes_na.clone();
        for index in 0..3 {
            for mode in 0..MODES {
                let (at, sign) = (index * MODES + mode, Parity::of(mode).sign());
                let expected = step.a[mode] * (before.modes[at] + dt * total.modes[at])
                    + step.kappa[mode] * (u(index) + sign * u(index + 1));
                assert!(
                    (after.modes[at] - expected).abs() < 1e-7,
                    "dt {dt}, {at}: {} {expected}",
                    after.modes[at]
                );
                into_node[index] += after.modes[at];
                into_node[index + 1] += sign * after.modes[at];
            }
            into_node[index] -= cable.internode.ga_us[0] * u(index);
            into_node[index + 1] -= cable.internode.ga_us[0] * u(index + 1);
        }
        for node in 0..4 {
            let (u_0, x) = (
                before.v_mv[node] - case.v_reference_mv,
                before.states[0][node],
            );
            let ionic = 0.1 * (0.05 * (1.0 + x * x) * u(node) - 0.4 * x);
            let balance =
                cable.node_capacitance_nf / dt * (u(node) - u_0) + ionic - into_node[node];
            assert!(
                balance.abs() < 1e-7,
                "dt {dt}, node {node}: {balance} nA unaccounted for"
            );
        }
    }
}

#[test]
fn a_run_in_two_parts_is_the_run_in_one() {
    let mut whole = driven_double(20, 0.01);
    whole.observers = vec![ObserverSpec::new(
        ObserverKind::Recorder {
            states: vec!["x".to_owned()],
            every: 3,
        },
        NodeSelection::All,
    )];
    let mut first = whole.clone();
    first.steps = 0..7;
    let (expected, first) = (run(&whole), run(&first));
    let mut second = whole.clone();
    second.steps = 7..20;
    second.start = Start::From(vec![first.state.unwrap()]);
    let second = run(&second);
    let rows = |observations: &[Observation]| match &observations[0] {
        Observation::Recorded(recording) => recording.clone(),
        other => unreachable!("{other:?}"),
    };
    let (expected_rows, mut joined) = (rows(&expected.observations), rows(&first.observations));
    let rest = rows(&second.observations);
    joined.t_ms.extend(rest.t_ms);
    joined.v_mv.extend(rest.v_mv);
    joined.states[0].extend(&rest.states[0]);
    assert_eq!(joined.t_ms, expected_rows.t_ms);
    assert_close(&joined.v_mv, &expected_rows.v_mv, 1e-8);
    assert_close(&joined.states[0], &expected_rows.states[0], 1e-8);
    assert_close(
        &second.state.unwrap().v_mv,
        &expected.state.unwrap().v_mv,
        1e-8,
    );
}
