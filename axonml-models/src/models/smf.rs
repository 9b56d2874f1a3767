//! S-MF: the surrogate myelinated fiber, in the form and with the starting constants of its publication.
//!
//! Source: Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8. The internodes are reduced to
//! axial resistances and a larger node capacitance; parameters, coupling weights among them, are meant to be trained
//! on the exact fiber. With the starting constants every fiber fires by itself within a few milliseconds; the bundled
//! weights `smf-mrg` are trained.

use axonml_autodiff::engine::{Membrane, SectionKind};

use super::trainable_node::{
    self, CHANNELS, RATES, STATES, TEMPERATURE, Table, node_diameter_um, parabola,
};
use crate::validation::{AXONML, NEURON, PARITY_MV};
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Physical, Scale, Schema, Surrogate};

/// Distance between nodes, um, as a polynomial of the fiber diameter in um, highest power first: that of the published
/// fiber. The parameters `deltax` start from the same numbers, but act on the axial resistance alone, so that training
/// them leaves the nodes where those of the real fiber are.
const SPACING_UM: [f64; 3] = [-8.215284, 272.4201, -780.2411];

/// Surrogate myelinated fiber.
#[derive(Clone, Copy, Debug)]
pub struct Smf;

/// Parabolas of the fiber diameter.
const GEOMETRY: &[Table] = &[
    (
        "geometry",
        "1/um",
        &[
            ("axond1", 0.0187623),
            ("noded1", 0.006303781),
            ("deltax1", -8.215284),
        ],
    ),
    (
        "geometry",
        "",
        &[
            ("axond2", 0.4787487),
            ("noded2", 0.2070544),
            ("deltax2", 272.4201),
        ],
    ),
    (
        "geometry",
        "um",
        &[
            ("axond3", 0.1203613),
            ("noded3", 0.5339006),
            ("deltax3", -780.2411),
        ],
    ),
];

impl FiberModel for Smf {
    fn schema(&self) -> Schema {
        let mut schema = Schema::new("smf", "Surrogate myelinated fiber (S-MF): explicit single cable, trainable")
            .cite("Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8")
            .cite("McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001 (constants)")
            .states(STATES)
            .diameters_um(4.0..=20.0)
            .start_mv(-80.0)
            .conducts(23.8, 5.7, 1.25)
            .quiet_band_mv(10.0)
            // The published start: steady state at -80 mV as printed, not recomputed.
            .start_states([0.0732093, 0.62069505, 0.20260409, 0.04302994])
            .celsius(37.0)
            .scheme("forward Euler, exponential gates (dt 0.005 ms)")
            .weights("smf-mrg")
            .stands_for("mrg")
            .voltages_of(AXONML, 7, PARITY_MV)
            .thresholds_of(NEURON, 172, [1.69, 30.0]);
        schema = trainable_node::declare(schema, CHANNELS);
        schema = schema
            .param("passive", "cm", 0.01, "mF/cm2")
            .param("passive", "rhoa", 70.0, "ohm cm");
        schema = trainable_node::declare(schema, RATES);
        schema = trainable_node::declare(schema, GEOMETRY);
        schema = trainable_node::declare(schema, TEMPERATURE);
        schema = schema
            .param("coupling", "v_neighbor", 1.0, "")
            .param("coupling", "v_center", -2.0, "")
            .param("coupling", "ve_neighbor", 1.0, "")
            .param("coupling", "ve_center", -2.0, "");
        for table in GEOMETRY {
            for &(name, value) in table.2 {
                schema = schema
                    .train(&[name], Scale::Shift(0.3 * f64::abs(value)))
                    // Coefficients of parabolas, whatever their unit.
                    .physical(&[name], Physical::Any);
            }
        }
        let center = |to: &'static str| Scale::Ratio { to, share: 0.02 };
        trainable_node::train(schema)
            .train(&["v_neighbor", "ve_neighbor"], Scale::Factor)
            .train(&["v_center"], center("v_neighbor"))
            .train(&["ve_center"], center("ve_neighbor"))
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let [c2, c1, c0] = SPACING_UM;
        let uf_per_mf = 1e3;
        Geometry::Surrogate(Surrogate {
            spacing_um: c2 * d * d + c1 * d + c0,
            axial_length_um: parabola(fiber, ["deltax1", "deltax2", "deltax3"]),
            node_diameter_um: node_diameter_um(fiber),
            axon_diameter_um: parabola(fiber, ["axond1", "axond2", "axond3"]),
            capacitance_uf_cm2: fiber.param("cm") * uf_per_mf,
            axial_ohm_cm: fiber.param("rhoa"),
            v_weights: fiber.params(["v_neighbor", "v_center"]),
            ve_weights: fiber.params(["ve_neighbor", "ve_center"]),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        trainable_node::membrane(x)
    }
}
