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
    /// Work cannot be kept, or what was kept is of other work.
    #[error("{0}")]
    Keep(String),
}

impl DesignError {
    /// Whether work ended because it was canceled.
    pub fn is_canceled(&self) -> bool {
        matches!(self, DesignError::Simulation(error) if error.is_canceled())
    }
}
