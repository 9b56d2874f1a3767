//! A model against references.

use std::path::PathBuf;

use clap::Args;

use super::number::between;
use super::{ConditionArgs, QuestionArgs};
use crate::input::Input;

/// Flags of `axonml evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Model whose thresholds are the references [default: column threshold_mA]
    #[arg(long, value_name = "NAME", help_heading = "Evaluation")]
    pub(crate) reference: Option<String>,
    /// Recorded traces with their stimulus (repeatable; help traces)
    #[arg(long, value_name = "FILE.npz", help_heading = "Evaluation")]
    pub(crate) traces: Vec<PathBuf>,
    /// Multiple of each own threshold for action potentials [default: 1.5]
    #[arg(long, value_name = "FACTOR", value_parser = between("", 1.0, 1000.0), help_heading = "Evaluation")]
    pub(crate) at: Option<f64>,
    /// Compare thresholds only, no action potentials
    #[arg(long, conflicts_with = "at", help_heading = "Evaluation")]
    pub(crate) thresholds_only: bool,
    #[command(flatten)]
    pub(crate) conditions: ConditionArgs,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

impl EvaluateArgs {
    /// The files that are read, beside those that rows of a table name.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let traces = self.traces.iter();
        let traces = traces.map(|path| Input::of("--traces", path)).collect();
        [self.conditions.inputs(), self.question.inputs(), traces].concat()
    }
}
