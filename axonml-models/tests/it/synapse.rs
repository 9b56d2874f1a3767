//! Action potentials that a synapse starts: against NEURON and PyFibers, by hand, and as a run in one piece.

use axonml_models::weights::Weights;
use axonml_models::{
    ConductionVelocity, Course, Device, Fiber, FiberModel, FiberStatus, InitialState,
    NodeSelection, Observation, ObserverKind, ObserverSpec, SYNAPTIC_CONDUCTANCE, Settings,
    Simulation, SimulationError, Site, Stimulus, Synapse, VelocitySites, WithSynapse, model,
};

use crate::golden::largest_difference;
use crate::models::{number, table};

fn simulation(model: &dyn FiberModel, fibers: Vec<Fiber>, settings: &Settings) -> Simulation {
    Simulation::new(model, fibers, settings, &Device::cpu().unwrap()).unwrap()
}

fn sundt() -> WithSynapse {
    WithSynapse::new(model("sundt").unwrap()).unwrap()
}

/// 200 ms of settling, as PyFibers.
fn published(tstop_ms: f64) -> Settings {
    Settings {
        tstop_ms,
        start: InitialState::Settled { warmup_ms: 200.0 },
        ..Settings::default()
    }
}

/// PyFibers replaces the first and last compartment by passive ones behind an axial resistance of 1e10 ohm cm, which cuts
/// them off: the fiber has two compartments fewer than the table says, and everything moves by one. All compartments
/// active, it conducts the same to what the ends matter half a millimeter away.
#[test]
fn sundt_conducts_as_fast_as_in_pyfibers() {
    let rows = table("neuron/cv_pyfibers.csv");
    let row = rows.iter().find(|row| row["model"] == "SUNDT").unwrap();
    assert_eq!(
        (number(row, "delta_z_um"), number(row, "dt_ms")),
        (8.333, 0.005)
    );
    let nodes = number(row, "n_nodes") as usize;
    let [a, b] = ["node_a", "node_b"].map(|name| number(row, name) as i64);
    let measure = |nodes: usize, synapse: Site, sites: VelocitySites| -> ConductionVelocity {
        let fibers = vec![Fiber::new(number(row, "diameter_um"), nodes)];
        let simulation = simulation(&sundt(), fibers, &published(5.0));
        let synapse = Synapse {
            site: synapse,
            ..Synapse::default()
        };
        let found = simulation.synaptic_velocities(&synapse, &sites.threshold_mv(-30.0));
        found.unwrap()[0]
    };
    let expected = number(row, "cv_m_per_s");
    let all_active = measure(nodes, Site::Fraction(0.1), VelocitySites::default());
    assert_eq!((all_active.node_a as i64, all_active.node_b as i64), (a, b));
    assert!((all_active.distance_um - number(row, "distance_um")).abs() < 1e-9);
    let error = |found: ConductionVelocity| 100.0 * (found.m_per_s().unwrap() / expected - 1.0);
    let start = all_active.start().unwrap();
    assert_eq!(start.node, 18);
    assert!((1.0..1.1).contains(&start.time_ms), "{start:?}");
    let cut = measure(
        nodes - 2,
        Site::Node(17),
        VelocitySites::nodes(a - 1, b - 1),
    );
    assert!(
        error(all_active).abs() <= 0.5,
        "{all_active:?}: {}",
        error(all_active)
    );
    assert!(error(cut).abs() <= 1e-3, "{cut:?}: {}", error(cut));
}

/// A uniform fiber without channels is one compartment; the steps of `g (v - e)`, written out.
#[test]
fn the_conductance_acts_as_it_stands_and_decays_afterwards() {
    let settings = Settings {
        dt_ms: 0.01,
        tstop_ms: 1.0,
        parameters: vec![
            ("gna".into(), 0.0),
            ("gk".into(), 0.0),
            ("e_syn".into(), -20.0),
            ("synapse.tau_syn".into(), 0.3),
        ],
        ..Settings::default()
    };
    // Compartments so long that they do not see each other.
    let mut fiber = Fiber::new(1.0, 3);
    fiber.compartment_um = Some(1e6);
    let simulation = simulation(&sundt(), vec![fiber], &settings);
    let recorder = ObserverKind::Recorder {
        states: vec![SYNAPTIC_CONDUCTANCE.into()],
        every: 1,
    };
    let recorder = ObserverSpec::new(recorder, NodeSelection::Nodes(vec![0, 1]));
    let conductance_us = 20.0;
    let synapse = Synapse {
        site: Site::Node(1),
        onset_ms: 0.2,
        conductance_us,
    };
    let outcome = simulation
        .run_in_parts(
            &Stimulus::none(1),
            0.0,
            &[recorder],
            Course::whole().opening(synapse),
        )
        .unwrap();
    let Observation::Recorded(found) = &outcome.fibers[0].observations[0] else {
        panic!("a recording")
    };
    assert_eq!(found.t_ms.len(), 101);

    let area_cm2 = std::f64::consts::PI * 1e-4 * 100.0;
    let opened = 1e-6 * conductance_us / area_cm2;
    let (mut v, mut g) = (-60.0_f64, 0.0_f64);
    for step in 0..100 {
        if step == 20 {
            g = opened;
        }
        // c dv/dt = -gl (v - el) - g (v - e): uF/cm2, S/cm2, mV, ms.
        let (gl, rate) = (1e-4, 0.01 * 1e3);
        v = (v + rate * (gl * -60.0 + g * -20.0)) / (1.0 + rate * (gl + g));
        g *= (-0.01_f64 / 0.3).exp();
        let row = 2 * (step + 1);
        assert!(
            (found.v_mv[row + 1] - v).abs() < 1e-6,
            "step {step}: {} {v}",
            found.v_mv[row + 1]
        );
        let at = [found.states[0][row], found.states[0][row + 1]];
        assert!(
            at[0] == 0.0 && (at[1] - g).abs() <= 1e-12 * opened,
            "step {step}: {at:?}"
        );
    }
    assert!(v > -59.0, "{v}");
}

/// The numbers of an observation: those with rounding, and those without.
fn numbers(observation: &Observation) -> (Vec<f64>, Vec<usize>) {
    let single = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect();
    match observation {
        Observation::Active(at) => (Vec::new(), at.iter().copied().collect()),
        Observation::Count(counts) => (Vec::new(), counts.iter().map(|n| *n as usize).collect()),
        Observation::Raster(crossings) => (
            crossings
                .iter()
                .flat_map(|at| [at.time_ms, at.v_mv])
                .collect(),
            crossings
                .iter()
                .flat_map(|at| [at.node, at.state])
                .collect(),
        ),
        Observation::Recorded(recording) => (
            [
                &recording.t_ms[..],
                &recording.v_mv,
                &recording.states.concat(),
            ]
            .concat(),
            recording.nodes.clone(),
        ),
        Observation::Traced(traces) => {
            let rounded: Vec<f64> = single(&traces.values);
            // Single precision: neighbors of what rounds differently.
            let rounded = rounded.iter().map(|x| (x * 1e4).round() * 1e-4);
            (
                traces.t_ms.iter().copied().chain(rounded).collect(),
                traces.nodes.clone(),
            )
        }
        Observation::Maximum(largest) => (largest.clone(), Vec::new()),
        other => panic!("{other:?}"),
    }
}

/// Every observer sees a run whose synapse stays closed as the run in one piece; so does the undecorated model.
#[test]
fn the_two_parts_of_a_run_are_seen_as_one() {
    let settings = Settings {
        tstop_ms: 3.0,
        ..Settings::default()
    };
    let fibers = || vec![Fiber::new(1.0, 61), Fiber::new(0.8, 41)];
    let stimulus = || {
        let pulse = "monophasic:pw=0.3,delay=0.4,scale=-1".parse().unwrap();
        let pulse = std::sync::Arc::new(pulse);
        Stimulus::none(2)
            .inject(0, 5, 0.3, std::sync::Arc::clone(&pulse))
            .inject(1, 15, 0.3, pulse)
    };
    let all = |kind| ObserverSpec::new(kind, NodeSelection::All).threshold_mv(-20.0);
    let recorder = |states: &[&str], every| ObserverKind::Recorder {
        states: states.iter().map(|s| (*s).to_owned()).collect(),
        every,
    };
    let traces = ObserverKind::Traces {
        quantities: vec!["v".into(), "m".into()],
        every: 5,
    };
    let observers = [
        all(ObserverKind::Raster),
        all(ObserverKind::Raster).after_ms(0.9),
        all(ObserverKind::ActionPotentialCount),
        all(ObserverKind::Active { at_least: 1 }),
        all(ObserverKind::Maximum).after_ms(0.5),
        all(recorder(&["h", "n"], 7)).after_ms(0.1),
        all(traces),
    ];
    let decorated = simulation(&sundt(), fibers(), &settings);
    let plain = simulation(&model("sundt").unwrap(), fibers(), &settings);
    let whole = plain.run(&stimulus(), 0.0, &observers).unwrap();
    let crossed =
        matches!(&whole.fibers[0].observations[0], Observation::Raster(x) if x.len() > 50);
    assert!(crossed, "the fiber fires");
    // Before, during and after the action potentials, and at the start.
    for onset_ms in [0.0, 0.35, 0.9, 1.0, 2.0] {
        let synapse = Synapse {
            onset_ms,
            conductance_us: 0.0,
            ..Synapse::default()
        };
        let parts = decorated
            .run_in_parts(
                &stimulus(),
                0.0,
                &observers,
                Course::whole().opening(synapse),
            )
            .unwrap();
        for (whole, parts) in whole.fibers.iter().zip(&parts.fibers) {
            assert_eq!(parts.status, FiberStatus::Completed);
            for (whole, parts) in whole.observations.iter().zip(&parts.observations) {
                let ((whole, counted), (parts, recounted)) = (numbers(whole), numbers(parts));
                assert_eq!(counted, recounted, "{onset_ms} ms");
                // Voltages are relative to a reference within a run, and not between its parts.
                assert!(largest_difference(&whole, &parts) <= 1e-9, "{onset_ms} ms");
            }
            let (whole, parts) = (whole.state.as_ref().unwrap(), parts.state.as_ref().unwrap());
            assert!(largest_difference(&whole.v_mv, &parts.v_mv) <= 1e-9);
            for (whole, parts) in whole.states.iter().zip(&parts.states) {
                assert!(largest_difference(whole, parts) <= 1e-11);
            }
        }
    }
}

#[test]
fn openings_add_up_and_decay() {
    let decorated = simulation(&sundt(), vec![Fiber::new(1.0, 61)], &Settings::default());
    // Two at once, out of order, and one after the others have decayed.
    let opened = [(0.5, 0.02), (0.2, 0.01), (0.5, 0.03), (1.5, 0.1)];
    let mut course = Course::whole();
    for (onset_ms, conductance_us) in opened {
        let site = Site::Node(6);
        course = course.opening(Synapse {
            site,
            onset_ms,
            conductance_us,
        });
    }
    let observer = ObserverSpec::new(
        ObserverKind::Recorder {
            states: vec![SYNAPTIC_CONDUCTANCE.to_owned()],
            every: 1,
        },
        NodeSelection::Nodes(vec![6]),
    );
    let outcome = decorated
        .run_in_parts(&Stimulus::none(1), 0.0, &[observer], course)
        .unwrap();
    let Observation::Recorded(seen) = &outcome.fibers[0].observations[0] else {
        panic!("a recording")
    };
    let area_cm2 = decorated.cable(0).area_cm2(6);
    for (row, t_ms) in seen.t_ms.iter().enumerate() {
        // A row is the state before a synapse opens at its time.
        let each = opened.map(|(onset_ms, us)| match *t_ms > onset_ms + 1e-9 {
            true => 1e-6 * us / area_cm2 * (-(t_ms - onset_ms) / 0.1).exp(),
            false => 0.0,
        });
        let expected: f64 = each.iter().sum();
        let found = seen.states[0][row];
        let tolerance = 1e-12 + 1e-9 * expected;
        assert!(
            (found - expected).abs() <= tolerance,
            "{t_ms} ms: {found} for {expected} S/cm2"
        );
    }
}

#[test]
fn myelinated_fibers_and_surrogates_are_started_as_well() {
    let sites = VelocitySites::nodes(15, 40);
    for id in ["mrg", "two-mode", "smf"] {
        let decorated = WithSynapse::new(model(id).unwrap()).unwrap();
        let fibers = vec![Fiber::new(10.0, 53)];
        let simulation = simulation(&decorated, fibers, &Settings::default());
        // The weights of the surrogates are those of the model.
        let own = Simulation::new(
            &model(id).unwrap(),
            vec![Fiber::new(10.0, 53)],
            &Settings::default(),
            &Device::cpu().unwrap(),
        );
        let own = own.unwrap().schema().parameters.clone();
        assert_eq!(simulation.schema().parameters[..own.len()], own, "{id}");
        let synapse = Synapse {
            site: Site::Node(5),
            onset_ms: 0.5,
            ..Synapse::default()
        };
        let found = simulation.synaptic_velocities(&synapse, &sites).unwrap()[0];
        let velocity = found.m_per_s().unwrap_or_else(|| panic!("{id}: {found:?}"));
        assert!((velocity / 50.38 - 1.0).abs() < 0.1, "{id}: {velocity}");
        assert!(
            found.start().unwrap().node.abs_diff(5) <= 1 && found.start().unwrap().time_ms > 0.5
        );
        // Closed, it starts nothing.
        let closed = Synapse {
            conductance_us: 0.0,
            ..synapse
        };
        let found = simulation.synaptic_velocities(&closed, &sites).unwrap()[0];
        assert_eq!(found.status(), "no_activation", "{id}");
    }
}

#[test]
fn a_conductance_that_is_too_weak_starts_nothing() {
    let simulation = simulation(&sundt(), vec![Fiber::new(1.0, 181)], &published(5.0));
    let weak = Synapse {
        conductance_us: 1e-4,
        ..Synapse::default()
    };
    let sites = VelocitySites::default().threshold_mv(-30.0);
    let found = simulation.synaptic_velocities(&weak, &sites).unwrap()[0];
    assert_eq!((found.status(), found.start()), ("no_activation", None));
}

#[test]
fn what_cannot_be_run_is_refused() {
    let settings = Settings {
        tstop_ms: 2.0,
        ..Settings::default()
    };
    let fibers = || vec![Fiber::new(1.0, 41)];
    let decorated = simulation(&sundt(), fibers(), &settings);
    let refused = |simulation: &Simulation, synapse: Synapse, observers: &[ObserverSpec]| {
        let course = Course::whole().opening(synapse);
        let outcome = simulation.run_in_parts(&Stimulus::none(1), 0.0, observers, course);
        outcome.unwrap_err()
    };
    let usual = Synapse::default();
    for (synapse, part) in [
        (
            Synapse {
                onset_ms: 2.0,
                ..usual
            },
            "onset",
        ),
        (
            Synapse {
                onset_ms: -0.1,
                ..usual
            },
            "onset",
        ),
        (
            Synapse {
                onset_ms: f64::NAN,
                ..usual
            },
            "onset",
        ),
        (
            Synapse {
                conductance_us: -1.0,
                ..usual
            },
            "conductance",
        ),
        (
            Synapse {
                conductance_us: f64::INFINITY,
                ..usual
            },
            "conductance",
        ),
        (
            Synapse {
                site: Site::Node(41),
                ..usual
            },
            "node",
        ),
        (
            Synapse {
                site: Site::Fraction(1.1),
                ..usual
            },
            "fraction",
        ),
    ] {
        let error = refused(&decorated, synapse, &[]).to_string();
        assert!(error.contains(part), "{error}");
    }
    let several = ObserverKind::Active { at_least: 2 };
    let several = ObserverSpec::new(several, NodeSelection::All);
    let error = refused(&decorated, usual, &[several]).to_string();
    assert!(error.contains("at least 2"), "{error}");
    let plain = simulation(&model("sundt").unwrap(), fibers(), &settings);
    let error = refused(&plain, usual, &[]).to_string();
    assert!(error.contains("WithSynapse"), "{error}");
    // Weights of another model, and of this one given twice.
    let other =
        WithSynapse::with_weights(model("sundt").unwrap(), &Weights::Named("smf-mrg".into()));
    assert!(matches!(other, Err(SimulationError::Weights(_))));
    // A fiber that diverges before the onset says so; the other goes on.
    let pulse = std::sync::Arc::new("monophasic:pw=0.1,delay=0.1".parse().unwrap());
    let two = simulation(&sundt(), [fibers(), fibers()].concat(), &settings);
    let stimulus = Stimulus::none(2).inject(0, 20, 1e9, pulse);
    let course = Course::whole().opening(usual);
    let outcome = two.run_in_parts(&stimulus, 0.0, &[], course).unwrap();
    assert!(matches!(
        outcome.fibers[0].status,
        FiberStatus::Diverged { .. }
    ));
    assert_eq!(outcome.fibers[1].status, FiberStatus::Completed);
}
