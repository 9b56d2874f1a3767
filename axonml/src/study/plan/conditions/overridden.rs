//! Columns that a study's settings override, so that a result never shows a setting that was not used.

use axonml_models::Models;
use axonml_models::conditions::{Electrode, Overrides, PulseText, column};

use super::read::Sheet;
use crate::study::StudyError;
use crate::study::listener::Listener;
use crate::study::report::Cell;
use crate::study::spec::{Diameters, Offset, Study};

/// The settings of a study, which override the columns of its table.
pub(super) fn overrides(study: &Study) -> Result<Overrides, StudyError> {
    let group = match &study.fibers[..] {
        [] => None,
        [one] => Some(one),
        _ => {
            return Err(StudyError::request(
                "fibers: found several groups, expected one: they override columns of the table",
            ));
        }
    };
    let diameter_um = match group.and_then(|group| group.diameter_um.as_ref()) {
        None => None,
        Some(Diameters::One(one)) => Some(*one),
        Some(Diameters::List(list)) if list.len() == 1 => Some(list[0]),
        Some(_) => {
            return Err(StudyError::request(
                "diameter_um: found several diameters, expected one: it overrides a column",
            )
            .help("give one diameter, or leave it to the column diameter_um"));
        }
    };
    let without_effect = [
        ("count", group.is_some_and(|group| group.count.is_some())),
        ("name", group.is_some_and(|group| group.name.is_some())),
        ("weight", group.is_some_and(|group| group.weight.is_some())),
        ("distance_um", study.field.distance_um.is_some()),
    ];
    if let Some((key, _)) = without_effect.iter().find(|(_, given)| *given) {
        return Err(StudyError::request(format!(
            "{key} has no effect on a table of conditions: it has one case a row"
        ))
        .help("leave it out, or write the rows"));
    }
    let offset_um = match group.and_then(|group| group.offset_um.as_ref()) {
        None => None,
        Some(Offset::Um(um)) => Some(*um),
        Some(Offset::Random | Offset::List(_)) => {
            return Err(StudyError::request(
                "offset_um: found no number, expected one: it overrides a column",
            ));
        }
    };
    let field = &study.field;
    let electrode = |point: &crate::study::spec::PointSpec| Electrode {
        at_um: [point.x_um, point.y_um, point.z_um],
        factor: point.factor,
    };
    let source = match &study.sources[..] {
        [] => None,
        [one] => Some(one),
        _ => {
            return Err(StudyError::request(
                "source: found several waveforms, expected one: it overrides columns of the table",
            ));
        }
    };
    let pulse = match source.and_then(|source| source.pulse.as_ref()) {
        None => None,
        Some(pulses) if pulses.0.len() == 1 => {
            let text = pulses.0[0].clone();
            let read = PulseText::read(&text).map_err(|error| {
                StudyError::request(error).at("pulse").help(
                    "`axonml help pulses` lists the pulses with their keys, units and defaults",
                )
            })?;
            Some((text, read.waveform))
        }
        Some(_) => {
            return Err(StudyError::request(
                "pulse: found several pulses, expected one: it overrides a column",
            ));
        }
    };
    if let Some(source) = source {
        let given = [
            ("contact", source.contact.is_some()),
            ("point", source.point.is_some()),
            ("gain", source.gain.is_some()),
            ("delay_ms", source.delay_ms.is_some()),
            ("pulse_width_ms", source.pulse_width_ms.is_some()),
            ("frequency_kHz", source.frequency_khz.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
            return Err(StudyError::request(format!(
                "{key} has no effect on a table of conditions: its columns say what varies"
            )));
        }
    }
    let models = study.known_models()?;
    let model_name = group.and_then(|group| group.model.as_deref());
    Ok(Overrides {
        model: model_name.map(|name| models.find(name)).transpose()?,
        models,
        diameter_um,
        length: group.and_then(|group| group.length()),
        delta_z_um: group.and_then(|group| group.compartment_um),
        celsius: group.and_then(|group| group.temperature_celsius),
        dt_ms: study.numerics.dt_ms,
        tstop_ms: study.numerics.tstop_ms,
        detect_sites: study.detection.sites(),
        detect_threshold_mv: study.detection.threshold_mv,
        detect_after_ms: study.detection.after_ms,
        pulse,
        polarity: source.and_then(|source| source.polarity),
        electrodes: field.points.iter().map(electrode).collect(),
        medium: field.resistivity_ohm_cm.map(|_| field.medium()),
        contacts: field.contacts.clone(),
        interpolation: field.interpolation,
        offset_um,
        extension: field.extend,
        nerve_options: axonml_models::NerveOptions {
            accept_coarse: field.accept_coarse,
        },
        nerves: study.conditions.as_ref().and_then(|of| of.nerves.clone()),
    })
}

/// Columns whose values flags replace, with the values that were used instead.
pub(super) struct Overridden {
    models: Models,
    columns: Vec<(&'static str, String)>,
}

impl Overridden {
    /// The columns of `sheet` that `overrides` stand above.
    pub(super) fn by(overrides: &Overrides, sheet: &Sheet) -> Self {
        let mut columns = overrides.columns();
        columns.retain(|(column, _)| sheet.column(column).is_some());
        Overridden {
            models: overrides.models.clone(),
            columns,
        }
    }

    /// A cell of the result: as the table has it, unless a flag stands above it and says something else.
    pub(super) fn cell(&self, name: &str, text: &str) -> Cell {
        let known = column(name).map(|column| column.name);
        match self
            .columns
            .iter()
            .find(|(column, _)| known == Some(column))
        {
            Some((column, used)) if !self.same(column, text, used) => Cell::Raw(used.clone()),
            _ => Cell::Raw(text.to_owned()),
        }
    }

    /// Whether the table already says what the flag says.
    fn same(&self, column: &str, text: &str, used: &str) -> bool {
        let id = |name: &str| self.models.find(name).map(|model| model.schema().id).ok();
        match (text.trim().parse::<f64>(), used.parse::<f64>()) {
            (Ok(a), Ok(b)) => a == b,
            _ if column == "model" => id(text).is_some() && id(text) == id(used),
            _ => text.trim() == used,
        }
    }

    /// Says which of the table's columns were not used.
    pub(super) fn tell(&self, listener: &mut dyn Listener) {
        if !self.columns.is_empty() {
            let columns: Vec<&str> = self.columns.iter().map(|(column, _)| *column).collect();
            listener.note(format!("flags override the table's {}", columns.join(", ")));
        }
    }
}
