//! Units, and where they occur: in columns of tables and in parameters of models.

use std::collections::BTreeSet;

use axonml::MODELS;
use axonml::table::conditions::COLUMNS;

use super::layout::{paragraph, rows};

/// Quantities of flags and files with their units.
const QUANTITIES: &[(&str, &str)] = &[
    (
        "um",
        "lengths and places: diameters, node spacings, electrodes, fiber_z",
    ),
    ("ms", "times: pulse widths, delays, time step, duration"),
    ("kHz", "frequencies of pulses"),
    ("mA", "extracellular current: amplitudes and thresholds"),
    ("nA", "current injected into a node (--inject)"),
    ("mV", "membrane and extracellular potentials"),
    (
        "mV per mA",
        "fields of contacts in a nerve folder, per 1 mA from the contact",
    ),
    ("ohm-cm", "resistivity of the medium"),
    ("degrees Celsius", "temperature"),
    ("GB", "memory, 10^9 bytes"),
    (
        "mm",
        "the geometry in nerve.json, the size of pictures (--size)",
    ),
];

/// The text of `axonml help units`.
pub(super) fn text() -> String {
    let mut out =
        "Units of flags and files; every column carries its unit in its name:\n\n".to_owned();
    rows(&mut out, 2, 20, QUANTITIES.iter().copied());
    out.push_str("\nUnits of columns (axonml help columns):\n\n");
    for unit in sorted(COLUMNS.iter().map(|column| column.unit)) {
        let named = COLUMNS.iter().filter(|column| column.unit == unit);
        let names: Vec<&str> = named.map(|column| column.name).collect();
        rows(&mut out, 2, 20, [(unit, names.join(", "))]);
    }
    out.push_str("\nUnits of model parameters (axonml models NAME, --set GROUP.PARAM=VALUE):\n\n");
    let schemas: Vec<_> = MODELS.iter().map(|model| model.schema()).collect();
    let parameters = || {
        let of = |schema| -> &axonml::model::Schema { schema };
        schemas.iter().map(of).flat_map(|schema| {
            schema
                .parameters
                .iter()
                .map(|parameter| (&*schema.id, parameter))
        })
    };
    for unit in sorted(parameters().map(|(_, parameter)| &*parameter.unit)) {
        let ids: BTreeSet<&str> = parameters()
            .filter(|(_, parameter)| parameter.unit == unit)
            .map(|(id, _)| id)
            .collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        rows(&mut out, 2, 20, [(unit, format!("in {}", ids.join(", ")))]);
    }
    out.push_str("\nSigns\n\n");
    paragraph(
        &mut out,
        "Cathodic extracellular current is negative: a cathodic pulse of amplitude 0.2 mA delivers -0.2 mA at a contact with \
         factor 1. Injected current depolarizes if it is positive. Outward ionic current is positive. Amplitudes and \
         thresholds are magnitudes.",
    );
    out.push('\n');
    paragraph(
        &mut out,
        "Nodes are counted from 0; -1 is the last. The fiber lies along z with its middle node at z = 0, in results as well \
         as in the places of point electrodes.",
    );
    out
}

/// Each unit once, in alphabetical order, without the empty one.
fn sorted<'a>(units: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    units.filter(|unit| !unit.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_unit_of_a_column_or_a_parameter_is_named() {
        let text = super::text();
        let columns = super::COLUMNS.iter().map(|column| column.unit.to_owned());
        let mut units: Vec<String> = columns.collect();
        for model in super::MODELS {
            let parameters = model.schema().parameters.into_iter();
            units.extend(parameters.map(|parameter| parameter.unit.into_owned()));
        }
        for unit in units.iter().filter(|unit| !unit.is_empty()) {
            assert!(
                text.lines()
                    .any(|line| line.trim().starts_with(unit.as_str())),
                "{unit}"
            );
        }
    }
}
