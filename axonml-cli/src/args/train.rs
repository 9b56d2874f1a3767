//! `axonml train`.

use std::path::PathBuf;

use clap::Args;

use super::PlotArgs;
use super::number::positive;
use super::numerics::threads;

/// Flags of `axonml train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Configuration; a commented one is examples/train/short.toml
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: PathBuf,
    /// Go on from the checkpoint in save_dir, bit for bit
    #[arg(long)]
    pub(crate) resume: bool,
    /// Set a key of the configuration (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    /// auto, cpu, cuda or cuda:N; see `axonml devices` [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// CPU threads; results do not depend on them [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
    /// Memory that may be taken, GB; more is refused [default: available]
    #[arg(long, value_name = "GB", value_parser = positive("GB"), allow_hyphen_values = true)]
    pub(crate) max_memory: Option<f64>,
}
