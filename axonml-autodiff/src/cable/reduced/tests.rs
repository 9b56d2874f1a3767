//! The reduction against the circuit it stands for, solved directly in all compartments.

use super::super::double::tests::circuit::{direct_step, internode};
use super::super::double::{DoubleCable, POINTS};
use super::super::parity::MODES;
use super::super::{Cable, Parity};
use super::*;
use std::sync::Arc;

/// A double cable, and the places of an internode's sample points.
fn exact(diameter_um: f64) -> (DoubleCable, [f64; POINTS]) {
    let internode = Arc::new(internode(diameter_um));
    // Compartments of the size of the published ones; only their order matters to what is tested here.
    let z = [
        0.0, 2.0, 26.0, 134.0, 305.0, 476.0, 647.0, 818.0, 989.0, 1097.0, 1121.0, 1123.0,
    ];
    let cable = DoubleCable {
        nodes: 5,
        node_area_cm2: 1e-7,
        node_capacitance_nf: 2e-4,
        internode,
    };
    (cable, z)
}

/// Current into the left node of an internode by the potentials `u` of its nodes, at the rate `1/dt` of a backward Euler
/// step from rest: the reduced internode's own, plus the slow modes that it leaves out.
fn left_current_na(
    cable: &DoubleCable,
    kept: usize,
    z: &[f64; POINTS],
    dt: f64,
    u: (f64, f64),
) -> f64 {
    let reduced = ReducedCable::from_double(cable, kept, z);
    let step = reduced.step(dt);
    let capacitance_nf = (reduced.capacitance_nf - cable.node_capacitance_nf) / 2.0;
    let own = step.neighbor_coupling * u.1 - (step.self_coupling + capacitance_nf / dt) * u.0;
    let exact = cable.internode.step_coefficients(dt);
    let slow = (0..MODES).filter(|mode| mode % 10 < kept);
    own + slow
        .map(|mode| exact.kappa[mode] * (u.0 + Parity::of(mode).sign() * u.1))
        .sum::<f64>()
}

#[test]
fn fast_modes_are_a_conductance_and_a_capacitance() {
    for diameter_um in [5.7, 10.0, 14.0] {
        let (cable, z) = exact(diameter_um);
        for dt in [1.0, 0.1, 0.03] {
            // Equal or opposite potentials, so that the neglected coupling is the node's own capacitance or its negative.
            let direct = |u| {
                let (_, (left, _)) =
                    direct_step(&cable.internode, dt, &[0.0; MODES], u, &[0.0; POINTS]);
                left
            };
            let fast = |sign: f64| -> f64 {
                let modes = (0..MODES).filter(|mode| mode % 10 > 4);
                modes
                    .map(|mode| {
                        let s = Parity::of(mode).sign();
                        let (b, lambda) = (cable.internode.b[mode], cable.internode.lambda[mode]);
                        s * sign * b * b / lambda / lambda
                    })
                    .sum()
            };
            for u in [(1.0, 1.0), (1.0, -1.0), (1.0, 0.0)] {
                // To first order in 1/(lambda dt), lambda the slowest fast rate.
                let found = left_current_na(&cable, 4, &z, dt, u) - fast(1.0) / dt * u.1;
                let expected = direct(u);
                let fastest_left = cable.internode.lambda[5].min(cable.internode.lambda[15]);
                let second_order = (fastest_left * dt).powi(-2) * cable.internode.ga_us[0];
                assert!(
                    (found - expected).abs() < second_order,
                    "{diameter_um} um, {dt} ms, {u:?}: {found:e} {expected:e} {second_order:e}"
                );
            }
        }
    }
}

#[test]
fn all_modes_that_are_not_kept_pass_the_stimulus_on() {
    let (cable, z) = exact(10.0);
    let reduced = Cable::Reduced(ReducedCable::from_double(&cable, 4, &z));
    // A cubic along the fiber, node 0 at z = 0: what the reduction assumes between nodes is then the truth.
    let ve = |z_um: f64| {
        let x = z_um / 1000.0;
        0.3 - 0.7 * x + 0.4 * x * x - 0.11 * x * x * x
    };
    let spacing = z[POINTS - 1];
    let nodes: Vec<f64> = (0..5).map(|k| ve(spacing * k as f64)).collect();
    let projection = reduced.project(&nodes);
    // Internodes 1 and 2, which are not at an end, meet in node 2.
    let mut into_node = 0.0;
    for k in [1, 2] {
        let here: [f64; POINTS] = std::array::from_fn(|j| ve(spacing * k as f64 + z[j]));
        let drives = cable.internode.mode_drive(&here);
        let (_, (left, right)) = direct_step(
            &cable.internode,
            f64::INFINITY,
            &[0.0; MODES],
            (0.0, 0.0),
            &here,
        );
        let slow: f64 = (0..MODES)
            .filter(|mode| mode % 10 <= 4)
            .map(|mode| {
                let sign = if k == 1 { Parity::of(mode).sign() } else { 1.0 };
                sign * drives[mode] / cable.internode.lambda[mode]
            })
            .sum();
        into_node += if k == 1 { right } else { left } - slow;
        for (parity, mode) in [(0, 4), (1, 14)] {
            let found = projection.modes[2 * k + parity];
            assert!(
                (found - drives[mode]).abs() < 1e-12,
                "internode {k}, mode {mode}: {found:e} {:e}",
                drives[mode]
            );
        }
    }
    assert!(
        (projection.nodes_na[2] - into_node).abs() < 1e-12,
        "{:e} {into_node:e}",
        projection.nodes_na[2]
    );
    assert!(into_node.abs() > 1e-6, "nothing was driven");
}
