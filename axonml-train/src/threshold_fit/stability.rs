//! Penalty rows for the distance of an explicitly stepped surrogate from instability.
//!
//! A stronger coupling between nodes compensates for deficiencies of a surrogate, and a fit increases it further and
//! further. Beyond the limit of stability a fiber breaks from one step of the fit to the next, which no derivative of
//! its responses foretells; these rows do.

use axonml_models::{Device, Simulation};

use super::row::Row;
use super::{FitError, ThresholdFit};
use crate::Surrogate;

/// Stability number at the peak of an action potential that is as good as any, and the standard deviation beyond. From
/// 2 on steps amplify; strong stimuli open more conductances than an action potential does.
const AT_EASE: f64 = 1.85;
const SIGMA: f64 = 0.005;
/// The share of all conductances that an action potential opens at its peak.
const OPEN: f64 = 0.3;
/// The group of parameters that are conductances, S/cm2.
const CONDUCTANCES: &str = "conductance";
/// Half the difference of coordinates that derivatives are computed from.
const HALF_DIFFERENCE: f64 = 1e-4;

/// The standardized excess of each fiber of a simulation of the surrogate at `x`; empty where steps are implicit.
pub(super) fn excess(simulation: &Simulation, surrogate: &Surrogate, x: &[f64]) -> Vec<f64> {
    let parameters = surrogate.schema().parameters.iter();
    let of_group = parameters.zip(surrogate.values(x));
    let conductances = of_group.filter(|(parameter, _)| parameter.group == CONDUCTANCES);
    let open_s_cm2 = OPEN * conductances.map(|(_, value)| value).sum::<f64>();
    let fibers = 0..simulation.fibers().len();
    let numbers = fibers.filter_map(|fiber| simulation.stability(fiber, open_s_cm2));
    numbers
        .map(|number| ((number - AT_EASE) / SIGMA).max(0.0))
        .collect()
}

impl ThresholdFit {
    /// Rows of those fibers without stimulus that have an excess.
    pub(super) fn stability_rows(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        excess_at_x: &[f64],
        device: &Device,
    ) -> Result<Vec<Row>, FitError> {
        if excess_at_x.iter().all(|excess| *excess == 0.0) {
            return Ok(Vec::new());
        }
        let mut rows: Vec<Row> = excess_at_x
            .iter()
            .map(|&residual| Row {
                residual,
                limit: f64::INFINITY,
                by_x: Vec::new(),
                steep: false,
            })
            .collect();
        let mut moved = x.to_vec();
        for coordinate in 0..x.len() {
            let mut beside = |by: f64| {
                moved[coordinate] = x[coordinate] + by;
                let simulation = self.rest_simulation(surrogate, &moved, device)?;
                Ok::<_, FitError>(excess(&simulation, surrogate, &moved))
            };
            let (above, below) = (beside(HALF_DIFFERENCE)?, beside(-HALF_DIFFERENCE)?);
            moved[coordinate] = x[coordinate];
            for ((row, above), below) in rows.iter_mut().zip(above).zip(below) {
                row.by_x.push((above - below) / (2.0 * HALF_DIFFERENCE));
            }
        }
        rows.retain(|row| row.residual > 0.0);
        Ok(rows)
    }
}
