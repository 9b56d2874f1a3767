//! Nonlinear least squares.

use serde::{Deserialize, Serialize};

use crate::error::{OptimizeError, check_count, check_length, check_positive};
use crate::optimizer::{Optimizer, Point, Stop, check_start, keep_best};
use crate::orthogonal::least_squares;
use crate::projection::{Projection, projected_gradient};

/// A step may be longer or shorter than the radius by this share.
const RADIUS_MARGIN: f64 = 0.1;
/// Dampings tried for a step of the radius' length.
const DAMPINGS: usize = 60;
/// Shares of the promised decrease with and above which the radius shrinks, stays, and follows the step.
const KEPT: (f64, f64) = (0.25, 0.75);
/// Radius, as a share of the length of the coordinates, with which nothing moves.
const SHORTEST: f64 = 1e-15;

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
    /// Longest first step, as a share of the length of the coordinates, both scaled by sensitivities.
    pub first_step: f64,
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
            first_step: 100.0,
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
        check_positive("first step", self.first_step)?;
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
/// Steps are damped to the radius within which linearized rows have kept their promises. Coordinates are scaled by the
/// largest sensitivity of the rows that was seen, so that their units do not matter. Coordinates that a bound holds are
/// left out of a step, which is then projected; its promise is that of the projected step. Each trial needs rows and
/// derivatives.
///
/// # Source
/// D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", J. SIAM 11, 431-441 (1963); as
/// a trust region by J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", LNM 630, 105-116
/// (1978), algorithm 7.1, here with the damping found by bisection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevenbergMarquardt {
    settings: LeastSquaresSettings,
    pending: Vec<f64>,
    /// None before the start is evaluated.
    place: Option<Place>,
    /// Largest squared length of each column of the Jacobian.
    scale: Vec<f64>,
    /// Longest scaled step; none before the first.
    radius: Option<f64>,
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
            settings,
            scale: vec![0.0; start.len()],
            pending: start,
            place: None,
            radius: None,
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

    /// Chooses the next point to evaluate: shorter steps until the linearized rows promise a decrease.
    fn propose(&mut self, place: Place, set: &dyn Projection) {
        if self.trials == self.settings.trials {
            self.stop = Some(Stop::Steps);
        }
        let gradient = gradient(&place.rows, place.x.len());
        let free = free(&place.x, &gradient, set);
        let length = self.scaled_length(&place.x);
        let mut radius = self.radius.unwrap_or_else(|| {
            let first = if length > 0.0 { length } else { 1.0 };
            self.settings.first_step * first
        });
        while self.stop.is_none() {
            if let Some(mut x) = self.step_within(radius, &place, &gradient, &free) {
                set.project(&mut x);
                self.promised = promised(&place, &x);
                if self.promised > 0.0 {
                    self.pending = x;
                    break;
                }
            }
            radius *= KEPT.0;
            if radius <= (SHORTEST * length).max(f64::MIN_POSITIVE) {
                self.stop = Some(Stop::NoDescent);
            }
        }
        self.radius = Some(radius);
        self.place = Some(place);
    }

    /// The point after the least damped step that is no longer than `radius`; `None` if rows are not finite.
    fn step_within(
        &self,
        radius: f64,
        place: &Place,
        gradient: &[f64],
        free: &[usize],
    ) -> Option<Vec<f64>> {
        let too_long = |step: &Vec<f64>| length(step) > (1.0 + RADIUS_MARGIN) * radius;
        let mut step = self.damped_step(0.0, place, free);
        if step.as_ref().is_none_or(too_long) {
            let slopes = free.iter().map(|&k| gradient[k] / self.unit(k));
            // With so much damping the step is shorter than the radius.
            let mut most = length(&slopes.collect::<Vec<_>>()) / radius;
            let mut least = f64::EPSILON * most;
            for _ in 0..DAMPINGS {
                let damping = (least * most).sqrt();
                step = self.damped_step(damping, place, free);
                if step.as_ref().is_none_or(too_long) {
                    least = damping;
                } else if step.as_ref().map(|step| length(step))
                    < Some((1.0 - RADIUS_MARGIN) * radius)
                {
                    most = damping;
                } else {
                    break;
                }
            }
        }
        let mut x = place.x.clone();
        for (&k, step) in free.iter().zip(step?) {
            x[k] += step / self.unit(k);
        }
        Some(x)
    }

    /// The scaled damped step of the free coordinates: the least squares of the linearized rows, with a row for the
    /// damping of each coordinate; `None` if they are not finite, or without damping not independent.
    fn damped_step(&self, damping: f64, place: &Place, free: &[usize]) -> Option<Vec<f64>> {
        let count = place.rows.residuals.len();
        let columns = free.iter().enumerate().map(|(index, &k)| {
            let slopes = place.rows.jacobian.iter();
            let mut column: Vec<f64> = slopes.map(|row| row[k] / self.unit(k)).collect();
            column.resize(count + free.len(), 0.0);
            column[count + index] = damping.sqrt();
            column
        });
        let mut right: Vec<f64> = place.rows.residuals.iter().map(|r| -r).collect();
        right.resize(count + free.len(), 0.0);
        least_squares(columns.collect(), right)
    }

    /// The scale of a coordinate.
    fn unit(&self, coordinate: usize) -> f64 {
        match self.scale[coordinate] {
            0.0 => 1.0,
            square => square.sqrt(),
        }
    }

    fn scaled_length(&self, x: &[f64]) -> f64 {
        let scaled = x.iter().enumerate().map(|(k, x)| self.unit(k) * x);
        length(&scaled.collect::<Vec<_>>())
    }

    /// Judges the pending point.
    fn judge(&mut self, place: Place, trial: Option<Place>, set: &dyn Projection) {
        self.trials += 1;
        let little = self.settings.value_tolerance * place.cost;
        let lowered = trial.as_ref().map(|trial| place.cost - trial.cost);
        // A trial without a value shows nothing: it is rejected.
        let converged =
            self.promised <= little && lowered.is_some_and(|lowered| lowered.abs() <= little);
        let kept = lowered.map_or(f64::NEG_INFINITY, |lowered| lowered / self.promised);
        let step: Vec<f64> = self
            .pending
            .iter()
            .zip(&place.x)
            .map(|(to, x)| to - x)
            .collect();
        self.radius = Some(self.next_radius(self.scaled_length(&step), kept));
        match trial {
            Some(trial) if kept > 0.0 => self.advance(trial, set),
            _ => self.propose(place, set),
        }
        if converged && self.stop.is_none() {
            self.stop = Some(Stop::Decrease);
        }
    }

    /// The radius after a step of this scaled length that kept this share of its promise.
    fn next_radius(&self, step: f64, kept: f64) -> f64 {
        let radius = self.radius.unwrap_or(step);
        // An undamped or projected step is shorter than the radius.
        let inside = step < (1.0 - RADIUS_MARGIN) * radius;
        match kept {
            // So bad a step says that the rows are far from linear.
            _ if kept < -10.0 => 0.1 * step,
            _ if kept <= KEPT.0 => 0.5 * step,
            _ if kept >= KEPT.1 || inside => 2.0 * step,
            _ => radius,
        }
    }
}

fn length(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
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
