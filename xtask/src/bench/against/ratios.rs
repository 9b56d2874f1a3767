//! How much faster the present checkout is: ratios of measurements taken in pairs.

use serde_json::{Value, json};

/// How a row was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// Processor time of child processes.
    Cpu,
    /// Printed by the benchmarks of both sides: wall time, or made of it.
    Wall,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Measure::Cpu => "cpu",
            Measure::Wall => "wall",
        }
    }
}

/// Measurements of one row on both sides, in pairs.
pub(super) struct Pairs {
    pub(super) name: String,
    pub(super) measure: Measure,
    pub(super) unit: String,
    /// Whether a larger number is the better one: a rate.
    pub(super) is_rate: bool,
    pub(super) old: Vec<f64>,
    pub(super) new: Vec<f64>,
    /// Largest resident sizes seen, MB, where they were measured.
    pub(super) old_peak_mb: Option<f64>,
    pub(super) new_peak_mb: Option<f64>,
}

/// Median, least and greatest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// Of one number or more; none of none.
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => 0.5 * (sorted[middle - 1] + sorted[middle]),
            _ => sorted[middle],
        };
        Some(Spread { median, min, max })
    }
}

impl Pairs {
    pub(super) fn new(name: &str, measure: Measure, unit: &str, is_rate: bool) -> Self {
        Pairs {
            name: name.to_owned(),
            measure,
            unit: unit.to_owned(),
            is_rate,
            old: Vec::new(),
            new: Vec::new(),
            old_peak_mb: None,
            new_peak_mb: None,
        }
    }

    /// Times as fast as the old side in each pair: above 1, the present checkout is the faster one.
    pub(super) fn ratios(&self) -> Vec<f64> {
        let pairs = self.old.iter().zip(&self.new);
        pairs
            .map(|(old, new)| match self.is_rate {
                true => new / old,
                false => old / new,
            })
            .collect()
    }

    /// The head of the table whose lines [`Pairs::line`] gives.
    pub(super) fn head() -> String {
        format!(
            "{:<34} {:<4} {:>10} {:>10} {:<12} {:>7} {:>13} {:>13}",
            "name", "by", "old", "new", "unit", "ratio", "min..max", "peak MB"
        )
    }

    pub(super) fn line(&self, least: Option<f64>) -> String {
        let (Some(ratio), Some(old), Some(new)) = (
            Spread::of(&self.ratios()),
            Spread::of(&self.old),
            Spread::of(&self.new),
        ) else {
            return format!("{:<34} not measured", self.name);
        };
        let peak = match (self.old_peak_mb, self.new_peak_mb) {
            (Some(old), Some(new)) => format!("{old:.1} {new:.1}"),
            _ => "-".to_owned(),
        };
        let missed = match least {
            Some(least) if ratio.median < least => "  BELOW --min",
            _ => "",
        };
        format!(
            "{:<34} {:<4} {:>10.4} {:>10.4} {:<12} {:>7.3} {:>13} {:>13}{missed}",
            self.name,
            self.measure.name(),
            old.median,
            new.median,
            self.unit,
            ratio.median,
            format!("{:.3}..{:.3}", ratio.min, ratio.max),
            peak
        )
    }

    pub(super) fn json(&self) -> Value {
        let spread = Spread::of(&self.ratios());
        json!({
            "name": self.name,
            "measure": self.measure.name(),
            "unit": self.unit,
            "ratio": spread.map(|spread| spread.median),
            "ratio_min": spread.map(|spread| spread.min),
            "ratio_max": spread.map(|spread| spread.max),
            "old": self.old,
            "new": self.new,
            "old_peak_mb": self.old_peak_mb,
            "new_peak_mb": self.new_peak_mb,
        })
    }
}

/// Names and median ratios of the rows whose median lies below `least`.
pub(super) fn below(rows: &[Pairs], least: f64) -> Vec<String> {
    rows.iter()
        .filter_map(|row| Some((row, Spread::of(&row.ratios())?.median)))
        .filter(|(_, median)| *median < least)
        .map(|(row, median)| format!("{} {median:.3}", row.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(is_rate: bool, old: &[f64], new: &[f64]) -> Pairs {
        Pairs {
            old: old.to_vec(),
            new: new.to_vec(),
            ..Pairs::new("row", Measure::Cpu, "s", is_rate)
        }
    }

    #[test]
    fn medians_are_of_the_ratios_of_pairs() {
        // A machine that halves its speed in the third pair changes no ratio; the ratio of the medians would be 0.5.
        let row = pairs(false, &[1.0, 1.0, 2.0], &[0.5, 2.0, 1.0]);
        assert_eq!(row.ratios(), [2.0, 0.5, 2.0]);
        let spread = Spread::of(&row.ratios()).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 0.5, 2.0));
        let even = Spread::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_faster_present_checkout_is_above_1_in_times_and_in_rates() {
        assert_eq!(pairs(false, &[3.0], &[2.0]).ratios(), [1.5]);
        assert_eq!(pairs(true, &[2.0], &[3.0]).ratios(), [1.5]);
    }

    #[test]
    fn rows_below_the_least_ratio_are_named() {
        let rows = [
            pairs(false, &[1.0, 1.0, 1.0], &[1.0, 2.0, 1.0]),
            pairs(false, &[0.94], &[1.0]),
            pairs(false, &[], &[]),
        ];
        assert_eq!(below(&rows, 0.95), ["row 0.940"]);
        assert!(below(&rows, 0.9).is_empty());
        assert!(rows[1].line(Some(0.95)).ends_with("BELOW --min"));
        assert!(!rows[0].line(Some(0.95)).contains("BELOW"));
        assert_eq!(rows[1].json()["ratio"], 0.94);
    }
}
