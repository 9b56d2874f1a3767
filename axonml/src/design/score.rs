//! How stimuli compare.

use std::cmp::Ordering;

use axonml_optimize::{Fitness, lexicographic};

use super::scale::AREA_TOLERANCE;
use super::{Dose, Goal};

/// Figures that stimuli are compared by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Area that does what it should not, as delivered.
    pub misclassified: f64,
    /// [`Goal::separation`].
    pub separation: f64,
    /// Charge, energy and peak, as delivered.
    pub dose: Dose,
}

impl Score {
    /// The score of a stimulus with these thresholds (multiples of it; `None` of fibers that never fire), delivered at
    /// `scale` times its strength, at which its dose is `dose`.
    pub fn new(goal: &Goal, thresholds: &[Option<f64>], scale: f64, dose: Dose) -> Self {
        Score {
            misclassified: goal.misclassified(&goal.active_at(thresholds, scale)),
            separation: goal.separation(thresholds),
            dose,
        }
    }
}

/// The order of results: less misclassified area first (differences below 1e-9 are ties), then more separation, then less
/// charge, then a lower peak.
impl Fitness for Score {
    fn compare(&self, other: &Self) -> Ordering {
        lexicographic(&[
            (self.misclassified, other.misclassified, AREA_TOLERANCE),
            (-self.separation, -other.separation, 0.0),
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
