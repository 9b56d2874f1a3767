//! MRG fibers of small diameters.
//!
//! Source: Pena, Pelot & Grill 2024, PLoS Comput Biol 20:e1011833, doi:10.1371/journal.pcbi.1011833: geometry of fibers
//! from 1 um on, and the conductances that go with it. PyFibers' older `SMALL_MRG_INTERPOLATION` has the geometry with the
//! conductances of the large fiber.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

use super::{Dimensions, PUBLISHED, double_cable, node_membrane, quadratic, schema};

/// Small myelinated fiber: MRG with a geometry and nodal conductances of its own.
#[derive(Clone, Copy, Debug)]
pub struct Pena;

/// MRG fiber with the geometry of [`Pena`].
#[derive(Clone, Copy, Debug)]
pub struct SmallMrgInterpolation;

/// Conductances of sodium and slow potassium at the nodes of small fibers, S/cm2.
const OF_SMALL: [f64; 2] = [2.333333, 0.115556];

const SOURCE: &str =
    "Pena, Pelot & Grill 2024, PLoS Comput Biol 20:e1011833, doi:10.1371/journal.pcbi.1011833";

/// Least and largest number of lamellae of the fibers.
const LAMELLAE: [u32; 2] = [7, 152];

/// The largest number of lamellae that is not above `lamellae`.
fn whole(lamellae: Expr<'_>) -> Expr<'_> {
    let [least, largest] = LAMELLAE;
    let steps = (least + 1..=largest).map(f64::from);
    steps.fold(lamellae.same(f64::from(least)), |below, step| {
        lamellae.select_lt(step, below, lamellae.same(step))
    })
}

fn small<'t>(fiber: &FiberSymbols<'t>) -> Geometry<'t> {
    let d = fiber.diameter();
    let axon = 0.553 * d - 0.024;
    let dimensions = Dimensions {
        axon,
        node: 0.321 * axon + 0.37,
        spacing: quadratic(d, -3.22, 148.0, -128.0),
        flut_length: quadratic(d, -0.171, 6.48, -0.935),
        lamellae: whole(17.4 * axon - 1.74),
    };
    double_cable(fiber, dimensions)
}

impl FiberModel for Pena {
    fn schema(&self) -> Schema {
        let summary =
            "Small myelinated fiber after Pena: MRG with fewer sodium channels (best below 5.7 um)";
        schema("pena", summary, OF_SMALL)
            .cite(SOURCE)
            .diameters_um(1.011..=16.0)
            .conducts(9.06, 3.0, 1.25)
            .thresholds_of(PYFIBERS, 3, [0.099, 0.155])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        small(fiber)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        node_membrane(x)
    }
}

impl FiberModel for SmallMrgInterpolation {
    fn schema(&self) -> Schema {
        let summary = "MRG fiber with the geometry of small fibers, nodes as in large ones";
        schema("small-mrg-interpolation", summary, PUBLISHED)
            .cite(SOURCE)
            .diameters_um(1.011..=16.0)
            .conducts(10.5, 3.0, 1.25)
            .thresholds_of(PYFIBERS, 3, [0.083, 0.113])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        small(fiber)
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        node_membrane(x)
    }
}
