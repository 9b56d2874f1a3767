//! The fibers of an optimization: those of one nerve, or of several that shall have the same stimulus.

use std::sync::Arc;

use axonml_core::{Nerve, Waveform};
use axonml_models::Basis;

use crate::design::{Goal, Population};
use crate::study::{
    Batch, Case, CaseSource, Listener, Machine, Member, OptimizeProtocol, Plan, Protocol, Study,
    StudyError, groups,
};

/// The fibers of an optimization, with what is wanted of each.
#[derive(Debug)]
pub(super) struct Subject {
    /// Plans of the nerves.
    pub(super) plans: Vec<Plan>,
    /// All fibers on all contacts.
    pub(super) population: Population,
    /// Which of them should fire.
    pub(super) goal: Goal,
    /// Who they are, and in which nerve.
    pub(super) fibers: Vec<Who>,
}

/// Who a fiber is.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// Its nerve, by its place among the plans.
    pub(super) nerve: usize,
    /// Its place among the fibers of the study.
    pub(super) member: Member,
    /// Its name in messages.
    pub(super) name: String,
    /// The simulation.
    pub(super) case: Case,
}

impl Subject {
    /// Plans studies of one nerve each, and prepares their fibers.
    pub(super) fn of(
        studies: &[Study],
        machine: &Machine,
        listener: &mut dyn Listener,
    ) -> Result<Self, StudyError> {
        let mut plans = Vec::with_capacity(studies.len());
        let mut fibers = Vec::new();
        for study in studies {
            let plan = Plan::new(study, machine, listener)?;
            plan.refused(false)?;
            for planned in &plan.cases {
                fibers.push(Who {
                    nerve: plans.len(),
                    member: planned.member.clone(),
                    name: planned.name.clone(),
                    case: planned.case.clone()?,
                });
            }
            plans.push(plan);
        }
        check_contacts(&plans)?;
        let share = 1.0 / plans.len().max(1) as f64;
        let weights: Vec<f64> = fibers.iter().map(|who| who.member.weight * share).collect();
        let targets = fibers.iter().map(|who| who.member.target == Some(true));
        let goal = Goal::new(normalized(weights), targets.collect())?;
        let goal = match studies.first() {
            Some(study) => goal.with_recruitment(protocol(study)?.recruit())?,
            None => goal,
        };
        let population = population(&fibers)?;
        Ok(Subject {
            plans,
            population,
            goal,
            fibers,
        })
    }

    /// The nerve of a plan.
    pub(super) fn nerve(&self, nerve: usize) -> Option<&Arc<Nerve>> {
        self.plans.get(nerve)?.place.as_ref()?.nerve()
    }

    /// Names of the nerves.
    pub(super) fn name(&self) -> String {
        let names = (0..self.plans.len()).filter_map(|nerve| self.nerve(nerve));
        let names: Vec<&str> = names.map(|nerve| nerve.name()).collect();
        names.join("+")
    }

    /// Least and largest number of nodes.
    pub(super) fn nodes(&self) -> [usize; 2] {
        let nodes = self.fibers.iter().map(|who| who.case.fiber.nodes);
        let (least, most) = (nodes.clone().min(), nodes.max());
        [least.unwrap_or(0), most.unwrap_or(0)]
    }
}

/// The protocol of a study that is an optimization.
pub(super) fn protocol(study: &Study) -> Result<&OptimizeProtocol, StudyError> {
    match &study.protocol {
        Protocol::Optimize(protocol) => Ok(protocol),
        other => Err(StudyError::request(format!(
            "protocol: found `{}`, expected `optimize`",
            other.kind()
        ))),
    }
}

/// Sums of weights are 1 to rounding; here they are to the last bit that a sum has.
fn normalized(mut weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    weights
}

/// Refuses nerves with different numbers of contacts.
fn check_contacts(plans: &[Plan]) -> Result<(), StudyError> {
    let contacts = |plan: &Plan| {
        let nerve = plan.place.as_ref().and_then(|place| place.nerve());
        nerve.map(|nerve| (nerve.name().to_owned(), nerve.contacts()))
    };
    let mut nerves = plans.iter().filter_map(contacts);
    let Some((first, count)) = nerves.next() else {
        return Err(StudyError::request("found no nerve, expected one"));
    };
    match nerves.find(|(_, other)| *other != count) {
        None => Ok(()),
        Some((name, other)) => Err(StudyError::request(format!(
            "nerve {name} has {other} contacts and nerve {first} {count}, expected the same number: they share a stimulus"
        ))
        .help("optimize each nerve for itself: leave shared (--shared) out")),
    }
}

/// Cases as one population: those that share a simulation, together.
pub(super) fn population(fibers: &[Who]) -> Result<Population, StudyError> {
    let cases = fibers.iter().map(|who| &who.case).enumerate();
    let mut parts: Vec<(Basis, Vec<usize>)> = Vec::new();
    let mut waveform = None;
    for group in groups(cases) {
        let mut lost = None;
        let ready = Batch::settled(group, &mut |index, error| {
            lost.get_or_insert(error.at(&fibers[index].name));
        })?;
        if let Some(error) = lost {
            return Err(error);
        }
        let Some((cases, batch)) = ready else {
            continue;
        };
        let sampled = reference(cases[0].1)?.sample(batch.simulation.grid())?;
        waveform.get_or_insert_with(|| Arc::new(sampled));
        let basis = batch.simulation.basis(&batch.stimulus)?;
        parts.push((basis, cases.iter().map(|(index, _)| *index).collect()));
    }
    let Some(waveform) = waveform else {
        return Err(StudyError::request("found no fiber, expected one or more"));
    };
    Ok(Population::of_parts(parts, waveform)?)
}

/// The waveform that the contacts have in a plan.
fn reference(case: &Case) -> Result<&Arc<Waveform>, StudyError> {
    let waveforms = case.sources.iter().map(|source| match source {
        CaseSource::Field(_, waveform) => Some(waveform),
        CaseSource::SpaceTime { .. } => None,
    });
    let first = waveforms.into_iter().flatten().next();
    first.ok_or_else(|| {
        StudyError::request("found a fiber without contacts, expected those of a nerve")
    })
}
