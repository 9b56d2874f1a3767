//! The reverse mode against the reference's forward derivatives: `<w, J v> = <J^T w, v>` for every kind of input, cable and
//! start; and the forward derivatives against differences.

mod cases;
mod differences;
mod pairing;
mod parameters;
mod refusals;

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::{Backend, FiberStatus};
use axonml_cpu::{CpuBackend, Isa, Reference};
use axonml_models::FiberModel;

use crate::custom_mechanism::Accumulating;
use crate::custom_model::ConnorStevens;
use crate::models::{Filling, distinct};
use cases::{Case, both};
use pairing::{backward, forward, parts, weights};

/// Relative to the sum of the magnitudes of all products.
const TOLERANCE: f64 = 1e-12;

/// Every model, and models of tests and examples, twice each.
fn all() -> Vec<Case> {
    let own: [&dyn FiberModel; 3] = [&ConnorStevens, &Accumulating, &Filling];
    distinct().chain(own).flat_map(both).collect()
}

#[test]
fn reverse_is_the_transpose_of_forward() {
    for case in all() {
        let rollout = &case.rollout;
        // Instruction sets differ in rounding, and in nothing that a segmented run depends on.
        let each_isa = Isa::available().into_iter().map(|isa| {
            let backend = CpuBackend::with_isa(isa);
            let backend = match case.trajectory_bytes {
                Some(bytes) => backend.with_trajectory_bytes(bytes),
                None => backend,
            };
            let found = backend.differentiate(rollout, &weights, GradientRequest::ALL);
            (isa, found.unwrap())
        });
        let each_isa: Vec<_> = each_isa.collect();
        let each: Vec<_> = (0..rollout.fibers.len())
            .map(|fiber| parts(rollout, fiber))
            .collect();
        for part in 0..each[0].len() {
            let name = each[0][part].0;
            let directions: Vec<_> = each.iter().map(|parts| parts[part].1.clone()).collect();
            let tangents = Reference.tangent(rollout, &directions).unwrap();
            let (mut worst, mut largest) = (0.0_f64, 0.0_f64);
            let runs = each_isa.iter().flat_map(|(isa, found)| {
                found
                    .iter()
                    .zip(&tangents)
                    .enumerate()
                    .map(move |f| (isa, f))
            });
            for (isa, (fiber, (found, tangent))) in runs {
                assert_eq!(tangent.status, FiberStatus::Completed);
                let cotangents = found.gradient.found().unwrap();
                let direction = &directions[fiber];
                let forward = forward(rollout, fiber, &found.outcome, direction, tangent);
                let backward = backward(cotangents, direction);
                let size = forward.size + backward.size;
                largest = largest.max(size);
                let off = (forward.total - backward.total).abs();
                assert!(
                    off <= TOLERANCE * size,
                    "{} on {isa}: {name}, fiber {fiber}: {:e}",
                    case.name,
                    off / size
                );
                worst = worst.max(off / size.max(f64::MIN_POSITIVE));
            }
            println!("{}: {name}: {worst:.1e} of {largest:.1e}", case.name);
        }
    }
}
