//! Runs in parts: from states, up to a step, with looks that may change them.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Course, Detection, Device, Fiber, FiberState, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Outcome, Precision, Settings, Simulation, SimulationError, Stimulus, model,
};

/// Fibers of two lengths of a model, 2 ms in steps of 5 us.
fn simulation(name: &str, precision: Precision) -> Simulation {
    let settings = Settings {
        tstop_ms: 2.0,
        precision,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(10.0, 21), Fiber::new(6.0, 27)];
    Simulation::new(
        &model(name).unwrap(),
        fibers,
        &settings,
        &Device::cpu().unwrap(),
    )
    .unwrap()
}

/// A pulse at 1 mm, and a current into a node while the run is cut.
fn stimulus() -> Stimulus {
    let field = PointSource {
        medium: Medium::isotropic(500.0),
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
    };
    let pulse: Waveform = "biphasic:pw=0.3,delay=0.1".parse().unwrap();
    let clamp: Waveform = "monophasic:pw=0.5,delay=0.4,scale=-1".parse().unwrap();
    Stimulus::uniform(2, Arc::new(field), pulse).inject(1, 3, 0.4, Arc::new(clamp))
}

fn observers() -> [ObserverSpec; 4] {
    let all = || NodeSelection::All;
    let recorder = ObserverKind::Recorder {
        states: vec!["m".into()],
        every: 3,
    };
    [
        ObserverSpec::new(recorder, NodeSelection::Nodes(vec![4, -2])),
        ObserverSpec::new(ObserverKind::Raster, all()),
        ObserverSpec::new(ObserverKind::Maximum, all()),
        ObserverSpec::new(ObserverKind::Active { at_least: 1 }, all()),
    ]
}

/// Largest difference of all recorded and final voltages, mV.
#[track_caller]
fn difference_mv(a: &Outcome, b: &Outcome) -> f64 {
    let mut worst = 0.0_f64;
    let mut compare = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            worst = worst.max((a - b).abs());
        }
    };
    for (a, b) in a.fibers.iter().zip(&b.fibers) {
        assert_eq!(a.status, b.status);
        compare(
            &a.state.as_ref().unwrap().v_mv,
            &b.state.as_ref().unwrap().v_mv,
        );
        for pair in a.observations.iter().zip(&b.observations) {
            match pair {
                (Observation::Recorded(a), Observation::Recorded(b)) => {
                    assert_eq!((&a.t_ms, &a.nodes), (&b.t_ms, &b.nodes));
                    compare(&a.v_mv, &b.v_mv);
                    compare(&a.states[0], &b.states[0]);
                }
                (Observation::Raster(a), Observation::Raster(b)) => {
                    let places = |of: &[axonml_models::Crossing]| -> Vec<(usize, usize)> {
                        of.iter().map(|at| (at.node, at.state)).collect()
                    };
                    assert_eq!(places(a), places(b));
                    assert!(!a.is_empty());
                }
                (Observation::Maximum(a), Observation::Maximum(b)) => compare(a, b),
                (a, b) => assert_eq!(a, b),
            }
        }
    }
    worst
}

#[test]
fn looks_change_nothing() {
    for (name, precision, allowed_mv) in [
        ("mrg", Precision::F64, 1e-12),
        ("mrg", Precision::F32, 1e-4),
        ("smf", Precision::F64, 0.0),
        ("sweeney", Precision::F64, 1e-12),
    ] {
        let simulation = simulation(name, precision);
        let (stimulus, observers) = (stimulus(), observers());
        let whole = simulation.run(&stimulus, 0.5, &observers).unwrap();
        let mut steps = Vec::new();
        let mut look = |step: usize, states: &mut [Option<FiberState>]| {
            steps.push(step);
            assert_eq!(states[1].as_ref().unwrap().v_mv.len(), 27);
            Ok(false)
        };
        let course = Course::whole().looking(170, &mut look);
        let parts = simulation
            .run_in_parts(&stimulus, 0.5, &observers, course)
            .unwrap();
        assert_eq!(steps, [170, 340, 400]);
        let worst = difference_mv(&parts, &whole);
        println!("{name} {precision:?}: {worst:e} mV");
        assert!(worst <= allowed_mv, "{name}: {worst:e} mV");
    }
}

#[test]
fn a_run_goes_on_where_another_ended() {
    let simulation = simulation("mrg", Precision::F64);
    let (stimulus, observers) = (stimulus(), observers());
    let whole = simulation.run(&stimulus, 0.5, &observers).unwrap();
    let part = |course| simulation.run_in_parts(&stimulus, 0.5, &observers, course);
    let first = part(Course::whole().end(170)).unwrap();
    let states = simulation.completed_states(first.clone()).unwrap();
    let second = part(Course::whole().begin(170, states.clone())).unwrap();
    for (fiber, of) in whole.fibers.iter().enumerate() {
        let rows = |outcome: &Outcome| match &outcome.fibers[fiber].observations[0] {
            Observation::Recorded(recording) => recording.t_ms.clone(),
            other => panic!("{other:?}"),
        };
        let joined = [rows(&first), rows(&second)].concat();
        assert_eq!(joined, rows(&whole), "no row is missing or comes twice");
        let ends = second.fibers[fiber].state.as_ref().unwrap();
        for (a, b) in ends.v_mv.iter().zip(&of.state.as_ref().unwrap().v_mv) {
            assert!((a - b).abs() <= 1e-9);
        }
    }
    for bad in [
        Course::whole().begin(401, states.clone()),
        Course::whole().end(401),
        Course::whole().begin(200, states.clone()).end(199),
    ] {
        assert!(part(bad).unwrap_err().to_string().contains("0 to 400"));
    }
    let wrong = part(Course::whole().begin(0, states[..1].to_vec())).unwrap_err();
    assert!(wrong.to_string().contains("start states"), "{wrong}");
}

#[test]
fn a_look_may_change_a_state_and_then_no_start_is_told() {
    let simulation = simulation("mrg", Precision::F64);
    let detection = Detection::default();
    let quiet = Stimulus::none(2);
    let mut set = |step: usize, states: &mut [Option<FiberState>]| {
        if step != 100 {
            return Ok(false);
        }
        let state = states[0].as_mut().unwrap();
        // Of `mrg`, the first state is m.
        state.states[0][9..=11].fill(1.0);
        Ok(true)
    };
    let course = Course::whole().looking(50, &mut set);
    let found = simulation
        .run_detected_in_parts(&quiet, 0.0, &detection, &[], course)
        .unwrap();
    // Nodes whose sodium channels were opened fire their neighbors, in their own fiber only.
    let reached = |fiber: usize| found.crossings[fiber].iter().any(|at| at.node == 5);
    assert_eq!([reached(0), reached(1)], [true, false]);
    assert!(found.starts.is_empty());
    // Without a change the answers are those of one run.
    let mut look = |_: usize, _: &mut [Option<FiberState>]| Ok(false);
    let course = Course::whole().looking(50, &mut look);
    let parts = simulation.run_detected_in_parts(&stimulus(), 0.5, &detection, &[], course);
    let whole = simulation.run_detected(&stimulus(), 0.5, &detection, &[]);
    let starts = |run: axonml_models::DetectedRun| -> Vec<Option<usize>> {
        let each = run.starts.iter();
        each.map(|start| start.as_ref().map(|(start, _)| start.node))
            .collect()
    };
    let (parts, whole) = (starts(parts.unwrap()), starts(whole.unwrap()));
    assert_eq!(parts, whole);
    assert!(whole.iter().all(Option::is_some));
}

#[test]
fn errors_of_looks_and_of_observers_are_told() {
    let simulation = simulation("smf", Precision::F64);
    let mut refuse = |step: usize, _: &mut [Option<FiberState>]| {
        Err(SimulationError::Core(axonml_core::CoreError::BadValue {
            what: "the step".into(),
            found: step.to_string(),
            expected: "another".into(),
        }))
    };
    let course = Course::whole().looking(7, &mut refuse);
    let error = simulation.run_in_parts(&stimulus(), 0.5, &[], course);
    assert!(error.unwrap_err().to_string().contains('7'));
    let mut look = |_: usize, _: &mut [Option<FiberState>]| Ok(false);
    let two = ObserverSpec::new(ObserverKind::Active { at_least: 2 }, NodeSelection::All);
    let course = Course::whole().looking(7, &mut look);
    let error = simulation.run_in_parts(&stimulus(), 0.5, &[two], course);
    assert!(error.unwrap_err().to_string().contains("at least 2 nodes"));
}
