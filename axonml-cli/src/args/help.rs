//! Examples that stand at the end of each command's help, and the topics that tell more.

use crate::topics;

/// End of `axonml --help`.
pub(super) fn overview() -> String {
    format!(
        "\
Examples:
  axonml threshold                                     thresholds of a bundled nerve
  axonml threshold --point 1000,0,0 --diameter 5.7:14:9
  axonml run --point 1000,0,0 --amplitude 0.5 --plot run.svg
  axonml models mrg

{}

Exit codes: 0 done; 1 the work failed; 2 the request is wrong; 129, 130, 143 interrupted.",
        topics::list()
    )
}

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

More: axonml help fields | pulses | fibers | files | statuses";

pub(super) const THRESHOLD: &str = "\
Examples:
  axonml threshold                                     the bundled demonstration nerve
  axonml threshold --point 1000,0,0 --diameter 5.7:14:9 --plot threshold.svg
  axonml threshold --nerve nerves/N1 --contacts 1,0,-1,0,0,0 --diameter 8.7 -o thresholds.csv
  axonml threshold --conditions table.csv --resolution 1e-5 -o out.csv --plot errors.png

More: axonml help fields | pulses | fibers | search | statuses | columns | files";

pub(super) const EVALUATE: &str = "\
Examples:
  axonml evaluate --model smf --weights mine.safetensors --conditions thresholds.csv
  axonml evaluate --model smf --conditions conditions.csv --reference mrg -o errors.csv
  axonml evaluate --model mrg --traces golden/neuron/traces_mrg_02_supra_mono.npz

More: axonml help traces | columns | pulses | fibers | search | statuses | files";

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

pub(super) const GENERATE: &str = "\
Examples:
  axonml dataset generate -o set --count 4096 --every 10
  axonml dataset generate -o set --nerve nerves/A --nerve nerves/B --states v,m
  axonml dataset generate --print-recipe > recipe.toml     the default distribution, to be edited
  axonml dataset generate -o set --recipe recipe.toml --seed 7

More: axonml help recipes | pulses | nerve-folders";

pub(super) const LAYOUT: &str = "\
AxonML's layout: `e` (extracellular potential at the nodes, mV), one dataset per state (m, h, p, s, v), each (group, \
minibatch, axon, node, time); `diameters` and `ys` (place of the middle node), um, each (group, minibatch, axon). \
Column t of `e` acts between columns t and t + 1 of the states.

Needs an axonml built with `--features hdf5`.";

/// Flags that `axonml optimize` has as other commands do, for the end of its help.
macro_rules! as_elsewhere {
    () => {
        "\n
As in `axonml threshold --help`: --weights, --set, --temperature; --count, --length, --delta-z, --ends, --start, --warmup; --offset, \
--interpolation, --extend, --accept-coarse; --detect-nodes, --detect-at, --detect-threshold, --detect-after; --dt, \
--rates, --backend, --threads, --max-memory, --max-amplitude; --size, --dpi, --x"
    };
}

pub(super) const OPTIMIZE_SCAN: &str = concat!(
    "\
Examples:
  axonml optimize scan                                 the bundled nerve
  axonml optimize scan --nerve nerves/N1 --target fascicles:2,5 --sum-zero --format json",
    as_elsewhere!()
);

pub(super) const OPTIMIZE_GD: &str = concat!(
    "\
Examples:
  axonml optimize gd                                   the bundled nerve
  axonml optimize gd --nerve nerves/N1 --diameter 5.7,8.7 --bound 0.5 --save-dir out --html out.html
  axonml optimize gd --vary samples --window 0.2:1.2 --init out/best.json",
    as_elsewhere!()
);

pub(super) const OPTIMIZE_DE: &str = concat!(
    "\
Examples:
  axonml optimize de                                   the bundled nerve
  axonml optimize de --adaptation jade --strategy currenttopbestbin --then gd --option gd.steps=20
  axonml optimize de --objectives area,charge --plot front.svg",
    as_elsewhere!()
);

pub(super) const HELP: &str = "\
Examples:
  axonml help threshold
  axonml help dataset generate
  axonml help pulses";

pub(super) const COMPLETIONS: &str = "\
Examples:
  axonml completions bash > ~/.local/share/bash-completion/completions/axonml
  axonml completions zsh > ~/.zfunc/_axonml                  a folder of $fpath
  axonml completions fish > ~/.config/fish/completions/axonml.fish";
