//! Settings that stand above the columns of a table.

use std::path::PathBuf;

use axonml_core::{Extension, Interpolation, Medium, Waveform};

use super::Polarity;
use crate::{FiberLength, Model, Models, NerveOptions, NodeSelection};

/// A point electrode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Electrode {
    /// Its place, um; the fiber lies along z, its middle node at the origin.
    pub at_um: [f64; 3],
    /// Multiple of the waveform there.
    pub factor: f64,
}

/// Settings that override a table's columns; `None` leaves a setting to the column or the default.
#[derive(Clone, Default)]
pub struct Overrides {
    /// The model, in place of the rows' own.
    pub model: Option<Model>,
    /// The models that names in the column `model` stand for.
    pub models: Models,
    /// Fiber diameter, um.
    pub diameter_um: Option<f64>,
    /// Extent of the fibers.
    pub length: Option<FiberLength>,
    /// Spacing of nodes or compartments, um.
    pub delta_z_um: Option<f64>,
    /// Temperature, degrees Celsius.
    pub celsius: Option<f64>,
    /// Time step, ms.
    pub dt_ms: Option<f64>,
    /// Duration, ms.
    pub tstop_ms: Option<f64>,
    /// Detection sites.
    pub detect_sites: Option<NodeSelection>,
    /// Detection level, mV.
    pub detect_threshold_mv: Option<f64>,
    /// Time before which crossings do not count, ms.
    pub detect_after_ms: Option<f64>,
    /// Waveform, as it was written and as it is without its polarity.
    pub pulse: Option<(String, Waveform)>,
    /// Polarity.
    pub polarity: Option<Polarity>,
    /// Point electrodes, in place of the rows' fields; none leaves these.
    pub electrodes: Vec<Electrode>,
    /// Conductor around point electrodes.
    pub medium: Option<Medium>,
    /// Multiple of the waveform at each contact of nerves.
    pub contacts: Option<Vec<f64>>,
    /// Interpolation along the lines of nerves.
    pub interpolation: Option<Interpolation>,
    /// Shift of fibers along their lines, um.
    pub offset_um: Option<f64>,
    /// Handling of fibers that are longer than their lines.
    pub extension: Option<Extension>,
    /// How the nerves that rows name are read.
    pub nerve_options: NerveOptions,
    /// The folder that holds the nerve folders which rows name.
    pub nerves: Option<PathBuf>,
}

impl Overrides {
    /// The columns that these settings override, each with the value used instead; empty where no single value
    /// expresses it.
    pub fn columns(&self) -> Vec<(&'static str, String)> {
        let mut columns: Vec<(&'static str, String)> = Vec::new();
        let mut put =
            |column, value: Option<String>| columns.extend(value.map(|value| (column, value)));
        let number = |x: Option<f64>| x.map(|x| x.to_string());
        put(
            "model",
            self.model
                .as_ref()
                .map(|model| model.schema().id.to_string()),
        );
        put("diameter_um", number(self.diameter_um));
        if let Some(length) = self.length {
            let (nodes, um) = match length {
                FiberLength::Nodes(nodes) => (nodes.to_string(), String::new()),
                FiberLength::Um(um) => (String::new(), um.to_string()),
                FiberLength::Default => (String::new(), String::new()),
            };
            put("n_nodes", Some(nodes));
            put("length_um", Some(um));
        }
        put("delta_z_um", number(self.delta_z_um));
        put("temperature", number(self.celsius));
        put("dt_ms", number(self.dt_ms));
        put("tstop_ms", number(self.tstop_ms));
        if let Some(sites) = &self.detect_sites {
            let list = |numbers: Vec<String>| numbers.join(",");
            let (nodes, fractions) = match sites {
                NodeSelection::Nodes(nodes) => (
                    list(nodes.iter().map(i64::to_string).collect()),
                    String::new(),
                ),
                NodeSelection::Fractions(at) => {
                    (String::new(), list(at.iter().map(f64::to_string).collect()))
                }
                NodeSelection::All => (String::new(), String::new()),
            };
            put("detect_node_index", Some(nodes));
            put("detect_at", Some(fractions));
        }
        put("detect_threshold_mV", number(self.detect_threshold_mv));
        put("detect_after_ms", number(self.detect_after_ms));
        if !self.electrodes.is_empty() {
            for column in [
                "distance_um",
                "z_offset_um",
                "nerve",
                "fiber",
                "contacts",
                "offset_um",
            ] {
                put(column, Some(String::new()));
            }
        }
        if let Some(Medium::Isotropic { resistivity_ohm_cm }) = self.medium {
            put("resistivity_ohm_cm", Some(resistivity_ohm_cm.to_string()));
        } else if self.medium.is_some() {
            put("resistivity_ohm_cm", Some(String::new()));
        }
        if let Some(contacts) = &self.contacts {
            let factors: Vec<String> = contacts.iter().map(f64::to_string).collect();
            put("contacts", Some(factors.join(",")));
        }
        put("offset_um", number(self.offset_um));
        if let Some((text, _)) = &self.pulse {
            put("pulse", Some(text.clone()));
            for column in ["shape", "pw_ms", "delay_ms"] {
                put(column, Some(String::new()));
            }
        }
        put(
            "polarity",
            self.polarity.map(|polarity| polarity.to_string()),
        );
        columns
    }
}
