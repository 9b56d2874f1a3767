//! Functions of time on the samples of a window, of which currents are sums.

use std::f64::consts::TAU;

use axonml_core::CoreError;
use axonml_optimize::least_squares;

/// Functions of time by their values at the samples of a window.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Functions {
    /// One for each of so many samples, 1 there and 0 elsewhere.
    Each(usize),
    /// Values `[function][sample]`.
    Given(Vec<Vec<f64>>),
}

impl Functions {
    /// Uniform cubic B-splines, as many as fit into the window with their supports: sums of them begin and end at 0 with
    /// their first two derivatives. `None` unless there are from 1 to three fewer than samples, more than which would
    /// not be independent.
    ///
    /// # Source
    /// C. de Boor, *A Practical Guide to Splines* (1978), chapter IX.
    pub(super) fn splines(count: usize, samples: usize) -> Option<Self> {
        let most = samples.checked_sub(3)?;
        if !(1..=most).contains(&count) {
            return None;
        }
        // Samples between two knots.
        let spacing = samples as f64 / (count + 3) as f64;
        let of = |function: usize| {
            let value = |sample: usize| {
                let middle = sample as f64 + 0.5;
                cubic(middle / spacing - function as f64)
            };
            (0..samples).map(value).collect()
        };
        Some(Functions::Given((0..count).map(of).collect()))
    }

    /// The first sines and cosines that have the window as a period, each frequency's sine before its cosine. They have
    /// no mean. `None` unless there are from 1 frequency to fewer than half as many as samples, from which on
    /// samples cannot tell them apart.
    pub(super) fn fourier(frequencies: usize, samples: usize) -> Option<Self> {
        if frequencies == 0 || frequencies >= samples.div_ceil(2) {
            return None;
        }
        let of = |frequency: usize| {
            let phase = move |sample: usize| {
                TAU * frequency as f64 * (sample as f64 + 0.5) / samples as f64
            };
            let sine = (0..samples).map(|sample| phase(sample).sin()).collect();
            let cosine = (0..samples).map(|sample| phase(sample).cos()).collect();
            [sine, cosine]
        };
        Some(Functions::Given((1..=frequencies).flat_map(of).collect()))
    }

    /// Number of functions.
    pub(super) fn count(&self) -> usize {
        match self {
            Functions::Each(samples) => *samples,
            Functions::Given(functions) => functions.len(),
        }
    }

    /// The sum over samples of each function.
    pub(super) fn totals(&self) -> Vec<f64> {
        match self {
            Functions::Each(samples) => vec![1.0; *samples],
            Functions::Given(functions) => functions.iter().map(|f| f.iter().sum()).collect(),
        }
    }

    /// The sum of the functions, each times its coefficient, at the samples.
    pub(super) fn sum(&self, coefficients: &[f64]) -> Vec<f64> {
        let Functions::Given(functions) = self else {
            return coefficients.to_vec();
        };
        let mut sum = vec![0.0; functions[0].len()];
        for (function, coefficient) in functions.iter().zip(coefficients) {
            let terms = sum.iter_mut().zip(function);
            terms.for_each(|(sum, value)| *sum += coefficient * value);
        }
        sum
    }

    /// The transpose of [`Functions::sum`]: derivatives by the coefficients, of those by the values at the samples.
    pub(super) fn by_coefficients(&self, by_values: &[f64]) -> Vec<f64> {
        let Functions::Given(functions) = self else {
            return by_values.to_vec();
        };
        let dot = |function: &Vec<f64>| -> f64 {
            let terms = function.iter().zip(by_values);
            terms.map(|(value, by_value)| value * by_value).sum()
        };
        functions.iter().map(dot).collect()
    }

    /// The coefficients whose sum is closest to these values.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] if they are not finite.
    pub(super) fn closest(&self, values: &[f64]) -> Result<Vec<f64>, CoreError> {
        let Functions::Given(functions) = self else {
            return Ok(values.to_vec());
        };
        let found = least_squares(functions.clone(), values.to_vec());
        found.ok_or_else(|| CoreError::BadValue {
            what: "the waveform that samples start from".into(),
            found: "numbers that are not finite, or too large".into(),
            expected: "currents that functions of time can be fitted to".into(),
        })
    }
}

/// The cubic B-spline with knots at 0, 1, 2, 3 and 4.
fn cubic(x: f64) -> f64 {
    // It is symmetric about 2.
    let x = 2.0 - (x - 2.0).abs();
    match x {
        _ if x <= 0.0 => 0.0,
        _ if x <= 1.0 => x.powi(3) / 6.0,
        _ => (((-3.0 * x + 12.0) * x - 12.0) * x + 4.0) / 6.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1/6, 2/3 and 1/6 at the inner knots; shifted copies add up to 1.
    #[test]
    fn b_splines_have_their_values_at_knots_and_add_up_to_one() {
        let at_knots = [0.0, 1.0, 2.0, 3.0, 4.0].map(cubic);
        let expected = [0.0, 1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0, 0.0];
        for (found, expected) in at_knots.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15);
        }
        for x in [3.0, 3.2, 3.77] {
            let sum: f64 = (0..4).map(|shift| cubic(x - f64::from(shift))).sum();
            assert!((sum - 1.0).abs() < 1e-14, "{sum} at {x}");
        }
        assert_eq!((cubic(-0.5), cubic(4.5)), (0.0, 0.0));
    }

    /// Splines of 5 coefficients in 16 samples have knots two samples apart: by hand, the first is cubic(1/4) at the first
    /// sample, and the window ends with the last.
    #[test]
    fn splines_fill_the_window() {
        let Some(Functions::Given(functions)) = Functions::splines(5, 16) else {
            panic!("five splines fit")
        };
        assert_eq!(functions[0][0], 0.25_f64.powi(3) / 6.0);
        assert!(functions[0][7] > 0.0 && functions[0][8] == 0.0);
        assert!(functions[4][7] == 0.0 && functions[4][8] > 0.0);
        assert!((functions[4][15] - functions[0][0]).abs() < 1e-15);
    }

    /// Products of different sines and cosines have no mean; squares have 1/2.
    #[test]
    fn fourier_terms_are_orthogonal_and_without_mean() {
        for samples in [9, 10] {
            let functions = Functions::fourier(4, samples).unwrap();
            assert!(functions.totals().iter().all(|total| total.abs() < 1e-13));
            let Functions::Given(values) = &functions else {
                panic!("they have values")
            };
            for (i, one) in values.iter().enumerate() {
                let products = functions.by_coefficients(one);
                for (j, product) in products.iter().enumerate() {
                    let expected = if i == j { samples as f64 / 2.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-13, "{i} {j}: {product}");
                }
            }
        }
    }

    #[test]
    fn dependent_functions_are_refused() {
        assert_eq!(Functions::splines(0, 20), None);
        assert_eq!(Functions::splines(18, 20), None);
        assert!(Functions::splines(17, 20).is_some());
        assert_eq!(Functions::splines(usize::MAX - 2, 20), None);
        assert_eq!(Functions::fourier(0, 20), None);
        assert_eq!(Functions::fourier(10, 20), None);
        assert!(Functions::fourier(9, 20).is_some());
        assert!(Functions::fourier(10, 21).is_some());
        assert_eq!(Functions::fourier(11, 21), None);
    }

    /// A sum of the functions is found as such.
    #[test]
    fn sums_are_their_own_closest() {
        let splines = Functions::splines(37, 40).unwrap();
        let fourier = Functions::fourier(6, 40).unwrap();
        for functions in [splines, fourier, Functions::Each(40)] {
            let coefficients: Vec<f64> = (0..functions.count())
                .map(|k| (k as f64 * 1.3).sin())
                .collect();
            let found = functions.closest(&functions.sum(&coefficients)).unwrap();
            for (found, expected) in found.iter().zip(&coefficients) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
        }
    }
}
