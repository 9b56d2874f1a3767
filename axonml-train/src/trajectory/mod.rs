//! Fitting trajectories: surrogates learn to run as exact fibers do.
//!
//! A step takes a [`Batch`](crate::dataset::Batch) of exact fibers, runs the surrogate's with the same diameters under
//! the same potentials at their nodes, compares all nodes at all recorded times, and backpropagates the differences
//! through time. Gradients propagate through the whole run, or through windows of it that start from the final state of
//! the previous one, which then counts as constant (truncated BPTT). Each fiber's gradient is shortened to a few times
//! the median of its batch, and Adam moves the coordinates against their sum.
//!
//! Whole runs are the default: windows of 50 steps (0.25 ms) end up with about twice their errors of thresholds.

mod data;
mod fit;
mod loss;
mod order;
mod settings;
#[cfg(test)]
mod tests;

pub use axonml_optimize::Schedule;
pub use data::{TrajectoryLoss, check_samples};
pub use fit::{TrajectoryFit, TrajectoryReport, TrajectoryState};
pub use loss::{LossSettings, Penalty};
pub use order::Sampling;
pub use settings::TrajectoryStage;
