//! Errors of tracing.

use thiserror::Error;

/// Error in the symbolic definition of a model. Errors are stored while tracing ("sticky"), so that a model file needs
/// no error handling; the first one is reported when the trace is finished.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TraceError {
    /// A model reads a state or parameter that its schema does not declare.
    #[error(
        "model `{model}` has no state or parameter `{name}`{}; declare it in the model's schema or correct the name",
        nearest.as_ref().map(|n| format!("; the nearest is `{n}`")).unwrap_or_default()
    )]
    UnknownName {
        /// Model id.
        model: String,
        /// The undeclared name.
        name: String,
        /// The most similar declared name.
        nearest: Option<String>,
    },
    /// The schema declares a state for which the membrane gives no update, or the membrane updates an undeclared state.
    #[error("model `{model}`: {problem}")]
    Inconsistent {
        /// Model id.
        model: String,
        /// Description of the mismatch.
        problem: String,
    },
}
