//! How stimuli compare.

use std::cmp::Ordering;

use axonml_optimize::{Fitness, lexicographic};
use serde::{Deserialize, Serialize};

use super::goal::AREA_TOLERANCE;
use super::{Delivered, Dose, Goal, Penalty};

/// Figures that stimuli are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Area that does what it should not, as delivered.
    pub misclassified: f64,
    /// [`Goal::separation`].
    pub separation: f64,
    /// Costs that are weighed against the separation ([`Penalty`](super::Penalty)), as delivered.
    pub cost: f64,
    /// Charge, energy and peak, as delivered.
    pub dose: Dose,
}

impl Score {
    /// The score of a stimulus as delivered, with its thresholds as multiples of it; `None` of fibers that never fire.
    pub fn new(
        goal: &Goal,
        thresholds: &[Option<f64>],
        stimulus: &Delivered,
        penalty: &Penalty,
    ) -> Self {
        Score {
            misclassified: goal.misclassified(&goal.active_at(thresholds, 1.0)),
            separation: goal.separation(thresholds),
            cost: penalty.value(stimulus),
            dose: Dose::of(stimulus),
        }
    }

    /// The score of a stimulus of which nothing is known; worse than any other.
    pub fn unknown() -> Self {
        Score {
            misclassified: f64::NAN,
            separation: f64::NAN,
            cost: f64::NAN,
            dose: Dose::default(),
        }
    }

    /// The score of a stimulus that is known to be worse than others, and not by how much.
    pub fn worst() -> Self {
        Score {
            misclassified: f64::INFINITY,
            separation: 0.0,
            cost: 0.0,
            dose: Dose::default(),
        }
    }

    /// Costs less the logarithm of the separation.
    fn margin(&self) -> f64 {
        self.cost - self.separation.ln()
    }
}

/// The order of results: less misclassified area first (differences below 1e-9 are ties), then more separation (its
/// logarithm less the costs, where there are some), then less charge, then a lower peak.
impl Fitness for Score {
    fn compare(&self, other: &Self) -> Ordering {
        lexicographic(&[
            (self.misclassified, other.misclassified, AREA_TOLERANCE),
            (self.margin(), other.margin(), 0.0),
            (self.dose.charge_nc, other.dose.charge_nc, 0.0),
            (self.dose.peak_ma, other.dose.peak_ma, 0.0),
        ])
    }

    fn is_number(&self) -> bool {
        !self.misclassified.is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_comes_first_then_separation_charge_and_peak() {
        let score = |misclassified, separation, charge_nc, peak_ma| Score {
            misclassified,
            separation,
            cost: 0.0,
            dose: Dose {
                charge_nc,
                peak_ma,
                ..Dose::default()
            },
        };
        let best_first = [
            score(0.0, 1.7, 9.0, 1.0),
            score(5e-10, 1.6, 1.0, 1.0),
            score(0.0, 1.5, 2.0, 1.0),
            score(0.0, 1.5, 3.0, 0.5),
            score(0.0, 1.5, 3.0, 0.6),
            score(0.1, 9.0, 0.0, 0.0),
        ];
        for pair in best_first.windows(2) {
            assert!(pair[0].better_than(&pair[1]), "{pair:?}");
            assert!(!pair[1].better_than(&pair[0]), "{pair:?}");
        }
        assert!(!best_first[0].better_than(&best_first[0]));
    }
}
