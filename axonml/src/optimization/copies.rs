//! Copies of a subject's fibers that differ from them by chance: other diameters, shifted nodes, a rotated cuff, other
//! amplitudes.

use std::sync::Arc;

use axonml_core::{CoreError, Field, Random};
use axonml_models::Simulation;

use super::subject::{Subject, Who};
use crate::study::{CaseSource, RobustSpec, StudyError};

/// Purpose of the random numbers of copies that a result is tried on, so that they share none with what else is drawn.
pub(super) const PROOF: u64 = 0x00c0_91e5;

/// The same of copies that a search looks at: a result is tried on others than those it was made for.
pub(super) const SEARCH: u64 = 0x5ea2_c4ed_0000_0000;

/// Sizes of changes of a copy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    /// Standard deviation of the factor of all amplitudes.
    pub(super) amplitude: f64,
    /// Standard deviation of the factor of each diameter.
    pub(super) diameter: f64,
    /// Whether nodes are shifted.
    pub(super) offset: bool,
    /// Standard deviation of the cuff's rotation, degrees.
    pub(super) rotation_deg: f64,
}

/// The changes that a study asks for, and those of its defaults that cannot be made, with the reason.
pub(super) fn sizes(
    subject: &Subject,
    spec: &RobustSpec,
) -> Result<(Sizes, Vec<String>), StudyError> {
    let mut left_out = Vec::new();
    let mut sizes = Sizes {
        amplitude: spec.amplitude(),
        diameter: spec.diameter(),
        offset: spec.shifts_nodes(),
        rotation_deg: spec.rotation_deg(),
    };
    if sizes.rotation_deg > 0.0
        && let Err(why) = rotations(subject)
    {
        if spec.rotation_deg.is_some() {
            return Err(StudyError::request(format!("rotation: {why}"))
                .help("leave rotation_deg (--perturb rotation=) out, or set it to 0"));
        }
        left_out.push(format!("rotation: {why}"));
        sizes.rotation_deg = 0.0;
    }
    Ok((sizes, left_out))
}

/// Copies of a subject's fibers. What is drawn for one depends on seed, purpose and number alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copies<'a> {
    pub(super) subject: &'a Subject,
    pub(super) seed: u64,
    pub(super) purpose: u64,
}

impl Copies<'_> {
    /// The fibers of a copy.
    pub(super) fn fibers(&self, copy: usize, sizes: &Sizes) -> Result<Vec<Who>, StudyError> {
        let rotation = self.rotation(copy, sizes);
        let amplitude = 1.0 + sizes.amplitude * self.random(copy, 0).normal();
        let fibers = self.subject.fibers.iter().enumerate();
        let each = fibers.map(|(fiber, who)| {
            let own = self.perturbed(who, copy, fiber, sizes, amplitude, rotation);
            own.map_err(|error| error.at(&who.name))
        });
        each.collect()
    }

    fn random(&self, copy: usize, of: usize) -> Random {
        Random::of(self.seed, self.purpose.wrapping_add(copy as u64), of)
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
        ..case.setup.settings(&case.model)
    };
    let device = &case.setup.machine.device;
    Ok(Simulation::new(
        &case.model,
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
