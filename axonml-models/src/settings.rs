//! Fibers, initial states, and the settings of a simulation.

use std::str::FromStr;

use axonml_autodiff::engine::CancelToken;
use axonml_autodiff::ir::Precision;
use axonml_core::CoreError;

use crate::Ends;
use crate::schema::DeclaredStart;
use crate::weights::Weights;

/// A fiber to simulate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fiber {
    /// Fiber diameter (myelin included where there is any), um.
    pub diameter_um: f64,
    /// Number of nodes of Ranvier, or of compartments of an unmyelinated fiber, with both ends; >= 3, or 5 with
    /// [`Ends::Passive`].
    pub nodes: usize,
    /// Length of a compartment, um, where the model lets users choose it.
    pub compartment_um: Option<f64>,
}

impl Fiber {
    /// A fiber with the model's own compartment length.
    pub fn new(diameter_um: f64, nodes: usize) -> Self {
        Fiber {
            diameter_um,
            nodes,
            compartment_um: None,
        }
    }
}

/// The initial state of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum InitialState {
    /// The published initial state: one voltage everywhere, states at their steady state (or as published).
    #[default]
    Declared,
    /// The steady state: the state reached from the published one without stimulus after this duration, ms.
    Settled {
        /// Duration of the steady-state initialization, ms.
        warmup_ms: f64,
    },
}

/// How the functions of the membrane potential in a membrane's step are evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RateEvaluation {
    /// By their formulas.
    #[default]
    Exact,
    /// From piecewise polynomials, each proven to differ from its function by at most
    /// [`TABLE_TOLERANCE`](crate::TABLE_TOLERANCE) of the gate's largest update; functions that none fits so well stay exact.
    /// Single precision on the CPU only; gradients use the formulas.
    Table,
}

impl RateEvaluation {
    /// `exact` or `table`, as the command line and result files spell it.
    pub fn name(self) -> &'static str {
        match self {
            RateEvaluation::Exact => "exact",
            RateEvaluation::Table => "table",
        }
    }
}

impl FromStr for RateEvaluation {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "exact" => Ok(RateEvaluation::Exact),
            "table" => Ok(RateEvaluation::Table),
            _ => Err(CoreError::BadValue {
                what: "evaluation of rates".into(),
                found: text.into(),
                expected: "exact or table".into(),
            }),
        }
    }
}

/// Settings of a simulation; `Default` is dt 0.005 ms, tstop 5 ms, f64, exact rates, the model's default weights, its start and active ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Time step, ms.
    pub dt_ms: f64,
    /// Duration, ms.
    pub tstop_ms: f64,
    /// Arithmetic.
    pub precision: Precision,
    /// Evaluation of rates.
    pub rates: RateEvaluation,
    /// Weights of the model: its default weights unless others are chosen.
    pub weights: Weights,
    /// Parameters that differ from those: (`name` or `group.name`, value).
    pub parameters: Vec<(String, f64)>,
    /// Temperature, degrees Celsius, if not that of the weights or the model.
    pub celsius: Option<f64>,
    /// The state that [`InitialState::Declared`] means, if not the one that the weights or the model declare.
    pub declared: Option<DeclaredStart>,
    /// How fibers end: as models have it, or with passive ends (implicit single cables).
    pub ends: Ends,
    /// Initial state.
    pub start: InitialState,
    /// Whether fibers whose explicit step is unstable at rest are run all the same, to diverge when a step is unusable,
    /// instead of being refused: for trainings, which must see how bad a candidate is.
    pub allow_unstable: bool,
    /// Ends runs, threshold searches and gradients of the simulation early, with an error that
    /// [`SimulationError::is_canceled`](crate::SimulationError::is_canceled).
    pub cancel: CancelToken,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            dt_ms: 0.005,
            tstop_ms: 5.0,
            precision: Precision::F64,
            rates: RateEvaluation::Exact,
            weights: Weights::Default,
            parameters: Vec::new(),
            celsius: None,
            declared: None,
            ends: Ends::Active,
            start: InitialState::Declared,
            allow_unstable: false,
            cancel: CancelToken::default(),
        }
    }
}
