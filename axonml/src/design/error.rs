//! Why a stimulus cannot be designed.

use axonml_core::CoreError;
use axonml_models::SimulationError;
use axonml_optimize::OptimizeError;
use thiserror::Error;

/// Why a stimulus cannot be designed.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum DesignError {
    /// A number of the request is impossible.
    #[error(transparent)]
    Request(#[from] CoreError),
    /// A simulation failed or was canceled.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A setting of an optimizer makes no sense, or a start is no point: all of its currents are 0, or one is no number.
    #[error(transparent)]
    Optimizer(#[from] OptimizeError),
    /// There is no start, or none with a score.
    #[error("found no start of which thresholds are known; give currents that activate fibers")]
    NoStart,
    /// Two limits of a stimulator of which no stimulus obeys both, or none but one that delivers nothing.
    #[error("{first} contradicts {second}: found {found}, expected {expected}; {remedy}")]
    Contradiction {
        /// One of the limits.
        first: String,
        /// The other.
        second: String,
        /// The numbers that do not fit.
        found: String,
        /// The numbers that would.
        expected: String,
        /// How to fix the request.
        remedy: String,
    },
    /// A fiber fires without any stimulus: there is no stimulus that spares it, and none that activates it.
    #[error("fiber {fiber} fires without stimulus; leave it out, or change its membrane or start")]
    Spontaneous {
        /// The fiber.
        fiber: usize,
    },
    /// The solution of a fiber diverged in a search for its threshold.
    #[error(
        "fiber {fiber} diverged at {amplitude_ma} times stimulus {candidate}; reduce the time step, or the largest amplitude"
    )]
    Diverged {
        /// The stimulus, counted from 0.
        candidate: usize,
        /// The fiber.
        fiber: usize,
        /// Multiple of the stimulus at which it diverged.
        amplitude_ma: f64,
    },
}
