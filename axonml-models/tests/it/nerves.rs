//! Thresholds of fibers in the example nerves, from the fields of their cuffs: reading the folder, interpolating,
//! placing the fiber, adding up contacts.

use std::path::PathBuf;
use std::sync::Arc;

use axonml_core::{Extension, Interpolation, Waveform};
use axonml_models::{
    Device, Fiber, FiberStatus, NodeSelection, Observation, ObserverKind, ObserverSpec, Settings,
    Simulation, Stimulus, ThresholdSearch, model, read_nerve, recruitment,
};

use crate::golden::path;

/// Every fiber at its threshold and at the lower bound below it: one fires, the other does not.
#[track_caller]
fn assert_thresholds(name: &str, expected_rows: usize) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves");
    let nerve = read_nerve(&folder.join(name)).unwrap();
    let mut table = csv::Reader::from_path(path(&format!("nerves/{name}.csv"))).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), expected_rows);
    let number = |row: usize, column: usize| rows[row][column].parse::<f64>().unwrap();

    let fibers = (0..rows.len()).flat_map(|row| [Fiber::new(number(row, 2), 53); 2]);
    let simulation = Simulation::new(
        &model("mrg").unwrap(),
        fibers.collect(),
        &Settings::default(),
        &Device::cpu().unwrap(),
    )
    .unwrap();
    let mut stimulus = Stimulus::none(2 * rows.len());
    for (row, record) in rows.iter().enumerate() {
        assert_eq!(&record[0], name);
        let fiber: usize = record[1].parse().unwrap();
        let contacts = record[3].split(',').map(|factor| factor.parse().unwrap());
        let contacts: Vec<f64> = contacts.collect();
        let field = nerve
            .field(
                fiber,
                &contacts,
                Interpolation::Cubic,
                0.0,
                Extension::Refuse,
            )
            .unwrap();
        let field = Arc::new(field);
        let pulse = Waveform::from_shape(&record[4], number(row, 5), 0.1).unwrap();
        for (at, column) in [6, 7].into_iter().enumerate() {
            let scaled = Arc::new(pulse.clone().scaled(number(row, column)));
            stimulus = stimulus.source(2 * row + at, field.clone(), scaled);
        }
    }
    let nodes = NodeSelection::Nodes(vec![5, -5]);
    let active = ObserverSpec::new(ObserverKind::Active { at_least: 1 }, nodes);
    let outcome = simulation.run(&stimulus, 1.0, &[active]).unwrap();
    for (fiber, result) in outcome.fibers.iter().enumerate() {
        assert_eq!(result.status, FiberStatus::Completed);
        let Observation::Active(at) = result.observations[0] else {
            panic!("whether it fired")
        };
        let (row, upper) = (&rows[fiber / 2], fiber % 2 == 0);
        assert_eq!(at.is_some(), upper, "{row:?}, at its threshold: {upper}");
    }
}

/// By the shares that the lines of N1 stand for, 53 % of its fibers are active at 0.1039 mA; counted alike, 9 of 12.
#[test]
fn recruitment_counts_by_the_weights_of_the_nerve() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves/N1");
    let nerve = read_nerve(&folder).unwrap();
    let fibers = vec![Fiber::new(10.0, 53); nerve.fibers()];
    let mrg = model("mrg").unwrap();
    let simulation =
        Simulation::new(&mrg, fibers, &Settings::default(), &Device::cpu().unwrap()).unwrap();
    let contacts = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let pulse = Arc::new(pulse);
    let mut stimulus = Stimulus::none(nerve.fibers());
    for fiber in 0..nerve.fibers() {
        let line = nerve.field(
            fiber,
            &contacts,
            Interpolation::Cubic,
            0.0,
            Extension::Refuse,
        );
        stimulus = stimulus.source(fiber, Arc::new(line.unwrap()), pulse.clone());
    }
    let options = ThresholdSearch::default();
    let found = simulation
        .thresholds(&stimulus, &options, &mut |_| ())
        .unwrap();
    let thresholds: Vec<Option<f64>> = found.iter().map(|t| t.upper_ma()).collect();
    let at = |weights: Option<&[f64]>, amplitude_ma: f64| {
        let steps = recruitment(&thresholds, weights).unwrap();
        let below = steps
            .iter()
            .take_while(|step| step.amplitude_ma <= amplitude_ma);
        below.last().map_or(0.0, |step| step.fraction)
    };
    assert_eq!(at(None, 0.1039), 0.75);
    let share = at(Some(nerve.weights()), 0.1039);
    assert!((share - 0.53).abs() < 0.005, "{share}");
    assert!((at(Some(nerve.weights()), 1.0) - 1.0).abs() < 1e-6);
}

#[test]
fn thresholds_under_a_bipolar_cuff() {
    assert_thresholds("B1", 54);
}

#[test]
fn thresholds_under_a_six_contact_cuff() {
    assert_thresholds("N1", 144);
}
