//! Gradients through exact fibres: how the contacts of a cuff should share the current so that some fibres of a nerve are
//! excited and others are not.
//!
//! Run with `cargo run --release --package axonml-models --example differentiable_stimulus`.

use std::sync::Arc;

use axonml_core::{Extension, Interpolation, Waveform};
use axonml_models::tensor::GradientTape;
use axonml_models::{
    Device, Fiber, NodeSelection, Settings, Simulation, Stimulus, model, read_nerve,
};
use ndarray::{Array1, Ix1};

const STEPS: usize = 30;
/// Length of a step in the currents of the contacts, mA.
const STEP_MA: f64 = 0.02;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Twelve fibres of a nerve under six contacts. Those that it marks as targets are to be excited.
    let nerves = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves");
    let nerve = read_nerve(&nerves.join("N1"))?;
    let (fibers, contacts) = (nerve.fibers(), nerve.contacts());
    let target = nerve
        .target()
        .ok_or("the nerve says which fibres are its targets")?;

    // Exact MRG fibres, 8.7 um, 3 ms. Each contact is a source of its own, with a waveform of its own.
    let settings = Settings {
        tstop_ms: 3.0,
        ..Settings::default()
    };
    let simulation = Simulation::new(
        model("mrg")?,
        vec![Fiber::new(8.7, 53); fibers],
        &settings,
        &Device::auto()?,
    )?;
    let pulse: Waveform = "biphasic:pw=0.1,gap=0.05,delay=0.2".parse()?;
    let mut stimulus = Stimulus::none(fibers);
    for contact in 0..contacts {
        let waveform = Arc::new(pulse.clone());
        let mut only = vec![0.0; contacts];
        only[contact] = 1.0;
        for fiber in 0..fibers {
            let field = nerve.field(fiber, &only, Interpolation::Cubic, 0.0, Extension::Refuse)?;
            stimulus = stimulus.source(fiber, Arc::new(field), waveform.clone());
        }
    }
    let unit = Array1::from(pulse.sample(simulation.grid())?);

    let mut currents_ma = Array1::from_elem(contacts, 0.05);
    for step in 0..=STEPS {
        // The currents of the contacts make the waveforms; the run is one operation; the loss wants the highest voltage
        // near the ends above 0 mV in some fibres and below -60 mV in the others.
        let tape = GradientTape::new();
        let currents = tape.variable(currents_ma.clone());
        let waveforms = currents.insert_axis(1) * tape.constant(unit.clone());
        let run = simulation
            .on_tape(&tape, &stimulus)
            .waveforms(waveforms)
            .record(NodeSelection::Nodes(vec![5, -5]), &["m"], 1)
            .run()?;
        let highest_mv = run.v_mv.max_axis(2).max_axis(1);
        let fired: Vec<bool> = highest_mv.value()?.iter().map(|&v| v > 0.0).collect();
        let wrong = fired
            .iter()
            .zip(target)
            .filter(|(fired, target)| fired != target)
            .count();
        let signs = Array1::from_iter(target.iter().map(|&target| if target { -1.0 } else { 1.0 }));
        let loss = ((highest_mv + 30.0) * tape.constant(signs) / 30.0)
            .softplus()
            .mean();
        println!(
            "step {step:2}: loss {:.4}, {wrong} of {fibers} fibres wrong, currents {currents_ma:.3} mA",
            loss.number()?
        );

        // Next to an all-or-none response gradients differ by orders of magnitude: only their direction is followed.
        let by_currents = tape.backward(loss)?.of(currents)?;
        let length = by_currents.mapv(|x| x * x).sum().sqrt();
        currents_ma = currents_ma - by_currents.into_dimensionality::<Ix1>()? * (STEP_MA / length);
    }
    Ok(())
}
