//! Optimizations as studies: from a request to currents that are verified on the exact fiber, with everything kept on the
//! way.
//!
//! A [`Study`] with `kind = "optimize"` names a nerve, the fibers that should fire, limits of the
//! stimulator, and a method. [`optimize`] plans its fibers, looks for the stimulus (a scan of montages, then descent or
//! evolution on thresholds), verifies the best one in double precision at the default extent of fibers, tries perturbed
//! copies, and returns a [`DesignRecord`] for each nerve. With a folder, a kill at any moment costs one batch: the same
//! request goes on to the same bytes.
//!
//! # Example
//! ```no_run
//! use axonml::Device;
//! use axonml::optimization::{Order, Unwatched, optimize};
//! use axonml::study::{Machine, Study};
//!
//! let study = Study::from_toml(r#"
//!     [field]
//!     demonstration = true
//!
//!     [protocol]
//!     kind = "optimize"
//!     method = "gd"
//!
//!     [limits]
//!     sum_zero = true
//! "#)?;
//! let machine = Machine::new(Device::auto()?);
//! let records = optimize(&Order::new(study), &machine, &mut Unwatched)?;
//! println!("{:?} mA", records[0].result.amplitudes_ma);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copies;
mod folder;
mod given;
mod kept;
mod output;
mod proof;
mod record;
mod request;
mod robust;
mod search;
mod starts;
mod subject;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use axonml_models::CancelToken;
use serde_json::json;

use crate::design::{Delivered, DesignError, DesignRecord, DesignResult, Ends, Moment};
use crate::study::{Listener, Machine, OptimizeProtocol, Protocol, Study, StudyError};

use folder::Folder;
use proof::Claim;
use record::{Draft, Finding, Found};
use search::Search;
use subject::Subject;

pub use folder::read_record;
pub use kept::Keeping;
pub use output::{results_json, results_npz, results_table};

impl From<DesignError> for StudyError {
    fn from(error: DesignError) -> Self {
        match error {
            DesignError::Request(error) => error.into(),
            DesignError::Simulation(error) => error.into(),
            DesignError::Keep(_) => StudyError::failure(error),
            _ => StudyError::request(error),
        }
    }
}

/// An optimization and where it is kept.
#[derive(Clone, Debug)]
pub struct Order {
    /// The study, with `kind = "optimize"`.
    pub study: Study,
    /// The folder that keeps it; of several nerves, each has one of its name in it.
    pub folder: Option<PathBuf>,
    /// Whether to go on with what the folder holds.
    pub resume: bool,
    /// Steps or generations between two looks at the history file.
    pub save_every: usize,
}

impl Order {
    /// An optimization that is not kept.
    pub fn new(study: Study) -> Self {
        Order {
            study,
            folder: None,
            resume: false,
            save_every: 1,
        }
    }
}

/// Hears of an optimization.
pub trait Watcher: Listener {
    /// A stage begins: "montages", "descent", "generations", "proof", "copies".
    fn stage(&mut self, nerve: &str, stage: &'static str) {
        let _ = (nerve, stage);
    }

    /// A step or generation is done.
    fn reached(&mut self, moment: &Moment) {
        let _ = moment;
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Listener for Unwatched {}
impl Watcher for Unwatched {}

/// The folder of a nerve in the folder of an optimization: where a study has several nerves with a stimulus each, each has
/// one of its name.
pub fn folder_of(study: &Study, folder: &Path, nerve: &str) -> PathBuf {
    let several = match &study.protocol {
        Protocol::Optimize(protocol) => protocol.nerves.len() > 1 && !protocol.shared,
        _ => false,
    };
    match several {
        true => folder.join(nerve),
        false => folder.to_owned(),
    }
}

/// Runs an optimization: one record for each nerve, or one for all that share a stimulus.
///
/// A canceled optimization ends with the best stimulus so far, verified but not tried on perturbed copies; its status is
/// `interrupted`.
///
/// # Errors
/// [`StudyError`] for what is wrong with the request, if nothing was found, or if the simulation or a file fails.
pub fn optimize(
    order: &Order,
    machine: &Machine,
    watcher: &mut dyn Watcher,
) -> Result<Vec<DesignRecord>, StudyError> {
    let Protocol::Optimize(protocol) = &order.study.protocol else {
        return Err(StudyError::request(format!(
            "protocol: found `{}`, expected `optimize`",
            order.study.protocol.kind()
        ))
        .help("run other studies with Plan::run"));
    };
    let studies = OptimizeProtocol::of_each_nerve(&order.study);
    let together: Vec<Vec<Study>> = match protocol.shared {
        true => vec![studies],
        false => studies.into_iter().map(|study| vec![study]).collect(),
    };
    // Everything that is wrong with a nerve is refused before work on the first one begins.
    let mut tasks = Vec::with_capacity(together.len());
    for studies in together {
        let subject = Subject::of(&studies, machine, watcher)?;
        let task = Task {
            order,
            protocol,
            machine,
            studies,
            subject,
        };
        request::problem(&task.subject, &task.studies[0])?;
        tasks.push(task);
    }
    check_names(&tasks)?;
    let mut records = Vec::with_capacity(tasks.len());
    for task in tasks {
        let folder = order
            .folder
            .as_ref()
            .map(|folder| folder_of(&order.study, folder, &task.subject.name()));
        let record = task.perform(folder, watcher)?;
        let is_interrupted = record.result.status == "interrupted";
        records.push(record);
        if is_interrupted {
            break;
        }
    }
    Ok(records)
}

/// Refuses several nerves of one name, which is that of their folder.
fn check_names(tasks: &[Task<'_>]) -> Result<(), StudyError> {
    let names: Vec<String> = tasks.iter().map(|task| task.subject.name()).collect();
    let twice = (0..names.len()).find(|&task| names[..task].contains(&names[task]));
    match twice {
        None => Ok(()),
        Some(task) => Err(StudyError::request(format!(
            "nerves: found {} twice, expected nerves of different names: each has a folder of its own",
            names[task]
        ))
        .help("name each nerve (--nerve) once, or rename its folder")),
    }
}

/// Montages that a record has.
const MONTAGES: usize = 20;

/// An optimization of one stimulus.
struct Task<'a> {
    order: &'a Order,
    protocol: &'a OptimizeProtocol,
    machine: &'a Machine,
    studies: Vec<Study>,
    subject: Subject,
}

impl Task<'_> {
    fn perform(
        &self,
        folder: Option<PathBuf>,
        watcher: &mut dyn Watcher,
    ) -> Result<DesignRecord, StudyError> {
        let study = &self.studies[0];
        let nerve = request::problem(&self.subject, study)?;
        let problem = match request::problem_over_copies(&self.subject, study)? {
            None => nerve.clone(),
            Some((problem, left_out)) => {
                for what in left_out {
                    watcher.note(format!("copies that the search looks at leave out {what}"));
                }
                problem
            }
        };
        let request = self.request(&nerve);
        let mut search = Search {
            subject: &self.subject,
            studies: &self.studies,
            study,
            machine: self.machine,
            protocol: self.protocol,
            nerve,
            problem,
        };
        search.check()?;
        let folder = match folder {
            Some(path) => Some(Folder::open(&path, &request, self.order.resume)?),
            None => None,
        };
        let draft = Draft::new(&self.subject, study, self.protocol);
        let ends = Ends {
            max_seconds: self.protocol.max_seconds,
            max_evaluations: self.protocol.max_evaluations,
            cancel: self.machine.cancel.clone(),
        };
        let mut keeping = Keeping::new(folder, &draft, self.order.save_every, watcher);
        let found = search.perform(&mut keeping, ends)?;
        let (folder, watcher) = keeping.into_parts();

        // What follows is done even where the search was canceled; a second signal ends the process.
        let machine = Machine {
            cancel: CancelToken::default(),
            ..self.machine.clone()
        };
        watcher.stage(&self.subject.name(), "proof");
        let (delivered, mut result) = self.proven(&draft, &found, &machine, watcher)?;
        if study.robust.copies() > 0 && result.status != "interrupted" {
            watcher.stage(&self.subject.name(), "copies");
            let robust = robust::robust(
                &self.subject,
                &self.studies,
                &study.robust,
                &delivered,
                &machine,
                watcher,
            )?;
            result.robust = Some(robust);
        }
        if let Some(folder) = &folder {
            folder.best(&result, &delivered)?;
            folder.history(&found.history)?;
        }
        let steps = delivered
            .waveforms
            .first()
            .map_or(0, |waveform| waveform.len());
        let dt_ms = delivered.dt_ms;
        Ok(DesignRecord {
            request,
            result,
            montages: found
                .scan
                .montages
                .iter()
                .take(MONTAGES)
                .map(record::baseline)
                .collect(),
            history: found.history,
            times_ms: (0..steps).map(|step| step as f64 * dt_ms).collect(),
            currents_ma: delivered
                .in_ma()
                .iter()
                .map(|currents| currents.to_vec())
                .collect(),
            bounds_ma: search.problem.limits.bounds_ma.clone(),
            geometry: self
                .subject
                .nerve(0)
                .and_then(|nerve| nerve.geometry().cloned()),
        })
    }

    /// The stimulus to deliver, with the figures of its proof and of those of montages. A montage that turns out to be better
    /// than what the search found is delivered in its place.
    fn proven(
        &self,
        draft: &Draft<'_>,
        found: &Finding,
        machine: &Machine,
        watcher: &mut dyn Watcher,
    ) -> Result<(Delivered, DesignResult), StudyError> {
        let montages = draft.montages(&found.scan);
        let stimuli: Vec<&Found> = std::iter::once(&found.best)
            .chain(&found.montages)
            .collect();
        let claims: Vec<Claim> = (stimuli.iter().map(|stimulus| stimulus.claim()))
            .chain(montages.iter().map(|(_, scanned)| record::claim(scanned)))
            .collect();
        let mut proofs = proof::verify(&self.studies, &claims, machine, watcher)?.into_iter();
        let own: Vec<_> = proofs.by_ref().take(stimuli.len()).collect();
        let baselines = record::baselines(&montages, proofs);
        let mut own = stimuli.into_iter().zip(own);
        let Some((mut stimulus, proof)) = own.next() else {
            unreachable!("each claim has a proof")
        };
        let (mut proof, mut method) = (proof?, found.method.clone());
        let claimed = 100.0 * proof.figures.misclassified;
        for (montage, other) in own {
            if let Ok(other) = other
                && proof.misclassifies_more_than(&other)
            {
                (stimulus, proof) = (montage, other);
            }
        }
        if !std::ptr::eq(stimulus, &found.best) {
            watcher.note(format!(
                "the stimulus found misclassifies {claimed:.2} % of the area in its proof, more than a montage, which is \
                 delivered in its place: narrow the gap between search and proof, with the default extent of fibers or \
                 double precision"
            ));
            method.push_str(", then a montage");
        }
        let mut result = draft.verified(found, stimulus, &proof, baselines);
        result.method = method;
        Ok((stimulus.delivered.clone(), result))
    }

    /// The request as results carry it, with what reports need of the nerve.
    fn request(&self, problem: &crate::design::Problem) -> serde_json::Value {
        let mut requests = self.subject.plans.iter().map(|plan| plan.request());
        let mut request = requests.next().unwrap_or_default();
        if let Some(object) = request.as_object_mut() {
            let others: Vec<serde_json::Value> = requests.collect();
            if !others.is_empty() {
                object.insert("with".into(), others.into());
            }
            object.insert("bounds_mA".into(), json!(problem.limits.bounds_ma));
            let geometry = self.subject.nerve(0).and_then(|nerve| nerve.geometry());
            object.insert("geometry".into(), json!(geometry));
        }
        request
    }
}
