//! Failures that must not pass for a result: instability, overflow, spontaneous firing, and inconsistent definitions.

use std::f64::consts::PI;
use std::sync::Arc;

use axonml_autodiff::ir::TraceError;
use axonml_core::{CoreError, Medium, PointSource};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Evaluation, Fiber, FiberModel, FiberOutcome, FiberStatus, FiberSymbols, Geometry,
    GradientRequest, InitialState, Instability, LARGEST_MV, Membrane, NodeSelection, Observation,
    ObserverKind, ObserverSpec, Patch, Physical, Precision, RecordedCotangent, Scale, Schema,
    SectionKind, Settings, Simulation, SimulationError, StableGeometry, Stimulus, Threshold,
    ThresholdSearch, Unmyelinated, model,
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
    Simulation::new(&model(id).unwrap(), fibers, settings, &device).unwrap()
}

const SMF_DIAMETERS_UM: [f64; 6] = [5.7, 7.3, 8.7, 10.0, 12.0, 14.0];

// ---- instability and overflow --------------------------------------------------------------------------------------

/// Hyperpolarized by hundreds of mV, both rates of the slow potassium gate are below what single precision has; their
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
    // Pulses are cathodic, so that a negative amplitude hyperpolarizes.
    let last = |_: usize, outcome: &FiberOutcome| {
        let Observation::Recorded(recording) = &outcome.observations[0] else {
            panic!("the only observer is a recorder")
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
        .differentiate(&stimulus, -0.6, &observers, &last, GradientRequest::ALL)
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
            allow_unstable: true,
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
                panic!("dt {dt_ms}, fiber {fiber}: {:?}", result.status)
            };
            assert!(stability > 2.0, "dt {dt_ms}, fiber {fiber}: {stability}");
            assert_eq!(result.state, None);
            let [active, counts, Observation::Raster(crossings)] = &result.observations[..] else {
                panic!("observations in the order of the observers")
            };
            assert_eq!(
                *active,
                Observation::Active(None),
                "dt {dt_ms}, fiber {fiber}"
            );
            assert_eq!(
                *counts,
                Observation::Count(vec![0, 0]),
                "dt {dt_ms}, fiber {fiber}"
            );
            // What happened before is not taken back: near the electrode a node may have been excited while the step
            // was stable yet.
            assert!(crossings.iter().all(|crossing| crossing.state < state));
            assert!(
                dt_ms < 0.1 || crossings.is_empty(),
                "fiber {fiber}: {crossings:?}"
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
            // Untrained, a fiber may also fire by itself before the step becomes unstable.
            let spontaneous = threshold == Threshold::Spontaneous && dt_ms < 0.1;
            let diverged = threshold.status() == "diverged";
            assert!(spontaneous || diverged, "dt {dt_ms}: {threshold:?}");
            assert_eq!((threshold.upper_ma(), threshold.lower_ma()), (None, None));
        }
    }
}

fn instability(id: &str, fiber: Fiber, settings: &Settings) -> Option<Instability> {
    // The first is thin, or cut into long compartments: it is the second that is refused.
    let first = Fiber {
        diameter_um: if id == "smf" { 5.7 } else { 0.5 },
        nodes: 21,
        compartment_um: fiber.compartment_um.map(|_| 500.0),
    };
    let fibers = vec![first, fiber];
    let device = Device::cpu().unwrap();
    match Simulation::new(&model(id).unwrap(), fibers, settings, &device) {
        Ok(_) => None,
        Err(SimulationError::Unstable {
            fiber: 1,
            instability,
        }) => Some(*instability),
        Err(error) => panic!("{error}"),
    }
}

/// The bundled surrogate's coupling is strong: thick fibers cannot be stepped by its own dt.
#[test]
fn an_explicit_fiber_that_is_unstable_at_rest_is_refused_with_what_would_do() {
    let settings = Settings::default();
    let found = instability("smf", Fiber::new(16.0, 53), &settings).unwrap();
    assert!(found.stability > 2.0, "{found:?}");
    assert_eq!((found.diameter_um, found.dt_ms), (16.0, 0.005));
    let message = found.to_string();
    for part in [
        "0.005 ms",
        "16 um",
        "at most 2",
        "a dt of at most 0.00",
        "a diameter of at most 1",
    ] {
        assert!(message.contains(part), "{message}");
    }
    // The advised step is stable, and one not much larger is not.
    let at = |dt_ms: f64| Settings {
        dt_ms,
        ..settings.clone()
    };
    let dt_ms = found.largest_dt_ms;
    assert_eq!(
        instability("smf", Fiber::new(16.0, 53), &at(dt_ms * 0.9999)),
        None
    );
    assert!(instability("smf", Fiber::new(16.0, 53), &at(dt_ms * 1.0001)).is_some());
    let Some(StableGeometry::DiameterAtMostUm(diameter_um)) = found.geometry else {
        panic!("{found:?}")
    };
    assert_eq!(
        instability("smf", Fiber::new(diameter_um - 1e-6, 53), &settings),
        None
    );
    assert!(instability("smf", Fiber::new(diameter_um + 1e-6, 53), &settings).is_some());
    // Settled starts are no way around it; implicit steps have no limit.
    let settled = Settings {
        start: InitialState::Settled { warmup_ms: 1.0 },
        ..settings.clone()
    };
    assert!(instability("smf", Fiber::new(16.0, 53), &settled).is_some());
    let long = Settings {
        dt_ms: 0.5,
        ..Settings::default()
    };
    simulation("mrg", &[16.0], 21, &long);

    // The limit at rest can be passed on request: the run finds out.
    let allowed = Settings {
        allow_unstable: true,
        ..at(0.01)
    };
    let simulation = simulation("smf", &[16.0], 53, &allowed);
    let outcome = simulation.run(&stimulus(1), 0.2, &[]).unwrap();
    let status = outcome.fibers[0].status;
    assert!(matches!(status, FiberStatus::Diverged { .. }), "{status:?}");
}

/// A cylinder's numbers by hand: 4/r_a + g over c/dt, with the leak alone open at rest.
#[test]
fn compartments_too_short_for_the_step_are_refused_with_the_shortest_that_would_do() {
    let fiber = |compartment_um: f64| Fiber {
        compartment_um: Some(compartment_um),
        ..Fiber::new(1.0, 31)
    };
    let settings = Settings::default();
    let found = instability("sundt-explicit", fiber(8.333), &settings).unwrap();
    let number = |length_um: f64| {
        let (d_cm, l_cm) = (1e-4, length_um * 1e-4);
        let area_cm2 = PI * d_cm * l_cm;
        let axial_us = 1e6 * PI * d_cm * d_cm / 4.0 / (100.0 * l_cm);
        // Sodium and potassium are all but closed.
        let rest_us = 1e6 * 1e-4 * area_cm2;
        let capacitance_nf = 1e3 * area_cm2;
        0.005 / capacitance_nf * (4.0 * axial_us + rest_us)
    };
    assert!(
        (found.stability / number(8.333) - 1.0).abs() < 1e-3,
        "{found:?}"
    );
    let Some(StableGeometry::CompartmentAtLeastUm(shortest_um)) = found.geometry else {
        panic!("{found:?}")
    };
    assert!(
        (number(shortest_um) / 2.0 - 1.0).abs() < 1e-3,
        "{shortest_um} um"
    );
    assert_eq!(
        instability("sundt-explicit", fiber(shortest_um + 1e-4), &settings),
        None
    );
    assert!(instability("sundt-explicit", fiber(shortest_um - 1e-4), &settings).is_some());
    let message = found.to_string();
    assert!(
        message.contains("compartments of 8.333 um") && message.contains("of at least"),
        "{message}"
    );
}

/// Backward Euler stays finite at any amplitude; voltages of kilovolts are no result all the same.
#[test]
fn voltages_that_no_membrane_has_are_no_result() {
    for (id, diameter_um, amplitude_ma) in
        [("hh", 10.0, 1e300), ("mrg", 10.0, 1e9), ("sundt", 1.0, 1e9)]
    {
        let simulation = simulation(id, &[diameter_um], 21, &Settings::default());
        let active = ObserverSpec::new(ObserverKind::Active { at_least: 1 }, NodeSelection::All);
        let outcome = simulation
            .run(&stimulus(1), amplitude_ma, &[active])
            .unwrap();
        let status = outcome.fibers[0].status;
        let FiberStatus::Diverged { state, v_mv, .. } = status else {
            panic!("{id}: {status:?}")
        };
        assert_eq!(state, 21, "{id}");
        assert!(v_mv.abs() > LARGEST_MV, "{id}: {v_mv}");
        assert_eq!(outcome.fibers[0].state, None);
        assert_eq!(outcome.fibers[0].observations, [Observation::Active(None)]);
        let message = simulation.divergence(0, status).unwrap().to_string();
        assert!(message.contains("exceeds 10000 mV"), "{message}");
        assert!(message.len() < 200, "{message}");
    }
}

/// A current that is stepped at the voltage before it can draw more calcium than there is. Logarithms of a negative
/// concentration are no numbers: the run ends there instead of going on with gates of 1e37.
#[test]
fn a_negative_concentration_ends_the_run() {
    let electrode = PointSource {
        x_um: 150.0,
        y_um: 0.0,
        z_um: 40.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "biphasic:pw=0.1,gap=0.02,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
    for id in ["schild94", "schild97", "thio-autonomic"] {
        for precision in [Precision::F64, Precision::F32] {
            let settings = Settings {
                precision,
                tstop_ms: 1.0,
                ..Settings::default()
            };
            let simulation = simulation(id, &[1.5], 51, &settings);
            let inside = simulation.schema().states.iter();
            let inside = inside.filter(|name| name.ends_with("ca.inside"));
            let recorder = ObserverKind::Recorder {
                states: inside.map(|name| name.to_string()).collect(),
                every: 1,
            };
            let recorder = ObserverSpec::new(recorder, NodeSelection::All);
            let outcome = simulation.run(&stimulus, 1.6, &[recorder]).unwrap();
            let fiber = &outcome.fibers[0];
            let FiberStatus::Diverged { state, node, .. } = fiber.status else {
                panic!("{id}: {:?}", fiber.status)
            };
            let Observation::Recorded(recorded) = &fiber.observations[0] else {
                panic!("nothing recorded")
            };
            // No recorded concentration is below zero but those of the last state.
            let calcium = &recorded.states[0];
            let before = state.saturating_sub(1) * 51;
            assert!(calcium[..before].iter().all(|&mm| mm > 0.0), "{id} {node}");
            let message = simulation.divergence(0, fiber.status).unwrap().to_string();
            assert!(message.contains("not a finite number"), "{message}");
        }
    }
}

// ---- constants -----------------------------------------------------------------------------------------------------

#[test]
fn constants_out_of_their_physical_range_are_refused() {
    let refused = |id: &str, name: &str, value: f64| {
        let settings = Settings {
            parameters: vec![(name.into(), value)],
            weights: Weights::Published,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(if id == "sundt" { 1.0 } else { 10.0 }, 21)];
        let device = Device::cpu().unwrap();
        Simulation::new(&model(id).unwrap(), fibers, &settings, &device).err()
    };
    for (id, name, value, expected) in [
        ("mrg", "conductance.gl", -1.0, "of at least 0"),
        ("mrg", "gna", -1e-9, "of at least 0"),
        ("mrg", "g_lamella", -1e-3, "of at least 0"),
        ("mrg", "passive.cm", 0.0, "above 0"),
        ("mrg", "c_lamella", -0.1, "above 0"),
        ("mrg", "passive.ra", -70.0, "above 0"),
        ("sundt", "ra", 0.0, "above 0"),
        ("smf", "passive.rhoa", 0.0, "above 0"),
        ("smf", "gkbar", -0.08, "of at least 0"),
        ("smf", "temperature.aq10_1", 0.0, "above 0"),
        ("two-mode", "cq10_3", 0.0, "above 0"),
        ("two-mode", "bq10_3", -300.0, "above -273.15"),
    ] {
        let error = refused(id, name, value);
        let Some(SimulationError::Core(CoreError::BadValue {
            what,
            found,
            expected: bound,
        })) = &error
        else {
            panic!("{id}, {name} = {value}: {error:?}")
        };
        let short = name.rsplit('.').next().unwrap();
        assert!(what.contains(short) && what.contains(id), "{what}");
        assert!(found.starts_with(&value.to_string()), "{found}");
        assert!(bound.contains(expected), "{bound}");
    }
    // No conductance is none; potentials and coefficients of polynomials have either sign.
    for (id, name, value) in [
        ("mrg", "gna", 0.0),
        ("mrg", "g_lamella", 0.0),
        ("mrg", "el", -120.0),
        ("smf", "vtraub", 3.0),
        ("smf", "deltax1", -8.0),
        ("two-mode", "noded3", 0.6),
    ] {
        assert_eq!(refused(id, name, value), None, "{id}, {name}");
    }
}

/// So strong a current carries the passive twin of a fiber beyond what counts as finite, but not the fiber, whose
/// conductances hold it: that fiber fires by itself, and its neighbor has the threshold that it has alone.
#[test]
fn a_passive_twin_that_diverges_takes_no_fiber_with_it() {
    let simulation = simulation("mrg", &[10.0, 10.0], 21, &Settings::default());
    let pulse: axonml_core::Waveform = "monophasic:pw=0.1,delay=1".parse().unwrap();
    let strong = stimulus(2).inject(0, 10, 700.0, Arc::new(pulse.flipped()));
    let options = ThresholdSearch::default();
    let found = simulation
        .thresholds(&strong, &options, &mut |_| ())
        .unwrap();
    assert_eq!(found[0], Threshold::Spontaneous);
    let alone = simulation.thresholds(&stimulus(2), &options, &mut |_| ());
    assert_eq!(found[1], alone.unwrap()[1]);
    assert_eq!(found[1].status(), "ok");
}

/// The untrained constants are a starting point for training: with them a fiber has no threshold.
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
fn a_run_that_someone_watches_goes_on_without_the_fiber_that_diverged() {
    let simulation = simulation("mrg", &[10.0, 10.0], 21, &Settings::default());
    let mut seen = Vec::new();
    let mut look = |step: usize, states: &mut [Option<axonml_models::FiberState>]| {
        seen.push((step, states[0].is_some(), states[1].is_some()));
        Ok(false)
    };
    let course = axonml_models::Course::whole()
        .end(40)
        .looking(10, &mut look);
    let outcome = simulation
        .run_in_parts(&stimulus(2), vec![1e307, 0.1], &[], course)
        .unwrap();
    let error = simulation.divergence(0, outcome.fibers[0].status).unwrap();
    assert!(
        matches!(error, SimulationError::Diverged { fiber: 0, .. }),
        "{error}"
    );
    let both = |step| (step, true, true);
    let one = |step| (step, false, true);
    assert_eq!(seen, [both(10), both(20), one(30), one(40)]);
    assert_eq!(outcome.fibers[0].state, None);
    let alone = simulation.run_in_parts(
        &stimulus(2),
        0.1,
        &[],
        axonml_models::Course::whole().end(40),
    );
    let v_mv = |of: &axonml_models::FiberOutcome| of.state.as_ref().unwrap().v_mv.clone();
    let alone = v_mv(&alone.unwrap().fibers[1]);
    let each = alone.iter().zip(v_mv(&outcome.fibers[1]));
    each.for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} {b}"));
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
    let error = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap_err();
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

/// A passive fiber with one gate, and with a mistake.
#[derive(Clone, Copy)]
enum Mistake {
    None,
    State,
    Parameter,
    GeometryParameter,
    Forgotten,
    Misspelt,
    Surplus,
    Trained,
    Kept,
    Ranged,
    Ratio,
    TooEarly,
}

impl FiberModel for Mistake {
    fn schema(&self) -> Schema {
        let schema = Schema::new("mistaken", "a model with a mistake in it");
        let schema = match self {
            Mistake::TooEarly => schema.train(&["gleak"], Scale::Factor),
            _ => schema,
        };
        let schema = schema
            .states(["alpha", "beta"])
            .param("conductance", "gleak", 0.001, "S/cm2")
            .param("passive", "resistivity", 100.0, "ohm cm")
            .diameters_um(0.1..=10.0)
            .compartment_um(10.0);
        let to = match self {
            Mistake::Ratio => "resistivty",
            _ => "resistivity",
        };
        match self {
            Mistake::Trained => schema.train(&["gleak", "gleek"], Scale::Factor),
            Mistake::Kept => schema.keep_within("gleek", 0.0..=1.0),
            Mistake::Ranged => schema.physical(&["gleek"], Physical::Any),
            _ => schema
                .train(&["conductance"], Scale::Ratio { to, share: 0.1 })
                .keep_within("gleak", 0.0..=1.0),
        }
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
        (Mistake::Trained, "gleek", "gleak"),
        (Mistake::Kept, "gleek", "gleak"),
        (Mistake::Ranged, "gleek", "gleak"),
        (Mistake::Ratio, "resistivty", "resistivity"),
        (Mistake::TooEarly, "gleak", "gleak"),
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
    for (mistake, text) in [
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
        assert!(problem.contains(text), "lacks `{text}`: {problem}");
    }
}
