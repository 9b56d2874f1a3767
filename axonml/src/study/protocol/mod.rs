//! Questions that studies ask, one file each.
//!
//! A question says which columns a case's rows have, answers batches of cases, and makes of all rows what belongs to them
//! together: fits, curves, figures. To add one, write its file here, its settings in `spec/protocol.rs`, and a line in
//! [`question`]: studies, shares, journals, result files and `axonml study` take it from there.

mod block;
mod current_distance;
mod curves;
mod cv;
mod optimize;
mod recovery;
mod recruitment;
mod response;
mod rheobase;
mod run;
mod strength_duration;
mod threshold;

use std::fmt::Debug;

use axonml_core::error::short;
use axonml_models::Ends;

use super::StudyError;
use super::answer::Answer;
use super::case::Case;
use super::pace::FIRST_BATCH;
use super::plan::{Plan, PlannedCase, Request};
use super::report::{Cell, Results};
use super::spec::{Protocol, Study};

pub use run::recordings_npz;
pub use threshold::{Found, search_thresholds};

/// A question that a study can ask.
pub(super) trait Question: Debug + Send + Sync {
    /// Refuses studies that it cannot be asked of.
    ///
    /// # Errors
    /// [`StudyError`] with the key that is wrong or lacks.
    fn check(&self, study: &Study) -> Result<(), StudyError> {
        let _ = study;
        Ok(())
    }

    /// The keys of a study's `search` that act.
    fn search_keys(&self, study: &Study) -> &'static [&'static str] {
        let _ = study;
        &[]
    }

    /// Whether the sites of a study's `detection` act.
    fn has_detection_sites(&self) -> bool {
        true
    }

    /// Whether the weights of groups act.
    fn weighs_groups(&self) -> bool {
        false
    }

    /// Whether the question itself draws at random, so that the seed acts whatever the fibers are.
    fn draws_at_random(&self) -> bool {
        false
    }

    /// The study with what the question adds where nothing is given: the grid of a curve.
    fn completed(&self, study: &Study) -> Study {
        study.clone()
    }

    /// Adds its settings, defaults included, to the request that results carry.
    fn describe(&self, study: &Study, request: &mut Request) {
        let _ = (study, request);
    }

    /// Changes and checks the cases once they are laid out.
    ///
    /// # Errors
    /// [`StudyError`] for what cannot be asked of them.
    fn arrange(&self, plan: &mut Plan) -> Result<(), StudyError> {
        let _ = plan;
        Ok(())
    }

    /// Refuses a case that the question cannot be asked of: nodes that its fiber does not have, times beyond its run.
    ///
    /// # Errors
    /// [`StudyError`] with what was found and what was expected.
    fn check_case(&self, case: &Case) -> Result<(), StudyError> {
        let _ = case;
        Ok(())
    }

    /// Further tables that answers have rows of, by name, with their columns behind those that tell cases apart.
    fn further(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[]
    }

    /// Names of the columns of a case's rows, behind those that tell cases apart.
    fn columns(&self, plan: &Plan) -> Vec<String>;

    /// Cells of a row as the table shows it, from those of the answer; the same unless the case's reference adds some.
    fn cells(&self, plan: &Plan, planned: &PlannedCase, answer: &[Cell]) -> Vec<Cell> {
        let _ = (plan, planned);
        answer.to_vec()
    }

    /// Number of cases that are best answered at once, before it is known how long they take.
    fn first_batch(&self, plan: &Plan) -> usize {
        let _ = plan;
        FIRST_BATCH
    }

    /// Answers cases that can share a batch, all under their indices and in any order; `progress` hears the fraction that
    /// is done.
    ///
    /// # Errors
    /// [`StudyError`] if the work as a whole fails or is canceled; what happens to one case is its answer.
    fn answer(
        &self,
        plan: &Plan,
        cases: Vec<(usize, &Case)>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<(usize, Answer)>, StudyError>;

    /// The answer for a case that cannot be computed, or did not survive its steady-state start.
    fn failed(&self, plan: &Plan, status: &str, error: &StudyError) -> Answer;

    /// Adds to all rows what belongs to them together: further tables, figures, words.
    ///
    /// # Errors
    /// [`StudyError`] if it cannot be made.
    fn finish(&self, plan: &Plan, results: &mut Results) -> Result<(), StudyError> {
        let _ = (plan, results);
        Ok(())
    }
}

/// The implementation of a study's question.
pub(super) fn question(protocol: &Protocol) -> &dyn Question {
    match protocol {
        Protocol::Block(settings) => settings,
        Protocol::CurrentDistance(settings) => settings,
        Protocol::Cv(settings) => settings,
        Protocol::Optimize(settings) => settings,
        Protocol::Recovery(settings) => settings,
        Protocol::Recruitment(settings) => settings,
        Protocol::Response(settings) => settings,
        Protocol::Rheobase(settings) => settings,
        Protocol::Run(settings) => settings,
        Protocol::StrengthDuration(settings) => settings,
        Protocol::Threshold(settings) => settings,
    }
}

/// Refuses a node, negative from the end, that a case's fiber does not have, or that its passive ends cut off.
fn check_node(key: &str, node: i64, case: &Case) -> Result<(), StudyError> {
    let nodes = case.fiber.nodes as i64;
    if !(-nodes..nodes).contains(&node) {
        return Err(StudyError::request(format!(
            "{key}: found `{node}`, expected 0 to {}, or -{nodes} to -1 from the end, as the fiber has {nodes} nodes",
            nodes - 1
        )));
    }
    let last = nodes - 1;
    match (case.setup.ends, node.rem_euclid(nodes)) {
        (Ends::Passive, end) if end == 0 || end == last => Err(StudyError::request(format!(
            "{key}: found `{node}`, expected 1 to {}, as passive ends are cut off from the fiber",
            last - 1
        ))
        .help("choose another node, or leave ends (--ends) out")),
        _ => Ok(()),
    }
}

/// Refuses a time that lies beyond a case's run, ms.
fn check_time(key: &str, ms: f64, case: &Case) -> Result<(), StudyError> {
    match ms < case.tstop_ms {
        true => Ok(()),
        false => Err(StudyError::request(format!(
            "{key}: found {} ms, expected a time within the run, 0 to {} ms",
            short(ms),
            short(case.tstop_ms)
        ))
        .help("move it, or raise tstop (--tstop)")),
    }
}

/// Whether an answer that was read from a file has the rows that the results of a case are made of.
pub(super) fn fits(plan: &Plan, case: usize, answer: &Answer) -> bool {
    let question = question(&plan.study.protocol);
    let further = question.further();
    // Answers have fewer columns than tables where a case adds some; every question can make one that is blank.
    let blank = question.failed(plan, "error", &StudyError::request(""));
    let width = blank.rows.first().map_or(0, Vec::len);
    let width_of = |at: usize| further.get(at).map_or(0, |(_, columns)| columns.len());
    let mut tables = answer.further.iter().enumerate();
    case < plan.cases.len()
        && !answer.rows.is_empty()
        && answer.rows.iter().all(|row| row.len() == width)
        && answer.further.len() <= further.len()
        && tables.all(|(at, rows)| rows.iter().all(|row| row.len() == width_of(at)))
}

/// An answer of one row whose only cells are its status and message, the last two columns.
fn failed_row(columns: usize, status: &str, error: &StudyError) -> Answer {
    let mut row = vec![Cell::Missing; columns];
    if let [.., of_status, message] = &mut row[..] {
        *of_status = Cell::text(status);
        *message = Cell::text(error.message());
    }
    Answer::of_rows(vec![row])
}
