//! The Hodgkin-Huxley squid axon as a fiber: the shortest complete model, to copy from.
//!
//! Source: Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764, in the modern voltage
//! convention (rest at -65 mV, depolarization upward). It conducts at 6.3 degrees Celsius; at 37 it does not.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// Hodgkin-Huxley membrane on an unmyelinated fiber.
#[derive(Clone, Copy, Debug)]
pub struct HodgkinHuxley;

impl FiberModel for HodgkinHuxley {
    fn schema(&self) -> Schema {
        Schema::new(
            "hh",
            "Hodgkin-Huxley squid axon (tutorial), unmyelinated, 6.3 C",
        )
        .cite("Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764")
        .states(["m", "h", "n"])
        .param("conductance", "gna", 0.12, "S/cm2")
        .param("conductance", "gk", 0.036, "S/cm2")
        .param("conductance", "gl", 0.0003, "S/cm2")
        .param("reversal", "ena", 50.0, "mV")
        .param("reversal", "ek", -77.0, "mV")
        .param("reversal", "el", -54.3, "mV")
        .param("passive", "cm", 1.0, "uF/cm2")
        .param("passive", "ra", 100.0, "ohm cm")
        .diameters_um(0.1..=1000.0)
        .compartment_um(8.333)
        .length_um(15_000.0)
        .conducts(0.3, 1.0, 0.5)
        .start_mv(-65.0)
        .celsius(6.3)
        .scheme("backward Euler, single cable")
        .thresholds_of("an implementation in NumPy", 2, [0.0125, 0.0128])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let v = x.v();
        let [m, h, n] = x.states(["m", "h", "n"]);
        let [gna, gk, gl, ena, ek, el] = x.params(["gna", "gk", "gl", "ena", "ek", "el"]);
        let q = x.q10(3.0, 6.3);

        // Rates in 1/ms. exprelr(u) = u/(e^u - 1) is smooth through its removable singularity at u = 0. Exponents end
        // at 60 (beyond 1 V), so that rates stay finite in single precision.
        let exp = |x: Expr<'t>| x.min(60.0).exp();
        let alpha_m = q * (-(v + 40.0) / 10.0).exprelr();
        let beta_m = q * 4.0 * exp(-(v + 65.0) / 18.0);
        let alpha_h = q * 0.07 * exp(-(v + 65.0) / 20.0);
        let beta_h = q * ((v + 35.0) / 10.0).sigmoid();
        let alpha_n = q * 0.1 * (-(v + 55.0) / 10.0).exprelr();
        let beta_n = q * 0.125 * exp(-(v + 65.0) / 80.0);

        Membrane::new()
            .ohmic(gna * m.powi(3) * h, ena)
            .ohmic(gk * n.powi(4), ek)
            .ohmic(gl, el)
            .gate("m", alpha_m, beta_m)
            .gate("h", alpha_h, beta_h)
            .gate("n", alpha_n, beta_n)
    }
}
