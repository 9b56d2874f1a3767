//! What can be wrong with the text of a configuration.

use thiserror::Error;

/// Why a text is no configuration.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key that there is not.
    #[error(
        "{place}unknown key `{found}`{}; the keys here are {}",
        nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default(),
        valid.join(", ")
    )]
    UnknownKey {
        /// Line and column, with `: ` behind them; empty if not known.
        place: String,
        /// The key.
        found: String,
        /// The most similar key.
        nearest: Option<String>,
        /// The keys that there are.
        valid: Vec<String>,
    },
    /// Anything else.
    #[error("{place}{problem}")]
    Text {
        /// Line and column, with `: ` behind them; empty if not known.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A setting beside the file is none.
    #[error("`{setting}`: {problem}")]
    Setting {
        /// As it was given.
        setting: String,
        /// What is wrong.
        problem: String,
    },
}
