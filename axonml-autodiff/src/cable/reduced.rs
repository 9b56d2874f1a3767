//! Reduced cable of myelinated fibers: nodes of Ranvier joined by internodes of one even and one odd mode.
//!
//! The internodes of [`super::DoubleCable`] with two of their modes kept, and the effect of the others on the nodes put
//! into constants. A mode that is fast against everything of interest follows the nodes quasi-statically: from `zeta' =
//! -lambda zeta + b^2 (u_l + s u_r) + drive` (see the double cable) there remains, to first order in `1/lambda`,
//!
//! ```text
//! zeta = b^2/lambda (u_l + s u_r) + drive/lambda - b^2/lambda^2 (u_l' + s u_r')
//! ```
//!
//! a conductance, a current of the stimulus and a capacitance. The coefficients are free, so that they can be trained;
//! the extracellular potential is needed at the nodes only.
//!
//! With the nodes L and R of an internode and their outer neighbors LL and RR (beyond an end of the fiber the straight
//! line through L and R), the stimulus acts through three differences,
//!
//! ```text
//! even = (Ve_LL + Ve_RR) - (Ve_L + Ve_R)      odd = Ve_R - Ve_L      wide = Ve_RR - Ve_LL
//! ```
//!
//! so that a potential that is the same everywhere does nothing.

mod reduction;
#[cfg(test)]
mod tests;

use super::{ModalStep, Projection};

/// A mode that all internodes have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Decay rate, 1/ms.
    pub lambda_per_ms: f64,
    /// Coupling to the nodes, `b^2`, above 0, uS/ms.
    pub coupling_us_per_ms: f64,
}

/// Response of an internode and its nodes to differences of the extracellular potential.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReducedDrive {
    /// Current into both nodes by `even`, uS.
    pub node_even_us: f64,
    /// Current into the left node, and out of the right one, by `odd`, uS.
    pub node_odd_us: f64,
    /// The same by `wide`, uS.
    pub node_wide_us: f64,
    /// Drive of the even mode by `even`, uS/ms.
    pub even_us_per_ms: f64,
    /// Drive of the odd mode by `odd`, uS/ms.
    pub odd_us_per_ms: f64,
    /// Drive of the odd mode by `wide`, uS/ms.
    pub wide_us_per_ms: f64,
}

/// A fiber of equal nodes and equal internodes of two modes.
#[derive(Clone, Debug, PartialEq)]
pub struct ReducedCable {
    /// Number of nodes of Ranvier, >= 1.
    pub nodes: usize,
    /// Membrane area of a node, cm2.
    pub node_area_cm2: f64,
    /// Capacitance of a node, the contribution of fast internodal modes included, nF.
    pub capacitance_nf: f64,
    /// Passive conductance at a node per adjacent internode, in parallel to the modes, uS.
    pub self_us: f64,
    /// Coupling of neighboring nodes, in parallel to the modes, uS.
    pub neighbor_us: f64,
    /// The mode that is equal at mirrored places.
    pub even: Mode,
    /// The mode that is opposite at mirrored places.
    pub odd: Mode,
    /// The stimulus.
    pub drive: ReducedDrive,
}

/// Differences of potential that an internode sees.
pub(super) struct Differences {
    pub(super) even: f64,
    pub(super) odd: f64,
    pub(super) wide: f64,
}

impl ReducedCable {
    /// Number of modes of an internode: the even one, then the odd one.
    pub const MODES: usize = 2;

    pub(super) fn step(&self, dt_ms: f64) -> ModalStep {
        let modes = [self.even, self.odd];
        let a = modes.map(|mode| 1.0 / (1.0 + mode.lambda_per_ms * dt_ms));
        let kappa = [0, 1].map(|k| a[k] * dt_ms * modes[k].coupling_us_per_ms);
        let [even, odd] = kappa;
        ModalStep {
            a: a.to_vec(),
            kappa: kappa.to_vec(),
            self_coupling: self.self_us - even - odd,
            neighbor_coupling: self.neighbor_us + even - odd,
            capacitance_nf: self.capacitance_nf,
        }
    }

    pub(super) fn project(&self, ve_mv: &[f64]) -> Projection {
        let mut nodes_na = vec![0.0; self.nodes];
        let mut modes = Vec::with_capacity((self.nodes - 1) * Self::MODES);
        for k in 0..self.nodes - 1 {
            let d = differences(ve_mv, k);
            let drive = &self.drive;
            let both = drive.node_even_us * d.even;
            let opposite = drive.node_odd_us * d.odd + drive.node_wide_us * d.wide;
            nodes_na[k] += both + opposite;
            nodes_na[k + 1] += both - opposite;
            modes.push(drive.even_us_per_ms * d.even);
            modes.push(drive.odd_us_per_ms * d.odd + drive.wide_us_per_ms * d.wide);
        }
        Projection { nodes_na, modes }
    }

    /// The transpose of [`ReducedCable::project`].
    pub(super) fn project_transposed(&self, nodes_bar: &[f64], modes_bar: &[f64]) -> Vec<f64> {
        let mut ve_bar = vec![0.0; self.nodes];
        let drive = &self.drive;
        for (k, modes) in modes_bar.chunks_exact(Self::MODES).enumerate() {
            let both = nodes_bar[k] + nodes_bar[k + 1];
            let opposite = nodes_bar[k] - nodes_bar[k + 1];
            let even = drive.node_even_us * both + drive.even_us_per_ms * modes[0];
            let odd = drive.node_odd_us * opposite + drive.odd_us_per_ms * modes[1];
            let wide = drive.node_wide_us * opposite + drive.wide_us_per_ms * modes[1];
            // Weights of the potentials at LL, L, R and RR.
            let [before, mut left, mut right, behind] =
                [even - wide, -even - odd, odd - even, even + wide];
            if k > 0 {
                ve_bar[k - 1] += before;
            } else {
                left += 2.0 * before;
                right -= before;
            }
            if k + 2 < self.nodes {
                ve_bar[k + 2] += behind;
            } else {
                right += 2.0 * behind;
                left -= behind;
            }
            ve_bar[k] += left;
            ve_bar[k + 1] += right;
        }
        ve_bar
    }
}

/// Potentials at the nodes on which the internode right of node `k` depends.
pub(super) fn differences(ve_mv: &[f64], k: usize) -> Differences {
    let (left, right) = (ve_mv[k], ve_mv[k + 1]);
    let before = match k.checked_sub(1) {
        Some(before) => ve_mv[before],
        None => 2.0 * left - right,
    };
    let behind = match ve_mv.get(k + 2) {
        Some(behind) => *behind,
        None => 2.0 * right - left,
    };
    Differences {
        // Differences of neighbors: a potential that is the same everywhere leaves no rounding.
        even: (before - left) + (behind - right),
        odd: right - left,
        wide: behind - before,
    }
}
