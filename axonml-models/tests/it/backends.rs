//! Every model on every instruction set against the scalar reference, which evaluates programs by libm and solves all
//! compartments of the double cable without modes.

use std::sync::Arc;

use axonml_autodiff::engine::Backend;
use axonml_core::{Medium, PointSource, Waveform};
use axonml_cpu::{CpuBackend, Isa, Reference};
use axonml_models::{
    Device, Evaluation, Fiber, FiberOutcome, FiberStatus, Gradient, GradientRequest, NodeSelection,
    Objective, Observation, ObserverKind, ObserverSpec, Precision, RecordedCotangent, Settings,
    Simulation, Stimulus,
};

use crate::golden::largest_difference;
use crate::models::distinct;

/// Fibers of different length and diameter, so that groups are ragged.
fn fibers(id: &str) -> Vec<Fiber> {
    match id {
        "mrg" | "two-mode" | "smf" => [(5.7, 21), (8.7, 33), (14.0, 27)]
            .map(|(d, n)| Fiber::new(d, n))
            .to_vec(),
        _ => [(0.8, 41), (1.0, 61), (1.5, 51)]
            .map(|(d, n)| Fiber::new(d, n))
            .to_vec(),
    }
}

/// A biphasic pulse from a point source and a current injected into node 10.
fn run(id: &str, backend: Device, precision: Precision) -> (Simulation, Vec<FiberOutcome>) {
    let model = axonml_models::model(id).unwrap();
    let fibers = fibers(id);
    let count = fibers.len();
    let settings = Settings {
        precision,
        tstop_ms: 1.5,
        ..Settings::default()
    };
    let simulation = Simulation::new(&model, fibers, &settings, &backend).unwrap();
    let distance = if count > 0 && ["mrg", "two-mode", "smf"].contains(&id) {
        1000.0
    } else {
        150.0
    };
    let source = PointSource {
        x_um: distance,
        y_um: 0.0,
        z_um: 40.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = Waveform::biphasic(0.1, 0.02).unwrap().delayed(0.1);
    let clamp = Arc::new(Waveform::monophasic(0.2).unwrap().flipped().delayed(0.4));
    let stimulus = (0..count).fold(
        Stimulus::uniform(count, Arc::new(source), pulse),
        |stimulus, fiber| {
            stimulus.inject(
                fiber,
                10,
                if ["mrg", "two-mode", "smf"].contains(&id) {
                    1.0
                } else {
                    0.5
                },
                clamp.clone(),
            )
        },
    );
    let observers = [
        ObserverSpec::new(ObserverKind::Raster, NodeSelection::All).threshold_mv(-30.0),
        ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All),
    ];
    let outcome = simulation.run(&stimulus, 0.1, &observers).unwrap();
    (simulation, outcome.fibers)
}

#[test]
fn double_precision_agrees_with_the_scalar_reference() {
    for model in distinct() {
        let id = model.schema().id;
        let (simulation, expected) = run(&id, Device::custom(Reference), Precision::F64);
        for isa in Isa::available() {
            let (_, found) = run(
                &id,
                Device::custom(CpuBackend::with_isa(isa)),
                Precision::F64,
            );
            for (fiber, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(simulation.divergence(fiber, expected.status), None, "{id}");
                assert_eq!(
                    found.status,
                    FiberStatus::Completed,
                    "{id} on {isa}, fiber {fiber}"
                );
                let (found, expected) = (found, expected);
                let (a, b) = (
                    found.state.as_ref().unwrap(),
                    expected.state.as_ref().unwrap(),
                );
                // 300 steps of a few ulp each, multiplied by the slope of an action potential's upstroke.
                let v = largest_difference(&a.v_mv, &b.v_mv);
                assert!(
                    v < 1e-8,
                    "{id} on {isa}, fiber {fiber}: voltages differ by {v:e} mV"
                );
                for (a, b) in a.states.iter().zip(&b.states) {
                    let difference = largest_difference(a, b);
                    assert!(
                        difference < 1e-9,
                        "{id} on {isa}, fiber {fiber}: states differ by {difference:e}"
                    );
                }
                let modes = largest_difference(&a.modes, &b.modes);
                let scale = b.modes.iter().fold(1e-3_f64, |scale, x| scale.max(x.abs()));
                assert!(
                    modes < 1e-9 * scale,
                    "{id} on {isa}, fiber {fiber}: modes differ by {modes:e} of {scale:e} nA"
                );
                let (Observation::Raster(a), Observation::Raster(b)) =
                    (&found.observations[0], &expected.observations[0])
                else {
                    panic!("rasters")
                };
                assert_eq!(
                    a.len(),
                    b.len(),
                    "{id} on {isa}, fiber {fiber}: different spikes"
                );
                assert!(
                    a.iter()
                        .zip(b)
                        .all(|(a, b)| a.node == b.node && (a.time_ms - b.time_ms).abs() < 1e-9)
                );
            }
        }
        let spikes = |outcome: &FiberOutcome| match &outcome.observations[0] {
            Observation::Raster(spikes) => spikes.len(),
            _ => 0,
        };
        assert!(
            expected.iter().any(|outcome| spikes(outcome) > 0),
            "{id}: the comparison should contain a spike"
        );
    }
}

#[test]
fn single_precision_keeps_spike_times_to_a_microsecond() {
    for model in distinct() {
        let id = model.schema().id;
        let (_, expected) = run(&id, Device::custom(Reference), Precision::F64);
        for isa in Isa::available() {
            let (_, found) = run(
                &id,
                Device::custom(CpuBackend::with_isa(isa)),
                Precision::F32,
            );
            for (found, expected) in found.iter().zip(&expected) {
                let (Observation::Raster(a), Observation::Raster(b)) =
                    (&found.observations[0], &expected.observations[0])
                else {
                    panic!("rasters")
                };
                assert_eq!(a.len(), b.len(), "{id} on {isa}: different spikes");
                // Node by node: which of two that cross at one time comes first is a matter of rounding.
                let [a, b] = [a, b].map(|crossings| {
                    let mut ordered = crossings.clone();
                    ordered.sort_by_key(|at| (at.node, at.state));
                    ordered
                });
                for (a, b) in a.iter().zip(&b) {
                    let shift = (a.time_ms - b.time_ms).abs();
                    assert!(
                        a.node == b.node && shift < 1e-3,
                        "{id} on {isa}: spike at node {} shifted {shift} ms",
                        a.node
                    );
                }
            }
        }
    }
}

#[test]
fn final_states_are_left_out_only_when_nobody_wants_them() {
    for backend in [Device::custom(Reference), Device::custom(CpuBackend::new())] {
        let settings = Settings {
            tstop_ms: 0.1,
            ..Settings::default()
        };
        let fibers = vec![Fiber::new(10.0, 5)];
        let simulation = Simulation::new(
            &axonml_models::model("mrg").unwrap(),
            fibers,
            &settings,
            &backend,
        )
        .unwrap();
        let mut rollout = simulation.rollout(&Stimulus::none(1), &[]).unwrap();
        for wanted in [true, false] {
            rollout.final_states = wanted;
            let outcome = if backend.name().contains("reference") {
                Reference.run(&rollout).unwrap()
            } else {
                CpuBackend::new().run(&rollout).unwrap()
            };
            assert_eq!(
                outcome.fibers[0].state.is_some(),
                wanted,
                "{}",
                backend.name()
            );
        }
    }
}

#[test]
fn threads_and_pools_change_no_bit() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    let shared = CpuBackend::new().with_pool(Arc::new(pool.unwrap()));
    let of = |device| run("mrg", device, Precision::F64).1;
    let expected = of(Device::cpu().unwrap());
    assert_eq!(of(Device::cpu_with_threads(1).unwrap()), expected);
    assert_eq!(of(Device::custom(shared)), expected);
}

/// Programs that were printed as Rust give the bytes of those that are interpreted, on every instruction set.
#[test]
fn printed_programs_are_the_interpreted_ones_to_the_bit() {
    for model in distinct() {
        let id = model.schema().id;
        for (isa, precision) in Isa::available()
            .into_iter()
            .flat_map(|isa| [(isa, Precision::F32), (isa, Precision::F64)])
        {
            let backend = CpuBackend::with_isa(isa);
            let (_, printed) = run(&id, Device::custom(backend.clone()), precision);
            let (_, interpreted) = run(&id, Device::custom(backend.interpreting()), precision);
            assert_eq!(
                printed,
                interpreted,
                "{id} on {isa} in {}",
                precision.name()
            );
        }
    }
}

/// The voltage of node 15 at the end, with its derivative.
struct LastVoltage;

impl Objective for LastVoltage {
    fn evaluate(&self, _fiber: usize, outcome: &FiberOutcome) -> Evaluation {
        let Observation::Recorded(recording) = &outcome.observations[0] else {
            panic!("the recorder comes first")
        };
        let mut v_mv = vec![0.0; recording.v_mv.len()];
        v_mv[recording.v_mv.len() - 1] = 1.0;
        Evaluation {
            loss: recording.v_mv[recording.v_mv.len() - 1],
            recorded: vec![Some(RecordedCotangent {
                v_mv,
                states: Vec::new(),
            })],
            state: None,
        }
    }
}

/// So do printed adjoints, whose sums over nodes are the interpreter's: also of fibers that it takes in several blocks.
#[test]
fn printed_adjoints_are_the_interpreted_ones_to_the_bit() {
    for (model, isa) in
        distinct().flat_map(|model| Isa::available().into_iter().map(move |isa| (model, isa)))
    {
        for (precision, parameters) in [
            (Precision::F32, false),
            (Precision::F32, true),
            (Precision::F64, false),
            (Precision::F64, true),
        ] {
            let id = model.schema().id;
            let gradients = |backend: CpuBackend| gradients(&id, backend, precision, parameters);
            let backend = CpuBackend::with_isa(isa);
            let printed = gradients(backend.clone());
            let interpreted = gradients(backend.interpreting());
            let name = precision.name();
            assert_eq!(
                printed, interpreted,
                "{id} on {isa} in {name}, parameters: {parameters}"
            );
        }
    }
}

/// Gradients of the last voltage, by parameters or by waveforms.
fn gradients(
    id: &str,
    backend: CpuBackend,
    precision: Precision,
    parameters: bool,
) -> Vec<Option<Gradient>> {
    let settings = Settings {
        precision,
        tstop_ms: 0.3,
        ..Settings::default()
    };
    let mut fibers = fibers(id);
    fibers[1].nodes = 131;
    let simulation = Simulation::new(
        &axonml_models::model(id).unwrap(),
        fibers,
        &settings,
        &Device::custom(backend),
    )
    .unwrap();
    let pulse = Arc::new(Waveform::monophasic(0.2).unwrap().flipped());
    let stimulus = (0..3).fold(Stimulus::none(3), |stimulus, fiber| {
        stimulus.inject(fiber, 10, 1.0, pulse.clone())
    });
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let recorder = ObserverSpec::new(kind, NodeSelection::Nodes(vec![15]));
    let request = GradientRequest {
        parameters,
        waveforms: !parameters,
        fields: false,
        cables: false,
        gains: false,
    };
    let found = simulation.differentiate(&stimulus, 0.0, &[recorder], &LastVoltage, request);
    let gradients: Vec<_> = found.unwrap().into_iter().map(|x| x.gradient).collect();
    assert!(gradients.iter().all(Option::is_some), "{id}");
    gradients
}

/// Printed programs look for bad numbers in states every few steps only; divergences are named as by the interpreter, at the
/// first bad state, and a voltage that leaves its range for one step is seen.
#[test]
fn divergences_are_named_alike_by_printed_and_interpreted_programs() {
    let spike = |steps: usize, at: usize| {
        let pulse = format!(
            "monophasic:pw={},delay={}",
            0.005 * steps as f64,
            0.005 * at as f64
        );
        pulse.parse::<Waveform>().unwrap()
    };
    let mut diverged = 0;
    for (id, amplitude_na) in [
        ("mrg", 3e6),
        ("two-mode", 3e6),
        ("smf", 3e5),
        ("sundt", 3e6),
    ] {
        for precision in [Precision::F32, Precision::F64] {
            for (steps, at) in [(1, 3), (1, 8), (2, 21), (9, 30)] {
                for amplitude_na in [
                    1e-3 * amplitude_na,
                    0.1 * amplitude_na,
                    amplitude_na,
                    100.0 * amplitude_na,
                ] {
                    let settings = Settings {
                        precision,
                        tstop_ms: 0.5,
                        ..Settings::default()
                    };
                    let outcome = |backend: CpuBackend| {
                        let model = axonml_models::model(id).unwrap();
                        let simulation = Simulation::new(
                            &model,
                            fibers(id),
                            &settings,
                            &Device::custom(backend),
                        )
                        .unwrap();
                        // One fiber of the group diverges; the others have to go on.
                        let stimulus = Stimulus::none(3).inject(
                            1,
                            10,
                            amplitude_na,
                            Arc::new(spike(steps, at)),
                        );
                        let raster = ObserverSpec::new(ObserverKind::Raster, NodeSelection::All);
                        simulation.run(&stimulus, 0.0, &[raster]).unwrap().fibers
                    };
                    let printed = outcome(CpuBackend::new());
                    let interpreted = outcome(CpuBackend::new().interpreting());
                    let is_diverged =
                        |fiber: &FiberOutcome| matches!(fiber.status, FiberStatus::Diverged { .. });
                    diverged += usize::from(is_diverged(&interpreted[1]));
                    assert!(!is_diverged(&printed[0]) && !is_diverged(&printed[2]));
                    assert_eq!(
                        printed, interpreted,
                        "{id}, {amplitude_na} nA for {steps} steps from {at}"
                    );
                }
            }
        }
    }
    assert!(diverged >= 32, "{diverged} of 128 runs diverged");
}

/// A fiber whose run has ended is not looked at any more, however long its companions in the vector lanes go on: its largest
/// voltages are those that it has alone.
#[test]
fn maxima_end_with_the_run_of_their_fiber() {
    for precision in [Precision::F32, Precision::F64] {
        let largest = |diameters_um: &[f64]| {
            let fibers: Vec<Fiber> = diameters_um.iter().map(|&d| Fiber::new(d, 21)).collect();
            let count = fibers.len();
            let settings = Settings {
                precision,
                tstop_ms: 2.0,
                ..Settings::default()
            };
            let device = Device::cpu().unwrap();
            let mrg = axonml_models::model("mrg").unwrap();
            let simulation = Simulation::new(&mrg, fibers, &settings, &device).unwrap();
            let source = PointSource {
                x_um: 1000.0,
                y_um: 0.0,
                z_um: 0.0,
                medium: Medium::isotropic(500.0),
            };
            let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
            let stimulus = Stimulus::uniform(count, Arc::new(source), pulse);
            let middle = NodeSelection::Nodes(vec![10]);
            let observers = [
                ObserverSpec::new(ObserverKind::Active { at_least: 1 }, middle),
                ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All),
            ];
            let mut rollout = simulation.rollout(&stimulus, &observers).unwrap();
            rollout.drive.gains = vec![vec![0.2]; count];
            rollout.stop_when_active = Some(0);
            let outcome = CpuBackend::new().run(&rollout).unwrap();
            outcome
                .fibers
                .into_iter()
                .map(|fiber| (fiber.status, fiber.observations))
                .collect::<Vec<_>>()
        };
        // The first fires, and stops when its middle node does, before its ends do; the second is silent to the end.
        let together = largest(&[14.0, 2.0]);
        assert!(matches!(together[0].0, FiberStatus::Answered(_)));
        assert_eq!(together[1].0, FiberStatus::Completed);
        assert_eq!(together[0], largest(&[14.0])[0]);
        let Observation::Maximum(mv) = &together[0].1[1] else {
            panic!("the second observer keeps maxima");
        };
        assert!(mv[10] >= 0.0 && mv[0] < -50.0, "{mv:?}");
    }
}
