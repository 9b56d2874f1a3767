//! Numbers, arithmetic, device and memory that cases share.

use axonml_core::TimeGrid;
use axonml_files::Memory;
use axonml_models::memory::BatchSize;
use axonml_models::{
    CancelToken, Device, Ends, Extents, FiberModel, InitialState, Precision, RateEvaluation,
    Settings, Simulation, provenance,
};

use super::StudyError;
use super::weights::{PUBLISHED, WeightChoice};

/// Where and with what room a study is computed; results do not depend on it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Where to compute.
    pub device: Device,
    /// Memory that work may take.
    pub memory: Memory,
    /// Ends the work early.
    pub cancel: CancelToken,
}

impl Machine {
    /// `device` with all memory that is available.
    pub fn new(device: Device) -> Self {
        Machine {
            device,
            memory: Memory::available(),
            cancel: CancelToken::default(),
        }
    }
}

/// Numbers and arithmetic that cases run with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Weights of the models.
    pub weights: WeightChoice,
    /// Parameters that differ from them.
    pub parameters: Vec<(String, f64)>,
    /// Temperature, if not the model's.
    pub celsius: Option<f64>,
    /// State at t = 0.
    pub start: InitialState,
    /// How fibers end.
    pub ends: Ends,
    /// Arithmetic.
    pub precision: Precision,
    /// Evaluation of rates.
    pub rates: RateEvaluation,
    /// Device and memory.
    pub machine: Machine,
}

impl Setup {
    /// The model with the weights and the changes that it runs with, for titles.
    pub fn title(&self, model: &dyn FiberModel) -> String {
        let schema = model.schema();
        let weights = match self.weights.of_model(&schema.id) {
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
            true => schema.id.to_string(),
            false => format!("{} ({})", schema.id, with.join(", ")),
        }
    }

    /// The settings that a model runs with, on the default time grid and from its declared start.
    pub fn settings(&self, model: &dyn FiberModel) -> Settings {
        Settings {
            precision: self.precision,
            rates: self.rates,
            weights: self.weights.weights(&model.schema().id),
            parameters: self.parameters.clone(),
            celsius: self.celsius,
            ends: self.ends,
            cancel: self.machine.cancel.clone(),
            ..Settings::default()
        }
    }

    /// Hash of what a model computes with these weights, parameters, temperature and ends.
    ///
    /// # Errors
    /// [`StudyError`] if the parameters do not fit the model.
    pub fn model_hash(&self, model: &dyn FiberModel) -> Result<String, StudyError> {
        Ok(provenance::model_hash(model, &self.settings(model))?)
    }

    /// The same for a reference, which runs with its own parameters.
    ///
    /// # Errors
    /// [`StudyError`] if bundled weights do not fit their models.
    pub fn with_own_parameters(&self) -> Result<Self, StudyError> {
        Ok(Setup {
            weights: WeightChoice::defaults()?,
            parameters: Vec::new(),
            ..self.clone()
        })
    }

    /// Finds the extents of fibers of a model with these settings.
    pub(super) fn extents(&self, model: &dyn FiberModel) -> Result<Extents, StudyError> {
        Ok(Extents::new(model, &self.settings(model))?)
    }

    /// Checks that parameters and time grid fit the model, without any fiber.
    ///
    /// # Errors
    /// [`StudyError`] if they do not, or a run does not fit into memory.
    pub fn check(
        &self,
        model: &dyn FiberModel,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<TimeGrid, StudyError> {
        if let Ok(grid) = TimeGrid::new(dt_ms, tstop_ms) {
            self.check_steps(&grid)?;
        }
        let settings = Settings {
            dt_ms,
            tstop_ms,
            ..self.settings(model)
        };
        let probe = Simulation::new(model, Vec::new(), &settings, &self.machine.device)?;
        Ok(*probe.grid())
    }
}

impl Machine {
    /// Ends work that was canceled.
    pub(super) fn check_canceled(&self) -> Result<(), StudyError> {
        match self.cancel.is_canceled() {
            true => Err(StudyError::canceled()),
            false => Ok(()),
        }
    }
}

// Memory that work takes while it is simulated.
impl Machine {
    /// Refuses runs whose waveforms alone do not fit into memory.
    pub(super) fn check_steps(&self, grid: &TimeGrid) -> Result<(), StudyError> {
        self.fits(
            &size(1, 1, grid.steps(), 1),
            &format!("a run of {} steps", grid.steps()),
        )
        .map_err(|error| {
            error.help("raise --dt, lower --tstop, or allow more with --max-memory GB")
        })
    }

    /// Refuses a fiber that does not fit into memory, with the waveforms that act on it.
    ///
    /// # Errors
    /// [`StudyError`] with what is needed and what there is.
    pub fn check_fiber(
        &self,
        nodes: usize,
        grid: &TimeGrid,
        waveforms: usize,
    ) -> Result<(), StudyError> {
        let steps = grid.steps();
        self.fits(
            &size(1, nodes, steps, waveforms),
            &format!("a fiber of {nodes} nodes and a run of {steps} steps"),
        )
        .map_err(|error| {
            error.help("ask for fewer nodes or steps, or allow more with --max-memory GB")
        })
    }

    /// Whether work on so much fits into memory.
    pub(super) fn holds(
        &self,
        fibers: usize,
        nodes: usize,
        steps: usize,
        waveforms: usize,
    ) -> bool {
        size(fibers, nodes, steps, waveforms).bytes() <= self.memory.bytes().into()
    }

    fn fits(&self, size: &BatchSize, what: &str) -> Result<(), StudyError> {
        self.memory
            .check(what, size.bytes())
            .map_err(StudyError::request)
    }
}

impl Setup {
    /// As [`Machine::check_fiber`], for runs of these steps without a fiber.
    pub(super) fn check_steps(&self, grid: &TimeGrid) -> Result<(), StudyError> {
        self.machine.check_steps(grid)
    }
}

fn size(fibers: usize, nodes: usize, steps: usize, waveforms: usize) -> BatchSize {
    BatchSize {
        fibers,
        nodes,
        steps,
        waveforms,
        threads: rayon::current_num_threads(),
    }
}
