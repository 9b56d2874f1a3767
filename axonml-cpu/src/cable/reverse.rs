//! Cable kernels on the way back: the transposes of the kernels of a step, and what cables' own numbers collect.
//!
//! Arrays are `[node][lane]`, as on the way forward. A cotangent behind a fibre's last node is zero and stays so.

use axonml_autodiff::Real;

use super::{ExplicitRows, ModeRows, NodeRows, lanes, lanes_mut};
use crate::isa::Kernel;

/// The reverse of an explicit step, from the cotangents of the new voltages.
pub(crate) struct ExplicitBack<'a, R, const L: usize> {
    pub(crate) rows: &'a ExplicitRows<R>,
    /// Cotangent of the new voltages.
    pub(crate) u: &'a [R],
    /// Index of the last node per lane.
    pub(crate) last: &'a [usize],
    /// Cotangent of the currents into the nodes.
    pub(crate) current: &'a mut [R],
    /// Cotangent of the old voltages, as far as the cable goes.
    pub(crate) carried: &'a mut [R],
    /// Cotangent of the ionic current densities.
    pub(crate) ionic: &'a mut [R],
}

impl<R: Real, const L: usize> Kernel for ExplicitBack<'_, R, L> {
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
            for l in 0..L {
                current[k][l] = dt_over_c[l] * u[k][l];
                ionic[k][l] = -area[l] * current[k][l];
            }
        }
        for k in 0..n {
            if k < 2 || k + 2 >= n {
                for l in 0..L {
                    let neighbors = read_by_neighbors(current, k, n - 1, l);
                    let own = center[l].fma::<FUSED>(current[k][l], u[k][l]);
                    carried[k][l] = neighbor[l].fma::<FUSED>(neighbors, own);
                }
            } else {
                for l in 0..L {
                    let neighbors = current[k - 1][l] + current[k + 1][l];
                    let own = center[l].fma::<FUSED>(current[k][l], u[k][l]);
                    carried[k][l] = neighbor[l].fma::<FUSED>(neighbors, own);
                }
            }
        }
        // Fibres that end before the group does.
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

/// What the neighbours of node `k` make of it: an end reads its only neighbour twice.
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

/// What the numbers of explicit cables collect in a step.
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
        let sums = self.sums;
        for k in 0..n {
            let left = &before[if k == 0 { 1 } else { k - 1 }];
            let mut right = before[if k == n - 1 { n - 2 } else { k + 1 }];
            // Where a shorter fibre ends its last node has its left neighbour on both sides. (Rows behind have no
            // cotangents.)
            if self.last.contains(&k) {
                for (l, &last) in self.last.iter().enumerate() {
                    if last == k {
                        right[l] = left[l];
                    }
                }
            }
            for l in 0..L {
                let ionic = g[k][l].fma::<FUSED>(before[k][l], -j[k][l]);
                let difference = (left[l] - before[k][l]) + (right[l] - before[k][l]);
                sums[0][l] = u[k][l].fma::<FUSED>(after[k][l] - before[k][l], sums[0][l]);
                sums[1][l] = current[k][l].fma::<FUSED>(difference, sums[1][l]);
                sums[2][l] = current[k][l].fma::<FUSED>(before[k][l], sums[2][l]);
                sums[3][l] = (-current[k][l]).fma::<FUSED>(ionic, sums[3][l]);
            }
        }
    }
}

/// The reverse of what an implicit row takes from the step before, from the cotangent `y` of its right-hand side.
pub(crate) struct ImplicitBack<'a, R> {
    pub(crate) rows: &'a NodeRows<R>,
    pub(crate) y: &'a [R],
    /// Voltages after the step.
    pub(crate) after: &'a [R],
    /// Cotangents of the voltages before the step, as far as the cable goes, and of `G` and `J`.
    pub(crate) u: &'a mut [R],
    pub(crate) g: &'a mut [R],
    pub(crate) j: &'a mut [R],
}

impl<R: Real> Kernel for ImplicitBack<'_, R> {
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

/// What the rows of implicit cables collect, `[node][lane]`.
#[derive(Debug, Default)]
pub(crate) struct RowSums<R> {
    pub(crate) capacitance: Vec<R>,
    /// Of the passive conductance to ground.
    pub(crate) passive: Vec<R>,
    /// Of a conductance to the next row: differences of neighbours, which may be far smaller than what they have in
    /// common, are taken before they are multiplied and summed.
    pub(crate) link: Vec<R>,
    pub(crate) area: Vec<R>,
}

/// Adds what the rows of implicit cables collect in a step.
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
        for i in 0..n {
            let change = before[i] - after[i];
            sums.capacitance[i] = y[i].fma::<FUSED>(change, sums.capacitance[i]);
            sums.passive[i] = (-y[i]).fma::<FUSED>(after[i], sums.passive[i]);
            let ionic = g[i].fma::<FUSED>(after[i], -j[i]);
            sums.area[i] = (-y[i]).fma::<FUSED>(ionic, sums.area[i]);
        }
        for i in 0..n - L {
            let (y, after) = (y[i + L] - y[i], after[i + L] - after[i]);
            sums.link[i] = (-y).fma::<FUSED>(after, sums.link[i]);
        }
    }
}

/// Adds what modes' cotangents pass on to those of the new voltages.
pub(crate) struct ModesToVoltages<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    /// Cotangents of the modes after the step, `[internode][mode][lane]`.
    pub(crate) z: &'a [R],
    pub(crate) u: &'a mut [R],
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for ModesToVoltages<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Some(kappa) = lanes::<R, L>(&self.rows.kappa).first_chunk::<MODES>() else {
            unreachable!("mode rows hold every mode")
        };
        let u = lanes_mut::<R, L>(self.u);
        let half = const { MODES / 2 };
        for (k, z) in lanes::<R, L>(self.z)
            .as_chunks::<MODES>()
            .0
            .iter()
            .enumerate()
        {
            let [left, right] = &mut u[k..k + 2] else {
                unreachable!("an internode has two ends")
            };
            for l in 0..L {
                let mut totals = [R::default(); 2];
                for parity in 0..2 {
                    for mode in parity * half..(parity + 1) * half {
                        totals[parity] = kappa[mode][l].fma::<FUSED>(z[mode][l], totals[parity]);
                    }
                }
                left[l] += totals[0] + totals[1];
                right[l] += totals[0] - totals[1];
            }
        }
    }
}

/// Takes the cotangents of the modes from after to before a step: `z0 = a (z1 + y_left +- y_right)`.
pub(crate) struct ModesBack<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    pub(crate) y: &'a [R],
    pub(crate) z: &'a mut [R],
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for ModesBack<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Some(a) = lanes::<R, L>(&self.rows.a).first_chunk::<MODES>() else {
            unreachable!("mode rows hold every mode")
        };
        let (present, y) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.y));
        let half = const { MODES / 2 };
        for (k, z) in lanes_mut::<R, L>(self.z)
            .as_chunks_mut::<MODES>()
            .0
            .iter_mut()
            .enumerate()
        {
            for l in 0..L {
                let ends = [
                    (y[k][l] + y[k + 1][l]) * present[k][l],
                    (y[k][l] - y[k + 1][l]) * present[k][l],
                ];
                for parity in 0..2 {
                    for mode in parity * half..(parity + 1) * half {
                        z[mode][l] = a[mode][l] * (z[mode][l] + ends[parity]);
                    }
                }
            }
        }
    }
}

/// Adds what the coefficients of the modes collect in a step, before [`ModesBack`].
pub(crate) struct AddModeSums<'a, R, const L: usize, const MODES: usize> {
    pub(crate) rows: &'a ModeRows<R>,
    pub(crate) y: &'a [R],
    /// Cotangents of the modes after the step.
    pub(crate) z: &'a [R],
    /// `a zeta` of the modes before the step.
    pub(crate) decayed: &'a [R],
    /// Voltages after the step.
    pub(crate) after: &'a [R],
    /// Cotangent of `a` times `a`, `[mode][lane]`.
    pub(crate) a: &'a mut [R],
    /// Cotangent of `kappa`.
    pub(crate) kappa: &'a mut [R],
}

impl<R: Real, const L: usize, const MODES: usize> Kernel for AddModeSums<'_, R, L, MODES> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (present, y) = (lanes::<R, L>(&self.rows.present), lanes::<R, L>(self.y));
        let after = lanes::<R, L>(self.after);
        let (a, kappa) = (lanes_mut::<R, L>(self.a), lanes_mut::<R, L>(self.kappa));
        let half = const { MODES / 2 };
        let z = lanes::<R, L>(self.z).as_chunks::<MODES>().0.iter();
        let decayed = lanes::<R, L>(self.decayed).as_chunks::<MODES>().0;
        for (k, (z, decayed)) in z.zip(decayed).enumerate() {
            for parity in 0..2 {
                for mode in parity * half..(parity + 1) * half {
                    for l in 0..L {
                        let sign = if parity == 0 {
                            present[k][l]
                        } else {
                            -present[k][l]
                        };
                        let ends = y[k + 1][l].fma::<FUSED>(sign, y[k][l] * present[k][l]);
                        let drive = after[k + 1][l].fma::<FUSED>(sign, after[k][l] * present[k][l]);
                        a[mode][l] = (z[mode][l] + ends).fma::<FUSED>(decayed[mode][l], a[mode][l]);
                        kappa[mode][l] = z[mode][l].fma::<FUSED>(drive, kappa[mode][l]);
                    }
                }
            }
        }
    }
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
