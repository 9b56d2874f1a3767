//! Results as JSON.

use serde_json::{Map, Value, json};

use super::{Cell, Results, Table};

/// `request`, `results`, `summary`, and the further tables by their names.
pub(super) fn object(results: &Results) -> Value {
    let mut object = json!({
        "request": results.request,
        "results": rows(&results.table),
        "summary": results.summary,
    });
    for (name, table) in &results.further {
        object[*name] = rows(table);
    }
    object
}

/// One object a row.
fn rows(table: &Table) -> Value {
    let row = |cells: &Vec<Cell>| {
        let pairs = table.columns.iter().cloned().zip(cells.iter().map(value));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    table.rows.iter().map(row).collect()
}

/// Sidecar of a CSV file: all but its rows.
pub(super) fn sidecar(results: &Results) -> Value {
    let table = results.csv_table();
    let mut sidecar = json!({
        "request": results.request,
        "columns": table.columns,
        "rows": table.rows.len(),
        "summary": results.summary,
    });
    let beside = results.further.iter();
    for (name, table) in beside.filter(|(name, _)| Some(*name) != results.csv) {
        sidecar[*name] = rows(table);
    }
    sidecar
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Missing => Value::Null,
        Cell::Number(number) => json!(number),
        Cell::Integer(number) => json!(number),
        Cell::Text(text) => json!(text),
        Cell::Raw(text) => match (text.trim().parse::<i64>(), cell.number()) {
            (Ok(integer), _) => json!(integer),
            (_, Some(number)) => json!(number),
            _ if text.trim().is_empty() => Value::Null,
            _ => json!(text),
        },
    }
}
