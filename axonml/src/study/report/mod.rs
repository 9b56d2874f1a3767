//! Results as typed tables with their request and summary, and the forms in which they are written.

mod csv;
mod json;
mod npz;
mod summary;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StudyError;

pub use npz::NpzArchive;
pub use summary::{Statuses, error_summary, significant};

/// One value of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Missing,
    /// A count or an index.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
    /// A cell of the user's table, kept as it was written.
    #[serde(skip)]
    Raw(String),
}

impl Cell {
    /// A number that may be absent.
    pub fn maybe(number: Option<f64>) -> Self {
        number.map_or(Cell::Missing, Cell::Number)
    }

    /// A word; an empty one is no value.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Cell::Missing
        } else {
            Cell::Text(text)
        }
    }

    /// A count or an index.
    pub fn integer(number: usize) -> Self {
        Cell::Integer(number as i64)
    }

    /// Its value as a number, whatever it is written like.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Integer(number) => Some(*number as f64),
            Cell::Raw(text) => text.trim().parse().ok().filter(|x: &f64| x.is_finite()),
            Cell::Missing | Cell::Text(_) => None,
        }
    }

    /// Exactly, as files have it.
    pub fn exact(&self) -> String {
        match self {
            Cell::Missing => String::new(),
            Cell::Number(number) => number.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Text(text) | Cell::Raw(text) => text.clone(),
        }
    }
}

/// Rows under named columns, the unit in each name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names.
    pub columns: Vec<String>,
    /// One cell per column each.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new<'n>(columns: impl IntoIterator<Item = &'n str>) -> Self {
        Table {
            columns: columns.into_iter().map(str::to_owned).collect(),
            rows: Vec::new(),
        }
    }

    /// The index of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The cell of a row under a column, if the table has both.
    pub fn cell(&self, row: usize, column: &str) -> Option<&Cell> {
        self.rows.get(row)?.get(self.column(column)?)
    }

    /// The numbers of a column, one per row; none where a cell holds no number.
    pub fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        let index = self.column(column);
        let number = |row: &Vec<Cell>| row.get(index?)?.number();
        self.rows.iter().map(number).collect()
    }
}

/// All results of a study or command.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Everything needed to repeat them.
    pub request: Value,
    /// The rows.
    pub table: Table,
    /// Further tables by name: spikes of runs, fits of curves, comparisons.
    pub further: Vec<(&'static str, Table)>,
    /// The further table that a CSV file holds in place of the rows, if it does.
    pub csv: Option<&'static str>,
    /// Shown to people in place of rows that are too many.
    pub overview: Option<Table>,
    /// Figures about all rows.
    pub summary: Map<String, Value>,
    /// The summary in words, for people.
    pub words: Vec<String>,
}

impl Results {
    /// A further table by its name.
    pub fn further(&self, name: &str) -> Option<&Table> {
        let mut further = self.further.iter();
        further.find_map(|(of, table)| (*of == name).then_some(table))
    }

    fn csv_table(&self) -> &Table {
        let table = self.csv.and_then(|name| self.further(name));
        table.unwrap_or(&self.table)
    }

    /// The rows (or the table that stands for them in CSV files) as CSV with a header line.
    pub fn to_csv(&self) -> String {
        csv::text(self.csv_table())
    }

    /// The rows as CSV with a header line, whatever a CSV file holds.
    pub fn rows_to_csv(&self) -> String {
        csv::text(&self.table)
    }

    /// The text beside a CSV file: request, columns, number of rows, summary, further tables.
    pub fn to_sidecar(&self) -> String {
        json_text(&json::sidecar(self))
    }

    /// `request`, `results`, `summary` and the further tables as one JSON object.
    pub fn to_json(&self) -> String {
        json_text(&json::object(self))
    }

    /// The rows as an archive of arrays, one per column, with request and summary as JSON bytes.
    ///
    /// # Errors
    /// [`StudyError`] if the archive cannot be made.
    pub fn to_npz(&self) -> Result<Vec<u8>, StudyError> {
        npz::table(self)
    }
}

/// Indented text with a final newline.
pub fn json_text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// `n` with its noun: "1 fiber", "3 fibers".
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
