//! How losses on thresholds move with currents.

use axonml_models::ThresholdSearch;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::part::gains;
use super::{Multiples, Population};
use crate::design::{Delivered, DesignError};

/// How a loss moves with a stimulus.
#[derive(Clone, Debug, PartialEq)]
pub enum Cotangent {
    /// Derivative by the amplitude of each contact.
    Amplitudes(Vec<f64>),
    /// Derivative by the current of each contact at each step, `[contact, step]`.
    Currents(Array2<f64>),
}

impl Population {
    /// How losses move with their stimuli, from their derivatives by the logarithm of each fiber's threshold (0 where a
    /// fiber needs no gradient): by amplitudes where those are all that is asked for, else by every current.
    ///
    /// # Errors
    /// [`DesignError`] if a simulation fails or is canceled.
    pub fn gradients(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
        amplitudes_only: bool,
    ) -> Result<Vec<Cotangent>, DesignError> {
        match amplitudes_only {
            true => self.by_amplitudes(stimuli, search, multiples, by_ln_threshold),
            false => self.by_currents(stimuli, search, multiples, by_ln_threshold),
        }
    }

    /// By the amplitudes of stimuli that all have the reference waveform.
    fn by_amplitudes(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
    ) -> Result<Vec<Cotangent>, DesignError> {
        let mut sums = vec![vec![0.0; self.contacts()]; stimuli.len()];
        for part in &self.parts {
            let gains = gains(stimuli, self.contacts());
            let shape = (stimuli.len(), part.fibers.len());
            let known = Array2::from_shape_fn(shape, |(stimulus, own)| {
                let fiber = part.fibers[own];
                let moves = by_ln_threshold[stimulus][fiber] != 0.0;
                multiples[stimulus].thresholds[fiber].filter(|_| moves)
            });
            let found = part
                .basis
                .threshold_gradients(gains.view(), search, known.view())?;
            for ((stimulus, own, contact), by_gain) in found.indexed_iter() {
                let weight = by_ln_threshold[stimulus][part.fibers[own]];
                sums[stimulus][contact] += weight * by_gain;
            }
        }
        Ok(sums.into_iter().map(Cotangent::Amplitudes).collect())
    }

    /// By all currents. The derivatives of a stimulus are sums over its fibers, so that each is a call of its own.
    fn by_currents(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
    ) -> Result<Vec<Cotangent>, DesignError> {
        let of_stimulus = |stimulus: usize| {
            let mut sum = Array2::zeros((self.contacts(), self.waveform.len()));
            for part in &self.parts {
                let waveforms = stimuli[stimulus].in_ma();
                let basis = part.basis.with_waveforms(&[waveforms])?;
                let fibers = part.fibers.iter();
                let known = fibers
                    .clone()
                    .map(|fiber| multiples[stimulus].thresholds[*fiber]);
                let weights = fibers.map(|fiber| by_ln_threshold[stimulus][*fiber]);
                let row =
                    |values: Vec<_>| Array2::from_shape_fn((1, values.len()), |at| values[at.1]);
                let weights: Vec<f64> = weights.collect();
                let weights = Array2::from_shape_fn((1, weights.len()), |at| weights[at.1]);
                let found = basis.current_gradients(
                    Array2::ones((1, self.contacts())).view(),
                    search,
                    row(known.collect()).view(),
                    weights.view(),
                )?;
                sum += &found.index_axis(Axis(0), 0);
            }
            Ok(Cotangent::Currents(sum))
        };
        (0..stimuli.len())
            .into_par_iter()
            .map(of_stimulus)
            .collect()
    }
}
