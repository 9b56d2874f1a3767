//! A batch of fibers of one model, ready to be stimulated.

use std::ops::Range;
use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::US_PER_S;
use axonml_autodiff::engine::ObserverSpec;
use axonml_autodiff::engine::{
    BackendError, CancelToken, Drive, FiberState, FiberStatus, Outcome, Rates, Rollout,
    RolloutFiber, Start, TabulatedStep,
};
use axonml_autodiff::ir::Precision;
use axonml_core::error::short;
use axonml_core::{CoreError, TimeGrid};

use crate::built::BuiltFiber;
use crate::description::check_formulas;
use crate::lower::{LoweredModel, lower};
use crate::schema::Schema;
use crate::weights::Weights;
use crate::{
    Device, Fiber, FiberModel, InitialState, RateEvaluation, Settings, SimulationError, Stimulus,
    stability,
};

/// Step of steady-state runs on implicit cables, ms; explicit ones use their own step.
const WARMUP_DT_MS: f64 = 5.0;

/// A batch of fibers of one model with their cables built.
///
/// # Panics
/// Methods that take the index of a fiber panic if there is no such fiber.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub(crate) model: Arc<LoweredModel>,
    fibers: Vec<Fiber>,
    pub(crate) built: Vec<Arc<BuiltFiber>>,
    grid: TimeGrid,
    precision: Precision,
    rates: Rates,
    start: Start,
    device: Device,
    cancel: CancelToken,
}

/// Amplitudes of all that a [`Stimulus`] scales, mA (1 nA of an injected current is 1e-6 mA): one for all fibers, or one
/// per fiber.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Amplitudes {
    /// The same for all fibers.
    Same(f64),
    /// One per fiber.
    Each(Vec<f64>),
}

impl From<f64> for Amplitudes {
    fn from(amplitude_ma: f64) -> Self {
        Amplitudes::Same(amplitude_ma)
    }
}

impl From<Vec<f64>> for Amplitudes {
    fn from(amplitudes_ma: Vec<f64>) -> Self {
        Amplitudes::Each(amplitudes_ma)
    }
}

impl Amplitudes {
    pub(crate) fn per_fiber(self, fibers: usize) -> Result<Vec<f64>, CoreError> {
        let bad = |what: &str, found: String, expected: &str| {
            Err(CoreError::BadValue {
                what: what.into(),
                found,
                expected: expected.into(),
            })
        };
        let each = match self {
            Amplitudes::Same(amplitude) => vec![amplitude; fibers],
            Amplitudes::Each(each) if each.len() == fibers => each,
            Amplitudes::Each(each) => {
                return bad(
                    "the number of amplitudes",
                    each.len().to_string(),
                    "one per fiber",
                );
            }
        };
        match each.iter().find(|amplitude| !amplitude.is_finite()) {
            Some(amplitude) => bad(
                "the amplitude",
                amplitude.to_string(),
                "a finite number of mA",
            ),
            None => Ok(each),
        }
    }
}

/// Tables of the rates of a model's steps.
fn tables(
    lowered: &LoweredModel,
    grid: &TimeGrid,
    precision: Precision,
    device: &Device,
) -> Result<Rates, SimulationError> {
    let refused = |what: &str, found: String, expected: &str| {
        Err(SimulationError::Core(CoreError::BadValue {
            what: what.into(),
            found,
            expected: expected.into(),
        }))
    };
    if precision != Precision::F32 {
        return refused(
            "the precision of runs with tables of rates",
            precision.name().into(),
            "f32, the accuracy that tables have; or exact rates",
        );
    }
    if !device.has_tables() {
        return refused(
            "the device of runs with tables of rates",
            device.name(),
            "the CPU; or exact rates",
        );
    }
    Ok(Rates::Table(Arc::new(TabulatedStep::new(
        &lowered.membrane,
        &lowered.shared,
        lowered.v_reference_mv,
        grid.dt_ms(),
    ))))
}

impl Simulation {
    /// Builds the cables of `fibers`.
    ///
    /// # Errors
    /// [`SimulationError`] if the model is inconsistent, the weights of another one, a parameter unknown or beyond what
    /// physics admits, a fiber outside the model's range, the time grid impossible, an explicit step unstable at rest
    /// ([`SimulationError::Unstable`]), a steady-state run diverges, or tables of rates are asked for in double precision or
    /// of a device that has none.
    pub fn new(
        model: &dyn FiberModel,
        fibers: Vec<Fiber>,
        settings: &Settings,
        device: &Device,
    ) -> Result<Self, SimulationError> {
        let grid = TimeGrid::new(settings.dt_ms, settings.tstop_ms)?;
        let (lowered, built) = lower(model, &fibers, settings)?;
        if let Weights::File(file) = &settings.weights {
            check_formulas(file, model)?;
        }
        if !settings.allow_unstable {
            stability::check(&lowered, &fibers, &built, grid.dt_ms())?;
        }
        let rates = match settings.rates {
            RateEvaluation::Exact => Rates::Exact,
            // Without fibers nothing will run, and nothing need be made for it.
            RateEvaluation::Table if fibers.is_empty() => Rates::Exact,
            RateEvaluation::Table => tables(&lowered, &grid, settings.precision, device)?,
        };
        let declared = &lowered.schema.start;
        let start = Start::Uniform {
            v_mv: declared.v_mv,
            states: declared.states.clone(),
        };
        let mut simulation = Simulation {
            model: Arc::new(lowered),
            fibers,
            built,
            grid,
            precision: settings.precision,
            rates,
            start,
            device: device.clone(),
            cancel: settings.cancel.clone(),
        };
        if let InitialState::Settled { warmup_ms } = settings.start {
            simulation.start = Start::From(simulation.settle(warmup_ms)?);
        }
        Ok(simulation)
    }

    /// The states after `warmup_ms` without stimulus.
    fn settle(&self, warmup_ms: f64) -> Result<Vec<FiberState>, SimulationError> {
        let explicit = self
            .built
            .iter()
            .any(|fiber| matches!(*fiber.cable, Cable::Explicit(_)));
        let mut quiet = self.clone();
        // Steps of at most WARMUP_DT_MS that fill the warm-up; an explicit cable keeps its own.
        let dt_ms = match explicit {
            true => self.grid.dt_ms(),
            false => warmup_ms / (warmup_ms / WARMUP_DT_MS).ceil(),
        };
        quiet.grid = TimeGrid::new(dt_ms, warmup_ms)?;
        // Tables are those of the simulation's own steps.
        quiet.rates = Rates::Exact;
        let outcome = quiet.run(&Stimulus::none(self.fibers.len()), 0.0, &[])?;
        quiet
            .completed_states(outcome)
            .map_err(|error| SimulationError::Settling(Box::new(error)))
    }

    /// The same with some of its fibers, which may repeat; they share cables.
    pub(crate) fn select(&self, fibers: impl Iterator<Item = usize> + Clone) -> Simulation {
        Simulation {
            model: self.model.clone(),
            fibers: fibers.clone().map(|fiber| self.fibers[fiber]).collect(),
            built: fibers
                .clone()
                .map(|fiber| self.built[fiber].clone())
                .collect(),
            grid: self.grid,
            precision: self.precision,
            rates: self.rates.clone(),
            start: match &self.start {
                Start::From(states) => {
                    Start::From(fibers.map(|fiber| states[fiber].clone()).collect())
                }
                uniform => uniform.clone(),
            },
            device: self.device.clone(),
            cancel: self.cancel.clone(),
        }
    }

    /// The same simulation, whose runs, searches and gradients another token ends: for many questions to one simulation, of
    /// which each may be canceled.
    #[must_use]
    pub fn canceled_by(&self, cancel: CancelToken) -> Simulation {
        Simulation {
            cancel,
            ..self.clone()
        }
    }

    /// The model's declaration, with this simulation's parameters.
    pub fn schema(&self) -> &Schema {
        &self.model.schema
    }

    /// The fibers.
    pub fn fibers(&self) -> &[Fiber] {
        &self.fibers
    }

    /// Arithmetic.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Evaluation of rates: the tables, where there are some.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The time grid.
    pub fn grid(&self) -> &TimeGrid {
        &self.grid
    }

    /// The backend.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names of the variables of a [`FiberState`], in their order: the model's states, and what slow ones among them are handed
    /// on from step to step.
    pub fn variables(&self) -> &[String] {
        &self.model.membrane.states
    }

    /// The initial state of runs.
    ///
    /// # Errors
    /// [`SimulationError`] if the backend fails.
    pub fn initial_states(&self) -> Result<Vec<FiberState>, SimulationError> {
        let mut rollout = self.rollout(&Stimulus::none(self.fibers.len()), &[])?;
        rollout.steps = 0..0;
        self.completed_states(self.execute(&rollout)?)
    }

    /// z of the points of a fiber at which the extracellular potential is needed, um; its middle node lies at 0.
    pub fn sample_points_um(&self, fiber: usize) -> &[f64] {
        &self.built[fiber].sample_z_um
    }

    /// Refuses current sources inside a fiber, which would not be extracellular.
    fn check_outside(&self, stimulus: &Stimulus) -> Result<(), SimulationError> {
        let each = self.fibers.iter().zip(&self.built).enumerate();
        for (fiber, (given, built)) in each.take(stimulus.fibers()) {
            let radius_um = 0.5 * given.diameter_um;
            let [first_um, .., last_um] = built.sample_z_um[..] else {
                continue;
            };
            let distances = stimulus
                .fields(fiber)
                .filter_map(|field| field.axis_distance_um(first_um, last_um));
            if let Some(nearest_um) = distances.min_by(f64::total_cmp)
                && nearest_um < radius_um
            {
                return Err(SimulationError::Stimulus {
                    fiber,
                    source: CoreError::BadValue {
                        what: "the distance of a point source from the fiber's axis".into(),
                        found: format!("{} um", short(nearest_um)),
                        expected: format!(
                            "at least the fiber's radius, {} um; inject a current to act inside",
                            short(radius_um)
                        ),
                    },
                });
            }
        }
        Ok(())
    }

    /// Stability number of a fiber that is stepped explicitly, at the simulation's time step, while its membrane has
    /// this conductance, S/cm2: from 2 on steps amplify differences between neighbors. None where steps are implicit.
    pub fn stability(&self, fiber: usize, conductance_s_cm2: f64) -> Option<f64> {
        match &*self.built[fiber].cable {
            Cable::Explicit(cable) => {
                let conductance_us = US_PER_S * conductance_s_cm2 * cable.area_cm2;
                Some(cable.stability(self.grid.dt_ms(), conductance_us))
            }
            _ => None,
        }
    }

    /// z of a fiber's nodes, um.
    pub fn nodes_um(&self, fiber: usize) -> Vec<f64> {
        let built = &self.built[fiber];
        built
            .node_samples
            .iter()
            .map(|&sample| built.sample_z_um[sample])
            .collect()
    }

    /// z of one node of a fiber, um.
    pub(crate) fn node_um(&self, fiber: usize, node: usize) -> f64 {
        let built = &self.built[fiber];
        built.sample_z_um[built.node_samples[node]]
    }

    /// The cable of a fiber, for inspection of internodes (see [`Internode`](axonml_autodiff::cable::Internode)).
    pub fn cable(&self, fiber: usize) -> &Cable {
        &self.built[fiber].cable
    }

    /// Runs all steps from the initial state at the given amplitude (mA) of the extracellular sources.
    /// A fiber that diverges is not an error here: its status reports it.
    ///
    /// # Errors
    /// [`SimulationError`] if the stimulus or an observer does not fit the fibers.
    pub fn run(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        observers: &[ObserverSpec],
    ) -> Result<Outcome, SimulationError> {
        let mut rollout = self.rollout(stimulus, observers)?;
        rollout.drive.gains = self.gains(stimulus, amplitude_ma)?;
        self.execute(&rollout)
    }

    /// Resumes from `states` with the steps `steps` of the simulation's time grid: a run in parts equals the run in one
    /// piece up to rounding. [`Simulation::initial_states`] is the state before the first step.
    ///
    /// # Errors
    /// As [`Simulation::run`]; also if the states or steps do not fit.
    pub fn resume(
        &self,
        states: Vec<FiberState>,
        steps: Range<usize>,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        observers: &[ObserverSpec],
    ) -> Result<Outcome, SimulationError> {
        let mut rollout = self.rollout(stimulus, observers)?;
        rollout.drive.gains = self.gains(stimulus, amplitude_ma)?;
        rollout.start = Start::From(states);
        rollout.steps = steps;
        self.execute(&rollout)
    }

    /// The final states, or the first divergence as an error.
    ///
    /// # Errors
    /// [`SimulationError::Diverged`].
    pub fn completed_states(&self, outcome: Outcome) -> Result<Vec<FiberState>, SimulationError> {
        let mut states = Vec::with_capacity(outcome.fibers.len());
        for (fiber, result) in outcome.fibers.into_iter().enumerate() {
            if let Some(error) = self.divergence(fiber, result.status) {
                return Err(error);
            }
            states.push(result.state.ok_or(BackendError::NoResult { fiber })?);
        }
        Ok(states)
    }

    /// The error for a divergence, with its time.
    pub fn divergence(&self, fiber: usize, status: FiberStatus) -> Option<SimulationError> {
        match status {
            FiberStatus::Diverged {
                state,
                node,
                v_mv,
                stability,
            } => Some(SimulationError::Diverged {
                fiber,
                node,
                time_ms: self.grid.time_ms(state),
                v_mv,
                stability,
            }),
            FiberStatus::Completed | FiberStatus::Answered(_) | FiberStatus::Quiet(_) => None,
        }
    }

    /// Refuses a stimulus that [`Simulation::run`] would refuse, at a part of its cost.
    ///
    /// # Errors
    /// As [`Simulation::run`], as far as the stimulus is concerned.
    pub fn check_stimulus(&self, stimulus: &Stimulus) -> Result<(), SimulationError> {
        self.check_outside(stimulus)?;
        stimulus.check(&self.built, &self.grid)
    }

    /// The whole run as data, at an amplitude of 1 mA ([`Stimulus::scaling`] has the gains at others): for custom backends
    /// and for inspection.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn rollout(
        &self,
        stimulus: &Stimulus,
        observers: &[ObserverSpec],
    ) -> Result<Rollout, SimulationError> {
        self.check_outside(stimulus)?;
        let drive: Drive = stimulus.lower(&self.built, &self.grid, &self.cancel)?;
        Ok(Rollout {
            membrane: self.model.membrane.clone(),
            shared: self.model.shared.clone(),
            v_reference_mv: self.model.v_reference_mv,
            fibers: self
                .fibers
                .iter()
                .zip(&self.built)
                .map(|(fiber, built)| RolloutFiber {
                    cable: built.cable.clone(),
                    parameters: self.model.of_fiber(fiber, built),
                })
                .collect(),
            drive,
            grid: self.grid,
            steps: 0..self.grid.steps(),
            start: self.start.clone(),
            observers: observers.to_vec(),
            stop_when_active: None,
            quiet_end: None,
            final_states: true,
            precision: self.precision,
            rates: self.rates.clone(),
            scanned: Default::default(),
            cancel: self.cancel.clone(),
        })
    }

    /// The gains of every fiber's sources at these amplitudes, mA.
    pub(crate) fn gains(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
    ) -> Result<Vec<Vec<f64>>, CoreError> {
        let amplitudes_ma = amplitude_ma.into().per_fiber(self.fibers.len())?;
        let trials = amplitudes_ma.into_iter().enumerate();
        Ok(stimulus.scaling().gains_of(trials))
    }

    /// Runs a rollout on the simulation's device.
    pub(crate) fn execute(&self, rollout: &Rollout) -> Result<Outcome, SimulationError> {
        Ok(self.device.backend().run(rollout)?)
    }
}
