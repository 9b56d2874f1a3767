//! Divergence is found at the same state by every backend, and nothing else is touched by it.

use std::sync::Arc;

use axonml_autodiff::adjoint::{Differentiated, Evaluation, FiberGradient, GradientRequest};
use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, ImplicitCable};
use axonml_autodiff::engine::{
    Backend, Binding, BoundProgram, Drive, FiberOutcome, FiberState, FiberStatus, LARGEST_MV,
    MembranePrograms, NodeSelection, Observation, ObserverKind, ObserverSpec, Rollout,
    RolloutFiber, Source, Start,
};
use axonml_autodiff::ir::{Expr, Extent, Precision, Program, Tracer};
use axonml_core::TimeGrid;
use axonml_cpu::{CpuBackend, Reference};
use axonml_models::Fiber;

use crate::cases::{largest_difference, rollout_of};
use crate::contract::{STEPS, backends, two_fibers};

/// A membrane of one state `x`, from expressions of `u` and `x`: steady state, conductance, source.
fn membrane(
    rest: impl for<'t> Fn(Expr<'t>) -> Expr<'t>,
    source: impl for<'t> Fn(Expr<'t>, Expr<'t>) -> Expr<'t>,
) -> Arc<MembranePrograms> {
    let bound = |outputs: &dyn for<'t> Fn(Expr<'t>, Expr<'t>) -> Vec<Expr<'t>>| -> BoundProgram {
        let tracer = Tracer::new();
        let (u, x) = (
            tracer.input("u", Extent::Node),
            tracer.input("x", Extent::Node),
        );
        let outputs = outputs(u, x).into_iter().enumerate();
        let outputs: Vec<_> = outputs.map(|(i, e)| (format!("out {i}"), e)).collect();
        let program: Program = tracer.finish(&outputs).unwrap();
        BoundProgram::new(program, vec![Binding::U, Binding::State(0)])
    };
    Arc::new(MembranePrograms::new(
        vec!["x".into()],
        bound(&|u, _| vec![rest(u)]),
        bound(&|u, x| vec![u.same(0.0), source(u, x)]),
        bound(&|u, x| vec![x, u.same(0.0), source(u, x)]),
    ))
}

/// Three isolated nodes of 0.01 nF without a leak, stepped by 0.1 ms.
fn isolated(explicit: bool, membrane: Arc<MembranePrograms>, steps: usize) -> Rollout {
    let cable = match explicit {
        true => Cable::Explicit(ExplicitCable {
            nodes: 3,
            area_cm2: 1e-5,
            capacitance_nf: 0.01,
            axial_us: 1e-30,
            v_weights: (1.0, -2.0),
            ve_weights: (1.0, -2.0),
        }),
        false => Cable::Implicit(ImplicitCable {
            area_cm2: vec![1e-5; 3],
            capacitance_nf: vec![0.01; 3],
            link_us: vec![1e-30; 2],
        }),
    };
    Rollout {
        membrane,
        shared: Arc::default(),
        v_reference_mv: -70.0,
        fibers: vec![RolloutFiber {
            cable: Arc::new(cable),
            parameters: Vec::new(),
        }],
        drive: Drive {
            waveforms: Vec::new(),
            sources: vec![Arc::default()],
            gains: vec![Vec::new()],
        },
        grid: TimeGrid::new(0.1, 0.1 * steps as f64).unwrap(),
        steps: 0..steps,
        start: Start::Uniform {
            v_mv: -70.0,
            states: None,
        },
        observers: Vec::new(),
        stop_when_active: None,
        quiet_end: None,
        final_states: true,
        precision: Precision::F64,
        rates: Default::default(),
        scanned: Default::default(),
        cancel: Default::default(),
    }
}

/// Injects `na` into node 1 at every step.
fn inject(rollout: &mut Rollout, na: f64) {
    let steps = rollout.grid.steps();
    rollout.drive.waveforms = vec![Arc::new(vec![na; steps])];
    let source = Source::Separable {
        projection: Arc::new(rollout.fibers[0].cable.inject(1)),
        potentials: None,
        waveform: 0,
    };
    rollout.drive.sources[0] = Arc::new(vec![source]);
    rollout.drive.gains[0] = vec![1.0];
}

/// Runs in both precisions on every backend, the gradient too; gives what they all say.
#[track_caller]
fn status_of_all(rollout: &Rollout) -> FiberStatus {
    let no_loss = |_: usize, _: &FiberOutcome| Evaluation::default();
    let mut found = Vec::new();
    for precision in [Precision::F64, Precision::F32] {
        let rollout = Rollout {
            precision,
            ..rollout.clone()
        };
        for backend in backends() {
            let name = format!("{} {}", backend.name(), precision.name());
            found.push((
                name.clone(),
                backend.run(&rollout).unwrap().fibers.remove(0),
            ));
            if backend.name() == Reference.name() {
                continue;
            }
            let Differentiated { outcome, gradient } = backend
                .differentiate(&rollout, &no_loss, GradientRequest::ALL)
                .unwrap()
                .remove(0);
            let diverged = matches!(outcome.status, FiberStatus::Diverged { .. });
            assert_eq!(
                diverged,
                matches!(gradient, FiberGradient::Diverged),
                "{name}"
            );
            found.push((name, outcome));
        }
    }
    let expected = found[0].1.clone();
    for (name, outcome) in found {
        match (outcome.status, expected.status) {
            // NaN equals nothing.
            (
                FiberStatus::Diverged {
                    state, node, v_mv, ..
                },
                FiberStatus::Diverged {
                    state: s,
                    node: n,
                    v_mv: v,
                    ..
                },
            ) => {
                assert_eq!((state, node), (s, n), "{name}");
                let close = (v_mv - v).abs() <= 1e-6 * v.abs();
                assert!(close || (v_mv.is_nan() && v.is_nan()), "{name}: {v_mv} {v}");
                assert_eq!(outcome.state, None, "{name}");
            }
            (found, expected) => assert_eq!(found, expected, "{name}"),
        }
        assert_eq!(outcome.observations, expected.observations, "{name}");
    }
    expected.status
}

/// From 9989.5 mV up, or from -9989.5 mV down, by 1 mV a step: 10000 mV is passed at state 11.
#[test]
fn a_voltage_beyond_ten_volts_diverges_at_the_step_it_is_reached() {
    for explicit in [true, false] {
        for sign in [1.0, -1.0] {
            for reference in [0.0, -70.0, 35.0] {
                let quiet = membrane(|u| u * 0.0, |u, _| u.same(0.0));
                let mut rollout = isolated(explicit, quiet, 20);
                rollout.v_reference_mv = reference;
                rollout.start = Start::Uniform {
                    v_mv: sign * (LARGEST_MV - 10.5),
                    states: None,
                };
                let active = ObserverKind::Active { at_least: 1 };
                let level = |v_mv: f64| {
                    ObserverSpec::new(active.clone(), NodeSelection::All).threshold_mv(v_mv)
                };
                // Earlier observations are kept; the bad state is not observed.
                rollout.observers = vec![level(LARGEST_MV - 5.0), level(LARGEST_MV)];
                inject(&mut rollout, sign * 0.1);
                let FiberStatus::Diverged {
                    state: 11,
                    node: 1,
                    v_mv,
                    stability: None,
                } = status_of_all(&rollout)
                else {
                    panic!(
                        "explicit {explicit}, reference {reference}: did not diverge at state 11"
                    )
                };
                assert!((v_mv - sign * (LARGEST_MV + 0.5)).abs() < 1e-6, "{v_mv}");
                let seen = Reference
                    .run(&rollout)
                    .unwrap()
                    .fibers
                    .remove(0)
                    .observations;
                let crossed = (sign > 0.0).then_some(6);
                assert_eq!(
                    seen,
                    [Observation::Active(crossed), Observation::Active(None)]
                );
                rollout.steps = 0..10;
                assert_eq!(status_of_all(&rollout), FiberStatus::Completed);
            }
        }
    }
}

/// The next number above the bound is beyond it, whatever the precision and the reference potential.
#[test]
fn bounds_of_voltages_are_exact() {
    let mut rollout = isolated(true, membrane(|u| u * 0.0, |u, _| u.same(0.0)), 1);
    for reference in [0.0, -80.0, -80.1, 61.3, 5000.0, -5000.0, 1e-9] {
        rollout.v_reference_mv = reference;
        let within = |u: f64| (u + reference).abs() <= LARGEST_MV;
        let [low, high] = rollout.voltage_bounds::<f64>();
        assert!(within(low) && within(high) && low < high);
        assert!(
            !within(low.next_down()) && !within(high.next_up()),
            "{reference}"
        );
        let [low, high] = rollout.voltage_bounds::<f32>();
        assert!(within(low.into()) && within(high.into()) && low < high);
        assert!(
            !within(low.next_down().into()) && !within(high.next_up().into()),
            "{reference}"
        );
    }
}

/// A start that is no state is found before the first step, and by runs without a step.
#[test]
fn a_start_that_is_no_number_diverges_at_the_start() {
    for explicit in [true, false] {
        // The steady state is NaN.
        let mut rollout = isolated(
            explicit,
            membrane(|u| (u - 1.0).sqrt(), |u, _| u.same(0.0)),
            5,
        );
        rollout.observers = vec![ObserverSpec::new(ObserverKind::Raster, NodeSelection::All)];
        for steps in [0..5, 0..0] {
            rollout.steps = steps;
            let status = status_of_all(&rollout);
            let expected = FiberStatus::Diverged {
                state: 0,
                node: 0,
                v_mv: -70.0,
                stability: None,
            };
            assert_eq!(status, expected);
        }
    }
}

/// A lane that diverged, and lanes that only repeat it, leave the others alone.
#[test]
fn other_fibers_do_not_notice_a_divergence() {
    for precision in [Precision::F64, Precision::F32] {
        let mut rollout = two_fibers("mrg").select([0, 1, 0, 1, 0].into_iter());
        rollout.precision = precision;
        let sound = CpuBackend::new().run(&rollout).unwrap().fibers;
        rollout.drive.gains[0].fill(1e6);
        rollout.drive.gains[3].fill(-1e30);
        for backend in backends() {
            let found = backend.run(&rollout).unwrap().fibers;
            for fiber in [0, 3] {
                let FiberStatus::Diverged { state, v_mv, .. } = found[fiber].status else {
                    panic!("{}: {:?}", backend.name(), found[fiber].status)
                };
                // The pulse begins at 0.1 ms, step 20.
                assert_eq!(state, 21, "{}", backend.name());
                assert!(v_mv.is_nan() || v_mv.abs() > LARGEST_MV);
            }
        }
        let found = CpuBackend::new().run(&rollout).unwrap().fibers;
        for fiber in [1, 2, 4] {
            assert_eq!(found[fiber], sound[fiber], "fiber {fiber}");
        }
    }
}

/// Fibers of thousands of nodes: every backend has the rows, and the same numbers in them.
#[test]
fn very_long_fibers_do_not_overflow_anything() {
    for id in ["mrg", "smf", "hh"] {
        let fibers = vec![Fiber::new(10.0, 4200), Fiber::new(10.0, 21)];
        let mut rollout = rollout_of(id, fibers, 0.005, STEPS, Precision::F64);
        rollout.observers.clear();
        rollout.steps = 20..23;
        let expected = Reference.run(&rollout).unwrap().fibers;
        for backend in backends() {
            let found = backend.run(&rollout).unwrap().fibers;
            assert_eq!(
                found[0].status,
                FiberStatus::Completed,
                "{id} {}",
                backend.name()
            );
            let error = largest_difference(&found, &expected);
            assert!(error < 1e-10, "{id} {}: {error:e}", backend.name());
        }
    }
}

/// A square root that a selection keeps out of its singularity: gradients are those without it, on every backend.
#[test]
fn a_branch_that_is_not_taken_adds_nothing_to_gradients() {
    let rollout = |guarded: bool, precision: Precision| {
        let membrane = match guarded {
            true => membrane(
                |u| u * 0.0,
                |u, x| x * 1e-4 - u * 1e-5 + u.max(0.0).sqrt() * 1e-3,
            ),
            false => membrane(|u| u * 0.0, |u, x| x * 1e-4 - u * 1e-5),
        };
        let mut rollout = isolated(true, membrane, 8);
        rollout.precision = precision;
        // Deviations at and below 0: the clamped root has an infinite slope there.
        rollout.start = Start::From(vec![FiberState {
            v_mv: vec![-70.0, -75.0, -90.0],
            states: vec![vec![0.0, -1.0, -2.0]],
            modes: Vec::new(),
        }]);
        rollout
    };
    let last = |_: usize, outcome: &FiberOutcome| {
        let state = outcome.state.clone().unwrap();
        Evaluation {
            loss: state.v_mv.iter().sum(),
            state: Some(FiberState {
                v_mv: vec![1.0; 3],
                states: vec![vec![0.0; 3]],
                modes: Vec::new(),
            }),
            ..Default::default()
        }
    };
    for precision in [Precision::F64, Precision::F32] {
        for backend in backends() {
            if backend.name() == Reference.name() {
                continue;
            }
            let start_of = |guarded: bool| -> FiberState {
                let rollout = rollout(guarded, precision);
                let found = backend
                    .differentiate(&rollout, &last, GradientRequest::ALL)
                    .unwrap()
                    .remove(0);
                assert_eq!(found.outcome.status, FiberStatus::Completed);
                match found.gradient {
                    FiberGradient::Found(cotangents) => cotangents.start,
                    other => panic!("{} {}: {other:?}", backend.name(), precision.name()),
                }
            };
            assert_eq!(start_of(true), start_of(false), "{}", backend.name());
        }
    }
}
