//! The reverse kernels against the reference's forward derivatives: `<w, J v> = <J^T w, v>` for every kind of input.

use axonml_autodiff::engine::FiberStatus;
use axonml_cpu::Reference;

use super::pairing::{backward, forward, parts, weights};
use super::{differentiate, disturbed};
use crate::cases::{host_kernels, models};

/// Relative to the sum of the magnitudes of all products.
const TOLERANCE: f64 = 1e-12;

#[test]
fn reverse_kernels_are_transposes_of_forward_derivatives() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        let rollout = disturbed(model);
        let found = differentiate(&kernels, &rollout, &weights);
        let each = (0..rollout.fibers.len()).map(|fiber| parts(&rollout, fiber));
        let each: Vec<_> = each.collect();
        let mut worst = 0.0_f64;
        for part in 0..each[0].len() {
            let name = each[0][part].0;
            let directions: Vec<_> = each.iter().map(|parts| parts[part].1.clone()).collect();
            let tangents = Reference.tangent(&rollout, &directions).unwrap();
            for (fiber, (found, tangent)) in found.iter().zip(&tangents).enumerate() {
                assert_eq!(tangent.status, FiberStatus::Completed);
                let cotangents = found.gradient.found().unwrap();
                let direction = &directions[fiber];
                let forward = forward(&rollout, fiber, &found.outcome, direction, tangent);
                let backward = backward(cotangents, direction);
                let size = forward.size + backward.size;
                let off = (forward.total - backward.total).abs();
                assert!(
                    off <= TOLERANCE * size,
                    "{id}: {name}, fiber {fiber}: {:e}",
                    off / size
                );
                worst = worst.max(off / size.max(f64::MIN_POSITIVE));
            }
        }
        println!("{id}: {worst:.1e}");
    }
}
