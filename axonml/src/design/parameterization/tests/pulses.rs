//! Pulses: edges between steps, ranges, and what cannot vary.

use axonml_core::{Random, TimeGrid};
use ndarray::Array2;

use super::*;

/// Where edges lie between two steps, derivatives are the means of those on both sides, as central differences are.
#[test]
fn derivatives_between_steps_are_means() {
    let mut random = Random::new(5, 0);
    let of = pulses("biphasic:pw=0.1,delay=0.2", &BIPHASIC);
    for shapes in [[0.05, 2.0, 0.2], [0.1, 0.5, 0.04]] {
        let x = [&[-0.3, 0.2, 1.0][..], &shapes].concat();
        assert_derivatives(&of, &x, &mut random);
    }
    // The phases meet: a wider pulse moves the end of one and the beginning of the other.
    let of = pulses("biphasic:pw=0.1,delay=0.2", &BIPHASIC[1..]);
    assert_derivatives(&of, &[-0.3, 0.2, 1.0, 1.0, 0.1], &mut random);
}

/// By hand, in steps of 0.1 ms: the first phase from 0.1 to 0.35 ms, the second, half as high, from 0.4 to 0.9. A wider
/// pulse has more of -1 in step 3, less of 1/2 in steps 3 and 4 (the edge lies between them), and its end, which moves
/// three times as fast, between 8 and 9.
#[test]
fn a_width_moves_the_edges_behind_it() {
    let grid = TimeGrid::new(0.1, 1.5).unwrap();
    let pulse = pulse("charge-balanced:pw1=0.25,pw2=0.5,gap=0.05,delay=0.1");
    let of = Pulses::new(1, &pulse, &grid, vec![(PulseShape::Width, [0.1, 0.3])]).unwrap();
    let x = of.start(&[2.0]);
    assert_eq!(x, [2.0, 0.25]);
    let by_step = |step: usize| {
        let mut by_currents = Array2::zeros((1, 15));
        by_currents[(0, step)] = 1.0;
        of.pull_back(&x, by_currents.view())[1]
    };
    let expected = [(3, -20.0 - 5.0), (4, -5.0), (8, 15.0), (9, 15.0)];
    for step in 0..15 {
        let known = expected.iter().find(|(at, _)| *at == step);
        let expected = known.map_or(0.0, |(_, value)| *value);
        assert!(
            (by_step(step) - expected).abs() < 1e-9,
            "step {step}: {}",
            by_step(step)
        );
    }
}

/// Nothing acts before the run or after it: edges at its ends have one side.
#[test]
fn edges_at_the_ends_of_the_run_have_one_side() {
    let by_width = |text: &str, pw_ms: f64| {
        let range = vec![(PulseShape::Width, [1e-9, pw_ms])];
        let of = Pulses::new(1, &pulse(text), &grid(), range).unwrap();
        move |step: usize| {
            let mut by_currents = Array2::zeros((1, grid().steps()));
            by_currents[(0, step)] = 1.0;
            of.pull_back(&[1.0, pw_ms], by_currents.view())[1]
        }
    };
    let whole = by_width("monophasic:delay=0", 1.5);
    assert_eq!([whole(0), whole(148), whole(149)], [0.0, 0.0, -1.0 / DT_MS]);
    // A pulse of 2e-9 ms ends within step 0.
    let short = by_width("monophasic:pw=1e-9,delay=0", 2e-9);
    assert_eq!([short(0), short(1)], [-1.0 / DT_MS, 0.0]);
}

#[test]
fn shapes_stay_within_their_ranges() {
    let of = pulses("biphasic:pw=0.5,gap=0.05,delay=0.2", &BIPHASIC);
    let x = of.start(&[0.1, 0.2, 0.3]);
    assert_eq!(x[3..], [0.05, 1.0, 0.25]);
    let widths = Widths {
        pw_ms: Some(0.25),
        gap_ms: Some(0.05),
        asymmetry: Some(1.0),
    };
    assert_eq!(of.widths_ms(&x), widths);
    let mut beyond = x.clone();
    beyond[5] = 7.0;
    assert_eq!(of.stimulus(&beyond), of.stimulus(&x));
    assert_eq!(of.shapes()[1], ("asymmetry", [0.4, 3.0]));
    let mono = pulses("monophasic", &[(PulseShape::Width, [0.05, 0.9])]);
    let only = Widths {
        pw_ms: Some(0.1),
        ..Widths::default()
    };
    assert_eq!(mono.widths_ms(&mono.start(&[0.0; 3])), only);
}

/// A pulse's own shape is the pulse, to rounding.
#[test]
fn pulses_start_from_their_waveform() {
    for text in [
        "biphasic:pw=0.13,gap=0.017,delay=0.2",
        "charge-balanced:pw1=0.11,pw2=0.31,delay=0.05",
        "asymmetric-biphasic:pw=0.1,scale=-3",
    ] {
        let ranges = [(PulseShape::Width, [0.05, 0.2])];
        let of = pulses(text, &ranges);
        let found = currents(&of, &of.start(&[0.5, 0.0, -1.0]));
        for (step, value) in sampled(text).into_iter().enumerate() {
            assert!(
                (found[(0, step)] - 0.5 * value).abs() < 1e-12,
                "{text}, {step}"
            );
            assert!((found[(2, step)] + value).abs() < 1e-12, "{text}, {step}");
        }
    }
}

#[test]
fn what_cannot_vary_is_refused() {
    let refused = |text: &str, varied: &[(PulseShape, [f64; 2])]| {
        let error = Pulses::new(CONTACTS, &pulse(text), &grid(), varied.to_vec());
        error.unwrap_err().to_string()
    };
    let width = |lower: f64, upper: f64| [(PulseShape::Width, [lower, upper])];
    for text in ["gaussian", "sine:freq=2,dur=1", "train:n=2"] {
        let message = refused(text, &width(0.1, 0.2));
        assert!(
            message.contains(text.split(':').next().unwrap()),
            "{message}"
        );
        assert!(message.contains("shape varies"), "{message}");
    }
    assert!(refused("biphasic", &[]).contains("at least one of pw, gap"));
    let twice = [width(0.1, 0.2), width(0.1, 0.3)].concat();
    assert!(refused("biphasic", &twice).contains("pw twice"));
    assert!(refused("monophasic", &BIPHASIC[..1]).contains("the gap of the pulse"));
    assert!(refused("monophasic", &BIPHASIC[1..2]).contains("the asymmetry of the pulse"));
    for (lower, upper) in [
        (0.0, 0.1),
        (-0.1, 0.1),
        (0.2, 0.2),
        (0.2, 0.1),
        (f64::NAN, 0.1),
        (0.1, f64::NAN),
        (0.1, f64::INFINITY),
    ] {
        let message = refused("biphasic", &width(lower, upper));
        assert!(message.contains("the range of pw"), "{message}");
    }
    let gap = refused("biphasic", &[(PulseShape::Gap, [-0.1, 0.1])]);
    assert!(gap.contains("0 or more"), "{gap}");
    assert!(pulses("biphasic", &BIPHASIC).shapes().len() == 3);
    let late = refused("biphasic:pw=0.1,delay=0.1", &width(0.1, 0.8));
    assert!(late.contains("tstop is shorter"), "{late}");
}
