//! The table as text: columns, records, and where each stands in its file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axonml::table::conditions::{Header, column};
use axonml::table::delimited::DelimitedText;
use axonml::table::read_text_file;
use clap::CommandFactory;

use crate::args::Cli;
use crate::error::CliError;
use crate::input::Input;
use crate::messages::Messages;

/// A table as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Where it came from.
    pub(crate) path: PathBuf,
    /// The bytes of the file.
    pub(crate) bytes: Vec<u8>,
    /// Names of the columns.
    pub(crate) columns: Vec<String>,
    /// Their meaning.
    pub(crate) header: Header,
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
        let flags = flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let header = Header::new(&columns, &flags)
            .map_err(|error| CliError::request(format!("{place}: {error}")).help(error.help()))?;
        if !header.unused().is_empty() {
            messages.note(format_args!(
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
            return Err(CliError::request(format!(
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
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.position(name)
    }

    /// The cell of a row, if the column is there and the cell is not empty.
    pub(crate) fn cell<'r>(&self, record: &'r Record, column: &str) -> Option<&'r str> {
        let cell = record.cells[self.column(column)?].as_str();
        (!cell.is_empty()).then_some(cell)
    }

    /// The files that rows name, nerves being folders below `nerves`.
    pub(crate) fn files(&self, nerves: Option<&Path>) -> Vec<Input> {
        let mut named = BTreeSet::new();
        for record in &self.records {
            let cells = ["pulse", "nerve"].map(|column| (column, self.cell(record, column)));
            named.extend(
                cells
                    .into_iter()
                    .filter_map(|(column, cell)| Some((column, cell?))),
            );
        }
        let files = named.into_iter().flat_map(|(column, cell)| {
            let what = format!("column {column}");
            match (column, cell.trim().strip_prefix("file:"), nerves) {
                ("pulse", Some(path), _) => vec![Input::of(&what, Path::new(path))],
                ("nerve", _, Some(root)) => {
                    Input::nerve(&format!("{what}, {cell}"), &root.join(cell))
                }
                _ => Vec::new(),
            }
        });
        files.collect()
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

/// The names of the flags that thresholds take, without dashes in front.
fn flags() -> Vec<String> {
    let cli = Cli::command();
    let threshold = cli.find_subcommand("threshold");
    let flags = threshold
        .into_iter()
        .flat_map(|command| command.get_arguments());
    flags
        .filter_map(|flag| flag.get_long().map(str::to_owned))
        .collect()
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
