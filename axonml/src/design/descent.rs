//! Descent on thresholds: the currents of the contacts, from several starts at once.

use axonml_core::CoreError;
use axonml_models::{Basis, Progress, ThresholdSearch};
use axonml_optimize::{
    Descent, DescentSettings, Fitness, Optimizer, Projection, Schedule, Slope, Starts,
};
use ndarray::Array2;

use super::multiples::{self, Multiples};
use super::{DesignError, Dose, Goal, Objective, Outcome, Scale, Score, Softness};

/// Settings of [`descend`].
#[derive(Clone, Debug, PartialEq)]
pub struct DescentOptions {
    /// Loss that is lowered, one that does not depend on strength ([`Objective::Selective`] by default): stimuli are compared at
    /// the best scale of each.
    pub objective: Objective,
    /// Updates of each start; 60 by default.
    pub steps: usize,
    /// Step length relative to the largest current; 0.15 by default.
    pub rate: f64,
    /// Part of it that is left at the end; 0.1 by default.
    pub final_share: f64,
    /// Softness at the first and the last step, in logarithms of thresholds; 0.2 and 0.02 by default.
    pub softness: [f64; 2],
    /// Whether the contacts' currents add up to 0, as without a return at a distance; false by default.
    pub sum_zero: bool,
    /// Searches on the way. The gradient is a quotient, so that its thresholds need not be exact: a resolution of 1e-3 by
    /// default.
    pub search: ThresholdSearch,
}

impl Default for DescentOptions {
    fn default() -> Self {
        DescentOptions {
            objective: Objective::Selective,
            steps: 60,
            rate: 0.15,
            final_share: 0.1,
            softness: [0.2, 0.02],
            sum_zero: false,
            search: ThresholdSearch {
                resolution: 1e-3,
                ..ThresholdSearch::default()
            },
        }
    }
}

impl DescentOptions {
    fn check(&self) -> Result<(), CoreError> {
        let bad = |what: &str, found: String, expected: &str| {
            Err(CoreError::BadValue {
                what: what.into(),
                found,
                expected: expected.into(),
            })
        };
        if !self.objective.is_scale_free() {
            let expected = "one that does not depend on strength: Selective, Margin or Area";
            return bad("the objective", format!("{:?}", self.objective), expected);
        }
        if self
            .softness
            .iter()
            .any(|tau| !(tau.is_finite() && *tau > 0.0))
        {
            return bad(
                "the softness",
                format!("{:?}", self.softness),
                "two finite numbers above 0",
            );
        }
        Ok(())
    }
}

/// The currents that a descent ended with.
#[derive(Clone, Debug, PartialEq)]
pub struct Designed {
    /// Current of each contact times the waveform, mA, at the best scale.
    pub amplitudes_ma: Vec<f64>,
    /// Threshold of each fiber as a multiple of these currents; `None` of fibers that never fire below the limits.
    pub thresholds: Vec<Option<f64>>,
    /// Fibers whose action potential begins at an end of the simulated piece.
    pub end_excitation: Vec<usize>,
    /// The best scale as found, on the currents before they were scaled by it.
    pub best: Scale,
    /// Area that the currents activate.
    pub outcome: Outcome,
    /// Their score.
    pub score: Score,
    /// The best score of each start.
    pub starts: Vec<Score>,
}

/// Lowers a loss on thresholds from several starts, `[start][contact]`, and returns the best currents seen on the way: the
/// starts themselves are among them.
///
/// # Errors
/// [`DesignError`] if the goal has another number of fibers than the basis, a start or a setting makes no sense, a fiber
/// fires without stimulus or diverges, or the simulation fails.
pub fn descend(
    basis: &Basis,
    goal: &Goal,
    waveform: &[f64],
    starts: &[Vec<f64>],
    options: &DescentOptions,
    progress: &mut Progress<'_>,
) -> Result<Designed, DesignError> {
    multiples::check(basis, goal)?;
    options.check()?;
    let set = |x: &mut [f64]| {
        if options.sum_zero {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            x.iter_mut().for_each(|x| *x -= mean);
        }
    };
    let settings = DescentSettings {
        rate: options.rate,
        schedule: Schedule::Cosine,
        final_share: options.final_share,
        steps: options.steps,
        ..DescentSettings::default()
    };
    let each = starts.iter().map(|start| {
        let largest = start.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let unit = start.iter().map(|x| x / largest).collect();
        Descent::new(settings.clone(), unit, &set)
    });
    let each: Result<Vec<Descent<Point>>, _> = each.collect();
    let mut descents = Starts::new(each?);
    let problem = Problem {
        basis,
        goal,
        waveform,
        options,
    };
    for step in 0..=options.steps {
        let points = descents.ask();
        if points.is_empty() {
            break;
        }
        let slopes = problem.slopes(&points, step)?;
        descents.tell(slopes, &set as &dyn Projection)?;
        progress((step + 1) as f64 / (options.steps + 1) as f64);
    }
    let scores = descents.each().iter().filter_map(Optimizer::best);
    let scores = scores.map(|best| best.fitness.score).collect();
    let Some(best) = descents.best() else {
        return Err(DesignError::NoStart);
    };
    Ok(problem.designed(&best.x, &best.fitness, scores))
}

/// Thresholds and score of a point.
#[derive(Clone, Debug)]
struct Point {
    thresholds: Vec<Option<f64>>,
    end_excitation: Vec<usize>,
    score: Score,
}

impl Fitness for Point {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.score.compare(&other.score)
    }

    fn is_number(&self) -> bool {
        self.score.is_number()
    }
}

/// A descent's surroundings.
struct Problem<'a> {
    basis: &'a Basis,
    goal: &'a Goal,
    waveform: &'a [f64],
    options: &'a DescentOptions,
}

impl Problem<'_> {
    fn tau(&self, step: usize) -> f64 {
        let [first, last] = self.options.softness;
        let part = step as f64 / self.options.steps.max(1) as f64;
        first * (last / first).powf(part)
    }

    fn dose(&self, amplitudes: &[f64], scale: f64) -> Dose {
        let amplitudes_ma: Vec<f64> = amplitudes.iter().map(|x| x * scale).collect();
        let dt_ms = self.basis.simulation().grid().dt_ms();
        Dose::of(&amplitudes_ma, self.waveform, dt_ms)
    }

    /// The scores of points, and the slopes of the loss at them.
    fn slopes(&self, points: &[Vec<f64>], step: usize) -> Result<Vec<Slope<Point>>, DesignError> {
        let contacts = self.basis.contacts();
        let gains = Array2::from_shape_fn((points.len(), contacts), |(at, contact)| {
            points[at][contact]
        });
        let search = &self.options.search;
        let found = self
            .basis
            .thresholds(gains.view(), search, None, &mut |_| ())?;
        let softness = Softness {
            tau: self.tau(step),
            silent_from: search.max_ma,
        };
        let mut slopes = Vec::with_capacity(points.len());
        let mut wanted = Array2::from_elem(found.dim(), None);
        let mut losses = Vec::with_capacity(points.len());
        for (at, x) in points.iter().enumerate() {
            let Multiples {
                thresholds,
                end_excitation,
            } = Multiples::of(at, found.row(at))?;
            let loss = self
                .options
                .objective
                .loss(self.goal, &thresholds, softness);
            let steepest = loss
                .by_ln_threshold
                .iter()
                .fold(0.0_f64, |most, x| most.max(x.abs()));
            for (fiber, slope) in loss.by_ln_threshold.iter().enumerate() {
                // A fiber that moves the loss a millionth of what another does needs no gradient.
                if slope.abs() > NEGLIGIBLE * steepest {
                    wanted[[at, fiber]] = thresholds[fiber];
                }
            }
            losses.push(loss);
            let best = self.goal.best_scale(&thresholds, search.max_ma);
            let dose = self.dose(x, best.scale);
            slopes.push(Slope {
                fitness: Point {
                    score: Score::new(self.goal, &thresholds, best.scale, dose),
                    thresholds,
                    end_excitation,
                },
                gradient: vec![0.0; contacts],
            });
        }
        let by_gain = self
            .basis
            .threshold_gradients(gains.view(), search, wanted.view())?;
        for (at, (slope, loss)) in slopes.iter_mut().zip(&losses).enumerate() {
            for (fiber, by_threshold) in loss.by_ln_threshold.iter().enumerate() {
                for (contact, sum) in slope.gradient.iter_mut().enumerate() {
                    *sum += by_threshold * by_gain[[at, fiber, contact]];
                }
            }
        }
        Ok(slopes)
    }

    fn designed(&self, x: &[f64], point: &Point, starts: Vec<Score>) -> Designed {
        let best = self
            .goal
            .best_scale(&point.thresholds, self.options.search.max_ma);
        let scaled = |threshold: &Option<f64>| threshold.map(|least| least / best.scale);
        let thresholds: Vec<Option<f64>> = point.thresholds.iter().map(scaled).collect();
        Designed {
            amplitudes_ma: x.iter().map(|x| x * best.scale).collect(),
            outcome: self.goal.outcome(&self.goal.active_at(&thresholds, 1.0)),
            score: point.score,
            end_excitation: point.end_excitation.clone(),
            thresholds,
            best,
            starts,
        }
    }
}

/// Slope of a loss, relative to the steepest, of fibers that are left out of gradients.
const NEGLIGIBLE: f64 = 1e-6;
