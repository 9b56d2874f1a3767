//! The columns that tables of conditions have, as data.

use crate::{MODELS, Parameter};

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It is an input of the simulation.
    Setting,
    /// A threshold to compare with.
    Reference,
    /// It is the result of an earlier search; a new search replaces it.
    Result,
    /// It documents the origin of a reference and has no effect.
    Inert,
}

/// A column that tables may have.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name; of [`Role::Inert`] columns, one that ends in `*` stands for all names that begin like it.
    pub name: &'static str,
    /// Other names that readers take.
    pub aliases: &'static [&'static str],
    /// Unit of its values, in the field's notation; empty where it holds no quantity.
    pub unit: &'static str,
    /// Description of its cells.
    pub meaning: &'static str,
    /// The command line flag that overrides it, without dashes; empty where there is none.
    pub flag: &'static str,
    /// Its role.
    pub role: Role,
}

const fn setting(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    flag: &'static str,
) -> Column {
    Column {
        name,
        aliases: &[],
        unit,
        meaning,
        flag,
        role: Role::Setting,
    }
}

const fn result(name: &'static str, unit: &'static str, meaning: &'static str) -> Column {
    Column {
        role: Role::Result,
        ..setting(name, unit, meaning, "")
    }
}

const fn inert(name: &'static str, meaning: &'static str) -> Column {
    Column {
        role: Role::Inert,
        ..setting(name, "", meaning, "")
    }
}

/// All columns that mean something; all others pass through.
pub static COLUMNS: &[Column] = &[
    setting("model", "", "fiber model", "model"),
    setting("diameter_um", "um", "fiber diameter", "diameter"),
    setting(
        "n_nodes",
        "",
        "nodes of Ranvier, or compartments of an unmyelinated fiber",
        "nodes",
    ),
    setting(
        "delta_z_um",
        "um",
        "spacing of nodes or compartments",
        "delta-z",
    ),
    setting(
        "length_um",
        "um",
        "length of the fiber, from its first node to its last",
        "length",
    ),
    setting(
        "temperature",
        "degrees Celsius",
        "temperature",
        "temperature",
    ),
    setting(
        "distance_um",
        "um",
        "distance of the point electrode from the fiber's axis",
        "point",
    ),
    setting(
        "z_offset_um",
        "um",
        "place of the point electrode along the fiber",
        "point",
    ),
    setting(
        "resistivity_ohm_cm",
        "ohm-cm",
        "resistivity around the point electrode",
        "resistivity",
    ),
    setting("nerve", "", "name of a nerve folder", "point"),
    Column {
        aliases: &["fibre"],
        ..setting("fiber", "", "fiber of the nerve, from 0", "point")
    },
    setting(
        "contacts",
        "",
        "multiple of the waveform at each contact of the nerve",
        "contacts",
    ),
    setting(
        "offset_um",
        "um",
        "shift of the fiber along the nerve",
        "offset",
    ),
    setting(
        "pulse",
        "",
        "waveform as the flag --pulse takes it",
        "pulse",
    ),
    setting("shape", "", "name of a waveform", "pulse"),
    setting("pw_ms", "ms", "pulse width of `shape`", "pulse"),
    setting("delay_ms", "ms", "onset of `shape`", "pulse"),
    setting(
        "polarity",
        "",
        "cathodic or anodic, which flips the waveform",
        "polarity",
    ),
    setting("dt_ms", "ms", "time step", "dt"),
    setting("tstop_ms", "ms", "duration", "tstop"),
    setting(
        "detect_node_index",
        "",
        "nodes where an action potential counts",
        "detect-nodes",
    ),
    setting(
        "detect_at",
        "",
        "the same as fractions of the fiber's length",
        "detect-at",
    ),
    setting(
        "detect_threshold_mV",
        "mV",
        "level of the upward crossing",
        "detect-threshold",
    ),
    setting(
        "detect_after_ms",
        "ms",
        "time before which crossings do not count",
        "detect-after",
    ),
    Column {
        role: Role::Reference,
        ..setting("threshold_mA", "mA", "threshold to compare with", "")
    },
    result("reference_mA", "mA", "threshold compared with"),
    result("lower_mA", "mA", "largest amplitude that failed"),
    result("upper_mA", "mA", "smallest amplitude that fired"),
    result("error_pct", "%", "error of the threshold"),
    result("status", "", "how the search ended"),
    result("message", "", "further remarks"),
    result(
        "start_node",
        "",
        "node where the first action potential began",
    ),
    result("start_um", "um", "where it began"),
    result("start_ms", "ms", "when it began"),
    result("reference_status", "", "how the reference's search ended"),
    result("arrival_ms", "ms", "arrival of the action potential"),
    result("reference_arrival_ms", "ms", "arrival of the reference's"),
    result("arrival_error_ms", "ms", "their difference"),
    result("spike_time_rms_ms", "ms", "difference of crossings"),
    result(
        "nodes_differing",
        "",
        "nodes that fire in one and not in the other",
    ),
    result("trace_rms_mV", "mV", "difference of the voltages"),
    result("trace_max_mV", "mV", "largest difference of the voltages"),
    inert("z_offset_frac", "z_offset_um in spacings of nodes"),
    inert("lower_bound_mA", "lower bound of a reference"),
    inert("n_sections", "sections of a reference"),
    inert("detect", "detection of a reference, in words"),
    inert("first_*", "where a reference's action potential began"),
    inert("check_*", "checks of a reference"),
    inert("n53_*", "a reference with 53 nodes"),
];

/// Common names of columns, without their unit.
const SYNONYMS: &[(&str, &str)] = &[
    ("pulse_width", "pw_ms"),
    ("pulse_duration", "pw_ms"),
    ("pulsewidth", "pw_ms"),
    ("width", "pw_ms"),
    ("onset", "delay_ms"),
    ("fiber_diameter", "diameter_um"),
    ("fibre_diameter", "diameter_um"),
    ("electrode_distance", "distance_um"),
    ("nodes", "n_nodes"),
    ("node_count", "n_nodes"),
    ("number_of_nodes", "n_nodes"),
    ("node_spacing", "delta_z_um"),
    ("spacing", "delta_z_um"),
    ("dz", "delta_z_um"),
    ("fiber_length", "length_um"),
    ("fibre_length", "length_um"),
    ("rho", "resistivity_ohm_cm"),
    ("waveform", "pulse"),
    ("stimulus", "pulse"),
    ("celsius", "temperature"),
    ("temp", "temperature"),
    ("time_step", "dt_ms"),
    ("timestep", "dt_ms"),
    ("duration", "tstop_ms"),
    ("t_stop", "tstop_ms"),
    ("detect_node", "detect_node_index"),
    ("detection_nodes", "detect_node_index"),
    ("contact", "contacts"),
    ("electrode", "contacts"),
];

/// Endings that are units, longest first.
const UNITS: &[&str] = &[
    "ohm_cm", "ohm_m", "degrees", "celsius", "kelvin", "deg_c", "kohm_cm", "cm", "mm", "nm", "um",
    "ms", "us", "ns", "mv", "uv", "ma", "ua", "na", "khz", "hz", "deg", "m", "s", "v", "a", "c",
    "k",
];

/// Names, without their unit, of what a row says elsewhere than in a column of its own, and where.
const ELSEWHERE: &[(&str, &str)] = &[
    ("gap", GAP),
    ("interphase_gap", GAP),
    ("phase_gap", GAP),
    ("pw1", PHASES),
    ("pw2", PHASES),
    (
        "tau",
        "a key of a pulse: a column `pulse` with cells such as `exp:pw=0.2,tau=0.05`",
    ),
    ("freq", FREQUENCY),
    ("frequency", FREQUENCY),
    (
        "dur",
        "a key of a pulse: a column `pulse` with cells such as `sine:freq=5,dur=2`",
    ),
];
const GAP: &str = "a key of a pulse: a column `pulse` with cells such as `biphasic:pw=0.1,gap=0.05`, or a `shape` such as \
                   `biphasic_gap0.05`";
const PHASES: &str =
    "a key of a pulse: a column `pulse` with cells such as `charge-balanced:pw1=0.1,pw2=0.4`";
const FREQUENCY: &str = "a key of a pulse: a column `pulse` with cells such as `sine:freq=5,dur=2`, or a `shape` such as \
                         `sine_burst5_10`";
/// The same of names that say something only with a unit of length.
const COORDINATES: &[(&str, &str)] = &[
    ("x", ACROSS),
    ("y", ACROSS),
    (
        "z",
        "the place of the point electrode along the fiber: the column `z_offset_um`",
    ),
];
const ACROSS: &str =
    "the distance of the point electrode from the fiber's axis: the column `distance_um`";
const LENGTHS: &[&str] = &["um", "mm", "cm", "nm", "m"];

/// Where a table, or a flag, says what a column of this name would say, which is none: a key of a pulse, a coordinate of an
/// electrode, a parameter of a model.
pub(super) fn elsewhere(name: &str) -> Option<String> {
    use axonml_core::names::canonical;

    let typed = canonical(name).replace('-', "_");
    let stem = stem(&typed);
    let said = |list: &[(&str, &str)], name: &str| {
        let found = list.iter().find(|(said, _)| *said == name);
        found.map(|(_, place)| (*place).to_owned())
    };
    let coordinate = typed
        .rsplit_once('_')
        .filter(|(_, unit)| LENGTHS.contains(unit))
        .and_then(|(axis, _)| said(COORDINATES, axis));
    coordinate
        .or_else(|| said(ELSEWHERE, stem))
        .or_else(|| parameter(&typed))
}

/// The flag that sets the parameter of a model of that name.
fn parameter(typed: &str) -> Option<String> {
    MODELS.iter().find_map(|model| {
        let schema = model.schema();
        let is = |p: &&Parameter| {
            let full = p.full_name().to_lowercase();
            typed == full || typed == p.name.to_lowercase()
        };
        let found = schema.parameters.iter().find(is)?;
        Some(format!(
            "a parameter of model `{}`, the same for all rows: the flag --set {}=VALUE",
            schema.id,
            found.full_name()
        ))
    })
}

/// The column of that name, or that a name stands for.
pub fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| {
        let prefix = column.name.strip_suffix('*');
        column.name == name
            || column.aliases.contains(&name)
            || prefix.is_some_and(|prefix| name.starts_with(prefix))
    })
}

/// The column that an unknown name most likely refers to: one within two edits, one in another unit or without a unit,
/// or one with this common name. Only of columns that act.
pub fn meant(name: &str) -> Option<&'static Column> {
    use axonml_core::names::{canonical, edit_distance};

    let acting = || COLUMNS.iter().filter(|column| column.role.acts());
    let typed = canonical(name).replace('-', "_");
    let names = |column: &'static Column| std::iter::once(&column.name).chain(column.aliases);
    let stem = stem(&typed);
    if let Some((_, meant)) = SYNONYMS
        .iter()
        .find(|(said, _)| *said == typed || *said == stem)
    {
        return column(meant);
    }
    let of_stem = |column: &&'static Column| {
        names(column).any(|name| stem == self::stem(&name.to_lowercase()))
    };
    if let Some(column) = acting().find(of_stem) {
        return Some(column);
    }
    // Of three letters, two edits leave nothing.
    let allowed = if typed.chars().count() > 3 { 2 } else { 0 };
    acting()
        .filter_map(|column| {
            let distance = |name: &&str| edit_distance(&typed, &name.to_lowercase());
            Some((names(column).map(distance).min()?, column))
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, column)| column)
}

/// A name without its unit.
fn stem(name: &str) -> &str {
    let without = |unit: &&str| name.strip_suffix(unit)?.strip_suffix('_');
    UNITS.iter().find_map(without).unwrap_or(name)
}

impl Role {
    /// Whether a column of this role changes the computation or the comparison.
    pub fn acts(self) -> bool {
        matches!(self, Role::Setting | Role::Reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_prefix_and_alias() {
        assert_eq!(column("fibre").unwrap().name, "fiber");
        assert_eq!(column("first_node_z_um").unwrap().role, Role::Inert);
        assert_eq!(column("n53_threshold_mA").unwrap().role, Role::Inert);
        assert!(column("pw_us").is_none() && column("first").is_none());
        for (index, a) in COLUMNS.iter().enumerate() {
            assert!(
                COLUMNS[..index].iter().all(|b| a.name != b.name),
                "{}",
                a.name
            );
        }
        for (said, meant) in SYNONYMS {
            assert!(column(said).is_none(), "{said}");
            assert!(column(meant).unwrap().role.acts(), "{meant}");
        }
    }

    #[test]
    fn slips_and_other_units_are_recognized() {
        for (typed, expected) in [
            ("pw_us", "pw_ms"),
            ("pw", "pw_ms"),
            ("pulse_width_ms", "pw_ms"),
            ("PulseWidth_us", "pw_ms"),
            ("distance_mm", "distance_um"),
            ("distance", "distance_um"),
            ("Diameter_um", "diameter_um"),
            ("diametre_um", "diameter_um"),
            ("detect_threshold_mv", "detect_threshold_mV"),
            ("threshold_uA", "threshold_mA"),
            ("fibres", "fiber"),
            ("temperature_celsius", "temperature"),
            ("resistivity_ohm_m", "resistivity_ohm_cm"),
            ("resistivity", "resistivity_ohm_cm"),
            ("z_offset_mm", "z_offset_um"),
            ("polarty", "polarity"),
            ("detect_after", "detect_after_ms"),
        ] {
            let found = meant(typed).map(|column| column.name);
            assert_eq!(found, Some(expected), "{typed}");
        }
        for (typed, place) in [
            ("gap_ms", "`pulse`"),
            ("Gap", "biphasic_gap0.05"),
            ("freq_kHz", "sine:freq"),
            ("x_um", "`distance_um`"),
            ("y_mm", "`distance_um`"),
            ("z_um", "`z_offset_um`"),
            ("gna", "--set conductance.gna=VALUE"),
            ("conductance.gna", "--set conductance.gna=VALUE"),
        ] {
            let found = elsewhere(typed).unwrap_or_default();
            assert!(found.contains(place), "{typed}: {found}");
        }
        for stranger in [
            "note",
            "group",
            "x",
            "id",
            "fascicle",
            "reference_note",
            "weight",
            "a_m",
        ] {
            assert!(
                meant(stranger).is_none() && elsewhere(stranger).is_none(),
                "{stranger}: {:?} {:?}",
                meant(stranger),
                elsewhere(stranger)
            );
        }
    }
}
