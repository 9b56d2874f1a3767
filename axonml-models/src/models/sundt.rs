//! The Sundt unmyelinated C fiber.
//!
//! Source: Sundt, Gamper & Jaffe 2015, J Neurophysiol 114:3140-3153, doi:10.1152/jn.00226.2015 (sodium after Traub &
//! Miles 1991, potassium after Borg-Graham 1987), in the form of Pelot, Catherall, Thio, Titus, Liang, Henriquez & Grill
//! 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020. Two cables: the implicit one (`sundt`), and the explicit
//! one of Hussain et al. 2024 (`sundt-explicit`), which is stable only for long compartments.

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::validation::{AXONML, PARITY_MV, PYFIBERS};
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// Sundt C fiber, backward Euler.
#[derive(Clone, Copy, Debug)]
pub struct Sundt;

/// Sundt C fiber, forward Euler with reflecting ends.
#[derive(Clone, Copy, Debug)]
pub struct SundtExplicit;

/// Faraday and gas constants as the published rate equations round them (C/mol, J/(mol K)), and their zero Celsius.
const FARADAY: f64 = 9.648e4;
const GAS: f64 = 8.315;
const KELVIN: f64 = 273.16;

fn schema(id: &'static str, summary: &'static str, e_leak: f64) -> Schema {
    Schema::new(id, summary)
        .cite("Sundt, Gamper & Jaffe 2015, J Neurophysiol 114:3140-3153, doi:10.1152/jn.00226.2015")
        .cite("Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020")
        .states(["m", "h", "n", "l"])
        .param("conductance", "gna", 0.04, "S/cm2")
        .param("conductance", "gk", 0.04, "S/cm2")
        .param("conductance", "gl", 0.0001, "S/cm2")
        .param("reversal", "ena", 50.0, "mV")
        .param("reversal", "ek", -90.0, "mV")
        .param("reversal", "el", e_leak, "mV")
        .param("rate", "mshift", -6.0, "mV")
        .param("rate", "hshift", 6.0, "mV")
        .param("passive", "cm", 1.0, "uF/cm2")
        .param("passive", "ra", 100.0, "ohm cm")
        .diameters_um(0.1..=10.0)
        .length_um(15_000.0)
        .conducts(0.49, 1.0, 0.5)
        .celsius(37.0)
}

fn membrane<'t>(x: &Patch<'t>) -> Membrane<'t> {
    let v = x.v();
    let [m, h, n, l] = x.states(["m", "h", "n", "l"]);
    let [gna, gk, gl, ena, ek, el] = x.params(["gna", "gk", "gl", "ena", "ek", "el"]);
    let q = x.q10(3.0, 30.0);
    let (vm, vh) = (v + 65.0 + x.param("mshift"), v + 65.0 + x.param("hshift"));

    let alpha_m = q * 0.32 * 4.0 * ((13.1 - vm) / 4.0).exprelr();
    let beta_m = q * 0.28 * 5.0 * ((vm - 40.1) / 5.0).exprelr();
    // The exponent ends at 60 (beyond -1 V), so that the rate stays finite in single precision.
    let alpha_h = q * 0.128 * ((17.0 - vh) / 18.0).min(60.0).exp();
    let beta_h = q * 4.0 * ((vh - 40.0) / 5.0).sigmoid();

    // Valence times voltage over the thermal voltage, 1/mV.
    let per_mv = 1e-3 * FARADAY / (GAS * (x.celsius() + KELVIN));
    let thermal = |valence: f64, half: f64| valence * (v - half) * per_mv;
    let (x_n, x_l) = (thermal(-5.0, -32.0), thermal(2.0, -61.0));
    let n_inf = (-x_n).sigmoid();
    let l_inf = (-x_l).sigmoid();
    // tau = e^(gamma x)/(a0 (1 + e^x)) with gamma 0.4 and 1, in forms that go to 0 instead of infinity over infinity.
    let n_tau = 1.0 / (q * 0.03 * ((-0.4 * x_n).exp() + (0.6 * x_n).exp()));
    let l_tau = x_l.sigmoid() / (q * 0.001);

    Membrane::new()
        .ohmic(gna * m.powi(3) * h, ena)
        .ohmic(gk * n.powi(3) * l, ek)
        .ohmic(gl, el)
        .gate("m", alpha_m, beta_m)
        .gate("h", alpha_h, beta_h)
        .gate_inf_tau("n", n_inf, n_tau)
        .gate_inf_tau("l", l_inf, l_tau)
}

impl FiberModel for Sundt {
    fn schema(&self) -> Schema {
        schema("sundt", "Sundt unmyelinated C fiber", -60.0)
            .compartment_um(8.333)
            .quiet_band_mv(10.0)
            .start_mv(-60.0)
            .scheme("backward Euler, single cable")
            .thresholds_of(PYFIBERS, 3, [0.053, 0.091])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        membrane(x)
    }
}

impl FiberModel for SundtExplicit {
    fn schema(&self) -> Schema {
        schema("sundt-explicit", "Sundt C fiber stepped explicitly, as a parity case", -65.0)
            .cite("Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8 (explicit form)")
            .compartment_um(50.0)
            .start_mv(-65.0)
            .start_states([0.00401, 0.98147, 0.00208, 0.57421])
            .scheme("forward Euler, exponential gates (dt 0.005 ms, compartments of 50 um)")
            .stands_for("sundt")
            .voltages_of(AXONML, 2, PARITY_MV)
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::UnmyelinatedExplicit(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        membrane(x)
    }
}
