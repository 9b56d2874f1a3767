//! The McIntyre-Richardson-Grill myelinated fiber: its membrane and double cable, which several geometries share.
//!
//! Source: McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001. All nodes are active.
//! A geometry is five dimensions of the fiber by its diameter, one file each.

mod discrete;
mod interpolation;
mod pena;
mod polynomial;

pub use discrete::MrgDiscrete;
pub use interpolation::MrgInterpolation;
pub use pena::{Pena, SmallMrgInterpolation};
pub use polynomial::Mrg;

use axonml_autodiff::engine::Membrane;
use axonml_autodiff::ir::Expr;

use crate::{FiberSymbols, Geometry, Myelinated, MyelinatedSection, Patch, Schema};
pub(super) use polynomial::node_spacing_um;

/// Beyond these potentials the published implementation sets some rates to constants (not continuously).
const RATE_CLAMP_MV: f64 = 150.0;

/// `c2 d^2 + c1 d + c0`.
fn quadratic<'t>(d: Expr<'t>, c2: f64, c1: f64, c0: f64) -> Expr<'t> {
    (c2 * d + c1) * d + c0
}

/// The dimensions of a fiber that depend on its diameter, um, and its number of lamellae.
#[derive(Clone, Copy, Debug)]
struct Dimensions<'t> {
    /// Distance between nodes.
    spacing: Expr<'t>,
    /// Diameter of the node and of the axon beside it (MYSA).
    node: Expr<'t>,
    /// Diameter of the axon between (FLUT, STIN).
    axon: Expr<'t>,
    /// Length of a FLUT.
    flut_length: Expr<'t>,
    /// Lamellae of the myelin.
    lamellae: Expr<'t>,
}

/// The declaration that all geometries share, with the nodal conductances `gna` and `gk` of one, S/cm2.
fn schema(id: &'static str, summary: &'static str, [gna, gk]: [f64; 2]) -> Schema {
    Schema::new(id, summary)
        .cite("McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001")
        .states(["m", "h", "p", "s"])
        .param("conductance", "gna", gna, "S/cm2")
        .param("conductance", "gnap", 0.01, "S/cm2")
        .param("conductance", "gk", gk, "S/cm2")
        .param("conductance", "gl", 0.007, "S/cm2")
        .param("reversal", "ena", 50.0, "mV")
        .param("reversal", "ek", -90.0, "mV")
        .param("reversal", "el", -90.0, "mV")
        .param("passive", "cm", 2.0, "uF/cm2")
        .param("passive", "ra", 70.0, "ohm cm")
        .param("passive", "e_internode", -80.0, "mV")
        .param("passive", "g_mysa", 0.001, "S/cm2")
        .param("passive", "g_flut", 0.0001, "S/cm2")
        .param("passive", "g_stin", 0.0001, "S/cm2")
        .param("passive", "c_lamella", 0.1, "uF/cm2")
        .param("passive", "g_lamella", 0.001, "S/cm2")
        .start_mv(-80.0)
        .quiet_band_mv(10.0)
        .celsius(37.0)
        .scheme("backward Euler, double cable by internodal modes")
}

/// Conductances of sodium and of slow potassium as first published, S/cm2.
const PUBLISHED: [f64; 2] = [3.0, 0.08];

/// The double cable of a fiber of these dimensions.
fn double_cable<'t>(fiber: &FiberSymbols<'t>, dimensions: Dimensions<'t>) -> Geometry<'t> {
    let Dimensions {
        spacing,
        node,
        axon,
        flut_length,
        lamellae,
    } = dimensions;
    let d = fiber.diameter();
    let [cm, ra, c_lamella, g_lamella] = fiber.params(["cm", "ra", "c_lamella", "g_lamella"]);
    let (node_length, mysa_length) = (fiber.number(1.0), fiber.number(3.0));
    let stin_length = (spacing - node_length - 2.0 * mysa_length - 2.0 * flut_length) / 6.0;

    // Axolemma properties are per area of the axon and are spread over the fiber's cylinder; each lamella is two
    // membranes in series.
    let section = |length, axon_diameter: Expr<'t>, periaxonal, conductance| MyelinatedSection {
        length_um: length,
        fiber_diameter_um: d,
        axon_diameter_um: axon_diameter,
        periaxonal_um: fiber.number(periaxonal),
        axolemma_uf_cm2: cm * axon_diameter / d,
        axolemma_s_cm2: fiber.param(conductance) * axon_diameter / d,
        myelin_uf_cm2: c_lamella / (2.0 * lamellae),
        myelin_s_cm2: g_lamella / (2.0 * lamellae),
    };
    let mysa = section(mysa_length, node, 0.002, "g_mysa");
    let flut = section(flut_length, axon, 0.004, "g_flut");
    let stin = section(stin_length, axon, 0.004, "g_stin");
    Geometry::Myelinated(Box::new(Myelinated {
        node_length_um: node_length,
        node_diameter_um: node,
        node_periaxonal_um: fiber.number(0.002),
        node_capacitance_uf_cm2: cm,
        axial_ohm_cm: ra,
        internode_reversal_mv: fiber.param("e_internode"),
        internode: [mysa, flut, stin, stin, stin, stin, stin, stin, flut, mysa],
    }))
}

/// The membrane of a node.
fn node_membrane<'t>(x: &Patch<'t>) -> Membrane<'t> {
    let v = x.v();
    let [m, h, p, s] = x.states(["m", "h", "p", "s"]);
    let [gna, gnap, gk, gl, ena, ek, el] = x.params(["gna", "gnap", "gk", "gl", "ena", "ek", "el"]);
    let (q_m, q_h, q_s) = (x.q10(2.2, 20.0), x.q10(2.9, 20.0), x.q10(3.0, 36.0));
    // Rates in 1/ms, with the constants of the published implementation beyond +-150 mV.
    let below =
        |q: Expr<'t>, value: f64, rate: Expr<'t>| v.select_lt(-RATE_CLAMP_MV, q * value, q * rate);
    let above = |q: Expr<'t>, value: f64, rate: Expr<'t>| {
        x.number(RATE_CLAMP_MV).select_lt(v, q * value, q * rate)
    };

    // x/(1 - e^(-x/k)) = k exprelr(-x/k), and x/(e^(x/k) - 1) = k exprelr(x/k).
    let alpha_m = below(q_m, 0.15733, 1.86 * 10.3 * (-(v + 21.4) / 10.3).exprelr());
    let beta_m = above(q_m, 0.0057268, 0.086 * 9.16 * ((v + 25.7) / 9.16).exprelr());
    let alpha_h = above(
        q_h,
        0.0032594,
        0.062 * 11.0 * ((v + 114.0) / 11.0).exprelr(),
    );
    let beta_h = below(q_h, 0.0014054, 2.3 * ((v + 31.8) / 13.4).sigmoid());
    let alpha_p = below(
        q_m,
        0.00086725,
        0.01 * 10.2 * (-(v + 27.0) / 10.2).exprelr(),
    );
    let beta_p = above(
        q_m,
        1.5855e-5,
        0.00025 * 10.0 * ((v + 34.0) / 10.0).exprelr(),
    );
    let alpha_s = below(q_s, 3.3484e-5, 0.3 * ((v + 53.0) / 5.0).sigmoid());
    let beta_s = below(q_s, 3.3484e-6, 0.03 * (v + 90.0).sigmoid());

    Membrane::new()
        .ohmic(gna * m.powi(3) * h, ena)
        .ohmic(gnap * p.powi(3), ena)
        .ohmic(gk * s, ek)
        .ohmic(gl, el)
        .gate("m", alpha_m, beta_m)
        .gate("h", alpha_h, beta_h)
        .gate("p", alpha_p, beta_p)
        .gate("s", alpha_s, beta_s)
}
