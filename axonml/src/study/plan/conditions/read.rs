//! The table as text: columns, records, and where each stands in its file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axonml_core::delimited::DelimitedText;
use axonml_models::conditions::{Header, column};
use axonml_models::read_text_file;

use crate::study::StudyError;
use crate::study::listener::Listener;

/// Names of the command line's settings: a column of such a name that means nothing in a table is refused, not ignored.
pub const SETTINGS: &[&str] = &[
    "help",
    "conditions",
    "nerves",
    "model",
    "weights",
    "set",
    "temperature",
    "diameter",
    "count",
    "nodes",
    "length",
    "delta-z",
    "ends",
    "start",
    "warmup",
    "point",
    "resistivity",
    "nerve",
    "contacts",
    "basis",
    "interpolation",
    "offset",
    "extend",
    "accept-coarse",
    "pulse",
    "polarity",
    "pulse-width",
    "frequency",
    "distance",
    "inject",
    "conditioning",
    "detect-nodes",
    "detect-at",
    "detect-threshold",
    "detect-after",
    "first-amplitude",
    "max-amplitude",
    "max-current",
    "resolution",
    "no-early-end",
    "extrapolate",
    "end-excitation",
    "keep-going",
    "dt",
    "tstop",
    "precision",
    "rates",
    "backend",
    "threads",
    "max-memory",
    "seed",
    "format",
    "output",
    "plot",
    "quiet",
    "verbose",
    "part",
    "print-study",
    "block",
    "test-pulse",
    "x",
    "size",
    "dpi",
];

/// A table as it was read.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Where it came from.
    pub path: PathBuf,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Their meaning.
    pub header: Header,
    /// The rows, with as many cells as there are columns.
    pub records: Vec<Record>,
}

/// A row as it was read.
#[derive(Clone, Debug)]
pub struct Record {
    /// Row of data, counted from 1.
    pub row: usize,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<String>,
    /// Number of cells that the file had in this row.
    pub found: usize,
}

impl Sheet {
    /// Reads the table.
    ///
    /// # Errors
    /// [`StudyError`] with the file, and the line where one is wrong.
    pub fn read(path: &Path, listener: &mut dyn Listener) -> Result<Self, StudyError> {
        let place = format!("conditions {}", path.display());
        let bytes = read_text_file(path).map_err(|error| {
            StudyError::request(format!("{place}: {error}")).help("name an existing CSV file")
        })?;
        let table = DelimitedText::from_bytes(&bytes).map_err(|error| {
            StudyError::request(format!("{place}: {error}"))
                .help("expected a table in UTF-8 with a line of column names")
        })?;
        let (columns, first) = columns(&table);
        let header = Header::new(&columns, SETTINGS)
            .map_err(|error| StudyError::request(format!("{place}: {error}")).help(error.help()))?;
        if !header.unused().is_empty() {
            listener.note(format!(
                "{place}: nothing uses the columns {}: they pass through",
                header.unused().join(", ")
            ));
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
            return Err(StudyError::request(format!(
                "{place}: found no rows below the column names, expected one or more"
            )));
        }
        Ok(Sheet {
            path: path.to_owned(),
            bytes,
            columns,
            header,
            records,
        })
    }

    /// The index of a column that means something.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.position(name)
    }

    /// The cell of a row, if the column is there and the cell is not empty.
    pub fn cell<'r>(&self, record: &'r Record, column: &str) -> Option<&'r str> {
        let cell = record.cells[self.column(column)?].as_str();
        (!cell.is_empty()).then_some(cell)
    }

    /// The pulses from files and the nerves that rows name: column and cell.
    pub fn named(&self) -> BTreeSet<(&'static str, &str)> {
        let mut named = BTreeSet::new();
        for record in &self.records {
            for column in ["pulse", "nerve"] {
                named.extend(self.cell(record, column).map(|cell| (column, cell)));
            }
        }
        named
    }

    /// Where a row stands.
    pub fn place(&self, record: &Record) -> String {
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
    let known = |names: &[String]| names.iter().any(|name| column(name).is_some());
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

/// Whether a column holds one number a cell, whose comma may be a decimal comma: it has a unit. Lists and names do not.
fn holds_numbers(name: &str) -> bool {
    column(name).is_some_and(|column| !column.unit.is_empty())
}
