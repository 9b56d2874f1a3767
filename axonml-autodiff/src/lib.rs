//! Traced programs and the contract between fiber models and simulation backends.
//!
//! A fiber model states its rates and currents once, over symbolic [`Expr`]essions. Tracing them gives a
//! [`Program`]: a simplified list of scalar operations that a CPU backend runs over blocks of lanes, that a GPU
//! backend prints as source, and from which [`Program::adjoint`] and [`Program::tangent`] are derived. A
//! [`Rollout`] joins such programs with the [`Cable`] coefficients of fibers, a stimulus and observers; a
//! [`Backend`] runs it. Nothing here knows a device, a thread or a file.
#![forbid(unsafe_code)]

mod adjoint;
pub mod cable;
mod collected;
mod derivative;
mod error;
mod expr;
mod fiber;
mod fusion;
mod gradient;
pub mod math;
mod membrane;
mod numbers;
mod observer;
pub mod op;
mod program;
mod real;
mod rollout;
mod schedule;
mod split;
pub mod tensor;

pub use adjoint::{AdjointInput, AdjointOutput, AdjointProgram, MembraneAdjoint};
pub use cable::Cable;
pub use collected::{
    CableSums, Collected, DenseSource, DenseSums, RecordedSeeds, Seeds, SourceSums,
};
pub use error::{BackendError, TraceError};
pub use expr::{Expr, Tracer};
pub use fiber::{Membrane, SectionKind, StateUpdate};
pub use fusion::{FusedArgument, FusedOp, FusedProgram, FusedStep, PerLane};
pub use gradient::{
    Cotangents, Differentiated, Evaluation, FiberGradient, GradientRequest, Objective,
    ParameterCotangents, RecordedCotangent, SourceCotangent,
};
pub use membrane::{Binding, BoundProgram, MembranePrograms};
pub use numbers::{LARGEST_MV, LARGEST_REFERENCE_MV, NumberPlace, ScannedPotentials};
pub use observer::{
    Crossing, NodeSelection, Observation, ObserverKind, ObserverSpec, Recording, Traces, VOLTAGE,
};
pub use op::Op;
pub use program::{Extent, Input, Program, Value, ValueId};
pub use real::{Precision, Real};
pub use rollout::{
    Backend, Drive, FiberOutcome, FiberState, FiberStatus, Outcome, QuietEnd, Rollout,
    RolloutFiber, Source, SourceField, Start, every_result,
};
pub use schedule::Slots;
pub use split::SplitProgram;
