//! Why the CUDA backend, or its execution on the host, failed.

use std::path::PathBuf;

use axonml_autodiff::engine::BackendError;
use thiserror::Error;

/// Errors of this crate. Each says what to do about it, where something can be done.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum CudaError {
    /// No driver, no device, or one that cannot be used.
    #[error("no CUDA device: {reason}")]
    NoDevice {
        /// Why not.
        reason: String,
    },
    /// The run-time compiler could not be loaded.
    #[error(
        "the CUDA run-time compiler (NVRTC) was not found: {tried}; install it with `pip install nvidia-cuda-nvrtc-cu12` or set AXONML_NVRTC to the path of libnvrtc"
    )]
    NoCompiler {
        /// Where it was looked for, and what came of it.
        tried: String,
    },
    /// The run-time compiler rejected a kernel.
    #[error("NVRTC could not compile {}:\n{log}", source_path.display())]
    Compile {
        /// The compiler's log.
        log: String,
        /// The source, kept for inspection.
        source_path: PathBuf,
    },
    /// A call of the driver failed.
    #[error("{call} failed on the CUDA device: {problem}")]
    Driver {
        /// What was asked for.
        call: &'static str,
        /// What the driver said.
        problem: String,
    },
    /// A launch does not fit the kernel.
    #[error("{what} of a kernel launch: expected {expected}, found {found}")]
    Launch {
        /// Which argument.
        what: String,
        /// What the kernel takes.
        expected: usize,
        /// What it was given.
        found: usize,
    },
    /// There is no C++ compiler, which running kernels on the host needs.
    #[error(
        "kernels cannot run on the host without a C++ compiler: {tried}; install g++ or set CXX"
    )]
    NoHostCompiler {
        /// Which were tried.
        tried: String,
    },
    /// The C++ compiler rejected a kernel.
    #[error("the C++ compiler could not compile {}:\n{log}", source_path.display())]
    HostCompile {
        /// The compiler's messages.
        log: String,
        /// The source, kept for inspection.
        source_path: PathBuf,
    },
    /// A kernel did on the host what it must not do on a device.
    #[error("kernel fault: {0}")]
    Fault(String),
    /// A file of the kernel cache could not be read or written.
    #[error("{}: {problem}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
}

impl CudaError {
    /// [`CudaError::Launch`] for a table that does not fit its kernel.
    pub(crate) fn unless_equal(what: &str, expected: usize, found: usize) -> Result<(), Self> {
        match expected == found {
            true => Ok(()),
            false => Err(CudaError::Launch {
                what: what.into(),
                expected,
                found,
            }),
        }
    }
}

impl From<CudaError> for BackendError {
    fn from(error: CudaError) -> Self {
        BackendError::Device(error.to_string())
    }
}
