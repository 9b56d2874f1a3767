//! The flags, by concern. Each file holds a group that shows up under its own heading in `--help`; defaults are applied
//! by whoever reads a flag, so that a flag that was given can be told from one that was not.
//!
//! A flag's help is one line, with its unit and default: what needs more stands in a topic (`crate::topics`), so that the
//! help of each command fits two screens.

pub(crate) mod dataset;
mod design_lists;
mod design_study;
mod detection;
mod evaluate;
mod fiber;
mod field;
mod files;
mod help;
mod model;
mod number;
mod numerics;
pub(crate) mod optimize;
mod output;
mod questions;
mod study;
mod subject;
mod train;
mod waveform;
mod weights;

use axonml::table::conditions::cell::node_count;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::input::Input;

pub(crate) use dataset::DatasetCommand;
pub(crate) use detection::{ConditionArgs, DetectionArgs, SearchArgs};
pub(crate) use evaluate::EvaluateArgs;
pub(crate) use fiber::FiberArgs;
pub(crate) use field::{FieldArgs, Point};
pub(crate) use files::{MachineArgs, MergeArgs, RerunArgs, StudyArgs};
pub(crate) use model::ModelArgs;
pub(crate) use number::Nodes;
pub(crate) use numerics::{NumericsArgs, PrecisionArg, Rates, memory, open};
pub(crate) use optimize::OptimizeCommand;
pub(crate) use output::{OutputArgs, PlotArgs, TableFormat};
pub(crate) use questions::{
    BlockArgs, CurveCommand, CvArgs, QuestionArgs, RecruitmentArgs, ResponseArgs, StartBy,
};
pub(crate) use train::TrainArgs;
pub(crate) use waveform::{Conditioning, Injection, InjectionArgs, WaveformArgs};
pub(crate) use weights::{ExportArgs, ImportArgs};

/// Simulates peripheral nerve fibers under electrical stimulation.
#[derive(Debug, Parser)]
#[command(
    name = "axonml",
    version,
    about = "Simulates peripheral nerve fibers under electrical stimulation",
    after_help = help::overview(),
    arg_required_else_help = true,
    disable_help_subcommand = true,
    disable_help_flag = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results only: no notes, no progress
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Messages"
    )]
    pub(crate) quiet: bool,
    /// Explain what is done: model, backend, batches
    #[arg(short, long, global = true, help_heading = "Messages")]
    pub(crate) verbose: bool,
    /// Print this help; `axonml help` lists topics that tell more
    // One form, one line a flag: what needs more is a topic.
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, help_heading = "Messages")]
    pub(crate) help: Option<bool>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the fiber models: states, parameters, valid diameters, schemes, sources
    #[command(after_help = help::MODELS)]
    Models(ModelsArgs),
    /// List the backends of this build, and why one cannot be used here
    Devices(DevicesArgs),
    /// Simulate fibers at one amplitude: voltages, spikes, pictures
    #[command(after_help = help::RUN)]
    Run(RunArgs),
    /// Find activation thresholds: of a nerve, of fibers near electrodes, or of a table of conditions
    #[command(after_help = help::THRESHOLD)]
    Threshold(ThresholdArgs),
    /// Fraction of fibers that amplitudes activate: of all, by group, fascicle, diameter, target
    Recruitment(Box<RecruitmentArgs>),
    /// Action potentials over amplitude, frequency and fiber: maps of the response to kHz signals
    Response(Box<ResponseArgs>),
    /// Conduction velocity: of an action potential that a current, a field or a synapse starts
    Cv(Box<CvArgs>),
    /// Curves of thresholds: strength-duration, current-distance, recovery
    #[command(subcommand)]
    Curve(Box<CurveCommand>),
    /// Currents of the contacts of a cuff that activate some fibers and spare others
    #[command(subcommand)]
    Optimize(Box<OptimizeCommand>),
    /// Run the study in a file: any question about fibers as data
    Study(StudyArgs),
    /// Put the parts of a study together that --part I/N computed
    Merge(MergeArgs),
    /// Compute the results in a file again and compare
    Rerun(RerunArgs),
    /// Compare a model with reference thresholds, action potentials and traces: errors by shape, pulse width, diameter
    #[command(after_help = help::EVALUATE)]
    Evaluate(Box<EvaluateArgs>),
    /// Read a checkpoint of PyTorch AxonML and write it as a model file for --weights
    #[command(after_help = help::IMPORT)]
    Import(ImportArgs),
    /// Write a model with its weights and settings as a model file for --weights
    #[command(after_help = help::EXPORT)]
    Export(ExportArgs),
    /// Training sets: generate them from an exact model, look into them, AxonML's HDF5 layout in and out
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Train a surrogate to run as exact fibers do
    #[command(after_help = help::TRAIN)]
    Train(TrainArgs),
    /// Compare the backends with the scalar reference, model by model (what `cargo xtask verify` calls)
    Verify(VerifyArgs),
    /// Print the help of a command, or a topic such as pulses, columns, units
    #[command(after_help = help::HELP)]
    Help(HelpArgs),
    /// Print a script that lets a shell complete commands and flags
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Words of `axonml help`.
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// A command, such as threshold or dataset generate, or a topic [default: the list of both]
    #[arg(value_name = "COMMAND|TOPIC", value_parser = subject::Subject, hide_possible_values = true)]
    pub(crate) subject: Vec<String>,
}

/// Flags of `axonml completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Flags of `axonml verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Use of CUDA devices; require fails where none ran
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) gpu: Gpu,
    /// Only these models
    #[arg(long = "model", value_name = "ID", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// Also run the generated CUDA kernels on the processor; needs a C++ compiler
    #[arg(long)]
    pub(crate) host_kernels: bool,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Use of CUDA devices by `axonml verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Gpu {
    /// Where there is one
    Auto,
    /// Without one, fail
    Require,
    /// Not at all
    Never,
}

/// Flags of `axonml models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Tell everything about this model
    pub(crate) name: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Also list the sample points, z in um, of a fiber of this diameter, um
    #[arg(long, value_name = "UM", requires = "name", value_parser = number::positive("um"))]
    pub(crate) diameter: Option<f64>,
    /// Nodes or compartments of that fiber [default: 53]
    #[arg(long, value_name = "N", requires = "diameter", value_parser = node_count)]
    pub(crate) nodes: Option<usize>,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
}

/// Flags of `axonml devices`.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `axonml run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Amplitude, mA; with --basis its multiple [default: 1]
    #[arg(long, value_name = "MA", value_parser = number::finite("mA"), allow_negative_numbers = true, help_heading = "Stimulus")]
    pub(crate) amplitude: Option<f64>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) fiber: FiberArgs,
    #[command(flatten)]
    pub(crate) field: FieldArgs,
    #[command(flatten)]
    pub(crate) waveform: WaveformArgs,
    #[command(flatten)]
    pub(crate) injection: InjectionArgs,
    #[command(flatten)]
    pub(crate) detection: DetectionArgs,
    #[command(flatten)]
    pub(crate) recording: RecordingArgs,
    #[command(flatten)]
    pub(crate) numerics: NumericsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) plot: PlotArgs,
    /// Skip fibers that cannot be simulated; exit code 1 at the end
    #[arg(long, help_heading = "Output")]
    pub(crate) keep_going: bool,
}

impl QuestionArgs {
    /// The files that are read.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let (model, field, waveform) = (&self.model, &self.field, &self.waveform);
        [model.inputs(), field.inputs(), waveform.inputs()].concat()
    }
}

impl ConditionArgs {
    /// The table.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        let table = self.conditions.iter();
        table.map(|path| Input::of("--conditions", path)).collect()
    }
}

/// States and times that `axonml run` records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recording (for -o FILE.npz)")]
pub(crate) struct RecordingArgs {
    /// States to record besides the voltage, such as m,h, or `all`
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) record: Vec<String>,
    /// Steps between recorded rows [default: 1]
    #[arg(long, value_name = "K", value_parser = number::count(1))]
    pub(crate) every: Option<usize>,
    /// Nodes to record, from 0, negative from the end [default: all]
    #[arg(long, value_name = "NODES", allow_hyphen_values = true)]
    pub(crate) record_nodes: Option<Nodes>,
}

/// Flags of `axonml threshold`.
#[derive(Debug, Args)]
pub(crate) struct ThresholdArgs {
    #[command(flatten)]
    pub(crate) conditions: ConditionArgs,
    /// Search at half of --dt, too, and extrapolate to a vanishing step (help search)
    #[arg(long, help_heading = "Search")]
    pub(crate) extrapolate: bool,
    #[command(flatten)]
    pub(crate) block: BlockArgs,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        super::Cli::command().debug_assert();
    }

    /// A column that bears a flag's name is refused; the library keeps their list.
    #[test]
    fn tables_know_the_flags_of_thresholds() {
        let cli = super::Cli::command();
        let threshold = cli.find_subcommand("threshold").unwrap();
        for flag in threshold.get_arguments().filter_map(|flag| flag.get_long()) {
            assert!(axonml::study::SETTINGS.contains(&flag), "{flag}");
        }
    }
}
