//! One fiber under one stimulus ([`Job`]), and many of them as batches that the library runs at once.

use std::collections::HashSet;
use std::sync::Arc;

use axonml_core::{CoreError, Field, TimeGrid, Waveform};
use axonml_files::Memory;
use axonml_models::memory::BatchSize;
use axonml_models::{
    Detection, Device, DeviceReport, Extents, Fiber, FiberModel, InitialState, Precision, Settings,
    Simulation, SimulationError, Stimulus,
};

use crate::args::{FiberArgs, Injection, ModelArgs, NumericsArgs};
use crate::error::CliError;
use crate::messages::Messages;
use crate::weights::{Choice, PUBLISHED};

/// A field with its waveform, or a field in space and time.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// mV per unit amplitude, times a waveform.
    Field(Arc<dyn Field>, Arc<Waveform>),
    /// mV per unit amplitude, `[step, sample]` flattened.
    SpaceTime {
        /// The potentials.
        ve_mv: Arc<Vec<f64>>,
        /// Steps and samples.
        shape: (usize, usize),
    },
}

/// Currents injected into a fiber.
pub(crate) type Injections = Arc<Vec<(Injection, Arc<Waveform>)>>;

/// One fiber under one stimulus.
#[derive(Clone)]
pub(crate) struct Job {
    /// The model.
    pub(crate) model: &'static dyn FiberModel,
    /// The fiber.
    pub(crate) fiber: Fiber,
    /// Stated length of the fiber, um, to be checked.
    pub(crate) length_um: Option<f64>,
    /// Temperature, degrees Celsius, if not that of the weights or the model.
    pub(crate) celsius: Option<f64>,
    /// Time step, ms.
    pub(crate) dt_ms: f64,
    /// Duration, ms.
    pub(crate) tstop_ms: f64,
    /// What counts.
    pub(crate) detection: Detection,
    /// What acts from outside.
    pub(crate) source: Option<Source>,
    /// Distance of the nearest point electrode from the fiber's axis, um, where there are point electrodes.
    pub(crate) source_distance_um: Option<f64>,
    /// What acts from inside.
    pub(crate) injections: Injections,
}

/// What all jobs of a command share.
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
    /// What work may take.
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
        let automatic = matches!(numerics.backend.as_deref(), None | Some("auto"));
        let refused =
            |d: &DeviceReport| cfg!(feature = "cuda") && d.backend == "cuda" && !d.available;
        if let Some(cuda) = Device::report()
            .into_iter()
            .find(refused)
            .filter(|_| automatic)
        {
            messages.note(format_args!("{}: using {}", cuda.detail, device.name()));
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

    /// What a model runs with, on the default time grid and from its declared start.
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
        Ok(axonml_models::provenance::model_hash(model, &settings)?)
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
            let Some(Source::Field(_, waveform)) = &job.source else {
                continue;
            };
            if !seen.insert((Arc::as_ptr(waveform) as usize, job.dt_ms.to_bits())) {
                continue;
            }
            let Ok(grid) = TimeGrid::new(job.dt_ms, job.tstop_ms) else {
                continue;
            };
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

/// What work takes while it is simulated.
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

/// Jobs of one model, grid, temperature and detection, ready to run.
pub(crate) struct Batch {
    /// The fibers.
    pub(crate) simulation: Simulation,
    /// What acts on them.
    pub(crate) stimulus: Stimulus,
}

/// Fibers of one batch at most: many enough to fill vector lanes and cores, few enough that results come in steadily and
/// an interruption loses little. Results do not depend on it.
pub(crate) const BATCH: usize = 256;

/// Jobs with the batch they make.
pub(crate) type Ready<'j> = (Vec<(usize, &'j Job)>, Batch);

impl Batch {
    /// Builds a batch in the state that `common` asks for; fibers that diverge while they settle are told to `diverged`
    /// and left out.
    pub(crate) fn settled<'j>(
        mut jobs: Vec<(usize, &'j Job)>,
        common: &Common,
        diverged: &mut dyn FnMut(usize, CliError),
    ) -> Result<Option<Ready<'j>>, CliError> {
        while !jobs.is_empty() {
            let all: Vec<&Job> = jobs.iter().map(|(_, job)| *job).collect();
            match Batch::build(&all, common, &common.start) {
                Ok(batch) => return Ok(Some((jobs, batch))),
                Err(error @ SimulationError::Diverged { fiber, .. }) if fiber < jobs.len() => {
                    let (index, _) = jobs.remove(fiber);
                    diverged(index, of_one(error).at("while settling"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Builds the cables and settles the fibers if `start` says so.
    pub(crate) fn build(
        jobs: &[&Job],
        common: &Common,
        start: &InitialState,
    ) -> Result<Batch, SimulationError> {
        let first = jobs[0];
        let settings = Settings {
            dt_ms: first.dt_ms,
            tstop_ms: first.tstop_ms,
            celsius: first.celsius,
            start: start.clone(),
            ..common.settings(first.model)
        };
        let fibers = jobs.iter().map(|job| job.fiber).collect();
        let simulation = Simulation::new(first.model, fibers, &settings, &common.device)?;
        let mut stimulus = Stimulus::none(jobs.len());
        for (index, job) in jobs.iter().enumerate() {
            stimulus = match &job.source {
                None => stimulus,
                Some(Source::Field(field, waveform)) => {
                    stimulus.source(index, field.clone(), waveform.clone())
                }
                Some(Source::SpaceTime { ve_mv, .. }) => stimulus.space_time(index, ve_mv.clone()),
            };
            for (injection, waveform) in job.injections.iter() {
                stimulus =
                    stimulus.inject(index, injection.node, injection.amp_na, waveform.clone());
            }
        }
        Ok(Batch {
            simulation,
            stimulus,
        })
    }

    /// Checks what the library would only find while it runs.
    fn check(&self, jobs: &[&Job]) -> Result<(), SimulationError> {
        for (index, job) in jobs.iter().enumerate() {
            let wrong = |source: CoreError| SimulationError::Stimulus {
                fiber: index,
                source,
            };
            let nodes = job.fiber.nodes;
            job.detection.nodes(nodes).map_err(wrong)?;
            let samples = self.simulation.sample_points_um(index).len();
            let expected = (self.simulation.grid().steps(), samples);
            if let Some(Source::SpaceTime { shape, .. }) = job.source
                && shape != expected
            {
                return Err(wrong(CoreError::Shape {
                    what: "the field in space and time".into(),
                    expected: format!(
                        "(timesteps, samples) = {expected:?} for this dt, tstop, model and number of nodes"
                    ),
                    found: format!("{shape:?}"),
                }));
            }
            if let Some(length_um) = job.length_um {
                let at = self.simulation.nodes_um(index);
                let extent_um = at[nodes - 1] - at[0];
                let spacing_um = extent_um / (nodes - 1) as f64;
                if (length_um - extent_um).abs() > 1.01 * spacing_um {
                    return Err(wrong(CoreError::BadValue {
                        what: "length_um".into(),
                        found: length_um.to_string(),
                        expected: format!(
                            "about {extent_um} um, as {nodes} nodes lie {spacing_um} um apart; correct n_nodes, \
                             delta_z_um or length_um"
                        ),
                    }));
                }
            }
        }
        self.simulation.rollout(&self.stimulus, &[]).map(|_| ())
    }
}

/// Which jobs may share a batch: those with equal keys.
pub(crate) fn groups<'j>(
    jobs: impl IntoIterator<Item = (usize, &'j Job)>,
) -> Vec<Vec<(usize, &'j Job)>> {
    let alike = |a: &Job, b: &Job| {
        let grid = |job: &Job| TimeGrid::new(job.dt_ms, job.tstop_ms).ok();
        a.model.schema().id == b.model.schema().id
            && grid(a) == grid(b)
            && a.celsius == b.celsius
            && a.detection == b.detection
    };
    let mut groups: Vec<Vec<(usize, &Job)>> = Vec::new();
    for (index, job) in jobs {
        match groups.iter_mut().find(|group| alike(group[0].1, job)) {
            Some(group) => group.push((index, job)),
            None => groups.push(vec![(index, job)]),
        }
    }
    groups
}

/// Finds the jobs that cannot be run, and why, before any is.
pub(crate) fn refused<'j>(
    jobs: impl IntoIterator<Item = (usize, &'j Job)>,
    common: &Common,
) -> Vec<(usize, CliError)> {
    let mut refused = Vec::new();
    let jobs = jobs.into_iter().filter(|(index, job)| {
        let grid = TimeGrid::new(job.dt_ms, job.tstop_ms).map_err(CliError::from);
        let waveforms = 1 + job.injections.len();
        let fits = grid.and_then(|grid| common.check_fiber(job.fiber.nodes, &grid, waveforms));
        fits.map_err(|error| refused.push((*index, error))).is_ok()
    });
    // Only a batch must fit into memory, here as when it runs.
    for group in groups(jobs) {
        for batch in group.chunks(common.most_at_once(&group)) {
            halve(batch, common, &mut refused);
        }
    }
    refused.sort_by_key(|(index, _)| *index);
    refused
}

/// Narrows down by halves which jobs of a group are refused.
fn halve(group: &[(usize, &Job)], common: &Common, refused: &mut Vec<(usize, CliError)>) {
    let jobs: Vec<&Job> = group.iter().map(|(_, job)| *job).collect();
    let checked = Batch::build(&jobs, common, &InitialState::Declared)
        .and_then(|batch| batch.check(&jobs).map(|()| batch));
    match (checked, group) {
        (Ok(_), _) => {}
        (Err(error), [(index, _)]) => refused.push((*index, of_one(error))),
        (Err(_), _) => {
            let (front, back) = group.split_at(group.len() / 2);
            halve(front, common, refused);
            halve(back, common, refused);
        }
    }
}

/// An error of a batch of one, or of the fiber that the caller names, without the fiber's index in the batch.
pub(crate) fn of_one(error: SimulationError) -> CliError {
    match error {
        SimulationError::Fiber { problem, .. } => CliError::request(problem),
        SimulationError::Stimulus { source, .. } => CliError::request(source),
        SimulationError::Unstable { instability, .. } => CliError::request(instability),
        SimulationError::Diverged { fiber, .. } => {
            let text = error.to_string();
            let text = text
                .strip_prefix(&format!("fiber {fiber} "))
                .unwrap_or(&text);
            CliError::failure(text)
        }
        error => CliError::from(error),
    }
}
