//! The library in one sitting: a nerve from a folder, thresholds of its fibers, traces, an injected current, and
//! looks at the states of a run.
//!
//! Run with `cargo run --release --package axonml-models --example library_use`.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{Extension, Interpolation, Waveform};
use axonml_models::{
    Course, Device, Fiber, FiberState, NodeSelection, Observation, ObserverKind, ObserverSpec,
    Settings, Simulation, Stimulus, ThresholdSearch, model, read_nerve,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A nerve in a six-contact cuff: potentials along twelve fibers, mV per mA from each contact.
    let nerves = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nerves");
    let nerve = read_nerve(&nerves.join("N1"))?;
    println!(
        "{}: {} fibers, {} contacts",
        nerve.name(),
        nerve.fibers(),
        nerve.contacts()
    );

    // Exact MRG fibers of four diameters, all where the nerve's fiber 2 lies: 53 nodes, 5 ms in steps of 5 us. The
    // library knows where nodes and internodes are and asks the field there.
    let diameters_um = [5.7, 8.7, 11.5, 14.0];
    let fibers = diameters_um.map(|diameter_um| Fiber::new(diameter_um, 53));
    let (device, settings) = (Device::auto()?, Settings::default());
    let simulation = Simulation::new(&model("mrg")?, fibers.to_vec(), &settings, &device)?;

    // Contact 0 delivers the cathodic pulse, contact 3 takes it back.
    let contacts = [1.0, 0.0, 0.0, -1.0, 0.0, 0.0];
    let field = nerve.field(2, &contacts, Interpolation::Cubic, 0.0, Extension::Refuse)?;
    let pulse: Waveform = "biphasic:pw=0.1,gap=0.05,delay=0.2".parse()?;
    let stimulus = Stimulus::uniform(fibers.len(), Arc::new(field), pulse);

    // All fibers at once; both ends of each bracket were simulated.
    let found = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?;
    for (diameter_um, threshold) in diameters_um.iter().zip(&found) {
        match threshold.upper_ma() {
            Some(ma) => println!("{diameter_um:>5} um: fires at {ma:.4} mA"),
            None => println!("{diameter_um:>5} um: {}", threshold.status()),
        }
    }

    // Traces of the 8.7 um fiber at 1.2 times its threshold, and when which nodes fired.
    let single = Simulation::new(&model("mrg")?, vec![fibers[1]], &settings, &device)?;
    let field = nerve.field(2, &contacts, Interpolation::Cubic, 0.0, Extension::Refuse)?;
    let stimulus = Stimulus::uniform(
        1,
        Arc::new(field),
        "biphasic:pw=0.1,gap=0.05,delay=0.2".parse()?,
    );
    let recorder = ObserverKind::Recorder {
        states: vec!["m".into()],
        every: 40,
    };
    let observers = [
        ObserverSpec::new(recorder, NodeSelection::Nodes(vec![-5])),
        ObserverSpec::new(ObserverKind::Raster, NodeSelection::All),
    ];
    let amplitude_ma = 1.2 * found[1].upper_ma().ok_or("this fiber fires")?;
    let outcome = single.run(&stimulus, amplitude_ma, &observers)?;
    for observation in &outcome.fibers[0].observations {
        match observation {
            Observation::Recorded(trace) => {
                println!("t (ms), v (mV) and m at node {}:", trace.nodes[0]);
                for ((t, v), m) in trace
                    .t_ms
                    .iter()
                    .zip(&trace.v_mv)
                    .zip(&trace.states[0])
                    .take(10)
                {
                    println!("{t:6.2} {v:8.3} {m:7.4}");
                }
            }
            Observation::Raster(crossings) => {
                let first = crossings.first().ok_or("an action potential")?;
                println!(
                    "first crossing of 0 mV: node {} at {:.4} ms",
                    first.node, first.time_ms
                );
            }
            _ => {}
        }
    }

    // The same fiber excited from inside at node 5 (nA, positive depolarizes), watched every ten steps.
    let clamp: Waveform = "monophasic:pw=0.2,delay=0.1,scale=-1".parse()?;
    let stimulus = Stimulus::none(1).inject(0, 5, 3.0, Arc::new(clamp));
    let mut highest = (f64::MIN, 0, 0);
    let mut look = |step: usize, states: &mut [Option<FiberState>]| {
        for state in states.iter().flatten() {
            for (node, &v_mv) in state.v_mv.iter().enumerate() {
                if v_mv > highest.0 {
                    highest = (v_mv, node, step);
                }
            }
        }
        // Nothing was changed, although it could be.
        Ok(false)
    };
    single.run_in_parts(&stimulus, 0.0, &[], Course::whole().looking(10, &mut look))?;
    let (v_mv, node, step) = highest;
    let time_ms = single.grid().time_ms(step);
    println!("highest peak: {v_mv:.2} mV, node {node}, {time_ms:.2} ms");
    Ok(())
}
