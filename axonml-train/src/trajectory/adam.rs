//! Adam and its learning-rate schedules.
//!
//! # Source
//! D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv:1412.6980, algorithm 1.

use serde::{Deserialize, Serialize};

/// Decay rates of the running means, and the epsilon that keeps their quotient finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Momenta {
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) epsilon: f64,
}

/// The running means of Adam: all it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Adam {
    /// Of the gradient.
    first: Vec<f64>,
    /// Of its squares.
    second: Vec<f64>,
    /// Updates made.
    pub(super) updates: usize,
}

impl Adam {
    pub(super) fn new(coordinates: usize) -> Self {
        Adam {
            first: vec![0.0; coordinates],
            second: vec![0.0; coordinates],
            updates: 0,
        }
    }

    /// Number of coordinates.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Moves `x` against `gradient`.
    pub(super) fn update(&mut self, x: &mut [f64], gradient: &[f64], rate: f64, momenta: Momenta) {
        let Momenta {
            beta1,
            beta2,
            epsilon,
        } = momenta;
        self.updates += 1;
        let bias = |beta: f64| 1.0 - beta.powf(self.updates as f64);
        let (bias1, bias2) = (bias(beta1), bias(beta2));
        for (index, (x, &g)) in x.iter_mut().zip(gradient).enumerate() {
            let (first, second) = (&mut self.first[index], &mut self.second[index]);
            *first = beta1 * *first + (1.0 - beta1) * g;
            *second = beta2 * *second + (1.0 - beta2) * g * g;
            *x -= rate * (*first / bias1) / ((*second / bias2).sqrt() + epsilon);
        }
    }
}

/// Learning-rate schedule after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls along half a cosine to the final share.
    #[default]
    Cosine,
    /// It falls by the same factor in every update, to the final share.
    Exponential,
}

impl Schedule {
    /// Share of the learning rate in update `update` (from 0) of `updates`, the first `warmup` of which rise linearly.
    pub(super) fn share(self, update: usize, updates: usize, warmup: usize, last: f64) -> f64 {
        if update < warmup {
            return (update + 1) as f64 / warmup as f64;
        }
        let rest = updates.saturating_sub(warmup + 1).max(1) as f64;
        let done = ((update - warmup) as f64 / rest).min(1.0);
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine => {
                last + (1.0 - last) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
            Schedule::Exponential => last.powf(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn schedules_rise_and_end_where_they_should() {
        for schedule in [Schedule::Constant, Schedule::Cosine, Schedule::Exponential] {
            let share = |update| schedule.share(update, 101, 4, 0.1);
            assert_eq!(
                [share(0), share(1), share(3), share(4)],
                [0.25, 0.5, 1.0, 1.0]
            );
            let last = if schedule == Schedule::Constant {
                1.0
            } else {
                0.1
            };
            assert!((share(100) - last).abs() < 1e-15, "{schedule:?}");
        }
        let middle = Schedule::Cosine.share(52, 101, 4, 0.1);
        assert!((middle - 0.55).abs() < 1e-12, "{middle}");
        let middle = Schedule::Exponential.share(52, 101, 4, 0.01);
        assert!((middle - 0.1).abs() < 1e-12, "{middle}");
        assert_eq!(Schedule::Cosine.share(0, 1, 0, 0.0), 1.0);
    }
}
