//! A fiber's gradient is its own: it depends neither on segments, launches and companions nor on the order of threads.

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::{Backend, FiberOutcome, Rollout};
use axonml_autodiff::ir::Precision;
use axonml_cuda::{HostKernels, KernelSource, ThreadOrder};
use axonml_models::Evaluation;

use super::pairing::weights;
use super::{bits, differentiate, disturbed, disturbed_by_id, plain};
use crate::cases::{host_kernels, models};

#[test]
fn segments_and_launches_change_no_bit() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for model in models() {
        let id = model.schema().id;
        let rollout = disturbed(model);
        let whole = bits(&differentiate(&kernels, &rollout, &weights));
        // Memory for all fibers in one go, in segments, and for few fibers at once.
        let mut refused = 0;
        for kept in [4 << 20, 1 << 20, 600 << 10, 300 << 10, 200 << 10] {
            let small = kernels.clone().kept_bytes(kept);
            match small.differentiate(&rollout, &weights, GradientRequest::ALL) {
                Ok(found) => assert!(bits(&found) == whole, "{id} in {kept} bytes"),
                Err(error) => {
                    assert!(error.to_string().contains("in segments of 16 steps"));
                    refused += 1;
                }
            }
        }
        assert!(refused < 4, "{id}: hardly anything ran in segments");
        let apart = kernels.clone().memory_bytes(1 << 20);
        let found = differentiate(&apart, &rollout, &weights);
        assert!(bits(&found) == whole, "{id} in launches");
    }
}

#[test]
fn companions_change_no_bit() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "smf"] {
        let rollout = disturbed_by_id(id);
        let all = bits(&differentiate(&kernels, &rollout, &weights));
        let order = [2, 0, 3, 3, 1];
        let objective = |fiber: usize, outcome: &FiberOutcome| weights(order[fiber], outcome);
        let some = rollout.select(order.into_iter());
        let found = bits(&differentiate(&kernels, &some, &objective));
        for (found, k) in found.iter().zip(order) {
            assert!(*found == all[k], "{id}: fiber {k} differs in company");
        }
    }
}

#[test]
fn the_order_of_threads_changes_no_bit_of_a_gradient() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "two-mode", "smf", "hh"] {
        let mut rollout = disturbed_by_id(id);
        rollout.precision = Precision::F32;
        let expected = bits(&differentiate(&kernels, &rollout, &weights));
        for order in [ThreadOrder::Reverse, ThreadOrder::Random(7)] {
            let other = kernels.clone().order(order);
            let found = bits(&differentiate(&other, &rollout, &weights));
            assert!(found == expected, "{id} {order:?}");
        }
    }
}

/// A training moves parameters at every step, and compiles once.
#[test]
fn kernels_that_differentiate_by_parameters_do_not_depend_on_their_values() {
    for model in models() {
        let rollout = disturbed(model);
        let mut moved = rollout.clone();
        let numbers = moved.shared.iter().enumerate();
        let numbers = numbers.map(|(k, x)| x * (1.0 + 1e-3 * (k + 1) as f64));
        moved.shared = std::sync::Arc::new(numbers.collect());
        for fiber in &mut moved.fibers {
            fiber.parameters.iter_mut().for_each(|x| *x *= 1.01);
        }
        let texts = |rollout: &Rollout, request| -> Vec<String> {
            let kernels = KernelSource::for_gradients(rollout, request);
            kernels.into_iter().map(|kernel| kernel.text).collect()
        };
        let by = GradientRequest {
            parameters: true,
            ..GradientRequest::default()
        };
        assert!(texts(&rollout, by) == texts(&moved, by));
        // Printed, they are different texts: there is something to read.
        let none = GradientRequest::default();
        assert!(texts(&rollout, none) != texts(&moved, none));
    }
}

/// The run that is differentiated is the run.
#[test]
fn outcomes_are_those_of_a_run() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    for id in ["mrg", "smf", "sundt"] {
        for final_states in [true, false] {
            let mut rollout = disturbed_by_id(id);
            rollout.final_states = final_states;
            let nothing = |_: usize, _: &FiberOutcome| Evaluation::default();
            let found = differentiate(&kernels, &rollout, &nothing);
            let expected = kernels.run(&rollout).unwrap().fibers;
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.outcome, *expected, "{id}");
            }
        }
    }
}

/// The barrier of the reverse kernel alone is taken away.
fn without_barrier(text: &str) -> String {
    assert_eq!(text.matches("__syncwarp();").count(), 1);
    match text.contains("#define REVERSE 1") {
        true => text.replace("__syncwarp();", ""),
        false => text.to_owned(),
    }
}

/// A shuffle of the reverse kernel that only half of the lanes reach.
fn half_a_shuffle(text: &str) -> String {
    let whole = "const REAL behind = first_of_next_lane(y);";
    let half = "const REAL behind = x.lane < 16 ? first_of_next_lane(y) : ZERO;";
    match text.contains("#define REVERSE 1") {
        true => {
            assert!(text.contains(whole));
            text.replace(whole, half)
        }
        false => text.to_owned(),
    }
}

#[test]
fn a_removed_barrier_of_the_way_back_is_found() {
    let Some(kernels) = host_kernels() else {
        return;
    };
    let rollout = plain(&axonml_models::model("mrg").unwrap());
    let right = bits(&differentiate(&kernels, &rollout, &weights));
    let edited = |edit: fn(&str) -> String, order| -> HostKernels {
        kernels.clone().order(order).edited(edit)
    };
    for order in [ThreadOrder::Forward, ThreadOrder::Random(3)] {
        let wrong = edited(without_barrier, order);
        let wrong = wrong.differentiate(&rollout, &weights, GradientRequest::ALL);
        assert!(wrong.map(|wrong| bits(&wrong)).ok() != Some(right.clone()));
    }
    let parted = edited(half_a_shuffle, ThreadOrder::Forward);
    let error = parted.differentiate(&rollout, &weights, GradientRequest::ALL);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("lanes of a warp"), "{error}");
}
