//! A stimulus under small changes of itself, of the fibers and of the cuff.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_models::ActivationOptions;

use super::copies::{Copies, PROOF, Sizes, sizes};
use super::proof::on;
use super::subject::{Subject, population};
use crate::design::{Delivered, Goal, Outcome, Robust, Spread};
use crate::study::{Listener, Machine, RobustSpec, Study, StudyError, most_at_once};

/// Simulates perturbed copies of the fibers under a stimulus.
pub(super) fn robust(
    subject: &Subject,
    studies: &[Study],
    spec: &RobustSpec,
    stimulus: &Delivered,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Robust, StudyError> {
    let seed = studies[0].numerics.seed.unwrap_or(0);
    let (all, left_out) = sizes(subject, spec)?;
    let trials = Trials {
        copies: Copies {
            subject,
            seed,
            purpose: PROOF,
        },
        stimulus,
        count: spec.copies(),
    };
    let outcomes = trials.outcomes(&all)?;
    let none = Sizes::default();
    let alone = [
        (
            "amplitude",
            Sizes {
                amplitude: all.amplitude,
                ..none
            },
            all.amplitude > 0.0,
        ),
        (
            "diameter",
            Sizes {
                diameter: all.diameter,
                ..none
            },
            all.diameter > 0.0,
        ),
        (
            "offset",
            Sizes {
                offset: true,
                ..none
            },
            all.offset,
        ),
        (
            "rotation",
            Sizes {
                rotation_deg: all.rotation_deg,
                ..none
            },
            all.rotation_deg > 0.0,
        ),
    ];
    let mut by = BTreeMap::new();
    for (name, sizes, _) in alone.iter().filter(|(.., varies)| *varies) {
        let found = trials.outcomes(sizes)?;
        let sum: f64 = found.iter().map(|outcome| outcome.misclassified).sum();
        by.insert((*name).to_owned(), sum / found.len() as f64);
    }
    if spec.dt_half() {
        let outcome = half_step(subject, studies, stimulus, machine, listener)?;
        by.insert("dt".to_owned(), outcome.misclassified);
    }
    let spread = |of: fn(&Outcome) -> f64, more_is_worse: bool| {
        let mut values: Vec<f64> = outcomes.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        if !more_is_worse {
            values.reverse();
        }
        // The least value that 95 % do not exceed.
        let place = (0.95 * values.len() as f64).ceil() as usize;
        Spread {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            p95: values[place.clamp(1, values.len()) - 1],
            worst: values[values.len() - 1],
        }
    };
    Ok(Robust {
        n: spec.copies(),
        target_pct: spread(|of| of.target_pct, false),
        offtarget_pct: spread(|of| of.offtarget_pct, true),
        wbce: spread(|of| of.wbce, true),
        by,
        left_out,
    })
}

/// A stimulus on copies of a subject's fibers.
struct Trials<'a> {
    copies: Copies<'a>,
    stimulus: &'a Delivered,
    count: usize,
}

impl Trials<'_> {
    /// The outcome of each copy.
    fn outcomes(&self, sizes: &Sizes) -> Result<Vec<Outcome>, StudyError> {
        let subject = self.copies.subject;
        let fibers = subject.fibers.len();
        let cases = subject.fibers.iter().map(|who| &who.case).enumerate();
        let cases: Vec<_> = cases.collect();
        // As many copies at once as fit into memory.
        let at_once = (most_at_once(&cases) / fibers.max(1)).clamp(1, self.count.max(1));
        let goal = &subject.goal;
        let mut outcomes = Vec::with_capacity(self.count);
        for first in (0..self.count).step_by(at_once) {
            let copies = first..(first + at_once).min(self.count);
            let mut perturbed = Vec::with_capacity(copies.len() * fibers);
            for copy in copies.clone() {
                perturbed.extend(self.copies.fibers(copy, sizes)?);
            }
            let population = population(&perturbed)?;
            let stimulus = on(&population, self.stimulus);
            let options = ActivationOptions {
                detection: perturbed[0].case.detection.clone(),
                ..ActivationOptions::default()
            };
            let active = population.activation(&[stimulus], &options, &mut |_| ())?;
            let active: Vec<Option<bool>> = active.row(0).to_vec();
            for (place, copy) in copies.enumerate() {
                let own = &active[place * fibers..(place + 1) * fibers];
                let own: Option<Vec<bool>> = own.iter().copied().collect();
                let own = own.ok_or_else(|| {
                    StudyError::failure(format!("a fiber of perturbed copy {copy} diverged"))
                        .help("reduce the time step (--dt), or leave copies out (--robust 0)")
                })?;
                outcomes.push(goal.outcome(&own));
            }
        }
        Ok(outcomes)
    }
}

/// The outcome with half of the time step.
fn half_step(
    subject: &Subject,
    studies: &[Study],
    stimulus: &Delivered,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Outcome, StudyError> {
    let halved: Vec<Study> = studies
        .iter()
        .map(|study| {
            let mut study = study.clone();
            study.numerics.dt_ms = Some(0.5 * study.numerics.dt_ms());
            study
        })
        .collect();
    let halved = Subject::of(&halved, machine, listener)?;
    let reference = subject.population.waveform();
    let finer = |waveform: &Arc<Vec<f64>>| match **waveform == **reference {
        true => halved.population.waveform().clone(),
        // Samples are held.
        false => Arc::new(waveform.iter().flat_map(|value| [*value; 2]).collect()),
    };
    let stimulus = Delivered {
        amplitudes_ma: stimulus.amplitudes_ma.clone(),
        waveforms: stimulus.waveforms.iter().map(finer).collect(),
        dt_ms: halved.population.dt_ms(),
    };
    let options = ActivationOptions {
        detection: halved.fibers[0].case.detection.clone(),
        ..ActivationOptions::default()
    };
    let active = halved
        .population
        .activation(&[stimulus], &options, &mut |_| ())?;
    let active: Option<Vec<bool>> = active.row(0).iter().copied().collect();
    let goal: &Goal = &subject.goal;
    active
        .map(|active| goal.outcome(&active))
        .ok_or_else(|| StudyError::failure("a fiber diverged at half of the time step"))
}
