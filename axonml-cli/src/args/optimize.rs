//! `axonml optimize`: currents through contacts that activate some fibers and spare others.
//!
//! Goal, stimulus, limits and method are flags here; `design_study` makes a study of them.

use std::path::PathBuf;

use axonml::field::{Extension, Interpolation};
use axonml::study::{
    AdaptationSpec, BoundarySpec, Criterion, DeInit, DescentRule, ExpansionSpec, GdInit, Method,
    ObjectiveSpec, Offset, Span, Strategy, TargetSpec, Varied,
};
use clap::{Arg, Args, Subcommand, ValueEnum};

use super::design_lists::{Currents, Group, Penalties, Perturbation};
use super::field::offset;
use super::help;
use super::number::{NotNegatives, Positives, between, count, finite, not_negative, positive};
use super::{DetectionArgs, FiberArgs, ModelArgs, NumericsArgs, PlotArgs, TableFormat};

/// Flags that stand in the help of other commands.
const ELSEWHERE: [&str; 26] = [
    "weights",
    "set",
    "temperature",
    "count",
    "length",
    "delta_z",
    "ends",
    "start",
    "warmup",
    "interpolation",
    "offset",
    "extend",
    "accept_coarse",
    "detect_nodes",
    "detect_at",
    "detect_threshold",
    "detect_after",
    "dt",
    "rates",
    "backend",
    "threads",
    "max_memory",
    "max_amplitude",
    "size",
    "dpi",
    "x",
];

/// Hides such a flag, and says of the others what is different here.
fn briefly(arg: Arg) -> Arg {
    let id = arg.get_id().as_str().to_owned();
    let help = match id.as_str() {
        "diameter" => "Diameters, um: 5.7,8.7 or start:stop:count [default: 5.7; unmyelinated: 1]",
        "tstop" => "Duration, ms [default: 2.5]",
        "precision" => "Arithmetic: f32 or f64 [default: f32; proof: f64]",
        "seed" => "Seed of all that is drawn at random [default: 0]",
        "model" | "nodes" | "resolution" => return arg.help_heading(FIBERS),
        "plot" => return arg.help_heading("Work and output"),
        _ if ELSEWHERE.contains(&id.as_str()) => return arg.hide(true),
        _ => return arg,
    };
    arg.help(help).help_heading(FIBERS)
}

/// Heading of the flags that other commands have under several.
const FIBERS: &str = "Fibers and numerics";

/// The ways of an optimization.
#[derive(Debug, Subcommand)]
pub(crate) enum OptimizeCommand {
    /// Thresholds of all montages of one, two and three contacts: what an optimizer must beat, and where it starts
    #[command(after_help = help::OPTIMIZE_SCAN, mut_args(briefly))]
    Scan(Box<ScanArgs>),
    /// Gradient descent on the activation thresholds of the exact fiber
    #[command(after_help = help::OPTIMIZE_GD, mut_args(briefly))]
    Gd(Box<GdArgs>),
    /// Differential evolution on activation or thresholds
    #[command(after_help = help::OPTIMIZE_DE, mut_args(briefly))]
    De(Box<DeArgs>),
    /// The report of a finished or interrupted optimization again; nothing is simulated
    Report(ReportArgs),
}

/// Flags of `axonml optimize scan`.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// Waveform of all contacts, ms, kHz [default: biphasic:pw=0.2,delay=0.2]
    #[arg(long, value_name = "PULSE", help_heading = "Stimulus")]
    pub(crate) waveform: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Flags of `axonml optimize gd`.
#[derive(Debug, Args)]
pub(crate) struct GdArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    #[command(flatten)]
    pub(crate) objective: ObjectiveArgs,
    #[command(flatten)]
    pub(crate) stimulus: StimulusArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) descent: DescentArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Flags of `axonml optimize de`.
#[derive(Debug, Args)]
pub(crate) struct DeArgs {
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    #[command(flatten)]
    pub(crate) objective: ObjectiveArgs,
    #[command(flatten)]
    pub(crate) stimulus: StimulusArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) evolution: EvolutionArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Flags of `axonml optimize report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The folder that --save-dir named
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// On standard output: table, json or csv [default: table]
    #[arg(long, value_name = "FORMAT", value_enum, hide_possible_values = true)]
    pub(crate) format: Option<TableFormat>,
    /// Write the report as a page of its own
    #[arg(long, value_name = "FILE.html")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}

/// Flags of what is wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Wanted")]
pub(crate) struct WantedArgs {
    /// Nerve folder (repeatable) [default: the bundled N1]
    #[arg(long, value_name = "DIR")]
    pub(crate) nerve: Vec<PathBuf>,
    /// Seek one stimulus for all nerves
    #[arg(long)]
    pub(crate) shared: bool,
    /// To activate: FILE.npy or fascicles:2,5 [default: target.npy]
    #[arg(long, value_name = "WHICH")]
    pub(crate) target: Option<TargetSpec>,
    /// Share of each line in the area [default: weights.npy]
    #[arg(long, value_name = "FILE.npy")]
    pub(crate) area_weights: Option<PathBuf>,
    /// Share of each --diameter in a line's weight [default: equal]
    #[arg(long, value_name = "SHARES", allow_hyphen_values = true)]
    pub(crate) diameter_shares: Option<NotNegatives>,
    /// More: NAME:model=sundt,diameter=0.8,want=spare (repeatable)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<Group>,
    /// Part of the target area: 0.5, or 0.1:0.8 [default: 1]
    #[arg(long, value_name = "FRACTION", allow_hyphen_values = true)]
    pub(crate) recruit: Option<Span>,
    /// Along a nerve's lines: cubic or linear [default: cubic]
    #[arg(long, value_name = "METHOD")]
    pub(crate) interpolation: Option<Interpolation>,
    /// Shift of fibers along the field, um, or random [default: 0]
    #[arg(long, value_name = "UM|random", value_parser = offset, allow_hyphen_values = true)]
    pub(crate) offset: Option<Offset>,
    /// Beyond a nerve's lines: refuse or point-source [default: refuse]
    #[arg(long, value_name = "HOW")]
    pub(crate) extend: Option<Extension>,
    /// Accept lines that interpolation may miss by more than 5 %
    #[arg(long)]
    pub(crate) accept_coarse: bool,
}

/// Flags of what is lowered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Wanted")]
pub(crate) struct ObjectiveArgs {
    /// selective (default), margin, area, wbce, jaccard, dice, hamming, quotient
    #[arg(long, value_name = "NAME")]
    pub(crate) objective: Option<ObjectiveSpec>,
    /// charge=W (per uC), energy (mA2 ms), peak (mA), smooth, contacts
    #[arg(long, value_name = "K=W", allow_hyphen_values = true)]
    pub(crate) penalty: Option<Penalties>,
}

/// Flags of the stimulus.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stimulus")]
pub(crate) struct StimulusArgs {
    /// Waveform of all contacts, ms, kHz [default: biphasic:pw=0.2,delay=0.2]
    #[arg(long, value_name = "PULSE")]
    pub(crate) waveform: Option<String>,
    /// amplitude,pw,gap,asymmetry or samples [default: amplitude]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) vary: Vec<Varied>,
    /// Where samples vary, ms, such as 0.2:1.2; 0 outside
    #[arg(long, value_name = "MS:MS", allow_hyphen_values = true)]
    pub(crate) window: Option<Span>,
    /// Duration of a sample, ms [default: --dt]
    #[arg(long, value_name = "MS", value_parser = positive("ms"), allow_hyphen_values = true)]
    pub(crate) sample_ms: Option<f64>,
    /// samples, spline:N or fourier:N [default: samples]
    #[arg(long, value_name = "HOW")]
    pub(crate) expand: Option<ExpansionSpec>,
    /// Range of a pulse width that varies, ms [default: 0.05:1]
    #[arg(long, value_name = "MS:MS", allow_hyphen_values = true)]
    pub(crate) pw_range: Option<Span>,
}

/// Flags of limits.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits, all hard")]
pub(crate) struct LimitArgs {
    /// Largest current of a contact, mA [default: 3]
    #[arg(long, value_name = "MA", value_parser = positive("mA"), allow_hyphen_values = true)]
    pub(crate) bound: Option<f64>,
    /// The same by contact: contact,min_mA,max_mA
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) bounds: Option<PathBuf>,
    /// Currents of all contacts add up to 0 at every step
    #[arg(long)]
    pub(crate) sum_zero: bool,
    /// Samples need not be charge-balanced
    #[arg(long)]
    pub(crate) unbalanced: bool,
    /// Charge of a phase of a contact, nC
    #[arg(long, value_name = "NC", value_parser = positive("nC"), allow_hyphen_values = true)]
    pub(crate) charge_max: Option<f64>,
    /// Shannon k of a phase of a contact; usual 1.85
    #[arg(long, value_name = "K", value_parser = finite(""), allow_hyphen_values = true)]
    pub(crate) shannon: Option<f64>,
    /// Area of all contacts, or of each, cm2 [default: nerve.json]
    #[arg(long, value_name = "CM2", allow_hyphen_values = true)]
    pub(crate) contact_area: Option<Positives>,
    /// Voltage of a contact by the nerve's impedance_ohm, V
    #[arg(long, value_name = "V", value_parser = positive("V"), allow_hyphen_values = true)]
    pub(crate) compliance: Option<f64>,
    /// Access impedance of each contact besides, ohm [default: 0]
    #[arg(long, value_name = "OHM", value_parser = not_negative("ohm"), allow_hyphen_values = true)]
    pub(crate) contact_ohm: Option<f64>,
    /// Step of the stimulator's currents, mA
    #[arg(long, value_name = "MA", value_parser = positive("mA"), allow_hyphen_values = true)]
    pub(crate) dac: Option<f64>,
    /// Contacts in use
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) max_contacts: Option<usize>,
    /// Contacts whose amplitude is given, mA: 0=0,3=-0.1
    #[arg(long, value_name = "N=MA,...", allow_hyphen_values = true)]
    pub(crate) frozen: Option<Currents>,
}

/// Flags of a descent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gradient descent")]
pub(crate) struct DescentArgs {
    /// Steps [default: 60]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) steps: Option<usize>,
    /// Starts, which descend side by side [default: 6]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) starts: Option<usize>,
    /// adam, ranger or lbfgs [default: adam]
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<DescentRule>,
    /// Length of a step relative to the stimulus [default: 0.15; samples: 0.02]
    #[arg(long, value_name = "RATE", value_parser = positive(""), allow_hyphen_values = true)]
    pub(crate) lr: Option<f64>,
    /// Share of --lr that the last step has [default: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = between("", 0.0, 1.0), allow_hyphen_values = true)]
    pub(crate) lr_end: Option<f64>,
    /// Length to which longer gradients are shortened [default: none]
    #[arg(long, value_name = "LENGTH", value_parser = positive(""), allow_hyphen_values = true)]
    pub(crate) clip: Option<f64>,
    /// scan, random, zero, FILE.json or amplitudes:MA,... [default: scan]
    #[arg(long, value_name = "WHERE")]
    pub(crate) init: Option<GdInit>,
}

/// Flags of an evolution.
#[derive(Debug, Args)]
#[command(next_help_heading = "Differential evolution")]
pub(crate) struct EvolutionArgs {
    /// best1|rand1|randtobest1|currenttobest1|currenttopbest|best2|rand2 and bin|exp [default: best1bin]
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: Option<Strategy>,
    /// Scale factor, or the range that each trial draws from [default: 0.8]
    #[arg(long, value_name = "F|F:F", allow_hyphen_values = true)]
    pub(crate) mutation: Option<Span>,
    /// Probability that a number is the mutant's [default: 1]
    #[arg(long, value_name = "CR", value_parser = between("", 0.0, 1.0), allow_hyphen_values = true)]
    pub(crate) recombination: Option<f64>,
    /// none, or jade:c=0.1,p=0.15,archive=0 [default: none]
    #[arg(long, value_name = "HOW")]
    pub(crate) adaptation: Option<AdaptationSpec>,
    /// Members [default: 10 per unknown; 300 for losses on activation]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) population: Option<usize>,
    /// Generations [default: 100]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) generations: Option<usize>,
    /// scan, random, rlhs, mlhs or FILE [default: scan]
    #[arg(long, value_name = "WHERE")]
    pub(crate) init: Option<DeInit>,
    /// resample, clip, reflect, wrap, midpoint or reinit [default: reinit]
    #[arg(long, value_name = "HOW")]
    pub(crate) boundary: Option<BoundarySpec>,
    /// Generations without a better member that end it [default: 20]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) patience: Option<usize>,
    /// A loss that is good enough [default: none]
    #[arg(long, value_name = "LOSS", value_parser = finite(""), allow_hyphen_values = true)]
    pub(crate) target_loss: Option<f64>,
    /// Two for a Pareto front, such as area,charge
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with = "objective"
    )]
    pub(crate) objectives: Vec<Criterion>,
    /// gd: descend from the best member
    #[arg(long, value_name = "METHOD")]
    pub(crate) then: Option<Method>,
}

/// Flags of all ways: fibers, numerics, proof, limits of the work, output.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) fiber: FiberArgs,
    #[command(flatten)]
    pub(crate) detection: DetectionArgs,
    #[command(flatten)]
    pub(crate) numerics: NumericsArgs,
    /// Width of brackets on the way, relative [default: 1e-3; proof: 1e-4]
    #[arg(long, value_name = "FRACTION", value_parser = between("", 1e-9, 0.5), allow_hyphen_values = true, help_heading = "Numerics")]
    pub(crate) resolution: Option<f64>,
    /// Largest multiple of a stimulus tried [default: 20]
    #[arg(long, value_name = "MA", value_parser = between("mA", 1e-9, 1e6), allow_hyphen_values = true, help_heading = "Numerics")]
    pub(crate) max_amplitude: Option<f64>,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) output: DesignOutputArgs,
}

/// Flags of the proof.
#[derive(Debug, Args)]
#[command(next_help_heading = "Proof")]
pub(crate) struct ProofArgs {
    /// Perturbed copies that the result is tried on; 0: none [default: 32]
    #[arg(long, value_name = "N", value_parser = count(0), allow_hyphen_values = true)]
    pub(crate) robust: Option<usize>,
    /// [default: amplitude=3%,diameter=5%,offset=uniform,rotation=5deg,dt=half]
    #[arg(long, value_name = "K=V", allow_hyphen_values = true)]
    pub(crate) perturb: Option<Perturbation>,
    /// Copies whose mean the objective is [default: 0, the nerve as it is]
    #[arg(long, value_name = "N", value_parser = count(0), allow_hyphen_values = true)]
    pub(crate) robust_in_loop: Option<usize>,
    /// Report the best montages beside the result: on or off [default: on]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    pub(crate) baselines: Option<Switch>,
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

/// Flags of the work: when it ends, and what is kept of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work and output")]
pub(crate) struct WorkArgs {
    /// End with the best so far after this time, s
    #[arg(long, value_name = "S", value_parser = positive("s"), allow_hyphen_values = true)]
    pub(crate) max_seconds: Option<f64>,
    /// The same after so many candidates, each on one nerve
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) max_evaluations: Option<usize>,
    /// Where the best and checkpoints are kept [default: optimize-NERVE]
    #[arg(long, value_name = "DIR")]
    pub(crate) save_dir: Option<PathBuf>,
    /// Steps or generations between checkpoints [default: 1]
    #[arg(long, value_name = "N", value_parser = count(1), allow_hyphen_values = true)]
    pub(crate) save_every: Option<usize>,
    /// Go on from the checkpoint in --save-dir, bit for bit
    #[arg(long)]
    pub(crate) resume: bool,
    /// Set a key of the study, such as gd.schedule=constant (repeatable)
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub(crate) option: Vec<String>,
}

/// Where the results of an optimization go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work and output")]
pub(crate) struct DesignOutputArgs {
    /// On standard output: table, json or csv [default: table]
    #[arg(long, value_name = "FORMAT", value_enum, hide_possible_values = true)]
    pub(crate) format: Option<TableFormat>,
    /// Write results to .csv, .json or .npz (repeatable; help files)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Write the report as a page of its own
    #[arg(long, value_name = "FILE.html")]
    pub(crate) html: Option<PathBuf>,
    /// Print the study that the flags mean, with defaults
    #[arg(long)]
    pub(crate) print_study: bool,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}
