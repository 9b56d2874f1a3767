//! The limits that a stimulus violates: from their definitions, not by the way in which optimizers keep them.

use super::super::Delivered;
use super::pulse::is_of_one_pulse;
use super::{Limit, Limits, Violation};

/// Part of a limit by which rounding may exceed it; of sums of 0, part of the largest current or charge.
const TOLERANCE: f64 = 1e-9;

impl Limits {
    /// The limits that a stimulus violates by more than 1e-9 of each (of sums of 0: of the stimulus' largest current or
    /// charge of a phase). Currents that are no numbers violate bounds.
    ///
    /// A frozen contact obeys if its amplitude is the frozen one or, where its waveform carries the strength, if its largest
    /// current is.
    ///
    /// # Panics
    /// If the stimulus has another number of contacts than the limits.
    pub fn violations(&self, stimulus: &Delivered) -> Vec<Violation> {
        assert_eq!(
            stimulus.contacts(),
            self.contacts(),
            "contacts of the stimulus"
        );
        let mut found = Vec::new();
        for contact in 0..self.contacts() {
            found.extend(self.bound_violation(stimulus, contact));
            found.extend(self.balance_violation(stimulus, contact));
            found.extend(self.charge_violation(stimulus, contact));
            found.extend(self.shannon_violation(stimulus, contact));
            found.extend(self.frozen_violation(stimulus, contact));
        }
        found.extend(self.sum_violation(stimulus));
        found.extend(self.compliance_violations(stimulus));
        found.extend(self.dac_violations(stimulus));
        let delivering = (0..self.contacts())
            .filter(|c| stimulus.peak_ma(*c) > 0.0)
            .count();
        if let Some(most) = self.max_contacts.filter(|most| delivering > *most) {
            found.push(Violation {
                limit: Limit::MaxContacts,
                found: delivering as f64,
                allowed: most as f64,
            });
        }
        found
    }

    fn bound_violation(&self, stimulus: &Delivered, contact: usize) -> Option<Violation> {
        let [least, largest] = self.bounds_ma[contact];
        let tolerance = TOLERANCE * least.abs().max(largest.abs());
        let obeys = |ma: f64| ma >= least - tolerance && ma <= largest + tolerance;
        let beyond = |ma: f64| (ma - largest).max(least - ma);
        let outside = stimulus.currents_ma(contact).filter(|ma| !obeys(*ma));
        let worst = outside.reduce(|worst, ma| {
            if beyond(ma) > beyond(worst) {
                ma
            } else {
                worst
            }
        });
        worst.map(|ma| Violation {
            limit: Limit::Bound { contact },
            found: ma,
            allowed: if ma < least { least } else { largest },
        })
    }

    fn balance_violation(&self, stimulus: &Delivered, contact: usize) -> Option<Violation> {
        let phases = (0..self.contacts()).map(|contact| stimulus.charge_phase_nc(contact));
        let charge_nc = 1e3 * stimulus.dt_ms * stimulus.currents_ma(contact).sum::<f64>();
        let is_violated = self.balanced && charge_nc.abs() > TOLERANCE * phases.fold(0.0, f64::max);
        is_violated.then_some(Violation {
            limit: Limit::Balance { contact },
            found: charge_nc,
            allowed: 0.0,
        })
    }

    fn charge_violation(&self, stimulus: &Delivered, contact: usize) -> Option<Violation> {
        let allowed = self.charge_max_nc?;
        let found = stimulus.charge_phase_nc(contact);
        let is_violated = found > allowed * (1.0 + TOLERANCE);
        is_violated.then_some(Violation {
            limit: Limit::Charge { contact },
            found,
            allowed,
        })
    }

    /// The tolerance is that of the charge, of which k is twice the logarithm.
    fn shannon_violation(&self, stimulus: &Delivered, contact: usize) -> Option<Violation> {
        let allowed = self.shannon_max?;
        let found = self.electrodes.shannon_k(stimulus)[contact]?;
        let is_violated = found > allowed + 2.0 * (1.0 + TOLERANCE).log10();
        is_violated.then_some(Violation {
            limit: Limit::Shannon { contact },
            found,
            allowed,
        })
    }

    fn frozen_violation(&self, stimulus: &Delivered, contact: usize) -> Option<Violation> {
        let frozen = self.frozen_ma[contact]?;
        let (amplitude, peak) = (stimulus.amplitudes_ma[contact], stimulus.peak_ma(contact));
        let is_near =
            |found: f64, expected: f64| (found - expected).abs() <= TOLERANCE * frozen.abs();
        let obeys = is_near(peak, frozen.abs()) || frozen != 0.0 && is_near(amplitude, frozen);
        let violation = Violation {
            limit: Limit::Frozen { contact },
            found: peak.copysign(amplitude),
            allowed: frozen,
        };
        (!obeys).then_some(violation)
    }

    fn sum_violation(&self, stimulus: &Delivered) -> Option<Violation> {
        if !self.sum_zero {
            return None;
        }
        let steps = stimulus
            .waveforms
            .first()
            .map_or(0, |waveform| waveform.len());
        let mut sums = vec![0.0; steps];
        for contact in 0..self.contacts() {
            for (sum, ma) in sums.iter_mut().zip(stimulus.currents_ma(contact)) {
                *sum += ma;
            }
        }
        let peaks = (0..self.contacts()).map(|contact| stimulus.peak_ma(contact));
        let largest = peaks.fold(0.0, f64::max);
        let worst = sums.into_iter().fold(
            0.0_f64,
            |most, sum| if sum.abs() > most.abs() { sum } else { most },
        );
        let is_violated = worst.abs() > TOLERANCE * largest;
        is_violated.then_some(Violation {
            limit: Limit::SumZero,
            found: worst,
            allowed: 0.0,
        })
    }

    fn compliance_violations(&self, stimulus: &Delivered) -> Vec<Violation> {
        let (Some(allowed), Some(peaks)) =
            (self.compliance_max_v, self.electrodes.peak_v(stimulus))
        else {
            return Vec::new();
        };
        let peaks = peaks.into_iter().enumerate();
        let beyond = peaks.filter(|(_, found)| *found > allowed * (1.0 + TOLERANCE));
        beyond
            .map(|(contact, found)| Violation {
                limit: Limit::Compliance { contact },
                found,
                allowed,
            })
            .collect()
    }

    fn dac_violations(&self, stimulus: &Delivered) -> Vec<Violation> {
        let Some(step_ma) = self.dac_ma else {
            return Vec::new();
        };
        // A quotient of large numbers is rounded itself.
        let nearest = |ma: f64| step_ma * (ma / step_ma).round();
        let is_off = |ma: f64| {
            (ma - nearest(ma)).abs() > TOLERANCE * step_ma + 4.0 * f64::EPSILON * ma.abs()
        };
        let of = |contact: usize| {
            let amplitude = stimulus.amplitudes_ma[contact];
            let off = match is_of_one_pulse(stimulus) {
                true => Some(amplitude).filter(|ma| is_off(*ma)),
                false => stimulus.currents_ma(contact).find(|ma| is_off(*ma)),
            };
            off.map(|found| Violation {
                limit: Limit::Dac { contact },
                found,
                allowed: nearest(found),
            })
        };
        (0..self.contacts()).filter_map(of).collect()
    }
}
