//! Sums of a gate over the fibers of a population, and how losses on them move with stimuli.

use axonml_models::{Progress, StateSum};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::part::gains;
use super::{Cotangent, Population};
use crate::design::{Delivered, DesignError};

/// How a loss moves with the sum of each fiber, from the sums of a stimulus.
pub(in crate::design) type BySums<'a> = dyn Fn(&[f64]) -> Vec<f64> + Sync + 'a;

impl Population {
    /// The sum of a state of every fiber under each stimulus as delivered, `[stimulus, fiber]`; `None` where a run diverged.
    ///
    /// # Errors
    /// As [`Population::thresholds`]; [`DesignError`] also if a model has no such state.
    pub fn state_sums(
        &self,
        stimuli: &[Delivered],
        of: &StateSum,
        progress: &mut Progress<'_>,
    ) -> Result<Array2<Option<f64>>, DesignError> {
        let mut all = Array2::from_elem((stimuli.len(), self.fibers), None);
        let mut done = 0.0;
        for part in &self.parts {
            let share = part.fibers.len() as f64 / self.fibers as f64;
            let view = part.view(stimuli, &self.waveform)?;
            let found = view
                .basis()
                .state_sums(view.gains.view(), of, &mut |fraction| {
                    progress(done + share * fraction)
                })?;
            done += share;
            for stimulus in 0..stimuli.len() {
                for (own, &fiber) in part.fibers.iter().enumerate() {
                    all[[stimulus, fiber]] = found[view.pair((stimulus, own))];
                }
            }
        }
        Ok(all)
    }

    /// The sums, and how a loss on them moves with each stimulus: by amplitudes where those are all that is asked for, else
    /// by every current. Derivatives are 0 for a stimulus under which a run diverged.
    pub(in crate::design) fn state_sum_gradients(
        &self,
        stimuli: &[Delivered],
        of: &StateSum,
        by_sums: &BySums<'_>,
        amplitudes_only: bool,
    ) -> Result<(Array2<Option<f64>>, Vec<Cotangent>), DesignError> {
        match amplitudes_only {
            true => self.sums_by_amplitudes(stimuli, of, by_sums),
            false => self.sums_by_currents(stimuli, of, by_sums),
        }
    }

    fn sums_by_amplitudes(
        &self,
        stimuli: &[Delivered],
        of: &StateSum,
        by_sums: &BySums<'_>,
    ) -> Result<(Array2<Option<f64>>, Vec<Cotangent>), DesignError> {
        let mut all = Array2::from_elem((stimuli.len(), self.fibers), None);
        let mut by_gain = Vec::with_capacity(self.parts.len());
        let gains = gains(stimuli, self.contacts());
        for part in &self.parts {
            let (sums, derivatives) = part.basis.state_sum_gradients(gains.view(), of)?;
            for ((stimulus, own), sum) in sums.indexed_iter() {
                all[[stimulus, part.fibers[own]]] = *sum;
            }
            by_gain.push(derivatives);
        }
        let weights = weights(&all, by_sums);
        let mut cotangents = vec![vec![0.0; self.contacts()]; stimuli.len()];
        for (part, derivatives) in self.parts.iter().zip(by_gain) {
            for ((stimulus, own, contact), by_gain) in derivatives.indexed_iter() {
                cotangents[stimulus][contact] += weights[[stimulus, part.fibers[own]]] * by_gain;
            }
        }
        let cotangents = cotangents.into_iter().map(Cotangent::Amplitudes);
        Ok((all, cotangents.collect()))
    }

    /// Runs without derivatives come first: with the weights known, those of fibers are added up as they come.
    fn sums_by_currents(
        &self,
        stimuli: &[Delivered],
        of: &StateSum,
        by_sums: &BySums<'_>,
    ) -> Result<(Array2<Option<f64>>, Vec<Cotangent>), DesignError> {
        let all = self.state_sums(stimuli, of, &mut |_| ())?;
        let weights = weights(&all, by_sums);
        let of_stimulus = |stimulus: usize| {
            let mut sum = Array2::zeros((self.contacts(), self.waveform.len()));
            for part in &self.parts {
                let basis = part.basis.with_waveforms(&[stimuli[stimulus].in_ma()])?;
                let weights = Array2::from_shape_fn((1, part.fibers.len()), |(_, own)| {
                    weights[[stimulus, part.fibers[own]]]
                });
                let ones = Array2::ones((1, self.contacts()));
                let found = basis.state_sum_current_gradients(ones.view(), of, weights.view())?;
                sum += &found.index_axis(Axis(0), 0);
            }
            Ok(Cotangent::Currents(sum))
        };
        let each = (0..stimuli.len()).into_par_iter().map(of_stimulus);
        let cotangents: Result<Vec<Cotangent>, DesignError> = each.collect();
        Ok((all, cotangents?))
    }
}

/// The derivatives by the sums of each stimulus; 0 where one is unknown.
fn weights(sums: &Array2<Option<f64>>, by_sums: &BySums<'_>) -> Array2<f64> {
    let mut all = Array2::zeros(sums.dim());
    for (mut row, sums) in all.outer_iter_mut().zip(sums.outer_iter()) {
        if let Some(sums) = sums.iter().copied().collect::<Option<Vec<f64>>>() {
            let found = by_sums(&sums);
            row.iter_mut().zip(found).for_each(|(to, x)| *to = x);
        }
    }
    all
}
