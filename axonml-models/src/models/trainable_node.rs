//! The membrane of the surrogates' node: that of the MRG node, every constant of it a parameter.
//!
//! Names and form as in the surrogate's publication: Hussain, Grill & Pelot 2024, Nat Commun 15:7597,
//! doi:10.1038/s41467-024-51709-8; constants: McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006.

use axonml_autodiff::engine::Membrane;
use axonml_autodiff::ir::Expr;

use crate::{FiberSymbols, Patch, Physical, Scale, Schema};

/// Parameters of one group and unit: names and values.
pub(super) type Table = (&'static str, &'static str, &'static [(&'static str, f64)]);

/// States of the membrane.
pub(super) const STATES: [&str; 4] = ["m", "h", "p", "s"];

/// Largest conductances and reversal potentials.
pub(super) const CHANNELS: &[Table] = &[
    (
        "conductance",
        "S/cm2",
        &[
            ("gnabar", 3.0),
            ("gnapbar", 0.01),
            ("gkbar", 0.08),
            ("gl", 0.007),
        ],
    ),
    (
        "reversal",
        "mV",
        &[("ena", 50.0), ("ek", -90.0), ("el", -90.0)],
    ),
];

/// Constants of the gates' rates.
pub(super) const RATES: &[Table] = &[
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
];

/// Temperature factors of the rates.
pub(super) const TEMPERATURE: &[Table] = &[
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
];

/// Declares the parameters of `tables`.
pub(super) fn declare(schema: Schema, tables: &[Table]) -> Schema {
    let each = tables.iter().flat_map(|(group, unit, parameters)| {
        parameters
            .iter()
            .map(move |&(name, value)| (*group, name, value, *unit))
    });
    each.fold(schema, |schema, (group, name, value, unit)| {
        schema.param(group, name, value, unit)
    })
}

/// Declares the training of the membrane: conductances, amplitudes and slopes of rates by factors, potentials by 10 mV.
/// The potential that the rates of `s` count from is redundant, and so are capacitance and temperature factors at one
/// temperature.
pub(super) fn train(schema: Schema) -> Schema {
    let named = |ending: char| -> Vec<&'static str> {
        let names = RATES
            .iter()
            .flat_map(|(_, _, parameters)| parameters.iter());
        let names = names.map(|(name, _)| *name);
        names.filter(|name| name.ends_with(ending)).collect()
    };
    schema
        .train(&["conductance"], Scale::Factor)
        .train(&["reversal"], Scale::Shift(10.0))
        .train(&named('A'), Scale::Factor)
        .train(&named('B'), Scale::Shift(10.0))
        .train(&named('C'), Scale::Factor)
        // Steeper slopes make both rates of the gate vanish at strong hyperpolarization, and their quotient with them.
        .keep_within("asC", -20.0..=-1.5)
        .keep_within("bsC", -20.0..=-0.8)
        // Differences of temperature, that others are divided by.
        .physical(&["cq10_1", "cq10_2", "cq10_3"], Physical::Positive)
}

/// Diameter of the node, um: a parabola in the fiber's with parameters `noded1` to `noded3`.
pub(super) fn node_diameter_um<'t>(fiber: &FiberSymbols<'t>) -> Expr<'t> {
    parabola(fiber, ["noded1", "noded2", "noded3"])
}

/// `c2 d^2 + c1 d + c0` of the fiber diameter, coefficients by name.
pub(super) fn parabola<'t>(fiber: &FiberSymbols<'t>, names: [&str; 3]) -> Expr<'t> {
    let d = fiber.diameter();
    let [c2, c1, c0] = fiber.params(names);
    c2 * d * d + c1 * d + c0
}

/// At strong hyperpolarization both rates of `s` vanish, and in single precision even their sum. This part of their
/// largest value always stays: it changes nothing, but keeps their quotient a number.
const LEAST_PART: f64 = 1e-17;

/// Currents and gates of a patch of node.
pub(super) fn membrane<'t>(x: &Patch<'t>) -> Membrane<'t> {
    let v = x.v();
    let [m, h, p, s] = x.states(STATES);
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
        a * (-(v - x.param("vtraub") + b) / c).sigmoid() + a * LEAST_PART
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
