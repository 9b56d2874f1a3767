//! Fibers of one's own in a study: descriptions that it carries or names by file.

use std::path::Path;

use axonml_models::description::FiberDescription;
use axonml_models::{Model, Models, read_text_file};

use super::StudyError;
use super::spec::{FiberGroup, Study};

/// The model of a group that names none.
pub const DEFAULT_MODEL: &str = "mrg";

/// A model by the name of a bundled one, or by the path of a fiber file (`.toml`).
///
/// # Errors
/// [`StudyError`] for an unknown name, and for a file that cannot be read or is not in order: line and column.
pub fn model_named(name: &str) -> Result<Model, StudyError> {
    match described(name)? {
        Some(description) => Ok(Model::new(description)),
        None => Ok(axonml_models::model(name)?),
    }
}

/// The description in the file that `name` is the path of; none if it is no such path.
fn described(name: &str) -> Result<Option<FiberDescription>, StudyError> {
    let path = Path::new(name);
    if path.extension().is_none_or(|ending| ending != "toml") {
        return Ok(None);
    }
    let unreadable = |problem: String| {
        StudyError::request(format!("cannot read `{name}`: {problem}"))
            .help("name a bundled model, or an existing fiber file")
    };
    let bytes = read_text_file(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
    match FiberDescription::from_toml(&text) {
        Ok(description) => Ok(Some(description)),
        Err(error) => Err(StudyError::request(error).at(name)),
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
            let Some(description) = described(name)? else {
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
