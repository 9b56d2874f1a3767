//! Features of rollouts besides steps: continuing, stopping, diverging, many sources, fiber parameters.

use std::sync::Arc;

use axonml_autodiff::engine::{
    Backend, BackendError, Binding, BoundProgram, FiberStatus, MembranePrograms, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Rollout, Source, Start,
};
use axonml_autodiff::ir::Precision;
use axonml_core::TimeGrid;
use axonml_cpu::{CpuBackend, Reference};
use axonml_models::Fiber;

use crate::cases::{
    assert_observations, host_kernels, largest_difference, models, rollout, rollout_of,
};

/// Kernels against reference: states, status and observations.
#[track_caller]
fn assert_agrees(rollout: &Rollout) {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let expected = Reference.run(rollout).unwrap().fibers;
    let found = kernels.run(rollout).unwrap().fibers;
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_observations(found, expected, 1e-7);
        if found.state.is_some() {
            let pair = [std::slice::from_ref(found), std::slice::from_ref(expected)];
            let error = largest_difference(pair[0], pair[1]);
            assert!(error < 1e-10, "{error:e}");
        }
    }
}

#[test]
fn runs_continue_where_they_ended() {
    for model in models() {
        let mut rollout = rollout(&model.schema().id, 0.005, 400, Precision::F64);
        let whole = Reference.run(&rollout).unwrap().fibers;
        rollout.steps = 0..123;
        let half = Reference.run(&rollout).unwrap().fibers;
        rollout.start = Start::From(half.into_iter().filter_map(|f| f.state).collect());
        rollout.steps = 123..400;
        assert_agrees(&rollout);
        let Some(kernels) = host_kernels() else {
            return;
        };
        let found = kernels.run(&rollout).unwrap().fibers;
        assert!(largest_difference(&found, &whole) < 1e-10);
        // No step at all: the state is handed on as it is.
        rollout.steps = 123..123;
        let unmoved = kernels.run(&rollout).unwrap().fibers;
        let Start::From(given) = &rollout.start else {
            unreachable!()
        };
        // (But for a rounding: modes are kept in units of their coupling.)
        for (outcome, given) in unmoved.iter().zip(given) {
            let mut expected = outcome.clone();
            expected.state = Some(given.clone());
            let (found, expected) = ([outcome.clone()], [expected]);
            assert!(largest_difference(&found, &expected) < 1e-15);
        }
    }
}

#[test]
fn fibers_stop_at_their_own_answers() {
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        let mut rollout = rollout(id, 0.005, 400, Precision::F64);
        rollout.stop_when_active = Some(0);
        rollout.drive.gains[1].fill(0.0);
        assert_agrees(&rollout);
        let stopped = Reference.run(&rollout).unwrap().fibers;
        let answered = |f: &axonml_autodiff::engine::FiberOutcome| {
            matches!(f.status, FiberStatus::Answered(_))
        };
        assert!(stopped.iter().any(answered), "{id}: nothing stopped");
    }
}

#[test]
fn a_run_may_have_no_observers() {
    let mut rollout = rollout("hh", 0.005, 300, Precision::F64);
    rollout.observers.clear();
    assert_agrees(&rollout);
}

#[test]
fn unstable_steps_are_found_before_they_are_taken() {
    for dt_ms in [0.01, 0.1] {
        let rollout = rollout("smf", dt_ms, 600, Precision::F64);
        let Some(kernels) = host_kernels() else {
            return;
        };
        let expected = Reference.run(&rollout).unwrap().fibers;
        let found = kernels.run(&rollout).unwrap().fibers;
        let mut diverged = 0;
        for (found, expected) in found.iter().zip(&expected) {
            match (found.status, expected.status) {
                (
                    FiberStatus::Diverged {
                        state,
                        node,
                        v_mv,
                        stability: Some(stability),
                    },
                    FiberStatus::Diverged {
                        state: state_expected,
                        node: node_expected,
                        v_mv: v_expected,
                        stability: Some(stability_expected),
                    },
                ) => {
                    diverged += 1;
                    assert_eq!((state, node), (state_expected, node_expected));
                    assert!((v_mv - v_expected).abs() < 1e-6);
                    assert!((stability - stability_expected).abs() < 1e-6);
                }
                (found, expected) => assert_eq!(found, expected),
            }
        }
        println!("dt {dt_ms}: {diverged} of {} diverged", found.len());
        assert!(dt_ms < 0.05 || diverged == found.len());
    }
}

#[test]
fn numbers_that_are_not_finite_end_a_fiber() {
    for model in models() {
        let id = model.schema().id;
        for precision in [Precision::F32, Precision::F64] {
            let mut rollout = rollout(&id, 0.005, 300, precision);
            // The sum of many sources overflows.
            let largest = match precision {
                Precision::F32 => f64::from(f32::MAX),
                Precision::F64 => f64::MAX,
            };
            rollout.drive.gains[2] = vec![largest; 1000];
            let many = vec![rollout.drive.sources[2][0].clone(); 1000];
            rollout.drive.sources[2] = Arc::new(many);
            let Some(kernels) = host_kernels() else {
                return;
            };
            let found = kernels.run(&rollout).unwrap().fibers;
            let expected = CpuBackend::new().run(&rollout).unwrap().fibers;
            let bad = |status: FiberStatus| match status {
                FiberStatus::Diverged { state, node, .. } => Some((state, node)),
                _ => None,
            };
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                // What overflows when depends on the solver, but not by more than the nodes of the same step.
                let steps = [bad(found.status), bad(expected.status)].map(|bad| bad.map(|b| b.0));
                assert_eq!(steps[0], steps[1], "{id} {precision:?} {index}");
                assert_eq!(found.state.is_none(), expected.state.is_none());
                assert_eq!(index == 2, steps[0].is_some(), "{id} {precision:?} {index}");
            }
        }
    }
}

#[test]
fn rasters_hold_every_crossing() {
    // One crossing per node is more than there is room for at first.
    let fibers = vec![Fiber::new(10.0, 21), Fiber::new(10.0, 150)];
    let mut rollout = rollout_of("smf", fibers, 0.005, 1000, Precision::F64);
    rollout.observers.truncate(3);
    let Some(kernels) = host_kernels() else {
        return;
    };
    let found = kernels.run(&rollout).unwrap().fibers;
    let counts: Vec<usize> = found
        .iter()
        .map(|f| match &f.observations[2] {
            Observation::Raster(crossings) => crossings.len(),
            _ => 0,
        })
        .collect();
    assert!(counts.iter().any(|&count| count > 128), "{counts:?}");
    assert_agrees(&rollout);
}

#[test]
fn sources_may_be_many_and_dense() {
    for id in ["mrg", "two-mode", "smf", "hh"] {
        let mut rollout = rollout(id, 0.005, 300, Precision::F64);
        // Seventy sources for fiber 0: more than lanes.
        let mut sources = (*rollout.drive.sources[0]).clone();
        for k in 0..67 {
            let mut source = sources[k % 3].clone();
            if let Source::Separable { waveform, .. } = &mut source {
                let shifted: Vec<f64> = (0..300)
                    .map(|step| if (step + k) % 71 == 0 { 0.01 } else { 0.0 })
                    .collect();
                *waveform = rollout.drive.waveforms.len();
                rollout.drive.waveforms.push(Arc::new(shifted));
            }
            sources.push(source);
            rollout.drive.gains[0].push([0.1, 1.0][k % 2]);
        }
        rollout.drive.sources[0] = Arc::new(sources);
        // Space-time potentials for fiber 1, a traveling field.
        let samples = rollout.fibers[1].cable.samples();
        let ve: Vec<f64> = (0..300 * samples)
            .map(|i| {
                let (step, sample) = (i / samples, i % samples);
                30.0 * (0.1 * step as f64 - 0.2 * sample as f64).sin()
            })
            .collect();
        rollout.drive.sources[1] = Arc::new(vec![Source::SpaceTime(Arc::new(ve))]);
        rollout.drive.gains[1] = vec![0.1];
        rollout.drive.sources[3] = Arc::default();
        rollout.drive.gains[3].clear();
        assert_agrees(&rollout);
        rollout.steps = 0..150;
        let half = Reference.run(&rollout).unwrap().fibers;
        rollout.start = Start::From(half.into_iter().filter_map(|f| f.state).collect());
        rollout.steps = 150..300;
        assert_agrees(&rollout);
    }
}

#[test]
fn parameters_may_differ_between_fibers() {
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        let mut rollout = rollout(id, 0.005, 300, Precision::F64);
        // The first four shared parameters (conductances) become parameters of the fiber.
        let shared: Vec<f64> = rollout.shared.iter().take(4).copied().collect();
        let membrane = &rollout.membrane;
        let per_fiber = |bound: &BoundProgram| {
            let bindings = bound.bindings.iter().map(|binding| match *binding {
                Binding::Shared(index) if index < 4 => Binding::Fiber(index),
                other => other,
            });
            BoundProgram::new(bound.program.clone(), bindings.collect())
        };
        rollout.membrane = Arc::new(MembranePrograms::new(
            membrane.states.clone(),
            per_fiber(&membrane.rest),
            per_fiber(&membrane.currents),
            per_fiber(&membrane.step),
        ));
        for (index, fiber) in rollout.fibers.iter_mut().enumerate() {
            fiber.parameters = shared
                .iter()
                .map(|x| x * (1.0 + 0.01 * index as f64))
                .collect();
        }
        // Two parameter sets within one kernel.
        let both = rollout.select([0, 2, 1, 2, 0, 3].into_iter());
        let mut both = both;
        both.fibers[0].parameters[0] *= 1.003;
        assert_agrees(&both);
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let good = rollout("hh", 0.005, 300, Precision::F64);
    let mut rollout = good.clone();
    rollout.observers[3] = ObserverSpec::new(
        ObserverKind::Recorder {
            states: vec!["mm".into()],
            every: 1,
        },
        NodeSelection::All,
    );
    let error = kernels.run(&rollout).unwrap_err();
    assert_eq!(error, CpuBackend::new().run(&rollout).unwrap_err());
    let mut rollout = good.clone();
    rollout.observers[0].nodes = NodeSelection::Nodes(vec![60]);
    let error = kernels.run(&rollout).unwrap_err();
    assert!(
        matches!(
            error,
            BackendError::NodeOutOfRange {
                fiber: 0,
                index: 60,
                ..
            }
        ),
        "{error}"
    );
    let error = kernels.memory_bytes(10_000).run(&good).unwrap_err();
    assert!(matches!(error, BackendError::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("record fewer"), "{error}");
}

#[test]
fn no_fibers_are_no_work() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let none = rollout("mrg", 0.005, 300, Precision::F64).select([].into_iter());
    assert!(kernels.run(&none).unwrap().fibers.is_empty());
    let grid = TimeGrid::new(0.005, 1.5).unwrap();
    assert_eq!(none.grid, grid);
}
