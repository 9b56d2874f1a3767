//! Errors of the rows of a table.

use axonml_core::CoreError;
use thiserror::Error;

use crate::SimulationError;

/// Errors of a row.
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
    /// A cell does not hold a value of its column's kind.
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
    /// Two columns set the same quantity.
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
        /// The reason.
        why: &'static str,
        /// The remedy.
        remedy: &'static str,
    },
    /// A column holds a value that is refused.
    #[error("column {column}: {problem}")]
    Column {
        /// Name of the column.
        column: &'static str,
        /// The problem.
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

/// Errors of reading a pulse.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PulseError {
    /// The text is no pulse.
    #[error("`{text}`: {source}")]
    Text {
        /// The beginning of the text.
        text: String,
        /// The problem.
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
        /// The error of the operating system.
        problem: String,
    },
    /// The file holds no waveform.
    #[error("`{path}`: {source}")]
    File {
        /// Its path.
        path: String,
        /// The problem.
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
            // A row is one fiber: its index in a batch is meaningless to the user.
            SimulationError::Fiber { problem, .. } => ConditionError::Fiber(problem),
            SimulationError::Stimulus { source, .. } => ConditionError::Core(source),
            error => ConditionError::Simulation(error),
        }
    }
}

impl ConditionError {
    /// The remedy, where the message does not state it.
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
