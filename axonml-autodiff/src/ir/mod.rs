//! Traced expressions and programs: what they compute, their derivatives, and the form in which executors take them.

mod derivative;
mod error;
mod expr;
mod fusion;
pub mod math;
pub mod op;
mod partials;
mod program;
mod real;
mod schedule;
mod split;

pub use error::TraceError;
pub use expr::{Expr, Tracer};
pub use fusion::{FusedArgument, FusedOp, FusedProgram, FusedStep, PerLane};
pub use op::Op;
pub use program::{Extent, Input, Program, Value, ValueId};
pub use real::{Precision, Real};
pub use schedule::Slots;
pub use split::SplitProgram;
