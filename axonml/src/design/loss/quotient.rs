//! The loss on gates: how active off-targets are, over how active targets are.

use axonml_core::CoreError;
use axonml_models::{Detection, StateSum};

use crate::design::{DesignError, Goal, Population};

/// AxonML's kind of loss, on the stimulus as delivered: the activity of a fiber is its m gate, summed over the detection
/// sites and all states of the run; the loss is the weighted sum of activities over off-targets, over that over targets.
///
/// It has a value and a gradient without a search for thresholds. It is no measure of selectivity: an action potential more
/// of a target lowers it as much as a spared fiber does, gates are open a little at rest, and next to a threshold it is as
/// steep as the response is all-or-none, and flat elsewhere. [`Objective::Selective`](super::Objective::Selective) has none
/// of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotient {
    /// Name of the gate; "m" by default.
    pub gate: String,
}

impl Default for Quotient {
    fn default() -> Self {
        Quotient { gate: "m".into() }
    }
}

impl Quotient {
    /// Checks that every fiber has the gate.
    ///
    /// # Errors
    /// [`DesignError::Request`] naming a model without it.
    pub fn check(&self, population: &Population) -> Result<(), DesignError> {
        for (basis, _) in population.parts() {
            let schema = basis.simulation().schema();
            if schema.states.iter().all(|state| *state != self.gate) {
                return Err(CoreError::BadValue {
                    what: format!("the states of the model {}", schema.id),
                    found: match schema.states.is_empty() {
                        true => "none".into(),
                        false => schema.states.join(", "),
                    },
                    expected: format!("the gate {}, which the quotient sums", self.gate),
                }
                .into());
            }
        }
        Ok(())
    }

    /// The sum of the gate at the sites of a detection, from its beginning on.
    pub fn activity(&self, detection: &Detection) -> StateSum {
        StateSum::at_sites(&self.gate, detection)
    }

    /// The loss of these activities of the goal's fibers, and its derivative by each.
    ///
    /// # Panics
    /// If there is not one activity per fiber.
    pub fn loss(&self, goal: &Goal, activities: &[f64]) -> (f64, Vec<f64>) {
        assert_eq!(activities.len(), goal.fibers(), "one activity per fiber");
        let sum = |wanted: bool| -> f64 {
            let fibers = goal.weights().iter().zip(goal.targets()).zip(activities);
            let own = fibers.filter(|((_, target), _)| **target == wanted);
            own.map(|((weight, _), activity)| weight * activity).sum()
        };
        let (off_targets, targets) = (sum(false), sum(true));
        let value = off_targets / targets;
        let each = goal.weights().iter().zip(goal.targets());
        let by_activity = each.map(|(weight, is_target)| match is_target {
            true => -weight * value / targets,
            false => weight / targets,
        });
        (value, by_activity.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Off-targets 0.2 * 30 + 0.3 * 10 = 9, targets 0.5 * 36 = 18.
    #[test]
    fn sums_are_taken_apart() {
        let goal = Goal::new(vec![0.2, 0.5, 0.3], vec![false, true, false]).unwrap();
        let quotient = Quotient::default();
        let (value, by_activity) = quotient.loss(&goal, &[30.0, 36.0, 10.0]);
        assert!((value - 0.5).abs() < 1e-15);
        let expected = [0.2 / 18.0, -0.5 * 9.0 / (18.0 * 18.0), 0.3 / 18.0];
        for (found, expected) in by_activity.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }
}
