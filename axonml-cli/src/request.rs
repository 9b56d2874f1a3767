//! The request that results carry: everything needed to repeat them, and nothing that does not matter to them.

use axonml::Waveform;
use axonml::simulation::{Detection, InitialState};
use axonml::{FiberModel, NodeSelection, Precision, ThresholdSearch};
use serde_json::{Map, Value, json};

use crate::args::{PULSE, Polarity, WaveformArgs};
use crate::common::Common;
use crate::error::CliError;
use crate::job::{Injections, Job};

/// A request under construction.
#[derive(Default)]
pub(crate) struct Request(Map<String, Value>);

impl Request {
    /// The settings that every command has.
    pub(crate) fn new(
        command: &str,
        models: &[&'static dyn FiberModel],
        common: &Common,
    ) -> Result<Self, CliError> {
        let mut request = Request(Map::new());
        let ids: Vec<&str> = models.iter().map(|model| model.schema().id).collect();
        let mut hashes = Map::new();
        for model in models {
            let id = model.schema().id.to_owned();
            hashes.insert(id, json!(common.model_hash(*model)?));
        }
        let weights: Map<String, Value> = ids
            .iter()
            .filter_map(|id| Some((*id, common.weights.of_model(id)?)))
            .map(|(id, weights)| {
                let description = json!({"name": weights.name, "sha256": weights.sha256});
                (id.to_owned(), description)
            })
            .collect();
        let parameters: Map<String, Value> = common
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let (start, warmup_ms) = match common.start {
            InitialState::Declared => ("published", Value::Null),
            InitialState::Settled { warmup_ms } => ("steady-state", json!(warmup_ms)),
        };
        request.put("command", command);
        request.put("version", env!("CARGO_PKG_VERSION"));
        request.put("model", one_or_all(ids.clone()));
        request.put("model_hash", hashes);
        request.put("weights", weights);
        request.put("set", parameters);
        request.put("ends", "active");
        request.put("start", start);
        request.put("warmup_ms", warmup_ms);
        request.put(
            "precision",
            match common.precision {
                Precision::F32 => "f32",
                Precision::F64 => "f64",
            },
        );
        request.put("rates", "exact");
        request.put("backend", common.device.name());
        Ok(request)
    }

    /// Adds a setting.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Adds the steps, fibers and detection of `jobs`: a value where all agree, else all values that occur.
    pub(crate) fn put_jobs<'j>(&mut self, jobs: impl Iterator<Item = &'j Job> + Clone) {
        let all = |value: fn(&Job) -> f64| one_or_all(jobs.clone().map(value).collect());
        let celsius: Vec<Option<f64>> = jobs.clone().map(|job| job.celsius).collect();
        self.put("temperature_celsius", one_or_all(celsius));
        self.put("dt_ms", all(|job| job.dt_ms));
        self.put("tstop_ms", all(|job| job.tstop_ms));
        self.put("diameter_um", all(|job| job.fiber.diameter_um));
        self.put(
            "nodes",
            one_or_all(jobs.clone().map(|job| job.fiber.nodes).collect()),
        );
        let delta_z: Vec<f64> = jobs
            .clone()
            .filter_map(|job| job.fiber.compartment_um)
            .collect();
        self.put("delta_z_um", one_or_all(delta_z));
        self.put(
            "detection",
            one_or_all(jobs.map(|job| describe_detection(&job.detection)).collect()),
        );
    }

    /// Adds the currents injected.
    pub(crate) fn put_injections(&mut self, injections: &Injections) {
        let list = injections.iter().map(|(injection, _)| {
            json!({
                "node": injection.node, "amp_nA": injection.amp_na, "pw_ms": injection.pw_ms,
                "delay_ms": injection.delay_ms
            })
        });
        self.put("inject", list.collect::<Vec<_>>());
    }

    /// Adds the waveform: the pulse as it was asked for, the waveform with its polarity, and the hash of its file.
    pub(crate) fn put_waveform(
        &mut self,
        args: &WaveformArgs,
        waveform: &Waveform,
    ) -> Result<(), CliError> {
        self.put("pulse", args.pulse.as_deref().unwrap_or(PULSE));
        self.put(
            "polarity",
            args.polarity.unwrap_or(Polarity::Cathodic).name(),
        );
        self.put("waveform", waveform.to_string());
        let hash = args.written()?.and_then(|(_, read)| read.file_sha256);
        if let Some(hash) = hash {
            self.put("pulse_sha256", hash);
        }
        Ok(())
    }

    /// Adds the limits of a search.
    pub(crate) fn put_search(&mut self, search: &ThresholdSearch) {
        self.put("first_mA", search.first_ma);
        self.put("max_amplitude_mA", search.max_ma);
        self.put("resolution", search.resolution);
        self.put("early_end", search.early_end);
    }

    /// The request.
    pub(crate) fn value(self) -> Value {
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

/// The one value that all have, or the values that occur, in order of appearance.
fn one_or_all<T: PartialEq + Into<Value>>(values: Vec<T>) -> Value {
    let mut different: Vec<T> = Vec::new();
    for value in values {
        if !different.contains(&value) {
            different.push(value);
        }
    }
    match different.len() {
        0 => Value::Null,
        1 => different.pop().map_or(Value::Null, Into::into),
        _ => Value::Array(different.into_iter().map(Into::into).collect()),
    }
}
