//! Why a study was not done: whose fault it is, where, and how to mend it.

use std::fmt;

use axonml_autodiff::engine::BackendError;
use axonml_core::CoreError;
use axonml_models::{NerveFolderError, SimulationError};
use thiserror::Error;

/// Why a study, or a case of it, was not done.
///
/// Its text names the place, outermost first, and the problem; the remedy stands apart.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{}", self.message())]
pub struct StudyError {
    fault: Fault,
    places: Vec<String>,
    problem: String,
    help: Option<String>,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is wrong: nothing was simulated.
    Request,
    /// The request is fine, the work failed.
    Work,
    /// Neither: somebody canceled the work.
    Canceled,
}

impl StudyError {
    /// The request is wrong.
    pub fn request(problem: impl fmt::Display) -> Self {
        Self::new(Fault::Request, problem)
    }

    /// The work failed.
    pub fn failure(problem: impl fmt::Display) -> Self {
        Self::new(Fault::Work, problem)
    }

    pub(crate) fn canceled() -> Self {
        Self::new(Fault::Canceled, "the work was canceled")
    }

    fn new(fault: Fault, problem: impl fmt::Display) -> Self {
        StudyError {
            fault,
            places: Vec::new(),
            problem: problem.to_string(),
            help: None,
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the remedy, unless one is known.
    #[must_use]
    pub fn or_help(mut self, help: &str) -> Self {
        self.help.get_or_insert_with(|| help.to_owned());
        self
    }

    /// Adds an outer place: a file, a row, a fiber.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.places.insert(0, place.to_string());
        self
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Place and problem, without the remedy.
    pub fn message(&self) -> String {
        let parts = self.places.iter().chain([&self.problem]);
        parts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// The remedy, where there is one.
    pub fn remedy(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// One error for many: the first of each kind in full, the number of those like it, and of the kinds left out.
    pub fn of_many(errors: &[StudyError]) -> Option<StudyError> {
        const SHOWN: usize = 4;
        // Errors are alike when they differ only in the outermost place.
        let alike = |a: &StudyError, b: &StudyError| {
            a.problem == b.problem && a.places.get(1..) == b.places.get(1..)
        };
        let mut kinds: Vec<(&StudyError, usize)> = Vec::new();
        for error in errors {
            match kinds.iter_mut().find(|(known, _)| alike(known, error)) {
                Some((_, count)) => *count += 1,
                None => kinds.push((error, 1)),
            }
        }
        let text = |(error, count): &(&StudyError, usize)| match count {
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
        Some(StudyError {
            fault: first.fault,
            places: Vec::new(),
            problem: lines.join("\n       "),
            help: first.help.clone(),
        })
    }
}

impl From<CoreError> for StudyError {
    fn from(error: CoreError) -> Self {
        StudyError::request(error)
    }
}

impl From<NerveFolderError> for StudyError {
    fn from(error: NerveFolderError) -> Self {
        StudyError::request(error)
    }
}

impl From<SimulationError> for StudyError {
    fn from(error: SimulationError) -> Self {
        if error.is_canceled() {
            return StudyError::canceled();
        }
        match &error {
            // Numbers that no run can use were given, not made.
            SimulationError::Backend(
                BackendError::BadNumber { .. }
                | BackendError::BadCable { .. }
                | BackendError::VoltageOutOfRange { .. },
            ) => StudyError::request(error),
            SimulationError::Diverged { .. }
            | SimulationError::Trace(_)
            | SimulationError::Backend(_) => StudyError::failure(error),
            SimulationError::Fiber { .. } => StudyError::request(error)
                .help("`axonml models NAME` tells the valid diameters and the node spacing"),
            _ => StudyError::request(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_errors_are_told_by_kind() {
        let at = |row: usize, problem: &str| StudyError::request(problem).at(format!("row {row}"));
        let errors = [
            at(1, "no diameter"),
            at(2, "no diameter"),
            at(3, "no pulse"),
        ];
        let error = StudyError::of_many(&errors).unwrap();
        assert_eq!(
            error.message(),
            "row 1: no diameter (and 1 more like this)\n       row 3: no pulse"
        );
        assert!(StudyError::of_many(&[]).is_none());
    }
}
