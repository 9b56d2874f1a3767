//! The reduced cable that an exact double cable suggests.

use super::super::double::{DoubleCable, POINTS};
use super::super::parity::{MODES, Parity};
use super::{Mode, ReducedCable, ReducedDrive};

/// Response of an internode to a potential: the current into its left node, the response of fast modes included, and
/// the drives of the two modes that are kept.
struct Response {
    left_na: f64,
    even: f64,
    odd: f64,
}

impl ReducedCable {
    /// Keeps one mode of each parity of the internodes of `exact`, the one of index `kept` (< 10) in the order of rates.
    /// Slower ones are taken to stay at zero, faster ones to follow the nodes and the stimulus without delay.
    ///
    /// Between nodes the extracellular potential is the cubic through the four that an internode sees; `z` are the
    /// places of its sample points (left node, compartments, right node) in any unit. The coupling of neighboring nodes
    /// by a fast mode's capacitance is left out: `s b^2/lambda^2`.
    ///
    /// # Panics
    /// If `kept` is not below 10.
    pub fn from_double(exact: &DoubleCable, kept: usize, z: &[f64; POINTS]) -> Self {
        const HALF: usize = MODES / 2;
        assert!(kept < HALF, "an internode has {HALF} modes of each parity");
        let internode = &*exact.internode;
        let fast: Vec<usize> = (0..MODES).filter(|mode| mode % HALF > kept).collect();
        let mut capacitance_nf = exact.node_capacitance_nf;
        let (mut self_us, mut neighbor_us) = (internode.ga_us[0], 0.0);
        for &mode in &fast {
            let (lambda, b) = (internode.lambda[mode], internode.b[mode]);
            let conductance = b * b / lambda;
            // A node has two internodes.
            capacitance_nf += 2.0 * conductance / lambda;
            self_us -= conductance;
            neighbor_us += Parity::of(mode).sign() * conductance;
        }
        let response = |ve_nodes: [f64; 4]| {
            let length = z[POINTS - 1] - z[0];
            let ve = z.map(|place| cubic(ve_nodes, (place - z[0]) / length));
            let drives = internode.mode_drive(&ve);
            let passed: f64 = fast.iter().map(|&m| drives[m] / internode.lambda[m]).sum();
            Response {
                left_na: internode.ga_us[0] * (ve[1] - ve[0]) + passed,
                even: drives[kept],
                odd: drives[HALF + kept],
            }
        };
        let even = response([0.5, 0.0, 0.0, 0.5]);
        let odd = response([0.0, -0.5, 0.5, 0.0]);
        let wide = response([-0.5, 0.0, 0.0, 0.5]);
        let mode = |mode: usize| Mode {
            lambda_per_ms: internode.lambda[mode],
            coupling_us_per_ms: internode.b[mode] * internode.b[mode],
        };
        ReducedCable {
            nodes: exact.nodes,
            node_area_cm2: exact.node_area_cm2,
            capacitance_nf,
            self_us,
            neighbor_us,
            even: mode(kept),
            odd: mode(HALF + kept),
            drive: ReducedDrive {
                node_even_us: even.left_na,
                node_odd_us: odd.left_na,
                node_wide_us: wide.left_na,
                even_us_per_ms: even.even,
                odd_us_per_ms: odd.odd,
                wide_us_per_ms: wide.odd,
            },
        }
    }
}

/// The cubic that takes `values` at -1, 0, 1 and 2, at `x`.
fn cubic(values: [f64; 4], x: f64) -> f64 {
    const PLACES: [f64; 4] = [-1.0, 0.0, 1.0, 2.0];
    let weight = |i: usize| {
        let others = (0..4).filter(|&j| j != i);
        others
            .map(|j| (x - PLACES[j]) / (PLACES[i] - PLACES[j]))
            .product::<f64>()
    };
    (0..4).map(|i| values[i] * weight(i)).sum()
}
