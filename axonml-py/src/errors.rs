//! The library's errors as the package's exceptions, with message and remedy.

use axonml::error::CoreError;
use axonml::file::TooLarge;
use axonml::nerve::NerveFolderError;
use axonml::study::StudyError;
use axonml::train::TrainError;
use axonml::train::dataset::DatasetError;
use axonml::{SimulationError, study};
use pyo3::prelude::*;

/// An error on its way to Python: the name of its class in `pyaxonml.errors`, message and remedy.
#[derive(Debug)]
pub(crate) struct Failure {
    class: &'static str,
    message: String,
    help: Option<String>,
}

/// The error of functions of this module.
#[derive(Debug)]
pub(crate) enum Error {
    /// The library refused or failed.
    Library(Failure),
    /// Python did: a wrong type, a signal, a callback.
    Python(PyErr),
}

/// Results of this module.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn of(class: &'static str, message: impl std::fmt::Display) -> Self {
        Error::Library(Failure {
            class,
            message: message.to_string(),
            help: None,
        })
    }

    /// A value that no function of the library has seen yet is wrong.
    pub(crate) fn value(message: impl std::fmt::Display) -> Self {
        Self::of("InputError", message)
    }

    /// A wrong name, in the words of a study.
    pub(crate) fn named(error: &StudyError) -> Self {
        Error::Library(Failure {
            class: "InputError",
            message: error.message(),
            help: error.remedy().map(str::to_owned),
        })
    }

    /// A description of a model is wrong.
    pub(crate) fn model(message: impl std::fmt::Display) -> Self {
        Self::of("ModelError", message)
    }

    /// The work was canceled.
    pub(crate) fn canceled() -> Self {
        Self::of("CanceledError", "the work was canceled")
    }

    /// The pool of threads could not be made, or work in it ended without an answer.
    pub(crate) fn device(message: impl std::fmt::Display) -> Self {
        Self::of("DeviceError", message)
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Error::Python(error)
    }
}

impl From<CoreError> for Error {
    fn from(error: CoreError) -> Self {
        let class = match error {
            CoreError::UnknownName { ref what, .. } if what == "model" => "ModelError",
            _ => "InputError",
        };
        Self::of(class, error)
    }
}

impl From<NerveFolderError> for Error {
    fn from(error: NerveFolderError) -> Self {
        Self::of("NerveError", error)
    }
}

impl From<TooLarge> for Error {
    fn from(error: TooLarge) -> Self {
        Self::of("SimulationError", error)
    }
}

impl From<SimulationError> for Error {
    fn from(error: SimulationError) -> Self {
        match error {
            SimulationError::Core(error) => error.into(),
            error if error.is_canceled() => Self::canceled(),
            SimulationError::Device(_) => Self::of("DeviceError", error),
            _ => Self::of("SimulationError", error),
        }
    }
}

impl From<StudyError> for Error {
    fn from(error: StudyError) -> Self {
        let class = match error.fault() {
            study::Fault::Canceled => "CanceledError",
            _ => "StudyError",
        };
        Error::Library(Failure {
            class,
            message: error.message(),
            help: error.remedy().map(str::to_owned),
        })
    }
}

impl From<DatasetError> for Error {
    fn from(error: DatasetError) -> Self {
        match error.is_canceled() {
            true => Self::canceled(),
            false => Self::of("TrainingError", error),
        }
    }
}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Self {
        Self::of("TrainingError", error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let failure = match error {
            Error::Python(error) => return error,
            Error::Library(failure) => failure,
        };
        Python::attach(|py| {
            let made = py
                .import("pyaxonml.errors")
                .and_then(|errors| errors.getattr(failure.class))
                .and_then(|class| class.call1((failure.message, failure.help)));
            made.map_or_else(|error| error, PyErr::from_value)
        })
    }
}
