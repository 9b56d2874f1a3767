//! Passive ends: inside them a fiber is one that is two nodes shorter, and its derivatives are those of that fiber.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    BlockSearch, Course, Detection, Device, Ends, Evaluation, Fiber, FiberDerivative, FiberOutcome,
    GradientRequest, InitialState, NodeSelection, Observation, ObserverKind, ObserverSpec,
    Precision, RecordedCotangent, Settings, Simulation, SimulationError, Site, Stimulus, Synapse,
    TestPulses, Threshold, ThresholdKind, ThresholdSearch, VelocitySites, WithSynapse, model,
};

use crate::golden::largest_difference;

/// A cylinder, one that moves ions, and a myelinated fiber: diameter, um, nodes, and distance of an electrode, um.
const FIBERS: [(&str, f64, usize, f64); 3] = [
    ("sundt", 1.0, 61, 100.0),
    ("tigerholm", 1.0, 61, 100.0),
    ("sweeney", 10.0, 31, 600.0),
];

fn simulation(id: &str, fibers: Vec<Fiber>, settings: &Settings) -> Simulation {
    let device = Device::cpu().unwrap();
    Simulation::new(&model(id).unwrap(), fibers, settings, &device).unwrap()
}

/// The fiber with passive ends, and the shorter one with active ends, whose nodes lie where those inside do.
fn both(id: &str, diameter_um: f64, nodes: usize, settings: &Settings) -> [Simulation; 2] {
    [(Ends::Passive, nodes), (Ends::Active, nodes - 2)].map(|(ends, nodes)| {
        let settings = Settings {
            ends,
            ..settings.clone()
        };
        simulation(id, vec![Fiber::new(diameter_um, nodes)], &settings)
    })
}

/// A cathodic pulse off the middle, whose field is strong at the ends.
fn stimulus(distance_um: f64) -> Stimulus {
    let electrode = PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um: 70.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = Waveform::monophasic(0.1).unwrap().delayed(0.1);
    Stimulus::uniform(1, Arc::new(electrode), pulse)
}

fn inside(values: &[f64]) -> &[f64] {
    &values[1..values.len() - 1]
}

#[test]
fn inside_passive_ends_a_fiber_is_two_nodes_shorter() {
    for (id, diameter_um, nodes, distance_um) in FIBERS {
        for (precision, tolerance) in [(Precision::F64, 1e-9), (Precision::F32, 1e-3)] {
            let settings = Settings {
                precision,
                tstop_ms: 2.0,
                ..Settings::default()
            };
            let [passive, shorter] = both(id, diameter_um, nodes, &settings);
            let stimulus = stimulus(distance_um);
            let highest = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
            let [passive_run, shorter_run] = [&passive, &shorter].map(|simulation| {
                let outcome = simulation.run(&stimulus, 0.3, std::slice::from_ref(&highest));
                outcome.unwrap().fibers.remove(0)
            });
            let Observation::Maximum(fired_mv) = &shorter_run.observations[0] else {
                panic!("a maximum")
            };
            assert!(fired_mv.iter().any(|v| *v > 0.0), "{id}: {fired_mv:?}");
            let (found, expected) = (passive_run.state.unwrap(), shorter_run.state.unwrap());
            let v = largest_difference(inside(&found.v_mv), &expected.v_mv);
            println!("{id} in {}: {v:e} mV", precision.name());
            assert!(v <= tolerance, "{id} in {}: {v} mV", precision.name());
            let start_mv = passive.schema().start.v_mv;
            for (found, expected) in found.states.iter().zip(&expected.states) {
                let off = largest_difference(inside(found), expected);
                assert!(off <= tolerance, "{id}: states differ by {off}");
            }
            assert_eq!(found.v_mv[0], start_mv, "{id}");
            assert_eq!(found.v_mv[nodes - 1], start_mv, "{id}");
        }
    }
}

#[test]
fn thresholds_are_those_of_the_shorter_fiber_and_so_are_its_ends() {
    for (id, diameter_um, nodes, distance_um) in [FIBERS[0], FIBERS[2]] {
        let settings = Settings {
            start: InitialState::Settled { warmup_ms: 200.0 },
            ..Settings::default()
        };
        let fibers = both(id, diameter_um, nodes, &settings);
        // A driven end: the electrode lies over it.
        let over_end = *fibers[1].nodes_um(0).last().unwrap();
        let electrode = Arc::new(PointSource {
            x_um: distance_um,
            y_um: 0.0,
            z_um: over_end,
            medium: Medium::isotropic(500.0),
        });
        let pulse = Waveform::monophasic(0.1).unwrap().delayed(0.1);
        let at_end = Stimulus::uniform(1, electrode, pulse);
        let mut kinds = Vec::new();
        for stimulus in [stimulus(distance_um), at_end] {
            let search = |site: i64| ThresholdSearch {
                detection: Detection::at_nodes(&[site, -site - 1]),
                ..ThresholdSearch::default()
            };
            // The same places.
            let [found, expected] = [(&fibers[0], 6), (&fibers[1], 5)].map(|(fiber, site)| {
                fiber
                    .thresholds(&stimulus, &search(site), &mut |_| ())
                    .unwrap()[0]
            });
            let relative = found.upper_ma().unwrap() / expected.upper_ma().unwrap() - 1.0;
            println!("{id}: {found:?}, {relative:e}");
            assert!(relative.abs() < 1e-12, "{id}: {found:?} for {expected:?}");
            let Threshold::Found { start, kind, .. } = expected else {
                panic!("{expected:?}")
            };
            assert_eq!(found.start().unwrap().node, start.node + 1, "{id}");
            assert_eq!(found.status(), expected.status(), "{id}");
            kinds.push(kind);
        }
        assert_eq!(kinds[1], ThresholdKind::EndExcitation, "{id}");
    }
}

// ---- derivatives ---------------------------------------------------------------------------------------------------

fn recorder() -> ObserverSpec {
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 5,
    };
    ObserverSpec::new(kind, NodeSelection::All)
}

/// A weighted sum of all voltages but those of the nodes `skipped` at either end.
fn weighted(skipped: usize, outcome: &FiberOutcome) -> Evaluation {
    let Observation::Recorded(recording) = &outcome.observations[0] else {
        panic!("a recording")
    };
    let nodes = recording.nodes.len();
    let weight = |index: usize| {
        let (row, node) = (index / nodes, index % nodes);
        let counts = (skipped..nodes - skipped).contains(&node);
        // By the node of the fiber without those that are skipped.
        let of_node = (0.7 * (row + 3 * (node + 1 - skipped)) as f64).sin();
        if counts { of_node } else { 0.0 }
    };
    let v_mv: Vec<f64> = (0..recording.v_mv.len()).map(weight).collect();
    let products = recording.v_mv.iter().zip(&v_mv).map(|(v, w)| v * w);
    Evaluation {
        loss: products.sum(),
        recorded: vec![Some(RecordedCotangent {
            v_mv,
            states: Vec::new(),
        })],
        state: None,
    }
}

fn differentiate(simulation: &Simulation, distance_um: f64, skipped: usize) -> FiberDerivative {
    let objective = |_: usize, outcome: &FiberOutcome| weighted(skipped, outcome);
    simulation
        .differentiate(
            &stimulus(distance_um),
            0.3,
            &[recorder()],
            &objective,
            GradientRequest::ALL,
        )
        .unwrap()
        .remove(0)
}

fn settings_with(parameters: Vec<(String, f64)>) -> Settings {
    Settings {
        tstop_ms: 1.0,
        parameters,
        ..Settings::default()
    }
}

#[test]
fn derivatives_are_those_of_the_shorter_fiber() {
    for (id, diameter_um, nodes, distance_um) in FIBERS {
        let [passive, shorter] = both(id, diameter_um, nodes, &settings_with(Vec::new()));
        let found = differentiate(&passive, distance_um, 1).gradient.unwrap();
        let expected = differentiate(&shorter, distance_um, 0).gradient.unwrap();
        let close = |what: &str, found: &[f64], expected: &[f64]| {
            let size = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let off = largest_difference(found, expected);
            println!("{id}: {what} {off:e} of {size:e}");
            assert!(size > 0.0 && off <= 1e-10 * size, "{id}: {what} {off:e}");
        };
        close("parameters", &found.parameters, &expected.parameters);
        close("amplitude", &[found.amplitude], &[expected.amplitude]);
        // The Sweeney fiber has one temperature.
        if id != "sweeney" {
            close("temperature", &[found.celsius], &[expected.celsius]);
        }
        let [found, expected] = [&found.sources[0], &expected.sources[0]];
        close("waveform", &found.waveform, &expected.waveform);
        close(
            "potentials",
            inside(&found.potentials),
            &expected.potentials,
        );
        for end in [0, nodes - 1] {
            assert_eq!(found.potentials[end], 0.0, "{id}, sample {end}");
        }
    }
}

/// Derivatives by all parameters, also of a loss that sees the ends, against differences of sixth order.
#[test]
fn derivatives_are_differences() {
    for (id, diameter_um, nodes, distance_um) in [FIBERS[0], FIBERS[2]] {
        let of = |parameters: Vec<(String, f64)>| {
            let settings = settings_with(parameters);
            let [passive, _] = both(id, diameter_um, nodes, &settings);
            passive
        };
        let simulation = of(Vec::new());
        let gradient = differentiate(&simulation, distance_um, 0).gradient.unwrap();
        let loss = |name: &str, value: f64| {
            let moved = of(vec![(name.to_owned(), value)]);
            let outcome = moved.run(&stimulus(distance_um), 0.3, &[recorder()]);
            weighted(0, &outcome.unwrap().fibers[0]).loss
        };
        let each = simulation.schema().parameters.iter();
        let products: Vec<f64> = each
            .clone()
            .zip(&gradient.parameters)
            .map(|(p, found)| (p.value * found).abs())
            .collect();
        let size = products.iter().copied().fold(0.0, f64::max);
        let mut compared = 0;
        for (parameter, found) in each.zip(&gradient.parameters) {
            if parameter.value == 0.0 {
                continue;
            }
            let name = parameter.full_name();
            let h = 1e-5 * parameter.value;
            let change = |k: f64| {
                loss(&name, parameter.value + k * h) - loss(&name, parameter.value - k * h)
            };
            let slope = (45.0 * change(1.0) - 9.0 * change(2.0) + change(3.0)) / (60.0 * h);
            let off = (parameter.value * (found - slope)).abs();
            println!("{id}: {name} {found:e} for {slope:e}");
            assert!(off <= 1e-7 * size, "{id}: {name}: {found:e} for {slope:e}");
            compared += 1;
        }
        assert!(compared > 5, "{id}: {compared}");
    }
}

// ---- refusals ------------------------------------------------------------------------------------------------------

fn passive() -> Settings {
    Settings {
        ends: Ends::Passive,
        ..Settings::default()
    }
}

#[test]
fn cables_that_have_no_passive_ends_refuse_them() {
    let device = Device::cpu().unwrap();
    for (id, cable) in [
        ("mrg", "a double cable"),
        ("two-mode", "a reduced double cable"),
        ("smf", "an explicit single cable"),
    ] {
        let refused = Simulation::new(&model(id).unwrap(), Vec::new(), &passive(), &device);
        let error = refused.unwrap_err();
        assert_eq!(
            error,
            SimulationError::PassiveEnds {
                model: id.into(),
                cable
            }
        );
        let message = error.to_string();
        assert!(message.contains("--ends active"), "{message}");
    }
    let short = vec![Fiber::new(1.0, 4)];
    let refused = Simulation::new(&model("sundt").unwrap(), short, &passive(), &device);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("with passive ends needs at least 5"),
        "{message}"
    );
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(result: Result<T, SimulationError>, what: &str, node: usize) {
    let message = result.unwrap_err().to_string();
    for part in [what, &format!("`{node}`"), "1 to 59", "--ends active"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

/// Where nothing could ever happen nothing is asked for in silence.
#[test]
fn nothing_acts_on_a_passive_end_and_nothing_is_detected_there() {
    let simulation = simulation("sundt", vec![Fiber::new(1.0, 61)], &passive());
    let field = stimulus(100.0);
    let clamp = Arc::new(Waveform::monophasic(0.2).unwrap().flipped());
    for (node, index) in [(0, 0), (-1, 60), (60, 60)] {
        let injected = Stimulus::none(1).inject(0, node, 2.0, clamp.clone());
        let what = "injected current";
        refuses(simulation.run(&injected, 0.0, &[]), what, index);
        refuses(simulation.check_stimulus(&injected), what, index);
        let detection = Detection::at_nodes(&[node]);
        let search = ThresholdSearch {
            detection: detection.clone(),
            ..ThresholdSearch::default()
        };
        let found = simulation.thresholds(&field, &search, &mut |_| ());
        refuses(found, "detection node", index);
        refuses(
            simulation.run_detected(&field, 0.1, &detection, &[]),
            "detection node",
            index,
        );
        refuses(
            simulation.conduction_velocities(&field, 0.1, &VelocitySites::nodes(node, 30)),
            "the site",
            index,
        );
        let pulses = TestPulses::new(node, 2.0, 0.1, &[1.0]);
        refuses(
            simulation.block_thresholds(&field, &BlockSearch::new(pulses), &mut |_| ()),
            "the node of the test pulses",
            index,
        );
    }
    let first = VelocitySites::fractions(0.0, 0.5);
    refuses(
        simulation.conduction_velocities(&field, 0.1, &first),
        "the site",
        0,
    );
    let with_synapse = WithSynapse::new(model("sundt").unwrap()).unwrap();
    let device = Device::cpu().unwrap();
    let fibers = vec![Fiber::new(1.0, 61)];
    let simulation = Simulation::new(&with_synapse, fibers, &passive(), &device).unwrap();
    let synapse = Synapse {
        site: Site::Node(0),
        ..Synapse::default()
    };
    refuses(
        simulation.run_in_parts(
            &Stimulus::none(1),
            0.0,
            &[],
            Course::whole().opening(synapse),
        ),
        "the site",
        0,
    );
}
