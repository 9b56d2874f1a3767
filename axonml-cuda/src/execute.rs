//! Forward runs, independent of the executor of the kernels (device or host).

use axonml_autodiff::engine::{BackendError, FiberOutcome, Outcome, Rollout, every_result};
use axonml_autodiff::ir::{Precision, Real};
use cudarc::driver::{DeviceRepr, ValidAsZeroBits};

use crate::CudaError;
use crate::membrane::ParameterSets;
use crate::pack::{Launch, pack};
use crate::plan::{FIRST_RASTER_CAPACITY, bytes_of, classes, launches};
use crate::source::KernelSource;
use crate::unpack::unpack;

/// Element type of tables.
pub(crate) trait Word:
    Copy + Default + Send + Sync + DeviceRepr + ValidAsZeroBits + 'static
{
}

impl Word for u32 {}
impl Word for u64 {}
impl Word for f32 {}
impl Word for f64 {}

/// A number that kernels compute with.
pub(crate) trait Element: Real + Word {}

impl Element for f32 {}
impl Element for f64 {}

/// Memory of an executor.
pub(crate) type Memory<E, T> = <E as Executor>::Memory<T>;

/// The tables of every kernel, where it is executed.
pub(crate) struct Tables<R: Element, E: Executor> {
    pub(crate) words: Memory<E, u64>,
    pub(crate) ints: Memory<E, u32>,
    pub(crate) reals: Memory<E, R>,
    pub(crate) doubles: Memory<E, f64>,
    pub(crate) out_ints: Memory<E, u32>,
    pub(crate) out_reals: Memory<E, R>,
    /// Tables of gradients only.
    pub(crate) gradient: Option<GradientTables<R, E>>,
    /// Layout of the kernels that they fit.
    nodes_per_lane: usize,
}

/// The tables that kernels of gradients take besides.
pub(crate) struct GradientTables<R: Element, E: Executor> {
    pub(crate) kept: Memory<E, R>,
    pub(crate) back: Memory<E, R>,
    pub(crate) lane_sums: Memory<E, f64>,
    pub(crate) sums: Memory<E, f64>,
    pub(crate) trace: Memory<E, R>,
}

/// Something that can execute kernels.
pub(crate) trait Executor: Sized + Sync {
    /// Memory that kernels read and write.
    type Memory<T: Word>: Send;

    /// Bytes that the tables of one launch may take, which exist on both sides.
    fn memory_bytes(&self) -> Result<usize, CudaError>;

    /// Memory limits of gradients: bytes that the tables of one launch may take, which exist on both sides, and bytes
    /// that stored states and accumulators may take besides, of which the host reads no more than the accumulators.
    fn gradient_bytes(&self) -> Result<[usize; 2], CudaError>;

    /// A copy of `values`, of which there is at least one.
    fn upload<T: Word>(&self, values: &[T]) -> Result<Self::Memory<T>, CudaError>;

    /// Zeros; at least one.
    fn reserve<T: Word>(&self, count: usize) -> Result<Self::Memory<T>, CudaError>;

    /// Replaces everything in `memory` by as many `values`.
    fn overwrite<T: Word>(
        &self,
        memory: &mut Self::Memory<T>,
        values: &[T],
    ) -> Result<(), CudaError>;

    /// Copies everything in `memory` once all that was launched is done.
    fn download<T: Word>(&self, memory: &Self::Memory<T>, to: &mut [T]) -> Result<(), CudaError>;

    /// Launches `blocks` blocks of `kernel` over tables of the same fibers.
    ///
    /// # Errors
    /// As [`Tables::check`], and if the launch fails.
    fn launch<R: Element>(
        &self,
        kernel: &KernelSource,
        blocks: usize,
        tables: &mut Tables<R, Self>,
    ) -> Result<(), CudaError>;
}

impl<R: Element, E: Executor> Tables<R, E> {
    /// The tables of a launch that fits `kernel`.
    pub(crate) fn new(
        executor: &E,
        kernel: &KernelSource,
        launch: &Launch<R>,
        gradient: Option<GradientTables<R, E>>,
    ) -> Result<Self, CudaError> {
        launch.check(kernel)?;
        Ok(Tables {
            words: executor.upload(&launch.words)?,
            ints: executor.upload(&launch.ints)?,
            reals: executor.upload(&launch.reals)?,
            doubles: executor.upload(&launch.doubles)?,
            out_ints: executor.reserve(launch.out_ints.len())?,
            out_reals: executor.reserve(launch.out_reals.len())?,
            gradient,
            nodes_per_lane: kernel.nodes_per_lane,
        })
    }

    /// Whether `kernel` takes tables of this layout; a launch over others would access memory out of bounds.
    ///
    /// # Errors
    /// [`CudaError::Launch`] naming the difference.
    pub(crate) fn check(&self, kernel: &KernelSource) -> Result<(), CudaError> {
        let of_gradients = [kernel.of_gradients, self.gradient.is_some()].map(usize::from);
        for (what, [expected, found]) in [
            (
                "bytes of a number",
                [kernel.precision.bytes(), size_of::<R>()],
            ),
            (
                "nodes per lane",
                [kernel.nodes_per_lane, self.nodes_per_lane],
            ),
            ("sets of tables of gradients", of_gradients),
        ] {
            CudaError::unless_equal(what, expected, found)?;
        }
        Ok(())
    }

    /// Copies a run's results from the executor into its launch.
    pub(crate) fn fetch(&self, executor: &E, launch: &mut Launch<R>) -> Result<(), CudaError> {
        executor.download(&self.out_ints, &mut launch.out_ints)?;
        executor.download(&self.out_reals, &mut launch.out_reals)
    }
}

/// Runs a rollout: fibers of similar length together, in launches that fit the memory.
pub(crate) fn run(executor: &impl Executor, rollout: &Rollout) -> Result<Outcome, BackendError> {
    rollout.check()?;
    rollout.rates.must_be_exact("a CUDA kernel")?;
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
            rollout.check_canceled()?;
            check_size(rollout, &part, nodes_per_lane, budget)?;
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
        fibers: every_result(fibers)?,
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
        let mut launch = pack::<R>(rollout, fibers, sets, kernel, None, &capacity);
        let mut tables = Tables::new(executor, kernel, &launch, None)?;
        executor.launch(kernel, launch.blocks, &mut tables)?;
        tables.fetch(executor, &mut launch)?;
        match unpack(rollout, fibers, kernel.nodes_per_lane, &launch, &capacity) {
            Ok(outcomes) => return Ok(outcomes),
            Err(needed) => capacity = needed,
        }
    }
}

/// Whether a launch fits `budget`; more than one fiber always does.
pub(crate) fn check_size(
    rollout: &Rollout,
    fibers: &[usize],
    nodes_per_lane: usize,
    budget: usize,
) -> Result<(), BackendError> {
    let &[alone] = fibers else { return Ok(()) };
    let bytes = bytes_of(rollout, alone, nodes_per_lane);
    if bytes <= budget {
        return Ok(());
    }
    Err(BackendError::Unsupported(format!(
        "fiber {alone} needs {} MiB on the device and {} MiB are free: record fewer nodes, states or \
         steps, give separable sources instead of space-time potentials, or use the CPU",
        bytes >> 20,
        budget >> 20
    )))
}
