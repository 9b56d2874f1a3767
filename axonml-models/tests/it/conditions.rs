//! Rows of condition tables: cells that are used, refused, or reported as unused.

use axonml_core::Waveform;
use axonml_models::conditions::{
    Condition, ConditionError, Electrode, Header, Overrides, Polarity, RowReader,
};
use axonml_models::{FiberLength, FiberModel, Settings, model};

/// The conditions of rows below `columns`, each cell after `|`.
fn read(
    columns: &str,
    rows: &[&str],
    overrides: &Overrides,
) -> Vec<Result<Condition, ConditionError>> {
    let split = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<String>>();
    let header = Header::new(&split(columns), &[]).unwrap();
    let settings = |_: &dyn FiberModel| Settings::default();
    let mut reader = RowReader::new(&header, overrides, &settings, &|_| Ok(()));
    rows.iter()
        .map(|row| reader.condition(&split(row)))
        .collect()
}

fn one(columns: &str, row: &str, overrides: &Overrides) -> Result<Condition, ConditionError> {
    read(columns, &[row], overrides).remove(0)
}

#[track_caller]
fn refused(columns: &str, row: &str, parts: &[&str]) {
    let overrides = Overrides {
        nerves: Some(nerves()),
        ..Overrides::default()
    };
    let Err(error) = one(columns, row, &overrides) else {
        panic!("{columns}: {row} was accepted")
    };
    let message = format!("{error} {}", error.help().unwrap_or_default());
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

fn nerves() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves")
}

fn pulse(text: &str) -> Waveform {
    text.parse().unwrap()
}

#[test]
fn every_column_sets_what_it_says() {
    let columns = "model|diameter_um|n_nodes|distance_um|z_offset_um|pulse|polarity|temperature|dt_ms|tstop_ms|\
                   detect_at|detect_threshold_mV|detect_after_ms";
    let row = "MRG_POLY|8.7|41|700|-20|biphasic:pw=0.2|anodic|35|0.01|6|0.2,0.8|-10|0.5";
    let found = one(columns, row, &Overrides::default()).unwrap();
    assert_eq!(found.model.schema().id, "mrg");
    assert_eq!((found.fiber.diameter_um, found.fiber.nodes), (8.7, 41));
    assert_eq!(*found.waveform, pulse("biphasic:pw=0.2").flipped());
    assert_eq!((found.dt_ms, found.tstop_ms), (0.01, 6.0));
    assert_eq!(
        (found.celsius, found.source_distance_um),
        (Some(35.0), Some(700.0))
    );
    assert_eq!(
        (found.detection.threshold_mv, found.detection.after_ms),
        (-10.0, 0.5)
    );
    assert_eq!(found.detection.nodes(41).unwrap(), [8, 32]);
    // 1 mA at 700 um across and 20 um along in 500 ohm-cm: rho I / (4 pi r).
    let r_cm = 700.0_f64.hypot(20.0) * 1e-4;
    let expected_mv = 500.0 / (4.0 * std::f64::consts::PI * r_cm);
    let potentials = found.field.potentials_mv(&[0.0, -20.0]).unwrap();
    assert!((potentials[0] / expected_mv - 1.0).abs() < 1e-12);
    assert!(potentials[1] > potentials[0]);
}

#[test]
fn defaults_are_those_of_tables() {
    let found = one("diameter_um|distance_um", "10|1000", &Overrides::default()).unwrap();
    assert_eq!(found.model.schema().id, "mrg");
    assert_eq!(found.fiber.nodes, 53);
    assert_eq!(*found.waveform, pulse("monophasic:pw=0.1,delay=0.1"));
    assert_eq!(
        (found.dt_ms, found.tstop_ms, found.celsius),
        (0.005, 5.0, None)
    );
    assert_eq!(found.detection, axonml_models::Detection::default());
}

#[test]
fn what_stands_above_a_column_is_used_and_listed() {
    let overrides = Overrides {
        model: Some(model("smf").unwrap()),
        diameter_um: Some(12.0),
        length: Some(FiberLength::Nodes(21)),
        pulse: Some(("sine:freq=5".to_owned(), pulse("sine:freq=5"))),
        polarity: Some(Polarity::Anodic),
        celsius: Some(30.0),
        detect_after_ms: Some(1.0),
        electrodes: vec![Electrode {
            at_um: [0.0, 300.0, 0.0],
            factor: -1.0,
        }],
        ..Overrides::default()
    };
    let columns = "model|diameter_um|n_nodes|distance_um|shape|pw_ms|polarity|temperature|detect_after_ms|resistivity_ohm_cm";
    let row = "mrg|10|53|1000|biphasic|0.2|cathodic|36|0|250";
    let found = one(columns, row, &overrides).unwrap();
    assert_eq!(found.model.schema().id, "smf");
    assert_eq!((found.fiber.diameter_um, found.fiber.nodes), (12.0, 21));
    assert_eq!(*found.waveform, pulse("sine:freq=5").flipped());
    assert_eq!((found.celsius, found.detection.after_ms), (Some(30.0), 1.0));
    assert_eq!(found.source_distance_um, Some(300.0));
    // The column of the resistivity acts on electrodes that stand above the table, too.
    let expected_mv = -250.0 / (4.0 * std::f64::consts::PI * 0.03);
    let potential_mv = found.field.potentials_mv(&[0.0]).unwrap()[0];
    assert!((potential_mv / expected_mv - 1.0).abs() < 1e-12);

    let listed: Vec<&str> = overrides.columns().iter().map(|(name, _)| *name).collect();
    for column in columns
        .split('|')
        .filter(|column| *column != "resistivity_ohm_cm")
    {
        assert!(
            listed.contains(&column),
            "{column} is not listed: {listed:?}"
        );
    }
    assert!(!listed.contains(&"resistivity_ohm_cm"));
}

#[test]
fn a_cell_without_effect_is_refused() {
    let nerve = "nerve|fiber|diameter_um";
    for (column, cell) in [
        ("z_offset_um", "500"),
        ("resistivity_ohm_cm", "300"),
        ("distance_um", "1000"),
    ] {
        refused(
            &format!("{nerve}|{column}"),
            &format!("N1|0|10|{cell}"),
            &[column, cell, "no effect", "nerve"],
        );
    }
    let point = "diameter_um|distance_um";
    for (column, cell) in [("offset_um", "100"), ("contacts", "1,0")] {
        refused(
            &format!("{point}|{column}"),
            &format!("10|1000|{cell}"),
            &[column, "no effect", "point electrode"],
        );
    }
    for column in ["shape", "pw_ms", "delay_ms"] {
        let cell = if column == "shape" { "mono" } else { "0.2" };
        refused(
            &format!("{point}|pulse|{column}"),
            &format!("10|1000|monophasic:pw=0.1|{cell}"),
            &[column, "no effect", "column pulse"],
        );
    }
    refused(
        &format!("{point}|detect_node_index|detect_at"),
        "10|1000|5|0.1",
        &["detect_node_index", "detect_at", "expected one of them"],
    );
    // Empty cells are none.
    let columns = format!("{nerve}|z_offset_um|distance_um|offset_um|contacts");
    let overrides = Overrides {
        nerves: Some(nerves()),
        ..Overrides::default()
    };
    assert!(one(&columns, "N1|0|10||||", &overrides).is_ok());
}

#[test]
fn a_shift_along_a_nerve_moves_the_fiber() {
    let overrides = Overrides {
        nerves: Some(nerves()),
        ..Overrides::default()
    };
    let columns = "nerve|fiber|diameter_um|offset_um";
    let found = read(
        columns,
        &["N1|0|10|", "N1|0|10|250", "N1|0|10|0"],
        &overrides,
    );
    let at = |row: usize, z_um: f64| {
        let field = &found[row].as_ref().unwrap().field;
        field.potentials_mv(&[z_um]).unwrap()[0]
    };
    assert_eq!(at(0, 250.0), at(1, 0.0));
    assert_ne!(at(0, 0.0), at(1, 0.0));
    assert_eq!(at(0, 0.0), at(2, 0.0));
}

#[test]
fn cells_say_what_was_expected() {
    let point = "diameter_um|distance_um";
    for (column, cell, part) in [
        ("polarity", "negative", "expected cathodic or anodic"),
        ("temperature", "500", "from -20 to 100"),
        ("detect_after_ms", "-1", "0 or more"),
        ("pulse", "monofasic", "did you mean `monophasic`"),
        ("pulse", "file:nowhere.csv", "nowhere.csv"),
        ("n_nodes", "2", "3 or more, at most"),
    ] {
        refused(
            &format!("{point}|{column}"),
            &format!("10|1000|{cell}"),
            &[column, part],
        );
    }
}
