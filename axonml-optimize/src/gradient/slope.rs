//! Evaluations of points by value and gradient.

/// The fitness of a point and the gradient of the loss there.
#[derive(Clone, Debug, PartialEq)]
pub struct Slope<F = f64> {
    /// The order by which the best point is kept; for methods that compare losses, the loss.
    pub fitness: F,
    /// Derivatives by the coordinates.
    pub gradient: Vec<f64>,
}

pub(super) fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

pub(super) fn all_finite(x: &[f64]) -> bool {
    x.iter().all(|x| x.is_finite())
}
