//! Differential evolution of one objective.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::control::Means;
use super::settings::{EvolutionSettings, Limits};
use super::variation::{Parents, Trials, Variation};
use crate::bounds::Bounds;
use crate::error::{OptimizeError, check_count};
use crate::fitness::{Fitness, ranking};
use crate::optimizer::{Optimizer, Point, Stop, keep_best};
use crate::projection::Projection;

/// Differential evolution; a generation is one batch.
///
/// Trials are made of the members of the last generation (deferred updating). A trial takes the place of its target
/// unless it is worse, so that a population drifts over plateaus; factors and archive learn from trials that are better.
///
/// # Source
/// R. Storn and K. Price (1997), J. Zhang and A. C. Sanderson (2009): see [`Strategy`](crate::Strategy).
///
/// # Example
/// ```
/// use axonml_optimize::{
///     Bounds, DifferentialEvolution, EvolutionSettings, Limits, Optimizer, Unconstrained,
/// };
/// let settings = EvolutionSettings { population: 20, ..EvolutionSettings::default() };
/// let bounds = Bounds::uniform(2, -5.0, 5.0)?;
/// let limits = Limits { generations: Some(300), target: Some(1e-9), ..Limits::default() };
/// let mut evolution = DifferentialEvolution::new(settings, bounds, limits, &Unconstrained)?;
/// while evolution.stop().is_none() {
///     let batch = evolution.ask();
///     let values = batch.iter().map(|x| x[0].powi(2) + x[1].powi(2)).collect();
///     evolution.tell(values, &Unconstrained)?;
/// }
/// assert!(evolution.best().is_some_and(|best| best.fitness < 1e-9));
/// # Ok::<(), axonml_optimize::OptimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DifferentialEvolution<F> {
    variation: Variation,
    limits: Limits<F>,
    members: Vec<Vec<f64>>,
    fitness: Vec<F>,
    /// To evaluate: the initial population as long as there are no members.
    trials: Trials,
    generation: usize,
    evaluations: usize,
    /// Generations since the best member became better.
    unimproved: usize,
    best: Option<Point<F>>,
    stop: Option<Stop>,
}

impl<F: Fitness> DifferentialEvolution<F> {
    /// An evolution between finite `bounds`; all points are projected on `set`, which lies within them.
    ///
    /// # Errors
    /// [`OptimizeError`] for settings, bounds or initial members that make no sense.
    pub fn new(
        settings: EvolutionSettings,
        bounds: Bounds,
        limits: Limits<F>,
        set: &dyn Projection,
    ) -> Result<Self, OptimizeError> {
        let variation = Variation::new(settings, bounds)?;
        Ok(DifferentialEvolution {
            trials: variation.initial(set)?,
            variation,
            limits,
            members: Vec::new(),
            fitness: Vec::new(),
            generation: 0,
            evaluations: 0,
            unimproved: 0,
            best: None,
            stop: None,
        })
    }

    /// The members; none before the initial population is evaluated.
    pub fn members(&self) -> &[Vec<f64>] {
        &self.members
    }

    /// The fitness of each member, which is also that of the target of each point to evaluate: a trial that is certain
    /// to be worse need not be evaluated exactly.
    pub fn fitness(&self) -> &[F] {
        &self.fitness
    }

    /// Replaced parents that are kept.
    pub fn archive(&self) -> &[Vec<f64>] {
        self.variation.archived()
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

    /// The members after the trials' fitness is known.
    fn select(&mut self, told: Vec<F>) {
        let trials = std::mem::take(&mut self.trials);
        let (mut successes, mut replaced) = (Vec::new(), Vec::new());
        let each = trials.points.into_iter().zip(trials.factors).zip(told);
        for (target, ((trial, factors), fitness)) in each.enumerate() {
            let order = fitness.compare(&self.fitness[target]);
            if order == Ordering::Greater {
                continue;
            }
            let parent = std::mem::replace(&mut self.members[target], trial);
            self.fitness[target] = fitness;
            if order == Ordering::Less {
                successes.push(factors);
                replaced.push(parent);
            }
        }
        self.variation.learn(self.generation, &successes, replaced);
    }

    fn reason_to_stop(&self) -> Option<Stop> {
        let reached = |target: &F| {
            let best = self.best.as_ref();
            best.is_some_and(|best| !target.better_than(&best.fitness))
        };
        let limits = &self.limits;
        let next = self.evaluations.saturating_add(self.variation.population());
        if limits.target.as_ref().is_some_and(reached) {
            Some(Stop::Target)
        } else if limits.patience.is_some_and(|most| self.unimproved >= most) {
            Some(Stop::Patience)
        } else if limits
            .generations
            .is_some_and(|most| self.generation >= most)
        {
            Some(Stop::Steps)
        } else if limits.evaluations.is_some_and(|most| next > most) {
            Some(Stop::Evaluations)
        } else {
            None
        }
    }
}

impl<F: Fitness> Optimizer for DifferentialEvolution<F> {
    type Told = F;
    type Fitness = F;

    fn ask(&self) -> Vec<Vec<f64>> {
        match self.stop {
            None => self.trials.points.clone(),
            Some(_) => Vec::new(),
        }
    }

    fn check(&self, told: &[F]) -> Result<(), OptimizeError> {
        let expected = match self.stop {
            None => self.trials.points.len(),
            Some(_) => 0,
        };
        check_count(told.len(), expected)
    }

    fn tell(&mut self, told: Vec<F>, set: &dyn Projection) -> Result<(), OptimizeError> {
        self.check(&told)?;
        if self.stop.is_some() {
            return Ok(());
        }
        self.evaluations += told.len();
        let mut improves = false;
        for (point, fitness) in self.trials.points.iter().zip(&told) {
            improves |= keep_best(&mut self.best, point, fitness);
        }
        if self.members.is_empty() {
            self.members = std::mem::take(&mut self.trials.points);
            self.fitness = told;
        } else {
            self.generation += 1;
            self.unimproved = if improves { 0 } else { self.unimproved + 1 };
            self.select(told);
        }
        self.stop = self.reason_to_stop();
        if self.stop.is_none() {
            let parents = Parents {
                members: &self.members,
                ranking: &ranking(&self.fitness),
                bests: 1,
            };
            self.trials = self.variation.trials(parents, self.generation + 1, set);
        }
        Ok(())
    }

    fn best(&self) -> Option<&Point<F>> {
        self.best.as_ref()
    }

    fn stop(&self) -> Option<Stop> {
        self.stop
    }
}
