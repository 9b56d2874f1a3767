//! `axonml dataset`: training sets.

use std::path::PathBuf;
use std::str::FromStr;

use axonml::train::dataset::{Range, Spacing};
use clap::{Args, Subcommand};

use super::NumericsArgs;
use super::PlotArgs;
use super::help::{GENERATE, LAYOUT};
use super::number::{count, finite, positive};

/// The commands on sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Simulate exact fibers in random fields under random pulses, and keep their traces
    #[command(after_help = GENERATE)]
    Generate(Box<GenerateArgs>),
    /// Tell what is in a set, and draw it
    Inspect(InspectArgs),
    /// Make a set of an HDF5 file in AxonML's layout
    #[command(after_help = LAYOUT)]
    Import(ImportArgs),
    /// Write a set as an HDF5 file in AxonML's layout
    #[command(after_help = LAYOUT)]
    Export(ExportArgs),
}

/// Flags of `axonml dataset generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Folder of the set; an unfinished one is continued
    #[arg(short, long, value_name = "DIR", required_unless_present_any = ["simulate_only", "print_recipe"])]
    pub(crate) output: Option<PathBuf>,
    /// Recipe (help recipes); flags take precedence over it
    #[arg(long, value_name = "FILE.toml", help_heading = "Distribution")]
    pub(crate) recipe: Option<PathBuf>,
    /// Number of fibers [default: 65536]
    #[arg(long, value_name = "N", value_parser = count(1), help_heading = "Distribution")]
    pub(crate) count: Option<usize>,
    /// Nerve folder whose lines are drawn from (repeatable) [default: the pool T1]
    #[arg(long, value_name = "DIR", help_heading = "Distribution")]
    pub(crate) nerve: Vec<PathBuf>,
    /// Distance of point electrodes, um, log-uniform, beside or instead of nerves
    #[arg(long, value_name = "LOW:HIGH", help_heading = "Distribution")]
    pub(crate) point: Option<RangeArg>,
    /// Name from `axonml models`, or FILE.toml of one's own [default: mrg]
    #[arg(long, value_name = "NAME", help_heading = "Distribution")]
    pub(crate) model: Option<String>,
    /// Nodes of each fiber [default: 53]
    #[arg(long, value_name = "N", value_parser = count(3), help_heading = "Distribution")]
    pub(crate) nodes: Option<usize>,
    /// Fiber diameter, um [default: 5.7:14]
    #[arg(long, value_name = "LOW:HIGH[:log]", help_heading = "Distribution")]
    pub(crate) diameter: Option<RangeArg>,
    /// Magnitude of the pulses, mA [default: 0:0.2]
    #[arg(long, value_name = "LOW:HIGH[:log]", help_heading = "Distribution")]
    pub(crate) amplitude: Option<RangeArg>,
    /// Width of the pulses, ms [default: 0:2]
    #[arg(long, value_name = "LOW:HIGH[:log]", help_heading = "Distribution")]
    pub(crate) pw: Option<RangeArg>,
    /// Onset of the pulses, ms [default: 0:2]
    #[arg(long, value_name = "LOW:HIGH[:log]", help_heading = "Distribution")]
    pub(crate) delay: Option<RangeArg>,
    /// Steps between recorded rows [default: 1]
    #[arg(long, value_name = "K", value_parser = count(1), help_heading = "Recording")]
    pub(crate) every: Option<usize>,
    /// States to record; v is the membrane potential [default: all]
    #[arg(
        long,
        value_name = "STATES",
        value_delimiter = ',',
        help_heading = "Recording"
    )]
    pub(crate) states: Vec<String>,
    /// Fibers of a shard [default: 256]
    #[arg(long, value_name = "N", value_parser = count(1), help_heading = "Recording")]
    pub(crate) shard: Option<usize>,
    /// Simulate and report, but write nothing
    #[arg(long, conflicts_with = "output")]
    pub(crate) simulate_only: bool,
    /// Report how much would be written, and end
    #[arg(long, requires = "output")]
    pub(crate) dry_run: bool,
    /// Print the recipe of these flags, and end
    #[arg(long)]
    pub(crate) print_recipe: bool,
    #[command(flatten)]
    pub(crate) numerics: NumericsArgs,
}

/// Flags of `axonml dataset inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Folder of the set
    pub(crate) set: PathBuf,
    /// Only verify every checksum and every number
    #[arg(long, conflicts_with_all = ["plot", "json"])]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `axonml dataset import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The HDF5 file
    pub(crate) file: PathBuf,
    /// Folder of the set
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Time between two columns of the file, ms [default: 0.005]
    #[arg(long, value_name = "MS", value_parser = positive("ms"))]
    pub(crate) dt: Option<f64>,
    /// States to import [default: m,h,p,s,v]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) states: Vec<String>,
    /// Fibers of a shard [default: 256]
    #[arg(long, value_name = "N", value_parser = count(1))]
    pub(crate) shard: Option<usize>,
}

/// Flags of `axonml dataset export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Folder of the set
    pub(crate) set: PathBuf,
    /// The HDF5 file
    #[arg(short, long, value_name = "FILE.h5")]
    pub(crate) output: PathBuf,
}

/// A range: `5.7:14`, `0.01:1:log`, or one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RangeArg(pub(crate) Range);

impl FromStr for RangeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected low:high such as 5.7:14, low:high:log such as 0.01:1:log, or one number";
        let parts: Vec<&str> = text.split(':').collect();
        let number = |text: &str| finite("")(text).map_err(|_| EXPECTED.to_owned());
        let range = match parts[..] {
            [one] => Range::fixed(number(one)?),
            [low, high] => Range::uniform(number(low)?, number(high)?),
            [low, high, "log"] => Range {
                low: number(low)?,
                high: number(high)?,
                spacing: Spacing::Log,
            },
            _ => return Err(EXPECTED.to_owned()),
        };
        Ok(RangeArg(range))
    }
}
