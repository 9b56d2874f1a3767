//! The part that all jobs of a command share: weights, settings, a device, memory.

use std::collections::HashSet;
use std::sync::Arc;

use axonml::TimeGrid;
use axonml::error::format_ms;
use axonml::error::short;
use axonml::file::Memory;
use axonml::simulation::memory::BatchSize;
use axonml::simulation::{Extents, InitialState};
use axonml::{Device, FiberModel, Precision, Settings, Simulation};

use crate::args::{FiberArgs, ModelArgs, NumericsArgs};
use crate::error::CliError;
use crate::job::{Job, Source};
use crate::messages::Messages;
use crate::weights::{Choice, PUBLISHED};

/// Fibers of one batch at most: many enough to fill vector lanes and cores, few enough that results come in steadily and
/// an interruption loses little. Results do not depend on it.
pub(crate) const BATCH: usize = 256;

/// The part that all jobs of a command share.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// Weights of the models.
    pub(crate) weights: Choice,
    /// Parameters that differ from them.
    pub(crate) parameters: Vec<(String, f64)>,
    /// Temperature, if not the model's.
    pub(crate) celsius: Option<f64>,
    /// State at t = 0.
    pub(crate) start: InitialState,
    /// Arithmetic.
    pub(crate) precision: Precision,
    /// Where to compute.
    pub(crate) device: Device,
    /// Memory that work may take.
    pub(crate) memory: Memory,
}

impl Common {
    /// As the flags have it.
    pub(crate) fn from_args(
        model: &ModelArgs,
        fiber: &FiberArgs,
        numerics: &NumericsArgs,
        messages: Messages,
    ) -> Result<Self, CliError> {
        if numerics.seed.is_some() {
            messages.note("--seed has no effect: nothing is drawn at random here");
        }
        let device = numerics.device()?;
        if let Some(why) = device.passed_over() {
            messages.note(format_args!("{why}: using {}", device.name()));
        }
        Ok(Common {
            weights: Choice::of(model.weights.as_deref())?,
            parameters: model.parameters(),
            celsius: model.temperature,
            start: fiber.initial_state()?,
            precision: numerics.precision(),
            device,
            memory: numerics.memory(),
        })
    }

    /// The model with the weights and the changes that it runs with, for titles.
    pub(crate) fn title(&self, model: &dyn FiberModel) -> String {
        let schema = model.schema();
        let weights = match self.weights.of_model(schema.id) {
            Some(weights) => Some(weights.name.as_str()),
            // Of a model that is always its own constants there is nothing to tell.
            None => schema.weights.map(|_| PUBLISHED),
        };
        let mut with: Vec<String> = weights.into_iter().map(str::to_owned).collect();
        match &self.parameters[..] {
            few if few.len() <= 2 => with.extend(few.iter().map(|(name, x)| format!("{name}={x}"))),
            many => with.push(format!("{} parameters set", many.len())),
        }
        match with.is_empty() {
            true => schema.id.to_owned(),
            false => format!("{} ({})", schema.id, with.join(", ")),
        }
    }

    /// The settings that a model runs with, on the default time grid and from its declared start.
    pub(crate) fn settings(&self, model: &dyn FiberModel) -> Settings {
        Settings {
            precision: self.precision,
            weights: self.weights.weights(model.schema().id),
            parameters: self.parameters.clone(),
            celsius: self.celsius,
            ..Settings::default()
        }
    }

    /// Hash of what a model computes with these weights, parameters and temperature.
    pub(crate) fn model_hash(&self, model: &dyn FiberModel) -> Result<String, CliError> {
        let settings = self.settings(model);
        Ok(axonml::simulation::provenance::model_hash(
            model, &settings,
        )?)
    }

    /// The same for a reference, which runs with its own parameters.
    pub(crate) fn with_own_parameters(&self) -> Result<Self, CliError> {
        Ok(Common {
            weights: Choice::defaults()?,
            parameters: Vec::new(),
            ..self.clone()
        })
    }

    /// Warns where jobs leave what their weights were trained on, and where their steps distort pulses.
    pub(crate) fn warn<'j>(&self, jobs: impl Iterator<Item = &'j Job>, messages: Messages) {
        let jobs: Vec<&Job> = jobs.collect();
        self.weights.warn(jobs.iter().copied(), messages);
        let (mut told, mut seen) = (HashSet::new(), HashSet::new());
        for job in jobs {
            let Ok(grid) = TimeGrid::new(job.dt_ms, job.tstop_ms) else {
                continue;
            };
            let rounded = rounding(&grid, job.tstop_ms).filter(|note| told.insert(note.clone()));
            rounded.iter().for_each(|note| messages.note(note));
            let Some(Source::Field(_, waveform)) = &job.source else {
                continue;
            };
            if !seen.insert((Arc::as_ptr(waveform) as usize, job.dt_ms.to_bits())) {
                continue;
            }
            let sine = waveform.coarse_sine(&grid).map(|sine| sine.to_string());
            let phase = waveform.short_phase(&grid).map(|phase| phase.to_string());
            for doubt in sine.into_iter().chain(phase) {
                if told.insert(doubt.clone()) {
                    messages.warn(doubt);
                }
            }
        }
    }

    /// Finds the extents of fibers of a model with these settings.
    pub(crate) fn extents(&self, model: &dyn FiberModel) -> Result<Extents, CliError> {
        Ok(Extents::new(model, &self.settings(model))?)
    }

    /// Checks that parameters and time grid fit the model, without any fiber.
    pub(crate) fn check(
        &self,
        model: &dyn FiberModel,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<TimeGrid, CliError> {
        if let Ok(grid) = TimeGrid::new(dt_ms, tstop_ms) {
            self.check_steps(&grid)?;
        }
        let settings = Settings {
            dt_ms,
            tstop_ms,
            ..self.settings(model)
        };
        let probe = Simulation::new(model, Vec::new(), &settings, &self.device)?;
        Ok(*probe.grid())
    }
}

/// Where a run ends whose duration is no multiple of its step: elsewhere than asked.
pub(crate) fn rounding(grid: &TimeGrid, tstop_ms: f64) -> Option<String> {
    (!grid.ends_at(tstop_ms)).then(|| {
        format!(
            "tstop {} ms is no multiple of dt {} ms: {} steps are simulated, to {} ms",
            format_ms(tstop_ms),
            short(grid.dt_ms()),
            grid.steps(),
            format_ms(grid.duration_ms())
        )
    })
}

/// Memory that work takes while it is simulated.
impl Common {
    /// Refuses runs whose waveforms alone do not fit into memory.
    pub(crate) fn check_steps(&self, grid: &TimeGrid) -> Result<(), CliError> {
        self.fits(
            &self.size(1, 1, grid.steps(), 1),
            &format!("a run of {} steps", grid.steps()),
        )
        .map_err(|error| {
            error.help("raise --dt, lower --tstop, or allow more with --max-memory GB")
        })
    }

    /// Refuses a fiber that does not fit into memory, with the waveforms that act on it.
    pub(crate) fn check_fiber(
        &self,
        nodes: usize,
        grid: &TimeGrid,
        waveforms: usize,
    ) -> Result<(), CliError> {
        let steps = grid.steps();
        let size = self.size(1, nodes, steps, waveforms);
        self.fits(
            &size,
            &format!("a fiber of {nodes} nodes and a run of {steps} steps"),
        )
        .map_err(|error| {
            error.help("ask for fewer nodes or steps, or allow more with --max-memory GB")
        })
    }

    /// How many fibers like the largest of these fit into memory at once, at least one.
    pub(crate) fn most_at_once(&self, jobs: &[(usize, &Job)]) -> usize {
        let nodes = jobs
            .iter()
            .map(|(_, job)| job.fiber.nodes)
            .max()
            .unwrap_or(1);
        let sources = jobs.iter().map(|(_, job)| 1 + job.injections.len()).max();
        let grid = jobs
            .first()
            .map(|(_, job)| TimeGrid::new(job.dt_ms, job.tstop_ms));
        let steps = grid.and_then(Result::ok).map_or(1, |grid| grid.steps());
        let fits = |fibers: usize| {
            let waveforms = fibers.saturating_mul(sources.unwrap_or(1));
            self.size(fibers, nodes, steps, waveforms).bytes() <= self.memory.bytes().into()
        };
        let mut most = BATCH;
        while most > 1 && !fits(most) {
            most /= 2;
        }
        most
    }

    fn size(&self, fibers: usize, nodes: usize, steps: usize, waveforms: usize) -> BatchSize {
        BatchSize {
            fibers,
            nodes,
            steps,
            waveforms,
            threads: rayon::current_num_threads(),
        }
    }

    fn fits(&self, size: &BatchSize, what: &str) -> Result<(), CliError> {
        self.memory
            .check(what, size.bytes())
            .map_err(CliError::request)
    }
}
