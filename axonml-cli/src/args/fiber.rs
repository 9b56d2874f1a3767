//! Which fibers, and the state they start from.

use axonml::table::conditions::cell::node_count;
use clap::{Args, ValueEnum};

use super::number::{Diameters, count, length_um, positive};
use crate::error::CliError;

/// Flags of the fibers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fibers")]
pub(crate) struct FiberArgs {
    /// Diameters, um: 5.7,8.7 or start:stop:count [default: 10; unmyelinated: 1]
    #[arg(long, value_name = "UM", allow_hyphen_values = true)]
    pub(crate) diameter: Option<Diameters>,
    /// Fibers spread over a nerve's lines [default: one a line and diameter]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) count: Option<usize>,
    /// Nodes of Ranvier or compartments, at least 3 [default: see help fibers]
    #[arg(long, value_name = "N", value_parser = node_count, allow_hyphen_values = true, conflicts_with = "length")]
    pub(crate) nodes: Option<usize>,
    /// Length from first node to last, um, or 20mm, instead of --nodes
    #[arg(long, value_name = "UM", value_parser = length_um, allow_hyphen_values = true)]
    pub(crate) length: Option<f64>,
    /// Compartment length or node spacing to be checked, um [default: model's]
    #[arg(long, value_name = "UM", value_parser = positive("um"), allow_hyphen_values = true)]
    pub(crate) delta_z: Option<f64>,
    /// End nodes: active or passive, as PyFibers has them [default: active]
    #[arg(long, value_name = "KIND", value_enum, hide_possible_values = true)]
    pub(crate) ends: Option<Ends>,
    /// published or steady-state [default: published; with --warmup steady-state]
    #[arg(long, value_name = "STATE", value_enum, hide_possible_values = true)]
    pub(crate) start: Option<Start>,
    /// Time before t = 0 without stimulus, ms [default: 200 if steady-state]
    #[arg(long, value_name = "MS", value_parser = positive("ms"), allow_hyphen_values = true)]
    pub(crate) warmup: Option<f64>,
}

/// How fibers end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ends {
    /// With the membrane of all nodes
    Active,
    /// Cut off
    Passive,
}

/// The state at t = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Start {
    /// As the model's publication has it
    #[value(alias = "declared")]
    Published,
    /// After a run without stimulus
    #[value(alias = "settled")]
    SteadyState,
}

impl FiberArgs {
    /// Refuses contradictions.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match (self.start, self.warmup) {
            (Some(Start::Published), Some(warmup_ms)) => Err(CliError::request(format!(
                "--warmup {warmup_ms} contradicts --start published: a warmed-up fiber has left its published state"
            ))
            .help("leave one of them out")),
            _ => Ok(()),
        }
    }
}
