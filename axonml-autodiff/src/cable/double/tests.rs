//! The modes against the compartments they stand for, solved directly.

pub(crate) mod circuit;

use super::*;
use circuit::{Vector, circuit, direct_step, internode, published, split};
use proptest::prelude::*;

/// Everything at once: modes stepped by their coefficients against the direct solution, in mV and nA.
fn compare_step(
    i: &Internode,
    dt: f64,
    y0: &Vector,
    u: (f64, f64),
    ve: &[f64; POINTS],
) -> (f64, f64) {
    let step = i.step_coefficients(dt);
    let (m0, q0) = split(y0);
    let zeta0 = i.from_compartments(&m0, &q0);
    let drive = i.mode_drive(ve);
    let free: Vector = std::array::from_fn(|k| step.a[k] * (zeta0[k] + dt * drive[k]));
    let zeta1: Vector =
        std::array::from_fn(|k| free[k] + step.kappa[k] * (u.0 + Parity::of(k).sign() * u.1));
    let (m, q) = i.to_compartments(&zeta1);
    let (expected, currents) = direct_step(i, dt, y0, u, ve);
    let (m1, q1) = split(&expected);
    let potential = (0..10)
        .map(|j| (m[j] - m1[j]).abs().max((q[j] - q1[j]).abs()))
        .fold(0.0, f64::max);

    // The node rows of the tridiagonal system, as the documentation of StepCoefficients states them.
    let sum: f64 = free.iter().sum();
    let signed: f64 = (0..MODES).map(|k| Parity::of(k).sign() * free[k]).sum();
    let (sd, so) = (step.self_coupling, step.neighbor_coupling);
    let left = sum - sd * u.0 + so * u.1 + i.ga_us[0] * (ve[1] - ve[0]);
    let right = signed - sd * u.1 + so * u.0 + i.ga_us[10] * (ve[10] - ve[11]);
    (
        potential,
        (left - currents.0).abs().max((right - currents.1).abs()),
    )
}

#[test]
fn links_and_compartments_follow_from_geometry() {
    let i = internode(10.0);
    // Length over cross-section in series, by hand: node 1 um and MYSA 3 um of diameter 3.2348227 um, 70 ohm cm.
    let resistance_mohm = 70.0 * 2e-4 / (PI * (3.2348227 / 2.0 * 1e-4_f64).powi(2)) * 1e-6;
    assert!(
        (i.ga_us[0] * resistance_mohm - 1.0).abs() < 1e-12,
        "{}",
        i.ga_us[0] * resistance_mohm
    );
    let ring_um2 = PI * ((3.2348227 / 2.0 + 0.002_f64).powi(2) - (3.2348227_f64 / 2.0).powi(2));
    let periaxonal_mohm = 70.0 * 2e-4 / (ring_um2 * 1e-8) * 1e-6;
    assert!((i.gp_us[0] * periaxonal_mohm - 1.0).abs() < 1e-12);
    let area_cm2 = PI * 10.0 * 3.0 * 1e-8;
    assert!((i.cm_nf[0] / (2.0 * 0.32348227 * area_cm2 * 1e3) - 1.0).abs() < 1e-12);
    assert!((i.gm_us[9] / (1e-3 * 0.32348227 * area_cm2 * 1e6) - 1.0).abs() < 1e-12);
    assert!(
        (i.gx_us[0] / i.cx_nf[0] - 10.0).abs() < 1e-12,
        "myelin: 0.001 S/cm2 by 0.1 uF/cm2 is 10/ms"
    );
}

#[test]
fn modes_diagonalise_the_circuit() {
    for diameter_um in [2.0, 5.7, 10.0, 16.0] {
        let i = internode(diameter_um);
        let (c, g) = circuit(&i);
        assert!(
            i.lambda[..10].is_sorted()
                && i.lambda[10..].is_sorted()
                && i.lambda.iter().all(|&l| l > 0.0)
        );
        for k in 0..MODES {
            for l in 0..MODES {
                let delta = if k == l { 1.0 } else { 0.0 };
                let norm: f64 = (0..MODES).map(|r| i.phi[r][k] * c[r] * i.phi[r][l]).sum();
                assert!(
                    (norm - delta).abs() < 1e-13,
                    "{diameter_um} um, {k} {l}: {norm}"
                );
                let energy: f64 = (0..MODES)
                    .map(|r| i.phi[r][k] * (0..MODES).map(|s| g[r][s] * i.phi[s][l]).sum::<f64>())
                    .sum();
                let scale = (i.lambda[k] * i.lambda[l]).sqrt();
                assert!(
                    (energy / scale - delta).abs() < 1e-9,
                    "{diameter_um} um, {k} {l}: {energy} {scale}"
                );
            }
            for j in 0..10 {
                assert_eq!(i.phi[j][k], Parity::of(k).sign() * i.phi[9 - j][k]);
                assert_eq!(i.phi[10 + j][k], Parity::of(k).sign() * i.phi[19 - j][k]);
            }
            assert_eq!(i.b[k], i.ga_us[0] * (i.phi[0][k] + i.phi[10][k]));
        }
    }
}

#[test]
fn slow_rates_are_accurate_to_a_fraction_of_themselves() {
    // Their product is a determinant, which one rate that is wrong in its tenth digit would spoil.
    let i = internode(10.0);
    let (c, g) = circuit(&i);
    let mut a = g;
    let mut determinant_per_c = 1.0;
    for p in 0..MODES {
        determinant_per_c *= a[p][p] / c[p];
        for r in p + 1..MODES {
            let factor = a[r][p] / a[p][p];
            for s in p..MODES {
                a[r][s] -= factor * a[p][s];
            }
        }
    }
    let product: f64 = i.lambda.iter().product();
    assert!(
        (product / determinant_per_c - 1.0).abs() < 1e-10,
        "{product:e} {determinant_per_c:e}"
    );
    assert!(
        i.lambda[0] < 1.0 && i.lambda[9] > 1e6,
        "rates span the decades this is about: {:?}",
        i.lambda
    );
}

#[test]
fn couplings_equal_their_sums_and_the_direct_solution() {
    for diameter_um in [2.0, 5.7, 10.0, 16.0] {
        let i = internode(diameter_um);
        for dt in [1e-5, 0.001, 0.005, 0.1, 25.0, 1e9] {
            let step = i.step_coefficients(dt);
            let sum: f64 = step.kappa.iter().sum();
            let signed: f64 = (0..MODES)
                .map(|k| Parity::of(k).sign() * step.kappa[k])
                .sum();
            let tolerance = 1e-12 * i.ga_us[0];
            assert!(
                (step.self_coupling - (i.ga_us[0] - sum)).abs() < tolerance,
                "{diameter_um} um, {dt} ms"
            );
            assert!(
                (step.neighbor_coupling - signed).abs() < tolerance,
                "{diameter_um} um, {dt} ms"
            );

            let (_, (left, right)) = direct_step(&i, dt, &[0.0; MODES], (1.0, 0.0), &[0.0; POINTS]);
            assert!((step.self_coupling + left).abs() < tolerance);
            assert!((step.neighbor_coupling - right).abs() < tolerance);
        }
    }
}

#[test]
fn the_static_leak_is_what_flows_through_the_compartments() {
    for diameter_um in [2.0, 10.0, 16.0] {
        let i = internode(diameter_um);
        let step = i.step_coefficients(f64::INFINITY);
        let (y, _) = direct_step(&i, f64::INFINITY, &[0.0; MODES], (1.0, 1.0), &[0.0; POINTS]);
        // With both nodes at 1 mV the ends deliver what leaves the axoplasm through the axolemma: no cancellation here.
        let leak: f64 = (0..10).map(|j| i.gm_us[j] * y[j]).sum::<f64>() / 2.0;
        let found = step.self_coupling - step.neighbor_coupling;
        assert!(
            (found / leak - 1.0).abs() < 1e-10,
            "{diameter_um} um: {found:e} {leak:e}"
        );
        assert!(
            found < 0.01 * i.ga_us[0],
            "the difference of large numbers that this is about"
        );
        let antisymmetric: f64 = (0..MODES)
            .filter(|&k| Parity::of(k) == Parity::Odd)
            .map(|k| 2.0 * i.b[k] * i.b[k] / i.lambda[k])
            .sum();
        let expected = i.ga_us[0] - antisymmetric;
        assert!(
            (step.self_coupling + step.neighbor_coupling - expected).abs() < 1e-11 * i.ga_us[0]
        );
    }
}

#[test]
fn only_differences_of_potential_drive_and_mirrored_ones_mirror() {
    let i = internode(10.0);
    let constant = i.mode_drive(&[7.0; POINTS]);
    assert_eq!(constant, [0.0; MODES]);
    let ve: [f64; POINTS] = std::array::from_fn(|j| j as f64 * j as f64);
    let mirrored: [f64; POINTS] = std::array::from_fn(|j| ve[POINTS - 1 - j]);
    let (drive, mirror) = (i.mode_drive(&ve), i.mode_drive(&mirrored));
    for k in 0..MODES {
        let expected = Parity::of(k).sign() * drive[k];
        assert!(
            (mirror[k] - expected).abs() <= 1e-12 * drive[k].abs().max(1.0),
            "{k}: {} {expected}",
            mirror[k]
        );
    }
}

#[test]
fn a_fiber_is_projected_internode_by_internode() {
    let i = Arc::new(internode(10.0));
    let cable = DoubleCable {
        nodes: 3,
        node_area_cm2: 1e-7,
        node_capacitance_nf: 2e-4,
        internode: Arc::clone(&i),
    };
    assert_eq!(cable.samples(), 23);
    let ve: Vec<f64> = (0..23).map(|s| f64::from(s * s % 17)).collect();
    let projection = cable.project(&ve);
    let ga = i.ga_us[0];
    let expected = [
        ga * (ve[1] - ve[0]),
        ga * (ve[10] - ve[11]) + ga * (ve[12] - ve[11]),
        ga * (ve[21] - ve[22]),
    ];
    for (found, expected) in projection.nodes_na.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12 * ga, "{found} {expected}");
    }
    assert_eq!(
        projection.modes[..MODES],
        i.mode_drive(&std::array::from_fn(|j| ve[j]))
    );
    assert_eq!(
        projection.modes[MODES..],
        i.mode_drive(&std::array::from_fn(|j| ve[11 + j]))
    );
}

#[test]
fn impossible_internodes_are_refused_by_name() {
    let (mut compartments, node) = published(10.0);
    compartments[7].length_um += 1.0;
    let error = Internode::new(&compartments, node, 70.0).unwrap_err();
    assert_eq!(
        error,
        InternodeError::NotSymmetric {
            compartment: 2,
            mirrored: 7
        }
    );

    let (mut compartments, node) = published(10.0);
    compartments[1].myelin_capacitance_uf_cm2 = f64::NAN;
    let message = Internode::new(&compartments, node, 70.0)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("compartment 1: myelin_capacitance_uf_cm2 is NaN"),
        "{message}"
    );

    let (compartments, node) = published(10.0);
    let message = Internode::new(&compartments, node, f64::INFINITY)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the axoplasm: axoplasm_ohm_cm is inf"),
        "{message}"
    );
    let message = Internode::new(
        &compartments,
        NodeGeometry {
            length_um: 0.0,
            ..node
        },
        70.0,
    )
    .unwrap_err()
    .to_string();
    assert!(message.contains("the node: length_um is 0"), "{message}");

    let (compartments, node) = published(10.0);
    let insulated = compartments.map(|c| InternodeCompartment {
        axolemma_conductance_s_cm2: 0.0,
        myelin_conductance_s_cm2: 0.0,
        ..c
    });
    let i = Internode::new(&insulated, node, 70.0).unwrap();
    assert!(
        i.lambda.iter().all(|&l| l > 0.0),
        "the nodes drain an internode without leaks"
    );
}

fn potentials<const N: usize>() -> impl Strategy<Value = [f64; N]> {
    prop::collection::vec(-100.0..100.0_f64, N).prop_map(|v| std::array::from_fn(|j| v[j]))
}

proptest! {
    #[test]
    fn a_step_by_modes_is_the_step_of_the_compartments(
        diameter_um in 2.0..20.0_f64,
        log_dt in -4.0..1.0_f64,
        y0 in potentials::<MODES>(),
        ve in potentials::<POINTS>(),
        u in (-100.0..100.0_f64, -100.0..100.0_f64),
    ) {
        let i = internode(diameter_um);
        let (potential, current) = compare_step(&i, 10.0_f64.powf(log_dt), &y0, u, &ve);
        prop_assert!(potential < 1e-9, "{potential:e} mV");
        prop_assert!(current < 1e-11 * 100.0 * i.ga_us[0], "{current:e} nA");
    }

    #[test]
    fn compartments_survive_the_way_through_the_modes(diameter_um in 2.0..20.0_f64, y in potentials::<MODES>()) {
        let i = internode(diameter_um);
        let (m, q) = split(&y);
        let (m1, q1) = i.to_compartments(&i.from_compartments(&m, &q));
        for j in 0..10 {
            prop_assert!((m[j] - m1[j]).abs() < 1e-10 && (q[j] - q1[j]).abs() < 1e-10, "{j}: {} {}", m1[j], q1[j]);
        }
    }
}
