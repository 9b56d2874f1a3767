//! Backward Euler steps of the reduced cable, nodes and modes in one system of equations.

use axonml_autodiff::cable::{Mode, Projection, ReducedCable};

/// Equations per node but the last: the node's own, those of the even and the odd mode of the internode right of it.
const STRIDE: usize = 3;

/// Unknowns to either side of an equation's own that it may contain: a node's nearest is the next node.
const REACH: usize = STRIDE;

/// One linear equation, with its coefficients of the unknowns from `REACH` before its own to `REACH` after.
#[derive(Clone, Copy, Debug, Default)]
struct Equation {
    coefficients: [f64; 2 * REACH + 1],
    right: f64,
}

/// Steps nodes and modes together: new `u` of the nodes, and the modes' amplitudes in place.
///
/// ```text
/// c (u1 - u0)/dt + G u1 - J - drive = for each internode at the node: zeta_e1 +- zeta_o1 - D u1 + O u_other1
/// (zeta1 - zeta0)/dt + lambda zeta1 = b^2 (u_l1 +- u_r1) + drive
/// ```
pub(super) fn solve(
    cable: &ReducedCable,
    dt_ms: f64,
    u_mv: &[f64],
    modes_na: &mut [f64],
    membrane: &[(f64, f64)],
    drive: &Projection,
) -> Vec<f64> {
    let unknowns = STRIDE * (cable.nodes - 1) + 1;
    let mut equations = vec![Equation::default(); unknowns];
    let mut add = |equation: usize, unknown: usize, coefficient: f64| {
        equations[equation].coefficients[unknown + REACH - equation] += coefficient;
    };
    let node = |k: usize| STRIDE * k;
    for k in 0..cable.nodes {
        add(
            node(k),
            node(k),
            cable.capacitance_nf / dt_ms + membrane[k].0,
        );
    }
    for k in 0..cable.nodes - 1 {
        let (left, right) = (node(k), node(k + 1));
        for (this, other) in [(left, right), (right, left)] {
            add(this, this, cable.self_us);
            add(this, other, -cable.neighbor_us);
        }
        let modes: [(usize, Mode, f64); 2] =
            [(left + 1, cable.even, 1.0), (left + 2, cable.odd, -1.0)];
        for (zeta, mode, sign) in modes {
            add(left, zeta, -1.0);
            add(right, zeta, -sign);
            add(zeta, zeta, 1.0 / dt_ms + mode.lambda_per_ms);
            add(zeta, left, -mode.coupling_us_per_ms);
            add(zeta, right, -sign * mode.coupling_us_per_ms);
        }
    }
    for k in 0..cable.nodes {
        let source = membrane[k].1 + drive.nodes_na[k];
        equations[node(k)].right = cable.capacitance_nf / dt_ms * u_mv[k] + source;
    }
    for (index, (zeta, drive)) in modes_na.iter().zip(&drive.modes).enumerate() {
        equations[place_of_mode(index)].right = zeta / dt_ms + drive;
    }

    let solution = eliminate(equations);
    for (index, zeta) in modes_na.iter_mut().enumerate() {
        *zeta = solution[place_of_mode(index)];
    }
    (0..cable.nodes).map(|k| solution[node(k)]).collect()
}

/// The unknown that is mode `index` of an array over `[internode, mode]`.
fn place_of_mode(index: usize) -> usize {
    STRIDE * (index / ReducedCable::MODES) + 1 + index % ReducedCable::MODES
}

/// Gaussian elimination within the band, without pivoting: scaled by `1/b` the equations of a passive cable are
/// symmetric and positive definite.
fn eliminate(mut equations: Vec<Equation>) -> Vec<f64> {
    let n = equations.len();
    for pivot in 0..n {
        let upper = equations[pivot];
        for row in pivot + 1..n.min(pivot + REACH + 1) {
            let lower = &mut equations[row];
            let distance = row - pivot;
            let factor = lower.coefficients[REACH - distance] / upper.coefficients[REACH];
            for ahead in 0..=REACH {
                lower.coefficients[REACH - distance + ahead] -=
                    factor * upper.coefficients[REACH + ahead];
            }
            lower.right -= factor * upper.right;
        }
    }
    let mut solution = vec![0.0; n];
    for row in (0..n).rev() {
        let equation = &equations[row];
        let behind = row + 1..n.min(row + REACH + 1);
        let known: f64 = behind
            .map(|column| equation.coefficients[column + REACH - row] * solution[column])
            .sum();
        solution[row] = (equation.right - known) / equation.coefficients[REACH];
    }
    solution
}
