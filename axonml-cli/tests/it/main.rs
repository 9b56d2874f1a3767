//! The binary as its users meet it: what it prints, writes and answers.

mod bad_input;
mod conditions;
mod dataset;
mod divergence;
mod doubted;
mod evaluate;
mod help;
mod kills;
mod nothing_ignored;
mod nothing_silent;
mod optimize;
mod optimize_files;
mod optimize_request;
mod outputs;
mod parts;
mod pictures;
mod questions;
mod room;
mod run;
mod signals;
mod study_files;
mod study_refusals;
mod support;
mod threshold;
mod train;
mod weights;
