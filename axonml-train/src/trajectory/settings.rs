//! Settings of a trajectory stage.

use std::collections::BTreeMap;

use axonml_optimize::{Momenta, Schedule};
use serde::{Deserialize, Serialize};

use super::loss::LossSettings;
use super::order::Sampling;
use crate::TrainError;

/// Settings of a stage that fits trajectories: whole-run or truncated backpropagation through time, and Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrajectoryStage {
    /// Passes through the training set.
    pub epochs: usize,
    /// Steps (batches) at most; 0: as many as the epochs have.
    pub steps: usize,
    /// Fibers of a step.
    pub batch: usize,
    /// Fibers differentiated at once, which bounds memory and changes no number; 0: the whole batch.
    pub chunk: usize,
    /// Sampling of cases.
    pub sampling: Sampling,
    /// Time steps through which errors are brought back; 0: the whole run.
    pub truncation: usize,
    /// Windows of `truncation` time steps whose gradients make one update; 0: all of a run.
    pub accumulate: usize,
    /// Learning rate of Adam, in units of the trained coordinates.
    pub learning_rate: f64,
    /// Updates during which the learning rate rises.
    pub warmup: usize,
    /// Learning-rate schedule after warm-up.
    pub schedule: Schedule,
    /// Share of the learning rate that a falling schedule ends with.
    pub final_share: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Epsilon of Adam, which keeps its quotient finite.
    pub epsilon: f64,
    /// A fiber's gradient counts at most this many times the median length of its batch's; 0: whatever its length.
    pub clip: f64,
    /// The loss.
    pub loss: LossSettings,
}

impl Default for TrajectoryStage {
    fn default() -> Self {
        TrajectoryStage {
            epochs: 1,
            steps: 0,
            batch: 32,
            chunk: 0,
            sampling: Sampling::Shuffled,
            truncation: 0,
            accumulate: 0,
            learning_rate: 0.01,
            warmup: 20,
            schedule: Schedule::Cosine,
            final_share: 0.0,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            clip: 3.0,
            loss: LossSettings::default(),
        }
    }
}

impl TrajectoryStage {
    /// States that the loss needs from a training set: `v` and those with a weight.
    pub fn states(&self) -> Vec<String> {
        self.loss.states()
    }

    pub(super) fn momenta(&self) -> Momenta {
        Momenta {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`TrainError::Value`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), TrainError> {
        let counts = [("epochs", self.epochs), ("batch", self.batch)];
        if let Some((what, found)) = counts.into_iter().find(|(_, n)| *n == 0) {
            return Err(TrainError::value(what, found, "1 or more"));
        }
        let fractions = [
            ("beta1", self.beta1, 0.0..1.0),
            ("beta2", self.beta2, 0.0..1.0),
            ("final_share", self.final_share, 0.0..1.0 + f64::EPSILON),
        ];
        for (what, found, range) in fractions {
            if !range.contains(&found) {
                return Err(TrainError::value(what, found, "a number from 0 to below 1"));
            }
        }
        if self.schedule == Schedule::Exponential && self.final_share == 0.0 {
            return Err(TrainError::value(
                "final_share",
                0,
                "a number above 0, which an exponential schedule can reach",
            ));
        }
        let positive = [
            ("learning_rate", self.learning_rate, f64::MIN_POSITIVE),
            ("epsilon", self.epsilon, f64::MIN_POSITIVE),
            ("clip", self.clip, 0.0),
        ];
        for (what, found, least) in positive {
            if !(found >= least && found.is_finite()) {
                let above = if least == 0.0 { "0 or a" } else { "a" };
                let expected = format!("{above} finite number above 0");
                return Err(TrainError::value(what, found, expected));
            }
        }
        if self.truncation == 0 && self.accumulate > 1 {
            return Err(TrainError::value(
                "accumulate",
                self.accumulate,
                "0 or 1 without truncation: a whole run is one window",
            ));
        }
        self.loss.check()
    }
}

impl LossSettings {
    pub(crate) fn states(&self) -> Vec<String> {
        let weighted = self.weights.iter().filter(|(_, weight)| **weight > 0.0);
        let mut states: Vec<String> = weighted.map(|(name, _)| name.clone()).collect();
        if !states.iter().any(|name| name == "v") {
            states.push("v".to_owned());
        }
        states
    }

    fn check(&self) -> Result<(), TrainError> {
        let weights: &BTreeMap<String, f64> = &self.weights;
        for (state, &weight) in weights {
            if !(weight >= 0.0 && weight.is_finite()) {
                let what = format!("loss.weights.{state}");
                return Err(TrainError::value(
                    what,
                    weight,
                    "a finite number, 0 or more",
                ));
            }
        }
        if weights.values().all(|weight| *weight == 0.0) {
            return Err(TrainError::value(
                "loss.weights",
                "none",
                "a state with a weight, such as v = 1",
            ));
        }
        if !(self.scale_mv > 0.0 && self.scale_mv.is_finite()) {
            return Err(TrainError::value(
                "loss.scale_mv",
                self.scale_mv,
                "a finite number above 0",
            ));
        }
        if !(self.spike_weight > 0.0 && self.spike_weight.is_finite()) {
            return Err(TrainError::value(
                "loss.spike_weight",
                self.spike_weight,
                "a finite number above 0",
            ));
        }
        if !self.spike_level_mv.is_finite() {
            return Err(TrainError::value(
                "loss.spike_level_mv",
                self.spike_level_mv,
                "a finite number of mV",
            ));
        }
        Ok(())
    }
}
