//! Errors of simulations.

use axonml_autodiff::cable::ExplicitCable;
use axonml_autodiff::engine::{BackendError, LARGEST_MV};
use axonml_autodiff::ir::TraceError;
use axonml_core::error::short;
use axonml_core::{CoreError, format_ms};
use thiserror::Error;

use crate::Instability;
use crate::weights::ModelFileError;

/// Errors of setting up or running a simulation.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SimulationError {
    /// A waveform, field, name or number is invalid.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The weights do not fit the model.
    #[error(transparent)]
    Weights(#[from] ModelFileError),
    /// The model's definition is invalid.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The backend refused or failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A fiber is invalid: its diameter, number of nodes or compartment length.
    #[error("fiber {fiber}: {problem}")]
    Fiber {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// The problem, the expected value, and the remedy.
        problem: String,
    },
    /// A model's geometry is invalid for a fiber.
    #[error("{fiber}: {problem}; choose another diameter or other geometry parameters")]
    Geometry {
        /// Description of the fiber.
        fiber: String,
        /// The problem.
        problem: String,
    },
    /// Passive ends of a model whose cable has none in this version.
    #[error(
        "model `{model}` has {cable}, for which there are no passive ends yet: fibers with an implicit single cable have \
         them, as sundt, tigerholm or sweeney; choose one of these, or active ends (--ends active)"
    )]
    PassiveEnds {
        /// The model.
        model: String,
        /// Its cable.
        cable: &'static str,
    },
    /// The stimulus of a fiber does not fit it.
    #[error("fiber {fiber}: {source}")]
    Stimulus {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// The problem.
        source: CoreError,
    },
    /// A fiber that is stepped explicitly is unstable even at rest.
    #[error("fiber {fiber}: {instability}")]
    Unstable {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// The stability limit and stable settings.
        instability: Box<Instability>,
    },
    /// The solution of a fiber diverged (non-finite voltage or unstable explicit step).
    #[error(
        "fiber {fiber} diverged at {} ms, node {node} ({}); {}",
        format_ms(*time_ms),
        describe_divergence(*v_mv, *stability), divergence_remedy(*stability)
    )]
    Diverged {
        /// 0-based index of the fiber.
        fiber: usize,
        /// 0-based node.
        node: usize,
        /// Time of the first bad state, ms.
        time_ms: f64,
        /// Membrane potential there, mV.
        v_mv: f64,
        /// Stability number of the explicit step, where that was the reason.
        stability: Option<f64>,
    },
    /// The amplitude given as a fiber's threshold is not its threshold.
    #[error(
        "fiber {fiber}: {} mA is not its threshold: {problem}; search for it first",
        short(*amplitude_ma)
    )]
    NoThreshold {
        /// 0-based index of the fiber.
        fiber: usize,
        /// The amplitude, mA.
        amplitude_ma: f64,
        /// The response at that amplitude.
        problem: String,
    },
    /// The run of a candidate's fiber failed.
    #[error("candidate {candidate}: {source}")]
    Candidate {
        /// 0-based row of the gains.
        candidate: usize,
        /// The problem.
        source: Box<SimulationError>,
    },
    /// A derivative became non-finite during the adjoint pass.
    #[error(
        "the derivative of fiber {fiber} is not a finite number at {} ms{}: shorten the run, or use f64",
        format_ms(*time_ms),
        node.map(|node| format!(", node {node}")).unwrap_or_default()
    )]
    GradientNotFinite {
        /// 0-based index of the fiber.
        fiber: usize,
        /// 0-based node, where one can be named.
        node: Option<usize>,
        /// Time of the latest state whose derivative is not finite, ms.
        time_ms: f64,
    },
    /// A fiber diverged while its initial state was being found.
    #[error("during the steady-state initialization (time counts from its start): {0}")]
    Settling(#[source] Box<SimulationError>),
    /// No backend can serve the request.
    #[error("{0}")]
    Device(String),
}

impl SimulationError {
    /// Whether work ended because its [`CancelToken`](crate::CancelToken) was canceled.
    pub fn is_canceled(&self) -> bool {
        match self {
            SimulationError::Backend(BackendError::Canceled) => true,
            SimulationError::Settling(error) => error.is_canceled(),
            _ => false,
        }
    }
}

/// Describes the divergence in numbers.
fn describe_divergence(v_mv: f64, stability: Option<f64>) -> String {
    let v = match v_mv.is_finite() && v_mv.abs() >= 1e6 {
        true => format!("v = {v_mv:.4e} mV"),
        false => format!("v = {v_mv:.1} mV"),
    };
    match stability {
        Some(stability) => format!(
            "{v}; steps with a stability number above {} (here {stability:.2}) amplify differences between nodes",
            ExplicitCable::STABLE
        ),
        None if v_mv.abs() > LARGEST_MV => format!("{v} exceeds {LARGEST_MV} mV"),
        None => format!("{v}, or a state there, is not a finite number"),
    }
}

fn divergence_remedy(stability: Option<f64>) -> &'static str {
    match stability {
        Some(_) => {
            "the explicit step is unstable: reduce dt or, for unmyelinated fibers, lengthen the compartments"
        }
        None => "reduce dt or the stimulus amplitude",
    }
}
