//! The work of a run: checks, batches, the picture.

use std::collections::BTreeMap;

use axonml::TimeGrid;
use axonml::simulation::DetectedRun;
use axonml::{FiberModel, NodeSelection, Observation, ObserverKind, ObserverSpec};

use super::results::{END_EXCITATION, Ran, Runs};
use crate::batch::{Batch, of_one, refused};
use crate::common::Common;
use crate::error::CliError;
use crate::fibers::{Fibers, Place};
use crate::job::{Job, Source};
use crate::messages::Messages;
use crate::plot::{FiberTrace, RunPlot, Strip};

/// Settings of the run that every fiber shares.
pub(super) struct Work {
    pub(super) model: &'static dyn FiberModel,
    pub(super) grid: TimeGrid,
    pub(super) common: Common,
    pub(super) amplitude_ma: f64,
    pub(super) recorder: Option<ObserverSpec>,
    pub(super) messages: Messages,
}

impl Work {
    /// Finds fibers that cannot be run; refuses the request for them, or answers them. Returns their number.
    pub(super) fn refuse(
        &self,
        fibers: &Fibers,
        keep_going: bool,
        runs: &Runs,
    ) -> Result<usize, CliError> {
        let mut errors: Vec<(usize, CliError)> = Vec::new();
        for (index, asked) in fibers.asked.iter().enumerate() {
            if let Err(error) = &asked.job {
                errors.push((index, error.clone()));
            }
        }
        errors.extend(refused(good(fibers), &self.common));
        let name = |(index, error): (usize, CliError)| {
            (index, error.at(fibers.name(&fibers.asked[index])))
        };
        let errors: Vec<(usize, CliError)> = errors.into_iter().map(name).collect();
        let count = errors.len();
        if keep_going {
            let reasons = errors.iter().map(|(_, error)| error.message());
            self.messages.skipped(reasons);
        }
        if !keep_going {
            let errors: Vec<CliError> = errors.into_iter().map(|(_, error)| error).collect();
            let help = "fix the input, or give --keep-going to skip such fibers";
            return CliError::of_many(&errors).map_or(Ok(0), |error| Err(error.or_help(help)));
        }
        for (index, error) in errors {
            runs.keep(
                index,
                Ran {
                    status: "error",
                    message: error.message(),
                    ..Ran::default()
                },
            );
        }
        Ok(count)
    }

    pub(super) fn run(&self, fibers: &Fibers, runs: &Runs) -> Result<(), CliError> {
        let jobs: Vec<(usize, &Job)> = good(fibers)
            .filter(|(index, _)| runs.open(*index))
            .collect();
        let mut progress = self.messages.progress("fibers", jobs.len());
        let mut done = 0;
        for batch in jobs.chunks(self.common.most_at_once(&jobs)) {
            let mut diverged = |index: usize, error: CliError| {
                runs.keep(
                    index,
                    Ran {
                        status: "diverged",
                        message: error.message(),
                        ..Ran::default()
                    },
                );
            };
            if let Some((jobs, ready)) =
                Batch::settled(batch.to_vec(), &self.common, &mut diverged)?
            {
                self.run_batch(&jobs, &ready, runs)?;
            }
            done += batch.len();
            progress.batch(done);
        }
        Ok(())
    }

    fn run_batch(
        &self,
        jobs: &[(usize, &Job)],
        batch: &Batch,
        runs: &Runs,
    ) -> Result<(), CliError> {
        let detection = &runs.detection;
        let maximum = ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All);
        let mut observers = vec![maximum];
        observers.extend(self.recorder.clone());
        let simulation = &batch.simulation;
        let DetectedRun {
            outcome,
            crossings,
            starts,
        } = simulation.run_detected(&batch.stimulus, self.amplitude_ma, detection, &observers)?;
        let fibers = outcome.fibers.into_iter().zip(starts).zip(crossings);
        for (position, (((fiber, start), spikes), (index, _))) in fibers.zip(jobs).enumerate() {
            let mut ran = Ran {
                status: match start {
                    Some((_, true)) => END_EXCITATION,
                    _ => "ok",
                },
                start: start.map(|(start, _)| start),
                z_um: simulation.nodes_um(position),
                ..Ran::default()
            };
            if let Some(error) = simulation.divergence(position, fiber.status) {
                ran.status = "diverged";
                ran.message = of_one(error).message();
            }
            // Crossings on the way to divergence are no action potentials.
            if ran.completed() {
                ran.spikes = spikes;
            }
            for observation in fiber.observations {
                match observation {
                    Observation::Maximum(v) if ran.completed() => {
                        ran.v_max_mv = v.into_iter().reduce(f64::max)
                    }
                    Observation::Recorded(recording) if ran.completed() => {
                        ran.recording = Some(recording)
                    }
                    _ => {}
                }
            }
            runs.keep(*index, ran);
        }
        Ok(())
    }

    /// The first fibers once more, all nodes recorded.
    pub(super) fn draw(&self, fibers: &Fibers, runs: &Runs) -> Result<RunPlot, CliError> {
        const DRAWN: usize = 4;
        const ROWS: usize = 2000;
        let id = self.model.schema().id;
        let completed = good(fibers).filter(|(index, _)| runs.completed(*index));
        let jobs: Vec<(usize, &Job)> = completed.take(DRAWN).collect();
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: self.grid.steps().div_ceil(ROWS).max(1),
        };
        let mut plot = RunPlot {
            title: match fibers.place {
                Place::Inside => format!("Run of {id} with injected current"),
                Place::Basis(_) => format!("Run of {id} at {} times the basis", self.amplitude_ma),
                _ => format!("Run of {id} at {} mA", self.amplitude_ma),
            },
            ..RunPlot::default()
        };
        let Some((jobs, batch)) = Batch::settled(jobs, &self.common, &mut |_, _| ())? else {
            return Err(CliError::failure(
                "there is nothing to draw: no fiber could be run",
            ));
        };
        let recorder = ObserverSpec::new(kind, NodeSelection::All);
        let outcome = batch
            .simulation
            .run(&batch.stimulus, self.amplitude_ma, &[recorder])?;
        for (position, (fiber, (index, _))) in outcome.fibers.into_iter().zip(&jobs).enumerate() {
            let diverged = batch
                .simulation
                .divergence(position, fiber.status)
                .is_some();
            if let (false, Some(Observation::Recorded(recording))) =
                (diverged, fiber.observations.into_iter().next())
            {
                plot.t_ms = recording.t_ms;
                plot.fibers.push(FiberTrace {
                    label: format!("{id}, {}", fibers.name(&fibers.asked[*index]))
                        .replace(" um", " µm"),
                    v_mv: recording.v_mv,
                    z_um: batch.simulation.nodes_um(position),
                });
            }
        }
        let acting = self.acting(fibers, &jobs)?;
        // The value that acts from each recorded instant on.
        let last = self.grid.steps() - 1;
        let at = |t: &f64| ((t / self.grid.dt_ms()).round() as usize).min(last);
        for mut strip in acting {
            strip.values = plot.t_ms.iter().map(|t| strip.values[at(t)]).collect();
            plot.strips.push(strip);
        }
        Ok(plot)
    }

    /// Stimulus of the drawn fibers, step by step, and the current injected into each node.
    fn acting(&self, fibers: &Fibers, jobs: &[(usize, &Job)]) -> Result<Vec<Strip>, CliError> {
        let mut strips = Vec::new();
        let Some((_, first)) = jobs.first() else {
            return Ok(strips);
        };
        match &first.source {
            None => {}
            Some(Source::Field(_, waveform)) => {
                let unit = match fibers.place {
                    Place::Basis(_) => "multiple of the basis",
                    _ => "mA",
                };
                let steps = waveform.sample(&self.grid)?;
                strips.push(Strip {
                    label: format!("stimulus ({unit})"),
                    values: steps.iter().map(|x| self.amplitude_ma * x).collect(),
                });
            }
            Some(Source::SpaceTime { .. }) => {
                let values = jobs.iter().filter_map(|(_, job)| largest_mv(job));
                let size = |values: &Vec<f64>| values.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
                let most = values.max_by(|a, b| size(a).total_cmp(&size(b)));
                strips.extend(most.map(|values| Strip {
                    label: "extracellular potential where it is largest (mV)".to_owned(),
                    values: values.iter().map(|x| self.amplitude_ma * x).collect(),
                }));
            }
        }
        let mut by_node: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (injection, waveform) in first.injections.iter() {
            let sum = by_node
                .entry(injection.node)
                .or_insert_with(|| vec![0.0; self.grid.steps()]);
            for (sum, x) in sum.iter_mut().zip(waveform.sample(&self.grid)?) {
                *sum += injection.amp_na * x;
            }
        }
        strips.extend(by_node.into_iter().map(|(node, values)| Strip {
            label: format!("current injected into node {node} (nA)"),
            values,
        }));
        Ok(strips)
    }
}

/// The potential over time at the sample point of a field in space and time where its size is largest, mV.
fn largest_mv(job: &Job) -> Option<Vec<f64>> {
    let Some(Source::SpaceTime {
        ve_mv,
        shape: (_, samples),
    }) = &job.source
    else {
        return None;
    };
    let (at, _) = ve_mv
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let sample = at % samples;
    Some(
        ve_mv
            .iter()
            .skip(sample)
            .step_by(*samples)
            .copied()
            .collect(),
    )
}

/// The fibers that can be run.
fn good(fibers: &Fibers) -> impl Iterator<Item = (usize, &Job)> {
    let asked = fibers.asked.iter().enumerate();
    asked.filter_map(|(index, asked)| Some((index, asked.job.as_ref().ok()?)))
}
