//! Errors of simulations.

use axonml_autodiff::cable::ExplicitCable;
use axonml_autodiff::engine::{BackendError, LARGEST_MV};
use axonml_autodiff::ir::TraceError;
use axonml_core::error::short;
use axonml_core::{CoreError, told_ms};
use thiserror::Error;

use crate::Instability;
use crate::weights::ModelFileError;

/// Why a simulation could not be set up or run.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SimulationError {
    /// A waveform, field, name or number is wrong.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The weights do not fit the model.
    #[error(transparent)]
    Weights(#[from] ModelFileError),
    /// The model's definition is wrong.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The backend refused or failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A fiber is wrong: its diameter, number of nodes or compartment length.
    #[error("fiber {fiber}: {problem}")]
    Fiber {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// What is wrong, what was expected, and the remedy.
        problem: String,
    },
    /// A model's geometry makes no sense for a fiber.
    #[error("{fiber}: {problem}; choose another diameter or other geometry parameters")]
    Geometry {
        /// The fiber in words.
        fiber: String,
        /// What came out.
        problem: String,
    },
    /// The stimulus of a fiber does not fit it.
    #[error("fiber {fiber}: {source}")]
    Stimulus {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// What is wrong.
        source: CoreError,
    },
    /// A fiber that is stepped explicitly is unstable even at rest.
    #[error("fiber {fiber}: {instability}")]
    Unstable {
        /// 0-based index of the fiber in the request.
        fiber: usize,
        /// By how much, and what would do.
        instability: Box<Instability>,
    },
    /// The numbers of a fiber became meaningless.
    #[error(
        "fiber {fiber} diverged at {} ms, node {node} ({}); {}",
        told_ms(*time_ms),
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
    /// What was given as a fiber's threshold is none.
    #[error(
        "fiber {fiber}: {} mA is not its threshold: {problem}; search for it first",
        short(*amplitude_ma)
    )]
    NoThreshold {
        /// 0-based index of the fiber.
        fiber: usize,
        /// The amplitude, mA.
        amplitude_ma: f64,
        /// What happens there.
        problem: String,
    },
    /// A derivative is no longer finite on the way back from the end of the run.
    #[error(
        "the derivative of fiber {fiber} is not a finite number at {} ms{}: shorten the run, or use f64",
        told_ms(*time_ms),
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
    #[error(
        "while the fibers settled before the run (time counts from the beginning of the warm-up): {0}"
    )]
    Settling(#[source] Box<SimulationError>),
    /// No backend can do what was asked.
    #[error("{0}")]
    Device(String),
}

/// What went wrong, in numbers.
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
