//! A row of an evaluation.

use super::responses::Compared;
use crate::study::{Cell, Found};

/// A row so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The cells that stand before its results.
    pub(super) settings: Vec<Cell>,
    /// The threshold to compare with, mA.
    pub(super) reference_ma: Option<f64>,
    /// How the reference's threshold was found, if it was searched.
    pub(super) reference_status: Option<String>,
    /// The model's threshold.
    pub(super) found: Option<Found>,
    /// The action potentials.
    pub(super) compared: Option<Compared>,
}

impl Row {
    /// Error of the threshold, percent.
    pub(super) fn error_pct(&self) -> Option<f64> {
        let (ours, theirs) = (self.found.as_ref()?.upper_ma?, self.reference_ma?);
        Some(100.0 * (ours - theirs) / theirs)
    }

    /// Why there is no error: the model's status, or that the reference has no threshold.
    pub(super) fn without_error(&self) -> Option<&str> {
        match (&self.found, self.error_pct()) {
            (Some(found), None) if found.upper_ma.is_none() => Some(&found.status),
            (Some(_), None) => Some("no_reference"),
            _ => None,
        }
    }
}
