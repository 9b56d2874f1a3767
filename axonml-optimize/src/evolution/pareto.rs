//! Differential evolution of two objectives.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::control::Means;
use super::domination::{dominance, ranked};
use super::settings::EvolutionSettings;
use super::variation::{Parents, Trials, Variation};
use crate::bounds::Bounds;
use crate::error::{OptimizeError, check_count};
use crate::optimizer::{Point, Stop};
use crate::projection::Projection;

/// Differential evolution towards the Pareto front of two objectives, less being better in both; a generation is one
/// batch, by ask and tell as in an [`Optimizer`](crate::Optimizer), which has one best point where this has a front.
///
/// A trial takes the place of a target that it dominates, and is dropped if the target dominates it; otherwise both
/// stay, and the population is cut back to its size: whole fronts, the best first, and of the last one the members that
/// are least crowded. Where a strategy takes the best member, it is any of the first front.
///
/// # Source
/// Selection: S. Kukkonen and J. Lampinen, "GDE3: the third evolution step of generalized differential evolution", IEEE
/// CEC 2005, 443-450; fronts and crowding: K. Deb et al. (2002), NSGA-II.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoEvolution {
    variation: Variation,
    generations: Option<usize>,
    evaluations_limit: Option<usize>,
    members: Vec<Vec<f64>>,
    objectives: Vec<[f64; 2]>,
    /// Indices of the members from best to worst, and the size of the first front.
    ranking: Vec<usize>,
    front: usize,
    trials: Trials,
    generation: usize,
    evaluations: usize,
    stop: Option<Stop>,
}

impl ParetoEvolution {
    /// An evolution between finite `bounds`, all of whose points are projected on `set`, which lies within them. It
    /// ends after `generations`, or before a generation that would exceed `evaluations`.
    ///
    /// # Errors
    /// [`OptimizeError`] for settings, bounds or initial members that make no sense.
    pub fn new(
        settings: EvolutionSettings,
        bounds: Bounds,
        generations: Option<usize>,
        evaluations: Option<usize>,
        set: &dyn Projection,
    ) -> Result<Self, OptimizeError> {
        let variation = Variation::new(settings, bounds)?;
        Ok(ParetoEvolution {
            trials: variation.initial(set)?,
            variation,
            generations,
            evaluations_limit: evaluations,
            members: Vec::new(),
            objectives: Vec::new(),
            ranking: Vec::new(),
            front: 0,
            generation: 0,
            evaluations: 0,
            stop: None,
        })
    }

    /// The points to evaluate; none after the end.
    pub fn ask(&self) -> Vec<Vec<f64>> {
        match self.stop {
            None => self.trials.points.clone(),
            Some(_) => Vec::new(),
        }
    }

    /// Takes the objectives of the points that [`ask`](ParetoEvolution::ask) gave, in their order.
    ///
    /// # Errors
    /// [`OptimizeError::Count`] if there are not as many; the state is unchanged then.
    pub fn tell(&mut self, told: Vec<[f64; 2]>, set: &dyn Projection) -> Result<(), OptimizeError> {
        check_count(told.len(), self.ask().len())?;
        if self.stop.is_some() {
            return Ok(());
        }
        self.evaluations += told.len();
        if self.members.is_empty() {
            self.members = std::mem::take(&mut self.trials.points);
            self.objectives = told;
        } else {
            self.generation += 1;
            self.select(told);
        }
        (self.ranking, self.front) = ranked(&self.objectives);
        let next = self.evaluations.saturating_add(self.variation.population());
        if self.generations.is_some_and(|most| self.generation >= most) {
            self.stop = Some(Stop::Steps);
        } else if self.evaluations_limit.is_some_and(|most| next > most) {
            self.stop = Some(Stop::Evaluations);
        } else {
            let parents = Parents {
                members: &self.members,
                ranking: &self.ranking,
                bests: self.front,
            };
            self.trials = self.variation.trials(parents, self.generation + 1, set);
        }
        Ok(())
    }

    /// The members that no other dominates, by the first objective; those with an objective that is not a number are
    /// left out.
    pub fn front(&self) -> Vec<Point<[f64; 2]>> {
        let mut front: Vec<usize> = self.ranking[..self.front].to_vec();
        front.retain(|&index| self.objectives[index].iter().all(|value| !value.is_nan()));
        front.sort_by(|&a, &b| self.objectives[a][0].total_cmp(&self.objectives[b][0]));
        let point = |index: usize| Point {
            x: self.members[index].clone(),
            fitness: self.objectives[index],
        };
        front.into_iter().map(point).collect()
    }

    /// The members; none before the initial population is evaluated.
    pub fn members(&self) -> &[Vec<f64>] {
        &self.members
    }

    /// The objectives of each member.
    pub fn objectives(&self) -> &[[f64; 2]] {
        &self.objectives
    }

    /// Generations after the initial one.
    pub fn generation(&self) -> usize {
        self.generation
    }

    /// Points evaluated.
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// The means of JADE's factors; none with fixed ones.
    pub fn means(&self) -> Option<Means> {
        self.variation.means()
    }

    /// The reason for which it has ended; none as long as it goes on.
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    fn select(&mut self, told: Vec<[f64; 2]>) {
        let trials = std::mem::take(&mut self.trials);
        let (mut successes, mut replaced) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        let each = trials.points.into_iter().zip(trials.factors).zip(told);
        for (target, ((trial, factors), objectives)) in each.enumerate() {
            match dominance(&objectives, &self.objectives[target]) {
                Ordering::Less => {
                    successes.push(factors);
                    replaced.push(std::mem::replace(&mut self.members[target], trial));
                    self.objectives[target] = objectives;
                }
                // Equals take the place, so that a population drifts over plateaus.
                Ordering::Equal if objectives == self.objectives[target] => {
                    self.members[target] = trial;
                }
                Ordering::Equal => others.push((trial, objectives)),
                Ordering::Greater => {}
            }
        }
        for (trial, objectives) in others {
            self.members.push(trial);
            self.objectives.push(objectives);
        }
        let mut kept = ranked(&self.objectives).0;
        kept.truncate(self.variation.population());
        kept.sort_unstable();
        self.members = kept.iter().map(|&k| self.members[k].clone()).collect();
        self.objectives = kept.iter().map(|&k| self.objectives[k]).collect();
        self.variation.learn(self.generation, &successes, replaced);
    }
}
