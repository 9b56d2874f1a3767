//! The request that results carry: everything needed to repeat them, and nothing that does not matter to them.

use std::collections::HashSet;
use std::sync::Arc;

use axonml_models::{
    Detection, InitialState, Model, NodeSelection, Precision, Text, ThresholdSearch,
};
use serde_json::{Map, Value, json};

use crate::study::StudyError;
use crate::study::case::{Case, CaseInjection};
use crate::study::setup::Setup;
use crate::study::spec::EndExcitation;

/// A model with the numbers that it runs with.
pub type ModelSetup = (Model, Arc<Setup>);

/// A request under construction.
#[derive(Clone, Debug, Default)]
pub struct Request(Map<String, Value>);

impl Request {
    /// The settings that every command has.
    ///
    /// # Errors
    /// [`StudyError`] if parameters do not fit their model.
    pub fn new(command: &str, models: &[ModelSetup]) -> Result<Self, StudyError> {
        let mut request = Request(Map::new());
        let ids: Vec<Text> = models.iter().map(|(model, _)| model.schema().id).collect();
        let (mut hashes, mut weights, mut parameters) = (Map::new(), Map::new(), Map::new());
        for (model, setup) in models {
            let id = model.schema().id;
            // Groups of one model with different numbers are told apart.
            let mut key = id.to_string();
            while hashes.contains_key(&key) {
                key.push('\'');
            }
            hashes.insert(key.clone(), json!(setup.model_hash(model)?));
            if let Some(named) = setup.weights.of_model(&id) {
                let description = json!({"name": named.name, "sha256": named.sha256});
                weights.insert(key, description);
            }
            for (name, value) in &setup.parameters {
                parameters.insert(name.clone(), json!(value));
            }
        }
        let each =
            |of: fn(&Setup) -> Value| one_or_all(models.iter().map(|(_, s)| of(s)).collect());
        request.put("command", command);
        request.put("version", env!("CARGO_PKG_VERSION"));
        request.put("model", one_or_all(ids));
        request.put("model_hash", hashes);
        request.put("weights", weights);
        request.put("set", parameters);
        request.put("ends", each(|setup| json!(setup.ends.name())));
        request.put(
            "start",
            each(|setup| match setup.start {
                InitialState::Declared => json!("published"),
                InitialState::Settled { .. } => json!("steady-state"),
            }),
        );
        request.put(
            "warmup_ms",
            each(|setup| match setup.start {
                InitialState::Declared => Value::Null,
                InitialState::Settled { warmup_ms } => json!(warmup_ms),
            }),
        );
        request.put(
            "precision",
            each(|setup| match setup.precision {
                Precision::F32 => json!("f32"),
                Precision::F64 => json!("f64"),
            }),
        );
        request.put("rates", each(|setup| json!(setup.rates.name())));
        request.put("backend", each(|setup| json!(setup.machine.device.name())));
        Ok(request)
    }

    /// Adds a setting.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Adds the steps, fibers and detection of `cases`: a value where all agree, else all values that occur.
    pub fn put_cases<'c>(&mut self, cases: impl Iterator<Item = &'c Case> + Clone) {
        let all = |value: fn(&Case) -> f64| one_or_all(cases.clone().map(value).collect());
        let celsius: Vec<Option<f64>> = cases.clone().map(|case| case.celsius).collect();
        self.put("temperature_celsius", one_or_all(celsius));
        self.put("dt_ms", all(|case| case.dt_ms));
        self.put("tstop_ms", all(|case| case.tstop_ms));
        self.put("diameter_um", all(|case| case.fiber.diameter_um));
        self.put(
            "nodes",
            one_or_all(cases.clone().map(|case| case.fiber.nodes).collect()),
        );
        let delta_z: Vec<f64> = cases
            .clone()
            .filter_map(|case| case.fiber.compartment_um)
            .collect();
        self.put("delta_z_um", one_or_all(delta_z));
        self.put(
            "detection",
            one_or_all(
                cases
                    .map(|case| describe_detection(&case.detection))
                    .collect(),
            ),
        );
    }

    /// Adds the currents injected.
    pub fn put_injections(&mut self, injections: &[CaseInjection]) {
        let list = injections.iter().map(|injection| {
            json!({
                "node": injection.node, "amp_nA": injection.amp_na, "pw_ms": injection.pw_ms,
                "delay_ms": injection.delay_ms
            })
        });
        self.put("inject", list.collect::<Vec<_>>());
    }

    /// Adds the limits of a search.
    pub fn put_search(&mut self, search: &ThresholdSearch, ends: EndExcitation) {
        self.put("first_mA", search.first_ma);
        self.put("max_amplitude_mA", search.max_ma);
        self.put("resolution", search.resolution);
        self.put("early_end", search.early_end);
        // It decides about statuses.
        self.put("end_excitation", json!(ends));
    }

    /// The request.
    pub fn value(self) -> Value {
        Value::Object(self.0)
    }
}

fn describe_detection(detection: &Detection) -> Value {
    let (key, sites) = match &detection.sites {
        NodeSelection::Nodes(nodes) => ("nodes", json!(nodes)),
        NodeSelection::Fractions(fractions) => ("at", json!(fractions)),
        NodeSelection::All => ("nodes", json!("all")),
    };
    json!({key: sites, "threshold_mV": detection.threshold_mv, "after_ms": detection.after_ms})
}

/// The one value that all have, or the values that occur, in order of appearance; of many numbers their range.
fn one_or_all<T: Into<Value>>(values: Vec<T>) -> Value {
    const MOST: usize = 100;
    let mut known = HashSet::new();
    let values = values.into_iter().map(Into::into);
    let mut different: Vec<Value> = values
        .filter(|value: &Value| known.insert(value.to_string()))
        .collect();
    let numbers: Vec<f64> = different.iter().filter_map(Value::as_f64).collect();
    match different.len() {
        0 => Value::Null,
        1 => different.swap_remove(0),
        many if many > MOST && numbers.len() == many => json!({
            "different": many,
            "min": numbers.iter().copied().fold(f64::INFINITY, f64::min),
            "max": numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }),
        _ => Value::Array(different),
    }
}
