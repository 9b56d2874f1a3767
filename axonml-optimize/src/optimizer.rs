//! The conversation with an optimization: points to evaluate, then their values.

use serde::{Deserialize, Serialize};

use crate::error::OptimizeError;
use crate::fitness::Fitness;
use crate::projection::Projection;

/// An optimization by ask and tell.
///
/// It owns no function: [`ask`](Optimizer::ask) gives the points of the next batch, the caller evaluates them as it
/// likes (all at once, in any order, on any machine), and [`tell`](Optimizer::tell) takes their values in the order of
/// the points. Between the two the state can be serialized, and a state that was read again goes on to the same bits:
/// what is random depends on seed and iteration alone.
pub trait Optimizer {
    /// Evaluation of a point.
    type Told;
    /// The order of points.
    type Fitness: Fitness;

    /// The points to evaluate; none after the end.
    fn ask(&self) -> Vec<Vec<f64>>;

    /// Whether `told` could be told now.
    ///
    /// # Errors
    /// [`OptimizeError::Count`] and [`OptimizeError::Length`].
    fn check(&self, told: &[Self::Told]) -> Result<(), OptimizeError>;

    /// Takes the evaluations of the points that [`ask`](Optimizer::ask) gave, in their order, and prepares the next
    /// ones within `set`, which is the same every time.
    ///
    /// # Errors
    /// As [`check`](Optimizer::check); the state is unchanged then.
    fn tell(&mut self, told: Vec<Self::Told>, set: &dyn Projection) -> Result<(), OptimizeError>;

    /// The best point so far; none before the first evaluation, or if no value was a number.
    fn best(&self) -> Option<&Point<Self::Fitness>>;

    /// The reason for which it has ended; none as long as it goes on.
    fn stop(&self) -> Option<Stop>;
}

/// A point that was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point<F> {
    /// Coordinates.
    pub x: Vec<f64>,
    /// Its fitness.
    pub fitness: F,
}

/// Reason for which an optimization has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stop {
    /// The gradient along the feasible set is as good as 0.
    Gradient,
    /// The last step lowered the value by too little.
    Decrease,
    /// No step along the search direction lowers the value.
    NoDescent,
    /// All steps or generations are done.
    Steps,
    /// Another batch would exceed the number of evaluations.
    Evaluations,
    /// The best has not improved for some generations.
    Patience,
    /// The best is as good as requested.
    Target,
    /// A value or derivative is not a finite number.
    NotFinite,
    /// The caller ended it.
    Called,
}

/// Keeps the better of the best point so far and another.
pub(crate) fn keep_best<F: Fitness>(best: &mut Option<Point<F>>, x: &[f64], fitness: &F) -> bool {
    let improves = match best {
        Some(best) => fitness.better_than(&best.fitness),
        None => fitness.is_number(),
    };
    if improves {
        *best = Some(Point {
            x: x.to_vec(),
            fitness: fitness.clone(),
        });
    }
    improves
}

/// Moves a start into the set, and refuses one without finite coordinates.
pub(crate) fn check_start(start: &mut [f64], set: &dyn Projection) -> Result<(), OptimizeError> {
    set.project(start);
    if start.is_empty() {
        return Err(OptimizeError::setting(
            "start",
            "no coordinate",
            "one or more",
        ));
    }
    match start.iter().find(|x| !x.is_finite()) {
        Some(found) => Err(OptimizeError::setting("start", found, "finite coordinates")),
        None => Ok(()),
    }
}
