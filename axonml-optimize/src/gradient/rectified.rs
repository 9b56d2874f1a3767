//! Rectified Adam.

use serde::{Deserialize, Serialize};

use super::moments::{Momenta, Moments};

/// Length of the approximated moving average above which the variance of the adaptive rate is finite.
const TRACTABLE: f64 = 4.0;

/// The state of rectified Adam, which adapts the rate only once its variance is finite, and damps it as long as that
/// is large. The first steps (four with the default momenta) are those of momentum: proportional to the gradient.
///
/// # Source
/// L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, arXiv:1908.03265, algorithm 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RectifiedAdam(Moments);

impl RectifiedAdam {
    /// Rectified Adam before the first update.
    pub fn new(coordinates: usize) -> Self {
        RectifiedAdam(Moments::new(coordinates))
    }

    /// Updates made.
    pub fn updates(&self) -> usize {
        self.0.updates
    }

    /// Moves `x` against `gradient`. Both have as many coordinates as this.
    pub fn update(&mut self, x: &mut [f64], gradient: &[f64], rate: f64, momenta: Momenta) {
        let (weight1, weight2) = self.0.advance(gradient, momenta);
        let rectification = rectification(self.0.updates, momenta.beta2);
        let means = self.0.first.iter().zip(&self.0.second);
        for (x, (first, second)) in x.iter_mut().zip(means) {
            let mean = first / weight1;
            *x -= match rectification {
                Some(r) => rate * r * mean / ((second / weight2).sqrt() + momenta.epsilon),
                None => rate * mean,
            };
        }
    }
}

/// The factor that rectifies the adaptive rate of an update (from 1); none where its variance is infinite.
fn rectification(update: usize, beta2: f64) -> Option<f64> {
    let t = update as f64;
    let decayed = beta2.powf(t);
    let longest = 2.0 / (1.0 - beta2) - 1.0;
    let length = longest - 2.0 * t * decayed / (1.0 - decayed);
    let product = |length: f64| (length - 4.0) * (length - 2.0);
    (length > TRACTABLE).then(|| (product(length) * longest / (product(longest) * length)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, for beta2 = 0.9: rho_inf = 19, and rho_t = 19 - 2 t 0.9^t / (1 - 0.9^t) is 1, 1.9474 (t = 2), 2.9299
    /// (t = 3), 3.9336 (t = 4), 4.9562 (t = 5): 0.9^5 = 0.59049, 10 * 0.59049 / 0.40951 = 14.4194.
    #[test]
    fn rates_are_rectified_from_the_fifth_update() {
        let first: Vec<_> = (1..=4).map(|t| rectification(t, 0.9)).collect();
        assert_eq!(first, [None; 4]);
        let rho: f64 = 19.0 - 10.0 * 0.59049 / 0.40951;
        let expected = ((rho - 4.0) * (rho - 2.0) * 19.0 / (15.0 * 17.0 * rho)).sqrt();
        assert!((rectification(5, 0.9).unwrap() - expected).abs() < 1e-12);
        // It tends to Adam.
        assert!((rectification(1000, 0.9).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(rectification(4, 0.999), None);
        assert!(rectification(6, 0.999).unwrap() < 0.1);
    }

    /// With a constant gradient the corrected mean is the gradient: steps of rate * g, then of rate * r.
    #[test]
    fn constant_gradients_show_both_kinds_of_steps() {
        let momenta = Momenta {
            beta1: 0.9,
            beta2: 0.9,
            epsilon: 0.0,
        };
        let mut radam = RectifiedAdam::new(1);
        let mut x = [0.0];
        for _ in 0..4 {
            radam.update(&mut x, &[-3.0], 0.1, momenta);
        }
        assert!((x[0] - 1.2).abs() < 1e-12, "{x:?}");
        radam.update(&mut x, &[-3.0], 0.1, momenta);
        let fifth = 0.1 * rectification(5, 0.9).unwrap();
        assert!((x[0] - 1.2 - fifth).abs() < 1e-12, "{x:?}");
    }
}
