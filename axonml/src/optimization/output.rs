//! Results of optimizations as files: an object, a table with a row for each nerve, arrays.

use ndarray::{Array1, Array2};
use serde_json::{Value, json};

use crate::design::{DesignRecord, DesignResult, HistoryRow};
use crate::study::{Cell, NpzArchive, StudyError, Table};

/// `request`, `results` (an object for each nerve) and `summary` as one JSON object.
///
/// # Errors
/// [`StudyError`] if a result cannot be written.
pub fn results_json(records: &[DesignRecord]) -> Result<Value, StudyError> {
    let results = records
        .iter()
        .map(|record| serde_json::to_value(&record.result));
    let results: Result<Vec<Value>, _> = results.collect();
    Ok(json!({
        "request": request(records),
        "results": results.map_err(StudyError::failure)?,
        "summary": summary(records),
    }))
}

/// The request, or those of several nerves.
fn request(records: &[DesignRecord]) -> Value {
    match records {
        [one] => one.request.clone(),
        many => many.iter().map(|record| record.request.clone()).collect(),
    }
}

fn summary(records: &[DesignRecord]) -> Value {
    let sum = |of: fn(&DesignResult) -> usize| -> usize {
        records.iter().map(|record| of(&record.result)).sum()
    };
    let seconds: f64 = records.iter().map(|record| record.result.seconds).sum();
    let perfect = records
        .iter()
        .filter(|record| record.result.misclassified < 1e-9);
    json!({
        "n": records.len(),
        "perfect": perfect.count(),
        "evaluations": sum(|of| of.evaluations),
        "thresholds": sum(|of| of.thresholds),
        "gradients": sum(|of| of.gradients),
        "seconds": seconds,
    })
}

/// A row for each nerve: all that is one number or word.
pub fn results_table(records: &[DesignRecord]) -> Table {
    let columns = [
        "nerve",
        "method",
        "objective",
        "seed",
        "status",
        "pw_ms",
        "gap_ms",
        "target_pct",
        "offtarget_pct",
        "misclassified",
        "wbce",
        "separation",
        "window_low",
        "window_high",
        "charge_nC",
        "energy",
        "peak_mA",
        "sum_mA",
        "evaluations",
        "thresholds",
        "gradients",
        "seconds",
        "candidate_nerves_per_s",
        "iterations",
    ];
    let mut table = Table::new(columns);
    let contacts = records
        .iter()
        .map(|record| record.result.amplitudes_ma.len())
        .max();
    for contact in 0..contacts.unwrap_or(0) {
        table.columns.push(format!("amplitude_{contact}_mA"));
    }
    for record in records {
        let of = &record.result;
        let mut row = vec![
            Cell::text(&of.nerve),
            Cell::text(&of.method),
            Cell::text(&of.objective),
            Cell::Integer(i64::try_from(of.seed).unwrap_or(i64::MAX)),
            Cell::text(&of.status),
            Cell::maybe(of.pw_ms),
            Cell::maybe(of.gap_ms),
            Cell::Number(of.target_pct),
            Cell::Number(of.offtarget_pct),
            Cell::Number(of.misclassified),
            Cell::Number(of.wbce),
            Cell::maybe(of.separation),
            Cell::maybe(of.window[0]),
            Cell::maybe(of.window[1]),
            Cell::Number(of.charge_nc),
            Cell::Number(of.energy),
            Cell::Number(of.peak_ma),
            Cell::Number(of.sum_ma),
            Cell::integer(of.evaluations),
            Cell::integer(of.thresholds),
            Cell::integer(of.gradients),
            Cell::Number(of.seconds),
            Cell::Number(of.candidate_nerves_per_s),
            Cell::integer(of.iterations),
        ];
        row.extend(of.amplitudes_ma.iter().map(|ma| Cell::Number(*ma)));
        row.resize(table.columns.len(), Cell::Missing);
        table.rows.push(row);
    }
    table
}

/// Amplitudes `(contact)`, currents `(contact, step)`, thresholds and activation by fiber, and the history, of each nerve;
/// with several nerves the names of its arrays begin with its number.
///
/// # Errors
/// [`StudyError`] if the archive cannot be made.
pub fn results_npz(records: &[DesignRecord]) -> Result<Vec<u8>, StudyError> {
    let mut npz = NpzArchive::new();
    for (number, record) in records.iter().enumerate() {
        let name = |of: &str| match records.len() {
            1 => of.to_owned(),
            _ => format!("{number}_{of}"),
        };
        let result = &record.result;
        npz.add(
            &name("amplitudes_mA"),
            &Array1::from(result.amplitudes_ma.clone()),
        )?;
        npz.add(&name("t_ms"), &Array1::from(record.times_ms.clone()))?;
        let shape = (record.currents_ma.len(), record.times_ms.len());
        let currents =
            Array2::from_shape_fn(shape, |(contact, step)| record.currents_ma[contact][step]);
        npz.add(&name("currents_mA"), &currents)?;
        let fibers = result.fibers.iter();
        let thresholds = fibers
            .clone()
            .map(|fiber| fiber.threshold.unwrap_or(f64::NAN));
        npz.add(&name("thresholds"), &thresholds.collect::<Array1<f64>>())?;
        npz.add(
            &name("active"),
            &fibers
                .clone()
                .map(|fiber| u8::from(fiber.active))
                .collect::<Array1<u8>>(),
        )?;
        npz.add(
            &name("target"),
            &fibers
                .clone()
                .map(|fiber| u8::from(fiber.target))
                .collect::<Array1<u8>>(),
        )?;
        npz.add(
            &name("weights"),
            &fibers.map(|fiber| fiber.weight).collect::<Array1<f64>>(),
        )?;
        let history =
            |of: fn(&HistoryRow) -> f64| record.history.iter().map(of).collect::<Array1<f64>>();
        npz.add(&name("history_loss"), &history(|row| row.loss))?;
        npz.add(&name("history_start"), &history(|row| row.start as f64))?;
        npz.add(
            &name("history_iteration"),
            &history(|row| row.iteration as f64),
        )?;
        npz.add(
            &name("history_misclassified"),
            &history(|row| row.misclassified),
        )?;
        npz.add(
            &name("history_separation"),
            &history(|row| row.separation.unwrap_or(f64::NAN)),
        )?;
    }
    npz.finish(&request(records), &summary(records))
}
