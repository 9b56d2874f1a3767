//! `axonml dataset`: training sets.

use std::path::PathBuf;
use std::str::FromStr;

use axonml::train::dataset::{Range, Spacing};
use clap::{Args, Subcommand};

use super::NumericsArgs;
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

const GENERATE: &str = "\
Examples:
  axonml dataset generate -o set --count 4096 --every 10
  axonml dataset generate -o set --nerve nerves/A --nerve nerves/B --states v,m
  axonml dataset generate --print-recipe > recipe.toml     the default distribution, to be edited
  axonml dataset generate -o set --recipe recipe.toml --seed 7
  axonml dataset generate --count 65536 --simulate-only    how fast, how many fire; nothing is written

Interrupted in any way, the same command goes on where it ended: finished shards are kept. The bytes written do not \
depend on threads or interruptions.

Recipe files hold what the flags say and more, for instance other pulses:
  [[pulses]]
  shape = \"biphasic\"                                       any pulse of --pulse, or noise (keys pw, hold)
  amplitude_ma = { low = 0.01, high = 0.5, spacing = \"log\" }
  pw = { low = 0.05, high = 0.5 }
  gap = 0.05
  delay_ms = { low = 0, high = 1 }";

const LAYOUT: &str = "\
AxonML's layout: `e` (extracellular potential at the nodes, mV), one dataset per state (m, h, p, s, v), each (group, \
minibatch, axon, node, time); `diameters` and `ys` (place of the middle node), um, each (group, minibatch, axon). \
Column t of `e` acts between columns t and t + 1 of the states.";

/// Flags of `axonml dataset generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Folder of the set; an unfinished one is gone on with
    #[arg(short, long, value_name = "DIR", required_unless_present_any = ["simulate_only", "print_recipe"])]
    pub(crate) output: Option<PathBuf>,
    /// Recipe file (TOML); flags take precedence over it, relative nerve folders lie beside it
    #[arg(long, value_name = "FILE.toml", help_heading = "Distribution")]
    pub(crate) recipe: Option<PathBuf>,
    /// Number of fibers [default: 65536]
    #[arg(long, value_name = "N", value_parser = count(1), help_heading = "Distribution")]
    pub(crate) count: Option<usize>,
    /// Nerve folder whose lines are drawn from, all contacts delivering a pulse (repeatable) [default: the pool T1]
    #[arg(long, value_name = "DIR", help_heading = "Distribution")]
    pub(crate) nerve: Vec<PathBuf>,
    /// Instead of or beside nerves: a point electrode at a distance in um, log-uniform in this range
    #[arg(long, value_name = "LOW:HIGH", help_heading = "Distribution")]
    pub(crate) point: Option<RangeArg>,
    /// Fiber model [default: mrg]
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
    /// States to record, e.g. v,m; v is the membrane potential [default: all]
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
    /// Simulate and tell what came out, but write nothing
    #[arg(long, conflicts_with = "output")]
    pub(crate) simulate_only: bool,
    /// Tell how much would be written, and end
    #[arg(long, requires = "output")]
    pub(crate) dry_run: bool,
    /// Print the recipe that these flags amount to, and end
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
    /// Draw the distributions: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
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
    /// Time between two columns, ms, which the file does not say [default: 0.005]
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
