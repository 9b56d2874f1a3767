//! Trainings as data: the content of a configuration file.

mod error;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axonml_models::description::ModelChoice;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::dataset::Arithmetic;
use crate::threshold_fit::ThresholdStage;
use crate::trajectory::{LossSettings, TrajectoryStage};

pub use error::ConfigError;

/// A training: the surrogate, its training set, its stages and its output folder. Relative paths start from the file's
/// folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The surrogate.
    #[serde(default = "Config::default_model")]
    pub model: ModelChoice,
    /// The weights to start from: `published` (the model's own), bundled ones by name, or a `.safetensors` file.
    #[serde(default = "Config::default_start")]
    pub start: String,
    /// Key of all random choices of the training.
    #[serde(default)]
    pub seed: u64,
    /// Arithmetic of the surrogate and its gradients.
    #[serde(default = "Config::default_precision")]
    pub precision: Arithmetic,
    /// Nodes of each fiber, if not as the recipe has it; a folder must have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<usize>,
    /// Time step, ms, if not as the recipe has it; a folder must have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dt_ms: Option<f64>,
    /// Folder of the results.
    pub save_dir: PathBuf,
    /// Steps between checkpoints; a kill loses at most this many steps.
    #[serde(default = "Config::default_save_every")]
    pub save_every: usize,
    /// Parameters and groups to train, or `all`; empty: those that the model declares as trained.
    #[serde(default)]
    pub to_train: Vec<String>,
    /// Parameters and groups to leave out of these.
    #[serde(default)]
    pub freeze: Vec<String>,
    /// Parameters and groups to start from the model's own values.
    #[serde(default)]
    pub reset: Vec<String>,
    /// Parameters shown during the training, and logged.
    #[serde(default)]
    pub postfix: Vec<String>,
    /// Parameters to start from other values.
    #[serde(default)]
    pub set: BTreeMap<String, f64>,
    /// The training set.
    pub train: SetConfig,
    /// The validation set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<ValidConfig>,
    /// The stages, in order.
    pub stage: Vec<StageConfig>,
}

/// A set of cases: a recipe, whose cases are simulated as they are needed, or a folder that holds them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetConfig {
    /// Recipe file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<PathBuf>,
    /// Folder of a set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Seed of the cases, if not the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Number of cases used: of a recipe any, of a folder the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Time steps between compared rows; a folder has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<usize>,
}

/// Validation, the choice of the best weights, and early stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidConfig {
    /// Steps between validations; the end of a stage is validated in any case.
    #[serde(default = "ValidConfig::default_every")]
    pub every: usize,
    /// Fibers simulated at once.
    #[serde(default = "ValidConfig::default_batch")]
    pub batch: usize,
    /// Cases whose full traces are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<SetConfig>,
    /// The loss of the traces, if not that of the first trajectory stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossSettings>,
    /// Cases whose thresholds are compared with the exact model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<ThresholdSet>,
    /// The score that the best weights minimize: `loss` of the traces, or `mape` of the thresholds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Validations without improvement after which a stage ends; 0: none does.
    #[serde(default)]
    pub patience: usize,
    /// The least relative improvement that counts.
    #[serde(default)]
    pub least_improvement: f64,
    /// Whether a stage begins with the best weights so far instead of the last ones.
    #[serde(default)]
    pub restore_best: bool,
}

/// Cases of a recipe whose thresholds are searched, as multiples of the drawn currents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdSet {
    /// Recipe file.
    pub recipe: PathBuf,
    /// Seed of the cases, if not the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Number of cases.
    #[serde(default = "ThresholdSet::default_count")]
    pub count: usize,
    /// Nodes any of which an action potential must reach; negative count from the end.
    #[serde(default = "ThresholdSet::default_nodes")]
    pub detect_nodes: Vec<i64>,
    /// Level of the crossing, mV.
    #[serde(default)]
    pub detect_threshold_mv: f64,
    /// First multiple of the drawn currents that is tried.
    #[serde(default = "ThresholdSet::default_first")]
    pub first: f64,
    /// Largest one.
    #[serde(default = "ThresholdSet::default_max")]
    pub max: f64,
    /// Width of the final bracket relative to its upper end.
    #[serde(default = "ThresholdSet::default_resolution")]
    pub resolution: f64,
}

/// The score that selects weights; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// Mean loss of the traces.
    Loss,
    /// Mean absolute error of the thresholds.
    Mape,
}

/// A stage, by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum StageConfig {
    /// Fits trajectories by Adam.
    Trajectory(TrajectoryStage),
    /// Fits thresholds, arrival times, action-potential shape and rest by the Levenberg-Marquardt method.
    Thresholds(ThresholdStage),
}

impl Config {
    fn default_model() -> ModelChoice {
        "smf".into()
    }

    fn default_start() -> String {
        "published".to_owned()
    }

    fn default_precision() -> Arithmetic {
        Arithmetic::F64
    }

    fn default_save_every() -> usize {
        20
    }

    /// The same configuration with the fiber file of its model read into it; a relative path starts from `base`.
    ///
    /// # Errors
    /// [`TrainError::Model`] for a file that cannot be read or is not in order.
    pub fn with_model_read(&self, base: &Path) -> Result<Self, TrainError> {
        let model = self.model.read(base)?;
        Ok(Config {
            model,
            ..self.clone()
        })
    }

    /// Checks everything that can be checked without reading other files.
    ///
    /// # Errors
    /// [`TrainError::Value`] naming the first setting that makes no sense.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.save_every == 0 {
            return Err(TrainError::value("save_every", 0, "1 or more"));
        }
        if self.stage.is_empty() {
            return Err(TrainError::value("stage", "none", "one [[stage]] or more"));
        }
        self.train.check().map_err(|error| error.within("train"))?;
        if let Some(valid) = &self.valid {
            valid.check().map_err(|error| error.within("valid"))?;
        }
        for (index, stage) in self.stage.iter().enumerate() {
            match stage {
                StageConfig::Trajectory(stage) => stage.check(),
                StageConfig::Thresholds(stage) => stage.check(),
            }
            .map_err(|error| error.within(&format!("stage[{index}]")))?;
        }
        Ok(())
    }

    /// The loss that validation uses.
    pub fn valid_loss(&self) -> LossSettings {
        let own = self.valid.as_ref().and_then(|valid| valid.loss.clone());
        let of_stages = || {
            self.stage.iter().filter_map(|stage| match stage {
                StageConfig::Trajectory(stage) => Some(stage.loss.clone()),
                StageConfig::Thresholds(_) => None,
            })
        };
        own.or_else(|| of_stages().next()).unwrap_or_default()
    }
}

impl SetConfig {
    fn check(&self) -> Result<(), TrainError> {
        let neither = "a recipe file or a folder";
        match (&self.recipe, &self.folder) {
            (None, None) => return Err(TrainError::value("recipe", "nothing", neither)),
            (Some(_), Some(_)) => {
                return Err(TrainError::value(
                    "recipe",
                    "a recipe and a folder",
                    neither,
                ));
            }
            (None, Some(_)) if self.seed.is_some() || self.every.is_some() => {
                let key = if self.seed.is_some() { "seed" } else { "every" };
                return Err(TrainError::value(
                    key,
                    "a number",
                    "nothing: a folder has its own",
                ));
            }
            _ => {}
        }
        for (key, value) in [("count", self.count), ("every", self.every)] {
            if value == Some(0) {
                return Err(TrainError::value(key, 0, "1 or more"));
            }
        }
        Ok(())
    }
}

impl ValidConfig {
    fn default_every() -> usize {
        50
    }

    fn default_batch() -> usize {
        64
    }

    /// The score that the best weights minimize.
    pub fn score(&self) -> Score {
        self.score.unwrap_or(match self.thresholds {
            Some(_) => Score::Mape,
            None => Score::Loss,
        })
    }

    fn check(&self) -> Result<(), TrainError> {
        for (key, value) in [("every", self.every), ("batch", self.batch)] {
            if value == 0 {
                return Err(TrainError::value(key, 0, "1 or more"));
            }
        }
        if let Some(traces) = &self.traces {
            traces.check().map_err(|error| error.within("traces"))?;
        }
        if let Some(thresholds) = &self.thresholds
            && thresholds.count == 0
        {
            return Err(TrainError::value("thresholds.count", 0, "1 or more"));
        }
        let (there, table) = match self.score() {
            Score::Loss => (self.traces.is_some(), "traces"),
            Score::Mape => (self.thresholds.is_some(), "thresholds"),
        };
        if !there {
            let expected = format!("a table [valid.{table}] that the score is computed from");
            return Err(TrainError::value(table, "nothing", expected));
        }
        if !(0.0..1.0).contains(&self.least_improvement) {
            let found = self.least_improvement;
            return Err(TrainError::value(
                "least_improvement",
                found,
                "a number from 0 to below 1",
            ));
        }
        Ok(())
    }
}

impl ThresholdSet {
    fn default_count() -> usize {
        64
    }

    fn default_nodes() -> Vec<i64> {
        vec![5, -5]
    }

    fn default_first() -> f64 {
        0.01
    }

    fn default_max() -> f64 {
        100.0
    }

    fn default_resolution() -> f64 {
        1e-3
    }
}
