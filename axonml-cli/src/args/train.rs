//! `axonml train`.

use std::path::PathBuf;

use clap::Args;

use super::number::positive;
use super::numerics::threads;

/// Flags of `axonml train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Configuration of the training; a commented one is examples/train/short.toml
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: PathBuf,
    /// Go on from the checkpoint in save_dir, bit for bit
    #[arg(long)]
    pub(crate) resume: bool,
    /// Set a key of the configuration, e.g. stage.0.learning_rate=0.02 (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Draw loss and validation against steps: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Where to compute: auto, cpu, cuda or cuda:N; `axonml devices` lists what is there [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Threads of the CPU backend; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
    /// Memory that the work may take, GB; what needs more is refused before it begins [default: what is available]
    #[arg(long, value_name = "GB", value_parser = positive("GB"), allow_hyphen_values = true)]
    pub(crate) max_memory: Option<f64>,
}
