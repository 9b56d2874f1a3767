//! Strategies of differential evolution: which members a mutant is made of, and how it crosses with its target.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::OptimizeError;

/// Composition of a mutant; F is the scale factor, r are members drawn at random that differ from each other and from
/// the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mutation {
    /// `best + F (r1 - r2)`
    Best1,
    /// `r1 + F (r2 - r3)`
    Rand1,
    /// `r1 + F (best - r1) + F (r2 - r3)`
    RandToBest1,
    /// `target + F (best - target) + F (r1 - r2)`
    CurrentToBest1,
    /// `target + F (one of the best - target) + F (r1 - r2)`
    CurrentToPBest1,
    /// `best + F (r1 - r2) + F (r3 - r4)`
    Best2,
    /// `r1 + F (r2 - r3) + F (r4 - r5)`
    Rand2,
}

impl Mutation {
    /// All, with their names.
    const NAMES: [(Mutation, &'static str); 7] = [
        (Mutation::Best1, "best1"),
        (Mutation::Rand1, "rand1"),
        (Mutation::RandToBest1, "randtobest1"),
        (Mutation::CurrentToBest1, "currenttobest1"),
        (Mutation::CurrentToPBest1, "currenttopbest"),
        (Mutation::Best2, "best2"),
        (Mutation::Rand2, "rand2"),
    ];

    /// Members drawn at random.
    pub(super) fn drawn(self) -> usize {
        match self {
            Mutation::Best1 | Mutation::CurrentToBest1 | Mutation::CurrentToPBest1 => 2,
            Mutation::Rand1 | Mutation::RandToBest1 => 3,
            Mutation::Best2 => 4,
            Mutation::Rand2 => 5,
        }
    }

    /// The base and the differences of a mutant; `best` is one of the best in the case of
    /// [`CurrentToPBest1`](Mutation::CurrentToPBest1), and `r` as many members as are [`drawn`](Mutation::drawn).
    pub(super) fn mutant(self, target: &[f64], best: &[f64], r: &[&[f64]], scale: f64) -> Vec<f64> {
        let (base, differences): (&[f64], &[[&[f64]; 2]]) = match self {
            Mutation::Best1 => (best, &[[r[0], r[1]]]),
            Mutation::Rand1 => (r[0], &[[r[1], r[2]]]),
            Mutation::RandToBest1 => (r[0], &[[best, r[0]], [r[1], r[2]]]),
            Mutation::CurrentToBest1 | Mutation::CurrentToPBest1 => {
                (target, &[[best, target], [r[0], r[1]]])
            }
            Mutation::Best2 => (best, &[[r[0], r[1]], [r[2], r[3]]]),
            Mutation::Rand2 => (r[0], &[[r[1], r[2]], [r[3], r[4]]]),
        };
        let gene = |k: usize| {
            let sum: f64 = differences.iter().map(|[to, from]| to[k] - from[k]).sum();
            base[k] + scale * sum
        };
        (0..base.len()).map(gene).collect()
    }
}

/// Crossover of a mutant with its target; at least one gene is the mutant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crossover {
    /// Each gene by itself, with the probability of recombination; one for certain.
    Binomial,
    /// A run of genes, from one at random around the end; it goes on with the probability of recombination.
    Exponential,
}

impl Crossover {
    const NAMES: [(Crossover, &'static str); 2] = [
        (Crossover::Binomial, "bin"),
        (Crossover::Exponential, "exp"),
    ];

    /// Which genes are the mutant's; `unit` gives numbers in [0, 1).
    pub(super) fn mask(self, genes: usize, rate: f64, unit: &mut dyn FnMut() -> f64) -> Vec<bool> {
        let certain = ((unit() * genes as f64) as usize).min(genes - 1);
        let mut mask = vec![false; genes];
        match self {
            Crossover::Binomial => {
                for (k, gene) in mask.iter_mut().enumerate() {
                    *gene = unit() < rate || k == certain;
                }
            }
            Crossover::Exponential => {
                for k in 0..genes {
                    mask[(certain + k) % genes] = true;
                    if unit() >= rate {
                        break;
                    }
                }
            }
        }
        mask
    }
}

/// A mutation and a crossover, named like `best1bin`, `currenttopbestexp`.
///
/// # Source
/// R. Storn and K. Price, "Differential evolution - a simple and efficient heuristic for global optimization over
/// continuous spaces", J. Global Optim. 11, 341-359 (1997); K. Price, R. Storn and J. Lampinen, *Differential
/// Evolution*, Springer 2005, chapter 2; `currenttopbest` by J. Zhang and A. C. Sanderson, "JADE: adaptive differential
/// evolution with optional external archive", IEEE Trans. Evol. Comput. 13, 945-958 (2009), equation 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Strategy {
    /// Composition of mutants.
    pub mutation: Mutation,
    /// Crossover with their targets.
    pub crossover: Crossover,
}

impl Strategy {
    /// All strategies.
    pub fn all() -> impl Iterator<Item = Strategy> {
        Crossover::NAMES.iter().flat_map(|(crossover, _)| {
            Mutation::NAMES.iter().map(|(mutation, _)| Strategy {
                mutation: *mutation,
                crossover: *crossover,
            })
        })
    }

    /// Members that a population needs.
    pub fn least_population(self) -> usize {
        (self.mutation.drawn() + 1).max(5)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mutations = Mutation::NAMES.iter();
        for (_, name) in mutations.filter(|(mutation, _)| *mutation == self.mutation) {
            f.write_str(name)?;
        }
        let crossovers = Crossover::NAMES.iter();
        for (_, name) in crossovers.filter(|(crossover, _)| *crossover == self.crossover) {
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl FromStr for Strategy {
    type Err = OptimizeError;

    fn from_str(text: &str) -> Result<Self, OptimizeError> {
        Strategy::all()
            .find(|strategy| strategy.to_string() == text)
            .ok_or_else(|| {
                let names: Vec<String> = Strategy::all().map(|s| s.to_string()).collect();
                let expected = format!("one of {}", names.join(", "));
                OptimizeError::setting("strategy", text, expected)
            })
    }
}

impl TryFrom<String> for Strategy {
    type Error = OptimizeError;

    fn try_from(text: String) -> Result<Self, OptimizeError> {
        text.parse()
    }
}

impl From<Strategy> for String {
    fn from(strategy: Strategy) -> String {
        strategy.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn there_are_fourteen_and_each_has_a_name_of_its_own() {
        let names: Vec<String> = Strategy::all().map(|s| s.to_string()).collect();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (14, 14));
        for strategy in Strategy::all() {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        let error = "best3bin".parse::<Strategy>().unwrap_err().to_string();
        assert!(
            error.contains("best3bin") && error.contains("currenttopbestexp"),
            "{error}"
        );
    }

    /// Members are powers of ten, so that a sum shows its terms: 1 the target, 10 the best, then r1, r2, ...
    #[test]
    fn mutants_are_those_of_the_definitions() {
        let r: Vec<Vec<f64>> = (2..7).map(|k| vec![10_f64.powi(k)]).collect();
        let r: Vec<&[f64]> = r.iter().map(Vec::as_slice).collect();
        let expected = [
            (Mutation::Best1, 10.0 + 0.5 * (1e2 - 1e3)),
            (Mutation::Rand1, 1e2 + 0.5 * (1e3 - 1e4)),
            (Mutation::RandToBest1, 1e2 + 0.5 * (10.0 - 1e2 + 1e3 - 1e4)),
            (
                Mutation::CurrentToBest1,
                1.0 + 0.5 * (10.0 - 1.0 + 1e2 - 1e3),
            ),
            (
                Mutation::CurrentToPBest1,
                1.0 + 0.5 * (10.0 - 1.0 + 1e2 - 1e3),
            ),
            (Mutation::Best2, 10.0 + 0.5 * (1e2 - 1e3 + 1e4 - 1e5)),
            (Mutation::Rand2, 1e2 + 0.5 * (1e3 - 1e4 + 1e5 - 1e6)),
        ];
        for (mutation, expected) in expected {
            let found = mutation.mutant(&[1.0], &[10.0], &r[..mutation.drawn()], 0.5);
            assert_eq!(found, [expected], "{mutation:?}");
        }
    }

    proptest! {
        #[test]
        fn a_gene_at_least_is_the_mutants(
            genes in 1_usize..40,
            rate in 0.0..=1.0_f64,
            seed in any::<u64>(),
        ) {
            let mut random = axonml_core::Random::new(seed, 0);
            for (crossover, _) in Crossover::NAMES {
                let mask = crossover.mask(genes, rate, &mut || random.unit());
                prop_assert!(mask.iter().any(|gene| *gene));
                prop_assert_eq!(mask.len(), genes);
                let none = crossover.mask(genes, 0.0, &mut || random.unit());
                prop_assert_eq!(none.iter().filter(|gene| **gene).count(), 1);
                let all = crossover.mask(genes, 1.0, &mut || random.unit());
                prop_assert!(all.iter().all(|gene| *gene));
            }
        }
    }

    /// The mean number of genes that are the mutant's: 1 + rate (n - 1), and (1 - rate^n) / (1 - rate); within five
    /// standard errors, whose deviation is at most n / 2 = 4.
    #[test]
    fn recombination_is_the_probability_of_a_gene() {
        const N: usize = 20_000;
        let mut random = axonml_core::Random::new(1, 0);
        let mut mean = |crossover: Crossover| {
            let masks = (0..N).map(|_| crossover.mask(8, 0.7, &mut || random.unit()));
            masks.flatten().filter(|gene| *gene).count() as f64 / N as f64
        };
        let margin = 5.0 * 4.0 / (N as f64).sqrt();
        let binomial = mean(Crossover::Binomial);
        assert!((binomial - 5.9).abs() < margin, "{binomial}");
        let exponential = mean(Crossover::Exponential);
        let expected = (1.0 - 0.7_f64.powi(8)) / 0.3;
        assert!((exponential - expected).abs() < margin, "{exponential}");
    }
}
