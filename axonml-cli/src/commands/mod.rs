//! The commands, one file each.

pub(crate) mod dataset;
pub(crate) mod devices;
pub(crate) mod evaluate;
pub(crate) mod models;
pub(crate) mod run;
pub(crate) mod threshold;
pub(crate) mod train;
pub(crate) mod verify;
pub(crate) mod weights;
