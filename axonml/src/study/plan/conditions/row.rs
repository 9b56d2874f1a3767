//! From a row to a case.

use std::sync::Arc;

use axonml_core::TimeGrid;
use axonml_models::conditions::{Condition, ConditionError, Header, Overrides, RowReader};
use axonml_models::provenance::nerve_sha256;
use axonml_models::{FiberModel, Settings};
use serde_json::{Map, Value, json};

use super::super::place::tell_nerve;
use super::super::stimulus::placed_injections;
use super::read::{Record, Sheet};
use crate::study::StudyError;
use crate::study::case::{Case, CaseInjections, CaseSource};
use crate::study::listener::Listener;
use crate::study::setup::Setup;

/// Turns rows into cases.
pub(super) struct Reader<'a> {
    sheet: &'a Sheet,
    rows: RowReader<'a>,
    setup: Arc<Setup>,
    injections: CaseInjections,
}

impl<'a> Reader<'a> {
    /// A reader of the rows of `sheet`; `settings` are those of a model, `room` refuses runs that do not fit into memory.
    pub(super) fn new(
        sheet: &'a Sheet,
        overrides: &'a Overrides,
        settings: &'a dyn Fn(&dyn FiberModel) -> Settings,
        room: &'a dyn Fn(&TimeGrid) -> Result<(), String>,
        setup: Arc<Setup>,
        injections: CaseInjections,
    ) -> Self {
        let header: &Header = &sheet.header;
        Reader {
            sheet,
            rows: RowReader::new(header, overrides, settings, room),
            setup,
            injections,
        }
    }

    /// The case of a row; the error says which row and column, what was found and what was expected.
    pub(super) fn case(&mut self, record: &Record) -> Result<Case, StudyError> {
        let columns = self.sheet.columns.len();
        let condition = match record.found == columns {
            true => self.rows.condition(&record.cells),
            false => Err(ConditionError::Cells {
                found: record.found,
                expected: columns,
            }),
        };
        condition
            .map(|condition| self.of(condition))
            .map_err(|error| wrong(&error).at(self.sheet.place(record)))
    }

    fn of(&self, condition: Condition) -> Case {
        Case {
            setup: self.setup.clone(),
            model: condition.model,
            fiber: condition.fiber,
            length_um: condition.length_um,
            celsius: condition.celsius,
            dt_ms: condition.dt_ms,
            tstop_ms: condition.tstop_ms,
            detection: condition.detection,
            sources: vec![CaseSource::Field(condition.field, condition.waveform)],
            source_distance_um: condition.source_distance_um,
            injections: placed_injections(&self.injections, condition.fiber.nodes),
        }
    }

    /// The reference of a row, mA.
    pub(super) fn reference_ma(&self, record: &Record) -> Result<Option<f64>, StudyError> {
        let read = self.rows.reference_ma(&record.cells);
        read.map_err(|error| wrong(&error).at(self.sheet.place(record)))
    }

    /// Whether a cell of the row is not used because another model stands in for the row's.
    pub(super) fn ignores(&self, record: &Record, column: &str) -> bool {
        self.rows.ignores(&record.cells, column)
    }

    /// Whether any row so far has point electrodes, and whether any lies in a nerve.
    pub(super) fn kinds_of_fields(&self) -> (bool, bool) {
        self.rows.kinds_of_fields()
    }

    /// Hashes of the nerves and pulses that rows named, for the request.
    pub(super) fn files(&self) -> [(&'static str, Value); 2] {
        let nerves = self.rows.nerves();
        let nerves: Map<String, Value> = nerves
            .map(|(name, nerve)| {
                (
                    name.to_owned(),
                    json!({"sha256": nerve_sha256(&nerve.nerve)}),
                )
            })
            .collect();
        [
            ("nerves", nerves.into()),
            ("pulse_files_sha256", json!(self.rows.pulse_files())),
        ]
    }

    /// Tells what is unusual about the nerves that rows named.
    pub(super) fn tell(&self, listener: &mut dyn Listener) {
        for (_, read) in self.rows.nerves() {
            tell_nerve(&read.nerve, &read.notes, listener);
        }
    }
}

/// The error of a row.
fn wrong(error: &ConditionError) -> StudyError {
    let wrong = match error {
        ConditionError::Simulation(error) => StudyError::from(error.clone()),
        error => StudyError::request(error),
    };
    match error.help() {
        Some(help) => wrong.help(help),
        None => wrong,
    }
}
