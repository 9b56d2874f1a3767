//! Every parameterization: derivatives against differences, linearity, balance and sums of currents.

mod pulses;
mod samples;

use std::sync::Arc;

use axonml_core::{Random, TimeGrid, Waveform};
use ndarray::Array2;
use proptest::prelude::*;

use super::*;

const DT_MS: f64 = 0.01;
const CONTACTS: usize = 3;

fn grid() -> TimeGrid {
    TimeGrid::new(DT_MS, 1.5).unwrap()
}

fn pulse(text: &str) -> Waveform {
    text.parse().unwrap()
}

fn sampled(text: &str) -> Vec<f64> {
    pulse(text).sample(&grid()).unwrap()
}

fn pulses(text: &str, varied: &[(PulseShape, [f64; 2])]) -> Pulses {
    Pulses::new(CONTACTS, &pulse(text), &grid(), varied.to_vec()).unwrap()
}

fn samples(window_ms: [f64; 2], sample_ms: f64, expansion: Expansion) -> Samples {
    let reference = sampled("biphasic:pw=0.2,delay=0.2");
    Samples::new(
        CONTACTS,
        &reference,
        &grid(),
        window_ms,
        sample_ms,
        expansion,
    )
    .unwrap()
}

const BIPHASIC: [(PulseShape, [f64; 2]); 3] = [
    (PulseShape::Gap, [0.0, 0.15]),
    (PulseShape::Asymmetry, [0.4, 3.0]),
    (PulseShape::Width, [0.03, 0.25]),
];

fn all() -> Vec<Box<dyn Parameterization>> {
    let waveform = Arc::new(sampled("biphasic:pw=0.105,delay=0.2"));
    vec![
        Box::new(Amplitudes::new(CONTACTS, waveform, DT_MS)),
        Box::new(pulses(
            "monophasic:delay=0.1",
            &[(PulseShape::Width, [0.05, 0.9])],
        )),
        Box::new(pulses(
            "charge-balanced:pw1=0.1,pw2=0.2,delay=0.1",
            &BIPHASIC,
        )),
        Box::new(pulses("biphasic:pw=0.1,scale=-2", &BIPHASIC[1..])),
        Box::new(samples([0.1, 1.1], 0.01, Expansion::Samples)),
        Box::new(samples([0.15, 1.05], 0.05, Expansion::Samples)),
        Box::new(samples([0.0, 1.5], 0.01, Expansion::Splines(12))),
        Box::new(samples([0.2, 1.2], 0.05, Expansion::Splines(17))),
        Box::new(samples([0.2, 1.2], 0.02, Expansion::Fourier(7))),
    ]
}

/// A point: linear unknowns of up to 1 mA, shapes within their ranges.
fn point(of: &dyn Parameterization, random: &mut Random) -> Vec<f64> {
    let linear = of.contacts() * of.coefficients();
    let mut x: Vec<f64> = (0..linear).map(|_| 2.0 * random.unit() - 1.0).collect();
    for (_, [lower, upper]) in of.shapes() {
        x.push(lower + (upper - lower) * random.unit());
    }
    x
}

fn currents(of: &dyn Parameterization, x: &[f64]) -> Array2<f64> {
    let stimulus = of.stimulus(x);
    let each =
        (0..of.contacts()).flat_map(|contact| stimulus.currents_ma(contact).collect::<Vec<f64>>());
    Array2::from_shape_vec((of.contacts(), grid().steps()), each.collect()).unwrap()
}

/// Derivatives of a sum of all currents, each with a weight of its own, by every unknown.
fn assert_derivatives(of: &dyn Parameterization, x: &[f64], random: &mut Random) {
    let weights =
        Array2::from_shape_simple_fn((of.contacts(), grid().steps()), || random.unit() - 0.5);
    let found = of.pull_back(x, weights.view());
    assert_eq!(found.len(), of.unknowns());
    let linear = of.contacts() * of.coefficients();
    for (place, found) in found.iter().enumerate() {
        let h = 1e-7;
        let loss = |by: f64| {
            let mut x = x.to_vec();
            x[place] += by;
            (&weights * &currents(of, &x)).sum()
        };
        let expected = (loss(h) - loss(-h)) / (2.0 * h);
        // Differences have errors of rounding, 1e-16 of sums of some ten over 1e-7, and of curvature, 1e-14 over widths
        // of 0.03 ms cubed.
        let scale = if place < linear {
            1.0
        } else {
            expected.abs().max(10.0)
        };
        assert!(
            (found - expected).abs() < 1e-6 * scale,
            "{of:?}, unknown {place}: {found}, differences {expected}"
        );
    }
}

#[test]
fn derivatives_are_differences() {
    let mut random = Random::new(3, 0);
    for of in all() {
        for _ in 0..5 {
            let x = point(&*of, &mut random);
            assert_derivatives(&*of, &x, &mut random);
        }
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        cases: 32,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Multiplied linear unknowns multiply the currents.
    #[test]
    fn linear_unknowns_are_linear(which in 0..9_usize, seed in any::<u64>(), factor in -3.0..3.0_f64) {
        let of = &*all()[which];
        let x = point(of, &mut Random::new(seed, 0));
        let linear = of.contacts() * of.coefficients();
        let mut scaled = x.clone();
        scaled[..linear].iter_mut().for_each(|x| *x *= factor);
        let (one, many) = (currents(of, &x), currents(of, &scaled));
        for (one, many) in one.iter().zip(&many) {
            prop_assert!((many - factor * one).abs() < 1e-12);
        }
    }

    /// Coefficients that add up to 0 over the contacts are currents that do, at every step.
    #[test]
    fn sums_of_currents_are_those_of_coefficients(which in 0..9_usize, seed in any::<u64>()) {
        let of = &*all()[which];
        let mut x = point(of, &mut Random::new(seed, 0));
        let (contacts, coefficients) = (of.contacts(), of.coefficients());
        for coefficient in 0..coefficients {
            let others: f64 = (1..contacts).map(|contact| x[contact * coefficients + coefficient]).sum();
            x[coefficient] = -others;
        }
        for sum in currents(of, &x).sum_axis(ndarray::Axis(0)) {
            prop_assert!(sum.abs() < 1e-12, "{}", sum);
        }
    }

    /// Currents whose coefficients are orthogonal to the charges have none; pulses of two phases and Fourier terms
    /// never have any.
    #[test]
    fn charges_are_those_of_coefficients(which in 0..9_usize, seed in any::<u64>()) {
        let of = &*all()[which];
        let mut x = point(of, &mut Random::new(seed, 0));
        let charge = |x: &[f64], contact: usize| currents(of, x).row(contact).sum() * DT_MS;
        if let Some(charges) = of.charges() {
            let found = charge(&x, 0);
            let of_contact = x[..of.coefficients()].iter().zip(&charges);
            let expected: f64 = of_contact.map(|(x, charge)| x * charge).sum();
            prop_assert!((found - expected).abs() < 1e-13);
            let square: f64 = charges.iter().map(|charge| charge * charge).sum();
            if square > 1e-20 {
                let coefficients = x[..of.coefficients()].iter_mut();
                coefficients.zip(&charges).for_each(|(x, charge)| *x -= expected * charge / square);
            }
        }
        // Monophasic pulses, and only these, have a charge that depends on their width.
        let is_balanced = which != 1;
        prop_assert_eq!(charge(&x, 0).abs() < 1e-13, is_balanced);
    }
}
