//! Symbolic definition of one patch of membrane by a fiber model.

use crate::ir::Expr;

/// The parts of a fiber that can carry a membrane of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SectionKind {
    /// Node of Ranvier.
    Node,
    /// Myelin attachment segment (paranode next to the node).
    Mysa,
    /// Paranodal main segment.
    Flut,
    /// Internodal segment.
    Stin,
    /// Compartment of an unmyelinated fiber.
    Compartment,
    /// First or last node without channels, as some published fibers end.
    PassiveEnd,
}

/// How one state variable of the membrane moves over a time step.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum StateUpdate<'t> {
    /// `x' = alpha (1 - x) - beta x`, rates in 1/ms; stepped by its exact exponential solution at fixed voltage.
    AlphaBeta {
        /// Opening rate, 1/ms.
        alpha: Expr<'t>,
        /// Closing rate, 1/ms.
        beta: Expr<'t>,
    },
    /// `x' = (inf - x)/tau`, `tau` in ms; stepped by its exact exponential solution at fixed voltage.
    InfTau {
        /// Steady state.
        inf: Expr<'t>,
        /// Time constant, ms.
        tau: Expr<'t>,
    },
    /// `x' = rate`, stepped explicitly (concentrations): `x + dt * rate`, the rate at the voltage and states before the
    /// step, as NEURON does. These states move before the gates do, which see their new values.
    Ode {
        /// Start value.
        start: Expr<'t>,
        /// Time derivative, per ms.
        rate: Expr<'t>,
    },
}

/// Currents and state updates of one membrane patch, built up by a model.
///
/// Currents are densities in mA/cm2, outward positive; conductances are S/cm2 and potentials mV.
#[derive(Clone, Debug, Default)]
pub struct Membrane<'t> {
    ohmic: Vec<(Expr<'t>, Expr<'t>)>,
    currents: Vec<Expr<'t>>,
    states: Vec<(String, StateUpdate<'t>)>,
}

impl<'t> Membrane<'t> {
    /// Creates a membrane without channels.
    pub fn new() -> Self {
        Membrane {
            ohmic: Vec::new(),
            currents: Vec::new(),
            states: Vec::new(),
        }
    }

    /// Adds the current `conductance * (v - reversal)`: S/cm2 and mV. The implicit solvers take it exactly.
    #[must_use]
    pub fn ohmic(mut self, conductance: Expr<'t>, reversal: Expr<'t>) -> Self {
        self.ohmic.push((conductance, reversal));
        self
    }

    /// Adds any other outward current density, mA/cm2, as an expression of voltage and states; the implicit
    /// solvers linearize it in the voltage by its tangent program.
    #[must_use]
    pub fn current(mut self, density: Expr<'t>) -> Self {
        self.currents.push(density);
        self
    }

    /// Adds a gating variable with opening rate `alpha` and closing rate `beta`, both 1/ms.
    #[must_use]
    pub fn gate(mut self, name: &str, alpha: Expr<'t>, beta: Expr<'t>) -> Self {
        self.states
            .push((name.to_owned(), StateUpdate::AlphaBeta { alpha, beta }));
        self
    }

    /// Adds a gating variable with steady state `inf` and time constant `tau` in ms.
    #[must_use]
    pub fn gate_inf_tau(mut self, name: &str, inf: Expr<'t>, tau: Expr<'t>) -> Self {
        self.states
            .push((name.to_owned(), StateUpdate::InfTau { inf, tau }));
        self
    }

    /// Adds a state with value `start` at rest and the time derivative `rate` per ms.
    #[must_use]
    pub fn ode(mut self, name: &str, start: Expr<'t>, rate: Expr<'t>) -> Self {
        self.states
            .push((name.to_owned(), StateUpdate::Ode { start, rate }));
        self
    }

    /// Returns the state updates by name, in the order in which they were added.
    pub fn states(&self) -> &[(String, StateUpdate<'t>)] {
        &self.states
    }

    /// Returns the total conductance `G` (S/cm2) and source `J` (mA/cm2), so that the outward current density is `G u -
    /// J` at and (to first order) around `u`, where the membrane potential is `u + v_reference`.
    pub fn linearized(&self, u: Expr<'t>, v_reference: Expr<'t>) -> (Expr<'t>, Expr<'t>) {
        let zero = u.same(0.0);
        let (mut g, mut j) = (zero, zero);
        for &(conductance, reversal) in &self.ohmic {
            g = g + conductance;
            j = j + conductance * (reversal - v_reference);
        }
        for &current in &self.currents {
            let slope = current.derivative(u);
            g = g + slope;
            j = j + (slope * u - current);
        }
        (g, j)
    }
}

impl<'t> StateUpdate<'t> {
    /// Returns the steady state at a held voltage, or the initial value of an ODE state.
    pub fn steady(&self) -> Expr<'t> {
        match *self {
            StateUpdate::AlphaBeta { alpha, beta } => alpha / (alpha + beta),
            StateUpdate::InfTau { inf, .. } => inf,
            StateUpdate::Ode { start, .. } => start,
        }
    }

    /// Returns the value of a gate after a step of `dt` from `x`, exact for rates held fixed; `None` for an ODE, whose
    /// rate belongs to the moment before the step.
    pub fn relax(&self, x: Expr<'t>, dt: Expr<'t>) -> Option<Expr<'t>> {
        let exponent = match *self {
            StateUpdate::AlphaBeta { alpha, beta } => -dt * (alpha + beta),
            StateUpdate::InfTau { tau, .. } => -dt / tau,
            StateUpdate::Ode { .. } => return None,
        };
        let inf = self.steady();
        Some(inf + (x - inf) * exponent.exp())
    }
}
