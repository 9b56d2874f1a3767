//! Sums of a gate at detection sites: values against runs that record it, derivatives against differences.

use std::sync::Arc;

use axonml_models::{
    Detection, Device, Fiber, Observation, ObserverKind, ObserverSpec, Precision, RateEvaluation,
    Settings, Simulation, StateSum, Stimulus, model,
};
use ndarray::{Array2, array};

use super::population::{contacts, mixed, random_gains, shared, simulation};

const FIBERS: [(f64, usize); 3] = [(8.0, 25), (10.0, 21), (12.0, 25)];

fn gate() -> StateSum {
    StateSum::at_sites("m", &Detection::at_nodes(&[3, -2]))
}

/// The sum of m over the sites and all states from `after_ms` on, by a run that records it.
fn by_hand(sim: &Simulation, stimulus: &Stimulus, of: &StateSum) -> Vec<f64> {
    let recorder = ObserverKind::Recorder {
        states: vec!["m".into()],
        every: 1,
    };
    let recorder = ObserverSpec::new(recorder, of.nodes.clone()).after_ms(of.after_ms);
    let run = sim.run(stimulus, 1.0, &[recorder]).unwrap();
    let each = run.fibers.iter().map(|fiber| {
        let Observation::Recorded(recording) = &fiber.observations[0] else {
            panic!("not recorded")
        };
        recording.states[0].iter().sum()
    });
    each.collect()
}

#[test]
fn sums_are_those_of_recorded_runs() {
    let sim = simulation(&FIBERS, 1.5, &Device::cpu().unwrap());
    let gains = random_gains(5, 0.08, 3);
    for (waveforms, after_ms) in [(shared(), 0.0), (mixed(), 0.4)] {
        let of = StateSum { after_ms, ..gate() };
        let basis = sim.basis(&contacts(3, waveforms.clone(), None)).unwrap();
        let sums = basis.state_sums(gains.view(), &of, &mut |_| ()).unwrap();
        let (with, _) = basis.state_sum_gradients(gains.view(), &of).unwrap();
        let mut all = Vec::new();
        for (candidate, row) in gains.outer_iter().enumerate() {
            let stimulus = contacts(3, waveforms.clone(), Some(row.as_slice().unwrap()));
            for (fiber, expected) in by_hand(&sim, &stimulus, &of).into_iter().enumerate() {
                let found = sums[(candidate, fiber)].unwrap();
                assert!(
                    (found - expected).abs() < 1e-6 * expected,
                    "{candidate} {fiber}"
                );
                assert_eq!(with[(candidate, fiber)], Some(found));
                all.push(found);
            }
        }
        // Some fibers fire and some do not: an action potential opens the gate for most of a millisecond.
        let most = all.iter().copied().fold(0.0, f64::max);
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(most > 2.0 * least, "{least} to {most}");
    }
}

/// By each gain, for contacts that share a waveform and such that do not, below thresholds and above.
#[test]
fn derivatives_by_gains_are_those_of_differences() {
    const STEP: f64 = 1e-6;
    let sim = simulation(&FIBERS, 1.2, &Device::cpu().unwrap());
    let gains = array![[0.01, -0.02, 0.015], [0.09, 0.05, -0.03], [0.0, 0.0, 0.0]];
    for waveforms in [shared(), mixed()] {
        let basis = sim.basis(&contacts(3, waveforms, None)).unwrap();
        let sums = |gains: &Array2<f64>| {
            let found = basis
                .state_sums(gains.view(), &gate(), &mut |_| ())
                .unwrap();
            found.map(|sum| sum.unwrap())
        };
        let (_, found) = basis.state_sum_gradients(gains.view(), &gate()).unwrap();
        let largest = found.map(|x| x.abs());
        for contact in 0..3 {
            let moved = |by: f64| {
                let mut moved = gains.clone();
                moved.column_mut(contact).mapv_inplace(|gain| gain + by);
                sums(&moved)
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            for ((candidate, fiber), expected) in difference.indexed_iter() {
                let scale = (0..3).map(|of| largest[[candidate, fiber, of]]);
                let scale = scale.fold(0.0, f64::max);
                let found = found[[candidate, fiber, contact]];
                assert!(scale > 0.0);
                assert!(
                    (found - expected).abs() < 1e-5 * scale,
                    "candidate {candidate}, fiber {fiber}, contact {contact}: {found} and {expected}"
                );
            }
        }
    }
}

/// By each current: along the currents they add up to the derivatives by gains, and those of one sample are differences.
#[test]
fn derivatives_by_currents_are_those_of_differences() {
    const STEP: f64 = 1e-5;
    let sim = simulation(&FIBERS[..2], 1.2, &Device::cpu().unwrap());
    let given = mixed();
    let basis = sim.basis(&contacts(2, given.clone(), None)).unwrap();
    let gains = array![[0.09, 0.05, -0.03]];
    let weights = array![[0.4, -1.3]];
    let samples: Vec<Vec<f64>> = given
        .iter()
        .zip(gains.row(0))
        .map(|(waveform, gain)| {
            let unit = waveform.sample(sim.grid()).unwrap();
            unit.iter().map(|value| value * gain).collect()
        })
        .collect();
    let of_currents = |samples: &[Vec<f64>]| {
        let waveforms: Vec<_> = samples.iter().map(|of| Arc::new(of.clone())).collect();
        basis.with_waveforms(&[waveforms]).unwrap()
    };
    let ones = Array2::ones((1, 3));
    let found = of_currents(&samples)
        .state_sum_current_gradients(ones.view(), &gate(), weights.view())
        .unwrap();
    assert_eq!(found.dim(), (1, 3, sim.grid().steps()));
    let (_, by_gain) = basis.state_sum_gradients(gains.view(), &gate()).unwrap();
    for contact in 0..3 {
        let along: f64 = (0..sim.grid().steps())
            .map(|step| found[[0, contact, step]] * samples[contact][step])
            .sum();
        let of_gain = gains[[0, contact]]
            * (0..2)
                .map(|fiber| weights[[0, fiber]] * by_gain[[0, fiber, contact]])
                .sum::<f64>();
        assert!((along / of_gain - 1.0).abs() < 1e-9, "{along} {of_gain}");

        let step = 30 + 7 * contact;
        let loss = |by: f64| -> f64 {
            let mut moved = samples.clone();
            moved[contact][step] += by;
            let sums = of_currents(&moved).state_sums(ones.view(), &gate(), &mut |_| ());
            let each = sums.unwrap();
            each.iter()
                .zip(&weights)
                .map(|(sum, weight)| sum.unwrap() * weight)
                .sum()
        };
        let difference = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
        let derivative = found[[0, contact, step]];
        assert!(
            (difference / derivative - 1.0).abs() < 1e-5,
            "contact {contact}: {derivative} and {difference}"
        );
    }
}

/// States, nodes and weights that do not fit are refused, and so are tables of rates.
#[test]
fn what_does_not_fit_is_refused() {
    let sim = simulation(&FIBERS, 0.5, &Device::cpu().unwrap());
    let basis = sim.basis(&contacts(3, shared(), None)).unwrap();
    let gains = random_gains(2, 0.1, 1);
    let unknown = StateSum::at_sites("q", &Detection::default());
    let error = basis
        .state_sums(gains.view(), &unknown, &mut |_| ())
        .unwrap_err();
    assert!(error.to_string().contains('q'), "{error}");
    let nowhere = StateSum::at_sites("m", &Detection::at_nodes(&[40]));
    assert!(basis.state_sum_gradients(gains.view(), &nowhere).is_err());
    let few = Array2::ones((2, 2));
    let error = basis.state_sum_current_gradients(gains.view(), &gate(), few.view());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("the derivatives by sums")
    );
    let infinite = Array2::from_elem((2, 3), f64::INFINITY);
    let error = basis.state_sum_current_gradients(gains.view(), &gate(), infinite.view());
    assert!(error.unwrap_err().to_string().contains("a finite number"));

    // Gradients are those of exact rates.
    let settings = Settings {
        rates: RateEvaluation::Table,
        precision: Precision::F32,
        tstop_ms: 0.5,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(10.0, 21); 3];
    let mrg = model("mrg").unwrap();
    let sim = Simulation::new(&mrg, fibers, &settings, &Device::cpu().unwrap()).unwrap();
    let basis = sim.basis(&contacts(3, shared(), None)).unwrap();
    assert!(basis.state_sums(gains.view(), &gate(), &mut |_| ()).is_ok());
    let error = basis
        .state_sum_gradients(gains.view(), &gate())
        .unwrap_err();
    assert!(error.to_string().contains("without tables"), "{error}");
}
