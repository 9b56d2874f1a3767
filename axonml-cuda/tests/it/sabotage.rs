//! Mistakes that would only show on a device are found on the host.

use axonml_autodiff::engine::Backend;
use axonml_autodiff::ir::Precision;
use axonml_cuda::{CudaError, HostKernels, ThreadOrder};

use crate::cases::{host_kernels, rollout};

/// The only barrier of the kernel: between filling the table of the modes and reading it.
fn without_barrier(text: &str) -> String {
    assert_eq!(text.matches("__syncwarp();").count(), 1);
    text.replace("__syncwarp();", "")
}

/// A shuffle that only half of the lanes reach.
fn half_a_shuffle(text: &str) -> String {
    let whole = "const REAL behind = first_of_next_lane(u);";
    assert!(text.contains(whole));
    let half = "const REAL behind = x.lane < 16 ? first_of_next_lane(u) : ZERO;";
    text.replace(whole, half)
}

#[test]
fn a_removed_barrier_is_found() {
    let rollout = rollout("mrg", 0.005, 300, Precision::F64);
    let Some(kernels) = host_kernels() else {
        return;
    };
    let right = kernels.run(&rollout).unwrap();
    for order in [ThreadOrder::Forward, ThreadOrder::Random(3)] {
        let wrong = kernels
            .clone()
            .order(order)
            .edited(without_barrier)
            .run(&rollout);
        assert_ne!(wrong.as_ref(), Ok(&right), "{order:?}");
    }
}

#[test]
fn lanes_that_part_are_found() {
    let rollout = rollout("mrg", 0.005, 300, Precision::F64);
    let Some(kernels) = host_kernels() else {
        return;
    };
    let error = kernels.edited(half_a_shuffle).run(&rollout).unwrap_err();
    assert!(error.to_string().contains("lanes of a warp"), "{error}");
}

#[test]
fn a_source_that_does_not_compile_is_kept_and_named() {
    let rollout = rollout("hh", 0.005, 300, Precision::F64);
    let Some(kernels) = host_kernels() else {
        return;
    };
    let broken = |text: &str| text.replace("struct Cable {", "struct Cable { gibberish");
    let error = kernels
        .edited(broken)
        .run(&rollout)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(".cpp") && error.contains("gibberish"),
        "{error}"
    );
}

#[test]
fn a_missing_compiler_says_so() {
    let error = HostKernels::with_compilers(&["/nowhere/c++".into()]).unwrap_err();
    assert!(matches!(error, CudaError::NoHostCompiler { .. }));
    assert!(error.to_string().contains("/nowhere/c++"), "{error}");
    assert!(error.to_string().contains("install g++"), "{error}");
}
