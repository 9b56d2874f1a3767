//! Tables as CSV.

use super::Table;

/// The table with a header line; cells are quoted where they must be.
pub(super) fn text(table: &Table) -> String {
    let mut text = line(table.columns.iter().map(String::as_str));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(super::Cell::exact).collect();
        text.push_str(&line(cells.iter().map(String::as_str)));
    }
    text
}

fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let quoted = |cell: &str| {
        let cell = cell.replace('\n', " ");
        if cell.contains([',', '"', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let mut line = cells.map(quoted).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, Table};

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let table = Table {
            columns: vec!["a_mA".into(), "contacts".into()],
            rows: vec![
                vec![Cell::Number(0.1), Cell::Raw("1,0 \"x\"".into())],
                vec![Cell::Missing, Cell::Integer(-3)],
            ],
        };
        assert_eq!(
            super::text(&table),
            "a_mA,contacts\n0.1,\"1,0 \"\"x\"\"\"\n,-3\n"
        );
    }
}
