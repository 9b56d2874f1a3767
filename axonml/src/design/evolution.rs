//! Differential evolution on thresholds, activation or gates.

use axonml_core::CoreError;
use axonml_models::{ActivationOptions, LossBound};
use axonml_optimize::{
    Bounds, DifferentialEvolution, EvolutionSettings, Fitness, Limits as Ends, Means, Optimizer,
    lexicographic, ranking,
};
use ndarray::ArrayView2;

use super::goal::AREA_TOLERANCE;
use super::result::{HistoryRow, best_so_far};
use super::run::{Run, SCORE, of_score, to_score};
use super::{Delivered, DesignError, Judged, Problem, Reached, Score};

/// Members of the least loss whose separation is known, where losses are those of activation.
const ELITE: usize = 10;

/// Settings of [`Problem::evolve`].
#[derive(Clone, Debug, PartialEq)]
pub struct EvolutionOptions {
    /// Population, strategy and control; members are coordinates, -1 to 1 where they are linear.
    pub settings: EvolutionSettings,
    /// Generations after the first; 100 by default.
    pub generations: usize,
    /// Generations without a better member; 20 by default.
    pub patience: usize,
    /// A loss that is good enough.
    pub target: Option<f64>,
}

/// The fitness of a member: its loss (differences below 1e-9 are ties), then the order of results.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The loss: misclassified area where thresholds are known.
    pub loss: f64,
    /// The score. Of stimuli whose activation alone is known, the separation is 0 unless they are among the best.
    pub score: Score,
}

impl Standing {
    /// The standing of a trial that is worse than its parent, and not by how much.
    fn lost() -> Self {
        Standing {
            loss: f64::INFINITY,
            score: Score::worst(),
        }
    }

    /// The standing of a stimulus whose thresholds are known.
    pub fn of(problem: &Problem, judged: &Judged) -> Self {
        Standing {
            loss: problem.objective.of_score(&judged.score),
            score: judged.score,
        }
    }

    /// Whether the separation was searched for.
    fn knows_separation(&self) -> bool {
        self.score.separation > 0.0
    }
}

impl Fitness for Standing {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        lexicographic(&[(self.loss, other.loss, AREA_TOLERANCE)])
            .then_with(|| self.score.compare(&other.score))
    }

    fn is_number(&self) -> bool {
        !self.loss.is_nan() && self.score.is_number()
    }
}

/// A population with its members' standings, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Evolved {
    /// The best member, if any has a score.
    pub best: Option<Reached>,
    /// All members of the last generation.
    pub members: Vec<(Vec<f64>, Standing)>,
}

impl Problem {
    /// Evolves a population towards the least loss: on thresholds where the objective does not depend on strength, else on
    /// the activation, or the gates, of stimuli as delivered.
    ///
    /// # Errors
    /// [`DesignError`] if settings make no sense, a fiber fires without stimulus, or the simulation fails.
    pub fn evolve(
        &self,
        options: &EvolutionOptions,
        run: &mut Run<'_>,
    ) -> Result<Evolved, DesignError> {
        let (least, largest) = self.ranges().iter().map(|[a, b]| (*a, *b)).unzip();
        let bounds = Bounds::new(least, largest)?;
        let ends = Ends {
            generations: Some(options.generations),
            evaluations: None,
            patience: Some(options.patience),
            target: options.target.map(|loss| Standing {
                loss,
                score: Score::worst(),
            }),
        };
        let set = self.set();
        let mut evolution =
            DifferentialEvolution::new(options.settings.clone(), bounds, ends, &set)?;
        for generation in 0.. {
            let points = evolution.ask();
            if points.is_empty() {
                break;
            }
            let parents = evolution.fitness().to_vec();
            let told = run.batch(points.len(), SCORE + 1, |run| {
                let standings = match self.is_loss_scale_free() {
                    true => self.by_thresholds(&points, &parents, run)?,
                    false => self.by_activation(&points, &parents, run)?,
                };
                Ok(standings.iter().map(row).collect())
            })?;
            let Some(told) = told else { break };
            let standings: Vec<Standing> = told.iter().map(|row| standing(row)).collect();
            for standing in &standings {
                run.offer_score(&standing.score);
            }
            evolution.tell(standings, &set)?;
            // Of the members that are left: trials that have lost are not finished, so that their losses are unknown.
            let members = evolution.fitness().iter().map(|of| of.loss);
            let mut losses: Vec<f64> = members.filter(|loss| !loss.is_nan()).collect();
            losses.sort_by(f64::total_cmp);
            let means = evolution.means();
            run.history.push(HistoryRow {
                start: 0,
                iteration: generation,
                seconds: run.seconds(),
                evaluations: run.tally.candidates(),
                loss: losses.first().copied().unwrap_or(f64::NAN),
                median_loss: losses.get(losses.len() / 2).copied(),
                mu_f: means.map(|Means { mu_f, .. }| mu_f),
                mu_cr: means.map(|Means { mu_cr, .. }| mu_cr),
                ..best_so_far(run.best())
            });
            run.reached(generation, options.generations)?;
        }
        let fitness = evolution.fitness().to_vec();
        let members = evolution.members();
        let members = ranking(&fitness)
            .into_iter()
            .map(|place| (members[place].clone(), fitness[place]));
        let best = evolution.best().map(|best| Reached {
            init: format!("population of {}", options.settings.population),
            x: best.x.clone(),
            score: best.fitness.score,
            iterations: evolution.generation(),
        });
        Ok(Evolved {
            best,
            members: members.collect(),
        })
    }

    /// Standings by thresholds: the order of results, or the objective's own. Thresholds of a trial that is worse than its
    /// parent are searched only until that is known.
    fn by_thresholds(
        &self,
        points: &[Vec<f64>],
        parents: &[Standing],
        run: &mut Run<'_>,
    ) -> Result<Vec<Standing>, DesignError> {
        let stimuli: Vec<Delivered> = points.iter().map(|x| self.stimulus(x)).collect();
        let judged = self.judge_against(&stimuli, parents)?;
        run.tally.thresholds += judged.len();
        let mut standings = Vec::with_capacity(judged.len());
        for judged in judged {
            standings.push(match &judged {
                Some(judged) => {
                    run.offer(judged)?;
                    Standing::of(self, judged)
                }
                None => Standing::lost(),
            });
        }
        Ok(standings)
    }

    /// Standings by activation. A trial whose loss exceeds its parent's is not finished; thresholds are searched of the
    /// [`elite`].
    fn by_activation(
        &self,
        points: &[Vec<f64>],
        parents: &[Standing],
        run: &mut Run<'_>,
    ) -> Result<Vec<Standing>, DesignError> {
        let stimuli: Vec<Delivered> = points
            .iter()
            .map(|x| self.within_limits(self.stimulus(x)))
            .collect();
        let options = ActivationOptions {
            detection: self.search.detection.clone(),
            early_end: self.search.early_end,
            bound: self.bound(&stimuli, parents)?,
        };
        let active = self
            .population
            .activation(&stimuli, &options, &mut |_| ())?;
        run.tally.evaluations += stimuli.len();
        let losses = self.losses_as_delivered(&stimuli, active.view())?;
        let best = parents
            .iter()
            .map(|parent| parent.loss)
            .filter(|loss| !loss.is_nan());
        let best = best.fold(f64::INFINITY, f64::min);
        let mut standings = Vec::with_capacity(stimuli.len());
        for ((stimulus, active), loss) in stimuli.iter().zip(active.rows()).zip(losses) {
            let known: Option<Vec<bool>> = active.iter().copied().collect();
            standings.push(match known.zip(loss) {
                None => Standing::lost(),
                Some((active, loss)) => {
                    self.standing(stimulus, &active, loss + self.penalty.value(stimulus))
                }
            });
        }
        let losses = standings.iter().map(|of| of.loss);
        let least = losses.fold(best, f64::min);
        let elite = elite(&standings, parents, least);
        let searched: Vec<Delivered> = elite.iter().map(|&at| stimuli[at].clone()).collect();
        for (at, judged) in elite.into_iter().zip(self.judge_delivered(searched, run)?) {
            // Thresholds and activation may tell apart fibers that fire in several ranges: activation is what is delivered.
            standings[at].score.separation = judged.score.separation;
            run.offer(&judged)?;
        }
        Ok(standings)
    }

    /// The bound beyond which a trial is given up: the loss of the parent that it would replace, where the loss is a sum
    /// over fibers.
    fn bound(
        &self,
        stimuli: &[Delivered],
        parents: &[Standing],
    ) -> Result<Option<LossBound>, CoreError> {
        let Some(per_area) = self.objective.per_area() else {
            return Ok(None);
        };
        let whole = self.goal.recruitment() == [1.0, 1.0] && self.quotient.is_none();
        if !whole || parents.len() != stimuli.len() || self.population.parts().count() != 1 {
            return Ok(None);
        }
        // The area that a trial may misclassify and still not be worse than its parent.
        let limit = |(stimulus, parent): (&Delivered, &Standing)| {
            let left = (parent.loss - self.penalty.value(stimulus)) / per_area;
            match left.is_nan() {
                true => f64::INFINITY,
                false => left.max(0.0) + AREA_TOLERANCE,
            }
        };
        let limits = stimuli.iter().zip(parents).map(limit).collect();
        let weight = |is_wrong: bool, weight: f64| if is_wrong { weight } else { 0.0 };
        let fibers = self.goal.targets().iter().zip(self.goal.weights());
        let (fires, silent) = fibers
            .map(|(target, of)| (weight(!target, *of), weight(*target, *of)))
            .unzip();
        let bound = LossBound::new(fires, silent, f64::INFINITY)?;
        bound.with_limits(limits).map(Some)
    }

    /// A stimulus, or as much of it as is allowed.
    pub(super) fn within_limits(&self, stimulus: Delivered) -> Delivered {
        match self.limits.scales(&stimulus) {
            Some(scales) if scales.largest < 1.0 => stimulus.scaled(scales.largest),
            _ => stimulus,
        }
    }

    /// Finds the thresholds of stimuli and judges them at their own strength.
    pub(super) fn judge_delivered(
        &self,
        stimuli: Vec<Delivered>,
        run: &mut Run<'_>,
    ) -> Result<Vec<Judged>, DesignError> {
        let found = self
            .population
            .thresholds(&stimuli, &self.search, None, &mut |_| ())?;
        run.tally.thresholds += found.len();
        let each = stimuli.into_iter().zip(found);
        let judged =
            each.map(|(stimulus, multiples)| self.judge_within(stimulus, multiples, [1.0, 1.0]));
        Ok(judged.collect())
    }

    /// The losses of stimuli that activate these fibers, `[stimulus, fiber]`, without their costs; `None` where one of them
    /// is not known.
    fn losses_as_delivered(
        &self,
        stimuli: &[Delivered],
        active: ArrayView2<'_, Option<bool>>,
    ) -> Result<Vec<Option<f64>>, DesignError> {
        let Some(quotient) = &self.quotient else {
            let each = active.rows().into_iter().map(|row| {
                let active: Option<Vec<bool>> = row.iter().copied().collect();
                active.map(|active| self.objective.of_activation(&self.goal, &active))
            });
            return Ok(each.collect());
        };
        let activity = quotient.activity(&self.search.detection);
        let found = self
            .population
            .state_sums(stimuli, &activity, &mut |_| ())?;
        let each = found.rows().into_iter().map(|row| {
            let activities: Option<Vec<f64>> = row.iter().copied().collect();
            activities.map(|activities| quotient.loss(&self.goal, &activities).0)
        });
        Ok(each.collect())
    }

    /// The standing of a stimulus that activates these fibers, with this loss; its separation is not known.
    pub(super) fn standing(&self, stimulus: &Delivered, active: &[bool], loss: f64) -> Standing {
        let outcome = self.goal.outcome(active);
        let cost = self.penalty.value(stimulus);
        Standing {
            loss,
            score: Score {
                misclassified: outcome.misclassified,
                separation: 0.0,
                cost,
                dose: super::Dose::of(stimulus),
            },
        }
    }
}

/// Places whose separation is searched, as their loss is the least: a few, whose members compete for the widest margin
/// while all others drift. A trial whose parent is one of them, and as many others as are wanting.
fn elite(standings: &[Standing], parents: &[Standing], least: f64) -> Vec<usize> {
    let is_best = |standing: &Standing| standing.loss < least + AREA_TOLERANCE;
    let has_parent = |at: usize| {
        let parent = parents.get(at);
        parent.is_some_and(|parent| is_best(parent) && parent.knows_separation())
    };
    let mut wanting = ELITE.saturating_sub((0..parents.len()).filter(|&at| has_parent(at)).count());
    let mut is_searched = |at: &usize| {
        let others = !has_parent(*at) && is_best(&standings[*at]) && wanting > 0;
        wanting -= usize::from(others);
        others || (has_parent(*at) && is_best(&standings[*at]))
    };
    (0..standings.len()).filter(|at| is_searched(at)).collect()
}

fn row(standing: &Standing) -> Vec<f64> {
    let mut row = of_score(&standing.score).to_vec();
    row.push(standing.loss);
    row
}

fn standing(row: &[f64]) -> Standing {
    Standing {
        score: to_score(row),
        loss: row[SCORE],
    }
}
