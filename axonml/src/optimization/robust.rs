//! A stimulus under small changes of itself, of the fibers and of the cuff.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_core::{CoreError, Field, Random};
use axonml_models::{ActivationOptions, Simulation};

use super::proof::on;
use super::subject::{Subject, Who, population};
use crate::design::{Delivered, Goal, Outcome, Robust, Spread};
use crate::study::{CaseSource, Listener, Machine, RobustSpec, Study, StudyError, most_at_once};

/// Purpose of random numbers, so that copies do not share them with what else is drawn.
const PURPOSE: u64 = 0x00c0_91e5;

/// Sizes of changes of a copy.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    /// Standard deviation of the factor of all amplitudes.
    amplitude: f64,
    /// Standard deviation of the factor of each diameter.
    diameter: f64,
    /// Whether nodes are shifted.
    offset: bool,
    /// Standard deviation of the cuff's rotation, degrees.
    rotation_deg: f64,
}

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
    let mut left_out = Vec::new();
    let mut all = Sizes {
        amplitude: spec.amplitude(),
        diameter: spec.diameter(),
        offset: spec.shifts_nodes(),
        rotation_deg: spec.rotation_deg(),
    };
    if all.rotation_deg > 0.0
        && let Err(why) = rotations(subject)
    {
        if spec.rotation_deg.is_some() {
            return Err(StudyError::request(format!("rotation: {why}"))
                .help("leave rotation_deg (--perturb rotation=) out, or set it to 0"));
        }
        left_out.push(format!("rotation: {why}"));
        all.rotation_deg = 0.0;
    }
    let copies = spec.copies();
    let trials = Trials {
        subject,
        stimulus,
        seed,
        copies,
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
        n: copies,
        target_pct: spread(|of| of.target_pct, false),
        offtarget_pct: spread(|of| of.offtarget_pct, true),
        wbce: spread(|of| of.wbce, true),
        by,
        left_out,
    })
}

/// Copies of a subject's fibers.
struct Trials<'a> {
    subject: &'a Subject,
    stimulus: &'a Delivered,
    seed: u64,
    copies: usize,
}

impl Trials<'_> {
    /// The outcome of each copy.
    fn outcomes(&self, sizes: &Sizes) -> Result<Vec<Outcome>, StudyError> {
        let fibers = self.subject.fibers.len();
        let cases = self.subject.fibers.iter().map(|who| &who.case).enumerate();
        let cases: Vec<_> = cases.collect();
        // As many copies at once as fit into memory.
        let at_once = (most_at_once(&cases) / fibers.max(1)).clamp(1, self.copies.max(1));
        let goal = &self.subject.goal;
        let mut outcomes = Vec::with_capacity(self.copies);
        for first in (0..self.copies).step_by(at_once) {
            let copies = first..(first + at_once).min(self.copies);
            let mut perturbed = Vec::with_capacity(copies.len() * fibers);
            for copy in copies.clone() {
                let rotation = self.rotation(copy, sizes);
                let amplitude = 1.0 + sizes.amplitude * self.random(copy, 0).normal();
                for (fiber, who) in self.subject.fibers.iter().enumerate() {
                    let own = self.perturbed(who, copy, fiber, sizes, amplitude, rotation);
                    perturbed.push(own.map_err(|error| error.at(&who.name))?);
                }
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

    fn random(&self, copy: usize, of: usize) -> Random {
        Random::of(self.seed, PURPOSE.wrapping_add(copy as u64), of)
    }

    fn rotation(&self, copy: usize, sizes: &Sizes) -> f64 {
        let mut random = self.random(copy, 0);
        random.normal();
        sizes.rotation_deg * random.normal()
    }

    /// A fiber of a copy. What is drawn for it depends on seed, copy and fiber alone, so that sizes of 0 change nothing else.
    fn perturbed(
        &self,
        who: &Who,
        copy: usize,
        fiber: usize,
        sizes: &Sizes,
        amplitude: f64,
        rotation_deg: f64,
    ) -> Result<Who, StudyError> {
        let mut random = self.random(copy, fiber + 1);
        let (wider, shift) = (random.normal(), random.unit() - 0.5);
        let mut who = who.clone();
        let case = &mut who.case;
        let length_um = length_um(case)?;
        let schema = case.model.schema();
        let range = &schema.diameters_um;
        let diameter_um = case.fiber.diameter_um * (1.0 + sizes.diameter * wider);
        case.fiber.diameter_um = diameter_um.clamp(*range.start(), *range.end());
        // No longer than before: a nerve's lines end.
        let spacing_um = spacing_um(case)?;
        let nodes = (length_um / spacing_um + 1e-9) as usize;
        case.fiber.nodes = (nodes - nodes % 2 + 1).min(case.fiber.nodes).max(3);
        let offset_um = if sizes.offset {
            shift * spacing_um
        } else {
            0.0
        };
        let fields: Vec<Arc<dyn Field>> = case
            .sources
            .iter()
            .filter_map(|source| match source {
                CaseSource::Field(field, _) => Some(field.clone()),
                CaseSource::SpaceTime { .. } => None,
            })
            .collect();
        let turned = match rotation_deg == 0.0 {
            true => (0..fields.len())
                .map(|contact| vec![(1.0, contact)])
                .collect(),
            false => rotated(self.subject, rotation_deg),
        };
        for (source, parts) in case.sources.iter_mut().zip(turned) {
            if let CaseSource::Field(field, _) = source {
                let parts = parts.into_iter();
                *field = Arc::new(Perturbed {
                    parts: parts
                        .map(|(share, contact)| (amplitude * share, fields[contact].clone()))
                        .collect(),
                    offset_um,
                });
            }
        }
        Ok(who)
    }
}

fn probe(case: &crate::study::Case) -> Result<Simulation, StudyError> {
    let settings = axonml_models::Settings {
        // Where nodes lie does not depend on how they can be stepped.
        allow_unstable: true,
        ..case.setup.settings(case.model)
    };
    let device = &case.setup.machine.device;
    Ok(Simulation::new(
        case.model,
        vec![case.fiber],
        &settings,
        device,
    )?)
}

fn length_um(case: &crate::study::Case) -> Result<f64, StudyError> {
    let simulation = probe(case)?;
    let nodes = simulation.nodes_um(0);
    Ok(nodes[nodes.len() - 1] - nodes[0])
}

fn spacing_um(case: &crate::study::Case) -> Result<f64, StudyError> {
    let simulation = probe(case)?;
    let nodes = simulation.nodes_um(0);
    Ok((nodes[nodes.len() - 1] - nodes[0]) / (nodes.len() - 1) as f64)
}

/// Fields that are weighed and shifted.
#[derive(Debug)]
struct Perturbed {
    parts: Vec<(f64, Arc<dyn Field>)>,
    offset_um: f64,
}

impl Field for Perturbed {
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        let shifted: Vec<f64> = z_um.iter().map(|z| z + self.offset_um).collect();
        let mut sum = vec![0.0; z_um.len()];
        for (share, field) in &self.parts {
            for (sum, mv) in sum.iter_mut().zip(field.potentials_mv(&shifted)?) {
                *sum += share * mv;
            }
        }
        Ok(sum)
    }

    fn extent_um(&self) -> Option<(f64, f64)> {
        let (first, last) = self.parts.first()?.1.extent_um()?;
        Some((first - self.offset_um, last - self.offset_um))
    }
}

/// The angle of each contact, degrees, where the contacts of all nerves are one ring.
fn rotations(subject: &Subject) -> Result<Vec<f64>, String> {
    let mut angles = Vec::new();
    for nerve in 0..subject.plans.len() {
        let own = subject.nerve(nerve).and_then(|nerve| nerve.geometry());
        let contacts = own.map_or(&[][..], |geometry| &geometry.contacts[..]);
        let known: Option<Vec<(f64, f64)>> = contacts
            .iter()
            .map(|contact| Some((contact.theta_deg?, contact.z_mm?)))
            .collect();
        let Some(known) = known.filter(|known| known.len() >= 3) else {
            return Err(
                "the nerve does not tell where three contacts or more lie around it".into(),
            );
        };
        if known.iter().any(|(_, z)| (z - known[0].1).abs() > 1e-6) {
            return Err(
                "the contacts lie at different places along the nerve, so that between two of them the field of a rotated one is not known"
                    .into(),
            );
        }
        let own: Vec<f64> = known
            .iter()
            .map(|(theta, _)| theta.rem_euclid(360.0))
            .collect();
        if nerve > 0 && own != angles {
            return Err("the nerves have different cuffs".into());
        }
        angles = own;
    }
    let mut sorted = angles.clone();
    sorted.sort_by(f64::total_cmp);
    match sorted.windows(2).any(|pair| pair[1] - pair[0] < 1e-6) {
        true => Err("two contacts lie at the same angle".into()),
        false => Ok(angles),
    }
}

/// The contacts that each contact of a rotated cuff lies between, with their shares.
fn rotated(subject: &Subject, by_deg: f64) -> Vec<Vec<(f64, usize)>> {
    let Ok(angles) = rotations(subject) else {
        return Vec::new();
    };
    let of = |angle: f64| {
        let angle = angle.rem_euclid(360.0);
        let ahead = |other: f64| (other - angle).rem_euclid(360.0);
        let behind = |other: f64| (angle - other).rem_euclid(360.0);
        let nearest = |distance: &dyn Fn(f64) -> f64| {
            let each = angles.iter().enumerate();
            let each = each.map(|(contact, other)| (distance(*other), contact));
            each.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0))
        };
        let (up, next) = nearest(&ahead);
        let (down, last) = nearest(&behind);
        match up + down > 0.0 {
            true => vec![(up / (up + down), last), (down / (up + down), next)],
            false => vec![(1.0, last)],
        }
    };
    angles.iter().map(|angle| of(angle + by_deg)).collect()
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
