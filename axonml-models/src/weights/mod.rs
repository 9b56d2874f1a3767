//! Model files: the parameters of a model with their provenance and training domain.
//!
//! A [`ModelFile`] is a `.safetensors` file: each parameter a tensor of one double under its name, everything else as
//! strings in the header. Weights that the library carries are [`bundled`]; [`Weights`] selects the ones that a
//! simulation runs with; [`pytorch`] reads checkpoints of AxonML.
//!
//! ```
//! use axonml_models::weights::ModelFile;
//! use axonml_models::{Settings, model};
//!
//! let smf = model("smf")?;
//! let mut file = ModelFile::new(&smf);
//! file.parameters.insert("gl".into(), 0.008);
//! let bytes = file.to_bytes()?;
//!
//! let settings = Settings { weights: ModelFile::from_bytes(&bytes)?.into(), ..Settings::default() };
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundled;
mod choice;
mod domain;
mod error;
pub mod pytorch;
mod safetensors;

use std::collections::BTreeMap;

use axonml_core::names;
use serde::{Deserialize, Serialize};

use crate::{DeclaredStart, FiberModel, Schema};

pub use bundled::{BUNDLED, Bundled, bundled};
pub use choice::{ChosenWeights, Weights};
pub use domain::{Departure, Domain, Usage, phase_widths_ms};
pub use error::ModelFileError;

/// Parameters of a model with their metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// Id of the model, as `model` takes it.
    pub model: String,
    /// Version of the weights, as numbered by their author.
    pub version: String,
    /// Every parameter of the model by name, in the units of `units`.
    pub parameters: BTreeMap<String, f64>,
    /// Unit of every parameter by name.
    pub units: BTreeMap<String, String>,
    /// The initial state of runs.
    pub start: ModelStart,
    /// The training domain of the parameters.
    pub domain: Domain,
    /// Sampling of waveforms in time; `hold` where value i acts during the whole step i.
    pub sampling: String,
    /// Provenance of the parameters: data recipe, stages, seed, references, license, ...
    pub provenance: BTreeMap<String, String>,
}

/// The initial state of runs, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelStart {
    /// Membrane potential everywhere, mV.
    #[serde(rename = "v_mV")]
    pub v_mv: f64,
    /// Values of all states by name, or none: their steady state at that potential.
    pub states: Option<BTreeMap<String, f64>>,
}

impl ModelFile {
    /// The parameters that the model itself declares, without a training domain.
    pub fn new(model: &dyn FiberModel) -> Self {
        let schema = model.schema();
        let named = |values: &Vec<f64>| {
            let names = schema.states.iter().map(|name| name.to_string());
            names.zip(values.iter().copied()).collect()
        };
        ModelFile {
            model: schema.id.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            parameters: schema
                .parameters
                .iter()
                .map(|p| (p.name.to_string(), p.value))
                .collect(),
            units: schema
                .parameters
                .iter()
                .map(|p| (p.name.to_string(), p.unit.to_string()))
                .collect(),
            start: ModelStart {
                v_mv: schema.start.v_mv,
                states: schema.start.states.as_ref().map(named),
            },
            domain: Domain::default(),
            sampling: "hold".to_owned(),
            provenance: BTreeMap::new(),
        }
    }

    /// [`ModelFile::new`] with the model's publications as its provenance: for files that users keep.
    pub fn published(model: &dyn FiberModel) -> Self {
        let provenance = [
            (
                "exported from",
                "the constants that the model declares".to_owned(),
            ),
            ("references", model.schema().citations.join("; ")),
        ];
        let provenance = provenance.map(|(key, value)| (key.to_owned(), value));
        ModelFile {
            provenance: provenance.into(),
            ..ModelFile::new(model)
        }
    }

    /// Sets parameters as [`ModelFile::set`] does, and says in the provenance that they were set by hand.
    ///
    /// # Errors
    /// As [`ModelFile::set`].
    pub fn set_by_hand(
        &mut self,
        schema: &Schema,
        parameters: &[(String, f64)],
    ) -> Result<(), ModelFileError> {
        for (name, value) in parameters {
            self.set(schema, name, *value)?;
        }
        if !parameters.is_empty() {
            let set = parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let set = set.collect::<Vec<_>>().join(", ");
            self.provenance.insert("set by hand".to_owned(), set);
        }
        Ok(())
    }

    /// Sets a parameter by `name` or `group.name`.
    ///
    /// # Errors
    /// [`ModelFileError::UnknownParameter`] with the nearest name.
    pub fn set(&mut self, schema: &Schema, name: &str, value: f64) -> Result<(), ModelFileError> {
        let found = schema
            .parameters
            .iter()
            .find(|p| {
                p.name == name || name.strip_prefix(&*p.group) == Some(&format!(".{}", p.name))
            })
            .ok_or_else(|| unknown(schema, name))?;
        self.parameters.insert(found.name.to_string(), value);
        Ok(())
    }

    /// Checks that this is a complete file of the model that `schema` declares.
    ///
    /// # Errors
    /// [`ModelFileError`] for another model, parameters that are missing or unknown, other units or states, and numbers
    /// that are not finite.
    pub fn check(&self, schema: &Schema) -> Result<(), ModelFileError> {
        if self.model != schema.id {
            return Err(ModelFileError::WrongModel {
                found: self.model.clone(),
                expected: schema.id.to_string(),
            });
        }
        let declared = |name: &str| schema.parameters.iter().find(|p| p.name == name);
        if let Some(name) = self.parameters.keys().find(|name| declared(name).is_none()) {
            return Err(unknown(schema, name));
        }
        let missing: Vec<String> = schema
            .parameters
            .iter()
            .filter(|p| !self.parameters.contains_key(&*p.name))
            .map(|p| p.name.to_string())
            .collect();
        if !missing.is_empty() {
            return Err(ModelFileError::MissingParameters {
                model: schema.id.to_string(),
                names: missing,
            });
        }
        for parameter in &schema.parameters {
            let unit = self.units.get(&*parameter.name);
            if unit.is_some_and(|unit| **unit != parameter.unit) {
                return Err(ModelFileError::WrongUnit {
                    name: parameter.name.to_string(),
                    found: unit.cloned().unwrap_or_default(),
                    expected: parameter.unit.to_string(),
                });
            }
        }
        if let Some(states) = &self.start.states {
            let found: Vec<&str> = states.keys().map(String::as_str).collect();
            let mut expected = schema.states.clone();
            expected.sort_unstable();
            if found != expected {
                return Err(ModelFileError::WrongStates {
                    model: schema.id.to_string(),
                    found: found.join(", "),
                    expected: expected.join(", "),
                });
            }
        }
        self.check_finite()
    }

    /// Checks that all numbers are finite.
    fn check_finite(&self) -> Result<(), ModelFileError> {
        let states = self.start.states.iter().flatten();
        let named = self.parameters.iter().chain(states);
        let mut numbers: Vec<(&str, f64)> = vec![("start v_mV", self.start.v_mv)];
        numbers.extend(self.domain.numbers());
        numbers.extend(named.map(|(name, value)| (name.as_str(), *value)));
        match numbers.into_iter().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((name, value)) => Err(ModelFileError::NotFinite {
                name: name.to_owned(),
                value,
            }),
        }
    }

    /// The start in the order of the states that `schema` declares.
    fn declared_start(&self, schema: &Schema) -> DeclaredStart {
        let value = |states: &BTreeMap<String, f64>, name: &str| states.get(name).copied();
        let in_order = |states: &BTreeMap<String, f64>| {
            let values = schema.states.iter().map(|name| value(states, name));
            values.collect::<Option<Vec<f64>>>()
        };
        DeclaredStart {
            v_mv: self.start.v_mv,
            states: self.start.states.as_ref().and_then(in_order),
        }
    }

    /// The model's declaration with this file's parameters, start and temperature.
    ///
    /// # Errors
    /// As [`ModelFile::check`].
    pub fn schema(&self, mut schema: Schema) -> Result<Schema, ModelFileError> {
        self.check(&schema)?;
        for parameter in &mut schema.parameters {
            if let Some(value) = self.parameters.get(&*parameter.name) {
                parameter.value = *value;
            }
        }
        schema.start = self.declared_start(&schema);
        schema.celsius = self.domain.celsius.unwrap_or(schema.celsius);
        Ok(schema)
    }
}

/// The error for a name that the model does not declare.
fn unknown(schema: &Schema, name: &str) -> ModelFileError {
    ModelFileError::UnknownParameter {
        model: schema.id.to_string(),
        name: name.to_owned(),
        nearest: names::nearest(name, schema.parameters.iter().map(|p| &*p.name))
            .map(str::to_owned),
    }
}
