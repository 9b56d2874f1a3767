//! Conduction block by kHz stimulation: the amplitudes at which it begins and ends.

use axonml_core::error::short;
use axonml_models::conditions::cell;
use axonml_models::{BlockSearch, BlockStatus, BlockThreshold, Bracket, TestPulses};
use serde_json::json;

use super::{Question, check_node, check_time, curves, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::batch::{Batch, of_one};
use crate::study::case::Case;
use crate::study::plan::{Plan, Request};
use crate::study::report::{Cell, Results, Statuses, counted};
use crate::study::spec::{BlockProtocol, OneOrMany, SourceSpec, Study, TestPulseSpec, check};

impl TestPulseSpec {
    /// In the library's terms.
    pub(super) fn pulses(&self) -> TestPulses {
        TestPulses::new(self.node, self.amp_na, self.pw_ms, &self.at_ms.0)
    }

    /// Refuses currents and onsets that no pulse has.
    pub(super) fn check(&self) -> Result<(), StudyError> {
        let checked = check::number("amp_nA", self.amp_na, cell::finite("nA"))
            .and_then(|()| check::number("pw_ms", self.pw_ms, cell::positive("ms")))
            .and_then(|()| check::list("at_ms", Some(&self.at_ms.0), cell::not_negative("ms")));
        checked.map_err(|error| error.at("test_pulse"))
    }

    /// Refuses a node that the fiber does not have, and onsets beyond the run.
    pub(super) fn check_case(&self, case: &Case) -> Result<(), StudyError> {
        check_node("test_pulse: node", self.node, case)?;
        check_time("test_pulse: at_ms", self.last_ms(), case)
    }

    fn first_ms(&self) -> f64 {
        self.at_ms.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn last_ms(&self) -> f64 {
        self.at_ms.0.iter().copied().fold(0.0, f64::max)
    }
}

/// The signal where a study gives none.
pub(super) const KHZ_SIGNAL: &str = "sine:freq=10,delay=0.5";
/// Time that the last test pulse has to arrive, ms.
const ARRIVAL_MS: f64 = 5.0;
/// Cases answered at once at first: each takes about a hundred long runs.
const FIRST_BATCH: usize = 8;

const COLUMNS: [&str; 8] = [
    "excitation_lower_mA",
    "excitation_mA",
    "block_lower_mA",
    "block_mA",
    "reexcitation_lower_mA",
    "reexcitation_mA",
    "status",
    "message",
];

/// A study of a kHz signal with what it lacks: the signal, and that counting begins with the first test pulse.
pub(super) fn with_khz_signal(study: &Study, pulses: Option<&TestPulseSpec>) -> Study {
    let mut study = study.clone();
    if study.sources.is_empty() {
        study.sources.push(SourceSpec::default());
    }
    for source in &mut study.sources {
        if source.pulse.is_none() {
            source.pulse = Some(OneOrMany(vec![KHZ_SIGNAL.to_owned()]));
        }
    }
    if let Some(pulses) = pulses {
        if study.detection.after_ms.is_none() {
            study.detection.after_ms = Some(pulses.first_ms());
        }
        if study.numerics.tstop_ms.is_none() {
            study.numerics.tstop_ms = Some((pulses.last_ms() + ARRIVAL_MS).ceil());
        }
    }
    study
}

impl Question for BlockProtocol {
    fn completed(&self, study: &Study) -> Study {
        with_khz_signal(study, Some(&self.test_pulse))
    }

    fn check(&self, study: &Study) -> Result<(), StudyError> {
        curves::check_field(study)?;
        self.test_pulse.check()?;
        match study.injections.iter().any(|spec| spec.amp_na.is_none()) {
            true => Err(StudyError::request(
                "inject: found no amp_nA, expected one: what is looked for is the amplitude of the field",
            )),
            false => Ok(()),
        }
    }

    fn search_keys(&self, _study: &Study) -> &'static [&'static str] {
        &["first_amplitude_mA", "max_amplitude_mA", "resolution"]
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        request.put("test_pulse", json!(self.test_pulse));
        let search = search(self, study);
        request.put("first_mA", search.first_ma);
        request.put("max_amplitude_mA", search.max_ma);
        request.put("resolution", search.resolution);
    }

    fn check_case(&self, case: &Case) -> Result<(), StudyError> {
        self.test_pulse.check_case(case)
    }

    fn columns(&self, _plan: &Plan) -> Vec<String> {
        COLUMNS.map(str::to_owned).to_vec()
    }

    fn first_batch(&self, _plan: &Plan) -> usize {
        FIRST_BATCH
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let mut answers = Vec::with_capacity(cases.len());
        let mut diverged = |index: usize, error: StudyError| {
            answers.push((index, failed_row(COLUMNS.len(), "diverged", &error)));
        };
        let ready = Batch::settled(cases, &mut diverged)?;
        let Some((cases, batch)) = ready else {
            return Ok(answers);
        };
        let search = BlockSearch {
            detection: cases[0].1.detection.clone(),
            ..search(self, &plan.study)
        };
        let found = batch
            .simulation
            .block_thresholds(&batch.stimulus, &search, progress)?;
        for ((index, _), found) in cases.iter().zip(&found) {
            answers.push((*index, Answer::of_rows(vec![row(found, &batch)])));
        }
        Ok(answers)
    }

    fn failed(&self, _plan: &Plan, status: &str, error: &StudyError) -> Answer {
        failed_row(COLUMNS.len(), status, error)
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let statuses = Statuses::of(&results.table);
        let rows = results.table.rows.len();
        results.summary.insert("rows".into(), json!(rows));
        let words = format!("{}: {}", counted(rows, "block threshold"), statuses.words());
        results.words.push(words);
        statuses.insert(&mut results.summary);
        Ok(())
    }
}

/// The search of a study, with the defaults of the library.
fn search(protocol: &BlockProtocol, study: &Study) -> BlockSearch {
    let default = BlockSearch::new(protocol.test_pulse.pulses());
    let spec = &study.search;
    BlockSearch {
        detection: study.detection.detection(),
        first_ma: spec.first_amplitude_ma.unwrap_or(default.first_ma),
        max_ma: spec.max_amplitude_ma.unwrap_or(default.max_ma),
        resolution: spec.resolution.unwrap_or(default.resolution),
        ..default
    }
}

fn row(found: &BlockThreshold, batch: &Batch) -> Vec<Cell> {
    let ends = |bracket: Option<Bracket>| {
        [
            Cell::maybe(bracket.map(|bracket| bracket.lower_ma)),
            Cell::maybe(bracket.map(|bracket| bracket.upper_ma)),
        ]
    };
    let message = match found.status {
        BlockStatus::Diverged {
            amplitude_ma,
            status,
        } => {
            let why = batch.simulation.divergence(0, status);
            let why = why.map(|error| of_one(error).message());
            format!(
                "at {} mA {}",
                short(amplitude_ma),
                why.unwrap_or_else(|| "the run did not end as expected".to_owned())
            )
        }
        BlockStatus::NoActivation => {
            "without the field a test pulse starts no action potential, or none arrives in its window: raise its amp, or \
             set pulses further apart"
                .to_owned()
        }
        BlockStatus::OneWayBlock => {
            "at the block threshold test pulses that run the other way arrive".to_owned()
        }
        BlockStatus::PartialBlock => "no amplitude blocks all test pulses, some block a part".to_owned(),
        _ => String::new(),
    };
    let mut cells = Vec::with_capacity(COLUMNS.len());
    cells.extend(ends(found.excitation));
    cells.extend(ends(found.block));
    cells.extend(ends(found.reexcitation));
    cells.push(Cell::text(found.status.name()));
    cells.push(Cell::text(message));
    cells
}
