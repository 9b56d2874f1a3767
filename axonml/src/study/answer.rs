//! Answers: the rows of a case, as its question makes them.

use std::sync::Arc;

use axonml_models::Recording;
use serde::{Deserialize, Serialize};

use super::report::Cell;

/// The rows of a case, as its question makes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// One or more rows of equally many cells.
    pub rows: Vec<Vec<Cell>>,
    /// Rows of the question's further tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Vec<Vec<Cell>>>,
    /// Voltages and states over time, where they are recorded; they are not kept in files of answers.
    #[serde(skip)]
    pub recording: Option<Arc<FiberRecording>>,
}

impl Answer {
    /// An answer of rows alone.
    pub fn of_rows(rows: Vec<Vec<Cell>>) -> Self {
        Answer {
            rows,
            further: Vec::new(),
            recording: None,
        }
    }
}

/// Voltages and states of one fiber over time.
#[derive(Clone, Debug, PartialEq)]
pub struct FiberRecording {
    /// The recording.
    pub recording: Recording,
    /// Positions of all nodes, um.
    pub z_um: Vec<f64>,
}
