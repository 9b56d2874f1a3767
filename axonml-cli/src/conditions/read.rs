//! The table as text: columns, records, and where each stands in its file.

use std::path::{Path, PathBuf};

use axonml_core::delimited::DelimitedText;
use axonml_core::names;
use axonml_models::read_text_file;

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
        let bytes = read_text_file(path).map_err(|error| {
            CliError::request(format!("{place}: {error}")).help("name an existing CSV file")
        })?;
        let table = DelimitedText::from_bytes(&bytes).map_err(|error| {
            CliError::request(format!("{place}: {error}"))
                .help("expected a table in UTF-8 with a line of column names")
        })?;
        let (columns, first) = columns(&table);
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
        let numbers: Vec<bool> = columns.iter().map(|name| holds_numbers(name)).collect();
        let records: Vec<Record> = table
            .records()
            .skip(first)
            .enumerate()
            .map(|(index, record)| {
                let cell = |(column, is_number): (usize, &bool)| match is_number {
                    true => table.with_point(record.cell(column)).into_owned(),
                    false => record.cell(column).to_owned(),
                };
                Record {
                    row: index + 1,
                    line: record.line,
                    cells: numbers.iter().enumerate().map(cell).collect(),
                    found: record.len(),
                }
            })
            .collect();
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

/// The names of the columns, and the index of the first record of data: the first record names them,
/// unless only the comment above it does.
fn columns(table: &DelimitedText) -> (Vec<String>, usize) {
    let known = |names: &[String]| names.iter().any(|name| COLUMNS.contains(&name.as_str()));
    let first: Vec<String> = match table.is_empty() {
        true => Vec::new(),
        false => table.record(0).cells().map(str::to_owned).collect(),
    };
    let heading = table.heading_cells();
    if !known(&first) && known(heading) {
        return (heading.to_vec(), 0);
    }
    (first, 1)
}

/// Whether a column holds one number a cell, whose comma may be a decimal comma: its name ends with a
/// unit. Lists (`contacts`, `detect_node_index`) and names do not.
fn holds_numbers(column: &str) -> bool {
    const UNITS: [&str; 6] = ["_um", "_ms", "_mA", "_mV", "_nA", "_ohm_cm"];
    column == "temperature" || UNITS.iter().any(|unit| column.ends_with(unit))
}
