//! What pictures say about the stimulus, and where its electrodes lie.

use axonml::nerve::ContactGeometry;
use axonml::study::{Case, CaseSource, Offset, Place, Plan};
use axonml::{Nerve, TimeGrid, Waveform};

use crate::plot::Electrode;

/// Pulse, polarity, electrode and fibers in a line.
pub(super) fn stimulus(plan: &Plan) -> String {
    let cases = || plan.cases().map(|(_, case)| case);
    let mut parts = Vec::new();
    if let Some(case) = cases().next() {
        for source in &case.sources {
            if let CaseSource::Field(_, waveform) = source {
                parts.push(pulse(waveform, case, &plan.grid));
            }
        }
        parts.extend(place(plan, case));
        for injection in case.injections.iter() {
            let amp = injection
                .amp_na
                .map_or("a current".to_owned(), |na| format!("{na} nA"));
            parts.push(format!(
                "{amp} for {} ms into node {} at {} ms",
                injection.pw_ms, injection.node, injection.delay_ms
            ));
        }
    }
    let nodes = || cases().map(|case| case.fiber.nodes);
    if let (Some(least), Some(most)) = (nodes().min(), nodes().max()) {
        parts.push(match least == most {
            true => format!("{least} nodes"),
            false => format!("{least} to {most} nodes"),
        });
    }
    parts.join("; ")
}

/// The pulse as --pulse writes it, without what the study's grid varies, and its polarity.
fn pulse(waveform: &Waveform, case: &Case, grid: &[&str]) -> String {
    if grid.contains(&"pulse") {
        return "several pulses".to_owned();
    }
    let sampled = TimeGrid::new(case.dt_ms, case.tstop_ms).and_then(|grid| waveform.sample(&grid));
    // A waveform that has no samples was refused with its case; its text stands all the same.
    let Ok(sampled) = sampled else {
        return waveform.to_string();
    };
    let first = sampled.iter().find(|x| **x != 0.0);
    let both = sampled.iter().any(|x| *x > 0.0) && sampled.iter().any(|x| *x < 0.0);
    let polarity = match first {
        Some(x) if *x < 0.0 => "cathodic",
        Some(_) => "anodic",
        None => "silent",
    };
    let order = if both { " first" } else { "" };
    let varied = [
        ("pw_ms", "pw"),
        ("frequency_kHz", "freq"),
        ("delay_ms", "delay"),
    ];
    let varied = varied.iter().filter(|(column, _)| grid.contains(column));
    let varied: Vec<&str> = varied.map(|(_, key)| *key).collect();
    let mut text = waveform.to_string();
    // Of a sum of pulses all that is written varies.
    if let (false, Some((name, settings))) = (varied.is_empty(), text.split_once(':')) {
        let kept = settings
            .split(',')
            .filter(|setting| !varied.contains(&setting.split('=').next().unwrap_or_default()));
        let kept = kept.collect::<Vec<_>>().join(",");
        let separator = if kept.is_empty() { "" } else { ":" };
        text = format!("{name}{separator}{kept}");
    }
    format!("{text} (ms), {polarity}{order}")
}

/// Where the current flows.
fn place(plan: &Plan, case: &Case) -> Option<String> {
    match plan.place.as_ref()? {
        Place::Inside => None,
        Place::Basis(_) => Some("potentials of a basis".to_owned()),
        Place::Points(points) => {
            let distance = case.source_distance_um?;
            Some(match points.len() {
                1 => format!("point electrode {distance} µm from the fiber"),
                n => format!("{n} point electrodes, the nearest {distance} µm from the fiber"),
            })
        }
        Place::Distances(distances) => Some(match distances[..] {
            [one] => format!("point electrode {one} µm from the fiber"),
            _ => "a point electrode over the middle node".to_owned(),
        }),
        Place::Nerve { contacts, .. } => {
            let factors: Vec<String> = contacts.iter().map(f64::to_string).collect();
            let own = plan
                .study
                .sources
                .iter()
                .filter_map(|source| source.contact);
            let own: Vec<String> = own.map(|contact| contact.to_string()).collect();
            Some(match own.is_empty() {
                true => format!("contacts {}", factors.join(", ")),
                false => format!("waveforms at contacts {}", own.join(", ")),
            })
        }
    }
}

/// The electrodes along the fibers, whose middle node lies at 0.
pub(super) fn electrodes(plan: &Plan) -> Vec<Electrode> {
    let group = plan.study.fibers.first();
    let offset_um = match group.and_then(|group| group.offset_um.as_ref()) {
        Some(Offset::Um(um)) => *um,
        _ => 0.0,
    };
    match &plan.place {
        None | Some(Place::Inside | Place::Basis(_)) => Vec::new(),
        Some(Place::Points(points)) => {
            let electrode = |(index, point): (usize, &axonml::study::PointSpec)| {
                let z_mm = 1e-3 * (point.z_um - offset_um);
                Electrode {
                    label: index.to_string(),
                    z_mm: (z_mm, z_mm),
                    factor: point.factor,
                }
            };
            points.iter().enumerate().map(electrode).collect()
        }
        Some(Place::Distances(_)) => vec![Electrode {
            label: "0".to_owned(),
            z_mm: (-1e-3 * offset_um, -1e-3 * offset_um),
            factor: 1.0,
        }],
        Some(Place::Nerve { nerve, contacts }) => {
            let z = nerve.fiber_z_um();
            let ends = z.first().zip(z.last());
            let middle_um = ends.map_or(0.0, |(first, last)| 0.5 * (first + last));
            // The middle node of a fiber, as the geometry counts.
            let shift_mm = 1e-3 * (middle_um + offset_um) - cuff_mm(nerve);
            let geometry = nerve
                .geometry()
                .map(|geometry| geometry.contacts.as_slice());
            contact_electrodes(geometry.unwrap_or_default(), contacts, shift_mm)
        }
    }
}
/// Where the geometry of a nerve has its origin along the nerve's lines, mm: the median over the contacts of how far the
/// place where their potential is highest lies from their own.
fn cuff_mm(nerve: &Nerve) -> f64 {
    let z = nerve.fiber_z_um();
    let contacts = nerve
        .geometry()
        .map_or(&[][..], |geometry| &geometry.contacts);
    let origin = |(index, contact): (usize, &ContactGeometry)| {
        let z_mm = contact.z_mm?;
        let potentials = (index < nerve.contacts()).then(|| nerve.potentials_mv(index))?;
        let size = |sample: usize| {
            potentials
                .column(sample)
                .iter()
                .map(|v| v.abs())
                .sum::<f64>()
        };
        let sizes = (0..z.len().min(potentials.ncols())).map(|sample| (sample, size(sample)));
        let highest = sizes.filter(|(_, size)| size.is_finite());
        let (highest, _) = highest.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(1e-3 * z[highest] - z_mm)
    };
    let mut origins: Vec<f64> = contacts.iter().enumerate().filter_map(origin).collect();
    origins.sort_by(f64::total_cmp);
    match origins.len() {
        0 => 0.0,
        n => 0.5 * (origins[(n - 1) / 2] + origins[n / 2]),
    }
}

/// Contacts along the nerve, as seen from `origin_mm`; those without a place are left out.
pub(super) fn contact_electrodes(
    contacts: &[ContactGeometry],
    factors: &[f64],
    origin_mm: f64,
) -> Vec<Electrode> {
    let electrode = |(index, contact): (usize, &ContactGeometry)| {
        let z_mm = contact.z_mm? - origin_mm;
        let half = 0.5 * contact.width_mm.or(contact.diameter_mm).unwrap_or(0.0);
        Some(Electrode {
            label: index.to_string(),
            z_mm: (z_mm - half, z_mm + half),
            factor: factors.get(index).copied().unwrap_or(0.0),
        })
    };
    contacts.iter().enumerate().filter_map(electrode).collect()
}
