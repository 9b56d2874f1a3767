//! Kernels through NVIDIA's compiler, where it is installed: registers and spills.

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::{ObserverKind, ObserverSpec, QuietEnd};
use axonml_autodiff::ir::Precision;
use axonml_cuda::{CudaError, KernelSource, NVRTC_VARIABLE, Nvrtc};
use axonml_models::Fiber;

use crate::cases;

/// Work of a kernel besides its steps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Task {
    /// An observer ends the run.
    Answer,
    /// The same, or the fiber ends because it is quiet.
    Trial,
    /// An observer of every kind.
    Observe,
}

/// A kernel for one fiber.
fn kernel(id: &str, nodes: usize, precision: Precision, task: Task) -> KernelSource {
    let diameter = if cases::myelinated(id) { 10.0 } else { 1.0 };
    let fibers = vec![Fiber::new(diameter, nodes)];
    let mut rollout = cases::rollout_of(id, fibers, 0.005, 300, precision);
    if task == Task::Observe {
        // Traces are one more recorder to a kernel.
        let traces = |spec: &ObserverSpec| matches!(spec.kind, ObserverKind::Traces { .. });
        rollout.observers.retain(|spec| !traces(spec));
    } else {
        rollout.observers.truncate(1);
        rollout.stop_when_active = Some(0);
    }
    rollout.quiet_end = (task == Task::Trial).then_some(QuietEnd {
        band_mv: 10.0,
        after_ms: 0.3,
        every: 10,
    });
    KernelSource::for_rollout(&rollout).remove(0)
}

/// The number before `what` in the assembler's remarks.
fn number_before(log: &str, what: &str) -> u32 {
    let before = &log[..log
        .find(what)
        .unwrap_or_else(|| panic!("no `{what}` in: {log}"))];
    before.split_whitespace().last().unwrap().parse().unwrap()
}

fn compiler() -> Option<Nvrtc> {
    if std::env::var_os(NVRTC_VARIABLE).is_none() {
        println!(
            "DID NOT RUN: {NVRTC_VARIABLE} does not name libnvrtc; kernels were not compiled for devices"
        );
        return None;
    }
    let nvrtc = Nvrtc::find(None, None).unwrap();
    println!("NVRTC {:?}", nvrtc.version());
    println!(
        "model           nodes precision task | sm  registers  stack  spill stores  spill loads"
    );
    Some(nvrtc)
}

/// Registers that a thread can have at most.
const ALL_REGISTERS: u32 = 255;

/// Registers of a kernel, as the assembler counts them.
struct Use {
    registers: u32,
    /// Bytes.
    spilled: u32,
}

/// Compiles, and prints registers and spills.
fn registers(nvrtc: &Nvrtc, what: &str, kernel: &KernelSource, architecture: u32) -> Use {
    let compiled = nvrtc.compile(kernel, architecture).unwrap();
    assert!(compiled.is_machine_code && !compiled.image.is_empty());
    let [registers, stack, stores, loads] = [
        " registers",
        " bytes stack frame",
        " bytes spill stores",
        " bytes spill loads",
    ]
    .map(|what| number_before(&compiled.log, what));
    println!("{what} | {architecture:3} {registers:4} {stack:6} {stores:6} {loads:6}");
    Use {
        registers,
        spilled: stores + loads,
    }
}

#[test]
fn kernels_compile_for_devices_and_single_precision_does_not_spill() {
    let Some(nvrtc) = compiler() else { return };
    let mut spilling = Vec::new();
    for model in cases::models() {
        let id = model.schema().id;
        for precision in [Precision::F32, Precision::F64] {
            for task in [Task::Answer, Task::Trial, Task::Observe] {
                let kernel = kernel(&id, 53, precision, task);
                let what = format!("{id:15} 53 {:4} {task:?}", precision.name());
                for architecture in [80, 90, 100] {
                    let Use { spilled, .. } = registers(&nvrtc, &what, &kernel, architecture);
                    // Observers of every kind at once may cost a few; a lower occupancy would cost more.
                    let allowed = if task == Task::Observe { 64 } else { 0 };
                    if precision == Precision::F32 && spilled > allowed {
                        spilling.push(format!("{what} {architecture}: {spilled} bytes"));
                    }
                }
            }
        }
    }
    assert!(spilling.is_empty(), "spilled: {spilling:#?}");
}

/// Kernels of gradients: of everything, and of what acts from outside alone. The adjoints of large membranes (Tigerholm,
/// Schild, Thio) hold more than a thread has registers; they may spill where they have all of them.
#[test]
fn kernels_of_gradients_compile_and_single_precision_spills_only_from_all_registers() {
    let Some(nvrtc) = compiler() else { return };
    let outside = GradientRequest {
        gains: true,
        waveforms: true,
        fields: true,
        ..GradientRequest::default()
    };
    let mut spilling = Vec::new();
    for model in cases::models() {
        let id = model.schema().id;
        for (asked, request, precision, architectures) in [
            (
                "all",
                GradientRequest::ALL,
                Precision::F32,
                &[80, 90, 100][..],
            ),
            ("outside", outside, Precision::F32, &[90]),
            ("all", GradientRequest::ALL, Precision::F64, &[90]),
        ] {
            let diameter = if cases::myelinated(&id) { 10.0 } else { 1.0 };
            let fibers = vec![Fiber::new(diameter, 53)];
            let mut rollout = cases::rollout_of(&id, fibers, 0.005, 300, precision);
            // A recorder alone, as trainings have.
            rollout.observers = vec![rollout.observers.remove(3)];
            for kernel in &KernelSource::for_gradients(&rollout, request) {
                let what = format!(
                    "{id:14} {asked:7} {:4} {:22}",
                    precision.name(),
                    kernel.name
                );
                for &architecture in architectures {
                    let Use { registers, spilled } = registers(&nvrtc, &what, kernel, architecture);
                    let may = rollout.membrane.states.len() > 8 && registers == ALL_REGISTERS;
                    if precision == Precision::F32 && spilled > 0 && !may {
                        spilling.push(format!("{what} {architecture}: {spilled} bytes"));
                    }
                }
            }
        }
    }
    assert!(spilling.is_empty(), "spilled: {spilling:#?}");
}

#[test]
fn kernels_for_long_fibers_compile() {
    let Some(nvrtc) = compiler() else { return };
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        for (nodes, precision) in [
            (101, Precision::F32),
            (101, Precision::F64),
            (300, Precision::F32),
            (1500, Precision::F32),
        ] {
            let what = format!("{id:13} {nodes:4} {:4} Answer", precision.name());
            registers(
                &nvrtc,
                &what,
                &kernel(id, nodes, precision, Task::Answer),
                90,
            );
        }
    }
}

#[test]
fn the_compiler_explains_what_it_cannot_do() {
    let Some(nvrtc) = compiler() else { return };
    let mut kernel = kernel("hh", 53, Precision::F32, Task::Answer);
    let newer = nvrtc.compile(&kernel, 999).unwrap();
    assert!(!newer.is_machine_code);
    assert!(String::from_utf8_lossy(&newer.image).contains(".target sm_"));
    let error = nvrtc.compile(&kernel, 20).unwrap_err();
    assert!(error.to_string().contains("2.0 is older"), "{error}");
    // The second time from the cache.
    let first = nvrtc.compile_cached(&kernel, 90).unwrap();
    let again = nvrtc.compile_cached(&kernel, 90).unwrap();
    assert!(again.log.is_empty() && again.image == first.image);
    kernel.text.push_str("gibberish\n");
    match nvrtc.compile(&kernel, 90).unwrap_err() {
        CudaError::Compile { log, source_path } => {
            assert!(log.contains("gibberish"), "{log}");
            assert_eq!(std::fs::read_to_string(&source_path).unwrap(), kernel.text);
            std::fs::remove_file(&source_path).unwrap();
        }
        other => panic!("{other}"),
    }
}
