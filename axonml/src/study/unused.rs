//! Settings of a study that its question does not use: refused where they would be taken for a setting that acts, named
//! where they do no harm.

use super::StudyError;
use super::listener::Listener;
use super::plan::has_key;
use super::protocol::question;
use super::spec::{Diameters, Offset, Study};

/// Refuses what has no effect, and names what stands in for something else.
///
/// `given` is the study before its question completed it.
pub(super) fn check(
    study: &Study,
    given: &Study,
    listener: &mut dyn Listener,
) -> Result<(), StudyError> {
    let question = question(&study.protocol);
    let kind = study.protocol.kind();
    let keys = question.search_keys(study);
    if let Some(key) = study.search.given().find(|key| !keys.contains(key)) {
        let why = match keys {
            [] => format!("`{kind}` searches no threshold"),
            _ if key == "extrapolate" => format!("`{kind}` reports no extrapolated thresholds"),
            _ if key == "max_current_nA" => format!("`{kind}` searches an amplitude in mA here"),
            _ if keys.contains(&"max_current_nA") => {
                format!("`{kind}` searches an injected current in nA here")
            }
            _ => format!("`{kind}` has a search of its own"),
        };
        return Err(
            StudyError::request(format!("search: {key} has no effect: {why}")).help("leave it out"),
        );
    }
    check_models(study)?;
    let sites = study.detection.sites().is_some();
    if sites && !question.has_detection_sites() {
        return Err(StudyError::request(format!(
            "detection: sites have no effect: `{kind}` has sites of its own"
        ))
        .help("leave nodes and at (--detect-nodes, --detect-at) out; --sites and --at are those of the velocity"));
    }
    let weighted = study.fibers.iter().any(|group| group.weight.is_some());
    if weighted && !(question.weighs_groups() && study.fibers.len() > 1) {
        let why = match question.weighs_groups() {
            true => "there is one group".to_owned(),
            false => format!("`{kind}` weighs no fibers"),
        };
        listener.note(format!("fibers: weight has no effect: {why}"));
    }
    for (index, source) in study.sources.iter().enumerate() {
        let keys = [
            ("delay", "delay_ms", source.delay_ms.is_some()),
            ("pw", "pulse_width_ms", source.pulse_width_ms.is_some()),
            ("freq", "frequency_kHz", source.frequency_khz.is_some()),
        ];
        for (key, in_place, _) in keys.iter().filter(|(.., given)| *given) {
            let mut pulses = source.pulses().into_iter();
            // A default pulse was written by nobody.
            let written = given
                .sources
                .get(index)
                .is_some_and(|of| of.pulse.is_some());
            if let Some(pulse) = pulses.find(|pulse| written && has_key(pulse, key)) {
                listener.note(format!(
                    "{in_place} stands in for {key} of the pulse `{pulse}`"
                ));
            }
        }
    }
    let drawn = study.fibers.iter().any(|group| {
        group.offset_um == Some(Offset::Random)
            || matches!(group.diameter_um, Some(Diameters::Drawn(_)))
    });
    if study.numerics.seed.is_some() && !drawn && !question.draws_at_random() {
        listener.note("the seed has no effect: nothing is drawn at random here".to_owned());
    }
    Ok(())
}

/// Refuses models of one's own that no group of fibers has; rows of a table may name any.
fn check_models(study: &Study) -> Result<(), StudyError> {
    if study.conditions.is_some() {
        return Ok(());
    }
    let used: Result<Vec<_>, _> = study
        .fibers
        .iter()
        .map(|group| study.model_of(group))
        .collect();
    let used: Vec<_> = used?.iter().map(|model| model.schema().id).collect();
    match study
        .models
        .iter()
        .find(|own| !used.contains(&(&*own.id).into()))
    {
        None => Ok(()),
        Some(own) => Err(StudyError::request(format!(
            "model `{}` has no effect: no fibers have it",
            own.id
        ))
        .help("name it as the model of a group of fibers, or leave it out")),
    }
}
