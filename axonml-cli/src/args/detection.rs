//! Detection of conducted action potentials, the search for thresholds, and tables of conditions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::number::{Fractions, Nodes, between, finite, not_negative};

/// Flags of detection.
#[derive(Debug, Args)]
#[command(next_help_heading = "Detection")]
pub(crate) struct DetectionArgs {
    /// Nodes, any of which action potentials must reach [default: 5,-5]
    #[arg(long, value_name = "NODES", allow_hyphen_values = true)]
    pub(crate) detect_nodes: Option<Nodes>,
    /// The same as fractions of the fiber's length, such as 0.1,0.9
    #[arg(
        long,
        value_name = "FRACTIONS",
        conflicts_with = "detect_nodes",
        allow_hyphen_values = true
    )]
    pub(crate) detect_at: Option<Fractions>,
    /// Membrane potential of the upward crossing, mV [default: 0]
    #[arg(long, value_name = "MV", value_parser = finite("mV"), allow_hyphen_values = true)]
    pub(crate) detect_threshold: Option<f64>,
    /// Crossings before this time do not count, ms [default: 0]
    #[arg(long, value_name = "MS", value_parser = not_negative("ms"), allow_hyphen_values = true)]
    pub(crate) detect_after: Option<f64>,
}

/// How a threshold whose action potential begins at an end of the simulated fiber is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EndExcitation {
    /// With the status `end_excitation`
    #[default]
    Report,
    /// As any other
    Accept,
    /// With that status, and exit code 1
    Error,
}

/// Flags of the search.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub(crate) struct SearchArgs {
    /// First amplitude, mA [default: of the passive fiber, at most 0.001]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-15, 1e6), allow_hyphen_values = true)]
    pub(crate) first_amplitude: Option<f64>,
    /// Largest amplitude tried, mA [default: 20]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-9, 1e6), allow_hyphen_values = true)]
    pub(crate) max_amplitude: Option<f64>,
    /// Largest injected current tried, nA [default: 20000]
    #[arg(long, value_name = "NA", value_parser = between("nA", 1e-6, 1e9), allow_hyphen_values = true)]
    pub(crate) max_current: Option<f64>,
    /// Width of the final bracket relative to its upper end [default: 1e-4]
    #[arg(long, value_name = "FRACTION", value_parser = between("", 1e-9, 0.5), allow_hyphen_values = true)]
    pub(crate) resolution: Option<f64>,
    /// Run every trial to --tstop, also where the fiber is at rest again
    #[arg(long)]
    pub(crate) no_early_end: bool,
    /// Begun at an end: report, accept or error [default: report]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    pub(crate) end_excitation: Option<EndExcitation>,
    /// Report bad rows or fibers as `error` and go on; exit code 1
    #[arg(long)]
    pub(crate) keep_going: bool,
}

/// Flags of condition tables.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionArgs {
    /// Table of one threshold a row, perhaps with references (help columns)
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["nerve", "basis"])]
    pub(crate) conditions: Option<PathBuf>,
    /// Folder of the nerve folders that the column `nerve` names
    #[arg(long, value_name = "ROOT", requires = "conditions")]
    pub(crate) nerves: Option<PathBuf>,
}
