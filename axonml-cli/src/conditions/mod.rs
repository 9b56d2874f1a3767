//! Tables of conditions: one threshold a row.

mod read;
mod row;

pub(crate) use read::Sheet;
pub(crate) use row::Reader;
