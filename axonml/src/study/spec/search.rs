//! Settings of threshold searches.

use axonml_models::{Detection, ThresholdSearch};
use serde::{Deserialize, Serialize};

/// Settings of threshold searches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSpec {
    /// First amplitude tried, mA; by default from the passive fiber.
    ///
    /// Key: `first_amplitude_mA`.
    #[serde(rename = "first_amplitude_mA", skip_serializing_if = "Option::is_none")]
    pub first_amplitude_ma: Option<f64>,
    /// Largest amplitude tried, mA; 20 by default.
    ///
    /// Key: `max_amplitude_mA`.
    #[serde(rename = "max_amplitude_mA", skip_serializing_if = "Option::is_none")]
    pub max_amplitude_ma: Option<f64>,
    /// Largest current tried where an injected current is looked for, nA; 20 000 by default.
    ///
    /// Key: `max_current_nA`.
    #[serde(rename = "max_current_nA", skip_serializing_if = "Option::is_none")]
    pub max_current_na: Option<f64>,
    /// Width of the final bracket relative to its upper end; 1e-4 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<f64>,
    /// Whether trials end early whose fiber will not fire any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_end: Option<bool>,
    /// Whether thresholds are searched at half the time step, too, and extrapolated to a vanishing one; of the question
    /// `threshold` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extrapolate: Option<bool>,
    /// How a threshold is reported whose action potential begins at an end of the simulated fiber.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_excitation: Option<EndExcitation>,
}

/// How a threshold is reported whose action potential begins at an end of the simulated fiber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndExcitation {
    /// With the status `end_excitation`.
    #[default]
    Report,
    /// As any other.
    Accept,
    /// With that status, and the study counts as failed.
    Error,
}

impl SearchSpec {
    /// Largest current tried where an injected current is looked for, nA.
    const MAX_CURRENT_NA: f64 = 20_000.0;

    pub(super) fn is_empty(&self) -> bool {
        *self == SearchSpec::default()
    }

    /// The search in the library's terms; of an injected current where `intracellular`.
    pub fn search(&self, detection: Detection, intracellular: bool) -> ThresholdSearch {
        let default = ThresholdSearch::default();
        let max_ma = match intracellular {
            // Amplitudes of the library are in mA.
            true => 1e-6 * self.max_current_na.unwrap_or(Self::MAX_CURRENT_NA),
            false => self.max_amplitude_ma.unwrap_or(default.max_ma),
        };
        ThresholdSearch {
            detection,
            first_ma: self.first_amplitude_ma,
            first_part: None,
            max_ma,
            resolution: self.resolution.unwrap_or(default.resolution),
            early_end: self.early_end.unwrap_or(default.early_end),
        }
    }
}
