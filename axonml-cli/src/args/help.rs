//! Examples, and lists of pulses, statuses and columns for `--help`.

use std::fmt::Write;

use axonml::PULSES;
use axonml::simulation::STATUSES;
use axonml::table::conditions::COLUMNS;
use axonml::waveform::COMMON_KEYS;

pub(super) const EXAMPLES: &str = "\
Examples:
  axonml threshold                                     thresholds of a bundled nerve
  axonml threshold --point 1000,0,0 --diameter 5.7:14:9
  axonml run --point 1000,0,0 --amplitude 0.5 --plot run.svg
  axonml models mrg

Exit codes: 0 done; 1 the work failed; 2 the request is wrong; 130, 143, 129 interrupted by SIGINT, SIGTERM, SIGHUP: what is \
finished is kept and named.";

pub(super) const MODELS: &str = "\
Examples:
  axonml models                      one line a model
  axonml models mrg                  states, parameters with units, sources
  axonml models smf --json
  axonml models mrg --diameter 10    where a fiber of 10 um needs the field, for --basis";

pub(super) const RUN: &str = "\
Examples:
  axonml run                                           a current pulse into an MRG fiber of 10 um
  axonml run --point 1000,0,0 --amplitude 0.5 --plot run.png
  axonml run --point 1000,0,0 --amplitude 0.5 -o run.npz --record m,h --every 10
  axonml run --nerve nerves/N1 --contacts 1,0,-1,0,0,0 --diameter 8.7 --amplitude 1 -o spikes.csv
  axonml run --model sundt --nodes 181 --inject node=0,amp=0.5,pw=0.5,delay=1 --tstop 20

Files (-o, by extension): .npz is the recording: t_ms, v_mV (time, fiber, node), one array per recorded state, z_um, \
diameter_um, fiber, node; .csv are the spikes, one line each; .json is everything but the recording.

Interrupted by SIGINT, SIGTERM or SIGHUP, finished fibers are written to FILE.partial.EXTENSION instead; the same command \
begins anew.";

pub(super) const EVALUATE: &str = "\
Examples:
  axonml evaluate --model smf --weights mine.safetensors --conditions thresholds.csv --plot errors.svg
  axonml evaluate --model smf --conditions conditions.csv --reference mrg -o errors.csv
  axonml evaluate --conditions thresholds.csv --thresholds-only --format json
  axonml evaluate --model mrg --traces golden/neuron/traces_mrg_02_supra_mono.npz

References: the table's column threshold_mA, or the thresholds of --reference, computed first. The model named by --model \
stands in for the table's: node spacings and lengths of the table are then not its own and not checked. Unless \
--thresholds-only is given, both models also run at --at times their own thresholds: arrival of the action potential at \
the detection nodes, first crossings of all nodes (rms), voltages (rms over nodes and time). Rows without a threshold are \
counted by reason, not averaged.

Traces (--traces), an archive: v (times, nodes) mV; t_ms (times); w_eff (times - 1), the waveform, each value during one \
step; ve_sections_per_mA at sec_z_um (samples), the field along the fiber, its middle node at 0; amp_mA, diameter_um, \
dt_ms; optionally iclamp_node_amp_nA_delay_ms_dur_ms (count, 4).";

pub(super) const TRAIN: &str = "\
Examples:
  axonml train examples/train/short.toml                      seconds; its comments explain every key
  axonml train mine.toml --set seed=3 --set stage.0.learning_rate=0.02
  axonml train mine.toml --resume --plot log.svg

The folder save_dir gets log.csv (a row per step), last.safetensors, best.safetensors (by validation) and checkpoint.bin, \
written every save_every steps: a kill loses no more. --resume goes on with the same bytes as an unbroken run. Relative \
paths start from the configuration's folder.";

pub(super) const IMPORT: &str = "\
Examples:
  axonml import checkpoints/00012-0.345.pt -o mine.safetensors
  axonml threshold --model smf --weights mine.safetensors

Nothing in a checkpoint is executed: its pickle is read as data, and whatever is no part of a state dict is refused by \
name. The model file says where it came from; dt, temperature and start are AxonML's defaults, as a checkpoint does not \
say.";

pub(super) const EXPORT: &str = "\
Examples:
  axonml export --model smf --weights published -o start.safetensors
  axonml export --model smf --weights mine.safetensors --set conductance.gl=0.008 -o changed.safetensors";

const THRESHOLD: &str = "\
Examples:
  axonml threshold                                     the bundled demonstration nerve
  axonml threshold --point 1000,0,0 --diameter 5.7:14:9 --plot threshold.svg
  axonml threshold --nerve nerves/N1 --contacts 1,0,-1,0,0,0 --diameter 8.7 -o thresholds.csv
  axonml threshold --conditions table.csv --resolution 1e-5 -o out.csv --plot errors.png
  axonml threshold --conditions table.csv --nerves nerves --keep-going

Results: threshold_mA is the smallest amplitude that fired (= upper_mA), lower_mA the largest below it that did not; \
both were simulated. start_node, start_um and start_ms tell where and when the first action potential began.

Interruptions: with -o, each finished row is kept at once in FILE.partial, beside the first file that -o names (.csv, .json and \
.npz alike), which even SIGKILL leaves. The same command goes on where it ended and writes the same files as an unbroken run; \
then FILE.partial is removed. Another request is refused as long as it is there. Without -o, SIGINT, SIGTERM and SIGHUP print the \
finished rows.";

/// Help of `axonml threshold`: examples, statuses, columns of tables.
pub(super) fn threshold() -> String {
    let mut help = format!("{THRESHOLD}\n\nStatus (and the columns that are empty then):\n");
    for status in STATUSES {
        let empty = match status.empty {
            [] => String::new(),
            columns => format!(" [{}]", columns.join(", ")),
        };
        let (name, meaning) = (status.name, status.meaning);
        _ = writeln!(help, "  {name:<20} {meaning}{empty}");
    }
    help.push_str(
        "\nCondition tables: their columns (a flag of the same meaning stands above a column):\n",
    );
    for column in COLUMNS.iter().filter(|column| column.role.acts()) {
        let unit = match column.unit {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        _ = writeln!(help, "  {:<20} {}{unit}", column.name, column.meaning);
    }
    help.push_str(
        "  Shapes: mono, anodic, biphasic, biphasic_anodic_first, biphasic_gapG, asym_biphasic, triangle, ramp_up, \
         ramp_down, gaussian, sine_cycle, sine_burstF_C. A row has a point electrode (distance_um) or lies in a nerve \
         (nerve, fiber, with --nerves). Other columns pass through and are named; one that is a flag's name, a \
         model parameter's, a pulse key's or a coordinate's, or a column's misspelt or in another unit, is refused. A \
         shape whose name says a polarity takes no cell in `polarity`.",
    );
    help
}

/// `text`, and the list of pulses.
pub(super) fn with_pulses(text: &str) -> String {
    let mut help = format!("{text}\n\nPulses (--pulse NAME:KEY=VALUE,...):\n");
    // Writing to a string cannot fail.
    let mut line = |text: std::fmt::Arguments<'_>| _ = writeln!(help, "{text}");
    for kind in PULSES {
        line(format_args!("  {:<20} {}", kind.name, kind.summary));
        for key in kind.keys {
            let default = key
                .default
                .map(|default| format!(" [default: {default}]"))
                .unwrap_or_default();
            line(format_args!(
                "    {:<18} {}{default}",
                key.name, key.summary
            ));
        }
    }
    line(format_args!(
        "  {:<20} lines of time_ms,amplitude; each holds until the next",
        "file:W.csv"
    ));
    line(format_args!("  every pulse:"));
    for key in &COMMON_KEYS {
        let default = key.default.unwrap_or_default();
        line(format_args!(
            "    {:<18} {} [default: {default}]",
            key.name, key.summary
        ));
    }
    help.push_str(
        "  A sum of pulses: monophasic(pw=0.1,delay=0.5)+monophasic(pw=0.1,delay=1,scale=2)",
    );
    help
}
