//! The files of a shard: their names, and the sizes of the arrays in them.

use super::{Request, npy};

pub(super) const TIME: &str = "t_ms.npy";
pub(super) const DIAMETER: &str = "diameter_um.npy";
pub(super) const NODE_Z: &str = "node_z_um.npy";
pub(super) const BASIS: &str = "basis_mv_per_ma.npy";
pub(super) const WAVEFORMS: &str = "waveforms_ma.npy";
pub(super) const STATES: &str = "states.npy";

/// Sizes of a shard's arrays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) fibers: usize,
    pub(super) contacts: usize,
    pub(super) nodes: usize,
    pub(super) steps: usize,
    pub(super) rows: usize,
    pub(super) states: usize,
}

impl Sizes {
    pub(super) fn of(request: &Request, fibers: usize, contacts: usize) -> Self {
        Sizes {
            fibers,
            contacts,
            nodes: request.nodes,
            steps: request.steps,
            rows: request.rows,
            states: request.states.len(),
        }
    }

    pub(super) fn time(&self) -> [usize; 1] {
        [self.rows]
    }

    pub(super) fn diameter(&self) -> [usize; 1] {
        [self.fibers]
    }

    pub(super) fn node_z(&self) -> [usize; 2] {
        [self.fibers, self.nodes]
    }

    pub(super) fn basis(&self) -> [usize; 3] {
        [self.fibers, self.contacts, self.nodes]
    }

    pub(super) fn waveforms(&self) -> [usize; 3] {
        [self.fibers, self.contacts, self.steps]
    }

    pub(super) fn states(&self) -> [usize; 4] {
        [self.fibers, self.rows, self.states, self.nodes]
    }

    /// All files of a shard with their bytes.
    pub(super) fn files(&self) -> [(&'static str, u128); 6] {
        [
            (TIME, npy::file_bytes::<f64>(&self.time())),
            (DIAMETER, npy::file_bytes::<f64>(&self.diameter())),
            (NODE_Z, npy::file_bytes::<f64>(&self.node_z())),
            (BASIS, npy::file_bytes::<f32>(&self.basis())),
            (WAVEFORMS, npy::file_bytes::<f32>(&self.waveforms())),
            (STATES, npy::file_bytes::<f32>(&self.states())),
        ]
    }

    /// Bytes of all files; saturates at the largest number.
    pub(super) fn bytes(&self) -> u128 {
        let files = self.files();
        files
            .iter()
            .fold(0_u128, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}
