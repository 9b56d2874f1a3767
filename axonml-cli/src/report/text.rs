//! Tables for people: what is the same in every row is said once, above.

use comfy_table::{CellAlignment, Table as Sheet, presets};

use axonml::study::{Cell, Table, significant};

/// The table as aligned text.
pub(super) fn table(table: &Table) -> String {
    let constant = |column: usize| -> bool {
        // Results are never hidden, settings that are the same everywhere are.
        let name = table.columns[column].as_str();
        let result = name == "status"
            || [
                "threshold_mA",
                "threshold_nA",
                "extrapolated_mA",
                "extrapolated_nA",
                "half_dt_mA",
                "half_dt_nA",
                "er_mA",
                "er_nA",
                "cv_m_per_s",
            ]
            .iter()
            .any(|ending| name.ends_with(ending));
        table.rows.len() > 1
            && !result
            && table
                .rows
                .windows(2)
                .all(|pair| pair[0][column] == pair[1][column])
    };
    let (same, shown): (Vec<usize>, Vec<usize>) =
        (0..table.columns.len()).partition(|&column| constant(column));
    // A single row may still have empty columns, which say nothing.
    let shown: Vec<usize> = shown
        .into_iter()
        .filter(|&column| table.rows.iter().any(|row| row[column] != Cell::Missing))
        .collect();

    let mut text = String::new();
    let caption: Vec<String> = same
        .iter()
        .filter(|&&column| table.rows[0][column] != Cell::Missing)
        .map(|&column| {
            format!(
                "{} {}",
                table.columns[column],
                readable(&table.rows[0][column])
            )
        })
        .collect();
    if !caption.is_empty() {
        text.push_str(&format!("all rows: {}\n\n", caption.join(", ")));
    }
    if shown.is_empty() {
        return text;
    }
    let mut sheet = Sheet::new();
    sheet.load_style(presets::NOTHING);
    sheet.set_header(shown.iter().map(|&column| table.columns[column].as_str()));
    for row in &table.rows {
        sheet.add_row(shown.iter().map(|&column| readable(&row[column])));
    }
    for (position, &column) in shown.iter().enumerate() {
        let numeric = table
            .rows
            .iter()
            .all(|row| row[column].number().is_some() || row[column] == Cell::Missing);
        if let Some(column) = sheet.column_mut(position) {
            column.set_padding((0, 2));
            if numeric {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    for line in sheet.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

/// A cell as a person wants to read it.
fn readable(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => significant(*number, 6),
        cell => cell.exact(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (x, text) in [
            (0.205_667_31, "0.205667"),
            (5.7, "5.7"),
            (1234.5678, "1234.57"),
            (0.0, "0"),
            (1e-7, "1.00000e-7"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(significant(x, 6), text);
        }
    }

    #[test]
    fn what_is_the_same_everywhere_is_said_once() {
        let row = |d: f64, status: &str| {
            vec![
                Cell::Text("mrg".into()),
                Cell::Number(d),
                Cell::Missing,
                Cell::text(status),
            ]
        };
        let text = table(&Table {
            columns: ["model", "diameter_um", "message", "status"]
                .map(str::to_owned)
                .to_vec(),
            rows: vec![row(5.7, "ok"), row(10.0, "ok")],
        });
        assert!(text.starts_with("all rows: model mrg\n\n"), "{text}");
        assert!(
            text.contains("diameter_um  status") && !text.contains("message"),
            "{text}"
        );
        assert!(text.contains("        5.7  ok"), "{text}");
    }
}
