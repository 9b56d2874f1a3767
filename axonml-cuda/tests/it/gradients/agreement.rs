//! The kernels' gradients against the CPU backend's.

use std::sync::Arc;

use axonml_autodiff::adjoint::{FiberGradient, GradientRequest};
use axonml_autodiff::engine::{Backend, Rollout, Source};
use axonml_autodiff::ir::Precision;
use axonml_cpu::CpuBackend;
use axonml_models::{Ends, Fiber};

use super::pairing::{backward, everything, weights};
use super::{differentiate, disturbed, disturbed_by_id, gradients};
use crate::cases::{host_kernels, models, rollout_of, rollout_with_ends};

/// The largest difference of two gradients along a direction that changes everything, relative to the sum of the magnitudes
/// of its terms.
fn largest_difference(
    rollout: &Rollout,
    found: &[FiberGradient],
    expected: &[FiberGradient],
) -> f64 {
    let mut worst = 0.0_f64;
    for (fiber, (found, expected)) in found.iter().zip(expected).enumerate() {
        let direction = everything(rollout, fiber);
        let [found, expected] =
            [found, expected].map(|one| backward(one.found().unwrap(), &direction));
        worst = worst.max((found.total - expected.total).abs() / expected.size);
    }
    worst
}

/// Every number of two gradients: the largest difference, relative to the largest number of its array.
fn largest_of_each(found: &FiberGradient, expected: &FiberGradient) -> f64 {
    let (found, expected) = (found.found().unwrap(), expected.found().unwrap());
    let mut worst = 0.0_f64;
    let mut compare = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let size = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let off = (found - expected).abs();
            assert!(off.is_finite());
            worst = worst.max(if off == 0.0 { 0.0 } else { off / size });
        }
    };
    compare(&[found.loss], &[expected.loss]);
    compare(&found.shared, &expected.shared);
    compare(&found.parameters, &expected.parameters);
    compare(&found.start.v_mv, &expected.start.v_mv);
    compare(&found.start.modes, &expected.start.modes);
    let states = found.start.states.iter().zip(&expected.start.states);
    states.for_each(|(found, expected)| compare(found, expected));
    assert_eq!(found.sources.len(), expected.sources.len());
    for (found, expected) in found.sources.iter().zip(&expected.sources) {
        compare(&found.waveform, &expected.waveform);
        compare(&found.potentials, &expected.potentials);
        match (&found.projection, &expected.projection) {
            (Some(found), Some(expected)) => {
                compare(&found.nodes_na, &expected.nodes_na);
                compare(&found.modes, &expected.modes);
            }
            (None, None) => {}
            other => panic!("{other:?}"),
        }
    }
    let (mut found, mut expected) = (found.cable.clone(), expected.cable.clone());
    match (&mut found, &mut expected) {
        (Some(found), Some(expected)) => {
            let both = super::pairing::numbers(found)
                .into_iter()
                .zip(super::pairing::numbers(expected));
            both.for_each(|((_, found), (_, expected))| compare(found, expected));
        }
        (None, None) => {}
        other => panic!("{other:?}"),
    }
    worst
}

#[test]
fn fibers_of_several_nodes_per_lane_have_the_cpus_gradients() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for (id, ends, fibers) in [
        ("mrg", Ends::Active, &[(8.7, 53), (10.0, 75)][..]),
        ("two-mode", Ends::Active, &[(8.7, 53)]),
        ("smf", Ends::Active, &[(8.7, 53), (10.0, 75)]),
        ("hh", Ends::Active, &[(1.0, 64)]),
        ("hh", Ends::Passive, &[(1.0, 64)]),
        ("sweeney", Ends::Passive, &[(8.7, 53)]),
    ] {
        let fibers = fibers.iter().map(|&(d, n)| Fiber::new(d, n)).collect();
        let rollout = rollout_with_ends(id, (fibers, ends), 0.005, 260, Precision::F64);
        let found = gradients(differentiate(&kernels, &rollout, &weights));
        let expected = gradients(differentiate(&CpuBackend::new(), &rollout, &weights));
        for (found, expected) in found.iter().zip(&expected) {
            let worst = largest_of_each(found, expected);
            println!("{id}: {worst:.1e}");
            assert!(worst < 1e-10, "{id}: {worst:e}");
        }
    }
}

/// More sources than a warp has lanes, space-time potentials among the later ones, on a fiber whose state fits no registers.
#[test]
fn many_sources_on_a_long_fiber_have_the_cpus_gradients() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["two-mode", "smf"] {
        let fibers = vec![Fiber::new(8.7, 300)];
        let mut rollout = rollout_of(id, fibers, 0.005, 260, Precision::F64);
        let samples = rollout.fibers[0].cable.samples();
        let sources = Arc::make_mut(&mut rollout.drive.sources[0]);
        let (first, count) = (sources[0].clone(), sources.len());
        sources.resize(count + 40, first);
        let ve_mv = (0..260 * samples).map(|k| ((k * 7) % 13) as f64 - 6.0);
        sources[35] = Source::SpaceTime(Arc::new(ve_mv.collect()));
        rollout.drive.gains[0].resize(count + 40, 0.1);
        rollout.drive.gains[0]
            .iter_mut()
            .for_each(|gain| *gain /= 30.0);
        let found = gradients(differentiate(&kernels, &rollout, &weights));
        let expected = gradients(differentiate(&CpuBackend::new(), &rollout, &weights));
        let worst = largest_of_each(&found[0], &expected[0]);
        println!("{id}: {worst:.1e}");
        assert!(worst < 1e-10, "{id}: {worst:e}");
    }
}

#[test]
fn single_precision_gives_double_precisions_gradients() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        let mut rollout = disturbed(model);
        let double = gradients(differentiate(&CpuBackend::new(), &rollout, &weights));
        rollout.precision = Precision::F32;
        let single = gradients(differentiate(&kernels, &rollout, &weights));
        let cpu = gradients(differentiate(&CpuBackend::new(), &rollout, &weights));
        let worst = largest_difference(&rollout, &single, &double);
        let of_cpu = largest_difference(&rollout, &cpu, &double);
        println!("{id}: {worst:.1e}, the CPU backend {of_cpu:.1e}");
        assert!(worst < 1e-4 && worst > 1e-12, "{id}: {worst:e}");
    }
}

/// A cotangent requested alone is the same as among all; one that is not requested is absent.
#[test]
fn every_request_gets_what_it_asks_for() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let none = GradientRequest::default();
    let requests = [
        none,
        GradientRequest {
            parameters: true,
            ..none
        },
        GradientRequest {
            cables: true,
            ..none
        },
        GradientRequest {
            gains: true,
            ..none
        },
        GradientRequest {
            waveforms: true,
            ..none
        },
        GradientRequest {
            fields: true,
            ..none
        },
        GradientRequest::ALL,
    ];
    for id in ["mrg", "smf"] {
        let rollout = disturbed_by_id(id);
        for request in requests {
            let of = |backend: &dyn Backend| {
                let found = backend.differentiate(&rollout, &weights, request);
                gradients(found.unwrap())
            };
            for (found, expected) in of(&kernels).iter().zip(&of(&CpuBackend::new())) {
                let worst = largest_of_each(found, expected);
                assert!(worst < 1e-10, "{id} {request:?}: {worst:e}");
            }
        }
    }
}
