//! Fiber models as data, and models by name, file or description.

use std::path::Path;

use axonml::model::{Model, ModelChoice};
use axonml::study::model_named;
use pyo3::prelude::*;

use crate::errors::{Error, Result};

/// A fiber model as data, in the form of a fiber file.
#[pyclass(frozen, eq, module = "pyaxonml._native")]
#[derive(Clone, PartialEq)]
pub(crate) struct FiberDescription(pub(crate) axonml::model::FiberDescription);

impl FiberDescription {
    fn checked(description: axonml::model::FiberDescription) -> Result<Self> {
        description.check().map_err(Error::model)?;
        Ok(FiberDescription(description))
    }
}

#[pymethods]
impl FiberDescription {
    /// From JSON with the keys of a fiber file.
    #[staticmethod]
    fn from_json(text: &str) -> Result<Self> {
        let description = serde_json::from_str(text).map_err(Error::model)?;
        Self::checked(description)
    }

    /// From the text of a fiber file.
    #[staticmethod]
    fn from_toml(text: &str) -> Result<Self> {
        let description = axonml::model::FiberDescription::from_toml(text);
        Self::checked(description.map_err(Error::model)?)
    }

    /// As the text of a fiber file.
    fn to_toml(&self) -> Result<String> {
        self.0.to_toml().map_err(Error::model)
    }

    /// As JSON with the keys of a fiber file.
    fn to_json(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(Error::model)
    }

    /// Its id.
    #[getter]
    fn id(&self) -> &str {
        &self.0.id
    }

    /// Itself: what is asked of anything that stands for a model.
    fn _description(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Result<(Bound<'py, PyAny>, (String,))> {
        let from_json = slf.get_type().getattr("from_json")?;
        Ok((from_json, (slf.get().to_json()?,)))
    }

    fn __repr__(&self) -> String {
        format!("FiberDescription({:?})", self.0.id)
    }
}

/// A model as Python gives it: the name of a bundled one, the path of a fiber file, or a description.
#[derive(FromPyObject)]
pub(crate) enum ModelLike<'py> {
    #[pyo3(transparent)]
    Named(String),
    #[pyo3(transparent)]
    Described(PyRef<'py, FiberDescription>),
}

impl ModelLike<'_> {
    /// The model.
    pub(crate) fn model(&self) -> Result<Model> {
        match self {
            ModelLike::Named(name) => model_named(name).map_err(|error| {
                Error::model(match error.remedy() {
                    Some(help) => format!("{}; {help}", error.message()),
                    None => error.message(),
                })
            }),
            ModelLike::Described(description) => Ok(Model::new(description.0.clone())),
        }
    }

    /// The model as recipes and trainings have it: a bundled name, or a description.
    pub(crate) fn choice(&self) -> Result<ModelChoice> {
        match self {
            ModelLike::Named(name) => ModelChoice::from(name.as_str())
                .read(Path::new(""))
                .map_err(Error::model),
            ModelLike::Described(description) => Ok(description.0.clone().into()),
        }
    }
}
