//! Reads tables from delimited text, for waveform files and condition tables.
//!
//! Bytes are decoded ([`decode`]), lines are cut into records, records into cells ([`DelimitedText`]).
//! The caller interprets the cells; [`DelimitedText::number`] reads a number as the file
//! writes it. The time taken is linear in the size of the text.

mod decode;
mod split;

use std::ops::Range;

pub use decode::decode;

/// Errors of reading a table from delimited text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelimitedError {
    /// The bytes are not text in a supported encoding.
    #[error(
        "line {line}: {problem}; expected text in UTF-8, or in UTF-16 with a byte order mark: save \
         the file as UTF-8"
    )]
    Encoding {
        /// Line, counted from 1.
        line: usize,
        /// The text found there.
        problem: String,
    },
    /// A quoted cell has no closing quote.
    #[error("line {line}: a `\"` opens a cell and is never closed; add the closing quote")]
    OpenQuote {
        /// Line of the opening quote, counted from 1.
        line: usize,
    },
    /// Text follows a closing quote.
    #[error(
        "line {line}: found `{found}` after the closing `\"` of a cell, expected a {separator} or the \
         end of the line; write `\"\"` for a quote inside a quoted cell"
    )]
    AfterQuote {
        /// Line, counted from 1.
        line: usize,
        /// The text after the quote.
        found: char,
        /// The separator of the file.
        separator: Separator,
    },
    /// A record is larger than any table of numbers needs.
    #[error(
        "line {line}: the record has more than {limit} {what}, expected a table of numbers and names"
    )]
    TooLarge {
        /// Line on which the record begins, counted from 1.
        line: usize,
        /// Which limit.
        limit: usize,
        /// `bytes`, `cells`, `bytes in a cell`.
        what: &'static str,
    },
}

/// The separator between the cells of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// One or more blanks or tabs.
    Blanks,
}

impl std::fmt::Display for Separator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Blanks => "blank",
        })
    }
}

/// A table: its records in their order, cut into cells.
///
/// Cells are separated by commas, semicolons, tabs or blanks, the same throughout the text and found
/// out from its first lines. Cells in double quotes may hold separators, line ends and doubled quotes.
/// Blanks around cells, empty lines and lines that begin with `#` or `%` are skipped.
///
/// # Example
/// ```
/// use axonml_core::delimited::{DelimitedText, Separator};
/// let table = DelimitedText::parse("# a table\ntime_ms;amplitude\n0,1;-1\n")?;
/// assert_eq!(table.separator(), Separator::Semicolon);
/// let row = table.record(1);
/// assert_eq!((row.line, table.number(row.cell(0)), table.number(row.cell(1))), (3, Some(0.1), Some(-1.0)));
/// # Ok::<(), axonml_core::delimited::DelimitedError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelimitedText {
    separator: Separator,
    /// The cells one after the other, unquoted.
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    /// The records' lines and the number of cells up to and including each.
    records: Vec<(usize, usize)>,
    heading: Option<Heading>,
}

/// The comment line directly above the first record.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heading {
    line: usize,
    text: String,
    cells: Vec<String>,
}

/// A record of a table.
#[derive(Debug, Clone)]
pub struct Record<'t> {
    /// Line of the text on which it begins, counted from 1.
    pub line: usize,
    table: &'t DelimitedText,
    cells: Range<usize>,
}

impl<'t> Record<'t> {
    /// Number of cells, at least one.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether it has no cells; never.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// A cell, without the blanks around it; empty where the record has fewer cells.
    pub fn cell(&self, index: usize) -> &'t str {
        let at = self.cells.start + index;
        if !self.cells.contains(&at) {
            return "";
        }
        let begin = at
            .checked_sub(1)
            .map_or(0, |before| self.table.ends[before]);
        &self.table.text[begin..self.table.ends[at]]
    }

    /// All cells.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &'t str> + use<'t> {
        let record = self.clone();
        (0..self.len()).map(move |index| record.cell(index))
    }
}

impl DelimitedText {
    /// The most bytes a record may have.
    pub const MAX_RECORD_BYTES: usize = 1 << 20;
    /// The most bytes a cell may have.
    pub const MAX_CELL_BYTES: usize = 1 << 16;
    /// The most cells a record may have.
    pub const MAX_CELLS: usize = 1 << 12;

    /// Cuts bytes of a file into records and cells.
    ///
    /// # Errors
    /// [`DelimitedError`] naming the line.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DelimitedError> {
        Self::parse(&decode(bytes)?)
    }

    /// Cuts text into records and cells.
    ///
    /// # Errors
    /// [`DelimitedError`] naming the line.
    pub fn parse(text: &str) -> Result<Self, DelimitedError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        split::split(text)
    }

    /// The separator between the cells.
    pub fn separator(&self) -> Separator {
        self.separator
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// A record.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn record(&self, index: usize) -> Record<'_> {
        let (line, end) = self.records[index];
        let begin = index
            .checked_sub(1)
            .map_or(0, |before| self.records[before].1);
        Record {
            line,
            table: self,
            cells: begin..end,
        }
    }

    /// All records in their order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        (0..self.len()).map(|index| self.record(index))
    }

    /// The text of the comment line directly above the first record, and its line: some programs
    /// name the columns there.
    pub fn heading(&self) -> Option<(usize, &str)> {
        self.heading
            .as_ref()
            .map(|heading| (heading.line, heading.text.as_str()))
    }

    /// The cells of the comment line directly above the first record; none if there is no such line.
    pub fn heading_cells(&self) -> &[String] {
        self.heading
            .as_ref()
            .map_or(&[], |heading| heading.cells.as_slice())
    }

    /// A cell as a number: with a decimal point, or with a decimal comma where commas do not separate
    /// the cells. `None` for anything else; infinities and NaN are read as Rust reads them.
    pub fn number(&self, cell: &str) -> Option<f64> {
        self.with_point(cell).parse().ok()
    }

    /// A cell with the comma of a single number replaced by a point where commas do not separate the
    /// cells; any other cell as it is.
    pub fn with_point<'c>(&self, cell: &'c str) -> std::borrow::Cow<'c, str> {
        let is_number = || {
            cell.chars().filter(|&c| c == ',').count() == 1
                && cell.replace(',', ".").parse::<f64>().is_ok()
        };
        if self.separator != Separator::Comma && is_number() {
            cell.replace(',', ".").into()
        } else {
            cell.into()
        }
    }
}

#[cfg(test)]
mod tests;
