//! Reverse mode: the adjoint of a membrane step, requests and results of gradients, and the accumulators of an adjoint pass.

mod gradient;
mod membrane;
mod sums;

pub use gradient::{
    Cotangents, Differentiated, Evaluation, FiberGradient, GradientRequest, Objective,
    ParameterCotangents, RecordedCotangent, SourceCotangent,
};
pub use membrane::{AdjointInput, AdjointOutput, AdjointProgram, MembraneAdjoint};
pub use sums::{
    AdjointSums, CableSums, RecordedSeeds, Seeds, SourceSums, SpaceTimeSource, SpaceTimeSums,
};
