//! The stage at work: a batch, its gradients, an update.

use std::ops::Range;

use axonml_models::{
    Device, FiberOutcome, FiberState, GradientRequest, Precision, SimulationError, Start, quantile,
};
use axonml_optimize::Adam;
use ndarray::Axis;
use serde::{Deserialize, Serialize};

use super::TrajectoryStage;
use super::data::{Runs, loss_of, recorder, recording};
use super::loss::Loss;
use super::order::Order;
use crate::dataset::{Batch, DatasetError, Source};
use crate::{Surrogate, TrainError};

/// A trajectory stage with its training set.
pub struct TrajectoryFit {
    stage: TrajectoryStage,
    source: Source,
    loss: Loss,
    order: Order,
    precision: Precision,
    device: Device,
    /// The next step's batch, made while this one's gradients were computed.
    ahead: Option<(usize, Result<Batch, DatasetError>)>,
}

/// The state of a trajectory stage: together with the settings, everything that its future depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryState {
    /// Coordinates of the surrogate.
    pub x: Vec<f64>,
    /// Steps done.
    pub step: usize,
    adam: Adam,
}

/// The report of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct TrajectoryReport {
    /// The step, from 0.
    pub step: usize,
    /// Its epoch, from 0.
    pub epoch: usize,
    /// Mean loss of the fibers before the step's update (in windows: of each window before its own).
    pub loss: f64,
    /// Length of the last update's mean gradient, shortened gradients being counted as such.
    pub gradient_norm: f64,
    /// Learning rate of the last update.
    pub learning_rate: f64,
    /// Fibers left out because their run or gradient was not finite.
    pub left_out: usize,
}

/// The data shared by all windows between two updates.
struct Pass<'a> {
    surrogate: &'a Surrogate,
    x: &'a [f64],
    runs: &'a Runs,
    batch: &'a Batch,
}

/// A fiber of a batch while its windows go by.
struct Member {
    fiber: usize,
    loss: f64,
    /// Derivatives by the coordinates, accumulated since the last update.
    gradient: Vec<f64>,
    /// State from which the next window starts; none is the run's start.
    state: Option<FiberState>,
}

impl TrajectoryFit {
    /// Prepares a stage that learns from the first `count` cases of `source`; `seed` is that of their order.
    ///
    /// # Errors
    /// [`TrainError::Value`] for settings that make no sense, [`TrainError::Set`] for states that the set lacks.
    pub fn new(
        stage: &TrajectoryStage,
        source: Source,
        count: usize,
        seed: u64,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, TrainError> {
        stage.check()?;
        let every = source.every();
        if !stage.truncation.is_multiple_of(every) {
            let expected = format!("a multiple of {every}, the steps between rows of the set");
            return Err(TrainError::value("truncation", stage.truncation, expected));
        }
        let count = count.min(source.len());
        let batch = stage.batch.min(count);
        Ok(TrajectoryFit {
            loss: loss_of(&stage.loss, &source, "train")?,
            order: Order::new(stage.sampling, seed, count, batch),
            stage: stage.clone(),
            source,
            precision,
            device: device.clone(),
            ahead: None,
        })
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.order.batches()
    }

    /// Steps of the whole stage.
    pub fn steps(&self) -> usize {
        let all = self.stage.epochs.saturating_mul(self.order.batches());
        match self.stage.steps {
            0 => all,
            steps => steps.min(all),
        }
    }

    /// The state before the first step.
    pub fn begin(&self, x: Vec<f64>) -> TrajectoryState {
        TrajectoryState {
            adam: Adam::new(x.len()),
            step: 0,
            x,
        }
    }

    /// One step. An error leaves the state as it was.
    ///
    /// # Errors
    /// [`TrainError::Diverging`] if more than half of the fibers have no finite run or gradient; [`TrainError`] if the
    /// set cannot be read or the surrogate not be built.
    pub fn iterate(
        &mut self,
        surrogate: &Surrogate,
        state: &mut TrajectoryState,
    ) -> Result<TrajectoryReport, TrainError> {
        if state.x.len() != surrogate.len() || state.adam.len() != surrogate.len() {
            return Err(TrainError::value(
                "the state of a trajectory stage",
                format!("{} coordinates", state.x.len()),
                surrogate.len().to_string(),
            ));
        }
        let step = state.step;
        let batch = match self.ahead.take() {
            Some((known, batch)) if known == step => batch,
            _ => self.source.batch(&self.order.cases(step)),
        };
        let batch = batch.map_err(TrainError::set("train"))?;
        let mut moved = state.clone();
        let next = step + 1;
        let cases = (next < self.steps() && self.looks_ahead()).then(|| self.order.cases(next));
        let (report, ahead) = rayon::join(
            || self.run(surrogate, &mut moved, &batch),
            || cases.map(|cases| (next, self.source.batch(&cases))),
        );
        self.ahead = ahead;
        let report = report?;
        moved.step = next;
        *state = moved;
        Ok(report)
    }

    /// Whether the next batch is simulated concurrently with this one's gradients: on a GPU both would compete for the
    /// device.
    fn looks_ahead(&self) -> bool {
        self.device.name().starts_with("cpu")
    }

    /// All windows of a batch.
    fn run(
        &self,
        surrogate: &Surrogate,
        state: &mut TrajectoryState,
        batch: &Batch,
    ) -> Result<TrajectoryReport, TrainError> {
        let steps = batch.waveforms_ma.len_of(Axis(2));
        let window = match self.stage.truncation {
            0 => steps,
            truncation => truncation.min(steps),
        };
        let windows = steps.div_ceil(window);
        let per_update = match self.stage.accumulate {
            0 => windows,
            accumulate => accumulate.min(windows),
        };
        let updates = self.steps() * windows.div_ceil(per_update);

        let mut members: Vec<Member> = (0..batch.len())
            .map(|fiber| Member {
                fiber,
                loss: 0.0,
                gradient: vec![0.0; surrogate.len()],
                state: None,
            })
            .collect();
        let mut first = None;
        let (mut gradient_norm, mut learning_rate) = (0.0, 0.0);
        let mut runs = None;
        for index in 0..windows {
            let span = index * window..steps.min((index + 1) * window);
            let runs_now = match runs.take() {
                Some(runs) => runs,
                None => {
                    let dt_ms = self.source.dt_ms();
                    Runs::new(
                        surrogate,
                        &state.x,
                        batch,
                        dt_ms,
                        self.precision,
                        &self.device,
                    )?
                }
            };
            let pass = Pass {
                surrogate,
                x: &state.x,
                runs: &runs_now,
                batch,
            };
            self.window(&pass, &mut members, span, &mut first)?;
            let left_out = batch.len() - members.len();
            if 2 * left_out > batch.len() {
                return Err(TrainError::Diverging {
                    step: state.step,
                    left_out,
                    batch: batch.len(),
                    first: first.unwrap_or_default(),
                });
            }
            if (index + 1).is_multiple_of(per_update) || index + 1 == windows {
                let gradient = self.gradient(&mut members);
                gradient_norm = norm(&gradient);
                let share = self.stage.schedule.share(
                    state.adam.updates(),
                    updates,
                    self.stage.warmup,
                    self.stage.final_share,
                );
                learning_rate = share * self.stage.learning_rate;
                let momenta = self.stage.momenta();
                state
                    .adam
                    .update(&mut state.x, &gradient, learning_rate, momenta);
            } else {
                runs = Some(runs_now);
            }
        }
        let loss = members.iter().map(|member| member.loss).sum::<f64>() / members.len() as f64;
        Ok(TrajectoryReport {
            step: state.step,
            epoch: state.step / self.order.batches(),
            loss,
            gradient_norm,
            learning_rate,
            left_out: batch.len() - members.len(),
        })
    }

    /// The time steps `span` of the members; those without a finite run or gradient leave. `first` keeps why the first
    /// did.
    fn window(
        &self,
        pass: &Pass<'_>,
        members: &mut Vec<Member>,
        span: Range<usize>,
        first: &mut Option<String>,
    ) -> Result<(), TrainError> {
        let Pass {
            surrogate,
            x,
            runs,
            batch,
        } = *pass;
        let every = self.source.every();
        let observer = recorder(&self.loss, every);
        let rollout = runs.simulation.rollout(&runs.stimulus, &[observer])?;
        let scaling = runs.stimulus.scaling();
        let request = GradientRequest {
            parameters: true,
            ..GradientRequest::default()
        };
        let chunk = match self.stage.chunk {
            0 => members.len(),
            chunk => chunk,
        };
        let mut kept = Vec::with_capacity(members.len());
        for members in members.chunks_mut(chunk.max(1)) {
            let fibers: Vec<usize> = members.iter().map(|member| member.fiber).collect();
            let mut rollout = rollout.select(fibers.iter().copied());
            rollout.steps = span.clone();
            let states: Option<Vec<FiberState>> = members
                .iter_mut()
                .map(|member| member.state.take())
                .collect();
            if let Some(states) = states {
                rollout.start = Start::From(states);
            }
            let objective = |index: usize, outcome: &FiberOutcome| {
                let recording = recording(outcome);
                // A run that resumes from a state does not record that state.
                let row_ms = self.source.dt_ms() * every as f64;
                let first_ms = recording.t_ms.first().copied().unwrap_or_default();
                let first = (first_ms / row_ms).round() as usize;
                let reference = batch.states.index_axis(Axis(0), fibers[index]);
                self.loss
                    .evaluate(reference, span.start / every, first, recording)
            };
            let simulation = &runs.simulation;
            let found =
                simulation.differentiate_each(&rollout, &scaling, &fibers, &objective, request)?;
            for (member, found) in members.iter_mut().zip(found) {
                let reason = match found {
                    Ok(run) => match (run.gradient, run.outcome.state) {
                        (Some(gradient), Some(state)) => {
                            member.loss += gradient.loss;
                            let by_x = surrogate.vjp(x, &gradient.parameters);
                            let sums = member.gradient.iter_mut();
                            sums.zip(by_x).for_each(|(sum, g)| *sum += g);
                            if norm(&member.gradient).is_finite() {
                                member.state = Some(state);
                                continue;
                            }
                            None
                        }
                        _ => simulation.divergence(member.fiber, run.outcome.status),
                    },
                    Err(error @ SimulationError::GradientNotFinite { .. }) => Some(error),
                    Err(error) => return Err(error.into()),
                };
                let case = batch.indices[member.fiber];
                let diameter_um = batch.diameters_um[member.fiber];
                let reason = match reason {
                    Some(reason) => reason.to_string(),
                    None => "its gradient is too large for a number".to_owned(),
                };
                first.get_or_insert(format!("case {case} ({diameter_um:.2} um): {reason}"));
            }
        }
        for member in members.drain(..) {
            if member.state.is_some() {
                kept.push(member);
            }
        }
        *members = kept;
        Ok(())
    }

    /// The mean of the members' gradients, each shortened to `clip` times their median length; theirs are zero then.
    fn gradient(&self, members: &mut [Member]) -> Vec<f64> {
        let norms: Vec<f64> = members
            .iter()
            .map(|member| norm(&member.gradient))
            .collect();
        let limit = match self.stage.clip {
            0.0 => f64::INFINITY,
            clip => clip * median(&norms),
        };
        let count = members.len() as f64;
        let coordinates = members.first().map_or(0, |member| member.gradient.len());
        let mut mean = vec![0.0; coordinates];
        for (member, norm) in members.iter_mut().zip(norms) {
            let share = if norm > limit { limit / norm } else { 1.0 } / count;
            for (sum, gradient) in mean.iter_mut().zip(&mut member.gradient) {
                *sum += share * std::mem::take(gradient);
            }
        }
        mean
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The median; 0 without values.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5).unwrap_or(0.0)
}

impl TrajectoryFit {
    /// The loss of the members of a batch at `x` and its mean gradient, without an update: for tests.
    #[cfg(test)]
    pub(super) fn probe(
        &self,
        surrogate: &Surrogate,
        x: &[f64],
        batch: &Batch,
    ) -> Result<(f64, Vec<f64>), TrainError> {
        let steps = batch.waveforms_ma.len_of(Axis(2));
        let window = if self.stage.truncation == 0 {
            steps
        } else {
            self.stage.truncation
        };
        let dt_ms = self.source.dt_ms();
        let runs = Runs::new(surrogate, x, batch, dt_ms, self.precision, &self.device)?;
        let mut members: Vec<Member> = (0..batch.len())
            .map(|fiber| Member {
                fiber,
                loss: 0.0,
                gradient: vec![0.0; x.len()],
                state: None,
            })
            .collect();
        let mut first = None;
        for start in (0..steps).step_by(window) {
            let span = start..steps.min(start + window);
            let pass = Pass {
                surrogate,
                x,
                runs: &runs,
                batch,
            };
            self.window(&pass, &mut members, span, &mut first)?;
        }
        assert_eq!(members.len(), batch.len(), "{first:?}");
        let loss = members.iter().map(|m| m.loss).sum::<f64>() / members.len() as f64;
        Ok((loss, self.gradient(&mut members)))
    }
}
