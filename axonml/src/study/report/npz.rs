//! Archives of arrays.

use axonml_models::{NpyElement, NpzWriter};
use ndarray::{ArrayBase, ArrayD, Data, Dimension};
use serde_json::Value;

use super::{Cell, Results};
use crate::study::StudyError;

/// A word of a fixed number of bytes, as numpy's `S64`; longer ones are cut.
#[derive(Clone, Copy, Debug)]
struct Text([u8; Text::BYTES]);

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; Text::BYTES];
        let mut end = text.len().min(Text::BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
        Text(bytes)
    }
}

impl NpyElement for Text {
    const DESCR: &'static str = "|S64";
    const BYTES: usize = 64;

    fn put(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0);
    }
}

/// An archive of arrays with a request and a summary, in memory: the same arrays give the same bytes.
#[derive(Debug, Default)]
pub struct NpzArchive(NpzWriter);

impl NpzArchive {
    /// An archive without arrays.
    pub fn new() -> Self {
        NpzArchive::default()
    }

    /// Adds an array.
    ///
    /// # Errors
    /// [`StudyError`] if its name is taken.
    pub fn add<S, D>(&mut self, name: &str, array: &ArrayBase<S, D>) -> Result<(), StudyError>
    where
        S: Data,
        S::Elem: NpyElement,
        D: Dimension,
    {
        self.0.add(name, array).map_err(StudyError::failure)
    }

    /// Adds the request and the summary as the bytes of their JSON, and returns the archive's bytes.
    ///
    /// # Errors
    /// [`StudyError`] if it cannot be made.
    pub fn finish(mut self, request: &Value, summary: &Value) -> Result<Vec<u8>, StudyError> {
        // Without the seconds, so that the same request gives the same bytes.
        let mut summary = summary.clone();
        if let Value::Object(figures) = &mut summary {
            figures.remove("seconds");
        }
        for (name, value) in [("request_json", request), ("summary_json", &summary)] {
            let bytes = value.to_string().into_bytes();
            let array =
                ArrayD::from_shape_vec(vec![bytes.len()], bytes).map_err(StudyError::failure)?;
            self.add(name, &array)?;
        }
        self.0.finish().map_err(StudyError::failure)
    }
}

/// The table, one array a column: integers, numbers (NaN where there is none) or words.
pub(super) fn table(results: &Results) -> Result<Vec<u8>, StudyError> {
    let mut npz = NpzArchive::new();
    let table = &results.table;
    for (index, name) in table.columns.iter().enumerate() {
        let cells: Vec<&Cell> = table.rows.iter().map(|row| &row[index]).collect();
        let shape = vec![cells.len()];
        let integers = cells.iter().map(|cell| match cell {
            Cell::Integer(number) => Some(*number),
            _ => None,
        });
        if let Some(integers) = integers.collect::<Option<Vec<i64>>>() {
            npz.add(
                name,
                &ArrayD::from_shape_vec(shape, integers).map_err(StudyError::failure)?,
            )?;
        } else if cells.iter().any(|cell| **cell != Cell::Missing)
            && cells
                .iter()
                .all(|cell| **cell == Cell::Missing || cell.number().is_some())
        {
            let numbers = cells
                .iter()
                .map(|cell| cell.number().unwrap_or(f64::NAN))
                .collect();
            npz.add(
                name,
                &ArrayD::from_shape_vec(shape, numbers).map_err(StudyError::failure)?,
            )?;
        } else {
            let words: Vec<Text> = cells.iter().map(|cell| Text::new(&cell.exact())).collect();
            npz.add(
                name,
                &ArrayD::from_shape_vec(shape, words).map_err(StudyError::failure)?,
            )?;
        }
    }
    npz.finish(&results.request, &Value::Object(results.summary.clone()))
}
