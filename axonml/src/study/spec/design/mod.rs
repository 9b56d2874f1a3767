//! The tables of an optimization: what is wanted, what may vary, within which limits, and how it is looked for.
//!
//! All keys are optional; methods of the tables' names have the defaults applied.

mod check;
mod de;
mod gd;
mod limits;
mod names;
mod optimize;
mod robust;
mod span;
mod stimulus;
mod written;

pub use axonml_optimize::Strategy;
pub use de::{AdaptationSpec, DeInit, DeSpec, Jade};
pub use gd::{GdInit, GdSpec};
pub use limits::LimitsSpec;
pub use names::{
    BoundarySpec, DescentRule, Method, ObjectiveSpec, OffsetNoise, PenaltyName, ScheduleSpec,
    Varied, Want,
};
pub use optimize::{Criterion, OptimizeProtocol, PenaltySpec, TargetSpec};
pub use robust::RobustSpec;
pub use span::Span;
pub use stimulus::{ExpansionSpec, StimulusSpec};
