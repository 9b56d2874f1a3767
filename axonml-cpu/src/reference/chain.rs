//! Backward Euler steps of chains: the single cable node by node, the double cable compartment by compartment.

use std::ops::{Add, Mul, Sub};

use axonml_autodiff::cable::{DoubleCable, ImplicitCable, MODES, Projection};

/// Compartments of an internode.
const COMPARTMENTS: usize = 10;

/// New `u` of a single cable: Gaussian elimination from left to right (Thomas), then substitution.
pub(super) fn solve_single(
    cable: &ImplicitCable,
    dt_ms: f64,
    u_mv: &[f64],
    membrane: &[(f64, f64)],
    drive_na: &[f64],
) -> Vec<f64> {
    let n = u_mv.len();
    let link = |k: usize| cable.link_us.get(k).copied().unwrap_or(0.0);
    let mut diagonal = vec![0.0; n];
    let mut x = vec![0.0; n];
    for k in 0..n {
        let (g_us, j_na) = membrane[k];
        let capacitance_us = cable.capacitance_nf[k] / dt_ms;
        let left = if k == 0 { 0.0 } else { link(k - 1) };
        diagonal[k] = capacitance_us + g_us + left + link(k);
        x[k] = capacitance_us * u_mv[k] + j_na + drive_na[k];
    }
    for k in 1..n {
        let factor = link(k - 1) / diagonal[k - 1];
        diagonal[k] -= factor * link(k - 1);
        x[k] += factor * x[k - 1];
    }
    for k in (0..n).rev() {
        let right = if k + 1 < n { link(k) * x[k + 1] } else { 0.0 };
        x[k] = (x[k] + right) / diagonal[k];
    }
    x
}

/// Potentials of axolemma and myelin at one point of a double cable, mV, or currents or charges that belong to them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pair {
    m: f64,
    q: f64,
}

impl Add for Pair {
    type Output = Pair;
    fn add(self, other: Pair) -> Pair {
        Pair {
            m: self.m + other.m,
            q: self.q + other.q,
        }
    }
}

/// A 2x2 matrix that takes a [`Pair`] of potentials to one of currents: `rows[0]` makes `m`, `rows[1]` makes `q`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    rows: [[f64; 2]; 2],
}

impl Block {
    const ZERO: Block = Block {
        rows: [[0.0; 2]; 2],
    };

    /// A link's currents by the difference of potentials across it: with `Vi = m + q` and `Vp = q`, the current that
    /// enters the axon is `ga Vi`; the equation of `q` counts that and `gp Vp`.
    fn link(ga_us: f64, gp_us: f64) -> Block {
        Block {
            rows: [[ga_us, ga_us], [ga_us, ga_us + gp_us]],
        }
    }

    fn diagonal(m: f64, q: f64) -> Block {
        Block {
            rows: [[m, 0.0], [0.0, q]],
        }
    }

    /// Without the second row: for nodes, which have no myelin and hence no equation of `q`.
    fn without_q(self) -> Block {
        Block {
            rows: [self.rows[0], [0.0; 2]],
        }
    }

    fn inverse(self) -> Block {
        let [[a, b], [c, d]] = self.rows;
        let determinant = a * d - b * c;
        Block {
            rows: [
                [d / determinant, -b / determinant],
                [-c / determinant, a / determinant],
            ],
        }
    }

    fn entries(f: impl Fn(usize, usize) -> f64) -> Block {
        Block {
            rows: std::array::from_fn(|i| std::array::from_fn(|j| f(i, j))),
        }
    }
}

impl Add for Block {
    type Output = Block;
    fn add(self, other: Block) -> Block {
        Block::entries(|i, j| self.rows[i][j] + other.rows[i][j])
    }
}

impl Sub for Block {
    type Output = Block;
    fn sub(self, other: Block) -> Block {
        Block::entries(|i, j| self.rows[i][j] - other.rows[i][j])
    }
}

impl Mul for Block {
    type Output = Block;
    fn mul(self, other: Block) -> Block {
        Block::entries(|i, j| {
            self.rows[i][0] * other.rows[0][j] + self.rows[i][1] * other.rows[1][j]
        })
    }
}

impl Mul<Pair> for Block {
    type Output = Pair;
    fn mul(self, x: Pair) -> Pair {
        let [[a, b], [c, d]] = self.rows;
        Pair {
            m: a * x.m + b * x.q,
            q: c * x.m + d * x.q,
        }
    }
}

/// Potentials of the compartments of all internodes, `[internode][compartment]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Internodes {
    potentials: Vec<[Pair; COMPARTMENTS]>,
}

impl Internodes {
    /// From mode amplitudes, `[internode, mode]`.
    pub(super) fn from_modes(cable: &DoubleCable, modes: &[f64]) -> Self {
        let potentials = (0..cable.nodes - 1).map(|index| {
            let (m, q) = cable.internode.to_compartments(&modes_of(modes, index));
            std::array::from_fn(|j| Pair { m: m[j], q: q[j] })
        });
        Internodes {
            potentials: potentials.collect(),
        }
    }

    /// Mode amplitudes, `[internode, mode]`.
    pub(super) fn to_modes(&self, cable: &DoubleCable) -> Vec<f64> {
        let amplitudes = |y: &[Pair; COMPARTMENTS]| {
            cable
                .internode
                .from_compartments(&y.map(|y| y.m), &y.map(|y| y.q))
        };
        self.potentials.iter().flat_map(amplitudes).collect()
    }

    /// Steps nodes and compartments together and returns the new `u` of the nodes.
    ///
    /// The points of the fiber, in order, form a block-tridiagonal system: a link of matrix `K` between two points sends
    /// `K (y_b - y_a)` from b to a. A node is the point `(u, 0)`; its second equation is `q = 0`.
    pub(super) fn solve(
        &mut self,
        cable: &DoubleCable,
        dt_ms: f64,
        u_mv: &[f64],
        membrane: &[(f64, f64)],
        drive: &Projection,
    ) -> Vec<f64> {
        let internode = &*cable.internode;
        let stride = COMPARTMENTS + 1;
        let points = stride * (cable.nodes - 1) + 1;
        let mut own = vec![Block::ZERO; points];
        let mut rhs = vec![Pair::default(); points];
        for node in 0..cable.nodes {
            let (g_us, j_na) = membrane[node];
            let capacitance_us = cable.node_capacitance_nf / dt_ms;
            own[stride * node] = Block::diagonal(capacitance_us + g_us, 1.0);
            rhs[stride * node].m = capacitance_us * u_mv[node] + j_na + drive.nodes_na[node];
        }
        for (index, y) in self.potentials.iter().enumerate() {
            let current = compartment_currents(cable, &modes_of(&drive.modes, index));
            for j in 0..COMPARTMENTS {
                let (cm, cx) = (internode.cm_nf[j] / dt_ms, internode.cx_nf[j] / dt_ms);
                let point = stride * index + 1 + j;
                own[point] = Block::diagonal(cm + internode.gm_us[j], cx + internode.gx_us[j]);
                rhs[point] = Pair {
                    m: cm * y[j].m + current[j].m,
                    q: cx * y[j].q + current[j].q,
                };
            }
        }
        let is_node = |point: usize| point.is_multiple_of(stride);
        let seen_from = |point: usize, link: Block| {
            if is_node(point) {
                link.without_q()
            } else {
                link
            }
        };
        let links: Vec<Block> = (0..points - 1)
            .map(|i| Block::link(internode.ga_us[i % stride], internode.gp_us[i % stride]))
            .collect();
        for (i, &link) in links.iter().enumerate() {
            own[i] = own[i] + seen_from(i, link);
            own[i + 1] = own[i + 1] + seen_from(i + 1, link);
        }

        // Elimination and substitution; the off-diagonal blocks are the links, negative.
        for i in 1..points {
            let factor = seen_from(i, links[i - 1]) * own[i - 1].inverse();
            own[i] = own[i] - factor * seen_from(i - 1, links[i - 1]);
            rhs[i] = rhs[i] + factor * rhs[i - 1];
        }
        let mut solution = rhs;
        for i in (0..points).rev() {
            if i + 1 < points {
                solution[i] = solution[i] + seen_from(i, links[i]) * solution[i + 1];
            }
            solution[i] = own[i].inverse() * solution[i];
        }
        for (index, y) in self.potentials.iter_mut().enumerate() {
            *y = std::array::from_fn(|j| solution[stride * index + 1 + j]);
        }
        (0..cable.nodes)
            .map(|node| solution[stride * node].m)
            .collect()
    }
}

/// Currents `f` into the compartments, nA, that drive the modes of an internode by `b Phi^T f`: as `Phi^T C Phi = 1`,
/// `f = C Phi (drive/b)`, and `Phi (drive/b)` turns mode amplitudes into potentials.
fn compartment_currents(cable: &DoubleCable, drive: &[f64; MODES]) -> [Pair; COMPARTMENTS] {
    let internode = &*cable.internode;
    let (m, q) = internode.to_compartments(drive);
    std::array::from_fn(|j| Pair {
        m: internode.cm_nf[j] * m[j],
        q: internode.cx_nf[j] * q[j],
    })
}

/// The modes of internode `index` in an array over `[internode, mode]`.
fn modes_of(modes: &[f64], index: usize) -> [f64; MODES] {
    std::array::from_fn(|mode| modes[index * MODES + mode])
}
