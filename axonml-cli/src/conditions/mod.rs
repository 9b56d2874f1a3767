//! Tables of conditions: one threshold a row.

mod overridden;
mod read;
mod row;

pub(crate) use overridden::{Overridden, overrides};
pub(crate) use read::Sheet;
pub(crate) use row::Reader;
