//! The contract of a simulation backend.

use crate::adjoint::{Differentiated, GradientRequest, Objective};
use crate::engine::BackendError;
use crate::engine::Outcome;
use crate::engine::Rollout;
use crate::ir::Precision;

/// A simulation backend: it runs rollouts forward and, if it has a reverse mode, differentiates them.
///
/// Results per fiber do not depend on the other fibers of a rollout. `CpuBackend` of the crate `axonml-cpu` shows a
/// whole rollout.
///
/// # Example
/// A backend that reports the size of every batch before it passes it on:
/// ```
/// use axonml_autodiff::engine::{Backend, BackendError, Outcome, Rollout};
///
/// struct Reporting<B>(B);
///
/// impl<B: Backend> Backend for Reporting<B> {
///     fn name(&self) -> String {
///         format!("reporting {}", self.0.name())
///     }
///
///     fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError> {
///         eprintln!("{} fibers, {} steps", rollout.fibers.len(), rollout.steps.len());
///         self.0.run(rollout)
///     }
/// }
/// ```
pub trait Backend: Send + Sync {
    /// Returns a short name with the instruction set or device: `cpu (avx2+fma)`.
    fn name(&self) -> String;

    /// How many fibers run at once at full speed: callers that choose what to run next fill up batches to multiples of
    /// it.
    fn width(&self, precision: Precision) -> usize {
        let _ = precision;
        64
    }

    /// Whether it runs rollouts with tables of rates ([`Rates::Table`](crate::engine::Rates::Table)).
    fn has_tables(&self) -> bool {
        false
    }

    /// Runs all fibers. Divergence of a fiber is not an error but its [`FiberStatus`](crate::engine::FiberStatus).
    ///
    /// # Errors
    /// [`BackendError`] when the rollout is inconsistent (see [`Rollout::check`]) or the device fails.
    fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError>;

    /// Runs all fibers forward, evaluates `objective` and its seed cotangents, and runs the adjoint pass for the inputs
    /// in `request`; returns one entry per fiber, in order.
    ///
    /// # Errors
    /// As [`Backend::run`]; also for rollouts that stop early, for an objective whose seed cotangents do not fit the
    /// recordings, and where the backend has no reverse mode.
    fn differentiate(
        &self,
        rollout: &Rollout,
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<Differentiated>, BackendError> {
        let _ = (rollout, objective, request);
        Err(BackendError::Unsupported(format!(
            "backend {} does not compute gradients; use the CPU or a CUDA backend",
            self.name()
        )))
    }
}
