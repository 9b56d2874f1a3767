//! Fitting a surrogate's thresholds, arrival times, action-potential shape and rest to those of the exact fiber, by the
//! Levenberg-Marquardt method.
//!
//! A threshold is differentiable: with `g` the voltage at the detecting node when it crosses the level, in the run at
//! the threshold `A` itself, `d ln A/dx = -(dg/dx)/(A dg/dA)`. Both derivatives are huge, as is natural next to an
//! all-or-none response, and come from one adjoint pass; their quotient is well behaved.
//!
//! Thresholds alone do not make a surrogate: they can be met by action potentials of absurd shape, or by a fiber that
//! fires by itself when one waits. Rows for the shape after the arrival, and for the voltage at rest, exclude both.

mod cases;
mod derivatives;
mod error;
mod row;
mod solve;
mod stability;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use axonml_models::{Device, ErrorSummary, Precision};
use serde::{Deserialize, Serialize};

use crate::dataset::Cases;
use crate::{Surrogate, TrainError};
use cases::{FitCases, RestCases};
use derivatives::Residuals;
pub use error::FitError;
use row::Row;

/// Settings of a fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThresholdStage {
    /// Recipe file of a training's cases, if not the training set's recipe. Amplitudes are searched for, so that the
    /// recipe's magnitudes only set the ratio between contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<PathBuf>,
    /// Seed of the cases, if not the recipe's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Cases to draw; those without a threshold are left out.
    pub cases: usize,
    /// Largest number of iterations.
    pub iterations: usize,
    /// Target standard deviation of `ln threshold`.
    pub sigma_threshold: f64,
    /// Of the arrival at 1.5 times the threshold, ms.
    pub sigma_arrival_ms: f64,
    /// Of the voltage at a random time after the arrival, mV.
    pub sigma_shape_mv: f64,
    /// Of the voltage at rest after 5, 20 and 40 ms, mV.
    pub sigma_rest_mv: f64,
    /// Weight of the quadratic penalty that keeps each coordinate near its start, per case.
    pub prior: f64,
}

impl Default for ThresholdStage {
    fn default() -> Self {
        ThresholdStage {
            recipe: None,
            seed: None,
            cases: 256,
            iterations: 20,
            sigma_threshold: 0.01,
            sigma_arrival_ms: 0.1,
            sigma_shape_mv: 4.0,
            sigma_rest_mv: 0.5,
            prior: 0.004,
        }
    }
}

/// Robustness: residuals beyond these many standard deviations count linearly.
const HUBER_THRESHOLD: f64 = 6.0;
const HUBER_OTHERS: f64 = 3.0;
/// Residual of a case in which the surrogate has no threshold, in standard deviations.
const LOST: f64 = 50.0;
/// An action potential whose shape is off by more than this, or a fiber that is off by more at rest, is none, mV.
const BROKEN_MV: f64 = 25.0;
/// Largest derivatives by a coordinate; larger ones are those of a response about to change altogether: of
/// `ln threshold`, of arrivals (ms) and of voltages (mV).
const STEEPEST_THRESHOLD: f64 = 25.0;
const STEEPEST_ARRIVAL_MS: f64 = 250.0;
const STEEPEST_MV: f64 = 5000.0;
/// Largest change of a coordinate in an iteration.
const LARGEST_STEP: f64 = 0.5;
const FIRST_MU: f64 = 1e-4;
const TRIES: usize = 6;
/// A fit has converged when an iteration lowers the cost by less than this share.
const CONVERGED: f64 = 2e-4;

impl ThresholdStage {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`TrainError::Value`] naming the first setting that makes no sense.
    pub fn check(&self) -> Result<(), TrainError> {
        for (what, value) in [("cases", self.cases), ("iterations", self.iterations)] {
            if value == 0 {
                return Err(TrainError::value(what, value, "1 or more"));
            }
        }
        let positive = [
            ("sigma_threshold", self.sigma_threshold),
            ("sigma_arrival_ms", self.sigma_arrival_ms),
            ("sigma_shape_mv", self.sigma_shape_mv),
            ("sigma_rest_mv", self.sigma_rest_mv),
        ];
        for (what, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(TrainError::value(what, value, "a finite number above 0"));
            }
        }
        if !(self.prior >= 0.0 && self.prior.is_finite()) {
            return Err(TrainError::value(
                "prior",
                self.prior,
                "a finite number of at least 0",
            ));
        }
        Ok(())
    }
}

/// A fit with the exact fibers' responses.
pub struct ThresholdFit {
    stage: ThresholdStage,
    precision: Precision,
    cases: FitCases,
    rest: RestCases,
}

/// The state of a fit: everything needed to resume it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitState {
    /// Coordinates of the surrogate.
    pub x: Vec<f64>,
    /// Iterations done.
    pub iteration: usize,
    /// Damping.
    pub mu: f64,
    /// Cost at `x`.
    pub cost: f64,
    /// The surrogate's thresholds at `x`, mA; where it has none, the last one it had, or at first the exact one.
    pub thresholds_ma: Vec<f64>,
}

/// The report of an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct FitReport {
    /// Iterations done.
    pub iteration: usize,
    /// Cost after it.
    pub cost: f64,
    /// Mean absolute error of the thresholds, %.
    pub mape_pct: f64,
    /// Largest error in magnitude, with its sign, %.
    pub worst_pct: f64,
    /// Root mean square of the errors of arrival, ms.
    pub arrival_rms_ms: f64,
    /// Of the voltage after the arrival, mV.
    pub shape_rms_mv: f64,
    /// Of the voltage at rest, mV.
    pub rest_rms_mv: f64,
    /// Cases without a threshold.
    pub lost: usize,
    /// Cases with one of which the iteration left out a row or all: derivatives were not finite, or too steep.
    pub left_out: usize,
    /// Damping for the next iteration.
    pub mu: f64,
    /// Whether a step was taken.
    pub accepted: bool,
    /// Whether another iteration would change nothing worth the while.
    pub converged: bool,
}

impl ThresholdFit {
    /// Draws the first cases of a recipe and simulates the exact fibers; the surrogate will be simulated in
    /// `precision`.
    ///
    /// # Errors
    /// [`FitError`] if the exact fibers cannot be simulated, or too few of them have a threshold.
    pub fn prepare(
        stage: &ThresholdStage,
        cases: &Cases,
        precision: Precision,
        surrogate: &Surrogate,
        device: &Device,
    ) -> Result<Self, FitError> {
        Ok(ThresholdFit {
            cases: FitCases::prepare(stage.cases, cases, surrogate, device)?,
            rest: RestCases::prepare(cases.recipe(), device)?,
            stage: stage.clone(),
            precision,
        })
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there is no case; a fit that was prepared has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The state before the first iteration.
    ///
    /// # Errors
    /// [`FitError::Inexcitable`] if the surrogate has no threshold in more than half of the cases.
    pub fn begin(
        &self,
        surrogate: &Surrogate,
        x: Vec<f64>,
        device: &Device,
    ) -> Result<FitState, FitError> {
        let exact: Vec<f64> = self.cases.exact_thresholds_ma();
        let residuals = self.residuals(surrogate, &x, &exact, device)?;
        let found = residuals.found();
        if 2 * found < self.len() {
            return Err(FitError::Inexcitable {
                found,
                of: self.len(),
                reasons: residuals.reasons(),
            });
        }
        Ok(FitState {
            iteration: 0,
            mu: FIRST_MU,
            cost: self.cost(&residuals, &x),
            thresholds_ma: residuals.guesses(&exact),
            x,
        })
    }

    /// The responses of the surrogate at `x` to the cases.
    ///
    /// # Errors
    /// If a simulation cannot be run.
    pub fn report(
        &self,
        surrogate: &Surrogate,
        state: &FitState,
        device: &Device,
    ) -> Result<FitReport, FitError> {
        let residuals = self.residuals(surrogate, &state.x, &state.thresholds_ma, device)?;
        Ok(self.summary(&residuals, state, false, false))
    }

    /// One iteration: derivatives at the present coordinates, then steps of growing damping until one lowers the cost.
    ///
    /// # Errors
    /// If the state is of another fit, or a simulation cannot be run.
    pub fn iterate(
        &self,
        surrogate: &Surrogate,
        state: &mut FitState,
        device: &Device,
    ) -> Result<FitReport, FitError> {
        self.check(surrogate, state)?;
        let residuals = self.residuals(surrogate, &state.x, &state.thresholds_ma, device)?;
        let (rows, left_out) = self.rows(surrogate, &state.x, &residuals, device)?;
        let cost = self.cost(&residuals, &state.x);
        let prior = self.stage.prior * self.len() as f64;
        let normal = solve::Normal::new(&rows, &state.x, prior);
        state.iteration += 1;
        for _ in 0..TRIES {
            let Some(step) = normal.step(state.mu, LARGEST_STEP) else {
                break;
            };
            let x: Vec<f64> = state.x.iter().zip(&step.by_x).map(|(x, d)| x + d).collect();
            let new = self.residuals(surrogate, &x, &state.thresholds_ma, device)?;
            let new_cost = self.cost(&new, &x);
            if new_cost < cost && new.broken() <= residuals.broken() {
                let converged = cost - new_cost < CONVERGED * cost;
                state.thresholds_ma = new.guesses(&state.thresholds_ma);
                state.x = x;
                state.mu = next_mu(step.mu, (cost - new_cost) / step.promised);
                state.cost = new_cost;
                let mut report = self.summary(&new, state, true, converged);
                report.left_out = left_out;
                return Ok(report);
            }
            state.mu = 4.0 * step.mu;
        }
        state.cost = cost;
        let mut report = self.summary(&residuals, state, false, true);
        report.left_out = left_out;
        Ok(report)
    }

    fn check(&self, surrogate: &Surrogate, state: &FitState) -> Result<(), FitError> {
        let pairs = [
            ("coordinates", surrogate.len(), state.x.len()),
            ("thresholds", self.len(), state.thresholds_ma.len()),
        ];
        for (what, expected, found) in pairs {
            if expected != found {
                return Err(FitError::State {
                    what,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// The sum of all rows' losses, and the prior's.
    fn cost(&self, residuals: &Residuals, x: &[f64]) -> f64 {
        let each = residuals.standardized(&self.stage);
        let data: f64 = each.map(|(residual, limit)| huber(residual, limit)).sum();
        let prior = self.stage.prior * self.len() as f64;
        data + prior * x.iter().map(|x| x * x).sum::<f64>()
    }

    fn summary(
        &self,
        residuals: &Residuals,
        state: &FitState,
        accepted: bool,
        converged: bool,
    ) -> FitReport {
        let errors = residuals.threshold_errors();
        let percent = |ln: &f64| 100.0 * (ln.exp() - 1.0);
        let worst = errors.iter().copied().fold(0.0_f64, |worst, error| {
            if error.abs() > worst.abs() {
                error
            } else {
                worst
            }
        });
        let in_percent: Vec<f64> = errors.iter().map(percent).collect();
        let summary = ErrorSummary::of(&in_percent);
        FitReport {
            iteration: state.iteration,
            cost: state.cost,
            mape_pct: summary.map_or(0.0, |of| of.mean_abs),
            worst_pct: percent(&worst),
            arrival_rms_ms: rms(&residuals.arrival_errors()),
            shape_rms_mv: rms(&residuals.shape_errors()),
            rest_rms_mv: rms(&residuals.rest_errors()),
            lost: self.len() - residuals.found(),
            left_out: 0,
            mu: state.mu,
            accepted,
            converged,
        }
    }
}

/// The damping after a step that kept this share of its promise: less where residuals are as good as linear.
fn next_mu(mu: f64, kept: f64) -> f64 {
    match kept {
        _ if kept > 0.75 => (mu / 4.0).max(solve::WEAKEST),
        _ if kept < 0.25 => 4.0 * mu,
        _ => mu,
    }
}

/// Loss of a standardized residual: its square up to `limit`, linear beyond.
fn huber(residual: f64, limit: f64) -> f64 {
    let size = residual.abs();
    if size <= limit {
        residual * residual
    } else {
        limit * (2.0 * size - limit)
    }
}

/// Weight of a row of this residual in the least squares that the losses amount to.
fn huber_weight(residual: f64, limit: f64) -> f64 {
    (limit / residual.abs()).min(1.0)
}

fn rms(errors: &[f64]) -> f64 {
    let squares: f64 = errors.iter().map(|x| x * x).sum();
    (squares / errors.len().max(1) as f64).sqrt()
}
