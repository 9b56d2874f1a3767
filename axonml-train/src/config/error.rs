//! Errors of the text of a configuration.

use thiserror::Error;

/// Errors of reading a configuration.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// An unknown key.
    #[error(
        "{place}unknown key `{found}`{}; valid keys: {}",
        nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default(),
        valid.join(", ")
    )]
    UnknownKey {
        /// Line and column followed by `: `; empty if not known.
        place: String,
        /// The key.
        found: String,
        /// The most similar key.
        nearest: Option<String>,
        /// The valid keys.
        valid: Vec<String>,
    },
    /// Anything else.
    #[error("{place}{problem}")]
    Text {
        /// Line and column followed by `: `; empty if not known.
        place: String,
        /// The problem.
        problem: String,
    },
    /// A setting given in addition to the file is invalid.
    #[error("`{setting}`: {problem}")]
    Setting {
        /// As it was given.
        setting: String,
        /// The problem.
        problem: String,
    },
}
