//! The Sweeney myelinated fiber of the rabbit: sodium channels alone, insulating myelin.
//!
//! Source: Sweeney, Mortimer & Durand 1987, Proc IEEE 9th Annu Conf EMBS 9:1577-1578; in the form of PyFibers, Marshall et
//! al. 2025, PLoS Comput Biol 21:e1013764, doi:10.1371/journal.pcbi.1013764. Rates are those at 37 C.

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Insulated, Patch, Physical, Schema};

/// Sweeney fiber.
#[derive(Clone, Copy, Debug)]
pub struct Sweeney;

/// Distance between nodes in diameters of the fiber. No parameter: it says where nodes lie in a field.
const SPACING: f64 = 100.0;

impl FiberModel for Sweeney {
    fn schema(&self) -> Schema {
        Schema::new("sweeney", "Sweeney myelinated fiber, insulating myelin, single cable")
            .cite("Sweeney, Mortimer & Durand 1987, Proc IEEE 9th Annu Conf EMBS 9:1577-1578")
            .cite("Marshall et al. 2025, PLoS Comput Biol 21:e1013764, doi:10.1371/journal.pcbi.1013764 (form)")
            .states(["m", "h"])
            .param("conductance", "gna", 1.445, "S/cm2")
            .param("conductance", "gl", 0.128, "S/cm2")
            .param("reversal", "ena", 35.64, "mV")
            .param("reversal", "el", -80.01, "mV")
            .param("passive", "cm", 2.5, "uF/cm2")
            .param("passive", "ra", 54.7, "ohm cm")
            .param("geometry", "node_length", 1.5, "um")
            .param("geometry", "g_ratio", 0.6, "")
            .physical(&["g_ratio"], Physical::Positive)
            .diameters_um(0.5..=25.0)
            .start_mv(-80.0)
            .conducts(49.5, 10.0, 1.0)
            .quiet_band_mv(10.0)
            .celsius(37.0)
            .scheme("backward Euler, single cable of nodes")
            .thresholds_of(PYFIBERS, 3, [0.094, 0.174])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let [ratio, node_length] = fiber.params(["g_ratio", "node_length"]);
        let axon = ratio * d;
        Geometry::Insulated(Insulated {
            spacing_um: SPACING * d,
            node_length_um: node_length,
            node_diameter_um: axon,
            axon_diameter_um: axon,
            capacitance_uf_cm2: fiber.param("cm"),
            axial_ohm_cm: fiber.param("ra"),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let v = x.v();
        let [m, h] = x.states(["m", "h"]);
        let [gna, gl, ena, el] = x.params(["gna", "gl", "ena", "el"]);
        // Beyond 320 mV on either side of the published argument the exponential is 0 or infinite there; exponents end
        // at 60, so that rates stay finite in single precision.
        let (up, down) = ((126.0 + 0.363 * v) * ((v + 49.0) / 5.3).sigmoid(), v + 56.2);
        let alpha_h = 15.6 * ((v + 56.0) / 10.0).sigmoid() * (-(v + 74.5) / 5.0).min(60.0).exp();
        let beta_h = 15.6 * ((v + 56.0) / 10.0).sigmoid();
        Membrane::new()
            .ohmic(gna * m.powi(2) * h, ena)
            .ohmic(gl, el)
            .gate("m", up, up * (-down / 4.17).min(60.0).exp())
            .gate("h", alpha_h, beta_h)
    }
}
