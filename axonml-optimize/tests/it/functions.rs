//! Functions to minimize, and how.

use axonml_optimize::{Optimizer, Projection, Slope};

/// Minimum 0 at 0.
pub(crate) fn sphere(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

/// Minimum 0 at 1, in a curved valley.
pub(crate) fn rosenbrock(x: &[f64]) -> f64 {
    let pairs = x.windows(2);
    pairs
        .map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2))
        .sum()
}

/// Minimum 0 at 0, among eleven minima per coordinate between -5.12 and 5.12.
pub(crate) fn rastrigin(x: &[f64]) -> f64 {
    let wave = |x: f64| 10.0 + x * x - 10.0 * (std::f64::consts::TAU * x).cos();
    x.iter().map(|&x| wave(x)).sum()
}

pub(crate) fn rosenbrock_slope(x: &[f64]) -> Slope {
    let mut gradient = vec![0.0; x.len()];
    for k in 0..x.len() - 1 {
        let valley = x[k + 1] - x[k] * x[k];
        gradient[k] += -400.0 * x[k] * valley - 2.0 * (1.0 - x[k]);
        gradient[k + 1] += 200.0 * valley;
    }
    Slope {
        fitness: rosenbrock(x),
        gradient,
    }
}

/// `1/2 x'Ax - b'x` for a symmetric `A`.
pub(crate) fn quadratic_slope(a: &[Vec<f64>], b: &[f64], x: &[f64]) -> Slope {
    let rows = a.iter().zip(b);
    let gradient: Vec<f64> = rows
        .map(|(row, b)| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() - b)
        .collect();
    let value = x.iter().zip(&gradient).zip(b);
    Slope {
        fitness: value.map(|((x, g), b)| 0.5 * x * (g - b)).sum(),
        gradient,
    }
}

/// Sets whose coordinates add to 0.
pub(crate) fn sum_zero(x: &mut [f64]) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter_mut().for_each(|x| *x -= mean);
}

/// Evaluates until the end, or for `batches`; gives the number of points evaluated.
pub(crate) fn run<O: Optimizer>(
    optimizer: &mut O,
    evaluate: impl Fn(&[f64]) -> O::Told,
    set: &dyn Projection,
    batches: usize,
) -> usize {
    let mut evaluations = 0;
    for _ in 0..batches {
        let points = optimizer.ask();
        if points.is_empty() {
            assert!(optimizer.stop().is_some());
            break;
        }
        evaluations += points.len();
        let told = points.iter().map(|x| evaluate(x)).collect();
        optimizer.tell(told, set).unwrap();
    }
    evaluations
}
