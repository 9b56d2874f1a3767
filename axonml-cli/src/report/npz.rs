//! Archives of arrays.

use std::io::Cursor;

use ndarray::{ArrayBase, ArrayD, Data, Dimension};
use ndarray_npy::{NpzWriter, WritableElement, WriteDataError, WriteNpzError};
use py_literal::Value as PyValue;
use serde_json::Value;

use super::{Cell, Report};
use crate::error::CliError;

/// A word of a fixed number of bytes, as numpy's `S64`; longer ones are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text([u8; Text::BYTES]);

impl Text {
    const BYTES: usize = 64;

    pub(crate) fn new(text: &str) -> Self {
        let mut bytes = [0; Text::BYTES];
        let mut end = text.len().min(Text::BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
        Text(bytes)
    }
}

impl WritableElement for Text {
    fn type_descriptor() -> PyValue {
        PyValue::String(format!("|S{}", Text::BYTES))
    }

    fn write<W: std::io::Write>(&self, mut writer: W) -> Result<(), WriteDataError> {
        Ok(writer.write_all(&self.0)?)
    }

    fn write_slice<W: std::io::Write>(slice: &[Self], mut writer: W) -> Result<(), WriteDataError> {
        slice.iter().try_for_each(|text| text.write(&mut writer))
    }
}

/// An archive in memory: same arrays, same bytes.
pub(crate) struct Npz(NpzWriter<Cursor<Vec<u8>>>);

impl Npz {
    pub(crate) fn new() -> Self {
        Npz(NpzWriter::new_compressed(Cursor::new(Vec::new())))
    }

    /// Adds an array.
    pub(crate) fn add<S, D>(&mut self, name: &str, array: &ArrayBase<S, D>) -> Result<(), CliError>
    where
        S: Data,
        S::Elem: WritableElement,
        D: Dimension,
    {
        self.0.add_array(name, array).map_err(failed)
    }

    /// Adds the request and the summary as the bytes of their JSON, and returns the archive.
    pub(crate) fn finish(mut self, request: &Value, summary: &Value) -> Result<Vec<u8>, CliError> {
        // Without the seconds, so that the same request gives the same bytes.
        let mut summary = summary.clone();
        if let Value::Object(figures) = &mut summary {
            figures.remove("seconds");
        }
        for (name, value) in [("request_json", request), ("summary_json", &summary)] {
            let bytes = value.to_string().into_bytes();
            let array =
                ArrayD::from_shape_vec(vec![bytes.len()], bytes).map_err(CliError::failure)?;
            self.add(name, &array)?;
        }
        Ok(self.0.finish().map_err(failed)?.into_inner())
    }
}

fn failed(error: WriteNpzError) -> CliError {
    CliError::failure(format!("cannot make the .npz archive: {error}"))
}

/// The table, one array a column: integers, numbers (NaN where there is none) or words.
pub(super) fn table(report: &Report) -> Result<Vec<u8>, CliError> {
    let mut npz = Npz::new();
    let table = &report.table;
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
                &ArrayD::from_shape_vec(shape, integers).map_err(CliError::failure)?,
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
                &ArrayD::from_shape_vec(shape, numbers).map_err(CliError::failure)?,
            )?;
        } else {
            let words: Vec<Text> = cells.iter().map(|cell| Text::new(&cell.exact())).collect();
            npz.add(
                name,
                &ArrayD::from_shape_vec(shape, words).map_err(CliError::failure)?,
            )?;
        }
    }
    npz.finish(&report.request, &Value::Object(report.summary.clone()))
}
