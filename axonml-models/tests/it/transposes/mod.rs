//! The reverse mode against the reference's forward derivatives: `<w, J v> = <J^T w, v>` for every kind of input, cable and
//! start; and the forward derivatives against differences.

mod cases;
mod differences;
mod pairing;
mod refusals;

use axonml_autodiff::{Backend, FiberStatus, GradientRequest};
use axonml_cpu::Reference;

use cases::all;
use pairing::{backward, forward, parts, weights};

/// Relative to the sum of the magnitudes of all products.
const TOLERANCE: f64 = 1e-12;

#[test]
fn reverse_is_the_transpose_of_forward() {
    for case in all() {
        let rollout = &case.rollout;
        let differentiated = case
            .backend
            .differentiate(rollout, &weights, GradientRequest::ALL)
            .unwrap();
        let each: Vec<_> = (0..rollout.fibers.len())
            .map(|fiber| parts(rollout, fiber))
            .collect();
        for part in 0..each[0].len() {
            let name = each[0][part].0;
            let directions: Vec<_> = each.iter().map(|parts| parts[part].1.clone()).collect();
            let tangents = Reference.tangent(rollout, &directions).unwrap();
            let (mut worst, mut largest) = (0.0_f64, 0.0_f64);
            for (fiber, (found, tangent)) in differentiated.iter().zip(&tangents).enumerate() {
                assert_eq!(tangent.status, FiberStatus::Completed);
                let cotangents = found.gradient.found().unwrap();
                let forward = forward(rollout, fiber, &found.outcome, &directions[fiber], tangent);
                let backward = backward(cotangents, &directions[fiber]);
                let size = forward.size + backward.size;
                largest = largest.max(size);
                if size > 0.0 {
                    worst = worst.max((forward.total - backward.total).abs() / size);
                }
            }
            println!("{}: {name}: {worst:.1e} of {largest:.1e}", case.name);
            assert!(worst <= TOLERANCE, "{}: {name}: {worst:e}", case.name);
        }
    }
}
