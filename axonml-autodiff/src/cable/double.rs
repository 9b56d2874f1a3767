//! Double cable of myelinated fibers: nodes of Ranvier joined by passive internodes, the latter as independent modes.
//!
//! An internode has ten compartments of axon, periaxonal space and myelin. Its variables are the axolemma's potential
//! relative to rest, `m = Vm - v_ref`, and the myelin's, `q = Vp - Ve`, with `Vm = Vi - Vp`; nodes have `u = Vm - v_ref`
//! and no myelin. With `A(x)_j = ga_j (x_(j-1) - x_j) + ga_(j+1) (x_(j+1) - x_j)` and `P` likewise with `gp`, the adjacent
//! nodes counting as `x = u` in `A` and as 0 in `P`:
//!
//! ```text
//! cm m' = -gm m + A(m + q)        + f_m       f_m = A(Ve)
//! cx q' = -gx q + A(m + q) + P(q) + f_q       f_q = A(Ve) + P(Ve)     (here with the true Ve of the nodes)
//! ```
//!
//! so that nothing jumps when `Ve` does. In matrices, with `y = (m, q)`: `C y' = -G y + ga_0 (e_l u_l + e_r u_r) + f`,
//! where `e_l` picks `m_0` and `q_0`, `e_r` picks `m_9` and `q_9`. The columns of `Phi` solve `G phi = lambda C phi` with
//! `Phi^T C Phi = 1`, hence `y = Phi z` and, as the internode is symmetric and its modes are even or odd,
//!
//! ```text
//! z' = -lambda z + b (u_l + s u_r) + Phi^T f       b = ga_0 (phi[m_0] + phi[q_0]),  s = 1 (even) or -1 (odd)
//! ```
//!
//! The stored state is `zeta = b z`, a current (nA): the one into the left node is `sum zeta - ga_0 u_l + ga_0 (Ve_0 -
//! Ve_l)`, the one into the right node the same with `sum s zeta`. A backward Euler step of `dt` is, with `a = 1/(1 +
//! lambda dt)`,
//!
//! ```text
//! zeta1 = a zeta0 + kappa (u_l1 + s u_r1) + a dt drive        kappa = a dt b^2,  drive = b Phi^T f
//! ```
//!
//! and a tridiagonal system for the nodes alone remains: see [`StepCoefficients`].
//!
//! # Source
//! The circuit: C. C. McIntyre, A. G. Richardson, W. M. Grill, "Modeling the excitability of mammalian nerve fibers",
//! J. Neurophysiol. 87 (2002) 995-1006.

mod adjoint;
mod drives;
mod geometry;
mod network;
#[cfg(test)]
pub(super) mod tests;

use std::f64::consts::{FRAC_1_SQRT_2, PI};
use std::sync::Arc;

use super::eigen::symmetric_positive_eigen;
use super::parity::{COMPARTMENTS, HALF, MODES, Parity};
use super::{ModalStep, Projection};
use drives::LinkDrives;

pub use adjoint::{InternodeModes, InternodeProperties};
pub use geometry::{InternodeCompartment, InternodeError, NodeGeometry};

/// Points of one internode at which potentials are sampled: its compartments and the nodes at both ends.
pub(super) const POINTS: usize = COMPARTMENTS + 2;

/// A passive internode, with everything that does not depend on the time step computed once.
#[derive(Clone, Debug, PartialEq)]
pub struct Internode {
    /// Axial conductances of the axoplasm, uS: left node to compartment 0, 0 to 1, ..., 9 to right node.
    pub ga_us: [f64; COMPARTMENTS + 1],
    /// Axial conductances of the periaxonal space, uS, likewise.
    pub gp_us: [f64; COMPARTMENTS + 1],
    /// Capacitance of the axolemma per compartment, nF.
    pub cm_nf: [f64; COMPARTMENTS],
    /// Conductance of the axolemma per compartment, uS.
    pub gm_us: [f64; COMPARTMENTS],
    /// Capacitance of the myelin per compartment, nF.
    pub cx_nf: [f64; COMPARTMENTS],
    /// Conductance of the myelin per compartment, uS.
    pub gx_us: [f64; COMPARTMENTS],
    /// Decay rates of the modes, 1/ms, ascending within each parity.
    pub lambda: [f64; MODES],
    /// Coupling of the modes to the left node, uS/nF^(1/2).
    pub b: [f64; MODES],
    /// Modes in compartments, nF^(-1/2), `[row][mode]`: rows 0 to 9 are `m`, 10 to 19 are `q`.
    pub phi: [[f64; MODES]; MODES],
}

/// Coefficients of a backward Euler step of the modes and of the nodes they join.
///
/// With `n` internodes at a node (1 at the ends, else 2) the row of node `k` is
///
/// ```text
/// (c/dt + G_k + n self_coupling) u_k1 - neighbor_coupling (u_(k-1)1 + u_(k+1)1) = c/dt u_k0 + J_k + H_k + F_k
/// ```
///
/// where `H_k` is the sum of `a zeta0` over the modes of the internode to the right, and of `s a zeta0` over those of the
/// one to the left; `F_k` is the node's own drive, and the same sums of `a dt drive`.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCoefficients {
    /// Decay over the step, `1/(1 + lambda dt)`.
    pub a: [f64; MODES],
    /// Current of a mode per potential of the nodes, `a dt b^2`, uS.
    pub kappa: [f64; MODES],
    /// `ga_0 - sum kappa`, uS, computed without the cancellation.
    pub self_coupling: f64,
    /// `sum s kappa`, uS, likewise.
    pub neighbor_coupling: f64,
}

impl Internode {
    /// Reduces an internode to its modes; `axoplasm_ohm_cm` is the resistivity of axoplasm and periaxonal fluid alike.
    ///
    /// # Errors
    /// [`InternodeError::BadValue`] for dimensions, capacitances and a resistivity that are not above 0 or conductances
    /// that are negative; [`InternodeError::NotSymmetric`]; [`InternodeError::IllConditioned`] if double precision does
    /// not suffice, which takes properties far from any nerve fiber's.
    pub fn new(
        compartments: &[InternodeCompartment; COMPARTMENTS],
        node: NodeGeometry,
        axoplasm_ohm_cm: f64,
    ) -> Result<Self, InternodeError> {
        geometry::check(compartments, node, axoplasm_ohm_cm)?;
        let place = |j: usize| match j {
            0 | 11 => (node.length_um, node.diameter_um, node.periaxonal_width_um),
            _ => {
                let c = &compartments[j - 1];
                (c.length_um, c.axon_diameter_um, c.periaxonal_width_um)
            }
        };
        // Resistivity times length over cross-section: ohm cm um / um2 is 1e4 ohm. Two halves in series make a link.
        let link = |cross_section_um2: fn(f64, f64) -> f64| {
            let mohm: [f64; POINTS] = std::array::from_fn(|j| {
                let (length_um, diameter_um, width_um) = place(j);
                axoplasm_ohm_cm * length_um / cross_section_um2(diameter_um, width_um) * 1e-2
            });
            std::array::from_fn(|i| 2.0 / (mohm[i] + mohm[i + 1]))
        };
        let area_cm2 = compartments.map(|c| PI * c.area_diameter_um * c.length_um * 1e-8);
        let total = |density: fn(&InternodeCompartment) -> f64, unit: f64| {
            std::array::from_fn(|j| density(&compartments[j]) * area_cm2[j] * unit)
        };
        let mut internode = Internode {
            ga_us: link(|diameter, _| PI * diameter * diameter / 4.0),
            gp_us: link(|diameter, width| PI * width * (diameter + width)),
            cm_nf: total(|c| c.axolemma_capacitance_uf_cm2, 1e3),
            gm_us: total(|c| c.axolemma_conductance_s_cm2, 1e6),
            cx_nf: total(|c| c.myelin_capacitance_uf_cm2, 1e3),
            gx_us: total(|c| c.myelin_conductance_s_cm2, 1e6),
            lambda: [0.0; MODES],
            b: [0.0; MODES],
            phi: [[0.0; MODES]; MODES],
        };
        internode.find_modes()?;
        Ok(internode)
    }

    /// Solves the eigenvalue problems of both parities, posed on compartments 0 to 4.
    fn find_modes(&mut self) -> Result<(), InternodeError> {
        let root: [f64; COMPARTMENTS] = std::array::from_fn(|row| {
            if row < HALF {
                self.cm_nf[row]
            } else {
                self.cx_nf[row - HALF]
            }
            .sqrt()
        });
        let parities = [Parity::Even, Parity::Odd];
        let matrices = parities.map(|parity| self.half_matrix(parity, &root));
        let eigen = symmetric_positive_eigen(&matrices).ok_or(InternodeError::IllConditioned)?;
        for (parity, eigen) in parities.into_iter().zip(&eigen) {
            for k in 0..COMPARTMENTS {
                let mode = parity.first_mode() + k;
                self.lambda[mode] = eigen.values[k];
                for row in 0..COMPARTMENTS {
                    let (block, j) = (row / HALF * COMPARTMENTS, row % HALF);
                    let value = FRAC_1_SQRT_2 * eigen.vectors[k][row] / root[row];
                    self.phi[block + j][mode] = value;
                    self.phi[block + COMPARTMENTS - 1 - j][mode] = parity.sign() * value;
                }
                self.b[mode] = self.ga_us[0] * (self.phi[0][mode] + self.phi[COMPARTMENTS][mode]);
                if !self.b[mode].is_normal() || !self.lambda[mode].is_normal() {
                    return Err(InternodeError::IllConditioned);
                }
            }
        }
        Ok(())
    }

    /// `C^(-1/2) G C^(-1/2)` of one parity on compartments 0 to 4: rows 0 to 4 are `m`, 5 to 9 are `q`. `root` are the
    /// roots of the capacitances.
    fn half_matrix(
        &self,
        parity: Parity,
        root: &[f64; COMPARTMENTS],
    ) -> [[f64; COMPARTMENTS]; COMPARTMENTS] {
        // Contribution of the middle link: between equal potentials nothing, between opposite ones twice the current.
        let middle = 1.0 - parity.sign();
        let laplacian = |link: &[f64; COMPARTMENTS + 1], i: usize, j: usize| match i.abs_diff(j) {
            0 if i + 1 == HALF => link[i] + middle * link[HALF],
            0 => link[i] + link[i + 1],
            1 => -link[i.max(j)],
            _ => 0.0,
        };
        let conductance = |row: usize, column: usize| {
            let (i, j) = (row % HALF, column % HALF);
            let axial = laplacian(&self.ga_us, i, j);
            let own = |us: f64| if i == j { us } else { 0.0 };
            match (row < HALF, column < HALF) {
                (true, true) => axial + own(self.gm_us[i]),
                (false, false) => axial + laplacian(&self.gp_us, i, j) + own(self.gx_us[i]),
                _ => axial,
            }
        };
        std::array::from_fn(|i| std::array::from_fn(|j| conductance(i, j) / (root[i] * root[j])))
    }

    /// Coefficients of a backward Euler step of `dt_ms`.
    pub fn step_coefficients(&self, dt_ms: f64) -> StepCoefficients {
        let a = self.lambda.map(|lambda| 1.0 / (1.0 + lambda * dt_ms));
        let kappa = std::array::from_fn(|mode| a[mode] * dt_ms * self.b[mode] * self.b[mode]);
        let seen = network::two_port(self, 1.0 / dt_ms);
        StepCoefficients {
            a,
            kappa,
            self_coupling: seen.leak_us + seen.transfer_us,
            neighbor_coupling: seen.transfer_us,
        }
    }

    /// Drive of the modes, `b Phi^T f`, by the extracellular potentials (mV, or mV per unit of a source) at the left
    /// node, the compartments and the right node; nA/ms.
    pub fn mode_drive(&self, ve_mv: &[f64; POINTS]) -> [f64; MODES] {
        LinkDrives::of(self).apply(ve_mv)
    }

    /// The transpose of [`Internode::mode_drive`]: cotangents of the potentials from those of the drives.
    pub fn mode_drive_transposed(&self, drive_bar: &[f64; MODES]) -> [f64; POINTS] {
        LinkDrives::of(self).apply_transposed(drive_bar)
    }

    /// Potentials `m` and `q` of the compartments, mV, from the mode amplitudes `zeta`, nA.
    pub fn to_compartments(
        &self,
        zeta: &[f64; MODES],
    ) -> ([f64; COMPARTMENTS], [f64; COMPARTMENTS]) {
        let row = |row: usize| {
            (0..MODES)
                .map(|mode| self.phi[row][mode] * (zeta[mode] / self.b[mode]))
                .sum()
        };
        (
            std::array::from_fn(row),
            std::array::from_fn(|j| row(COMPARTMENTS + j)),
        )
    }

    /// Mode amplitudes `zeta`, nA, from the potentials `m` and `q` of the compartments, mV.
    pub fn from_compartments(
        &self,
        m: &[f64; COMPARTMENTS],
        q: &[f64; COMPARTMENTS],
    ) -> [f64; MODES] {
        let charge =
            |c: &[f64; COMPARTMENTS], v: &[f64; COMPARTMENTS]| std::array::from_fn(|j| c[j] * v[j]);
        let z = self.onto_modes(&charge(&self.cm_nf, m), &charge(&self.cx_nf, q));
        std::array::from_fn(|mode| self.b[mode] * z[mode])
    }

    /// `Phi^T (m, q)`.
    fn onto_modes(&self, m: &[f64; COMPARTMENTS], q: &[f64; COMPARTMENTS]) -> [f64; MODES] {
        std::array::from_fn(|mode| {
            (0..COMPARTMENTS)
                .map(|j| self.phi[j][mode] * m[j] + self.phi[COMPARTMENTS + j][mode] * q[j])
                .sum()
        })
    }
}

/// A myelinated fiber: identical nodes of Ranvier joined by identical internodes.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubleCable {
    /// Number of nodes of Ranvier, >= 1.
    pub nodes: usize,
    /// Membrane area of a node, cm2.
    pub node_area_cm2: f64,
    /// Capacitance of a node, nF.
    pub node_capacitance_nf: f64,
    /// The internode; shared between fibers of equal geometry.
    pub internode: Arc<Internode>,
}

impl DoubleCable {
    /// Points at which the extracellular potential is needed, in order along the fiber: nodes and compartments.
    pub fn samples(&self) -> usize {
        (COMPARTMENTS + 1) * (self.nodes - 1) + 1
    }

    pub(super) fn step(&self, dt_ms: f64) -> ModalStep {
        let step = self.internode.step_coefficients(dt_ms);
        ModalStep {
            a: step.a.to_vec(),
            kappa: step.kappa.to_vec(),
            self_coupling: step.self_coupling,
            neighbor_coupling: step.neighbor_coupling,
            capacitance_nf: self.node_capacitance_nf,
        }
    }

    /// Node currents `ga_0 (Ve_end - Ve_node)` summed over the internodes of each node, and the drive of every mode.
    /// The currents of the driven modes into the nodes depend on the time step and are not included.
    pub(super) fn project(&self, ve_mv: &[f64]) -> Projection {
        let mut nodes_na = vec![0.0; self.nodes];
        let mut modes = Vec::with_capacity((self.nodes - 1) * MODES);
        let drives = LinkDrives::of(&self.internode);
        for k in 0..self.nodes - 1 {
            let first = (COMPARTMENTS + 1) * k;
            let mut ve = [0.0; POINTS];
            ve.copy_from_slice(&ve_mv[first..first + POINTS]);
            let [left, first_inside, .., last_inside, right] = ve;
            nodes_na[k] += self.internode.ga_us[0] * (first_inside - left);
            nodes_na[k + 1] += self.internode.ga_us[COMPARTMENTS] * (last_inside - right);
            modes.extend_from_slice(&drives.apply(&ve));
        }
        Projection { nodes_na, modes }
    }

    /// The transpose of [`DoubleCable::project`].
    pub(super) fn project_transposed(&self, nodes_bar: &[f64], modes_bar: &[f64]) -> Vec<f64> {
        let mut ve_bar = vec![0.0; self.samples()];
        let drives = LinkDrives::of(&self.internode);
        for (k, modes) in modes_bar.as_chunks::<MODES>().0.iter().enumerate() {
            let here = &mut ve_bar[(COMPARTMENTS + 1) * k..][..POINTS];
            for (to, bar) in here.iter_mut().zip(drives.apply_transposed(modes)) {
                *to += bar;
            }
            let left = self.internode.ga_us[0] * nodes_bar[k];
            let right = self.internode.ga_us[COMPARTMENTS] * nodes_bar[k + 1];
            here[0] -= left;
            here[1] += left;
            here[COMPARTMENTS] += right;
            here[COMPARTMENTS + 1] -= right;
        }
        ve_bar
    }
}
