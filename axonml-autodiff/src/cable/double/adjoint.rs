//! Derivatives of the modes by everything that an internode is made of.
//!
//! As in `find_modes`, each parity is posed on compartments 0 to 4. There the conductance matrix is a sum over elements,
//! `K = sum_e g_e s_e s_e^T`: axial links (`s` takes differences of `m + q`), periaxonal links (of `q`), axolemma (`m`)
//! and myelin (`q`) of each compartment; the capacitance matrix `C` is diagonal. For `K psi_k = lambda_k C psi_k` with
//! `psi_k^T C psi_k = 1`, and `T_lk = psi_l^T (dK - lambda_k dC) psi_k`,
//!
//! ```text
//! d lambda_k = T_kk
//! d psi_k    = sum_(l != k) psi_l T_lk/(lambda_k - lambda_l) - psi_k (psi_k^T dC psi_k)/2
//! ```
//!
//! The elements are never summed into `K`, so that derivatives of slow rates, which are differences of large
//! conductances, keep their digits.

mod elements;
#[cfg(test)]
mod tests;

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::{
    COMPARTMENTS, HALF, Internode, InternodeCompartment, InternodeError, MODES, NodeGeometry,
    POINTS, Parity,
};
use elements::{AXOLEMMA, ELEMENTS, Elements, LINKS, PERIAXONAL};

/// Geometry and passive properties of an internode; a tangent of these; or their cotangents, in the inverse units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InternodeProperties {
    /// The compartments from node to node; they must mirror each other (a direction is symmetrised, a cotangent is
    /// shared evenly between a compartment and its mirror image).
    pub compartments: [InternodeCompartment; COMPARTMENTS],
    /// The nodes.
    pub node: NodeGeometry,
    /// Resistivity of axoplasm and periaxonal fluid, ohm cm.
    pub axoplasm_ohm_cm: f64,
}

/// Modal coefficients of an internode; their tangents; or their cotangents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InternodeModes {
    /// Decay rates, 1/ms, `[mode]`.
    pub lambda: [f64; MODES],
    /// Couplings to the left node, uS/nF^(1/2), `[mode]`.
    pub b: [f64; MODES],
    /// Drives of the modes by the potentials at the left node, the compartments and the right node, uS/ms,
    /// `[mode][point]`: [`Internode::mode_drive`] as a matrix.
    pub drive: [[f64; POINTS]; MODES],
    /// Axial conductance from a node to its neighboring compartments, uS.
    pub end_us: f64,
}

/// The modes of one parity on half an internode, `psi[mode][row]` with rows `m_0` to `m_4`, `q_0` to `q_4`.
struct HalfModes {
    parity: Parity,
    lambda: [f64; COMPARTMENTS],
    psi: [[f64; COMPARTMENTS]; COMPARTMENTS],
}

impl Internode {
    /// Rates, couplings and drives, as [`Internode::adjoint`] takes their cotangents.
    pub fn modes(&self) -> InternodeModes {
        let mut drive = [[0.0; POINTS]; MODES];
        for point in 0..POINTS {
            let mut unit = [0.0; POINTS];
            unit[point] = 1.0;
            let column = self.mode_drive(&unit);
            for mode in 0..MODES {
                drive[mode][point] = column[mode];
            }
        }
        InternodeModes {
            lambda: self.lambda,
            b: self.b,
            drive,
            end_us: self.ga_us[0],
        }
    }

    /// Change of the modes along a direction, of the internode that [`Internode::new`] made of `at`.
    ///
    /// # Errors
    /// [`InternodeError::IllConditioned`] if two modes of one parity decay at the same rate: then they have no
    /// derivative.
    pub fn tangent(
        &self,
        at: &InternodeProperties,
        direction: &InternodeProperties,
    ) -> Result<InternodeModes, InternodeError> {
        let change = elements::tangent(self, at, direction);
        let mut modes = InternodeModes {
            lambda: [0.0; MODES],
            b: [0.0; MODES],
            drive: [[0.0; POINTS]; MODES],
            end_us: change.us[0],
        };
        for parity in [Parity::Even, Parity::Odd] {
            let half = HalfModes::of(self, parity)?;
            half.tangent(&elements::of_links(self), &change, &mut modes);
        }
        Ok(modes)
    }

    /// Cotangents of the internode's geometry and passive properties, from cotangents of its modes: the transpose of
    /// [`Internode::tangent`].
    ///
    /// # Errors
    /// As [`Internode::tangent`].
    pub fn adjoint(
        &self,
        at: &InternodeProperties,
        modes_bar: &InternodeModes,
    ) -> Result<InternodeProperties, InternodeError> {
        let mut bar = Elements::ZERO;
        bar.us[0] = modes_bar.end_us;
        for parity in [Parity::Even, Parity::Odd] {
            let half = HalfModes::of(self, parity)?;
            half.adjoint(&elements::of_links(self), modes_bar, &mut bar);
        }
        Ok(elements::adjoint(self, at, &bar))
    }
}

impl HalfModes {
    fn of(internode: &Internode, parity: Parity) -> Result<Self, InternodeError> {
        let first = parity.first_mode();
        let lambda: [f64; COMPARTMENTS] = std::array::from_fn(|k| internode.lambda[first + k]);
        // Ascending: equal ones are neighbors.
        if lambda
            .windows(2)
            .any(|pair| pair[1] - pair[0] <= 1e-13 * pair[1])
        {
            return Err(InternodeError::IllConditioned);
        }
        let value = |k: usize, row: usize| {
            let (block, j) = (row / HALF * COMPARTMENTS, row % HALF);
            SQRT_2 * internode.phi[block + j][first + k]
        };
        Ok(HalfModes {
            parity,
            lambda,
            psi: std::array::from_fn(|k| std::array::from_fn(|row| value(k, row))),
        })
    }

    /// `s_e^T psi` of every element: of a mode, the potential across the element. The link across the middle joins
    /// opposite potentials of odd modes, and belongs to this half by half.
    fn strains(&self, psi: &[f64; COMPARTMENTS]) -> [f64; ELEMENTS] {
        let q = |j: usize| psi[HALF + j];
        let inside = |j: usize| psi[j] + q(j);
        let across = |x: &dyn Fn(usize) -> f64, link: usize| match link {
            0 => x(0),
            HALF => (1.0 - self.parity.sign()).sqrt() * x(HALF - 1),
            _ => x(link) - x(link - 1),
        };
        let mut strains = [0.0; ELEMENTS];
        for link in 0..LINKS {
            strains[link] = across(&inside, link);
            strains[PERIAXONAL + link] = across(&q, link);
        }
        strains[AXOLEMMA..].copy_from_slice(psi);
        strains
    }

    /// Potential across a link, towards the middle, per strain of its element.
    fn across(&self, link: usize) -> f64 {
        match link {
            HALF => -(1.0 - self.parity.sign()).sqrt(),
            _ => 1.0,
        }
    }

    fn tangent(&self, us: &[f64; AXOLEMMA], change: &Elements, modes: &mut InternodeModes) {
        let strains = self.psi.map(|psi| self.strains(&psi));
        let (sign, first) = (self.parity.sign(), self.parity.first_mode());
        for k in 0..COMPARTMENTS {
            let (strain, lambda) = (&strains[k], self.lambda[k]);
            let charge = |l: usize| dot3(&change.nf, &self.psi[l], &self.psi[k]);
            let t = |l: usize| dot3(&change.us, &strains[l], strain) - lambda * charge(l);
            modes.lambda[first + k] = t(k);
            let mut strain_dot = strain.map(|s| -0.5 * charge(k) * s);
            for l in (0..COMPARTMENTS).filter(|&l| l != k) {
                let part = t(l) / (lambda - self.lambda[l]);
                for (dot, s) in strain_dot.iter_mut().zip(&strains[l]) {
                    *dot += part * s;
                }
            }

            // The first element's strain is `m + q` of compartment 0.
            let b = FRAC_1_SQRT_2 * us[0] * strain[0];
            let b_dot = FRAC_1_SQRT_2 * (change.us[0] * strain[0] + us[0] * strain_dot[0]);
            modes.b[first + k] = b_dot;
            // Drives per potential across each link of the whole internode.
            let mut links = [0.0; COMPARTMENTS + 1];
            for (e, g) in us.iter().enumerate() {
                let (g_dot, s, s_dot) = (change.us[e], strain[e], strain_dot[e]);
                let drive_dot = b_dot * g * s + b * (g_dot * s + g * s_dot);
                links[e % LINKS] += FRAC_1_SQRT_2 * self.across(e % LINKS) * drive_dot;
            }
            for i in 0..HALF {
                links[COMPARTMENTS - i] = -sign * links[i];
            }
            modes.drive[first + k] = std::array::from_fn(|point| {
                let behind = links.get(point).copied().unwrap_or(0.0);
                let before = point.checked_sub(1).map_or(0.0, |i| links[i]);
                behind - before
            });
        }
    }

    fn adjoint(&self, us: &[f64; AXOLEMMA], modes_bar: &InternodeModes, bar: &mut Elements) {
        let strains = self.psi.map(|psi| self.strains(&psi));
        let (sign, first) = (self.parity.sign(), self.parity.first_mode());
        for k in 0..COMPARTMENTS {
            let (strain, lambda) = (&strains[k], self.lambda[k]);
            let drive_bar = &modes_bar.drive[first + k];
            let link_bar = |i: usize| drive_bar[i] - drive_bar[i + 1];
            let b = FRAC_1_SQRT_2 * us[0] * strain[0];
            let mut b_bar = modes_bar.b[first + k];
            let mut strain_bar = [0.0; AXOLEMMA];
            for (e, g) in us.iter().enumerate() {
                let link = e % LINKS;
                let mirrored = match link {
                    HALF => 0.0,
                    _ => sign * link_bar(COMPARTMENTS - link),
                };
                let drive_bar = FRAC_1_SQRT_2 * self.across(link) * (link_bar(link) - mirrored);
                b_bar += drive_bar * g * strain[e];
                bar.us[e] += drive_bar * b * strain[e];
                strain_bar[e] = drive_bar * b * g;
            }
            bar.us[0] += FRAC_1_SQRT_2 * b_bar * strain[0];
            strain_bar[0] += FRAC_1_SQRT_2 * b_bar * us[0];

            for l in 0..COMPARTMENTS {
                let along: f64 = strains[l]
                    .iter()
                    .zip(&strain_bar)
                    .map(|(s, bar)| s * bar)
                    .sum();
                let (t_bar, charge_bar) = if l == k {
                    (modes_bar.lambda[first + k], -0.5 * along)
                } else {
                    (along / (lambda - self.lambda[l]), 0.0)
                };
                for (e, bar) in bar.us.iter_mut().enumerate() {
                    *bar += t_bar * strains[l][e] * strain[e];
                }
                for (row, bar) in bar.nf.iter_mut().enumerate() {
                    *bar += (charge_bar - lambda * t_bar) * self.psi[l][row] * self.psi[k][row];
                }
            }
        }
    }
}

fn dot3<const N: usize>(weights: &[f64; N], x: &[f64; N], y: &[f64; N]) -> f64 {
    (0..N).map(|i| weights[i] * x[i] * y[i]).sum()
}
