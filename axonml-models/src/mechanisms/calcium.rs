//! Calcium inside an axon, bound to calmodulin, and in a shell around it.

use axonml_autodiff::engine::{Buffer, Ion, LinearScheme, Membrane};

use super::{IonConstants, Mechanism, nernst_mv};
use crate::{Patch, Schema};

/// Calcium in the axon, where calmodulin binds it, and in a shell, which exchanges it with a bath.
///
/// # Source
/// Schild et al. 1994, J Neurophysiol 71:2338-2358, doi:10.1152/jn.1994.71.6.2338, with the bath drawing the concentration
/// outside towards its own, as in Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020 (the publication has
/// the opposite sign, which is unstable). Stepped as NEURON's mechanism: by backward Euler, at the current before the step.
/// A current stepped so can draw more calcium than there is, where a membrane is above about 170 mV: NEURON's mechanisms go on
/// with 1e-9 mM in logarithms, and gates of 1e37; here such a run has diverged.
#[derive(Clone, Copy, Debug)]
pub struct CalciumShell {
    /// Initial concentration inside, mM.
    pub inside_mm: f64,
    /// Initial concentration outside, mM.
    pub outside_mm: f64,
    /// Initial occupied fraction of calmodulin's sites.
    pub bound: f64,
    /// Concentration of the bath, mM.
    pub bath_mm: f64,
    /// Thickness of the shell, counted on the diameter, um.
    pub thickness_um: f64,
    /// Time constant of the exchange with the bath, ms.
    pub exchange_ms: f64,
    /// Constants of the Nernst potential.
    pub nernst: IonConstants,
    /// Reversal potential of calcium currents less the Nernst potential, mV.
    pub offset_mv: f64,
}

impl CalciumShell {
    /// Faraday's constant of the concentrations, C/mol.
    const FARADAY: f64 = 96500.0;
    /// Concentration of calmodulin, mM, and its binding sites.
    const CALMODULIN_MM: f64 = 0.001;
    const SITES: f64 = 4.0;
}

impl Mechanism for CalciumShell {
    fn declare(&self, own: Schema) -> Schema {
        own.states(["inside", "bound", "outside"])
            .param("concentration", "inside_start", self.inside_mm, "mM")
            .param("concentration", "outside_start", self.outside_mm, "mM")
            .param("buffer", "bound_start", self.bound, "")
            .param("concentration", "bath", self.bath_mm, "mM")
            .param("diffusion", "thickness", self.thickness_um, "um")
            .param("diffusion", "exchange", self.exchange_ms, "ms")
            .param("reversal", "offset", self.offset_mv, "mV")
            .param("buffer", "calmodulin", Self::CALMODULIN_MM, "mM")
            .param("buffer", "binding", 100.0, "1/(mM ms)")
            .param("buffer", "release", 0.238, "1/ms")
    }

    fn ion<'t>(&self, name: &'static str, x: &Patch<'t>) -> Option<Ion<'t>> {
        let [inside, outside] = x.states(["inside", "outside"]);
        let reversal = nernst_mv(x, self.nernst, 2.0, [inside, outside]) + x.param("offset");
        Some(Ion::new(name, reversal).with_concentrations(inside, outside))
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let current = x.own_ion().current();
        // mA/(cm3 F) are mM/ms.
        let diameter_cm = 1e-4 * x.diameter_um();
        let around_cm = diameter_cm + 1e-4 * x.param("thickness");
        let per_volume_outside =
            4.0 * diameter_cm / (around_cm * around_cm - diameter_cm * diameter_cm);
        let loss = 1.0 / x.param("exchange");
        let gain = current * (per_volume_outside / (2.0 * Self::FARADAY)) + loss * x.param("bath");
        let buffer = Buffer {
            free: x.state("inside"),
            bound: x.state("bound"),
            influx: -(current * (4.0 / diameter_cm / (2.0 * Self::FARADAY))),
            on: x.param("binding"),
            off: x.param("release"),
            sites: Self::SITES * x.param("calmodulin"),
        };
        Membrane::new()
            .buffered(
                ["inside", "bound"],
                x.params(["inside_start", "bound_start"]),
                buffer,
            )
            .linear(
                "outside",
                x.param("outside_start"),
                [gain, loss],
                LinearScheme::BackwardEuler,
            )
    }
}
