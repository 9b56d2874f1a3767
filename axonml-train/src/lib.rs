//! Training sets from exact fiber models, and training of surrogates on them.
//!
//! [`dataset`] draws cases at random from a recipe, simulates them with an exact model, and optionally stores them in a
//! folder. A [`Surrogate`] is the trainable model: its parameters as functions of coordinates. [`trajectory`] moves
//! these so that the surrogate's fibers run as the exact ones do; [`threshold_fit`] fits thresholds, arrival times,
//! shape and rest. A
//! [`Training`] executes a [`config::Config`]: stages, validation, checkpoints, a log, and weights.
//! [`Acceptance`] holds the checks that weights must pass before release.
#![forbid(unsafe_code)]

mod acceptance;
pub mod checkpoint;
pub mod config;
pub mod dataset;
mod error;
mod failure;
pub mod run;
mod surrogate;
pub mod threshold_fit;
pub mod trajectory;

pub use acceptance::{Acceptance, AcceptanceError};
pub use error::TrainError;
pub use run::Training;
pub use surrogate::{Surrogate, SurrogateError};
