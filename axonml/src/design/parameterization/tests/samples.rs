//! Samples: what they start from, and windows that are refused.

use axonml_core::Random;
use ndarray::ArrayView1;

use super::*;

/// Samples are the reference waveform where the window holds it, and the means of its steps where samples are longer.
#[test]
fn samples_start_from_the_reference() {
    let reference = sampled("biphasic:pw=0.2,delay=0.2");
    for (window_ms, sample_ms) in [([0.1, 1.1], 0.01), ([0.2, 0.6], 0.1)] {
        let of = samples(window_ms, sample_ms, Expansion::Samples);
        let found = currents(&of, &of.start(&[1.0, -0.3, 0.0]));
        for (step, value) in reference.iter().enumerate() {
            assert!((found[(0, step)] - value).abs() < 1e-15);
            assert!((found[(1, step)] + 0.3 * value).abs() < 1e-15);
            assert_eq!(found[(2, step)], 0.0);
        }
    }
    // By hand: samples of 0.16 ms from 0.1 on see 0.06 ms of the first phase, then 0.14 ms of it and 0.02 of the other.
    let of = samples([0.1, 0.58], 0.16, Expansion::Samples);
    let x = of.start(&[1.0, 0.0, 0.0]);
    for (found, expected) in x.iter().zip([-0.375, -0.75, 1.0]) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

/// No other coefficients are closer: the residual is orthogonal to every function.
#[test]
fn fits_leave_residuals_that_no_function_has() {
    let reference = sampled("biphasic:pw=0.2,delay=0.2");
    for expansion in [Expansion::Splines(17), Expansion::Fourier(9)] {
        let of = samples([0.1, 1.1], 0.02, expansion);
        let residual = currents(&of, &of.start(&[1.0, 1.0, 1.0])) - ArrayView1::from(&reference);
        assert!(residual.iter().any(|x| x.abs() > 0.05));
        for product in of.pull_back(&[], residual.view()) {
            assert!(product.abs() < 1e-12, "{expansion:?}: {product}");
        }
    }
}

#[test]
fn currents_outside_the_window_are_zero() {
    let mut random = Random::new(7, 0);
    for expansion in [
        Expansion::Samples,
        Expansion::Splines(4),
        Expansion::Fourier(3),
    ] {
        let of = samples([0.25, 0.75], 0.05, expansion);
        let found = currents(&of, &point(&of, &mut random));
        for ((_, step), value) in found.indexed_iter() {
            assert_eq!(
                *value == 0.0,
                !(25..75).contains(&step),
                "{expansion:?}, {step}"
            );
        }
    }
}

#[test]
fn impossible_windows_are_refused() {
    let refused = |window_ms: [f64; 2], sample_ms: f64, expansion: Expansion| {
        let reference = vec![0.0; grid().steps()];
        let of = Samples::new(
            CONTACTS,
            &reference,
            &grid(),
            window_ms,
            sample_ms,
            expansion,
        );
        of.unwrap_err().to_string()
    };
    let window = |begin_ms: f64, end_ms: f64| refused([begin_ms, end_ms], 0.01, Expansion::Samples);
    for (begin_ms, end_ms) in [(0.5, 0.5), (0.6, 0.5), (f64::NAN, 0.5), (0.5, f64::NAN)] {
        let message = window(begin_ms, end_ms);
        assert!(message.contains("a beginning before its end"), "{message}");
    }
    for (begin_ms, end_ms) in [
        (-0.1, 0.5),
        (0.5, 1.51),
        (0.5, f64::INFINITY),
        (f64::NEG_INFINITY, 0.5),
    ] {
        let message = window(begin_ms, end_ms);
        assert!(message.contains("within the run, 0 to 1.5 ms"), "{message}");
    }
    for (begin_ms, end_ms) in [(0.205, 0.5), (0.2, 0.503)] {
        let message = window(begin_ms, end_ms);
        assert!(message.contains("multiples of dt = 0.01 ms"), "{message}");
    }
    let message = refused([0.2, 0.5], 0.04, Expansion::Samples);
    assert!(
        message.contains("length of the window") && message.contains("0.04"),
        "{message}"
    );
    for sample_ms in [0.0, -0.01, 0.015, 1.6, f64::NAN, f64::INFINITY] {
        let message = refused([0.2, 0.5], sample_ms, Expansion::Samples);
        assert!(message.contains("length of a sample"), "{message}");
    }
    let message = refused([0.2, 0.5], 0.01, Expansion::Splines(28));
    assert!(
        message.contains("splines is `28`: expected from 1 to 27"),
        "{message}"
    );
    let message = refused([0.2, 0.5], 0.01, Expansion::Fourier(15));
    assert!(
        message.contains("frequencies is `15`: expected from 1 to 14"),
        "{message}"
    );
    let of = |reference: &[f64]| {
        let of = Samples::new(1, reference, &grid(), [0.0, 1.0], 0.01, Expansion::Samples);
        of.unwrap_err().to_string()
    };
    assert!(of(&[0.0; 149]).contains("150 values"));
    assert!(of(&[f64::NAN; 150]).contains("finite"));
}
