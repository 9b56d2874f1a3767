//! What surrogates of exact fibres are trained on.
//!
//! [`dataset`] draws cases at random from a recipe, simulates them with an exact model, and keeps them in a folder if
//! asked to.
#![forbid(unsafe_code)]

mod acceptance;
pub mod dataset;
mod surrogate;
pub mod threshold_fit;

pub use acceptance::Acceptance;
pub use surrogate::{Surrogate, SurrogateError};
