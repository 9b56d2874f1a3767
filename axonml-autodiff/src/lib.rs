//! Traced programs with their derivatives, and the contract between fiber models and simulation backends.
//!
//! A fiber model states its rates and currents once, over symbolic [`Expr`](ir::Expr)essions. Tracing them gives a
//! [`Program`](ir::Program): a simplified list of scalar operations that a CPU backend runs over blocks of lanes, that a
//! GPU backend prints as source, and from which [`Program::adjoint`](ir::Program::adjoint) and
//! [`Program::tangent`](ir::Program::tangent) are derived. A [`Rollout`](engine::Rollout) joins such programs with the
//! [`Cable`](cable::Cable) coefficients of fibers, a stimulus and observers; a [`Backend`](engine::Backend) runs it, forward
//! and in reverse. Nothing here knows a device, a thread or a file.
//!
//! | module | holds |
//! | --- | --- |
//! | [`ir`] | expressions, programs, their derivatives and the form that executors take |
//! | [`cable`] | coefficients of cables, projections of fields, and their adjoints |
//! | [`engine`] | rollouts, observers, outcomes and the trait [`Backend`](engine::Backend) |
//! | [`adjoint`] | gradient requests, seed cotangents, accumulators of an adjoint pass, cotangents |
//! | [`tape`] | tensors whose operations are recorded, for losses and pipelines around runs |
//!
//! # Example
//! A program and its derivative:
//! ```
//! use axonml_autodiff::ir::{Extent, Tracer};
//!
//! let tracer = Tracer::new();
//! let v = tracer.input("v", Extent::Node);
//! let program = tracer.finish(&[("rate".to_owned(), (0.1 * (v + 40.0)).exprelr())])?;
//! assert_eq!(program.eval(&[-40.0]), [1.0]);
//! // The adjoint takes the inputs, then the cotangent of the output.
//! let slope = program.adjoint().eval(&[-40.0, 1.0])[0];
//! assert!((slope - -0.05).abs() < 1e-15);
//! # Ok::<(), axonml_autodiff::ir::TraceError>(())
//! ```
#![forbid(unsafe_code)]

pub mod adjoint;
pub mod cable;
pub mod engine;
pub mod ir;
pub mod tape;
