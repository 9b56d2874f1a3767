//! `[robust]`: copies of the nerve that differ from it by chance.

use axonml_models::conditions::cell;
use serde::{Deserialize, Serialize};

use super::names::OffsetNoise;
use crate::study::StudyError;
use crate::study::spec::check::{idle, optional};

/// Copies of the nerve, its fibers and its stimulator that differ by chance, on which results are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobustSpec {
    /// Copies; 32 by default, 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<usize>,
    /// Standard deviation of the factor of all amplitudes; 0.03 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplitude: Option<f64>,
    /// Standard deviation of the factor of each diameter; 0.05 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diameter: Option<f64>,
    /// Shift of each fiber's nodes: `uniform` (within half a node spacing), by default, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<OffsetNoise>,
    /// Standard deviation of the cuff's rotation, degrees; 5 by default, where the cuff can be rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_deg: Option<f64>,
    /// Whether half of the time step is tried, too; true by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dt_half: Option<bool>,
    /// Copies over which the objective is averaged while it is lowered; 0, the nerve as it is, by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_loop: Option<usize>,
}

impl RobustSpec {
    pub(in crate::study::spec) fn is_empty(&self) -> bool {
        *self == RobustSpec::default()
    }

    /// Copies on which results are tried.
    pub fn copies(&self) -> usize {
        self.copies.unwrap_or(32)
    }

    /// Standard deviation of the factor of all amplitudes.
    pub fn amplitude(&self) -> f64 {
        self.amplitude.unwrap_or(0.03)
    }

    /// Standard deviation of the factor of each diameter.
    pub fn diameter(&self) -> f64 {
        self.diameter.unwrap_or(0.05)
    }

    /// Whether nodes are shifted within half a node spacing.
    pub fn shifts_nodes(&self) -> bool {
        self.offset != Some(OffsetNoise::None)
    }

    /// Standard deviation of the cuff's rotation, degrees. A cuff that cannot be rotated is an error where
    /// [`RobustSpec::rotation_deg`](RobustSpec#structfield.rotation_deg) is given, and stays where it is otherwise.
    pub fn rotation_deg(&self) -> f64 {
        self.rotation_deg.unwrap_or(5.0)
    }

    /// Whether half of the time step is tried, too.
    pub fn dt_half(&self) -> bool {
        self.dt_half.unwrap_or(true)
    }

    /// Copies over which the objective is averaged while it is lowered; 0: the nerve as it is.
    pub fn in_loop(&self) -> usize {
        self.in_loop.unwrap_or(0)
    }
}

impl RobustSpec {
    /// The same table with every default that acts written out, but for the rotation, which a cuff that cannot be rotated
    /// refuses where it is asked for.
    #[must_use]
    pub fn completed(&self) -> Self {
        let any = self.copies() > 0 || self.in_loop() > 0;
        let offset = match self.shifts_nodes() {
            true => OffsetNoise::Uniform,
            false => OffsetNoise::None,
        };
        RobustSpec {
            copies: Some(self.copies()),
            amplitude: any.then(|| self.amplitude()),
            diameter: any.then(|| self.diameter()),
            offset: any.then_some(offset),
            rotation_deg: self.rotation_deg,
            dt_half: any.then(|| self.dt_half()),
            in_loop: Some(self.in_loop()),
        }
    }
}

impl RobustSpec {
    pub(super) fn check(&self) -> Result<(), StudyError> {
        optional("amplitude", self.amplitude, cell::between("", 0.0, 1.0))?;
        optional("diameter", self.diameter, cell::between("", 0.0, 1.0))?;
        let degrees = cell::between("degrees", 0.0, 180.0);
        optional("rotation_deg", self.rotation_deg, degrees)?;
        let perturbed = [
            ("amplitude", self.amplitude.is_some()),
            ("diameter", self.diameter.is_some()),
            ("offset", self.offset.is_some()),
            ("rotation_deg", self.rotation_deg.is_some()),
            ("dt_half", self.dt_half == Some(true)),
        ];
        match perturbed.iter().find(|(_, given)| *given) {
            Some((key, _)) if self.copies() == 0 && self.in_loop() == 0 => {
                Err(idle(key, "there are no copies")
                    .help("leave it out, or set copies (--robust) to a number above 0"))
            }
            _ => Ok(()),
        }
    }
}
