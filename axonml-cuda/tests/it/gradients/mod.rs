//! Gradients of the generated kernels: the transposes of the reference's forward derivatives, the CPU backend's in both
//! precisions, and independent of segments, memory, companions and the order of threads.

#[allow(dead_code)]
#[path = "../../../../axonml-models/tests/it/transposes/cases.rs"]
mod cases;
#[allow(dead_code)]
#[path = "../../../../axonml-models/tests/it/transposes/pairing.rs"]
mod pairing;

use axonml_autodiff::{Backend, Differentiated, FiberStatus, GradientRequest, Precision, Rollout};
use axonml_cpu::{CpuBackend, Reference};
use axonml_cuda::{HostKernels, ThreadOrder};
use axonml_models::{FiberModel, MODELS};

use crate::cases::host_kernels;
use cases::{continued, irregular, plain, with_own_parameters};
use pairing::{backward, forward, parts, weights};

/// Relative to the sum of the magnitudes of all products.
const TOLERANCE: f64 = 1e-12;

/// A run that goes on from a state without symmetry, with parameters of the fibres' own and cables without regularity.
fn rollout(model: &dyn FiberModel) -> Rollout {
    continued(irregular(with_own_parameters(plain(model))))
}

fn differentiate(kernels: &HostKernels, rollout: &Rollout) -> Vec<Differentiated> {
    let found = kernels.differentiate(rollout, &weights, GradientRequest::ALL);
    found.unwrap()
}

/// `==` would call -0 and 0 equal and NaN different from itself; shortest decimals tell all numbers apart.
fn bits(found: &[Differentiated]) -> Vec<String> {
    found.iter().map(|one| format!("{one:?}")).collect()
}

#[test]
fn reverse_kernels_are_transposes_of_forward_derivatives() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in MODELS {
        let id = model.schema().id;
        let rollout = rollout(*model);
        let found = differentiate(&kernels, &rollout);
        let each = (0..rollout.fibers.len()).map(|fiber| parts(&rollout, fiber));
        let each: Vec<_> = each.collect();
        for part in 0..each[0].len() {
            let name = each[0][part].0;
            let directions: Vec<_> = each.iter().map(|parts| parts[part].1.clone()).collect();
            let tangents = Reference.tangent(&rollout, &directions).unwrap();
            let mut worst = 0.0_f64;
            for (fiber, (found, tangent)) in found.iter().zip(&tangents).enumerate() {
                assert_eq!(tangent.status, FiberStatus::Completed);
                let cotangents = found.gradient.found().unwrap();
                let direction = &directions[fiber];
                let forward = forward(&rollout, fiber, &found.outcome, direction, tangent);
                let backward = backward(cotangents, direction);
                let size = forward.size + backward.size;
                let off = (forward.total - backward.total).abs();
                worst = worst.max(off / size.max(f64::MIN_POSITIVE));
                assert!(
                    off <= TOLERANCE * size,
                    "{id}: {name}, fibre {fiber}: {:e} ({} {})",
                    off / size,
                    forward.total,
                    backward.total
                );
            }
            println!("{id}: {name}: {worst:.1e}");
        }
    }
}
