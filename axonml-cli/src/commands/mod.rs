//! The commands, one file each.

pub(crate) mod completions;
pub(crate) mod dataset;
pub(crate) mod devices;
pub(crate) mod evaluate;
pub(crate) mod files;
pub(crate) mod help;
pub(crate) mod models;
pub(crate) mod optimize;
pub(crate) mod questions;
pub(crate) mod run;
pub(crate) mod study;
pub(crate) mod threshold;
pub(crate) mod train;
pub(crate) mod verify;
pub(crate) mod weights;
