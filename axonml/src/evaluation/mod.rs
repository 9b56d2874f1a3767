//! A model against references: thresholds and action potentials of a table of conditions, and recorded traces.
//!
//! References are thresholds in the table, or another model under the same stimuli. An [`Evaluation`] can be looked at from
//! another thread while it runs, so that what is finished can be kept whatever ends the work.
//!
//! # Example
//! The two-mode surrogate under two pulses, with its exact model as the reference:
//! ```
//! use std::sync::Arc;
//! use axonml::Device;
//! use axonml::evaluation::{Against, Evaluation};
//! use axonml::study::{Machine, Plan, Silent, Study};
//!
//! # let table = std::env::temp_dir().join(format!("axonml-evaluation-{}.csv", std::process::id()));
//! std::fs::write(&table, "model,diameter_um,distance_um,shape,pw_ms\nmrg,10,1000,mono,0.1\nmrg,10,1000,mono,0.5\n")?;
//! let study = Study::from_toml(&format!(
//!     "[fibers]\nmodel = 'two-mode'\n[conditions]\nfile = {table:?}\n[protocol]\nkind = 'threshold'"
//! ))?;
//! let plan = Plan::new(&study, &Machine::new(Device::auto()?), &mut Silent)?;
//! let evaluation = Evaluation::new(plan, Against::default(), &mut Silent)?;
//! evaluation.run(&mut Silent)?;
//! let errors_pct = evaluation.results(false).table.numbers("error_pct");
//! assert!(errors_pct.iter().all(|error| error.unwrap().abs() < 3.0), "{errors_pct:?}");
//! # std::fs::remove_file(&table)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod groups;
mod responses;
mod results;
mod row;
mod traces;
mod whole;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axonml_models::{Fiber, Model, Models, Text};
use serde_json::Value;

use crate::study::{
    Case, Found, Listener, Plan, Refused, Setup, StudyError, refused, search_thresholds,
    warn_of_doubts,
};
use responses::{Pair, responses};
use row::Row;

pub use traces::Traces;
pub use whole::{evaluate, with_traces};

/// Multiple of each model's own threshold at which action potentials are compared, unless another is asked for.
const AT: f64 = 1.5;
/// The largest.
const MOST_MULTIPLE: f64 = 1000.0;

/// References of the rows of a table, and how they are compared.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// The model whose thresholds are the references; by default those of the table (column `threshold_mA`), and the row's
    /// own model where another is evaluated.
    pub reference: Option<Model>,
    /// Multiple of each own threshold at which action potentials are compared; 1.5 by default.
    pub at: Option<f64>,
    /// Whether thresholds alone are compared, and no action potentials.
    pub thresholds_only: bool,
    /// Files of traces that are compared beside the table, for the request.
    pub traces: Vec<PathBuf>,
}

/// The rows of a table, compared as far as work has come.
#[derive(Debug)]
pub struct Evaluation {
    plan: Plan,
    against: Against,
    refused: Refused,
    references: Vec<Reference>,
    /// The columns that rows are grouped by: name and place.
    groups: Vec<(&'static str, usize)>,
    rows: Mutex<Vec<Row>>,
    request: Value,
    started: Instant,
}

/// A row's case for the reference model.
#[derive(Debug)]
struct Reference {
    /// The row.
    index: usize,
    case: Case,
    /// Whether its threshold is searched, not given.
    searched: bool,
}

impl Evaluation {
    /// Prepares the comparison of the rows of a plan for a table of conditions.
    ///
    /// # Errors
    /// [`StudyError`] for rows without anything to compare with, references that cannot be computed, and rows that cannot,
    /// unless the study keeps going.
    pub fn new(
        plan: Plan,
        against: Against,
        listener: &mut dyn Listener,
    ) -> Result<Self, StudyError> {
        let started = Instant::now();
        if let Some(at) = against.at
            && !(1.0..=MOST_MULTIPLE).contains(&at)
        {
            return Err(StudyError::request(format!(
                "found action potentials compared at {at} times each threshold, expected a factor from 1 to {MOST_MULTIPLE}"
            )));
        }
        if against.at.is_some() && against.thresholds_only {
            return Err(StudyError::request(
                "found a multiple of thresholds and thresholds alone, which have no action potentials, expected one of them",
            ));
        }
        let refused = plan.refused(plan.study.output.keep_going)?;
        warn_of_doubts(plan.cases().map(|(_, case)| case), listener);
        let references = references(&plan, &against, &refused)?;
        if against.reference.is_some() && plan.has_references {
            listener.note(
                "thresholds of the reference model stand above the column threshold_mA".to_owned(),
            );
        }
        check_references(&plan, &against, &references, &refused)?;
        let mut ids: Vec<Text> = references
            .iter()
            .map(|reference| reference.case.model.schema().id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut request = plan.request.clone();
        request.put("command", "evaluate");
        request.put("reference", ids);
        let at = against.at.unwrap_or(AT);
        request.put("at", (!against.thresholds_only).then_some(at));
        let traces = against.traces.iter().map(|path| path.display().to_string());
        request.put("traces", traces.collect::<Vec<_>>());
        request.put("traces_sha256", traces::hashes(&against.traces)?);
        let of_error = |index: usize| {
            let (_, error) = refused.iter().find(|(bad, _)| *bad == index)?;
            Some(Found {
                status: "error".to_owned(),
                message: error.message(),
                ..Found::default()
            })
        };
        let planned = plan.cases.iter().enumerate();
        let rows = planned.map(|(index, planned)| Row {
            settings: planned.settings.clone(),
            reference_ma: given_ma(&plan, &against, index),
            found: of_error(index),
            ..Row::default()
        });
        Ok(Evaluation {
            rows: Mutex::new(rows.collect()),
            groups: groups::keys(&plan.columns),
            request: request.value(),
            plan,
            against,
            refused,
            references,
            started,
        })
    }

    /// The plan of its rows.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The rows that cannot be computed, and why.
    pub fn refused(&self) -> &[(usize, StudyError)] {
        &self.refused
    }

    /// Searches the thresholds of both, then compares their action potentials.
    ///
    /// # Errors
    /// [`StudyError`] if the work fails or is canceled; [`results`](Self::results) has what is finished.
    pub fn run(&self, listener: &mut dyn Listener) -> Result<(), StudyError> {
        let study = &self.plan.study;
        let searched = self.references.iter().filter(|of| of.searched);
        let searched: Vec<(usize, &Case)> = searched.map(|of| (of.index, &of.case)).collect();
        let mut of_references = Called {
            unit: "reference thresholds",
            listener,
        };
        search_thresholds(study, searched, &mut of_references, &mut |finished| {
            self.with(|rows| {
                for (index, found) in finished {
                    rows[index].reference_ma = found.upper_ma;
                    rows[index].reference_status = Some(found.status);
                }
            });
            Ok(())
        })?;
        let is_bad = |index: usize| self.refused.iter().any(|(bad, _)| *bad == index);
        let cases = self.plan.cases().filter(|(index, _)| !is_bad(*index));
        let cases: Vec<(usize, &Case)> = cases.collect();
        search_thresholds(study, cases.clone(), listener, &mut |finished| {
            self.with(|rows| {
                for (index, found) in finished {
                    rows[index].found = Some(found);
                }
            });
            Ok(())
        })?;
        if self.against.thresholds_only {
            return Ok(());
        }
        let at = self.against.at.unwrap_or(AT);
        let cases: HashMap<usize, &Case> = cases.into_iter().collect();
        let mut pairs = Vec::new();
        for Reference { index, case, .. } in &self.references {
            let amplitudes = self.with(|rows| {
                let ours = rows[*index].found.as_ref().and_then(|found| found.upper_ma);
                ours.zip(rows[*index].reference_ma)
            });
            if let (Some((ours_ma, theirs_ma)), Some(ours)) = (amplitudes, cases.get(index)) {
                pairs.push(Pair {
                    index: *index,
                    ours: (*ours, at * ours_ma),
                    theirs: (case, at * theirs_ma),
                });
            }
        }
        let mut keep = |index: usize, compared| {
            self.with(|rows| rows[index].compared = Some(compared));
        };
        responses(&pairs, listener, &mut keep)
    }

    /// Whether action potentials are compared.
    fn compares_responses(&self) -> bool {
        !self.against.thresholds_only && !self.references.is_empty()
    }

    /// Reads or changes the rows.
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Row>) -> T) -> T {
        work(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Passes on what it hears, with another name for pieces of work.
struct Called<'l> {
    unit: &'static str,
    listener: &'l mut dyn Listener,
}

impl Listener for Called<'_> {
    fn note(&mut self, text: String) {
        self.listener.note(text);
    }

    fn warn(&mut self, text: String) {
        self.listener.warn(text);
    }

    fn explain(&mut self, text: String) {
        self.listener.explain(text);
    }

    fn progress(&mut self, _unit: &'static str, done: usize, total: usize) {
        self.listener.progress(self.unit, done, total);
    }

    fn batch(&mut self, _unit: &'static str, done: usize, total: usize) {
        self.listener.batch(self.unit, done, total);
    }
}

/// The threshold that the table gives for a row, if it counts.
fn given_ma(plan: &Plan, against: &Against, index: usize) -> Option<f64> {
    match against.reference {
        Some(_) => None,
        None => plan.cases[index].reference_ma,
    }
}

/// The rows' cases for their reference models.
fn references(plan: &Plan, against: &Against, bad: &Refused) -> Result<Vec<Reference>, StudyError> {
    let is_bad = |index: usize| bad.iter().any(|(bad, _)| *bad == index);
    let Some((_, first)) = plan.cases().next() else {
        return Ok(Vec::new());
    };
    // The reference runs with its own parameters; what both share are temperature, start, arithmetic and device.
    let own = Arc::new(first.setup.with_own_parameters()?);
    let models = plan.study.known_models()?;
    let mut references = Vec::new();
    for (index, case) in plan.cases().filter(|(index, _)| !is_bad(*index)) {
        let sheet = plan.sheet.as_ref();
        let row_model = sheet.and_then(|sheet| sheet.cell(&sheet.records[index], "model"));
        if let Some(reference) = reference_of(against, &models, row_model, &case.model.schema().id)
        {
            references.push(Reference {
                index,
                case: reference_case(case, reference, &own),
                searched: given_ma(plan, against, index).is_none(),
            });
        }
    }
    Ok(references)
}

/// The model that a row is compared with, if any: the one asked for, or the row's own where another is evaluated.
fn reference_of(
    against: &Against,
    models: &Models,
    row_model: Option<&str>,
    evaluated: &str,
) -> Option<Model> {
    against.reference.clone().or_else(|| {
        let of_row = models.find(row_model.unwrap_or("mrg")).ok();
        of_row.filter(|model| model.schema().id != evaluated)
    })
}

/// The case of a row for the reference model.
fn reference_case(job: &Case, reference: Model, setup: &Arc<Setup>) -> Case {
    let schemas = (job.model.schema(), reference.schema());
    let same_lengths = schemas.0.compartment_um.is_some() && schemas.1.compartment_um.is_some();
    Case {
        model: reference,
        setup: setup.clone(),
        fiber: Fiber {
            compartment_um: job.fiber.compartment_um.filter(|_| same_lengths),
            ..job.fiber
        },
        length_um: None,
        ..job.clone()
    }
}

/// Refuses rows without anything to compare with, and references that cannot be computed.
fn check_references(
    plan: &Plan,
    against: &Against,
    references: &[Reference],
    bad: &Refused,
) -> Result<(), StudyError> {
    let has_none = |(index, _): &(usize, &Case)| {
        let given = given_ma(plan, against, *index).is_some();
        let computed = references.iter().any(|reference| reference.index == *index);
        !(bad.iter().any(|(bad, _)| bad == index) || given || computed)
    };
    if let Some((index, case)) = plan.cases().find(has_none) {
        return Err(StudyError::request(format!(
            "{}: found no threshold_mA, and the row's model is the evaluated one, {}",
            plan.cases[index].name,
            case.model.schema().id
        ))
        .help("fill in the column threshold_mA, or name another model as the reference (--reference MODEL)"));
    }
    let needed = references
        .iter()
        .filter(|reference| reference.searched || !against.thresholds_only)
        .map(|reference| (reference.index, &reference.case));
    let errors: Vec<StudyError> = refused(needed)
        .into_iter()
        .map(|(index, error)| error.at("the reference").at(&plan.cases[index].name))
        .collect();
    let help = "choose another reference (--reference MODEL), or compare thresholds only (--thresholds-only) where the table has them";
    match StudyError::of_many(&errors) {
        None => Ok(()),
        Some(error) => Err(error.or_help(help)),
    }
}
