//! Reports as JSON.

use serde_json::{Map, Value, json};

use super::{Cell, Report, Table};

/// `request`, `results`, `summary`; of a run also `spikes`.
pub(super) fn object(report: &Report) -> Value {
    let mut object = json!({
        "request": report.request,
        "results": rows(&report.table),
        "summary": report.summary,
    });
    if let Some(spikes) = &report.spikes {
        object["spikes"] = rows(spikes);
    }
    if let Some(traces) = &report.traces {
        object["traces"] = rows(traces);
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
pub(super) fn sidecar(report: &Report) -> Value {
    let table = report.spikes.as_ref().unwrap_or(&report.table);
    let mut sidecar = json!({
        "request": report.request,
        "columns": table.columns,
        "rows": table.rows.len(),
        "summary": report.summary,
    });
    if let Some(traces) = &report.traces {
        sidecar["traces"] = rows(traces);
    }
    sidecar
}

/// Indented text with a final newline.
pub(super) fn text(value: &Value) -> String {
    format!("{value:#}\n")
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
