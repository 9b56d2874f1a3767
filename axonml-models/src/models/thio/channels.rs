//! Channels of the Thio fibers.
//!
//! Many activations are published as the cube root of a Boltzmann function, so that their cube is one.

use axonml_autodiff::engine::Membrane;
use axonml_autodiff::ir::Expr;

use crate::mechanisms::{Channel, Mechanism, boltzmann};
use crate::{Patch, Schema};

/// `e^((v + shift)/slope)`. Rates of both directions are summed and divided by, so that it may be infinite.
fn growth(v: Expr<'_>, shift: f64, slope: f64) -> Expr<'_> {
    ((v + shift) / slope).exp()
}

/// The sum of two of these.
fn growths<'t>(v: Expr<'t>, first: [f64; 2], second: [f64; 2]) -> Expr<'t> {
    growth(v, first[0], first[1]) + growth(v, second[0], second[1])
}

/// Cube root of a Boltzmann function.
fn root_boltzmann(v: Expr<'_>, shift: f64, slope: f64) -> Expr<'_> {
    // Exponents end at 60: the root is below 1e-8 there.
    let exponent = ((v + shift) / slope).min(60.0);
    (-1.0 / 3.0 * (1.0 + exponent.exp()).ln()).exp()
}

/// Decimal logarithm of the calcium concentration inside, mol/l.
fn log_calcium<'t>(x: &Patch<'t>) -> Expr<'t> {
    x.inside("ca").ln() * std::f64::consts::LOG10_E - 3.0
}

pub(super) const NAV1P7: Channel = Channel {
    ion: "na",
    s_cm2: 0.0,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 21.0));
        let [m, h] = x.states(["m", "h"]);
        let m_tau =
            0.035 / growths(v, [-11.4, 14.0], [61.0, -9.4]) + 0.05 * boltzmann(v, 5.5, -8.0);
        let h_rate = growths(v, [131.0, -9.5], [5.7, 12.4]);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 25.0, -7.0), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 79.0, 7.0), 1.0 / (h_rate * q));
        (m.powi(3) * h, gates)
    },
};

pub(super) const NAV1P8: Channel = Channel {
    ion: "na",
    s_cm2: 0.0,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let m_tau = 0.015 + 0.25 / growths(v, [0.0, 12.0], [29.0, -18.0]);
        let h_tau =
            2.63 + 250.0 / growths(v, [36.0, 7.7], [0.0, -16.3]) + 1.4 * boltzmann(v, 0.6, -2.95);
        let s_tau =
            34.0 / growths(v, [2.0, 16.0], [108.0, -8.0]) + 160.0 * boltzmann(v, 110.0, -75.0);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 4.0, -7.0), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 28.0, 4.56), h_tau / q)
            .gate_inf_tau("s", boltzmann(v, 50.0, 7.5), s_tau / q);
        (m.powi(3) * h * s, gates)
    },
};

pub(super) const NAV1P9: Channel = Channel {
    ion: "na",
    s_cm2: 0.0,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let m_tau = 0.15 + 0.5 / growths(v, [1.3, 22.0], [82.0, -10.0]);
        let h_tau = 2.0 + 1.0 / growths(v, [-32.0, 14.0], [157.0, -12.0]);
        let s_tau =
            1.0 / growths(v, [-195.0, 29.0], [193.0, -12.4]) + 1165.0 * boltzmann(v, 40.0, -30.0);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 51.0, -8.4), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 55.0, 11.5), h_tau / q)
            .gate_inf_tau("s", 0.03 + 0.97 * boltzmann(v, 79.0, 6.87), s_tau / q);
        (m.powi(3) * h * s, gates)
    },
};

/// Potassium channels that voltage and calcium open.
pub(super) const BK: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q, p) = (x.v(), x.q10(3.0, 22.0), log_calcium(x));
        let [m, h] = x.states(["m", "h"]);
        let m_inf = ((v + 50.0 * p + 232.0) / 24.0).sigmoid();
        let m_rate = ((v + 58.0 * p + 303.0) / (3.2 * p)).exp()
            + (-(v + 107.0 * p + 453.0) / (6.8 * p)).exp();
        let h_inf = (-(v + 8.0 * p - 35.0) / 47.0).sigmoid();
        let h_rate = ((v + 3.0 * p + 100.0) / (3.0 * p)).exp()
            + (-(v + 191.0 * p + 600.0) / (17.0 * p)).exp();
        let gates = Membrane::new()
            .gate_inf_tau("m", m_inf, (0.4 + 1.0 / m_rate) / q)
            .gate_inf_tau("h", h_inf, 1.0 / (h_rate * q));
        (m * h, gates)
    },
};

/// L-type calcium channels.
pub(super) const CAV1P2: Channel = Channel {
    ion: "ca",
    s_cm2: 0.0,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h] = x.states(["m", "h"]);
        let m_tau = 0.25 + 0.5 / growths(v, [-15.0, 5.0], [27.0, -12.0]);
        let h_tau = 1.4 / growths(v, [-145.0, 30.0], [150.0, -16.4]);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, -1.75, -10.0), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, -10.0, 8.0), h_tau / q);
        (m.powi(3) * h, gates)
    },
};

/// N-type calcium channels.
pub(super) const CAV2P2: Channel = Channel {
    ion: "ca",
    s_cm2: 0.0,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let m_tau = 0.1 + 0.5 / growths(v, [-3.0, 6.7], [37.0, -13.5]);
        let h_tau = 10.0 / growths(v, [-54.0, 23.0], [150.0, -35.0]);
        let s_tau = 50.0 + 30.0 / growths(v, [-50.0, 26.0], [150.0, -26.0]);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 4.0, -7.5), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 48.0, 7.0), h_tau / q)
            .gate_inf_tau("s", boltzmann(v, 81.0, 8.6), s_tau / q);
        (m.powi(3) * h * s, gates)
    },
};

/// Slow potassium current of KCNQ channels.
pub(super) const KM: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["m", "n"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, n] = x.states(["m", "n"]);
        let m_tau =
            52.0 / growths(v, [-7.0, 20.0], [32.0, -20.0]) + 15.0 * boltzmann(v, 40.0, -80.0);
        let n_tau =
            7.5 + 31.0 / growths(v, [-13.0, 20.0], [90.0, -20.0]) + 25.0 * boltzmann(v, 50.0, -8.0);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 44.0, -6.4), m_tau / q)
            .gate_inf_tau("n", root_boltzmann(v, 32.0, -9.2), n_tau / q);
        (0.25 * m.powi(3) + 0.75 * n.powi(3), gates)
    },
};

pub(super) const KV2P1: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h] = x.states(["m", "h"]);
        let m_tau = 2.0 + 1.2 / growths(v, [-15.0, 8.5], [68.0, -15.0]);
        let h_tau =
            45.0 / growths(v, [-10.2, 8.0], [101.0, -8.0]) + 8200.0 * boltzmann(v, 0.0, -60.0);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, -1.0, -10.0), m_tau / q)
            .gate_inf_tau("h", 0.15 + 0.85 * boltzmann(v, 27.0, 7.0), h_tau / q);
        (m.powi(3) * h, gates)
    },
};

/// Fast transient potassium current.
pub(super) const KV3P4: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h] = x.states(["m", "h"]);
        let m_tau = 0.5 / growths(v, [-39.0, 13.0], [134.0, -47.0]);
        let h_tau = 15.0 + 1.0 / growths(v, [-60.0, 15.0], [300.0, -27.0]);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, -24.0, -17.0), m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 31.0, 12.0), h_tau / q);
        (m.powi(3) * h, gates)
    },
};

/// Transient potassium current.
pub(super) const KV1P4: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let m_tau = 0.3
            + 1374.0 / growths(v, [128.0, 14.5], [10.0, -8.0])
            + 0.85 * boltzmann(v, 8.5, 10.65);
        let h_tau = 35.0 + 11.22 / growths(v, [21.4, 9.48], [155.3, -16.4]);
        let s_inf = 0.415 + 0.576 * boltzmann(v, 44.5, 5.93) + 0.103 * boltzmann(v, 0.0, -18.37);
        let s_tau =
            3970.0 / growths(v, [35.1, 9.97], [83.3, -18.0]) + 2500.0 * boltzmann(v, 27.3, -7.11);
        let gates = Membrane::new()
            .gate_inf_tau("m", root_boltzmann(v, 25.0, -12.0), m_tau / q)
            .gate_inf_tau("h", 0.073 + 0.924 * boltzmann(v, 47.0, 4.75), h_tau / q)
            .gate_inf_tau("s", s_inf, s_tau / q);
        (m.powi(3) * h * s, gates)
    },
};

/// Potassium channels that calcium opens.
pub(super) const SK: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["n"],
    kinetics: |x| {
        let p = log_calcium(x);
        let inf = ((p + 6.4) / 0.12).sigmoid();
        let gates = Membrane::new().gate_inf_tau("n", inf, -p / x.q10(3.0, 22.0));
        (x.state("n"), gates)
    },
};

/// Channels that hyperpolarization opens: sodium and potassium pass in the proportion by which both together reverse at
/// -30 mV.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hcn {
    pub(super) s_cm2: f64,
}

impl Mechanism for Hcn {
    fn declare(&self, own: Schema) -> Schema {
        own.states(["m", "n"])
            .param("conductance", "g", self.s_cm2, "S/cm2")
            .param("reversal", "e", -30.0, "mV")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [m, n] = x.states(["m", "n"]);
        let (na, k) = (x.ion("na"), x.ion("k"));
        let g = x.param("g") * (0.25 * n.powi(3) + 0.75 * m.powi(3));
        let sodium = (x.param("e") - k.reversal()) / (na.reversal() - k.reversal());
        let m_tau = 0.5 / growths(v, [-42.0, 11.8], [498.0, -66.6]);
        let n_tau = 0.5 / growths(v, [25.0, 4.1], [356.0, -32.0]);
        Membrane::new()
            .through(&na, g * sodium)
            .through(&k, g * (1.0 - sodium))
            .gate_inf_tau("m", root_boltzmann(v, 97.0, 7.35), m_tau / q)
            .gate_inf_tau("n", root_boltzmann(v, 94.0, 8.9), n_tau / q)
    }
}
