//! Results computed again and compared.

use std::path::Path;

use serde_json::Value;

use super::StudyError;
use super::difference::check_unchanged;
use super::execute::Execution;
use super::listener::Listener;
use super::plan::Plan;
use super::report::{Cell, Results, Table};
use super::setup::Machine;
use super::spec::Study;

/// Results of a repetition, and where they differ from those in the file.
#[derive(Debug)]
pub struct Repetition {
    /// The results now.
    pub results: Results,
    /// Rows of which a value differs: number (from 0), column, then, now.
    pub differences: Vec<(usize, String, String, String)>,
    /// Number of rows that were compared.
    pub rows: usize,
}

/// The study of a result file (`.json`), to be run again.
///
/// # Errors
/// [`StudyError`] if the text is no result of a study.
pub fn study_of(text: &str) -> Result<(Study, Value), StudyError> {
    let whole: Value = serde_json::from_str(text)
        .map_err(|error| StudyError::request(error).help("give a result file, FILE.json"))?;
    let study = &whole["request"]["study"];
    if study.is_null() {
        return Err(
            StudyError::request("found no request.study, expected the results of a study")
                .help("give a .json file that this version wrote"),
        );
    }
    if whole["results"].as_array().is_none() {
        let error = StudyError::request("found no results to compare with");
        return Err(
            match (whole["share"].is_null(), whole["columns"].is_null()) {
                (false, _) => {
                    error.help("this is a part of a study: `axonml merge` all parts first")
                }
                (_, false) => {
                    error.help("this is the file beside a .csv: write the results as .json")
                }
                _ => error.help("give a .json file that this version wrote"),
            },
        );
    }
    let study = serde_json::from_value(study.clone()).map_err(StudyError::request)?;
    Ok((study, whole))
}

/// Runs the study of a result file again and compares every row.
///
/// # Errors
/// [`StudyError`] if the text is no result of a study, or its files have changed.
pub fn rerun(
    text: &str,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Repetition, StudyError> {
    let (study, whole) = study_of(text)?;
    let plan = Plan::new(&study, machine, listener)?;
    check_unchanged(&whole["request"], &plan.request())?;
    let outcome = plan.run(&Execution::default(), listener)?;
    if outcome.canceled {
        return Err(StudyError::canceled());
    }
    let results = plan.results(&outcome)?;
    let mut differences = compare("", &whole["results"], &results.table)?;
    // What was made of the rows, or beside them: fits, action potentials, thresholds behind a recruitment.
    for (name, table) in &results.further {
        differences.extend(compare(name, &whole[*name], table)?);
    }
    let rows = results.table.rows.len();
    Ok(Repetition {
        results,
        differences,
        rows,
    })
}

/// The values of a table that differ: number of the row, column (behind the table's name, where it has one), then, now.
fn compare(
    name: &str,
    then: &Value,
    now: &Table,
) -> Result<Vec<(usize, String, String, String)>, StudyError> {
    let none = Vec::new();
    let then = then.as_array().unwrap_or(&none);
    if then.len() != now.rows.len() {
        let of = match name {
            "" => String::new(),
            name => format!(" of `{name}`"),
        };
        return Err(StudyError::failure(format!(
            "found {} rows{of} in the file, {} now",
            then.len(),
            now.rows.len()
        )));
    }
    let mut differences = Vec::new();
    for (row, (then, cells)) in then.iter().zip(&now.rows).enumerate() {
        for (column, cell) in now.columns.iter().zip(cells) {
            let was = &then[column.as_str()];
            if same(was, cell) {
                continue;
            }
            let was = match was {
                Value::Null => String::new(),
                was => was.to_string(),
            };
            let column = match name {
                "" => column.clone(),
                name => format!("{name}.{column}"),
            };
            differences.push((row, column, was, cell.exact()));
        }
    }
    Ok(differences)
}

fn same(then: &Value, now: &Cell) -> bool {
    match (then, now) {
        (Value::Null, Cell::Missing) => true,
        (Value::Number(then), now) => {
            let bits = |x: f64| x.to_bits();
            now.number().map(bits) == then.as_f64().map(bits)
        }
        (Value::String(then), now) => *then == now.exact(),
        (Value::Null, Cell::Raw(text)) => text.trim().is_empty(),
        _ => false,
    }
}

/// Whether a path names a result file.
pub fn is_result(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}
