//! The table as text: columns, records, and where each stands in its file.

use std::path::{Path, PathBuf};

use axonml_core::names;

use crate::error::CliError;
use crate::messages::Messages;

/// The columns that mean something; all others pass through.
pub(crate) const COLUMNS: [&str; 20] = [
    "model",
    "diameter_um",
    "n_nodes",
    "distance_um",
    "z_offset_um",
    "shape",
    "pw_ms",
    "delay_ms",
    "tstop_ms",
    "dt_ms",
    "delta_z_um",
    "length_um",
    "resistivity_ohm_cm",
    "detect_node_index",
    "detect_at",
    "detect_threshold_mV",
    "threshold_mA",
    "nerve",
    "fibre",
    "contacts",
];

/// A table as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Where it came from.
    pub(crate) path: PathBuf,
    /// The bytes of the file.
    pub(crate) bytes: Vec<u8>,
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// The rows, with as many cells as there are columns.
    pub(crate) records: Vec<Record>,
}

/// A row as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Row of data, counted from 1.
    pub(crate) row: usize,
    /// Line of the file, counted from 1.
    pub(crate) line: usize,
    /// Its cells.
    pub(crate) cells: Vec<String>,
    /// Number of cells that the file had in this row.
    pub(crate) found: usize,
}

impl Sheet {
    /// Reads the table.
    pub(crate) fn read(path: &Path, messages: Messages) -> Result<Self, CliError> {
        let place = format!("--conditions {}", path.display());
        let bytes = std::fs::read(path).map_err(|error| {
            CliError::request(format!("{place}: {error}")).help("name an existing CSV file")
        })?;
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text);
        let unreadable = |error: csv::Error| {
            CliError::request(format!("{place}: {error}"))
                .help("expected CSV in UTF-8 with a line of column names")
        };
        let columns: Vec<String> = reader
            .headers()
            .map_err(unreadable)?
            .iter()
            .map(str::to_owned)
            .collect();
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].contains(column) {
                return Err(CliError::request(format!(
                    "{place}: the column `{column}` occurs twice"
                ))
                .help("remove or rename one of them"));
            }
        }
        if !columns
            .iter()
            .any(|column| COLUMNS.contains(&column.as_str()))
        {
            return Err(CliError::request(format!(
                "{place}: found the columns `{}`, expected some of {}",
                columns.join(", "),
                COLUMNS.join(", ")
            ))
            .help("the first line of the table must name its columns"));
        }
        for column in columns
            .iter()
            .filter(|column| !COLUMNS.contains(&column.as_str()))
        {
            let absent = COLUMNS
                .into_iter()
                .filter(|known| !columns.iter().any(|column| column == known));
            // `threshold_mA` and `lower_bound_mA` are both common, and different things.
            if let Some(near) = names::nearest(column, absent) {
                messages.note(format_args!(
                    "{place}: the column `{column}` passes through unused; did you mean `{near}`?"
                ));
            }
        }
        let mut records = Vec::new();
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(unreadable)?;
            let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
            let found = cells.len();
            cells.resize(columns.len(), String::new());
            records.push(Record {
                row: index + 1,
                line: line_of(text, record.position()),
                cells,
                found,
            });
        }
        if records.is_empty() {
            return Err(CliError::request(format!(
                "{place}: found no rows below the column names, expected one or more"
            )));
        }
        Ok(Sheet {
            path: path.to_owned(),
            bytes,
            columns,
            records,
        })
    }

    /// The index of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The cell of a row, if the column is there and the cell is not empty.
    pub(crate) fn cell<'r>(&self, record: &'r Record, column: &str) -> Option<&'r str> {
        let cell = record.cells[self.column(column)?].as_str();
        (!cell.is_empty()).then_some(cell)
    }

    /// Where a row stands.
    pub(crate) fn place(&self, record: &Record) -> String {
        format!(
            "{}, row {} (line {})",
            self.path.display(),
            record.row,
            record.line
        )
    }
}

/// The line on which a record begins: its position may point at the end of the line before.
fn line_of(text: &[u8], position: Option<&csv::Position>) -> usize {
    let byte = position.map_or(0, |position| position.byte() as usize);
    let before = text.iter().take(byte);
    let ends = text
        .iter()
        .skip(byte)
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    1 + before.chain(ends).filter(|byte| **byte == b'\n').count()
}
