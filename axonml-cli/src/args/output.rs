//! Where results go.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of the output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Format on standard output [default: table]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<TableFormat>,
    /// Write results to a file; the extension picks the format: .csv (with a sidecar FILE.csv.json), .json or .npz
    /// (repeatable)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
}

/// Flag of the picture.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct PlotArgs {
    /// Draw the results: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Table,
    /// One object: request, results, summary
    Json,
    /// One line a row
    Csv,
}
