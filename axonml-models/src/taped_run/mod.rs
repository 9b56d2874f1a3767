//! A run as one operation on a tape, from stimuli, parameters and states to trajectories; losses of trajectories are
//! differentiated by all of these inputs.

mod inputs;
mod layout;
mod thresholds;
mod vjp;

use std::ops::Range;

use axonml_autodiff::engine::{NodeSelection, ObserverKind, ObserverSpec};
use axonml_autodiff::tape::{GradientTape, Tensor, TensorError};
use ndarray::{Array2, ArrayD};
use thiserror::Error;

use crate::{Simulation, SimulationError, Stimulus};
use layout::Layout;

pub use thresholds::TapedThresholds;

/// Errors of a run on a tape.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TapedRunError {
    /// An earlier operation on the tape failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The run cannot be set up, or a fiber diverged.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A fiber has no activation threshold.
    #[error(
        "{}fiber {fiber} has no threshold ({status}): leave it out, search up to a larger amplitude, or state a value in \
         its place",
        candidate.map_or(String::new(), |candidate| format!("candidate {candidate}: "))
    )]
    NoThreshold {
        /// 0-based index of the row of gains, where there are several.
        candidate: Option<usize>,
        /// 0-based index of the fiber.
        fiber: usize,
        /// The reason, see [`crate::Threshold::status`].
        status: &'static str,
    },
}

/// Builder of a run on a tape; see [`Simulation::on_tape`].
/// The defaults are those of the simulation and the stimulus: amplitude 1 mA, the whole run from the simulation's
/// start, the voltage of all nodes at every state.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `run`"]
pub struct TapedRun<'s, 't> {
    simulation: &'s Simulation,
    tape: &'t GradientTape,
    stimulus: &'s Stimulus,
    amplitudes: Option<Tensor<'t>>,
    gains: Option<Tensor<'t>>,
    waveforms: Option<Tensor<'t>>,
    potentials: Option<Tensor<'t>>,
    space_time: Option<Tensor<'t>>,
    parameters: Option<Tensor<'t>>,
    start: Option<StateTensors<'t>>,
    steps: Range<usize>,
    nodes: NodeSelection,
    states: Vec<String>,
    every: usize,
    last: bool,
}

/// The states of all fibers at one time.
#[derive(Clone, Copy, Debug)]
pub struct StateTensors<'t> {
    /// Membrane potentials, mV, `[fiber, node]`.
    pub v_mv: Tensor<'t>,
    /// State variables, `[fiber, state, node]`.
    pub states: Tensor<'t>,
    /// Amplitudes of internodal modes, nA, `[fiber, mode]`, internode by internode; none without internodes.
    pub modes: Tensor<'t>,
}

/// The results of a run.
#[derive(Clone, Debug)]
pub struct Trajectories<'t> {
    /// Times of the rows, ms. A run that resumes from given states does not repeat these.
    pub t_ms: Vec<f64>,
    /// Membrane potentials, mV, `[fiber, row, node]`.
    pub v_mv: Tensor<'t>,
    /// The recorded states, each `[fiber, row, node]`.
    pub states: Vec<Tensor<'t>>,
    /// The states after the last step, if requested.
    pub last: Option<StateTensors<'t>>,
}

impl Simulation {
    /// A run under `stimulus` as one operation on `tape`.
    ///
    /// ```
    /// # use axonml_models::{Device, Fiber, NodeSelection, Settings, Simulation, Stimulus, model};
    /// # use axonml_models::tape::GradientTape;
    /// # use axonml_core::{Medium, PointSource, Waveform};
    /// # use std::sync::Arc;
    /// # let settings = Settings { tstop_ms: 0.5, ..Settings::default() };
    /// # let simulation = Simulation::new(&model("mrg")?, vec![Fiber::new(10.0, 11)], &settings, &Device::cpu()?)?;
    /// # let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
    /// # let stimulus = Stimulus::uniform(1, Arc::new(electrode), Waveform::monophasic(0.1)?);
    /// // The derivative of the peak voltage at the middle node by the amplitude.
    /// let tape = GradientTape::new();
    /// let amplitude_ma = tape.variable(ndarray::array![-0.05]);
    /// let run = simulation.on_tape(&tape, &stimulus).amplitudes(amplitude_ma);
    /// let run = run.record(NodeSelection::Nodes(vec![5]), &[], 1).run()?;
    /// let highest_mv = run.v_mv.max_axis(1).sum();
    /// let by_amplitude = tape.backward(highest_mv)?.of(amplitude_ma)?;
    /// assert!(by_amplitude[0] < 0.0, "a cathode depolarizes");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_tape<'s, 't>(
        &'s self,
        tape: &'t GradientTape,
        stimulus: &'s Stimulus,
    ) -> TapedRun<'s, 't> {
        TapedRun {
            simulation: self,
            tape,
            stimulus,
            amplitudes: None,
            gains: None,
            waveforms: None,
            potentials: None,
            space_time: None,
            parameters: None,
            start: None,
            steps: 0..self.grid().steps(),
            nodes: NodeSelection::All,
            states: Vec::new(),
            every: 1,
            last: false,
        }
    }
}

impl<'s, 't> TapedRun<'s, 't> {
    /// Amplitudes of the extracellular sources, mA: `[fiber]`, or one number for all.
    pub fn amplitudes(mut self, amplitudes_ma: Tensor<'t>) -> Self {
        self.amplitudes = Some(amplitudes_ma);
        self
    }

    /// Gains of the stimulus's sources, `[fiber, source]`: the amplitude multiplies them, and they multiply the sources.
    /// The sources are those that an amplitude scales, of every fiber the same number: extracellular ones, then
    /// injections.
    pub fn gains(mut self, gains: Tensor<'t>) -> Self {
        self.gains = Some(gains);
        self
    }

    /// The values of the stimulus's waveforms at every step, `[waveform, step]`, numbered as they are first used: fiber
    /// by fiber, of each its extracellular sources before its injections. Sources that share an `Arc` share a row.
    pub fn waveforms(mut self, waveforms: Tensor<'t>) -> Self {
        self.waveforms = Some(waveforms);
        self
    }

    /// The potentials of the stimulus's fields at the sample points ([`Simulation::sample_points_um`]), mV per unit,
    /// `[fiber, source, sample]`: they replace those of the fields.
    pub fn potentials(mut self, potentials_mv: Tensor<'t>) -> Self {
        self.potentials = Some(potentials_mv);
        self
    }

    /// One more source for every fiber: potentials at every step and sample point, mV per mA of amplitude,
    /// `[fiber, step, sample]`.
    pub fn space_time(mut self, potentials_mv: Tensor<'t>) -> Self {
        self.space_time = Some(potentials_mv);
        self
    }

    /// Differentiates by the model's parameters, `[parameter]` in the order of [`Schema::parameters`](crate::Schema::parameters). The
    /// simulation must have been built with these values. A steady-state initial state does not move with them.
    pub fn parameters(mut self, parameters: Tensor<'t>) -> Self {
        self.parameters = Some(parameters);
        self
    }

    /// Resumes from states, such as [`Trajectories::last`] of a run of the steps before.
    pub fn start(mut self, start: StateTensors<'t>) -> Self {
        self.start = Some(start);
        self
    }

    /// Restricts the run to these steps of the simulation's time grid.
    pub fn steps(mut self, steps: Range<usize>) -> Self {
        self.steps = steps;
        self
    }

    /// Records voltage and `states` at `nodes` every `every` steps.
    pub fn record(mut self, nodes: NodeSelection, states: &[&str], every: usize) -> Self {
        self.nodes = nodes;
        self.states = states.iter().map(|&name| name.to_owned()).collect();
        self.every = every;
        self
    }

    /// Returns the states after the last step as well; the fibers must have equally many nodes.
    pub fn keep_last(mut self) -> Self {
        self.last = true;
        self
    }

    /// Runs. The run is repeated when a derivative is requested, so that no trajectory is stored in between.
    ///
    /// # Errors
    /// [`TapedRunError::Tensor`] if an error was noted on the tape before; [`TapedRunError::Simulation`] as
    /// [`Simulation::run`], if shapes or parameters do not fit, if the recorded arrays differ in size between fibers,
    /// or if a fiber diverges.
    pub fn run(self) -> Result<Trajectories<'t>, TapedRunError> {
        let kind = ObserverKind::Recorder {
            states: self.states.clone(),
            every: self.every,
        };
        let recorder = ObserverSpec::new(kind, self.nodes.clone());
        let mut given = self.given(&[recorder])?;
        given.rollout.final_states = self.last;
        let outcome = self.simulation.execute(&given.rollout)?;
        for (fiber, result) in outcome.fibers.iter().enumerate() {
            if let Some(error) = self.simulation.divergence(fiber, result.status) {
                return Err(error.into());
            }
        }
        let layout = Layout::new(&outcome.fibers, self.last)?;
        let mut flat = Array2::zeros((outcome.fibers.len(), layout.len()));
        for (mut row, result) in flat.outer_iter_mut().zip(&outcome.fibers) {
            row.assign(&layout.flatten(result));
        }

        let (operands, given) = self.operands(given);
        let kept = layout.clone();
        let vjp = move |bar: &ArrayD<f64>| given.run_vjp(&kept, bar);
        let tape = self.tape;
        let flat = tape.operation("simulate", &operands, flat.into_dyn(), vjp);
        Ok(layout.tensors(flat, outcome.fibers.len()))
    }
}
