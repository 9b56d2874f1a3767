//! Costs of a stimulus that are added to its loss.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::Delivered;

/// Weights of the costs of a stimulus as delivered; all 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Penalty {
    /// Per uC of the larger phase of each contact.
    pub charge: f64,
    /// Per mA2 ms.
    pub energy: f64,
    /// Per mA of the largest current.
    pub peak: f64,
    /// Per (mA/ms)2 of the mean squared change of currents over the run, summed over contacts.
    pub smooth: f64,
    /// Per contact that delivers anything. It has no derivative: it counts where stimuli are compared.
    pub contacts: f64,
}

/// The cost of a stimulus and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) value: f64,
    /// By the current of each contact at each step, `[contact, step]`.
    pub(super) by_currents: Array2<f64>,
    /// By the logarithm of a factor of the whole stimulus.
    pub(super) by_ln_scale: f64,
}

impl Penalty {
    /// Whether nothing costs anything.
    pub fn is_none(&self) -> bool {
        *self == Penalty::default()
    }

    /// The weights by name.
    pub fn weights(&self) -> [(&'static str, f64); 5] {
        [
            ("charge", self.charge),
            ("energy", self.energy),
            ("peak", self.peak),
            ("smooth", self.smooth),
            ("contacts", self.contacts),
        ]
    }

    /// The cost of a stimulus.
    pub fn value(&self, stimulus: &Delivered) -> f64 {
        match self.is_none() {
            true => 0.0,
            false => self.cost(stimulus).value,
        }
    }

    pub(super) fn cost(&self, stimulus: &Delivered) -> Cost {
        let (contacts, dt_ms) = (stimulus.contacts(), stimulus.dt_ms);
        let steps = stimulus
            .waveforms
            .first()
            .map_or(0, |waveform| waveform.len());
        let mut by_currents = Array2::zeros((contacts, steps));
        let (mut charge_uc, mut energy, mut smooth) = (0.0, 0.0, 0.0);
        let mut peak = (0.0_f64, 0, 0);
        let mut delivering = 0;
        let per_ms = 1.0 / (dt_ms * dt_ms * steps.max(1) as f64);
        for contact in 0..contacts {
            let currents: Vec<f64> = stimulus.currents_ma(contact).collect();
            delivering += usize::from(currents.iter().any(|ma| *ma != 0.0));
            // The larger of all that flows in and all that flows out.
            let flows = |sign: f64| currents.iter().map(|ma| (sign * ma).max(0.0)).sum::<f64>();
            let sign = if flows(1.0) >= flows(-1.0) { 1.0 } else { -1.0 };
            charge_uc += dt_ms * flows(sign);
            let mut before = 0.0;
            for (step, &ma) in currents.iter().enumerate() {
                energy += dt_ms * ma * ma;
                if ma.abs() > peak.0 {
                    peak = (ma.abs(), contact, step);
                }
                let after = currents.get(step + 1).copied().unwrap_or(0.0);
                smooth += per_ms * (ma - before) * (ma - before);
                let of_charge = if sign * ma > 0.0 { dt_ms * sign } else { 0.0 };
                by_currents[[contact, step]] = self.charge * of_charge
                    + self.energy * 2.0 * dt_ms * ma
                    + self.smooth * 2.0 * per_ms * (2.0 * ma - before - after);
                before = ma;
            }
            // Back to 0 after the last step.
            smooth += per_ms * before * before;
        }
        if peak.0 > 0.0 {
            let (_, contact, step) = peak;
            let ma = stimulus.currents_ma(contact).nth(step).unwrap_or(0.0);
            by_currents[[contact, step]] += self.peak * ma.signum();
        }
        let linear = self.charge * charge_uc + self.peak * peak.0;
        let square = self.energy * energy + self.smooth * smooth;
        Cost {
            value: linear + square + self.contacts * delivering as f64,
            by_currents,
            by_ln_scale: linear + 2.0 * square,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn stimulus(currents: &[[f64; 4]; 2]) -> Delivered {
        Delivered {
            amplitudes_ma: vec![1.0; 2],
            waveforms: currents.iter().map(|row| Arc::new(row.to_vec())).collect(),
            dt_ms: 0.5,
        }
    }

    const CURRENTS: [[f64; 4]; 2] = [[1.0, -2.0, 0.5, 0.0], [0.0, 0.3, 0.2, -0.1]];

    /// Larger phases 2 and 0.5 mA times 0.5 ms; squares 5.25 and 0.14; changes 1, 9, 6.25, 0.25, 0 and 0, 0.09, 0.01,
    /// 0.09, 0.01.
    #[test]
    fn costs_are_those_worked_by_hand() {
        let cost = |penalty: Penalty| penalty.value(&stimulus(&CURRENTS));
        let none = Penalty::default();
        assert_eq!(cost(none), 0.0);
        let near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}")
        };
        near(
            cost(Penalty {
                charge: 1.0,
                ..none
            }),
            1.25,
        );
        near(
            cost(Penalty {
                energy: 1.0,
                ..none
            }),
            0.5 * 5.39,
        );
        near(cost(Penalty { peak: 1.0, ..none }), 2.0);
        near(
            cost(Penalty {
                contacts: 1.0,
                ..none
            }),
            2.0,
        );
        near(
            cost(Penalty {
                smooth: 1.0,
                ..none
            }),
            (16.5 + 0.2) / (0.25 * 4.0),
        );
    }

    #[test]
    fn derivatives_are_those_of_differences() {
        const STEP: f64 = 1e-6;
        let penalty = Penalty {
            charge: 0.7,
            energy: 0.3,
            peak: 0.4,
            smooth: 0.05,
            contacts: 1.0,
        };
        let cost = penalty.cost(&stimulus(&CURRENTS));
        for contact in 0..2 {
            for step in 0..4 {
                // Where nothing flows the charge has a kink.
                if CURRENTS[contact][step] == 0.0 {
                    continue;
                }
                let moved = |by: f64| {
                    let mut moved = CURRENTS;
                    moved[contact][step] += by;
                    penalty.value(&stimulus(&moved))
                };
                let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                let found = cost.by_currents[[contact, step]];
                assert!(
                    (found - difference).abs() < 1e-8,
                    "{contact} {step}: {found} {difference}"
                );
            }
        }
        let scaled = |by: f64| penalty.value(&stimulus(&CURRENTS).scaled(by.exp()));
        let difference = (scaled(STEP) - scaled(-STEP)) / (2.0 * STEP);
        assert!((cost.by_ln_scale - difference).abs() < 1e-8);
    }
}
