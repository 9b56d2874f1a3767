//! Scale factors and recombination rates of trials, constant, dithered or adapted.

use axonml_core::Random;
use serde::{Deserialize, Serialize};

use crate::error::OptimizeError;

/// Width of the distributions around JADE's means.
const SPREAD: f64 = 0.1;
/// JADE's means before the first generation.
const FIRST_MEAN: f64 = 0.5;

/// Choice of scale factors and recombination rates of trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// The same for all, or dithered.
    Fixed {
        /// Least and greatest scale factor; each trial draws its own between them (dither).
        mutation: (f64, f64),
        /// Recombination rate.
        recombination: f64,
    },
    /// By JADE: each trial draws its own scale factor from a Cauchy distribution and its own recombination rate from a
    /// normal one, both of width 0.1 around means that follow those of successful trials.
    Jade {
        /// Weight of a generation in the means.
        c: f64,
    },
}

/// The first setting of Storn and Price's that most take.
impl Default for Control {
    fn default() -> Self {
        Control::Fixed {
            mutation: (0.8, 0.8),
            recombination: 1.0,
        }
    }
}

impl Control {
    pub(super) fn check(self) -> Result<(), OptimizeError> {
        match self {
            Control::Fixed {
                mutation: (low, high),
                recombination,
            } => {
                if !(low >= 0.0 && low <= high && high > 0.0 && high <= 2.0) {
                    let expected = "scale factors from 0 to 2, the lower one first";
                    let found = format!("{low}:{high}");
                    return Err(OptimizeError::setting("mutation", found, expected));
                }
                if !(0.0..=1.0).contains(&recombination) {
                    let expected = "a number from 0 to 1";
                    return Err(OptimizeError::setting(
                        "recombination",
                        recombination,
                        expected,
                    ));
                }
            }
            Control::Jade { c } => {
                if !(c > 0.0 && c <= 1.0) {
                    let expected = "a number above 0, 1 at most";
                    return Err(OptimizeError::setting("c", c, expected));
                }
            }
        }
        Ok(())
    }
}

/// Scale factor and recombination rate of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Factors {
    pub(super) scale: f64,
    pub(super) rate: f64,
}

/// The means around which JADE draws.
///
/// # Source
/// J. Zhang and A. C. Sanderson, "JADE: adaptive differential evolution with optional external archive", IEEE Trans.
/// Evol. Comput. 13, 945-958 (2009), equations 8 to 12.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// Of scale factors.
    pub mu_f: f64,
    /// Of recombination rates.
    pub mu_cr: f64,
}

impl Means {
    pub(super) fn first() -> Self {
        Means {
            mu_f: FIRST_MEAN,
            mu_cr: FIRST_MEAN,
        }
    }

    /// Moves by `c` towards the Lehmer mean of successful scale factors and the mean of successful rates.
    pub(super) fn learn(&mut self, c: f64, successes: &[Factors]) {
        if successes.is_empty() {
            return;
        }
        let sum = |of: fn(&Factors) -> f64| successes.iter().map(of).sum::<f64>();
        let lehmer = sum(|s| s.scale * s.scale) / sum(|s| s.scale);
        let mean = sum(|s| s.rate) / successes.len() as f64;
        self.mu_f = (1.0 - c) * self.mu_f + c * lehmer;
        self.mu_cr = (1.0 - c) * self.mu_cr + c * mean;
    }

    fn draw(self, random: &mut Random) -> Factors {
        let rate = (self.mu_cr + SPREAD * random.normal()).clamp(0.0, 1.0);
        let scale = loop {
            let quantile = std::f64::consts::PI * (random.unit() - 0.5);
            let scale = self.mu_f + SPREAD * quantile.tan();
            if scale > 0.0 {
                break scale.min(1.0);
            }
        };
        Factors { scale, rate }
    }
}

impl Control {
    /// The factors of a trial.
    pub(super) fn draw(self, means: Means, random: &mut Random) -> Factors {
        match self {
            Control::Fixed {
                mutation: (low, high),
                recombination,
            } => Factors {
                scale: low + random.unit() * (high - low),
                rate: recombination,
            },
            Control::Jade { .. } => means.draw(random),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of scale factors 0.4 and 0.8 the Lehmer mean is (0.16 + 0.64) / 1.2 = 2/3, so that with c = 0.1 the mean
    /// moves from 0.5 to 0.45 + 0.0666...; rates 0.2 and 0.6 move theirs to 0.45 + 0.04. Then a lone success of 1 and 0:
    /// 0.9 * 0.51666... + 0.1 = 0.565, and 0.9 * 0.49 = 0.441.
    #[test]
    fn means_are_those_of_the_paper() {
        let mut means = Means::first();
        let success = |scale, rate| Factors { scale, rate };
        means.learn(0.1, &[success(0.4, 0.2), success(0.8, 0.6)]);
        assert!((means.mu_f - (0.45 + 0.2 / 3.0)).abs() < 1e-15, "{means:?}");
        assert!((means.mu_cr - 0.49).abs() < 1e-15, "{means:?}");
        means.learn(0.1, &[success(1.0, 0.0)]);
        assert!((means.mu_f - 0.565).abs() < 1e-15, "{means:?}");
        assert!((means.mu_cr - 0.441).abs() < 1e-15, "{means:?}");
        let before = means;
        means.learn(0.1, &[]);
        assert_eq!(means, before);
    }

    /// Quartiles of Cauchy's distribution lie one width from its middle, and 31.73 % of a normal one beyond one
    /// deviation; shares within five standard errors (0.0125 of 40,000). With a mean of 0.5, 6.28 % of scale factors
    /// fall below 0 and are drawn again; a share of 0.0628 / 2 lies above 1.5, and is cut off to 1 with those above 1.
    #[test]
    fn factors_are_drawn_from_cauchy_and_normal_distributions() {
        const N: usize = 40_000;
        let mut random = Random::new(9, 0);
        let drawn: Vec<Factors> = (0..N).map(|_| Means::first().draw(&mut random)).collect();
        let share = |of: &dyn Fn(&Factors) -> bool| {
            drawn.iter().filter(|f| of(f)).count() as f64 / N as f64
        };
        let below = |x: f64| 0.5 + ((x - 0.5) / 0.1).atan() / std::f64::consts::PI;
        let kept = 1.0 - below(0.0);
        assert!((share(&|f| (f.scale - 0.5).abs() < 0.1) - 0.5 / kept).abs() < 0.0125);
        assert!((share(&|f| f.scale == 1.0) - (1.0 - below(1.0)) / kept).abs() < 0.0125);
        assert!((share(&|f| (f.rate - 0.5).abs() > 0.1) - 0.3173).abs() < 0.0125);
        assert!(drawn.iter().all(|f| f.scale > 0.0 && f.scale <= 1.0));
        assert!(drawn.iter().all(|f| (0.0..=1.0).contains(&f.rate)));
    }

    #[test]
    fn dither_draws_between_its_ends() {
        let control = Control::Fixed {
            mutation: (0.5, 1.0),
            recombination: 0.7,
        };
        let mut random = Random::new(2, 0);
        let drawn: Vec<Factors> = (0..1000)
            .map(|_| control.draw(Means::first(), &mut random))
            .collect();
        assert!(
            drawn
                .iter()
                .all(|f| (0.5..1.0).contains(&f.scale) && f.rate == 0.7)
        );
        assert!(drawn.iter().any(|f| f.scale < 0.55) && drawn.iter().any(|f| f.scale > 0.95));
    }
}
