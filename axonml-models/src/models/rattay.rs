//! The Rattay-Aberham unmyelinated fiber: Hodgkin and Huxley's membrane at body temperature.
//!
//! Source: Rattay & Aberham 1993, IEEE Trans Biomed Eng 40:1201-1209, doi:10.1109/10.250575. One factor of about 12 at 37
//! degrees scales all rates of the squid axon. Rates are evaluated exactly; NEURON's mechanism interpolates them per mV, by
//! which thresholds fall by 0.08 % and velocities rise by 0.02 %.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// Rattay-Aberham membrane on an unmyelinated fiber.
#[derive(Clone, Copy, Debug)]
pub struct Rattay;

impl FiberModel for Rattay {
    fn schema(&self) -> Schema {
        Schema::new(
            "rattay",
            "Rattay-Aberham unmyelinated fiber (squid membrane at 37 C)",
        )
        .cite("Rattay & Aberham 1993, IEEE Trans Biomed Eng 40:1201-1209, doi:10.1109/10.250575")
        .cite("Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764")
        .states(["m", "h", "n"])
        .param("conductance", "gna", 0.12, "S/cm2")
        .param("conductance", "gk", 0.036, "S/cm2")
        .param("conductance", "gl", 0.0003, "S/cm2")
        .param("reversal", "ena", 45.0, "mV")
        .param("reversal", "ek", -82.0, "mV")
        .param("reversal", "el", -59.4, "mV")
        .param("passive", "cm", 1.0, "uF/cm2")
        .param("passive", "ra", 100.0, "ohm cm")
        .diameters_um(0.1..=10.0)
        .compartment_um(8.333)
        .length_um(15_000.0)
        .conducts(0.626, 1.0, 0.5)
        .start_mv(-70.0)
        .celsius(37.0)
        .scheme("backward Euler, single cable")
        .thresholds_of(PYFIBERS, 3, [0.044, 0.103])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let u = x.v() + 70.0;
        let [m, h, n] = x.states(["m", "h", "n"]);
        let [gna, gk, gl, ena, ek, el] = x.params(["gna", "gk", "gl", "ena", "ek", "el"]);
        let q = x.q10(2.24659524757, 6.3);

        // Exponents end at 60 (beyond 1 V), so that rates stay finite in single precision.
        let exp = |x: Expr<'t>| x.min(60.0).exp();
        let alpha_m = q * (2.5 - 0.1 * u).exprelr();
        let beta_m = q * 4.0 * exp(-u / 18.0);
        let alpha_h = q * 0.07 * exp(-u / 20.0);
        let beta_h = q * (0.1 * u - 3.0).sigmoid();
        let alpha_n = q * 0.1 * (1.0 - 0.1 * u).exprelr();
        let beta_n = q * 0.125 * exp(-u / 80.0);

        Membrane::new()
            .ohmic(gna * m.powi(3) * h, ena)
            .ohmic(gk * n.powi(4), ek)
            .ohmic(gl, el)
            .gate("m", alpha_m, beta_m)
            .gate("h", alpha_h, beta_h)
            .gate("n", alpha_n, beta_n)
    }
}
