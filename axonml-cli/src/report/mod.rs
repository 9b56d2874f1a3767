//! Results as a table with its request and summary, and the forms in which it leaves the program.

mod csv;
mod file;
mod json;
mod npz;
mod outputs;
mod summary;
mod text;

use std::io::Write;

use serde_json::{Map, Value};

use crate::args::{OutputArgs, TableFormat};
use crate::error::CliError;
use crate::messages::Messages;

pub(crate) use file::{Form, Target, check_picture, check_regular, check_writable, replace};
pub(crate) use npz::Npz;
pub(crate) use outputs::{Outputs, refuse_overwriting};
pub(crate) use summary::{Statuses, error_summary};

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing to say.
    Missing,
    /// A number of ours.
    Number(f64),
    /// A count or an index.
    Integer(i64),
    /// A word of ours.
    Text(String),
    /// A cell of the user's table, kept as it was written.
    Raw(String),
}

impl Cell {
    /// A number that may be absent.
    pub(crate) fn maybe(number: Option<f64>) -> Self {
        number.map_or(Cell::Missing, Cell::Number)
    }

    /// A word; an empty one says nothing.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Cell::Missing
        } else {
            Cell::Text(text)
        }
    }

    /// A count or an index.
    pub(crate) fn integer(number: usize) -> Self {
        Cell::Integer(number as i64)
    }

    /// Its value as a number, whatever it is written like.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Integer(number) => Some(*number as f64),
            Cell::Raw(text) => text.trim().parse().ok().filter(|x: &f64| x.is_finite()),
            Cell::Missing | Cell::Text(_) => None,
        }
    }

    /// Exactly, as files have it.
    pub(crate) fn exact(&self) -> String {
        match self {
            Cell::Missing => String::new(),
            Cell::Number(number) => number.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Text(text) | Cell::Raw(text) => text.clone(),
        }
    }
}

/// Rows under named columns, the unit in each name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    /// Names.
    pub(crate) columns: Vec<String>,
    /// One cell per column each.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// Everything a command has to say.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// All settings.
    pub(crate) request: Value,
    /// The results.
    pub(crate) table: Table,
    /// The spikes of a run: what its CSV file holds instead of the results.
    pub(crate) spikes: Option<Table>,
    /// Shown to people in place of results that are too many.
    pub(crate) overview: Option<Table>,
    /// Comparisons with recorded traces, beside other results.
    pub(crate) traces: Option<Table>,
    /// Figures about all rows.
    pub(crate) summary: Map<String, Value>,
    /// The summary in words, for people.
    pub(crate) words: Vec<String>,
}

impl Report {
    /// As text in the format asked for.
    pub(crate) fn print(&self, format: TableFormat) -> Result<(), CliError> {
        let text = match format {
            TableFormat::Table => {
                let mut text = text::table(self.overview.as_ref().unwrap_or(&self.table));
                text.extend(self.traces.as_ref().map(text::table));
                for line in &self.words {
                    text.push_str(line);
                    text.push('\n');
                }
                text
            }
            TableFormat::Json => json::text(&json::object(self)),
            TableFormat::Csv => csv::text(&self.table),
        };
        print(&text)
    }

    /// The summary only, in words and as a table where there is one.
    pub(crate) fn print_words(&self) -> Result<(), CliError> {
        let lines: String = self.words.iter().map(|line| format!("{line}\n")).collect();
        let table = self.overview.as_ref().map(text::table).unwrap_or_default();
        print(&(table + &lines))
    }

    /// Writes a file in the form that its extension says; returns the names of the files written.
    pub(crate) fn write(&self, target: &Target) -> Result<Vec<String>, CliError> {
        match target.form {
            Form::Csv => {
                let table = self.spikes.as_ref().unwrap_or(&self.table);
                target.write(csv::text(table).as_bytes())?;
                let sidecar = target.sidecar();
                sidecar.write(json::text(&json::sidecar(self)).as_bytes())?;
                Ok(vec![target.name(), sidecar.name()])
            }
            Form::Json => {
                target.write(json::text(&json::object(self)).as_bytes())?;
                Ok(vec![target.name()])
            }
            Form::Npz => {
                target.write(&npz::table(self)?)?;
                Ok(vec![target.name()])
            }
        }
    }
}

/// Prints on standard output; a reader that went away is an error of its own kind, not a panic.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => CliError::broken_pipe(),
        _ => CliError::failure(format!("cannot write to standard output: {error}")),
    })
}

/// Prints JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), CliError> {
    print(&json::text(value))
}

/// A table as text for people, for commands that have no request to report.
pub(crate) fn plain(table: &Table) -> String {
    text::table(table)
}

/// `n` with its noun: "1 fiber", "3 fibers".
pub(crate) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Writes the files and prints.
pub(crate) fn output(
    report: &Report,
    targets: &[Target],
    args: &OutputArgs,
    messages: Messages,
) -> Result<(), CliError> {
    write(report, targets, messages)?;
    show(report, targets, args)
}

/// Writes the files.
pub(crate) fn write(
    report: &Report,
    targets: &[Target],
    messages: Messages,
) -> Result<(), CliError> {
    for target in targets {
        messages.note(format_args!(
            "wrote {}",
            report.write(target)?.join(" and ")
        ));
    }
    Ok(())
}

/// Prints: with files, only the summary unless a format was asked for.
pub(crate) fn show(report: &Report, targets: &[Target], args: &OutputArgs) -> Result<(), CliError> {
    match args.format {
        Some(format) => report.print(format),
        None if targets.is_empty() => report.print(TableFormat::Table),
        None => report.print_words(),
    }
}

/// Writes what is finished of `all` pieces of interrupted work beside the files asked for, or prints it; says where.
pub(crate) fn keep_partial(
    report: &Report,
    all: usize,
    noun: &str,
    targets: &[Target],
    write: &dyn Fn(&Target) -> Result<Vec<String>, CliError>,
) -> Vec<String> {
    let done = report.table.rows.len();
    if done == 0 {
        return Vec::new();
    }
    let of_all = format!("{done} of {}", counted(all, noun));
    if targets.is_empty() {
        let printed = report.print(TableFormat::Table);
        return printed
            .map(|()| vec![format!("{of_all} were finished and are printed")])
            .unwrap_or_default();
    }
    let keep = |target: &Target| match write(&target.partial()) {
        Ok(files) => format!("{of_all} are kept in {}", files.join(" and ")),
        Err(error) => error.message(),
    };
    targets.iter().map(keep).collect()
}
