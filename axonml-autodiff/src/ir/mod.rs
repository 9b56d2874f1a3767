//! Traced expressions and programs, their derivatives, and their lowering for executors.

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
pub mod tabulation;

pub use error::TraceError;
pub use expr::{Expr, Tracer};
pub use fusion::{
    Accumulation, FusedArgument, FusedOp, FusedProgram, FusedStep, LaneValues, PairedFunction,
    ProgramLayout, Target, Term,
};
pub use op::Op;
pub use program::{Extent, Input, Program, Value, ValueId};
pub use real::{Precision, Real};
pub use schedule::Slots;
pub use split::SplitProgram;
