//! Properties of every kind of cable.

use std::sync::Arc;

use proptest::prelude::*;

use super::double::tests::circuit::internode;
use super::*;

/// One cable of each kind with `nodes` nodes, and coefficients without regularity.
fn cables(nodes: usize) -> Vec<Cable> {
    let mode = |lambda_per_ms, coupling_us_per_ms| Mode {
        lambda_per_ms,
        coupling_us_per_ms,
    };
    vec![
        Cable::Explicit(ExplicitCable {
            nodes,
            area_cm2: 1e-5,
            capacitance_nf: 0.01,
            axial_us: 0.3,
            v_weights: (1.0, -2.0),
            ve_weights: (0.9, -1.7),
        }),
        Cable::Implicit(ImplicitCable {
            area_cm2: vec![1e-5; nodes],
            capacitance_nf: vec![0.01; nodes],
            link_us: (1..nodes).map(|k| 0.1 * k as f64).collect(),
        }),
        Cable::Double(DoubleCable {
            nodes,
            node_area_cm2: 1e-7,
            node_capacitance_nf: 2e-4,
            internode: Arc::new(internode(10.0)),
        }),
        Cable::Reduced(ReducedCable {
            nodes,
            node_area_cm2: 1e-7,
            capacitance_nf: 3e-4,
            self_us: 0.06,
            neighbor_us: 0.045,
            even: mode(31.0, 0.17),
            odd: mode(33.0, 0.16),
            drive: ReducedDrive {
                node_even_us: -0.2,
                node_odd_us: 1.1,
                node_wide_us: 0.3,
                even_us_per_ms: 0.7,
                odd_us_per_ms: -0.4,
                wide_us_per_ms: 0.9,
            },
        }),
    ]
}

proptest! {
    #[test]
    fn project_transposed_is_the_transpose_of_project(
        nodes in 2..7_usize,
        numbers in prop::collection::vec(-1.0..1.0_f64, 300),
    ) {
        for cable in cables(nodes) {
            let (ve, rest) = numbers.split_at(cable.samples());
            let (nodes_bar, rest) = rest.split_at(nodes);
            let modes_bar = &rest[..cable.mode_count()];
            let forward = cable.project(ve);
            let backward = cable.project_transposed(nodes_bar, modes_bar);
            prop_assert_eq!(backward.len(), ve.len());
            let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let size = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum() };
            let left = dot(&forward.nodes_na, nodes_bar) + dot(&forward.modes, modes_bar);
            let right = dot(&backward, ve);
            let scale = size(&forward.nodes_na, nodes_bar) + size(&forward.modes, modes_bar) + size(&backward, ve);
            prop_assert!((left - right).abs() <= 1e-13 * scale, "{cable:?}: {left:e} {right:e} of {scale:e}");
        }
    }
}

/// An end without membrane and link takes no part; one without link alone is no cable, nor is a gap between others.
#[test]
fn an_implicit_cable_can_have_cut_off_ends() {
    let whole = ImplicitCable {
        area_cm2: vec![1e-5; 5],
        capacitance_nf: vec![0.01; 5],
        link_us: vec![0.1; 4],
    };
    let cut = |areas: &[usize], links: &[usize]| {
        let mut cable = whole.clone();
        areas.iter().for_each(|&at| cable.area_cm2[at] = 0.0);
        links.iter().for_each(|&at| cable.link_us[at] = 0.0);
        Cable::Implicit(cable)
    };
    assert_eq!(cut(&[], &[]).joined(), 0..5);
    assert_eq!(cut(&[0], &[]).joined(), 0..5);
    assert_eq!(cut(&[0], &[0]).joined(), 1..5);
    let both = cut(&[0, 4], &[0, 3]);
    assert_eq!(both.joined(), 1..4);
    assert_eq!(both.check_coefficients(), Ok(()));
    let projected = both.project(&[9.0, 1.0, 3.0, 2.0, -7.0]);
    for (found, expected) in projected.nodes_na.iter().zip([0.0, 0.2, -0.3, 0.1, 0.0]) {
        assert!((found - expected).abs() < 1e-15, "{projected:?}");
    }
    for open in [cut(&[], &[0]), cut(&[2], &[1]), cut(&[0, 1], &[0, 1])] {
        assert!(open.check_coefficients().is_err(), "{open:?}");
    }
}
