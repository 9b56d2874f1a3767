//! Derives the defaults of the two-mode surrogate from the exact fiber, mode by mode.
//!
//! At each diameter the exact double cable is reduced to [`KEPT_MODE`] of each parity
//! ([`ReducedCable::from_double`]); the parameters of every coefficient are a least-squares fit over diameters.

use std::ops::RangeInclusive;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::ReducedCable;

use super::{COEFFICIENTS, Form, REFERENCE_DIAMETER_UM};
use crate::lower::lower;
use crate::models::Mrg;
use crate::{Fiber, Settings, SimulationError};

/// The mode of each parity that is kept, counted from 0 in the order of rates.
pub const KEPT_MODE: usize = 4;

/// Diameters that the parameters are fitted over, um. Below, the published geometry has a step.
pub const DIAMETERS_UM: RangeInclusive<f64> = 5.5..=16.0;

/// Distance between the diameters of the fit, um.
const DIAMETER_STEP_UM: f64 = 0.25;

/// A coefficient's parameters and their largest deviation from the derived values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// p0, p1, p2 of [`Form`].
    pub parameters: [f64; 3],
    /// Largest deviation over the diameters: relative for [`Form::Positive`] and [`Form::Negative`], relative to the
    /// largest magnitude over diameters for [`Form::Multiple`].
    pub largest_error: f64,
}

/// The coefficients of [`COEFFICIENTS`] at a diameter, from the exact fiber with its default parameters.
///
/// # Errors
/// [`SimulationError::Fiber`] if the exact model does not have the diameter.
pub fn coefficients(diameter_um: f64) -> Result<[f64; COEFFICIENTS.len()], SimulationError> {
    let (_, built) = lower(&Mrg, &[Fiber::new(diameter_um, 3)], &Settings::default())?;
    let fiber = &built[0];
    let Cable::Double(exact) = &*fiber.cable else {
        unreachable!("the exact model has a double cable")
    };
    let places = std::array::from_fn(|j| fiber.sample_z_um[j]);
    let cable = ReducedCable::from_double(exact, KEPT_MODE, &places);
    let drive = &cable.drive;
    Ok([
        cable.capacitance_nf,
        cable.self_us - cable.neighbor_us,
        cable.neighbor_us,
        cable.even.lambda_per_ms,
        cable.even.coupling_us_per_ms,
        cable.odd.lambda_per_ms,
        cable.odd.coupling_us_per_ms,
        drive.node_even_us,
        drive.node_odd_us,
        drive.node_wide_us,
        drive.even_us_per_ms,
        drive.odd_us_per_ms,
        drive.wide_us_per_ms,
    ])
}

/// Parameters of all coefficients, in the order of [`COEFFICIENTS`].
///
/// # Errors
/// As [`coefficients`].
pub fn fit() -> Result<[Fit; COEFFICIENTS.len()], SimulationError> {
    let (first, last) = (*DIAMETERS_UM.start(), *DIAMETERS_UM.end());
    let count = ((last - first) / DIAMETER_STEP_UM).round() as usize;
    let diameters = (0..=count).map(|k| first + DIAMETER_STEP_UM * k as f64);
    let rows = diameters
        .map(|d| Ok(((d / REFERENCE_DIAMETER_UM).ln(), coefficients(d)?)))
        .collect::<Result<Vec<_>, SimulationError>>()?;
    Ok(std::array::from_fn(|index| {
        let form = COEFFICIENTS[index].form;
        let points: Vec<(f64, f64)> = rows
            .iter()
            .map(|(x, values)| {
                let y = match form {
                    Form::Positive | Form::Negative => values[index].abs().ln(),
                    Form::Multiple(of) => values[index] / values[of],
                };
                (*x, y)
            })
            .collect();
        let parameters = fit_parabola(&points);
        let [p0, p1, p2] = parameters;
        let errors = points.iter().map(|(x, y)| (p2 * x + p1) * x + p0 - y);
        let largest = |errors: &mut dyn Iterator<Item = f64>| errors.fold(0.0, f64::max);
        let largest_error = match form {
            Form::Positive | Form::Negative => largest(&mut errors.map(|e| e.exp_m1().abs())),
            Form::Multiple(_) => {
                let scale = largest(&mut points.iter().map(|(_, y)| y.abs()));
                largest(&mut errors.map(|e| e.abs() / scale))
            }
        };
        Fit {
            parameters,
            largest_error,
        }
    }))
}

/// Coefficients c0, c1, c2 of the parabola with the smallest sum of squares of deviations from `points`, by the normal
/// equations: three columns of numbers of size 1 are well conditioned.
fn fit_parabola(points: &[(f64, f64)]) -> [f64; 3] {
    let moment = |power: i32| -> f64 { points.iter().map(|(x, _)| x.powi(power)).sum() };
    let mut rows: [[f64; 4]; 3] = std::array::from_fn(|i| {
        std::array::from_fn(|j| match j {
            3 => points.iter().map(|(x, y)| x.powi(i as i32) * y).sum(),
            _ => moment((i + j) as i32),
        })
    });
    for pivot in 0..3 {
        let upper = rows[pivot];
        for row in rows.iter_mut().skip(pivot + 1) {
            let factor = row[pivot] / upper[pivot];
            for (x, upper) in row.iter_mut().zip(upper) {
                *x -= factor * upper;
            }
        }
    }
    let mut solution = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][3] - known) / rows[i][i];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_parabola_give_it_back() {
        let points: Vec<(f64, f64)> = [-0.5, -0.1, 0.0, 0.3, 0.45]
            .map(|x| (x, 2.0 - 3.0 * x + 0.5 * x * x))
            .to_vec();
        let found = fit_parabola(&points);
        for (found, expected) in found.iter().zip([2.0, -3.0, 0.5]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    /// Points off a parabola are missed such that the misses are orthogonal to 1, x and x^2.
    #[test]
    fn misses_are_orthogonal_to_what_could_reduce_them() {
        let points: Vec<(f64, f64)> = (0..9)
            .map(|k| 0.1 * f64::from(k))
            .map(|x| (x, x.exp()))
            .collect();
        let [c0, c1, c2] = fit_parabola(&points);
        for power in 0..3 {
            let product: f64 = points
                .iter()
                .map(|(x, y)| (y - c0 - c1 * x - c2 * x * x) * x.powi(power))
                .sum();
            assert!(product.abs() < 1e-12, "{power}: {product}");
        }
    }

    #[test]
    fn defaults_are_what_the_exact_fiber_gives() {
        let fits = fit().unwrap();
        for (coefficient, fit) in COEFFICIENTS.iter().zip(&fits) {
            println!(
                "{}: {:?}, largest error {:.1e}",
                coefficient.parameters[0], fit.parameters, fit.largest_error
            );
        }
        for (coefficient, fit) in COEFFICIENTS.iter().zip(&fits) {
            // Numbers of size 1 to six decimals; the drives of modes are smaller, and to six digits.
            let scale = fit.parameters.iter().fold(0.0, |s: f64, p| s.max(p.abs()));
            for (name, (found, derived)) in coefficient
                .parameters
                .iter()
                .zip(coefficient.defaults.iter().zip(fit.parameters))
            {
                assert!(
                    (found - derived).abs() < 1e-6 * scale.min(1.0),
                    "{name}: {found} instead of {derived}"
                );
            }
        }
    }
}
