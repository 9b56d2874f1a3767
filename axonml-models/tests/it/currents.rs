//! Several stimuli on one basis, and derivatives of thresholds by currents, against separate bases and differences.

use std::sync::Arc;

use axonml_core::{CoreError, Medium, PointSource, Random, Waveform};
use axonml_models::{
    Basis, Detection, Device, Fiber, Precision, Settings, Simulation, SimulationError, Stimulus,
    Threshold, ThresholdSearch, model,
};
use ndarray::{Array2, Array3, Axis, array};

const CONTACTS: usize = 3;
const FIBERS: [(f64, usize); 2] = [(8.0, 15), (12.0, 17)];
const TSTOP_MS: f64 = 1.2;

fn simulation(precision: Precision, threads: usize) -> Simulation {
    let settings = Settings {
        tstop_ms: TSTOP_MS,
        precision,
        ..Settings::default()
    };
    let fibers = FIBERS.map(|(diameter_um, nodes)| Fiber::new(diameter_um, nodes));
    let device = Device::cpu_with_threads(threads).unwrap();
    Simulation::new(&model("mrg").unwrap(), fibers.to_vec(), &settings, &device).unwrap()
}

fn field(fiber: usize, contact: usize) -> Arc<PointSource> {
    let (x_um, z_um) = [(500.0, 0.0), (900.0, 1200.0), (-600.0, -500.0)][contact];
    Arc::new(PointSource {
        x_um: x_um - 300.0 * fiber as f64,
        y_um: 50.0,
        z_um,
        medium: Medium::isotropic(500.0),
    })
}

fn contacts(waveforms: &[Arc<Waveform>]) -> Stimulus {
    (0..FIBERS.len()).fold(Stimulus::none(FIBERS.len()), |stimulus, fiber| {
        let each = waveforms.iter().enumerate();
        each.fold(stimulus, |stimulus, (contact, waveform)| {
            stimulus.source(fiber, field(fiber, contact), waveform.clone())
        })
    })
}

fn pulse(text: &str) -> Arc<Waveform> {
    Arc::new(text.parse().unwrap())
}

fn search(resolution: f64) -> ThresholdSearch {
    ThresholdSearch {
        resolution,
        detection: Detection::at_nodes(&[2, -3]),
        ..ThresholdSearch::default()
    }
}

fn ones() -> Array2<f64> {
    Array2::ones((1, CONTACTS))
}

fn thresholds(basis: &Basis, gains: &Array2<f64>, resolution: f64) -> Array2<Threshold> {
    basis
        .thresholds(gains.view(), &search(resolution), None, &mut |_| ())
        .unwrap()
}

fn known(found: &Array2<Threshold>) -> Array2<Option<f64>> {
    found.map(|threshold| threshold.upper_ma())
}

type Waveforms = Vec<Arc<Vec<f64>>>;

/// Three stimuli as pulses: all contacts with one waveform, the last with another, all with their own.
fn stimuli() -> [[Arc<Waveform>; CONTACTS]; 3] {
    let one = pulse("biphasic:pw=0.1,delay=0.1");
    let other = pulse("monophasic:pw=0.2,delay=0.15,scale=0.5");
    let third = pulse("biphasic:pw=0.053,gap=0.02,delay=0.2,scale=-0.7");
    [
        [one.clone(), one.clone(), one.clone()],
        [one.clone(), one.clone(), other.clone()],
        [third, other, one],
    ]
}

fn sampled(sim: &Simulation, stimulus: &[Arc<Waveform>]) -> Waveforms {
    let mut known: Vec<(&Arc<Waveform>, Arc<Vec<f64>>)> = Vec::new();
    let each = stimulus.iter().map(|waveform| {
        let shared = known.iter().find(|(of, _)| Arc::ptr_eq(of, waveform));
        if let Some((_, samples)) = shared {
            return samples.clone();
        }
        let samples = Arc::new(waveform.sample(sim.grid()).unwrap());
        known.push((waveform, samples.clone()));
        samples
    });
    each.collect()
}

#[test]
fn stimuli_have_the_thresholds_of_their_own_bases() {
    let sim = simulation(Precision::F64, 2);
    let gains = array![[1.0, 0.4, -0.3], [0.2, 0.7, 0.5]];
    let first = sim.basis(&contacts(&stimuli()[0])).unwrap();
    let waveforms: Vec<Waveforms> = stimuli().iter().map(|of| sampled(&sim, of)).collect();
    let together = first.with_waveforms(&waveforms).unwrap();
    assert_eq!((first.stimuli(), together.stimuli()), (1, 3));
    assert_eq!(together.contacts(), CONTACTS);
    let found = thresholds(&together, &gains, 1e-4);
    assert_eq!(found.dim(), (2, 6));
    for (stimulus, of) in stimuli().iter().enumerate() {
        let own = thresholds(&sim.basis(&contacts(of)).unwrap(), &gains, 1e-4);
        for ((candidate, fiber), expected) in own.indexed_iter() {
            assert!(expected.upper_ma().is_some());
            let at = (candidate, 2 * stimulus + fiber);
            assert_eq!(found[at], *expected, "{at:?}");
        }
    }

    // Waveforms that are equal are one, however they are kept; and stimuli can be changed again.
    let copied: Vec<Waveforms> = waveforms
        .iter()
        .map(|of| of.iter().map(|values| Arc::new(values.to_vec())).collect())
        .collect();
    let again = together.with_waveforms(&copied[1..]).unwrap();
    assert_eq!(again.stimuli(), 2);
    let found_again = thresholds(&again, &gains, 1e-4);
    for fiber in 0..4 {
        assert_eq!(found_again.column(fiber), found.column(2 + fiber));
    }
}

/// Directions of all currents, and single steps: in a phase, at an edge, after one.
fn directions(steps: usize) -> Vec<Array2<f64>> {
    let mut random = Random::new(17, 0);
    let mut noise = || 2.0 * random.unit() - 1.0;
    let mut directions: Vec<Array2<f64>> = (0..2)
        .map(|_| Array2::from_shape_simple_fn((CONTACTS, steps), &mut noise))
        .collect();
    for at in [(0, 25), (1, 40), (2, 71)] {
        let mut direction = Array2::zeros((CONTACTS, steps));
        direction[at] = 1.0;
        directions.push(direction);
    }
    directions
}

/// Derivatives of a weighted sum of logarithms along directions of currents, in a basis whose first two contacts share a
/// waveform, at gains other than 1, one of them 0. Differences of fourth order from thresholds to 1e-11.
#[test]
fn derivatives_by_currents_are_differences() {
    const RESOLUTION: f64 = 1e-11;
    let sim = simulation(Precision::F64, 2);
    let [_, mixed, _] = stimuli();
    let basis = sim.basis(&contacts(&mixed)).unwrap();
    let gains = array![[1.0, 0.0, -0.3], [0.2, 0.7, 1.0]];
    let weights = array![[1.0, -2.0], [0.5, 0.75]];
    let found = thresholds(&basis, &gains, RESOLUTION);
    let known = known(&found);
    let by_current = basis
        .current_gradients(
            gains.view(),
            &search(RESOLUTION),
            known.view(),
            weights.view(),
        )
        .unwrap();
    let steps = sim.grid().steps();
    assert_eq!(by_current.dim(), (2, CONTACTS, steps));
    let waveforms = sampled(&sim, &mixed);
    for candidate in 0..2 {
        let of_row = by_current.index_axis(Axis(0), candidate);
        let weight = weights.row(candidate);
        let current = |(contact, step): (usize, usize)| {
            gains[(candidate, contact)] * waveforms[contact][step]
        };
        let currents = Array2::from_shape_fn((CONTACTS, steps), current);
        // A threshold is the inverse of the currents' size.
        let along = (&of_row * &currents).sum();
        assert!((along + weight.sum()).abs() < 1e-8, "{along}");

        let directions = directions(steps);
        let length = |direction: &Array2<f64>| (direction * direction).sum().sqrt();
        let h: Vec<f64> = directions.iter().map(|d| 2e-2 / length(d)).collect();
        let moved = |direction: &Array2<f64>, by: f64| -> Waveforms {
            let moved = &currents + by * direction;
            let contacts = moved.outer_iter();
            contacts.map(|values| Arc::new(values.to_vec())).collect()
        };
        let points: Vec<Waveforms> = directions
            .iter()
            .zip(&h)
            .flat_map(|(d, h)| [-2.0, -1.0, 1.0, 2.0].map(|times| moved(d, times * h)))
            .collect();
        let basis = basis.with_waveforms(&points).unwrap();
        let logarithms = thresholds(&basis, &ones(), RESOLUTION)
            .map(|threshold| threshold.upper_ma().unwrap().ln());
        let sums: Vec<f64> = logarithms
            .as_slice()
            .unwrap()
            .chunks(2)
            .map(|of_point| weight.dot(&ndarray::ArrayView1::from(of_point)))
            .collect();
        for ((direction, h), at) in directions.iter().zip(h).zip(sums.chunks(4)) {
            let expected = (8.0 * (at[2] - at[1]) - (at[3] - at[0])) / (12.0 * h);
            let found = (&of_row * direction).sum();
            assert!(
                (found - expected).abs() <= 1e-5 * expected.abs(),
                "candidate {candidate}: {found:e}, differences {expected:e}"
            );
        }
    }
}

/// Derivatives by gains are those by currents, times the waveforms: of stimuli at once, in either precision.
#[test]
fn gains_act_through_currents() {
    for (precision, tolerance) in [(Precision::F64, 1e-9), (Precision::F32, 1e-3)] {
        let sim = simulation(precision, 2);
        let all: Vec<Waveforms> = stimuli().iter().map(|of| sampled(&sim, of)).collect();
        let basis = sim.basis(&contacts(&stimuli()[0])).unwrap();
        let basis = basis.with_waveforms(&all).unwrap();
        let search = search(1e-4);
        let gains = array![[1.0, 1.0, 1.0], [0.4, -0.2, 1.0]];
        let found = basis.thresholds(gains.view(), &search, None, &mut |_| ());
        let known = known(&found.unwrap());
        // Each stimulus and fiber counts differently; one not at all.
        let weights = Array2::from_shape_fn((2, 6), |(candidate, fiber)| match fiber {
            4 => 0.0,
            _ => 0.5 + candidate as f64 - 0.4 * fiber as f64,
        });
        let by_current = basis
            .current_gradients(gains.view(), &search, known.view(), weights.view())
            .unwrap();
        let by_gain = basis
            .threshold_gradients(gains.view(), &search, known.view())
            .unwrap();
        assert_eq!(by_current.dim(), (6, CONTACTS, sim.grid().steps()));
        for candidate in 0..2 {
            for (stimulus, waveforms) in all.iter().enumerate() {
                for (contact, waveform) in waveforms.iter().enumerate() {
                    let row = by_current.index_axis(Axis(0), 3 * candidate + stimulus);
                    let currents = row.index_axis(Axis(0), contact);
                    let found: f64 = currents
                        .iter()
                        .zip(waveform.iter())
                        .map(|(d, w)| d * w)
                        .sum();
                    let expected: f64 = [0, 1]
                        .map(|fiber| {
                            let fiber = 2 * stimulus + fiber;
                            weights[(candidate, fiber)] * by_gain[[candidate, fiber, contact]]
                        })
                        .iter()
                        .sum();
                    assert!(
                        (found - expected).abs() <= tolerance * expected.abs().max(0.1),
                        "{precision:?} {candidate} {stimulus} {contact}: {found} {expected}"
                    );
                }
            }
        }
    }
}

/// In vector lanes of other stimuli, and on other numbers of threads.
#[test]
fn derivatives_do_not_depend_on_companions_and_threads() {
    let of = |threads: usize, stimuli: &[Waveforms]| -> (Array2<Option<f64>>, Array3<f64>) {
        let sim = simulation(Precision::F32, threads);
        let one = pulse("biphasic:pw=0.1,delay=0.1");
        let basis = sim.basis(&contacts(&[one.clone(), one.clone(), one]));
        let basis = basis.unwrap().with_waveforms(stimuli).unwrap();
        let search = search(1e-2);
        let found = basis.thresholds(ones().view(), &search, None, &mut |_| ());
        let known = known(&found.unwrap());
        let weights = Array2::ones(known.dim());
        let by_current =
            basis.current_gradients(ones().view(), &search, known.view(), weights.view());
        (known, by_current.unwrap())
    };
    let mut random = Random::new(23, 0);
    let steps = simulation(Precision::F32, 1).grid().steps();
    let mut noise = || -> Arc<Vec<f64>> {
        let on = |step: usize| (20..100).contains(&step);
        let value = |step| if on(step) { random.unit() - 0.7 } else { 0.0 };
        Arc::new((0..steps).map(value).collect())
    };
    let stimuli: Vec<Waveforms> = (0..30)
        .map(|_| (0..CONTACTS).map(|_| noise()).collect())
        .collect();
    let (known, all) = of(1, &stimuli);
    assert!(known.iter().filter(|known| known.is_some()).count() > 50);
    assert_eq!(of(3, &stimuli).1, all);
    for stimulus in [0, 17, 29] {
        let alone = of(1, &stimuli[stimulus..=stimulus]).1;
        assert_eq!(
            alone.index_axis(Axis(0), 0),
            all.index_axis(Axis(0), stimulus)
        );
    }
}

#[test]
fn fibers_without_weight_or_threshold_are_left_out() {
    let sim = simulation(Precision::F64, 2);
    let basis = sim.basis(&contacts(&stimuli()[2])).unwrap();
    let found = known(&thresholds(&basis, &ones(), 1e-6));
    let of = |known: Array2<Option<f64>>, weights: Array2<f64>| {
        basis.current_gradients(ones().view(), &search(1e-6), known.view(), weights.view())
    };
    let one = of(found.clone(), array![[2.0, 0.0]]).unwrap();
    assert_eq!(
        of(array![[found[(0, 0)], None]], array![[2.0, 5.0]]).unwrap(),
        one
    );
    // No threshold at all, but no weight either: a simulation would be an error.
    assert_eq!(
        of(array![[found[(0, 0)], Some(1e-6)]], array![[2.0, 0.0]]).unwrap(),
        one
    );
    assert!(one.iter().any(|x| *x != 0.0));
    let error = of(array![[found[(0, 0)], Some(1e-6)]], array![[2.0, 1.0]]).unwrap_err();
    assert!(
        error.to_string().contains("candidate 0: fiber 1"),
        "{error}"
    );
    let nothing = of(found, Array2::zeros((1, 2))).unwrap();
    assert!(nothing.iter().all(|x| *x == 0.0));
}

/// Injections that condition the fibers act in every stimulus as in a basis of its own.
#[test]
fn currents_that_are_not_scaled_stay() {
    let sim = simulation(Precision::F64, 2);
    let subthreshold = Arc::new(
        pulse("monophasic:pw=0.2,delay=0.05")
            .as_ref()
            .clone()
            .flipped(),
    );
    let with = |of: &[Arc<Waveform>]| contacts(of).inject(1, 8, 0.3, subthreshold.clone());
    let first = sim.basis(&with(&stimuli()[0])).unwrap();
    let waveforms: Vec<Waveforms> = stimuli().iter().map(|of| sampled(&sim, of)).collect();
    let together = first.with_waveforms(&waveforms).unwrap();
    let search = ThresholdSearch::default();
    let of = |basis: &Basis| {
        basis
            .thresholds(ones().view(), &search, None, &mut |_| ())
            .unwrap()
    };
    let (found, plain) = (
        of(&together),
        of(&sim.basis(&contacts(&stimuli()[2])).unwrap()),
    );
    let own = of(&sim.basis(&with(&stimuli()[2])).unwrap());
    assert_eq!([found[(0, 4)], found[(0, 5)]], [own[(0, 0)], own[(0, 1)]]);
    assert_eq!(own[(0, 0)], plain[(0, 0)]);
    assert!(own[(0, 1)].upper_ma() < plain[(0, 1)].upper_ma());
}

#[test]
fn waveforms_that_do_not_fit_are_refused() {
    let sim = simulation(Precision::F64, 1);
    let basis = sim.basis(&contacts(&stimuli()[0])).unwrap();
    let steps = sim.grid().steps();
    let flat = |value: f64, steps: usize| Arc::new(vec![value; steps]);
    let refused = |waveforms: &[Waveforms]| basis.with_waveforms(waveforms).unwrap_err();
    assert!(refused(&[]).to_string().contains("the stimuli"));
    let good: Waveforms = vec![flat(0.0, steps); CONTACTS];
    let few = refused(&[good.clone(), good[1..].to_vec()]).to_string();
    assert!(
        few.contains("waveforms of stimulus 1") && few.contains("3, one per contact"),
        "{few}"
    );
    let mut short = good.clone();
    short[1] = flat(0.0, steps - 1);
    let short = refused(&[short]).to_string();
    assert!(
        short.contains("contact 1 in stimulus 0") && short.contains("240 values"),
        "{short}"
    );
    let mut infinite = good.clone();
    let mut values = vec![0.0; steps];
    values[7] = f64::INFINITY;
    infinite[2] = Arc::new(values);
    assert!(matches!(
        refused(&[good.clone(), infinite]),
        SimulationError::Core(CoreError::NonFinite { what, index: 7, .. }) if what.contains("contact 2 in stimulus 1")
    ));

    let known = Array2::from_elem((1, 2), Some(0.1));
    let of = |weights: Array2<f64>| {
        let of =
            basis.current_gradients(ones().view(), &search(1e-6), known.view(), weights.view());
        of.unwrap_err().to_string()
    };
    assert!(of(Array2::ones((1, 3))).contains("the derivatives by thresholds"));
    assert!(of(array![[0.0, f64::NAN]]).contains("threshold of fiber 1 in candidate 0"));

    let dense = (0..FIBERS.len()).fold(Stimulus::none(FIBERS.len()), |stimulus, fiber| {
        let samples = sim.sample_points_um(fiber).len();
        stimulus.space_time(fiber, Arc::new(vec![0.0; steps * samples]))
    });
    let basis = sim.basis(&dense).unwrap();
    let error = basis.with_waveforms(&[vec![flat(0.0, steps)]]).unwrap_err();
    assert!(
        error.to_string().contains("space-time potential"),
        "{error}"
    );
    let gains = Array2::ones((1, 1));
    let weights = Array2::ones((1, 2));
    let error = basis.current_gradients(gains.view(), &search(1e-6), known.view(), weights.view());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("space-time potential")
    );
}
