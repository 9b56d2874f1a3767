//! Where fibers lie: on which line of a nerve, of which diameter, shifted how far, and the share that each stands for.

use std::collections::BTreeMap;

use axonml_core::Random;
use axonml_models::Schema;

use super::PlannedCase;
use super::place::{Place, basis_rows};
use crate::demonstration;
use crate::study::StudyError;
use crate::study::spec::{Diameters, FiberGroup, Offset, Protocol, Study, Want};

/// Fibers of one group at most: more is a slip of the finger.
const MOST_FIBERS: usize = 1_000_000;

/// A fiber before its stimulus.
pub(super) struct Placed {
    pub(super) fiber: usize,
    pub(super) line: usize,
    pub(super) diameter_um: f64,
    /// Shift along the nerve in parts of the node spacing, or in um.
    pub(super) shift: Shift,
    pub(super) weight: f64,
}

/// Shift of a fiber along the nerve.
#[derive(Clone, Copy)]
pub(super) enum Shift {
    Um(f64),
    Spacings(f64),
}

/// Spacing of the random streams of groups, so that no two share numbers.
fn random(seed: u64, group: usize, fiber: usize) -> Random {
    // Purposes below this one belong to data sets and trainings.
    const STUDIES: u64 = 1 << 32;
    Random::of(seed, STUDIES + group as u64, fiber)
}

/// The fibers of a group.
pub(super) fn placed(
    index: usize,
    group: &FiberGroup,
    schema: &Schema,
    study: &Study,
    place: &Place,
) -> Result<Vec<Placed>, StudyError> {
    let seed = study.numerics.seed.unwrap_or(0);
    let lines = place.nerve().map_or(1, |nerve| nerve.fibers());
    let given = match &group.offset_um {
        None => vec![0.0],
        Some(Offset::Um(um)) => vec![*um],
        Some(Offset::List(list)) => list.clone(),
        Some(Offset::Random) => Vec::new(),
    };
    if given.iter().any(|um| !um.is_finite()) || group.offset_um == Some(Offset::List(Vec::new())) {
        return Err(StudyError::request(format!(
            "offset_um: found {given:?}, expected one or more finite numbers"
        )));
    }
    // A fiber at every given shift, or one drawn.
    let shifts = |random: &mut Random| -> Vec<Shift> {
        match given.is_empty() {
            true => vec![Shift::Spacings(random.unit() - 0.5)],
            false => given.iter().map(|um| Shift::Um(*um)).collect(),
        }
    };
    let line_weight = |line: usize| place.nerve().map_or(1.0, |nerve| nerve.weights()[line]);
    let listed = match &group.diameter_um {
        None => Some(default_diameters(schema, study)),
        Some(Diameters::One(um)) => Some(vec![*um]),
        Some(Diameters::List(list)) if list.is_empty() => {
            return Err(StudyError::request(
                "diameter_um: found an empty list, expected one or more diameters",
            ));
        }
        Some(Diameters::List(list)) => Some(list.clone()),
        Some(Diameters::Drawn(_)) => None,
    };
    let mut all = Vec::new();
    let count = match (&listed, group.count) {
        (None, None) => {
            return Err(StudyError::request(
                "diameter_um: found a distribution without a number of fibers",
            )
            .help("give count, the number of fibers to draw"));
        }
        (_, Some(0)) => return Err(StudyError::request("count: found 0, expected 1 or more")),
        (_, Some(count)) if count > MOST_FIBERS => {
            return Err(StudyError::request(format!(
                "count: found {count}, expected at most {MOST_FIBERS}"
            )));
        }
        (Some(_), None) => None,
        (_, Some(count)) => Some(count),
    };
    let of_a_place = given.len().max(1);
    let fibers = match (count, &listed) {
        (Some(count), _) => count.saturating_mul(of_a_place),
        (None, Some(list)) => lines.saturating_mul(list.len()).saturating_mul(of_a_place),
        (None, None) => 0,
    };
    if fibers > MOST_FIBERS {
        return Err(StudyError::request(format!(
            "fibers: found {fibers}, expected at most {MOST_FIBERS}: one for each line, diameter and offset"
        ))
        .help("give fewer diameters or offsets"));
    }
    if let (Place::Basis(array), Some(diameters)) = (place, &listed) {
        if count.is_some() {
            return Err(StudyError::request(
                "count has no effect: the basis has a row for each fiber",
            ));
        }
        let pairs = basis_rows(array.shape()[0], diameters)?;
        let n = pairs.len() as f64;
        for (fiber, (row, diameter_um)) in pairs.into_iter().enumerate() {
            let shifts = shifts(&mut random(seed, index, fiber));
            all.extend(shifts.into_iter().map(|shift| Placed {
                fiber,
                line: row,
                diameter_um,
                shift,
                weight: 1.0 / n,
            }));
        }
        return Ok(all);
    }
    match count {
        // Fibers are spread evenly over the lines; a line's fibers share its weight.
        Some(count) => {
            let on_line = |line: usize| count / lines + usize::from(line < count % lines);
            for fiber in 0..count {
                let line = fiber % lines;
                let mut random = random(seed, index, fiber);
                let diameter_um = match (&group.diameter_um, &listed) {
                    (Some(Diameters::Drawn(distribution)), _) => {
                        let drawn = distribution.draw(&mut random);
                        drawn.map_err(|why| StudyError::request(why).at("diameter_um"))?
                    }
                    (_, Some(list)) => list[fiber / lines % list.len()],
                    (_, None) => f64::NAN,
                };
                all.extend(shifts(&mut random).into_iter().map(|shift| Placed {
                    fiber,
                    line,
                    diameter_um,
                    shift,
                    weight: line_weight(line) / on_line(line) as f64,
                }));
            }
        }
        None => {
            let diameters = listed.unwrap_or_default();
            let shares = shares_of_diameters(index, diameters.len(), study);
            for line in 0..lines {
                for (at, &diameter_um) in diameters.iter().enumerate() {
                    let number = line * diameters.len() + at;
                    let shifts = shifts(&mut random(seed, index, number));
                    all.extend(shifts.into_iter().map(|shift| Placed {
                        // In a nerve fibers are numbered by its lines.
                        fiber: if place.nerve().is_some() { line } else { at },
                        line,
                        diameter_um,
                        shift,
                        weight: line_weight(line) * shares[at],
                    }));
                }
            }
        }
    }
    Ok(all)
}

/// The part of a line's weight that the fiber of each diameter has.
fn shares_of_diameters(group: usize, diameters: usize, study: &Study) -> Vec<f64> {
    let given = match &study.protocol {
        Protocol::Optimize(protocol) if group == 0 => protocol.diameter_shares.as_ref(),
        _ => None,
    };
    match given.filter(|shares| shares.len() == diameters) {
        Some(shares) => {
            let sum: f64 = shares.iter().sum();
            shares.iter().map(|share| share / sum).collect()
        }
        None => vec![1.0 / diameters as f64; diameters],
    }
}

/// The diameters of a group that gives none, um.
fn default_diameters(schema: &Schema, study: &Study) -> Vec<f64> {
    match schema.compartment_um {
        Some(_) => vec![1.0],
        None if study.field.demonstration => demonstration::DIAMETERS_UM.to_vec(),
        None => vec![10.0],
    }
}

/// Makes weights sum to 1 at each point of the grid, groups by their shares; those that count for nothing have none.
pub(super) fn normalize(cases: &mut [PlannedCase], groups: &[FiberGroup]) {
    let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for planned in cases.iter() {
        *sums
            .entry((planned.member.group, planned.member.variant))
            .or_default() += planned.member.weight;
    }
    let share = |group: usize| match groups[group].want() {
        Want::Ignore => 0.0,
        Want::Target | Want::Activate | Want::Spare => groups[group].weight.unwrap_or(1.0),
    };
    let total: f64 = (0..groups.len()).map(share).sum();
    for planned in cases {
        let sum = sums[&(planned.member.group, planned.member.variant)];
        planned.member.weight *= share(planned.member.group) / (total * sum);
    }
}
