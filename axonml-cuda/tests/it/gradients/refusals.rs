//! Gradients that do not exist are named as the CPU backend names them; what does not fit is refused.

use axonml_autodiff::adjoint::{FiberGradient, GradientRequest};
use axonml_autodiff::engine::{
    Backend, FiberOutcome, FiberStatus, NodeSelection, ObserverKind, ObserverSpec,
};
use axonml_autodiff::ir::Precision;
use axonml_cpu::CpuBackend;
use axonml_models::{Evaluation, model};

use super::pairing::weights;
use super::{bits, continued, differentiate, disturbed_by_id, gradients, plain};
use crate::cases::{host_kernels, models};

type Spoil<'s> = dyn Fn(&mut Evaluation) + Sync + 's;

#[test]
fn numbers_that_are_none_are_named_as_on_the_cpu() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "smf", "sundt"] {
        let rollout = plain(&model(id).unwrap());
        let (steps, nodes) = (rollout.steps.end, 9);
        let with = |backend: &dyn Backend, spoil: &Spoil<'_>| -> Vec<FiberGradient> {
            let objective = |fiber: usize, outcome: &FiberOutcome| {
                let mut evaluation = weights(fiber, outcome);
                if fiber == 3 {
                    spoil(&mut evaluation);
                }
                evaluation
            };
            gradients(differentiate(backend, &rollout, &objective))
        };
        let mut spoilt: Vec<Box<Spoil<'_>>> = vec![
            Box::new(|e| e.state.as_mut().unwrap().states[0][2] = f64::NAN),
            Box::new(|e| e.loss = f64::NAN),
        ];
        for state in [0, 17, steps] {
            spoilt.push(Box::new(move |e| {
                e.recorded[0].as_mut().unwrap().v_mv[state * nodes + 4] = f64::NAN;
            }));
            spoilt.push(Box::new(move |e| {
                e.recorded[0].as_mut().unwrap().states[1][state * nodes + 8] = f64::INFINITY;
            }));
        }
        if id == "mrg" {
            spoilt.push(Box::new(|e| {
                e.state.as_mut().unwrap().modes[3 * 20 + 7] = f64::NAN;
            }));
        }
        for spoil in &spoilt {
            let (found, expected) = (with(&kernels, &**spoil), with(&CpuBackend::new(), &**spoil));
            assert!(matches!(expected[3], FiberGradient::NonFinite { .. }));
            assert_eq!(found[3], expected[3], "{id}");
            assert!(found[..3].iter().all(|one| one.found().is_some()));
        }
    }
}

#[test]
fn gradients_that_overflow_are_named() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "smf", "sundt"] {
        let mut rollout = disturbed_by_id(id);
        rollout.precision = Precision::F32;
        let size = |factor: f64| {
            let objective = |fiber: usize, outcome: &FiberOutcome| {
                let mut evaluation = weights(fiber, outcome);
                if fiber == 1 {
                    let last = evaluation.state.as_mut().unwrap();
                    last.v_mv.iter_mut().for_each(|x| *x *= factor);
                }
                evaluation
            };
            differentiate(&kernels, &rollout, &objective)
        };
        let (sound, broken) = (size(1.0), size(5e37));
        let FiberGradient::NonFinite { state, node } = broken[1].gradient else {
            panic!("{id}: {:?}", broken[1].gradient)
        };
        let end = rollout.steps.end;
        assert!(state <= end && node.is_none_or(|node| node < 9), "{id}");
        let (sound, broken) = (bits(&sound), bits(&broken));
        for k in [0, 2, 3] {
            assert_eq!(sound[k], broken[k], "{id}");
        }
    }
}

#[test]
fn fibers_that_diverge_have_none_and_leave_the_others_alone() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for (id, enormous) in [("mrg", 1e306), ("smf", 1e306)] {
        let mut rollout = disturbed_by_id(id);
        let sound = bits(&differentiate(&kernels, &rollout, &weights));
        rollout.drive.gains[1].fill(enormous);
        // In segments, so that a part is run again.
        for kept in [1 << 30, 600 << 10] {
            let kernels = kernels.clone().kept_bytes(kept);
            let found = differentiate(&kernels, &rollout, &weights);
            let status = found[1].outcome.status;
            assert!(matches!(status, FiberStatus::Diverged { .. }), "{status:?}");
            assert_eq!(found[1].gradient, FiberGradient::Diverged);
            let found = bits(&found);
            for k in [0, 2, 3] {
                assert_eq!(found[k], sound[k], "{id}");
            }
        }
    }
}

#[test]
fn of_a_run_without_steps_the_start_is_the_end() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let mut rollout = continued(plain(model));
        rollout.steps = rollout.steps.start..rollout.steps.start;
        for (fiber, one) in differentiate(&kernels, &rollout, &weights)
            .iter()
            .enumerate()
        {
            let last = weights(fiber, &one.outcome).state.unwrap();
            let cotangents = one.gradient.found().unwrap();
            assert_eq!(cotangents.start, last);
            assert!(cotangents.sources.iter().all(|source| source.gain == 0.0));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_size() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let mut rollout = disturbed_by_id("mrg");
    let refused = |rollout: &axonml_autodiff::engine::Rollout, kept: usize| {
        let kernels = kernels.clone().kept_bytes(kept);
        let found = kernels.differentiate(rollout, &weights, GradientRequest::ALL);
        found.unwrap_err().to_string()
    };
    let error = refused(&rollout, 10 << 10);
    let parts = [
        // The fiber with most sources.
        "differentiating fiber 2 over 49 steps needs ",
        " KiB on the device even in segments of 16 steps, and 10 KiB are free",
    ];
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    let active = ObserverKind::Active { at_least: 1 };
    rollout.observers = vec![ObserverSpec::new(active, NodeSelection::All)];
    rollout.stop_when_active = Some(0);
    let error = refused(&rollout, 1 << 30);
    assert!(error.contains("cannot stop early"), "{error}");
}
