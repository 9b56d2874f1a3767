//! Cable kernels: the linear part of a step for a group of lanes.
//!
//! Arrays are `[node][lane]` with `L` lanes. Fibers with fewer nodes than the group have padding rows, decoupled from
//! the fiber.

pub(crate) mod reverse;
mod tridiagonal;

use axonml_autodiff::ir::Real;

use crate::isa::Kernel;
pub(crate) use tridiagonal::meeting_row;
use tridiagonal::solve_rows;

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
    /// [`meeting_row`] of the lanes' fibers.
    pub(crate) meeting: usize,
}

/// Solves the implicit node rows.
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
        solve_rows::<R, L, FUSED>(
            &self.rows.off,
            self.coupling,
            self.solution,
            self.rows.meeting,
        );
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
        let z = lanes_mut::<R, L>(self.z).as_chunks_mut::<MODES>().0;
        let (a, kappa) = (lanes::<R, L>(&self.rows.a), lanes::<R, L>(&self.rows.kappa));
        let (present, u) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.u));
        let current = lanes_mut::<R, L>(self.current);
        if self.decay {
            advance_parity::<R, L, MODES, FUSED, true, true>(z, a, kappa, u, present, current);
            advance_parity::<R, L, MODES, FUSED, true, false>(z, a, kappa, u, present, current);
        } else {
            advance_parity::<R, L, MODES, FUSED, false, true>(z, a, kappa, u, present, current);
            advance_parity::<R, L, MODES, FUSED, false, false>(z, a, kappa, u, present, current);
        }
    }
}

/// The even or the odd modes of all internodes: the coefficients of half of the modes fit the registers.
///
/// Loops over lanes lie around the unrolled modes, for the compiler to turn them into full vectors (the other nesting, with
/// sums over modes per lane, it scalarizes).
#[inline(always)]
fn advance_parity<
    R: Real,
    const L: usize,
    const MODES: usize,
    const FUSED: bool,
    const DECAY: bool,
    const EVEN: bool,
>(
    z: &mut [[[R; L]; MODES]],
    a: &[[R; L]],
    kappa: &[[R; L]],
    u: &[[R; L]],
    present: &[[R; L]],
    current: &mut [[R; L]],
) {
    match const { MODES / 2 } {
        1 => advance_half::<R, L, MODES, 1, FUSED, DECAY, EVEN>(z, a, kappa, u, present, current),
        10 => advance_half::<R, L, MODES, 10, FUSED, DECAY, EVEN>(z, a, kappa, u, present, current),
        half => unreachable!("no internode has {half} modes of a parity"),
    }
}

#[inline(always)]
fn advance_half<
    R: Real,
    const L: usize,
    const MODES: usize,
    const HALF: usize,
    const FUSED: bool,
    const DECAY: bool,
    const EVEN: bool,
>(
    z: &mut [[[R; L]; MODES]],
    a: &[[R; L]],
    kappa: &[[R; L]],
    u: &[[R; L]],
    present: &[[R; L]],
    current: &mut [[R; L]],
) {
    let first = if EVEN { 0 } else { HALF };
    let (Some(a), Some(kappa)) = (
        a[first..].first_chunk::<HALF>(),
        kappa[first..].first_chunk::<HALF>(),
    ) else {
        unreachable!("mode rows hold every mode")
    };
    let (a, kappa) = (*a, *kappa);
    let n = z.len();
    let (u, present, current) = (&u[..n + 1], &present[..n], &mut current[..n + 1]);
    for k in 0..n {
        let Some(z) = z[k][first..].first_chunk_mut::<HALF>() else {
            unreachable!("an internode has every mode")
        };
        let mut totals = [R::default(); L];
        for l in 0..L {
            let sum = if EVEN {
                u[k][l] + u[k + 1][l]
            } else {
                u[k][l] - u[k + 1][l]
            };
            let drive = sum * present[k][l];
            let mut total = R::default();
            for mode in 0..HALF {
                let zeta = kappa[mode][l].fma::<FUSED>(drive, z[mode][l]);
                z[mode][l] = if DECAY { a[mode][l] * zeta } else { zeta };
                total += z[mode][l];
            }
            totals[l] = total;
        }
        if DECAY {
            for l in 0..L {
                current[k][l] += totals[l];
                current[k + 1][l] += if EVEN { totals[l] } else { -totals[l] };
            }
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
