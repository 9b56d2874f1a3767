//! Why the CUDA backend, or its execution on the host, failed.

use std::path::PathBuf;

use axonml_autodiff::engine::BackendError;
use thiserror::Error;

/// Errors of this crate. Each names the remedy, where there is one.
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
        /// Places that were tried, with the result of each.
        tried: String,
    },
    /// The run-time compiler rejected a kernel.
    #[error("NVRTC could not compile {}:\n{log}", source_path.display())]
    Compile {
        /// The compiler's log.
        log: String,
        /// The kernel's source, for inspection.
        source_path: PathBuf,
    },
    /// A call of the driver failed.
    #[error("{call} failed on the CUDA device: {problem}")]
    Driver {
        /// The failed call.
        call: &'static str,
        /// The driver's message.
        problem: String,
    },
    /// A launch does not fit the kernel.
    #[error("{what} of a kernel launch: expected {expected}, found {found}")]
    Launch {
        /// Which argument.
        what: String,
        /// Expected by the kernel.
        expected: usize,
        /// Found instead.
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
        /// The kernel's source, for inspection.
        source_path: PathBuf,
    },
    /// A kernel run on the host violated a rule of devices.
    #[error("kernel fault: {0}")]
    Fault(String),
    /// A file of the kernel cache could not be read or written.
    #[error("{}: {problem}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// The system's message.
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
