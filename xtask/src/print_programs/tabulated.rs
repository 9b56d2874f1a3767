//! Steps with tables of rates.

use std::sync::Arc;

use axonml_autodiff::engine::{Rates, TabulatedStep};
use axonml_models::{
    Device, Fiber, FiberModel, Precision, RateEvaluation, Settings, Simulation, SimulationError,
};

/// The step of a model with tables, by the default settings: which functions fit depends on the model's numbers, and on the
/// time step.
pub(super) fn step(
    model: &dyn FiberModel,
    diameter_um: f64,
    device: &Device,
) -> Result<Arc<TabulatedStep>, SimulationError> {
    let settings = Settings {
        precision: Precision::F32,
        rates: RateEvaluation::Table,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(diameter_um, 21)];
    let simulation = Simulation::new(model, fibers, &settings, device)?;
    match simulation.rates() {
        Rates::Table(step) => Ok(step.clone()),
        Rates::Exact => unreachable!("the settings ask for tables"),
    }
}
