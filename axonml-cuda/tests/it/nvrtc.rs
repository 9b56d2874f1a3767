//! Kernels through NVIDIA's compiler, where it is installed: registers and spills.

use axonml_autodiff::{Precision, Rollout};
use axonml_cuda::{KernelSource, NVRTC_VARIABLE, Nvrtc};

use crate::cases;

/// 53 nodes, without and with observers.
fn kernel(id: &str, precision: Precision, observed: bool) -> KernelSource {
    let mut rollout: Rollout = cases::rollout(id, 0.005, 300, precision);
    if !observed {
        rollout.observers.truncate(1);
        rollout.stop_when_active = Some(0);
    }
    KernelSource::for_rollout(&rollout)
        .into_iter()
        .find(|kernel| kernel.nodes_per_lane == 2)
        .unwrap()
}

/// The number before `what` in the assembler's remarks.
fn number_before(log: &str, what: &str) -> u32 {
    let before = &log[..log
        .find(what)
        .unwrap_or_else(|| panic!("no `{what}` in: {log}"))];
    before.split_whitespace().last().unwrap().parse().unwrap()
}

#[test]
fn kernels_compile_for_devices_and_single_precision_does_not_spill() {
    if std::env::var_os(NVRTC_VARIABLE).is_none() {
        println!(
            "DID NOT RUN: {NVRTC_VARIABLE} does not name libnvrtc; kernels were not compiled for devices"
        );
        return;
    }
    let nvrtc = Nvrtc::find(None, None).unwrap();
    println!("NVRTC {:?}", nvrtc.version());
    println!("model precision observers | sm  registers  stack  spill stores  spill loads");
    for id in ["mrg", "smf", "sundt"] {
        for precision in [Precision::F32, Precision::F64] {
            for observed in [false, true] {
                for architecture in [80, 90, 100] {
                    let compiled = nvrtc
                        .compile(&kernel(id, precision, observed), architecture)
                        .unwrap();
                    assert!(compiled.is_machine_code && !compiled.image.is_empty());
                    let [registers, stack, stores, loads] = [
                        " registers",
                        " bytes stack frame",
                        " bytes spill stores",
                        " bytes spill loads",
                    ]
                    .map(|what| number_before(&compiled.log, what));
                    println!(
                        "{id:6} {:4} {observed:5} | {architecture:3} {registers:4} {stack:4} {stores:4} {loads:4}",
                        precision.name()
                    );
                    if precision == Precision::F32 && architecture >= 90 && !observed {
                        assert_eq!((stores, loads), (0, 0), "{id} spills registers");
                    }
                }
            }
        }
    }
}
