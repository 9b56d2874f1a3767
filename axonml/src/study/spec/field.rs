//! The extracellular field.

use std::fmt;
use std::path::PathBuf;

use axonml_core::{Extension, Interpolation, Medium};
use axonml_models::conditions::RESISTIVITY_OHM_CM;
use serde::de::Visitor;
use serde::de::value::SeqAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::OneOrMany;
use super::text;

/// The extracellular field: point electrodes, a nerve, or potentials at the sample points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSpec {
    /// A nerve folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nerve: Option<PathBuf>,
    /// The bundled demonstration nerve N1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demonstration: bool,
    /// Multiple of the waveform that each contact of the nerve delivers; 1 on contact 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<f64>>,
    /// Distances of a point electrode from the fiber's axis, over its middle node, um: a list makes a grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_um: Option<OneOrMany<f64>>,
    /// Resistivity around point electrodes, ohm-cm: one number, or across and along the fiber; 500 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resistivity_ohm_cm: Option<Resistivity>,
    /// Potentials in mV per unit amplitude at the sample points: `(fibers, samples)` or `(fibers, timesteps, samples)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<PathBuf>,
    /// Interpolation along a nerve's lines: `cubic` or `linear`.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// Handling of fibers longer than the lines: `refuse` or `point-source`.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub extend: Option<Extension>,
    /// Whether a nerve whose lines are sampled too coarsely is accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub accept_coarse: bool,
    /// Point electrodes; the fiber lies along z, its middle node at the origin.
    ///
    /// Key: `point`.
    #[serde(rename = "point", skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointSpec>,
}

impl FieldSpec {
    /// Whether no field is given.
    pub fn is_empty(&self) -> bool {
        *self == FieldSpec::default()
    }

    /// Whether currents flow outside the fibers.
    pub fn flows(&self) -> bool {
        !self.points.is_empty()
            || self.nerve.is_some()
            || self.basis.is_some()
            || self.distance_um.is_some()
            || self.demonstration
    }

    /// The conductor around point electrodes.
    pub fn medium(&self) -> Medium {
        match self.resistivity_ohm_cm {
            None => Medium::isotropic(RESISTIVITY_OHM_CM),
            Some(Resistivity([across, along])) if across == along => Medium::isotropic(across),
            Some(Resistivity([across, along])) => Medium::anisotropic(across, along),
        }
    }
}

/// A point electrode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSpec {
    /// Place across the fiber, um.
    pub x_um: f64,
    /// Place across the fiber, um.
    #[serde(default)]
    pub y_um: f64,
    /// Place along the fiber, um.
    #[serde(default)]
    pub z_um: f64,
    /// Multiple of the waveform there.
    #[serde(default = "one")]
    pub factor: f64,
}

fn one() -> f64 {
    1.0
}

/// Resistivities across and along the fiber, ohm-cm; written as one number where they are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resistivity(pub [f64; 2]);

impl Serialize for Resistivity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [across, along] if across == along => across.serialize(serializer),
            both => both.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Resistivity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Resistivity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a resistivity in ohm-cm, or two (across and along the fiber)")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Resistivity([value as f64; 2]))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Resistivity([value as f64; 2]))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Resistivity([value; 2]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                values: A,
            ) -> Result<Self::Value, A::Error> {
                let values = Vec::deserialize(SeqAccessDeserializer::new(values))?;
                <[f64; 2]>::try_from(values)
                    .map(Resistivity)
                    .map_err(|values| serde::de::Error::invalid_length(values.len(), &self))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
