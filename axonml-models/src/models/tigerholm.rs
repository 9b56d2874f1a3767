//! The Tigerholm unmyelinated C nociceptor, with sodium and potassium inside the axon and around it.
//!
//! Source: Tigerholm, Petersson, Obreja, Lampert, Carr, Schmelz & Fransen 2014, J Neurophysiol 111:1721-1735,
//! doi:10.1152/jn.00777.2012, in the form of Pelot, Catherall, Thio, Titus, Liang, Henriquez & Grill 2021, J Neurophysiol
//! 125:86-104, doi:10.1152/jn.00315.2020. Four constants have the six digits that NEURON keeps of them (12.70195, 14.87115,
//! 73.26415 and 10.27853 in the source). Time constants of three potassium and h gates jump where their branches meet.

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use crate::mechanisms::{Balanced, Channel, Mechanism, Mechanisms, Shell, boltzmann};
use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// Tigerholm C fiber.
#[derive(Clone, Copy, Debug)]
pub struct Tigerholm;

/// Resting potential, mV: balanced, thus exact.
const V_REST_MV: f64 = -55.0;

fn mechanisms() -> Mechanisms<'static> {
    let shell = |inside_mm: f64, outside_mm: f64| Shell {
        inside_mm,
        outside_mm,
        bath_mm: outside_mm,
        thickness_um: 0.029,
        exchange_m_per_s: 1e-7,
    };
    Mechanisms::new()
        .with("na", shell(11.4, 154.0))
        .with("k", shell(121.7, 5.6))
        .with("nav1p7", NAV1P7)
        .with("nav1p8", NAV1P8)
        .with("nav1p9", NAV1P9)
        .with("kdr", KDR)
        .with("km", KM)
        .with("ka", KA)
        .with("kna", KNA)
        .with("h", HyperpolarizationActivated)
        .with("pump", Pump)
        .with(
            "balance",
            Balanced {
                ions: &["na", "k"],
                v_rest_mv: V_REST_MV,
            },
        )
}

impl FiberModel for Tigerholm {
    fn schema(&self) -> Schema {
        Schema::new("tigerholm", "Tigerholm unmyelinated C nociceptor")
            .cite("Tigerholm et al. 2014, J Neurophysiol 111:1721-1735, doi:10.1152/jn.00777.2012")
            .cite("Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020")
            .mechanisms(&mechanisms())
            .param("passive", "cm", 1.0, "uF/cm2")
            .param("passive", "ra", 35.4, "ohm cm")
            .diameters_um(0.1..=10.0)
            .compartment_um(8.333)
            .length_um(15_000.0)
            .conducts(0.705, 1.0, 0.5)
            .start_mv(V_REST_MV)
            .celsius(37.0)
            .scheme("backward Euler, single cable")
            .thresholds_of(PYFIBERS, 3, [0.077, 0.103])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&mechanisms())
    }
}

const NAV1P7: Channel = Channel {
    ion: "na",
    s_cm2: 0.10664,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(2.5, 21.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let alpha_m = 15.5 * boltzmann(v, -5.0, -12.08);
        let beta_m = 35.2 * boltzmann(v, 72.7, 16.7);
        let alpha_h = 0.38685 * boltzmann(v, 122.35, 15.29);
        let beta_h = -0.00283 + 2.00283 * boltzmann(v, 5.5266, -12.702);
        let alpha_s = 0.00003 + 0.00092 * boltzmann(v, 93.9, 16.6);
        // Published as 132.05 - 132.05/(1 + e^((v - 384.9)/28.5)), of which single precision would keep nothing.
        let beta_s = 132.05 * boltzmann(v, -384.9, -28.5);
        let gates = Membrane::new()
            .gate("m", q * alpha_m, q * beta_m)
            .gate("h", q * alpha_h, q * beta_h)
            .gate("s", q * alpha_s, q * beta_s);
        (m.powi(3) * h * s, gates)
    },
};

const NAV1P8: Channel = Channel {
    ion: "na",
    s_cm2: 0.24271,
    gates: &["m", "h", "s", "u"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(2.5, 22.0));
        let [m, h, s, u] = x.states(["m", "h", "s", "u"]);
        let alpha_m = 2.85 - 2.839 * boltzmann(v, -1.159, 13.95);
        let beta_m = 7.6205 * boltzmann(v, 46.463, 8.8289);
        let from_center = (v + 38.1) / 15.19;
        let h_tau = 1.218 + 42.043 * (-0.5 * (from_center * from_center)).exp();
        let s_rate =
            5.4203e-3 * boltzmann(v, 79.816, 16.269) + 5.0757e-3 * boltzmann(v, 15.968, -11.542);
        let u_rate = 0.0002 * 2.0434 * boltzmann(v, 67.499, 19.51)
            + 0.0002 * 1.9952 * boltzmann(v, 30.963, -14.792);
        let gates = Membrane::new()
            .gate("m", q * alpha_m, q * beta_m)
            .gate_inf_tau("h", boltzmann(v, 32.2, 4.0), h_tau / q)
            .gate_inf_tau("s", boltzmann(v, 45.0, 8.0), 1.0 / (s_rate * q))
            .gate_inf_tau("u", boltzmann(v, 51.0, 8.0), 1.0 / (u_rate * q));
        (m.powi(3) * h * s * u, gates)
    },
};

const NAV1P9: Channel = Channel {
    ion: "na",
    s_cm2: 9.4779e-5,
    gates: &["m", "h", "s"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(2.5, 21.0));
        let [m, h, s] = x.states(["m", "h", "s"]);
        let alpha_m = 1.032 * boltzmann(v, 6.99, -14.8712);
        let beta_m = 5.79 * boltzmann(v, 130.4, 22.9);
        let alpha_h = 0.06435 * boltzmann(v, 73.2642, 3.71928);
        let beta_h = 0.13496 * boltzmann(v, 10.2785, -9.09334);
        let alpha_s = 0.00000016 * bounded_exp(-v / 12.0);
        let beta_s = 0.0005 * boltzmann(v, 32.0, -23.0);
        let gates = Membrane::new()
            .gate("m", q * alpha_m, q * beta_m)
            .gate("h", q * alpha_h, q * beta_h)
            .gate("s", q * alpha_s, q * beta_s);
        (m * h * s, gates)
    },
};

/// Delayed rectifier.
const KDR: Channel = Channel {
    ion: "k",
    s_cm2: 0.018002,
    gates: &["n"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.3, 22.0));
        let slow_rate = bounded_exp((v + 75.2) / 6.5) + bounded_exp((131.5 - v) / 34.8);
        let below = 0.688 + 1e3 / slow_rate;
        let above = 0.16 + 0.8 * bounded_exp(-0.0267 * (v + 11.0));
        let tau = v.select_lt(-31.0, below, above);
        let gates = Membrane::new().gate_inf_tau("n", boltzmann(v, 25.0, -15.4), tau / q);
        (x.state("n").powi(4), gates)
    },
};

/// Slow potassium current of KCNQ channels.
const KM: Channel = Channel {
    ion: "k",
    s_cm2: 0.0069733,
    gates: &["slow", "fast"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.3, 21.0));
        let [slow, fast] = x.states(["slow", "fast"]);
        let inf = boltzmann(v, 30.0, -6.0);
        let slow_tau = v.select_lt(-60.0, 219.0, 13.0 * v + 1000.0);
        let fast_rate =
            0.00395 * (bounded_exp((v + 30.0) / 40.0) + bounded_exp(-(v + 30.0) / 20.0));
        let gates = Membrane::new()
            .gate_inf_tau("slow", inf, slow_tau / q)
            .gate_inf_tau("fast", inf, 1.0 / (fast_rate * q));
        (0.25 * slow + 0.75 * fast, gates)
    },
};

/// Transient potassium current.
const KA: Channel = Channel {
    ion: "k",
    s_cm2: 0.012756,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.3, 23.0));
        let [m, h] = x.states(["m", "h"]);
        let m_inf = boltzmann(v, 5.4 - 15.0, -16.4).powi(4);
        let (from_m, from_h) = ((v + 24.67) / 34.8, (v + 40.0) / 40.0);
        let m_tau = 0.25 + 10.04 * (-0.5 * (from_m * from_m)).exp();
        let h_tau = 20.0 + 50.0 * (-0.5 * (from_h * from_h)).exp();
        let gates = Membrane::new()
            .gate_inf_tau("m", m_inf, m_tau / q)
            .gate_inf_tau("h", boltzmann(v, 49.9 - 15.0, 4.6), h_tau / q);
        (m * h, gates)
    },
};

/// Potassium current by the sodium inside, at once.
const KNA: Channel = Channel {
    ion: "k",
    s_cm2: 0.00042,
    gates: &[],
    kinetics: |x| {
        let ratio = 38.7 / x.inside("na");
        (0.37 / (1.0 + ratio.powi(3) * ratio.sqrt()), Membrane::new())
    },
};

/// Current of channels that hyperpolarization opens, carried by sodium and potassium alike.
#[derive(Clone, Copy, Debug)]
struct HyperpolarizationActivated;

impl Mechanism for HyperpolarizationActivated {
    fn declare(&self, own: Schema) -> Schema {
        own.states(["slow", "fast"])
            .param("conductance", "g", 0.0025377, "S/cm2")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (v, q) = (x.v(), x.q10(3.0, 22.0));
        let [slow, fast] = x.states(["slow", "fast"]);
        let inf = boltzmann(v, 87.2, 9.7);
        let (low, high) = (
            bounded_exp((v + 240.0) / 50.0),
            bounded_exp(-(v + 25.0) / 20.0),
        );
        let slow_tau = v.select_lt(-70.0, 2500.0 + 100.0 * low, 300.0 + 542.0 * high);
        let fast_tau = v.select_lt(-70.0, 250.0 + 12.0 * low, 140.0 + 50.0 * high);
        // Half of the conductance for either ion.
        let each = 0.25 * x.param("g") * (slow + fast);
        Membrane::new()
            .through(&x.ion("na"), each)
            .through(&x.ion("k"), each)
            .gate_inf_tau("slow", inf, slow_tau / q)
            .gate_inf_tau("fast", inf, fast_tau / q)
    }
}

/// Sodium-potassium pump, by concentrations alone: at no voltage and no temperature does it run differently.
#[derive(Clone, Copy, Debug)]
struct Pump;

impl Mechanism for Pump {
    fn declare(&self, own: Schema) -> Schema {
        own.param("pump", "maximum", 0.0047891, "mA/cm2")
    }

    fn membrane<'t>(&self, x: &Patch<'t>) -> Membrane<'t> {
        let (inside, outside) = (x.inside("na") + 8.0, x.outside("k"));
        let by_potassium = (outside / (outside + 1.0)).powi(2);
        let by_sodium =
            1.62 / (1.0 + (6.7 / inside).powi(3)) + 1.0 / (1.0 + (67.6 / inside).powi(3));
        let potassium = -(x.param("maximum") * by_potassium * by_sodium);
        Membrane::new()
            .carried_by(&x.ion("k"), potassium)
            .carried_by(&x.ion("na"), -1.5 * potassium)
    }
}

/// `e^x` for exponents up to 60 (beyond 500 mV here), so that rates stay finite in single precision.
fn bounded_exp(x: Expr<'_>) -> Expr<'_> {
    x.min(60.0).exp()
}
