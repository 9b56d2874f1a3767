//! L-BFGS with projection.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::slope::{Slope, all_finite, difference, dot, norm};
use crate::error::{OptimizeError, check_count, check_length, check_positive};
use crate::optimizer::{Optimizer, Point, Stop, check_start, keep_best};
use crate::projection::{Projection, largest, projected_gradient};

/// Least cosine between step and change of the gradient with which both are remembered.
const LEAST_CURVATURE: f64 = 1e-10;
/// A trial is moved by the secant of slopes between these factors.
const SECANT: (f64, f64) = (0.1, 10.0);
/// A step that does not lower the value enough is shortened by a factor between these.
const BACKTRACK: (f64, f64) = (0.1, 0.5);

/// Settings of [`Lbfgs`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LbfgsSettings {
    /// Steps remembered.
    pub memory: usize,
    /// Length of the first trial step, which is also the size of coordinates near 0.
    pub first_step: f64,
    /// Share of the decrease promised by the slope that a step must keep (Armijo's condition).
    pub decrease: f64,
    /// A step that leaves a greater share of the slope along it is moved once, by the secant; at 0, line searches of a
    /// quadratic are exact.
    pub curvature: f64,
    /// Steps.
    pub steps: usize,
    /// Trials of a step.
    pub trials: usize,
    /// Ends when no component of the projected gradient is larger.
    pub gradient_tolerance: f64,
    /// Ends when a step lowers the value by less than this share of it.
    pub value_tolerance: f64,
}

impl Default for LbfgsSettings {
    fn default() -> Self {
        LbfgsSettings {
            memory: 10,
            first_step: 1.0,
            decrease: 1e-4,
            curvature: 0.9,
            steps: 100,
            trials: 20,
            gradient_tolerance: 1e-8,
            value_tolerance: 1e-12,
        }
    }
}

impl LbfgsSettings {
    /// Checks every number.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), OptimizeError> {
        check_positive("first step", self.first_step)?;
        if self.trials == 0 {
            return Err(OptimizeError::setting("trials", 0, "1 or more"));
        }
        if !(self.decrease > 0.0 && self.decrease < 0.5) {
            let expected = "a number above 0, below 0.5";
            return Err(OptimizeError::setting("decrease", self.decrease, expected));
        }
        let not_negative = [
            ("curvature", self.curvature),
            ("gradient tolerance", self.gradient_tolerance),
            ("value tolerance", self.value_tolerance),
        ];
        for (what, found) in not_negative {
            if !(found >= 0.0 && found.is_finite()) {
                let expected = "a finite number, 0 or more";
                return Err(OptimizeError::setting(what, found, expected));
            }
        }
        Ok(())
    }
}

/// A point with value and gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    /// The gradient along the feasible set.
    projected: Vec<f64>,
}

/// A step and the change of the projected gradient over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
}

/// The search along a direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Search {
    direction: Vec<f64>,
    length: f64,
    trials: usize,
    /// Whether the direction is that of the projected gradient.
    steepest: bool,
    /// A trial that would do, while the one that the secant suggests is evaluated.
    kept: Option<Place>,
}

/// Limited-memory BFGS from one start, within a feasible set.
///
/// A step goes along the quasi-Newton direction and is projected; it is shortened until the value falls by a share of
/// what the slope promises. Quasi-Newton directions are made of projected gradients, so that coordinates at their bounds
/// stay there and directions lie in a subspace; where the projected step is no descent, the projected gradient takes
/// its place. Each trial needs value and gradient. A value that is not finite is a bad trial, except the first.
///
/// # Source
/// J. Nocedal and S. J. Wright, *Numerical Optimization*, 2nd ed., Springer 2006, algorithm 7.4 (two-loop recursion),
/// equation 7.20 (initial scaling), algorithm 3.1 (backtracking); D. P. Bertsekas, "Projected Newton methods for
/// optimization problems with simple constraints", SIAM J. Control Optim. 20, 221-246 (1982).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lbfgs {
    settings: LbfgsSettings,
    /// The point to evaluate.
    pending: Vec<f64>,
    /// None before the start is evaluated.
    place: Option<Place>,
    search: Option<Search>,
    pairs: VecDeque<Pair>,
    steps: usize,
    best: Option<Point<f64>>,
    stop: Option<Stop>,
}

impl Lbfgs {
    /// A search from `start`, moved into `set`.
    ///
    /// # Errors
    /// [`OptimizeError::Setting`] for settings or a start that make no sense.
    pub fn new(
        settings: LbfgsSettings,
        mut start: Vec<f64>,
        set: &dyn Projection,
    ) -> Result<Self, OptimizeError> {
        settings.check()?;
        check_start(&mut start, set)?;
        Ok(Lbfgs {
            settings,
            pending: start,
            place: None,
            search: None,
            pairs: VecDeque::new(),
            steps: 0,
            best: None,
            stop: None,
        })
    }

    /// Steps made.
    pub fn steps(&self) -> usize {
        self.steps
    }

    fn place_of(&self, told: Slope, set: &dyn Projection) -> Option<Place> {
        let Slope { fitness, gradient } = told;
        (fitness.is_finite() && all_finite(&gradient)).then(|| Place {
            projected: projected_gradient(&self.pending, &gradient, self.settings.first_step, set),
            x: self.pending.clone(),
            value: fitness,
            gradient,
        })
    }

    /// Judges a trial from `place`: another trial, or a step.
    fn judge(
        &mut self,
        place: Place,
        mut search: Search,
        value: f64,
        trial: Option<Place>,
        set: &dyn Projection,
    ) {
        let step = difference(&self.pending, &place.x);
        let slope = dot(&place.gradient, &step);
        let enough = place.value + self.settings.decrease * slope;
        let trial = trial.filter(|trial| trial.value <= enough);
        match (trial, search.kept.take()) {
            (Some(trial), Some(kept)) if trial.value < kept.value => {
                self.advance(&place, trial, set);
            }
            (_, Some(kept)) => self.advance(&place, kept, set),
            (Some(trial), None) => match self.secant(&place, &trial, &step, slope, set) {
                Some(moved) => {
                    self.pending = moved;
                    search.kept = Some(trial);
                    self.place = Some(place);
                    self.search = Some(search);
                }
                None => self.advance(&place, trial, set),
            },
            (None, None) => {
                // The minimum of the parabola through value, slope and the trial's value.
                let factor = -0.5 * slope / (value - place.value - slope);
                search.length *= if factor.is_finite() {
                    factor.clamp(BACKTRACK.0, BACKTRACK.1)
                } else {
                    BACKTRACK.0
                };
                search.trials += 1;
                self.propose(place, search, set);
            }
        }
    }

    /// The point at which the slope along a good step would vanish; none if it is small enough.
    fn secant(
        &self,
        place: &Place,
        trial: &Place,
        step: &[f64],
        slope: f64,
        set: &dyn Projection,
    ) -> Option<Vec<f64>> {
        let left = dot(&trial.gradient, step);
        if left.abs() <= self.settings.curvature * slope.abs() {
            return None;
        }
        let factor = if left > slope {
            (slope / (slope - left)).clamp(SECANT.0, SECANT.1)
        } else {
            SECANT.1
        };
        let mut moved = along(&place.x, step, factor);
        set.project(&mut moved);
        (moved != trial.x && dot(&place.gradient, &difference(&moved, &place.x)) < 0.0)
            .then_some(moved)
    }

    /// Takes a step.
    fn advance(&mut self, from: &Place, to: Place, set: &dyn Projection) {
        self.steps += 1;
        let step = difference(&to.x, &from.x);
        let change = difference(&to.projected, &from.projected);
        if dot(&step, &change) > LEAST_CURVATURE * norm(&step) * norm(&change) {
            self.pairs.push_back(Pair { step, change });
            while self.pairs.len() > self.settings.memory {
                self.pairs.pop_front();
            }
        }
        let lowered = from.value - to.value;
        let too_little = lowered <= self.settings.value_tolerance * to.value.abs();
        self.begin_search(to, set);
        if self.stop.is_none() && too_little {
            self.stop = Some(Stop::Decrease);
        }
    }

    fn begin_search(&mut self, place: Place, set: &dyn Projection) {
        if largest(&place.projected) <= self.settings.gradient_tolerance {
            self.stop = Some(Stop::Gradient);
        } else if self.steps == self.settings.steps {
            self.stop = Some(Stop::Steps);
        }
        if self.stop.is_some() {
            self.place = Some(place);
            return;
        }
        let search = if self.pairs.is_empty() {
            self.steepest(&place)
        } else {
            Search {
                direction: self.quasi_newton(&place.projected),
                length: 1.0,
                trials: 0,
                steepest: false,
                kept: None,
            }
        };
        self.propose(place, search, set);
    }

    fn steepest(&self, place: &Place) -> Search {
        Search {
            direction: place.projected.iter().map(|g| -g).collect(),
            length: self.settings.first_step / norm(&place.projected),
            trials: 0,
            steepest: true,
            kept: None,
        }
    }

    /// Minus the product of the inverse Hessian that the pairs amount to with a gradient, by the two-loop recursion;
    /// 0 where the gradient is exactly 0, as it is along coordinates at their bounds.
    fn quasi_newton(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for Pair { step, change } in self.pairs.iter().rev() {
            let share = dot(step, &q) / dot(step, change);
            q.iter_mut().zip(change).for_each(|(q, y)| *q -= share * y);
            shares.push(share);
        }
        if let Some(Pair { step, change }) = self.pairs.back() {
            let scale = dot(step, change) / dot(change, change);
            q.iter_mut().for_each(|q| *q *= scale);
        }
        for (Pair { step, change }, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let other = dot(change, &q) / dot(step, change);
            q.iter_mut()
                .zip(step)
                .for_each(|(q, s)| *q += (share - other) * s);
        }
        for (q, g) in q.iter_mut().zip(gradient) {
            if *g == 0.0 {
                *q = 0.0;
            }
        }
        q
    }

    /// Chooses the next point to evaluate: shorter steps, then those of the projected gradient, until one descends.
    fn propose(&mut self, place: Place, mut search: Search, set: &dyn Projection) {
        loop {
            let mut x = along(&place.x, &search.direction, search.length);
            set.project(&mut x);
            let slope = dot(&place.gradient, &difference(&x, &place.x));
            if search.trials < self.settings.trials && slope < 0.0 {
                self.pending = x;
                self.place = Some(place);
                self.search = Some(search);
                return;
            }
            if search.trials < self.settings.trials {
                search.length *= BACKTRACK.1;
                search.trials += 1;
            } else if search.steepest {
                self.stop = Some(Stop::NoDescent);
                self.place = Some(place);
                return;
            } else {
                self.pairs.clear();
                search = self.steepest(&place);
            }
        }
    }
}

fn along(x: &[f64], direction: &[f64], length: f64) -> Vec<f64> {
    let each = x.iter().zip(direction);
    each.map(|(x, d)| x + length * d).collect()
}

impl Optimizer for Lbfgs {
    type Told = Slope;
    type Fitness = f64;

    fn ask(&self) -> Vec<Vec<f64>> {
        match self.stop {
            None => vec![self.pending.clone()],
            Some(_) => Vec::new(),
        }
    }

    fn check(&self, told: &[Slope]) -> Result<(), OptimizeError> {
        check_count(told.len(), usize::from(self.stop.is_none()))?;
        told.iter().try_for_each(|told| {
            check_length("gradient", 0, told.gradient.len(), self.pending.len())
        })
    }

    fn tell(&mut self, told: Vec<Slope>, set: &dyn Projection) -> Result<(), OptimizeError> {
        self.check(&told)?;
        for told in told {
            let value = told.fitness;
            keep_best(&mut self.best, &self.pending, &value);
            let trial = self.place_of(told, set);
            match (self.place.take(), self.search.take(), trial) {
                (Some(place), Some(search), trial) => {
                    self.judge(place, search, value, trial, set);
                }
                (_, _, Some(start)) => self.begin_search(start, set),
                (_, _, None) => self.stop = Some(Stop::NotFinite),
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
