//! How much of each limit a stimulus uses, and which multiples of it are allowed.

use std::ops::Range;

use super::super::Delivered;
use super::{Limit, Limits};

/// Allowed multiples of a stimulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// The least.
    pub least: f64,
    /// The largest; always finite.
    pub largest: f64,
    /// The limit that the largest reaches; `None` if none is the reason.
    pub limit: Option<Limit>,
}

/// Part of a limit that is used up at which it counts as reached.
const REACHED: f64 = 1.0 - 1e-6;

/// The largest multiple is this much smaller than the quotient that it is, so that products with it do not round to numbers
/// beyond the limit.
const INSIDE: f64 = 1.0 - 4.0 * f64::EPSILON;

/// A limit that grows with the stimulus, at the step or in the phase in which the stimulus uses most of it.
pub(super) struct Load {
    pub(super) limit: Limit,
    /// Used part of the limit.
    pub(super) share: f64,
    /// A linear function of currents that the share is a positive multiple of, without sign.
    sum: Sum,
}

enum Sum {
    /// Of a contact's currents that are not 0.
    Currents {
        contact: usize,
        steps: Range<usize>,
        ma: f64,
    },
    /// Of the contacts' currents at a step times impedances.
    Volts {
        contact: usize,
        step: usize,
        mv: f64,
    },
}

impl Limits {
    /// The multiples of a stimulus that limits allow, converters' steps aside: from 0 up to where a bound, a charge, Shannon's
    /// k or a voltage ends it. The stimulus is one of a [feasible](super::Feasible) point, so that its multiples obey the other
    /// limits if it does.
    ///
    /// Where limits are not [scale-free](Limits::is_scale_free) only the stimulus itself is allowed, and `None` if it does not
    /// obey. All multiples of a stimulus without current are the same one: the largest is 1 then.
    ///
    /// # Panics
    /// If the stimulus has another number of contacts than the limits.
    pub fn scales(&self, stimulus: &Delivered) -> Option<Scales> {
        if !self.is_scale_free() {
            let mut violations = self.violations(stimulus).into_iter();
            let obeys = violations.all(|v| matches!(v.limit, Limit::Dac { .. }));
            let only = Scales {
                least: 1.0,
                largest: 1.0,
                limit: None,
            };
            return obeys.then_some(only);
        }
        let (largest, limit) = match self.heaviest(stimulus) {
            Some(load) => ((INSIDE / load.share).min(f64::MAX), Some(load.limit)),
            None => (1.0, None),
        };
        Some(Scales {
            least: 0.0,
            largest,
            limit,
        })
    }

    /// The derivative of the logarithm of the largest [scale](Limits::scales) by each current on which it depends, 1/mA:
    /// contact, step, derivative. Empty where the scale does not move with the currents.
    ///
    /// Where several limits, steps or phases are equally close, it is the derivative that one of them makes.
    pub fn ln_largest_by_currents(&self, stimulus: &Delivered) -> Vec<(usize, usize, f64)> {
        if !self.is_scale_free() {
            return Vec::new();
        }
        match self.heaviest(stimulus) {
            Some(load) if load.share.is_finite() => self.slope(&load, stimulus),
            _ => Vec::new(),
        }
    }

    /// Limits that a stimulus reaches, within a millionth of each.
    pub fn active(&self, stimulus: &Delivered) -> Vec<Limit> {
        let loads = self.loads(stimulus).into_iter();
        let mut active: Vec<Limit> = loads
            .filter(|load| load.share >= REACHED)
            .map(|load| load.limit)
            .collect();
        let contacts = 0..stimulus.contacts();
        let delivering = contacts
            .filter(|contact| stimulus.peak_ma(*contact) > 0.0)
            .count();
        if self.max_contacts == Some(delivering) && delivering < self.contacts() {
            active.push(Limit::MaxContacts);
        }
        active
    }

    fn heaviest(&self, stimulus: &Delivered) -> Option<Load> {
        let loads = self.loads(stimulus).into_iter();
        let heaviest = loads.reduce(|most, next| if next.share > most.share { next } else { most });
        heaviest.filter(|load| load.share > 0.0)
    }

    /// The loads of all limits that grow with the stimulus.
    pub(super) fn loads(&self, stimulus: &Delivered) -> Vec<Load> {
        assert_eq!(
            stimulus.contacts(),
            self.contacts(),
            "contacts of the stimulus"
        );
        let contacts = 0..self.contacts();
        let currents: Vec<Vec<f64>> = contacts
            .map(|c| stimulus.currents_ma(c).collect())
            .collect();
        let each = currents.iter().enumerate();
        let mut loads: Vec<Load> = each
            .flat_map(|(contact, ma)| self.own_loads(contact, ma, stimulus.dt_ms))
            .collect();
        loads.extend(self.volt_loads(&currents));
        loads
    }

    /// The loads of the limits that a contact's own currents use up.
    pub(super) fn own_loads(&self, contact: usize, ma: &[f64], dt_ms: f64) -> Vec<Load> {
        let load = |limit, share: f64, steps: Range<usize>, ma: f64| Load {
            limit,
            share,
            sum: Sum::Currents { contact, steps, ma },
        };
        let [least, largest] = self.bounds_ma[contact];
        let share = |ma: f64| match ma {
            0.0 => 0.0,
            ma if ma > 0.0 && largest > 0.0 => ma / largest,
            ma if ma < 0.0 && least < 0.0 => ma / least,
            _ => f64::INFINITY,
        };
        let mut loads = Vec::with_capacity(3);
        let steps = (0..ma.len()).reduce(|most, step| {
            if share(ma[step]) > share(ma[most]) {
                step
            } else {
                most
            }
        });
        if let Some(step) = steps {
            loads.push(load(
                Limit::Bound { contact },
                share(ma[step]),
                step..step + 1,
                ma[step],
            ));
        }
        let charge_max_nc = self.charge_max_nc.map(|nc| (Limit::Charge { contact }, nc));
        let shannon_nc = self.shannon_charge_nc(contact);
        let shannon_nc = shannon_nc.map(|nc| (Limit::Shannon { contact }, nc));
        let limits: Vec<(Limit, f64)> = charge_max_nc.into_iter().chain(shannon_nc).collect();
        if limits.is_empty() {
            return loads;
        }
        let phases = phases(ma).into_iter();
        if let Some((steps, sum)) = phases.reduce(|most, next| {
            if next.1.abs() > most.1.abs() {
                next
            } else {
                most
            }
        }) {
            // mA ms are uC.
            let charge_nc = 1e3 * dt_ms * sum.abs();
            loads.extend(
                limits
                    .iter()
                    .map(|(limit, nc)| load(*limit, charge_nc / nc, steps.clone(), sum)),
            );
        }
        loads
    }

    fn volt_loads(&self, currents: &[Vec<f64>]) -> Vec<Load> {
        let (Some(volts), Some(ohm)) = (self.compliance_max_v, &self.electrodes.impedance_ohm)
        else {
            return Vec::new();
        };
        let steps = currents.first().map_or(0, Vec::len);
        let busy: Vec<usize> = (0..steps)
            .filter(|step| currents.iter().any(|ma| ma[*step] != 0.0))
            .collect();
        let of = |(contact, row): (usize, &Vec<f64>)| {
            let mv_at = |step: usize| -> f64 {
                row.iter()
                    .zip(currents)
                    .map(|(ohm, ma)| ohm * ma[step])
                    .sum()
            };
            let each = busy.iter().map(|step| (*step, mv_at(*step)));
            let (step, mv) = each.reduce(|most, next| {
                if next.1.abs() > most.1.abs() {
                    next
                } else {
                    most
                }
            })?;
            Some(Load {
                limit: Limit::Compliance { contact },
                share: 1e-3 * mv.abs() / volts,
                sum: Sum::Volts { contact, step, mv },
            })
        };
        ohm.iter().enumerate().filter_map(of).collect()
    }

    /// The derivative of minus the logarithm of a share by currents.
    fn slope(&self, load: &Load, stimulus: &Delivered) -> Vec<(usize, usize, f64)> {
        match &load.sum {
            Sum::Currents { contact, steps, ma } => {
                let currents = stimulus.currents_ma(*contact).enumerate();
                let phase = currents.skip(steps.start).take(steps.len());
                let delivering = phase.filter(|(_, ma)| *ma != 0.0);
                delivering
                    .map(|(step, _)| (*contact, step, -1.0 / ma))
                    .collect()
            }
            Sum::Volts { contact, step, mv } => {
                let rows = self.electrodes.impedance_ohm.iter();
                let row = rows.flat_map(|ohm| &ohm[*contact]).enumerate();
                row.map(|(other, ohm)| (other, *step, -ohm / mv)).collect()
            }
        }
    }
}

/// Phases of a contact's currents, runs of one sign with pauses inside, and the sum of each.
pub(super) fn phases(ma: &[f64]) -> Vec<(Range<usize>, f64)> {
    let mut phases: Vec<(Range<usize>, f64)> = Vec::new();
    for (step, ma) in ma.iter().enumerate().filter(|(_, ma)| **ma != 0.0) {
        match phases.last_mut() {
            Some((steps, sum)) if sum.signum() == ma.signum() => {
                steps.end = step + 1;
                *sum += ma;
            }
            _ => phases.push((step..step + 1, *ma)),
        }
    }
    phases
}
