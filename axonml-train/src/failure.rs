//! Distinguishes failures of the work from errors of the request.

use axonml_models::SimulationError;

/// Whether a simulation with values that were computed, not requested, failed.
pub(crate) fn simulation_failed(error: &SimulationError) -> bool {
    matches!(
        error,
        SimulationError::Backend(_)
            | SimulationError::Diverged { .. }
            | SimulationError::Unstable { .. }
            | SimulationError::GradientNotFinite { .. }
            | SimulationError::NoThreshold { .. }
            | SimulationError::Geometry { .. }
    )
}
