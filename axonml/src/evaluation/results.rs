//! Results of the rows of an evaluation.

use serde_json::{Value, json};

use super::Evaluation;
use super::groups::{spread, summarize};
use super::row::Row;
use crate::study::{Cell, Found, Results, Statuses, Table, counted, error_summary};

impl Evaluation {
    /// The thresholds found and their references, for pictures.
    pub fn thresholds(&self) -> (Vec<Found>, Vec<Option<f64>>) {
        self.with(|rows| {
            let found = rows.iter().map(|row| row.found.clone().unwrap_or_default());
            (
                found.collect(),
                rows.iter().map(|row| row.reference_ma).collect(),
            )
        })
    }

    /// Results so far; rows without an answer are left out.
    pub fn results(&self, interrupted: bool) -> Results {
        let rows: Vec<Row> = self.with(|rows| rows.clone());
        let known: Vec<&Row> = rows.iter().filter(|row| row.found.is_some()).collect();
        let mut statuses = Statuses::default();
        for found in known.iter().filter_map(|row| row.found.as_ref()) {
            statuses.count(&found.status);
        }
        let errors: Vec<f64> = known.iter().filter_map(|row| row.error_pct()).collect();
        let (mut summary, words) = error_summary(&errors, 0);
        let (overview, groups) = summarize(&known, &self.groups);
        summary.insert("rows".into(), json!(known.len()));
        summary.insert("groups".into(), groups.into());
        let mut lines = Vec::new();
        if self.compares_responses() {
            self.summarize_responses(&known, &mut summary, &mut lines);
        }
        let mut without = Statuses::default();
        for reason in known.iter().filter_map(|row| row.without_error()) {
            without.count(reason);
        }
        summary.insert("without_error".into(), without.counts().into());
        let seconds = self.started.elapsed().as_secs_f64();
        let how = statuses.words();
        statuses.finish(&mut summary, interrupted, seconds);
        let first = format!(
            "{} in {seconds:.2} s: {how}",
            counted(known.len(), "threshold")
        );
        let none = "no threshold has a reference to be compared with".to_owned();
        let words = [first, words.unwrap_or(none)];
        Results {
            request: self.request.clone(),
            table: Table {
                columns: self.all_columns(),
                rows: known.iter().map(|row| self.cells(row)).collect(),
            },
            overview: Some(overview),
            summary,
            words: words.into_iter().chain(lines).collect(),
            ..Results::default()
        }
    }

    /// Adds what is known about the action potentials.
    fn summarize_responses(
        &self,
        rows: &[&Row],
        summary: &mut serde_json::Map<String, Value>,
        words: &mut Vec<String>,
    ) {
        let differences = || {
            let compared = rows.iter().filter_map(|row| row.compared.as_ref());
            compared.filter_map(|compared| compared.difference)
        };
        let arrivals: Vec<f64> = differences().filter_map(|d| d.arrival_ms).collect();
        let spikes: Vec<f64> = differences().filter_map(|d| d.spike_time_rms_ms).collect();
        let traces: Vec<f64> = differences().map(|d| d.v_rms_mv).collect();
        let differing = differences().filter(|d| d.nodes_differing > 0).count();
        if !arrivals.is_empty() {
            let (arrival, trace) = (spread(&arrivals), spread(&traces));
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            words.push(format!(
                "action potentials at {} x threshold, {} compared: arrival differs by {:.4} ms on average, at most {:.4} ms; \
                 voltages by {:.2} mV (rms)",
                self.request["at"],
                arrivals.len(),
                number(&arrival["mean_abs"]),
                number(&arrival["max_abs"]),
                number(&trace["mean"]),
            ));
        }
        if differing > 0 {
            words.push(format!(
                "in {} some nodes fire in one and not in the other",
                counted(differing, "row")
            ));
        }
        summary.insert("arrival_error_ms".into(), spread(&arrivals));
        summary.insert("spike_time_rms_ms".into(), spread(&spikes));
        summary.insert("trace_rms_mV".into(), spread(&traces));
        summary.insert("rows_with_nodes_differing".into(), json!(differing));
    }

    fn all_columns(&self) -> Vec<String> {
        let mut columns = self.plan.columns.clone();
        let mut add = |names: &[&str]| columns.extend(names.iter().map(|name| (*name).to_owned()));
        add(&[
            "reference_mA",
            "threshold_mA",
            "lower_mA",
            "upper_mA",
            "error_pct",
        ]);
        if self.compares_responses() {
            add(&[
                "arrival_ms",
                "reference_arrival_ms",
                "arrival_error_ms",
                "spike_time_rms_ms",
                "nodes_differing",
                "trace_rms_mV",
                "trace_max_mV",
            ]);
        }
        add(&["status", "reference_status", "message"]);
        columns
    }

    /// The cells of a row, as [`Evaluation::all_columns`] names them.
    fn cells(&self, row: &Row) -> Vec<Cell> {
        let found = row.found.clone().unwrap_or_default();
        let mut cells = row.settings.clone();
        cells.extend(
            [
                row.reference_ma,
                found.upper_ma,
                found.lower_ma,
                found.upper_ma,
                row.error_pct(),
            ]
            .map(Cell::maybe),
        );
        let compared = row.compared.clone().unwrap_or_default();
        if self.compares_responses() {
            let difference = compared.difference;
            cells.extend([
                Cell::maybe(compared.arrival_ms),
                Cell::maybe(compared.reference_arrival_ms),
                Cell::maybe(difference.and_then(|d| d.arrival_ms)),
                Cell::maybe(difference.and_then(|d| d.spike_time_rms_ms)),
                difference.map_or(Cell::Missing, |d| Cell::integer(d.nodes_differing)),
                Cell::maybe(difference.map(|d| d.v_rms_mv)),
                Cell::maybe(difference.map(|d| d.v_max_mv)),
            ]);
        }
        let messages = [found.message, compared.message];
        let message: Vec<String> = messages.into_iter().filter(|m| !m.is_empty()).collect();
        cells.extend([
            Cell::text(found.status),
            Cell::text(row.reference_status.clone().unwrap_or_default()),
            Cell::text(message.join("; ")),
        ]);
        cells
    }
}
