//! Values between samples: the choice of method, and one type that does either.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::CoreError;
use crate::names::canonical;
use crate::spline::{CubicSpline, SplineBasis};

/// Interpolation between samples. Written `cubic` or `linear`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interpolation {
    /// A cubic spline with two continuous derivatives, which a fiber's second spatial difference needs.
    #[default]
    Cubic,
    /// Straight lines, whose second difference has spikes at the samples.
    Linear,
}

impl Interpolation {
    const NAMES: [&str; 2] = ["cubic", "linear"];
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES[*self as usize])
    }
}

impl FromStr for Interpolation {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match canonical(text).as_str() {
            "cubic" => Ok(Self::Cubic),
            "linear" => Ok(Self::Linear),
            _ => Err(CoreError::unknown_name("interpolation", text, Self::NAMES)),
        }
    }
}

/// A line of samples that can be read at any point between its first and its last.
///
/// # Example
/// ```
/// use axonml_core::{Interpolation, Interpolator};
/// let line = Interpolator::new(vec![0.0, 10.0], vec![1.0, 2.0], Interpolation::Linear)?;
/// assert_eq!(line.eval(5.0)?, 1.5);
/// assert!(line.eval(10.1).is_err());
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Interpolator {
    /// A not-a-knot cubic spline.
    Cubic(CubicSpline),
    /// Straight lines between the samples.
    Linear(Polyline),
}

impl Interpolator {
    /// Interpolates `values` given at ascending `knots`.
    ///
    /// # Errors
    /// [`CoreError::Shape`] for fewer than two knots or another number of values,
    /// [`CoreError::NonFinite`], [`CoreError::NotAscending`].
    pub fn new(
        knots: Vec<f64>,
        values: Vec<f64>,
        method: Interpolation,
    ) -> Result<Self, CoreError> {
        Self::with_basis(Arc::new(SplineBasis::new(knots)?), values, method)
    }

    /// Interpolates `values` given at the knots of `basis`: for many lines over the same knots.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there is not one value per knot, [`CoreError::NonFinite`].
    pub fn with_basis(
        basis: Arc<SplineBasis>,
        values: Vec<f64>,
        method: Interpolation,
    ) -> Result<Self, CoreError> {
        match method {
            Interpolation::Cubic => CubicSpline::with_basis(basis, values).map(Self::Cubic),
            Interpolation::Linear => Polyline::with_basis(basis, values).map(Self::Linear),
        }
    }

    /// The knots.
    pub fn basis(&self) -> &SplineBasis {
        match self {
            Self::Cubic(spline) => spline.basis(),
            Self::Linear(line) => &line.basis,
        }
    }

    /// The value at `x`.
    ///
    /// # Errors
    /// [`CoreError::OutsideRange`] outside the knots: nothing is extrapolated.
    pub fn eval(&self, x: f64) -> Result<f64, CoreError> {
        match self {
            Self::Cubic(spline) => spline.eval(x),
            Self::Linear(line) => line.eval(x),
        }
    }

    /// The slope at `x`; of straight lines, to the right of a knot (to its left at the last).
    ///
    /// # Errors
    /// [`CoreError::OutsideRange`] outside the knots.
    pub fn derivative(&self, x: f64) -> Result<f64, CoreError> {
        match self {
            Self::Cubic(spline) => spline.derivative(x),
            Self::Linear(line) => line.derivative(x),
        }
    }
}

/// Straight lines between samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Polyline {
    basis: Arc<SplineBasis>,
    values: Vec<f64>,
}

impl Polyline {
    fn with_basis(basis: Arc<SplineBasis>, values: Vec<f64>) -> Result<Self, CoreError> {
        basis.check_values(&values)?;
        Ok(Self { basis, values })
    }

    fn eval(&self, x: f64) -> Result<f64, CoreError> {
        let i = self.basis.interval(x)?;
        let (left, right) = (self.basis.knots()[i], self.basis.knots()[i + 1]);
        let fraction = (x - left) / (right - left);
        Ok(self.values[i] * (1.0 - fraction) + self.values[i + 1] * fraction)
    }

    fn derivative(&self, x: f64) -> Result<f64, CoreError> {
        let i = self.basis.interval(x)?;
        let knots = self.basis.knots();
        Ok((self.values[i + 1] - self.values[i]) / (knots[i + 1] - knots[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(method: Interpolation) -> Interpolator {
        Interpolator::new(vec![0.0, 1.0, 3.0, 4.0], vec![0.0, 1.0, 9.0, 16.0], method).unwrap()
    }

    #[test]
    fn the_methods_differ_between_samples_and_agree_on_them() {
        // The values are squares: the spline finds 2^2, the chord from 1 to 9 finds their mean.
        assert!((line(Interpolation::Cubic).eval(2.0).unwrap() - 4.0).abs() < 1e-14);
        assert_eq!(line(Interpolation::Linear).eval(2.0).unwrap(), 5.0);
        for method in [Interpolation::Cubic, Interpolation::Linear] {
            for (knot, value) in [(0.0, 0.0), (1.0, 1.0), (3.0, 9.0), (4.0, 16.0)] {
                assert!(
                    (line(method).eval(knot).unwrap() - value).abs() < 1e-14,
                    "{method} at {knot}"
                );
            }
        }
    }

    #[test]
    fn slopes() {
        assert!((line(Interpolation::Cubic).derivative(4.0).unwrap() - 8.0).abs() < 1e-13);
        assert_eq!(line(Interpolation::Linear).derivative(1.0).unwrap(), 4.0);
        assert_eq!(line(Interpolation::Linear).derivative(4.0).unwrap(), 7.0);
    }

    #[test]
    fn nothing_is_extrapolated() {
        for method in [Interpolation::Cubic, Interpolation::Linear] {
            for x in [-1e-9, 4.0 + 1e-9, f64::NAN, f64::INFINITY] {
                let error = line(method).eval(x).unwrap_err();
                assert!(
                    matches!(error, CoreError::OutsideRange { .. }),
                    "{method} at {x}: {error}"
                );
            }
            let message = line(method).eval(4.5).unwrap_err().to_string();
            assert!(
                message.contains("4.5") && message.contains("0 to 4"),
                "{message}"
            );
        }
    }

    #[test]
    fn bad_samples_are_refused() {
        let refuse = |knots: &[f64], values: &[f64]| {
            Interpolator::new(knots.to_vec(), values.to_vec(), Interpolation::Linear).unwrap_err()
        };
        assert_eq!(
            refuse(&[0.0, 1.0], &[0.0, f64::NAN]).to_string(),
            "values of an interpolation has NaN at index 1: expected finite numbers only"
        );
        let message = refuse(&[0.0, 1.0, 2.0], &[0.0, 1.0]).to_string();
        assert!(
            message.contains("one per knot, 3") && message.contains("found 2"),
            "{message}"
        );
    }

    #[test]
    fn names_round_trip_and_typos_are_answered() {
        for method in [Interpolation::Cubic, Interpolation::Linear] {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        let message = "cubik".parse::<Interpolation>().unwrap_err().to_string();
        assert!(
            message.contains("did you mean `cubic`?") && message.contains("linear"),
            "{message}"
        );
    }
}
