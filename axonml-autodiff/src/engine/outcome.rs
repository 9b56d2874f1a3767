//! Results of a rollout: how each fiber ended, and its observations.

use crate::engine::BackendError;
use crate::engine::FiberState;
use crate::engine::Observation;

/// How a fiber's run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FiberStatus {
    /// All steps were taken.
    Completed,
    /// Stopped early, at this state index, because its answer was known.
    Answered(usize),
    /// Stopped early, at this state index, because it will not fire any more: see [`Rollout::quiet_end`](crate::engine::Rollout::quiet_end).
    Quiet(usize),
    /// The solution diverged; nothing from this state on is reported as a result.
    ///
    /// Either a voltage, or the conductance or source that the states give, is not finite; or a voltage lies beyond
    /// [`LARGEST_MV`](crate::engine::LARGEST_MV), which no membrane's does; or an explicit step is unstable, which is
    /// found before it is taken: then `v_mv` is the last finite voltage.
    Diverged {
        /// Index of the first bad state.
        state: usize,
        /// 0-based node.
        node: usize,
        /// Membrane potential there, mV (may be NaN or infinite).
        v_mv: f64,
        /// Stability number of the explicit step, where that was the reason.
        stability: Option<f64>,
    },
}

/// Result for one fiber.
#[derive(Clone, Debug, PartialEq)]
pub struct FiberOutcome {
    /// How it ended.
    pub status: FiberStatus,
    /// Observations, one per observer, in their order; everything observed up to the end of the run, or up to the state
    /// before divergence.
    pub observations: Vec<Observation>,
    /// State after the last step; none for fibers that stopped early or diverged, or if none was requested.
    pub state: Option<FiberState>,
}

/// Result of a rollout, one entry per fiber in the rollout's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Per-fiber results.
    pub fibers: Vec<FiberOutcome>,
}

/// The results of all fibers, each of which a backend has put into its place.
///
/// # Errors
/// [`BackendError::NoResult`] naming the first fiber without one: none is ever left out silently.
pub fn every_result<T>(results: Vec<Option<T>>) -> Result<Vec<T>, BackendError> {
    let each = results.into_iter().enumerate();
    each.map(|(fiber, result)| result.ok_or(BackendError::NoResult { fiber }))
        .collect()
}
