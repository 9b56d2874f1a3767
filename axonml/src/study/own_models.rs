//! Fibers of one's own in a study: descriptions that it carries or names by file.

use std::path::Path;

use axonml_models::description::{ModelChoice, ModelChoiceError};
use axonml_models::{Model, Models};

use super::StudyError;
use super::spec::{FiberGroup, Study};

/// The model of a group that names none.
pub const DEFAULT_MODEL: &str = "mrg";

/// A model by the name of a bundled one, or by the path of a fiber file (`.toml`).
///
/// # Errors
/// [`StudyError`] for an unknown name, and for a file that cannot be read or is not in order: line and column.
pub fn model_named(name: &str) -> Result<Model, StudyError> {
    Ok(read(name)?.model()?)
}

/// The model that `name` stands for, read from its file if it is the path of one.
fn read(name: &str) -> Result<ModelChoice, StudyError> {
    Ok(ModelChoice::from(name).read(Path::new(""))?)
}

impl From<ModelChoiceError> for StudyError {
    fn from(error: ModelChoiceError) -> Self {
        match error {
            ModelChoiceError::Unknown(error) => error.into(),
            ModelChoiceError::Read { path, problem } => {
                StudyError::request(format!("cannot read `{path}`: {problem}"))
                    .help("name a bundled model, or an existing fiber file")
            }
            ModelChoiceError::Description { path, source } => StudyError::request(source).at(path),
            other => StudyError::request(other),
        }
    }
}

impl Study {
    /// The same study with the fiber files that it names read into it.
    ///
    /// # Errors
    /// As [`model_named`]; also for two files of one id that differ.
    pub(crate) fn with_models_read(&self) -> Result<Study, StudyError> {
        let mut study = self.clone();
        for group in &mut study.fibers {
            let Some(name) = &group.model else { continue };
            let choice = read(name)?;
            let Some(description) = choice.description().cloned() else {
                continue;
            };
            let id = description.id.clone();
            match study.models.iter().find(|known| known.id == id) {
                None => study.models.push(description),
                Some(known) if *known == description => {}
                Some(_) => {
                    return Err(StudyError::request(format!(
                        "`{name}` describes a model `{id}`, and so does another file or [[model]] of the study, in other \
                         words"
                    ))
                    .help("give one of them another id"));
                }
            }
            group.model = Some(id);
        }
        for description in &study.models {
            let checked = description.check();
            checked.map_err(|error| {
                StudyError::request(error).at(format!("model `{}`", description.id))
            })?;
        }
        Ok(study)
    }

    /// The models that names in the study stand for.
    ///
    /// # Errors
    /// [`StudyError`] for an id that two of the study's own models have.
    pub(crate) fn known_models(&self) -> Result<Models, StudyError> {
        let own = self.models.iter().cloned().map(Model::new);
        Ok(Models::with(own)?)
    }

    /// The model of a group.
    ///
    /// # Errors
    /// [`StudyError`] for an unknown name, with the nearest.
    pub(crate) fn model_of(&self, group: &FiberGroup) -> Result<Model, StudyError> {
        let name = group.model.as_deref().unwrap_or(DEFAULT_MODEL);
        Ok(self.known_models()?.find(name)?)
    }
}
