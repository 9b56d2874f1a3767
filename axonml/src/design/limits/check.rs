//! Limits that make no sense, and limits that contradict each other, as far as they do without a waveform.

use std::fmt::Display;

use axonml_core::CoreError;
use axonml_core::error::short;

use super::super::DesignError;
use super::{Limit, Limits};

/// Part of a step by which a current may miss a multiple of it: decimal fractions have no exact quotients.
const ROUNDING: f64 = 1e-9;

impl Limits {
    /// Refuses numbers that make no sense, and pairs of limits of which no stimulus obeys both but a silent one, whatever its
    /// waveform. See [`Limits::check_with`] for what depends on it.
    ///
    /// # Errors
    /// [`DesignError::Request`] for numbers, [`DesignError::Contradiction`] for pairs.
    pub fn check(&self) -> Result<(), DesignError> {
        self.check_numbers()?;
        self.check_electrodes()?;
        self.check_frozen()?;
        self.check_bounds()?;
        self.check_sum()
    }

    fn check_numbers(&self) -> Result<(), CoreError> {
        if self.contacts() == 0 || self.frozen_ma.len() != self.contacts() {
            return Err(CoreError::Shape {
                what: "the limits' frozen contacts".into(),
                expected: format!(
                    "{} entries, one for each bound, and at least one",
                    self.contacts()
                ),
                found: self.frozen_ma.len().to_string(),
            });
        }
        for (contact, [least, largest]) in self.bounds_ma.iter().enumerate() {
            let is_range = least.is_finite() && largest.is_finite() && least < largest;
            let found = || format!("{} to {} mA", short(*least), short(*largest));
            let expected = "finite currents, the lower one below the upper one; freeze a contact at 0 to leave it out";
            refuse(
                !is_range,
                format!("the bound of contact {contact}"),
                found,
                expected,
            )?;
        }
        let above_0 = |name: &str, number: Option<f64>| {
            let Some(number) = number else { return Ok(()) };
            let is_wrong = !(number.is_finite() && number > 0.0);
            refuse(
                is_wrong,
                name.into(),
                || short(number),
                "a finite number above 0",
            )
        };
        above_0("the largest charge per phase in nC", self.charge_max_nc)?;
        above_0("the compliance in V", self.compliance_max_v)?;
        above_0("the DAC step in mA", self.dac_ma)?;
        if let Some(k) = self.shannon_max {
            refuse(
                !k.is_finite(),
                "Shannon's k".into(),
                || short(k),
                "a finite number, usually 1.85",
            )?;
        }
        let most = self.max_contacts;
        refuse(
            most == Some(0),
            "the largest number of contacts".into(),
            || "0".into(),
            "at least 1",
        )?;
        for (contact, ma) in self.frozen_ma.iter().enumerate() {
            let Some(ma) = ma else { continue };
            let what = format!("the frozen current of contact {contact} in mA");
            refuse(!ma.is_finite(), what, || short(*ma), "a finite number")?;
        }
        Ok(())
    }

    fn check_electrodes(&self) -> Result<(), CoreError> {
        if self.shannon_max.is_some() {
            for contact in
                (0..self.contacts()).filter(|contact| self.frozen_ma[*contact] != Some(0.0))
            {
                let area = self.electrodes.area_cm2(contact);
                let is_known = area.is_some_and(|area| area.is_finite() && area > 0.0);
                let found = || area.map_or("unknown".into(), short);
                let expected = "a number above 0, which Shannon's k needs: the diameter of a disc, or `area_cm2` of the contact";
                refuse(
                    !is_known,
                    format!("the area of contact {contact} in cm2"),
                    found,
                    expected,
                )?;
            }
        }
        if self.compliance_max_v.is_none() {
            return Ok(());
        }
        let contacts = self.contacts();
        let expected = format!(
            "a matrix of {contacts} x {contacts} finite numbers with a positive diagonal (`impedance_ohm`), which a compliance needs"
        );
        let what = || "the impedance of the contacts in ohm".to_owned();
        let Some(ohm) = &self.electrodes.impedance_ohm else {
            return refuse(true, what(), || "unknown".into(), &expected);
        };
        let is_square = ohm.len() == contacts && ohm.iter().all(|row| row.len() == contacts);
        let sizes = || format!("{} x {}", ohm.len(), ohm.first().map_or(0, Vec::len));
        refuse(!is_square, what(), sizes, &expected)?;
        for (contact, row) in ohm.iter().enumerate() {
            let is_right = row.iter().all(|ohm| ohm.is_finite()) && row[contact] > 0.0;
            let found = || {
                row.iter()
                    .map(|ohm| short(*ohm))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            refuse(
                !is_right,
                format!("row {contact} of the impedance in ohm"),
                found,
                &expected,
            )?;
        }
        Ok(())
    }

    fn check_frozen(&self) -> Result<(), DesignError> {
        for (contact, ma) in self.frozen() {
            let name = Limit::Frozen { contact };
            let reach = self.reach_ma(contact);
            if ma.abs() > reach * (1.0 + ROUNDING) {
                let [least, largest] = self.bounds_ma[contact];
                return contradiction(
                    name,
                    Limit::Bound { contact },
                    format!("{} mA", short(ma)),
                    format!("a current from {} to {} mA", short(least), short(largest)),
                    "freeze it at less, or widen the bound",
                );
            }
            if let Some(step) = self.dac_ma.filter(|step| !is_multiple(ma, *step)) {
                return contradiction(
                    name,
                    Limit::Dac { contact },
                    format!("{} mA", short(ma)),
                    format!("a multiple of {} mA", short(step)),
                    "freeze it at a multiple of the step, or choose another step",
                );
            }
        }
        let frozen = self.frozen().count();
        match self.max_contacts.filter(|most| frozen > *most) {
            None => Ok(()),
            Some(most) => contradiction(
                "frozen currents",
                Limit::MaxContacts,
                format!("{frozen} contacts frozen at currents other than 0"),
                format!("at most {most}"),
                "freeze fewer contacts, or allow more",
            ),
        }
    }

    /// Bounds of one sign, and bounds below a step.
    fn check_bounds(&self) -> Result<(), DesignError> {
        let may_deliver = |contact: &usize| self.frozen_ma[*contact] != Some(0.0);
        for contact in (0..self.contacts()).filter(may_deliver) {
            let [least, largest] = self.bounds_ma[contact];
            if self.balanced && (least >= 0.0 || largest <= 0.0) {
                return contradiction(
                    Limit::Bound { contact },
                    Limit::Balance { contact },
                    format!("currents from {} to {} mA", short(least), short(largest)),
                    "both signs, for a charge that adds up to 0".into(),
                    "widen the bound, freeze the contact at 0, or give up the balance",
                );
            }
        }
        let largest = self
            .free()
            .map(|contact| self.reach_ma(contact))
            .reduce(f64::max);
        match (self.dac_ma, largest) {
            (Some(step), Some(largest)) if on_grid(largest, step) == 0.0 => contradiction(
                "DAC step",
                "bounds",
                format!(
                    "a step of {} mA, and no bound above {} mA",
                    short(step),
                    short(largest)
                ),
                "a bound of at least a step".into(),
                "choose a finer step, or widen the bounds",
            ),
            _ => Ok(()),
        }
    }

    /// Sums of 0 with too few contacts, with currents of one sign, and with frozen currents that the others cannot return.
    fn check_sum(&self) -> Result<(), DesignError> {
        if !self.sum_zero {
            return Ok(());
        }
        let remedy = "free another contact, or give up the sum of 0";
        if self.contacts() == 1 {
            let two = "at least two contacts".into();
            return contradiction(
                Limit::SumZero,
                "number of contacts",
                "1 contact".into(),
                two,
                "give up the sum of 0",
            );
        }
        let free: Vec<usize> = self.free().collect();
        let frozen_count = self.frozen().count();
        let frozen: f64 = self.frozen().map(|(_, ma)| ma).sum();
        let largest = self.frozen().map(|(_, ma)| ma.abs()).fold(0.0, f64::max);
        let is_closed = frozen.abs() <= ROUNDING * largest;
        if let (true, [alone]) = (is_closed, free.as_slice()) {
            return contradiction(
                Limit::SumZero,
                "frozen currents",
                format!("contact {alone} alone not frozen, whose current is 0 then"),
                "at least two contacts that are not frozen".into(),
                remedy,
            );
        }
        if self.max_contacts == Some(1) && frozen_count == 0 {
            let two = "at least 2".into();
            return contradiction(
                Limit::SumZero,
                Limit::MaxContacts,
                "at most 1 contact".into(),
                two,
                "allow two contacts, or give up the sum of 0",
            );
        }
        let one_sign = |side: fn(&[f64; 2]) -> bool| {
            free.iter().all(|contact| side(&self.bounds_ma[*contact]))
        };
        if frozen_count == 0
            && (one_sign(|[least, _]| *least >= 0.0) || one_sign(|[_, largest]| *largest <= 0.0))
        {
            return contradiction(
                "bounds",
                Limit::SumZero,
                "currents of one sign at all contacts that are not frozen".into(),
                "both signs".into(),
                "widen a bound, or give up the sum of 0",
            );
        }
        let mut reaches: Vec<f64> = free
            .iter()
            .map(|contact| self.grid_reach_ma(*contact))
            .collect();
        if frozen_count == 0 && reaches.iter().filter(|reach| **reach > 0.0).count() < 2 {
            return contradiction(
                "DAC step",
                "bounds",
                format!(
                    "a step of {} mA that at most one bound allows",
                    short(self.dac_ma.unwrap_or(0.0))
                ),
                "at least two bounds of at least a step, for currents that add up to 0".into(),
                "choose a finer step, or widen the bounds",
            );
        }
        reaches.sort_by(|a, b| b.total_cmp(a));
        let slots = self
            .max_contacts
            .map_or(usize::MAX, |most| most.saturating_sub(frozen_count));
        let needs = |first, returned: f64| {
            contradiction(
                first,
                Limit::SumZero,
                format!(
                    "frozen currents that add up to {} mA, of which the others can return {} mA",
                    short(frozen),
                    short(returned)
                ),
                "frozen currents that the bounds of the others can return".into(),
                "freeze other currents, widen the bounds, allow more contacts, or give up the sum of 0",
            )
        };
        let lacks = |returned: f64| !is_closed && frozen.abs() > returned * (1.0 + ROUNDING);
        let (by_all, by_allowed) = (reaches.iter().sum(), reaches.iter().take(slots).sum());
        match (lacks(by_all), lacks(by_allowed)) {
            (true, _) => needs("frozen currents".to_owned(), by_all),
            (_, true) => needs(Limit::MaxContacts.to_string(), by_allowed),
            _ => Ok(()),
        }
    }

    /// The largest current that a contact's bound allows in either direction, mA.
    fn reach_ma(&self, contact: usize) -> f64 {
        let [least, largest] = self.bounds_ma[contact];
        least.abs().max(largest.abs())
    }

    /// The same of multiples of the converter's step.
    fn grid_reach_ma(&self, contact: usize) -> f64 {
        let reach = self.reach_ma(contact);
        self.dac_ma.map_or(reach, |step| on_grid(reach, step))
    }
}

/// The largest multiple of a step up to a current.
pub(super) fn on_grid(ma: f64, step_ma: f64) -> f64 {
    step_ma * (ma / step_ma + ROUNDING).floor()
}

fn is_multiple(ma: f64, step_ma: f64) -> bool {
    let steps = ma / step_ma;
    (steps - steps.round()).abs() <= ROUNDING * steps.abs().max(1.0)
}

/// Two limits that contradict each other.
pub(super) fn contradiction(
    first: impl Display,
    second: impl Display,
    found: String,
    expected: String,
    remedy: &str,
) -> Result<(), DesignError> {
    Err(DesignError::Contradiction {
        first: first.to_string(),
        second: second.to_string(),
        found,
        expected,
        remedy: remedy.into(),
    })
}

fn refuse(
    is_wrong: bool,
    what: String,
    found: impl FnOnce() -> String,
    expected: &str,
) -> Result<(), CoreError> {
    match is_wrong {
        false => Ok(()),
        true => Err(CoreError::BadValue {
            what,
            found: found(),
            expected: expected.into(),
        }),
    }
}
