//! Weights that a study names: for requests and titles, and whether they are used where they hold.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axonml_models::provenance::sha256;
use axonml_models::weights::{BUNDLED, Bundled, ModelFile, ModelFileError, Weights, bundled};
use axonml_models::{MODELS, Model, Models, Schema, Text};

use super::StudyError;

/// Value of `--weights` for the constants that a model itself declares.
pub const PUBLISHED: &str = "published";

/// Weights that were read and fit their model.
#[derive(Debug)]
pub struct NamedWeights {
    /// As they were asked for: a bundled name or a path.
    pub name: String,
    /// Of the file's bytes.
    pub sha256: String,
    /// The file.
    pub file: Arc<ModelFile>,
    /// The model's declaration with these numbers.
    pub schema: Schema,
}

impl NamedWeights {
    /// Bundled weights, or those in a file.
    pub fn find(name: &str, models: &Models) -> Result<Self, StudyError> {
        match named_bundled(name)? {
            Some(found) => NamedWeights::bundled(found),
            None => NamedWeights::new(name, &read(name)?, models),
        }
    }

    /// Weights that the library carries.
    pub fn bundled(bundled: &Bundled) -> Result<Self, StudyError> {
        NamedWeights::new(bundled.name, bundled.bytes, &Models::default())
    }

    fn new(name: &str, bytes: &[u8], models: &Models) -> Result<Self, StudyError> {
        let wrong = |error: ModelFileError| StudyError::request(error).at(format!("`{name}`"));
        let file = ModelFile::from_bytes(bytes).map_err(wrong)?;
        let model = models.find(&file.model).map_err(|error| {
            StudyError::from(error).at(format!("`{name}`")).help(
                "weights of a fiber of one's own are used with its fiber file: --model FILE.toml",
            )
        })?;
        Ok(NamedWeights {
            name: name.to_owned(),
            sha256: sha256(bytes),
            schema: file.schema(model.schema()).map_err(wrong)?,
            file: Arc::new(file),
        })
    }
}

/// The model file that a name stands for: bundled weights, or the path of a `.safetensors` file. Whether it fits a model is
/// found when it is used.
///
/// # Errors
/// [`StudyError`] for a name that is not bundled, and for a file that cannot be read or is none.
pub fn weights_named(name: &str) -> Result<ModelFile, StudyError> {
    let file = match named_bundled(name)? {
        Some(found) => ModelFile::from_bytes(found.bytes),
        None => ModelFile::from_bytes(&read(name)?),
    };
    file.map_err(|error| StudyError::request(error).at(format!("`{name}`")))
}

/// The bundled weights of a name; none of what is the path of a file.
fn named_bundled(name: &str) -> Result<Option<&'static Bundled>, StudyError> {
    let is_path = name.contains(['/', '\\']) || name.ends_with(".safetensors");
    if is_path || Path::new(name).is_file() {
        return Ok(None);
    }
    let found = bundled(name).map_err(|error| {
        StudyError::request(error).help("name bundled weights, a .safetensors file, or `published`")
    })?;
    Ok(Some(found))
}

fn read(path: &str) -> Result<Vec<u8>, StudyError> {
    std::fs::read(path).map_err(|error| {
        StudyError::request(format!("cannot read `{path}`: {error}"))
            .help("name an existing .safetensors file")
    })
}

/// The weights of every model.
#[derive(Clone, Debug)]
pub struct WeightChoice {
    /// Of models that `by_model` does not have.
    others: Weights,
    by_model: BTreeMap<Text, Arc<NamedWeights>>,
    /// The model of the weights that were asked for.
    asked: Option<Text>,
}

impl WeightChoice {
    /// As `--weights` has it: a name, a file, `published`, or nothing, which is every model's own default.
    pub fn of(flag: Option<&str>, models: &Models) -> Result<Self, StudyError> {
        match flag {
            Some(PUBLISHED) => WeightChoice::all(Weights::Published),
            Some(name) => {
                let weights =
                    NamedWeights::find(name, models).map_err(|error| error.at("weights"))?;
                let mut choice = WeightChoice::defaults()?;
                let id = weights.schema.id.clone();
                choice.asked = Some(id.clone());
                choice.by_model.insert(id, Arc::new(weights));
                Ok(choice)
            }
            None => WeightChoice::defaults(),
        }
    }

    /// Every model's own default.
    pub fn defaults() -> Result<Self, StudyError> {
        WeightChoice::all(Weights::Default)
    }

    fn all(weights: Weights) -> Result<Self, StudyError> {
        let mut by_model = BTreeMap::new();
        for schema in MODELS.iter().map(|model| model.schema()) {
            let chosen = weights.choose(&schema)?;
            if let Some(bundled) = chosen.and_then(|chosen| chosen.bundled) {
                by_model.insert(schema.id, Arc::new(NamedWeights::bundled(bundled)?));
            }
        }
        Ok(WeightChoice {
            others: weights,
            by_model,
            asked: None,
        })
    }

    /// The weights that stand for a model's declared constants, if any do.
    pub fn of_model(&self, id: &str) -> Option<&Arc<NamedWeights>> {
        self.by_model.get(id)
    }

    /// Weights in the library's terms.
    pub fn weights(&self, id: &str) -> Weights {
        match self.of_model(id) {
            Some(named) => Weights::File(named.file.clone()),
            None => self.others.clone(),
        }
    }

    /// Refuses weights of a model that is not among those simulated.
    pub fn check_used(&self, models: &[Model]) -> Result<(), StudyError> {
        let Some(asked) = &self.asked else {
            return Ok(());
        };
        let ids: Vec<Text> = models.iter().map(|model| model.schema().id).collect();
        if ids.is_empty() || ids.contains(asked) {
            return Ok(());
        }
        Err(StudyError::request(format!(
            "weights: found parameters of model `{asked}`, expected those of `{}`, which is simulated",
            ids.join("`, `")
        ))
        .help(format!("give --model {asked}, or leave --weights out")))
    }
}

/// Weights that the library carries for a model, its default first.
pub fn bundled_for(schema: &Schema) -> Vec<&'static Bundled> {
    let mut all: Vec<&Bundled> = BUNDLED.iter().filter(|b| b.model == schema.id).collect();
    all.sort_by_key(|bundled| schema.weights != Some(bundled.name));
    all
}
