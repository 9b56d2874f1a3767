//! A model against references.

use std::path::PathBuf;

use clap::Args;

use super::ThresholdArgs;
use super::number::between;
use crate::input::Input;

/// Flags of `axonml evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Model to compare with; its thresholds are computed and stand above the table's column threshold_mA [default: the
    /// column, and the table's own model where --model stands above it]
    #[arg(long, value_name = "NAME", help_heading = "Evaluation")]
    pub(crate) reference: Option<String>,
    /// Recorded traces to compare with, and the stimulus that made them; --help tells the arrays (repeatable)
    #[arg(long, value_name = "FILE.npz", help_heading = "Evaluation")]
    pub(crate) traces: Vec<PathBuf>,
    /// Compare action potentials at this multiple of each model's own threshold [default: 1.5]
    #[arg(long, value_name = "FACTOR", value_parser = between("", 1.0, 1000.0), help_heading = "Evaluation")]
    pub(crate) at: Option<f64>,
    /// Compare thresholds only, no action potentials
    #[arg(long, conflicts_with = "at", help_heading = "Evaluation")]
    pub(crate) thresholds_only: bool,
    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,
}

impl EvaluateArgs {
    /// The files that are read, beside those that rows of a table name.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let traces = self.traces.iter();
        let traces = traces.map(|path| Input::of("--traces", path)).collect();
        [self.threshold.inputs(), traces].concat()
    }
}
