//! Random numbers by their range.

use serde::{Deserialize, Serialize};

use super::DatasetError;
use axonml_core::Random;

/// The distribution of a random number over its range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Spacing {
    /// Every value alike.
    #[default]
    Uniform,
    /// Every decade alike.
    Log,
}

/// A random number: from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Its distribution.
    #[serde(default)]
    pub spacing: Spacing,
}

impl Range {
    /// Every value from `low` to `high` alike.
    pub const fn uniform(low: f64, high: f64) -> Self {
        Range {
            low,
            high,
            spacing: Spacing::Uniform,
        }
    }

    /// Every decade from `low` to `high` alike.
    pub const fn log(low: f64, high: f64) -> Self {
        Range {
            low,
            high,
            spacing: Spacing::Log,
        }
    }

    /// Always `value`.
    pub const fn fixed(value: f64) -> Self {
        Range::uniform(value, value)
    }

    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        let unit = random.unit();
        let value = match self.spacing {
            Spacing::Uniform => self.low + unit * (self.high - self.low),
            Spacing::Log => self.low * (self.high / self.low).powf(unit),
        };
        value.clamp(self.low, self.high)
    }

    pub(super) fn check(&self, what: &str, least: f64) -> Result<(), DatasetError> {
        let Range { low, high, spacing } = *self;
        let wrong = |expected: String| {
            let found = format!("{low} to {high}");
            Err(DatasetError::recipe(what, found, expected))
        };
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return wrong("two finite numbers, the lesser first".to_owned());
        }
        if low < least {
            return wrong(format!("{least} or more"));
        }
        if spacing == Spacing::Log && low <= 0.0 {
            return wrong("numbers above 0, as the spacing is log".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_spread_as_they_say() {
        let mut random = Random::new(5, 0);
        let n = 20_000;
        let mean = |range: &Range, random: &mut Random, f: fn(f64) -> f64| {
            (0..n).map(|_| f(range.draw(random))).sum::<f64>() / f64::from(n)
        };
        // Means within 5 standard errors: the width over sqrt(12 n).
        let uniform = mean(&Range::uniform(-1.0, 3.0), &mut random, |x| x);
        assert!(
            (uniform - 1.0).abs() < 5.0 * 4.0 / (12.0 * f64::from(n)).sqrt(),
            "{uniform}"
        );
        let log = mean(&Range::log(0.01, 10.0), &mut random, f64::log10);
        assert!(
            (log + 0.5).abs() < 5.0 * 3.0 / (12.0 * f64::from(n)).sqrt(),
            "{log}"
        );
        assert_eq!(Range::fixed(0.3).draw(&mut random), 0.3);
    }
}
