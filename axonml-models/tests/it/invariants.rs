//! Invariants of any correct model and solver: bounds, rest, symmetry, linearity, convergence, and that a fiber's
//! result is its own.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Fiber, FiberOutcome, FiberStatus, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Precision, Recording, Settings, Simulation, Stimulus, model,
};
use proptest::prelude::*;

fn electrode(distance_um: f64, z_um: f64) -> PointSource {
    PointSource {
        x_um: distance_um,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    }
}

fn simulation(id: &str, fibers: Vec<Fiber>, settings: &Settings) -> Simulation {
    let device = Device::cpu().unwrap();
    Simulation::new(&model(id).unwrap(), fibers, settings, &device).unwrap()
}

/// The constants that models declare, for a duration.
fn duration(tstop_ms: f64) -> Settings {
    Settings {
        tstop_ms,
        weights: Weights::Published,
        ..Settings::default()
    }
}

/// Everything of every node at every step.
fn recorder(simulation: &Simulation) -> ObserverSpec {
    let states = simulation.schema().states.iter();
    let states = states.map(|state| state.to_string()).collect();
    ObserverSpec::new(
        ObserverKind::Recorder { states, every: 1 },
        NodeSelection::All,
    )
}

fn record(simulation: &Simulation, stimulus: &Stimulus, amplitude_ma: f64) -> Vec<Recording> {
    let recorder = recorder(simulation);
    let outcome = simulation.run(stimulus, amplitude_ma, &[recorder]).unwrap();
    let recordings = outcome.fibers.into_iter().map(|mut fiber| {
        assert_eq!(fiber.status, FiberStatus::Completed);
        match fiber.observations.remove(0) {
            Observation::Recorded(recording) => recording,
            other => panic!("a recording, not {other:?}"),
        }
    });
    recordings.collect()
}

fn pulse(text: &str) -> Waveform {
    text.parse().unwrap()
}

/// A stimulus that excites the model's middle nodes in most fibers, mA, its electrode's distance and its pulse.
fn strong(id: &str) -> (f64, f64, &'static str) {
    match id {
        "mrg" | "two-mode" => (0.5, 1000.0, "monophasic:pw=0.1,delay=0.05"),
        "smf" => (0.1, 1000.0, "monophasic:pw=0.1,delay=0.05"),
        _ => (0.3, 200.0, "monophasic:pw=0.2,delay=0.05"),
    }
}

/// A diameter of the model's range, um, from a number in 0..1.
fn diameter(id: &str, x: f64) -> f64 {
    match id {
        "mrg" | "two-mode" | "smf" => 5.7 + 8.3 * x,
        _ => 0.5 + x,
    }
}

// ---- bounds --------------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) })]

    /// A gate relaxes towards a fraction, so it is one: to the rounding of `inf + (x - inf) e`, whatever the field.
    #[test]
    fn gates_are_fractions(
        id in prop::sample::select(vec!["mrg", "two-mode", "smf", "sundt", "hh"]),
        fibers in prop::collection::vec((0.0..1.0_f64, 0.2..3.0_f64, prop::bool::ANY), 8),
    ) {
        let built = fibers.iter().map(|&(x, ..)| Fiber::new(diameter(id, x), 21)).collect();
        let simulation = simulation(id, built, &duration(2.0));
        let (amplitude_ma, distance_um, text) = strong(id);
        let source = Arc::new(electrode(distance_um, 0.0));
        let mut stimulus = Stimulus::none(fibers.len());
        for (fiber, &(_, scale, anodic)) in fibers.iter().enumerate() {
            let scale = if anodic { -scale } else { scale };
            stimulus = stimulus.source(fiber, source.clone(), Arc::new(pulse(text).scaled(scale)));
        }
        let outcome = simulation.run(&stimulus, amplitude_ma, &[recorder(&simulation)]).unwrap();
        let mut moved = false;
        for fiber in &outcome.fibers {
            // The untrained surrogate may become unstable; nothing is reported from there on.
            prop_assert!(id == "smf" || fiber.status == FiberStatus::Completed, "{:?}", fiber.status);
            let Observation::Recorded(recording) = &fiber.observations[0] else { panic!("a recording") };
            for (name, values) in simulation.schema().states.iter().zip(&recording.states) {
                let wrong = values.iter().find(|x| !(-1e-15..=1.0 + 1e-15).contains(*x));
                prop_assert!(wrong.is_none(), "{id}: {name} = {wrong:?}");
            }
            moved |= recording.v_mv.iter().any(|&v| v > -20.0);
        }
        prop_assert!(moved, "{id}: no fiber was excited, so nothing was tested");
    }
}

#[test]
fn without_stimulus_the_mrg_fiber_stays_at_rest() {
    let fibers = [5.7, 8.0, 10.0, 14.0].map(|d| Fiber::new(d, 21)).to_vec();
    let simulation = simulation("mrg", fibers, &duration(5.0));
    for recording in record(&simulation, &Stimulus::none(4), 1.0) {
        assert_eq!(recording.t_ms.len(), 1001);
        // -80 mV is the published start, not the exact rest, which lies near -79.95 mV.
        let farthest = recording.v_mv.iter().map(|v| (v + 80.0).abs());
        let farthest = farthest.fold(0.0, f64::max);
        assert!(
            farthest < 0.2 && farthest > 0.01,
            "{farthest} mV from -80 mV"
        );
    }
}

// ---- symmetry and linearity ----------------------------------------------------------------------------------------

/// The same fiber seen from its other end: solvers go through it in one direction, physics does not.
#[test]
fn a_mirrored_stimulus_gives_the_mirrored_response() {
    for id in ["mrg", "two-mode", "smf", "sundt", "hh"] {
        let nodes = 31;
        let simulation = simulation(
            id,
            vec![Fiber::new(diameter(id, 0.3), nodes); 2],
            &duration(2.0),
        );
        let (amplitude_ma, distance_um, text) = strong(id);
        let offset = 0.7 * simulation.nodes_um(0)[nodes - 1];
        let waveform = Arc::new(pulse(text));
        let stimulus = [offset, -offset].into_iter().enumerate().fold(
            Stimulus::none(2),
            |stimulus, (fiber, z_um)| {
                let source = Arc::new(electrode(distance_um, z_um));
                stimulus.source(fiber, source, waveform.clone())
            },
        );
        let [one, other] = &record(&simulation, &stimulus, amplitude_ma)[..] else {
            panic!("two fibers")
        };
        let mut worst = 0.0_f64;
        for (a, b) in one.v_mv.chunks(nodes).zip(other.v_mv.chunks(nodes)) {
            for k in 0..nodes {
                worst = worst.max((a[k] - b[nodes - 1 - k]).abs());
            }
        }
        // Rounding of 1e-14 mV a step, multiplied by the action potential.
        assert!(worst <= 1e-9, "{id}: {worst:e} mV");
        let asymmetry = (one.v_mv[200 * nodes] - other.v_mv[200 * nodes]).abs();
        assert!(
            asymmetry > 1e-3,
            "{id}: the stimulus must not be symmetric itself"
        );
        assert!(
            one.v_mv.iter().any(|&v| v > 0.0),
            "{id}: the fiber must be excited"
        );
    }
}

#[test]
fn small_responses_are_proportional_to_the_stimulus() {
    for id in ["mrg", "two-mode", "smf", "sundt", "hh"] {
        let simulation = simulation(id, vec![Fiber::new(diameter(id, 0.5), 21)], &duration(1.0));
        let (strong_ma, distance_um, text) = strong(id);
        let source = Arc::new(electrode(distance_um, 0.0));
        let stimulus = Stimulus::uniform(1, source, pulse(text));
        let voltages = |amplitude_ma| record(&simulation, &stimulus, amplitude_ma).remove(0).v_mv;
        let at_rest = voltages(0.0);
        let response = |amplitude_ma| -> Vec<f64> {
            let v = voltages(amplitude_ma);
            v.iter().zip(&at_rest).map(|(v, rest)| v - rest).collect()
        };
        let largest = |x: &[f64]| x.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        // Scaled so that the largest deviation is 0.5 uV.
        let small_ma = strong_ma * 1e-6 * 5e-4 / largest(&response(strong_ma * 1e-6));
        let one = response(small_ma);
        let size = largest(&one);
        assert!((4e-4..6e-4).contains(&size), "{id}: {size} mV");
        for factor in [2.0, -1.0] {
            let scaled = response(factor * small_ma);
            let off = one.iter().zip(&scaled).map(|(a, b)| factor * a - b);
            let off = largest(&off.collect::<Vec<_>>());
            // The curvature of rates whose slopes are several mV: 1e-3 mV over some mV, times what the membrane adds.
            assert!(off <= 1e-3 * size, "{id}: {off:e} mV of {size:e} mV");
            assert!(off > 0.0, "{id}: a membrane is not quite linear");
        }
    }
}

// ---- convergence ---------------------------------------------------------------------------------------------------

/// Backward and forward Euler are of first order: halving the step halves the error. Of the differences between
/// successive halvings every quotient is two.
#[test]
fn halving_the_step_halves_the_error() {
    for (id, of_strong, at_ms) in [
        ("mrg", 0.1, 0.5),
        ("two-mode", 0.1, 0.5),
        ("smf", 0.1, 0.25),
        ("sundt", 0.2, 0.5),
        ("hh", 0.2, 0.5),
    ] {
        let values: Vec<f64> = (0..6)
            .map(|halvings| {
                let settings = Settings {
                    dt_ms: 0.005 / f64::from(1 << halvings),
                    ..duration(at_ms)
                };
                let simulation = simulation(id, vec![Fiber::new(diameter(id, 0.5), 41)], &settings);
                let (strong_ma, distance_um, text) = strong(id);
                let source = Arc::new(electrode(distance_um, 0.0));
                let stimulus = Stimulus::uniform(1, source, pulse(text));
                // A moment of the decay after a pulse below threshold, at the node under the electrode.
                let largest = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
                let outcome = simulation
                    .run(&stimulus, of_strong * strong_ma, &[largest])
                    .unwrap();
                let Observation::Maximum(v) = &outcome.fibers[0].observations[0] else {
                    panic!("a maximum")
                };
                assert!(v.iter().all(|&v| v < -45.0), "{id}: above threshold");
                outcome.fibers[0].state.as_ref().unwrap().v_mv[20]
            })
            .collect();
        let differences: Vec<f64> = values.windows(2).map(|v| v[0] - v[1]).collect();
        let orders: Vec<f64> = differences
            .windows(2)
            .map(|d| (d[0] / d[1]).log2())
            .collect();
        println!("{id}: {orders:?}");
        assert!(orders.len() >= 4);
        assert!(
            differences[0].abs() > 1e-4,
            "{id}: hardly anything depends on the step"
        );
        let first_order = |order: &f64| (order - 1.0).abs() <= 0.1;
        assert!(orders.iter().all(first_order), "{id}: {orders:?}");
    }
}

// ---- a fiber's result is its own -----------------------------------------------------------------------------------

/// Thirty-seven fibers of many lengths and diameters, each with its own electrode and some with injected current.
struct Batch {
    fibers: Vec<Fiber>,
    sources: Vec<PointSource>,
    waveform: Arc<Waveform>,
    clamp: Arc<Waveform>,
    amplitude_ma: f64,
    settings: Settings,
    id: &'static str,
}

impl Batch {
    fn new(id: &'static str, precision: Precision) -> Batch {
        let (amplitude_ma, distance_um, text) = strong(id);
        let spread = |k: usize, by: f64| (k as f64 * by).fract();
        let lengths = [21, 11, 21, 30, 5, 3, 21, 17];
        let fiber = |k: usize| Fiber::new(diameter(id, spread(k, 0.618)), lengths[k % 8]);
        let source = |k: usize| {
            let distance = distance_um * (0.5 + spread(k, 0.382));
            electrode(distance, distance * spread(k, 0.7))
        };
        Batch {
            fibers: (0..37).map(fiber).collect(),
            sources: (0..37).map(source).collect(),
            waveform: Arc::new(pulse(text)),
            clamp: Arc::new(pulse("monophasic:pw=0.1,delay=0.3,scale=-1")),
            amplitude_ma,
            settings: Settings {
                precision,
                ..duration(1.0)
            },
            id,
        }
    }

    /// Outcomes of some fibers, run together in the given order.
    fn run(&self, order: &[usize]) -> Vec<FiberOutcome> {
        let fibers = order.iter().map(|&k| self.fibers[k]).collect();
        let simulation = simulation(self.id, fibers, &self.settings);
        let mut stimulus = Stimulus::none(order.len());
        for (at, &k) in order.iter().enumerate() {
            stimulus = stimulus.source(at, Arc::new(self.sources[k]), self.waveform.clone());
            if k % 3 == 0 {
                stimulus = stimulus.inject(at, -2, 0.4, self.clamp.clone());
            }
        }
        let crossings = ObserverSpec::new(ObserverKind::Raster, NodeSelection::All);
        let observers = [recorder(&simulation), crossings.threshold_mv(-20.0)];
        let run = simulation.run(&stimulus, self.amplitude_ma, &observers);
        run.unwrap().fibers
    }

    fn all(&self) -> Vec<usize> {
        (0..self.fibers.len()).collect()
    }
}

/// `==` would call -0 and 0 equal and NaN different from itself.
fn bits(outcome: &FiberOutcome) -> (String, Vec<u64>) {
    let Observation::Recorded(recording) = &outcome.observations[0] else {
        panic!("a recording")
    };
    let mut bits: Vec<u64> = recording.v_mv.iter().map(|x| x.to_bits()).collect();
    bits.extend(recording.states.iter().flatten().map(|x| x.to_bits()));
    if let Some(state) = &outcome.state {
        bits.extend(state.v_mv.iter().map(|x| x.to_bits()));
        bits.extend(state.states.iter().flatten().map(|x| x.to_bits()));
        bits.extend(state.modes.iter().map(|x| x.to_bits()));
    }
    let rest = format!("{:?} {:?}", outcome.status, outcome.observations[1]);
    (rest, bits)
}

fn every_batch(check: impl Fn(&Batch)) {
    for id in ["mrg", "two-mode", "smf", "sundt"] {
        for precision in [Precision::F64, Precision::F32] {
            check(&Batch::new(id, precision));
        }
    }
}

#[test]
fn a_fiber_does_not_depend_on_its_companions() {
    every_batch(|batch| {
        let together = batch.run(&batch.all());
        let excited =
            |outcome: &&FiberOutcome| outcome.observations[1] != Observation::Raster(Vec::new());
        assert!(
            together.iter().filter(excited).count() >= 5,
            "{}: too quiet a test",
            batch.id
        );
        for (k, outcome) in together.iter().enumerate() {
            let alone = batch.run(&[k]).remove(0);
            assert!(
                bits(outcome) == bits(&alone),
                "{} {:?}: fiber {k} differs when it runs alone",
                batch.id,
                batch.settings.precision
            );
        }
    });
}

#[test]
fn permuted_fibers_give_permuted_results() {
    every_batch(|batch| {
        let straight = batch.run(&batch.all());
        // 10 generates all residues of 37.
        let order: Vec<usize> = (0..37).map(|k| (10 * k + 5) % 37).collect();
        for (outcome, &k) in batch.run(&order).iter().zip(&order) {
            assert!(
                bits(outcome) == bits(&straight[k]),
                "{} {:?}: fiber {k} differs in another order",
                batch.id,
                batch.settings.precision
            );
        }
    });
}

#[test]
fn the_number_of_threads_changes_nothing() {
    every_batch(|batch| {
        let [one, two, five] = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let outcomes = pool.build().unwrap().install(|| batch.run(&batch.all()));
            outcomes.iter().map(bits).collect::<Vec<_>>()
        });
        assert!(one == two && one == five, "{}", batch.id);
    });
}
