//! Errors of the command line: what is said and the exit code that goes with it.

use std::fmt;
use std::process::ExitCode;

use axonml::CoreError;
use axonml::SimulationError;
use axonml::backend::BackendError;
use axonml::nerve::NerveFolderError;

use crate::plot::PlotError;

/// Why a command did not do all it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CliError {
    kind: Kind,
    /// Where it happened, outermost first.
    places: Vec<String>,
    message: String,
    help: Option<String>,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The request is wrong.
    Request,
    /// The request is fine, the work failed.
    Failure,
    /// Nobody reads what is printed any more.
    BrokenPipe,
}

impl CliError {
    /// The request is wrong: exit code 2.
    pub(crate) fn request(message: impl fmt::Display) -> Self {
        Self::new(Kind::Request, message)
    }

    /// The work failed: exit code 1.
    pub(crate) fn failure(message: impl fmt::Display) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// Standard output was closed: exit code 0, as the files are written.
    pub(crate) fn broken_pipe() -> Self {
        Self::new(Kind::BrokenPipe, "standard output was closed")
    }

    fn new(kind: Kind, message: impl fmt::Display) -> Self {
        CliError {
            kind,
            places: Vec::new(),
            message: message.to_string(),
            help: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what to do about it, unless that is already said.
    #[must_use]
    pub(crate) fn or_help(mut self, help: &str) -> Self {
        self.help.get_or_insert_with(|| help.to_owned());
        self
    }

    /// Says where it happened.
    #[must_use]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.places.insert(0, place.to_string());
        self
    }

    /// The fault and its place, without the remedy.
    pub(crate) fn message(&self) -> String {
        let parts = self.places.iter().chain([&self.message]);
        parts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// One error of many: the first of each kind in full, how many are like it, and how many kinds are left out.
    pub(crate) fn of_many(errors: &[CliError]) -> Option<CliError> {
        const SHOWN: usize = 4;
        // Errors are alike when they differ only in the outermost place.
        let alike = |a: &CliError, b: &CliError| {
            a.message == b.message && a.places.get(1..) == b.places.get(1..)
        };
        let mut kinds: Vec<(&CliError, usize)> = Vec::new();
        for error in errors {
            match kinds.iter_mut().find(|(known, _)| alike(known, error)) {
                Some((_, count)) => *count += 1,
                None => kinds.push((error, 1)),
            }
        }
        let text = |(error, count): &(&CliError, usize)| match count {
            1 => error.message(),
            _ => format!("{} (and {} more like this)", error.message(), count - 1),
        };
        let (first, _) = kinds.first()?;
        let mut lines: Vec<String> = kinds.iter().take(SHOWN).map(text).collect();
        if kinds.len() > SHOWN {
            lines.push(format!(
                "and {} more that are wrong otherwise",
                kinds.len() - SHOWN
            ));
        }
        Some(CliError {
            kind: first.kind,
            places: Vec::new(),
            message: lines.join("\n       "),
            help: first.help.clone(),
        })
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::BrokenPipe {
            say!("{self}");
        }
        match self.kind {
            Kind::Request => ExitCode::from(2),
            Kind::Failure => ExitCode::from(1),
            Kind::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message())?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl From<CoreError> for CliError {
    fn from(error: CoreError) -> Self {
        CliError::request(error)
    }
}

impl From<NerveFolderError> for CliError {
    fn from(error: NerveFolderError) -> Self {
        CliError::request(error)
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

impl From<SimulationError> for CliError {
    fn from(error: SimulationError) -> Self {
        match &error {
            // Numbers that no run can use were given, not made.
            SimulationError::Backend(
                BackendError::BadNumber { .. }
                | BackendError::BadCable { .. }
                | BackendError::VoltageOutOfRange { .. },
            ) => CliError::request(error),
            SimulationError::Diverged { .. }
            | SimulationError::Trace(_)
            | SimulationError::Backend(_) => CliError::failure(error),
            SimulationError::Fiber { .. } => CliError::request(error)
                .help("`axonml models NAME` tells the valid diameters and the node spacing"),
            _ => CliError::request(error),
        }
    }
}
