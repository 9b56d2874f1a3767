//! An internode as published, and its circuit solved directly.

use super::super::*;

/// The double cable of McIntyre et al. (2002), continuous in the fiber diameter.
pub(crate) fn published(diameter_um: f64) -> ([InternodeCompartment; COMPARTMENTS], NodeGeometry) {
    let d = diameter_um;
    let axon_um = 0.01876226 * d * d + 0.4787487 * d + 0.1203613;
    let node_um = 0.006303781 * d * d + 0.2070544 * d + 0.5339006;
    let spacing_um = if d >= 5.26 {
        -8.215284 * d * d + 272.4201 * d - 780.2411
    } else {
        500.0 / 5.7 * d
    };
    let flut_um = -0.01989947 * d * d + 3.016265 * d + 17.43604;
    let lamellae = -0.3889695 * d * d + 14.87838 * d + 9.721088;
    let compartment =
        |length_um, axon_diameter_um, periaxonal_width_um, conductance| InternodeCompartment {
            length_um,
            area_diameter_um: d,
            axon_diameter_um,
            periaxonal_width_um,
            axolemma_capacitance_uf_cm2: 2.0 * axon_diameter_um / d,
            axolemma_conductance_s_cm2: conductance * axon_diameter_um / d,
            myelin_capacitance_uf_cm2: 0.1 / (2.0 * lamellae),
            myelin_conductance_s_cm2: 0.001 / (2.0 * lamellae),
        };
    let mysa = compartment(3.0, node_um, 0.002, 1e-3);
    let flut = compartment(flut_um, axon_um, 0.004, 1e-4);
    let stin = compartment(
        (spacing_um - 7.0 - 2.0 * flut_um) / 6.0,
        axon_um,
        0.004,
        1e-4,
    );
    let node = NodeGeometry {
        length_um: 1.0,
        diameter_um: node_um,
        periaxonal_width_um: 0.002,
    };
    (
        [mysa, flut, stin, stin, stin, stin, stin, stin, flut, mysa],
        node,
    )
}

pub(crate) fn internode(diameter_um: f64) -> Internode {
    let (compartments, node) = published(diameter_um);
    Internode::new(&compartments, node, 70.0).unwrap()
}

pub(crate) type Vector = [f64; MODES];
type Matrix = [Vector; MODES];

/// Capacitances and conductance matrix of the compartments, written down from the circuit.
pub(crate) fn circuit(i: &Internode) -> (Vector, Matrix) {
    let c = std::array::from_fn(|r| if r < 10 { i.cm_nf[r] } else { i.cx_nf[r - 10] });
    let mut g = [[0.0; MODES]; MODES];
    for j in 0..10 {
        g[j][j] += i.gm_us[j];
        g[10 + j][10 + j] += i.gx_us[j];
        for (link, neighbor) in [(j, j.checked_sub(1)), (j + 1, (j < 9).then_some(j + 1))] {
            for (row, column, us) in [
                (0, 0, i.ga_us[link]),
                (0, 10, i.ga_us[link]),
                (10, 0, i.ga_us[link]),
                (10, 10, i.ga_us[link] + i.gp_us[link]),
            ] {
                g[row + j][column + j] += us;
                if let Some(n) = neighbor {
                    g[row + j][column + n] -= us;
                }
            }
        }
    }
    (c, g)
}

/// Gaussian elimination with partial pivoting.
fn solve(mut a: Matrix, mut x: Vector) -> Vector {
    for p in 0..MODES {
        let pivot = (p..MODES)
            .max_by(|&i, &j| a[i][p].abs().total_cmp(&a[j][p].abs()))
            .unwrap();
        a.swap(p, pivot);
        x.swap(p, pivot);
        for r in p + 1..MODES {
            let factor = a[r][p] / a[p][p];
            for c in p..MODES {
                a[r][c] -= factor * a[p][c];
            }
            x[r] -= factor * x[p];
        }
    }
    for p in (0..MODES).rev() {
        let known: f64 = (p + 1..MODES).map(|c| a[p][c] * x[c]).sum();
        x[p] = (x[p] - known) / a[p][p];
    }
    x
}

/// The compartments after a backward Euler step with given end potentials, and the currents into both nodes.
pub(crate) fn direct_step(
    i: &Internode,
    dt: f64,
    y0: &Vector,
    u: (f64, f64),
    ve: &[f64; POINTS],
) -> (Vector, (f64, f64)) {
    let (c, g) = circuit(i);
    let mut matrix = g;
    let mut rhs = [0.0; MODES];
    for r in 0..MODES {
        matrix[r][r] += c[r] / dt;
        rhs[r] = c[r] / dt * y0[r];
        let j = r % 10;
        let second = |link: &[f64; 11]| {
            link[j] * (ve[j] - ve[j + 1]) + link[j + 1] * (ve[j + 2] - ve[j + 1])
        };
        rhs[r] += second(&i.ga_us) + if r >= 10 { second(&i.gp_us) } else { 0.0 };
        rhs[r] += i.ga_us[0] * if j == 0 { u.0 } else { 0.0 }
            + i.ga_us[10] * if j == 9 { u.1 } else { 0.0 };
    }
    let y = solve(matrix, rhs);
    let left = i.ga_us[0] * (y[0] + y[10] + ve[1] - u.0 - ve[0]);
    let right = i.ga_us[10] * (y[9] + y[19] + ve[10] - u.1 - ve[11]);
    (y, (left, right))
}

pub(crate) fn split(y: &Vector) -> ([f64; 10], [f64; 10]) {
    (
        std::array::from_fn(|j| y[j]),
        std::array::from_fn(|j| y[10 + j]),
    )
}
