//! Groups of fibers.

use std::fmt;

use axonml_models::{Ends, FiberLength, InitialState};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Diameters, Want};

/// Warm-up of steady-state starts unless a study says otherwise, ms (PyFibers').
const WARMUP_MS: f64 = 200.0;

/// A group of fibers of one model.
///
/// In a nerve every line carries a fiber of every diameter, or, with `count`, that many fibers are spread over the lines;
/// near point electrodes there is one fiber of every diameter, or `count`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FiberGroup {
    /// Name of the group in results; needed where there are several groups of one model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fiber model: a bundled one, one of the study's own ([`Study::models`](super::Study::models)), or the path of a fiber
    /// file (`.toml`); `mrg` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Weights of the model: a bundled name, a file, or `published`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Temperature, degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<f64>,
    /// Initial state: `published` or `steady-state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<StartSpec>,
    /// Duration of the steady-state initialization, ms; given alone it means `steady-state`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_ms: Option<f64>,
    /// How fibers end: `active`, by default, or `passive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// Fiber diameters, um.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diameter_um: Option<Diameters>,
    /// Number of fibers that are spread over the nerve's lines; diameters that are drawn need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Nodes of Ranvier, or compartments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<usize>,
    /// Length from the first node to the last, um.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_um: Option<f64>,
    /// Length of a compartment, um, of unmyelinated models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compartment_um: Option<f64>,
    /// Shift of the fiber's middle node along the nerve, or past the electrodes, um; `random` draws it within half a node
    /// spacing to either side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_um: Option<Offset>,
    /// Share of the group among all fibers, relative to the other groups; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Wanted response, in an optimization: `target` (as the nerve's targets say), by default, `activate`, `spare` or
    /// `ignore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<Want>,
    /// Parameters that differ from the model's: `name` or `group.name`.
    #[serde(with = "parameters", skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<(String, f64)>,
}

impl FiberGroup {
    /// The extent that is asked for.
    pub fn length(&self) -> Option<FiberLength> {
        let nodes = self.nodes.map(FiberLength::Nodes);
        nodes.or(self.length_um.map(FiberLength::Um))
    }

    /// Wanted response, in an optimization.
    pub fn want(&self) -> Want {
        self.want.unwrap_or(Want::Target)
    }

    /// The initial state.
    pub fn initial_state(&self) -> InitialState {
        match (self.start, self.warmup_ms) {
            (Some(StartSpec::Published), _) | (None, None) => InitialState::Declared,
            (_, warmup_ms) => InitialState::Settled {
                warmup_ms: warmup_ms.unwrap_or(WARMUP_MS),
            },
        }
    }
}

/// Parameters as a table, in their order.
mod parameters {
    use std::fmt;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        parameters: &[(String, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(parameters.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = Vec<(String, f64)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of parameters and their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
                let mut parameters = Vec::new();
                while let Some(pair) = table.next_entry()? {
                    parameters.push(pair);
                }
                Ok(parameters)
            }
        }

        deserializer.deserialize_map(Table)
    }
}

/// The initial state of fibers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartSpec {
    /// As the model's publication has it.
    Published,
    /// Reached without stimulus.
    SteadyState,
}

/// Placement of fibers along the field: a shift in um, a list of shifts, or `random`.
#[derive(Clone, Debug, PartialEq)]
pub enum Offset {
    /// The same for all, um.
    Um(f64),
    /// Several, um: there is a fiber at each.
    List(Vec<f64>),
    /// Drawn for each fiber, uniform within half a node spacing to either side.
    Random,
}

impl Serialize for Offset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Offset::Um(um) => serializer.serialize_f64(*um),
            Offset::List(list) => list.serialize(serializer),
            Offset::Random => serializer.serialize_str("random"),
        }
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Offset;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shift in um, a list of shifts, or \"random\"")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Offset, E> {
                Ok(Offset::Um(value as f64))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Offset, E> {
                Ok(Offset::Um(value as f64))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Offset, E> {
                Ok(Offset::Um(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Offset, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(Offset::List)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Offset, E> {
                match value {
                    "random" => Ok(Offset::Random),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(value), &self)),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}
