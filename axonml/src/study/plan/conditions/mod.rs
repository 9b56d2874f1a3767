//! Tables of conditions: one case a row.

mod overridden;
mod read;
mod row;

use std::sync::Arc;

use axonml_core::TimeGrid;
use axonml_models::provenance::sha256;
use axonml_models::{FiberModel, Model};
use serde_json::json;

use super::place::describe_points;
use super::request::ModelSetup;
use super::stimulus::{WaveformGrid, injections};
use super::{Member, Plan, PlannedCase, Request, setup};
use crate::study::StudyError;
use crate::study::listener::Listener;
use crate::study::report::Cell;
use crate::study::setup::Machine;
use crate::study::spec::{FiberGroup, Study};
use overridden::{Overridden, overrides};
use row::Reader;

pub use read::{Record, SETTINGS, Sheet};

/// Lays out the rows of a study's table.
pub(super) fn plan(
    study: &Study,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Plan, StudyError> {
    let Some(conditions) = &study.conditions else {
        return Err(StudyError::request("found no table of conditions"));
    };
    let sheet = Sheet::read(&conditions.file, listener)?;
    let own = [
        ("nerve", study.field.nerve.is_some()),
        ("basis", study.field.basis.is_some()),
        ("demonstration", study.field.demonstration),
    ];
    if let Some((key, _)) = own.iter().find(|(_, given)| *given) {
        return Err(StudyError::request(format!(
            "{key}: rows of a table have fields of their own"
        ))
        .help("leave it out; a table may name nerves, in the folder that `nerves` names"));
    }
    let injections = Arc::new(injections(study)?);
    let overrides = overrides(study)?;
    let default = FiberGroup::default();
    let group = study.fibers.first().unwrap_or(&default);
    let setup = Arc::new(setup(group, study, machine)?);
    let settings = |model: &dyn FiberModel| setup.settings(model);
    let room = |grid: &TimeGrid| setup.check_steps(grid).map_err(|error| error.message());
    let mut reader = Reader::new(
        &sheet,
        &overrides,
        &settings,
        &room,
        setup.clone(),
        injections.clone(),
    );

    // Columns of ours replace those of the same name; a reference keeps its value under another name.
    let reference = sheet.column("threshold_mA");
    let mut ours = vec![
        "threshold_mA",
        "lower_mA",
        "upper_mA",
        "error_pct",
        "start_node",
        "start_um",
        "start_ms",
        "status",
        "message",
    ];
    if reference.is_some() {
        ours.push("reference_mA");
    }
    let kept: Vec<usize> = (0..sheet.columns.len())
        .filter(|&column| !ours.contains(&sheet.columns[column].as_str()))
        .collect();
    let overridden = Overridden::by(&overrides, &sheet);
    overridden.tell(listener);
    let mut cases = Vec::with_capacity(sheet.records.len());
    for (index, record) in sheet.records.iter().enumerate() {
        let reference_ma = reader.reference_ma(record);
        let setting = |column: usize| match sheet.columns[column].as_str() {
            name if reader.ignores(record, name) => Cell::Missing,
            name => overridden.cell(name, &record.cells[column]),
        };
        let settings = kept.iter().map(|&column| setting(column)).collect();
        let case = reference_ma.clone().and_then(|_| reader.case(record));
        cases.push(PlannedCase {
            settings,
            name: sheet.place(record),
            reference_ma: reference_ma.unwrap_or(None),
            member: Member {
                fiber: index,
                diameter_um: case
                    .as_ref()
                    .map_or(f64::NAN, |case| case.fiber.diameter_um),
                weight: 1.0 / sheet.records.len() as f64,
                ..Member::default()
            },
            case,
        });
    }
    let (points, nerves) = reader.kinds_of_fields();
    check_applicable(study, points, nerves)?;
    reader.tell(listener);
    let mut models: Vec<ModelSetup> = Vec::new();
    for case in cases
        .iter()
        .filter_map(|planned| planned.case.as_ref().ok())
    {
        let id = case.model.schema().id;
        if !models.iter().any(|(model, _)| model.schema().id == id) {
            models.push((case.model.clone(), setup.clone()));
        }
    }
    let used: Vec<Model> = models.iter().map(|(model, _)| model.clone()).collect();
    setup.weights.check_used(&used)?;
    let mut request = Request::new(study.protocol.kind(), &models)?;
    request.put("conditions", sheet.path.display().to_string());
    request.put("conditions_sha256", sha256(&sheet.bytes));
    request.put("rows", sheet.records.len());
    for (name, hashes) in reader.files() {
        request.put(name, hashes);
    }
    if let Some(source) = study.sources.first() {
        if source.pulse.is_some() {
            let waveforms = WaveformGrid::of(study)?;
            request.put("pulse", source.pulses().swap_remove(0));
            let polarity = source.polarity.unwrap_or_default();
            request.put("polarity", polarity.to_string());
            request.put("waveform", waveforms.points[0].text.clone());
            let hash = waveforms.files_sha256.values().next();
            if let Some(hash) = hash {
                request.put("pulse_sha256", hash.clone());
            }
        } else if let Some(polarity) = source.polarity {
            request.put("polarity", polarity.to_string());
        }
    }
    if !study.field.points.is_empty() {
        let points = describe_points(&study.field.points, &study.field);
        request.put("field", json!(points));
    }
    request.put_injections(&injections);
    let columns = kept
        .iter()
        .map(|&column| match sheet.columns[column].as_str() {
            "fibre" => "fiber".to_owned(),
            name => name.to_owned(),
        })
        .collect();
    drop(reader);
    Ok(Plan {
        study: study.clone(),
        columns,
        cases,
        has_references: reference.is_some(),
        models,
        place: None,
        sheet: Some(sheet),
        grid: Vec::new(),
        waveform: None,
        request,
    })
}

/// Refuses settings of one kind of field where no row has such a field.
fn check_applicable(study: &Study, points: bool, nerves: bool) -> Result<(), StudyError> {
    let field = &study.field;
    let offset = study
        .fibers
        .first()
        .is_some_and(|group| group.offset_um.is_some());
    let of_nerves = [
        ("contacts", field.contacts.is_some()),
        ("interpolation", field.interpolation.is_some()),
        ("offset_um", offset),
        ("extend", field.extend.is_some()),
        ("accept_coarse", field.accept_coarse),
    ];
    if let Some((flag, _)) = of_nerves.iter().find(|(_, given)| *given && !nerves) {
        return Err(StudyError::request(format!(
            "{flag} has no effect: the field is not that of a nerve"
        ))
        .help("give a nerve with --nerve DIR, or leave it out"));
    }
    if field.resistivity_ohm_cm.is_some() && !points {
        return Err(StudyError::request(
            "resistivity_ohm_cm has no effect: the field is not that of point electrodes",
        )
        .help("give --point X,Y,Z, or leave it out"));
    }
    Ok(())
}
