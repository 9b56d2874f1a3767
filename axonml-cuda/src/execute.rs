//! What running a rollout is, whoever executes the kernels.

use axonml_autodiff::{BackendError, FiberOutcome, Outcome, Precision, Real, Rollout};
use cudarc::driver::{DeviceRepr, ValidAsZeroBits};

use crate::CudaError;
use crate::membrane::ParameterSets;
use crate::pack::{Launch, pack};
use crate::plan::{FIRST_RASTER_CAPACITY, bytes_of, classes, launches};
use crate::source::KernelSource;
use crate::unpack::unpack;

/// A number that kernels compute with.
pub(crate) trait Element: Real + DeviceRepr + ValidAsZeroBits {}

impl Element for f32 {}
impl Element for f64 {}

/// Something that can execute a kernel.
pub(crate) trait Executor {
    /// Bytes that one launch may take.
    fn memory_bytes(&self) -> Result<usize, CudaError>;

    /// Runs `kernel` over the launch's tables and fills its results.
    fn execute<R: Element>(
        &self,
        kernel: &KernelSource,
        launch: &mut Launch<R>,
    ) -> Result<(), CudaError>;
}

/// Runs a rollout: fibres of similar length together, in launches that fit the memory.
pub(crate) fn run(executor: &impl Executor, rollout: &Rollout) -> Result<Outcome, BackendError> {
    rollout.check()?;
    match rollout.precision {
        Precision::F32 => run_as::<f32>(executor, rollout),
        Precision::F64 => run_as::<f64>(executor, rollout),
    }
}

fn run_as<R: Element>(
    executor: &impl Executor,
    rollout: &Rollout,
) -> Result<Outcome, BackendError> {
    let budget = executor.memory_bytes()?;
    let mut fibers: Vec<Option<FiberOutcome>> = vec![None; rollout.fibers.len()];
    for (nodes_per_lane, class) in classes(rollout) {
        let sets = ParameterSets::new(rollout, &class);
        let kernel = KernelSource::new::<R>(rollout, &sets, nodes_per_lane);
        let mut set_of = class.iter().zip(&sets.of_fiber).map(|(_, &set)| set);
        for part in launches(rollout, &class, nodes_per_lane, budget) {
            if let [alone] = part[..] {
                let bytes = bytes_of(rollout, alone, nodes_per_lane);
                if bytes > budget {
                    return Err(BackendError::Unsupported(format!(
                        "fibre {alone} needs {} MiB on the device and {} MiB are free: record fewer nodes, states or \
                         steps, give separable sources instead of space-time potentials, or use the CPU",
                        bytes >> 20,
                        budget >> 20
                    )));
                }
            }
            let sets = ParameterSets {
                of_fiber: set_of.by_ref().take(part.len()).collect(),
                examples: sets.examples.clone(),
            };
            let outcomes = run_launch::<R>(executor, rollout, &part, &sets, &kernel)?;
            for (fiber, outcome) in part.into_iter().zip(outcomes) {
                fibers[fiber] = Some(outcome);
            }
        }
    }
    Ok(Outcome {
        fibers: fibers.into_iter().flatten().collect(),
    })
}

/// One launch, repeated with more room if a raster overflows: nothing is ever left out.
fn run_launch<R: Element>(
    executor: &impl Executor,
    rollout: &Rollout,
    fibers: &[usize],
    sets: &ParameterSets,
    kernel: &KernelSource,
) -> Result<Vec<FiberOutcome>, BackendError> {
    let mut capacity = vec![FIRST_RASTER_CAPACITY; rollout.observers.len()];
    loop {
        let mut launch = pack::<R>(rollout, fibers, sets, kernel, &capacity);
        executor.execute(kernel, &mut launch)?;
        match unpack(rollout, fibers, kernel.nodes_per_lane, &launch, &capacity) {
            Ok(outcomes) => return Ok(outcomes),
            Err(needed) => capacity = needed,
        }
    }
}
