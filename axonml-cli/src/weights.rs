//! The flag `--weights`: what it names, for requests and titles, and whether it is used where it holds. Which weights a model
//! runs with is the library's to decide.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use axonml::TimeGrid;
use axonml::model::Schema;
use axonml::model::weights::{
    BUNDLED, Bundled, ModelFile, ModelFileError, Usage, Weights, bundled, phase_widths_ms,
};
use axonml::simulation::provenance::sha256;
use axonml::{FiberModel, MODELS};

use crate::error::CliError;
use crate::job::{Job, Source};
use crate::messages::Messages;

/// Value of `--weights` for the constants that a model itself declares.
pub(crate) const PUBLISHED: &str = "published";

/// Weights that were read and fit their model.
#[derive(Debug)]
pub(crate) struct Named {
    /// As they were asked for: a bundled name or a path.
    pub(crate) name: String,
    /// Of the file's bytes.
    pub(crate) sha256: String,
    /// The file.
    pub(crate) file: Arc<ModelFile>,
    /// The model's declaration with these numbers.
    pub(crate) schema: Schema,
}

impl Named {
    /// Bundled weights, or those in a file.
    pub(crate) fn find(name: &str) -> Result<Self, CliError> {
        let is_path = name.contains(['/', '\\']) || name.ends_with(".safetensors");
        if !is_path && !Path::new(name).is_file() {
            let found = bundled(name).map_err(|error| {
                CliError::request(error)
                    .help("name bundled weights, a .safetensors file, or `published`")
            })?;
            return Named::bundled(found);
        }
        let bytes = std::fs::read(name).map_err(|error| {
            CliError::request(format!("cannot read `{name}`: {error}"))
                .help("name an existing .safetensors file")
        })?;
        Named::new(name, &bytes)
    }

    /// Weights that the library carries.
    pub(crate) fn bundled(bundled: &Bundled) -> Result<Self, CliError> {
        Named::new(bundled.name, bundled.bytes)
    }

    fn new(name: &str, bytes: &[u8]) -> Result<Self, CliError> {
        let wrong = |error: ModelFileError| CliError::request(error).at(format!("`{name}`"));
        let file = ModelFile::from_bytes(bytes).map_err(wrong)?;
        let model = axonml::model(&file.model)
            .map_err(|error| CliError::from(error).at(format!("`{name}`")))?;
        Ok(Named {
            name: name.to_owned(),
            sha256: sha256(bytes),
            schema: file.schema(model.schema()).map_err(wrong)?,
            file: Arc::new(file),
        })
    }
}

/// The weights of every model.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Of models that `by_model` does not have.
    others: Weights,
    by_model: BTreeMap<&'static str, Arc<Named>>,
    /// The model of the weights that were asked for.
    asked: Option<&'static str>,
}

impl Choice {
    /// As `--weights` has it: a name, a file, `published`, or nothing, which is every model's own default.
    pub(crate) fn of(flag: Option<&str>) -> Result<Self, CliError> {
        match flag {
            Some(PUBLISHED) => Choice::all(Weights::Published),
            Some(name) => {
                let weights = Named::find(name).map_err(|error| error.at("--weights"))?;
                let mut choice = Choice::defaults()?;
                choice.asked = Some(weights.schema.id);
                choice.by_model.insert(weights.schema.id, Arc::new(weights));
                Ok(choice)
            }
            None => Choice::defaults(),
        }
    }

    /// Every model's own default.
    pub(crate) fn defaults() -> Result<Self, CliError> {
        Choice::all(Weights::Default)
    }

    fn all(weights: Weights) -> Result<Self, CliError> {
        let mut by_model = BTreeMap::new();
        for schema in MODELS.iter().map(|model| model.schema()) {
            let chosen = weights.choose(&schema)?;
            if let Some(bundled) = chosen.and_then(|chosen| chosen.bundled) {
                by_model.insert(schema.id, Arc::new(Named::bundled(bundled)?));
            }
        }
        Ok(Choice {
            others: weights,
            by_model,
            asked: None,
        })
    }

    /// The weights that stand for a model's declared constants, if any do.
    pub(crate) fn of_model(&self, id: &str) -> Option<&Arc<Named>> {
        self.by_model.get(id)
    }

    /// Weights in the library's terms.
    pub(crate) fn weights(&self, id: &str) -> Weights {
        match self.of_model(id) {
            Some(named) => Weights::File(named.file.clone()),
            None => self.others.clone(),
        }
    }

    /// Refuses weights of a model that is not among those simulated.
    pub(crate) fn check_used(&self, models: &[&'static dyn FiberModel]) -> Result<(), CliError> {
        let Some(asked) = self.asked else {
            return Ok(());
        };
        let ids: Vec<&str> = models.iter().map(|model| model.schema().id).collect();
        if ids.is_empty() || ids.contains(&asked) {
            return Ok(());
        }
        Err(CliError::request(format!(
            "--weights: found parameters of model `{asked}`, expected those of `{}`, which is simulated",
            ids.join("`, `")
        ))
        .help(format!("give --model {asked}, or leave --weights out")))
    }

    /// Warns, once for each condition, where jobs leave the domain that their weights were trained on.
    pub(crate) fn warn<'j>(&self, jobs: impl Iterator<Item = &'j Job>, messages: Messages) {
        let mut usages: BTreeMap<&'static str, Usage> = BTreeMap::new();
        let mut phases = HashMap::new();
        for job in jobs {
            let id = job.model.schema().id;
            let Some(weights) = self.of_model(id) else {
                continue;
            };
            let usage = usages.entry(id).or_default();
            Usage::widen(&mut usage.dt_ms, job.dt_ms);
            Usage::widen(&mut usage.diameter_um, job.fiber.diameter_um);
            Usage::widen(
                &mut usage.celsius,
                job.celsius.unwrap_or(weights.schema.celsius),
            );
            if let Some(distance) = job.source_distance_um {
                Usage::widen(&mut usage.source_distance_um, distance);
            }
            if let Some(Source::Field(_, waveform)) = &job.source {
                let key = (
                    Arc::as_ptr(waveform) as usize,
                    job.dt_ms.to_bits(),
                    job.tstop_ms.to_bits(),
                );
                let widths = phases.entry(key).or_insert_with(|| {
                    let grid = TimeGrid::new(job.dt_ms, job.tstop_ms).ok()?;
                    phase_widths_ms(&waveform.sample(&grid).ok()?, job.dt_ms)
                });
                if let Some((least, greatest)) = *widths {
                    Usage::widen(&mut usage.pulse_width_ms, least);
                    Usage::widen(&mut usage.pulse_width_ms, greatest);
                }
            }
        }
        for (id, usage) in usages {
            let Some(weights) = self.of_model(id) else {
                continue;
            };
            for departure in weights.file.domain.departures(&usage) {
                messages.warn(format_args!(
                    "weights {} of model {id} are extrapolating beyond the training domain: {departure}",
                    weights.name
                ));
            }
        }
    }
}

/// Weights that the library carries for a model, its default first.
pub(crate) fn bundled_for(schema: &Schema) -> Vec<&'static Bundled> {
    let mut all: Vec<&Bundled> = BUNDLED.iter().filter(|b| b.model == schema.id).collect();
    all.sort_by_key(|bundled| schema.weights != Some(bundled.name));
    all
}
