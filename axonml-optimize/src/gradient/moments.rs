//! Running means of gradients.

use serde::{Deserialize, Serialize};

/// Decay rates of the running means, and the epsilon that keeps their quotient finite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Momenta {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the latter.
    pub epsilon: f64,
}

/// The paper's.
impl Default for Momenta {
    fn default() -> Self {
        Momenta {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// The running means of a gradient and of its squares, from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    /// Of the gradient.
    pub(super) first: Vec<f64>,
    /// Of its squares.
    pub(super) second: Vec<f64>,
    /// Updates made.
    pub(super) updates: usize,
}

impl Moments {
    pub(super) fn new(coordinates: usize) -> Self {
        Moments {
            first: vec![0.0; coordinates],
            second: vec![0.0; coordinates],
            updates: 0,
        }
    }

    /// Takes a gradient in, and gives the weights that all of them have in the first and in the second mean: what
    /// either falls short for having begun at 0.
    pub(super) fn advance(&mut self, gradient: &[f64], momenta: Momenta) -> (f64, f64) {
        let Momenta { beta1, beta2, .. } = momenta;
        self.updates += 1;
        let means = self.first.iter_mut().zip(&mut self.second);
        for ((first, second), &g) in means.zip(gradient) {
            *first = beta1 * *first + (1.0 - beta1) * g;
            *second = beta2 * *second + (1.0 - beta2) * g * g;
        }
        let weight = |beta: f64| 1.0 - beta.powf(self.updates as f64);
        (weight(beta1), weight(beta2))
    }
}
