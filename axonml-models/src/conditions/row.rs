//! A row of a table: its cells by column.

use super::{ConditionError, Header};

/// A row of a table that is being read.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) header: &'r Header,
    pub(super) cells: &'r [String],
}

impl<'r> Row<'r> {
    /// The cell of a column, if the table has it and it is not empty.
    pub(super) fn cell(self, column: &str) -> Option<&'r str> {
        let cell = self.cells.get(self.header.position(column)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    /// Parses a cell with a parser whose errors state the expected value.
    pub(super) fn parse<T>(
        self,
        column: &'static str,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConditionError> {
        let Some(found) = self.cell(column) else {
            return Ok(None);
        };
        let wrong = |expected| ConditionError::Cell {
            column,
            found: found.to_owned(),
            expected,
        };
        parser(found).map(Some).map_err(wrong)
    }

    /// Refuses cells of `columns`, which have no effect on this row.
    pub(super) fn refuse(
        self,
        columns: &[&'static str],
        why: &'static str,
        remedy: &'static str,
    ) -> Result<(), ConditionError> {
        let cell = |column: &&'static str| Some((*column, self.cell(column)?));
        match columns.iter().find_map(cell) {
            None => Ok(()),
            Some((column, found)) => Err(ConditionError::NoEffect {
                column,
                found: found.to_owned(),
                why,
                remedy,
            }),
        }
    }
}
