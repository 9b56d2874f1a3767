//! What must not pass for a result: instability, overflow, spontaneous firing, and definitions that do not fit.

use std::sync::Arc;

use axonml_autodiff::TraceError;
use axonml_core::{CoreError, Medium, PointSource};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, FiberStatus, FiberSymbols, Geometry,
    Membrane, NodeSelection, Observation, ObserverKind, ObserverSpec, Patch, Precision,
    RecordedCotangent, Schema, SectionKind, Settings, Simulation, SimulationError, Stimulus,
    Threshold, ThresholdSearch, Unmyelinated, Wanted, model,
};

fn stimulus(fibers: usize) -> Stimulus {
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    Stimulus::uniform(fibers, Arc::new(electrode), pulse)
}

fn simulation(id: &str, diameters_um: &[f64], nodes: usize, settings: &Settings) -> Simulation {
    let fibers = diameters_um.iter().map(|&d| Fiber::new(d, nodes)).collect();
    let device = Device::cpu().unwrap();
    Simulation::new(model(id).unwrap(), fibers, settings, &device).unwrap()
}

const SMF_DIAMETERS_UM: [f64; 6] = [5.7, 7.3, 8.7, 10.0, 12.0, 14.0];

// ---- instability and overflow --------------------------------------------------------------------------------------

/// Hyperpolarised by hundreds of mV, both rates of the slow potassium gate are below what single precision has; their
/// quotient and its derivative are numbers all the same.
#[test]
fn rates_that_vanish_together_are_no_divergence() {
    let named = [("gl", 0.09), ("el", -80.8), ("asC", -2.5), ("bsC", -1.5)];
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 1.0,
        weights: Weights::Published,
        parameters: named.map(|(name, x)| (name.to_owned(), x)).to_vec(),
        ..Settings::default()
    };
    let simulation = simulation("smf", &[8.0], 21, &settings);
    let near = PointSource {
        x_um: 250.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(near), pulse);
    let everywhere = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let observers = [ObserverSpec::new(everywhere, NodeSelection::All)];
    // Pulses are cathodic, so that a negative amplitude hyperpolarises.
    let last = |_: usize, outcome: &FiberOutcome| {
        let Observation::Recorded(recording) = &outcome.observations[0] else {
            panic!("a recorder was asked for")
        };
        let least = recording.v_mv.iter().copied().fold(0.0, f64::min);
        assert!(least < -350.0, "{least}");
        let mut v_mv = vec![0.0; recording.v_mv.len()];
        v_mv[recording.v_mv.len() - 11] = 1.0;
        Evaluation {
            loss: recording.v_mv[recording.v_mv.len() - 11],
            recorded: vec![Some(RecordedCotangent {
                v_mv,
                states: Vec::new(),
            })],
            state: None,
        }
    };
    let found = simulation
        .differentiate(&stimulus, -0.6, &observers, &last, Wanted::ALL)
        .unwrap();
    assert_eq!(found[0].outcome.status, FiberStatus::Completed);
    assert!(found[0].gradient.is_some());
}

/// Twenty times the trained step takes the voltage across 0 mV within a step and on to 1e308 mV; twice the step makes
/// garbage of hundreds of mV that never becomes NaN. Neither is an action potential.
#[test]
fn an_unstable_surrogate_diverges_and_does_not_spike() {
    for dt_ms in [0.1, 0.01] {
        let settings = Settings {
            dt_ms,
            weights: Weights::Published,
            ..Settings::default()
        };
        let simulation = simulation("smf", &SMF_DIAMETERS_UM, 21, &settings);
        let nodes = || NodeSelection::Nodes(vec![5, -5]);
        let observers = [
            ObserverSpec::new(ObserverKind::Active { at_least: 1 }, nodes()),
            ObserverSpec::new(ObserverKind::ActionPotentialCount, nodes()),
            ObserverSpec::new(ObserverKind::Raster, NodeSelection::All),
        ];
        let outcome = simulation.run(&stimulus(6), 1.0, &observers).unwrap();
        for (fiber, result) in outcome.fibers.iter().enumerate() {
            let FiberStatus::Diverged {
                state,
                stability: Some(stability),
                ..
            } = result.status
            else {
                panic!("dt {dt_ms}, fibre {fiber}: {:?}", result.status)
            };
            assert!(stability > 3.0, "dt {dt_ms}, fibre {fiber}: {stability}");
            assert_eq!(result.state, None);
            let [active, counts, Observation::Raster(crossings)] = &result.observations[..] else {
                panic!("observations in the order of the observers")
            };
            assert_eq!(
                *active,
                Observation::Active(None),
                "dt {dt_ms}, fibre {fiber}"
            );
            assert_eq!(
                *counts,
                Observation::Count(vec![0, 0]),
                "dt {dt_ms}, fibre {fiber}"
            );
            // What happened before is not taken back: near the electrode a node may have been excited while the step
            // was stable yet.
            assert!(crossings.iter().all(|crossing| crossing.state < state));
            assert!(
                dt_ms < 0.1 || crossings.is_empty(),
                "fibre {fiber}: {crossings:?}"
            );
            let error = simulation.divergence(fiber, result.status).unwrap();
            let message = error.to_string();
            assert!(
                message.contains("reduce dt") && message.contains("stability number"),
                "{message}"
            );
        }
        let options = ThresholdSearch::default();
        let found = simulation.thresholds(&stimulus(6), &options, &mut |_| ());
        for threshold in found.unwrap() {
            // Untrained, a fibre may also fire by itself before the step becomes unstable.
            let spontaneous = threshold == Threshold::Spontaneous && dt_ms < 0.1;
            let diverged = threshold.status() == "diverged";
            assert!(spontaneous || diverged, "dt {dt_ms}: {threshold:?}");
            assert_eq!((threshold.upper_ma(), threshold.lower_ma()), (None, None));
        }
    }
}

/// The untrained constants are a starting point for training: with them a fibre has no threshold.
#[test]
fn an_untrained_surrogate_fires_by_itself() {
    let published = Settings {
        weights: Weights::Published,
        ..Settings::default()
    };
    let simulation = simulation("smf", &SMF_DIAMETERS_UM, 21, &published);
    let options = ThresholdSearch::default();
    let found = simulation.thresholds(&stimulus(6), &options, &mut |_| ());
    assert_eq!(found.unwrap(), [Threshold::Spontaneous; 6]);
}

#[test]
fn an_absurd_amplitude_diverges_at_a_node_and_a_state() {
    // Backward Euler stays finite for long: only potentials that overflow the number itself are beyond it.
    for (precision, amplitude_ma) in [(Precision::F64, 1e307), (Precision::F32, 1e37)] {
        let settings = Settings {
            precision,
            ..Settings::default()
        };
        let simulation = simulation("mrg", &[5.7, 10.0], 21, &settings);
        let active = ObserverSpec::new(ObserverKind::Active { at_least: 1 }, NodeSelection::All);
        let outcome = simulation
            .run(&stimulus(2), amplitude_ma, &[active])
            .unwrap();
        for (fiber, result) in outcome.fibers.iter().enumerate() {
            let FiberStatus::Diverged {
                state,
                node,
                stability: None,
                v_mv,
            } = result.status
            else {
                panic!("{precision:?}: {:?}", result.status)
            };
            // The pulse begins at 0.1 ms: step 20 leads to state 21.
            assert!((21..=24).contains(&state), "{precision:?}: state {state}");
            assert!(node < 21, "{precision:?}: node {node}");
            assert!(
                !v_mv.is_finite() || v_mv.abs() > 1e30,
                "{precision:?}: {v_mv} mV"
            );
            assert_eq!(result.state, None);
            let error = simulation.divergence(fiber, result.status).unwrap();
            let time_ms = simulation.grid().time_ms(state);
            let SimulationError::Diverged {
                fiber: f,
                node: n,
                time_ms: t,
                ..
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!((f, n, t), (fiber, node, time_ms));
        }
    }
}

#[test]
fn a_run_that_someone_watches_ends_with_the_divergence() {
    struct Steps(Vec<usize>);
    impl axonml_models::Observer for Steps {
        fn observe(&mut self, step: usize, _states: &[axonml_models::FiberState]) {
            self.0.push(step);
        }
    }
    let simulation = simulation("mrg", &[10.0], 21, &Settings::default());
    let mut seen = Steps(Vec::new());
    let error = simulation
        .run_observed(&stimulus(1), 1e307, 10, &mut seen)
        .unwrap_err();
    assert!(
        matches!(error, SimulationError::Diverged { fiber: 0, .. }),
        "{error}"
    );
    assert_eq!(seen.0, [10, 20]);
}

// ---- names ---------------------------------------------------------------------------------------------------------

#[test]
fn an_unknown_parameter_is_answered_with_the_nearest() {
    let settings = Settings {
        parameters: vec![("gnaa".into(), 1.0)],
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let fibers = vec![Fiber::new(10.0, 21)];
    let error = Simulation::new(model("mrg").unwrap(), fibers, &settings, &device).unwrap_err();
    let message = error.to_string();
    let SimulationError::Core(CoreError::UnknownName {
        what,
        found,
        nearest,
        valid,
    }) = error
    else {
        panic!("{message}")
    };
    assert!(what.contains("mrg"), "{what}");
    assert_eq!((found.as_str(), nearest.as_deref()), ("gnaa", Some("gna")));
    assert!(valid.contains(&"conductance.gna".to_owned()), "{valid:?}");
}

#[test]
fn an_unknown_model_is_answered_with_the_nearest() {
    let error = model("sundtt").map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, CoreError::UnknownName { nearest: Some(n), .. } if n == "sundt"),
        "{error}"
    );
}

/// A passive fibre with one gate, and with a mistake.
#[derive(Clone, Copy)]
enum Mistake {
    None,
    State,
    Parameter,
    GeometryParameter,
    Forgotten,
    Misspelt,
    Surplus,
}

impl FiberModel for Mistake {
    fn schema(&self) -> Schema {
        Schema::new("mistaken", "a model with a mistake in it")
            .states(["alpha", "beta"])
            .param("conductance", "gleak", 0.001, "S/cm2")
            .param("passive", "resistivity", 100.0, "ohm cm")
            .diameters_um(0.1..=10.0)
            .compartment_um(10.0)
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let resistivity = match self {
            Mistake::GeometryParameter => "resistivty",
            _ => "resistivity",
        };
        Geometry::Unmyelinated(Unmyelinated {
            compartment_um: fiber.compartment_um(),
            diameter_um: fiber.diameter(),
            capacitance_uf_cm2: fiber.number(1.0),
            axial_ohm_cm: fiber.param(resistivity),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let open = match self {
            Mistake::State => x.state("alhpa"),
            _ => x.state("alpha"),
        };
        let leak = match self {
            Mistake::Parameter => x.param("gleek"),
            _ => x.param("gleak"),
        };
        let half = x.number(0.5);
        let membrane = Membrane::new()
            .ohmic(leak * (1.0 + open), x.number(-70.0))
            .gate("alpha", half, half);
        match self {
            Mistake::Forgotten => membrane,
            Mistake::Misspelt => membrane.gate("betta", half, half),
            Mistake::Surplus => membrane.gate("beta", half, half).gate("gamma", half, half),
            _ => membrane.gate("beta", half, half),
        }
    }
}

fn trace(mistake: Mistake) -> Result<(), SimulationError> {
    let device = Device::cpu().unwrap();
    let fibers = vec![Fiber::new(1.0, 5)];
    Simulation::new(&mistake, fibers, &Settings::default(), &device).map(|_| ())
}

#[test]
fn a_misspelt_name_in_a_model_is_answered_with_the_nearest() {
    assert_eq!(trace(Mistake::None), Ok(()));
    for (mistake, name, nearest) in [
        (Mistake::State, "alhpa", "alpha"),
        (Mistake::Parameter, "gleek", "gleak"),
        (Mistake::GeometryParameter, "resistivty", "resistivity"),
    ] {
        let expected = TraceError::UnknownName {
            model: "mistaken".into(),
            name: name.into(),
            nearest: Some(nearest.into()),
        };
        assert_eq!(trace(mistake), Err(SimulationError::Trace(expected)));
    }
}

#[test]
fn a_membrane_updates_every_declared_state_and_no_other() {
    for (mistake, told) in [
        (Mistake::Forgotten, "no update for state `beta`"),
        (Mistake::Misspelt, "`beta` (is it `betta`?)"),
        (
            Mistake::Surplus,
            "which the schema does not declare as a state",
        ),
    ] {
        let error = trace(mistake).unwrap_err();
        let SimulationError::Trace(TraceError::Inconsistent { model, problem }) = &error else {
            panic!("{error}")
        };
        assert_eq!(model, "mistaken");
        assert!(problem.contains(told), "does not say `{told}`: {problem}");
    }
}
