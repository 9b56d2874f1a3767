//! Results of the fibers of a run.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axonml::FiberModel;
use axonml::simulation::{Crossing, Detection, Recording, SpikeStart};
use serde_json::{Map, Value, json};

use crate::error::CliError;
use crate::fibers::{Asked, Fibers};
use crate::recording::{Recorded, archive};
use crate::report::{Cell, Form, Report, Statuses, Table, Target, counted, keep_partial};

/// Result of a fiber.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// `ok`, `end_excitation`, `diverged` or `error`.
    pub(super) status: &'static str,
    /// Message beside the status.
    pub(super) message: String,
    /// Upward crossings, in order of time.
    pub(super) spikes: Vec<Crossing>,
    /// Where the first action potential that reached a detection site began.
    pub(super) start: Option<SpikeStart>,
    /// Positions of the nodes, um.
    pub(super) z_um: Vec<f64>,
    /// Largest potential at any node, mV.
    pub(super) v_max_mv: Option<f64>,
    /// Traces, if they were asked for.
    pub(super) recording: Option<Recording>,
}

/// Results of the fibers so far; shared with the signal handler.
pub(super) struct Runs {
    ran: Mutex<Vec<Option<Ran>>>,
    states: Vec<String>,
    /// Detection of conducted action potentials.
    pub(super) detection: Detection,
    columns: Vec<String>,
    settings: Vec<Vec<Cell>>,
    request: Value,
    started: Instant,
}

/// Status of a fiber whose first action potential began at an end of the simulated piece.
pub(super) const END_EXCITATION: &str = "end_excitation";

/// Columns of each fiber after its settings.
const COLUMNS: [&str; 11] = [
    "active_nodes",
    "first_node",
    "first_ms",
    "detected_spikes",
    "first_detected_ms",
    "start_node",
    "start_um",
    "start_ms",
    "v_max_mV",
    "status",
    "message",
];

impl Ran {
    /// Whether the fiber was simulated to the end.
    pub(super) fn completed(&self) -> bool {
        matches!(self.status, "ok" | END_EXCITATION)
    }
}

impl Runs {
    /// Nothing has become of `fibers` yet.
    pub(super) fn new(
        fibers: &Fibers,
        model: &dyn FiberModel,
        states: Vec<String>,
        detection: Detection,
        request: Value,
    ) -> Self {
        let (place, name) = match fibers.nerve() {
            Some(nerve) => ("nerve", nerve.name().to_owned()),
            None => ("model", model.schema().id.to_owned()),
        };
        let settings = |asked: &Asked| {
            vec![
                Cell::Text(name.clone()),
                Cell::integer(asked.fiber),
                Cell::Number(asked.diameter_um),
            ]
        };
        Runs {
            ran: Mutex::new(vec![None; fibers.asked.len()]),
            states,
            detection,
            columns: [place, "fiber", "diameter_um"].map(str::to_owned).to_vec(),
            settings: fibers.asked.iter().map(settings).collect(),
            request,
            started: Instant::now(),
        }
    }

    fn ran(&self) -> MutexGuard<'_, Vec<Option<Ran>>> {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what became of a fiber.
    pub(super) fn keep(&self, index: usize, ran: Ran) {
        self.ran()[index] = Some(ran);
    }

    /// Whether nothing has become of a fiber yet.
    pub(super) fn open(&self, index: usize) -> bool {
        self.ran()[index].is_none()
    }

    /// Whether a fiber was simulated to the end.
    pub(super) fn completed(&self, index: usize) -> bool {
        self.ran()[index].as_ref().is_some_and(Ran::completed)
    }

    /// The report of what is known.
    pub(super) fn report(&self, interrupted: bool) -> Report {
        let with = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned());
            self.columns.iter().cloned().chain(names).collect()
        };
        let mut table = Table {
            columns: with(&COLUMNS),
            rows: Vec::new(),
        };
        let mut spikes = Table {
            columns: with(&["node", "z_um", "t_ms"]),
            rows: Vec::new(),
        };
        let mut statuses = Statuses::default();
        let mut detected = 0;
        for (settings, ran) in self.settings.iter().zip(self.ran().iter()) {
            let Some(ran) = ran else { continue };
            statuses.count(ran.status);
            detected += usize::from(ran.start.is_some());
            table.rows.push(self.row(settings, ran));
            spikes.rows.extend(ran.spikes.iter().map(|spike| {
                let cells = [
                    Cell::integer(spike.node),
                    Cell::Number(ran.z_um[spike.node]),
                    Cell::Number(spike.time_ms),
                ];
                settings.iter().cloned().chain(cells).collect()
            }));
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let n = table.rows.len();
        let mut summary = Map::new();
        summary.insert("n".into(), json!(n));
        summary.insert("detected".into(), json!(detected));
        summary.insert("spikes".into(), json!(spikes.rows.len()));
        let mut words = vec![format!(
            "{} in {seconds:.2} s; action potentials reach the detection nodes of {detected}",
            counted(n, "fiber")
        )];
        words.extend(statuses.end_excitation());
        statuses.finish(&mut summary, interrupted, seconds);
        Report {
            request: self.request.clone(),
            table,
            spikes: Some(spikes),
            overview: None,
            traces: None,
            summary,
            words,
        }
    }

    /// When the first spike reached a detection node, and the largest number of spikes at any of them.
    fn detected(&self, ran: &Ran) -> (Option<f64>, usize) {
        // A fiber that did not run has no nodes; of one that ran the sites were checked before.
        let Ok(watched) = self.detection.nodes(ran.z_um.len()) else {
            return (None, 0);
        };
        let first = ran
            .spikes
            .iter()
            .find(|spike| watched.contains(&spike.node));
        let at = |node: &usize| {
            ran.spikes
                .iter()
                .filter(|spike| spike.node == *node)
                .count()
        };
        let most = watched.iter().map(at).max().unwrap_or(0);
        (first.map(|spike| spike.time_ms), most)
    }

    /// The cells of a fiber: its settings, then what [`COLUMNS`] names.
    fn row(&self, settings: &[Cell], ran: &Ran) -> Vec<Cell> {
        let active: BTreeSet<usize> = ran.spikes.iter().map(|spike| spike.node).collect();
        let (first_detected, detected) = self.detected(ran);
        let first = ran.spikes.first();
        // A fiber that was not simulated to the end has no counts.
        let count = |n: usize| match ran.completed() {
            true => Cell::integer(n),
            false => Cell::Missing,
        };
        let mut row = settings.to_vec();
        row.extend([
            count(active.len()),
            first.map_or(Cell::Missing, |spike| Cell::integer(spike.node)),
            Cell::maybe(first.map(|spike| spike.time_ms)),
            count(detected),
            Cell::maybe(first_detected),
            ran.start.map_or(Cell::Missing, |at| Cell::integer(at.node)),
            Cell::maybe(ran.start.map(|at| at.z_um)),
            Cell::maybe(ran.start.map(|at| at.time_ms)),
            Cell::maybe(ran.v_max_mv),
            Cell::text(ran.status),
            Cell::text(&*ran.message),
        ]);
        row
    }

    /// The recording of the fibers that were simulated.
    pub(super) fn archive(&self, report: &Report) -> Result<Vec<u8>, CliError> {
        let ran = self.ran();
        let recorded: Vec<Recorded<'_>> = ran
            .iter()
            .zip(&self.settings)
            .filter_map(|(ran, row)| {
                let ran = ran.as_ref()?;
                Some(Recorded {
                    recording: ran.recording.as_ref()?,
                    z_um: &ran.z_um,
                    fiber: row[1].number()? as i64,
                    diameter_um: row[2].number()?,
                })
            })
            .collect();
        archive(&recorded, &self.states, report)
    }

    /// Keeps what is finished.
    pub(super) fn salvage(&self, targets: &[Target]) -> Vec<String> {
        let report = self.report(true);
        keep_partial(&report, self.settings.len(), "fiber", targets, &|target| {
            if target.form != Form::Npz {
                return report.write(target);
            }
            target.write(&self.archive(&report)?)?;
            Ok(vec![target.name()])
        })
    }

    /// A failure if a fiber was skipped or diverged.
    pub(super) fn verdict(&self, fibers: &Fibers, refused: usize) -> Result<(), CliError> {
        let ran = self.ran();
        let diverged: Vec<CliError> = ran
            .iter()
            .zip(&fibers.asked)
            .filter_map(|(ran, asked)| {
                Some((ran.as_ref().filter(|ran| ran.status == "diverged")?, asked))
            })
            .map(|(ran, asked)| CliError::failure(&ran.message).at(fibers.name(asked)))
            .collect();
        match diverged.as_slice() {
            [] if refused == 0 => Ok(()),
            [] => Err(CliError::failure(format!(
                "{refused} of {} fibers could not be run",
                ran.len()
            ))),
            diverged => CliError::of_many(diverged).map_or(Ok(()), Err),
        }
    }
}
