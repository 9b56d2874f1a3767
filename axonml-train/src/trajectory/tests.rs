use axonml_models::{Device, Precision, model};

use super::*;
use crate::Surrogate;
use crate::dataset::{
    FieldKind, FieldSource, KeyValue, PulseFamily, Range, Recipe, Recording, Source,
};

/// Point sources strong enough that some fibers fire; 1 ms.
fn source(count: usize, every: usize) -> Source {
    let pulse = PulseFamily {
        amplitude_ma: Range::uniform(0.05, 0.5),
        delay_ms: Range::uniform(0.0, 0.1),
        keys: [("pw".to_owned(), KeyValue::Range(Range::uniform(0.05, 0.2)))].into(),
        ..PulseFamily::default()
    };
    let recipe = Recipe {
        seed: 5,
        count,
        nodes: 11,
        tstop_ms: 0.6,
        fields: vec![FieldSource::new(FieldKind::Point {
            distance_um: Range::log(400.0, 1500.0),
            z_um: Range::fixed(0.0),
            resistivity_ohm_cm: 500.0,
        })],
        pulses: vec![pulse],
        ..Recipe::default()
    };
    let recording = Recording {
        every,
        states: Vec::new(),
    };
    Source::from_recipe(&recipe, &Device::cpu().unwrap(), recording).unwrap()
}

fn surrogate() -> Surrogate {
    let mut surrogate = Surrogate::new(model("smf").unwrap(), None).unwrap();
    surrogate.set("gl", 0.08).unwrap();
    surrogate.set("el", -80.9).unwrap();
    surrogate
}

fn fit(stage: TrajectoryStage, count: usize, every: usize) -> TrajectoryFit {
    let device = Device::cpu().unwrap();
    TrajectoryFit::new(
        &stage,
        source(count, every),
        count,
        1,
        Precision::F64,
        &device,
    )
    .unwrap()
}

fn stage() -> TrajectoryStage {
    let mut loss = LossSettings::default();
    loss.weights.insert("h".into(), 5.0);
    loss.spike_weight = 2.0;
    TrajectoryStage {
        batch: 8,
        clip: 0.0,
        loss,
        ..TrajectoryStage::default()
    }
}

/// The derivative of the loss by the coordinates, through simulation, loss, weights and scales, against differences.
#[test]
fn the_gradient_is_that_of_the_loss() {
    let (fit, surrogate) = (fit(stage(), 4, 2), surrogate());
    let batch = source(4, 2).batch(&[0, 1, 2, 3]).unwrap();
    let x: Vec<f64> = (0..surrogate.len())
        .map(|i| 0.02 * ((i % 5) as f64 - 2.0))
        .collect();
    let (_, gradient) = fit.probe(&surrogate, &x, &batch).unwrap();
    let largest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    for name in [
        "gnabar",
        "el",
        "amB",
        "bhC",
        "deltax2",
        "v_neighbor",
        "ve_center",
    ] {
        let at = surrogate.names().iter().position(|n| *n == name).unwrap();
        let loss = |h: f64| {
            let mut x = x.clone();
            x[at] += h;
            fit.probe(&surrogate, &x, &batch).unwrap().0
        };
        let h = 1e-4;
        let slope = (8.0 * (loss(h) - loss(-h)) - (loss(2.0 * h) - loss(-2.0 * h))) / (12.0 * h);
        let error = (gradient[at] - slope).abs();
        assert!(
            error <= 1e-6 * slope.abs() + 1e-9 * largest,
            "{name}: {} {slope}",
            gradient[at]
        );
    }
}

/// A window as long as the run is the run; shorter ones have the same loss but truncate the gradient; chunks change
/// no bit.
#[test]
fn windows_and_chunks_of_a_run() {
    let surrogate = surrogate();
    let batch = source(4, 1).batch(&[0, 1, 2, 3]).unwrap();
    let x = vec![0.01; surrogate.len()];
    let probe = |truncation: usize, chunk: usize| {
        let stage = TrajectoryStage {
            truncation,
            chunk,
            ..stage()
        };
        fit(stage, 4, 1).probe(&surrogate, &x, &batch).unwrap()
    };
    let whole = probe(0, 0);
    assert_eq!(probe(120, 0), whole);
    assert_eq!(probe(0, 3), whole);
    let windows = probe(50, 0);
    assert!(
        (windows.0 / whole.0 - 1.0).abs() < 1e-12,
        "{} {}",
        windows.0,
        whole.0
    );
    let difference = windows.1.iter().zip(&whole.1).map(|(a, b)| (a - b).abs());
    assert!(
        difference.fold(0.0, f64::max) > 1e-3,
        "errors were cut off at windows"
    );
}

/// From a rest that is 20 mV off, by whole runs, an update per window, an update per two windows.
#[test]
fn training_lowers_the_loss_and_goes_on_bit_for_bit() {
    for (truncation, accumulate) in [(0, 0), (40, 1), (40, 2)] {
        let stage = TrajectoryStage {
            epochs: 12,
            truncation,
            accumulate,
            learning_rate: 0.02,
            warmup: 1,
            clip: 3.0,
            ..stage()
        };
        let mut surrogate = surrogate();
        surrogate.set("el", -60.0).unwrap();
        let x = vec![0.0; surrogate.len()];
        let mut whole = fit(stage.clone(), 8, 1);
        assert_eq!(whole.steps(), 12);
        let mut state = whole.begin(x.clone());
        let mut losses = Vec::new();
        let mut middle = None;
        for step in 0..whole.steps() {
            if step == 5 {
                middle = Some(crate::checkpoint::encode(&state).unwrap());
            }
            let report = whole.iterate(&surrogate, &mut state).unwrap();
            assert_eq!(
                (report.step, report.epoch, report.left_out),
                (step, step, 0)
            );
            losses.push(report.loss);
        }
        assert!(
            losses[5] < 0.8 * losses[0],
            "{truncation} {accumulate}: {losses:?}"
        );
        // Another fit, that knows the state only.
        let mut again = fit(stage, 8, 1);
        let mut resumed: TrajectoryState = crate::checkpoint::decode(&middle.unwrap()).unwrap();
        for _ in 5..12 {
            again.iterate(&surrogate, &mut resumed).unwrap();
        }
        assert_eq!(resumed, state);
    }
}

/// A fiber that cannot be simulated is left out and counted; if most cannot, that is an error and moves nothing.
#[test]
fn divergence_is_counted_then_refused() {
    let mut surrogate = surrogate();
    let mut fit = fit(stage(), 8, 1);
    let x = vec![0.0; surrogate.len()];
    // Stencils of this size are unstable for the shorter spacings only: the smaller fibers.
    let mut seen = Vec::new();
    for v_neighbor in [1.0, 1.7, 1.8, 1.9, 2.0, 2.1, 2.2, 3.0, 6.0] {
        surrogate.set("v_neighbor", v_neighbor).unwrap();
        surrogate.set("v_center", -2.0 * v_neighbor).unwrap();
        let mut state = fit.begin(x.clone());
        match fit.iterate(&surrogate, &mut state) {
            Ok(report) => {
                assert!(report.loss.is_finite() && 2 * report.left_out <= 8);
                assert!(state.x.iter().all(|x| x.is_finite()));
                seen.push(report.left_out);
            }
            Err(crate::TrainError::Diverging {
                left_out,
                batch,
                first,
                ..
            }) => {
                assert!(
                    2 * left_out > batch && first.contains("diverged"),
                    "{first}"
                );
                assert_eq!(state, fit.begin(x.clone()));
                seen.push(left_out);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((seen[0], seen[8]), (0, 8), "{seen:?}");
    assert!(seen.iter().any(|n| (1..=4).contains(n)), "{seen:?}");
}

/// One fiber's gradient far above the others counts as `clip` times their median.
#[test]
fn long_gradients_are_shortened() {
    let surrogate = surrogate();
    let x = vec![0.0; surrogate.len()];
    let gradient = |clip: f64, fibers: &[usize]| {
        let stage = TrajectoryStage { clip, ..stage() };
        let batch = source(8, 1).batch(fibers).unwrap();
        fit(stage, 8, 1).probe(&surrogate, &x, &batch).unwrap().1
    };
    let norm = |g: &[f64]| g.iter().map(|g| g * g).sum::<f64>().sqrt();
    let each: Vec<Vec<f64>> = (0..8).map(|fiber| gradient(0.0, &[fiber])).collect();
    let mut norms: Vec<f64> = each.iter().map(|g| norm(g)).collect();
    norms.sort_by(f64::total_cmp);
    let limit = 0.5 * (norms[3] + norms[4]);
    assert!(norms[7] > 1.2 * limit, "{norms:?}");
    let mut expected = vec![0.0; x.len()];
    for one in &each {
        let share = (limit / norm(one)).min(1.0) / 8.0;
        expected
            .iter_mut()
            .zip(one)
            .for_each(|(sum, g)| *sum += share * g);
    }
    let found = gradient(1.0, &[0, 1, 2, 3, 4, 5, 6, 7]);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= 1e-12 * limit,
            "{found} {expected}"
        );
    }
}

#[test]
fn a_state_that_the_set_lacks_is_named() {
    let recipe = Recipe {
        count: 2,
        nodes: 11,
        tstop_ms: 0.1,
        pulses: vec![PulseFamily {
            delay_ms: Range::fixed(0.0),
            keys: [("pw".to_owned(), KeyValue::Number(0.05))].into(),
            ..PulseFamily::default()
        }],
        fields: vec![FieldSource::new(FieldKind::Point {
            distance_um: Range::fixed(1000.0),
            z_um: Range::fixed(0.0),
            resistivity_ohm_cm: 500.0,
        })],
        ..Recipe::default()
    };
    let device = Device::cpu().unwrap();
    let recording = Recording {
        every: 1,
        states: vec!["v".into(), "m".into()],
    };
    let source = Source::from_recipe(&recipe, &device, recording).unwrap();
    let found = TrajectoryFit::new(&stage(), source, 2, 0, Precision::F64, &device);
    let error = found.err().unwrap().to_string();
    assert!(error.contains("no state `h`; it has v, m"), "{error}");
}
