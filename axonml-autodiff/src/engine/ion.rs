//! Ions whose currents a membrane keeps apart.

use crate::ir::{Expr, Extent};

const CURRENT: &str = "current of ";

/// A species of ions: its reversal potential, and its concentrations where the model has some.
///
/// Currents that it carries are summed by [`Membrane::through`](crate::engine::Membrane::through) and
/// [`Membrane::carried_by`](crate::engine::Membrane::carried_by); concentrations follow that sum, [`Ion::current`].
#[derive(Clone, Copy, Debug)]
pub struct Ion<'t> {
    name: &'static str,
    reversal: Expr<'t>,
    concentrations: Option<[Expr<'t>; 2]>,
}

impl<'t> Ion<'t> {
    /// An ion with this reversal potential, mV.
    pub fn new(name: &'static str, reversal: Expr<'t>) -> Self {
        Ion {
            name,
            reversal,
            concentrations: None,
        }
    }

    /// The same with its concentrations inside and outside, mM.
    #[must_use]
    pub fn with_concentrations(self, inside: Expr<'t>, outside: Expr<'t>) -> Self {
        Ion {
            concentrations: Some([inside, outside]),
            ..self
        }
    }

    /// Name: `na`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reversal potential, mV.
    pub fn reversal(&self) -> Expr<'t> {
        self.reversal
    }

    /// Concentrations inside and outside, mM, if the model has some.
    pub fn concentrations(&self) -> Option<[Expr<'t>; 2]> {
        self.concentrations
    }

    /// Total outward current density that it carries, mA/cm2, at the voltage and states before a step: what updates of
    /// concentrations may depend on.
    pub fn current(&self) -> Expr<'t> {
        let name = Ion::current_name(self.name);
        self.reversal.tracer().input(&name, Extent::Node)
    }

    /// Name of the input, and of the state, that holds [`Ion::current`].
    pub fn current_name(ion: &str) -> String {
        format!("{CURRENT}{ion}")
    }

    /// The ion whose [`Ion::current`] an input of this name holds, if it is one.
    pub fn of_current(name: &str) -> Option<&str> {
        name.strip_prefix(CURRENT)
    }
}
