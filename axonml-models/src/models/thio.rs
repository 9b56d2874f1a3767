//! The Thio unmyelinated autonomic and cutaneous C fibers, with sodium, potassium and calcium inside the axon and around
//! it.
//!
//! Source: Thio, Titus, Pelot & Grill 2024, PLoS Comput Biol 20:e1012475, doi:10.1371/journal.pcbi.1012475; pumps, exchanger
//! and calcium after Schild et al. 1994 as in Pelot et al. 2021, J Neurophysiol 125:86-104, doi:10.1152/jn.00315.2020. The two
//! differ in conductances and the axoplasm's resistivity; `channels.rs` has the channels. Rates are evaluated exactly;
//! NEURON's mechanisms interpolate most of them, by which thresholds fall by 0.05 % (autonomic) and velocities rise by 0.04 %
//! (cutaneous).

mod channels;

use axonml_autodiff::engine::{Membrane, SectionKind};

use crate::mechanisms::{
    Balanced, CalciumShell, IonConstants, Mechanisms, Shell, SodiumCalciumExchanger,
    SodiumPotassiumPump,
};
use crate::validation::PYFIBERS;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Schema};
use channels::{BK, CAV1P2, CAV2P2, Hcn, KM, KV1P4, KV2P1, KV3P4, NAV1P7, NAV1P8, NAV1P9, SK};

/// Thio autonomic C fiber.
#[derive(Clone, Copy, Debug)]
pub struct ThioAutonomic;

/// Thio cutaneous C fiber.
#[derive(Clone, Copy, Debug)]
pub struct ThioCutaneous;

/// In what the two fibers differ.
struct Variant {
    /// Conductances, S/cm2: Nav1.7, Nav1.8, Nav1.9; BK; Cav1.2, Cav2.2; KM; HCN; Kv2.1, Kv3.4, Kv1.4; SK.
    s_cm2: [f64; 12],
    /// Scale of the sodium-calcium exchanger.
    exchanger: f64,
    /// Largest current of the sodium-potassium pump, mA/cm2.
    pump_ma_cm2: f64,
    axial_ohm_cm: f64,
}

const AUTONOMIC: Variant = Variant {
    s_cm2: [
        0.036813, 0.075747, 0.000376, 0.000156, 0.000004, 0.009546, 0.002864, 0.002789, 0.005337,
        0.000289, 0.000024, 0.000006,
    ],
    exchanger: 0.000210,
    pump_ma_cm2: 0.056316,
    axial_ohm_cm: 23.117539,
};

const CUTANEOUS: Variant = Variant {
    s_cm2: [
        0.035663, 0.115643, 0.000504, 0.002016, 0.000188, 0.000361, 0.000003, 0.000106, 0.327196,
        0.001786, 0.000044, 0.000755,
    ],
    exchanger: 0.009242,
    pump_ma_cm2: 0.000456,
    axial_ohm_cm: 27.513088,
};

/// Resting potential, mV.
const V_REST_MV: f64 = -58.5;

/// Constants of the exchanger's thermal voltage.
const EXCHANGER_CONSTANTS: IonConstants = IonConstants {
    gas: 8.314,
    faraday: 96500.0,
    zero_celsius: 273.0,
};

fn mechanisms(variant: &Variant) -> Mechanisms<'static> {
    let shell = |inside_mm: f64, outside_mm: f64| Shell {
        inside_mm,
        outside_mm,
        bath_mm: outside_mm,
        thickness_um: 0.030,
        exchange_m_per_s: 1e-7,
    };
    let calcium = CalciumShell {
        inside_mm: 0.000117,
        outside_mm: 2.0,
        bound: 0.05,
        bath_mm: 2.0,
        thickness_um: 0.03,
        exchange_ms: 4511.0,
        nernst: IonConstants::CODATA,
        offset_mv: 0.0,
    };
    let [
        nav1p7,
        nav1p8,
        nav1p9,
        bk,
        cav1p2,
        cav2p2,
        km,
        hcn,
        kv2p1,
        kv3p4,
        kv1p4,
        sk,
    ] = variant.s_cm2;
    Mechanisms::new()
        .with("na", shell(11.4, 154.0))
        .with("k", shell(144.9, 5.6))
        .with("ca", calcium)
        .with("nav1p7", NAV1P7.with_s_cm2(nav1p7))
        .with("nav1p8", NAV1P8.with_s_cm2(nav1p8))
        .with("nav1p9", NAV1P9.with_s_cm2(nav1p9))
        .with("bk", BK.with_s_cm2(bk))
        .with("cav1p2", CAV1P2.with_s_cm2(cav1p2))
        .with("cav2p2", CAV2P2.with_s_cm2(cav2p2))
        .with("km", KM.with_s_cm2(km))
        .with("hcn", Hcn { s_cm2: hcn })
        .with("kv2p1", KV2P1.with_s_cm2(kv2p1))
        .with("kv3p4", KV3P4.with_s_cm2(kv3p4))
        .with("kv1p4", KV1P4.with_s_cm2(kv1p4))
        .with("sk", SK.with_s_cm2(sk))
        .with(
            "naca",
            SodiumCalciumExchanger {
                scale: variant.exchanger,
                unit: "",
                // mA/(cm2 mM4): interpolated between 23 and 37 degrees.
                by_temperature: |x| {
                    let kelvin = x.celsius() + 273.0;
                    36e-9 / 14.0 * (2.2 * (kelvin - 296.0) + (310.0 - kelvin))
                },
                constants: EXCHANGER_CONSTANTS,
            },
        )
        .with(
            "nak",
            SodiumPotassiumPump {
                maximum_ma_cm2: variant.pump_ma_cm2,
            },
        )
        .with(
            "balance",
            Balanced {
                ions: &["na", "k", "ca"],
                v_rest_mv: V_REST_MV,
            },
        )
}

fn schema(id: &'static str, summary: &'static str, variant: &Variant) -> Schema {
    Schema::new(id, summary)
        .cite("Thio et al. 2024, PLoS Comput Biol 20:e1012475, doi:10.1371/journal.pcbi.1012475")
        .mechanisms(&mechanisms(variant))
        .param("passive", "cm", 1.326291192, "uF/cm2")
        .param("passive", "ra", variant.axial_ohm_cm, "ohm cm")
        .diameters_um(0.1..=10.0)
        .compartment_um(8.333)
        .length_um(15_000.0)
        .start_mv(V_REST_MV)
        .celsius(37.0)
        .scheme("backward Euler, single cable")
}

impl FiberModel for ThioAutonomic {
    fn schema(&self) -> Schema {
        schema(
            "thio-autonomic",
            "Thio unmyelinated autonomic C fiber",
            &AUTONOMIC,
        )
        .conducts(1.044, 1.0, 0.5)
        .thresholds_of(PYFIBERS, 3, [0.029, 0.069])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&mechanisms(&AUTONOMIC))
    }
}

impl FiberModel for ThioCutaneous {
    fn schema(&self) -> Schema {
        schema(
            "thio-cutaneous",
            "Thio unmyelinated cutaneous C fiber",
            &CUTANEOUS,
        )
        .conducts(1.019, 1.0, 0.5)
        .thresholds_of(PYFIBERS, 3, [0.101, 0.225])
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&mechanisms(&CUTANEOUS))
    }
}
