//! The internode between two nodes of Ranvier as a network of conductances.

use super::{COMPARTMENTS, Internode};

/// Conductances that a network of conductances presents between its two ends and the ground, uS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TwoPort {
    /// From either end to the ground.
    pub(super) leak_us: f64,
    /// From end to end.
    pub(super) transfer_us: f64,
}

const GROUND: usize = 0;
const LEFT: usize = 1;
const RIGHT: usize = 2;
const AXOPLASM: usize = 3;
const PERIAXONAL: usize = AXOPLASM + COMPARTMENTS;
const POINTS: usize = PERIAXONAL + COMPARTMENTS;

/// The internode with `rate_per_ms` times its capacitances in parallel to its conductances: `1/dt` gives the companion
/// network of a backward Euler step of `dt`, 0 the static one.
///
/// Inner points are eliminated by star-mesh transformation, `g_ij += g_ik g_kj / sum_l g_kl`. Every term is positive,
/// so that the leak keeps its digits although it is many decades below the conductances it results from.
pub(super) fn two_port(internode: &Internode, rate_per_ms: f64) -> TwoPort {
    let mut g = [[0.0; POINTS]; POINTS];
    let mut connect = |a: usize, b: usize, us: f64| {
        g[a][b] += us;
        g[b][a] += us;
    };
    for j in 0..COMPARTMENTS {
        let membrane_us = internode.gm_us[j] + rate_per_ms * internode.cm_nf[j];
        let myelin_us = internode.gx_us[j] + rate_per_ms * internode.cx_nf[j];
        connect(AXOPLASM + j, PERIAXONAL + j, membrane_us);
        connect(PERIAXONAL + j, GROUND, myelin_us);
    }
    for i in 1..COMPARTMENTS {
        connect(AXOPLASM + i - 1, AXOPLASM + i, internode.ga_us[i]);
        connect(PERIAXONAL + i - 1, PERIAXONAL + i, internode.gp_us[i]);
    }
    for (end, compartment, link) in [(LEFT, 0, 0), (RIGHT, COMPARTMENTS - 1, COMPARTMENTS)] {
        connect(end, AXOPLASM + compartment, internode.ga_us[link]);
        // At a node the periaxonal space is open to the outside.
        connect(PERIAXONAL + compartment, GROUND, internode.gp_us[link]);
    }
    for k in (AXOPLASM..POINTS).rev() {
        let star = g[k];
        let total: f64 = star[..k].iter().sum();
        for i in 0..k {
            for j in 0..k {
                g[i][j] += star[i] * star[j] / total;
            }
        }
    }
    TwoPort {
        leak_us: g[LEFT][GROUND],
        transfer_us: g[LEFT][RIGHT],
    }
}
