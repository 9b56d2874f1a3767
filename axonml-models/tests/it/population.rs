//! Matrices of gains on one basis of contacts: activation against thresholds and plain runs, derivatives of thresholds
//! against differences.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Random, Waveform};
use axonml_models::tape::GradientTape;
use axonml_models::{
    Activation, ActivationOptions, Basis, Detection, Device, Fiber, FiberStatus, LossBound,
    Precision, Settings, Simulation, Stimulus, TapedRunError, TapedThresholds, Threshold,
    ThresholdSearch, model,
};
use ndarray::{Array1, Array2, ArrayView1, Axis, array};

const CONTACTS: [(f64, f64); 3] = [(500.0, 0.0), (900.0, 1200.0), (-600.0, -500.0)];

pub(super) fn simulation(fibers: &[(f64, usize)], tstop_ms: f64, device: &Device) -> Simulation {
    let settings = Settings {
        tstop_ms,
        ..Settings::default()
    };
    let fibers = fibers
        .iter()
        .map(|&(diameter_um, nodes)| Fiber::new(diameter_um, nodes))
        .collect();
    Simulation::new(&model("mrg").unwrap(), fibers, &settings, device).unwrap()
}

fn pulse(text: &str) -> Arc<Waveform> {
    Arc::new(text.parse().unwrap())
}

/// Point contacts around parallel fibers, the fibers 300 um apart, a waveform for each contact.
pub(super) fn contacts(
    fibers: usize,
    waveforms: [Arc<Waveform>; 3],
    gains: Option<&[f64]>,
) -> Stimulus {
    (0..fibers).fold(Stimulus::none(fibers), |stimulus, fiber| {
        let each = CONTACTS.iter().zip(&waveforms).enumerate();
        each.fold(
            stimulus,
            |stimulus, (contact, (&(x_um, z_um), waveform))| {
                let electrode = PointSource {
                    x_um: x_um - 300.0 * fiber as f64,
                    y_um: 50.0,
                    z_um,
                    medium: Medium::isotropic(500.0),
                };
                let waveform = match gains {
                    Some(gains) => Arc::new((**waveform).clone().scaled(gains[contact])),
                    None => waveform.clone(),
                };
                stimulus.source(fiber, Arc::new(electrode), waveform)
            },
        )
    })
}

pub(super) fn shared() -> [Arc<Waveform>; 3] {
    let one = pulse("biphasic:pw=0.1,delay=0.1");
    [one.clone(), one.clone(), one]
}

/// The first two contacts share a waveform, the third has its own.
pub(super) fn mixed() -> [Arc<Waveform>; 3] {
    let [one, two, _] = shared();
    [one, two, pulse("monophasic:pw=0.2,delay=0.15")]
}

pub(super) fn random_gains(rows: usize, largest: f64, seed: u64) -> Array2<f64> {
    let mut random = Random::new(seed, 0);
    Array2::from_shape_simple_fn((rows, 3), || largest * (2.0 * random.unit() - 1.0))
}

fn active(basis: &Basis, gains: &Array2<f64>, options: &ActivationOptions) -> Array2<Activation> {
    basis
        .activation(gains.view(), options, &mut |_| ())
        .unwrap()
}

fn whole_runs() -> ActivationOptions {
    ActivationOptions {
        early_end: false,
        ..ActivationOptions::default()
    }
}

const FIBERS: [(f64, usize); 3] = [(8.0, 25), (10.0, 21), (12.0, 25)];

#[test]
fn fibers_fire_where_plain_runs_do() {
    let sim = simulation(&FIBERS, 2.5, &Device::cpu().unwrap());
    let gains = random_gains(12, 0.08, 3);
    for waveforms in [shared(), mixed()] {
        let basis = sim.basis(&contacts(3, waveforms.clone(), None)).unwrap();
        let found = active(&basis, &gains, &ActivationOptions::default());
        let whole = active(&basis, &gains, &whole_runs());
        let mut firing = 0;
        for (candidate, row) in gains.outer_iter().enumerate() {
            let stimulus = contacts(3, waveforms.clone(), Some(row.as_slice().unwrap()));
            let run = sim
                .run_detected(&stimulus, 1.0, &Detection::default(), &[])
                .unwrap();
            for fiber in 0..3 {
                let at = (candidate, fiber);
                let expected = run.starts[fiber].map(|(start, _)| start.node);
                let node = |activation| match activation {
                    Activation::Fires(start) => Some(start.node),
                    Activation::Silent { .. } => None,
                    other => panic!("{at:?}: {other:?}"),
                };
                assert_eq!(node(found[at]), expected, "{at:?}");
                assert_eq!(node(whole[at]), expected, "{at:?}");
                firing += usize::from(expected.is_some());
                let ended_early = |activation| {
                    matches!(
                        activation,
                        Activation::Silent {
                            ended_early: true,
                            ..
                        }
                    )
                };
                assert!(!ended_early(whole[at]));
                assert_eq!(ended_early(found[at]), expected.is_none(), "{at:?}");
            }
        }
        assert!((6..30).contains(&firing), "{firing} of 36 fire");
    }
}

#[test]
fn fibers_fire_above_their_threshold_and_not_below() {
    let sim = simulation(&FIBERS, 2.5, &Device::cpu().unwrap());
    let basis = sim.basis(&contacts(3, mixed(), None)).unwrap();
    let directions = random_gains(4, 1.0, 5);
    let search = ThresholdSearch::default();
    let thresholds = basis.thresholds(directions.view(), &search, None, &mut |_| ());
    let thresholds = thresholds.unwrap();
    for ((candidate, fiber), threshold) in thresholds.indexed_iter() {
        let Threshold::Found {
            lower_ma, upper_ma, ..
        } = *threshold
        else {
            panic!("{threshold:?}")
        };
        let row = directions.row(candidate);
        let gains = ndarray::stack(
            Axis(0),
            &[(&row * lower_ma).view(), (&row * upper_ma).view()],
        );
        let found = active(&basis, &gains.unwrap(), &ActivationOptions::default());
        let fires: Vec<_> = found.column(fiber).iter().map(Activation::fires).collect();
        assert_eq!(fires, [Some(false), Some(true)], "{candidate}, {fiber}");
    }

    // They are those of a stimulus of these strengths, whatever the guesses.
    for (candidate, row) in directions.outer_iter().enumerate() {
        let stimulus = contacts(3, mixed(), Some(row.as_slice().unwrap()));
        let plain = sim.thresholds(&stimulus, &search, &mut |_| ()).unwrap();
        for (found, plain) in thresholds.row(candidate).iter().zip(plain) {
            let bracket = |threshold: &Threshold| (threshold.lower_ma(), threshold.upper_ma());
            assert_eq!(bracket(found), bracket(&plain), "{candidate}");
        }
    }
    let guesses = thresholds.map(|threshold| 1.1 * threshold.upper_ma().unwrap());
    let guessed = basis.thresholds(
        directions.view(),
        &search,
        Some(guesses.view()),
        &mut |_| (),
    );
    assert_eq!(guessed.unwrap(), thresholds);
}

/// More pairs than are simulated at once, in lanes of other candidates and on other numbers of threads.
#[test]
fn answers_do_not_depend_on_companions_and_threads() {
    let fibers = [(6.0, 11), (8.0, 9), (10.0, 11)];
    let gains = random_gains(700, 1.0, 7);
    let options = ActivationOptions {
        detection: Detection::at_nodes(&[1, -2]),
        ..ActivationOptions::default()
    };
    let devices = [1, 3].map(|threads| Device::cpu_with_threads(threads).unwrap());
    let of = |device: &Device, gains: &Array2<f64>| {
        let sim = simulation(&fibers, 1.0, device);
        let basis = sim.basis(&contacts(3, shared(), None)).unwrap();
        active(&basis, gains, &options)
    };
    let all = of(&devices[0], &gains);
    assert_eq!(of(&devices[1], &gains), all);
    let firing = all.iter().filter(|a| a.fires() == Some(true)).count();
    assert!((200..1900).contains(&firing), "{firing} of 2100 fire");
    for candidate in [0, 333, 699] {
        let alone = gains.row(candidate).to_owned().insert_axis(Axis(0));
        assert_eq!(of(&devices[0], &alone).row(0), all.row(candidate));
    }
}

#[test]
fn candidates_that_have_lost_are_given_up() {
    let fibers: Vec<(f64, usize)> = (0..12).map(|k| (6.0 + 0.5 * f64::from(k), 11)).collect();
    let sim = simulation(&fibers, 1.5, &Device::cpu().unwrap());
    let basis = sim.basis(&contacts(12, shared(), None)).unwrap();
    let gains = random_gains(20, 0.6, 11);
    let options = ActivationOptions {
        detection: Detection::at_nodes(&[1, -2]),
        ..ActivationOptions::default()
    };
    let all = active(&basis, &gains, &options);
    // Even fibers should fire, odd ones should not; the last ones matter most.
    let weight = |fiber: usize| 1.0 + fiber as f64;
    let loss = |fires: bool| -> Vec<f64> {
        let of = |fiber| match (fiber % 2 == 0) == fires {
            true => 0.0,
            false => weight(fiber),
        };
        (0..12).map(of).collect()
    };
    let limit = 25.0;
    let bound = LossBound::new(loss(true), loss(false), limit).unwrap();
    let bounded = ActivationOptions {
        bound: Some(bound.clone()),
        ..options.clone()
    };
    let found = active(&basis, &gains, &bounded);
    let mut given_up = 0;
    for (found, all) in found.outer_iter().zip(all.outer_iter()) {
        let losses = bound.loss(all.iter().map(Activation::fires));
        let runs = |fiber: usize| found[fiber] != Activation::NotRun;
        assert!((4..12).all(runs), "the first stage is always run");
        if (0..4).any(|fiber| !runs(fiber)) {
            assert!(losses > limit, "{losses}");
            assert!((0..4).all(|fiber| !runs(fiber)));
            given_up += 1;
        } else {
            assert_eq!(found, all);
        }
    }
    assert!((1..20).contains(&given_up), "{given_up} of 20 given up");
    // A candidate's answers are the same without the others.
    let alone = gains.row(5).to_owned().insert_axis(Axis(0));
    assert_eq!(active(&basis, &alone, &bounded).row(0), found.row(5));
    // Limits of their own: every other candidate has none.
    let limits = (0..20).map(|candidate| match candidate % 2 {
        0 => limit,
        _ => f64::INFINITY,
    });
    let each = ActivationOptions {
        bound: Some(bound.with_limits(limits.collect()).unwrap()),
        ..options.clone()
    };
    let of_each = active(&basis, &gains, &each);
    for (candidate, row) in of_each.outer_iter().enumerate() {
        let expected = if candidate % 2 == 0 { &found } else { &all };
        assert_eq!(row, expected.row(candidate), "candidate {candidate}");
    }
    assert_ne!(of_each, found);
}

#[test]
fn fibers_that_need_no_contact_say_so() {
    let sim = simulation(&[(10.0, 21), (10.0, 21)], 1.5, &Device::cpu().unwrap());
    let own = pulse("monophasic:pw=0.1,delay=0.1");
    let injected = Arc::new((*own).clone().flipped());
    let stimulus = contacts(2, shared(), None).inject(0, 10, 3.0, injected);
    let basis = sim.basis(&stimulus).unwrap();
    let found = active(
        &basis,
        &Array2::zeros((1, 3)),
        &ActivationOptions::default(),
    );
    assert_eq!(found[(0, 0)], Activation::Spontaneous);
    assert_eq!(found[(0, 1)].fires(), Some(false));
    assert_eq!(found[(0, 0)].fires(), Some(true));
    let enormous = array![[1e9, 0.0, 0.0]];
    let found = active(&basis, &enormous, &ActivationOptions::default());
    assert!(
        matches!(
            found[(0, 1)],
            Activation::Diverged(FiberStatus::Diverged { .. })
        ),
        "{:?}",
        found[(0, 1)]
    );
    assert_eq!(found[(0, 1)].fires(), None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let sim = simulation(&[(10.0, 21), (10.0, 21)], 1.5, &Device::cpu().unwrap());
    let text = |error: axonml_models::SimulationError| error.to_string();
    let unequal = contacts(2, shared(), None).source(
        1,
        Arc::new(PointSource {
            x_um: 900.0,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        }),
        shared()[0].clone(),
    );
    assert!(text(sim.basis(&unequal).unwrap_err()).contains("contacts of fiber 1"));
    assert!(text(sim.basis(&Stimulus::none(2)).unwrap_err()).contains("the contacts"));
    let basis = sim.basis(&contacts(2, shared(), None)).unwrap();
    let refused = |gains: Array2<f64>, options: &ActivationOptions| {
        text(
            basis
                .activation(gains.view(), options, &mut |_| ())
                .unwrap_err(),
        )
    };
    let options = ActivationOptions::default();
    assert!(refused(Array2::zeros((1, 2)), &options).contains("3 contacts"));
    assert!(refused(array![[0.0, f64::NAN, 0.0]], &options).contains("contact 1 in candidate 0"));
    let bound = LossBound::new(vec![1.0], vec![0.0], 1.0).unwrap();
    let bounded = ActivationOptions {
        bound: Some(bound),
        ..options
    };
    assert!(refused(Array2::zeros((1, 3)), &bounded).contains("losses of fibers"));
    assert!(LossBound::new(vec![1.0], vec![], 1.0).is_err());
    assert!(LossBound::new(vec![-1.0], vec![0.0], 1.0).is_err());
    let bound = LossBound::new(vec![1.0; 2], vec![0.0; 2], 1.0).unwrap();
    assert!(bound.clone().with_limits(vec![f64::NAN]).is_err());
    let each = ActivationOptions {
        bound: Some(bound.with_limits(vec![1.0; 3]).unwrap()),
        ..ActivationOptions::default()
    };
    assert!(refused(Array2::zeros((1, 3)), &each).contains("one per candidate"));
    let gains = Array2::from_elem((1, 3), 1.0);
    let search = ThresholdSearch::default();
    let guesses = Array2::from_elem((1, 1), 1.0);
    let error = basis.thresholds(gains.view(), &search, Some(guesses.view()), &mut |_| ());
    assert!(text(error.unwrap_err()).contains("the guesses"));
    // An amplitude that is no threshold is named with its candidate and fiber.
    let known = array![[None, Some(1e-6)]];
    let error = basis.threshold_gradients(gains.view(), &search, known.view());
    let error = text(error.unwrap_err());
    assert!(error.contains("candidate 0: fiber 1"), "{error}");
}

// ---- derivatives
// ------------------------------------------------------------------------------------------------

fn fine() -> ThresholdSearch {
    ThresholdSearch {
        resolution: 1e-9,
        detection: Detection::at_nodes(&[2, -3]),
        ..ThresholdSearch::default()
    }
}

/// Contacts that share a waveform, one with its own, and a space-time potential.
fn with_space_time(sim: &Simulation) -> Stimulus {
    let steps = sim.grid().steps();
    let fibers = 0..sim.fibers().len();
    fibers.fold(
        contacts(sim.fibers().len(), mixed(), None),
        |stimulus, fiber| {
            let z_um = sim.sample_points_um(fiber);
            let on = |step: usize| if (20..50).contains(&step) { -30.0 } else { 0.0 };
            let ve = (0..steps).flat_map(|step| {
                z_um.iter()
                    .map(move |z| on(step) * (-(z / 2000.0).powi(2)).exp())
            });
            stimulus.space_time(fiber, Arc::new(ve.collect()))
        },
    )
}

#[test]
fn derivatives_of_thresholds_by_gains_are_differences() {
    let sim = simulation(&[(8.0, 15), (12.0, 17)], 1.2, &Device::cpu().unwrap());
    let basis = sim.basis(&with_space_time(&sim)).unwrap();
    assert_eq!(basis.contacts(), 4);
    let gains = array![[1.0, 0.4, -0.3, 0.2], [0.2, 0.7, 0.5, 0.0]];
    let ln = |gains: &Array2<f64>| -> Array2<f64> {
        let found = basis.thresholds(gains.view(), &fine(), None, &mut |_| ());
        found
            .unwrap()
            .map(|threshold| threshold.upper_ma().unwrap().ln())
    };
    let known = ln(&gains).map(|ln_ma| Some(ln_ma.exp()));
    let found = basis.threshold_gradients(gains.view(), &fine(), known.view());
    let found = found.unwrap();
    assert_eq!(found.dim(), (2, 2, 4));
    for contact in 0..4 {
        let h = 1e-4;
        let moved = |by: f64| {
            let mut gains = gains.clone();
            gains.column_mut(contact).map_inplace(|gain| *gain += by);
            ln(&gains)
        };
        let expected = (moved(h) - moved(-h)) / (2.0 * h);
        for (at, expected) in expected.indexed_iter() {
            let found = found[[at.0, at.1, contact]];
            assert!(
                (found - expected).abs() <= 1e-3 * expected.abs().max(0.05),
                "{at:?}, contact {contact}: {found:e}, differences {expected:e}"
            );
        }
    }
    // A threshold is the inverse of the gains' size.
    for (candidate, gains) in gains.outer_iter().enumerate() {
        for fiber in 0..2 {
            let by_gain: ArrayView1<'_, f64> = found.slice(ndarray::s![candidate, fiber, ..]);
            assert!((by_gain.dot(&gains) + 1.0).abs() < 1e-8, "{by_gain}");
        }
    }
}

#[test]
fn thresholds_on_a_tape_take_guesses_and_a_value_where_there_are_none() {
    let sim = simulation(&[(8.0, 15), (12.0, 17)], 1.2, &Device::cpu().unwrap());
    let basis = sim.basis(&contacts(2, mixed(), None)).unwrap();
    let gains = array![[1.0, 0.4, -0.3], [1e-6, 0.0, 0.0], [0.3, 0.5, 0.1]];
    let search = ThresholdSearch {
        max_ma: 5.0,
        ..fine()
    };
    let tape = GradientTape::new();
    let tensor = tape.variable(gains.clone());
    let refused = basis.ln_thresholds(&tape, tensor, &search).unwrap_err();
    assert!(matches!(
        refused,
        TapedRunError::NoThreshold {
            candidate: Some(1),
            fiber: 0,
            ..
        }
    ));
    assert!(
        refused
            .to_string()
            .contains("candidate 1: fiber 0 has no threshold")
    );
    let options = TapedThresholds {
        without_ma: Some(5.0),
        ..TapedThresholds::from(&search)
    };
    let found = basis.ln_thresholds(&tape, tensor, options.clone()).unwrap();
    let values = found.value().unwrap();
    assert_eq!(values.shape(), [3, 2]);
    assert_eq!(values[[1, 0]], 5.0_f64.ln());
    let guessed = TapedThresholds {
        guesses_ma: Some(values.map(|ln_ma| 0.9 * ln_ma.exp())),
        ..options
    };
    let again = basis.ln_thresholds(&tape, tensor, guessed).unwrap();
    assert_eq!(again.value().unwrap(), values);

    // Every pair counts differently, so that none can be mixed up.
    let weights = array![[1.0, -2.0], [3.0, 4.0], [0.5, 0.25]];
    let loss = (found * tape.constant(weights.clone())).sum();
    let by_gains = tape.backward(loss).unwrap().of(tensor).unwrap();
    let known = basis.thresholds(gains.view(), &search, None, &mut |_| ());
    let known = known.unwrap().map(Threshold::upper_ma);
    let each = basis.threshold_gradients(gains.view(), &search, known.view());
    let each = each.unwrap();
    for candidate in 0..3 {
        let expected: Array1<f64> = (0..2)
            .map(|fiber| {
                let of_fiber = each.slice(ndarray::s![candidate, fiber, ..]);
                weights[(candidate, fiber)] * &of_fiber
            })
            .fold(Array1::zeros(3), |sum, x| sum + x);
        for contact in 0..3 {
            let (found, expected) = (by_gains[[candidate, contact]], expected[contact]);
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs(),
                "{found} {expected}"
            );
            assert_eq!(found == 0.0, candidate == 1);
        }
    }
}

/// Single precision decides as double precision does, away from thresholds.
#[test]
fn precisions_agree() {
    let sim = simulation(&FIBERS, 2.0, &Device::cpu().unwrap());
    let settings = Settings {
        tstop_ms: 2.0,
        precision: Precision::F32,
        ..Settings::default()
    };
    let single = Simulation::new(
        &model("mrg").unwrap(),
        sim.fibers().to_vec(),
        &settings,
        &Device::cpu().unwrap(),
    )
    .unwrap();
    let gains = random_gains(10, 0.4, 13);
    let of = |sim: &Simulation| {
        let basis = sim.basis(&contacts(3, shared(), None)).unwrap();
        active(&basis, &gains, &ActivationOptions::default()).map(Activation::fires)
    };
    assert_eq!(of(&single), of(&sim));
}
