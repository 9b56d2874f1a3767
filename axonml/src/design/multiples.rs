//! Thresholds as multiples of a stimulus, of fibers that have one or are known to have none.

use axonml_core::CoreError;
use axonml_models::{Basis, Threshold};
use ndarray::ArrayView1;

use super::{DesignError, Goal};

/// The thresholds of a population under one stimulus.
pub(super) struct Multiples {
    /// Threshold of each fiber as a multiple of the stimulus; `None` of fibers that never fire below the limits.
    pub(super) thresholds: Vec<Option<f64>>,
    /// Fibers whose action potential begins at an end of the simulated piece.
    pub(super) end_excitation: Vec<usize>,
}

/// Refuses a goal of other fibers than those of a basis.
pub(super) fn check(basis: &Basis, goal: &Goal) -> Result<(), CoreError> {
    let fibers = basis.simulation().fibers().len();
    match goal.fibers() == fibers {
        true => Ok(()),
        false => Err(CoreError::Shape {
            what: "the fibers of the goal".into(),
            expected: format!("{fibers}, as the basis has"),
            found: goal.fibers().to_string(),
        }),
    }
}

impl Multiples {
    /// Those that were found for a candidate; refuses fibers of which nothing is known.
    pub(super) fn of(
        candidate: usize,
        found: ArrayView1<'_, Threshold>,
    ) -> Result<Self, DesignError> {
        let mut multiples = Multiples {
            thresholds: Vec::with_capacity(found.len()),
            end_excitation: Vec::new(),
        };
        for (fiber, threshold) in found.iter().enumerate() {
            match *threshold {
                Threshold::Spontaneous => return Err(DesignError::Spontaneous { fiber }),
                Threshold::Diverged { amplitude_ma, .. } => {
                    return Err(DesignError::Diverged {
                        candidate,
                        fiber,
                        amplitude_ma,
                    });
                }
                _ => {}
            }
            if threshold.status() == "end_excitation" {
                multiples.end_excitation.push(fiber);
            }
            multiples.thresholds.push(threshold.upper_ma());
        }
        Ok(multiples)
    }
}
