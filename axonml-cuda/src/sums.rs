//! Layout of the adjoint kernel's accumulators of a fiber.

use axonml_autodiff::adjoint::{CableSums, GradientRequest};
use axonml_autodiff::engine::Rollout;

use crate::adjoint::Coefficients;
use crate::layout::{LANES, is_explicit, modes, row_length, warp_index};

/// Steps after which the adjoint kernel flushes its accumulators into double precision. Segments begin at multiples of
/// it, so that sums do not depend on them.
pub(crate) const FLUSH_STEPS: usize = 16;

/// Sums of a fiber: of coefficients of the membrane, then of the cable. A lane has one of each, and of the rows of cables
/// that are solved for four per node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SumLayout {
    pub(crate) coefficients: Coefficients,
    /// Sums over all nodes: of coefficients, and of an explicit cable or of modes.
    pub(crate) totals: usize,
    /// All sums of a lane.
    pub(crate) of_lane: usize,
    pub(crate) nodes_per_lane: usize,
}

impl SumLayout {
    pub(crate) fn new(rollout: &Rollout, nodes_per_lane: usize, request: GradientRequest) -> Self {
        let coefficients = Coefficients::new(rollout, request.parameters);
        let (together, rows) = match (request.cables, is_explicit(rollout)) {
            (false, _) => (0, 0),
            (true, true) => (4, 0),
            (true, false) => (2 * modes(rollout), 4 * nodes_per_lane),
        };
        let totals = coefficients.step + coefficients.currents + together;
        SumLayout {
            coefficients,
            totals,
            of_lane: totals + rows,
            nodes_per_lane,
        }
    }

    /// Sums that a lane holds at once: coefficients of one program at a time.
    pub(crate) fn held(&self) -> usize {
        let Coefficients { step, currents } = self.coefficients;
        self.of_lane - step.min(currents)
    }

    /// Sums of a fiber as the kernel hands them over.
    pub(crate) fn of_fiber(&self) -> usize {
        self.totals + (self.of_lane - self.totals) * LANES
    }

    /// Cotangents of the coefficients of the step and of the first `G` and `J`, from the sums of a fiber.
    pub(crate) fn coefficients<'s>(&self, sums: &'s [f64]) -> [&'s [f64]; 2] {
        let Coefficients { step, currents } = self.coefficients;
        [&sums[..step], &sums[step..step + currents]]
    }

    /// Sums of the cable of a fiber of `nodes` nodes. `a_kappa` are the modes' decays times their couplings, uS.
    pub(crate) fn cable(&self, sums: &[f64], nodes: usize, a_kappa: &[f64]) -> CableSums {
        let Coefficients { step, currents } = self.coefficients;
        let (together, rows) = sums[step + currents..].split_at(self.totals - step - currents);
        if let (Ok(sums), true) = (together.try_into(), rows.is_empty()) {
            return CableSums::Explicit(sums);
        }
        let row = row_length(self.nodes_per_lane);
        let column = |quantity: usize, count: usize| -> Vec<f64> {
            let at = |node| rows[quantity * row + warp_index(node, self.nodes_per_lane)];
            (0..count).map(at).collect()
        };
        let (a, kappa) = together.split_at(together.len() / 2);
        CableSums::Rows {
            capacitance: column(0, nodes),
            passive: column(1, nodes),
            link: column(2, nodes - 1),
            area: column(3, nodes),
            // The kernel stores modes in units of their coupling.
            a: a.iter().zip(a_kappa).map(|(sum, x)| sum * x).collect(),
            kappa: kappa.to_vec(),
        }
    }
}
