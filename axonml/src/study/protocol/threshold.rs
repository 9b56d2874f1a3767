//! Activation thresholds: of an extracellular stimulus in mA, or of an injected current in nA.

mod extrapolation;

use std::collections::HashMap;

use axonml_core::error::short;
use axonml_models::{Simulation, Stimulus, Threshold, ThresholdKind};
use serde_json::json;

use super::{Question, failed_row};
use crate::study::StudyError;
use crate::study::answer::Answer;
use crate::study::batch::{Batch, of_one};
use crate::study::case::Case;
use crate::study::listener::Listener;
use crate::study::pace::{FIRST_BATCH, in_batches};
use crate::study::plan::{Plan, PlannedCase, Request};
use crate::study::report::{Cell, Results, Statuses, counted, error_summary};
use crate::study::spec::{EndExcitation, Study, ThresholdProtocol};
use extrapolation::search_extrapolated;

/// A threshold as tables have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// As [`Threshold::status`] has it, or `error`.
    pub status: String,
    /// Largest amplitude that failed, mA.
    pub lower_ma: Option<f64>,
    /// Smallest amplitude that fired, mA.
    pub upper_ma: Option<f64>,
    /// Node, place (um) and time (ms) of the start of the first action potential.
    pub start: Option<(usize, f64, f64)>,
    /// Message beside the status.
    pub message: String,
}

/// Amplitudes of the library, mA, as the columns have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// mA of an extracellular stimulus.
    Milliampere,
    /// nA of an injected current.
    Nanoampere,
}

impl Unit {
    /// The unit of a study's unknown.
    pub(super) fn of(study: &Study) -> Self {
        let unknown = study.injections.iter().any(|spec| spec.amp_na.is_none());
        match unknown && !study.field.flows() {
            true => Unit::Nanoampere,
            false => Unit::Milliampere,
        }
    }

    /// Its symbol, as columns end with it.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Unit::Milliampere => "mA",
            Unit::Nanoampere => "nA",
        }
    }

    fn factor(self) -> f64 {
        match self {
            Unit::Milliampere => 1.0,
            Unit::Nanoampere => 1e6,
        }
    }

    /// An amplitude in this unit.
    pub(super) fn of_ma(self, ma: f64) -> f64 {
        self.factor() * ma
    }
}

/// Columns of an answer, in front of status and message.
const NUMBERS: usize = 6;

impl Found {
    /// What a search found for a fiber of a simulation, amplitudes in mA; its message says what a status means here.
    pub fn of(
        threshold: &Threshold,
        simulation: &Simulation,
        stimulus: &Stimulus,
        fiber: usize,
    ) -> Self {
        let of = (simulation, stimulus);
        Found::new(
            threshold,
            of,
            fiber,
            EndExcitation::Report,
            Unit::Milliampere,
        )
    }

    /// The same under the settings of a study.
    pub(super) fn new(
        threshold: &Threshold,
        (simulation, stimulus): (&Simulation, &Stimulus),
        fiber: usize,
        ends: EndExcitation,
        unit: Unit,
    ) -> Self {
        let mut status = threshold.status();
        let kind = match threshold {
            Threshold::Found { kind, .. } => Some(*kind),
            _ => None,
        };
        let message = match *threshold {
            Threshold::Diverged {
                amplitude_ma,
                status,
                ..
            } => {
                let why = simulation
                    .divergence(0, status)
                    .map(|error| of_one(error).message());
                format!(
                    "at {} {} {}",
                    short(unit.of_ma(amplitude_ma)),
                    unit.symbol(),
                    why.unwrap_or_else(|| "the run did not end as expected".to_owned())
                )
            }
            Threshold::PropagationFailure { .. } => {
                "an action potential begins but reaches no detection site: it is blocked, or tstop ends before it arrives"
                    .to_owned()
            }
            Threshold::Artifact { .. } => {
                "nodes cross the level only because the stimulus polarizes them".to_owned()
            }
            Threshold::Found { .. }
                if kind == Some(ThresholdKind::EndExcitation) && ends == EndExcitation::Accept =>
            {
                status = "ok";
                String::new()
            }
            Threshold::Found { .. } if kind == Some(ThresholdKind::EndExcitation) => {
                let longer = match simulation.nodes_needed(stimulus, fiber) {
                    Some(nodes) => format!("{nodes} nodes would do"),
                    None => "no number of nodes within the field's extent would do".to_owned(),
                };
                format!("the action potential begins at an end of the simulated fiber: {longer}")
            }
            Threshold::Found { .. } if kind == Some(ThresholdKind::Reexcitation) => {
                "action potentials begin and are blocked at smaller amplitudes: one that conducts may have been missed"
                    .to_owned()
            }
            Threshold::NoActivation { .. } if simulation.is_unstimulated(stimulus, fiber) => {
                "the stimulus is zero: the potentials along the fiber or the waveform are 0 throughout; mend the contact \
                 factors, electrodes or pulse"
                    .to_owned()
            }
            _ => String::new(),
        };
        Found {
            status: status.to_owned(),
            lower_ma: threshold.lower_ma(),
            upper_ma: threshold.upper_ma(),
            start: threshold
                .start()
                .map(|start| (start.node, start.z_um, start.time_ms)),
            message,
        }
    }

    /// The cells of an answer.
    pub(super) fn cells(&self, unit: Unit) -> Vec<Cell> {
        let amplitude = |ma: Option<f64>| Cell::maybe(ma.map(|ma| unit.of_ma(ma)));
        let start = self.start;
        vec![
            amplitude(self.upper_ma),
            amplitude(self.lower_ma),
            amplitude(self.upper_ma),
            start.map_or(Cell::Missing, |(node, _, _)| Cell::integer(node)),
            Cell::maybe(start.map(|(_, z_um, _)| z_um)),
            Cell::maybe(start.map(|(_, _, time_ms)| time_ms)),
            Cell::text(self.status.clone()),
            Cell::text(self.message.clone()),
        ]
    }

    /// The threshold that an answer's cells hold, amplitudes in the unit of the columns.
    pub fn of_answer(answer: &Answer) -> Option<Self> {
        let [
            threshold,
            lower,
            _,
            node,
            z_um,
            time_ms,
            ..,
            status,
            message,
        ] = &answer.rows.first()?[..]
        else {
            return None;
        };
        let place = node.number().zip(z_um.number()).zip(time_ms.number());
        Some(Found {
            status: status.exact(),
            lower_ma: lower.number(),
            upper_ma: threshold.number(),
            start: place.map(|((node, z_um), time_ms)| (node as usize, z_um, time_ms)),
            message: message.exact(),
        })
    }
}

/// The columns of thresholds.
pub(super) fn threshold_columns(unit: Unit) -> Vec<String> {
    let symbol = unit.symbol();
    let amplitudes = ["threshold", "lower", "upper"].map(|name| format!("{name}_{symbol}"));
    let others = ["start_node", "start_um", "start_ms", "status", "message"];
    amplitudes
        .into_iter()
        .chain(others.map(str::to_owned))
        .collect()
}

/// The keys of `search` that act on a study's unknown.
pub(super) fn search_keys(study: &Study) -> &'static [&'static str] {
    match Unit::of(study) {
        Unit::Milliampere => &[
            "first_amplitude_mA",
            "max_amplitude_mA",
            "resolution",
            "early_end",
            "end_excitation",
        ],
        Unit::Nanoampere => &[
            "max_current_nA",
            "resolution",
            "early_end",
            "end_excitation",
        ],
    }
}

/// Searches the thresholds of cases of one batch, those that survive their steady-state start.
pub(super) fn search(
    study: &Study,
    cases: Vec<(usize, &Case)>,
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<(usize, Found)>, StudyError> {
    search_near(study, cases, None, progress)
}

/// The same with a guess for each case, mA.
pub(super) fn search_near(
    study: &Study,
    cases: Vec<(usize, &Case)>,
    guesses_ma: Option<&HashMap<usize, f64>>,
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<(usize, Found)>, StudyError> {
    let unit = Unit::of(study);
    let ends = study.search.end_excitation.unwrap_or_default();
    let mut found = Vec::with_capacity(cases.len());
    let mut diverged = |index: usize, error: StudyError| {
        found.push((
            index,
            Found {
                status: "diverged".to_owned(),
                message: error.message(),
                ..Found::default()
            },
        ));
    };
    let ready = Batch::settled(cases, &mut diverged)?;
    let Some((cases, batch)) = ready else {
        return Ok(found);
    };
    let detection = cases[0].1.detection.clone();
    let search = study.search.search(detection, unit == Unit::Nanoampere);
    let Batch {
        simulation,
        stimulus,
    } = &batch;
    let thresholds = match guesses_ma {
        None => simulation.thresholds(stimulus, &search, progress)?,
        Some(guesses_ma) => {
            let guesses_ma: Vec<f64> = cases.iter().map(|(index, _)| guesses_ma[index]).collect();
            simulation.thresholds_near(stimulus, &search, &guesses_ma, progress)?
        }
    };
    for (fiber, ((index, _), threshold)) in cases.iter().zip(&thresholds).enumerate() {
        let of = (simulation, stimulus);
        found.push((*index, Found::new(threshold, of, fiber, ends, unit)));
    }
    Ok(found)
}

/// Searches the thresholds of any cases under the search settings of a study; `finished` hears of them batch by batch.
///
/// # Errors
/// [`StudyError`] if a backend fails, the work is canceled, or `finished` fails.
pub fn search_thresholds(
    study: &Study,
    cases: Vec<(usize, &Case)>,
    listener: &mut dyn Listener,
    finished: &mut dyn FnMut(Vec<(usize, Found)>) -> Result<(), StudyError>,
) -> Result<(), StudyError> {
    in_batches(
        cases,
        FIRST_BATCH,
        "thresholds",
        listener,
        &mut |batch, progress| finished(search(study, batch, progress)?),
    )
}

/// Refuses studies without anything to search.
pub(super) fn check_unknown(study: &Study) -> Result<(), StudyError> {
    let unknown = study.injections.iter().any(|spec| spec.amp_na.is_none());
    let outside = study.field.flows() || study.conditions.is_some();
    match (unknown, outside) {
        (true, true) => Err(StudyError::request(
            "inject: found no amp_nA beside a field: the field's amplitude is what is looked for",
        )
        .help("give amp, or leave the field out")),
        (false, false) if study.injections.is_empty() => Err(StudyError::request(
            "found no field and no injected current, expected what is to be searched",
        )
        .help("give --distance UM, --point X,Y,Z, --nerve DIR or --inject node=N")),
        (false, false) => Err(StudyError::request(
            "inject: found nothing to search: injected currents with an amp are not scaled by the amplitude",
        )
        .help("leave amp out, or add a field with --point, --nerve or --basis")),
        _ => Ok(()),
    }
}

/// The answer for a threshold.
pub(super) fn answer_of(found: &Found, unit: Unit) -> Answer {
    Answer::of_rows(vec![found.cells(unit)])
}

impl Question for ThresholdProtocol {
    fn check(&self, study: &Study) -> Result<(), StudyError> {
        check_unknown(study)
    }

    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        match Unit::of(study) {
            Unit::Milliampere => &[
                "first_amplitude_mA",
                "max_amplitude_mA",
                "resolution",
                "early_end",
                "end_excitation",
                "extrapolate",
            ],
            Unit::Nanoampere => &[
                "max_current_nA",
                "resolution",
                "early_end",
                "end_excitation",
                "extrapolate",
            ],
        }
    }

    fn describe(&self, study: &Study, request: &mut Request) {
        describe_search(study, request);
        request.put("extrapolate", extrapolation::requested(study));
    }

    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        if extrapolation::requested(&plan.study) {
            extrapolation::check(plan);
        }
        Ok(())
    }

    fn columns(&self, plan: &Plan) -> Vec<String> {
        let unit = Unit::of(&plan.study);
        let mut columns = threshold_columns(unit);
        if extrapolation::requested(&plan.study) {
            columns.splice(NUMBERS..NUMBERS, extrapolation::columns(unit));
        }
        if plan.has_references {
            columns.insert(3, "error_pct".to_owned());
            columns.insert(0, "reference_mA".to_owned());
        }
        columns
    }

    fn cells(&self, plan: &Plan, planned: &PlannedCase, answer: &[Cell]) -> Vec<Cell> {
        let mut cells = answer.to_vec();
        if plan.has_references {
            let error = error_pct(&cells[0], planned.reference_ma);
            cells.insert(3, Cell::maybe(error));
            cells.insert(0, Cell::maybe(planned.reference_ma));
        }
        cells
    }

    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError> {
        let unit = Unit::of(&plan.study);
        if extrapolation::requested(&plan.study) {
            let found = search_extrapolated(&plan.study, cases, progress)?.into_iter();
            let answers = found.map(|(index, found, extrapolation)| {
                let mut cells = found.cells(unit);
                cells.splice(NUMBERS..NUMBERS, extrapolation.cells(unit));
                (index, Answer::of_rows(vec![cells]))
            });
            return Ok(answers.collect());
        }
        let found = search(&plan.study, cases, progress)?.into_iter();
        Ok(found
            .map(|(index, found)| (index, answer_of(&found, unit)))
            .collect())
    }

    fn failed(&self, plan: &Plan, status: &str, error: &StudyError) -> Answer {
        match extrapolation::requested(&plan.study) {
            true => failed_row(NUMBERS + extrapolation::COLUMNS + 2, status, error),
            false => failed_threshold(status, error),
        }
    }

    fn finish(&self, _plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        summarize(results);
        Ok(())
    }
}

/// The answer for a case without a search.
pub(super) fn failed_threshold(status: &str, error: &StudyError) -> Answer {
    failed_row(NUMBERS + 2, status, error)
}

/// Adds figures and words about a table of thresholds.
pub(super) fn summarize(results: &mut Results) {
    let errors_pct = results.table.numbers("error_pct");
    let errors_pct: Vec<f64> = errors_pct.into_iter().flatten().collect();
    let statuses = Statuses::of(&results.table);
    let rows = results.table.rows.len();
    let (mut summary, errors) = error_summary(&errors_pct, rows);
    summary.insert("rows".into(), json!(rows));
    results.summary = summary;
    let first = format!("{}: {}", counted(rows, "threshold"), statuses.words());
    results.words.push(first);
    results.words.extend(errors);
    results.words.extend(statuses.end_excitation());
    statuses.insert(&mut results.summary);
}

/// Adds the limits of a study's search to its request.
pub(super) fn describe_search(study: &Study, request: &mut Request) {
    let unit = Unit::of(study);
    let detection = study.detection.detection();
    let search = study.search.search(detection, unit == Unit::Nanoampere);
    let ends = study.search.end_excitation.unwrap_or_default();
    request.put_search(&search, ends);
}

fn error_pct(threshold: &Cell, reference_ma: Option<f64>) -> Option<f64> {
    let (ours, theirs) = (threshold.number()?, reference_ma?);
    Some(100.0 * (ours - theirs) / theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_survives_being_kept() {
        for found in [
            Found {
                status: "ok".to_owned(),
                lower_ma: Some(0.1 + 0.2),
                upper_ma: Some(f64::MIN_POSITIVE),
                start: Some((26, -1.0 / 3.0, 0.1 + 0.7)),
                message: String::new(),
            },
            Found {
                status: "no such status yet".to_owned(),
                message: "two\nlines, \"quoted\"".to_owned(),
                ..Found::default()
            },
        ] {
            let answer = answer_of(&found, Unit::Milliampere);
            let text = serde_json::to_string(&answer).unwrap();
            let kept: Answer = serde_json::from_str(&text).unwrap();
            assert_eq!(kept, answer);
            assert_eq!(Found::of_answer(&kept).unwrap(), found);
        }
    }
}
