//! Flags of the commands about study files, parts and results.

use std::path::PathBuf;

use clap::Args;

use super::number::positive;
use super::numerics::{set_threads, threads};
use super::{OutputArgs, PlotArgs};
use crate::error::CliError;

/// Flags of `axonml study`.
#[derive(Debug, Args)]
pub(crate) struct StudyArgs {
    /// The study: TOML, or JSON if the name ends in .json
    #[arg(value_name = "FILE.toml")]
    pub(crate) file: PathBuf,
    /// Where an optimization is kept, and goes on [default: optimize-FILE]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) save_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}

/// Flags of `axonml merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The parts, all of them, in any order
    #[arg(value_name = "PART.json", required = true)]
    pub(crate) parts: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}

/// Flags of `axonml rerun`.
#[derive(Debug, Args)]
pub(crate) struct RerunArgs {
    /// The results, as a command wrote them
    #[arg(value_name = "RESULT.json")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// Where a study is computed, which changes nothing about its results but their last digits.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// Where to compute: auto, cpu, cuda or cuda:N [default: the study's, else auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Threads of the CPU backend [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    threads: Option<usize>,
    /// Memory that the work may take, GB [default: what is available]
    #[arg(long, value_name = "GB", value_parser = positive("GB"), allow_hyphen_values = true)]
    pub(crate) max_memory: Option<f64>,
}

impl MachineArgs {
    /// Sets the number of threads.
    pub(crate) fn set_threads(&self) -> Result<(), CliError> {
        set_threads(self.threads)
    }
}
