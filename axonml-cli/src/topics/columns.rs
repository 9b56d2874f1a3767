//! Columns of tables, from the library's table of them.

use axonml::table::conditions::{COLUMNS, Column, Role};

use super::layout::{paragraph, rows};

/// Columns of `axonml run`, whose results are no table of conditions: name and meaning.
const OF_RUNS: &[(&str, &str)] = &[
    ("active_nodes", "number of nodes with an upward crossing"),
    ("first_node", "node that crosses first"),
    ("first_ms", "when it does, ms"),
    (
        "detected_spikes",
        "largest number of crossings at a detection node",
    ),
    (
        "first_detected_ms",
        "first crossing at a detection node, ms",
    ),
    ("v_max_mV", "largest membrane potential at any node, mV"),
    ("node", "spikes (.csv): the node, from 0"),
    ("z_um", "spikes (.csv): its place along the fiber, um"),
    ("t_ms", "spikes (.csv): time of the crossing, ms"),
];

/// Columns of `axonml optimize`: name and meaning.
const OF_OPTIMIZATIONS: &[(&str, &str)] = &[
    ("target_pct", "part of the targets' area that fires, %"),
    ("offtarget_pct", "part of the others' area that fires, %"),
    (
        "misclassified",
        "area that does what it should not: silent targets, and others that fire",
    ),
    (
        "wbce",
        "weighted binary cross-entropy: 16.118 times misclassified",
    ),
    (
        "separation",
        "least threshold of the others over the largest of the targets; empty where no other fiber fires",
    ),
    (
        "window_low, window_high",
        "these two as multiples of the stimulus",
    ),
    (
        "charge_nC",
        "sum over contacts of the charge of the larger phase, nC",
    ),
    (
        "energy",
        "sum over contacts of the integral of the squared current, mA2 ms",
    ),
    ("peak_mA", "largest current of a contact, mA"),
    (
        "sum_mA",
        "largest sum of all currents: what returns at a distance, mA",
    ),
    ("amplitude_K_mA", "amplitude of contact K, mA"),
    ("pw_ms, gap_ms", "widths of the pulse, where they vary, ms"),
    (
        "evaluations, thresholds, gradients",
        "stimuli whose activation, thresholds, gradients were computed",
    ),
];

/// The text of `axonml help columns`.
pub(super) fn text() -> String {
    let mut out =
        "Tables of conditions (--conditions FILE.csv): one threshold a row\n\n".to_owned();
    let of = |role: Role| COLUMNS.iter().filter(move |column| column.role == role);
    rows(&mut out, 2, 22, of(Role::Setting).map(entry));
    rows(&mut out, 2, 22, of(Role::Reference).map(entry));
    out.push('\n');
    paragraph(
        &mut out,
        "A row has a point electrode (distance_um) or lies in a nerve (nerve and fiber, with --nerves ROOT). A flag given \
         explicitly, named above in brackets, stands above the column; a column stands above the default. Columns that nothing \
         uses pass through and are named in a note. A column that is a flag's name, a parameter of a model, a key of a \
         pulse or a coordinate, or a column's name misspelt or in another unit, is refused: it would be taken for a setting \
         and have no effect.",
    );
    out.push_str("\nWithout effect, from tables of references:\n");
    rows(&mut out, 2, 22, of(Role::Inert).map(entry));
    out.push_str("\nResults of `axonml threshold` and `axonml evaluate`; in a table of conditions they are replaced:\n");
    let threshold = (
        "threshold_mA".to_owned(),
        "threshold: the smallest amplitude that fired, mA (= upper_mA)".to_owned(),
    );
    rows(&mut out, 2, 22, [threshold]);
    rows(&mut out, 2, 22, of(Role::Result).map(entry));
    out.push_str(
        "\nResults of `axonml run`, beside start_node, start_um, start_ms, status and message:\n",
    );
    rows(&mut out, 2, 22, OF_RUNS.iter().copied());
    out.push_str("\nResults of `axonml optimize`, a row for each nerve:\n");
    rows(&mut out, 2, 22, OF_OPTIMIZATIONS.iter().copied());
    out
}

/// A column with its meaning, its unit and the flag that stands above it.
fn entry(column: &Column) -> (String, String) {
    let mut meaning = column.meaning.to_owned();
    if !column.unit.is_empty() && column.unit != meaning {
        meaning += &format!(", {}", column.unit);
    }
    if !column.aliases.is_empty() {
        meaning += &format!("; also spelled {}", column.aliases.join(", "));
    }
    if !column.flag.is_empty() {
        meaning += &format!(" [--{}]", column.flag);
    }
    (column.name.to_owned(), meaning)
}
