//! Errors of thresholds by shape, pulse width, diameter and whatever else tells rows apart.

use axonml_models::ErrorSummary;
use serde_json::{Map, Value, json};

use super::row::Row;
use crate::study::{Cell, Statuses, Table, error_summary};

/// The columns that rows are grouped by, in this order.
const KEYS: [&str; 5] = ["model", "nerve", "shape", "pw_ms", "diameter_um"];

/// The figures that a group has.
const FIGURES: [&str; 6] = [
    "mape_pct",
    "median_pct",
    "p95_pct",
    "min_pct",
    "max_pct",
    "max_abs_pct",
];

/// The columns to group by: name and place.
pub(super) fn keys(columns: &[String]) -> Vec<(&'static str, usize)> {
    let place = |key: &str| columns.iter().position(|column| column == key);
    KEYS.into_iter()
        .filter_map(|key| Some((key, place(key)?)))
        .collect()
}

/// All groups, as a table and as data; the first is of all rows.
pub(super) fn summarize(rows: &[&Row], keys: &[(&'static str, usize)]) -> (Table, Vec<Value>) {
    let mut table = Table {
        columns: ["group", "value", "n"]
            .into_iter()
            .chain(FIGURES)
            .chain(["arrival_error_ms", "without_error"])
            .map(str::to_owned)
            .collect(),
        rows: Vec::new(),
    };
    let mut data = Vec::new();
    let mut add = |group: &str, value: Cell, rows: &[&Row]| {
        let (cells, object) = figures(group, value, rows);
        table.rows.push(cells);
        data.push(Value::Object(object));
    };
    add("all", Cell::Missing, rows);
    for &(key, column) in keys {
        let mut values: Vec<&Cell> = Vec::new();
        for row in rows {
            if !values.contains(&&row.settings[column]) {
                values.push(&row.settings[column]);
            }
        }
        if values.len() < 2 {
            continue;
        }
        // Numbers in order; words as they come.
        values.sort_by(|a, b| match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => std::cmp::Ordering::Equal,
        });
        for value in values {
            let members: Vec<&Row> = rows
                .iter()
                .copied()
                .filter(|row| &row.settings[column] == value)
                .collect();
            add(key, value.clone(), &members);
        }
    }
    (table, data)
}

fn figures(group: &str, value: Cell, rows: &[&Row]) -> (Vec<Cell>, Map<String, Value>) {
    let errors: Vec<f64> = rows.iter().filter_map(|row| row.error_pct()).collect();
    let (numbers, _) = error_summary(&errors, 0);
    let arrivals: Vec<f64> = rows
        .iter()
        .filter_map(|row| row.compared.as_ref()?.difference?.arrival_ms)
        .collect();
    let arrival = spread(&arrivals);
    let mut without = Statuses::default();
    for reason in rows.iter().filter_map(|row| row.without_error()) {
        without.count(reason);
    }
    let mut object = Map::new();
    object.insert("group".into(), json!(group));
    object.insert("value".into(), json!(value.exact()));
    object.extend(numbers.clone());
    object.insert("arrival_error_ms".into(), arrival.clone());
    object.insert("without_error".into(), without.counts().into());
    let number = |name: &str| Cell::maybe(numbers.get(name).and_then(Value::as_f64));
    let mut cells = vec![Cell::text(group), value, Cell::integer(errors.len())];
    cells.extend(FIGURES.map(number));
    cells.push(Cell::maybe(arrival["mean_abs"].as_f64()));
    cells.push(Cell::text(without.words()));
    (cells, object)
}

/// Summary of a set of differences; null without any.
pub(super) fn spread(differences: &[f64]) -> Value {
    match ErrorSummary::of(differences) {
        None => Value::Null,
        Some(found) => json!({
            "n": found.n,
            "mean": found.mean,
            "mean_abs": found.mean_abs,
            "max_abs": found.max_abs,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Found;

    fn row(shape: &str, pw: &str, ours: Option<f64>, status: &'static str) -> Row {
        Row {
            settings: vec![Cell::Raw(shape.into()), Cell::Raw(pw.into())],
            reference_ma: Some(2.0),
            found: Some(Found {
                status: status.to_owned(),
                upper_ma: ours,
                ..Found::default()
            }),
            ..Row::default()
        }
    }

    #[test]
    fn groups_are_of_their_rows_and_sorted_by_number() {
        let rows = [
            row("mono", "10", Some(2.2), "ok"),
            row("ramp", "9", Some(1.9), "ok"),
            row("mono", "9", None, "spontaneous"),
        ];
        let columns = ["shape", "pw_ms"].map(str::to_owned);
        let rows: Vec<&Row> = rows.iter().collect();
        let (table, data) = summarize(&rows, &keys(&columns));
        let names: Vec<String> = table.rows.iter().map(|r| r[1].exact()).collect();
        assert_eq!(names, ["", "mono", "ramp", "9", "10"]);
        let mape = |at: usize| data[at]["mape_pct"].as_f64().unwrap();
        for (at, expected) in [(0, 7.5), (1, 10.0), (2, 5.0), (3, 5.0), (4, 10.0)] {
            assert!((mape(at) - expected).abs() < 1e-9, "{at}: {}", mape(at));
        }
        assert_eq!(data[3]["n"], 1);
        assert_eq!(data[3]["without_error"]["spontaneous"], 1);
        assert!(
            table.rows[3]
                .last()
                .unwrap()
                .exact()
                .contains("1 spontaneous")
        );
        assert_eq!(data[4]["without_error"], json!({}));
    }
}
