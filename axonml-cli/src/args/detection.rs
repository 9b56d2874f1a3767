//! Detection of conducted action potentials, the search for thresholds, and tables of conditions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use axonml::NodeSelection;
use axonml::simulation::Detection;

use super::number::{Fractions, Nodes, between, finite, not_negative};

/// Flags of detection.
#[derive(Debug, Args)]
#[command(next_help_heading = "Detection")]
pub(crate) struct DetectionArgs {
    /// Nodes where an action potential counts once it arrives there, any of them: 0-based, negative from the end
    /// [default: 5,-5]
    #[arg(long, value_name = "NODES", allow_hyphen_values = true)]
    pub(crate) detect_nodes: Option<Nodes>,
    /// The same as fractions of the fiber's length, e.g. 0.1,0.9
    #[arg(
        long,
        value_name = "FRACTIONS",
        conflicts_with = "detect_nodes",
        allow_hyphen_values = true
    )]
    pub(crate) detect_at: Option<Fractions>,
    /// Level of the upward crossing, mV [default: 0]
    #[arg(long, value_name = "MV", value_parser = finite("mV"), allow_hyphen_values = true)]
    pub(crate) detect_threshold: Option<f64>,
    /// Crossings before this time do not count, ms [default: 0]
    #[arg(long, value_name = "MS", value_parser = not_negative("ms"), allow_hyphen_values = true)]
    pub(crate) detect_after: Option<f64>,
}

impl DetectionArgs {
    /// The sites asked for, if any were.
    pub(crate) fn sites(&self) -> Option<NodeSelection> {
        let nodes = self.detect_nodes.as_ref();
        let fractions = self.detect_at.as_ref();
        nodes
            .map(|nodes| NodeSelection::Nodes(nodes.0.clone()))
            .or_else(|| fractions.map(|at| NodeSelection::Fractions(at.0.clone())))
    }

    /// The detection, with the library's defaults.
    pub(crate) fn detection(&self) -> Detection {
        let default = Detection::default();
        Detection {
            sites: self.sites().unwrap_or(default.sites),
            threshold_mv: self.detect_threshold.unwrap_or(default.threshold_mv),
            after_ms: self.detect_after.unwrap_or(default.after_ms),
        }
    }
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
    /// First amplitude tried, mA; it is doubled until the fiber fires, then the last step is halved [default: the largest
    /// 0.001 x 2^-j that is not above a thousandth of what brings the passive fiber to the level, at most 0.001]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-15, 1e6), allow_hyphen_values = true)]
    pub(crate) first_amplitude: Option<f64>,
    /// Largest amplitude tried, mA [default: 20]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-9, 1e6), allow_hyphen_values = true)]
    pub(crate) max_amplitude: Option<f64>,
    /// Width of the final bracket relative to its upper end [default: 1e-4]
    #[arg(long, value_name = "FRACTION", value_parser = between("", 1e-9, 0.5), allow_hyphen_values = true)]
    pub(crate) resolution: Option<f64>,
    /// Run every trial to the end, also where nothing acts on the fiber any more and it is back near its start
    #[arg(long)]
    pub(crate) no_early_end: bool,
    /// Thresholds whose action potential begins within one internode of an end (unmyelinated: one length constant)
    /// [default: report]
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) end_excitation: Option<EndExcitation>,
    /// Report a bad row or fiber as `error` and go on; exit code 1 at the end
    #[arg(long)]
    pub(crate) keep_going: bool,
}

/// Flags of condition tables.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct ConditionArgs {
    /// One threshold a row: diameter_um, distance_um, shape, pw_ms, ... (um, ms, mV, mA, ohm-cm); a column threshold_mA
    /// is a reference to compare with. Flags given explicitly override columns
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["nerve", "basis"])]
    pub(crate) conditions: Option<PathBuf>,
    /// Folder of the nerve folders that rows name in their column `nerve`
    #[arg(long, value_name = "ROOT", requires = "conditions")]
    pub(crate) nerves: Option<PathBuf>,
}
