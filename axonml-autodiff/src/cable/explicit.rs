//! Explicit cable of surrogate fibres: forward Euler with trainable second-difference weights.

use super::Projection;

/// Coefficients of a fibre stepped by
/// `u += dt/c [ axial (w_v * u + w_e * ve) - area (G u - J) + injected ]`.
///
/// Weights of the voltage that do not sum to zero act on the deviation `u` from the rollout's reference potential.
/// The three-point weights are symmetric and the ends reflect (a missing neighbour is the other neighbour).
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
    /// Weights of the voltage: (each neighbour, the node itself); (1, -2) is the plain second difference.
    pub v_weights: (f64, f64),
    /// Weights of the extracellular potential, likewise.
    pub ve_weights: (f64, f64),
}

impl ExplicitCable {
    /// Stability number of a step of `dt_ms` with membrane conductance `g_us`: the explicit step amplifies the
    /// highest spatial frequency when it exceeds 2, and is unusable beyond [`ExplicitCable::STABILITY_LIMIT`].
    pub fn stability(&self, dt_ms: f64, g_us: f64) -> f64 {
        dt_ms / self.capacitance_nf * (self.stencil_us() + g_us)
    }

    /// Largest axial coupling of the stencil, uS: 4/ra for the plain second difference.
    pub fn stencil_us(&self) -> f64 {
        let (neighbour, centre) = self.v_weights;
        self.axial_us * (centre.abs() + 2.0 * neighbour.abs())
    }

    /// A fiber whose stability number exceeds this at rest is not simulated: differences between neighbors grow from
    /// nothing.
    pub const RESTING_LIMIT: f64 = 2.0;

    /// A run whose stability number exceeds this at any step is reported as diverged: spikes (large sodium
    /// conductance for a few steps) reach 2.3 in sound runs, and beyond about 3.7 results are noise.
    pub const STABILITY_LIMIT: f64 = 3.0;

    /// Sum of the values at the neighbours of node `k`: at an end, twice its only neighbour's.
    pub(super) fn neighbors(&self, x: &[f64], k: usize) -> f64 {
        let last = self.nodes - 1;
        let left = x[if k == 0 { 1 } else { k - 1 }];
        let right = x[if k == last { last - 1 } else { k + 1 }];
        left + right
    }

    pub(super) fn project(&self, ve_mv: &[f64]) -> Projection {
        let (neighbour, centre) = self.ve_weights;
        let nodes_na = (0..self.nodes)
            .map(|k| self.axial_us * (neighbour * self.neighbors(ve_mv, k) + centre * ve_mv[k]))
            .collect();
        Projection {
            nodes_na,
            modes: Vec::new(),
        }
    }

    /// The transpose of [`ExplicitCable::project`].
    pub(super) fn project_transposed(&self, nodes_bar: &[f64]) -> Vec<f64> {
        let last = self.nodes - 1;
        let (neighbour, centre) = self.ve_weights;
        let mut ve_bar = vec![0.0; self.nodes];
        for (k, bar) in nodes_bar.iter().enumerate() {
            let bar = self.axial_us * bar;
            ve_bar[if k == 0 { 1 } else { k - 1 }] += neighbour * bar;
            ve_bar[if k == last { last - 1 } else { k + 1 }] += neighbour * bar;
            ve_bar[k] += centre * bar;
        }
        ve_bar
    }
}
