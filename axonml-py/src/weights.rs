//! Weights: parameters of a model with where they come from, in files and between programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axonml::model::weights::ModelFile;
use axonml::model::weights::pytorch::{
    Checkpoint, Tensor, import_checkpoint, smf_from_checkpoint, smf_to_tensors,
};
use axonml::study::{PUBLISHED, weights_named};
use numpy::{PyArrayDyn, PyArrayMethods, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::Numbers;
use crate::description::ModelLike;
use crate::errors::{Error, Result};

/// Parameters of a model, their units, domain and provenance.
#[pyclass(frozen, eq, module = "pyaxonml._native")]
#[derive(Clone, PartialEq)]
pub(crate) struct Weights(pub(crate) Arc<ModelFile>);

/// Bundled weights, or a model file.
fn named(name: &str) -> Result<ModelFile> {
    weights_named(name).map_err(|error| Error::named(&error))
}

fn made(file: ModelFile) -> Weights {
    Weights(Arc::new(file))
}

/// Weights as Python gives them: bundled ones or a file by name, `published`, or those it has read.
#[derive(FromPyObject)]
pub(crate) enum WeightsLike<'py> {
    #[pyo3(transparent)]
    Named(String),
    #[pyo3(transparent)]
    Read(PyRef<'py, Weights>),
}

impl WeightsLike<'_> {
    /// In the library's terms.
    pub(crate) fn weights(&self) -> Result<axonml::model::weights::Weights> {
        Ok(match self {
            WeightsLike::Named(name) if name == PUBLISHED => {
                axonml::model::weights::Weights::Published
            }
            WeightsLike::Named(name) => {
                axonml::model::weights::Weights::File(Weights::load(name)?.0)
            }
            WeightsLike::Read(weights) => {
                axonml::model::weights::Weights::File(Arc::clone(&weights.0))
            }
        })
    }
}

#[pymethods]
impl Weights {
    /// Bundled weights, a model file, or a file of torch.save that has AxonML's surrogate.
    #[staticmethod]
    fn load(name: &str) -> Result<Self> {
        if name == PUBLISHED {
            return Err(Error::value(
                "found `published`, which are the constants of a model, expected a name or a file: Weights.published(model)",
            ));
        }
        let path = Path::new(name);
        let of_torch = ["pt", "pth", "ckpt"];
        let is_of_torch = path
            .extension()
            .is_some_and(|end| of_torch.iter().any(|of| end.eq_ignore_ascii_case(of)));
        let Some(file_name) = path.file_name().filter(|_| is_of_torch) else {
            return Ok(made(named(name)?));
        };
        let bytes = std::fs::read(path)
            .map_err(|error| Error::value(format!("cannot read `{name}`: {error}")))?;
        let (file, _) = import_checkpoint(&bytes, &file_name.to_string_lossy())
            .map_err(|error| Error::value(format!("`{name}`: {error}")))?;
        Ok(made(file))
    }

    /// Of the bytes of a model file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(made(ModelFile::from_bytes(bytes).map_err(Error::value)?))
    }

    /// The constants that a model declares.
    #[staticmethod]
    fn published(model: ModelLike<'_>) -> Result<Self> {
        Ok(made(ModelFile::published(&model.model()?)))
    }

    /// Of arrays by AxonML's keys.
    #[staticmethod]
    fn from_state_dict(tensors: BTreeMap<String, Numbers<'_>>) -> Result<Self> {
        let tensors = tensors.into_iter().map(|(key, values)| {
            let tensor = Tensor {
                shape: values.shape().to_vec(),
                values: values.to_vec(),
                single: matches!(values, Numbers::F32(_)),
            };
            (key, tensor)
        });
        let checkpoint = Checkpoint {
            tensors: tensors.collect(),
            path: String::new(),
            numbers: BTreeMap::new(),
        };
        let file = smf_from_checkpoint(&checkpoint).map_err(Error::value)?;
        Ok(made(file))
    }

    /// Arrays by AxonML's keys.
    fn state_dict<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let tensors = smf_to_tensors(&self.0).map_err(Error::value)?;
        let dict = PyDict::new(py);
        for (key, tensor) in tensors {
            let array = tensor.values.to_pyarray(py);
            let array: Bound<'py, PyArrayDyn<f64>> = array.reshape(tensor.shape)?;
            dict.set_item(key, array)?;
        }
        Ok(dict)
    }

    /// The same with other values of parameters.
    fn with_parameters(
        &self,
        model: ModelLike<'_>,
        parameters: Vec<(String, f64)>,
    ) -> Result<Self> {
        let mut file = (*self.0).clone();
        let schema = model.model()?.schema();
        file.set_by_hand(&schema, &parameters)
            .map_err(Error::value)?;
        file.check(&schema).map_err(Error::value)?;
        Ok(made(file))
    }

    /// Id of the model.
    #[getter]
    fn model(&self) -> &str {
        &self.0.model
    }

    /// Values by name.
    #[getter]
    fn parameters(&self) -> BTreeMap<String, f64> {
        self.0.parameters.clone()
    }

    /// Units by name.
    #[getter]
    fn units(&self) -> BTreeMap<String, String> {
        self.0.units.clone()
    }

    /// Where they come from.
    #[getter]
    fn provenance(&self) -> BTreeMap<String, String> {
        self.0.provenance.clone()
    }

    /// Conditions that they were trained on, as far as they are known: (smallest, largest) of each.
    #[getter]
    fn domain(&self) -> BTreeMap<&'static str, (f64, f64)> {
        let domain = &self.0.domain;
        let one = |value: Option<f64>| value.map(|value| (value, value));
        let known = [
            ("diameter_um", domain.diameter_um),
            ("dt_ms", one(domain.dt_ms)),
            ("pulse_width_ms", domain.pulse_width_ms),
            (
                "source_distance_um",
                domain
                    .source_distance_um
                    .map(|least| (least, f64::INFINITY)),
            ),
            ("celsius", one(domain.celsius)),
        ];
        let known = known.into_iter();
        known
            .filter_map(|(name, range)| range.map(|range| (name, range)))
            .collect()
    }

    /// As the bytes of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = self.0.to_bytes().map_err(Error::value)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes a model file: all of it, or none.
    fn save(&self, path: PathBuf) -> Result<()> {
        let bytes = self.0.to_bytes().map_err(Error::value)?;
        axonml::file::replace(&path, &bytes)
            .map_err(|error| Error::value(format!("cannot write `{}`: {error}", path.display())))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> Result<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let from_bytes = slf.get_type().getattr("from_bytes")?;
        Ok((from_bytes, (slf.get().to_bytes(slf.py())?,)))
    }
}
