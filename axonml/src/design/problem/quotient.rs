//! Points by their [`Quotient`]: its value and derivatives as delivered, and the fibers that fire.

use axonml_models::ActivationOptions;

use super::{Problem, Slopes};
use crate::design::goal::AREA_TOLERANCE;
use crate::design::run::{Run, SCORE, of_score, to_score};
use crate::design::{Cotangent, Delivered, DesignError, Quotient, Reached, Score};

impl Problem {
    /// The quotients of points as delivered, costs included, and how they move with the coordinates. The loss of a stimulus
    /// under which a run diverges, or that limits do not allow, is not a number.
    ///
    /// # Errors
    /// [`DesignError`] if a simulation fails or is canceled.
    pub fn quotient_slopes(
        &self,
        quotient: &Quotient,
        points: &[Vec<f64>],
    ) -> Result<Vec<Slopes>, DesignError> {
        let stimuli: Vec<Delivered> = points.iter().map(|x| self.stimulus(x)).collect();
        let allowed: Vec<_> = stimuli.iter().map(|of| self.allowed(of)).collect();
        let scale = |at: usize| allowed[at].map_or(1.0, |([_, largest], _)| largest);
        let delivered = stimuli.iter().enumerate();
        let delivered: Vec<Delivered> = delivered.map(|(at, of)| of.scaled(scale(at))).collect();
        let (activities, cotangents) = self.population.state_sum_gradients(
            &delivered,
            &quotient.activity(&self.search.detection),
            &|activities| quotient.loss(&self.goal, activities).1,
            self.parameterization.has_fixed_waveform(),
        )?;
        let mut all = Vec::with_capacity(points.len());
        for (at, mut cotangent) in cotangents.into_iter().enumerate() {
            let activities = activities.row(at);
            let known: Option<Vec<f64>> = activities.iter().copied().collect();
            let (Some(known), Some((_, is_limited))) = (known, allowed[at]) else {
                all.push(Slopes {
                    loss: f64::NAN,
                    gradient: vec![0.0; points[at].len()],
                });
                continue;
            };
            let (mut loss, _) = quotient.loss(&self.goal, &known);
            let mut by_ln_scale = cotangent.along(&delivered[at]);
            let mut of_cost = None;
            if !self.penalty.is_none() {
                let cost = self.penalty.cost(&delivered[at]);
                loss += cost.value;
                by_ln_scale += cost.by_ln_scale;
                of_cost = Some(cost.by_currents * scale(at));
            }
            cotangent.scale(scale(at));
            let by_ln_largest = if is_limited { by_ln_scale } else { 0.0 };
            let gradient =
                self.by_point(&points[at], &stimuli[at], cotangent, of_cost, by_ln_largest);
            all.push(Slopes { loss, gradient });
        }
        Ok(all)
    }

    /// Points of a descent with their slopes, scored by the fibers that fire as delivered. Separations are not known (0)
    /// but of points that misclassify less than the best so far, whose thresholds are searched.
    pub(in crate::design) fn by_quotient(
        &self,
        quotient: &Quotient,
        points: &[Vec<f64>],
        run: &mut Run<'_>,
    ) -> Result<Vec<(Score, Slopes)>, DesignError> {
        let slopes = self.quotient_slopes(quotient, points)?;
        run.tally.gradients += points.len();
        let stimuli: Vec<Delivered> = points
            .iter()
            .map(|x| self.within_limits(self.stimulus(x)))
            .collect();
        let options = ActivationOptions {
            detection: self.search.detection.clone(),
            early_end: self.search.early_end,
            bound: None,
        };
        let active = self
            .population
            .activation(&stimuli, &options, &mut |_| ())?;
        run.tally.evaluations += points.len();
        let mut all = Vec::with_capacity(points.len());
        for ((stimulus, active), slopes) in stimuli.into_iter().zip(active.rows()).zip(slopes) {
            let active: Option<Vec<bool>> = active.iter().copied().collect();
            let score = match active.filter(|_| slopes.loss.is_finite()) {
                Some(active) => self.standing(&stimulus, &active, slopes.loss).score,
                None => Score::unknown(),
            };
            let best = run.best().map_or(f64::INFINITY, |best| best.misclassified);
            if score.misclassified < best - AREA_TOLERANCE {
                let judged = self.judge_delivered(vec![stimulus], run)?;
                judged.iter().try_for_each(|judged| run.offer(judged))?;
            }
            all.push((score, slopes));
        }
        Ok(all)
    }

    /// Gives the points that descents ended with their separations, of which those know nothing.
    pub(in crate::design) fn separate(
        &self,
        reached: &mut [Reached],
        run: &mut Run<'_>,
    ) -> Result<(), DesignError> {
        let stimuli = || {
            let each = reached.iter().map(|of| self.stimulus(&of.x));
            each.map(|stimulus| self.within_limits(stimulus)).collect()
        };
        let told = run.batch(reached.len(), SCORE, |run| {
            let judged = self.judge_delivered(stimuli(), run)?;
            judged.iter().try_for_each(|judged| run.offer(judged))?;
            Ok(judged
                .iter()
                .map(|judged| of_score(&judged.score).to_vec())
                .collect())
        })?;
        // Thresholds and activation may tell apart fibers that fire in several ranges: activation is what is delivered.
        for (reached, row) in reached.iter_mut().zip(told.into_iter().flatten()) {
            reached.score.separation = to_score(&row).separation;
        }
        Ok(())
    }
}

impl Cotangent {
    /// The derivative by the logarithm of a factor of the whole stimulus.
    fn along(&self, stimulus: &Delivered) -> f64 {
        match self {
            Cotangent::Amplitudes(by_amplitude) => {
                let each = by_amplitude.iter().zip(&stimulus.amplitudes_ma);
                each.map(|(by, ma)| by * ma).sum()
            }
            Cotangent::Currents(by_current) => {
                let contacts = by_current.outer_iter().enumerate();
                let each = contacts.map(|(contact, by)| {
                    let steps = by.into_iter().zip(stimulus.currents_ma(contact));
                    steps.map(|(by, ma)| by * ma).sum::<f64>()
                });
                each.sum()
            }
        }
    }

    /// The derivative by a stimulus of which `factor` times is what it was by.
    fn scale(&mut self, factor: f64) {
        match self {
            Cotangent::Amplitudes(by_amplitude) => {
                by_amplitude.iter_mut().for_each(|x| *x *= factor);
            }
            Cotangent::Currents(by_current) => *by_current *= factor,
        }
    }
}
