//! Cable kernels: the linear part of a step for a group of lanes.
//!
//! Arrays are `[node][lane]` with `L` lanes. Fibers with fewer nodes than the group have padding rows, decoupled from
//! the fiber.

pub(crate) mod reverse;

use axonml_autodiff::ir::Real;

use crate::isa::Kernel;

/// Coefficients of the implicit node rows: `(c/dt + d + area G_k) u_k + off_{k-1} u_{k-1} + off_k u_{k+1} = ..`.
#[derive(Debug, Default)]
pub(crate) struct NodeRows<R> {
    /// `c/dt`, nF/ms.
    pub(crate) capacitance: Vec<R>,
    /// `c/dt + d`: with the passive conductances at the node, uS.
    pub(crate) diagonal: Vec<R>,
    /// Membrane area times the unit factor that turns S/cm2 into uS.
    pub(crate) area: Vec<R>,
    /// Coupling of rows k and k + 1 (negative conductance), uS; zero after a fiber's last node.
    pub(crate) off: Vec<R>,
}

/// Solves the implicit node rows by the Thomas algorithm (no pivoting: for conductances >= 0 the
/// matrix is diagonally dominant).
pub(crate) struct Solve<'a, R, const L: usize> {
    pub(crate) rows: &'a NodeRows<R>,
    /// Membrane conductance S/cm2 and source mA/cm2.
    pub(crate) g: &'a [R],
    pub(crate) j: &'a [R],
    /// Other currents into the nodes, nA.
    pub(crate) current: &'a [R],
    pub(crate) u: &'a [R],
    /// Eliminated couplings; scratch.
    pub(crate) coupling: &'a mut [R],
    /// Right-hand sides on the way down, the solution in the end.
    pub(crate) solution: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for Solve<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        set_up::<R, FUSED>(
            self.rows,
            self.g,
            self.j,
            self.current,
            self.u,
            self.coupling,
            self.solution,
        );
        solve_rows::<R, L, FUSED>(&self.rows.off, self.coupling, self.solution);
    }
}

/// Solves a tridiagonal system with the couplings `off`: `coupling` holds the diagonal, `solution` the right-hand side.
#[inline(always)]
fn solve_rows<R: Real, const L: usize, const FUSED: bool>(
    off: &[R],
    coupling: &mut [R],
    solution: &mut [R],
) {
    let one = R::from_f64(1.0);
    let off = lanes::<R, L>(off);
    let (coupling, solution) = (lanes_mut::<R, L>(coupling), lanes_mut::<R, L>(solution));
    let n = coupling.len();
    for l in 0..L {
        let inverse = one / coupling[0][l];
        coupling[0][l] = off[0][l] * inverse;
        solution[0][l] *= inverse;
    }
    for k in 1..n {
        let (done, rest) = coupling.split_at_mut(k);
        let (solved, unsolved) = solution.split_at_mut(k);
        let off = (&off[k - 1], &off[k]);
        eliminate::<R, L, FUSED>(
            off,
            &done[k - 1],
            &solved[k - 1],
            &mut rest[0],
            &mut unsolved[0],
        );
    }
    for k in (0..n - 1).rev() {
        let (head, tail) = solution.split_at_mut(k + 1);
        substitute::<R, L, FUSED>(&coupling[k], &tail[0], &mut head[k]);
    }
}

/// Right-hand sides and diagonals have no dependence between rows: a pass of their own keeps the serial elimination as
/// short as it can be.
#[inline(always)]
fn set_up<R: Real, const FUSED: bool>(
    rows: &NodeRows<R>,
    g: &[R],
    j: &[R],
    current: &[R],
    u: &[R],
    diagonal: &mut [R],
    right: &mut [R],
) {
    let n = u.len();
    let (c, d, area) = (&rows.capacitance[..n], &rows.diagonal[..n], &rows.area[..n]);
    let (g, j, current) = (&g[..n], &j[..n], &current[..n]);
    let (diagonal, right) = (&mut diagonal[..n], &mut right[..n]);
    for i in 0..n {
        diagonal[i] = area[i].fma::<FUSED>(g[i], d[i]);
        right[i] = c[i].fma::<FUSED>(u[i], area[i].fma::<FUSED>(j[i], current[i]));
    }
}

/// Forward step of the Thomas algorithm: eliminates the coupling of a row to the previous one and divides by the
/// remaining diagonal.
#[inline(always)]
fn eliminate<R: Real, const L: usize, const FUSED: bool>(
    off: (&[R; L], &[R; L]),
    coupling_before: &[R; L],
    solution_before: &[R; L],
    coupling: &mut [R; L],
    solution: &mut [R; L],
) {
    let one = R::from_f64(1.0);
    for l in 0..L {
        let before = -off.0[l];
        let inverse = one / before.fma::<FUSED>(coupling_before[l], coupling[l]);
        coupling[l] = off.1[l] * inverse;
        solution[l] = before.fma::<FUSED>(solution_before[l], solution[l]) * inverse;
    }
}

/// Back substitution of the Thomas algorithm: completes a row's solution from that of the next row.
#[inline(always)]
fn substitute<R: Real, const L: usize, const FUSED: bool>(
    coupling: &[R; L],
    behind: &[R; L],
    solution: &mut [R; L],
) {
    for l in 0..L {
        solution[l] = (-coupling[l]).fma::<FUSED>(behind[l], solution[l]);
    }
}

/// Coefficients of the internodal modes of a group, `[mode][lane]`, even modes first.
#[derive(Debug, Default)]
pub(crate) struct ModeRows<R> {
    /// Modes of an internode.
    pub(crate) modes: usize,
    /// Decay over a step, `1/(1 + lambda dt)`.
    pub(crate) a: Vec<R>,
    /// Coupling to the node voltages, `a dt b^2`.
    pub(crate) kappa: Vec<R>,
    /// 1 where the lane has this internode, else 0, `[internode][lane]`.
    pub(crate) present: Vec<R>,
}

/// Advances the internodal modes by one step: `zeta = kappa (u_left +- u_right) + z`.
///
/// `z` holds `a zeta` of the step before plus the drive `w beta` on entry. With `decay`, it holds `a zeta` of this step on exit and
/// the currents that these send into the nodes have been added to `current`; without (the last step of a run), it holds
/// `zeta` itself. `MODES` is the number of modes of an internode.
pub(crate) struct AdvanceModes<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    pub(crate) u: &'a [R],
    /// `[internode][mode][lane]`
    pub(crate) z: &'a mut [R],
    pub(crate) current: &'a mut [R],
    pub(crate) decay: bool,
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for AdvanceModes<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (Some(a), Some(kappa)) = (
            lanes(&self.rows.a).first_chunk(),
            lanes(&self.rows.kappa).first_chunk(),
        ) else {
            unreachable!("mode rows hold every mode")
        };
        let (present, u) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.u));
        let current = lanes_mut::<R, L>(self.current);
        for (k, z) in lanes_mut::<R, L>(self.z)
            .as_chunks_mut::<MODES>()
            .0
            .iter_mut()
            .enumerate()
        {
            let [left, right] = &mut current[k..k + 2] else {
                unreachable!("an internode has two ends")
            };
            if self.decay {
                advance_internode::<R, L, MODES, FUSED, true>(
                    z,
                    a,
                    kappa,
                    &u[k],
                    &u[k + 1],
                    &present[k],
                    left,
                    right,
                );
            } else {
                advance_internode::<R, L, MODES, FUSED, false>(
                    z,
                    a,
                    kappa,
                    &u[k],
                    &u[k + 1],
                    &present[k],
                    left,
                    right,
                );
            }
        }
    }
}

/// One internode: a loop over lanes around the unrolled modes, which the compiler turns into full vectors (the other
/// nesting, with sums over modes per lane, it scalarizes).
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn advance_internode<
    R: Real,
    const L: usize,
    const MODES: usize,
    const FUSED: bool,
    const DECAY: bool,
>(
    z: &mut [[R; L]; MODES],
    a: &[[R; L]; MODES],
    kappa: &[[R; L]; MODES],
    u_left: &[R; L],
    u_right: &[R; L],
    present: &[R; L],
    current_left: &mut [R; L],
    current_right: &mut [R; L],
) {
    let half = const { MODES / 2 };
    for l in 0..L {
        let mut totals = [R::default(); 2];
        let drives = [
            (u_left[l] + u_right[l]) * present[l],
            (u_left[l] - u_right[l]) * present[l],
        ];
        for parity in 0..2 {
            for mode in parity * half..(parity + 1) * half {
                let zeta = kappa[mode][l].fma::<FUSED>(drives[parity], z[mode][l]);
                z[mode][l] = if DECAY { a[mode][l] * zeta } else { zeta };
                totals[parity] += z[mode][l];
            }
        }
        if DECAY {
            current_left[l] += totals[0] + totals[1];
            current_right[l] += totals[0] - totals[1];
        }
    }
}

/// Starts a run: turns `zeta` into `a zeta` and adds the currents of the modes into the nodes.
pub(crate) struct DecayModes<'a, R, const L: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    pub(crate) z: &'a mut [R],
    pub(crate) current: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for DecayModes<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let half = self.rows.modes / 2;
        let a = lanes::<R, L>(&self.rows.a);
        let current = lanes_mut::<R, L>(self.current);
        for (k, z) in lanes_mut::<R, L>(self.z)
            .chunks_exact_mut(2 * half)
            .enumerate()
        {
            let mut totals = [[R::default(); L]; 2];
            for (mode, z) in z.iter_mut().enumerate() {
                for l in 0..L {
                    z[l] = a[mode][l] * z[l];
                    totals[usize::from(mode >= half)][l] += z[l];
                }
            }
            for l in 0..L {
                current[k][l] += totals[0][l] + totals[1][l];
                current[k + 1][l] += totals[0][l] - totals[1][l];
            }
        }
    }
}

/// Coefficients of the explicit step per lane.
#[derive(Debug, Default)]
pub(crate) struct ExplicitRows<R> {
    /// `dt/c`, ms/nF.
    pub(crate) dt_over_c: Vec<R>,
    /// Weight of each neighbor times the axial conductance, uS.
    pub(crate) neighbor: Vec<R>,
    /// Weight of the node itself times the axial conductance, uS.
    pub(crate) center: Vec<R>,
    /// Membrane area times the unit factor that turns S/cm2 into uS.
    pub(crate) area: Vec<R>,
}

/// One explicit step of the voltages.
pub(crate) struct StepExplicit<'a, R, const L: usize> {
    pub(crate) rows: &'a ExplicitRows<R>,
    pub(crate) g: &'a [R],
    pub(crate) j: &'a [R],
    pub(crate) current: &'a [R],
    pub(crate) v: &'a [R],
    /// Index of the last node per lane; its right neighbor is its left one.
    pub(crate) last: &'a [usize],
    pub(crate) new: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for StepExplicit<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let one_row = |x: &'_ [R]| -> [R; L] { lanes::<R, L>(x)[0] };
        let (dt_over_c, neighbor) = (one_row(&self.rows.dt_over_c), one_row(&self.rows.neighbor));
        let (center, area) = (one_row(&self.rows.center), one_row(&self.rows.area));
        let (g, j) = (lanes::<R, L>(self.g), lanes::<R, L>(self.j));
        let (current, v) = (lanes::<R, L>(self.current), lanes::<R, L>(self.v));
        let new = lanes_mut::<R, L>(self.new);
        let n = v.len();
        let step = |v: R, neighbors: R, g: R, j: R, current: R, l: usize| -> R {
            let axial = neighbor[l].fma::<FUSED>(neighbors, center[l] * v);
            let ionic = g.fma::<FUSED>(v, -j);
            let total = (-area[l]).fma::<FUSED>(ionic, axial + current);
            dt_over_c[l].fma::<FUSED>(total, v)
        };
        for k in 0..n {
            // The ends reflect: a missing neighbor is the other one.
            let left = &v[if k == 0 { 1 } else { k - 1 }];
            let right = &v[if k == n - 1 { n - 2 } else { k + 1 }];
            for l in 0..L {
                new[k][l] = step(
                    v[k][l],
                    left[l] + right[l],
                    g[k][l],
                    j[k][l],
                    current[k][l],
                    l,
                );
            }
        }
        // Fibers that end before the group does.
        for (l, &last) in self
            .last
            .iter()
            .enumerate()
            .filter(|&(_, &last)| last < n - 1)
        {
            let neighbors = v[last - 1][l] + v[last - 1][l];
            new[last][l] = step(
                v[last][l],
                neighbors,
                g[last][l],
                j[last][l],
                current[last][l],
                l,
            );
            // Padding rows repeat the last node: as finite as the fiber is.
            for k in last + 1..n {
                new[k][l] = new[last][l];
            }
        }
    }
}

/// `to += factor * x`, the factor per lane.
pub(crate) struct AddScaled<'a, R, const L: usize> {
    pub(crate) factor: &'a [R; L],
    pub(crate) x: &'a [R],
    pub(crate) to: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for AddScaled<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        // A loop over lanes around a few unrolled rows is turned into full vectors; rows alone the compiler would make
        // vectors of by gathering across rows, which is six times slower.
        const ROWS: usize = 4;
        let (x, x_rest) = lanes::<R, L>(self.x).as_chunks::<ROWS>();
        let (to, to_rest) = lanes_mut::<R, L>(self.to).as_chunks_mut::<ROWS>();
        let factor = self.factor;
        for (to, x) in to.iter_mut().zip(x) {
            for l in 0..L {
                for row in 0..ROWS {
                    to[row][l] = factor[l].fma::<FUSED>(x[row][l], to[row][l]);
                }
            }
        }
        for (to, x) in to_rest.iter_mut().zip(x_rest) {
            for l in 0..L {
                to[l] = factor[l].fma::<FUSED>(x[l], to[l]);
            }
        }
    }
}

/// Whether `area * g` exceeds the limit of its lane anywhere: where the explicit step would amplify.
pub(crate) struct UnstableScan<'a, R, const L: usize> {
    pub(crate) area: &'a [R],
    pub(crate) g: &'a [R],
    pub(crate) limit: &'a [R],
    pub(crate) found: &'a mut bool,
}

impl<R: Real, const L: usize> Kernel for UnstableScan<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let mut largest = [R::default(); L];
        for row in lanes::<R, L>(self.g) {
            for l in 0..L {
                largest[l] = if row[l] > largest[l] {
                    row[l]
                } else {
                    largest[l]
                };
            }
        }
        *self.found = (0..L).any(|l| self.area[l] * largest[l] > self.limit[l]);
    }
}

/// Whether any number is not finite, or, of one array, would not be if it were multiplied by a factor: large values
/// found by the same sum.
pub(crate) struct NonFiniteScan<'a, R> {
    /// The array and its factor.
    pub(crate) scaled: (&'a [R], R),
    pub(crate) arrays: &'a [&'a [R]],
    pub(crate) found: &'a mut bool,
}

impl<R: Real> Kernel for NonFiniteScan<'_, R> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        // 0 x is 0 for finite numbers and NaN otherwise; sums of zeros are compared once. So many of them that additions need
        // not wait for each other; the loop over them knows its length, or they would not stay in registers.
        let zero = R::default();
        let mut of_all = [zero; SUMS];
        let (array, factor) = self.scaled;
        add_wrong::<R, FUSED>(array, &mut of_all, |x| x * factor);
        for array in self.arrays {
            add_wrong::<R, FUSED>(array, &mut of_all, |x| x);
        }
        *self.found = of_all.iter().any(|&wrong| wrong != zero);
    }
}

/// Parallel sums of [`NonFiniteScan`].
const SUMS: usize = 64;

/// Adds 0 times `of(x)` for every x of an array.
#[inline(always)]
fn add_wrong<R: Real, const FUSED: bool>(array: &[R], of_all: &mut [R; SUMS], of: impl Fn(R) -> R) {
    let zero = R::default();
    let (rows, rest) = array.as_chunks::<SUMS>();
    let mut wrong = [zero; SUMS];
    for row in rows {
        for l in 0..SUMS {
            wrong[l] = of(row[l]).fma::<FUSED>(zero, wrong[l]);
        }
    }
    for l in 0..SUMS {
        of_all[l] += wrong[l];
    }
    for (all, &x) in of_all.iter_mut().zip(rest) {
        *all = of(x).fma::<FUSED>(zero, *all);
    }
}

/// An array as rows of lanes.
#[inline(always)]
pub(crate) fn lanes<R, const L: usize>(x: &[R]) -> &[[R; L]] {
    x.as_chunks::<L>().0
}

#[inline(always)]
pub(crate) fn lanes_mut<R, const L: usize>(x: &mut [R]) -> &mut [[R; L]] {
    x.as_chunks_mut::<L>().0
}
