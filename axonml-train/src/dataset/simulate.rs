//! Simulating cases, a bounded number at a time.

use std::ops::Range;

use axonml_models::{
    Device, FiberOutcome, NodeSelection, Observation, ObserverKind, ObserverSpec, Simulation,
    SimulationError, VOLTAGE,
};
use ndarray::{Array1, Array2, Array3};

use super::DatasetError;
use super::cases::{Case, Cases, spacing_um};
use super::pipeline::in_order;

/// The recorded part of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Steps between rows, the first row being the start; 0 is taken as 1.
    pub every: usize,
    /// States by name, in this order, `v` (mV) among them; empty: all of the model's, then `v`.
    pub states: Vec<String>,
}

/// One simulated case.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The case's number.
    pub index: usize,
    /// Fiber diameter, um.
    pub diameter_um: f64,
    /// `[node]`: where the nodes lie in the field, um from its middle.
    pub node_z_um: Array1<f64>,
    /// `[contact, node]`: potential at the nodes, mV per mA.
    pub basis_mv_per_ma: Array2<f32>,
    /// `[contact, step]`: current in mA in the step `t_k -> t_(k+1)`.
    pub waveforms_ma: Array2<f32>,
    /// `[row, state, node]`: the recorded states.
    pub states: Array3<f32>,
}

impl Trace {
    /// `[step, node]`: the extracellular potential in each step, mV.
    pub fn ve_mv(&self) -> Array2<f32> {
        self.waveforms_ma.t().dot(&self.basis_mv_per_ma)
    }

    /// Adds contacts that deliver nothing, up to `contacts`.
    #[cfg(feature = "hdf5")]
    pub(super) fn widen(&mut self, contacts: usize) {
        let wide = |rows: &Array2<f32>| {
            let mut wide = Array2::zeros((contacts, rows.ncols()));
            wide.iter_mut().zip(rows).for_each(|(to, from)| *to = *from);
            wide
        };
        self.basis_mv_per_ma = wide(&self.basis_mv_per_ma);
        self.waveforms_ma = wide(&self.waveforms_ma);
    }
}

/// Fibers simulated by one task: a few groups of lanes, so that the model's set-up does not count, and few enough that
/// their recordings stay small.
const TASK: usize = 16;
/// Bytes of recordings on a device at once, and the least and most fibers that makes.
const DEVICE_BYTES: usize = 1 << 29;
const DEVICE_FIBERS: (usize, usize) = (64, 8192);

/// Fibers whose traces are in memory at once while the processor simulates.
pub(super) fn at_once() -> usize {
    2 * rayon::current_num_threads() * TASK
}

impl Recording {
    /// The recording with its defaults filled in.
    ///
    /// # Errors
    /// [`DatasetError::MissingState`] for a state that the recipe's model does not have;
    /// [`DatasetError::Recipe`] for one that is named twice.
    pub fn resolve(&self, cases: &Cases) -> Result<Recording, DatasetError> {
        let schema = cases.recipe().schema()?;
        let all = || schema.states.iter().map(|name| &**name).chain([VOLTAGE]);
        let states: Vec<String> = match self.states.is_empty() {
            true => all().map(str::to_owned).collect(),
            false => self.states.clone(),
        };
        for (index, state) in states.iter().enumerate() {
            if !all().any(|known| known == state) {
                return Err(DatasetError::MissingState {
                    path: format!("model {}", schema.id),
                    state: state.clone(),
                    available: all().map(str::to_owned).collect(),
                });
            }
            if states[..index].contains(state) {
                return Err(DatasetError::recipe("states", state, "each state once"));
            }
        }
        let every = self.every.max(1);
        if every > cases.grid().steps() {
            return Err(DatasetError::recipe(
                "every",
                every,
                format!("at most the {} steps of a run", cases.grid().steps()),
            ));
        }
        Ok(Recording { every, states })
    }

    /// Times of the rows, ms, of a recording that was resolved.
    pub fn t_ms(&self, cases: &Cases) -> Vec<f64> {
        let grid = cases.grid();
        (0..=grid.steps())
            .step_by(self.every.max(1))
            .map(|step| grid.time_ms(step))
            .collect()
    }

    fn observer(&self) -> ObserverSpec {
        ObserverSpec::new(
            ObserverKind::Traces {
                quantities: self.states.clone(),
                every: self.every,
            },
            NodeSelection::All,
        )
    }
}

impl Cases {
    /// Simulates a range of cases and passes them to `each` in their order, whatever the number of threads. A bounded
    /// number of them is in memory at a time.
    ///
    /// # Errors
    /// [`DatasetError::Diverged`] for a case whose solution diverged, and errors that `each` returns: both end the
    /// work.
    pub fn simulate(
        &self,
        range: Range<usize>,
        device: &Device,
        recording: &Recording,
        each: &mut dyn FnMut(Trace) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        let indices: Vec<usize> = range.collect();
        self.simulate_cases(&indices, device, recording, each)
    }

    /// As [`Cases::simulate`], for cases in any order.
    ///
    /// # Errors
    /// As [`Cases::simulate`].
    pub fn simulate_cases(
        &self,
        indices: &[usize],
        device: &Device,
        recording: &Recording,
        each: &mut dyn FnMut(Trace) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        let recording = recording.resolve(self)?;
        // Tasks run side by side on the processor; a device is better served with one large batch.
        let (task, ahead) = match device.name().starts_with("cpu") {
            true => (TASK, 2 * rayon::current_num_threads()),
            false => (self.device_batch(&recording), 1),
        };
        in_order(
            indices.chunks(task),
            ahead,
            |indices| self.task(indices, device, &recording),
            |traces| traces?.into_iter().try_for_each(&mut *each),
        )
    }

    /// Fibers that a device simulates at once.
    fn device_batch(&self, recording: &Recording) -> usize {
        let rows = self.grid().steps() / recording.every + 1;
        let bytes = rows * recording.states.len() * self.recipe().nodes * size_of::<f64>();
        (DEVICE_BYTES / bytes).clamp(DEVICE_FIBERS.0, DEVICE_FIBERS.1)
    }

    fn task(
        &self,
        indices: &[usize],
        device: &Device,
        recording: &Recording,
    ) -> Result<Vec<Trace>, DatasetError> {
        let cases: Vec<Case> = indices
            .iter()
            .map(|&index| self.case(index))
            .collect::<Result<_, _>>()?;
        let (simulation, stimulus) = self.exact(&cases, device)?;
        let outcome = simulation.run(&stimulus, 1.0, &[recording.observer()])?;
        outcome
            .fibers
            .into_iter()
            .zip(&cases)
            .enumerate()
            .map(|(fiber, (outcome, case))| {
                self.trace(&simulation, fiber, outcome, case, recording)
            })
            .collect()
    }

    fn trace(
        &self,
        simulation: &Simulation,
        fiber: usize,
        outcome: FiberOutcome,
        case: &Case,
        recording: &Recording,
    ) -> Result<Trace, DatasetError> {
        if let Some(mut source) = simulation.divergence(fiber, outcome.status) {
            if let SimulationError::Diverged { fiber, .. } = &mut source {
                *fiber = case.index;
            }
            return Err(DatasetError::Diverged {
                case: case.index,
                diameter_um: case.diameter_um,
                source: Box::new(source),
            });
        }
        let Some(Observation::Traced(traces)) = outcome.observations.into_iter().next() else {
            unreachable!("traces observe traces");
        };
        let shape = (
            traces.t_ms.len(),
            recording.states.len(),
            self.recipe().nodes,
        );
        let states = Array3::from_shape_vec(shape, traces.values);
        let nodes_um = simulation.nodes_um(fiber);
        let spacing_um = spacing_um(simulation, fiber);
        let basis = self.basis_mv_per_ma(case, &nodes_um, spacing_um)?;
        let offset_um = case.offset_spacings * spacing_um;
        Ok(Trace {
            index: case.index,
            diameter_um: case.diameter_um,
            node_z_um: nodes_um.iter().map(|z| z + offset_um).collect(),
            basis_mv_per_ma: padded(&basis, self.contacts()),
            waveforms_ma: padded(&case.waveforms_ma, self.contacts()),
            states: states.expect("as many numbers as rows, states and nodes"),
        })
    }
}

/// `[contact, _]` in single precision with rows of 0 for the contacts that are not there.
fn padded(rows: &Array2<f64>, contacts: usize) -> Array2<f32> {
    let mut padded = Array2::zeros((contacts, rows.ncols()));
    padded
        .iter_mut()
        .zip(rows)
        .for_each(|(to, from)| *to = *from as f32);
    padded
}
