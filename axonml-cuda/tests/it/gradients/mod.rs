//! Gradients of the generated kernels: transposes of the reference's forward derivatives, PyTorch's, the CPU backend's in both
//! precisions, and independent of segments, memory, companions and the order of threads.

mod agreement;
#[allow(dead_code)]
#[path = "../../../../axonml-models/tests/it/transposes/cases.rs"]
mod cases;
#[allow(dead_code)]
#[path = "../../../../axonml-models/tests/it/golden.rs"]
mod golden;
mod independence;
#[allow(dead_code)]
#[path = "../../../../axonml-models/tests/it/transposes/pairing.rs"]
mod pairing;
#[path = "../../../../axonml-models/tests/it/gradients.rs"]
mod pytorch;
mod refusals;
mod transposes;

use axonml_autodiff::adjoint::{Differentiated, FiberGradient, GradientRequest, Objective};
use axonml_autodiff::engine::{Backend, Rollout};
use axonml_models::{Device, FiberModel, model};

use crate::cases::host_kernels;
use cases::{continued, irregular, plain, with_own_parameters};

/// The device of [`pytorch`].
fn device() -> Device {
    match host_kernels() {
        Some(kernels) => Device::custom(kernels),
        // It has been said that no kernel ran.
        None => Device::cpu().unwrap(),
    }
}

/// A run that goes on from a state without symmetry, with parameters of the fibers' own and cables without regularity.
fn disturbed(model: &dyn FiberModel) -> Rollout {
    continued(irregular(with_own_parameters(plain(model))))
}

fn disturbed_by_id(id: &str) -> Rollout {
    disturbed(&model(id).unwrap())
}

fn differentiate(
    backend: &dyn Backend,
    rollout: &Rollout,
    objective: &dyn Objective,
) -> Vec<Differentiated> {
    let found = backend.differentiate(rollout, objective, GradientRequest::ALL);
    found.unwrap()
}

/// `==` would call -0 and 0 equal and NaN different from itself; shortest decimals tell all numbers apart.
fn bits(found: &[Differentiated]) -> Vec<String> {
    found.iter().map(|one| format!("{one:?}")).collect()
}

fn gradients(found: Vec<Differentiated>) -> Vec<FiberGradient> {
    found.into_iter().map(|one| one.gradient).collect()
}
