//! Results of the rows of a threshold search.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::partial::Partial;
use crate::args::TableFormat;
use crate::error::CliError;
use crate::report::{Cell, Report, Statuses, Table, counted, error_summary};
use crate::search::Found;

/// Results of the rows so far; shared with the signal handler.
pub(super) struct Results {
    /// Columns that stand before the results.
    pub(super) columns: Vec<String>,
    /// Their cells, and the reference of each row, mA.
    pub(super) rows: Vec<(Vec<Cell>, Option<f64>)>,
    /// Whether there are references.
    pub(super) has_references: bool,
    /// Thresholds found so far.
    pub(super) found: Mutex<Vec<Option<Found>>>,
    /// Where rows are kept as they finish, if there is a file for them.
    pub(super) partial: Mutex<Option<Partial>>,
    /// All settings.
    pub(super) request: Value,
    /// Begin of the work.
    pub(super) started: Instant,
}

impl Results {
    /// Keeps what was found for some rows: on the disk, and here.
    pub(super) fn keep(&self, rows: Vec<(usize, Found)>) -> Result<(), CliError> {
        if let Some(partial) = &mut *self.partial() {
            for (index, found) in &rows {
                partial.keep(*index, found)?;
            }
            partial.sync()?;
        }
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, found) in rows {
            known[index] = Some(found);
        }
        Ok(())
    }

    fn partial(&self) -> MutexGuard<'_, Option<Partial>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the rows kept on the disk, once they are where they belong.
    pub(super) fn settle(&self) -> Result<(), CliError> {
        let partial = self.partial().take();
        partial.map_or(Ok(()), Partial::remove)
    }

    /// Thresholds found so far.
    pub(super) fn snapshot(&self) -> Vec<Option<Found>> {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The report of what is known; rows without an answer are left out.
    pub(super) fn report(&self, interrupted: bool) -> Report {
        let mut table = Table {
            columns: self.all_columns(),
            rows: Vec::new(),
        };
        let mut errors_pct = Vec::new();
        let mut statuses = Statuses::default();
        for ((settings, reference_ma), found) in self.rows.iter().zip(self.snapshot()) {
            let Some(found) = found else { continue };
            let error_pct = found
                .upper_ma
                .zip(*reference_ma)
                .map(|(ours, theirs)| 100.0 * (ours - theirs) / theirs);
            errors_pct.extend(error_pct);
            statuses.count(found.status);
            table
                .rows
                .push(self.row(settings, *reference_ma, error_pct, found));
        }
        let rows = table.rows.len();
        let seconds = self.started.elapsed().as_secs_f64();
        let (mut summary, errors) = error_summary(&errors_pct, rows);
        summary.insert("rows".into(), json!(rows));
        let how = statuses.words();
        let at_ends = statuses.end_excitation();
        statuses.finish(&mut summary, interrupted, seconds);
        let first = format!("{} in {seconds:.2} s: {how}", counted(rows, "threshold"));
        Report {
            request: self.request.clone(),
            table,
            spikes: None,
            overview: None,
            traces: None,
            summary,
            words: [first].into_iter().chain(errors).chain(at_ends).collect(),
        }
    }

    fn all_columns(&self) -> Vec<String> {
        let mut columns = self.columns.clone();
        let mut add = |names: &[&str]| columns.extend(names.iter().map(|name| (*name).to_owned()));
        if self.has_references {
            add(&["reference_mA"]);
        }
        add(&["threshold_mA", "lower_mA", "upper_mA"]);
        if self.has_references {
            add(&["error_pct"]);
        }
        add(&["start_node", "start_um", "start_ms", "status", "message"]);
        columns
    }

    /// The cells of a row, as [`Results::all_columns`] names them.
    fn row(
        &self,
        settings: &[Cell],
        reference_ma: Option<f64>,
        error_pct: Option<f64>,
        found: Found,
    ) -> Vec<Cell> {
        let mut row = settings.to_vec();
        if self.has_references {
            row.push(Cell::maybe(reference_ma));
        }
        row.extend([found.upper_ma, found.lower_ma, found.upper_ma].map(Cell::maybe));
        if self.has_references {
            row.push(Cell::maybe(error_pct));
        }
        let start = found.start;
        row.extend([
            start.map_or(Cell::Missing, |at| Cell::integer(at.node)),
            Cell::maybe(start.map(|at| at.z_um)),
            Cell::maybe(start.map(|at| at.time_ms)),
            Cell::text(found.status),
            Cell::text(found.message),
        ]);
        row
    }

    /// Says where finished rows are kept, or prints them where there is no file.
    pub(super) fn salvage(&self) -> Vec<String> {
        // Waits for a row that is being kept.
        let partial = self.partial();
        let report = self.report(true);
        let of_all = format!(
            "{} of {}",
            report.table.rows.len(),
            counted(self.rows.len(), "row")
        );
        match &*partial {
            Some(partial) => vec![format!(
                "{of_all} are kept in {}; the same command goes on",
                partial.path().display()
            )],
            None if report.table.rows.is_empty() => Vec::new(),
            None => match report.print(TableFormat::Table) {
                Ok(()) => vec![format!("{of_all} were finished and are printed")],
                Err(_) => Vec::new(),
            },
        }
    }
}
