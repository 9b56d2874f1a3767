//! Stimuli in files: results of earlier optimizations, and members of populations.

use std::path::Path;

use axonml_models::read_array;
use serde_json::Value;

use super::folder::WAVEFORMS;
use crate::study::StudyError;

/// Amplitudes in a file of results: those of the best stimulus, then those of its front, mA.
///
/// The file is the best.json of an optimization, results as `--format json` or `-o` write them, or any object with
/// `amplitudes_mA`.
pub(super) fn read_amplitudes(path: &Path) -> Result<Vec<Vec<f64>>, StudyError> {
    let at = |why: String| StudyError::request(why).at(path.display());
    let value = read_json(path)?;
    let none = "found no list of numbers called amplitudes_mA, expected the best.json of an optimization, or its results";
    let results = match value.get("results").and_then(Value::as_array) {
        Some(results) => results.iter().collect(),
        None => vec![&value],
    };
    let mut all = Vec::new();
    for result in results {
        if result.get("waveform").and_then(Value::as_str) == Some(WAVEFORMS) {
            return Err(
                at("found whole waveforms, expected amplitudes of one waveform".into())
                    .help("begin with the result of an optimization of amplitudes or widths"),
            );
        }
        let front = result.get("pareto").and_then(Value::as_array);
        for one in [result].into_iter().chain(front.into_iter().flatten()) {
            let numbers = one.get("amplitudes_mA").and_then(numbers);
            all.push(numbers.ok_or_else(|| at(none.into()))?);
        }
    }
    match all.is_empty() {
        true => Err(at(none.into())),
        false => Ok(all),
    }
}

fn read_json(path: &Path) -> Result<Value, StudyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| StudyError::request(error).at(path.display()))?;
    serde_json::from_str(&text).map_err(|error| StudyError::request(error).at(path.display()))
}

fn numbers(list: &Value) -> Option<Vec<f64>> {
    let finite = |value: &Value| value.as_f64().filter(|number| number.is_finite());
    list.as_array()?.iter().map(finite).collect()
}

/// Members in a file: an array `(member, unknown)` of amplitudes, mA, and then widths; as .npy, or as lists of numbers in
/// .json. `None` of other .json files.
pub(super) fn read_members(path: &Path) -> Result<Option<Vec<Vec<f64>>>, StudyError> {
    let wrong = |found: String| {
        StudyError::request(format!(
            "found {found}, expected finite numbers (member, unknown)"
        ))
        .at(path.display())
    };
    if path.extension().is_some_and(|ending| ending == "npy") {
        let array = read_array(path).map_err(StudyError::from)?;
        let [members, unknowns] = *array.shape() else {
            return Err(wrong(format!("an array of shape {:?}", array.shape())));
        };
        if let Some(value) = array.iter().find(|value| !value.is_finite()) {
            return Err(wrong(format!("{value}")));
        }
        let all: Vec<f64> = array.iter().copied().collect();
        let rows = (0..members).map(|row| all[row * unknowns..(row + 1) * unknowns].to_vec());
        return Ok(Some(rows.collect()));
    }
    match read_json(path)?.as_array() {
        None => Ok(None),
        Some(rows) => {
            let rows: Option<Vec<Vec<f64>>> = rows.iter().map(numbers).collect();
            rows.map(Some)
                .ok_or_else(|| wrong("a list of something else".into()))
        }
    }
}
