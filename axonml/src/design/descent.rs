//! Descent on thresholds or gates: from several starts at once, within limits.

use axonml_core::CoreError;
use axonml_optimize::{
    Descent, DescentSettings, Fitness, Lbfgs, LbfgsSettings, Momenta, Optimizer, Rule, Schedule,
    Slope, Starts, lexicographic,
};

use super::goal::AREA_TOLERANCE;
use super::problem::Set;
use super::result::HistoryRow;
use super::run::{Run, SCORE, of_score, to_score};
use super::{DesignError, Problem, Score, Slopes};

/// How a descent takes its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Steps {
    /// With a learning rate, by [`Rule`].
    Rated(Rule),
    /// L-BFGS with a line search, on the loss at a fixed softness: that of the middle of the way.
    Lbfgs,
    /// Adam.
    #[default]
    Adam,
}

/// Settings of [`Problem::descend`].
#[derive(Clone, Debug, PartialEq)]
pub struct DescentOptions {
    /// How steps are taken.
    pub rule: Steps,
    /// Updates of each start; 60 by default.
    pub steps: usize,
    /// Step length relative to the largest current; 0.15 by default.
    pub rate: f64,
    /// Part of it that is left at the end; 0.1 by default.
    pub final_share: f64,
    /// Learning rate over the steps.
    pub schedule: Schedule,
    /// A longer gradient is shortened to this length.
    pub clip: Option<f64>,
    /// Whether the mean of the gradient's components is subtracted, so that changes of the currents sum to zero.
    pub centralize: bool,
    /// Softness at the first and the last step, in logarithms of thresholds; 0.2 and 0.02 by default.
    pub softness: [f64; 2],
    /// Whether starts that are far behind end halfway; true by default.
    pub early_stop: bool,
}

impl Default for DescentOptions {
    fn default() -> Self {
        DescentOptions {
            rule: Steps::Adam,
            steps: 60,
            rate: 0.15,
            final_share: 0.1,
            schedule: Schedule::Cosine,
            clip: None,
            centralize: false,
            softness: [0.2, 0.02],
            early_stop: true,
        }
    }
}

impl DescentOptions {
    fn check(&self) -> Result<(), CoreError> {
        let is_width = |tau: &f64| tau.is_finite() && *tau > 0.0;
        match self.softness.iter().all(is_width) {
            true => Ok(()),
            false => Err(CoreError::BadValue {
                what: "the softness".into(),
                found: format!("{:?}", self.softness),
                expected: "two finite numbers above 0".into(),
            }),
        }
    }

    fn tau(&self, step: usize) -> f64 {
        let [first, last] = self.softness;
        match self.rule {
            Steps::Lbfgs => (first * last).sqrt(),
            _ => {
                let part = step as f64 / self.steps.max(1) as f64;
                first * (last / first).powf(part)
            }
        }
    }
}

/// A start of a descent.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Where it comes from, for results.
    pub init: String,
    /// Its coordinates ([`Problem::start`]).
    pub x: Vec<f64>,
}

/// A point that an optimization led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// Where it began.
    pub init: String,
    /// Its coordinates.
    pub x: Vec<f64>,
    /// Its score.
    pub score: Score,
    /// Updates that were made.
    pub iterations: usize,
}

/// Optimizations of one kind, whatever their rule.
enum Method {
    Rated(Starts<Descent<Score>>),
    Lbfgs(Starts<Lbfgs>),
}

impl Problem {
    /// Lowers the loss from several starts at once, and returns the best point of each, the start among them.
    ///
    /// # Errors
    /// [`DesignError`] if a start or a setting makes no sense, a fiber fires without stimulus, or the simulation fails.
    pub fn descend(
        &self,
        starts: &[Start],
        options: &DescentOptions,
        run: &mut Run<'_>,
    ) -> Result<Vec<Reached>, DesignError> {
        options.check()?;
        let set = self.set();
        let mut method = method(starts, options, &set)?;
        // Of each start: the best point, and thresholds of the last one, which are near those of the next.
        let mut best: Vec<Option<Reached>> = vec![None; starts.len()];
        let mut last: Vec<Option<Vec<f64>>> = vec![None; starts.len()];
        let mut losses = vec![f64::INFINITY; starts.len()];
        let mut iterations = vec![0; starts.len()];
        let columns = SCORE + 1 + self.ranges().len();
        for step in 0.. {
            let (points, owners) = (method.ask(), method.asked());
            if points.is_empty() {
                break;
            }
            let tau = options.tau(step);
            let told = run.batch(points.len(), columns, |run| {
                if let Some(quotient) = &self.quotient {
                    let found = self.by_quotient(quotient, &points, run)?.into_iter();
                    return Ok(found.map(|(score, slopes)| row(&score, slopes)).collect());
                }
                let stimuli = points.iter().map(|x| self.stimulus(x)).collect();
                let guesses: Option<Vec<Vec<f64>>> =
                    owners.iter().map(|&owner| last[owner].clone()).collect();
                let judged = self.judge(stimuli, guesses.as_deref(), &mut |_| ())?;
                run.tally.thresholds += judged.len();
                let slopes = self.slopes(&points, &judged, tau)?;
                run.tally.gradients += slopes.len();
                for (judged, &owner) in judged.iter().zip(&owners) {
                    let thresholds = judged.multiples.thresholds.iter();
                    last[owner] = Some(
                        thresholds
                            .map(|x| x.unwrap_or(self.search.max_ma))
                            .collect(),
                    );
                    run.offer(judged)?;
                }
                let each = judged.iter().zip(slopes);
                Ok(each
                    .map(|(judged, slopes)| row(&judged.score, slopes))
                    .collect())
            })?;
            let Some(told) = told else { break };
            for ((row, x), &owner) in told.iter().zip(&points).zip(&owners) {
                let score = to_score(row);
                run.offer_score(&score);
                let known = &mut best[owner];
                let loss = &mut losses[owner];
                let better = known.as_ref().is_none_or(|known| {
                    self.is_better((&score, row[SCORE]), (&known.score, *loss))
                });
                if better && score.is_number() {
                    *loss = row[SCORE];
                    *known = Some(Reached {
                        init: starts[owner].init.clone(),
                        x: x.clone(),
                        score,
                        iterations: 0,
                    });
                }
                iterations[owner] = step;
                run.history.push(HistoryRow {
                    start: owner,
                    iteration: step,
                    seconds: run.seconds(),
                    evaluations: run.tally.candidates(),
                    loss: row[SCORE],
                    ..super::result::best_so_far(best[owner].as_ref().map(|reached| &reached.score))
                });
            }
            method.tell(told, &set)?;
            if options.early_stop && step == options.steps.div_ceil(2) {
                method.call_off(&best);
            }
            run.reached(step, options.steps)?;
        }
        let each = best.into_iter().zip(iterations);
        let mut reached: Vec<Reached> = each
            .filter_map(|(reached, iterations)| {
                reached.map(|reached| Reached {
                    iterations,
                    ..reached
                })
            })
            .collect();
        if self.quotient.is_some() && !reached.is_empty() {
            self.separate(&mut reached, run)?;
        }
        Ok(reached)
    }

    /// Whether a point of a start is better than another: in the order of results; where separations are not known, by
    /// losses among those that misclassify the same area.
    fn is_better(&self, (score, loss): (&Score, f64), (known, known_loss): (&Score, f64)) -> bool {
        match &self.quotient {
            None => score.better_than(known),
            Some(_) => lexicographic(&[
                (score.misclassified, known.misclassified, AREA_TOLERANCE),
                (loss, known_loss, 0.0),
            ])
            .is_lt(),
        }
    }
}

fn method(
    starts: &[Start],
    options: &DescentOptions,
    set: &Set<'_>,
) -> Result<Method, DesignError> {
    let rule = match options.rule {
        Steps::Adam => Rule::Adam,
        Steps::Rated(rule) => rule,
        Steps::Lbfgs => {
            let settings = LbfgsSettings {
                steps: options.steps,
                ..LbfgsSettings::default()
            };
            let each = starts
                .iter()
                .map(|start| Lbfgs::new(settings.clone(), start.x.clone(), set));
            let each: Result<Vec<Lbfgs>, _> = each.collect();
            return Ok(Method::Lbfgs(Starts::new(each?)));
        }
    };
    let settings = DescentSettings {
        rule,
        momenta: Momenta::default(),
        rate: options.rate,
        warmup: 0,
        schedule: options.schedule,
        final_share: options.final_share,
        steps: options.steps,
        clip: options.clip,
        centralize: options.centralize,
    };
    let each = starts
        .iter()
        .map(|start| Descent::new(settings.clone(), start.x.clone(), set));
    let each: Result<Vec<Descent<Score>>, _> = each.collect();
    Ok(Method::Rated(Starts::new(each?)))
}

/// The numbers of a point: score, loss, gradient.
fn row(score: &Score, slopes: Slopes) -> Vec<f64> {
    let mut row = of_score(score).to_vec();
    row.push(slopes.loss);
    row.extend(slopes.gradient);
    row
}

impl Method {
    fn ask(&self) -> Vec<Vec<f64>> {
        match self {
            Method::Rated(starts) => starts.ask(),
            Method::Lbfgs(starts) => starts.ask(),
        }
    }

    fn asked(&self) -> Vec<usize> {
        match self {
            Method::Rated(starts) => starts.asked(),
            Method::Lbfgs(starts) => starts.asked(),
        }
    }

    fn tell(&mut self, told: Vec<Vec<f64>>, set: &Set<'_>) -> Result<(), DesignError> {
        let rows = told.into_iter();
        match self {
            Method::Rated(starts) => {
                let slopes = rows.map(|row| Slope {
                    fitness: to_score(&row),
                    gradient: row[SCORE + 1..].to_vec(),
                });
                Ok(starts.tell(slopes.collect(), set)?)
            }
            Method::Lbfgs(starts) => {
                let slopes = rows.map(|row| Slope {
                    fitness: row[SCORE],
                    gradient: row[SCORE + 1..].to_vec(),
                });
                Ok(starts.tell(slopes.collect(), set)?)
            }
        }
    }

    /// Ends starts that are far behind the best: they misclassify more, or separate by less than 0.8 times as much.
    fn call_off(&mut self, best: &[Option<Reached>]) {
        const BEHIND: f64 = 0.8;
        let scores: Vec<Option<Score>> = best
            .iter()
            .map(|of| of.as_ref().map(|of| of.score))
            .collect();
        let Some(winner) =
            scores
                .iter()
                .flatten()
                .copied()
                .reduce(|best, next| match next.better_than(&best) {
                    true => next,
                    false => best,
                })
        else {
            return;
        };
        for (start, score) in scores.iter().enumerate() {
            let is_behind = score.is_none_or(|score| {
                let area = score.misclassified - winner.misclassified;
                area > 0.5 * winner.misclassified.max(0.02)
                    || area > -1e-9 && score.separation < BEHIND * winner.separation
            });
            if is_behind {
                match self {
                    Method::Rated(starts) => starts.call_off(start),
                    Method::Lbfgs(starts) => starts.call_off(start),
                }
            }
        }
    }
}

/// The best of several points.
pub fn best_reached(reached: &[Reached]) -> Option<&Reached> {
    reached
        .iter()
        .reduce(|best, next| match next.score.better_than(&best.score) {
            true => next,
            false => best,
        })
}
