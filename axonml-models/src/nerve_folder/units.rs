//! The units that `nerve.json` may name for the arrays of its folder.

use axonml_core::names;
use serde::Deserialize;

/// `field_units` of `nerve.json`: the units of potentials, of the current that they are per, and of `fiber_z`. The
/// defaults are mV, mA and um.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldUnits {
    pub(super) potential: Option<String>,
    pub(super) current: Option<String>,
    pub(super) z: Option<String>,
}

/// Whether a key of `nerve.json` was most likely meant to be `field_units`, which it is not: in another spelling, or at most
/// two edits from it.
pub(super) fn is_misspelt(key: &str) -> bool {
    let letters: String = key.chars().filter(|c| c.is_alphanumeric()).collect();
    key != "field_units" && names::edit_distance(&letters.to_lowercase(), "fieldunits") <= 2
}

/// Names and sizes, the default first.
type Units = [(&'static str, f64)];
const POTENTIALS_MV: [(&str, f64); 3] = [("mV", 1.0), ("V", 1e3), ("uV", 1e-3)];
const CURRENTS_MA: [(&str, f64); 4] = [("mA", 1.0), ("A", 1e3), ("uA", 1e-3), ("nA", 1e-6)];
const LENGTHS_UM: [(&str, f64); 4] = [("um", 1.0), ("mm", 1e3), ("cm", 1e4), ("m", 1e6)];

impl FieldUnits {
    /// Factors that convert `fiber_z` to um and the potentials to mV per mA.
    ///
    /// # Errors
    /// A message for an unknown unit.
    pub(super) fn factors(&self) -> Result<(f64, f64), String> {
        let z = size("z", self.z.as_deref(), &LENGTHS_UM)?;
        let potential = size("potential", self.potential.as_deref(), &POTENTIALS_MV)?;
        let current = size("current", self.current.as_deref(), &CURRENTS_MA)?;
        Ok((z, potential / current))
    }

    /// Whether the potentials' unit was named.
    pub(super) fn names_potential(&self) -> bool {
        self.potential.is_some() || self.current.is_some()
    }
}

fn size(what: &str, named: Option<&str>, units: &Units) -> Result<f64, String> {
    let Some(named) = named else {
        return Ok(units[0].1);
    };
    // The Greek letter, of which there are two, and the word.
    let plain = named.trim().replace(['\u{b5}', '\u{3bc}'], "u");
    if let Some((_, size)) = units.iter().find(|(name, _)| *name == plain) {
        return Ok(*size);
    }
    let valid: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let nearest = names::nearest(&plain, valid.iter().copied())
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default();
    Err(format!(
        "nerve.json: field_units.{what} is `{named}`{nearest}: expected {}",
        valid.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_near_the_right_one_are_recognized() {
        for key in [
            "field_unit",
            "fieldUnits",
            "Field-Units",
            "feild_units",
            "fields_units",
        ] {
            assert!(is_misspelt(key), "{key}");
        }
        for key in [
            "field_units",
            "units",
            "field",
            "note",
            "insulator_z_mm",
            "field_source",
        ] {
            assert!(!is_misspelt(key), "{key}");
        }
    }

    #[test]
    fn units_are_converted_and_unknown_ones_named() {
        let units = |json: &str| serde_json::from_str::<FieldUnits>(json).unwrap().factors();
        assert_eq!(units("{}"), Ok((1.0, 1.0)));
        assert_eq!(
            units(r#"{"potential": "V", "current": "A", "z": "mm"}"#),
            Ok((1e3, 1.0))
        );
        assert_eq!(units(r#"{"potential": "V"}"#), Ok((1.0, 1e3)));
        assert_eq!(units(r#"{"current": "µA", "z": "m"}"#), Ok((1e6, 1e3)));
        let message = units(r#"{"z": "inch"}"#).unwrap_err();
        assert!(
            message.contains("field_units.z is `inch`") && message.contains("um, mm, cm, m"),
            "{message}"
        );
        assert!(serde_json::from_str::<FieldUnits>(r#"{"potentials": "V"}"#).is_err());
    }
}
