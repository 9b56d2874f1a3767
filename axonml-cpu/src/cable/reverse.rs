//! Cable kernels of the adjoint pass: the transposes of the kernels of a step, and gradient accumulators of cable
//! coefficients.
//!
//! Arrays are `[node][lane]`, as in the forward pass. A cotangent after a fiber's last node is zero and stays zero.

use axonml_autodiff::ir::Real;

use super::{ExplicitRows, ModeRows, NodeRows, lanes, lanes_mut, solve_rows};
use crate::isa::Kernel;

/// Adjoint of an explicit step, from the cotangents of the new voltages.
pub(crate) struct ExplicitVjp<'a, R, const L: usize> {
    pub(crate) rows: &'a ExplicitRows<R>,
    /// Cotangent of the new voltages.
    pub(crate) u: &'a [R],
    /// Index of the last node per lane.
    pub(crate) last: &'a [usize],
    /// Cotangent of the currents into the nodes.
    pub(crate) current: &'a mut [R],
    /// Cotangent of the old voltages through the cable alone.
    pub(crate) carried: &'a mut [R],
    /// Cotangent of the ionic current densities.
    pub(crate) ionic: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for ExplicitVjp<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let one_row = |x: &'_ [R]| -> [R; L] { lanes::<R, L>(x)[0] };
        let (dt_over_c, neighbor) = (one_row(&self.rows.dt_over_c), one_row(&self.rows.neighbor));
        let (center, area) = (one_row(&self.rows.center), one_row(&self.rows.area));
        let u = lanes::<R, L>(self.u);
        let current = lanes_mut::<R, L>(self.current);
        let carried = lanes_mut::<R, L>(self.carried);
        let ionic = lanes_mut::<R, L>(self.ionic);
        let n = u.len();
        for k in 0..n {
            let (u, current, ionic) = (&u[k], &mut current[k], &mut ionic[k]);
            for l in 0..L {
                current[l] = dt_over_c[l] * u[l];
                ionic[l] = -area[l] * current[l];
            }
        }
        for k in 1..n - 1 {
            let [left, here, right] = &current[k - 1..k + 2] else {
                unreachable!("three rows")
            };
            let (u, carried) = (&u[k], &mut carried[k]);
            for l in 0..L {
                let own = center[l].fma::<FUSED>(here[l], u[l]);
                carried[l] = neighbor[l].fma::<FUSED>(left[l] + right[l], own);
            }
        }
        // The ends, and their neighbors, which the ends read twice.
        for k in [0, 1.min(n - 1), n.saturating_sub(2), n - 1] {
            for l in 0..L {
                let neighbors = read_by_neighbors(current, k, n - 1, l);
                let own = center[l].fma::<FUSED>(current[k][l], u[k][l]);
                carried[k][l] = neighbor[l].fma::<FUSED>(neighbors, own);
            }
        }
        // Fibers that end before the group does.
        for (l, &last) in self
            .last
            .iter()
            .enumerate()
            .filter(|&(_, &last)| last < n - 1)
        {
            for k in last.saturating_sub(1)..=last {
                let neighbors = read_by_neighbors(current, k, last, l);
                let own = center[l].fma::<FUSED>(current[k][l], u[k][l]);
                carried[k][l] = neighbor[l].fma::<FUSED>(neighbors, own);
            }
            (last + 1..n).for_each(|k| carried[k][l] = R::default());
        }
    }
}

/// Sum of the neighbors' cotangents of node `k`, each as often as the neighbor reads it: an end reads its only neighbor
/// twice.
#[inline(always)]
fn read_by_neighbors<R: Real, const L: usize>(
    current: &[[R; L]],
    k: usize,
    last: usize,
    l: usize,
) -> R {
    let mut sum = R::default();
    let mut read_by = |j: usize| {
        let x = current[j][l];
        sum += if j == 0 || j == last { x + x } else { x };
    };
    if k > 0 {
        read_by(k - 1);
    }
    if k < last {
        read_by(k + 1);
    }
    sum
}

/// Accumulates the cotangents of explicit cable coefficients in a step.
pub(crate) struct ExplicitSums<'a, R, const L: usize> {
    /// Cotangent of the new voltages.
    pub(crate) u: &'a [R],
    /// Cotangent of the currents into the nodes.
    pub(crate) current: &'a [R],
    /// Voltages after and before the step.
    pub(crate) after: &'a [R],
    pub(crate) before: &'a [R],
    /// Conductance and source of the step.
    pub(crate) g: &'a [R],
    pub(crate) j: &'a [R],
    /// Index of the last node per lane.
    pub(crate) last: &'a [usize],
    /// Cotangent of `dt/c` times `dt/c`; sums of the currents' cotangents times the second difference of the voltage, and
    /// times the voltage itself; cotangent of the area.
    pub(crate) sums: &'a mut [[R; L]; 4],
}

impl<R: Real, const L: usize> Kernel for ExplicitSums<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (u, current) = (lanes::<R, L>(self.u), lanes::<R, L>(self.current));
        let (after, before) = (lanes::<R, L>(self.after), lanes::<R, L>(self.before));
        let (g, j) = (lanes::<R, L>(self.g), lanes::<R, L>(self.j));
        let n = u.len();
        let [mut of_m, mut of_neighbor, mut of_center, mut of_area] = *self.sums;
        for k in 0..n {
            let left = &before[if k == 0 { 1 } else { k - 1 }];
            let mut right = before[if k == n - 1 { n - 2 } else { k + 1 }];
            // Where a shorter fiber ends its last node has its left neighbor on both sides. (Padding rows have zero
            // cotangents.)
            if self.last.contains(&k) {
                for (l, &last) in self.last.iter().enumerate() {
                    if last == k {
                        right[l] = left[l];
                    }
                }
            }
            let (u, current, g, j) = (&u[k], &current[k], &g[k], &j[k]);
            let (after, before) = (&after[k], &before[k]);
            for l in 0..L {
                let ionic = g[l].fma::<FUSED>(before[l], -j[l]);
                let difference = (left[l] - before[l]) + (right[l] - before[l]);
                of_m[l] = u[l].fma::<FUSED>(after[l] - before[l], of_m[l]);
                of_neighbor[l] = current[l].fma::<FUSED>(difference, of_neighbor[l]);
                of_center[l] = current[l].fma::<FUSED>(before[l], of_center[l]);
                of_area[l] = (-current[l]).fma::<FUSED>(ionic, of_area[l]);
            }
        }
        *self.sums = [of_m, of_neighbor, of_center, of_area];
    }
}

/// Adjoint of an implicit row's right-hand side, from its cotangent `y`.
pub(crate) struct ImplicitVjp<'a, R> {
    pub(crate) rows: &'a NodeRows<R>,
    pub(crate) y: &'a [R],
    /// Voltages after the step.
    pub(crate) after: &'a [R],
    /// Cotangents of the voltages before the step through the cable alone, and of `G` and `J`.
    pub(crate) u: &'a mut [R],
    pub(crate) g: &'a mut [R],
    pub(crate) j: &'a mut [R],
}

impl<R: Real> Kernel for ImplicitVjp<'_, R> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let n = self.y.len();
        let (c, area) = (&self.rows.capacitance[..n], &self.rows.area[..n]);
        let (after, u) = (&self.after[..n], &mut self.u[..n]);
        let (g, j) = (&mut self.g[..n], &mut self.j[..n]);
        for i in 0..n {
            u[i] = c[i] * self.y[i];
            j[i] = area[i] * self.y[i];
            g[i] = -j[i] * after[i];
        }
    }
}

/// Gradient accumulators of the rows of implicit cables, `[node][lane]`.
#[derive(Debug, Default)]
pub(crate) struct RowSums<R> {
    pub(crate) capacitance: Vec<R>,
    /// Cotangent of the passive conductance to ground.
    pub(crate) passive: Vec<R>,
    /// Cotangent of a conductance to the next row: differences of neighbors, which may be far smaller than their common
    /// part, are taken before they are multiplied and summed.
    pub(crate) link: Vec<R>,
    pub(crate) area: Vec<R>,
}

/// Accumulates the cotangents of the rows of implicit cables in a step.
pub(crate) struct AddRowSums<'a, R, const L: usize> {
    pub(crate) y: &'a [R],
    /// Voltages after and before the step.
    pub(crate) after: &'a [R],
    pub(crate) before: &'a [R],
    /// Conductance and source of the step.
    pub(crate) g: &'a [R],
    pub(crate) j: &'a [R],
    pub(crate) sums: &'a mut RowSums<R>,
}

impl<R: Real, const L: usize> Kernel for AddRowSums<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let n = self.y.len();
        let (y, after, before) = (self.y, &self.after[..n], &self.before[..n]);
        let (g, j) = (&self.g[..n], &self.j[..n]);
        let sums = self.sums;
        add_changes::<R, FUSED>(y, after, before, &mut sums.capacitance[..n]);
        add_products::<R, FUSED>(y, after, &mut sums.passive[..n]);
        add_ionic::<R, FUSED>(y, after, (g, j), &mut sums.area[..n]);
        add_links::<R, FUSED>((y, &y[L..]), (after, &after[L..]), &mut sums.link[..n - L]);
    }
}

// One loop per function: LLVM takes `&mut` parameters as not aliasing, and vectorizes without checks.

#[inline(always)]
fn add_changes<R: Real, const FUSED: bool>(y: &[R], after: &[R], before: &[R], sum: &mut [R]) {
    let n = sum.len();
    let (y, after, before) = (&y[..n], &after[..n], &before[..n]);
    for i in 0..n {
        sum[i] = y[i].fma::<FUSED>(before[i] - after[i], sum[i]);
    }
}

#[inline(always)]
fn add_products<R: Real, const FUSED: bool>(y: &[R], after: &[R], sum: &mut [R]) {
    let n = sum.len();
    let (y, after) = (&y[..n], &after[..n]);
    for i in 0..n {
        sum[i] = (-y[i]).fma::<FUSED>(after[i], sum[i]);
    }
}

#[inline(always)]
fn add_ionic<R: Real, const FUSED: bool>(y: &[R], after: &[R], gj: (&[R], &[R]), sum: &mut [R]) {
    let n = sum.len();
    let (y, after, g, j) = (&y[..n], &after[..n], &gj.0[..n], &gj.1[..n]);
    for i in 0..n {
        let ionic = g[i].fma::<FUSED>(after[i], -j[i]);
        sum[i] = (-y[i]).fma::<FUSED>(ionic, sum[i]);
    }
}

/// Cotangents of the links, from arrays and the same arrays one row later.
#[inline(always)]
fn add_links<R: Real, const FUSED: bool>(y: (&[R], &[R]), after: (&[R], &[R]), sum: &mut [R]) {
    let n = sum.len();
    let (y, y_next) = (&y.0[..n], &y.1[..n]);
    let (after, after_next) = (&after.0[..n], &after.1[..n]);
    for i in 0..n {
        sum[i] = (y[i] - y_next[i]).fma::<FUSED>(after_next[i] - after[i], sum[i]);
    }
}

/// Solves the symmetric tridiagonal system of an implicit step (Thomas algorithm) for a right-hand side in two parts.
pub(crate) struct SolveTransposed<'a, R, const L: usize> {
    pub(crate) rows: &'a NodeRows<R>,
    /// Membrane conductance of the step, S/cm2.
    pub(crate) g: &'a [R],
    pub(crate) right: [&'a [R]; 2],
    /// Eliminated couplings; scratch.
    pub(crate) coupling: &'a mut [R],
    pub(crate) solution: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for SolveTransposed<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let n = self.g.len();
        let (d, area) = (&self.rows.diagonal[..n], &self.rows.area[..n]);
        let (g, right) = (&self.g[..n], self.right.map(|x| &x[..n]));
        let (diagonal, sum) = (&mut self.coupling[..n], &mut self.solution[..n]);
        for i in 0..n {
            diagonal[i] = area[i].fma::<FUSED>(g[i], d[i]);
            sum[i] = right[0][i] + right[1][i];
        }
        solve_rows::<R, L, FUSED>(
            &self.rows.off,
            self.coupling,
            self.solution,
            self.rows.meeting,
        );
    }
}

/// Advances the modes as [`super::AdvanceModes`] with decay does, from one array to another, and without their currents
/// into the nodes.
pub(crate) struct ReplayModes<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    /// Voltages after the step.
    pub(crate) u: &'a [R],
    /// `a zeta` of the step before plus the drive, `[internode][mode][lane]`, and `a zeta` of this step.
    pub(crate) before: &'a [R],
    pub(crate) after: &'a mut [R],
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for ReplayModes<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (Some(a), Some(kappa)) = (
            lanes::<R, L>(&self.rows.a).first_chunk::<MODES>(),
            lanes::<R, L>(&self.rows.kappa).first_chunk::<MODES>(),
        ) else {
            unreachable!("mode rows hold every mode")
        };
        let (present, u) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.u));
        let before = lanes::<R, L>(self.before).as_chunks::<MODES>().0;
        let after = lanes_mut::<R, L>(self.after).as_chunks_mut::<MODES>().0;
        for (k, (before, after)) in before.iter().zip(after).enumerate() {
            replay_internode::<R, L, MODES, FUSED>(
                before,
                after,
                a,
                kappa,
                (&u[k], &u[k + 1]),
                &present[k],
            );
        }
    }
}

#[inline(always)]
fn replay_internode<R: Real, const L: usize, const MODES: usize, const FUSED: bool>(
    before: &[[R; L]; MODES],
    after: &mut [[R; L]; MODES],
    a: &[[R; L]; MODES],
    kappa: &[[R; L]; MODES],
    u: (&[R; L], &[R; L]),
    present: &[R; L],
) {
    let half = const { MODES / 2 };
    for l in 0..L {
        let drives = [
            (u.0[l] + u.1[l]) * present[l],
            (u.0[l] - u.1[l]) * present[l],
        ];
        for parity in 0..2 {
            for mode in parity * half..(parity + 1) * half {
                let zeta = kappa[mode][l].fma::<FUSED>(drives[parity], before[mode][l]);
                after[mode][l] = a[mode][l] * zeta;
            }
        }
    }
}

/// Adds the VJP of the modes to the cotangents of the new voltages.
pub(crate) struct ModesToVoltages<'a, R, const L: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    /// Cotangents of the modes after the step, `[internode][mode][lane]`.
    pub(crate) z: &'a [R],
    pub(crate) u: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for ModesToVoltages<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (modes, kappa) = (self.rows.modes, lanes::<R, L>(&self.rows.kappa));
        let u = lanes_mut::<R, L>(self.u);
        for (k, z) in lanes::<R, L>(self.z).chunks_exact(modes).enumerate() {
            for l in 0..L {
                let mut totals = [R::default(); 2];
                for (mode, z) in z.iter().enumerate() {
                    let total = &mut totals[usize::from(mode >= modes / 2)];
                    *total = kappa[mode][l].fma::<FUSED>(z[l], *total);
                }
                u[k][l] += totals[0] + totals[1];
                u[k + 1][l] += totals[0] - totals[1];
            }
        }
    }
}

/// Takes the cotangents of the modes from after to before a step: `z0 = a (z1 + y_left +- y_right)`; and their VJP with
/// respect to the voltages of the step before, as [`ModesToVoltages`] does.
pub(crate) struct ModesVjp<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    pub(crate) y: &'a [R],
    pub(crate) z: &'a mut [R],
    /// VJP with respect to the voltages, `[node][lane]`.
    pub(crate) to_nodes: &'a mut [R],
    /// Gradient accumulators of the modes' coefficients, if requested.
    pub(crate) sums: Option<ModeSums<'a, R>>,
}

/// Accumulates the cotangents of the modes' coefficients in a step.
pub(crate) struct ModeSums<'a, R> {
    /// `a zeta` of the modes before the step.
    pub(crate) decayed: &'a [R],
    /// Voltages after the step.
    pub(crate) after: &'a [R],
    /// Cotangent of `a` times `a`, `[mode][lane]`.
    pub(crate) a: &'a mut [R],
    /// Cotangent of `kappa`.
    pub(crate) kappa: &'a mut [R],
}

/// The coefficients of the modes.
struct ModeCoefficients<'a, R, const L: usize, const MODES: usize> {
    a: &'a [[R; L]; MODES],
    kappa: &'a [[R; L]; MODES],
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for ModesVjp<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (Some(a), Some(kappa)) = (
            lanes::<R, L>(&self.rows.a).first_chunk::<MODES>(),
            lanes::<R, L>(&self.rows.kappa).first_chunk::<MODES>(),
        ) else {
            unreachable!("mode rows hold every mode")
        };
        let rows = ModeCoefficients { a, kappa };
        let (present, y) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.y));
        let z = lanes_mut::<R, L>(self.z).as_chunks_mut::<MODES>().0;
        let to_nodes = lanes_mut::<R, L>(self.to_nodes);
        to_nodes[0] = [R::default(); L];
        match self.sums {
            None => {
                for (k, z) in z.iter_mut().enumerate() {
                    let ends = ends_of(&y[k], &y[k + 1], &present[k]);
                    let to_voltages = internode_vjp::<R, L, MODES, FUSED>(&rows, &ends, z);
                    pass_on(&to_voltages, to_nodes, k);
                }
            }
            Some(sums) => {
                let (Some(a), Some(kappa)) = (
                    lanes_mut::<R, L>(sums.a).first_chunk_mut::<MODES>(),
                    lanes_mut::<R, L>(sums.kappa).first_chunk_mut::<MODES>(),
                ) else {
                    unreachable!("sums hold every mode")
                };
                let after = lanes::<R, L>(sums.after);
                let decayed = lanes::<R, L>(sums.decayed).as_chunks::<MODES>().0;
                for (k, (z, decayed)) in z.iter_mut().zip(decayed).enumerate() {
                    let ends = ends_of(&y[k], &y[k + 1], &present[k]);
                    let drives = ends_of(&after[k], &after[k + 1], &present[k]);
                    let to_voltages = internode_vjp_and_sums::<R, L, MODES, FUSED>(
                        &rows, &ends, &drives, decayed, z, a, kappa,
                    );
                    pass_on(&to_voltages, to_nodes, k);
                }
            }
        }
    }
}

/// Even and odd combination of the values at the ends of an internode.
#[inline(always)]
fn ends_of<R: Real, const L: usize>(
    left: &[R; L],
    right: &[R; L],
    present: &[R; L],
) -> [[R; L]; 2] {
    let mut ends = [[R::default(); L]; 2];
    for l in 0..L {
        ends[0][l] = (left[l] + right[l]) * present[l];
        ends[1][l] = (left[l] - right[l]) * present[l];
    }
    ends
}

/// Adds the VJP of the even and odd modes of internode `k` to the nodes at its ends; the right one's own row begins
/// here.
#[inline(always)]
fn pass_on<R: Real, const L: usize>(to_voltages: &[[R; L]; 2], to_nodes: &mut [[R; L]], k: usize) {
    for l in 0..L {
        to_nodes[k][l] += to_voltages[0][l] + to_voltages[1][l];
        to_nodes[k + 1][l] = to_voltages[0][l] - to_voltages[1][l];
    }
}

/// One internode of [`ModesVjp`]: a loop over lanes around the unrolled modes, see `advance_internode`.
#[inline(always)]
fn internode_vjp<R: Real, const L: usize, const MODES: usize, const FUSED: bool>(
    rows: &ModeCoefficients<'_, R, L, MODES>,
    ends: &[[R; L]; 2],
    z: &mut [[R; L]; MODES],
) -> [[R; L]; 2] {
    let half = const { MODES / 2 };
    let mut totals = [[R::default(); L]; 2];
    for l in 0..L {
        let mut total = [R::default(); 2];
        for parity in 0..2 {
            for mode in parity * half..(parity + 1) * half {
                z[mode][l] = rows.a[mode][l] * (z[mode][l] + ends[parity][l]);
                total[parity] = rows.kappa[mode][l].fma::<FUSED>(z[mode][l], total[parity]);
            }
            totals[parity][l] = total[parity];
        }
    }
    totals
}

/// The same with the accumulators.
#[inline(always)]
fn internode_vjp_and_sums<R: Real, const L: usize, const MODES: usize, const FUSED: bool>(
    rows: &ModeCoefficients<'_, R, L, MODES>,
    ends: &[[R; L]; 2],
    drives: &[[R; L]; 2],
    decayed: &[[R; L]; MODES],
    z: &mut [[R; L]; MODES],
    a: &mut [[R; L]; MODES],
    kappa: &mut [[R; L]; MODES],
) -> [[R; L]; 2] {
    let half = const { MODES / 2 };
    let mut totals = [[R::default(); L]; 2];
    for l in 0..L {
        let mut total = [R::default(); 2];
        for parity in 0..2 {
            for mode in parity * half..(parity + 1) * half {
                let after = z[mode][l] + ends[parity][l];
                kappa[mode][l] = z[mode][l].fma::<FUSED>(drives[parity][l], kappa[mode][l]);
                a[mode][l] = after.fma::<FUSED>(decayed[mode][l], a[mode][l]);
                z[mode][l] = rows.a[mode][l] * after;
                total[parity] = rows.kappa[mode][l].fma::<FUSED>(z[mode][l], total[parity]);
            }
            totals[parity][l] = total[parity];
        }
    }
    totals
}

/// Sum over all rows of the product of two arrays, added to a number per lane.
pub(crate) struct Dot<'a, R, const L: usize> {
    pub(crate) x: &'a [R],
    pub(crate) y: &'a [R],
    pub(crate) to: &'a mut [R; L],
}

impl<R: Real, const L: usize> Kernel for Dot<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        // Four sums at a time, so that they do not wait for each other.
        let mut sums = [[R::default(); L]; 4];
        let (x, y) = (lanes::<R, L>(self.x), lanes::<R, L>(self.y));
        for (k, (x, y)) in x.iter().zip(y).enumerate() {
            let sum = &mut sums[k % 4];
            for l in 0..L {
                sum[l] = x[l].fma::<FUSED>(y[l], sum[l]);
            }
        }
        for sum in &sums {
            for l in 0..L {
                self.to[l] += sum[l];
            }
        }
    }
}
