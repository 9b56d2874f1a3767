//! The interface of all kinds of stages.

use axonml_models::{Device, Precision};

use crate::checkpoint::{self, CheckpointError};
use crate::dataset::Cases;
use crate::threshold_fit::{FitState, ThresholdFit, ThresholdStage};
use crate::trajectory::{TrajectoryFit, TrajectoryState};
use crate::{Surrogate, TrainError};

/// A stage of a training: it moves the surrogate's coordinates step by step, and can be saved and resumed
/// between any two steps.
pub trait Stage {
    /// Its kind, as the configuration has it.
    fn kind(&self) -> &'static str;

    /// The names of [`StepReport::figures`]: columns of the log.
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
    /// [`TrainError`] if the stage cannot continue.
    fn step(&mut self, surrogate: &Surrogate) -> Result<StepReport, TrainError>;

    /// The coordinates.
    fn x(&self) -> &[f64];

    /// The state that the stage's future depends on, in addition to its settings.
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

/// The report of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// The value that the stage minimizes: of trajectories before the step's change, of thresholds after it.
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

/// A running stage of thresholds. The exact fibers are simulated when the first step needs their responses.
pub(super) struct ThresholdRun {
    settings: ThresholdStage,
    cases: Cases,
    precision: Precision,
    device: Device,
    fit: Option<ThresholdFit>,
    state: Option<FitState>,
    /// The coordinates at which the stage begins.
    x: Vec<f64>,
}

impl ThresholdRun {
    pub(super) fn new(
        settings: ThresholdStage,
        cases: Cases,
        precision: Precision,
        device: Device,
    ) -> Self {
        ThresholdRun {
            settings,
            cases,
            precision,
            device,
            fit: None,
            state: None,
            x: Vec::new(),
        }
    }

    /// The exact fibers' responses.
    fn prepared(&mut self, surrogate: &Surrogate) -> Result<&ThresholdFit, TrainError> {
        if self.fit.is_none() {
            self.fit = Some(ThresholdFit::prepare(
                &self.settings,
                &self.cases,
                self.precision,
                surrogate,
                &self.device,
            )?);
        }
        Ok(self.fit.as_ref().expect("it was just prepared"))
    }
}

impl Stage for ThresholdRun {
    fn kind(&self) -> &'static str {
        "thresholds"
    }

    fn figures(&self) -> &'static [&'static str] {
        &[
            "mape_pct",
            "worst_pct",
            "arrival_rms_ms",
            "shape_rms_mv",
            "rest_rms_mv",
            "lost",
            "left_out",
            "mu",
        ]
    }

    fn steps(&self) -> usize {
        self.settings.iterations
    }

    fn begin(&mut self, surrogate: &Surrogate, x: Vec<f64>) -> Result<(), TrainError> {
        let device = self.device.clone();
        let state = self
            .prepared(surrogate)?
            .begin(surrogate, x.clone(), &device)?;
        self.state = Some(state);
        self.x = x;
        Ok(())
    }

    fn step(&mut self, surrogate: &Surrogate) -> Result<StepReport, TrainError> {
        let device = self.device.clone();
        let mut state = match self.state.clone() {
            Some(state) => state,
            None => {
                let x = self.x.clone();
                self.prepared(surrogate)?.begin(surrogate, x, &device)?
            }
        };
        let report = self
            .prepared(surrogate)?
            .iterate(surrogate, &mut state, &device)?;
        self.state = Some(state);
        Ok(StepReport {
            loss: report.cost,
            figures: vec![
                report.mape_pct,
                report.worst_pct,
                report.arrival_rms_ms,
                report.shape_rms_mv,
                report.rest_rms_mv,
                report.lost as f64,
                report.left_out as f64,
                report.mu,
            ],
            finished: report.converged,
        })
    }

    fn x(&self) -> &[f64] {
        self.state.as_ref().map_or(&self.x, |state| &state.x)
    }

    fn save(&self) -> Result<Vec<u8>, CheckpointError> {
        checkpoint::encode(&(&self.x, &self.state))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        (self.x, self.state) = checkpoint::decode(bytes)?;
        Ok(())
    }
}
