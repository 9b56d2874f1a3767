//! Errors of the command line: what is said and the exit code that goes with it.

use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use axonml::nerve::NerveFolderError;
use axonml::study::{Fault, StudyError};
use axonml::{CoreError, SimulationError};
use clap::CommandFactory;

use crate::args::Cli;
use crate::plot::PlotError;

/// Why a command did not do all it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CliError {
    /// The request is wrong, or the work failed.
    Study(StudyError),
    /// Nobody reads what is printed any more; the files are written.
    BrokenPipe,
    /// A signal ended the work, and what is kept was said.
    Interrupted(i32),
}

impl CliError {
    /// The request is wrong: exit code 2.
    pub(crate) fn request(message: impl fmt::Display) -> Self {
        CliError::Study(StudyError::request(message))
    }

    /// The work failed: exit code 1.
    pub(crate) fn failure(message: impl fmt::Display) -> Self {
        CliError::Study(StudyError::failure(message))
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        self.map(|error| error.help(help))
    }

    /// Says where it happened.
    #[must_use]
    pub(crate) fn at(self, place: impl fmt::Display) -> Self {
        self.map(|error| error.at(place))
    }

    fn map(self, change: impl FnOnce(StudyError) -> StudyError) -> Self {
        match self {
            CliError::Study(error) => CliError::Study(change(error)),
            other => other,
        }
    }

    /// The fault and its place, without the remedy.
    pub(crate) fn message(&self) -> String {
        match self {
            CliError::Study(error) if SPEAKS_FLAGS.load(Ordering::Relaxed) => {
                with_flags(&error.message())
            }
            CliError::Study(error) => error.message(),
            CliError::BrokenPipe => "standard output was closed".to_owned(),
            CliError::Interrupted(_) => "the work was interrupted".to_owned(),
        }
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            CliError::BrokenPipe => ExitCode::SUCCESS,
            // 130 and the like: signals have small numbers.
            CliError::Interrupted(signal) => {
                ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
            }
            CliError::Study(error) => {
                say!("{self}");
                match error.fault() {
                    Fault::Request => ExitCode::from(2),
                    Fault::Work | Fault::Canceled => ExitCode::from(1),
                }
            }
        }
    }
}

/// Whether the user wrote flags, which errors of the library then name in place of keys of studies.
static SPEAKS_FLAGS: AtomicBool = AtomicBool::new(false);

/// Errors name flags from now on, not keys of studies.
pub(crate) fn speak_flags() {
    SPEAKS_FLAGS.store(true, Ordering::Relaxed);
}

/// Keys of studies whose flag has another name; others differ in hyphens alone.
const FLAGS: &[(&str, &str)] = &[
    ("temperature_celsius", "temperature"),
    ("warmup_ms", "warmup"),
    ("diameter_um", "diameter"),
    ("length_um", "length"),
    ("compartment_um", "delta-z"),
    ("offset_um", "offset"),
    ("distance_um", "distance"),
    ("resistivity_ohm_cm", "resistivity"),
    ("pulse_width_ms", "pulse-width"),
    ("frequency_kHz", "frequency"),
    ("amplitude_mA", "amplitude"),
    ("at_mA", "at"),
    ("intervals_ms", "interval"),
    ("dt_ms", "dt"),
    ("tstop_ms", "tstop"),
    ("first_amplitude_mA", "first-amplitude"),
    ("max_amplitude_mA", "max-amplitude"),
    ("max_current_nA", "max-current"),
    ("threshold_mV", "detect-threshold"),
    ("after_ms", "detect-after"),
];

/// The flag of a key, if the command has one.
fn flag(key: &str) -> Option<String> {
    let renamed = FLAGS.iter().find(|(known, _)| *known == key);
    let name = renamed.map_or(key, |(_, flag)| flag).replace('_', "-");
    is_flag(&Cli::command(), &name).then(|| format!("--{name}"))
}

/// Whether a command, or one of its own, has a flag.
fn is_flag(command: &clap::Command, name: &str) -> bool {
    let mut flags = command.get_arguments().filter_map(|flag| flag.get_long());
    flags.any(|flag| flag == name)
        || command
            .get_subcommands()
            .any(|command| is_flag(command, name))
}

/// A message of the library, which names keys of studies, with the flags that stand for them: where a key is all of a
/// place, or begins a place of a file or a sentence about what has no effect.
fn with_flags(message: &str) -> String {
    let segment = |segment: &str| {
        if let Some(flag) = flag(segment) {
            return flag;
        }
        let effect = [" has no effect", " have no effect"];
        if let Some(at) = effect.iter().find_map(|effect| segment.find(effect)) {
            let (keys, rest) = segment.split_at(at);
            let named = keys
                .split(" and ")
                .map(|key| flag(key).unwrap_or_else(|| key.to_owned()));
            return format!("{}{rest}", named.collect::<Vec<_>>().join(" and "));
        }
        match segment.split_once(' ') {
            Some((key @ ("basis" | "conditions"), file)) => format!("--{key} {file}"),
            _ => segment.to_owned(),
        }
    };
    let segments: Vec<String> = message.split(": ").map(segment).collect();
    segments.join(": ")
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message())?;
        match self {
            CliError::Study(error) => match error.remedy() {
                Some(help) => write!(f, "\n  help: {help}"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl From<StudyError> for CliError {
    fn from(error: StudyError) -> Self {
        CliError::Study(error)
    }
}

impl From<CoreError> for CliError {
    fn from(error: CoreError) -> Self {
        CliError::Study(error.into())
    }
}

impl From<NerveFolderError> for CliError {
    fn from(error: NerveFolderError) -> Self {
        CliError::Study(error.into())
    }
}

impl From<SimulationError> for CliError {
    fn from(error: SimulationError) -> Self {
        CliError::Study(error.into())
    }
}

impl From<PlotError> for CliError {
    fn from(error: PlotError) -> Self {
        match error {
            PlotError::Extension { .. } => CliError::request(error),
            _ => CliError::failure(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::with_flags;

    #[test]
    fn keys_are_told_as_flags() {
        for (message, expected) in [
            (
                "accept_coarse has no effect: the field",
                "--accept-coarse has no effect: the field",
            ),
            (
                "pulse and polarity have no effect: the basis",
                "--pulse and --polarity have no effect: the basis",
            ),
            (
                "nerve N1, fiber 3: contacts: found 2",
                "nerve N1, fiber 3: --contacts: found 2",
            ),
            ("basis b.npy: found", "--basis b.npy: found"),
            ("dt_ms: found -1", "--dt: found -1"),
            ("frequency_kHz: found", "--frequency: found"),
        ] {
            assert_eq!(with_flags(message), expected);
        }
    }
}
