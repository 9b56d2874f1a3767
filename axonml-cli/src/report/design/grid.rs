//! Small tables, as aligned text and as HTML.

use crate::plot::escape;

/// A table: numbers to the right, words to the left.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    header: Vec<String>,
    /// Columns of words.
    words: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table with these columns, of which those at `words` are of words.
    pub(super) fn new(header: &[&str], words: &[usize]) -> Self {
        Grid {
            header: header.iter().map(|name| (*name).to_owned()).collect(),
            words: words.to_vec(),
            rows: Vec::new(),
        }
    }

    /// A table of columns of cells, one name each.
    pub(super) fn of_columns(columns: Vec<(&str, Vec<String>)>, words: &[usize]) -> Self {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let mut grid = Grid::new(&names, words);
        let rows = columns.first().map_or(0, |(_, cells)| cells.len());
        for row in 0..rows {
            let cells = columns.iter().map(|(_, cells)| cells.get(row));
            grid.add(
                cells
                    .map(|cell| cell.cloned().unwrap_or_default())
                    .collect(),
            );
        }
        grid
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Aligned text, indented by two spaces.
    pub(super) fn to_text(&self) -> String {
        let rows = || [&self.header].into_iter().chain(&self.rows);
        let wide = |column: usize| {
            let cells = rows().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(wide).collect();
        let mut text = String::new();
        for row in rows() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(
                |(column, (cell, &width))| match self.words.contains(&column) {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                },
            );
            let line = format!("  {}", cells.collect::<Vec<_>>().join("  "));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// A table of HTML.
    pub(super) fn to_html(&self) -> String {
        let line = |row: &[String], tag: &str| {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let class = match self.words.contains(&column) {
                    true => "",
                    false => " class=\"n\"",
                };
                format!("<{tag}{class}>{}</{tag}>", escape(cell))
            });
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let body: String = self.rows.iter().map(|row| line(row, "td")).collect();
        format!(
            "<div class=\"wide\"><table>\n<thead>{}</thead>\n<tbody>\n{body}</tbody>\n</table></div>\n",
            line(&self.header, "th").trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_cells_escaped() {
        let mut grid = Grid::new(&["name", "mA"], &[0]);
        grid.add(vec!["a<b".into(), "-0.25".into()]);
        grid.add(vec!["longer".into(), "3".into()]);
        let text = "  name       mA\n  a<b     -0.25\n  longer      3\n";
        assert_eq!(grid.to_text(), text);
        let html = grid.to_html();
        assert!(
            html.contains("<td>a&lt;b</td><td class=\"n\">-0.25</td>"),
            "{html}"
        );
        assert_eq!(html.matches("<tr>").count(), 3);
    }
}
