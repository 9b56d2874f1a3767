//! Two things at once: stimuli of which none is better in both.

use std::sync::Arc;

use axonml_optimize::{Bounds, Means, ParetoEvolution};

use super::result::{HistoryRow, best_so_far};
use super::run::{Run, SCORE, of_score, to_score};
use super::{
    Delivered, DesignError, EvolutionOptions, Judged, Penalty, Problem, Score, ThresholdLoss,
};

/// One of the two things that a front is about; less is better.
#[derive(Clone, Debug)]
pub enum Aim {
    /// How far a stimulus is from activating the right fibers.
    Loss(Arc<dyn ThresholdLoss>),
    /// Costs as delivered.
    Cost(Penalty),
}

/// A stimulus of a front.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontPoint {
    /// Its coordinates.
    pub x: Vec<f64>,
    /// The multiple of the point that is delivered.
    pub scale: f64,
    /// The two aims.
    pub objectives: [f64; 2],
    /// Its score.
    pub score: Score,
}

/// Stimuli of which none is better in both aims, by the first of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Front {
    /// The stimuli.
    pub points: Vec<FrontPoint>,
    /// Generations after the first.
    pub generations: usize,
}

/// Numbers of a point in a batch.
const COLUMNS: usize = SCORE + 3;

/// A separation without end, or none at all, counts as e to this power, so that a front has finite numbers.
const MOST: f64 = 100.0;

impl Aim {
    /// Whether it is the same for all multiples of a stimulus, each taken at its best one.
    pub fn is_scale_free(&self) -> bool {
        match self {
            Aim::Loss(loss) => loss.is_scale_free(),
            Aim::Cost(_) => true,
        }
    }

    /// Its value for a stimulus as delivered; not a number where nothing is known of it.
    fn value(&self, problem: &Problem, judged: &Judged) -> f64 {
        if judged.score.misclassified.is_nan() {
            return f64::NAN;
        }
        let value = match self {
            Aim::Loss(loss) if loss.is_scale_free() => loss.of_score(&judged.score),
            Aim::Loss(loss) => {
                let goal = &problem.goal;
                loss.of_activation(goal, &goal.active_at(&judged.thresholds(), 1.0))
            }
            Aim::Cost(penalty) => penalty.value(&judged.delivered()),
        };
        match value.is_infinite() {
            true => MOST.copysign(value),
            false => value,
        }
    }
}

impl Problem {
    /// Evolves a population towards the front of two aims, on thresholds. Points whose aims do not depend on strength stand
    /// for their best allowed multiples, so that costs are those of what is delivered.
    ///
    /// Patience and target of `options` have no part in it: a front has no one best member.
    ///
    /// # Errors
    /// [`DesignError`] if settings make no sense, a fiber fires without stimulus, or the simulation fails.
    pub fn evolve_front(
        &self,
        aims: &[Aim; 2],
        options: &EvolutionOptions,
        run: &mut Run<'_>,
    ) -> Result<Front, DesignError> {
        let (least, largest) = self.ranges().iter().map(|[a, b]| (*a, *b)).unzip();
        let bounds = Bounds::new(least, largest)?;
        let set = self.set();
        let most = Some(options.generations);
        let mut evolution =
            ParetoEvolution::new(options.settings.clone(), bounds, most, None, &set)?;
        // What is known of the members.
        let mut known: Vec<FrontPoint> = Vec::new();
        for generation in 0.. {
            let points = evolution.ask();
            if points.is_empty() {
                break;
            }
            let told = run.batch(points.len(), COLUMNS, |run| {
                let stimuli = points.iter().map(|x| self.stimulus(x)).collect();
                let judged = self.judge(stimuli, None, &mut |_| ())?;
                run.tally.thresholds += judged.len();
                for judged in &judged {
                    run.offer(judged)?;
                }
                Ok(judged.iter().map(|of| self.front_row(aims, of)).collect())
            })?;
            let Some(told) = told else { break };
            let mut firsts = Vec::with_capacity(told.len());
            for (x, row) in points.into_iter().zip(&told) {
                let point = front_point(x, row);
                run.offer_score(&point.score);
                firsts.extend(Some(point.objectives[0]).filter(|value| !value.is_nan()));
                known.push(point);
            }
            let objectives = told.iter().map(|row| [row[SCORE], row[SCORE + 1]]);
            evolution.tell(objectives.collect(), &set)?;
            known.retain(|point| evolution.members().contains(&point.x));
            firsts.sort_by(f64::total_cmp);
            let means = evolution.means();
            run.history.push(HistoryRow {
                iteration: generation,
                evaluations: run.tally.candidates(),
                loss: firsts.first().copied().unwrap_or(f64::NAN),
                median_loss: firsts.get(firsts.len() / 2).copied(),
                mu_f: means.map(|Means { mu_f, .. }| mu_f),
                mu_cr: means.map(|Means { mu_cr, .. }| mu_cr),
                ..best_so_far(run.best())
            });
            run.reached(generation, options.generations)?;
        }
        let front = evolution.front().into_iter();
        let points = front.filter_map(|point| known.iter().find(|of| of.x == point.x).cloned());
        Ok(Front {
            points: points.collect(),
            generations: evolution.generation(),
        })
    }

    /// The stimulus of a point of a front, as delivered.
    pub fn delivered(&self, point: &FrontPoint) -> Delivered {
        self.stimulus(&point.x).scaled(point.scale)
    }

    fn front_row(&self, aims: &[Aim; 2], judged: &Judged) -> Vec<f64> {
        let mut row = of_score(&judged.score).to_vec();
        row.extend(aims.iter().map(|aim| aim.value(self, judged)));
        row.push(judged.best.scale);
        row
    }
}

fn front_point(x: Vec<f64>, row: &[f64]) -> FrontPoint {
    FrontPoint {
        x,
        scale: row[SCORE + 2],
        objectives: [row[SCORE], row[SCORE + 1]],
        score: to_score(row),
    }
}
