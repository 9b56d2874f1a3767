//! Myelinated fibers against PyFibers and NEURON: thresholds, conduction velocities and resting potentials.

use std::collections::HashMap;
use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Device, Ends, Fiber, FiberModel, InitialState, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Settings, Simulation, Site, Stimulus, Synapse, VelocitySites, WithSynapse, model,
};

use crate::models::{number, table};

/// Models and their names in the tables.
const MODELS: [(&str, &str); 5] = [
    ("mrg-discrete", "MRG_DISCRETE"),
    ("mrg-interpolation", "MRG_INTERPOLATION"),
    ("small-mrg-interpolation", "SMALL_MRG_INTERPOLATION"),
    ("pena", "PENA"),
    ("sweeney", "SWEENEY"),
];

/// Fibers of a row of a table after PyFibers' 200 ms of settling.
fn simulation(
    model: &dyn FiberModel,
    row: &HashMap<String, String>,
    fibers: usize,
    (tstop_ms, ends): (f64, Ends),
) -> Simulation {
    let mut fiber = Fiber::new(number(row, "diameter_um"), number(row, "n_nodes") as usize);
    // Checked: the diameter fixes it.
    fiber.compartment_um = Some(number(row, "delta_z_um"));
    let settings = Settings {
        dt_ms: number(row, "dt_ms"),
        tstop_ms,
        start: InitialState::Settled { warmup_ms: 200.0 },
        ends,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    Simulation::new(model, vec![fiber; fibers], &settings, &device).unwrap()
}

fn rows_of(name: &str, of: &str) -> Vec<HashMap<String, String>> {
    let rows = table(name).into_iter();
    rows.filter(|row| row["model"] == of).collect()
}

/// PyFibers' passive ends, where our cable has them.
fn ends_of(id: &str) -> Ends {
    match id {
        "sweeney" => Ends::Passive,
        _ => Ends::Active,
    }
}

/// Brackets are 0.2 % wide; PyFibers' passive end nodes are far away and change no threshold.
#[test]
fn fibers_fire_at_the_thresholds_of_pyfibers_and_not_below() {
    for (id, name) in MODELS {
        let rows = rows_of("neuron/thresholds_pyfibers.csv", name);
        assert_eq!(rows.len(), 3, "{id}");
        for row in rows {
            let electrode = Arc::new(PointSource {
                x_um: number(&row, "distance_um"),
                y_um: 0.0,
                z_um: 0.0,
                medium: Medium::isotropic(500.0),
            });
            let (pw_ms, delay_ms) = (number(&row, "pw_ms"), number(&row, "delay_ms"));
            let pulse = Waveform::from_shape(&row["shape"], pw_ms, delay_ms).unwrap();
            let mut stimulus = Stimulus::none(2);
            for (fiber, bound) in ["lower_bound_mA", "threshold_mA"].into_iter().enumerate() {
                let scaled = Arc::new(pulse.clone().scaled(number(&row, bound)));
                stimulus = stimulus.source(fiber, electrode.clone(), scaled);
            }
            let site = number(&row, "detect_node_index") as i64;
            let kind = ObserverKind::Active { at_least: 1 };
            let active = ObserverSpec::new(kind, NodeSelection::Nodes(vec![site]))
                .threshold_mv(number(&row, "detect_threshold_mV"));
            let run = (number(&row, "tstop_ms"), ends_of(id));
            let simulation = simulation(&model(id).unwrap(), &row, 2, run);
            let outcome = simulation.run(&stimulus, 1.0, &[active]).unwrap();
            let fired = outcome
                .fibers
                .iter()
                .map(|fiber| matches!(fiber.observations[0], Observation::Active(Some(_))));
            assert_eq!(fired.collect::<Vec<bool>>(), [false, true], "{row:?}");
        }
    }
}

#[test]
fn fibers_conduct_as_fast_as_in_pyfibers() {
    for (id, name) in MODELS {
        let rows = rows_of("neuron/cv_pyfibers.csv", name);
        let row = &rows[0];
        let fiber = WithSynapse::new(model(id).unwrap()).unwrap();
        let simulation = simulation(&fiber, row, 1, (5.0, ends_of(id)));
        let synapse = Synapse {
            site: Site::Fraction(0.1),
            ..Synapse::default()
        };
        let [a, b] = ["node_a", "node_b"].map(|site| number(row, site) as i64);
        let sites = VelocitySites::nodes(a, b).threshold_mv(-30.0);
        let found = simulation.synaptic_velocities(&synapse, &sites).unwrap();
        let ratio = found[0].m_per_s().unwrap() / number(row, "cv_m_per_s");
        assert!((ratio - 1.0).abs() < 1e-5, "{id}: {ratio}");
    }
}

/// Voltage of the middle node of a fiber of this many nodes at the start of a run, mV.
fn resting_mv(id: &str, row: &HashMap<String, String>, nodes: usize) -> f64 {
    let mut row = row.clone();
    row.insert("n_nodes".into(), nodes.to_string());
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let middle = NodeSelection::Nodes(vec![nodes as i64 / 2]);
    let recorder = ObserverSpec::new(kind, middle);
    let simulation = simulation(&model(id).unwrap(), &row, 1, (0.005, Ends::Active));
    let outcome = simulation.run(&Stimulus::none(1), 0.0, &[recorder]);
    let Observation::Recorded(found) = &outcome.unwrap().fibers[0].observations[0] else {
        panic!("a recording")
    };
    found.v_mv[0]
}

/// PyFibers' passive end nodes cut the axon there. In the middle of a single cable nothing is seen of them. The middle of a
/// double cable of 41 nodes is off by some uV, as much above that of a long fiber with our sealed ends as below with
/// passive ones, and the other way round.
#[test]
fn fibers_settle_where_those_of_pyfibers_do() {
    const PRINTED_MV: f64 = 0.51e-5;
    for (id, name) in MODELS {
        let rows = rows_of("neuron/cv_pyfibers.csv", name);
        let expected = number(&rows[0], "v_center_after_ss_mV");
        let (found, long) = (resting_mv(id, &rows[0], 41), resting_mv(id, &rows[0], 121));
        let of_ends = found - long;
        assert!(of_ends.abs() < 1e-3, "{id}: {of_ends}");
        let tolerance = PRINTED_MV + 0.1 * of_ends.abs();
        let mirrored = expected - long + of_ends;
        assert!(
            mirrored.abs() <= tolerance,
            "{id}: {found} and {expected} beside {long}"
        );
    }
}

#[test]
fn diameters_that_are_not_published_are_refused_with_the_nearest() {
    let fibers = vec![Fiber::new(9.0, 21)];
    let device = Device::cpu().unwrap();
    let discrete = model("mrg-discrete").unwrap();
    let refused = Simulation::new(&discrete, fibers, &Settings::default(), &device);
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("5.7, 7.3, 8.7, 10"), "{message}");
    assert!(message.contains("the nearest is 8.7"), "{message}");
}
