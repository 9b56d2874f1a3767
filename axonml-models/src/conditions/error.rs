//! Why the rows of a table cannot be simulated.

use axonml_core::CoreError;
use thiserror::Error;

use crate::SimulationError;

/// Why a row cannot be simulated.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConditionError {
    /// A row has more or fewer cells than the table has columns.
    #[error("found {found} cells, expected {expected}: one per column")]
    Cells {
        /// Its cells.
        found: usize,
        /// The table's columns.
        expected: usize,
    },
    /// A cell is not what its column holds.
    #[error("column {column}: found `{found}`, {expected}")]
    Cell {
        /// Name of the column.
        column: &'static str,
        /// The cell.
        found: String,
        /// The cell that was expected.
        expected: String,
    },
    /// A cell is empty that the row needs.
    #[error("found nothing in column {column}, expected a value")]
    Missing {
        /// Name of the column.
        column: &'static str,
        /// The flag that gives the value otherwise.
        otherwise: &'static str,
    },
    /// Two columns say the same.
    #[error("columns {first} and {second}: found a value in both, expected one of them")]
    Both {
        /// One column.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A cell has no effect.
    #[error("column {column}: found `{found}`, which has no effect: {why}")]
    NoEffect {
        /// Name of the column.
        column: &'static str,
        /// The cell.
        found: String,
        /// Why it has none.
        why: &'static str,
        /// A way out.
        remedy: &'static str,
    },
    /// A column says something that is refused.
    #[error("column {column}: {problem}")]
    Column {
        /// Name of the column.
        column: &'static str,
        /// The fault.
        problem: String,
    },
    /// A pulse cannot be read.
    #[error("column pulse: {0}")]
    Pulse(Box<PulseError>),
    /// A number, name or field is wrong.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The fiber, or the model with its settings, is wrong.
    #[error(transparent)]
    Simulation(SimulationError),
    /// The fiber is wrong.
    #[error("{0}")]
    Fiber(String),
    /// The run does not fit into memory.
    #[error("{0}")]
    TooLarge(String),
}

/// Why a pulse cannot be read.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PulseError {
    /// The text is no pulse.
    #[error("`{text}`: {source}")]
    Text {
        /// The beginning of the text.
        text: String,
        /// The fault in it.
        source: CoreError,
    },
    /// `file:` inside a sum or train.
    #[error(
        "`{text}`: found file: inside a sum or train, expected it alone; put the whole waveform into the file"
    )]
    FileInside {
        /// The beginning of the text.
        text: String,
    },
    /// The file cannot be read.
    #[error("cannot read `{path}`: {problem}; name an existing CSV file of time_ms,amplitude")]
    Read {
        /// Its path.
        path: String,
        /// The words of the system.
        problem: String,
    },
    /// The file holds no waveform.
    #[error("`{path}`: {source}")]
    File {
        /// Its path.
        path: String,
        /// The fault in it.
        source: CoreError,
    },
}

impl From<PulseError> for ConditionError {
    fn from(error: PulseError) -> Self {
        ConditionError::Pulse(Box::new(error))
    }
}

impl From<SimulationError> for ConditionError {
    fn from(error: SimulationError) -> Self {
        match error {
            // A row is one fiber: its number in a batch says nothing.
            SimulationError::Fiber { problem, .. } => ConditionError::Fiber(problem),
            SimulationError::Stimulus { source, .. } => ConditionError::Core(source),
            error => ConditionError::Simulation(error),
        }
    }
}

impl ConditionError {
    /// How to fix it, where the message does not say it.
    pub fn help(&self) -> Option<String> {
        match self {
            ConditionError::Cells { .. } => Some("quote cells that hold the separator".to_owned()),
            ConditionError::Missing { column, otherwise } => {
                Some(format!("fill in the column {column}, or give {otherwise}"))
            }
            ConditionError::NoEffect { remedy, .. } => Some((*remedy).to_owned()),
            _ => None,
        }
    }
}
