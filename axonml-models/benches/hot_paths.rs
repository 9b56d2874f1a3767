//! Criterion benches of the hot paths: time loops, gradients, set-up of fibers, sampling of fields, threshold
//! searches.
//!
//! `cargo bench -p axonml-models`; for node-steps per second and gradients in forward runs, with the machine's
//! description,
//! `cargo xtask bench`.

use std::hint::black_box;
use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::weights::Weights;
use axonml_models::{
    Detection, Device, Evaluation, Fiber, FiberOutcome, GradientRequest, NodeSelection,
    Observation, ObserverKind, ObserverSpec, Precision, RecordedCotangent, Settings, Simulation,
    Stimulus, ThresholdSearch, model,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NODES: usize = 53;
const FIBERS: usize = 64;

fn fibers(id: &str) -> Vec<Fiber> {
    let diameter = |i: usize| {
        if ["mrg", "two-mode", "smf"].contains(&id) {
            5.7 + 0.1 * i as f64
        } else {
            0.8 + 0.01 * i as f64
        }
    };
    (0..FIBERS)
        .map(|i| Fiber::new(diameter(i), NODES))
        .collect()
}

fn simulation(id: &str, precision: Precision) -> Simulation {
    let settings = Settings {
        precision,
        tstop_ms: 1.0,
        weights: Weights::Published,
        ..Settings::default()
    };
    let device = Device::cpu().expect("the benches need the CPU backend");
    Simulation::new(
        &model(id).expect("a bundled model"),
        fibers(id),
        &settings,
        &device,
    )
    .expect("sound fibers")
}

fn stimulus() -> Stimulus {
    let source = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = Waveform::monophasic(0.1)
        .expect("a sound pulse")
        .delayed(0.1);
    Stimulus::uniform(FIBERS, Arc::new(source), pulse)
}

/// The time loop of every model, all cores; throughput in node-steps.
fn time_loops(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("time_loop");
    for id in ["mrg", "two-mode", "smf", "sundt", "hh"] {
        for precision in [Precision::F32, Precision::F64] {
            let (simulation, stimulus) = (simulation(id, precision), stimulus());
            group.throughput(Throughput::Elements(
                (FIBERS * NODES * simulation.grid().steps()) as u64,
            ));
            group.bench_function(format!("{id}/{}", precision.name()), |bencher| {
                bencher.iter(|| simulation.run(black_box(&stimulus), 0.2, &[]));
            });
        }
    }
    group.finish();
}

/// The mean square of the recorded voltages.
fn mean_square(_: usize, outcome: &FiberOutcome) -> Evaluation {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        return Evaluation::default();
    };
    let share = 1.0 / recording.v_mv.len() as f64;
    let cotangent = RecordedCotangent {
        v_mv: recording.v_mv.iter().map(|v| 2.0 * share * v).collect(),
        states: Vec::new(),
    };
    Evaluation {
        loss: share * recording.v_mv.iter().map(|v| v * v).sum::<f64>(),
        recorded: vec![Some(cotangent)],
        state: None,
    }
}

/// Gradients of whole runs, the voltages of two nodes in the loss, by all parameters and by waveforms; throughput in
/// node-steps, to be compared with those of `time_loop`.
fn gradients(criterion: &mut Criterion) {
    let parameters = GradientRequest {
        parameters: true,
        ..GradientRequest::default()
    };
    let waveforms = GradientRequest {
        waveforms: true,
        ..GradientRequest::default()
    };
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    let observers = [ObserverSpec::new(kind, NodeSelection::Nodes(vec![26, 45]))];
    let mut group = criterion.benchmark_group("gradient");
    for id in ["mrg", "two-mode", "smf", "hh"] {
        for precision in [Precision::F32, Precision::F64] {
            let (simulation, stimulus) = (simulation(id, precision), stimulus());
            group.throughput(Throughput::Elements(
                (FIBERS * NODES * simulation.grid().steps()) as u64,
            ));
            for (by, request) in [("parameters", parameters), ("waveforms", waveforms)] {
                let name = format!("{id}/{}/{by}", precision.name());
                group.bench_function(name, |bencher| {
                    let stimulus = black_box(&stimulus);
                    bencher.iter(|| {
                        simulation.differentiate(stimulus, 0.2, &observers, &mean_square, request)
                    });
                });
            }
        }
    }
    group.finish();
}

/// Tracing a model, its geometry and internodal modes for 64 diameters.
fn set_up(criterion: &mut Criterion) {
    criterion.bench_function("set_up/mrg", |bencher| {
        bencher.iter(|| simulation("mrg", Precision::F64))
    });
}

/// Sampling a point source at every compartment and projecting it on nodes and modes.
fn projection(criterion: &mut Criterion) {
    let (simulation, stimulus) = (simulation("mrg", Precision::F64), stimulus());
    criterion.bench_function("projection/mrg", |bencher| {
        bencher.iter(|| simulation.rollout(black_box(&stimulus), &[]))
    });
}

/// Activation thresholds to 1e-4.
fn thresholds(criterion: &mut Criterion) {
    let (simulation, stimulus) = (simulation("mrg", Precision::F32), stimulus());
    let options = ThresholdSearch {
        detection: Detection::at_nodes(&[25]),
        ..ThresholdSearch::default()
    };
    let mut group = criterion.benchmark_group("thresholds");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FIBERS as u64));
    group.bench_function("mrg/f32", |bencher| {
        bencher.iter(|| simulation.thresholds(black_box(&stimulus), &options, &mut |_| ()));
    });
    group.finish();
}

criterion_group!(
    hot_paths, time_loops, gradients, set_up, projection, thresholds
);
criterion_main!(hot_paths);
