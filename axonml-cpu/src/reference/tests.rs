//! The reference against closed forms, and against the equations its own results must satisfy.

mod cases;
mod double_cable;
mod reduced_cable;

use std::sync::Arc;

use axonml_autodiff::cable::ImplicitCable;
use axonml_autodiff::engine::{
    NodeSelection, Observation, ObserverKind, ObserverSpec, RolloutFiber,
};

use super::*;
use cases::{active, chain, double, explicit, membrane, passive, program, rollout};

/// An axial conductance that moves nothing.
const ISOLATED_US: f64 = 1e-30;

fn drive(rollout: &mut Rollout, projection: Projection, waveform: &[f64], gain: f64) {
    let source = Source::Separable {
        potentials: None,
        projection: Arc::new(projection),
        waveform: rollout.drive.waveforms.len(),
    };
    rollout.drive.waveforms.push(Arc::new(waveform.to_vec()));
    Arc::make_mut(&mut rollout.drive.sources[0]).push(source);
    rollout.drive.gains[0].push(gain);
}

fn run(rollout: &Rollout) -> FiberOutcome {
    Reference.run(rollout).unwrap().fibers.remove(0)
}

fn final_u(rollout: &Rollout) -> Vec<f64> {
    run(rollout)
        .state
        .unwrap()
        .v_mv
        .iter()
        .map(|v| v - rollout.v_reference_mv)
        .collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "{i}: {found} instead of {expected}"
        );
    }
}

#[test]
fn uniform_chains_decay_at_the_membranes_rate() {
    // g/c = 1e-3 S/cm2 * 1e-5 cm2 / 0.01 nF = 1/ms, and twice that in the second fiber.
    let (dt, steps) = (0.02, 50);
    let backward = |rate: f64| 1.0 / (1.0 + rate * dt);
    let forward = |rate: f64| 1.0 - rate * dt;
    let cases: [(Cable, &dyn Fn(f64) -> f64); 2] =
        [(chain(5, 0.3), &backward), (explicit(5, 0.1), &forward)];
    for (cable, factor) in cases {
        let mut case = rollout(cable, passive(), 1e-3, dt, steps);
        case.fibers.push(RolloutFiber {
            parameters: vec![2e-3],
            ..case.fibers[0].clone()
        });
        case.drive.sources.push(Arc::default());
        case.drive.gains.push(Vec::new());
        let outcome = Reference.run(&case).unwrap();
        for (fiber, rate) in [(0, 1.0), (1, 2.0)] {
            let expected = 10.0 * factor(rate).powi(steps as i32) - 70.0;
            assert_close(
                &outcome.fibers[fiber].state.as_ref().unwrap().v_mv,
                &[expected; 5],
                1e-12,
            );
        }
    }
    // And the closed form tends to e^-t with the step, in first order.
    let error = |steps: usize| {
        let exact = 10.0 * (-1.0_f64).exp();
        final_u(&rollout(
            chain(5, 0.3),
            passive(),
            1e-3,
            1.0 / steps as f64,
            steps,
        ))[2]
            - exact
    };
    let ratio = error(100) / error(200);
    assert!((ratio - 2.0).abs() < 0.02, "{ratio}");
}

#[test]
fn a_current_spreads_exponentially_along_an_infinite_cable() {
    let (link, g) = (0.5, 0.01);
    let mut case = rollout(chain(401, link), passive(), g / 10.0, 1e13, 1);
    let projection = case.fibers[0].cable.inject(200);
    drive(&mut case, projection, &[1.5], 2.0);
    let u = final_u(&case);
    // u_k = u_0 r^|k| solves link (u_(k-1) - 2 u_k + u_(k+1)) = g u_k for r + 1/r = 2 + g/link.
    let b = 1.0 + g / link / 2.0;
    let r = b - (b * b - 1.0).sqrt();
    let u_0 = 3.0 / (g + 2.0 * link * (1.0 - r));
    for k in 0..60 {
        let expected = u_0 * r.powi(k as i32);
        assert!(
            (u[200 + k] / expected - 1.0).abs() < 1e-9
                && (u[200 - k] / expected - 1.0).abs() < 1e-9,
            "{k}"
        );
    }
}

#[test]
fn two_compartments_exchange_charge_as_in_closed_form() {
    let (dt, steps, link) = (0.05, 30, 0.02);
    let mut case = rollout(chain(2, link), passive(), 1e-3, dt, steps);
    case.start = Start::From(vec![FiberState {
        v_mv: vec![-50.0, -70.0],
        states: Vec::new(),
        modes: Vec::new(),
    }]);
    // The sum decays at g/c = 1/ms, the difference at (g + 2 link)/c = 5/ms.
    let sum = 20.0 * (1.0 + dt).powi(-(steps as i32));
    let difference = 20.0 * (1.0 + 5.0 * dt).powi(-(steps as i32));
    assert_close(
        &final_u(&case),
        &[(sum + difference) / 2.0, (sum - difference) / 2.0],
        1e-12,
    );

    // In the static limit the potential outside is met by the membranes and the link in series.
    let mut case = rollout(chain(2, link), passive(), 1e-3, 1e13, 1);
    let projection = case.fibers[0].cable.project(&[-4.0, 3.0]);
    drive(&mut case, projection, &[0.5], 2.0);
    let expected = link * 7.0 / (0.01 + 2.0 * link);
    assert_close(&final_u(&case), &[expected, -expected], 1e-9);
}

#[test]
fn unequal_compartments_solve_their_two_equations() {
    let cable = ImplicitCable {
        area_cm2: vec![2e-5, 0.0],
        capacitance_nf: vec![0.01, 0.03],
        link_us: vec![0.07],
    };
    let mut case = rollout(Cable::Implicit(cable), passive(), 1e-3, 0.1, 1);
    case.shared = Arc::new(vec![0.004]);
    // (0.1 + 0.02 + 0.07) u - 0.07 w = 0.1 * 10 + 0.08;  -0.07 u + (0.3 + 0.07) w = 0.3 * 10
    let determinant = 0.19 * 0.37 - 0.07 * 0.07;
    let u = (1.08 * 0.37 + 0.07 * 3.0) / determinant;
    let w = (0.19 * 3.0 + 0.07 * 1.08) / determinant;
    assert_close(&final_u(&case), &[u, w], 1e-12);
}

#[test]
fn the_explicit_stencil_reflects_at_its_ends() {
    let (dt, axial, steps) = (0.01, 0.1, 20);
    let mut case = rollout(explicit(6, axial), passive(), 1e-3, dt, steps);
    case.v_reference_mv = 0.0;
    let zigzag: Vec<f64> = (0..6)
        .map(|k| if k % 2 == 0 { 8.0 } else { -8.0 })
        .collect();
    case.start = Start::From(vec![FiberState {
        v_mv: zigzag.clone(),
        states: Vec::new(),
        modes: Vec::new(),
    }]);
    // The highest spatial frequency is an eigenvector: the second difference multiplies it by -4.
    let factor = (1.0 - dt / 0.01 * (4.0 * axial + 0.01)).powi(steps as i32);
    let expected: Vec<f64> = zigzag.iter().map(|v| v * factor).collect();
    assert_close(&final_u(&case), &expected, 1e-12);

    // The weights of ve sum to 0.1: one step in a uniform potential of 5 mV.
    let mut case = rollout(explicit(6, axial), passive(), 0.0, dt, 1);
    let projection = case.fibers[0].cable.project(&[5.0; 6]);
    drive(&mut case, projection, &[1.0], 1.0);
    assert_close(
        &final_u(&case),
        &[10.0 + dt / 0.01 * axial * 0.1 * 5.0; 6],
        1e-12,
    );
}

#[test]
fn explicit_cables_step_gates_first_and_implicit_ones_last() {
    let (dt, g, shared) = (0.1, 2e-4, 3e-3);
    let relax = |u: f64, x: f64| 0.1 * u + (x - 0.1 * u) * f64::exp(-dt);
    // On isolated nodes, in uS and nA: G = 10 g (1 + x^2), J = 10 shared x, c = 0.01.
    let (mut u, mut x) = (10.0, 1.0);
    let mut explicit_u = Vec::new();
    for _ in 0..3 {
        x = relax(u, x);
        u += dt / 0.01 * (10.0 * shared * x - 10.0 * g * (1.0 + x * x) * u);
        explicit_u.push(u);
    }
    let (mut u, mut x) = (10.0, 1.0);
    let mut implicit_u = Vec::new();
    for _ in 0..3 {
        u = (0.01 / dt * u + 10.0 * shared * x) / (0.01 / dt + 10.0 * g * (1.0 + x * x));
        x = relax(u, x);
        implicit_u.push(u);
    }
    for (cable, expected, tail) in [
        (explicit(2, ISOLATED_US), explicit_u, None),
        (chain(2, ISOLATED_US), implicit_u, Some(x)),
    ] {
        for steps in 1..=3 {
            let mut case = rollout(cable.clone(), active(), g, dt, 3);
            case.shared = Arc::new(vec![shared]);
            case.steps = 0..steps;
            assert_close(&final_u(&case), &[expected[steps - 1]; 2], 1e-12);
            // The steady state of x at u = 10 is 1: given, it must make no difference; another value must.
            case.start = Start::Uniform {
                v_mv: -60.0,
                states: Some(vec![1.0]),
            };
            assert_close(&final_u(&case), &[expected[steps - 1]; 2], 1e-12);
            if let (Some(x), 3) = (tail, steps) {
                assert_close(&run(&case).state.unwrap().states[0], &[x; 2], 1e-12);
            }
            case.start = Start::Uniform {
                v_mv: -60.0,
                states: Some(vec![2.0]),
            };
            assert!((final_u(&case)[0] - expected[steps - 1]).abs() > 1e-3);
        }
    }
}

#[test]
fn space_time_potentials_equal_the_sources_they_are_made_of() {
    for cable in [double(3), chain(9, 0.2), explicit(9, 0.05)] {
        let samples = cable.samples();
        let ve: Vec<f64> = (0..samples).map(|k| ((k * k) % 13) as f64).collect();
        let waveform: Vec<f64> = (0..12).map(|i| f64::from(i % 5) - 2.0).collect();
        let mut case = rollout(cable, active(), 1e-3, 0.01, 12);
        let projection = case.fibers[0].cable.project(&ve);
        drive(&mut case, projection, &waveform, 0.7);
        let expected = final_u(&case);
        let space_time = waveform
            .iter()
            .flat_map(|w| ve.iter().map(move |ve| w * ve))
            .collect();
        case.drive.sources[0] = Arc::new(vec![Source::SpaceTime(Arc::new(space_time))]);
        assert_close(&final_u(&case), &expected, 1e-9);
        case.drive.gains[0] = vec![0.0];
        assert!(
            (final_u(&case)[1] - expected[1]).abs() > 1e-3,
            "the drive must matter"
        );
    }
}

#[test]
fn numbers_without_meaning_end_a_run() {
    // dt/c (4 axial + g) = 0.3/0.01 * 0.11 = 3.3 > 3 from the first step on.
    let case = rollout(explicit(4, 0.025), passive(), 1e-3, 0.3, 5);
    let Err(FiberStatus::Diverged {
        state,
        node,
        v_mv,
        stability: Some(stability),
    }) = Simulation::new(&case, 0).advance(0)
    else {
        panic!("not found to be unstable")
    };
    assert_eq!((state, node, v_mv), (1, 0, -60.0));
    assert!((stability - 3.3).abs() < 1e-12);
    assert!(matches!(
        run(&case).status,
        FiberStatus::Diverged { state: 1, .. }
    ));

    // 0.25/0.01 * 0.11 = 2.75: each step amplifies by 1.75, three by 5.36.
    let case = rollout(explicit(4, 0.025), passive(), 1e-3, 0.25, 5);
    assert!(matches!(
        run(&case).status,
        FiberStatus::Diverged {
            state: 3,
            node: 0,
            stability: Some(_),
            ..
        }
    ));
    assert_eq!(
        run(&rollout(explicit(4, 0.025), passive(), 1e-3, 0.25, 2)).status,
        FiberStatus::Completed
    );

    // x grows a hundred decades per step: 1, 1e100, 1e200, 1e300, infinite.
    let constant = || program(|i| vec![i.fiber, i.shared]);
    let step = program(|i| vec![i.x * 1e100, i.fiber, i.shared]);
    let rest = program(|i| vec![i.u * 0.1]);
    let mut case = rollout(
        chain(3, 0.1),
        membrane(&["x"], rest, constant(), step),
        1e-3,
        0.1,
        9,
    );
    let recorder = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    case.observers = vec![ObserverSpec::new(recorder, NodeSelection::All)];
    let outcome = run(&case);
    assert!(
        matches!(outcome.status, FiberStatus::Diverged { state: 4, node: 0, v_mv, stability: None } if v_mv.is_finite()),
        "{:?}",
        outcome.status
    );
    assert_eq!(outcome.state, None);
    let Observation::Recorded(recording) = &outcome.observations[0] else {
        panic!("a recorder records")
    };
    assert_eq!(recording.t_ms.len(), 4);
}

#[test]
fn a_run_stops_at_its_answer() {
    // 0.1 nA into 0.01 nF for 0.1 ms: 1 mV a step from -60 mV, without a leak.
    let mut case = rollout(chain(2, ISOLATED_US), passive(), 0.0, 0.1, 50);
    let projection = case.fibers[0].cable.inject(1);
    drive(&mut case, projection, &[0.1; 50], 1.0);
    let active = |threshold_mv: f64| {
        ObserverSpec::new(ObserverKind::Active { at_least: 1 }, NodeSelection::All)
            .threshold_mv(threshold_mv)
    };
    case.observers = vec![active(-39.5), active(-49.5)];
    case.stop_when_active = Some(1);
    let outcome = run(&case);
    assert_eq!(outcome.status, FiberStatus::Answered(11));
    assert_eq!(
        outcome.observations,
        [Observation::Active(None), Observation::Active(Some(11))]
    );
    assert_eq!(outcome.state, None);
    case.stop_when_active = None;
    let outcome = run(&case);
    assert_eq!(outcome.status, FiberStatus::Completed);
    assert_eq!(
        outcome.observations,
        [Observation::Active(Some(21)), Observation::Active(Some(11))]
    );
}
