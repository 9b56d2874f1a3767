//! Columns that flags override, so that a result never shows a setting that was not used.

use axonml::model;
use axonml::table::conditions::{Electrode, Overrides, column};

use super::read::Sheet;
use crate::args::ThresholdArgs;
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::Cell;

/// Settings of flags, which override the columns of a table.
pub(crate) fn overrides(args: &ThresholdArgs) -> Result<Overrides, CliError> {
    let field = &args.field;
    let diameters = args.fiber.diameter.as_ref().map(|list| list.0.as_slice());
    let diameter_um = match diameters {
        None => None,
        Some(&[one]) => Some(one),
        Some(_) => {
            return Err(CliError::request(
                "--diameter: found several diameters, expected one: it overrides a column",
            )
            .help("give one diameter, or leave it to the column diameter_um"));
        }
    };
    let electrode = |point: &crate::args::Point| Electrode {
        at_um: point.at_um,
        factor: point.factor,
    };
    Ok(Overrides {
        model: args
            .model
            .model
            .is_some()
            .then(|| args.model.model())
            .transpose()?,
        diameter_um,
        length: args.fiber.extent(),
        delta_z_um: args.fiber.delta_z,
        celsius: args.model.temperature,
        dt_ms: args.numerics.dt,
        tstop_ms: args.numerics.tstop,
        detect_sites: args.detection.sites(),
        detect_threshold_mv: args.detection.detect_threshold,
        detect_after_ms: args.detection.detect_after,
        pulse: args
            .waveform
            .written()?
            .map(|(text, read)| (text, read.waveform)),
        polarity: args.waveform.polarity.map(Into::into),
        electrodes: field.point.iter().map(electrode).collect(),
        medium: field.resistivity.as_ref().map(|_| field.medium()),
        contacts: field.contacts.as_ref().map(|factors| factors.0.clone()),
        interpolation: field.interpolation,
        offset_um: field.offset,
        extension: field.extend,
        nerve_options: field.nerve_options(),
        nerves: args.conditions.nerves.clone(),
    })
}

/// Columns whose values flags replace, with the values that were used instead.
pub(crate) struct Overridden {
    columns: Vec<(&'static str, String)>,
}

impl Overridden {
    /// The columns of `sheet` that `overrides` stand above.
    pub(crate) fn by(overrides: &Overrides, sheet: &Sheet) -> Self {
        let mut columns = overrides.columns();
        columns.retain(|(column, _)| sheet.column(column).is_some());
        Overridden { columns }
    }

    /// A cell of the result: as the table has it, unless a flag stands above it and says something else.
    pub(crate) fn cell(&self, name: &str, text: &str) -> Cell {
        let known = column(name).map(|column| column.name);
        match self
            .columns
            .iter()
            .find(|(column, _)| known == Some(column))
        {
            Some((column, used)) if !same(column, text, used) => Cell::Raw(used.clone()),
            _ => Cell::Raw(text.to_owned()),
        }
    }

    /// Says which of the table's columns were not used.
    pub(crate) fn tell(&self, messages: Messages) {
        if !self.columns.is_empty() {
            let columns: Vec<&str> = self.columns.iter().map(|(column, _)| *column).collect();
            messages.note(format_args!(
                "flags override the table's {}",
                columns.join(", ")
            ));
        }
    }
}

/// Whether the table already says what the flag says.
fn same(column: &str, text: &str, used: &str) -> bool {
    let id = |name: &str| model(name).map(|model| model.schema().id).ok();
    match (text.trim().parse::<f64>(), used.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ if column == "model" => id(text).is_some() && id(text) == id(used),
        _ => text.trim() == used,
    }
}
