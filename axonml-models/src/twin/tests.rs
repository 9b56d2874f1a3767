//! Bounds of twins against twins that are simulated.

use std::sync::Arc;

use axonml_core::{Medium, PointSource};

use super::*;
use crate::{Device, Fiber, Settings, Stimulus, model};

/// Bounds that need no simulation hold for the twin that is simulated, and spare it where stimuli are ordinary.
#[test]
fn a_twin_stays_within_the_range_of_its_sources() {
    let settings = Settings::default();
    let fibers = [2.0, 6.0, 14.0]
        .map(|diameter| Fiber::new(diameter, 53))
        .to_vec();
    let device = Device::cpu().unwrap();
    let simulation = Simulation::new(model("mrg").unwrap(), fibers, &settings, &device).unwrap();
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: 0.0,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.2,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(3, Arc::new(electrode), pulse);
    let whole = simulation.rollout(&stimulus, &[]).unwrap();
    let scaling = stimulus.scaling();
    let mut twins = Twins::new(&simulation, &whole, &scaling).unwrap();
    let nodes: Vec<usize> = (0..53).collect();
    let wanted = (0..3).map(|fiber| (fiber, nodes.clone())).collect();
    twins.look_at(&wanted, whole.steps.end).unwrap();
    for fiber in 0..3 {
        for (amplitude_ma, node) in [0.3, -0.3, 10.0]
            .into_iter()
            .flat_map(|amplitude| (0..53).map(move |node| (amplitude, node)))
        {
            let at = |state| twins.v_mv(fiber, node, state, amplitude_ma).unwrap();
            let largest = (0..=1000).map(at).fold(f64::MIN, f64::max);
            let below = twins.stays_below(fiber, node, amplitude_ma, largest);
            assert!(
                !below,
                "fiber {fiber}, node {node}, {amplitude_ma} mA: {largest}"
            );
        }
        // The bound itself, by bisection. Without a stimulus it is the resting potential of the twin; a cathodic
        // pulse lowers the outside of a node by rho I / (4 pi r), and raises none.
        let bound = |node: usize, amplitude_ma: f64| {
            let (mut above, mut below) = (-1e3, 1e3);
            for _ in 0..60 {
                let middle = 0.5 * (above + below);
                match twins.stays_below(fiber, node, amplitude_ma, middle) {
                    true => below = middle,
                    false => above = middle,
                }
            }
            below
        };
        for node in [0, 5, 26] {
            let resting = (0..=1000).map(|state| twins.v_mv(fiber, node, state, 0.0).unwrap());
            let above_rest = bound(node, 0.0) - resting.fold(f64::MIN, f64::max);
            assert!(
                (0.0..0.5).contains(&above_rest),
                "fiber {fiber}: {above_rest}"
            );
            let z_um = simulation.nodes_um(fiber)[node];
            let r_um = 1000.0_f64.hypot(z_um);
            // 500 ohm cm and 0.3 mA: 1.5e6 mV um.
            let lowered = 1.5e6 / (4.0 * std::f64::consts::PI * r_um);
            let found = bound(node, 0.3) - bound(node, 0.0);
            assert!(
                (found - lowered).abs() < 1e-9 * lowered,
                "{found} and {lowered}"
            );
        }
    }
}
