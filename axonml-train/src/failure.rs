//! Whether work failed, or what was asked of it was wrong.

use axonml_models::SimulationError;

/// Whether a simulation of numbers that were found, not asked for, went wrong.
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
