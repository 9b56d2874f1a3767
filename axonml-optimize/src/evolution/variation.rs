//! Trials: the mutants of a generation, crossed with their targets and brought into the feasible set.

use axonml_core::Random;
use serde::{Deserialize, Serialize};

use super::boundary::Boundary;
use super::control::{Control, Factors, Means};
use super::settings::EvolutionSettings;
use super::strategy::Mutation;
use crate::bounds::Bounds;
use crate::error::OptimizeError;
use crate::projection::Projection;

/// Mutants made for one trial before one beyond the bounds is repaired.
const RESAMPLES: usize = 100;
/// Keeps random numbers apart from others under the same seed; the generation is added.
const PURPOSE: u64 = 0x6465 << 48;

/// Generator of trials: settings, and means and archive that are learned on the way. Random numbers of a trial depend on
/// seed, generation and target alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Variation {
    settings: EvolutionSettings,
    bounds: Bounds,
    means: Means,
    archive: Vec<Vec<f64>>,
}

/// The members that trials are made of.
#[derive(Clone, Copy)]
pub(super) struct Parents<'a> {
    pub(super) members: &'a [Vec<f64>],
    /// Indices of the members from best to worst.
    pub(super) ranking: &'a [usize],
    /// The first so many of them count as the best: one, or a Pareto front.
    pub(super) bests: usize,
}

/// The trials of a generation, one per target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trials {
    pub(super) points: Vec<Vec<f64>>,
    /// None of an initial population.
    pub(super) factors: Vec<Factors>,
}

impl Variation {
    pub(super) fn new(settings: EvolutionSettings, bounds: Bounds) -> Result<Self, OptimizeError> {
        settings.check(&bounds)?;
        Ok(Variation {
            settings,
            bounds,
            means: Means::first(),
            archive: Vec::new(),
        })
    }

    pub(super) fn population(&self) -> usize {
        self.settings.population
    }

    /// The means of JADE; none with fixed factors.
    pub(super) fn means(&self) -> Option<Means> {
        match self.settings.control {
            Control::Jade { .. } => Some(self.means),
            Control::Fixed { .. } => None,
        }
    }

    pub(super) fn archived(&self) -> &[Vec<f64>] {
        &self.archive
    }

    /// Random numbers of a generation; the initial one is number 0.
    fn random(&self, generation: usize, stream: usize) -> Random {
        let purpose = PURPOSE.wrapping_add(generation as u64);
        Random::of(self.settings.seed, purpose, stream)
    }

    /// The initial population.
    pub(super) fn initial(&self, set: &dyn Projection) -> Result<Trials, OptimizeError> {
        let mut random = self.random(0, 0);
        let initial = &self.settings.initial;
        let mut points = initial.members(self.population(), &self.bounds, &mut random)?;
        points.iter_mut().for_each(|point| set.project(point));
        Ok(Trials {
            points,
            factors: Vec::new(),
        })
    }

    /// The trials of a generation.
    pub(super) fn trials(
        &self,
        parents: Parents<'_>,
        generation: usize,
        set: &dyn Projection,
    ) -> Trials {
        let mut trials = Trials::default();
        for target in 0..parents.members.len() {
            let mut random = self.random(generation, target);
            let factors = self.settings.control.draw(self.means, &mut random);
            let mut point = self.trial(parents, target, factors, &mut random);
            set.project(&mut point);
            trials.points.push(point);
            trials.factors.push(factors);
        }
        trials
    }

    fn trial(
        &self,
        parents: Parents<'_>,
        target: usize,
        factors: Factors,
        random: &mut Random,
    ) -> Vec<f64> {
        let own = &parents.members[target];
        let crossover = self.settings.strategy.crossover;
        let mask = crossover.mask(own.len(), factors.rate, &mut || random.unit());
        let attempts = match self.settings.boundary {
            Boundary::Resample => RESAMPLES,
            _ => 1,
        };
        let mut trial = own.clone();
        for _ in 0..attempts {
            let mutant = self.mutant(parents, target, factors.scale, random);
            for (k, gene) in mutant.into_iter().enumerate() {
                if mask[k] {
                    trial[k] = gene;
                }
            }
            if self.bounds.contain(&trial) {
                break;
            }
        }
        let boundary = self.settings.boundary;
        boundary.repair(&mut trial, own, &self.bounds, random);
        trial
    }

    fn mutant(
        &self,
        parents: Parents<'_>,
        target: usize,
        scale: f64,
        random: &mut Random,
    ) -> Vec<f64> {
        let Parents {
            members,
            ranking,
            bests,
        } = parents;
        let mutation = self.settings.strategy.mutation;
        let choice = match mutation {
            Mutation::CurrentToPBest1 => {
                let share = (self.settings.pbest * members.len() as f64).ceil() as usize;
                share.clamp(1, members.len())
            }
            _ => bests,
        };
        let best = match choice {
            1 => ranking[0],
            choice => ranking[random.index(choice)],
        };
        let mut taken = vec![target];
        let mut drawn: Vec<&[f64]> = Vec::with_capacity(mutation.drawn());
        for number in 1..=mutation.drawn() {
            // The last one is always subtracted.
            let archived = if number == mutation.drawn() {
                self.archive.len()
            } else {
                0
            };
            let index = loop {
                let index = random.index(members.len() + archived);
                if !taken.contains(&index) {
                    break index;
                }
            };
            taken.push(index);
            drawn.push(match index.checked_sub(members.len()) {
                None => &members[index],
                Some(archived) => &self.archive[archived],
            });
        }
        mutation.mutant(&members[target], &members[best], &drawn, scale)
    }

    /// Learns from trials that were better than their targets.
    pub(super) fn learn(
        &mut self,
        generation: usize,
        successes: &[Factors],
        replaced: Vec<Vec<f64>>,
    ) {
        if let Control::Jade { c } = self.settings.control {
            self.means.learn(c, successes);
        }
        if self.settings.archive == 0 {
            return;
        }
        self.archive.extend(replaced);
        let mut random = self.random(generation, self.population());
        while self.archive.len() > self.settings.archive {
            let index = random.index(self.archive.len());
            self.archive.swap_remove(index);
        }
    }
}
