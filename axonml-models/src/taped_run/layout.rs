//! Layout of a run's results in one array, and its inverse for the adjoint pass.

use axonml_autodiff::adjoint::{Evaluation, RecordedCotangent};
use axonml_autodiff::engine::{FiberOutcome, FiberState, Observation};
use axonml_autodiff::tape::Tensor;
use axonml_core::CoreError;
use ndarray::{Array1, ArrayView1, Axis, Slice};

use super::{StateTensors, Trajectories};
use crate::SimulationError;

/// Layout of a fiber's results in one row: voltage, recorded states, then the last state, its states and modes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    t_ms: Vec<f64>,
    nodes: usize,
    recorded: usize,
    last: Option<LastLayout>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct LastLayout {
    nodes: usize,
    states: usize,
    modes: usize,
}

impl Layout {
    /// Of outcomes with one recorder.
    pub(super) fn new(outcomes: &[FiberOutcome], last: bool) -> Result<Layout, SimulationError> {
        let of = |outcome: &FiberOutcome| {
            let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
                unreachable!("the only observer is a recorder")
            };
            let last = outcome
                .state
                .as_ref()
                .filter(|_| last)
                .map(|state| LastLayout {
                    nodes: state.v_mv.len(),
                    states: state.states.len(),
                    modes: state.modes.len(),
                });
            Layout {
                t_ms: recording.t_ms.clone(),
                nodes: recording.nodes.len(),
                recorded: recording.states.len(),
                last,
            }
        };
        let mut all = outcomes.iter().map(of).enumerate();
        let Some((_, first)) = all.next() else {
            return Ok(Layout {
                t_ms: Vec::new(),
                nodes: 0,
                recorded: 0,
                last: None,
            });
        };
        match all.find(|(_, own)| own.nodes != first.nodes || own.last != first.last) {
            None => Ok(first),
            Some((fiber, own)) => Err(SimulationError::Core(CoreError::Shape {
                what: format!("the recording of fiber {fiber}"),
                expected: format!("{} nodes, as of fiber 0", first.nodes),
                found: match own.nodes == first.nodes {
                    true => "another number of nodes in all".into(),
                    false => own.nodes.to_string(),
                },
            })),
        }
    }

    fn array(&self) -> usize {
        self.t_ms.len() * self.nodes
    }

    pub(super) fn len(&self) -> usize {
        let last = self
            .last
            .map_or(0, |last| last.nodes * (1 + last.states) + last.modes);
        self.array() * (1 + self.recorded) + last
    }

    pub(super) fn flatten(&self, outcome: &FiberOutcome) -> Array1<f64> {
        let mut flat = Vec::with_capacity(self.len());
        if let Some(Observation::Recorded(recording)) = outcome.observations.first() {
            flat.extend(&recording.v_mv);
            recording.states.iter().for_each(|state| flat.extend(state));
        }
        if let (Some(_), Some(state)) = (self.last, &outcome.state) {
            flat.extend(&state.v_mv);
            state.states.iter().for_each(|values| flat.extend(values));
            flat.extend(&state.modes);
        }
        Array1::from(flat)
    }

    /// The parts of a tensor `[fiber, all]` with this layout.
    pub(super) fn tensors<'t>(&self, flat: Tensor<'t>, fibers: usize) -> Trajectories<'t> {
        let mut at = 0;
        let mut part = |shape: &[usize]| {
            let length: usize = shape.iter().product();
            let tensor = flat.slice_axis(1, at..at + length);
            at += length;
            tensor.reshape(&[&[fibers], shape].concat())
        };
        let rows = [self.t_ms.len(), self.nodes];
        Trajectories {
            t_ms: self.t_ms.clone(),
            v_mv: part(&rows),
            states: (0..self.recorded).map(|_| part(&rows)).collect(),
            last: self.last.map(|last| StateTensors {
                v_mv: part(&[last.nodes]),
                states: part(&[last.states, last.nodes]),
                modes: part(&[last.modes]),
            }),
        }
    }

    /// The loss cotangents of a fiber from its row of the array.
    pub(super) fn evaluation(&self, bar: ArrayView1<'_, f64>) -> Evaluation {
        let mut at = 0;
        let mut part = |length: usize| {
            let part = bar
                .slice_axis(Axis(0), Slice::from(at..at + length))
                .to_vec();
            at += length;
            part
        };
        let recorded = RecordedCotangent {
            v_mv: part(self.array()),
            states: (0..self.recorded).map(|_| part(self.array())).collect(),
        };
        Evaluation {
            loss: 0.0,
            recorded: vec![Some(recorded)],
            state: self.last.map(|last| FiberState {
                v_mv: part(last.nodes),
                states: (0..last.states).map(|_| part(last.nodes)).collect(),
                modes: part(last.modes),
            }),
        }
    }
}
