//! Adam.

use serde::{Deserialize, Serialize};

use super::moments::{Momenta, Moments};

/// The state of Adam: all it remembers.
///
/// # Source
/// D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv:1412.6980, algorithm 1.
///
/// # Example
/// ```
/// use axonml_optimize::{Adam, Momenta};
/// let mut adam = Adam::new(1);
/// let mut x = [3.0];
/// for _ in 0..2000 {
///     let gradient = [2.0 * (x[0] - 1.0)];
///     adam.update(&mut x, &gradient, 0.01, Momenta::default());
/// }
/// assert!((x[0] - 1.0).abs() < 1e-3);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam(Moments);

impl Adam {
    /// Adam before the first update.
    pub fn new(coordinates: usize) -> Self {
        Adam(Moments::new(coordinates))
    }

    /// Number of coordinates.
    pub fn len(&self) -> usize {
        self.0.first.len()
    }

    /// Whether there is no coordinate.
    pub fn is_empty(&self) -> bool {
        self.0.first.is_empty()
    }

    /// Updates made.
    pub fn updates(&self) -> usize {
        self.0.updates
    }

    /// Moves `x` against `gradient`, each coordinate by about `rate`. Both have as many coordinates as this.
    pub fn update(&mut self, x: &mut [f64], gradient: &[f64], rate: f64, momenta: Momenta) {
        let (weight1, weight2) = self.0.advance(gradient, momenta);
        let means = self.0.first.iter().zip(&self.0.second);
        for (x, (first, second)) in x.iter_mut().zip(means) {
            *x -= rate * (first / weight1) / ((second / weight2).sqrt() + momenta.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schedule;

    const MOMENTA: Momenta = Momenta {
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-8,
    };

    /// By hand: with a constant gradient both corrected means are the gradient and its square, so that every step is
    /// the rate; with g = 1, then 0, the second step is 0.1 * 0.9 / 0.19 over sqrt(0.01 * 0.99 / 0.0199).
    #[test]
    fn steps_are_those_of_the_algorithm() {
        let mut adam = Adam::new(2);
        let mut x = [1.0, -1.0];
        adam.update(&mut x, &[1.0, -3.0], 0.1, MOMENTA);
        assert!(
            (x[0] - 0.9).abs() < 1e-8 && (x[1] + 0.9).abs() < 1e-8,
            "{x:?}"
        );
        adam.update(&mut x, &[0.0, -3.0], 0.1, MOMENTA);
        let second = 0.1 * (0.09 / 0.19) / (0.0099_f64 / 0.0199).sqrt();
        assert!((x[0] - (0.9 - second)).abs() < 1e-8, "{x:?}");
        assert!((x[1] + 0.8).abs() < 1e-8, "{x:?}");
    }

    /// The paper's running example of convergence: a parabola's minimum is found from afar.
    #[test]
    fn a_parabola_is_descended() {
        let mut adam = Adam::new(1);
        let mut x = [3.0];
        for update in 0..400 {
            let rate = 0.1 * Schedule::Cosine.share(update, 400, 10, 0.0);
            let gradient = [2.0 * (x[0] - 1.0)];
            adam.update(&mut x, &gradient, rate, MOMENTA);
        }
        assert!((x[0] - 1.0).abs() < 1e-4, "{x:?}");
    }
}
