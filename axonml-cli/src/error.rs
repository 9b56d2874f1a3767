//! Errors of the command line: what is said and the exit code that goes with it.

use std::fmt;
use std::process::ExitCode;

use axonml_core::CoreError;
use axonml_models::{NerveFolderError, SimulationError};

use crate::plot::PlotError;

/// Why a command did not do all it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CliError {
    kind: Kind,
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

    /// Says where it happened.
    #[must_use]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What is wrong, on one line, without the remedy.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the work, not the request, is at fault.
    pub(crate) fn is_failure(&self) -> bool {
        self.kind == Kind::Failure
    }

    /// Prints the error and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if self.kind != Kind::BrokenPipe {
            eprintln!("{self}");
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
        write!(f, "error: {}", self.message)?;
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
            SimulationError::Diverged { .. }
            | SimulationError::Trace(_)
            | SimulationError::Backend(_) => CliError::failure(error),
            SimulationError::Fiber { .. } => CliError::request(error)
                .help("`axonml models NAME` tells the valid diameters and the node spacing"),
            _ => CliError::request(error),
        }
    }
}
