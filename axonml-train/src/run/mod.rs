//! A training from its configuration to its weights: stages one after the other, validation, checkpoints, the log.
//!
//! The folder of a training holds
//! - `checkpoint.bin`: its state; [`Training::open`] resumes from it bit for bit;
//! - `log.csv`: a row per step;
//! - `last.safetensors`: the weights at the checkpoint;
//! - `best.safetensors`: those with the least validation score so far, if there is validation.

mod log;
mod prepare;
mod sets;
mod settings;
mod stage;
#[cfg(test)]
mod tests;
mod validation;
mod weights;

use std::path::{Path, PathBuf};

use axonml_files::FolderLock;
use serde::{Deserialize, Serialize};

use crate::checkpoint;
use crate::config::ValidConfig;
use crate::{Surrogate, TrainError};
use log::Log;
use validation::Validation;
use weights::Origin;

pub use stage::{Stage, StepReport};
pub use validation::{ThresholdErrors, Validated};

/// A training, ready to begin or to resume.
pub struct Training {
    surrogate: Surrogate,
    stages: Vec<Box<dyn Stage>>,
    validation: Option<(Validation, ValidConfig)>,
    save_every: usize,
    /// Parameters that are shown and logged: names, and places among the surrogate's values.
    postfix: Vec<(String, usize)>,
    origin: Origin,
    /// All columns of the stages' figures, in the log's order.
    figures: Vec<&'static str>,
    saved: Saved,
    log: Log,
    folder: PathBuf,
    notes: Vec<String>,
    /// Keeps other processes from training in the same folder.
    _lock: FolderLock,
}

/// The content of a training's checkpoint: its request, its progress and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The requested settings, as (place, value).
    settings: Vec<(String, String)>,
    /// Backend with its instruction set.
    backend: String,
    /// Steps done, in all stages.
    step: usize,
    /// The stage under way.
    stage: usize,
    /// Steps done in it.
    stage_step: usize,
    /// Its state; none before it begins.
    state: Option<Vec<u8>>,
    /// Coordinates.
    x: Vec<f64>,
    best: Option<Best>,
    /// Validations of the stage since the last improvement.
    waited: usize,
    /// Bytes of the log.
    log_bytes: u64,
}

/// The best weights so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Their score: mean loss, or percent.
    pub score: f64,
    /// Steps done when they were found.
    pub step: usize,
    /// Their coordinates.
    pub x: Vec<f64>,
}

/// Progress reported after each step.
#[derive(Clone, Debug)]
pub struct Progress<'t> {
    /// Steps done.
    pub step: usize,
    /// Number of the stage, from 0, and the number of stages.
    pub stage: (usize, usize),
    /// Its kind.
    pub kind: &'static str,
    /// Steps done in it.
    pub stage_step: usize,
    /// The step.
    pub report: &'t StepReport,
    /// Validation, if it was due.
    pub validated: Option<&'t Validated>,
    /// Values of the parameters to show.
    pub postfix: &'t [(String, f64)],
}

/// Callback invoked during a training.
pub trait Watch {
    /// Called after every step.
    fn stepped(&mut self, progress: &Progress<'_>);

    /// Whether to save and stop now: called before every step.
    fn stop(&self) -> bool;
}

/// The end of [`Training::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All stages are done.
    Finished,
    /// It was stopped and can be resumed.
    Stopped,
}

impl Training {
    /// Name of the checkpoint.
    pub const CHECKPOINT: &str = "checkpoint.bin";
    /// Name of the log.
    pub const LOG: &str = "log.csv";
    /// Name of the weights at the checkpoint.
    pub const LAST: &str = "last.safetensors";
    /// Name of the best weights.
    pub const BEST: &str = "best.safetensors";

    /// The folder of the results.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The surrogate.
    pub fn surrogate(&self) -> &Surrogate {
        &self.surrogate
    }

    /// Notes for the user before the training starts.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Steps done.
    pub fn step(&self) -> usize {
        self.saved.step
    }

    /// Steps of all stages at most.
    pub fn steps(&self) -> usize {
        self.stages.iter().map(|stage| stage.steps()).sum()
    }

    /// The best weights so far, if there is validation.
    pub fn best(&self) -> Option<&Best> {
        self.saved.best.as_ref()
    }

    /// The coordinates.
    pub fn x(&self) -> &[f64] {
        match self.stages.get(self.saved.stage) {
            Some(stage) if self.saved.state.is_some() => stage.x(),
            _ => &self.saved.x,
        }
    }

    /// Trains until all stages are done, or `watch` requests a stop. The last checkpoint is kept in any case, and an
    /// error of a stage leaves a checkpoint of the step before it.
    ///
    /// # Errors
    /// [`TrainError`] of the stage, or of the disk.
    pub fn run(&mut self, watch: &mut dyn Watch) -> Result<Ending, TrainError> {
        while self.saved.stage < self.stages.len() {
            if self.saved.state.is_none() {
                self.begin_stage()?;
            }
            if watch.stop() {
                self.save()?;
                return Ok(Ending::Stopped);
            }
            let stage = &mut self.stages[self.saved.stage];
            let report = match stage.step(&self.surrogate) {
                Ok(report) => report,
                Err(error) => {
                    self.save()?;
                    return Err(error);
                }
            };
            self.stepped(&report, watch)?;
        }
        Ok(Ending::Finished)
    }

    fn begin_stage(&mut self) -> Result<(), TrainError> {
        let stage = &mut self.stages[self.saved.stage];
        stage.begin(&self.surrogate, self.saved.x.clone())?;
        self.saved.state = Some(stage.save()?);
        Ok(())
    }

    /// Work after a step: validation, log, checkpoint, the next stage.
    fn stepped(&mut self, report: &StepReport, watch: &mut dyn Watch) -> Result<(), TrainError> {
        self.saved.step += 1;
        self.saved.stage_step += 1;
        let index = self.saved.stage;
        let (kind, steps) = (self.stages[index].kind(), self.stages[index].steps());
        let mut finished = report.finished || self.saved.stage_step >= steps;
        let validated = self.validate(finished)?;
        if let Some((_, settings)) = &self.validation {
            finished |= settings.patience > 0 && self.saved.waited >= settings.patience;
        }
        let values = self.surrogate.values(self.x());
        let shown = self.postfix.iter();
        let postfix: Vec<(String, f64)> = shown
            .map(|(name, at)| (name.clone(), values[*at]))
            .collect();
        self.log_row(report, validated.as_ref(), &postfix)?;
        let stage_step = self.saved.stage_step;
        if finished {
            self.end_stage()?;
        }
        if finished || self.saved.step.is_multiple_of(self.save_every) {
            self.save()?;
        }
        watch.stepped(&Progress {
            step: self.saved.step,
            stage: (index, self.stages.len()),
            kind,
            stage_step,
            report,
            validated: validated.as_ref(),
            postfix: &postfix,
        });
        Ok(())
    }

    /// Validates if that is due, and keeps the best weights.
    fn validate(&mut self, finished: bool) -> Result<Option<Validated>, TrainError> {
        let Some((validation, settings)) = &self.validation else {
            return Ok(None);
        };
        if !finished && !self.saved.step.is_multiple_of(settings.every) {
            return Ok(None);
        }
        let x = self.x().to_vec();
        let validated = validation.of(&self.surrogate, &x)?;
        let score = validation.score(&validated);
        let needed = match &self.saved.best {
            Some(best) => best.score * (1.0 - settings.least_improvement),
            None => f64::INFINITY,
        };
        if score < needed {
            let step = self.saved.step;
            let about = [
                ("step", step.to_string()),
                ("validation_score", score.to_string()),
            ];
            let path = self.folder.join(Self::BEST);
            self.origin.write(&path, &self.surrogate, &x, &about)?;
            self.saved.best = Some(Best { score, step, x });
            self.saved.waited = 0;
        } else {
            self.saved.waited += 1;
        }
        Ok(Some(validated))
    }

    fn end_stage(&mut self) -> Result<(), TrainError> {
        self.saved.x = self.x().to_vec();
        let restore = self
            .validation
            .as_ref()
            .is_some_and(|(_, settings)| settings.restore_best);
        if let (true, Some(best)) = (restore, &self.saved.best) {
            self.saved.x.clone_from(&best.x);
        }
        self.saved.stage += 1;
        self.saved.stage_step = 0;
        self.saved.state = None;
        self.saved.waited = 0;
        Ok(())
    }

    /// Flushes everything to the disk: first the files that the checkpoint refers to, then the checkpoint.
    fn save(&mut self) -> Result<(), TrainError> {
        self.saved.log_bytes = self.log.sync()?;
        if self.saved.state.is_some() {
            self.saved.state = Some(self.stages[self.saved.stage].save()?);
            self.saved.x = self.x().to_vec();
        }
        let about = [("step", self.saved.step.to_string())];
        let path = self.folder.join(Self::LAST);
        self.origin
            .write(&path, &self.surrogate, &self.saved.x, &about)?;
        checkpoint::save(&self.folder.join(Self::CHECKPOINT), &self.saved)?;
        Ok(())
    }

    fn log_row(
        &mut self,
        report: &StepReport,
        validated: Option<&Validated>,
        postfix: &[(String, f64)],
    ) -> Result<(), TrainError> {
        let stage = &self.stages[self.saved.stage];
        let mut cells = vec![
            self.saved.step.to_string(),
            self.saved.stage.to_string(),
            stage.kind().to_owned(),
            report.loss.to_string(),
        ];
        let own = stage.figures();
        for figure in &self.figures {
            let place = own.iter().position(|name| name == figure);
            let value = place.and_then(|place| report.figures.get(place));
            cells.push(value.map(f64::to_string).unwrap_or_default());
        }
        if let Some((validation, _)) = &self.validation {
            let cell = |value: Option<String>| value.unwrap_or_default();
            if validation.traces.is_some() {
                cells.push(cell(
                    validated.and_then(|v| v.loss).map(|loss| loss.to_string()),
                ));
                cells.push(cell(validated.map(|v| v.left_out.to_string())));
            }
            if validation.thresholds.is_some() {
                let errors = validated.and_then(|v| v.thresholds.as_ref());
                cells.push(cell(errors.map(|e| e.mape_pct.to_string())));
                cells.push(cell(errors.map(|e| e.worst_pct.to_string())));
                cells.push(cell(errors.map(|e| e.missed.to_string())));
            }
        }
        cells.extend(postfix.iter().map(|(_, value)| value.to_string()));
        self.log.row(&cells)
    }
}

/// Columns of the log.
fn columns(
    figures: &[&'static str],
    validation: Option<&Validation>,
    postfix: &[(String, usize)],
) -> Vec<String> {
    let mut columns = vec!["step", "stage", "kind", "loss"];
    columns.extend(figures);
    if let Some(validation) = validation {
        if validation.traces.is_some() {
            columns.extend(["valid_loss", "valid_left_out"]);
        }
        if validation.thresholds.is_some() {
            columns.extend(["valid_mape_pct", "valid_worst_pct", "valid_missed"]);
        }
    }
    columns.extend(postfix.iter().map(|(name, _)| name.as_str()));
    columns.into_iter().map(str::to_owned).collect()
}
