//! Errors of backends.

use thiserror::Error;

use crate::ir::Precision;

/// Why a backend could not run a rollout.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum BackendError {
    /// An observer names a node that a fiber does not have.
    #[error("observer {observer} watches node {index}, but fiber {fiber} has {nodes} nodes (0 to {}; -1 is the last)", nodes - 1)]
    NodeOutOfRange {
        /// Index of the observer.
        observer: usize,
        /// Index of the fiber.
        fiber: usize,
        /// The requested index.
        index: i64,
        /// Nodes of that fiber.
        nodes: usize,
    },
    /// A recorder asks for a state that the membrane does not have.
    #[error("observer {observer} records state `{name}`, which the model does not have{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownState {
        /// Index of the observer.
        observer: usize,
        /// The requested name.
        name: String,
        /// The most similar state.
        nearest: Option<String>,
    },
    /// Two parts of a rollout disagree in size.
    #[error("{what}: expected {expected} values, found {found}")]
    Shape {
        /// Which part.
        what: String,
        /// Number of values it must have.
        expected: usize,
        /// Number of values it has.
        found: usize,
    },
    /// A number of a rollout is not finite, or its precision cannot hold it.
    #[error(
        "{place}: found {value:e}, which is no finite {} number; correct it{}",
        precision.name(),
        if value.is_finite() { ", or compute in f64" } else { "" }
    )]
    BadNumber {
        /// Which numbers, as [`NumberPlace`](crate::engine::NumberPlace) describes them.
        place: String,
        /// The first bad one.
        value: f64,
        /// The rollout's precision.
        precision: Precision,
    },
    /// A coefficient of a cable has a value that no cable can have.
    #[error("the cable of fiber {fiber}: the {what} must be {expected}, found {value:e}")]
    BadCable {
        /// 0-based index of the fiber.
        fiber: usize,
        /// The coefficient, with its unit.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// A voltage that a run starts from or is measured from is no membrane's.
    #[error("{place}: found {v_mv:e} mV, expected at most {largest_mv} mV of either sign")]
    VoltageOutOfRange {
        /// Which voltages, as [`NumberPlace`](crate::engine::NumberPlace) describes them.
        place: String,
        /// The first bad one, mV.
        v_mv: f64,
        /// The largest magnitude, mV.
        largest_mv: f64,
    },
    /// The rollout's token was canceled; whatever was computed is discarded.
    #[error("canceled")]
    Canceled,
    /// A backend lost the result of a fiber: a defect of the backend, never of the rollout.
    #[error(
        "the backend returned no result for fiber {fiber}: a defect of this program; please report it"
    )]
    NoResult {
        /// 0-based index of the fiber.
        fiber: usize,
    },
    /// The rollout asks for something the backend does not do.
    #[error("{0}")]
    Unsupported(String),
    /// The device or its runtime failed.
    #[error("{0}")]
    Device(String),
}
