//! The CUDA backend: traced programs printed as CUDA C, compiled when they are needed, run one fiber per warp.
//!
//! [`KernelSource`] is the text: the membrane of a rollout, specialized to its constants, inside a hand-written kernel
//! whose time loop, cable solver, stimulus and observers never leave the device. [`CudaBackend`] compiles it with NVRTC
//! and launches it; nothing here needs a CUDA toolkit to build, and [`CudaDevice::list`] reports why a device cannot be
//! used. Gradients take two kernels, a forward and an adjoint one ([`KernelSource::for_gradients`]). [`HostKernels`]
//! runs the very same text on the processor, one hand-switched fiber per thread, with shuffles and votes as a device
//! has them: slow, and made to find errors that a device would make. The crate knows no model.
#![deny(unsafe_code)]

mod adjoint;
mod cache;
mod device;
mod error;
mod execute;
mod gradient;
mod host;
mod layout;
mod literal;
mod membrane;
mod nvrtc;
mod observers;
mod pack;
mod plan;
mod reports;
mod source;
mod sums;
mod tables;
mod unpack;

pub use device::{CudaBackend, CudaDevice, DeviceStatus};
pub use error::CudaError;
pub use host::{HostKernels, ThreadOrder};
pub use nvrtc::{CompiledKernel, NVRTC_VARIABLE, Nvrtc};
pub use source::KernelSource;
