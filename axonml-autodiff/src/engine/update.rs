//! How state variables of a membrane move over a time step.

use crate::ir::Expr;

/// Method by which `x' = gain - loss x` is stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinearScheme {
    /// By its exact exponential solution.
    Exponential,
    /// By backward Euler.
    BackwardEuler,
}

/// A ligand that binds to sites: `c' = influx - sites J` and `o' = J` with `J = on c (1 - o) - off o`, where `c` is the
/// concentration of what is free and `o` the fraction of sites that are occupied.
#[derive(Clone, Copy, Debug)]
pub struct Buffer<'t> {
    /// Present free concentration `c`, mM.
    pub free: Expr<'t>,
    /// Present occupied fraction `o`.
    pub bound: Expr<'t>,
    /// Influx of free ligand, mM/ms.
    pub influx: Expr<'t>,
    /// Rate of binding, 1/(mM ms).
    pub on: Expr<'t>,
    /// Rate of release, 1/ms.
    pub off: Expr<'t>,
    /// Concentration of sites, mM.
    pub sites: Expr<'t>,
}

impl<'t> Buffer<'t> {
    /// The new values of `c` and `o` by backward Euler with the influx held.
    ///
    /// The growth `x` of `o` solves `a x^2 - b x + q = 0` with `a = dt on sites`; its root that vanishes with `dt` is taken
    /// in the form without cancellation.
    pub fn step(&self, dt: Expr<'t>) -> [Expr<'t>; 2] {
        let filled = self.free + dt * self.influx;
        let vacant = 1.0 - self.bound;
        let a = dt * self.on * self.sites;
        let b = 1.0 + dt * (self.on * (filled + self.sites * vacant) + self.off);
        let q = dt * (self.on * filled * vacant - self.off * self.bound);
        let x = 2.0 * q / (b + (b * b - 4.0 * a * q).sqrt());
        [filled - self.sites * x, self.bound + x]
    }

    fn map(self, f: &mut impl FnMut(&'static str, Expr<'t>) -> Expr<'t>) -> Self {
        Buffer {
            influx: f("influx", self.influx),
            on: f("binding rate", self.on),
            off: f("release rate", self.off),
            sites: f("sites", self.sites),
            ..self
        }
    }
}

/// How one state variable of the membrane moves over a time step.
///
/// Gates ([`StateUpdate::AlphaBeta`], [`StateUpdate::InfTau`]) move with the voltage after the step. All others, concentrations
/// as a rule, move before the gates, by their operands at the voltage and states before the step; gates see their new
/// values. That is the order of NEURON's fixed step.
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
    /// `x' = rate`, stepped explicitly: `x + dt * rate`.
    Ode {
        /// Start value.
        start: Expr<'t>,
        /// Time derivative, per ms.
        rate: Expr<'t>,
    },
    /// `x' = gain - loss x`.
    Linear {
        /// Start value.
        start: Expr<'t>,
        /// Gain, per ms.
        gain: Expr<'t>,
        /// Rate of loss, 1/ms, above 0.
        loss: Expr<'t>,
        /// Method.
        scheme: LinearScheme,
    },
    /// The free concentration of a buffered ligand.
    Free {
        /// Start value, mM.
        start: Expr<'t>,
        /// The ligand and its sites.
        buffer: Buffer<'t>,
    },
    /// The occupied fraction of a ligand's sites.
    Bound {
        /// Start value.
        start: Expr<'t>,
        /// The ligand and its sites.
        buffer: Buffer<'t>,
    },
}

impl<'t> StateUpdate<'t> {
    /// Whether it is a gate, which moves with the voltage after the step.
    pub fn is_gate(&self) -> bool {
        matches!(
            self,
            StateUpdate::AlphaBeta { .. } | StateUpdate::InfTau { .. }
        )
    }

    /// Returns the steady state of a gate at a held voltage, or the start value of any other state.
    pub fn steady(&self) -> Expr<'t> {
        match *self {
            StateUpdate::AlphaBeta { alpha, beta } => alpha / (alpha + beta),
            StateUpdate::InfTau { inf, .. } => inf,
            StateUpdate::Ode { start, .. }
            | StateUpdate::Linear { start, .. }
            | StateUpdate::Free { start, .. }
            | StateUpdate::Bound { start, .. } => start,
        }
    }

    /// Returns the value after a step of `dt` from `x`, its operands held fixed: by the exact solution for gates.
    pub fn step(&self, x: Expr<'t>, dt: Expr<'t>) -> Expr<'t> {
        match *self {
            StateUpdate::AlphaBeta { alpha, beta } => self.relax(x, -dt * (alpha + beta)),
            StateUpdate::InfTau { tau, .. } => self.relax(x, -dt / tau),
            StateUpdate::Ode { rate, .. } => x + dt * rate,
            StateUpdate::Linear {
                gain, loss, scheme, ..
            } => match scheme {
                LinearScheme::Exponential => x - (-dt * loss).expm1() * (gain / loss - x),
                // Losses per step may be far below the rounding of 1.
                LinearScheme::BackwardEuler => x + dt / (1.0 + dt * loss) * (gain - loss * x),
            },
            StateUpdate::Free { buffer, .. } => buffer.step(dt)[0],
            StateUpdate::Bound { buffer, .. } => buffer.step(dt)[1],
        }
    }

    fn relax(&self, x: Expr<'t>, exponent: Expr<'t>) -> Expr<'t> {
        let inf = self.steady();
        inf + (x - inf) * exponent.exp()
    }

    /// The same with `f` applied to every operand that a step holds fixed, by its name; start values stay, and so do gates.
    #[must_use]
    pub fn map_held(self, mut f: impl FnMut(&'static str, Expr<'t>) -> Expr<'t>) -> Self {
        match self {
            StateUpdate::AlphaBeta { .. } | StateUpdate::InfTau { .. } => self,
            StateUpdate::Ode { start, rate } => StateUpdate::Ode {
                start,
                rate: f("rate", rate),
            },
            StateUpdate::Linear {
                start,
                gain,
                loss,
                scheme,
            } => StateUpdate::Linear {
                start,
                gain: f("gain", gain),
                loss: f("loss", loss),
                scheme,
            },
            StateUpdate::Free { start, buffer } => StateUpdate::Free {
                start,
                buffer: buffer.map(&mut f),
            },
            StateUpdate::Bound { start, buffer } => StateUpdate::Bound {
                start,
                buffer: buffer.map(&mut f),
            },
        }
    }
}
