//! An optimization's surroundings: fibers, goal, stimuli, limits; every point is judged here.

mod coordinates;
mod quotient;

use std::sync::Arc;

use axonml_models::{Progress, ThresholdSearch};
use ndarray::Array2;

use super::limits::Limits;
use super::loss::Loss;
use super::population::{Cotangent, Multiples, Population};
use super::scale::End;
use super::{
    Amplitudes, Delivered, DesignError, Goal, Objective, Parameterization, Penalty, Quotient,
    Scale, Score, Softness, ThresholdLoss,
};

pub use coordinates::Set;

/// A question of selective stimulation: which stimulus of a family serves a goal best, within limits.
///
/// Optimizers move *coordinates*: the unknowns of the parameterization, the linear ones in units of
/// [`Problem::unit`], shapes as logarithms (of widths above 0) or parts of their range. Where limits leave the strength of
/// a stimulus free, a point stands for all its multiples, and is judged at the best allowed one.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The fibers and contacts.
    pub population: Population,
    /// Which fibers should fire.
    pub goal: Goal,
    /// The stimuli.
    pub parameterization: Arc<dyn Parameterization>,
    /// Limits that every delivered stimulus obeys.
    pub limits: Limits,
    /// Loss that descents lower.
    pub objective: Arc<dyn ThresholdLoss>,
    /// Loss on gates that is lowered in place of the objective; none by default.
    pub quotient: Option<Quotient>,
    /// Costs that are weighed against the separation.
    pub penalty: Penalty,
    /// Searches for thresholds, as multiples of points.
    pub search: ThresholdSearch,
    /// A coordinate of 1 is a linear unknown of this size; 1 where strength is free.
    pub unit: f64,
}

/// A point with everything that is known of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The stimulus of the point, before it is scaled.
    pub stimulus: Delivered,
    /// Thresholds as multiples of it.
    pub multiples: Multiples,
    /// The least and the largest multiple that may be delivered.
    pub allowed: [f64; 2],
    /// Whether limits on currents set the largest one.
    pub is_limited: bool,
    /// The best of them.
    pub best: Scale,
    /// The score there.
    pub score: Score,
}

impl Judged {
    /// The stimulus at its best allowed scale.
    pub fn delivered(&self) -> Delivered {
        self.stimulus.scaled(self.best.scale)
    }

    /// Thresholds as multiples of the stimulus as delivered.
    pub fn thresholds(&self) -> Vec<Option<f64>> {
        self.multiples.of_multiple(self.best.scale)
    }
}

/// The loss of a point with its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    /// The loss, costs included.
    pub loss: f64,
    /// Derivatives by the coordinates.
    pub gradient: Vec<f64>,
}

impl Problem {
    /// Amplitudes of the population's waveform, up to 3 mA, towards a goal; everything else can be changed.
    pub fn new(population: Population, goal: Goal) -> Self {
        let contacts = population.contacts();
        let waveform = population.waveform().clone();
        let amplitudes = Amplitudes::new(contacts, waveform, population.dt_ms());
        Problem {
            parameterization: Arc::new(amplitudes),
            limits: Limits::of_bound(contacts, BOUND_MA),
            objective: Arc::new(Objective::Selective),
            quotient: None,
            penalty: Penalty::default(),
            // The gradient is a quotient, so that thresholds on the way need not be exact; what is found is proven by
            // searches that leave out nothing.
            search: ThresholdSearch {
                resolution: 1e-3,
                first_part: Some(FIRST_PART),
                ..ThresholdSearch::default()
            },
            unit: 1.0,
            population,
            goal,
        }
    }

    /// Checks that all parts are of the same fibers and contacts.
    ///
    /// # Errors
    /// [`DesignError`] naming what differs.
    pub fn check(&self) -> Result<(), DesignError> {
        let same = |what: &str, found: usize, expected: usize, of: &str| match found == expected {
            true => Ok(()),
            false => Err(axonml_core::CoreError::Shape {
                what: what.into(),
                expected: format!("{expected}, as {of} has"),
                found: found.to_string(),
            }),
        };
        let (fibers, contacts) = (self.population.fibers(), self.population.contacts());
        same(
            "the fibers of the goal",
            self.goal.fibers(),
            fibers,
            "the population",
        )?;
        let own = self.parameterization.contacts();
        same(
            "the contacts of the stimulus",
            own,
            contacts,
            "the population",
        )?;
        self.limits.check()?;
        self.limits.check_with(&*self.parameterization)?;
        match &self.quotient {
            Some(quotient) => quotient.check(&self.population),
            None => Ok(()),
        }
    }

    /// Whether a point stands for all its multiples.
    pub fn is_scale_free(&self) -> bool {
        self.limits.is_scale_free() && self.is_loss_scale_free()
    }

    /// Whether the loss does not depend on the strength of a stimulus.
    pub(super) fn is_loss_scale_free(&self) -> bool {
        self.quotient.is_none() && self.objective.is_scale_free()
    }

    /// The multiples of a stimulus that may be delivered; none where limits leave none.
    pub(super) fn allowed(&self, stimulus: &Delivered) -> Option<([f64; 2], bool)> {
        let scales = self.limits.scales(stimulus)?;
        let most = match self.is_loss_scale_free() {
            true => self.search.max_ma,
            // Delivered as it is, or as much of it as is allowed.
            false => 1.0,
        };
        let largest = scales.largest.min(most);
        let least = match self.is_loss_scale_free() {
            true => scales.least,
            false => largest,
        };
        Some((
            [least, largest],
            scales.largest < most && scales.limit.is_some(),
        ))
    }

    /// Judges a stimulus by its thresholds.
    pub fn judge_one(&self, stimulus: Delivered, multiples: Multiples) -> Judged {
        match self.allowed(&stimulus) {
            Some((allowed, is_limited)) => Judged {
                is_limited,
                ..self.judge_within(stimulus, multiples, allowed)
            },
            None => {
                let judged = self.judge_within(stimulus, multiples, [1.0, 1.0]);
                Judged {
                    score: Score::unknown(),
                    ..judged
                }
            }
        }
    }

    /// Judges a stimulus at the best of all its multiples that limits on currents allow, whatever the objective.
    pub(super) fn judge_scaled(&self, stimulus: Delivered, multiples: Multiples) -> Judged {
        // Limits that no multiple obeys are told of apart.
        let largest = self
            .limits
            .scales(&stimulus)
            .map_or(1.0, |scales| scales.largest);
        let allowed = [0.0, largest.min(self.search.max_ma)];
        self.judge_within(stimulus, multiples, allowed)
    }

    /// Judges a stimulus at the best of some of its multiples.
    pub(super) fn judge_within(
        &self,
        stimulus: Delivered,
        multiples: Multiples,
        allowed: [f64; 2],
    ) -> Judged {
        let best = self.goal.best_scale(&multiples.thresholds, allowed);
        let delivered = stimulus.scaled(best.scale);
        let score = match multiples.diverged.is_some() {
            true => Score::unknown(),
            false => {
                let thresholds = multiples.of_multiple(best.scale);
                Score::new(&self.goal, &thresholds, &delivered, &self.penalty)
            }
        };
        Judged {
            stimulus,
            multiples,
            allowed,
            is_limited: false,
            best,
            score,
        }
    }

    /// Finds the thresholds of stimuli and judges them.
    ///
    /// # Errors
    /// [`DesignError`] as [`Population::thresholds`].
    pub fn judge(
        &self,
        stimuli: Vec<Delivered>,
        guesses: Option<&[Vec<f64>]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Judged>, DesignError> {
        let found = self
            .population
            .thresholds(&stimuli, &self.search, guesses, progress)?;
        let each = stimuli.into_iter().zip(found);
        Ok(each
            .map(|(stimulus, multiples)| self.judge_one(stimulus, multiples))
            .collect())
    }

    /// The losses of points, and how they move with their coordinates.
    ///
    /// # Errors
    /// [`DesignError`] if a simulation fails or is canceled.
    pub fn slopes(
        &self,
        points: &[Vec<f64>],
        judged: &[Judged],
        tau: f64,
    ) -> Result<Vec<Slopes>, DesignError> {
        let losses: Vec<(Loss, f64, Option<Array2<f64>>)> =
            judged.iter().map(|judged| self.loss(judged, tau)).collect();
        let weights: Vec<Vec<f64>> = losses
            .iter()
            .map(|(loss, ..)| without_negligible(&loss.by_ln_threshold))
            .collect();
        let stimuli: Vec<Delivered> = judged.iter().map(|of| of.stimulus.clone()).collect();
        let multiples: Vec<Multiples> = judged.iter().map(|of| of.multiples.clone()).collect();
        let amplitudes_only = self.parameterization.has_fixed_waveform();
        let cotangents = self.population.gradients(
            &stimuli,
            &self.search,
            &multiples,
            &weights,
            amplitudes_only,
        )?;
        let mut all = Vec::with_capacity(points.len());
        for (at, cotangent) in cotangents.into_iter().enumerate() {
            let (loss, value, of_cost) = &losses[at];
            let by_ln_largest = match judged[at].is_limited {
                true => loss.by_ln_largest,
                false => 0.0,
            };
            let (stimulus, of_cost) = (&stimuli[at], of_cost.clone());
            all.push(Slopes {
                loss: *value,
                gradient: self.by_point(&points[at], stimulus, cotangent, of_cost, by_ln_largest),
            });
        }
        Ok(all)
    }

    /// Derivatives by the coordinates of a point from those by its stimulus: of fibers, of costs, and by the logarithm of
    /// the largest multiple that limits allow.
    fn by_point(
        &self,
        point: &[f64],
        stimulus: &Delivered,
        of_fibers: Cotangent,
        of_cost: Option<Array2<f64>>,
        by_ln_largest: f64,
    ) -> Vec<f64> {
        let shape = (stimulus.contacts(), self.population.waveform().len());
        let mut by_currents = of_cost.unwrap_or_else(|| Array2::zeros(shape));
        let mut by_amplitudes = None;
        match of_fibers {
            Cotangent::Amplitudes(found) => by_amplitudes = Some(found),
            Cotangent::Currents(found) => by_currents += &found,
        }
        if by_ln_largest != 0.0 {
            for (contact, step, by_current) in self.limits.ln_largest_by_currents(stimulus) {
                by_currents[[contact, step]] += by_ln_largest * by_current;
            }
        }
        let x = self.unknowns(point);
        let mut by_unknowns = self.parameterization.pull_back(&x, by_currents.view());
        // Unknowns are amplitudes where derivatives are by those.
        let sums = by_unknowns
            .iter_mut()
            .zip(by_amplitudes.into_iter().flatten());
        sums.for_each(|(sum, by_amplitude)| *sum += by_amplitude);
        self.by_coordinates(point, by_unknowns)
    }

    /// The loss of a judged point; with its costs, and their derivatives by the currents of the point.
    fn loss(&self, judged: &Judged, tau: f64) -> (Loss, f64, Option<Array2<f64>>) {
        let softness = Softness {
            tau,
            silent_from: self.search.max_ma,
            scales: judged.allowed,
        };
        let thresholds = &judged.multiples.thresholds;
        let mut loss = self.objective.loss(&self.goal, thresholds, softness);
        if self.penalty.is_none() {
            let value = loss.value;
            return (loss, value, None);
        }
        let best = judged.best;
        let cost = self.penalty.cost(&judged.delivered());
        for (end, share) in best.moves_with(judged.allowed) {
            let moved = share * cost.by_ln_scale;
            match end {
                End::Threshold(of) => {
                    let fiber = thresholds.iter().position(|found| *found == Some(of));
                    if let Some(slope) = fiber.and_then(|fiber| loss.by_ln_threshold.get_mut(fiber))
                    {
                        *slope += moved;
                    }
                }
                End::Largest => loss.by_ln_largest += moved,
            }
        }
        let value = loss.value + cost.value;
        (loss, value, Some(cost.by_currents * best.scale))
    }
}

/// Largest current of a contact unless limits say otherwise, mA.
const BOUND_MA: f64 = 3.0;

/// Part of the amplitude at which the passive fiber reaches the level that searches begin with: some mV.
const FIRST_PART: f64 = 0.05;

/// Slope of a loss, relative to the steepest, of fibers that are left out of gradients.
const NEGLIGIBLE: f64 = 1e-6;

/// A fiber that moves the loss a millionth of what another does needs no gradient.
fn without_negligible(slopes: &[f64]) -> Vec<f64> {
    let steepest = slopes.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let counts = |slope: &f64| slope.abs() > NEGLIGIBLE * steepest;
    slopes
        .iter()
        .map(|slope| if counts(slope) { *slope } else { 0.0 })
        .collect()
}
