//! Nonlinear least squares.

use serde::{Deserialize, Serialize};

use crate::error::{OptimizeError, check_count, check_length, check_positive};
use crate::optimizer::{Optimizer, Point, Stop, check_start, keep_best};
use crate::orthogonal::least_squares;
use crate::projection::{Projection, projected_gradient};

/// Damping that leaves nothing of a step.
const STRONGEST: f64 = 1e16;

/// The rows of a least-squares problem at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Residuals, whose squares are added.
    pub residuals: Vec<f64>,
    /// Their derivatives.
    ///
    /// # Shape
    /// `[residual][coordinate]`.
    pub jacobian: Vec<Vec<f64>>,
}

/// Settings of [`LevenbergMarquardt`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeastSquaresSettings {
    /// Damping of the first step, in units of the squared sensitivity of each coordinate.
    pub damping: f64,
    /// Trials: steps that were taken, and steps that were not.
    pub trials: usize,
    /// Ends when no column of the Jacobian has a larger cosine with the residuals.
    pub gradient_tolerance: f64,
    /// Ends when the sum of squares falls, and was to fall, by less than this share of it.
    pub value_tolerance: f64,
}

impl Default for LeastSquaresSettings {
    fn default() -> Self {
        LeastSquaresSettings {
            damping: 1e-3,
            trials: 200,
            gradient_tolerance: 1e-10,
            value_tolerance: 1e-14,
        }
    }
}

impl LeastSquaresSettings {
    /// Checks every number.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), OptimizeError> {
        check_positive("damping", self.damping)?;
        let tolerances = [
            ("gradient tolerance", self.gradient_tolerance),
            ("value tolerance", self.value_tolerance),
        ];
        for (what, found) in tolerances {
            if !(found >= 0.0 && found.is_finite()) {
                let expected = "a finite number, 0 or more";
                return Err(OptimizeError::setting(what, found, expected));
            }
        }
        Ok(())
    }
}

/// A point with its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    x: Vec<f64>,
    rows: Rows,
    cost: f64,
}

/// The method of Levenberg and Marquardt, from one start, within a feasible set; the fitness is the sum of squares.
///
/// Coordinates are damped in proportion to the largest sensitivity of the rows that was seen, so that their units do
/// not matter. Coordinates that a bound holds are left out of a step, which is then projected; what it promises is
/// judged by the projected step. Each trial needs rows and derivatives.
///
/// # Source
/// D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11, 431-441 (1963);
/// the scale of coordinates by J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", LNM 630,
/// 105-116 (1978); the damping by H. B. Nielsen, "Damping parameter in Marquardt's method", IMM-REP-1999-05, DTU 1999.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevenbergMarquardt {
    settings: LeastSquaresSettings,
    pending: Vec<f64>,
    /// None before the start is evaluated.
    place: Option<Place>,
    /// Largest squared length of each column of the Jacobian.
    scale: Vec<f64>,
    damping: f64,
    growth: f64,
    /// Decrease of the cost that the linearized rows promise of the pending step.
    promised: f64,
    trials: usize,
    best: Option<Point<f64>>,
    stop: Option<Stop>,
}

impl LevenbergMarquardt {
    /// A fit from `start`, moved into `set`.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] for settings or a start that make no sense.
    pub fn new(
        settings: LeastSquaresSettings,
        mut start: Vec<f64>,
        set: &dyn Projection,
    ) -> Result<Self, OptimizeError> {
        settings.check()?;
        check_start(&mut start, set)?;
        Ok(LevenbergMarquardt {
            damping: settings.damping,
            settings,
            scale: vec![0.0; start.len()],
            pending: start,
            place: None,
            growth: 2.0,
            promised: 0.0,
            trials: 0,
            best: None,
            stop: None,
        })
    }

    /// Trials made.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Takes the pending point as the present one.
    fn advance(&mut self, place: Place, set: &dyn Projection) {
        let columns = square_lengths(&place.rows, place.x.len());
        for (scale, column) in self.scale.iter_mut().zip(&columns) {
            *scale = scale.max(*column);
        }
        let gradient = gradient(&place.rows, place.x.len());
        let free = free(&place.x, &gradient, set);
        let residual = place.cost.sqrt();
        let aligned = |&k: &usize| {
            gradient[k].abs() > self.settings.gradient_tolerance * columns[k].sqrt() * residual
        };
        if !free.iter().any(aligned) {
            self.stop = Some(Stop::Gradient);
            self.place = Some(place);
        } else {
            self.propose(place, set);
        }
    }

    /// Chooses the next point to evaluate: steps of growing damping until the linearized rows promise a decrease.
    fn propose(&mut self, place: Place, set: &dyn Projection) {
        if self.trials == self.settings.trials {
            self.stop = Some(Stop::Steps);
        }
        let gradient = gradient(&place.rows, place.x.len());
        let free = free(&place.x, &gradient, set);
        while self.stop.is_none() {
            if let Some(mut x) = self.damped_step(&place, &free) {
                set.project(&mut x);
                self.promised = promised(&place, &x);
                if self.promised > 0.0 {
                    self.pending = x;
                    break;
                }
            }
            self.strengthen();
        }
        self.place = Some(place);
    }

    /// The point after the damped step of the free coordinates: the least squares of the linearized rows, with a row for
    /// the damping of each coordinate; `None` if they are not finite.
    fn damped_step(&self, place: &Place, free: &[usize]) -> Option<Vec<f64>> {
        let count = place.rows.residuals.len();
        let damped = self.damping.sqrt();
        let unit = |k: usize| match self.scale[k] {
            0.0 => 1.0,
            square => square.sqrt(),
        };
        let columns = free.iter().enumerate().map(|(place_of, &k)| {
            let slopes = place.rows.jacobian.iter().map(|row| row[k] / unit(k));
            let mut column: Vec<f64> = slopes.collect();
            column.resize(count + free.len(), 0.0);
            column[count + place_of] = damped;
            column
        });
        let mut right: Vec<f64> = place.rows.residuals.iter().map(|r| -r).collect();
        right.resize(count + free.len(), 0.0);
        let step = least_squares(columns.collect(), right)?;
        let mut x = place.x.clone();
        for (&k, step) in free.iter().zip(step) {
            x[k] += step / unit(k);
        }
        Some(x)
    }

    fn strengthen(&mut self) {
        self.damping *= self.growth;
        self.growth *= 2.0;
        if self.damping > STRONGEST {
            self.stop = Some(Stop::NoDescent);
        }
    }

    /// Judges the pending point.
    fn judge(&mut self, place: Place, trial: Option<Place>, set: &dyn Projection) {
        self.trials += 1;
        let little = self.settings.value_tolerance * place.cost;
        let lowered = trial.as_ref().map_or(0.0, |trial| place.cost - trial.cost);
        let converged = self.promised <= little && lowered.abs() <= little;
        match trial {
            Some(trial) if lowered > 0.0 => {
                let kept = lowered / self.promised;
                self.damping *= (1.0 - (2.0 * kept - 1.0).powi(3)).max(1.0 / 3.0);
                self.growth = 2.0;
                self.advance(trial, set);
            }
            _ => {
                self.strengthen();
                self.propose(place, set);
            }
        }
        if converged && self.stop.is_none() {
            self.stop = Some(Stop::Decrease);
        }
    }
}

/// The derivatives of half the cost.
fn gradient(rows: &Rows, coordinates: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; coordinates];
    for (row, residual) in rows.jacobian.iter().zip(&rows.residuals) {
        gradient
            .iter_mut()
            .zip(row)
            .for_each(|(g, j)| *g += j * residual);
    }
    gradient
}

/// Squared lengths of the Jacobian's columns.
fn square_lengths(rows: &Rows, coordinates: usize) -> Vec<f64> {
    let mut squares = vec![0.0; coordinates];
    for row in &rows.jacobian {
        squares.iter_mut().zip(row).for_each(|(s, j)| *s += j * j);
    }
    squares
}

/// Coordinates that no bound keeps from descending.
fn free(x: &[f64], gradient: &[f64], set: &dyn Projection) -> Vec<usize> {
    // Coordinates at 0 are taken to be of the size of 1 here: only whether they can move matters.
    let projected = projected_gradient(x, gradient, 1.0, set);
    let held = |k: usize| projected[k] == 0.0 && gradient[k] != 0.0;
    (0..x.len()).filter(|&k| !held(k)).collect()
}

/// Decrease of the cost on the way to `x` if the rows are linear.
fn promised(place: &Place, x: &[f64]) -> f64 {
    let rows = place.rows.jacobian.iter().zip(&place.rows.residuals);
    rows.map(|(row, residual)| {
        let steps = x.iter().zip(&place.x).zip(row);
        let change: f64 = steps.map(|((to, from), j)| j * (to - from)).sum();
        -change * (2.0 * residual + change)
    })
    .sum()
}

impl Optimizer for LevenbergMarquardt {
    type Told = Rows;
    type Fitness = f64;

    fn ask(&self) -> Vec<Vec<f64>> {
        match self.stop {
            None => vec![self.pending.clone()],
            Some(_) => Vec::new(),
        }
    }

    fn check(&self, told: &[Rows]) -> Result<(), OptimizeError> {
        check_count(told.len(), usize::from(self.stop.is_none()))?;
        told.iter().try_for_each(|rows| {
            let count = rows.residuals.len();
            check_length("rows of the Jacobian", 0, rows.jacobian.len(), count)?;
            let mut each = rows.jacobian.iter();
            each.try_for_each(|row| {
                check_length("a row of the Jacobian", 0, row.len(), self.pending.len())
            })
        })
    }

    fn tell(&mut self, told: Vec<Rows>, set: &dyn Projection) -> Result<(), OptimizeError> {
        self.check(&told)?;
        for rows in told {
            let cost: f64 = rows.residuals.iter().map(|r| r * r).sum();
            keep_best(&mut self.best, &self.pending, &cost);
            let finite = cost.is_finite()
                && rows
                    .jacobian
                    .iter()
                    .flatten()
                    .all(|slope| slope.is_finite());
            let trial = finite.then(|| Place {
                x: self.pending.clone(),
                rows,
                cost,
            });
            match (self.place.take(), trial) {
                (Some(place), trial) => self.judge(place, trial, set),
                (None, Some(start)) => self.advance(start, set),
                (None, None) => self.stop = Some(Stop::NotFinite),
            }
        }
        Ok(())
    }

    fn best(&self) -> Option<&Point<f64>> {
        self.best.as_ref()
    }

    fn stop(&self) -> Option<Stop> {
        self.stop
    }
}
