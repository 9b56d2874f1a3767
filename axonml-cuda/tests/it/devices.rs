//! Devices: where there is none, what is missing is explained.

use std::path::Path;

use axonml_autodiff::engine::Backend;
use axonml_autodiff::ir::Precision;
use axonml_cuda::{CudaBackend, CudaDevice, CudaError, Nvrtc};

use crate::cases::{assert_observations, host_kernels, rollout};

#[test]
fn every_device_is_usable_or_says_why_not() {
    let list = CudaDevice::list();
    assert!(!list.is_empty());
    for status in &list {
        match (&status.device, &status.problem) {
            (Some(device), problem) => println!("{device}: {problem:?}"),
            (None, Some(problem)) => {
                println!("{problem}");
                assert!(problem.contains("no CUDA device"), "{problem}");
            }
            (None, None) => panic!("a line that says nothing"),
        }
    }
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let error = CudaBackend::new(1000).unwrap_err();
    assert!(
        matches!(error, CudaError::NoDevice { .. } | CudaError::Driver { .. }),
        "{error}"
    );
}

#[test]
fn a_compiler_that_is_not_there_is_an_error() {
    let error = Nvrtc::find(Some(Path::new("/nowhere/libnvrtc.so")), None).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("/nowhere/libnvrtc.so") && text.contains("AXONML_NVRTC"),
        "{text}"
    );
}

#[test]
fn a_device_agrees_with_the_host() {
    let usable = CudaDevice::list()
        .into_iter()
        .find(|status| status.problem.is_none());
    let Some(device) = usable.and_then(|status| status.device) else {
        println!("DID NOT RUN: no CUDA device");
        return;
    };
    let (backend, Some(host)) = (CudaBackend::new(device.ordinal).unwrap(), host_kernels()) else {
        return;
    };
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        let rollout = rollout(id, 0.005, 600, Precision::F64);
        let expected = host.run(&rollout).unwrap().fibers;
        let found = backend.run(&rollout).unwrap().fibers;
        for (found, expected) in found.iter().zip(&expected) {
            assert_observations(found, expected, 1e-6);
        }
    }
}
