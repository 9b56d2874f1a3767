//! Twins in pieces against one run, and their bounds against twins that are simulated.

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
    let simulation = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
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

/// A twin that is asked for later and later states is the one of a run in one piece, on either side of the seams.
#[test]
fn a_twin_in_pieces_is_that_of_one_run() {
    let settings = Settings {
        tstop_ms: 3.0,
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(8.0, 21), Fiber::new(8.0, 21)];
    let device = Device::cpu().unwrap();
    let simulation = Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap();
    let electrode = |x_um: f64| {
        Arc::new(PointSource {
            x_um,
            y_um: 0.0,
            z_um: 0.0,
            medium: Medium::isotropic(500.0),
        })
    };
    // On for longer than a piece.
    let pulse: Arc<axonml_core::Waveform> = Arc::new("sine:freq=1,delay=0.1".parse().unwrap());
    let stimulus = Stimulus::none(2)
        .source(0, electrode(500.0), pulse.clone())
        .source(1, electrode(1000.0), pulse);
    let whole = simulation.rollout(&stimulus, &[]).unwrap();
    let scaling = stimulus.scaling();
    let mut twins = Twins::new(&simulation, &whole, &scaling).unwrap();
    for last in [1, PIECE + 1, 3 * PIECE, whole.steps.end] {
        twins
            .look_at(&BTreeMap::from([(0, vec![7, 10])]), last)
            .unwrap();
    }
    // The second fiber shares what the first does without sources, and is looked at elsewhere, too.
    twins
        .look_at(&BTreeMap::from([(1, vec![3, 10])]), whole.steps.end)
        .unwrap();
    for (fiber, node) in [(0, 7), (0, 10), (1, 3), (1, 10)] {
        let kind = ObserverKind::Traces {
            quantities: vec![VOLTAGE.to_owned()],
            every: 1,
        };
        let observer = ObserverSpec::new(kind, NodeSelection::Nodes(vec![node as i64]));
        let trace = |part: Part| {
            let outcome = simulation.execute(&twins.rollout(&[fiber], part, observer.clone()));
            match outcome.unwrap().fibers.remove(0).observations.remove(0) {
                Observation::Traced(traces) => traces.values,
                other => panic!("{other:?}"),
            }
        };
        let (base, unit) = (trace(Part::Base), trace(Part::Unit));
        let scale = twins.weak_amplitude(fiber);
        for (state, (base, unit)) in base.iter().zip(&unit).enumerate() {
            let expected =
                f64::from(*base) + whole.v_reference_mv + 0.05 / scale * f64::from(*unit);
            let found = twins.v_mv(fiber, node, state, 0.05).unwrap();
            assert!(
                (found - expected).abs() < 1e-3,
                "{fiber} {node} {state}: {found} {expected}"
            );
        }
    }
}
