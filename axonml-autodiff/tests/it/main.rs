//! Tests of the operation table, of tracing and of derivatives against things this crate did not compute.

mod masks;
mod operations;
mod programs;
mod tensors;
