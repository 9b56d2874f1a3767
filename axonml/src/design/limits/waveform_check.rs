//! Limits that contradict each other once it is known what contacts can deliver.

use axonml_core::CoreError;
use axonml_core::error::short;

use super::super::{DesignError, Parameterization};
use super::check::{contradiction, on_grid};
use super::profile::Profile;
use super::{Limit, Limits};

/// Of more shapes only the least and the largest values together are looked at.
const MOST_SHAPES: usize = 6;

/// Part of a sum or a voltage that is rounding.
const ROUNDING: f64 = 1e-9;

impl Limits {
    /// Refuses what [`Limits::check`] does, and pairs of limits of which no stimulus of a parameterization obeys both, or none
    /// that is not silent: of frozen currents their charges and voltages, of bounds their signs, of a converter's step what
    /// a single one delivers.
    ///
    /// Shapes are tried at the ends of their ranges: what is refused is wrong at all of them.
    ///
    /// # Errors
    /// As [`Limits::check`], and if the parameterization has another number of contacts.
    pub fn check_with(&self, parameterization: &dyn Parameterization) -> Result<(), DesignError> {
        self.check()?;
        let contacts = parameterization.contacts();
        if contacts != self.contacts() {
            return Err(DesignError::Request(CoreError::Shape {
                what: "the limits' bounds".into(),
                expected: format!("{contacts}, one for each contact"),
                found: self.contacts().to_string(),
            }));
        }
        let corners = corners(parameterization);
        let profiles: Vec<Profile> = corners
            .iter()
            .map(|shapes| Profile::of(parameterization, shapes))
            .collect();
        self.check_silence(&profiles)?;
        self.check_signs(&profiles)?;
        self.check_balance(parameterization, &profiles)?;
        self.check_frozen_phases(parameterization, &corners)?;
        self.check_frozen_volts(parameterization, &corners, &profiles)?;
        self.check_step(&profiles)?;
        self.check_return(&profiles)
    }

    /// Bounds that no step without current obeys.
    fn check_silence(&self, profiles: &[Profile]) -> Result<(), DesignError> {
        let silent =
            |profile: &Profile| (0..profile.steps()).find(|step| profile.row(*step).is_empty());
        let Some(step) = profiles
            .iter()
            .map(silent)
            .collect::<Option<Vec<_>>>()
            .and_then(|steps| steps.first().copied())
        else {
            return Ok(());
        };
        for (contact, [least, largest]) in self.bounds_ma.iter().enumerate() {
            if *least > 0.0 || *largest < 0.0 {
                return contradiction(
                    Limit::Bound { contact },
                    "the waveform",
                    format!("0 mA at step {step}"),
                    format!(
                        "currents from {} to {} mA at every step",
                        short(*least),
                        short(*largest)
                    ),
                    "let the bound allow 0",
                );
            }
        }
        Ok(())
    }

    /// Bounds of one sign and a pulse of both.
    fn check_signs(&self, profiles: &[Profile]) -> Result<(), DesignError> {
        let has_both = |profile: &Profile| {
            profile.only().is_some_and(|function| {
                function.iter().any(|x| *x > 0.0) && function.iter().any(|x| *x < 0.0)
            })
        };
        if !profiles.iter().all(has_both) {
            return Ok(());
        }
        let may_deliver = |contact: &usize| self.frozen_ma[*contact] != Some(0.0);
        for contact in (0..self.contacts()).filter(may_deliver) {
            let [least, largest] = self.bounds_ma[contact];
            if least >= 0.0 || largest <= 0.0 {
                return contradiction(
                    Limit::Bound { contact },
                    "the waveform",
                    format!(
                        "a pulse of both signs, and currents from {} to {} mA",
                        short(least),
                        short(largest)
                    ),
                    "a bound that allows both signs".into(),
                    "widen the bound, freeze the contact at 0, or choose a pulse of one sign",
                );
            }
        }
        Ok(())
    }

    /// Balance, and a single function that is not balanced.
    fn check_balance(
        &self,
        parameterization: &dyn Parameterization,
        profiles: &[Profile],
    ) -> Result<(), DesignError> {
        let net = |profile: &Profile| match profile.charges(parameterization)?.as_slice() {
            [charge] => Some(*charge),
            _ => None,
        };
        let net: Option<Vec<f64>> = profiles.iter().map(net).collect();
        match net.as_deref().filter(|_| self.balanced) {
            Some([charge, ..]) => contradiction(
                "charge balance",
                "the waveform",
                format!("a net charge of {} nC per mA", short(1e3 * charge)),
                "a pulse whose charge adds up to 0".into(),
                "choose a balanced pulse, vary samples, or give up the balance",
            ),
            _ => Ok(()),
        }
    }

    /// Frozen currents that violate limits of their own contacts, whatever the others deliver.
    fn check_frozen_phases(
        &self,
        parameterization: &dyn Parameterization,
        corners: &[Vec<f64>],
    ) -> Result<(), DesignError> {
        for (contact, ma) in self.frozen() {
            let own = |limit: Limit| {
                [
                    Limit::Bound { contact },
                    Limit::Charge { contact },
                    Limit::Shannon { contact },
                    Limit::Balance { contact },
                ]
                .contains(&limit)
            };
            let of_corner = corners.iter().map(|shapes| {
                let stimulus =
                    parameterization.stimulus(&self.frozen_point(parameterization, shapes));
                self.violations(&stimulus)
                    .into_iter()
                    .filter(|v| own(v.limit))
                    .collect::<Vec<_>>()
            });
            let everywhere = of_corner.reduce(|always, here| {
                let still = |v: &super::Violation| here.iter().any(|other| other.limit == v.limit);
                always.into_iter().filter(still).collect()
            });
            if let Some(violation) = everywhere.unwrap_or_default().first() {
                return contradiction(
                    Limit::Frozen { contact },
                    violation.limit,
                    format!("{} at {} mA", short(violation.found), short(ma)),
                    format!("at most {} ({})", short(violation.allowed), violation.limit),
                    "freeze it at less, shorten the pulse, or raise the limit",
                );
            }
        }
        Ok(())
    }

    /// Frozen currents whose voltages the others cannot bring back within the compliance.
    fn check_frozen_volts(
        &self,
        parameterization: &dyn Parameterization,
        corners: &[Vec<f64>],
        profiles: &[Profile],
    ) -> Result<(), DesignError> {
        let (Some(volts), Some(ohm)) = (self.compliance_max_v, &self.electrodes.impedance_ohm)
        else {
            return Ok(());
        };
        if self.frozen().next().is_none() {
            return Ok(());
        }
        for (contact, row) in ohm.iter().enumerate() {
            let least_v = corners.iter().zip(profiles).map(|(shapes, profile)| {
                let stimulus =
                    parameterization.stimulus(&self.frozen_point(parameterization, shapes));
                let currents: Vec<Vec<f64>> = (0..self.contacts())
                    .map(|c| stimulus.currents_ma(c).collect())
                    .collect();
                let steps = (0..profile.steps()).filter(|step| !profile.row(*step).is_empty());
                let least = steps.map(|step| {
                    let frozen: f64 = row
                        .iter()
                        .zip(&currents)
                        .map(|(ohm, ma)| ohm * ma[step])
                        .sum();
                    let free = self
                        .free()
                        .map(|other| self.bounds_ma[other].map(|ma| ma * row[other]));
                    let [low, high] = free.fold([frozen; 2], |[low, high], [a, b]| {
                        [low + a.min(b), high + a.max(b)]
                    });
                    // The voltage nearest to 0, ohm mA are mV.
                    1e-3 * low.max(0.0).max(-high)
                });
                least.fold(0.0, f64::max)
            });
            let least_v = least_v.fold(f64::INFINITY, f64::min);
            if least_v > volts * (1.0 + ROUNDING) {
                return contradiction(
                    "frozen currents",
                    Limit::Compliance { contact },
                    format!("at least {} V whatever the others deliver", short(least_v)),
                    format!("at most {} V", short(volts)),
                    "freeze less current, or raise the compliance",
                );
            }
        }
        Ok(())
    }

    /// A converter's step of which a single one is too much for every contact.
    fn check_step(&self, profiles: &[Profile]) -> Result<(), DesignError> {
        let Some(step_ma) = self.dac_ma else {
            return Ok(());
        };
        let needed = if self.sum_zero && self.frozen().next().is_none() {
            2
        } else {
            1
        };
        let mut cause = None;
        for profile in profiles {
            let Some(function) = profile.only() else {
                return Ok(());
            };
            let mut able = 0;
            for contact in self.free() {
                let [least, largest] = self.amplitude_range(contact, function, profile.dt_ms);
                if on_grid(largest.max(-least), step_ma) > 0.0 {
                    able += 1;
                } else {
                    let one: Vec<f64> = function.iter().map(|x| x * step_ma).collect();
                    let loads = self.own_loads(contact, &one, profile.dt_ms).into_iter();
                    let heaviest = loads
                        .reduce(|most, next| if next.share > most.share { next } else { most });
                    cause = heaviest.map(|load| (load.limit, load.share));
                }
            }
            if able >= needed {
                return Ok(());
            }
        }
        match cause {
            None => Ok(()),
            Some((limit, share)) => contradiction(
                "DAC step",
                limit,
                format!(
                    "{} times the limit at a single step of {} mA",
                    short(share),
                    short(step_ma)
                ),
                format!("a step that {needed} of the contacts can deliver"),
                "choose a finer step, shorten the pulse, or raise the limit",
            ),
        }
    }

    /// Frozen currents of one pulse that the others cannot return within all limits of their own.
    fn check_return(&self, profiles: &[Profile]) -> Result<(), DesignError> {
        let frozen: f64 = self.frozen().map(|(_, ma)| ma).sum();
        let largest = self.frozen().map(|(_, ma)| ma.abs()).fold(0.0, f64::max);
        if !self.sum_zero || frozen.abs() <= ROUNDING * largest {
            return Ok(());
        }
        let slots = self
            .max_contacts
            .map_or(usize::MAX, |most| most - self.frozen().count());
        let mut most = 0.0_f64;
        for profile in profiles {
            let Some(function) = profile.only() else {
                return Ok(());
            };
            let reach = |contact: usize| {
                let [least, largest] = self.amplitude_range(contact, function, profile.dt_ms);
                let reach = if frozen > 0.0 { -least } else { largest };
                self.dac_ma
                    .map_or(reach, |step| on_grid(reach, step))
                    .max(0.0)
            };
            let mut reaches: Vec<f64> = self.free().map(reach).collect();
            reaches.sort_by(|a, b| b.total_cmp(a));
            most = most.max(reaches.iter().take(slots).sum());
        }
        if frozen.abs() <= most * (1.0 + ROUNDING) {
            return Ok(());
        }
        contradiction(
            "frozen currents",
            Limit::SumZero,
            format!(
                "frozen currents that add up to {} mA, of which the others can return {} mA",
                short(frozen),
                short(most)
            ),
            "frozen currents that the others can return within their bounds and charges".into(),
            "freeze other currents, raise the limits, or give up the sum of 0",
        )
    }

    /// The point at which frozen contacts deliver their currents and the others nothing.
    fn frozen_point(&self, parameterization: &dyn Parameterization, shapes: &[f64]) -> Vec<f64> {
        let amplitudes: Vec<f64> = self.frozen_ma.iter().map(|ma| ma.unwrap_or(0.0)).collect();
        let mut x = parameterization.start(&amplitudes);
        let linear = x.len() - shapes.len();
        x[linear..].copy_from_slice(shapes);
        x
    }
}

/// Shapes at the ends of their ranges, in all combinations.
fn corners(parameterization: &dyn Parameterization) -> Vec<Vec<f64>> {
    let ranges: Vec<[f64; 2]> = parameterization
        .shapes()
        .into_iter()
        .map(|(_, range)| range)
        .collect();
    if ranges.len() > MOST_SHAPES {
        return [0, 1]
            .map(|end| ranges.iter().map(|range| range[end]).collect())
            .to_vec();
    }
    let corner = |bits: usize| {
        ranges
            .iter()
            .enumerate()
            .map(|(at, range)| range[(bits >> at) & 1])
            .collect()
    };
    (0..1_usize << ranges.len()).map(corner).collect()
}
