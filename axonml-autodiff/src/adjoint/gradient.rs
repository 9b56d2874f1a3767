//! Gradients of rollouts: the objective with its seed cotangents, the request, and the cotangents of every input.
//!
//! A cotangent of a quantity is the derivative of the loss with respect to it. Losses are sums of one term per fiber,
//! so every cotangent is returned per fiber; cotangents of inputs that fibers share are to be summed over fibers.

use crate::cable::{CableCotangent, Projection};
use crate::engine::{Binding, BoundProgram};
use crate::engine::{FiberOutcome, FiberState, Rollout};

/// Selects the cotangents that [`Backend::differentiate`](crate::engine::Backend::differentiate) computes; those of the initial state are
/// always computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GradientRequest {
    /// Cotangents of the membrane's parameters, shared and per fiber.
    pub parameters: bool,
    /// Cotangents of the cable coefficients.
    pub cables: bool,
    /// Cotangents of the gains of sources.
    pub gains: bool,
    /// Cotangents of every value of every waveform (those of gains come with them).
    pub waveforms: bool,
    /// Cotangents of the projections of fields, and of space-time potentials.
    pub fields: bool,
}

impl GradientRequest {
    /// Requests every cotangent.
    pub const ALL: GradientRequest = GradientRequest {
        parameters: true,
        cables: true,
        gains: true,
        waveforms: true,
        fields: true,
    };
}

/// A loss that is a sum over fibers.
pub trait Objective: Sync {
    /// Returns the term of fiber `fiber` (an index into the rollout's) and its seed cotangents, from its observations.
    /// Called once per fiber, from any thread; not for fibers that diverged.
    fn evaluate(&self, fiber: usize, outcome: &FiberOutcome) -> Evaluation;
}

impl<F: Fn(usize, &FiberOutcome) -> Evaluation + Sync> Objective for F {
    fn evaluate(&self, fiber: usize, outcome: &FiberOutcome) -> Evaluation {
        self(fiber, outcome)
    }
}

/// A fiber's term of the loss with its derivatives, the seed cotangents of the adjoint pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Value of the term.
    pub loss: f64,
    /// Seed cotangents of each observer's recording, in the observers' order; missing ones are zero, and only recorders
    /// may have any.
    pub recorded: Vec<Option<RecordedCotangent>>,
    /// Derivatives with respect to the state after the last step, if the loss depends on it.
    pub state: Option<FiberState>,
}

/// Derivatives of a loss with respect to a [`Recording`](crate::engine::Recording); an empty array means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedCotangent {
    /// Cotangents of the voltages, `[row, node]` flattened, 1/mV.
    pub v_mv: Vec<f64>,
    /// Cotangents of the states, one array like `v_mv` per recorded state.
    pub states: Vec<Vec<f64>>,
}

/// Accumulators of the cotangents of one fiber's membrane parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterCotangents {
    /// Cotangents of the shared parameters.
    pub shared: Vec<f64>,
    /// Cotangents of the fiber's own parameters.
    pub fiber: Vec<f64>,
    /// Cotangent of the reference potential, 1/mV.
    pub reference: f64,
}

impl ParameterCotangents {
    /// Returns zeros for fiber `fiber`.
    pub fn zero(rollout: &Rollout, fiber: usize) -> Self {
        ParameterCotangents {
            shared: vec![0.0; rollout.shared.len()],
            fiber: vec![0.0; rollout.fibers[fiber].parameters.len()],
            reference: 0.0,
        }
    }

    /// Accumulates the vector-Jacobian product (VJP) of a bound program of fiber `fiber` with output cotangents `bars`;
    /// `u` stands for the voltage. Returns the cotangent of `u`.
    pub fn vjp(
        &mut self,
        rollout: &Rollout,
        fiber: usize,
        bound: &BoundProgram,
        u: f64,
        bars: &[f64],
    ) -> f64 {
        let constants = rollout.constants(&bound.bindings, fiber);
        let mut inputs: Vec<f64> = constants.into_iter().map(|c| c.unwrap_or(u)).collect();
        inputs.extend(bars);
        let mut of_u = 0.0;
        for (binding, bar) in bound.bindings.iter().zip(bound.adjoint().eval(&inputs)) {
            match *binding {
                Binding::Shared(index) => self.shared[index] += bar,
                Binding::Fiber(index) => self.fiber[index] += bar,
                Binding::Reference => self.reference += bar,
                Binding::U => of_u += bar,
                Binding::Dt | Binding::State(_) => {}
            }
        }
        of_u
    }
}

/// Cotangents of one source of one fiber; zero or empty where not requested.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceCotangent {
    /// Cotangent of its gain.
    pub gain: f64,
    /// Cotangents of every value of its waveform, `[step]` of the whole run; zero outside the steps taken.
    pub waveform: Vec<f64>,
    /// Cotangent of its projection.
    pub projection: Option<Projection>,
    /// Cotangents of its potentials at the sample points (which are in mV per unit), as they act through the
    /// projection; of space-time potentials, `[step, sample]` flattened.
    pub potentials: Vec<f64>,
}

/// Cotangents of every input that one fiber's run depends on.
///
/// # Shape
/// Every array has the shape of the input that it belongs to.
///
/// # Units
/// A cotangent has the unit of the loss over the unit of its input; the loss is a pure number here.
#[derive(Clone, Debug, PartialEq)]
pub struct Cotangents {
    /// The fiber's term of the loss.
    pub loss: f64,
    /// Cotangents of the shared parameters of the rollout, through this fiber; empty if not requested.
    pub shared: Vec<f64>,
    /// Cotangents of the fiber's own parameters; empty if not requested.
    pub parameters: Vec<f64>,
    /// Cotangent of the reference potential at fixed membrane potentials outside the run, 1/mV; 0 if parameters were
    /// not requested.
    pub v_reference: f64,
    /// Cotangents of the fiber's cable coefficients.
    pub cable: Option<CableCotangent>,
    /// Cotangents of its sources, in their order.
    pub sources: Vec<SourceCotangent>,
    /// Cotangents of the state it started from. If a uniform start takes the steady states, parameters act through
    /// these as well: `shared` and `parameters` contain that part.
    pub start: FiberState,
    /// Cotangent of the membrane potential of a uniform start, its steady states included, 1/mV; 0 for other starts.
    pub uniform_v: f64,
}

impl Cotangents {
    /// Returns whether every number is finite, the loss included.
    pub fn is_finite(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|x| x.is_finite());
        let own = [self.loss, self.v_reference, self.uniform_v];
        let of_source = |source: &SourceCotangent| {
            let projected = source.projection.as_ref();
            source.gain.is_finite()
                && finite(&source.waveform)
                && finite(&source.potentials)
                && projected.is_none_or(|p| finite(&p.nodes_na) && finite(&p.modes))
        };
        finite(&own)
            && finite(&self.shared)
            && finite(&self.parameters)
            && self.cable.as_ref().is_none_or(CableCotangent::is_finite)
            && self.sources.iter().all(of_source)
            && finite(&self.start.v_mv)
            && finite(&self.start.modes)
            && self.start.states.iter().all(|values| finite(values))
    }
}

/// Result of differentiating one fiber's run.
#[derive(Clone, Debug, PartialEq)]
pub enum FiberGradient {
    /// The cotangents.
    Found(Box<Cotangents>),
    /// The run diverged (see its status): there is nothing to differentiate.
    Diverged,
    /// A cotangent became NaN or infinite during the adjoint pass, or the loss is.
    NonFinite {
        /// The latest state whose cotangents are not finite; the first of the run where only the loss or accumulators
        /// over nodes and steps are not.
        state: usize,
        /// First node with such a cotangent, a mode counting to the node on its left; none for the loss and for sums.
        node: Option<usize>,
    },
}

impl FiberGradient {
    /// Returns the cotangents, if there are any.
    pub fn found(&self) -> Option<&Cotangents> {
        match self {
            FiberGradient::Found(cotangents) => Some(cotangents),
            FiberGradient::Diverged | FiberGradient::NonFinite { .. } => None,
        }
    }
}

/// The run of one fiber and its derivative.
#[derive(Clone, Debug, PartialEq)]
pub struct Differentiated {
    /// The run, as [`Backend::run`](crate::engine::Backend::run) gives it.
    pub outcome: FiberOutcome,
    /// Its derivative.
    pub gradient: FiberGradient,
}
