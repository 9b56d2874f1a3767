//! What all kinds of stages have in common.

use crate::checkpoint::{self, CheckpointError};
use crate::trajectory::{TrajectoryFit, TrajectoryState};
use crate::{Surrogate, TrainError};

/// A stage of a training: it moves the surrogate's coordinates step by step, and can be put away and taken up again
/// between any two steps.
pub trait Stage {
    /// Its kind, as the configuration has it.
    fn kind(&self) -> &'static str;

    /// What [`StepReport::figures`] holds: columns of the log.
    fn figures(&self) -> &'static [&'static str];

    /// Steps at most.
    fn steps(&self) -> usize;

    /// Goes to the state before the first step, from the coordinates `x`.
    ///
    /// # Errors
    /// [`TrainError`] if the surrogate cannot be simulated there.
    fn begin(&mut self, surrogate: &Surrogate, x: Vec<f64>) -> Result<(), TrainError>;

    /// One step. An error leaves the state as it was.
    ///
    /// # Errors
    /// [`TrainError`] if the stage cannot go on.
    fn step(&mut self, surrogate: &Surrogate) -> Result<StepReport, TrainError>;

    /// The coordinates.
    fn x(&self) -> &[f64];

    /// All that the stage's future depends on, beside its settings.
    ///
    /// # Errors
    /// [`CheckpointError`].
    fn save(&self) -> Result<Vec<u8>, CheckpointError>;

    /// Goes to a state that was saved.
    ///
    /// # Errors
    /// [`CheckpointError`] if the bytes are no such state.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), CheckpointError>;
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// What the stage minimises, before the step's change.
    pub loss: f64,
    /// One number for each of [`Stage::figures`].
    pub figures: Vec<f64>,
    /// Whether further steps would change nothing.
    pub finished: bool,
}

/// A trajectory stage under way.
pub(super) struct TrajectoryRun {
    fit: TrajectoryFit,
    state: TrajectoryState,
}

impl TrajectoryRun {
    pub(super) fn new(fit: TrajectoryFit) -> Self {
        TrajectoryRun {
            state: fit.begin(Vec::new()),
            fit,
        }
    }
}

impl Stage for TrajectoryRun {
    fn kind(&self) -> &'static str {
        "trajectory"
    }

    fn figures(&self) -> &'static [&'static str] {
        &["epoch", "gradient_norm", "learning_rate", "left_out"]
    }

    fn steps(&self) -> usize {
        self.fit.steps()
    }

    fn begin(&mut self, _: &Surrogate, x: Vec<f64>) -> Result<(), TrainError> {
        self.state = self.fit.begin(x);
        Ok(())
    }

    fn step(&mut self, surrogate: &Surrogate) -> Result<StepReport, TrainError> {
        let report = self.fit.iterate(surrogate, &mut self.state)?;
        Ok(StepReport {
            loss: report.loss,
            figures: vec![
                report.epoch as f64,
                report.gradient_norm,
                report.learning_rate,
                report.left_out as f64,
            ],
            finished: false,
        })
    }

    fn x(&self) -> &[f64] {
        &self.state.x
    }

    fn save(&self) -> Result<Vec<u8>, CheckpointError> {
        checkpoint::encode(&self.state)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        self.state = checkpoint::decode(bytes)?;
        Ok(())
    }
}
