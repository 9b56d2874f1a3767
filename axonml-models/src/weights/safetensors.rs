//! Model files as bytes.
//!
//! The header is written here and not by the crate, which would order the metadata differently in every process: equal
//! files are equal bytes.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, SafeTensorError, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Domain, ModelFile, ModelFileError};

/// Name and version of the layout, in the metadata of every file.
const FORMAT: &str = "axonml model 1";

/// An entry of the header, in the order of keys in which it is written.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Metadata(BTreeMap<&'static str, String>),
    Tensor {
        dtype: &'static str,
        shape: [usize; 1],
        data_offsets: [usize; 2],
    },
}

/// As JSON; written without an intermediate value, whose order would depend on how the JSON crate was built.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("numbers, texts and maps of them under texts are JSON")
}

impl ModelFile {
    /// The file as bytes.
    ///
    /// # Errors
    /// [`ModelFileError::NotFinite`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        self.check_finite()?;
        let domain = &self.domain;
        let number = |x: Option<f64>| x.map(|x| json(&x));
        let range = |range: Option<(f64, f64)>| range.map(|range| json(&range));
        let entries = [
            ("format", Some(FORMAT.to_owned())),
            ("model", Some(self.model.clone())),
            ("version", Some(self.version.clone())),
            ("units", Some(json(&self.units))),
            ("start", Some(json(&self.start))),
            ("sampling", Some(self.sampling.clone())),
            ("provenance", Some(json(&self.provenance))),
            ("dt_ms", number(domain.dt_ms)),
            ("celsius", number(domain.celsius)),
            ("diameter_um", range(domain.diameter_um)),
            ("pulse_width_ms", range(domain.pulse_width_ms)),
            ("source_distance_um", number(domain.source_distance_um)),
        ];
        let metadata = entries
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let mut header = BTreeMap::from([("__metadata__", Entry::Metadata(metadata))]);
        let mut data = Vec::with_capacity(8 * self.parameters.len());
        for (name, value) in &self.parameters {
            let begin = data.len();
            data.extend(value.to_le_bytes());
            header.insert(
                name,
                Entry::Tensor {
                    dtype: "F64",
                    shape: [1],
                    data_offsets: [begin, data.len()],
                },
            );
        }
        let mut header = json(&header).into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(data);
        Ok(bytes)
    }

    /// Reads a file; [`ModelFile::check`] decides whether it fits a model.
    ///
    /// # Errors
    /// [`ModelFileError`] with the problem.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| describe(bytes, &error))?;
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|error| describe(bytes, &error))?;
        let metadata: HashMap<String, String> = header
            .metadata()
            .iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let entries = Entries(&metadata);
        let format = entries.text("format")?;
        if format != FORMAT {
            return Err(ModelFileError::Metadata {
                key: "format",
                found: format,
                expected: format!("`{FORMAT}`"),
            });
        }
        let range = "[smallest, largest]";
        let number = "a number";
        let mut parameters = BTreeMap::new();
        for (name, tensor) in tensors.iter() {
            parameters.insert(name.to_owned(), scalar(name, &tensor)?);
        }
        let file = ModelFile {
            model: entries.text("model")?,
            version: entries.text("version")?,
            parameters,
            units: entries.json("units", "units by name of the parameter")?,
            start: entries.json("start", "v_mV and states by name, or null")?,
            domain: Domain {
                diameter_um: entries.maybe("diameter_um", range)?,
                dt_ms: entries.maybe("dt_ms", number)?,
                pulse_width_ms: entries.maybe("pulse_width_ms", range)?,
                source_distance_um: entries.maybe("source_distance_um", number)?,
                celsius: entries.maybe("celsius", number)?,
            },
            sampling: entries.text("sampling")?,
            provenance: entries.json("provenance", "texts by name")?,
        };
        file.check_finite()?;
        Ok(file)
    }
}

/// The strings in the header.
struct Entries<'m>(&'m HashMap<String, String>);

impl Entries<'_> {
    fn text(&self, key: &'static str) -> Result<String, ModelFileError> {
        let found = self.0.get(key).cloned();
        found.ok_or(ModelFileError::MissingMetadata { key })
    }

    fn json<T: DeserializeOwned>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<T, ModelFileError> {
        let found = self.maybe(key, expected)?;
        found.ok_or(ModelFileError::MissingMetadata { key })
    }

    fn maybe<T: DeserializeOwned>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ModelFileError> {
        let parse = |text: &String| {
            serde_json::from_str(text).map_err(|_| ModelFileError::Metadata {
                key,
                found: text.clone(),
                expected: expected.to_owned(),
            })
        };
        self.0.get(key).map(parse).transpose()
    }
}

/// The one number of a tensor.
fn scalar(name: &str, tensor: &TensorView<'_>) -> Result<f64, ModelFileError> {
    let value = match (tensor.dtype(), tensor.data()) {
        (Dtype::F64, data) => data.try_into().ok().map(f64::from_le_bytes),
        (Dtype::F32, data) => data.try_into().ok().map(f32::from_le_bytes).map(f64::from),
        _ => None,
    };
    value.ok_or_else(|| ModelFileError::Tensor {
        name: name.to_owned(),
        found: format!("{:?} of shape {:?}", tensor.dtype(), tensor.shape()),
    })
}

/// Explains the errors of the crate `safetensors`.
fn describe(bytes: &[u8], error: &SafeTensorError) -> ModelFileError {
    let length = bytes.len();
    let of_header = |bytes: [u8; 8]| u64::from_le_bytes(bytes);
    let header = bytes.first_chunk().copied().map(of_header);
    match (error, header) {
        (SafeTensorError::InvalidHeaderLength, Some(header)) if bytes.get(8) == Some(&b'{') => {
            ModelFileError::Truncated {
                problem: format!("its header has {header} bytes, but the whole file only {length}"),
            }
        }
        (SafeTensorError::MetadataIncompleteBuffer, _) => ModelFileError::Truncated {
            problem: format!("its {length} bytes are not those that its header announces"),
        },
        _ => ModelFileError::NotSafetensors {
            problem: error.to_string(),
        },
    }
}
