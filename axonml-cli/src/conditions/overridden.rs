//! What flags make of the columns they override, so that a result never shows a setting that was not used.

use axonml_models::model;

use crate::args::ThresholdArgs;
use crate::messages::Messages;
use crate::report::Cell;

/// Columns whose values flags replace, with the values that were used instead.
pub(crate) struct Overridden {
    columns: Vec<(&'static str, String)>,
}

impl Overridden {
    /// The columns that the given flags stand above.
    pub(crate) fn by(args: &ThresholdArgs) -> Self {
        let mut columns: Vec<(&'static str, String)> = Vec::new();
        let mut put =
            |column, value: Option<String>| columns.extend(value.map(|value| (column, value)));
        let number = |x: Option<f64>| x.map(|x| x.to_string());
        put("model", args.model.model.clone());
        put(
            "diameter_um",
            number(
                args.fibre
                    .diameter
                    .as_ref()
                    .and_then(|d| d.0.first().copied()),
            ),
        );
        put("n_nodes", args.fibre.nodes.map(|n| n.to_string()));
        put("delta_z_um", number(args.fibre.delta_z));
        put("dt_ms", number(args.numerics.dt));
        put("tstop_ms", number(args.numerics.tstop));
        put(
            "detect_threshold_mV",
            number(args.detection.detect_threshold),
        );
        if args.detection.detect_nodes.is_some() {
            put("detect_node_index", Some(String::new()));
        }
        if !args.field.point.is_empty() {
            for column in ["distance_um", "z_offset_um", "nerve", "fibre", "contacts"] {
                put(column, Some(String::new()));
            }
        }
        if let Some(pulse) = &args.waveform.pulse {
            put("shape", Some(pulse.clone()));
            put("pw_ms", Some(String::new()));
            put("delay_ms", Some(String::new()));
        }
        Overridden { columns }
    }

    /// A cell of the result: as the table has it, unless a flag stands above it and says something else.
    pub(crate) fn cell(&self, column: &str, text: &str) -> Cell {
        match self
            .columns
            .iter()
            .find(|(overridden, _)| *overridden == column)
        {
            Some((_, used)) if !same(column, text, used) => Cell::Raw(used.clone()),
            _ => Cell::Raw(text.to_owned()),
        }
    }

    /// Says which of the table's columns were not used.
    pub(crate) fn tell(&self, table: &[String], messages: Messages) {
        let used = |column: &&str| table.iter().any(|of_table| of_table == column);
        let columns: Vec<&str> = self
            .columns
            .iter()
            .map(|(column, _)| *column)
            .filter(used)
            .collect();
        if !columns.is_empty() {
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
