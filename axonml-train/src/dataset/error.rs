//! Errors of recipes, training sets and the disk that holds them.

use axonml_core::CoreError;
use axonml_files::{LockError, TooLarge};
use axonml_models::description::ModelChoiceError;
use axonml_models::{NerveFolderError, SimulationError};

/// Errors of drawing or simulating cases, and of writing or reading a set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The recipe, or an option given with it, is invalid.
    #[error("{what}: found {found}, expected {expected}")]
    Recipe {
        /// The setting: `pulses[0].pw`.
        what: String,
        /// Its value.
        found: String,
        /// The accepted values.
        expected: String,
    },
    /// The text is not a recipe.
    #[error("cannot read the recipe: {problem}")]
    RecipeText {
        /// The place and the problem, as reported by the TOML reader.
        problem: String,
    },
    /// The exact model cannot be found, or its fiber file is not in order.
    #[error("model of the recipe: {0}")]
    Model(Box<ModelChoiceError>),
    /// A setting that the core refuses.
    #[error("{place}: {source}")]
    Core {
        /// The setting.
        place: String,
        /// The problem.
        source: Box<CoreError>,
    },
    /// A nerve folder cannot be read.
    #[error(transparent)]
    Nerve(Box<NerveFolderError>),
    /// The simulation refused or failed.
    #[error(transparent)]
    Simulation(Box<SimulationError>),
    /// The solution of a case diverged.
    #[error(
        "case {case} (diameter {diameter_um} um): {source}; no part of it was kept. Reduce dt or the amplitudes"
    )]
    Diverged {
        /// The case.
        case: usize,
        /// Its diameter, um.
        diameter_um: f64,
        /// Place and time.
        source: Box<SimulationError>,
    },
    /// The disk is too small for the request.
    #[error("{needed} are needed in `{folder}`, but only {free} are free")]
    DiskTooSmall {
        /// The folder.
        folder: String,
        /// Formatted size of the files still to be written.
        needed: String,
        /// Formatted size of the free space.
        free: String,
    },
    /// Memory is too small for the request.
    #[error(transparent)]
    Memory(#[from] TooLarge),
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error(
        "cannot write `{path}`: {source}; the finished shards are kept: free disk space and run the same command again to resume"
    )]
    Write {
        /// The file or folder.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The folder holds something else, or another set.
    #[error("`{folder}` {problem}")]
    Folder {
        /// The folder.
        folder: String,
        /// The file in the way.
        problem: String,
    },
    /// Another process writes into the folder.
    #[error(transparent)]
    Locked(LockError),
    /// The folder holds a set of another request.
    #[error(
        "`{folder}` holds a set with another request: `{field}` is {found} there, but {requested} was requested"
    )]
    OtherRequest {
        /// The folder.
        folder: String,
        /// First setting that differs, with its place in the manifest.
        field: String,
        /// Its value in the manifest.
        found: String,
        /// The requested value.
        requested: String,
    },
    /// A manifest that cannot be one.
    #[error("`{path}` is no manifest of a set: {problem}")]
    Manifest {
        /// The file.
        path: String,
        /// The problem.
        problem: String,
    },
    /// A set that not all of was written.
    #[error(
        "`{folder}` is unfinished: {done} of {count} fibers are there; run the command that generated it again"
    )]
    Unfinished {
        /// The folder.
        folder: String,
        /// Fibers in finished shards.
        done: usize,
        /// Fibers requested.
        count: usize,
    },
    /// A file of a shard with too few or too many bytes.
    #[error("`{path}` has {found} bytes, expected {expected}: it was truncated or replaced")]
    Size {
        /// The file.
        path: String,
        /// Its size.
        found: u64,
        /// Its size by the manifest.
        expected: u64,
    },
    /// A file of a shard differs from the file written.
    #[error("`{path}` has the SHA-256 {found}, expected {expected}: its content changed")]
    Checksum {
        /// The file.
        path: String,
        /// Its checksum.
        found: String,
        /// Its checksum by the manifest.
        expected: String,
    },
    /// A file that holds no array of the expected kind.
    #[error("`{path}` holds {found}, expected {expected}")]
    Array {
        /// The file.
        path: String,
        /// The content found.
        found: String,
        /// The expected content.
        expected: String,
    },
    /// A state that a set or file does not have.
    #[error("`{path}` has no state `{state}`; it has {}", list(available))]
    MissingState {
        /// The set.
        path: String,
        /// The requested state.
        state: String,
        /// The recorded states.
        available: Vec<String>,
    },
    /// A number that is not finite.
    #[error("`{path}`: {what} of fiber {fiber} is {found}{place}")]
    NotFinite {
        /// The set.
        path: String,
        /// The variable: `state v`, `diameter_um`.
        what: String,
        /// The fiber's number in the set.
        fiber: usize,
        /// The number.
        found: f64,
        /// Node and time, as far as the variable has them.
        place: String,
    },
    /// There is no such fiber.
    #[error("there is no fiber {fiber}; the set has {count}")]
    NoFiber {
        /// The requested number.
        fiber: usize,
        /// Number of fibers.
        count: usize,
    },
    /// An HDF5 file cannot be read or written.
    #[error("`{path}`: {problem}")]
    Hdf5 {
        /// The file, and the dataset in it.
        path: String,
        /// The problem.
        problem: String,
        /// Whether the file is at fault rather than the disk.
        input: bool,
    },
    /// Work that was interrupted on request.
    #[error("stopped")]
    Stopped,
}

fn list(names: &[String]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

impl DatasetError {
    /// Whether the work was canceled.
    pub fn is_canceled(&self) -> bool {
        matches!(self, DatasetError::Simulation(error) if error.is_canceled())
    }

    /// Whether the work failed, rather than the request or its files being wrong.
    pub fn is_failure(&self) -> bool {
        match self {
            DatasetError::Diverged { .. } | DatasetError::Write { .. } | DatasetError::Stopped => {
                true
            }
            DatasetError::Hdf5 { input, .. } => !input,
            DatasetError::Simulation(error) => matches!(
                **error,
                SimulationError::Backend(_) | SimulationError::Diverged { .. }
            ),
            _ => false,
        }
    }

    pub(crate) fn recipe(
        what: impl Into<String>,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        DatasetError::Recipe {
            what: what.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    pub(super) fn core(place: impl Into<String>) -> impl FnOnce(CoreError) -> Self {
        let place = place.into();
        move |source| DatasetError::Core {
            place,
            source: Box::new(source),
        }
    }

    pub(super) fn read(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |source| DatasetError::Read { path, source }
    }

    pub(super) fn write(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |source| DatasetError::Write { path, source }
    }
}

impl From<LockError> for DatasetError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Io { path, source } => DatasetError::Write { path, source },
            held => DatasetError::Locked(held),
        }
    }
}

impl From<SimulationError> for DatasetError {
    fn from(error: SimulationError) -> Self {
        DatasetError::Simulation(Box::new(error))
    }
}

impl From<ModelChoiceError> for DatasetError {
    fn from(error: ModelChoiceError) -> Self {
        DatasetError::Model(Box::new(error))
    }
}

impl From<NerveFolderError> for DatasetError {
    fn from(error: NerveFolderError) -> Self {
        DatasetError::Nerve(Box::new(error))
    }
}
