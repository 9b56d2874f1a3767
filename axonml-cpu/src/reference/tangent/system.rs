//! The linearized backward Euler step of nodes and internodal modes, all of them unknowns of one system.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{CableCotangent, Parity};

use super::Dual;

/// Coefficients of an implicit cable that a step reads.
pub(super) struct Numbers {
    /// Capacitance of each node, nF.
    capacitance: Vec<Dual>,
    /// Conductances between nodes, uS.
    links: Vec<Dual>,
    /// Conductance at a node for each internode beside it, without the links, uS.
    leak: Dual,
    /// Rate (1/ms), coupling `b^2` (uS/ms) and sign at the right node of the modes of an internode.
    modes: Vec<(Dual, Dual, f64)>,
}

/// State that a step starts from.
pub(super) struct Row<'a> {
    /// Voltages and modes before it.
    pub(super) u: &'a [Dual],
    pub(super) modes: &'a [Dual],
    /// Conductance and source of the membrane per node.
    pub(super) membrane: &'a [(Dual, Dual)],
    /// Currents into the nodes, then drives of the modes.
    pub(super) drive: &'a [Dual],
}

impl Numbers {
    pub(super) fn of(cable: &Cable, change: &CableCotangent) -> Self {
        let pairs = |values: &[f64], changes: &[f64]| -> Vec<Dual> {
            let both = values.iter().zip(changes);
            both.map(|(&value, &change)| Dual::new(value, change))
                .collect()
        };
        match (cable, change) {
            (
                Cable::Implicit(cable),
                CableCotangent::Implicit {
                    capacitance_nf,
                    link_us,
                    ..
                },
            ) => Numbers {
                capacitance: pairs(&cable.capacitance_nf, capacitance_nf),
                links: pairs(&cable.link_us, link_us),
                leak: Dual::default(),
                modes: Vec::new(),
            },
            (
                Cable::Double(cable),
                CableCotangent::Double {
                    capacitance_nf,
                    modes,
                    ..
                },
            ) => {
                let internode = &cable.internode;
                let capacitance = Dual::new(cable.node_capacitance_nf, *capacitance_nf);
                let rates = pairs(&internode.lambda, &modes.lambda).into_iter();
                let b = pairs(&internode.b, &modes.b).into_iter();
                let half = internode.b.len() / 2;
                let sign = |mode: usize| match mode < half {
                    true => Parity::Even.sign(),
                    false => Parity::Odd.sign(),
                };
                let each = rates.zip(b).enumerate();
                Numbers {
                    capacitance: vec![capacitance; cable.nodes],
                    links: vec![Dual::default(); cable.nodes - 1],
                    leak: Dual::new(internode.ga_us[0], modes.end_us),
                    modes: each.map(|(k, (rate, b))| (rate, b * b, sign(k))).collect(),
                }
            }
            (Cable::Reduced(cable), CableCotangent::Reduced(change)) => {
                let capacitance = Dual::new(cable.capacitance_nf, change.capacitance_nf);
                let link = Dual::new(cable.neighbor_us, change.neighbor_us);
                let own = Dual::new(cable.self_us, change.self_us);
                let kinds = [
                    (cable.even, change.even, 1.0),
                    (cable.odd, change.odd, -1.0),
                ];
                let modes = kinds.map(|(at, by, sign)| {
                    let rate = Dual::new(at.lambda_per_ms, by.lambda_per_ms);
                    let coupling = Dual::new(at.coupling_us_per_ms, by.coupling_us_per_ms);
                    (rate, coupling, sign)
                });
                Numbers {
                    capacitance: vec![capacitance; cable.nodes],
                    links: vec![link; cable.nodes - 1],
                    leak: own + link.scaled(-1.0),
                    modes: modes.to_vec(),
                }
            }
            _ => unreachable!("checked directions are of their cable's kind"),
        }
    }
}

/// Changes of voltages and modes after a step that led to `after`: from `A x = r`, `A x' = r' - A' x`.
pub(super) fn step_implicitly(
    numbers: &Numbers,
    dt_ms: f64,
    before: &Row<'_>,
    after: (&[f64], &[f64]),
) -> (Vec<f64>, Vec<f64>) {
    let nodes = before.u.len();
    let modes = numbers.modes.len();
    let stride = 1 + modes;
    let place_of_mode = |index: usize| stride * (index / modes) + 1 + index % modes;
    let mut x = vec![0.0; stride * (nodes - 1) + 1];
    for (k, u) in after.0.iter().enumerate() {
        x[stride * k] = *u;
    }
    for (index, zeta) in after.1.iter().enumerate() {
        x[place_of_mode(index)] = *zeta;
    }

    let mut system = System::new(x.len(), stride);
    let mut right = vec![0.0; x.len()];
    let mut add = |row: usize, column: usize, coefficient: Dual| {
        *system.at(row, column) += coefficient.value;
        right[row] -= coefficient.change * x[column];
    };
    for k in 0..nodes {
        let (g, _) = before.membrane[k];
        add(
            stride * k,
            stride * k,
            numbers.capacitance[k].scaled(1.0 / dt_ms) + g,
        );
    }
    for (k, &link) in numbers.links.iter().enumerate() {
        let (left, right) = (stride * k, stride * (k + 1));
        for (this, other) in [(left, right), (right, left)] {
            add(this, this, numbers.leak + link);
            add(this, other, link.scaled(-1.0));
        }
        for (mode, &(rate, coupling, sign)) in numbers.modes.iter().enumerate() {
            let zeta = left + 1 + mode;
            add(left, zeta, Dual::new(-1.0, 0.0));
            add(right, zeta, Dual::new(-sign, 0.0));
            add(zeta, zeta, Dual::new(1.0 / dt_ms, 0.0) + rate);
            add(zeta, left, coupling.scaled(-1.0));
            add(zeta, right, coupling.scaled(-sign));
        }
    }
    for (k, &u) in before.u.iter().enumerate() {
        let (_, j) = before.membrane[k];
        let sum = numbers.capacitance[k].scaled(1.0 / dt_ms) * u + j + before.drive[k];
        right[stride * k] += sum.change;
    }
    for (index, &zeta) in before.modes.iter().enumerate() {
        let sum = zeta.scaled(1.0 / dt_ms) + before.drive[nodes + index];
        right[place_of_mode(index)] += sum.change;
    }
    let x = system.solve(right);
    let modes = (0..before.modes.len()).map(|index| x[place_of_mode(index)]);
    let modes = modes.collect();
    ((0..nodes).map(|k| x[stride * k]).collect(), modes)
}

/// Linear equations whose coefficients lie within a band.
struct System {
    reach: usize,
    /// Of each equation, its coefficients of the unknowns from `reach` before its own to `reach` after.
    rows: Vec<Vec<f64>>,
}

impl System {
    fn new(unknowns: usize, reach: usize) -> Self {
        System {
            reach,
            rows: vec![vec![0.0; 2 * reach + 1]; unknowns],
        }
    }

    fn at(&mut self, row: usize, column: usize) -> &mut f64 {
        &mut self.rows[row][column + self.reach - row]
    }

    /// Gaussian elimination without pivoting: scaled by `1/b`, equations of a passive cable are symmetric and positive
    /// definite.
    fn solve(mut self, mut right: Vec<f64>) -> Vec<f64> {
        let (n, reach) = (self.rows.len(), self.reach);
        for pivot in 0..n {
            let (done, rest) = self.rows.split_at_mut(pivot + 1);
            let upper = &done[pivot];
            for (index, lower) in rest.iter_mut().take(reach).enumerate() {
                let distance = index + 1;
                let factor = lower[reach - distance] / upper[reach];
                if factor != 0.0 {
                    let ahead = lower[reach - distance..].iter_mut().zip(&upper[reach..]);
                    ahead.for_each(|(lower, upper)| *lower -= factor * upper);
                    right[pivot + distance] -= factor * right[pivot];
                }
            }
        }
        for row in (0..n).rev() {
            let coefficients = &self.rows[row][reach..];
            let known = right[row + 1..].iter().zip(&coefficients[1..]);
            let known: f64 = known.map(|(x, coefficient)| x * coefficient).sum();
            right[row] = (right[row] - known) / coefficients[0];
        }
        right
    }
}
