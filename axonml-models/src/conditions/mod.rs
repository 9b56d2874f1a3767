//! Tables of conditions: one simulation a row.
//!
//! [`Header`] checks the names of a table's columns against [`COLUMNS`]; a [`RowReader`] turns cells into
//! [`Condition`]s, where [`Overrides`] take precedence over columns and columns over defaults. One rule holds for
//! columns and overrides: each is used, refused, or reported as unused.

pub mod cell;
mod columns;
mod condition;
mod error;
mod header;
mod overrides;
mod place;
mod pulse;
mod row;
mod waveform;

pub use columns::{COLUMNS, Column, Role, column, meant};
pub use condition::{Condition, RowReader};
pub use error::{ConditionError, PulseError};
pub use header::{Header, HeaderError};
pub use overrides::{Electrode, Overrides};
pub use place::RESISTIVITY_OHM_CM;
pub use pulse::{Polarity, PulseText};
