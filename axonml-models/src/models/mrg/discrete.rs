//! MRG fiber, geometry by the published table.
//!
//! Sources: McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001; 2 um: McIntyre et al.
//! 2004, doi:10.1152/jn.00989.2003; 1 um: doi:10.1088/1741-2552/aa6a5f (2017).

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

use super::{Dimensions, PUBLISHED, double_cable, node_membrane, schema};

/// MRG fiber of one of the published diameters.
#[derive(Clone, Copy, Debug)]
pub struct MrgDiscrete;

/// Diameters, um.
const DIAMETERS: [f64; 11] = [1.0, 2.0, 5.7, 7.3, 8.7, 10.0, 11.5, 12.8, 14.0, 15.0, 16.0];
/// Of each: distance between nodes, diameters of node and axon, length of a FLUT, um; lamellae.
const TABLE: [[f64; 5]; 11] = [
    [100.0, 0.7, 0.8, 5.0, 15.0],
    [200.0, 1.4, 1.6, 10.0, 30.0],
    [500.0, 1.9, 3.4, 35.0, 80.0],
    [750.0, 2.4, 4.6, 38.0, 100.0],
    [1000.0, 2.8, 5.8, 40.0, 110.0],
    [1150.0, 3.3, 6.9, 46.0, 120.0],
    [1250.0, 3.7, 8.1, 50.0, 130.0],
    [1350.0, 4.2, 9.2, 54.0, 135.0],
    [1400.0, 4.7, 10.4, 56.0, 140.0],
    [1450.0, 5.0, 11.5, 58.0, 145.0],
    [1500.0, 5.5, 12.7, 60.0, 150.0],
];

/// A column of the table at a diameter that it has: steps between its rows, so that no row depends on rounding.
fn listed(d: Expr<'_>, column: usize) -> Expr<'_> {
    let mut value = d.same(TABLE[TABLE.len() - 1][column]);
    for row in (0..TABLE.len() - 1).rev() {
        let middle = 0.5 * (DIAMETERS[row] + DIAMETERS[row + 1]);
        value = d.select_lt(middle, d.same(TABLE[row][column]), value);
    }
    value
}

impl FiberModel for MrgDiscrete {
    fn schema(&self) -> Schema {
        let summary = "McIntyre-Richardson-Grill myelinated fiber, published diameters only";
        schema("mrg-discrete", summary, PUBLISHED)
            .cite("McIntyre et al. 2004, J Neurophysiol 91:1457-1469, doi:10.1152/jn.00989.2003 (2 um)")
            .cite("doi:10.1088/1741-2552/aa6a5f, 2017 (1 um)")
            .diameters_listed_um(&DIAMETERS)
            .conducts(51.3, 10.0, 1.0)
            .thresholds_of(PYFIBERS, 3, [0.095, 0.154])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let of = |column: usize| listed(fiber.diameter(), column);
        let dimensions = Dimensions {
            spacing: of(0),
            node: of(1),
            axon: of(2),
            flut_length: of(3),
            lamellae: of(4),
        };
        double_cable(fiber, dimensions)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        node_membrane(x)
    }
}
