//! Errors of threshold fits.

use axonml_models::SimulationError;
use thiserror::Error;

use crate::dataset::DatasetError;
use crate::failure::simulation_failed;

/// Errors of a threshold fit.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe or one of its cases is invalid.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A simulation could not be run.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// Too few of the exact fibers have a threshold.
    #[error(
        "only {found} of {of} cases of the recipe have a threshold up to {max_ma} mA; widen its pulses or its amplitudes"
    )]
    TooFewCases {
        /// Cases with a threshold.
        found: usize,
        /// Cases drawn.
        of: usize,
        /// Largest amplitude tried, mA.
        max_ma: f64,
    },
    /// The surrogate has no threshold in most cases.
    #[error(
        "the surrogate has a threshold in {found} of {of} cases only ({reasons}); start from other weights, or fit trajectories first"
    )]
    Inexcitable {
        /// Cases in which it has one.
        found: usize,
        /// Cases.
        of: usize,
        /// The statuses of the others.
        reasons: String,
    },
    /// The state is of another fit.
    #[error(
        "the saved state has {found} {what}, this fit {expected}: it belongs to another configuration"
    )]
    State {
        /// The thing whose number differs.
        what: &'static str,
        /// Its number here.
        expected: usize,
        /// In the state.
        found: usize,
    },
}

impl FitError {
    /// Whether the work failed, rather than the request or its files being wrong.
    pub fn is_failure(&self) -> bool {
        match self {
            FitError::Dataset(error) => error.is_failure(),
            FitError::Simulation(error) => simulation_failed(error),
            FitError::Inexcitable { .. } => true,
            FitError::TooFewCases { .. } | FitError::State { .. } => false,
        }
    }
}
