//! The losses that are known.

use super::case::Case;
use super::{Loss, Softness, ThresholdLoss};
use crate::design::{Goal, Outcome, Score};

/// Losses of a stimulus on its thresholds. [`Objective::Selective`], [`Objective::Margin`] and [`Objective::Area`] do not
/// depend on its strength; the others are those of the stimulus as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objective {
    /// Where the best scale misclassifies fibers: 1, the soft area, and a share of the margin that never outweighs the fiber
    /// of the least weight. Where it misclassifies none: the margin.
    Selective,
    /// Smooth maximum of `L` over targets less its smooth minimum over the others: minus the logarithm of the
    /// [separation](Goal::separation), and less by no more than the softness times the logarithms of their numbers.
    Margin,
    /// Misclassified area at the best scale, with activation `sigmoid((ln s - L)/softness)` at scale `s`.
    Area,
    /// Weighted binary cross-entropy of the activation as delivered, `sigmoid(-L/softness)`.
    Wbce,
    /// 1 less the weighted Jaccard index of activation and targets.
    Jaccard,
    /// 1 less the weighted Dice coefficient of activation and targets.
    Dice,
    /// Weighted sum of the distances of activations from targets.
    Hamming,
}

impl ThresholdLoss for Objective {
    fn is_scale_free(&self) -> bool {
        matches!(
            self,
            Objective::Selective | Objective::Margin | Objective::Area
        )
    }

    /// # Panics
    /// If there is not one threshold per fiber of the goal.
    fn loss(&self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss {
        assert_eq!(thresholds.len(), goal.fibers(), "one threshold per fiber");
        let fixed = goal.fixed(thresholds);
        // Thresholds as multiples of the stimulus as delivered.
        let delivered = match self.is_scale_free() {
            true => 1.0,
            false => softness.scales[1],
        };
        let ln = thresholds.iter().map(|threshold| match threshold {
            Some(threshold) => (threshold / delivered).ln(),
            None => softness.silent_from.ln(),
        });
        let case = Case {
            goal: &fixed,
            thresholds,
            ln: ln.collect(),
            misclassified: goal.best_scale(thresholds, softness.scales).misclassified,
            softness,
        };
        let mut loss = match self {
            Objective::Selective => case.selective(),
            Objective::Margin => case.margin(),
            Objective::Area => case.area(),
            Objective::Wbce => case.wbce(),
            Objective::Jaccard => case.overlap(|both, wanted, active| {
                let either = wanted + active - both;
                let share = both / either;
                // By both, and by what is active.
                (1.0 - share, -(1.0 + share) / either, share / either)
            }),
            Objective::Dice => case.overlap(|both, wanted, active| {
                let share = 2.0 * both / (wanted + active);
                let sum = wanted + active;
                (1.0 - share, -2.0 / sum, share / sum)
            }),
            Objective::Hamming => case.hamming(),
        };
        // The threshold of a fiber without one is a lower bound that no current moves.
        let fibers = loss.by_ln_threshold.iter_mut().zip(thresholds);
        let silent = fibers.filter(|(_, threshold)| threshold.is_none());
        silent.for_each(|(derivative, _)| *derivative = 0.0);
        if !self.is_scale_free() {
            loss.by_ln_largest = -loss.by_ln_threshold.iter().sum::<f64>();
        }
        loss
    }

    fn of_activation(&self, goal: &Goal, active: &[bool]) -> f64 {
        let area = |is: &dyn Fn(bool, bool) -> bool| -> f64 {
            let fibers = goal.weights().iter().zip(goal.targets()).zip(active);
            let own = fibers.filter(|((_, target), active)| is(**target, **active));
            own.fold(0.0, |sum, ((weight, _), _)| sum + weight)
        };
        let both = || area(&|target, active| target && active);
        match self {
            Objective::Wbce => goal.outcome(active).wbce,
            Objective::Jaccard => 1.0 - both() / area(&|target, active| target || active),
            Objective::Dice => {
                1.0 - 2.0 * both() / (area(&|target, _| target) + area(&|_, active| active))
            }
            _ => goal.misclassified(active),
        }
    }

    fn per_area(&self) -> Option<f64> {
        match self {
            Objective::Wbce => Some(Outcome::WBCE_PER_AREA),
            Objective::Hamming => Some(1.0),
            _ => None,
        }
    }

    fn of_score(&self, score: &Score) -> f64 {
        match self {
            Objective::Margin => score.cost - score.separation.ln(),
            Objective::Area => score.misclassified + score.cost,
            _ => score.misclassified,
        }
    }
}
