//! How long it takes to set up fibers that share nothing: geometry, modes of their internodes, potentials and drives.

use std::sync::Arc;
use std::time::Instant;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, model};

use super::row::{Row, Unit};

/// The row's name.
pub(super) const NAME: &str = "mrg.setup_us";

const FIBERS: usize = 4096;
const NODES: usize = 53;

/// Time per fiber on one core; each has a diameter of its own, beside one point source.
pub(super) fn measure(repeat: usize) -> Result<Row, Box<dyn std::error::Error>> {
    let device = Device::cpu()?;
    let diameter_um = |k: usize| 5.7 + 8.3 * k as f64 / FIBERS as f64;
    let fibers: Vec<Fiber> = (0..FIBERS)
        .map(|k| Fiber::new(diameter_um(k), NODES))
        .collect();
    let source = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
    let stimulus = Stimulus::uniform(FIBERS, Arc::new(source), pulse);
    let mut microseconds = Vec::new();
    // The first one warms caches and the allocator.
    for _ in 0..=repeat {
        let start = Instant::now();
        let simulation = Simulation::new(
            &model("mrg")?,
            fibers.clone(),
            &Settings::default(),
            &device,
        )?;
        simulation.rollout(&stimulus, &[])?;
        microseconds.push(1e6 * start.elapsed().as_secs_f64() / FIBERS as f64);
    }
    Ok(Row::new(
        NAME,
        microseconds.split_off(1),
        Unit::Microseconds,
        None,
        format!("per fiber of {NODES} nodes; {FIBERS} diameters, one point source, one thread"),
    ))
}
