//! Losses on thresholds, with their derivatives: what descents lower.
//!
//! A threshold enters by its logarithm `L`, so that losses are as steep for weak stimuli as for strong ones, and the
//! derivative of `L` by a current is what [`Basis::threshold_gradients`](crate::population::Basis::threshold_gradients)
//! gives. [`Objective`] has those that are known; a loss of one's own is a [`ThresholdLoss`]. [`Quotient`] is one on gates.

mod case;
mod objective;
mod quotient;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use super::{Goal, Score};

pub use objective::Objective;
pub use quotient::Quotient;

/// A loss and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// The loss.
    pub value: f64,
    /// Derivative by the logarithm of each fiber's threshold; 0 for fibers without one.
    pub by_ln_threshold: Vec<f64>,
    /// Derivative by the logarithm of the largest multiple that is allowed.
    pub by_ln_largest: f64,
}

/// Softness of losses, and the multiples of a stimulus that they may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softness {
    /// Width of the transition from silent to active, as a difference of logarithms of thresholds.
    pub tau: f64,
    /// Multiple of the stimulus that fibers without a threshold count with: the largest that was tried.
    pub silent_from: f64,
    /// Least and largest multiple that is allowed; losses of the stimulus as delivered are those of the largest.
    pub scales: [f64; 2],
}

/// A loss on the thresholds of a stimulus.
///
/// # Example
/// The thresholds of all targets shall be low, whatever the others do. It is a loss of the stimulus as delivered, since
/// stronger stimuli have lower ones:
/// ```
/// use axonml::design::{Goal, Loss, Softness, ThresholdLoss};
///
/// #[derive(Debug)]
/// struct Sensitive;
///
/// impl ThresholdLoss for Sensitive {
///     fn is_scale_free(&self) -> bool {
///         false
///     }
///
///     fn loss(&self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss {
///         let mut loss = Loss::zero(goal);
///         for (fiber, threshold) in thresholds.iter().enumerate() {
///             if goal.targets()[fiber] {
///                 loss.value += goal.weights()[fiber] * threshold.unwrap_or(softness.silent_from).ln();
///                 loss.by_ln_threshold[fiber] = goal.weights()[fiber];
///             }
///         }
///         loss
///     }
/// }
///
/// let goal = Goal::new(vec![0.5, 0.5], vec![true, false])?;
/// let softness = Softness { tau: 0.1, silent_from: 20.0, scales: [1.0, 1.0] };
/// let loss = Sensitive.loss(&goal, &[Some(2.0), Some(3.0)], softness);
/// assert_eq!(loss.value, 0.5 * 2.0_f64.ln());
/// # Ok::<(), axonml::CoreError>(())
/// ```
pub trait ThresholdLoss: Debug + Send + Sync {
    /// Whether it is the same for all multiples of a stimulus, so that stimuli are compared at the best multiple of each.
    fn is_scale_free(&self) -> bool;

    /// The loss of a stimulus whose thresholds are these multiples of it, one per fiber; `None` of fibers that never fire.
    fn loss(&self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss;

    /// The loss of a stimulus that fires these fibers as delivered, for evolutions that look at activation alone.
    fn of_activation(&self, goal: &Goal, active: &[bool]) -> f64 {
        goal.misclassified(active)
    }

    /// The loss of a misclassified area of 1, of losses of activation that are in proportion to that area: a stimulus whose
    /// loss is known to be too large need not be finished.
    fn per_area(&self) -> Option<f64> {
        None
    }

    /// The loss that evolutions compare stimuli by whose thresholds are known, before the order of results.
    fn of_score(&self, score: &Score) -> f64 {
        score.misclassified
    }
}

impl Loss {
    /// No loss, whatever the thresholds.
    pub fn zero(goal: &Goal) -> Self {
        Loss {
            value: 0.0,
            by_ln_threshold: vec![0.0; goal.fibers()],
            by_ln_largest: 0.0,
        }
    }
}
