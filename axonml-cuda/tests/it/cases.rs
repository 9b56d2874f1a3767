//! Rollouts of every model, and how results are compared.

use std::io::Write;
use std::sync::Arc;

use axonml_autodiff::engine::{FiberOutcome, Observation, Rollout};
use axonml_autodiff::ir::Precision;
use axonml_core::{Medium, PointSource, Waveform};
use axonml_cuda::{CudaError, HostKernels};
use axonml_models::weights::Weights;
use axonml_models::{
    Device, Ends, Fiber, FiberModel, MODELS, NodeSelection, ObserverKind, ObserverSpec, Settings,
    Simulation, Stimulus, Text,
};

/// Kernels on the host. Without a C++ compiler nothing here can run: the tests then say so on standard error, past the
/// test runner's capture, and fail where `AXONML_REQUIRE_CXX` is set, as CI does.
pub(crate) fn host_kernels() -> Option<HostKernels> {
    match HostKernels::new() {
        Ok(kernels) => Some(kernels),
        Err(error @ CudaError::NoHostCompiler { .. })
            if std::env::var_os("AXONML_REQUIRE_CXX").is_none() =>
        {
            let _ = writeln!(std::io::stderr(), "DID NOT RUN: {error}");
            None
        }
        Err(error) => panic!("DID NOT RUN: {error}"),
    }
}

/// The models whose kernels differ: of those with one membrane and cable, which differ in their geometry, the first.
pub(crate) fn models() -> impl Iterator<Item = &'static dyn FiberModel> {
    let kind = |model: &dyn FiberModel| {
        let schema = model.schema();
        let names = schema.parameters.into_iter().map(|p| p.name);
        (schema.states, names.collect::<Vec<_>>(), schema.scheme)
    };
    let is_first = move |place: usize| {
        let own = kind(&MODELS[place]);
        MODELS[..place].iter().all(|other| kind(other) != own)
    };
    (0..MODELS.len())
        .filter(move |place| is_first(*place))
        .map(|place| MODELS[place].as_ref())
}

pub(crate) fn myelinated(id: &str) -> bool {
    ["mrg", "sweeney", "two-mode", "smf"].contains(&id)
}

/// Fibers of different length and diameter: one, two and three nodes per lane.
pub(crate) fn fibers(id: &str) -> Vec<Fiber> {
    let all: &[(f64, usize)] = if myelinated(id) {
        &[(5.7, 21), (8.7, 53), (14.0, 27), (10.0, 75)]
    } else {
        &[(0.8, 31), (1.0, 64), (1.5, 51), (1.2, 90)]
    };
    all.iter().map(|&(d, n)| Fiber::new(d, n)).collect()
}

/// Every kind of observer, on all nodes and on some, of a model with these states.
fn observers(states: &[Text]) -> Vec<ObserverSpec> {
    let (first, second) = (&*states[0], &*states[1]);
    let some = || NodeSelection::Nodes(vec![-1, 3, 3, 10]);
    let recorder = |states: &[&str], every| ObserverKind::Recorder {
        states: states.iter().map(|s| (*s).to_owned()).collect(),
        every,
    };
    let traces = |quantities: &[&str], every| ObserverKind::Traces {
        quantities: quantities.iter().map(|s| (*s).to_owned()).collect(),
        every,
    };
    vec![
        ObserverSpec::new(ObserverKind::Active { at_least: 3 }, NodeSelection::All)
            .threshold_mv(-30.0),
        ObserverSpec::new(ObserverKind::ActionPotentialCount, some()).after_ms(0.2),
        ObserverSpec::new(ObserverKind::Raster, NodeSelection::All).threshold_mv(-30.0),
        ObserverSpec::new(recorder(&[second, first], 7), some()).after_ms(0.0123),
        ObserverSpec::new(recorder(&[], 100), NodeSelection::All),
        ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All).after_ms(0.5),
        ObserverSpec::new(ObserverKind::Active { at_least: 3 }, some()).threshold_mv(500.0),
        ObserverSpec::new(traces(&[second, "v", first], 7), some()).after_ms(0.0123),
    ]
}

/// The fibers of [`fibers`] under the stimulus of [`rollout_of`].
pub(crate) fn rollout(id: &str, dt_ms: f64, steps: usize, precision: Precision) -> Rollout {
    rollout_of(id, fibers(id), dt_ms, steps, precision)
}

/// [`rollout_with_ends`] of fibers with active ends.
pub(crate) fn rollout_of(
    id: &str,
    fibers: Vec<Fiber>,
    dt_ms: f64,
    steps: usize,
    precision: Precision,
) -> Rollout {
    rollout_with_ends(id, (fibers, Ends::Active), dt_ms, steps, precision)
}

/// `steps` steps of `dt_ms`: a biphasic pulse from a point source, one of another shape from a second, and a current
/// injected into node 10.
pub(crate) fn rollout_with_ends(
    id: &str,
    (fibers, ends): (Vec<Fiber>, Ends),
    dt_ms: f64,
    steps: usize,
    precision: Precision,
) -> Rollout {
    let count = fibers.len();
    let settings = Settings {
        precision,
        dt_ms,
        tstop_ms: dt_ms * steps as f64,
        weights: Weights::Published,
        ends,
        allow_unstable: true,
        ..Settings::default()
    };
    let device = Device::cpu().unwrap();
    let model = axonml_models::model(id).unwrap();
    let simulation = Simulation::new(&model, fibers, &settings, &device).unwrap();
    let distance = if myelinated(id) { 1000.0 } else { 150.0 };
    let source = |z_um| {
        Arc::new(PointSource {
            x_um: distance,
            y_um: 0.0,
            z_um,
            medium: Medium::isotropic(500.0),
        })
    };
    let biphasic = Waveform::biphasic(0.1, dt_ms.max(0.02))
        .unwrap()
        .delayed(0.1);
    let second = Arc::new(Waveform::monophasic(0.3).unwrap().delayed(0.9));
    let clamp = Arc::new(Waveform::monophasic(0.2).unwrap().flipped().delayed(0.4));
    let injected = if myelinated(id) { 1.0 } else { 0.1 };
    let stimulus = (0..count).fold(
        Stimulus::uniform(count, source(40.0), biphasic),
        |stimulus, fiber| {
            let stimulus = match fiber % 2 {
                0 => stimulus.source(fiber, source(-300.0), second.clone()),
                _ => stimulus,
            };
            stimulus.inject(fiber, 10, injected, clamp.clone())
        },
    );
    let observers = observers(&simulation.schema().states);
    let mut rollout = simulation.rollout(&stimulus, &observers).unwrap();
    rollout.drive.gains = stimulus
        .scaling()
        .gains_of((0..count).map(|fiber| (fiber, 0.1)));
    rollout
}

/// Largest difference of the states, relative to the largest value of each quantity.
pub(crate) fn largest_difference(a: &[FiberOutcome], b: &[FiberOutcome]) -> f64 {
    let mut worst = 0.0_f64;
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a.state.as_ref().unwrap(), b.state.as_ref().unwrap());
        let mut compare = |a: &[f64], b: &[f64]| {
            assert_eq!(a.len(), b.len());
            let scale = b.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
            for (a, b) in a.iter().zip(b) {
                let error = (a - b).abs() / scale;
                assert!(error.is_finite());
                worst = worst.max(error);
            }
        };
        compare(&a.v_mv, &b.v_mv);
        compare(&a.modes, &b.modes);
        a.states
            .iter()
            .zip(&b.states)
            .for_each(|(a, b)| compare(a, b));
    }
    worst
}

/// Observations agree: discrete ones exactly, numbers to `tolerance` (absolute, mV or ms).
#[track_caller]
pub(crate) fn assert_observations(found: &FiberOutcome, expected: &FiberOutcome, tolerance: f64) {
    assert_eq!(found.status, expected.status);
    assert_eq!(found.observations.len(), expected.observations.len());
    let close = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!(a == b || (a - b).abs() <= tolerance, "{a} instead of {b}");
        }
    };
    for (found, expected) in found.observations.iter().zip(&expected.observations) {
        match (found, expected) {
            (Observation::Raster(a), Observation::Raster(b)) => {
                let key = |c: &[axonml_autodiff::engine::Crossing]| -> Vec<_> {
                    c.iter().map(|c| (c.node, c.state)).collect()
                };
                assert_eq!(key(a), key(b));
                let times = |c: &[axonml_autodiff::engine::Crossing]| -> Vec<f64> {
                    c.iter().map(|c| c.time_ms).collect()
                };
                close(&times(a), &times(b));
            }
            (Observation::Recorded(a), Observation::Recorded(b)) => {
                assert_eq!((&a.nodes, &a.t_ms), (&b.nodes, &b.t_ms));
                close(&a.v_mv, &b.v_mv);
                assert_eq!(a.states.len(), b.states.len());
                a.states
                    .iter()
                    .zip(&b.states)
                    .for_each(|(a, b)| close(a, b));
            }
            (Observation::Traced(a), Observation::Traced(b)) => {
                assert_eq!((&a.nodes, &a.t_ms), (&b.nodes, &b.t_ms));
                assert_eq!(a.values.len(), b.values.len());
                for (&a, &b) in a.values.iter().zip(&b.values) {
                    // Both were rounded to single precision.
                    let tolerance = tolerance + f64::from(a.abs() * f32::EPSILON);
                    let difference = f64::from(a) - f64::from(b);
                    assert!(difference.abs() <= tolerance, "{a} instead of {b}");
                }
            }
            (Observation::Maximum(a), Observation::Maximum(b)) => close(a, b),
            (a, b) => assert_eq!(a, b),
        }
    }
}
