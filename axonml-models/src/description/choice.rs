//! Models as studies, recipes and trainings name them.

use std::fmt;
use std::path::Path;

use axonml_core::CoreError;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::{DescriptionError, FiberDescription};
use crate::models::model;
use crate::{Model, read_text_file};

/// A model as a file names it: a bundled one by its name, one's own by the path of its fiber file (`.toml`) or by its
/// description, which needs no file.
///
/// In files it is a text (`model = "mrg"`, `model = "mine.toml"`) or a table with the keys of a fiber file.
///
/// # Example
/// ```
/// use axonml_models::description::ModelChoice;
///
/// let bundled = ModelChoice::from("sundt");
/// assert_eq!(bundled.model()?.schema().id, "sundt");
/// let own = ModelChoice::from("mine.toml");
/// let error = own.read("no-such-folder".as_ref()).unwrap_err();
/// assert!(error.to_string().contains("cannot read `no-such-folder/mine.toml`"));
/// # Ok::<(), axonml_models::description::ModelChoiceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ModelChoice {
    /// The name of a bundled model, or the path of a fiber file that has not been read yet.
    Named(String),
    /// A description.
    Described(Box<FiberDescription>),
}

/// Errors of finding the model that is named.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelChoiceError {
    /// No bundled model has this name.
    #[error("{0}; a fiber of one's own is named by its file, FILE.toml")]
    Unknown(CoreError),
    /// The fiber file cannot be read.
    #[error("cannot read `{path}`: {problem}; name a bundled model, or an existing fiber file")]
    Read {
        /// The file.
        path: String,
        /// The problem.
        problem: String,
    },
    /// The fiber file is not in order.
    #[error("{path}: {source}")]
    Description {
        /// The file.
        path: String,
        /// The place and the problem.
        source: DescriptionError,
    },
    /// The fiber file was named, but not read.
    #[error(
        "`{path}` is a fiber file that has not been read: read it with `ModelChoice::read` first"
    )]
    NotRead {
        /// The file.
        path: String,
    },
}

impl ModelChoice {
    /// The same with the description in place of the fiber file that it names. A relative path starts from `base`.
    ///
    /// # Errors
    /// [`ModelChoiceError::Read`] and [`ModelChoiceError::Description`].
    pub fn read(&self, base: &Path) -> Result<Self, ModelChoiceError> {
        let Some(file) = self.file() else {
            return Ok(self.clone());
        };
        let path = base.join(file);
        let name = path.display().to_string();
        let unreadable = |problem: String| ModelChoiceError::Read {
            path: name.clone(),
            problem,
        };
        let bytes = read_text_file(&path).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
        match FiberDescription::from_toml(&text) {
            Ok(description) => Ok(description.into()),
            Err(source) => Err(ModelChoiceError::Description { path: name, source }),
        }
    }

    /// The model.
    ///
    /// # Errors
    /// [`ModelChoiceError::Unknown`] with the nearest name; [`ModelChoiceError::NotRead`].
    pub fn model(&self) -> Result<Model, ModelChoiceError> {
        match self {
            ModelChoice::Described(description) => Ok(Model::new((**description).clone())),
            ModelChoice::Named(name) if self.file().is_none() => {
                model(name).map_err(ModelChoiceError::Unknown)
            }
            ModelChoice::Named(path) => Err(ModelChoiceError::NotRead { path: path.clone() }),
        }
    }

    /// The description, of a model that has one and whose file has been read.
    pub fn description(&self) -> Option<&FiberDescription> {
        match self {
            ModelChoice::Described(description) => Some(description),
            ModelChoice::Named(_) => None,
        }
    }

    /// The path of a fiber file that has not been read.
    fn file(&self) -> Option<&Path> {
        let ModelChoice::Named(name) = self else {
            return None;
        };
        let path = Path::new(name);
        path.extension()
            .is_some_and(|ending| ending == "toml")
            .then_some(path)
    }
}

impl From<&str> for ModelChoice {
    fn from(name: &str) -> Self {
        ModelChoice::Named(name.to_owned())
    }
}

impl From<FiberDescription> for ModelChoice {
    fn from(description: FiberDescription) -> Self {
        ModelChoice::Described(Box::new(description))
    }
}

/// The id, or the name or path as it was given.
impl fmt::Display for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelChoice::Named(name) => name,
            ModelChoice::Described(description) => &description.id,
        })
    }
}

impl<'de> Deserialize<'de> for ModelChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;
        impl<'de> Visitor<'de> for Choice {
            type Value = ModelChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a model, the path of a fiber file, or its content as a table",
                )
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ModelChoice, E> {
                Ok(name.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelChoice, A::Error> {
                let description = FiberDescription::deserialize(MapAccessDeserializer::new(map))?;
                Ok(description.into())
            }
        }
        deserializer.deserialize_any(Choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 2] = [
        include_str!("../../../examples/fibers/hodgkin_huxley.toml"),
        include_str!("../../../examples/fibers/mrg_node.toml"),
    ];

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        model: ModelChoice,
        nodes: usize,
    }

    /// However often it is written and read, in either form, the text stays the same: manifests and checkpoints compare it.
    #[test]
    fn a_description_is_written_as_it_was_read() {
        for text in FILES {
            let file = File {
                model: FiberDescription::from_toml(text).unwrap().into(),
                nodes: 3,
            };
            let json = serde_json::to_string(&file).unwrap();
            let read: File = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
            let written = toml::to_string(&read).unwrap();
            let read: File = toml::from_str(&written).unwrap();
            assert_eq!(toml::to_string(&read).unwrap(), written);
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
        let named: File = toml::from_str("model = 'mrg'\nnodes = 3").unwrap();
        assert_eq!(named.model, "mrg".into());
        assert_eq!(
            toml::to_string(&named).unwrap(),
            "model = \"mrg\"\nnodes = 3\n"
        );
    }

    #[test]
    fn what_is_no_model_is_answered_with_its_remedy() {
        let error = ModelChoice::from("sunt").model().unwrap_err().to_string();
        assert!(
            error.contains("did you mean `sundt`") && error.contains("FILE.toml"),
            "{error}"
        );
        let error = ModelChoice::from("a.toml").model().unwrap_err().to_string();
        assert!(error.contains("has not been read"), "{error}");
        let error = toml::from_str::<File>("model = 3\nnodes = 3").unwrap_err();
        assert!(
            error.to_string().contains("the path of a fiber file"),
            "{error}"
        );
        let taken = FILES[0].replace("my-squid", "hh");
        let folder = std::env::temp_dir().join(format!("axonml-choice-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("taken.toml"), taken).unwrap();
        let error = ModelChoice::from("taken.toml").read(&folder).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(
            error.to_string().contains("taken.toml: line 4, column")
                && error
                    .to_string()
                    .contains("an id that no bundled model has"),
            "{error}"
        );
    }
}
