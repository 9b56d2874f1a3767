//! The work of a run: checks, batches, the picture.

use axonml_core::{TimeGrid, Waveform};
use axonml_models::{
    DetectedRun, FiberModel, NodeSelection, Observation, ObserverKind, ObserverSpec,
};

use super::results::{END_EXCITATION, Ran, Runs};
use crate::error::CliError;
use crate::fibres::Fibres;
use crate::job::{Batch, Common, Injections, Job, of_one, refused};
use crate::messages::Messages;
use crate::plot::{FibreTrace, RunPlot};

/// What to do with every fibre.
pub(super) struct Work {
    pub(super) model: &'static dyn FiberModel,
    pub(super) grid: TimeGrid,
    pub(super) common: Common,
    pub(super) amplitude_ma: f64,
    pub(super) recorder: Option<ObserverSpec>,
    pub(super) messages: Messages,
}

impl Work {
    /// Finds fibres that cannot be run; refuses the request for them, or answers them. Returns their number.
    pub(super) fn refuse(
        &self,
        fibres: &Fibres,
        keep_going: bool,
        runs: &Runs,
    ) -> Result<usize, CliError> {
        let mut errors: Vec<(usize, CliError)> = Vec::new();
        for (index, asked) in fibres.asked.iter().enumerate() {
            if let Err(error) = &asked.job {
                errors.push((index, error.clone()));
            }
        }
        errors.extend(refused(good(fibres), &self.common));
        let name = |(index, error): (usize, CliError)| {
            (index, error.at(fibres.name(&fibres.asked[index])))
        };
        let errors: Vec<(usize, CliError)> = errors.into_iter().map(name).collect();
        let count = errors.len();
        if keep_going {
            let reasons = errors.iter().map(|(_, error)| error.message());
            self.messages.skipped(reasons);
        }
        if !keep_going {
            let errors: Vec<CliError> = errors.into_iter().map(|(_, error)| error).collect();
            let help = "mend the request, or give --keep-going to skip such fibres";
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

    pub(super) fn run(&self, fibres: &Fibres, runs: &Runs) -> Result<(), CliError> {
        let jobs: Vec<(usize, &Job)> = good(fibres)
            .filter(|(index, _)| runs.open(*index))
            .collect();
        let mut progress = self.messages.progress("fibres", jobs.len());
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
        let watch = |kind| {
            ObserverSpec::new(kind, NodeSelection::All)
                .threshold_mv(detection.threshold_mv)
                .after_ms(detection.after_ms)
        };
        let mut observers = vec![
            watch(ObserverKind::Raster),
            ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All),
        ];
        observers.extend(self.recorder.clone());
        let simulation = &batch.simulation;
        let DetectedRun { outcome, starts } =
            simulation.run_detected(&batch.stimulus, self.amplitude_ma, detection, &observers)?;
        let fibers = outcome.fibers.into_iter().zip(starts);
        for (position, ((fiber, start), (index, _))) in fibers.zip(jobs).enumerate() {
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
            for observation in fiber.observations {
                match observation {
                    // Crossings on the way to nonsense are no action potentials.
                    Observation::Raster(spikes) if ran.completed() => ran.spikes = spikes,
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

    /// The first fibres once more, all nodes recorded.
    pub(super) fn draw(
        &self,
        fibres: &Fibres,
        runs: &Runs,
        waveform: &Waveform,
        field: bool,
        injections: &Injections,
    ) -> Result<RunPlot, CliError> {
        const DRAWN: usize = 4;
        const ROWS: usize = 2000;
        let id = self.model.schema().id;
        let completed = good(fibres).filter(|(index, _)| runs.completed(*index));
        let jobs: Vec<(usize, &Job)> = completed.take(DRAWN).collect();
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: self.grid.steps().div_ceil(ROWS).max(1),
        };
        let mut plot = RunPlot {
            title: match field {
                true => format!("Run of {id} at {} mA", self.amplitude_ma),
                false => format!("Run of {id} with injected current"),
            },
            ..RunPlot::default()
        };
        let Some((jobs, batch)) = Batch::settled(jobs, &self.common, &mut |_, _| ())? else {
            return Err(CliError::failure(
                "there is nothing to draw: no fibre could be run",
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
                plot.fibres.push(FibreTrace {
                    label: format!("{id}, {}", fibres.name(&fibres.asked[*index]))
                        .replace(" um", " µm"),
                    v_mv: recording.v_mv,
                    z_um: batch.simulation.nodes_um(position),
                });
            }
        }
        let unit = match (field, injections.first()) {
            (true, _) => waveform.clone(),
            (false, Some((injection, waveform))) => (**waveform).clone().scaled(injection.amp_na),
            (false, None) => return Ok(plot),
        };
        let steps = unit.sample(&self.grid)?;
        let last = steps.len() - 1;
        // The value that acts from each recorded instant on.
        let at = |t: &f64| steps[((t / self.grid.dt_ms()).round() as usize).min(last)];
        plot.stimulus = plot.t_ms.iter().map(at).collect();
        Ok(plot)
    }
}

/// The fibres that can be run.
fn good(fibres: &Fibres) -> impl Iterator<Item = (usize, &Job)> {
    let asked = fibres.asked.iter().enumerate();
    asked.filter_map(|(index, asked)| Some((index, asked.job.as_ref().ok()?)))
}
