//! Gradients of rollouts: what a loss says about each fiber's run, and what comes back for it.
//!
//! A cotangent of a quantity is the derivative of the loss with respect to it. Losses are sums of one term per fiber, so
//! every cotangent is returned per fiber; what fibers share is the sum over them.

use crate::cable::{CableCotangent, Projection};
use crate::engine::{Binding, BoundProgram};
use crate::engine::{FiberOutcome, FiberState, Rollout};

/// Which cotangents are wanted; those of the initial state always come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GradientRequest {
    /// Of the membrane's parameters, shared and per fiber.
    pub parameters: bool,
    /// Of the numbers of the cables.
    pub cables: bool,
    /// Of the amplitudes.
    pub amplitudes: bool,
    /// Of every value of every waveform (amplitudes come with them).
    pub waveforms: bool,
    /// Of the projections of fields, and of space-time potentials.
    pub fields: bool,
}

impl GradientRequest {
    /// Everything.
    pub const ALL: GradientRequest = GradientRequest {
        parameters: true,
        cables: true,
        amplitudes: true,
        waveforms: true,
        fields: true,
    };
}

/// A loss that is a sum over fibers.
pub trait Objective: Sync {
    /// The term of fiber `fiber` (an index into the rollout's) from what its observers saw. Called once per fiber, from
    /// any thread; not for fibers that diverged.
    fn evaluate(&self, fiber: usize, outcome: &FiberOutcome) -> Evaluation;
}

impl<F: Fn(usize, &FiberOutcome) -> Evaluation + Sync> Objective for F {
    fn evaluate(&self, fiber: usize, outcome: &FiberOutcome) -> Evaluation {
        self(fiber, outcome)
    }
}

/// A fiber's term of the loss and its derivatives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The term.
    pub loss: f64,
    /// Derivatives with respect to what each observer recorded, in the observers' order; missing ones are zero, and only
    /// those of recorders may be there.
    pub recorded: Vec<Option<RecordedCotangent>>,
    /// Derivatives with respect to the state after the last step, if the loss depends on it.
    pub state: Option<FiberState>,
}

/// Derivatives of a loss with respect to a [`crate::engine::Recording`]; an empty array means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordedCotangent {
    /// By the voltages, `[row, node]` flattened, 1/mV.
    pub v_mv: Vec<f64>,
    /// By the states, one array like `v_mv` per recorded state.
    pub states: Vec<Vec<f64>>,
}

/// Running sums of the cotangents of the parameters of one fiber's membrane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterCotangents {
    /// Of the shared parameters.
    pub shared: Vec<f64>,
    /// Of the fiber's own.
    pub fiber: Vec<f64>,
    /// Of the reference potential.
    pub reference: f64,
}

impl ParameterCotangents {
    /// Zeros for fiber `fiber`.
    pub fn zero(rollout: &Rollout, fiber: usize) -> Self {
        ParameterCotangents {
            shared: vec![0.0; rollout.shared.len()],
            fiber: vec![0.0; rollout.fibers[fiber].parameters.len()],
            reference: 0.0,
        }
    }

    /// Adds what the inputs of a bound program of fiber `fiber` collect when its outputs have collected `bars`; `u`
    /// stands for the voltage. Returns the cotangent of `u`.
    pub fn pull(
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

/// Cotangents of one source of one fiber; empty where not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceCotangent {
    /// Of every value of its waveform, `[step]` of the whole run; zero outside the steps taken.
    pub waveform: Vec<f64>,
    /// Of its projection.
    pub projection: Option<Projection>,
    /// Of its potentials at the sample points, mV per unit, as they act through the projection; of space-time
    /// potentials, `[step, sample]` flattened.
    pub potentials: Vec<f64>,
}

/// Cotangents of everything that one fiber's run depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Cotangents {
    /// The fiber's term of the loss.
    pub loss: f64,
    /// Of the shared parameters of the rollout, through this fiber; empty if not asked for.
    pub shared: Vec<f64>,
    /// Of the fiber's own parameters; empty if not asked for.
    pub parameters: Vec<f64>,
    /// Of the reference potential at fixed membrane potentials outside the run; 0 if parameters were not asked for.
    pub v_reference: f64,
    /// Of the fiber's cable.
    pub cable: Option<CableCotangent>,
    /// Of the fiber's amplitude.
    pub amplitude: f64,
    /// Of its sources, in their order.
    pub sources: Vec<SourceCotangent>,
    /// Of the state it started from. Of a uniform start whose states are the steady ones, parameters act through these as
    /// well: that is in `shared` and `parameters`.
    pub start: FiberState,
    /// Of the membrane potential of a uniform start, its steady states included; 0 for other starts.
    pub uniform_v: f64,
}

impl Cotangents {
    /// Whether every number is finite, the loss included.
    pub fn is_finite(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|x| x.is_finite());
        let own = [self.loss, self.v_reference, self.amplitude, self.uniform_v];
        let of_source = |source: &SourceCotangent| {
            let projected = source.projection.as_ref();
            finite(&source.waveform)
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

/// What differentiating one fiber's run gave.
#[derive(Clone, Debug, PartialEq)]
pub enum FiberGradient {
    /// The cotangents.
    Found(Box<Cotangents>),
    /// The run diverged (see its status): there is nothing to differentiate.
    Diverged,
    /// On the way back a cotangent was no longer finite, or the loss is not.
    NonFinite {
        /// The latest state whose cotangents are not finite; the first of the run where only the loss or sums over nodes
        /// and steps are not.
        state: usize,
        /// First node with such a cotangent, a mode counting to the node on its left; none for the loss and for sums.
        node: Option<usize>,
    },
}

impl FiberGradient {
    /// The cotangents, if there are any.
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
    /// The run, as [`crate::engine::Backend::run`] gives it.
    pub outcome: FiberOutcome,
    /// Its derivative.
    pub gradient: FiberGradient,
}
