//! The stimulus on the exact fiber, in double precision, at the default extent: what a result vouches for.

use std::sync::Arc;

use axonml_models::{ActivationOptions, Precision, Text, ThresholdSearch};

use super::subject::Subject;
use crate::design::{AREA_TOLERANCE, Delivered, Multiples, Population, Verified};
use crate::study::{Listener, Machine, PrecisionSpec, Study, StudyError};

/// Resolution of thresholds that a result vouches for.
const RESOLUTION: f64 = 1e-4;

/// A verified stimulus: its figures, and the fibers that they come from.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    pub(super) figures: Verified,
    /// Thresholds as multiples of the stimulus as delivered.
    pub(super) thresholds: Vec<Option<f64>>,
    /// Which fibers fire.
    pub(super) active: Vec<bool>,
}

impl Proof {
    /// Whether it misclassifies more area than another, as delivered.
    pub(super) fn misclassifies_more_than(&self, other: &Proof) -> bool {
        self.figures.misclassified > other.figures.misclassified + AREA_TOLERANCE
    }
}

/// The studies with which a stimulus is verified: exact models, double precision, default extents.
pub(super) fn exact(studies: &[Study]) -> Vec<Study> {
    let exact = |study: &Study| {
        let mut study = study.clone();
        study.numerics.precision = Some(PrecisionSpec(Precision::F64));
        study.numerics.rates = None;
        for group in &mut study.fibers {
            group.nodes = None;
            group.length_um = None;
            let model = group.model.as_deref().unwrap_or("mrg");
            if let Some(exact) = exact_of(model) {
                group.model = Some(exact.into_owned());
                group.weights = None;
                group.set.clear();
            }
        }
        study
    };
    studies.iter().map(exact).collect()
}

/// The model that a surrogate stands for.
fn exact_of(model: &str) -> Option<Text> {
    let schema = axonml_models::model(model).ok()?.schema();
    schema.exact
}

/// A stimulus, and the fibers that it is claimed to activate.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) stimulus: Delivered,
    pub(super) active: Vec<bool>,
}

/// Verifies stimuli; an error for one whose solution diverges.
pub(super) fn verify(
    studies: &[Study],
    claims: &[Claim],
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Vec<Result<Proof, StudyError>>, StudyError> {
    let exact = Subject::of(&exact(studies), machine, listener)?;
    let study = &exact.plans[0].study;
    let search = ThresholdSearch {
        resolution: RESOLUTION,
        ..study.search.search(study.detection.detection(), false)
    };
    let stimuli: Vec<Delivered> = claims
        .iter()
        .map(|claim| on(&exact.population, &claim.stimulus))
        .collect();
    let found = exact
        .population
        .thresholds(&stimuli, &search, None, &mut |_| ())?;
    // As delivered, to the end: what fires is not inferred from thresholds.
    let options = ActivationOptions {
        detection: search.detection.clone(),
        early_end: false,
        bound: None,
    };
    let fires = exact
        .population
        .activation(&stimuli, &options, &mut |_| ())?;
    let each = claims.iter().zip(found).zip(fires.rows());
    let proofs = each.map(|((claim, found), fires)| {
        let fires = fires.iter().copied().collect();
        proven(&exact, &claim.active, found, fires)
    });
    Ok(proofs.collect())
}

/// The proof of a stimulus from its thresholds, and from which fibers fire as it is delivered.
fn proven(
    exact: &Subject,
    claimed: &[bool],
    found: Multiples,
    fires: Option<Vec<bool>>,
) -> Result<Proof, StudyError> {
    let Multiples {
        thresholds,
        end_excitation,
        diverged,
    } = found;
    if let Some((fiber, multiple)) = diverged {
        return Err(StudyError::failure(format!(
            "{} diverged at {multiple} times the stimulus in the proof",
            exact.fibers[fiber].name
        ))
        .help("reduce the time step (--dt)"));
    }
    let Some(active) = fires else {
        return Err(StudyError::failure(
            "a fiber diverged at the stimulus as delivered in the proof",
        )
        .help("reduce the time step (--dt)"));
    };
    let goal = &exact.goal;
    let outcome = goal.outcome(&active);
    let by_threshold = goal.active_at(&thresholds, 1.0);
    let disagreeing = (0..active.len())
        .filter(|&fiber| active[fiber] != by_threshold[fiber] || active[fiber] != claimed[fiber]);
    let models = exact.plans.iter().flat_map(|plan| &plan.models);
    let mut names: Vec<Text> = models.map(|(model, _)| model.schema().id).collect();
    names.sort_unstable();
    names.dedup();
    let separation = goal.separation(&thresholds);
    Ok(Proof {
        figures: Verified {
            model: names.join(", "),
            precision: Precision::F64.name().to_owned(),
            dt_ms: exact.population.dt_ms(),
            nodes: exact.nodes(),
            target_pct: outcome.target_pct,
            offtarget_pct: outcome.offtarget_pct,
            misclassified: outcome.misclassified,
            wbce: outcome.wbce,
            separation: separation.is_finite().then_some(separation),
            disagreeing_fibers: disagreeing.collect(),
            end_excitation,
        },
        thresholds,
        active,
    })
}

/// The stimulus in terms of another population of the same contacts and steps: a waveform that is the reference stays it.
pub(super) fn on(population: &Population, stimulus: &Delivered) -> Delivered {
    let reference = population.waveform();
    let same = |waveform: &Arc<Vec<f64>>| match **waveform == **reference {
        true => reference.clone(),
        false => waveform.clone(),
    };
    Delivered {
        waveforms: stimulus.waveforms.iter().map(same).collect(),
        ..stimulus.clone()
    }
}
