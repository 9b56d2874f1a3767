//! Bounds of coordinates.

use serde::{Deserialize, Serialize};

use crate::error::{OptimizeError, check_length};
use crate::projection::Projection;

/// A closed interval for each coordinate; an end may be infinite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Bounds {
    /// The intervals from `lower` to `upper`. Equal ends fix a coordinate.
    ///
    /// # Errors
    /// [`OptimizeError::Length`] if there are not as many of both, [`OptimizeError::Bounds`] where `lower` is above
    /// `upper`, or either is not a number.
    pub fn new(lower: Vec<f64>, upper: Vec<f64>) -> Result<Self, OptimizeError> {
        check_length("upper bounds", 0, upper.len(), lower.len())?;
        for (coordinate, (&lower, &upper)) in lower.iter().zip(&upper).enumerate() {
            let is_interval = lower <= upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY;
            if !is_interval {
                return Err(OptimizeError::Bounds {
                    coordinate,
                    lower,
                    upper,
                    expected: "a lower bound that is not above the upper one",
                });
            }
        }
        Ok(Bounds { lower, upper })
    }

    /// The same interval for each of `coordinates`.
    ///
    /// # Errors
    /// As [`Bounds::new`].
    pub fn uniform(coordinates: usize, lower: f64, upper: f64) -> Result<Self, OptimizeError> {
        Bounds::new(vec![lower; coordinates], vec![upper; coordinates])
    }

    /// Number of coordinates.
    pub fn len(&self) -> usize {
        self.lower.len()
    }

    /// Whether there is no coordinate.
    pub fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// Lower ends.
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// Upper ends.
    pub fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// Whether each coordinate lies in its interval.
    pub fn contain(&self, x: &[f64]) -> bool {
        x.len() == self.len() && self.first_outside(x).is_none()
    }

    /// The first coordinate that does not lie in its interval.
    pub(crate) fn first_outside(&self, x: &[f64]) -> Option<usize> {
        (0..self.len()).find(|&k| !(self.lower[k] <= x[k] && x[k] <= self.upper[k]))
    }

    /// Refuses intervals whose width is not finite, in which no number can be drawn.
    pub(crate) fn check_finite(&self) -> Result<(), OptimizeError> {
        for (coordinate, (&lower, &upper)) in self.lower.iter().zip(&self.upper).enumerate() {
            if !(upper - lower).is_finite() {
                return Err(OptimizeError::Bounds {
                    coordinate,
                    lower,
                    upper,
                    expected: "an interval of finite width",
                });
            }
        }
        Ok(())
    }

    /// The number at `share` (0 to 1) of a coordinate's interval.
    pub(crate) fn at(&self, coordinate: usize, share: f64) -> f64 {
        let (lower, upper) = (self.lower[coordinate], self.upper[coordinate]);
        (lower + share * (upper - lower)).clamp(lower, upper)
    }
}

/// The nearest point: each coordinate is clipped.
impl Projection for Bounds {
    fn project(&self, x: &mut [f64]) {
        for (x, (lower, upper)) in x.iter_mut().zip(self.lower.iter().zip(&self.upper)) {
            // A NaN stays one.
            *x = x.clamp(*lower, *upper);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_interval_is_refused() {
        for (lower, upper) in [
            (1.0, 0.0),
            (f64::NAN, 1.0),
            (0.0, f64::NAN),
            (f64::INFINITY, f64::INFINITY),
        ] {
            let error = Bounds::new(vec![0.0, lower], vec![1.0, upper]).unwrap_err();
            assert!(
                matches!(error, OptimizeError::Bounds { coordinate: 1, .. }),
                "{error}"
            );
        }
        assert!(Bounds::new(vec![0.0], vec![]).is_err());
        let half_line = Bounds::uniform(1, 0.0, f64::INFINITY).unwrap();
        assert!(half_line.check_finite().is_err());
        assert!(
            Bounds::uniform(1, f64::MIN, f64::MAX)
                .unwrap()
                .check_finite()
                .is_err()
        );
    }

    #[test]
    fn the_nearest_point_is_clipped() {
        let bounds = Bounds::new(vec![-1.0, 0.0, 2.0], vec![1.0, f64::INFINITY, 2.0]).unwrap();
        let mut x = [-3.0, 7.0, 5.0];
        assert!(!bounds.contain(&x));
        bounds.project(&mut x);
        assert_eq!(x, [-1.0, 7.0, 2.0]);
        assert!(bounds.contain(&x));
        assert!(!bounds.contain(&[0.0, f64::NAN, 2.0]));
    }
}
