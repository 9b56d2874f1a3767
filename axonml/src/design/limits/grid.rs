//! Stimuli that a digital-to-analog converter can make.

use std::sync::Arc;

use ndarray::Array2;

use super::super::Delivered;
use super::pulse::{has_unit_peak, is_of_one_pulse};
use super::{Limits, rounding};

/// Part of a step by which a bound may miss a multiple of it and still allow it.
const ROUNDING: f64 = 1e-9;

/// Stimuli that are tried before the search for one that obeys is given up.
const MOST_TRIES: usize = 1000;

impl Limits {
    /// The stimulus on the converter's grid nearest to one that obeys the other limits, or one next to it: currents still add
    /// up to 0, charges too, and silent contacts stay silent. Where rounding up would leave a limit, the stimulus is made
    /// weaker until it does not. The stimulus itself without a converter's step.
    ///
    /// `None` if no such stimulus obeys all limits; where limits are [scale-free](Limits::is_scale_free) the one that is
    /// silent does, if the stimulus obeyed.
    ///
    /// # Panics
    /// If the stimulus has another number of contacts than the limits.
    pub fn on_grid(&self, stimulus: &Delivered) -> Option<Delivered> {
        let Some(step_ma) = self.dac_ma else {
            return self
                .violations(stimulus)
                .is_empty()
                .then(|| stimulus.clone());
        };
        let round = |factor: f64| match is_of_one_pulse(stimulus) {
            true => self.round_amplitudes(stimulus, step_ma, factor),
            false => self.round_samples(stimulus, step_ma, factor),
        };
        let steps = (0..stimulus.contacts()).map(|contact| stimulus.peak_ma(contact) / step_ma);
        let peak = steps.fold(1.0, f64::max);
        let mut factor = 1.0;
        for _ in 0..MOST_TRIES {
            if let Some(rounded) = round(factor) {
                if self.violations(&rounded).is_empty() {
                    return Some(rounded);
                }
                let shares = self.loads(&rounded).into_iter().map(|load| load.share);
                // By what is too much, and by at least a step of the largest current.
                factor /= shares.fold(1.0, f64::max);
            }
            factor *= 1.0 - 1.0 / (factor * peak).max(1.0);
            if factor * peak < 0.5 {
                break;
            }
        }
        round(0.0).filter(|silent| self.violations(silent).is_empty())
    }

    /// The stimuli next to one on the converter's grid: one step more or less of the amplitude of each contact that is not
    /// frozen or, where currents add up to 0, one more of a contact and one less of another; of these, those that obey all
    /// limits. None without a converter's step, and of waveforms that are not pulses times amplitudes.
    ///
    /// # Panics
    /// If the stimulus has another number of contacts than the limits.
    pub fn neighbors(&self, stimulus: &Delivered) -> Vec<Delivered> {
        let Some(step_ma) = self.dac_ma.filter(|_| is_of_one_pulse(stimulus)) else {
            return Vec::new();
        };
        let free = self
            .free()
            .filter(|contact| has_unit_peak(&stimulus.waveforms[*contact]));
        let free: Vec<usize> = free.collect();
        let moved = |moves: &[(usize, f64)]| {
            let mut next = stimulus.clone();
            for (contact, steps) in moves {
                let amplitude = &mut next.amplitudes_ma[*contact];
                *amplitude = step_ma * ((*amplitude / step_ma).round() + steps);
            }
            next
        };
        let mut all = Vec::new();
        for contact in &free {
            match self.sum_zero {
                false => all.extend([1.0, -1.0].map(|steps| moved(&[(*contact, steps)]))),
                true => {
                    let others = free.iter().filter(|other| *other != contact);
                    all.extend(others.map(|other| moved(&[(*contact, 1.0), (*other, -1.0)])));
                }
            }
        }
        all.retain(|next| self.violations(next).is_empty());
        all
    }

    /// `factor` times the amplitudes, rounded; frozen ones as they are.
    fn round_amplitudes(
        &self,
        stimulus: &Delivered,
        step_ma: f64,
        factor: f64,
    ) -> Option<Delivered> {
        let contacts = 0..stimulus.contacts();
        let (mut numbers, mut ranges) = (Vec::new(), Vec::new());
        for contact in contacts {
            let steps = stimulus.amplitudes_ma[contact] / step_ma;
            if self.frozen_ma[contact].is_some() || stimulus.peak_ma(contact) == 0.0 {
                numbers.push(steps.round());
                ranges.push([steps.round(); 2]);
                continue;
            }
            let waveform = &stimulus.waveforms[contact];
            let range_ma = self.amplitude_range(contact, waveform, stimulus.dt_ms);
            numbers.push(factor * steps);
            ranges.push(whole(range_ma, step_ma));
        }
        let rounded = rounding::nearest(&numbers, &ranges, self.sum_zero)?;
        Some(Delivered {
            amplitudes_ma: rounded.iter().map(|steps| steps * step_ma).collect(),
            ..stimulus.clone()
        })
    }

    /// `factor` times the samples, rounded.
    fn round_samples(&self, stimulus: &Delivered, step_ma: f64, factor: f64) -> Option<Delivered> {
        let contacts = stimulus.contacts();
        let steps = stimulus
            .waveforms
            .first()
            .map_or(0, |waveform| waveform.len());
        let ranges: Vec<[f64; 2]> = self
            .bounds_ma
            .iter()
            .map(|range| whole(*range, step_ma))
            .collect();
        let mut numbers = Array2::zeros((contacts, steps));
        for (contact, mut row) in numbers.rows_mut().into_iter().enumerate() {
            for (number, ma) in row.iter_mut().zip(stimulus.currents_ma(contact)) {
                *number = factor * ma / step_ma;
            }
        }
        let rounded = match (self.sum_zero, self.balanced) {
            // The numbers lie between the bounds, or the stimulus is weakened until they do.
            (true, true) => rounding::controlled(numbers.view()),
            (true, false) => {
                let silent = |contact: usize| stimulus.peak_ma(contact) == 0.0;
                let ranges: Vec<[f64; 2]> = (0..contacts)
                    .map(|c| if silent(c) { [0.0; 2] } else { ranges[c] })
                    .collect();
                let mut rounded = numbers.clone();
                for (mut to, from) in rounded.columns_mut().into_iter().zip(numbers.columns()) {
                    let nearest = rounding::nearest(&from.to_vec(), &ranges, true)?;
                    to.iter_mut()
                        .zip(nearest)
                        .for_each(|(to, number)| *to = number);
                }
                rounded
            }
            (false, balanced) => {
                let mut rounded = numbers.clone();
                for (contact, (mut to, from)) in rounded
                    .rows_mut()
                    .into_iter()
                    .zip(numbers.rows())
                    .enumerate()
                {
                    let ranges: Vec<[f64; 2]> = from
                        .iter()
                        .map(|x| if *x == 0.0 { [0.0; 2] } else { ranges[contact] })
                        .collect();
                    let nearest = rounding::nearest(&from.to_vec(), &ranges, balanced)?;
                    to.iter_mut()
                        .zip(nearest)
                        .for_each(|(to, number)| *to = number);
                }
                rounded
            }
        };
        let peaks = rounded
            .rows()
            .into_iter()
            .map(|row| row.fold(0.0_f64, |most, n| most.max(n.abs())));
        let peaks: Vec<f64> = peaks.collect();
        let rows = rounded.rows().into_iter().zip(&peaks);
        let waveforms = rows.map(|(row, peak)| Arc::new(row.map(|n| n / peak.max(1.0)).to_vec()));
        Some(Delivered {
            waveforms: waveforms.collect(),
            amplitudes_ma: peaks.iter().map(|peak| peak * step_ma).collect(),
            dt_ms: stimulus.dt_ms,
        })
    }
}

/// The whole numbers of steps within a range of currents.
fn whole(range_ma: [f64; 2], step_ma: f64) -> [f64; 2] {
    let [least, largest] = range_ma.map(|ma| ma / step_ma);
    [(least - ROUNDING).ceil(), (largest + ROUNDING).floor()]
}
