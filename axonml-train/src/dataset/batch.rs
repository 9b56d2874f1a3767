//! Batches for training: cases by number, from a recipe or from a folder.

use std::path::Path;

use axonml_models::Device;
use ndarray::{Array2, Array3, Array4, Axis};

use super::{Cases, Dataset, DatasetError, Recipe, Recording, Trace};

/// The source of cases.
#[non_exhaustive]
pub enum Source {
    /// A recipe: every batch is simulated again, nothing is stored.
    Recipe {
        /// The cases.
        cases: Cases,
        /// The device that simulates them.
        device: Device,
        /// The recorded part of the simulations.
        recording: Recording,
    },
    /// A folder.
    Folder(Dataset),
}

/// Some cases, as arrays over all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[fiber]`: the indices of the cases.
    pub indices: Vec<usize>,
    /// `[fiber]`: fiber diameter, um.
    pub diameters_um: Vec<f64>,
    /// `[fiber, node]`: where the nodes lie in the field, um from its middle.
    pub node_z_um: Array2<f64>,
    /// `[fiber, contact, node]`: potential at the nodes, mV per mA.
    pub basis_mv_per_ma: Array3<f32>,
    /// `[fiber, contact, step]`: current in mA in the step `t_k -> t_(k+1)`.
    pub waveforms_ma: Array3<f32>,
    /// `[fiber, row, state, node]`: states in the order of [`Source::states`].
    pub states: Array4<f32>,
    /// `[row]`: times of the rows, ms; the first is the start.
    pub t_ms: Vec<f64>,
}

impl Source {
    /// Cases simulated on request; relative nerve folders lie in the working folder.
    ///
    /// # Errors
    /// As [`Cases::open`] and [`Recording::resolve`].
    pub fn from_recipe(
        recipe: &Recipe,
        device: &Device,
        recording: Recording,
    ) -> Result<Self, DatasetError> {
        let cases = Cases::open(recipe, Path::new(""))?;
        Ok(Source::Recipe {
            recording: recording.resolve(&cases)?,
            device: device.clone(),
            cases,
        })
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        match self {
            Source::Recipe { cases, .. } => cases.recipe().count,
            Source::Folder(set) => set.len(),
        }
    }

    /// Whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the recorded states in their order, `v` (mV) among them.
    pub fn states(&self) -> &[String] {
        match self {
            Source::Recipe { recording, .. } => &recording.states,
            Source::Folder(set) => &set.request().states,
        }
    }

    /// Time step, ms.
    pub fn dt_ms(&self) -> f64 {
        match self {
            Source::Recipe { cases, .. } => cases.recipe().dt_ms,
            Source::Folder(set) => set.request().dt_ms,
        }
    }

    /// Steps between rows.
    pub fn every(&self) -> usize {
        match self {
            Source::Recipe { recording, .. } => recording.every,
            Source::Folder(set) => set.request().every,
        }
    }

    /// Nodes of each fiber.
    pub fn nodes(&self) -> usize {
        match self {
            Source::Recipe { cases, .. } => cases.recipe().nodes,
            Source::Folder(set) => set.request().nodes,
        }
    }

    /// Times of the rows, ms.
    pub fn t_ms(&self) -> Vec<f64> {
        match self {
            Source::Recipe {
                cases, recording, ..
            } => recording.t_ms(cases),
            Source::Folder(set) => set.t_ms(),
        }
    }

    /// The cases with these numbers, in their order; a recipe's and its folder's are the same bits.
    ///
    /// # Errors
    /// [`DatasetError::NoFiber`], and those of [`Cases::simulate`] and [`Dataset::fiber`].
    pub fn batch(&self, indices: &[usize]) -> Result<Batch, DatasetError> {
        if let Some(&fiber) = indices.iter().find(|&&index| index >= self.len()) {
            let count = self.len();
            return Err(DatasetError::NoFiber { fiber, count });
        }
        let mut traces = Vec::with_capacity(indices.len());
        let mut keep = |trace: Trace| {
            traces.push(trace);
            Ok(())
        };
        match self {
            Source::Recipe {
                cases,
                device,
                recording,
            } => cases.simulate_cases(indices, device, recording, &mut keep)?,
            Source::Folder(set) => set.read(indices, &mut keep)?,
        }
        let contacts = match self {
            Source::Recipe { cases, .. } => cases.contacts(),
            Source::Folder(set) => set.contacts(),
        };
        let (fibers, nodes) = (traces.len(), self.nodes());
        let steps = traces.first().map_or(0, |trace| trace.waveforms_ma.ncols());
        let t_ms = self.t_ms();
        let mut batch = Batch {
            indices: indices.to_vec(),
            diameters_um: traces.iter().map(|trace| trace.diameter_um).collect(),
            node_z_um: Array2::zeros((fibers, nodes)),
            basis_mv_per_ma: Array3::zeros((fibers, contacts, nodes)),
            waveforms_ma: Array3::zeros((fibers, contacts, steps)),
            states: Array4::zeros((fibers, t_ms.len(), self.states().len(), nodes)),
            t_ms,
        };
        for (fiber, trace) in traces.into_iter().enumerate() {
            let axis = Axis(0);
            batch
                .node_z_um
                .index_axis_mut(axis, fiber)
                .assign(&trace.node_z_um);
            let mut basis = batch.basis_mv_per_ma.index_axis_mut(axis, fiber);
            basis.assign(&trace.basis_mv_per_ma);
            let mut waveforms = batch.waveforms_ma.index_axis_mut(axis, fiber);
            waveforms.assign(&trace.waveforms_ma);
            batch
                .states
                .index_axis_mut(axis, fiber)
                .assign(&trace.states);
        }
        Ok(batch)
    }
}

impl Batch {
    /// Number of fibers.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no fiber.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// `[step, node]`: the extracellular potential of a fiber in each step, mV.
    ///
    /// # Panics
    /// If the batch has no such fiber.
    pub fn ve_mv(&self, fiber: usize) -> Array2<f32> {
        let waveforms = self.waveforms_ma.index_axis(Axis(0), fiber);
        let basis = self.basis_mv_per_ma.index_axis(Axis(0), fiber);
        waveforms.t().dot(&basis)
    }
}
