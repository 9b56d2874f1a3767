//! Goals of an optimization on the lines of a nerve: which should fire, and how much of the nerve each stands for.

use std::sync::Arc;

use axonml_core::Nerve;
use axonml_models::{read_array, read_flags};

use super::place::Place;
use crate::study::StudyError;
use crate::study::spec::{GdInit, OptimizeProtocol, Protocol, Study, TargetSpec};

/// The field of an optimization with the study's targets and weights in place of the nerve's, and every contact as it is;
/// that of other studies unchanged.
pub(super) fn aimed(place: Place, study: &Study) -> Result<Place, StudyError> {
    let (Protocol::Optimize(protocol), Place::Nerve { nerve, .. }) = (&study.protocol, &place)
    else {
        return Ok(place);
    };
    let mut aimed = Nerve::clone(nerve);
    if let Some(path) = &protocol.area_weights {
        let at = |error: StudyError| {
            let help = "give one share for each line of the nerve, 0 or more, that sum to 1";
            error
                .or_help(help)
                .at(format!("area_weights {}", path.display()))
        };
        let array = read_array(path).map_err(|error| at(error.into()))?;
        let lines = [nerve.fibers()];
        if array.shape() != lines {
            return Err(at(wrong_count(array.shape(), nerve)));
        }
        let weights = array.iter().copied().collect();
        aimed = aimed
            .with_weights(weights)
            .map_err(|error| at(error.into()))?;
    }
    if let Some(target) = &protocol.target {
        let flags = targets(target, nerve)?;
        aimed = aimed.with_target(flags)?;
    }
    check_contacts(protocol, study, nerve)?;
    Ok(Place::Nerve {
        contacts: vec![1.0; nerve.contacts()],
        nerve: Arc::new(aimed),
    })
}

fn wrong_count(shape: &[usize], nerve: &Nerve) -> StudyError {
    StudyError::request(format!(
        "found an array of shape {shape:?}, expected one number for each of the {} lines of nerve {}",
        nerve.fibers(),
        nerve.name()
    ))
    .help("give a file of that nerve, or leave it out for the nerve's own")
}

/// The lines that should fire.
fn targets(target: &TargetSpec, nerve: &Nerve) -> Result<Vec<bool>, StudyError> {
    let numbers = match target {
        TargetSpec::File(path) => {
            let at = |error: StudyError| {
                let help =
                    "give one flag for each line of the nerve, true where fibers should fire";
                error.or_help(help).at(format!("target {}", path.display()))
            };
            let flags = read_flags(path).map_err(|error| at(error.into()))?;
            return match flags.len() == nerve.fibers() {
                true => Ok(flags),
                false => Err(at(wrong_count(&[flags.len()], nerve))),
            };
        }
        TargetSpec::Fascicles(numbers) => numbers,
    };
    let of_lines = nerve.geometry().map(|geometry| &geometry.axon_fascicle[..]);
    let of_lines = of_lines.filter(|of_lines| of_lines.len() == nerve.fibers());
    let Some(of_lines) = of_lines else {
        return Err(StudyError::request(format!(
            "target: found {target}, but nerve {} does not say which fascicle its lines lie in",
            nerve.name()
        ))
        .help("give a file with one flag per line, or axon_fascicle in nerve.json"));
    };
    if let Some(number) = numbers.iter().find(|number| !of_lines.contains(number)) {
        let mut known = of_lines.to_vec();
        known.sort_unstable();
        known.dedup();
        let known: Vec<String> = known.iter().map(usize::to_string).collect();
        return Err(StudyError::request(format!(
            "target: found fascicle {number}, expected fascicles of nerve {}: {}",
            nerve.name(),
            known.join(", ")
        ))
        .help("give fascicles in which lines lie"));
    }
    Ok(of_lines
        .iter()
        .map(|of_line| numbers.contains(of_line))
        .collect())
}

/// Refuses contacts that the nerve does not have, and limits that its contacts cannot obey.
fn check_contacts(
    protocol: &OptimizeProtocol,
    study: &Study,
    nerve: &Nerve,
) -> Result<(), StudyError> {
    let limits = &study.limits;
    let count = nerve.contacts();
    let frozen = limits.frozen_ma.keys();
    if let Some(contact) = frozen.clone().find(|contact| **contact >= count) {
        return Err(StudyError::request(format!(
            "frozen_mA: found contact {contact}, expected 0 to {}, the contacts of nerve {}",
            count - 1,
            nerve.name()
        ))
        .help("give a contact that the nerve has (--frozen)")
        .at("limits"));
    }
    if frozen.len() == count {
        return Err(StudyError::request(format!(
            "frozen_mA: found all {count} contacts, expected one at least that can vary"
        ))
        .help("leave one out (--frozen)")
        .at("limits"));
    }
    if limits.sum_zero && count < 2 {
        return Err(StudyError::request(format!(
            "sum_zero: found one contact in nerve {}, expected two or more whose currents can add up to 0",
            nerve.name()
        ))
        .help("leave it out (--sum-zero)")
        .at("limits"));
    }
    let areas = limits
        .contact_area_cm2
        .as_ref()
        .map_or(1, |areas| areas.0.len());
    if areas != 1 && areas != count {
        return Err(StudyError::request(format!(
            "contact_area_cm2: found {areas} areas, expected one, or {count}: one per contact of nerve {}",
            nerve.name()
        ))
        .help("correct their number (--contact-area)")
        .at("limits"));
    }
    let given = match study.gd.init() {
        GdInit::Amplitudes(ma) if protocol.descends() => ma.len(),
        _ => count,
    };
    match given == count {
        true => Ok(()),
        false => Err(StudyError::request(format!(
            "init: found {given} amplitudes, expected {count}: one per contact of nerve {}",
            nerve.name()
        ))
        .help("correct their number (--init)")
        .at("gd")),
    }
}
