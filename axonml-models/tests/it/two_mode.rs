//! The two-mode surrogate, untrained, against the exact fiber that its defaults are derived from.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, FiberStatus, NodeSelection, Observation, ObserverKind, ObserverSpec, Precision,
    Settings, Simulation, Stimulus, ThresholdSearch, model,
};

/// Diameter, electrode's distance and place along the fiber (in node spacings), pulse.
struct Case {
    diameter_um: f64,
    distance_um: f64,
    offset: f64,
    pulse: String,
}

/// Cases spread over their ranges by the multiples of irrational numbers.
fn cases(count: usize) -> Vec<Case> {
    let shapes = [
        "monophasic:pw=#",
        "biphasic:pw=#",
        "monophasic:pw=#,scale=-1",
        "asymmetric-biphasic:pw=#",
        "triangle:pw=#",
        "sine-cycle:pw=#",
        "gaussian:pw=#",
        "biphasic:pw=#,scale=-1",
    ];
    let case = |k: usize| {
        let spread = |root: f64| (k as f64 * root.sqrt() + 0.5).fract();
        let between = |x: f64, low: f64, high: f64| low * (high / low).powf(x);
        // Whole steps of 0.005 ms, an even number of them: halves are whole too.
        let pw_ms = (between(spread(2.0), 0.02, 0.5) / 0.01).round() * 0.01;
        let text = shapes[k % shapes.len()].replace('#', &format!("{pw_ms:.2}"));
        Case {
            diameter_um: 5.7 + 8.3 * spread(3.0),
            distance_um: between(spread(5.0), 300.0, 2300.0),
            offset: spread(7.0) - 0.5,
            pulse: text,
        }
    };
    (0..count).map(case).collect()
}

fn simulation(id: &str, fibers: Vec<Fiber>, settings: &Settings) -> Simulation {
    let device = Device::cpu().unwrap();
    Simulation::new(&model(id).unwrap(), fibers, settings, &device).unwrap()
}

fn thresholds_ma(id: &str, cases: &[Case]) -> Vec<f64> {
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 4.0,
        weights: Weights::Published,
        ..Settings::default()
    };
    let fibers = cases
        .iter()
        .map(|c| Fiber::new(c.diameter_um, 53))
        .collect();
    let simulation = simulation(id, fibers, &settings);
    let mut stimulus = Stimulus::none(cases.len());
    for (fiber, case) in cases.iter().enumerate() {
        let waveform: Waveform = case.pulse.parse().unwrap();
        let nodes = simulation.nodes_um(fiber);
        let source = PointSource {
            x_um: case.distance_um,
            y_um: 0.0,
            z_um: case.offset * (nodes[1] - nodes[0]),
            medium: Medium::isotropic(500.0),
        };
        stimulus = stimulus.source(fiber, Arc::new(source), Arc::new(waveform));
    }
    let search = ThresholdSearch {
        max_ma: 100.0,
        ..ThresholdSearch::default()
    };
    let found = simulation.thresholds(&stimulus, &search, &mut |_| ());
    let each = found.unwrap().into_iter();
    each.map(|threshold| threshold.upper_ma().expect("the fiber fires"))
        .collect()
}

#[test]
fn untrained_thresholds_come_within_two_percent_of_the_exact_ones_on_average() {
    let cases = cases(64);
    let exact = thresholds_ma("mrg", &cases);
    let found = thresholds_ma("two-mode", &cases);
    let errors: Vec<f64> = found.iter().zip(&exact).map(|(f, e)| f / e - 1.0).collect();
    for ((case, error), exact) in cases.iter().zip(&errors).zip(&exact) {
        println!(
            "{:5.2} um, {:6.0} um, {:5.2}, {}: {exact:.4} mA, {:+.2} %",
            case.diameter_um,
            case.distance_um,
            case.offset,
            case.pulse,
            100.0 * error
        );
    }
    let mean = errors.iter().map(|e| e.abs()).sum::<f64>() / errors.len() as f64;
    let worst = errors.iter().fold(0.0, |w: f64, e| w.max(e.abs()));
    println!("mean {:.2} %, worst {:.2} %", 100.0 * mean, 100.0 * worst);
    assert!(mean < 0.02 && worst < 0.1, "mean {mean}, worst {worst}");
}

#[test]
fn fibers_without_stimulus_stay_near_rest() {
    let diameters: Vec<f64> = (0..16).map(|k| 5.5 + 0.7 * f64::from(k)).collect();
    let settings = Settings {
        tstop_ms: 40.0,
        precision: Precision::F32,
        weights: Weights::Published,
        ..Settings::default()
    };
    let fibers = diameters.iter().map(|&d| Fiber::new(d, 53)).collect();
    let simulation = simulation("two-mode", fibers, &settings);
    let largest = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
    let outcome = simulation
        .run(&Stimulus::none(16), 0.0, &[largest])
        .unwrap();
    for (fiber, diameter_um) in outcome.fibers.iter().zip(&diameters) {
        assert_eq!(fiber.status, FiberStatus::Completed);
        let Observation::Maximum(largest) = &fiber.observations[0] else {
            panic!("a maximum")
        };
        let largest = largest.iter().fold(f64::MIN, |a, &v| a.max(v));
        let last = fiber.state.as_ref().unwrap().v_mv[26];
        println!("{diameter_um} um: at most {largest:.3} mV, {last:.3} mV after 40 ms");
        assert!(
            largest < -79.9 && last > -80.1,
            "{diameter_um} um: {largest} mV, {last} mV"
        );
    }
}
