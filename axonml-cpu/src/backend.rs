//! The backend itself: groups of fibres over threads.

use axonml_autodiff::{Backend, BackendError, FiberOutcome, Outcome, Precision, Real, Rollout};
use rayon::prelude::*;

use crate::Isa;
use crate::group::Group;

/// Fibres per group: one cache line of numbers per node.
const LANES_F32: usize = 16;
const LANES_F64: usize = 8;

/// Simulates on the processor's cores.
#[derive(Clone, Copy, Debug)]
pub struct CpuBackend {
    isa: Isa,
}

impl CpuBackend {
    /// A backend for the best instruction set of this processor.
    pub fn new() -> Self {
        CpuBackend { isa: Isa::best() }
    }

    /// A backend for one of [`Isa::available`].
    pub fn with_isa(isa: Isa) -> Self {
        CpuBackend { isa }
    }

    fn run_groups<R: Real, const L: usize>(
        self,
        rollout: &Rollout,
    ) -> Result<Outcome, BackendError> {
        // Fibres of equal length share groups, so that short ones do not idle in the rows of long ones.
        let mut order: Vec<usize> = (0..rollout.fibers.len()).collect();
        order.sort_by_key(|&fiber| rollout.fibers[fiber].cable.nodes());
        let outcomes: Vec<(usize, FiberOutcome)> = order
            .par_chunks(L)
            .map(|members| {
                let outcomes = Group::<R, L>::new(rollout, members, self.isa)?.run();
                Ok(members.iter().copied().zip(outcomes).collect())
            })
            .collect::<Result<Vec<Vec<_>>, BackendError>>()?
            .into_iter()
            .flatten()
            .collect();
        let mut fibers: Vec<Option<FiberOutcome>> = vec![None; order.len()];
        for (fiber, outcome) in outcomes {
            fibers[fiber] = Some(outcome);
        }
        Ok(Outcome {
            fibers: fibers.into_iter().flatten().collect(),
        })
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

    fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError> {
        rollout.check()?;
        match rollout.precision {
            Precision::F32 => self.run_groups::<f32, LANES_F32>(rollout),
            Precision::F64 => self.run_groups::<f64, LANES_F64>(rollout),
        }
    }
}
