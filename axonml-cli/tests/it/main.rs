//! The binary as its users meet it: what it prints, writes and answers.

mod bad_input;
mod conditions;
mod dataset;
mod doubted;
mod evaluate;
mod interrupted;
mod run;
mod support;
mod threshold;
mod train;
mod weights;
