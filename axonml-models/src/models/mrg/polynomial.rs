//! MRG fiber, geometry by polynomials in the diameter.
//!
//! Source: Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8: polynomials between the
//! tabulated diameters.
//!
//! The tables that the polynomials fit end at 16 um, and so does the model (the spacing polynomial has its peak at
//! 16.6). Below 5.26 um the spacing is proportional to the diameter; it steps by 8 % there.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::validation::NEURON;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

use super::{Dimensions, PUBLISHED, double_cable, node_membrane, quadratic, schema};

/// MRG fiber, polynomial geometry.
#[derive(Clone, Copy, Debug)]
pub struct Mrg;

/// Distance between nodes of a fiber of diameter `d`, um.
pub(in crate::models) fn node_spacing_um(d: Expr<'_>) -> Expr<'_> {
    let interpolated = quadratic(d, -8.215284, 272.4201, -780.2411);
    d.select_lt(5.26, 500.0 / 5.7 * d, interpolated)
}

impl FiberModel for Mrg {
    fn schema(&self) -> Schema {
        let summary =
            "McIntyre-Richardson-Grill myelinated fiber, exact double cable, polynomial geometry";
        schema("mrg", summary, PUBLISHED)
            .cite("Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8 (geometry)")
            .diameters_um(2.0..=16.0)
            .conducts(23.8, 5.7, 1.25)
            .thresholds_of(NEURON, 172, [0.00124, 0.00234])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let dimensions = Dimensions {
            axon: quadratic(d, 0.01876226, 0.4787487, 0.1203613),
            node: quadratic(d, 0.006303781, 0.2070544, 0.5339006),
            spacing: node_spacing_um(d),
            flut_length: quadratic(d, -0.01989947, 3.016265, 17.43604),
            lamellae: quadratic(d, -0.3889695, 14.87838, 9.721088),
        };
        double_cable(fiber, dimensions)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        node_membrane(x)
    }
}
