//! From a study to its cases: every simulation there will be, each with the cells of its row, before any is run.

mod aims;
mod conditions;
mod fibers;
mod layout;
mod maker;
mod place;
mod placement;
mod request;
mod stimulus;

use std::sync::Arc;

use axonml_models::{Device, FiberModel, Precision, RateEvaluation};
use serde_json::Value;

use super::StudyError;
use super::batch::refused;
use super::case::Case;
use super::listener::Listener;
use super::report::Cell;
use super::setup::{Machine, Setup};
use super::spec::{FiberGroup, Study};
use super::weights::WeightChoice;

pub use conditions::{Record, SETTINGS, Sheet};
pub use place::Place;
pub use request::{ModelSetup, Request};
pub(super) use stimulus::has_key;
pub(crate) use stimulus::{injections, placed_injections};

/// A study taken apart: its cases and what they share.
#[derive(Debug)]
pub struct Plan {
    /// The study.
    pub study: Study,
    /// Columns of the results that tell cases apart.
    pub columns: Vec<String>,
    /// The cases, in the order of their rows.
    pub cases: Vec<PlannedCase>,
    /// Whether cases have references to compare with.
    pub has_references: bool,
    /// Models with their numbers, by group.
    pub models: Vec<ModelSetup>,
    /// Where currents flow; none where a table of conditions has it row by row.
    pub place: Option<Place>,
    /// The table of conditions, if the study has one.
    pub sheet: Option<Sheet>,
    /// Columns of the study's grid.
    pub grid: Vec<&'static str>,
    /// The waveform of the first case as text, for titles.
    pub waveform: Option<String>,
    /// Everything needed to repeat the results.
    pub request: Request,
}

/// A case with its row.
#[derive(Clone, Debug)]
pub struct PlannedCase {
    /// Cells under the plan's columns.
    pub settings: Vec<Cell>,
    /// Name in messages.
    pub name: String,
    /// A threshold to compare with, mA.
    pub reference_ma: Option<f64>,
    /// Who the fiber is.
    pub member: Member,
    /// The simulation, or why it is impossible.
    pub case: Result<Case, StudyError>,
}

/// The fiber of a case among the study's fibers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    /// Group, by its place in the study.
    pub group: usize,
    /// Name of the group.
    pub group_name: String,
    /// Number of the fiber in its group.
    pub fiber: usize,
    /// The line of the nerve that it lies on.
    pub line: Option<usize>,
    /// Fascicle of the nerve, where it is known.
    pub fascicle: Option<usize>,
    /// Whether the nerve names it a target, where it says so.
    pub target: Option<bool>,
    /// Diameter, um.
    pub diameter_um: f64,
    /// Share of all fibers that it stands for; sums to 1 at each point of the grid.
    pub weight: f64,
    /// Point of the grid.
    pub variant: usize,
}

/// Lays out the cases of a study that its question has completed.
pub(super) fn lay_out(
    study: &Study,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Plan, StudyError> {
    match &study.conditions {
        Some(_) => conditions::plan(study, machine, listener),
        None => fibers::plan(study, machine, listener),
    }
}

/// Cases that cannot be computed, and why.
pub type Refused = Vec<(usize, StudyError)>;

impl Plan {
    /// The cases that can be planned, each under its index.
    pub fn cases(&self) -> impl Iterator<Item = (usize, &Case)> {
        let cases = self.cases.iter().enumerate();
        cases.filter_map(|(index, planned)| Some((index, planned.case.as_ref().ok()?)))
    }

    /// The cases that cannot be computed, in order; where the study does not keep going, they are an error.
    ///
    /// # Errors
    /// [`StudyError`] that tells of the cases that cannot be computed.
    pub fn refused(&self, keep_going: bool) -> Result<Refused, StudyError> {
        let mut errors: Refused = Vec::new();
        for (index, planned) in self.cases.iter().enumerate() {
            if let Err(error) = &planned.case {
                errors.push((index, error.clone()));
            }
        }
        for (index, error) in refused(self.cases()) {
            errors.push((index, error.at(&self.cases[index].name)));
        }
        errors.sort_by_key(|(index, _)| *index);
        if !errors.is_empty() && !keep_going {
            let errors: Vec<StudyError> = errors.into_iter().map(|(_, error)| error).collect();
            let help = "fix the input, or give --keep-going to skip what cannot be computed";
            return StudyError::of_many(&errors)
                .map_or(Ok(Vec::new()), |error| Err(error.or_help(help)));
        }
        Ok(errors)
    }

    /// Models as titles call them.
    pub fn titles(&self) -> Vec<String> {
        let titles = self.models.iter();
        titles.map(|(model, setup)| setup.title(model)).collect()
    }

    /// The request that results carry.
    pub fn request(&self) -> Value {
        self.request.clone().value()
    }
}

/// The model of a group with its numbers.
pub(super) fn model_setup(
    group: &FiberGroup,
    study: &Study,
    machine: &Machine,
) -> Result<ModelSetup, StudyError> {
    let model = study.model_of(group)?;
    let setup = setup(group, study, machine)?;
    Ok((model, Arc::new(setup)))
}

/// The numbers of a group.
pub(super) fn setup(
    group: &FiberGroup,
    study: &Study,
    machine: &Machine,
) -> Result<Setup, StudyError> {
    let default = study.protocol.precision();
    let precision = study.numerics.precision.map_or(default, |given| given.0);
    let rates = study
        .numerics
        .rates
        .map(|given| given.0)
        .unwrap_or_default();
    if rates == RateEvaluation::Table {
        check_tables(precision, machine)?;
    }
    Ok(Setup {
        weights: WeightChoice::of(group.weights.as_deref(), &study.known_models()?)?,
        parameters: group.set.clone(),
        celsius: group.temperature_celsius,
        start: group.initial_state(),
        ends: group.ends.unwrap_or_default(),
        precision,
        rates,
        machine: machine.clone(),
    })
}

/// Refuses tables of rates where there are none.
fn check_tables(precision: Precision, machine: &Machine) -> Result<(), StudyError> {
    let exact = "leave rates (--rates) out";
    if precision != Precision::F32 {
        return Err(StudyError::request(format!(
            "numerics: tables of rates are for single precision, found {}",
            precision.name()
        ))
        .help(format!(
            "set precision = \"f32\" (--precision f32), or {exact}"
        )));
    }
    match machine.device.has_tables() {
        true => Ok(()),
        false => Err(StudyError::request(format!(
            "numerics: the backend {} has no tables of rates",
            machine.device.name()
        ))
        .help(format!("set backend = \"cpu\" (--backend cpu), or {exact}"))),
    }
}

impl Setup {
    /// The numbers of a study's first group, or the defaults.
    ///
    /// # Errors
    /// [`StudyError`] for weights that there are not, and fiber files that cannot be read.
    pub fn of(study: &Study, machine: &Machine) -> Result<Self, StudyError> {
        let default = FiberGroup::default();
        let study = &study.with_models_read()?;
        setup(study.fibers.first().unwrap_or(&default), study, machine)
    }
}

/// Opens the device that a study asks for.
///
/// # Errors
/// [`StudyError`] if it cannot be used.
pub fn device(study: &Study) -> Result<Device, StudyError> {
    Ok(Device::named(
        study.numerics.backend.as_deref().unwrap_or("auto"),
    )?)
}

/// Name of a group: its own, else that of its model.
fn group_name(group: &FiberGroup, model: &dyn FiberModel) -> String {
    let name = group.name.clone();
    name.unwrap_or_else(|| model.schema().id.to_string())
}
