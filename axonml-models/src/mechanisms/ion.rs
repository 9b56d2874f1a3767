//! Nernst potentials, and ions whose concentrations do not move.

use axonml_autodiff::engine::{Ion, Membrane};
use axonml_autodiff::ir::Expr;

use super::Mechanism;
use crate::{Patch, Schema};

/// Physical constants as a model's publication rounds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IonConstants {
    /// Gas constant, J/(mol K).
    pub gas: f64,
    /// Faraday's constant, C/mol.
    pub faraday: f64,
    /// 0 degrees Celsius, K.
    pub zero_celsius: f64,
}

impl IonConstants {
    /// The exact values of 2019 (CODATA).
    pub const CODATA: IonConstants = IonConstants {
        gas: 8.31446261815324,
        faraday: 96485.33212331,
        zero_celsius: 273.15,
    };

    /// Thermal voltage `R T/F`, mV.
    pub fn thermal_mv<'t>(self, x: &Patch<'t>) -> Expr<'t> {
        (x.celsius() + self.zero_celsius) * (1e3 * self.gas / self.faraday)
    }
}

/// Nernst potential of an ion of this charge, mV, by its concentrations inside and outside. No number where one of them is
/// negative, which ends a run as diverged.
pub fn nernst_mv<'t>(
    x: &Patch<'t>,
    constants: IonConstants,
    charge: f64,
    [inside, outside]: [Expr<'t>; 2],
) -> Expr<'t> {
    constants.thermal_mv(x) / charge * (outside / inside).ln()
}

/// An ion with fixed concentrations, which fix its reversal potential.
#[derive(Clone, Copy, Debug)]
pub struct FixedIon {
    /// Charge in elementary charges.
    pub charge: f64,
    /// Concentration inside, mM.
    pub inside_mm: f64,
    /// Concentration outside, mM.
    pub outside_mm: f64,
    /// Constants of its Nernst potential.
    pub constants: IonConstants,
}

impl Mechanism for FixedIon {
    fn declare(&self, own: Schema) -> Schema {
        own.param("concentration", "inside", self.inside_mm, "mM")
            .param("concentration", "outside", self.outside_mm, "mM")
    }

    fn ion<'t>(&self, name: &'static str, x: &Patch<'t>) -> Option<Ion<'t>> {
        let [inside, outside] = x.params(["inside", "outside"]);
        let reversal = nernst_mv(x, self.constants, self.charge, [inside, outside]);
        Some(Ion::new(name, reversal).with_concentrations(inside, outside))
    }

    fn membrane<'t>(&self, _: &Patch<'t>) -> Membrane<'t> {
        Membrane::new()
    }
}
