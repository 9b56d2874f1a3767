//! What counts as a conducted action potential, how thresholds are searched for, and tables of conditions.

use std::path::PathBuf;

use clap::Args;

use super::number::{Nodes, between, finite, not_negative};

/// Flags of detection.
#[derive(Debug, Args)]
#[command(next_help_heading = "Detection")]
pub(crate) struct DetectionArgs {
    /// Nodes where an action potential counts, any of them: 0-based, negative from the end [default: 5,-5]
    #[arg(long, value_name = "NODES", allow_hyphen_values = true)]
    pub(crate) detect_nodes: Option<Nodes>,
    /// Level of the upward crossing, mV [default: 0]
    #[arg(long, value_name = "MV", value_parser = finite("mV"), allow_hyphen_values = true)]
    pub(crate) detect_threshold: Option<f64>,
    /// Crossings before this time do not count, ms [default: 0]
    #[arg(long, value_name = "MS", value_parser = not_negative("ms"), allow_hyphen_values = true)]
    pub(crate) detect_after: Option<f64>,
}

/// Flags of the search.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub(crate) struct SearchArgs {
    /// Largest amplitude tried, mA; the search doubles upward from 0.001 mA [default: 20]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-9, 1e6), allow_hyphen_values = true)]
    pub(crate) max_amplitude: Option<f64>,
    /// Width of the final bracket relative to its upper end [default: 1e-4]
    #[arg(long, value_name = "FRACTION", value_parser = between("", 1e-9, 0.5), allow_hyphen_values = true)]
    pub(crate) resolution: Option<f64>,
    /// Report a bad row or fibre as `error` and go on; exit code 1 at the end
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
