//! Injected currents that the amplitude under study scales: thresholds, ends of the fiber, passive twins, derivatives.

use std::sync::Arc;

use axonml_autodiff::tape::GradientTape;
use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Device, Fiber, FiberState, GradientRequest, NA_PER_MA, Settings, Simulation, Stimulus,
    Threshold, ThresholdSearch, model,
};
use ndarray::Array2;
use proptest::prelude::*;

use crate::golden::largest_difference;
use crate::models::{number, table};

/// A depolarizing pulse.
fn pulse(pw_ms: f64, delay_ms: f64) -> Arc<Waveform> {
    let cathodic = Waveform::monophasic(pw_ms).unwrap();
    Arc::new(cathodic.flipped().delayed(delay_ms))
}

fn simulation(id: &str, fibers: Vec<Fiber>, settings: &Settings) -> Simulation {
    let device = Device::cpu().unwrap();
    Simulation::new(&model(id).unwrap(), fibers, settings, &device).unwrap()
}

fn for_ms(tstop_ms: f64) -> Settings {
    Settings {
        tstop_ms,
        ..Settings::default()
    }
}

/// The threshold of the only fiber, up to 100 nA.
fn threshold(simulation: &Simulation, stimulus: &Stimulus) -> Threshold {
    threshold_up_to(1e-4, simulation, stimulus)
}

fn threshold_up_to(max_ma: f64, simulation: &Simulation, stimulus: &Stimulus) -> Threshold {
    let search = ThresholdSearch {
        max_ma,
        ..ThresholdSearch::default()
    };
    simulation
        .thresholds(stimulus, &search, &mut |_| ())
        .unwrap()[0]
}

#[test]
fn brackets_of_intracellular_thresholds_overlap_those_of_neuron() {
    let rows = table("questions/intracellular_thresholds.csv");
    assert_eq!(rows.len(), 9);
    let mut stimulus = Stimulus::none(rows.len());
    let mut fibers = Vec::new();
    for (fiber, row) in rows.iter().enumerate() {
        assert_eq!(
            (number(row, "dt_ms"), number(row, "tstop_ms")),
            (0.005, 8.0)
        );
        assert_eq!(row["detect"], "5/-5, 0 mV");
        let nodes = number(row, "n_nodes") as usize;
        fibers.push(Fiber::new(number(row, "diameter_um"), nodes));
        let pulse = pulse(number(row, "pw_ms"), number(row, "delay_ms"));
        stimulus = stimulus.inject_scaled(fiber, number(row, "iclamp_node") as i64, pulse);
    }
    let simulation = simulation("mrg", fibers, &for_ms(8.0));
    let search = ThresholdSearch {
        resolution: 1e-5,
        ..ThresholdSearch::default()
    };
    let found = simulation
        .thresholds(&stimulus, &search, &mut |_| ())
        .unwrap();
    for (row, threshold) in rows.iter().zip(found) {
        assert_eq!(threshold.status(), "ok", "{row:?}: {threshold:?}");
        let [lower, upper] =
            [threshold.lower_ma(), threshold.upper_ma()].map(|bound| NA_PER_MA * bound.unwrap());
        let theirs = [number(row, "lower_bound_nA"), number(row, "threshold_nA")];
        assert!(
            lower <= theirs[1] && upper >= theirs[0],
            "{row:?}: {lower} to {upper} nA"
        );
        // The fiber is its own mirror image at the middle node; the table names the lowest node of those that cross in
        // the same step.
        let clamp = number(row, "iclamp_node");
        let start = threshold.start().unwrap();
        for node in [start.node as f64, number(row, "first_node")] {
            assert!((node - clamp).abs() <= 2.0, "{row:?}: {start:?}");
        }
    }
}

#[test]
fn a_scaled_injection_is_an_injection_of_as_many_nanoamperes() {
    let simulation = simulation("mrg", vec![Fiber::new(10.0, 21)], &for_ms(1.0));
    let last = |stimulus: Stimulus, amplitude_ma: f64| {
        let outcome = simulation.run(&stimulus, amplitude_ma, &[]).unwrap();
        outcome.fibers[0].state.clone().unwrap()
    };
    let states = |state: FiberState| [state.v_mv, state.states.concat(), state.modes].concat();
    let pulse = pulse(0.1, 0.1);
    let none = Stimulus::none(1);
    let own = last(none.clone().inject(0, -8, 1.5, pulse.clone()), 0.0);
    let scaled = last(none.inject_scaled(0, 13, pulse), 1.5e-6);
    assert!(largest_difference(&states(own), &states(scaled)) <= 1e-9);
}

/// The end of a cable has a higher input resistance: it fires at less, and a longer piece would not.
#[test]
fn a_current_into_an_end_excites_the_end() {
    let simulation = simulation("mrg", vec![Fiber::new(10.0, 53)], &for_ms(5.0));
    let at = |node: i64| {
        let stimulus = Stimulus::none(1).inject_scaled(0, node, pulse(0.1, 0.1));
        threshold(&simulation, &stimulus)
    };
    let (middle, end) = (at(26), at(0));
    assert_eq!(middle.status(), "ok");
    assert_eq!(end.status(), "end_excitation");
    assert_eq!(end.start().unwrap().node, 0);
    assert!(end.upper_ma().unwrap() < 0.8 * middle.upper_ma().unwrap());
}

/// Detection at the node that the current enters, in a fiber that cannot fire: its passive twin crosses as well.
#[test]
fn a_node_that_a_current_polarizes_is_an_artifact() {
    let settings = Settings {
        parameters: vec![("gna".into(), 0.0), ("gnap".into(), 0.0)],
        ..for_ms(2.0)
    };
    for node in [5, 4] {
        let simulation = simulation("mrg", vec![Fiber::new(10.0, 21)], &settings);
        let stimulus = Stimulus::none(1).inject_scaled(0, node, pulse(0.1, 0.1));
        let found = threshold(&simulation, &stimulus);
        assert_eq!(found.status(), "artifact", "{found:?}");
    }
}

/// A C fiber's input resistance is a thousand times that of a node of Ranvier: the response of its twin is computed all
/// the same, so that the search begins below the threshold.
#[test]
fn thin_fibers_fire_at_tens_of_picoamperes() {
    let simulation = simulation("sundt", vec![Fiber::new(0.5, 241)], &for_ms(8.0));
    let stimulus = Stimulus::none(1).inject_scaled(0, 120, pulse(1.0, 0.1));
    let found = threshold(&simulation, &stimulus);
    assert_eq!(found.status(), "ok", "{found:?}");
    let threshold_na = NA_PER_MA * found.upper_ma().unwrap();
    assert!((0.005..0.1).contains(&threshold_na), "{threshold_na}");
}

#[test]
fn what_the_amplitude_does_not_scale_stimulates_nothing() {
    let simulation = simulation("mrg", vec![Fiber::new(10.0, 21)], &for_ms(1.0));
    let none = Stimulus::none(1);
    let own = none.clone().inject(0, 3, 1.0, pulse(0.1, 0.1));
    assert!(simulation.is_unstimulated(&none, 0) && simulation.is_unstimulated(&own, 0));
    let zeros = Arc::new(Waveform::from_samples(0.005, vec![0.0; 200]).unwrap());
    let silent = own.clone().inject_scaled(0, 3, zeros);
    assert!(simulation.is_unstimulated(&silent, 0));
    let scaled = own.inject_scaled(0, 3, pulse(0.1, 0.2));
    assert!(!simulation.is_unstimulated(&scaled, 0));
    assert!(
        simulation
            .run(&none.inject_scaled(0, 21, pulse(0.1, 0.1)), 0.0, &[])
            .is_err()
    );
}

/// A field and a current with a waveform each, both scaled, and a current that is not.
struct Mixed {
    parameters: Vec<(String, f64)>,
    waveforms: [Vec<f64>; 3],
}

const CONSTANTS: [&str; 3] = ["gna", "ra", "cm"];

impl Mixed {
    fn new() -> Mixed {
        let on = |range: std::ops::Range<usize>, value: f64| {
            let sample = |k| if range.contains(&k) { value } else { 0.0 };
            (0..300).map(sample).collect()
        };
        Mixed {
            parameters: Vec::new(),
            waveforms: [on(20..40, -0.05), on(30..50, 1e-6), on(10..60, 0.1)],
        }
    }

    fn simulation(&self) -> Simulation {
        let settings = Settings {
            parameters: self.parameters.clone(),
            ..for_ms(1.5)
        };
        simulation("mrg", vec![Fiber::new(10.0, 31)], &settings)
    }

    fn stimulus(&self) -> Stimulus {
        let electrode = PointSource {
            x_um: 800.0,
            y_um: 0.0,
            z_um: 300.0,
            medium: Medium::isotropic(500.0),
        };
        let of = |index: usize| {
            let samples = self.waveforms[index].clone();
            Arc::new(Waveform::from_samples(0.005, samples).unwrap())
        };
        Stimulus::none(1)
            .source(0, Arc::new(electrode), of(0))
            .inject(0, 14, 1.0, of(2))
            .inject_scaled(0, 16, of(1))
    }

    fn threshold(&self) -> f64 {
        let search = ThresholdSearch {
            resolution: 1e-9,
            ..ThresholdSearch::default()
        };
        let found = self
            .simulation()
            .thresholds(&self.stimulus(), &search, &mut |_| ());
        found.unwrap()[0].upper_ma().unwrap()
    }
}

#[test]
fn derivatives_of_thresholds_go_through_scaled_injections() {
    let case = Mixed::new();
    let known = case.threshold();
    let simulation = case.simulation();
    let gradient = simulation
        .threshold_gradients(
            &case.stimulus(),
            &ThresholdSearch::default(),
            &[Some(known)],
            GradientRequest::ALL,
        )
        .unwrap()
        .remove(0)
        .unwrap();
    // Sources are in the order of the stimulus: fields, then injections.
    let waveforms = [0, 2, 1].map(|index| &case.waveforms[index]);
    let along = |source: usize| -> f64 {
        let bars = gradient.sources[source].waveform.iter();
        bars.zip(waveforms[source]).map(|(bar, w)| bar * w).sum()
    };
    // All that is scaled, twice as strong, halves the threshold; each part has its share.
    let total = along(0) + along(2);
    assert!((total + 1.0).abs() < 1e-9, "{total}");
    assert!(
        along(0) < -0.1 && along(2) < -0.1,
        "{} {}",
        along(0),
        along(2)
    );

    let difference = |h: f64, change: &dyn Fn(&mut Mixed, f64)| {
        let at = |h: f64| {
            let mut case = Mixed::new();
            change(&mut case, h);
            case.threshold()
        };
        (at(h) / at(-h)).ln() / (2.0 * h)
    };
    for (source, index) in [(0, 0), (1, 2), (2, 1)] {
        let expected = difference(1e-3, &|case, h| {
            case.waveforms[index].iter_mut().for_each(|w| *w *= 1.0 + h);
        });
        let found = along(source);
        assert!(
            (found - expected).abs() <= 0.01 * expected.abs(),
            "{source}: {found} {expected}"
        );
    }
    for name in CONSTANTS {
        let parameters = &simulation.schema().parameters;
        let place = parameters.iter().position(|p| p.name == name).unwrap();
        let value = parameters[place].value;
        let expected = difference(2e-4, &|case, h| {
            case.parameters = vec![(name.into(), value * (1.0 + h))];
        });
        let found = value * gradient.parameters[place];
        assert!(
            (found - expected).abs() <= 0.01 * expected.abs(),
            "{name}: {found} {expected}"
        );
    }
    // Injected currents have no potentials around the fiber to differentiate by.
    assert!(
        gradient.sources[1..]
            .iter()
            .all(|source| source.potentials.is_empty())
    );
}

/// On a tape as without: the derivative by the samples of a scaled injection's waveform.
#[test]
fn thresholds_on_a_tape_go_through_scaled_injections() {
    let case = Mixed::new();
    let simulation = case.simulation();
    let search = ThresholdSearch {
        resolution: 1e-9,
        ..ThresholdSearch::default()
    };
    let stimulus = case.stimulus();
    let tape = GradientTape::new();
    // In the order in which the stimulus names them.
    let rows = [0, 2, 1].map(|index| case.waveforms[index].clone());
    let waveforms = Array2::from_shape_vec((3, 300), rows.concat()).unwrap();
    let waveforms = tape.variable(waveforms);
    let run = simulation.on_tape(&tape, &stimulus).waveforms(waveforms);
    let ln_threshold = run.ln_thresholds(&search).unwrap().sum();
    let known = ln_threshold.number().unwrap().exp();
    assert!((known / case.threshold() - 1.0).abs() <= 1e-8);
    let gradients = tape.backward(ln_threshold).unwrap();
    let on_tape: Vec<f64> = gradients.of(waveforms).unwrap().iter().copied().collect();
    let direct = simulation
        .threshold_gradients(&stimulus, &search, &[Some(known)], GradientRequest::ALL)
        .unwrap()
        .remove(0)
        .unwrap();
    let direct: Vec<f64> = direct
        .sources
        .iter()
        .flat_map(|source| source.waveform.iter().copied())
        .collect();
    let largest = direct.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    assert!(largest_difference(&on_tape, &direct) <= 1e-6 * largest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Waveforms scaled by powers of two scale the threshold to the bit, as those of fields do.
    #[test]
    fn a_stronger_current_has_a_lower_threshold_in_proportion(exponent in -6_i32..=6) {
        let factor = 2.0_f64.powi(exponent);
        let simulation = simulation("mrg", vec![Fiber::new(10.0, 21)], &for_ms(1.5));
        let bounds = |factor: f64| {
            let waveform = (*pulse(0.1, 0.1)).clone().scaled(factor);
            let stimulus = Stimulus::none(1).inject_scaled(0, 10, Arc::new(waveform));
            let found = threshold_up_to(1e-4 / factor, &simulation, &stimulus);
            [found.lower_ma().unwrap(), found.upper_ma().unwrap()]
        };
        prop_assert_eq!(bounds(1.0), bounds(factor).map(|ma| ma * factor));
    }
}
