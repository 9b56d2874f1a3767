//! Thresholds after a conditioning action potential: the recovery cycle, and which action potentials count.

use std::sync::Arc;

use axonml_core::{Field, Medium, PointSource, Waveform};
use axonml_models::{
    Detection, Device, Fiber, GradientRequest, NodeSelection, Settings, Simulation, Stimulus,
    Threshold, ThresholdSearch, model,
};

use crate::models::{number, table};

const MIDDLE: i64 = 26;

fn simulation(tstop_ms: f64, fibers: usize) -> Simulation {
    let settings = Settings {
        tstop_ms,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(10.0, 53); fibers];
    let device = Device::cpu().unwrap();
    Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap()
}

/// 1 mm over a place of the fiber.
fn electrode(z_um: f64) -> Arc<dyn Field> {
    Arc::new(PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    })
}

fn cathodic(pw_ms: f64, onset_ms: f64) -> Waveform {
    Waveform::monophasic(pw_ms).unwrap().delayed(onset_ms)
}

/// 3 nA for 0.2 ms into a node.
fn conditioned(stimulus: Stimulus, fiber: usize, node: i64, onset_ms: f64) -> Stimulus {
    let clamp = Arc::new(cathodic(0.2, onset_ms).flipped());
    stimulus.inject(fiber, node, 3.0, clamp)
}

fn search(after_ms: f64) -> ThresholdSearch {
    ThresholdSearch {
        detection: Detection {
            after_ms,
            ..Detection::default()
        },
        resolution: 1e-5,
        ..ThresholdSearch::default()
    }
}

fn thresholds(simulation: &Simulation, stimulus: &Stimulus, after_ms: f64) -> Vec<Threshold> {
    let found = simulation.thresholds(stimulus, &search(after_ms), &mut |_| ());
    found.unwrap()
}

#[test]
fn brackets_of_the_recovery_cycle_overlap_those_of_neuron() {
    let rows = table("questions/recovery_cycle.csv");
    assert_eq!(rows.len(), 10);
    for row in &rows {
        assert_eq!(
            row["conditioning"],
            "IClamp node 26 3 nA 0.2 ms from 1.0 ms"
        );
        assert_eq!(
            (number(row, "n_nodes"), number(row, "dt_ms")),
            (53.0, 0.005)
        );
        assert_eq!(
            (number(row, "diameter_um"), number(row, "distance_um")),
            (10.0, 1000.0)
        );
        let onset_ms = number(row, "test_onset_ms");
        assert_eq!(onset_ms, 1.0 + number(row, "interval_ms"));
        let simulation = simulation(number(row, "tstop_ms"), 2);
        let test = cathodic(number(row, "pw_ms"), onset_ms);
        let stimulus = Stimulus::uniform(2, electrode(0.0), test);
        let stimulus = conditioned(stimulus, 0, MIDDLE, 1.0);
        // Long runs: the search begins at the point of its grid below 0.1 mA.
        let search = search(onset_ms).from_below(0.1);
        let found = simulation
            .thresholds(&stimulus, &search, &mut |_| ())
            .unwrap();
        let columns = [
            ["lower_bound_mA", "threshold_mA"],
            ["unconditioned_lower_mA", "unconditioned_mA"],
        ];
        for (threshold, bounds) in found.iter().zip(columns) {
            let [lower, upper] = bounds.map(|column| number(row, column));
            let Threshold::Found {
                lower_ma,
                upper_ma,
                start,
                ..
            } = *threshold
            else {
                panic!("{row:?}: {threshold:?}")
            };
            assert_eq!(threshold.status(), "ok", "{row:?}: {threshold:?}");
            assert!(
                lower_ma <= upper && upper_ma >= lower,
                "{row:?}: {threshold:?}"
            );
            assert!(start.time_ms >= onset_ms, "{row:?}: {start:?}");
        }
    }
}

/// From the first node, at 50 m/s, it passes node 48 a millisecond after the onset.
#[test]
fn a_conditioning_action_potential_that_still_travels_does_not_count() {
    let simulation = simulation(6.0, 2);
    let far = Arc::new(cathodic(0.1, 1.3));
    let mut stimulus = Stimulus::none(2);
    for fiber in 0..2 {
        stimulus = conditioned(stimulus, fiber, 0, 1.0);
    }
    // It is at node 10 when the test pulse begins over node 40; in fiber 1 the test pulse does nothing.
    let weak = Arc::new(PointSource {
        x_um: 1e6,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    });
    stimulus = stimulus.source(0, electrode(14.0 * 1122.4), far.clone());
    stimulus = stimulus.source(1, weak, far);
    let run = simulation
        .run_detected(&stimulus, 0.0, &search(1.3).detection, &[])
        .unwrap();
    // Its crossings from then on are listed, but no action potential begins.
    assert_eq!(run.starts, [None; 2]);
    assert!(
        run.crossings
            .iter()
            .all(|crossings| crossings.iter().any(|at| at.node == 48))
    );
    let standing = Detection {
        sites: NodeSelection::All,
        ..search(1.3).detection
    };
    // Also at sites that it stands on, above the level, when detection begins.
    let run = simulation
        .run_detected(&stimulus, 0.0, &standing, &[])
        .unwrap();
    assert!(
        run.crossings[0].iter().any(|at| at.state == 260),
        "a node is above the level"
    );
    assert_eq!(run.starts, [None; 2]);

    let found = thresholds(&simulation, &stimulus, 1.3);
    let ahead = found[0];
    assert_eq!(ahead.status(), "ok", "{ahead:?}");
    let start = ahead.start().unwrap();
    assert!(
        start.node.abs_diff(40) <= 1 && start.time_ms > 1.3,
        "{ahead:?}"
    );
    // Undisturbed by what has not arrived yet: as without conditioning.
    let plain = Stimulus::uniform(1, electrode(14.0 * 1122.4), cathodic(0.1, 1.3));
    let alone = self::simulation(6.0, 1);
    let alone = thresholds(&alone, &plain, 1.3)[0].upper_ma().unwrap();
    let ratio = ahead.upper_ma().unwrap() / alone;
    assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
    assert_eq!(found[1].status(), "no_activation", "{:?}", found[1]);
}

/// What the conditioning current excites after the onset is no response to the test pulse, and no test is possible.
#[test]
fn a_conditioning_action_potential_that_begins_later_is_spontaneous() {
    let simulation = simulation(4.0, 3);
    let mut stimulus = Stimulus::uniform(3, electrode(0.0), cathodic(0.1, 2.0));
    // Before; before and after; after.
    stimulus = conditioned(stimulus, 0, 5, 0.5);
    stimulus = conditioned(conditioned(stimulus, 1, 5, 0.5), 1, 5, 2.5);
    stimulus = conditioned(stimulus, 2, 5, 2.5);
    let statuses = |after_ms: f64| {
        let found = thresholds(&simulation, &stimulus, after_ms);
        found.iter().map(Threshold::status).collect::<Vec<_>>()
    };
    assert_eq!(statuses(2.0), ["ok", "spontaneous", "spontaneous"]);
    // Without a time from which responses count, an action potential is an action potential.
    assert_eq!(statuses(0.0), ["spontaneous"; 3]);
}

/// The first action potential stands at a site, above the level, when detection begins: the derivative is that of the
/// second one at another site.
#[test]
fn derivatives_are_those_of_the_response() {
    let over_40 = electrode(14.0 * 1122.4);
    let search = ThresholdSearch {
        detection: Detection {
            after_ms: 1.3,
            ..Detection::at_nodes(&[8, 48])
        },
        resolution: 1e-8,
        ..ThresholdSearch::default()
    };
    let test = cathodic(0.1, 1.3);
    let stimulus = Stimulus::uniform(1, over_40, test.clone());
    let stimulus = conditioned(stimulus, 0, 0, 1.0);
    let fiber = |gna: f64| {
        let settings = Settings {
            tstop_ms: 2.0,
            parameters: vec![("gna".into(), gna)],
            ..Settings::default()
        };
        let device = Device::cpu().unwrap();
        let fibers = vec![Fiber::new(10.0, 53)];
        Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap()
    };
    let threshold = |gna: f64| {
        let found = fiber(gna).thresholds(&stimulus, &search, &mut |_| ());
        found.unwrap()[0].upper_ma().unwrap()
    };
    let simulation = fiber(3.0);
    let standing = simulation
        .run_detected(&stimulus, 0.0, &search.detection, &[])
        .unwrap();
    assert!(
        standing.crossings[0]
            .iter()
            .any(|at| (at.node, at.state) == (8, 260))
    );

    let known = [Some(threshold(3.0))];
    let gradient = simulation
        .threshold_gradients(&stimulus, &search, &known, GradientRequest::ALL)
        .unwrap()
        .remove(0)
        .unwrap();
    assert!(gradient.node == 48 && gradient.state > 265, "{gradient:?}");
    let bars = gradient.sources[0].waveform.iter();
    let values = test.sample(simulation.grid()).unwrap();
    let total: f64 = bars.zip(values).map(|(bar, w)| bar * w).sum();
    assert!((total + 1.0).abs() < 1e-9, "{total}");
    let parameters = &simulation.schema().parameters;
    let place = parameters.iter().position(|p| p.name == "gna").unwrap();
    let h = 1e-3;
    let expected = (threshold(3.0 + h) / threshold(3.0 - h)).ln() / (2.0 * h);
    let found = gradient.parameters[place];
    assert!(
        (found - expected).abs() <= 0.01 * expected.abs(),
        "{found} {expected}"
    );
}
