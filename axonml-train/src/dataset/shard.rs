//! One shard: its arrays, how they are written and how they are read.

use std::collections::BTreeMap;
use std::path::Path;

use axonml_files::StagedFolder;

use super::manifest::{ShardRecord, shard_name};
use super::npy::{self, Rows};
use super::sizes::{BASIS, DIAMETER, NODE_Z, STATES, Sizes, TIME, WAVEFORMS};
use super::{DatasetError, FileRecord, Trace};

/// The arrays of a shard under construction.
#[derive(Debug, Default)]
pub(super) struct Shard {
    diameter_um: Vec<f64>,
    node_z_um: Vec<f64>,
    basis_mv_per_ma: Vec<f32>,
    waveforms_ma: Vec<f32>,
    states: Vec<f32>,
}

impl Shard {
    pub(super) fn push(&mut self, trace: &Trace) {
        self.diameter_um.push(trace.diameter_um);
        self.node_z_um.extend(&trace.node_z_um);
        self.basis_mv_per_ma.extend(&trace.basis_mv_per_ma);
        self.waveforms_ma.extend(&trace.waveforms_ma);
        match trace.states.as_slice() {
            Some(states) => self.states.extend_from_slice(states),
            None => self.states.extend(&trace.states),
        }
    }

    /// Writes the shard under a temporary name and renames it when it is complete.
    pub(super) fn write(
        &self,
        folder: &Path,
        index: usize,
        first: usize,
        t_ms: &[f64],
        sizes: &Sizes,
    ) -> Result<ShardRecord, DatasetError> {
        let name = shard_name(index);
        let path = folder.join(&name);
        let staged = StagedFolder::create(&path).map_err(DatasetError::write(&path))?;
        let files = self.write_files(staged.path(), t_ms, sizes)?;
        // A finished shard that the manifest does not list is replaced: it is the same, but has no checksum.
        staged.commit().map_err(DatasetError::write(&path))?;
        Ok(ShardRecord {
            name,
            first,
            fibers: sizes.fibers,
            contacts: sizes.contacts,
            files,
        })
    }

    fn write_files(
        &self,
        folder: &Path,
        t_ms: &[f64],
        sizes: &Sizes,
    ) -> Result<BTreeMap<String, FileRecord>, DatasetError> {
        let mut files = BTreeMap::new();
        let mut keep = |file: &str, record: FileRecord| files.insert(file.to_owned(), record);
        let at = |file: &str| folder.join(file);
        keep(TIME, npy::write(&at(TIME), &sizes.time(), t_ms)?);
        keep(
            DIAMETER,
            npy::write(&at(DIAMETER), &sizes.diameter(), &self.diameter_um)?,
        );
        keep(
            NODE_Z,
            npy::write(&at(NODE_Z), &sizes.node_z(), &self.node_z_um)?,
        );
        keep(
            BASIS,
            npy::write(&at(BASIS), &sizes.basis(), &self.basis_mv_per_ma)?,
        );
        keep(
            WAVEFORMS,
            npy::write(&at(WAVEFORMS), &sizes.waveforms(), &self.waveforms_ma)?,
        );
        keep(
            STATES,
            npy::write(&at(STATES), &sizes.states(), &self.states)?,
        );
        Ok(files)
    }
}

/// A shard opened for reading.
pub(super) struct ShardReader {
    diameter: Rows<f64>,
    node_z: Rows<f64>,
    basis: Rows<f32>,
    waveforms: Rows<f32>,
    states: Rows<f32>,
}

/// The values of one fiber, as stored in the files.
#[derive(Debug, Default)]
pub(super) struct FiberNumbers {
    pub(super) diameter_um: Vec<f64>,
    pub(super) node_z_um: Vec<f64>,
    pub(super) basis_mv_per_ma: Vec<f32>,
    pub(super) waveforms_ma: Vec<f32>,
    pub(super) states: Vec<f32>,
}

impl ShardReader {
    pub(super) fn open(folder: &Path, sizes: &Sizes) -> Result<Self, DatasetError> {
        Ok(ShardReader {
            diameter: Rows::open(&folder.join(DIAMETER), &sizes.diameter())?,
            node_z: Rows::open(&folder.join(NODE_Z), &sizes.node_z())?,
            basis: Rows::open(&folder.join(BASIS), &sizes.basis())?,
            waveforms: Rows::open(&folder.join(WAVEFORMS), &sizes.waveforms())?,
            states: Rows::open(&folder.join(STATES), &sizes.states())?,
        })
    }

    /// Reads the `row`-th fiber.
    pub(super) fn read(&mut self, row: usize) -> Result<FiberNumbers, DatasetError> {
        let mut numbers = FiberNumbers::default();
        self.diameter.read(row, 1, &mut numbers.diameter_um)?;
        self.node_z.read(row, 1, &mut numbers.node_z_um)?;
        self.basis.read(row, 1, &mut numbers.basis_mv_per_ma)?;
        self.waveforms.read(row, 1, &mut numbers.waveforms_ma)?;
        self.states.read(row, 1, &mut numbers.states)?;
        Ok(numbers)
    }
}
