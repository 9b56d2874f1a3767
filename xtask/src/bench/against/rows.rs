//! The rows of a comparison: commands of the `axonml` binary with fixed work.
//!
//! Whatever a newer version may choose otherwise (nodes, duration, step) is stated, so that both sides do the same.
//! One thread: processor time of several would hold what they wait for each other.

/// A command that is timed.
pub(super) struct Command {
    pub(super) name: &'static str,
    arguments: &'static [&'static str],
    tstop_ms: &'static str,
}

/// Flags of every command.
const COMMON: &[&str] = &[
    "--nodes",
    "53",
    "--dt",
    "0.005",
    "--threads",
    "1",
    "--backend",
    "cpu",
    "--quiet",
    "--format",
    "csv",
];

/// The 172 conditions, below the root of the repository.
const CONDITIONS: &str = "golden/neuron/thresholds_mrg.csv";

impl Command {
    /// Its command line.
    pub(super) fn arguments(&self) -> Vec<&'static str> {
        [self.arguments, &["--tstop", self.tstop_ms], COMMON].concat()
    }
}

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = {
    const fn command(name: &'static str, arguments: &'static [&'static str]) -> Command {
        Command { name, arguments, tstop_ms: "5" }
    }
    // One step: what is left is to read the command, to set fibers up and to write rows.
    const fn set_up(name: &'static str, arguments: &'static [&'static str]) -> Command {
        Command { name, arguments, tstop_ms: "0.005" }
    }
    &[
        command("threshold.nerve", &["threshold", "--diameter", "5.7,8.7,12.8", "--precision", "f64"]),
        command("threshold.172.f32", &["threshold", "--conditions", CONDITIONS, "--precision", "f32"]),
        command("threshold.172.f64", &["threshold", "--conditions", CONDITIONS, "--precision", "f64"]),
        command("run.mrg", &["run", "--model", "mrg", "--diameter", "5.7:14:512",
            "--point", "1000,0,0", "--amplitude", "0.2", "--precision", "f64"]),
        command("run.smf", &["run", "--model", "smf", "--diameter", "5.7:14:512",
            "--point", "1000,0,0", "--amplitude", "0.2", "--precision", "f64"]),
        command("run.sundt", &["run", "--model", "sundt", "--diameter", "0.8:1.2:512",
            "--point", "1000,0,0", "--amplitude", "0.2", "--precision", "f64"]),
        set_up("setup.mrg", &["run", "--model", "mrg", "--diameter", "5.7:14:16384", "--point", "1000,0,0",
            "--pulse", "monophasic:pw=0.005,delay=0", "--precision", "f64"]),
        command("evaluate.two-mode", &["evaluate", "--model", "two-mode", "--conditions", CONDITIONS,
            "--precision", "f64"]),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_states_what_versions_may_choose_otherwise() {
        for command in COMMANDS {
            let arguments = command.arguments();
            for flag in ["--nodes", "--tstop", "--dt", "--precision", "--threads"] {
                let times = arguments.iter().filter(|argument| **argument == flag);
                assert_eq!(times.count(), 1, "{flag} of {}", command.name);
            }
            let files = arguments.iter().filter(|argument| argument.contains('/'));
            for file in files {
                assert!(crate::workspace::root().join(file).is_file(), "{file}");
            }
        }
    }
}
