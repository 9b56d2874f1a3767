//! Errors of training a surrogate.

use std::path::Path;

use axonml_files::TooLarge;
use axonml_models::SimulationError;
use axonml_models::description::ModelChoiceError;
use axonml_models::weights::ModelFileError;
use thiserror::Error;

use crate::SurrogateError;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::dataset::DatasetError;
use crate::failure::simulation_failed;
use crate::threshold_fit::FitError;

/// Errors of beginning or continuing a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The text of a configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting makes no sense.
    #[error("{what}: found {found}, expected {expected}")]
    Value {
        /// The setting, with its place in the configuration.
        what: String,
        /// Its value.
        found: String,
        /// The accepted values.
        expected: String,
    },
    /// A training or validation set is wrong.
    #[error("{place}: {source}")]
    Set {
        /// The file.
        place: String,
        /// The problem.
        source: Box<DatasetError>,
    },
    /// The surrogate cannot be found, or its fiber file is not in order.
    #[error("model: {0}")]
    Model(Box<ModelChoiceError>),
    /// The selection of trained parameters, or where they start, is wrong.
    #[error("{place}: {source}")]
    Surrogate {
        /// The key of the configuration.
        place: String,
        /// The problem.
        source: Box<SurrogateError>,
    },
    /// The surrogate cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// Thresholds cannot be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A file with weights cannot be read or made.
    #[error("{place}: {source}")]
    Weights {
        /// The file.
        place: String,
        /// The problem.
        source: ModelFileError,
    },
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Memory is too small for a batch.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// The surrogate left the region where it can be simulated.
    #[error(
        "step {step}: {left_out} of {batch} fibers have no finite run or gradient, more than half; the first: {first}"
    )]
    Diverging {
        /// The step, from 0.
        step: usize,
        /// Fibers left out.
        left_out: usize,
        /// Fibers of the batch.
        batch: usize,
        /// The error of the first of them.
        first: String,
    },
    /// The folder holds a training, and resuming was not requested.
    #[error("`{folder}` holds a training already: resume it, or choose another save_dir")]
    Exists {
        /// The folder.
        folder: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`: {source}; the previous checkpoint is kept")]
    Write {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The log does not belong to the checkpoint.
    #[error("`{path}` has {found} bytes, but the checkpoint was written when it had {expected}")]
    Log {
        /// The log.
        path: String,
        /// Its size.
        found: u64,
        /// Its size when the checkpoint was written.
        expected: u64,
    },
}

impl From<ModelChoiceError> for TrainError {
    fn from(error: ModelChoiceError) -> Self {
        TrainError::Model(Box::new(error))
    }
}

impl TrainError {
    pub(crate) fn value(
        what: impl Into<String>,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        TrainError::Value {
            what: what.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    pub(crate) fn set(place: &str) -> impl FnOnce(DatasetError) -> Self {
        let place = place.to_owned();
        move |source| TrainError::Set {
            place,
            source: Box::new(source),
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |source| TrainError::Read { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |source| TrainError::Write { path, source }
    }

    /// Adds the place of a value in the configuration.
    pub(crate) fn within(self, table: &str) -> Self {
        match self {
            TrainError::Value {
                what,
                found,
                expected,
            } => TrainError::Value {
                what: format!("{table}.{what}"),
                found,
                expected,
            },
            other => other,
        }
    }

    /// Whether the work failed, rather than the request or its files being wrong.
    pub fn is_failure(&self) -> bool {
        match self {
            TrainError::Diverging { .. } | TrainError::Write { .. } => true,
            TrainError::Set { source, .. } => source.is_failure(),
            TrainError::Fit(error) => error.is_failure(),
            TrainError::Checkpoint(error) => error.is_failure(),
            TrainError::Simulation(error) => simulation_failed(error),
            _ => false,
        }
    }
}
