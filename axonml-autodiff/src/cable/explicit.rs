//! Explicit cable of surrogate fibers: forward Euler with trainable second-difference weights.

use super::Projection;

/// Coefficients of a fiber stepped by
/// `u += dt/c [ axial (w_v * u + w_e * ve) - area (G u - J) + injected ]`.
///
/// Weights of the voltage that do not sum to zero act on the deviation `u` from the rollout's reference potential.
/// The three-point weights are symmetric and the ends reflect (a missing neighbor is the other neighbor).
#[derive(Clone, Debug, PartialEq)]
pub struct ExplicitCable {
    /// Number of nodes, >= 2.
    pub nodes: usize,
    /// Membrane area of a node, cm2.
    pub area_cm2: f64,
    /// Capacitance of a node, nF.
    pub capacitance_nf: f64,
    /// Axial conductance between nodes, uS.
    pub axial_us: f64,
    /// Weights of the voltage: (each neighbor, the node itself); (1, -2) is the plain second difference.
    pub v_weights: (f64, f64),
    /// Weights of the extracellular potential, likewise.
    pub ve_weights: (f64, f64),
}

impl ExplicitCable {
    /// Stability number of a step of `dt_ms` with membrane conductance `g_us`: when it exceeds
    /// [`ExplicitCable::STABLE`] the explicit step amplifies the highest spatial frequency, by the number less 1.
    pub fn stability(&self, dt_ms: f64, g_us: f64) -> f64 {
        dt_ms / self.capacitance_nf * (self.stencil_us() + g_us)
    }

    /// Largest axial coupling of the stencil, uS: 4/ra for the plain second difference.
    pub fn stencil_us(&self) -> f64 {
        let (neighbor, center) = self.v_weights;
        self.axial_us * (center.abs() + 2.0 * neighbor.abs())
    }

    /// The largest stability number of a step that amplifies nothing. A fiber that exceeds it at rest is not simulated:
    /// differences between neighbors grow from nothing.
    pub const STABLE: f64 = 2.0;

    /// A run that amplifies differences between neighbors by more than this is reported as diverged; see
    /// [`ExplicitCable::amplification`].
    ///
    /// The sodium conductance of a spike takes steps of valid runs beyond [`ExplicitCable::STABLE`] for a moment: the
    /// bundled surrogate amplifies by at most 3.4 up to 1 mA at 1 mm, or twice the threshold at 0.25 mm, at the
    /// thickest fiber that it was trained on, 14 um. The first spike that smaller time steps do not show was seen at
    /// 6.7 (14.5 um, 0.3 mA).
    pub const LARGEST_AMPLIFICATION: f64 = 5.0;

    /// Largest stability number of a single step: beyond, it overshoots by more than twice the exact change. Valid runs
    /// reach 2.3; beyond about 3.7 results are noise.
    pub const LARGEST_STABILITY: f64 = 3.0;

    /// By how much steps of `dt_ms` in a row amplify the shortest wave around a node, which the steps before amplified by
    /// `before`, given the membrane conductances of (the node before, the node, the node after) in uS: 1 as soon as a step is
    /// stable, infinite after one that exceeds [`ExplicitCable::LARGEST_STABILITY`] at the node. At an end the missing
    /// neighbor is the other one.
    ///
    /// The wave spans several nodes: its number is that of their mean conductance, weighted 1/4, 1/2, 1/4.
    pub fn amplification(&self, before: f64, dt_ms: f64, g_us: (f64, f64, f64)) -> f64 {
        let (left, own, right) = g_us;
        if self.stability(dt_ms, own) > Self::LARGEST_STABILITY {
            return f64::INFINITY;
        }
        let number = self.stability(dt_ms, 0.5 * own + 0.25 * (left + right));
        match number > Self::STABLE {
            true => before * (number - 1.0),
            false => 1.0,
        }
    }

    /// Sum of the values at the neighbors of node `k`: at an end, twice its only neighbor's.
    pub(super) fn neighbors(&self, x: &[f64], k: usize) -> f64 {
        let (left, right) = self.neighbors_of(k);
        x[left] + x[right]
    }

    /// The nodes next to node `k`: at an end, twice its only neighbor.
    pub fn neighbors_of(&self, k: usize) -> (usize, usize) {
        let last = self.nodes - 1;
        (
            if k == 0 { 1 } else { k - 1 },
            if k == last { last - 1 } else { k + 1 },
        )
    }

    pub(super) fn project(&self, ve_mv: &[f64]) -> Projection {
        let (neighbor, center) = self.ve_weights;
        let nodes_na = (0..self.nodes)
            .map(|k| self.axial_us * (neighbor * self.neighbors(ve_mv, k) + center * ve_mv[k]))
            .collect();
        Projection {
            nodes_na,
            modes: Vec::new(),
        }
    }

    /// The transpose of [`ExplicitCable::project`].
    pub(super) fn project_transposed(&self, nodes_bar: &[f64]) -> Vec<f64> {
        let last = self.nodes - 1;
        let (neighbor, center) = self.ve_weights;
        let mut ve_bar = vec![0.0; self.nodes];
        for (k, bar) in nodes_bar.iter().enumerate() {
            let bar = self.axial_us * bar;
            ve_bar[if k == 0 { 1 } else { k - 1 }] += neighbor * bar;
            ve_bar[if k == last { last - 1 } else { k + 1 }] += neighbor * bar;
            ve_bar[k] += center * bar;
        }
        ve_bar
    }
}
