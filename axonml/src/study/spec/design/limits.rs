//! `[limits]`: what every stimulus obeys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axonml_models::conditions::cell;
use serde::{Deserialize, Serialize};

use super::names::Varied;
use super::stimulus::StimulusSpec;
use crate::study::StudyError;
use crate::study::spec::OneOrMany;
use crate::study::spec::check::{idle, list, number, optional};

/// Limits that every stimulus obeys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSpec {
    /// Largest current of any contact at any time, without sign, mA; 3 by default.
    ///
    /// Key: `bound_mA`.
    #[serde(rename = "bound_mA", skip_serializing_if = "Option::is_none")]
    pub bound_ma: Option<f64>,
    /// A table with the columns `contact`, `min_mA` and `max_mA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<PathBuf>,
    /// Whether the currents of all contacts add up to 0 at every step, as nothing returns far away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sum_zero: bool,
    /// Whether the charge of a contact need not be 0 in the end; it is where samples vary.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unbalanced: bool,
    /// Largest charge of a phase of a contact, nC.
    ///
    /// Key: `charge_max_nC`.
    #[serde(rename = "charge_max_nC", skip_serializing_if = "Option::is_none")]
    pub charge_max_nc: Option<f64>,
    /// Largest Shannon k: the decimal logarithm of charge (uC) times charge density (uC/cm2) of a phase of a contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shannon_k: Option<f64>,
    /// Area of all contacts, or of each, cm2; by default from `nerve.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_area_cm2: Option<OneOrMany<f64>>,
    /// Largest voltage of a contact against the distant ground, V.
    ///
    /// Key: `compliance_V`.
    #[serde(rename = "compliance_V", skip_serializing_if = "Option::is_none")]
    pub compliance_v: Option<f64>,
    /// Access impedance of each contact, which is added to its own one of `nerve.json`, ohm; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_ohm: Option<f64>,
    /// Step of the currents that a stimulator can deliver, mA.
    ///
    /// Key: `dac_mA`.
    #[serde(rename = "dac_mA", skip_serializing_if = "Option::is_none")]
    pub dac_ma: Option<f64>,
    /// Most contacts whose current is not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_contacts: Option<usize>,
    /// Contacts whose amplitude is given, mA.
    ///
    /// Key: `frozen_mA`.
    #[serde(
        rename = "frozen_mA",
        with = "frozen",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub frozen_ma: BTreeMap<usize, f64>,
}

impl LimitsSpec {
    /// Largest current of any contact unless a study says otherwise, mA.
    pub const BOUND_MA: f64 = 3.0;

    pub(in crate::study::spec) fn is_empty(&self) -> bool {
        *self == LimitsSpec::default()
    }

    /// Largest current of any contact at any time, without sign, mA.
    pub fn bound_ma(&self) -> f64 {
        self.bound_ma.unwrap_or(Self::BOUND_MA)
    }

    /// Access impedance of each contact, ohm.
    pub fn contact_ohm(&self) -> f64 {
        self.contact_ohm.unwrap_or(0.0)
    }

    /// The area that is given for a contact, cm2.
    pub fn contact_area_cm2(&self, contact: usize) -> Option<f64> {
        match &self.contact_area_cm2.as_ref()?.0[..] {
            [one] => Some(*one),
            many => many.get(contact).copied(),
        }
    }
}

impl LimitsSpec {
    /// The same table with every default that acts written out.
    #[must_use]
    pub fn completed(&self) -> Self {
        LimitsSpec {
            bound_ma: Some(self.bound_ma()),
            contact_ohm: self.compliance_v.map(|_| self.contact_ohm()),
            ..self.clone()
        }
    }
}

impl LimitsSpec {
    pub(super) fn check(&self, stimulus: &StimulusSpec) -> Result<(), StudyError> {
        optional("bound_mA", self.bound_ma, cell::positive("mA"))?;
        optional("charge_max_nC", self.charge_max_nc, cell::positive("nC"))?;
        optional("shannon_k", self.shannon_k, cell::finite(""))?;
        let areas = self.contact_area_cm2.as_ref().map(|areas| &areas.0[..]);
        list("contact_area_cm2", areas, cell::positive("cm2"))?;
        optional("compliance_V", self.compliance_v, cell::positive("V"))?;
        optional("contact_ohm", self.contact_ohm, cell::not_negative("ohm"))?;
        optional("dac_mA", self.dac_ma, cell::positive("mA"))?;
        for (contact, ma) in &self.frozen_ma {
            number(&format!("frozen_mA.{contact}"), *ma, cell::finite("mA"))?;
        }
        if self.max_contacts == Some(0) {
            return Err(
                StudyError::request("max_contacts: found 0, expected 1 or more")
                    .help("correct the number, or leave it out for no limit"),
            );
        }
        let idle_keys = [
            (
                "unbalanced",
                self.unbalanced && !stimulus.varies(Varied::Samples),
                "no samples vary, and other stimuli are as balanced as their waveform",
            ),
            (
                "contact_area_cm2",
                self.contact_area_cm2.is_some() && self.shannon_k.is_none(),
                "no limit asks for areas",
            ),
            (
                "contact_ohm",
                self.contact_ohm.is_some() && self.compliance_v.is_none(),
                "no limit asks for voltages",
            ),
        ];
        if let Some((key, _, why)) = idle_keys.iter().find(|(_, is_idle, _)| *is_idle) {
            let with = match *key {
                "unbalanced" => "leave it out",
                "contact_area_cm2" => "give shannon_k (--shannon), or leave it out",
                _ => "give compliance_V (--compliance), or leave it out",
            };
            return Err(idle(key, why).help(with));
        }
        self.check_contradictions()
    }

    /// Refuses limits that no stimulus obeys, both of them named.
    fn check_contradictions(&self) -> Result<(), StudyError> {
        let contradiction = |one: String, other: String, why: &str, help: &str| {
            Err(StudyError::request(format!("{one} contradicts {other}: {why}")).help(help))
        };
        let bound_ma = self.bound_ma();
        if let Some(dac_ma) = self.dac_ma.filter(|dac_ma| *dac_ma > bound_ma) {
            return contradiction(
                format!("dac_mA {dac_ma}"),
                format!("bound_mA {bound_ma}"),
                "0 is the only multiple of the step within the bound",
                "lower dac_mA (--dac), or raise bound_mA (--bound)",
            );
        }
        for (contact, ma) in &self.frozen_ma {
            let frozen = || format!("frozen_mA.{contact} = {ma}");
            if ma.abs() > bound_ma {
                return contradiction(
                    frozen(),
                    format!("bound_mA {bound_ma}"),
                    "the current lies beyond the bound",
                    "lower the frozen current (--frozen), or raise bound_mA (--bound)",
                );
            }
            let Some(dac_ma) = self.dac_ma else { continue };
            let steps = ma / dac_ma;
            if (steps - steps.round()).abs() > 1e-9 * steps.abs().max(1.0) {
                return contradiction(
                    frozen(),
                    format!("dac_mA {dac_ma}"),
                    "the current is no multiple of the step",
                    "move the frozen current (--frozen) to a multiple of dac_mA (--dac)",
                );
            }
        }
        let Some(most) = self.max_contacts else {
            return Ok(());
        };
        let frozen = self.frozen_ma.values().filter(|ma| **ma != 0.0).count();
        if frozen > most {
            return contradiction(
                format!("max_contacts {most}"),
                "frozen_mA".to_owned(),
                &format!("{frozen} contacts are frozen at a current"),
                "raise max_contacts (--max-contacts), or freeze fewer",
            );
        }
        if self.sum_zero && most < 2 {
            return contradiction(
                format!("max_contacts {most}"),
                "sum_zero".to_owned(),
                "the current of one contact alone adds up to 0 only where it is 0",
                "raise max_contacts (--max-contacts) to 2 or more, or leave sum_zero (--sum-zero) out",
            );
        }
        Ok(())
    }
}

/// Currents by contact: keys of tables are texts.
mod frozen {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        currents: &BTreeMap<usize, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            currents
                .iter()
                .map(|(contact, ma)| (contact.to_string(), ma)),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<usize, f64>, D::Error> {
        let table: BTreeMap<String, f64> = Deserialize::deserialize(deserializer)?;
        let contact = |(key, ma): (String, f64)| {
            let number = key.trim().parse().map_err(|_| {
                serde::de::Error::custom(format!(
                    "found `{key}`, expected the number of a contact, counted from 0"
                ))
            });
            number.map(|number: usize| (number, ma))
        };
        table.into_iter().map(contact).collect()
    }
}
