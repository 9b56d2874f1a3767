//! What the objective says about recorded numbers, brought to the states they were recorded at.

use axonml_autodiff::{
    BackendError, Evaluation, FiberState, Observation, ObserverKind, Real, Recording, Rollout,
};

/// Cotangents of one lane's states.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    recorded: Vec<Recorded>,
    last: Option<FiberState>,
}

/// Cotangents of what one recorder saw.
#[derive(Debug)]
struct Recorded {
    nodes: Vec<usize>,
    /// First recorded state, and states from one row to the next.
    first: usize,
    every: usize,
    v_mv: Vec<f64>,
    /// Index of the state variable, and its cotangents.
    states: Vec<(usize, Vec<f64>)>,
}

impl Seeds {
    /// Takes an objective's word on fibre `fiber`, which saw `observations`.
    ///
    /// # Errors
    /// [`BackendError::Shape`] or [`BackendError::Unsupported`] if it does not fit what was recorded.
    pub(super) fn new(
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
                format!("cotangents of {of} recorded by observer {index} in fibre {fiber}")
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
            seeds.recorded.push(Recorded {
                nodes: recording.nodes.clone(),
                first: first_recorded(rollout, index, *every, recording),
                every: *every,
                v_mv: cotangent.v_mv,
                states: of_states,
            });
        }
        if let Some(state) = &seeds.last {
            let cable = &rollout.fibers[fiber].cable;
            let what = |of: &str| format!("cotangents of the last {of} of fibre {fiber}");
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
        Ok(seeds)
    }

    /// Sum of the cotangents of all voltages: what a shift of every one of them does.
    pub(super) fn total_v(&self) -> f64 {
        let recorded = self.recorded.iter().flat_map(|r| &r.v_mv).sum::<f64>();
        recorded + self.last.iter().flat_map(|s| &s.v_mv).sum::<f64>()
    }

    /// Adds the cotangents of state `state` to arrays `[node][lane]` of `lanes` lanes.
    pub(super) fn add<R: Real>(
        &self,
        state: usize,
        lane: usize,
        lanes: usize,
        u: &mut [R],
        states: &mut [Vec<R>],
    ) {
        for recorded in &self.recorded {
            let since = match state.checked_sub(recorded.first) {
                Some(since) if since % recorded.every == 0 => since / recorded.every,
                _ => continue,
            };
            let width = recorded.nodes.len();
            let row = since * width..(since + 1) * width;
            let scatter = |values: &[f64], to: &mut [R]| {
                for (&node, &value) in recorded
                    .nodes
                    .iter()
                    .zip(values.get(row.clone()).unwrap_or(&[]))
                {
                    to[node * lanes + lane] += R::from_f64(value);
                }
            };
            scatter(&recorded.v_mv, u);
            for (index, values) in &recorded.states {
                scatter(values, &mut states[*index]);
            }
        }
    }

    /// Adds the cotangents of the state after the last step; `z` are the modes, `[internode, mode][lane]`.
    pub(super) fn add_last<R: Real>(
        &self,
        lane: usize,
        lanes: usize,
        u: &mut [R],
        states: &mut [Vec<R>],
        z: &mut [R],
    ) {
        let Some(last) = &self.last else { return };
        let add = |values: &[f64], to: &mut [R]| {
            for (index, &value) in values.iter().enumerate() {
                to[index * lanes + lane] += R::from_f64(value);
            }
        };
        add(&last.v_mv, u);
        for (values, to) in last.states.iter().zip(states) {
            add(values, to);
        }
        add(&last.modes, z);
    }
}

/// The state that a recorder's first row shows: later than it was asked to begin if the run went on from another.
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
