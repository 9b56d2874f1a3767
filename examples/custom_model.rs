//! Add your own fiber model: state its rates and currents once, in this file, and everything else works with it:
//! simulations, thresholds, recordings, every device.
//!
//! Run with `cargo run --release --package axonml-models --example custom_model`.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Device, Fiber, FiberModel, FiberSymbols, Geometry, InitialState, Membrane, Patch, Schema,
    SectionKind, Settings, Simulation, Stimulus, ThresholdSearch, Unmyelinated,
};

/// The Connor-Stevens membrane of crustacean walking-leg axons on an unmyelinated fiber.
///
/// Source: Connor, Walter & McKown 1977, Biophys J 18:81-102, doi:10.1016/S0006-3495(77)85598-7, in the notation of
/// Dayan & Abbott 2001, "Theoretical Neuroscience", MIT Press, appendix of chapter 6. Besides Hodgkin and Huxley's
/// currents it has a transient potassium current (states a, b) that lets axons fire slowly.
pub(crate) struct ConnorStevens;

impl FiberModel for ConnorStevens {
    // What the model declares about itself: names, values and units of its constants, its states, its start.
    fn schema(&self) -> Schema {
        Schema::new("connor-stevens", "Connor-Stevens crustacean axon")
            .cite("Connor, Walter & McKown 1977, Biophys J 18:81-102, doi:10.1016/S0006-3495(77)85598-7")
            .states(["m", "h", "n", "a", "b"])
            .param("conductance", "gna", 0.12, "S/cm2")
            .param("conductance", "gk", 0.02, "S/cm2")
            .param("conductance", "ga", 0.0477, "S/cm2")
            .param("conductance", "gl", 0.0003, "S/cm2")
            .param("reversal", "ena", 55.0, "mV")
            .param("reversal", "ek", -72.0, "mV")
            .param("reversal", "ea", -75.0, "mV")
            .param("reversal", "el", -17.0, "mV")
            .param("passive", "cm", 1.0, "uF/cm2")
            .param("passive", "ra", 100.0, "ohm cm") // the membrane's source gives none
            .diameters_um(1.0..=500.0)
            .compartment_um(50.0)
            .start_mv(-68.0)
            .celsius(18.0) // its rates are those of 18 degrees and say nothing of others
            .scheme("backward Euler, single cable")
    }

    // Its cable: a cylinder cut into compartments.
    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(Unmyelinated {
            compartment_um: fiber.compartment_um(),
            diameter_um: fiber.diameter(),
            capacitance_uf_cm2: fiber.param("cm"),
            axial_ohm_cm: fiber.param("ra"),
        })
    }

    // Its membrane: ordinary arithmetic on the voltage (mV), rates in 1/ms, conductances in S/cm2.
    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let v = x.v();
        let [m, h, n, a, b] = x.states(["m", "h", "n", "a", "b"]);
        let [gna, gk, ga, gl] = x.params(["gna", "gk", "ga", "gl"]);
        let [ena, ek, ea, el] = x.params(["ena", "ek", "ea", "el"]);

        // exprelr(u) = u/(e^u - 1) and sigmoid(u) = 1/(1 + e^-u): no special case where u/(e^u - 1) is 0/0.
        let alpha_m = 3.8 * (-0.1 * (v + 29.7)).exprelr();
        let beta_m = 15.2 * (-0.0556 * (v + 54.7)).exp();
        let alpha_h = 0.266 * (-0.05 * (v + 48.0)).exp();
        let beta_h = 3.8 * (0.1 * (v + 18.0)).sigmoid();
        let alpha_n = 0.2 * (-0.1 * (v + 45.7)).exprelr();
        let beta_n = 0.25 * (-0.0125 * (v + 55.7)).exp();

        // Steady states and time constants (ms) of the transient current.
        let a_inf = 0.0761 * (0.0314 * (v + 94.22)).exp() * (-0.0346 * (v + 1.17)).sigmoid();
        let a_tau = 0.3632 + 1.158 * (-0.0497 * (v + 55.96)).sigmoid();
        let b_inf = (-0.0688 * (v + 53.3)).sigmoid().powi(4);
        let b_tau = 1.24 + 2.678 * (-0.0624 * (v + 50.0)).sigmoid();

        Membrane::new()
            .ohmic(gna * m.powi(3) * h, ena)
            .ohmic(gk * n.powi(4), ek)
            .ohmic(ga * a.powi(3) * b, ea)
            .ohmic(gl, el)
            .gate("m", alpha_m, beta_m)
            .gate("h", alpha_h, beta_h)
            .gate("n", alpha_n, beta_n)
            .gate_inf_tau("a", a_inf.powf(1.0 / 3.0), a_tau)
            .gate_inf_tau("b", b_inf, b_tau)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Fibers of three diameters, 10 mm long, settled for 200 ms first.
    let fibers = [10.0, 20.0, 40.0].map(|diameter_um| Fiber::new(diameter_um, 201));
    let settings = Settings {
        tstop_ms: 20.0,
        start: InitialState::Settled { warmup_ms: 200.0 },
        ..Settings::default()
    };
    let device = Device::auto()?;
    let simulation = Simulation::new(&ConnorStevens, fibers.to_vec(), &settings, &device)?;

    // An electrode 0.5 mm above the middle, a cathodic pulse of 0.2 ms.
    let electrode = PointSource {
        x_um: 500.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = "monophasic:pw=0.2,delay=0.1".parse()?;
    let stimulus = Stimulus::uniform(fibers.len(), Arc::new(electrode), pulse);

    let found = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?;
    for (fiber, threshold) in fibers.iter().zip(found) {
        let threshold_ma = threshold.upper_ma().ok_or(threshold.status())?;
        println!("{:>4} um: {threshold_ma:.4} mA", fiber.diameter_um);
    }
    Ok(())
}
