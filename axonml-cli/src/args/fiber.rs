//! Which fibers, and the state they start from.

use axonml::model::Schema;
use axonml::simulation::{FiberLength, InitialState};
use axonml::table::conditions::cell::node_count;
use clap::{Args, ValueEnum};

use super::number::{Diameters, length_um, positive};
use crate::error::CliError;

/// Flags of the fibers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fibers")]
pub(crate) struct FiberArgs {
    /// Fiber diameters, um: a list such as 5.7,8.7,10 or start:stop:count such as 5.7:14:20
    /// [default: 5.7,8.7,12.8 in the demonstration nerve, else 10, or 1 for unmyelinated models]
    #[arg(long, value_name = "UM", allow_hyphen_values = true)]
    pub(crate) diameter: Option<Diameters>,
    /// Nodes of Ranvier, or compartments of an unmyelinated fiber; at least 3 [default: 53; in a nerve more where the
    /// field drives the ends; unmyelinated models have a length of their own]
    #[arg(long, value_name = "N", value_parser = node_count, allow_hyphen_values = true, conflicts_with = "length")]
    pub(crate) nodes: Option<usize>,
    /// Length from the first node to the last: a number in um, or with a unit, e.g. 20mm; rounded to an odd number of
    /// nodes [default: see --nodes]
    #[arg(long, value_name = "UM", value_parser = length_um, allow_hyphen_values = true)]
    pub(crate) length: Option<f64>,
    /// Length of a compartment, um, for unmyelinated models; elsewhere the node spacing, which is checked
    /// [default: the model's own]
    #[arg(long, value_name = "UM", value_parser = positive("um"), allow_hyphen_values = true)]
    pub(crate) delta_z: Option<f64>,
    /// End nodes. Only `active`, as the models have them, is implemented
    #[arg(long, value_name = "KIND", value_enum, hide = true)]
    pub(crate) ends: Option<Ends>,
    /// State at t = 0: as published, or the steady state without stimulus [default: published; steady-state with --warmup]
    #[arg(long, value_name = "STATE", value_enum)]
    pub(crate) start: Option<Start>,
    /// Settle for this long before t = 0, ms (implicit models in 5 ms steps) [default with --start steady-state: 200]
    #[arg(long, value_name = "MS", value_parser = positive("ms"), allow_hyphen_values = true)]
    pub(crate) warmup: Option<f64>,
}

/// How fibers end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ends {
    /// As the model's publication has it
    Active,
    /// Passive end nodes
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
    /// The extent asked for, if any was.
    pub(crate) fn extent(&self) -> Option<FiberLength> {
        let length = self.length.map(FiberLength::Um);
        self.nodes.map(FiberLength::Nodes).or(length)
    }

    /// The state that runs start from.
    pub(crate) fn initial_state(&self) -> Result<InitialState, CliError> {
        const WARMUP_MS: f64 = 200.0;
        if self.ends == Some(Ends::Passive) {
            return Err(CliError::request(
                "--ends passive: this version has no passive ends, only each model's own (`active`)",
            )
            .help("leave --ends out"));
        }
        match (self.start, self.warmup) {
            (Some(Start::Published), Some(warmup_ms)) => Err(CliError::request(format!(
                "--warmup {warmup_ms} contradicts --start published: a warmed-up fiber has left its published state"
            ))
            .help("leave one of them out")),
            (None | Some(Start::SteadyState), Some(warmup_ms)) => {
                Ok(InitialState::Settled { warmup_ms })
            }
            (Some(Start::SteadyState), None) => Ok(InitialState::Settled {
                warmup_ms: WARMUP_MS,
            }),
            (None | Some(Start::Published), None) => Ok(InitialState::Declared),
        }
    }

    /// The diameters asked for, or those of the model outside the demonstration nerve.
    pub(crate) fn diameters_um(&self, schema: &Schema) -> Vec<f64> {
        match &self.diameter {
            Some(diameters) => diameters.0.clone(),
            None if schema.compartment_um.is_some() => vec![1.0],
            None => vec![10.0],
        }
    }
}
