//! Compose a fiber of mechanisms: channels of your own, and the library's ions with concentrations inside and outside.
//!
//! Potassium leaves an axon with every action potential and stays in the narrow space around it for a while. A train of
//! action potentials therefore raises its reversal potential, and the threshold changes after it.
//!
//! Run with `cargo run --release --package axonml-models --example custom_mechanism`.

use std::sync::Arc;

use axonml_core::Waveform;
use axonml_models::mechanisms::{Balanced, Channel, FixedIon, IonConstants, Mechanisms, Shell};
use axonml_models::{
    Device, Fiber, FiberModel, FiberSymbols, Geometry, Membrane, NodeSelection, Observation,
    ObserverKind, ObserverSpec, Patch, Schema, SectionKind, Settings, Simulation, Stimulus,
};

/// Hodgkin and Huxley's membrane with potassium that accumulates, in a shell as thick as around squid axons.
///
/// Sources: Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764; Frankenhaeuser & Hodgkin 1956,
/// J Physiol 131:341-376, doi:10.1113/jphysiol.1956.sp005467 (the shell: 30 nm, and a permeability of 6e-5 cm/s).
pub(crate) struct Accumulating;

/// A channel is its ion, its conductance, the names of its gates, and what they do: the open fraction and the updates. The
/// model has its state `m` as `nav.m` and its conductance as `nav.g`.
const NAV: Channel = Channel {
    ion: "na",
    s_cm2: 0.12,
    gates: &["m", "h"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 6.3));
        let [m, h] = x.states(["m", "h"]);
        let gates = Membrane::new()
            .gate(
                "m",
                q * (-(v + 40.0) / 10.0).exprelr(),
                q * 4.0 * (-(v + 65.0) / 18.0).exp(),
            )
            .gate(
                "h",
                q * 0.07 * (-(v + 65.0) / 20.0).exp(),
                q * ((v + 35.0) / 10.0).sigmoid(),
            );
        (m.powi(3) * h, gates)
    },
};

const KV: Channel = Channel {
    ion: "k",
    s_cm2: 0.036,
    gates: &["n"],
    kinetics: |x| {
        let (v, q) = (x.v(), x.q10(3.0, 6.3));
        let gates = Membrane::new().gate(
            "n",
            q * 0.1 * (-(v + 55.0) / 10.0).exprelr(),
            q * 0.125 * (-(v + 65.0) / 80.0).exp(),
        );
        (x.state("n").powi(4), gates)
    },
};

/// Mechanisms by name. Those that keep an ion have the ion's name.
fn mechanisms() -> Mechanisms<'static> {
    Mechanisms::new()
        .with(
            "na",
            FixedIon {
                charge: 1.0,
                inside_mm: 55.0,
                outside_mm: 440.0,
                constants: IonConstants::CODATA,
            },
        )
        .with(
            "k",
            Shell {
                inside_mm: 400.0,
                outside_mm: 16.0,
                bath_mm: 16.0,
                thickness_um: 0.03,
                exchange_m_per_s: 6e-7,
            },
        )
        .with("nav", NAV)
        .with("kv", KV)
        // What keeps sodium and potassium in balance at rest.
        .with(
            "balance",
            Balanced {
                ions: &["na", "k"],
                v_rest_mv: -65.0,
            },
        )
}

impl FiberModel for Accumulating {
    fn schema(&self) -> Schema {
        Schema::new("accumulating", "Hodgkin-Huxley axon with periaxonal potassium")
            .cite("Frankenhaeuser & Hodgkin 1956, J Physiol 131:341-376, doi:10.1113/jphysiol.1956.sp005467")
            .mechanisms(&mechanisms())
            .param("passive", "cm", 1.0, "uF/cm2")
            .param("passive", "ra", 35.4, "ohm cm")
            .diameters_um(1.0..=1000.0)
            .compartment_um(200.0)
            .start_mv(-65.0)
            .celsius(18.5)
            .scheme("backward Euler, single cable")
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        Geometry::Unmyelinated(fiber.cylinder())
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        x.mechanisms(&mechanisms())
    }
}

/// Potassium around the middle of the fiber, mM, before each of ten action potentials, and after the last.
pub(crate) fn potassium_mm() -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let interval_ms = 10.0;
    let settings = Settings {
        dt_ms: 0.02,
        tstop_ms: 10.0 * interval_ms + 1.0,
        ..Settings::default()
    };
    let device = Device::auto()?;
    let fibers = vec![Fiber::new(500.0, 101)];
    let simulation = Simulation::new(&Accumulating, fibers, &settings, &device)?;

    // A current into the first compartment, nA.
    let pulse: Waveform = "monophasic:pw=1,delay=0.5".parse()?;
    let stimulus = (0..10).fold(Stimulus::none(1), |stimulus, number| {
        let delayed = pulse
            .clone()
            .flipped()
            .delayed(f64::from(number) * interval_ms);
        stimulus.inject(0, 0, 20_000.0, Arc::new(delayed))
    });
    let every = (interval_ms / settings.dt_ms).round() as usize;
    let recorder = ObserverSpec::new(
        ObserverKind::Recorder {
            states: vec!["k.outside".into()],
            every,
        },
        NodeSelection::Nodes(vec![50]),
    );
    let outcome = simulation.run(&stimulus, 0.0, &[recorder])?;
    let Observation::Recorded(recording) = &outcome.fibers[0].observations[0] else {
        return Err("the recorder was asked to record".into());
    };
    Ok(recording.states[0].clone())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (pulses, outside_mm) in potassium_mm()?.into_iter().enumerate() {
        println!(
            "after {pulses:>2} action potentials: {outside_mm:.3} mM potassium around the axon"
        );
    }
    Ok(())
}
