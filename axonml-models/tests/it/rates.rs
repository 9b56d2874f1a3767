//! Runs with tables of rates against runs with their formulas.

use std::sync::Arc;

use axonml_autodiff::engine::Rates;
use axonml_core::{Medium, PointSource, Waveform};
use axonml_cpu::{CpuBackend, Isa, Reference};
use axonml_models::{
    Device, Evaluation, Fiber, FiberOutcome, FiberStatus, GradientRequest, InitialState,
    NodeSelection, Objective, Observation, ObserverKind, ObserverSpec, Precision, RateEvaluation,
    RecordedCotangent, Settings, Simulation, Stimulus, Threshold, ThresholdSearch, VOLTAGE, model,
};

const IDS: [&str; 4] = ["mrg", "smf", "two-mode", "sundt"];

fn settings(rates: RateEvaluation) -> Settings {
    Settings {
        precision: Precision::F32,
        rates,
        tstop_ms: 3.0,
        ..Settings::default()
    }
}

fn fibers(id: &str) -> Vec<Fiber> {
    let diameters_um = match id {
        "sundt" => [0.8, 1.0, 1.2],
        _ => [5.7, 8.7, 11.5],
    };
    diameters_um.map(|d| Fiber::new(d, 31)).to_vec()
}

fn simulation(id: &str, settings: &Settings, device: Device) -> Simulation {
    Simulation::new(&model(id).unwrap(), fibers(id), settings, &device).unwrap()
}

fn stimulus(id: &str, fibers: usize, pulse: &str) -> Stimulus {
    let source = PointSource {
        x_um: if id == "sundt" { 100.0 } else { 1000.0 },
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = pulse.parse().unwrap();
    Stimulus::uniform(fibers, Arc::new(source), pulse)
}

const CATHODIC: &str = "monophasic:pw=0.1,delay=0.1,scale=-1";

fn tables(simulation: &Simulation) -> usize {
    match simulation.rates() {
        Rates::Table(step) => step.tables.len(),
        Rates::Exact => 0,
    }
}

/// Voltages of all nodes at all states, mV.
fn voltages_mv(outcome: &[FiberOutcome]) -> Vec<f32> {
    let of = |fiber: &FiberOutcome| {
        assert_eq!(fiber.status, FiberStatus::Completed);
        match &fiber.observations[0] {
            Observation::Traced(traces) => traces.values.clone(),
            other => panic!("{other:?}"),
        }
    };
    outcome.iter().flat_map(of).collect()
}

fn recorder() -> ObserverSpec {
    let kind = ObserverKind::Traces {
        quantities: vec![VOLTAGE.to_owned()],
        every: 1,
    };
    ObserverSpec::new(kind, NodeSelection::All)
}

/// Two tables for each gate that is not too steep. The total of their bounds stays below 2e-7 of the largest decay, and so
/// below 2e-7.
#[test]
fn gates_that_are_not_too_steep_have_tables() {
    for (id, expected) in IDS.into_iter().zip([6, 2, 6, 8]) {
        let simulation = simulation(id, &settings(RateEvaluation::Table), Device::cpu().unwrap());
        assert_eq!(tables(&simulation), expected, "{id}");
        let Rates::Table(step) = simulation.rates() else {
            panic!("{id}")
        };
        for pair in step.tables.chunks(2) {
            assert!(pair[0].bound + pair[1].bound <= 2e-7, "{id}");
        }
    }
}

/// The voltage of fibers that are stimulated below threshold differs by less than 1 uV; in firing ones a shift of the action
/// potential in time adds to that.
#[test]
fn voltages_are_those_of_exact_rates() {
    for (id, below_ma, above_ma) in [
        ("mrg", 0.1, 2.0),
        ("smf", 0.1, 2.0),
        ("two-mode", 0.1, 2.0),
        ("sundt", 0.02, 1.0),
    ] {
        let of = |rates: RateEvaluation, amplitude_ma: f64| {
            let simulation = simulation(id, &settings(rates), Device::cpu().unwrap());
            let stimulus = stimulus(id, 3, CATHODIC);
            let outcome = simulation.run(&stimulus, amplitude_ma, &[recorder()]);
            voltages_mv(&outcome.unwrap().fibers)
        };
        for (amplitude_ma, tolerance_mv) in [(below_ma, 1e-3), (above_ma, 0.05)] {
            let [exact, table] =
                [RateEvaluation::Exact, RateEvaluation::Table].map(|rates| of(rates, amplitude_ma));
            let differences = exact.iter().zip(&table).map(|(a, b)| (a - b).abs());
            let largest = differences.fold(0.0, f32::max);
            assert!(largest > 0.0, "{id}: tables were not used");
            assert!(
                largest < tolerance_mv,
                "{id} at {amplitude_ma} mA: {largest} mV"
            );
        }
    }
}

/// Brackets overlap: thresholds agree within 1e-5 beyond the resolution.
#[test]
fn thresholds_are_those_of_exact_rates() {
    const RESOLUTION: f64 = 1e-5;
    for id in IDS {
        for pulse in [CATHODIC, "biphasic:pw=0.2,delay=0.1"] {
            let of = |rates: RateEvaluation| {
                let simulation = simulation(id, &settings(rates), Device::cpu().unwrap());
                let search = ThresholdSearch {
                    resolution: RESOLUTION,
                    ..ThresholdSearch::default()
                };
                let found = simulation.thresholds(&stimulus(id, 3, pulse), &search, &mut |_| ());
                found.unwrap()
            };
            let (exact, table) = (of(RateEvaluation::Exact), of(RateEvaluation::Table));
            for (exact, table) in exact.into_iter().zip(table) {
                let (Some(exact), Some(table)) = (bracket(&exact), bracket(&table)) else {
                    panic!("{id} {pulse}: {exact:?} {table:?}");
                };
                let apart = (exact.0 - table.1).max(table.0 - exact.1);
                assert!(apart <= 1e-5 * exact.1, "{id} {pulse}: {exact:?} {table:?}");
            }
        }
    }
}

fn bracket(threshold: &Threshold) -> Option<(f64, f64)> {
    match threshold {
        Threshold::Found {
            lower_ma, upper_ma, ..
        } => Some((*lower_ma, *upper_ma)),
        _ => None,
    }
}

/// A fiber driven far beyond the tables gives the same bytes alone as beside fibers that are not, which give theirs; so do
/// interpreted programs, on every instruction set.
#[test]
fn results_depend_on_nothing_but_the_fiber() {
    for id in IDS {
        for isa in Isa::available() {
            let run = |backend: CpuBackend, chosen: &[usize]| {
                let settings = settings(RateEvaluation::Table);
                let all = fibers(id);
                let some = chosen.iter().map(|&fiber| all[fiber]).collect();
                let simulation = Simulation::new(
                    &model(id).unwrap(),
                    some,
                    &settings,
                    &Device::custom(backend),
                );
                let amplitudes_ma = chosen.iter().map(|&fiber| [0.05, 8.0, 0.3][fiber]);
                let stimulus = stimulus(id, chosen.len(), CATHODIC);
                let outcome = simulation.unwrap().run(
                    &stimulus,
                    amplitudes_ma.collect::<Vec<f64>>(),
                    &[recorder()],
                );
                let fibers = outcome.unwrap().fibers.into_iter();
                fibers
                    .map(|fiber| voltages_mv(&[fiber]))
                    .collect::<Vec<_>>()
            };
            let together = run(CpuBackend::with_isa(isa), &[0, 1, 2]);
            let beyond = together[1]
                .iter()
                .any(|v_mv| !(-115.0..=60.0).contains(v_mv));
            assert!(beyond, "{id}: no node left the tables");
            for fiber in 0..3 {
                let alone = run(CpuBackend::with_isa(isa), &[fiber]);
                assert_eq!(alone[0], together[fiber], "{id} on {isa}");
            }
            let interpreted = run(CpuBackend::with_isa(isa).interpreting(), &[0, 1, 2]);
            assert_eq!(interpreted, together, "{id} on {isa}");
        }
    }
}

/// The voltage of the middle node at the end, with its derivative.
struct LastVoltage;

impl Objective for LastVoltage {
    fn evaluate(&self, _fiber: usize, outcome: &FiberOutcome) -> Evaluation {
        let Observation::Recorded(recording) = &outcome.observations[0] else {
            panic!("there is one recorder")
        };
        let last = recording.v_mv.len() - 1;
        let mut v_mv = vec![0.0; last + 1];
        v_mv[last] = 1.0;
        Evaluation {
            loss: recording.v_mv[last],
            recorded: vec![Some(RecordedCotangent {
                v_mv,
                states: Vec::new(),
            })],
            state: None,
        }
    }
}

/// Derivatives are those of runs with exact rates; steady starts are found with exact rates as well, in steps of their own.
#[test]
fn gradients_and_steady_starts_are_exact() {
    let of = |rates: RateEvaluation| {
        let settings = Settings {
            start: InitialState::Settled { warmup_ms: 20.0 },
            tstop_ms: 0.5,
            ..settings(rates)
        };
        let simulation = simulation("mrg", &settings, Device::cpu().unwrap());
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: 1,
        };
        let recorder = ObserverSpec::new(kind, NodeSelection::Nodes(vec![15]));
        let request = GradientRequest {
            parameters: false,
            waveforms: true,
            fields: false,
            cables: false,
            gains: false,
        };
        let stimulus = stimulus("mrg", 3, CATHODIC);
        let found = simulation.differentiate(&stimulus, 0.1, &[recorder], &LastVoltage, request);
        let gradients = found.unwrap().into_iter().map(|each| each.gradient);
        (
            gradients.collect::<Vec<_>>(),
            simulation.initial_states().unwrap(),
        )
    };
    assert_eq!(of(RateEvaluation::Exact), of(RateEvaluation::Table));
}

#[test]
fn tables_are_refused_where_there_are_none() {
    let refused = |precision: Precision, device: Device| {
        let settings = Settings {
            precision,
            ..settings(RateEvaluation::Table)
        };
        let made = Simulation::new(&model("mrg").unwrap(), fibers("mrg"), &settings, &device);
        made.unwrap_err().to_string()
    };
    let double = refused(Precision::F64, Device::cpu().unwrap());
    assert!(
        double.contains("`f64`") && double.contains("f32"),
        "{double}"
    );
    let reference = refused(Precision::F32, Device::custom(Reference));
    assert!(
        reference.contains("`reference (scalar f64)`"),
        "{reference}"
    );

    // Tables of one time step are not those of another, and reverse mode has none.
    let simulation = simulation(
        "mrg",
        &settings(RateEvaluation::Table),
        Device::cpu().unwrap(),
    );
    let mut rollout = simulation
        .rollout(&stimulus("mrg", 3, CATHODIC), &[])
        .unwrap();
    rollout.check().unwrap();
    assert!(rollout.check_differentiable().is_err());
    rollout.v_reference_mv += 1.0;
    let error = rollout.check().unwrap_err().to_string();
    assert!(error.contains("make them anew"), "{error}");
}

/// A fiber need not fire with exact rates at its threshold by tables: its gradient is refused.
#[test]
fn gradients_of_thresholds_are_refused() {
    let settings = settings(RateEvaluation::Table);
    let simulation = simulation("mrg", &settings, Device::cpu().unwrap());
    let fibers = simulation.fibers().len();
    let stimulus = stimulus("mrg", fibers, "monophasic:pw=0.1,delay=0.1");
    let known = vec![Some(0.2); fibers];
    let request = GradientRequest::default();
    let search = ThresholdSearch::default();
    let error = simulation
        .threshold_gradients(&stimulus, &search, &known, request)
        .unwrap_err();
    assert!(error.to_string().contains("exact"), "{error}");
}
