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
/// Axoplasm and periaxonal space of the compartment that is eliminated next, and of the one to the right of it.
const AXOPLASM: usize = 2;
const PERIAXONAL: usize = 3;
const NEXT_AXOPLASM: usize = 4;
const NEXT_PERIAXONAL: usize = 5;
const POINTS: usize = 6;

/// Conductances between the points of a network, `[point][point]`.
#[derive(Default)]
struct Mesh([[f64; POINTS]; POINTS]);

impl Mesh {
    fn connect(&mut self, a: usize, b: usize, us: f64) {
        self.0[a][b] += us;
        self.0[b][a] += us;
    }

    /// Eliminates a point by star-mesh transformation, `g_ij += g_ik g_kj / sum_l g_kl`. Every term is positive, so that
    /// the leak keeps its digits although it is many decades below the conductances it results from.
    fn eliminate(&mut self, point: usize) {
        let star = self.0[point];
        let total: f64 = star.iter().sum();
        for (i, from) in star.iter().enumerate() {
            let share = from / total;
            for (j, to) in star.iter().enumerate() {
                if i != j {
                    self.0[i][j] += share * to;
                }
            }
        }
        self.disconnect(point);
    }

    fn disconnect(&mut self, point: usize) {
        for other in 0..POINTS {
            self.0[point][other] = 0.0;
            self.0[other][point] = 0.0;
        }
    }

    /// Gives the connections of a point to a place without any.
    fn rename(&mut self, point: usize, place: usize) {
        let star = self.0[point];
        self.disconnect(point);
        for (other, us) in star.into_iter().enumerate() {
            self.connect(place, other, us);
        }
    }
}

/// The internode with `rate_per_ms` times its capacitances in parallel to its conductances: `1/dt` gives the companion
/// network of a backward Euler step of `dt`, 0 the static one. Compartments are eliminated from left to right.
pub(super) fn two_port(internode: &Internode, rate_per_ms: f64) -> TwoPort {
    let mut mesh = Mesh::default();
    // At a node the periaxonal space is open to the outside.
    mesh.connect(LEFT, AXOPLASM, internode.ga_us[0]);
    mesh.connect(GROUND, PERIAXONAL, internode.gp_us[0]);
    for j in 0..COMPARTMENTS {
        let membrane_us = internode.gm_us[j] + rate_per_ms * internode.cm_nf[j];
        let myelin_us = internode.gx_us[j] + rate_per_ms * internode.cx_nf[j];
        mesh.connect(AXOPLASM, PERIAXONAL, membrane_us);
        mesh.connect(PERIAXONAL, GROUND, myelin_us);
        let (ga_us, gp_us) = (internode.ga_us[j + 1], internode.gp_us[j + 1]);
        let beyond = if j + 1 == COMPARTMENTS {
            GROUND
        } else {
            NEXT_PERIAXONAL
        };
        mesh.connect(AXOPLASM, NEXT_AXOPLASM, ga_us);
        mesh.connect(PERIAXONAL, beyond, gp_us);
        mesh.eliminate(PERIAXONAL);
        mesh.eliminate(AXOPLASM);
        mesh.rename(NEXT_AXOPLASM, AXOPLASM);
        mesh.rename(NEXT_PERIAXONAL, PERIAXONAL);
    }
    // After the last renaming the axoplasm is the right node.
    TwoPort {
        leak_us: mesh.0[LEFT][GROUND],
        transfer_us: mesh.0[LEFT][AXOPLASM],
    }
}
