//! The backend itself: groups of fibers over threads.

use std::sync::Arc;

use axonml_autodiff::adjoint::{Differentiated, GradientRequest, Objective};
use axonml_autodiff::engine::{Backend, BackendError, Outcome, Rollout, every_result};
use axonml_autodiff::ir::{Precision, Real};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Isa;
use crate::cable::meeting_row;
use crate::group::Group;
use crate::program::Programs;

/// Fibers per group: one cache line of numbers per node.
const LANES_F32: usize = 16;
const LANES_F64: usize = 8;

/// Simulates on the processor's cores.
///
/// # Example
/// A passive cable of three compartments relaxes to its reversal potential with a time constant of 1 ms:
/// ```
/// use std::sync::Arc;
/// use axonml_autodiff::cable::{Cable, ImplicitCable};
/// use axonml_autodiff::engine::{
///     Backend, Binding, BoundProgram, CancelToken, Drive, MembranePrograms, Rates, Rollout, RolloutFiber,
///     ScannedPotentials, Start,
/// };
/// use axonml_autodiff::ir::{Extent, Precision, Tracer};
/// use axonml_core::TimeGrid;
///
/// // Conductance density (S/cm2) from the fiber's parameter, no source, no states.
/// let tracer = Tracer::new();
/// let g = tracer.input("g", Extent::Fiber);
/// let density = tracer.finish(&[("g".to_owned(), g), ("j".to_owned(), 0.0 * g)])?;
/// let density = BoundProgram::new(density, vec![Binding::Fiber(0)]);
/// let rest = BoundProgram::new(Tracer::new().finish(&[])?, Vec::new());
/// let membrane = MembranePrograms::new(Vec::new(), rest, density.clone(), density);
/// let cable = ImplicitCable { area_cm2: vec![1e-5; 3], capacitance_nf: vec![1e-2; 3], link_us: vec![1e-3; 2] };
/// let grid = TimeGrid::new(0.01, 1.0)?;
/// let rollout = Rollout {
///     membrane: Arc::new(membrane),
///     shared: Arc::default(),
///     v_reference_mv: -70.0,
///     fibers: vec![RolloutFiber { cable: Arc::new(Cable::Implicit(cable)), parameters: vec![1e-3] }],
///     drive: Drive { waveforms: Vec::new(), sources: vec![Arc::default()], gains: vec![Vec::new()] },
///     grid,
///     steps: 0..grid.steps(),
///     start: Start::Uniform { v_mv: -60.0, states: None },
///     observers: Vec::new(),
///     stop_when_active: None,
///     quiet_end: None,
///     final_states: true,
///     precision: Precision::F64,
///     rates: Rates::Exact,
///     scanned: ScannedPotentials::default(),
///     cancel: CancelToken::default(),
/// };
/// let outcome = axonml_cpu::CpuBackend::new().run(&rollout)?;
/// let state = outcome.fibers[0].state.as_ref().expect("final states were requested");
/// // Backward Euler divides the deviation by 1 + dt/tau in each of 100 steps.
/// assert!((state.v_mv[1] - (-70.0 + 10.0 / 1.01_f64.powi(100))).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CpuBackend {
    isa: Isa,
    programs: Programs,
    trajectory_bytes: usize,
    /// Thread pool of the runs; without one the caller's pool, by default rayon's global one.
    pool: Option<Arc<ThreadPool>>,
}

/// Default of [`CpuBackend::with_trajectory_bytes`]: a thousand steps of a group of fibers of usual length, a few hundred
/// of long ones.
const TRAJECTORY_BYTES: usize = 32 << 20;

impl CpuBackend {
    /// A backend for the best instruction set of this processor.
    pub fn new() -> Self {
        CpuBackend::with_isa(Isa::best())
    }

    /// A backend for one of [`Isa::available`].
    pub fn with_isa(isa: Isa) -> Self {
        CpuBackend {
            isa,
            programs: Programs::Printed,
            trajectory_bytes: TRAJECTORY_BYTES,
            pool: None,
        }
    }

    /// The same with every program interpreted, also those that are compiled into this crate: results are the same bytes,
    /// later. For comparison.
    #[must_use]
    pub fn interpreting(self) -> Self {
        CpuBackend {
            programs: Programs::Interpreted,
            ..self
        }
    }

    /// The same on a number of threads of its own. Results do not depend on it.
    ///
    /// # Errors
    /// [`BackendError::Device`] if the threads cannot be started.
    pub fn with_threads(self, threads: usize) -> Result<Self, BackendError> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            BackendError::Device(format!(
                "cannot start {threads} threads: {error}; ask for fewer"
            ))
        })?;
        Ok(self.with_pool(Arc::new(pool)))
    }

    /// The same on the threads of a pool, which several backends may share.
    #[must_use]
    pub fn with_pool(self, pool: Arc<ThreadPool>) -> Self {
        CpuBackend {
            pool: Some(pool),
            ..self
        }
    }

    /// The same with another bound on the memory, in bytes, in which [`Backend::differentiate`] stores the trajectory of one
    /// group of fibers, checkpoints included: longer runs are split into segments (two-level uniform checkpointing), and all
    /// but the last of these are run twice. Where nothing is small enough, the least that is needed is taken. Gradients do not
    /// depend on it.
    #[must_use]
    pub fn with_trajectory_bytes(self, trajectory_bytes: usize) -> Self {
        CpuBackend {
            trajectory_bytes,
            ..self
        }
    }

    /// Cuts the fibers into groups, lets `act` have each, and brings the results into the fibers' order.
    fn each_group<T: Send, R: Real, const L: usize>(
        &self,
        rollout: &Rollout,
        act: impl Fn(Group<'_, R, L>) -> Result<Vec<T>, BackendError> + Sync,
    ) -> Result<Vec<T>, BackendError> {
        let all = || self.all_groups(rollout, &act);
        match &self.pool {
            Some(pool) => pool.install(all),
            None => all(),
        }
    }

    fn all_groups<T: Send, R: Real, const L: usize>(
        &self,
        rollout: &Rollout,
        act: &(impl Fn(Group<'_, R, L>) -> Result<Vec<T>, BackendError> + Sync),
    ) -> Result<Vec<T>, BackendError> {
        // Fibers of equal length share groups, so that short ones do not idle in the rows of long ones; eliminations of a
        // group meet in one row.
        let mut order: Vec<usize> = (0..rollout.fibers.len()).collect();
        order.sort_by_key(|&fiber| rollout.fibers[fiber].cable.nodes());
        let meeting = |fiber: usize| meeting_row(rollout.fibers[fiber].cable.nodes());
        let members: Vec<&[usize]> = order
            .chunk_by(|&a, &b| meeting(a) == meeting(b))
            .flat_map(|alike| alike.chunks(L))
            .collect();
        let groups: Vec<Result<Vec<T>, BackendError>> = members
            .par_iter()
            .map(|members| {
                rollout.check_canceled()?;
                act(Group::<R, L>::new(
                    rollout,
                    members,
                    self.isa,
                    self.programs,
                )?)
            })
            .collect();
        // Groups that were under way have broken off.
        rollout.check_canceled()?;
        let mut fibers: Vec<Option<T>> = order.iter().map(|_| None).collect();
        // In the groups' order, so that of several errors it is always the same that is reported.
        for (members, results) in members.iter().zip(groups) {
            for (&fiber, result) in members.iter().zip(results?) {
                fibers[fiber] = Some(result);
            }
        }
        every_result(fibers)
    }
}

impl Default for CpuBackend {
    fn default() -> Self {
        CpuBackend::new()
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> String {
        format!("cpu ({})", self.isa)
    }

    fn width(&self, precision: Precision) -> usize {
        let lanes = match precision {
            Precision::F32 => LANES_F32,
            Precision::F64 => LANES_F64,
        };
        let pool = self.pool.as_ref();
        lanes
            * pool.map_or_else(rayon::current_num_threads, |pool| {
                pool.current_num_threads()
            })
    }

    fn has_tables(&self) -> bool {
        true
    }

    fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError> {
        rollout.check()?;
        let fibers = match rollout.precision {
            Precision::F32 => {
                self.each_group(rollout, |group: Group<'_, f32, LANES_F32>| group.run())?
            }
            Precision::F64 => {
                self.each_group(rollout, |group: Group<'_, f64, LANES_F64>| group.run())?
            }
        };
        Ok(Outcome { fibers })
    }

    fn differentiate(
        &self,
        rollout: &Rollout,
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<Differentiated>, BackendError> {
        rollout.check_differentiable()?;
        match rollout.precision {
            Precision::F32 => self.each_group(rollout, |group: Group<'_, f32, LANES_F32>| {
                group.differentiate(objective, request, self.trajectory_bytes)
            }),
            Precision::F64 => self.each_group(rollout, |group: Group<'_, f64, LANES_F64>| {
                group.differentiate(objective, request, self.trajectory_bytes)
            }),
        }
    }
}
