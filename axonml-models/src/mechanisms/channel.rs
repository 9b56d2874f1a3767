//! Ion channels, and functions of the membrane potential that their gates have.

use axonml_autodiff::engine::Membrane;
use axonml_autodiff::ir::Expr;

use super::Mechanism;
use crate::{Patch, Schema, Text};

/// A channel for one ion: the current `g open (v - e)`, where gates make up the open fraction.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// The ion that it lets through.
    pub ion: &'static str,
    /// Conductance of all channels open, S/cm2: the default of the parameter `g`.
    pub s_cm2: f64,
    /// Its gates.
    pub gates: &'static [&'static str],
    /// Its open fraction, and a membrane with the updates of its gates.
    pub kinetics: Kinetics,
}

/// The open fraction of a channel, and a membrane with the updates of its gates.
pub type Kinetics = for<'x, 't> fn(&'x Patch<'t>) -> (Expr<'t>, Membrane<'t>);

impl Channel {
    /// A leak of this ion with this conductance, S/cm2: always open.
    pub const fn leak(ion: &'static str, s_cm2: f64) -> Self {
        Channel {
            ion,
            s_cm2,
            gates: &[],
            kinetics: |x| (x.number(1.0), Membrane::new()),
        }
    }

    /// The same with this conductance of all channels open, S/cm2.
    #[must_use]
    pub const fn with_s_cm2(self, s_cm2: f64) -> Self {
        Channel { s_cm2, ..self }
    }
}

impl Mechanism for Channel {
    fn declare(&self, mut own: Schema) -> Schema {
        own.states
            .extend(self.gates.iter().map(|&gate| Text::from(gate)));
        own.param("conductance", "g", self.s_cm2, "S/cm2")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (open, gates) = (self.kinetics)(x);
        gates.through(&x.ion(self.ion), x.param("g") * open)
    }
}

/// `1/(1 + e^((v + shift)/slope))`, both in mV: a Boltzmann function, an activation if the slope is negative.
pub fn boltzmann(v: Expr<'_>, shift: f64, slope: f64) -> Expr<'_> {
    ((v + shift) / -slope).sigmoid()
}

/// `height e^(-(width (v - center))^2) + floor`, with width in 1/mV: time constants of many gates.
pub fn gaussian(v: Expr<'_>, [height, width, center, floor]: [f64; 4]) -> Expr<'_> {
    let distance = width * (v - center);
    height * (-(distance * distance)).exp() + floor
}
