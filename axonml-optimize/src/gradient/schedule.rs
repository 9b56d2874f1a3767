//! Learning-rate schedules.

use serde::{Deserialize, Serialize};

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
    /// Share of the learning rate in update `update` (from 0) of `updates`, the first `warmup` of which rise linearly;
    /// falling schedules end with `last`.
    pub fn share(self, update: usize, updates: usize, warmup: usize, last: f64) -> f64 {
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
