//! Seed cotangents: those of recordings, aligned with the states that were recorded.

use crate::adjoint::Evaluation;
use crate::engine::BackendError;
use crate::engine::{FiberState, Rollout};
use crate::engine::{Observation, ObserverKind, Recording};

/// Seed cotangents of the states of one fiber.
#[derive(Clone, Debug, Default)]
pub struct Seeds {
    recorded: Vec<RecordedSeeds>,
    last: Option<FiberState>,
    /// Sum of the cotangents of all voltages.
    total_v: f64,
}

/// Seed cotangents of one recorder's rows.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSeeds {
    /// Index of the recorder among the observers.
    pub observer: usize,
    /// Nodes of the columns; a node may come more than once.
    pub nodes: Vec<usize>,
    /// First recorded state.
    pub first: usize,
    /// States from one row to the next.
    pub every: usize,
    /// Cotangents of the voltages, `[row, node]`; empty for zeros.
    pub v_mv: Vec<f64>,
    /// Index of a state variable, and its cotangents, `[row, node]`.
    pub states: Vec<(usize, Vec<f64>)>,
}

impl Seeds {
    /// Validates the loss cotangents of fiber `fiber`, whose observers returned `observations`, and aligns them with
    /// time steps.
    ///
    /// # Errors
    /// [`BackendError::Shape`] or [`BackendError::Unsupported`] if the loss cotangents do not match the shape of the
    /// recording.
    pub fn new(
        rollout: &Rollout,
        fiber: usize,
        observations: &[Observation],
        evaluation: Evaluation,
    ) -> Result<Self, BackendError> {
        let shape = |what: String, expected: usize, found: usize| match expected == found {
            true => Ok(()),
            false => Err(BackendError::Shape {
                what,
                expected,
                found,
            }),
        };
        let mut seeds = Seeds {
            recorded: Vec::new(),
            last: evaluation.state,
            total_v: 0.0,
        };
        for (index, cotangent) in evaluation.recorded.into_iter().enumerate() {
            let Some(cotangent) = cotangent else { continue };
            let (
                Some(Observation::Recorded(recording)),
                Some(ObserverKind::Recorder { states, every }),
            ) = (
                observations.get(index),
                rollout.observers.get(index).map(|observer| &observer.kind),
            )
            else {
                return Err(BackendError::Unsupported(format!(
                    "the objective differentiates observer {index}, which is not a recorder"
                )));
            };
            let size = recording.v_mv.len();
            let what = |of: &str| {
                format!("cotangents of {of} recorded by observer {index} in fiber {fiber}")
            };
            if !cotangent.v_mv.is_empty() {
                shape(what("the voltages"), size, cotangent.v_mv.len())?;
            }
            if !cotangent.states.is_empty() {
                shape(what("the states"), states.len(), cotangent.states.len())?;
            }
            let mut of_states = Vec::new();
            for (name, values) in states.iter().zip(cotangent.states) {
                if values.is_empty() {
                    continue;
                }
                shape(what(&format!("`{name}`")), size, values.len())?;
                let state = rollout.membrane.states.iter().position(|s| s == name);
                of_states.extend(state.map(|state| (state, values)));
            }
            seeds.recorded.push(RecordedSeeds {
                observer: index,
                nodes: recording.nodes.clone(),
                first: first_recorded(rollout, index, *every, recording),
                every: *every,
                v_mv: cotangent.v_mv,
                states: of_states,
            });
        }
        if let Some(state) = &seeds.last {
            let cable = &rollout.fibers[fiber].cable;
            let what = |of: &str| format!("cotangents of the last {of} of fiber {fiber}");
            shape(what("voltages"), cable.nodes(), state.v_mv.len())?;
            shape(
                what("states"),
                rollout.membrane.states.len(),
                state.states.len(),
            )?;
            for values in &state.states {
                shape(what("states"), cable.nodes(), values.len())?;
            }
            shape(what("modes"), cable.mode_count(), state.modes.len())?;
        }
        let recorded = seeds.recorded.iter().flat_map(|r| &r.v_mv).sum::<f64>();
        seeds.total_v = recorded + seeds.last.iter().flat_map(|s| &s.v_mv).sum::<f64>();
        Ok(seeds)
    }

    /// Returns the sum of the cotangents of all voltages: the derivative by a common shift.
    pub fn total_v(&self) -> f64 {
        self.total_v
    }

    /// Returns the cotangents of the state after the last step, if the loss depends on it.
    pub fn last(&self) -> Option<&FiberState> {
        self.last.as_ref()
    }

    /// Returns the cotangents of recordings, in the observers' order.
    pub fn recorded(&self) -> &[RecordedSeeds] {
        &self.recorded
    }

    /// Takes the cotangents of recordings out of the seeds.
    pub fn take_recorded(&mut self) -> Vec<RecordedSeeds> {
        std::mem::take(&mut self.recorded)
    }
}

/// Returns the state of a recorder's first row: later than its requested begin if the run continued another.
fn first_recorded(rollout: &Rollout, index: usize, every: usize, recording: &Recording) -> usize {
    let first = rollout.observers[index].first_state(&rollout.grid);
    match recording.t_ms.first() {
        Some(&t_ms) => {
            let state = (t_ms / rollout.grid.dt_ms()).round() as usize;
            debug_assert!(state >= first && (state - first).is_multiple_of(every));
            state
        }
        None => first,
    }
}
