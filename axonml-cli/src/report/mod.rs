//! Results on standard output and in files.

pub(crate) mod design;
mod file;
mod outputs;
mod text;

use std::io::Write;

use axonml::study::{Results, Table, counted, json_text};
use serde_json::Value;

use crate::args::{OutputArgs, TableFormat};
use crate::error::CliError;
use crate::messages::Messages;

pub(crate) use file::{Form, Target, check_picture, check_regular, check_writable, replace};
pub(crate) use outputs::{Outputs, refuse_overwriting};

/// Prints results in the format asked for.
pub(crate) fn print_results(results: &Results, format: TableFormat) -> Result<(), CliError> {
    let text = match format {
        TableFormat::Table => {
            let mut text = text::table(results.overview.as_ref().unwrap_or(&results.table));
            let beside = results.further.iter();
            for (_, table) in beside.filter(|(name, _)| Some(*name) != results.csv) {
                text.push_str(&text::table(table));
            }
            for line in &results.words {
                text.push_str(line);
                text.push('\n');
            }
            text
        }
        TableFormat::Json => results.to_json(),
        TableFormat::Csv => results.rows_to_csv(),
    };
    print(&text)
}

/// Rows of a further table that are printed beside files at most: fits, not thresholds of a thousand fibers.
const SHORT_TABLE: usize = 20;

/// The summary only, in words and as short tables where there are some.
fn print_words(results: &Results) -> Result<(), CliError> {
    let mut text = results
        .overview
        .as_ref()
        .map(text::table)
        .unwrap_or_default();
    let beside = results.further.iter();
    let beside = beside
        .filter(|(name, table)| Some(*name) != results.csv && table.rows.len() <= SHORT_TABLE);
    for (_, table) in beside {
        text.push_str(&text::table(table));
    }
    text.extend(results.words.iter().map(|line| format!("{line}\n")));
    print(&text)
}

/// Writes results into a file in the form that its extension says; returns the names of the files written.
pub(crate) fn write_results(results: &Results, target: &Target) -> Result<Vec<String>, CliError> {
    match target.form {
        Form::Csv => {
            target.write(results.to_csv().as_bytes())?;
            let sidecar = target.sidecar();
            sidecar.write(results.to_sidecar().as_bytes())?;
            Ok(vec![target.name(), sidecar.name()])
        }
        Form::Json => {
            target.write(results.to_json().as_bytes())?;
            Ok(vec![target.name()])
        }
        Form::Npz => {
            target.write(&results.to_npz()?)?;
            Ok(vec![target.name()])
        }
    }
}

/// Prints on standard output; a reader that went away is an error of its own kind, not a panic.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => CliError::BrokenPipe,
        _ => CliError::failure(format!("cannot write to standard output: {error}")),
    })
}

/// Prints JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), CliError> {
    print(&json_text(value))
}

/// A table as text for people, for commands that have no request to report.
pub(crate) fn plain(table: &Table) -> String {
    text::table(table)
}

/// Writes the files and prints.
pub(crate) fn output(
    results: &Results,
    targets: &[Target],
    args: &OutputArgs,
    messages: Messages,
) -> Result<(), CliError> {
    write(results, targets, messages)?;
    show(results, targets, args)
}

/// Writes the files.
pub(crate) fn write(
    results: &Results,
    targets: &[Target],
    messages: Messages,
) -> Result<(), CliError> {
    for target in targets {
        messages.note(format_args!(
            "wrote {}",
            write_results(results, target)?.join(" and ")
        ));
    }
    Ok(())
}

/// Prints: with files, only the summary unless a format was asked for.
pub(crate) fn show(
    results: &Results,
    targets: &[Target],
    args: &OutputArgs,
) -> Result<(), CliError> {
    match args.format {
        Some(format) => print_results(results, format),
        None if targets.is_empty() => print_results(results, TableFormat::Table),
        None => print_words(results),
    }
}

/// Writes what is finished of `all` pieces of interrupted work beside the files asked for, or prints it; says where.
pub(crate) fn keep_partial(
    results: &Results,
    all: usize,
    noun: &str,
    targets: &[Target],
    write: &dyn Fn(&Target) -> Result<Vec<String>, CliError>,
) -> Vec<String> {
    let done = results.table.rows.len();
    if done == 0 {
        return Vec::new();
    }
    let of_all = format!("{done} of {}", counted(all, noun));
    if targets.is_empty() {
        return vec![match print_results(results, TableFormat::Table) {
            Ok(()) => format!("{of_all} were finished and are printed"),
            Err(error) => format!("{of_all} were finished, and are lost: {}", error.message()),
        }];
    }
    let keep = |target: &Target| match write(&target.partial()) {
        Ok(files) => format!("{of_all} are kept in {}", files.join(" and ")),
        Err(error) => error.message(),
    };
    targets.iter().map(keep).collect()
}
