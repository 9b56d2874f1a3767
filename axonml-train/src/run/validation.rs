//! Validation of a surrogate on cases that it was not trained on.

use axonml_models::{
    Detection, Device, ErrorSummary, Fiber, Precision, Simulation, Stimulus, Threshold,
    ThresholdSearch,
};

use crate::config::{Score, ThresholdSet};
use crate::dataset::{Case, Cases, spacing_um};
use crate::trajectory::TrajectoryLoss;
use crate::{Surrogate, TrainError};

/// The data of validation.
pub(super) struct Validation {
    pub(super) traces: Option<TrajectoryLoss>,
    pub(super) thresholds: Option<ThresholdCheck>,
    pub(super) score: Score,
}

/// The result of a validation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Validated {
    /// Mean loss of the traces that can be simulated.
    pub loss: Option<f64>,
    /// Number of those that cannot.
    pub left_out: usize,
    /// Errors of thresholds.
    pub thresholds: Option<ThresholdErrors>,
}

/// Errors of the surrogate's thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdErrors {
    /// Mean absolute error of the thresholds found, %.
    pub mape_pct: f64,
    /// The largest absolute error, %.
    pub worst_pct: f64,
    /// Cases in which the exact fiber has a threshold and the surrogate none.
    pub missed: usize,
    /// Cases in which the exact fiber has one.
    pub count: usize,
}

impl Validation {
    pub(super) fn of(&self, surrogate: &Surrogate, x: &[f64]) -> Result<Validated, TrainError> {
        let mut validated = Validated::default();
        if let Some(traces) = &self.traces {
            (validated.loss, validated.left_out) = traces.of(surrogate, x)?;
        }
        if let Some(thresholds) = &self.thresholds {
            validated.thresholds = Some(thresholds.of(surrogate, x)?);
        }
        Ok(validated)
    }

    /// The score that the best weights minimize; infinite for a surrogate that cannot be simulated everywhere, and a
    /// threshold that is missed counts as an error of 100 %.
    pub(super) fn score(&self, validated: &Validated) -> f64 {
        let score = match (self.score, &validated.thresholds) {
            (Score::Loss, _) if validated.left_out == 0 => validated.loss,
            (Score::Mape, Some(errors)) => {
                let found = (errors.count - errors.missed) as f64;
                let sum = errors.mape_pct * found + 100.0 * errors.missed as f64;
                Some(sum / errors.count as f64)
            }
            _ => None,
        };
        score
            .filter(|score| score.is_finite())
            .unwrap_or(f64::INFINITY)
    }
}

/// Cases whose exact thresholds are known.
pub(super) struct ThresholdCheck {
    fibers: Vec<Fiber>,
    stimulus: Stimulus,
    /// As multiples of the drawn currents.
    exact: Vec<f64>,
    dt_ms: f64,
    tstop_ms: f64,
    precision: Precision,
    search: ThresholdSearch,
    device: Device,
}

impl ThresholdCheck {
    /// Searches the exact thresholds; cases without one are left out.
    pub(super) fn new(
        set: &ThresholdSet,
        cases: &Cases,
        surrogate: &Surrogate,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let place = "valid.thresholds";
        let search = ThresholdSearch {
            detection: Detection {
                threshold_mv: set.detect_threshold_mv,
                ..Detection::at_nodes(&set.detect_nodes)
            },
            first_ma: Some(set.first),
            first_part: None,
            early_end: true,
            max_ma: set.max,
            resolution: set.resolution,
        };
        let of_set = TrainError::set;
        let drawn: Vec<Case> = (0..set.count)
            .map(|index| cases.case(index).map_err(of_set(place)))
            .collect::<Result<_, _>>()?;
        let (exact, stimulus) = cases.exact(&drawn, device).map_err(of_set(place))?;
        let found = exact.thresholds(&stimulus, &search, &mut |_| ())?;
        let kept: Vec<(usize, f64)> = found
            .iter()
            .enumerate()
            .filter_map(|(index, found)| Some((index, found.upper_ma()?)))
            .collect();
        if kept.is_empty() {
            return Err(TrainError::value(
                place,
                format!(
                    "no exact threshold up to {} times the drawn currents",
                    set.max
                ),
                "cases that fire: larger currents, longer runs, or a larger `max`",
            ));
        }
        let recipe = cases.recipe();
        let x = vec![0.0; surrogate.len()];
        let fibers: Vec<Fiber> = kept
            .iter()
            .map(|&(index, _)| Fiber::new(drawn[index].diameter_um, recipe.nodes))
            .collect();
        let settings = surrogate.settings(&x, recipe.dt_ms, recipe.tstop_ms, precision);
        let simulation = Simulation::new(surrogate.model(), fibers.clone(), &settings, device)?;
        let of_kept = |&(index, _): &(usize, f64)| (&drawn[index], spacing_um(&exact, index));
        let stimulus = cases
            .stimulus(kept.iter().map(of_kept), &simulation)
            .map_err(of_set(place))?;
        Ok(ThresholdCheck {
            fibers,
            stimulus,
            exact: kept.into_iter().map(|(_, exact)| exact).collect(),
            dt_ms: recipe.dt_ms,
            tstop_ms: recipe.tstop_ms,
            precision,
            search,
            device: device.clone(),
        })
    }

    fn of(&self, surrogate: &Surrogate, x: &[f64]) -> Result<ThresholdErrors, TrainError> {
        let settings = surrogate.settings(x, self.dt_ms, self.tstop_ms, self.precision);
        let fibers = self.fibers.clone();
        let simulation = Simulation::new(surrogate.model(), fibers, &settings, &self.device)?;
        let found = simulation.thresholds(&self.stimulus, &self.search, &mut |_| ())?;
        Ok(errors(&found, &self.exact))
    }
}

fn errors(found: &[Threshold], exact: &[f64]) -> ThresholdErrors {
    let pairs = found.iter().zip(exact);
    let errors: Vec<f64> = pairs
        .filter_map(|(found, exact)| Some(100.0 * (found.upper_ma()? / exact - 1.0)))
        .collect();
    let summary = ErrorSummary::of(&errors);
    ThresholdErrors {
        mape_pct: summary.map_or(0.0, |of| of.mean_abs),
        worst_pct: summary.map_or(0.0, |of| of.max_abs),
        missed: exact.len() - errors.len(),
        count: exact.len(),
    }
}

#[cfg(test)]
mod tests {
    use axonml_models::{SpikeStart, ThresholdKind};

    use super::*;

    #[test]
    fn errors_are_means_of_what_was_found() {
        let at = |upper_ma: f64| Threshold::Found {
            start: SpikeStart {
                node: 26,
                z_um: 0.0,
                time_ms: 0.5,
            },
            kind: ThresholdKind::Regular,
            lower_ma: 0.0,
            upper_ma,
        };
        let none = Threshold::Spontaneous;
        let errors = errors(&[at(1.1), at(1.8), none], &[1.0, 2.0, 1.0]);
        assert!((errors.mape_pct - 10.0).abs() < 1e-12 && (errors.worst_pct - 10.0).abs() < 1e-12);
        assert_eq!((errors.missed, errors.count), (1, 3));
        let validation = Validation {
            traces: None,
            thresholds: None,
            score: Score::Mape,
        };
        let score = |loss: Option<f64>, left_out: usize, score: Score| {
            let validated = Validated {
                loss,
                left_out,
                thresholds: Some(errors),
            };
            Validation {
                score,
                ..Validation {
                    traces: None,
                    thresholds: None,
                    score,
                }
            }
            .score(&validated)
        };
        assert!((score(None, 0, validation.score) - 40.0).abs() < 1e-12);
        assert_eq!(score(Some(2.0), 0, Score::Loss), 2.0);
        assert_eq!(score(Some(2.0), 1, Score::Loss), f64::INFINITY);
    }
}
