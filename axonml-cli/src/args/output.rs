//! Where results go.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::number::between;
use crate::error::CliError;
use crate::plot::{Format, Page, Size};

/// Flags of the output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// On standard output: table, json or csv [default: table]
    #[arg(long, value_name = "FORMAT", value_enum, hide_possible_values = true)]
    pub(crate) format: Option<TableFormat>,
    /// Write results to .csv, .json or .npz (repeatable; help files)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Compute part I of N into -o PART.json; slurm: the array's task
    #[arg(long, value_name = "I/N")]
    pub(crate) part: Option<String>,
    /// Print what the flags mean as a file for `axonml study`
    #[arg(long)]
    pub(crate) print_study: bool,
}

/// Flags of the picture.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct PlotArgs {
    /// Draw the results as .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Size of the picture, mm [default: 208 wide, as high as needed]
    #[arg(long, value_name = "WxH", requires = "plot")]
    pub(crate) size: Option<Size>,
    /// Dots per inch of a .png [default: 195; with --size 300]
    #[arg(long, value_name = "N", requires = "plot", value_parser = between("dots per inch", 30.0, 2400.0))]
    pub(crate) dpi: Option<f64>,
    /// Column on the horizontal axis of the picture [default: what varies]
    #[arg(long, value_name = "COLUMN", requires = "plot")]
    pub(crate) x: Option<String>,
}

impl PlotArgs {
    /// Size and resolution of the picture.
    pub(crate) fn page(&self) -> Result<Page, CliError> {
        if let (Some(dpi), Some(path)) = (self.dpi, &self.plot)
            && Format::of(path)? != Format::Png
        {
            return Err(CliError::request(format!(
                "--dpi {dpi} has no effect on {}: it is no bitmap",
                path.display()
            ))
            .help("leave it out, or name a .png file"));
        }
        Ok(Page {
            size: self.size,
            dpi: self.dpi,
        })
    }
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
