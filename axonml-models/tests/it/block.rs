//! kHz conduction block against NEURON: states and counts over amplitude, excitation, block and re-excitation thresholds.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    BlockSearch, BlockStatus, BlockThreshold, Bracket, Detection, Fiber, Settings, Simulation,
    Stimulus, TestPulses, TransmissionState, model,
};

use crate::device;
use crate::golden::path;

/// A row of a table by column.
type Row = BTreeMap<String, String>;

fn rows(name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path(name)).unwrap();
    let headers = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let cells = headers.iter().zip(&record);
        cells
            .map(|(key, cell)| (key.to_owned(), cell.to_owned()))
            .collect()
    };
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// Rows by the value of a column: fiber, field and signal are those of its first row.
fn cases(rows: Vec<Row>, column: &str) -> BTreeMap<String, Vec<Row>> {
    let mut cases: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        cases.entry(row[column].clone()).or_default().push(row);
    }
    cases
}

/// The amplitudes of the rows of every case.
fn amplitudes_ma(cases: &BTreeMap<String, Vec<Row>>) -> Vec<Vec<f64>> {
    let of_case = |rows: &Vec<Row>| rows.iter().map(|row| number(row, "amp_mA")).collect();
    cases.values().map(of_case).collect()
}

fn signal(row: &Row) -> Waveform {
    let freq = number(row, "freq_kHz");
    let sine = format!("sine:freq={freq},delay=0.5");
    match row.get("waveform").map_or("sine", String::as_str) {
        "sine" => sine.parse().unwrap(),
        "square" => {
            assert_eq!(freq, 10.0);
            let square = "train:pulse=biphasic(pw=0.05),freq=10,n=395,delay=0.5,scale=-1";
            square.parse().unwrap()
        }
        other => panic!("{other}"),
    }
}

/// Fibers and stimuli of the cases.
fn simulation(cases: &BTreeMap<String, Vec<Row>>) -> (Simulation, Stimulus) {
    let settings = Settings {
        tstop_ms: 40.0,
        ..Settings::default()
    };
    let (mut fibers, mut stimulus) = (Vec::new(), Stimulus::none(cases.len()));
    for (fiber, row) in cases.values().map(|rows| &rows[0]).enumerate() {
        let expected = [("n_nodes", 53.0), ("tstop_ms", 40.0), ("dt_ms", 0.005)];
        for (column, value) in expected {
            assert_eq!(number(row, column), value);
        }
        fibers.push(Fiber::new(number(row, "diameter_um"), 53));
        let source = PointSource {
            x_um: number(row, "distance_um"),
            y_um: 0.0,
            z_um: number(row, "z_offset_um"),
            medium: Medium::isotropic(500.0),
        };
        stimulus = stimulus.source(fiber, Arc::new(source), Arc::new(signal(row)));
    }
    let mrg = model("mrg").unwrap();
    (
        Simulation::new(&mrg, fibers, &settings, &device()).unwrap(),
        stimulus,
    )
}

fn pulses(at_ms: &[f64]) -> TestPulses {
    TestPulses::new(5, 2.0, 0.1, at_ms)
}

/// Crossings of -20 mV; test pulses are counted at node 48.
fn detection(after_ms: f64) -> Detection {
    Detection {
        threshold_mv: -20.0,
        after_ms,
        ..Detection::at_nodes(&[5, 48])
    }
}

fn search() -> BlockSearch {
    BlockSearch {
        detection: detection(19.0),
        ..BlockSearch::new(pulses(&[20.0, 25.0, 30.0, 35.0]))
    }
}

/// The name of a state in the tables, where partial block is `excited`.
fn table_name(state: TransmissionState) -> &'static str {
    match state {
        TransmissionState::Partial => "excited",
        other => other.name(),
    }
}

/// Lower edges of block by case, from the table of thresholds.
fn block_lower() -> BTreeMap<String, f64> {
    let rows = rows("questions/block_thresholds.csv");
    let edges = rows.iter().filter(|row| row["quantity"] == "block_lower");
    edges
        .map(|row| (row["case"].clone(), number(row, "upper_mA")))
        .collect()
}

#[test]
fn block_thresholds_are_those_of_neuron() {
    let rows = rows("questions/block_thresholds.csv");
    let cases = cases(rows.clone(), "case");
    let (simulation, stimulus) = simulation(&cases);
    let search = BlockSearch {
        first_ma: 0.02,
        ..search()
    };
    let mut done = Vec::new();
    let found = simulation
        .block_thresholds(&stimulus, &search, &mut |fraction| done.push(fraction))
        .unwrap();
    assert!(done.is_sorted() && done.first() == Some(&0.0) && done.last() == Some(&1.0));
    let by_case: BTreeMap<&str, &BlockThreshold> =
        cases.keys().map(String::as_str).zip(&found).collect();

    let mut compared = 0;
    for row in &rows {
        let found = by_case[row["case"].as_str()];
        // The electrode lies over the middle of every fiber: block is the same in both directions.
        assert_eq!(found.status, BlockStatus::Ok, "{row:?}");
        let bracket = match row["quantity"].as_str() {
            "excitation" => found.excitation,
            "block_lower" => found.block,
            "block_upper" => found.reexcitation,
            "block_lower_from_24ms" => continue,
            other => panic!("{other}"),
        };
        let Bracket { lower_ma, upper_ma } = bracket.unwrap_or_else(|| panic!("{row:?}"));
        assert!(lower_ma < upper_ma && upper_ma - lower_ma <= 1e-4 * upper_ma);
        let (lower, upper) = (number(row, "lower_mA"), number(row, "upper_mA"));
        assert!(
            lower_ma <= upper && upper_ma >= lower,
            "{row:?}: {bracket:?}"
        );
        compared += 1;
    }
    assert_eq!(compared, 13);
    // Where the table has no upper edge, 20 mA still block.
    let upper = rows.iter().filter(|row| row["quantity"] == "block_upper");
    let with_upper: Vec<&str> = upper.map(|row| row["case"].as_str()).collect();
    for (case, found) in by_case {
        assert_eq!(
            found.reexcitation.is_some(),
            with_upper.contains(&case),
            "{case}"
        );
    }
}

#[test]
fn states_and_counts_over_amplitude_are_those_of_the_table() {
    let lower_edges = block_lower();
    let cases = cases(rows("questions/block_grid.csv"), "case");
    let (simulation, stimulus) = simulation(&cases);
    let search = search();
    let (pulses, detection) = (Some(&search.pulses), &search.detection);
    let found = simulation
        .transmission(
            &stimulus,
            pulses,
            detection,
            &amplitudes_ma(&cases),
            &mut |_| (),
        )
        .unwrap();
    let (mut compared, mut partial) = (0, 0);
    for ((case, rows), found) in cases.iter().zip(&found) {
        for (row, found) in rows.iter().zip(found) {
            // Counts depend on the phase of arrival there.
            let edge = lower_edges[case];
            if (0.9 * edge..edge).contains(&found.amplitude_ma) {
                partial += usize::from(found.state == TransmissionState::Partial);
                continue;
            }
            assert_eq!(table_name(found.state), row["state"], "{row:?}: {found:?}");
            let columns = ["n_20_25", "n_25_30", "n_30_35", "n_35_40"];
            let per_pulse = columns.map(|column| row[column].parse::<usize>().unwrap());
            assert_eq!(found.per_pulse, per_pulse, "{row:?}: {found:?}");
            let n = |column: &str| row[column].parse::<usize>().unwrap();
            let counted = [found.n_before, found.n_ap, found.n_ap_expected];
            assert_eq!(
                counted,
                [n("n_before_19ms"), n("n_from_19ms"), 4],
                "{row:?}: {found:?}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 343);
    assert!(
        partial > 40,
        "{partial} rows in the band are partly blocked"
    );
}

#[test]
fn counts_under_5_and_10_khz_are_those_of_neuron() {
    let rows = rows("neuron/khz.csv").into_iter();
    let cases = cases(
        rows.filter(|row| row["dt_ms"] == "0.005").collect(),
        "freq_kHz",
    );
    let (simulation, stimulus) = simulation(&cases);
    let pulses = Some(&pulses(&[15.0, 20.0, 25.0, 30.0, 35.0]));
    let found = simulation
        .transmission(
            &stimulus,
            pulses,
            &detection(14.0),
            &amplitudes_ma(&cases),
            &mut |_| (),
        )
        .unwrap();
    // Counts depend on the last bits there.
    let signal_excites = |ma: f64| (0.2..=0.3).contains(&ma);
    let mut compared = 0;
    for (rows, found) in cases.values().zip(&found) {
        for (row, found) in rows.iter().zip(found) {
            let n = |column: &str| row[column].parse::<usize>().unwrap();
            let expected = [n("n_ap_after_14ms"), n("n_ap_total")];
            let counted = [found.n_ap, found.n_ap + found.n_before];
            if signal_excites(found.amplitude_ma) {
                continue;
            }
            assert_eq!(counted, expected, "{row:?}: {found:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 25);
}
