//! The Schild unmyelinated vagal C afferents, with calcium inside the axon and around it.
//!
//! Source: Schild, Clark, Hay, Mendelowitz, Andresen & Kunze 1994, J Neurophysiol 71:2338-2358,
//! doi:10.1152/jn.1994.71.6.2338 (`schild94`), and Schild & Kunze 1997, J Neurophysiol 78:3198-3209,
//! doi:10.1152/jn.1997.78.6.3198 (`schild97`, other sodium channels), in the form of Pelot, Catherall, Thio, Titus, Liang,
//! Henriquez & Grill 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020. Three constants have the six digits that
//! NEURON keeps of them (0.068967142, 0.001043349 and 0.009726135 in the source).
//!
//! `schild97` does not rest where it is declared to: from -46.5 mV it drifts to -68.4 mV, and by the steady-state start its
//! thresholds are about 5 % lower. Both models rest in a chemical balance that takes seconds to settle.

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::mechanisms::{
    CalciumPump, CalciumShell, Channel, FixedIon, IonConstants, Mechanisms, SodiumCalciumExchanger,
    SodiumPotassiumPump, boltzmann, gaussian,
};
use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};

/// Schild C fiber of 1994.
#[derive(Clone, Copy, Debug)]
pub struct Schild94;

/// Schild C fiber of 1997.
#[derive(Clone, Copy, Debug)]
pub struct Schild97;

const CONSTANTS: IonConstants = IonConstants {
    gas: 8.314,
    faraday: 96500.0,
    zero_celsius: 273.15,
};

/// Reference of most temperature factors, degrees Celsius, and that of the sodium gates of 1997.
const CELSIUS: f64 = 22.85;
const CELSIUS_97: f64 = 22.0;

/// Conductances, S/cm2, of the channels that both models have: kd, ka, kds, kca, can, cat; leaks of sodium and calcium.
struct Conductances {
    shared: [f64; 6],
    leaks: [f64; 2],
}

fn mechanisms(sodium: [Channel; 2], conductances: &Conductances) -> Mechanisms<'static> {
    let fixed = |inside_mm: f64, outside_mm: f64| FixedIon {
        charge: 1.0,
        inside_mm,
        outside_mm,
        constants: CONSTANTS,
    };
    let [fast, slow] = sodium;
    let [kd, ka, kds, kca, can, cat] = conductances.shared;
    let [na, ca] = conductances.leaks;
    Mechanisms::new()
        .with("na", fixed(8.9, 154.0))
        .with("k", fixed(145.0, 5.4))
        .with("ca", CALCIUM)
        .with("naf", fast)
        .with("nas", slow)
        .with("kd", KD.with_s_cm2(kd))
        .with("ka", KA.with_s_cm2(ka))
        .with("kds", KDS.with_s_cm2(kds))
        .with("kca", KCA.with_s_cm2(kca))
        .with("can", CAN.with_s_cm2(can))
        .with("cat", CAT.with_s_cm2(cat))
        .with("leak_na", Channel::leak("na", na))
        .with("leak_ca", Channel::leak("ca", ca))
        .with(
            "ca_pump",
            CalciumPump {
                maximum_ma_cm2: 0.000859437,
            },
        )
        .with(
            "naca",
            SodiumCalciumExchanger {
                scale: 1.27324e-6,
                unit: "mA/(cm2 mM4)",
                by_temperature: |x| 1.0 / x.q10(2.2, CELSIUS),
                constants: CONSTANTS,
            },
        )
        .with(
            "nak",
            SodiumPotassiumPump {
                maximum_ma_cm2: 0.00972614,
            },
        )
}

const CALCIUM: CalciumShell = CalciumShell {
    inside_mm: 0.000117,
    outside_mm: 2.0,
    bound: 0.05,
    bath_mm: 2.0,
    thickness_um: 1.0,
    exchange_ms: 4511.0,
    nernst: CONSTANTS,
    offset_mv: -78.7,
};

fn schild94() -> Mechanisms<'static> {
    mechanisms(
        [NAF_94, NAS_94],
        &Conductances {
            shared: [
                0.000180376,
                0.000141471,
                0.000106103,
                0.000141471,
                0.000106103,
                1.23787e-5,
            ],
            leaks: [1.85681e-5, 3.00626e-6],
        },
    )
}

fn schild97() -> Mechanisms<'static> {
    mechanisms(
        [NAF_97, NAS_97],
        &Conductances {
            shared: [
                0.001956534,
                0.001304356,
                0.000782614,
                0.000913049,
                0.000521743,
                0.00018261,
            ],
            leaks: [1.8261e-5, 9.13049e-6],
        },
    )
}

fn schema(id: &'static str, summary: &'static str, mechanisms: &Mechanisms<'_>) -> Schema {
    Schema::new(id, summary)
        .cite("Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020")
        .mechanisms(mechanisms)
        .param("passive", "cm", 1.326291192, "uF/cm2")
        .param("passive", "ra", 100.0, "ohm cm")
        .diameters_um(0.1..=10.0)
        .compartment_um(8.333)
        .length_um(15_000.0)
        .start_mv(-46.5)
        .celsius(37.0)
        .scheme("backward Euler, single cable")
}

impl FiberModel for Schild94 {
    fn schema(&self) -> Schema {
        schema(
            "schild94",
            "Schild unmyelinated vagal C afferent, 1994",
            &schild94(),
        )
        .cite("Schild et al. 1994, J Neurophysiol 71:2338-2358, doi:10.1152/jn.1994.71.6.2338")
        .conducts(0.51, 1.0, 0.5)
        .thresholds_of(PYFIBERS, 3, [0.102, 0.143])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&schild94())
    }
}

impl FiberModel for Schild97 {
    fn schema(&self) -> Schema {
        schema(
            "schild97",
            "Schild unmyelinated vagal C afferent, 1997",
            &schild97(),
        )
        .cite("Schild & Kunze 1997, J Neurophysiol 78:3198-3209, doi:10.1152/jn.1997.78.6.3198")
        .conducts(0.286, 1.0, 0.5)
        .thresholds_of(PYFIBERS, 3, [0.026, 0.054])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&schild97())
    }
}

// Sums of two shifts are a gate's own and that of C fibers.

/// Fast sodium current of 1994.
const NAF_94: Channel = Channel {
    ion: "na",
    s_cm2: 0.0689671,
    gates: &["m", "h", "j"],
    kinetics: |x| {
        let v = x.v();
        let [m, h, j] = x.states(["m", "h", "j"]);
        let m_tau = gaussian(v, [0.75, 0.0635, -40.35, 0.12]) / x.q10(2.3, CELSIUS);
        let h_tau = gaussian(v, [6.5, 0.0295, -75.0, 0.55]) / x.q10(1.5, CELSIUS);
        let j_tau = 25.0 * boltzmann(v, -20.0, 4.5) + 0.01;
        let gates = Membrane::new()
            .gate_inf_tau("m", boltzmann(v, 41.35 - 17.5, -4.75), m_tau)
            .gate_inf_tau("h", boltzmann(v, 62.0 - 17.5, 4.5), h_tau)
            .gate_inf_tau("j", boltzmann(v, 40.0, 1.5), j_tau);
        (m.powi(3) * h * j, gates)
    },
};

/// Slow sodium current of 1994.
const NAS_94: Channel = Channel {
    ion: "na",
    s_cm2: 0.00104335,
    gates: &["m", "h"],
    kinetics: |x| {
        let v = x.v();
        let [m, h] = x.states(["m", "h"]);
        let m_tau = gaussian(v, [1.5, 0.0595, -20.35, 0.15]) / x.q10(2.3, CELSIUS);
        let h_tau = gaussian(v, [4.95, 0.0335, -20.0, 0.75]) / x.q10(1.5, CELSIUS);
        let gates = Membrane::new()
            .gate_inf_tau("m", boltzmann(v, 20.35 - 20.0, -4.45), m_tau)
            .gate_inf_tau("h", boltzmann(v, 18.0 - 20.0, 4.5), h_tau);
        (m.powi(3) * h, gates)
    },
};

/// Fast sodium current of 1997.
const NAF_97: Channel = Channel {
    ion: "na",
    s_cm2: 0.022434928,
    gates: &["m", "h"],
    kinetics: |x| {
        let v = x.v();
        let [m, h] = x.states(["m", "h"]);
        let m_tau = gaussian(v, [1.15, 0.06, -40.0, 0.21]) / x.q10(2.3, CELSIUS_97);
        let h_tau = gaussian(v, [18.0, 0.043, -62.5, 1.35]) / x.q10(1.5, CELSIUS_97);
        let gates = Membrane::new()
            .gate_inf_tau("m", boltzmann(v, 31.62, -6.98), m_tau)
            .gate_inf_tau("h", boltzmann(v, 65.99, 5.97), h_tau);
        (m.powi(3) * h, gates)
    },
};

/// Slow sodium current of 1997.
const NAS_97: Channel = Channel {
    ion: "na",
    s_cm2: 0.022434928,
    gates: &["m", "h"],
    kinetics: |x| {
        let v = x.v();
        let [m, h] = x.states(["m", "h"]);
        let m_tau = gaussian(v, [1.45, 0.058, -14.5, 0.26]) / x.q10(2.3, CELSIUS_97);
        let h_tau = gaussian(v, [10.75, 0.067, -13.5, 3.15]) / x.q10(1.5, CELSIUS_97);
        let gates = Membrane::new()
            .gate_inf_tau("m", boltzmann(v, 11.29, -5.54), m_tau)
            .gate_inf_tau("h", boltzmann(v, 31.0, 5.2), h_tau);
        (m.powi(3) * h, gates)
    },
};

/// Delayed rectifier.
const KD: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["n"],
    kinetics: |x| {
        let v = x.v();
        // x/(e^x - 1) is smooth at -14.273 mV, where the published form is 0/0.
        let alpha = 0.01265 * (-(v + 14.273) / 10.0).exprelr();
        let beta = 0.125 * (-(v + 55.0) / 2.5).min(60.0).exp();
        let tau = (1.0 + 1.0 / (alpha + beta)) / x.q10(1.4, CELSIUS);
        let gates = Membrane::new().gate_inf_tau("n", boltzmann(v, 14.62 + 3.0, -18.38), tau);
        (x.state("n"), gates)
    },
};

/// Early transient potassium current.
const KA: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["p", "q"],
    kinetics: |x| {
        let (v, factor) = (x.v(), x.q10(1.93, CELSIUS));
        let [p, q] = x.states(["p", "q"]);
        let p_tau = gaussian(v, [5.0, 0.022, -65.0, 2.5]) / factor;
        let q_tau = gaussian(v, [100.0, 0.035, -30.0, 10.5]) / factor;
        let gates = Membrane::new()
            .gate_inf_tau("p", boltzmann(v, 28.0 + 3.0, -28.0), p_tau)
            .gate_inf_tau("q", boltzmann(v, 58.0 + 3.0, 7.0), q_tau);
        (p.powi(3) * q, gates)
    },
};

/// Slowly inactivating potassium current ("delay").
const KDS: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["x", "y"],
    kinetics: |patch| {
        let (v, factor) = (patch.v(), patch.q10(1.93, CELSIUS));
        let [x, y] = patch.states(["x", "y"]);
        let x_tau = gaussian(v, [5.0, 0.022, -65.0, 2.5]) / factor;
        let gates = Membrane::new()
            .gate_inf_tau("x", boltzmann(v, 39.59 + 3.0, -14.68), x_tau)
            .gate_inf_tau("y", boltzmann(v, 48.0 + 3.0, 7.0), 7500.0 / factor);
        (x.powi(3) * y, gates)
    },
};

/// Potassium current that calcium opens.
const KCA: Channel = Channel {
    ion: "k",
    s_cm2: 0.0,
    gates: &["c"],
    kinetics: |x| {
        let from = x.v() - 10.0;
        let alpha = 750.0 * x.inside("ca") * (from / 12.0).min(60.0).exp();
        let beta = 0.05 * (-from / 60.0).min(60.0).exp();
        let sum = alpha + beta;
        let tau = 4.5 / (sum * x.q10(2.3, CELSIUS));
        let gates = Membrane::new().gate_inf_tau("c", alpha / sum, tau);
        (x.state("c"), gates)
    },
};

/// Long-lasting, high-threshold calcium current.
const CAN: Channel = Channel {
    ion: "ca",
    s_cm2: 0.0,
    gates: &["d", "f1", "f2"],
    kinetics: |x| {
        let (v, factor) = (x.v(), x.q10(4.3, CELSIUS));
        let [d, f1, f2] = x.states(["d", "f1", "f2"]);
        let f2_inf = 0.2 * boltzmann(v, 5.0 - 7.0, -10.0) + boltzmann(v, 40.0 - 7.0, 10.0);
        let d_tau = gaussian(v, [3.25, 0.042, -31.0, 0.395]) / factor;
        let f1_tau = gaussian(v, [33.5, 0.0395, -30.0, 5.0]) / factor;
        let f2_tau = gaussian(v, [225.0, 0.0275, -40.0, 75.0]) / factor;
        let gates = Membrane::new()
            .gate_inf_tau("d", boltzmann(v, 20.0 - 7.0, -4.5), d_tau)
            .gate_inf_tau("f1", boltzmann(v, 20.0 - 7.0, 25.0), f1_tau)
            .gate_inf_tau("f2", f2_inf, f2_tau);
        (d * (0.55 * f1 + 0.45 * f2), gates)
    },
};

/// Transient, low-threshold calcium current.
const CAT: Channel = Channel {
    ion: "ca",
    s_cm2: 0.0,
    gates: &["d", "f"],
    kinetics: |x| {
        let v = x.v();
        let [d, f] = x.states(["d", "f"]);
        let d_tau = gaussian(v, [22.0, 0.052, -68.0, 2.5]) / x.q10(1.9, CELSIUS);
        let f_tau = gaussian(v, [103.0, 0.05, -58.0, 12.5]) / x.q10(2.2, CELSIUS);
        let gates = Membrane::new()
            .gate_inf_tau("d", boltzmann(v, 54.0 - 7.0, -5.75), d_tau)
            .gate_inf_tau("f", boltzmann(v, 68.0 - 7.0, 6.0), f_tau);
        (d * f, gates)
    },
};
