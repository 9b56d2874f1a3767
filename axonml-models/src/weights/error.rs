//! Errors of model files.

use axonml_core::CoreError;
use thiserror::Error;

/// Errors of reading, writing or using a model file.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The bytes are not a safetensors file.
    #[error("not a safetensors file: {problem}")]
    NotSafetensors {
        /// The mismatch.
        problem: String,
    },
    /// The file is shorter than its header declares.
    #[error("the file is truncated: {problem}; copy or make it again")]
    Truncated {
        /// The missing part.
        problem: String,
    },
    /// A safetensors file, but not one of a fiber model.
    #[error(
        "found no `{key}` in the metadata: this is a safetensors file, but not one of a fiber model"
    )]
    MissingMetadata {
        /// Key of the metadata.
        key: &'static str,
    },
    /// An entry of the metadata is invalid.
    #[error("metadata `{key}`: found `{found}`, expected {expected}")]
    Metadata {
        /// Key of the metadata.
        key: &'static str,
        /// Its value.
        found: String,
        /// The expected value.
        expected: String,
    },
    /// A tensor is not one number.
    #[error("tensor `{name}`: found {found}, expected one number in F64 or F32")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// Its type and shape.
        found: String,
    },
    /// The file is of another model.
    #[error("found parameters of model `{found}`, expected those of `{expected}`")]
    WrongModel {
        /// The model that the file names.
        found: String,
        /// The model that the file is used for.
        expected: String,
    },
    /// The file is of a model of this name that has other formulas.
    #[error(
        "the parameters were trained with other formulas of `{model}` than it has now; use the fiber file they were trained with, or \
         train again"
    )]
    OtherFormulas {
        /// The model.
        model: String,
    },
    /// The model has no such parameter.
    #[error(
        "model `{model}` has no parameter `{name}`{}",
        nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default()
    )]
    UnknownParameter {
        /// The model.
        model: String,
        /// The name.
        name: String,
        /// The declared name it was most likely meant to be.
        nearest: Option<String>,
    },
    /// Parameters of the model are not in the file.
    #[error("parameters of model `{model}` are missing: {}", names.join(", "))]
    MissingParameters {
        /// The model.
        model: String,
        /// The parameters.
        names: Vec<String>,
    },
    /// A parameter is given in another unit.
    #[error("parameter `{name}` is in `{found}`, expected `{expected}`")]
    WrongUnit {
        /// The parameter.
        name: String,
        /// Unit in the file.
        found: String,
        /// Unit of the model.
        expected: String,
    },
    /// The start lists other states than the model has.
    #[error("the start lists the states {found}, expected those of model `{model}`: {expected}")]
    WrongStates {
        /// The model.
        model: String,
        /// States in the file.
        found: String,
        /// States of the model.
        expected: String,
    },
    /// A number is NaN or infinite.
    #[error("`{name}` is {value}, expected a finite number")]
    NotFinite {
        /// Parameter or state.
        name: String,
        /// Its value.
        value: f64,
    },
    /// No bundled weights have this name, or the model does not exist.
    #[error(transparent)]
    Name(#[from] CoreError),
}
