//! The fibers of a study: of every group, at every place, at every point of the grid.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_models::{Settings, Simulation};
use serde_json::json;

use super::aims::aimed;
use super::layout::Layout;
use super::maker::Maker;
use super::place::Place;
use super::placement::{normalize, placed};
use super::stimulus::{WaveformGrid, injections};
use super::{ModelSetup, Plan, PlannedCase, Request, group_name, model_setup};
use crate::study::StudyError;
use crate::study::case::CaseInjections;
use crate::study::listener::Listener;
use crate::study::setup::Machine;
use crate::study::spec::{FiberGroup, Study};

/// Memory that a case takes before it is simulated, about.
const CASE_BYTES: u128 = 2048;

/// Lays out the cases of a study's fibers.
pub(super) fn plan(
    study: &Study,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Plan, StudyError> {
    let default = [FiberGroup::default()];
    let groups = match study.fibers.is_empty() {
        true => &default[..],
        false => &study.fibers[..],
    };
    let mut models = Vec::new();
    for group in groups {
        let (model, setup) = model_setup(group, study, machine)?;
        setup.weights.check_used(std::slice::from_ref(&model))?;
        setup.check(&model, study.numerics.dt_ms(), study.numerics.tstop_ms())?;
        models.push((model, setup));
    }
    check_names(groups, &models)?;
    let waveforms = WaveformGrid::of(study)?;
    let injections: CaseInjections = Arc::new(injections(study)?);
    let place = aimed(Place::open(&study.field, listener)?, study)?;
    if !place.has_waveforms() && !study.sources.is_empty() {
        return Err(StudyError::request(match &place {
            Place::Basis(_) => {
                "pulse and polarity have no effect: the basis is a field in space and time"
            }
            _ => "pulse and polarity have no effect: there is no extracellular field",
        })
        .help("leave them out, or give a field with a waveform"));
    }
    study
        .sources
        .iter()
        .try_for_each(|source| place.check_source(source))?;
    let grid = grid_columns(&place, &waveforms);
    let layout = Layout::of(groups, &place, &grid);
    let mut request = Request::new(study.protocol.kind(), &models)?;
    put_stimulus(&mut request, study, &place, &waveforms, &injections);

    let mut maker = Maker::new(study, &place, &waveforms, injections);
    let mut cases = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let (model, setup) = &models[index];
        let places = placed(index, group, &model.schema(), study, &place)?;
        let variants = place.distances() * waveforms.points.len();
        let total = cases.len() + places.len().saturating_mul(variants);
        machine
            .memory
            .check(
                &format!("a study of {total} cases"),
                CASE_BYTES * total as u128,
            )
            .map_err(|error| {
                StudyError::request(error).help(
                    "ask for fewer fibers or a smaller grid, or allow more with --max-memory GB",
                )
            })?;
        maker.group(
            &places,
            index,
            group,
            model.clone(),
            setup,
            &layout,
            &mut cases,
        )?;
    }
    normalize(&mut cases, groups);
    maker.tell(listener);
    check_basis(&place, study, &cases)?;
    Ok(Plan {
        study: study.clone(),
        columns: layout.columns,
        cases,
        has_references: false,
        models,
        waveform: place
            .has_waveforms()
            .then(|| waveforms.points[0].text.clone()),
        place: Some(place),
        sheet: None,
        grid,
        request,
    })
}

/// Refuses groups of one name: results could not tell them apart.
fn check_names(groups: &[FiberGroup], models: &[ModelSetup]) -> Result<(), StudyError> {
    let mut known = BTreeMap::new();
    for (index, (group, (model, _))) in groups.iter().zip(models).enumerate() {
        let name = group_name(group, model);
        if let Some(other) = known.insert(name.clone(), index) {
            return Err(StudyError::request(format!(
                "fibers {other} and fibers {index} are both called `{name}`, expected a name of its own for each group"
            ))
            .help("give name = \"...\" to groups of one model"));
        }
    }
    Ok(())
}

/// The columns that the study's grid adds.
fn grid_columns(place: &Place, waveforms: &WaveformGrid) -> Vec<&'static str> {
    let distances = matches!(place, Place::Distances(_)).then_some("distance_um");
    let of_waveforms = waveforms.columns.iter().copied();
    distances
        .into_iter()
        .chain(of_waveforms.filter(|_| place.has_waveforms()))
        .collect()
}

/// The stimulus, for the request.
fn put_stimulus(
    request: &mut Request,
    study: &Study,
    place: &Place,
    waveforms: &WaveformGrid,
    injections: &CaseInjections,
) {
    if place.has_waveforms() {
        let sources = study.sources_or_default();
        let sources = sources.iter();
        let pulses: Vec<String> = sources.clone().flat_map(|source| source.pulses()).collect();
        let polarities: Vec<String> = sources
            .map(|source| source.polarity.unwrap_or_default().to_string())
            .collect();
        let one = |mut all: Vec<String>, default: &str| match all.len() {
            0 => json!(default),
            1 => json!(all.swap_remove(0)),
            _ => json!(all),
        };
        request.put("pulse", one(pulses, crate::study::spec::PULSE));
        request.put("polarity", one(polarities, "cathodic"));
        let texts = waveforms.points.iter().map(|point| point.text.clone());
        request.put("waveform", one(texts.collect(), ""));
        match waveforms.files_sha256.len() {
            0 => {}
            1 => request.put(
                "pulse_sha256",
                json!(waveforms.files_sha256.values().next()),
            ),
            _ => request.put("pulse_sha256", json!(waveforms.files_sha256)),
        }
    }
    request.put_injections(injections);
    request.put("field", place.describe(&study.field));
}

/// Refuses a basis that has another number of samples than the model needs.
fn check_basis(place: &Place, study: &Study, cases: &[PlannedCase]) -> Result<(), StudyError> {
    let Place::Basis(array) = place else {
        return Ok(());
    };
    let Some(case) = cases.iter().find_map(|planned| planned.case.as_ref().ok()) else {
        return Ok(());
    };
    // Where a fiber lies does not depend on how it can be stepped.
    let settings = Settings {
        allow_unstable: true,
        ..case.setup.settings(&case.model)
    };
    let device = &case.setup.machine.device;
    // A fiber that the model does not have is refused by name later.
    let Ok(simulation) = Simulation::new(&case.model, vec![case.fiber], &settings, device) else {
        return Ok(());
    };
    let needed = simulation.sample_points_um(0).len();
    let shape = array.shape();
    if shape.last() == Some(&needed) {
        return Ok(());
    }
    let error = StudyError::request(format!(
        "found an array of shape {shape:?}, expected {needed} samples along its last axis: one per sample point of the \
         model with this number of nodes"
    ));
    let error = error.help(match shape.contains(&needed) {
        true => "its axes are swapped: save its transpose (NumPy: a.T)",
        false => "`axonml models NAME --diameter UM` lists the sample points",
    });
    let path = study.field.basis.as_ref();
    Err(error.at(format!(
        "basis {}",
        path.map(|path| path.display().to_string())
            .unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration;
    use crate::study::Silent;
    use axonml_models::Device;

    fn planned(text: &str) -> Result<Plan, StudyError> {
        let study = Study::from_toml(text).unwrap();
        let machine = Machine::new(Device::auto().unwrap());
        Plan::new(&study, &machine, &mut Silent)
    }

    #[test]
    fn a_thousand_fibers_are_drawn_alike_every_time() {
        let text = "[fibers]\ncount = 1000\ndiameter_um = { normal = { mean_um = 8, sd_um = 1.5, min_um = 5.7, max_um = 14 } }\n\
                    offset_um = \"random\"\n[field]\ndemonstration = true\n[protocol]\nkind = \"threshold\"\n[numerics]\nseed = 4";
        let (a, b) = (planned(text).unwrap(), planned(text).unwrap());
        assert_eq!(a.cases.len(), 1000);
        let cells = |plan: &Plan| {
            plan.cases
                .iter()
                .map(|c| c.settings.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(cells(&a), cells(&b));
        let other = planned(&text.replace("seed = 4", "seed = 5")).unwrap();
        assert_ne!(cells(&a), cells(&other));
        // The shares of a line's fibers add up to the line's weight.
        let nerve = demonstration::nerve().unwrap();
        for (line, weight) in nerve.weights().iter().enumerate() {
            let of_line = a.cases.iter().filter(|c| c.member.line == Some(line));
            let sum: f64 = of_line.map(|c| c.member.weight).sum();
            assert!((sum - weight).abs() < 1e-9, "line {line}: {sum} {weight}");
        }
        // Places lie within half a node spacing.
        for planned in &a.cases {
            let offset =
                planned.settings[a.columns.iter().position(|c| c == "offset_um").unwrap()].number();
            assert!(offset.unwrap().abs() < 700.0);
        }
    }

    #[test]
    fn grids_have_a_case_for_each_point() {
        let plan = planned(
            "[fibers]\ndiameter_um = [5.7, 10]\n[field]\ndistance_um = [200, 500, 1000]\n[[source]]\npulse_width_ms = [0.02, 0.1]\n\
             [protocol]\nkind = \"threshold\"",
        )
        .unwrap();
        assert_eq!(plan.grid, ["distance_um", "pw_ms"]);
        assert_eq!(plan.cases.len(), 12);
        let shares: f64 = plan.cases.iter().map(|c| c.member.weight).sum();
        assert!((shares - 6.0).abs() < 1e-12, "{shares}");
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |text: &str| {
            let text = format!("{text}\n[protocol]\nkind = \"threshold\"");
            planned(&text).map(|_| ()).unwrap_err().message()
        };
        let two = refused("[field]\ndemonstration = true\ndistance_um = 100");
        assert!(two.contains("expected one of them"), "{two}");
        let idle = refused("[field]\ndistance_um = 100\ncontacts = [1.0]");
        assert!(idle.contains("contacts has no effect"), "{idle}");
        let none = refused("[field]\ndistance_um = 100\n[[source]]\ncontact = 3");
        assert!(none.contains("counted from 0"), "{none}");
        let endless = refused(
            "[field]\ndistance_um = 100\n[fibers]\ndiameter_um = { uniform = { min_um = 5.7, max_um = 9 } }",
        );
        assert!(endless.contains("without a number of fibers"), "{endless}");
    }
}
