//! MRG fiber, geometry by the polynomials of ASCENT.
//!
//! Source: Musselman, Cariello, Grill & Pelot 2021, PLoS Comput Biol 17:e1009285, doi:10.1371/journal.pcbi.1009285.
//! Below 5.643 um the spacing is linear in the diameter, and continuous there.

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

use super::{Dimensions, PUBLISHED, double_cable, node_membrane, quadratic, schema};

/// MRG fiber, geometry as ASCENT and PyFibers interpolate it.
#[derive(Clone, Copy, Debug)]
pub struct MrgInterpolation;

impl FiberModel for MrgInterpolation {
    fn schema(&self) -> Schema {
        let summary =
            "McIntyre-Richardson-Grill myelinated fiber, geometry as ASCENT interpolates it";
        schema("mrg-interpolation", summary, PUBLISHED)
            .cite("Musselman et al. 2021, PLoS Comput Biol 17:e1009285, doi:10.1371/journal.pcbi.1009285 (geometry)")
            .diameters_um(2.0..=16.0)
            .conducts(38.2, 8.0, 1.25)
            .thresholds_of(PYFIBERS, 3, [0.072, 0.141])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let thick = quadratic(d, -8.215, 272.4, -780.2);
        let dimensions = Dimensions {
            axon: quadratic(d, 0.02361, 0.3673, 0.7122),
            node: quadratic(d, 0.01093, 0.1008, 1.099),
            spacing: d.select_lt(5.643, 81.08 * d + 37.84, thick),
            flut_length: quadratic(d, -0.1652, 6.354, -0.2862),
            lamellae: quadratic(d, -0.4749, 16.85, -0.7648),
        };
        double_cable(fiber, dimensions)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        node_membrane(x)
    }
}
