//! S-MF: the surrogate myelinated fibre, in the form and with the starting constants of its publication.
//!
//! Source: Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8. The internodes are reduced to
//! axial resistances and a larger node capacitance; parameters, coupling weights among them, are meant to be trained
//! on the exact fibre. With the starting constants every fibre fires by itself within a few milliseconds.

use axonml_autodiff::{Expr, Membrane, SectionKind};

use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema, Surrogate};

/// Distance between nodes, um, as a polynomial of the fibre diameter in um, highest power first: that of the published
/// fibre. The parameters `deltax` start from the same numbers, but act on the axial resistance alone, so that training
/// them leaves the nodes where those of the real fibre are.
const SPACING_UM: [f64; 3] = [-8.215284, 272.4201, -780.2411];

/// Surrogate myelinated fibre.
#[derive(Clone, Copy, Debug)]
pub struct Smf;

impl FiberModel for Smf {
    fn schema(&self) -> Schema {
        let mut schema = Schema::new("smf", "Surrogate myelinated fibre (S-MF): explicit single cable, trainable")
            .cite("Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8")
            .cite("McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001 (constants)")
            .states(["m", "h", "p", "s"])
            .diameters_um(4.0..=20.0)
            .start_mv(-80.0)
            // The published start: steady state at -80 mV as printed, not recomputed.
            .start_states([0.0732093, 0.62069505, 0.20260409, 0.04302994])
            .celsius(37.0)
            .scheme("forward Euler, exponential gates (dt 0.005 ms)");
        for (group, unit, parameters) in [
            (
                "conductance",
                "S/cm2",
                &[
                    ("gnabar", 3.0),
                    ("gnapbar", 0.01),
                    ("gkbar", 0.08),
                    ("gl", 0.007),
                ][..],
            ),
            (
                "reversal",
                "mV",
                &[("ena", 50.0), ("ek", -90.0), ("el", -90.0)],
            ),
            ("passive", "mF/cm2", &[("cm", 0.01)]),
            ("passive", "ohm cm", &[("rhoa", 70.0)]),
            (
                "rate",
                "1/(ms mV)",
                &[
                    ("amA", 1.86),
                    ("bmA", 0.086),
                    ("ahA", 0.062),
                    ("ampA", 0.01),
                    ("bmpA", 0.00025),
                ],
            ),
            ("rate", "1/ms", &[("bhA", 2.3), ("asA", 0.3), ("bsA", 0.03)]),
            (
                "rate",
                "mV",
                &[
                    ("amB", 21.4),
                    ("bmB", 25.7),
                    ("ahB", 114.0),
                    ("bhB", 31.8),
                    ("ampB", 27.0),
                    ("bmpB", 34.0),
                ],
            ),
            (
                "rate",
                "mV",
                &[("asB", -27.0), ("bsB", 10.0), ("vtraub", -80.0)],
            ),
            (
                "rate",
                "mV",
                &[
                    ("amC", 10.3),
                    ("bmC", 9.16),
                    ("ahC", 11.0),
                    ("bhC", 13.4),
                    ("ampC", 10.2),
                    ("bmpC", 10.0),
                ],
            ),
            ("rate", "mV", &[("asC", -5.0), ("bsC", -1.0)]),
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
            (
                "temperature",
                "",
                &[
                    ("aq10_1", 2.2),
                    ("pq10_1", 2.2),
                    ("aq10_2", 2.9),
                    ("aq10_3", 3.0),
                ],
            ),
            (
                "temperature",
                "C",
                &[("bq10_1", 20.0), ("bq10_2", 20.0), ("bq10_3", 36.0)],
            ),
            (
                "temperature",
                "C",
                &[("cq10_1", 10.0), ("cq10_2", 10.0), ("cq10_3", 10.0)],
            ),
            (
                "coupling",
                "",
                &[
                    ("v_neighbor", 1.0),
                    ("v_center", -2.0),
                    ("ve_neighbor", 1.0),
                    ("ve_center", -2.0),
                ],
            ),
        ] {
            for &(name, value) in parameters {
                schema = schema.param(group, name, value, unit);
            }
        }
        schema
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let polynomial = |names: [&str; 3]| {
            let [c2, c1, c0] = fiber.params(names);
            c2 * d * d + c1 * d + c0
        };
        let [c2, c1, c0] = SPACING_UM;
        let uf_per_mf = 1e3;
        Geometry::Surrogate(Surrogate {
            spacing_um: c2 * d * d + c1 * d + c0,
            axial_length_um: polynomial(["deltax1", "deltax2", "deltax3"]),
            node_diameter_um: polynomial(["noded1", "noded2", "noded3"]),
            axon_diameter_um: polynomial(["axond1", "axond2", "axond3"]),
            capacitance_uf_cm2: fiber.param("cm") * uf_per_mf,
            axial_ohm_cm: fiber.param("rhoa"),
            v_weights: fiber.params(["v_neighbor", "v_center"]),
            ve_weights: fiber.params(["ve_neighbor", "ve_center"]),
        })
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let v = x.v();
        let [m, h, p, s] = x.states(["m", "h", "p", "s"]);
        let [gna, gnap, gk, gl, ena, ek, el] =
            x.params(["gnabar", "gnapbar", "gkbar", "gl", "ena", "ek", "el"]);
        let q10 = |[a, b, c]: [&str; 3]| -> Expr<'t> {
            x.param(a).powf((x.celsius() - x.param(b)) / x.param(c))
        };
        // a (v + b)/(1 - e^(-(v + b)/c)) = a c exprelr(-(v + b)/c); the falling form has the sign of v + b reversed.
        let rising = |[a, b, c]: [&str; 3]| {
            let [a, b, c] = x.params([a, b, c]);
            a * c * (-(v + b) / c).exprelr()
        };
        let falling = |[a, b, c]: [&str; 3]| {
            let [a, b, c] = x.params([a, b, c]);
            a * c * ((v + b) / c).exprelr()
        };
        let logistic = |[a, b, c]: [&str; 3]| {
            let [a, b, c] = x.params([a, b, c]);
            a * (-(v - x.param("vtraub") + b) / c).sigmoid()
        };
        let [bha, bhb, bhc] = x.params(["bhA", "bhB", "bhC"]);
        let gate = |[a, b, c]: [&str; 3], alpha: Expr<'t>, beta: Expr<'t>| {
            let q = q10([a, b, c]);
            (q * alpha, q * beta)
        };

        let m_rates = gate(
            ["aq10_1", "bq10_1", "cq10_1"],
            rising(["amA", "amB", "amC"]),
            falling(["bmA", "bmB", "bmC"]),
        );
        let h_rates = gate(
            ["aq10_2", "bq10_2", "cq10_2"],
            falling(["ahA", "ahB", "ahC"]),
            bha * ((v + bhb) / bhc).sigmoid(),
        );
        let p_rates = gate(
            ["pq10_1", "bq10_1", "cq10_1"],
            rising(["ampA", "ampB", "ampC"]),
            falling(["bmpA", "bmpB", "bmpC"]),
        );
        let s_rates = gate(
            ["aq10_3", "bq10_3", "cq10_3"],
            logistic(["asA", "asB", "asC"]),
            logistic(["bsA", "bsB", "bsC"]),
        );

        Membrane::new()
            .ohmic(gna * m.powi(3) * h, ena)
            .ohmic(gnap * p.powi(3), ena)
            .ohmic(gk * s, ek)
            .ohmic(gl, el)
            .gate("m", m_rates.0, m_rates.1)
            .gate("h", h_rates.0, h_rates.1)
            .gate("p", p_rates.0, p_rates.1)
            .gate("s", s_rates.0, s_rates.1)
    }
}
