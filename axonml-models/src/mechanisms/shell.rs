//! A univalent ion inside an axon and in a thin shell around it.

use axonml_autodiff::engine::{Ion, LinearScheme, Membrane};

use super::{IonConstants, Mechanism, nernst_mv};
use crate::{Patch, Schema};

/// A univalent cation in the axon and in a periaxonal shell, which exchanges it with a bath.
///
/// Inside, `c' = -4 i/(F d)`; outside, `c' = (i/F - D (c - bath))/thickness`.
///
/// # Source
/// Tigerholm et al. 2014, J Neurophysiol 111:1721-1735, doi:10.1152/jn.00777.2012 (after Scriven 1981). Stepped as NEURON's
/// mechanism: inside explicitly, outside exactly.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    /// Initial concentration inside, mM.
    pub inside_mm: f64,
    /// Initial concentration outside, mM.
    pub outside_mm: f64,
    /// Concentration of the bath, mM.
    pub bath_mm: f64,
    /// Thickness of the shell, um.
    pub thickness_um: f64,
    /// Permeability of the shell's outer border, m/s.
    pub exchange_m_per_s: f64,
}

impl Mechanism for Shell {
    fn declare(&self, own: Schema) -> Schema {
        own.states(["inside", "outside"])
            .param("concentration", "inside_start", self.inside_mm, "mM")
            .param("concentration", "outside_start", self.outside_mm, "mM")
            .param("concentration", "bath", self.bath_mm, "mM")
            .param("diffusion", "thickness", self.thickness_um, "um")
            .param("diffusion", "exchange", self.exchange_m_per_s, "m/s")
    }

    fn ion<'t>(&self, name: &'static str, x: &Patch<'t>) -> Option<Ion<'t>> {
        let [inside, outside] = x.states(["inside", "outside"]);
        let reversal = nernst_mv(x, IonConstants::CODATA, 1.0, [inside, outside]);
        Some(Ion::new(name, reversal).with_concentrations(inside, outside))
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let current = x.own_ion().current();
        let faraday = IonConstants::CODATA.faraday;
        let [thickness, exchange, bath] = x.params(["thickness", "exchange", "bath"]);
        // mA/(cm2 um F) are 1e4 mM/ms; m/s over um are 1e3/ms.
        let loss = 1e3 * exchange / thickness;
        let gain = 1e4 / faraday * current / thickness + loss * bath;
        Membrane::new()
            .ode(
                "inside",
                x.param("inside_start"),
                -4e4 / faraday * current / x.diameter_um(),
            )
            .linear(
                "outside",
                x.param("outside_start"),
                [gain, loss],
                LinearScheme::Exponential,
            )
    }
}
