//! From a row to a job: what a row means is the library's to say.

use axonml::FiberModel;
use axonml::TimeGrid;
use axonml::simulation::provenance::nerve_sha256;
use axonml::table::conditions::{Condition, ConditionError, Header, Overrides, RowReader};
use serde_json::{Map, Value, json};

use super::read::{Record, Sheet};
use crate::error::CliError;
use crate::fibers::tell_nerve;
use crate::job::{Injections, Job, Source};
use crate::messages::Messages;

/// Turns rows into jobs.
pub(crate) struct Reader<'a> {
    sheet: &'a Sheet,
    rows: RowReader<'a>,
    injections: Injections,
}

impl<'a> Reader<'a> {
    /// A reader of the rows of `sheet`; `settings` are those of a model, `room` refuses runs that do not fit into memory.
    pub(crate) fn new(
        sheet: &'a Sheet,
        overrides: &'a Overrides,
        settings: &'a dyn Fn(&dyn FiberModel) -> axonml::Settings,
        room: &'a dyn Fn(&TimeGrid) -> Result<(), String>,
        injections: Injections,
    ) -> Self {
        let header: &Header = &sheet.header;
        Reader {
            sheet,
            rows: RowReader::new(header, overrides, settings, room),
            injections,
        }
    }

    /// The job of a row; the error says which row and column, what was found and what was expected.
    pub(crate) fn job(&mut self, record: &Record) -> Result<Job, CliError> {
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

    fn of(&self, condition: Condition) -> Job {
        Job {
            model: condition.model,
            fiber: condition.fiber,
            length_um: condition.length_um,
            celsius: condition.celsius,
            dt_ms: condition.dt_ms,
            tstop_ms: condition.tstop_ms,
            detection: condition.detection,
            source: Some(Source::Field(condition.field, condition.waveform)),
            source_distance_um: condition.source_distance_um,
            injections: self.injections.clone(),
        }
    }

    /// The reference of a row, mA.
    pub(crate) fn reference_ma(&self, record: &Record) -> Result<Option<f64>, CliError> {
        let read = self.rows.reference_ma(&record.cells);
        read.map_err(|error| wrong(&error).at(self.sheet.place(record)))
    }

    /// Whether a cell of the row is not used because another model stands in for the row's.
    pub(crate) fn ignores(&self, record: &Record, column: &str) -> bool {
        self.rows.ignores(&record.cells, column)
    }

    /// Whether any row so far has point electrodes, and whether any lies in a nerve.
    pub(crate) fn kinds_of_fields(&self) -> (bool, bool) {
        self.rows.kinds_of_fields()
    }

    /// Hashes of the nerves and pulses that rows named, for the request.
    pub(crate) fn files(&self) -> [(&'static str, Value); 2] {
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
    pub(crate) fn tell(&self, messages: Messages) {
        self.rows
            .nerves()
            .for_each(|(_, read)| tell_nerve(&read.nerve, &read.notes, messages));
    }
}

/// The error of a row.
fn wrong(error: &ConditionError) -> CliError {
    let wrong = match error {
        ConditionError::Simulation(error) => CliError::from(error.clone()),
        error => CliError::request(error),
    };
    match error.help() {
        Some(help) => wrong.help(help),
        None => wrong,
    }
}
