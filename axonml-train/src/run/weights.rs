//! The model files that a training writes.

use std::collections::BTreeMap;
use std::path::Path;

use axonml_models::description::{FIBER_FILE, FiberDescription, ModelChoiceError};
use axonml_models::weights::{Domain, ModelFile, ModelStart};
use sha2::{Digest, Sha256};

use crate::dataset::file_record::hex;
use crate::dataset::{FieldKind, Recipe};
use crate::{Surrogate, TrainError};

/// The part common to all model files of a training.
pub(super) struct Origin {
    pub(super) domain: Domain,
    pub(super) provenance: BTreeMap<String, String>,
}

impl Origin {
    /// Of a training with these settings, from the recipe that is known. The description of a model of one's own
    /// is kept.
    pub(super) fn new(
        surrogate: &Surrogate,
        own: Option<&FiberDescription>,
        settings: &[(String, String)],
        recipe: Option<&Recipe>,
        dt_ms: f64,
        pulse_width_ms: Option<(f64, f64)>,
        backend: &str,
    ) -> Result<Self, TrainError> {
        let lines: Vec<String> = settings
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        let text = lines.join("\n");
        let distances = recipe.into_iter().flat_map(|recipe| &recipe.fields);
        let distances = distances.filter_map(|field| match &field.kind {
            FieldKind::Point { distance_um, .. } => Some(distance_um.low),
            FieldKind::Nerve { .. } => None,
        });
        let range = |recipe: &Recipe| (recipe.diameter_um.low, recipe.diameter_um.high);
        let entry = |key: &str, value: String| (key.to_owned(), value);
        let mut provenance = BTreeMap::from([
            entry("program", format!("axonml {}", env!("CARGO_PKG_VERSION"))),
            entry("backend", backend.to_owned()),
            entry("settings_sha256", hex(&Sha256::digest(&text))),
            entry("settings", text),
            entry("trained_parameters", surrogate.names().join(", ")),
        ]);
        if let Some(own) = own {
            let text = own.to_toml().map_err(|source| {
                TrainError::from(ModelChoiceError::Description {
                    path: own.id.clone(),
                    source,
                })
            })?;
            provenance.extend([entry(FIBER_FILE, text)]);
        }
        Ok(Origin {
            domain: Domain {
                diameter_um: recipe.map(range),
                dt_ms: Some(dt_ms),
                pulse_width_ms,
                source_distance_um: distances.reduce(f64::min),
                celsius: Some(surrogate.schema().celsius),
            },
            provenance,
        })
    }

    /// Writes the surrogate at `x`, with additional provenance.
    pub(super) fn write(
        &self,
        path: &Path,
        surrogate: &Surrogate,
        x: &[f64],
        about: &[(&str, String)],
    ) -> Result<(), TrainError> {
        let weights = |source| TrainError::Weights {
            place: path.display().to_string(),
            source,
        };
        let schema = surrogate.schema();
        let mut file = ModelFile::new(surrogate.model());
        file.parameters = surrogate.parameters(x).into_iter().collect();
        let states = schema.start.states.as_ref().map(|values| {
            let names = schema.states.iter().map(|name| name.to_string());
            names.zip(values.iter().copied()).collect()
        });
        file.start = ModelStart {
            v_mv: schema.start.v_mv,
            states,
        };
        file.domain = self.domain.clone();
        file.provenance = self.provenance.clone();
        let about = about
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        file.provenance.extend(about);
        let bytes = file.to_bytes().map_err(weights)?;
        axonml_files::replace(path, &bytes).map_err(TrainError::write(path))
    }
}
