//! How far thresholds are from their references.

use axonml_models::ErrorSummary;
use serde_json::{Map, Value, json};

use super::Table;

/// The figures about errors in percent, `null` without any; `rows` counts then.
pub fn error_summary(errors_pct: &[f64], rows: usize) -> (Map<String, Value>, Option<String>) {
    let mut figures = Map::new();
    let mut words = None;
    let mut put = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    match ErrorSummary::of(errors_pct) {
        Some(errors) => {
            put("n", json!(errors.n));
            put("mape_pct", json!(errors.mean_abs));
            put("median_pct", json!(errors.median));
            put("p95_pct", json!(errors.p95_abs));
            put("min_pct", json!(errors.min));
            put("max_pct", json!(errors.max));
            put("max_abs_pct", json!(errors.max_abs));
            words = Some(format!(
                "error against {} references: MAPE {} %, median {} %, 95th percentile {} % (of its size), min {} %, \
                 max {} %",
                errors.n,
                short(errors.mean_abs),
                short(errors.median),
                short(errors.p95_abs),
                short(errors.min),
                short(errors.max)
            ));
        }
        None => {
            put("n", json!(rows));
            for name in [
                "mape_pct",
                "median_pct",
                "p95_pct",
                "min_pct",
                "max_pct",
                "max_abs_pct",
            ] {
                put(name, Value::Null);
            }
        }
    }
    (figures, words)
}

/// How often each status occurs, in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Statuses(Vec<(String, usize)>);

impl Statuses {
    /// Counts one more.
    pub fn count(&mut self, status: &str) {
        match self.0.iter_mut().find(|(known, _)| known == status) {
            Some((_, count)) => *count += 1,
            None => self.0.push((status.to_owned(), 1)),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        words.join(", ")
    }

    /// A sentence on thresholds and spikes that are those of a fiber's end, if there are some.
    pub fn end_excitation(&self) -> Option<String> {
        let (_, count) = self
            .0
            .iter()
            .find(|(status, _)| status == "end_excitation")?;
        Some(format!(
            "{}: the first action potential begins at an end of the simulated fiber, which the fiber itself does not have \
             there; make fibers longer with --nodes or --length (see the messages), or give --end-excitation accept",
            super::counted(*count, "row")
        ))
    }

    /// How often each occurs, for programs.
    pub fn counts(&self) -> Map<String, Value> {
        let counts = self.0.iter();
        counts
            .map(|(status, count)| (status.clone(), json!(count)))
            .collect()
    }

    /// Those of a table's column `status`.
    pub fn of(table: &Table) -> Self {
        Statuses::of_column(table, "status")
    }

    /// The words of any column of a table.
    pub fn of_column(table: &Table, name: &str) -> Self {
        let mut statuses = Statuses::default();
        if let Some(column) = table.column(name) {
            for row in &table.rows {
                statuses.count(&row[column].exact());
            }
        }
        statuses
    }

    /// Adds them to a summary.
    pub fn insert(self, summary: &mut Map<String, Value>) {
        summary.insert("statuses".into(), Value::Object(self.counts()));
    }

    /// Ends a summary: with the statuses, whether the work was interrupted, and how long it took.
    pub fn finish(self, summary: &mut Map<String, Value>, interrupted: bool, seconds: f64) {
        self.insert(summary);
        if interrupted {
            summary.insert("interrupted".into(), json!(true));
        }
        summary.insert("seconds".into(), json!(seconds));
    }
}

/// Three significant digits.
fn short(x: f64) -> String {
    significant(x, 3)
}

/// At most `digits` significant digits, without superfluous zeros.
pub fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 {
            "0".to_owned()
        } else {
            x.to_string()
        };
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-5..9).contains(&magnitude) {
        return format!("{:.*e}", digits - 1, x);
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_what_their_names_say() {
        let (figures, words) = error_summary(&[-2.0, 1.0, 0.0, 4.0, 1.0], 7);
        let number = |name: &str| figures[name].as_f64().unwrap();
        assert_eq!(number("n"), 5.0);
        assert!((number("mape_pct") - 1.6).abs() < 1e-12);
        assert_eq!(
            (number("median_pct"), number("min_pct"), number("max_pct")),
            (1.0, -2.0, 4.0)
        );
        assert!((number("p95_pct") - 3.6).abs() < 1e-12);
        assert_eq!(number("max_abs_pct"), 4.0);
        assert!(words.unwrap().contains("MAPE 1.6 %"));
        let (none, words) = error_summary(&[], 7);
        assert_eq!(
            (none["n"].as_u64(), &none["mape_pct"], words),
            (Some(7), &Value::Null, None)
        );
    }
}
