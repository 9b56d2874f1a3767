//! Cables whose internodes are independent modes, as backends see them.

use super::Parity;

/// Coefficients of a backward Euler step of a fiber of equal nodes and equal internodes.
///
/// The modes of an internode are numbered even ones first; as many odd ones follow. Equations: see
/// [`super::StepCoefficients`], with `a`, `kappa`, `self_coupling` and `neighbor_coupling` from here.
#[derive(Clone, Debug, PartialEq)]
pub struct ModalStep {
    /// Decay of each mode over the step.
    pub a: Vec<f64>,
    /// Current of each mode per potential of the nodes, uS.
    pub kappa: Vec<f64>,
    /// Passive conductance at a node per adjacent internode, uS.
    pub self_coupling: f64,
    /// Coupling of neighboring nodes, uS.
    pub neighbor_coupling: f64,
    /// Capacitance of a node, nF.
    pub capacitance_nf: f64,
}

impl ModalStep {
    /// Number of modes of an internode.
    pub fn modes(&self) -> usize {
        self.a.len()
    }

    /// Current of a mode into its nodes within the next step per mV that moved it: `a kappa` of each, uS.
    pub fn sent_us(&self) -> impl Iterator<Item = f64> {
        self.a.iter().zip(&self.kappa).map(|(a, kappa)| a * kappa)
    }

    /// Parity of mode `mode`.
    pub fn parity(&self, mode: usize) -> Parity {
        if mode < self.modes() / 2 {
            Parity::Even
        } else {
            Parity::Odd
        }
    }

    /// Passive conductance at node `node` of `nodes`, and the off-diagonal of its row and the next one (0 for the last
    /// one), uS.
    pub fn node_row(&self, node: usize, nodes: usize) -> (f64, f64) {
        let last = node + 1 == nodes;
        let internodes = f64::from(u8::from(node > 0) + u8::from(!last));
        let off = if last { 0.0 } else { -self.neighbor_coupling };
        (internodes * self.self_coupling, off)
    }

    /// Increments `a dt drive` of the modes by a unit source, nA, `[internode, mode]`; their currents into the nodes
    /// within the step are added to `nodes_na`, `[node]`. `drives` are those of a [`super::Projection`], nA/ms.
    pub fn drive_modes(&self, drives: &[f64], dt_ms: f64, nodes_na: &mut [f64]) -> Vec<f64> {
        let modes = self.modes();
        let per_drive: Vec<f64> = self.a.iter().map(|a| a * dt_ms).collect();
        let mut increments = Vec::with_capacity(drives.len());
        for (k, drives) in drives.chunks_exact(modes).enumerate() {
            let first = increments.len();
            increments.extend(per_drive.iter().zip(drives).map(|(per, drive)| per * drive));
            let (even, odd) = increments[first..].split_at(modes / 2);
            let (even, odd): (f64, f64) = (even.iter().sum(), odd.iter().sum());
            nodes_na[k] += even + odd;
            nodes_na[k + 1] += even - odd;
        }
        increments
    }

    /// The transpose of [`ModalStep::drive_modes`]: cotangents of the drives from those of the increments, and of the
    /// currents into the nodes that these are passed on to.
    pub fn drive_modes_transposed(
        &self,
        increments: &[f64],
        dt_ms: f64,
        nodes_na: &[f64],
    ) -> Vec<f64> {
        let modes = self.modes();
        let each = increments.iter().enumerate();
        each.map(|(index, increment)| {
            let (k, mode) = (index / modes, index % modes);
            let passed_on = nodes_na[k] + self.parity(mode).sign() * nodes_na[k + 1];
            self.a[mode] * dt_ms * (increment + passed_on)
        })
        .collect()
    }
}
