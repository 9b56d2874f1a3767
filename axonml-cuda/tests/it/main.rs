//! The kernels as a device would run them, on the processor, against the scalar reference.

mod cases;
mod contract;
mod devices;
mod divergence;
mod features;
mod gradients;
mod nvrtc;
mod operations;
mod parity;
mod quiet;
mod sabotage;
mod snapshots;
