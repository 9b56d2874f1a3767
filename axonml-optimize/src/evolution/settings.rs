//! Settings of differential evolution.

use serde::{Deserialize, Serialize};

use super::boundary::Boundary;
use super::control::Control;
use super::initial::Initial;
use super::strategy::{Crossover, Mutation, Strategy};
use crate::bounds::Bounds;
use crate::error::OptimizeError;

/// Settings of differential evolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvolutionSettings {
    /// Members; 5 at least, and as many as the strategy needs.
    pub population: usize,
    /// Composition of mutants, and their crossover with targets.
    pub strategy: Strategy,
    /// Scale factors and recombination rates.
    pub control: Control,
    /// Share of the population that `currenttopbest` chooses its best members from.
    pub pbest: f64,
    /// Replaced parents kept, at most; the last member that is subtracted in a mutation may be one of them.
    pub archive: usize,
    /// Treatment of genes beyond their bounds.
    pub boundary: Boundary,
    /// The initial population.
    pub initial: Initial,
    /// Seed of all that is random.
    pub seed: u64,
}

impl Default for EvolutionSettings {
    fn default() -> Self {
        EvolutionSettings {
            population: 50,
            strategy: Strategy {
                mutation: Mutation::Best1,
                crossover: Crossover::Binomial,
            },
            control: Control::default(),
            pbest: 0.15,
            archive: 0,
            boundary: Boundary::default(),
            initial: Initial::default(),
            seed: 0,
        }
    }
}

impl EvolutionSettings {
    pub(super) fn check(&self, bounds: &Bounds) -> Result<(), OptimizeError> {
        let least = self.strategy.least_population();
        if self.population < least {
            return Err(OptimizeError::Population {
                strategy: self.strategy.to_string(),
                found: self.population,
                least,
            });
        }
        if bounds.is_empty() {
            return Err(OptimizeError::setting(
                "bounds",
                "no coordinate",
                "one or more",
            ));
        }
        bounds.check_finite()?;
        if !(self.pbest > 0.0 && self.pbest <= 1.0) {
            let expected = "a number above 0, 1 at most";
            return Err(OptimizeError::setting("pbest", self.pbest, expected));
        }
        self.control.check()
    }
}

/// Limits of an evolution, which ends at the first that is reached; by default it goes on forever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits<F> {
    /// Generations after the initial one.
    pub generations: Option<usize>,
    /// Evaluations; a generation that would exceed them is not begun.
    pub evaluations: Option<usize>,
    /// Generations without a better best member.
    pub patience: Option<usize>,
    /// Fitness that is good enough.
    pub target: Option<F>,
}

impl<F> Default for Limits<F> {
    fn default() -> Self {
        Limits {
            generations: None,
            evaluations: None,
            patience: None,
            target: None,
        }
    }
}

impl<F> Limits<F> {
    /// Ends after so many generations.
    pub fn generations(generations: usize) -> Self {
        Limits {
            generations: Some(generations),
            ..Limits::default()
        }
    }
}
