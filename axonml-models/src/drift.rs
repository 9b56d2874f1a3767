//! How far fibers move from their published start by themselves.

use axonml_autodiff::engine::{NodeSelection, Observation, ObserverKind, ObserverSpec};

use crate::{
    Device, Ends, Fiber, FiberModel, InitialState, Settings, Simulation, SimulationError, Stimulus,
};

/// Time that a fiber is looked at, ms.
pub const DRIFT_MS: f64 = 20.0;

/// The largest change of a model's membrane potential within [`DRIFT_MS`] of its published start without stimulus, mV, with
/// its sign; of a short fiber of this diameter, with the steps, weights, parameters and temperature of `settings`.
///
/// A model that moves by more than a millivolt does not rest where its publication starts it: its thresholds depend on when
/// the stimulus comes, and a steady-state start ([`InitialState::Settled`]) is advisable.
///
/// # Errors
/// As [`Simulation::new`] and [`Simulation::run`]; [`SimulationError::Diverged`].
pub fn drift_mv(
    model: &dyn FiberModel,
    diameter_um: f64,
    settings: &Settings,
    device: &Device,
) -> Result<f64, SimulationError> {
    let settings = Settings {
        tstop_ms: DRIFT_MS,
        start: InitialState::Declared,
        ends: Ends::Active,
        ..settings.clone()
    };
    // Active ends are sealed: the middle of a uniform fiber is like any other place.
    let fibers = vec![Fiber::new(diameter_um, 3)];
    let simulation = Simulation::new(model, fibers, &settings, device)?;
    let recorder = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let middle = ObserverSpec::new(recorder, NodeSelection::Nodes(vec![1]));
    let outcome = simulation.run(&Stimulus::none(1), 0.0, &[middle])?;
    let Some(Observation::Recorded(recording)) = outcome.fibers[0].observations.first() else {
        return Ok(0.0);
    };
    let Some((start, later)) = recording.v_mv.split_first() else {
        return Ok(0.0);
    };
    let changes = later.iter().map(|v| v - start);
    let largest = changes.fold(
        0.0_f64,
        |most, x| if x.abs() > most.abs() { x } else { most },
    );
    simulation.completed_states(outcome)?;
    Ok(largest)
}
