//! Drives of an internode's modes by the extracellular potential.

use super::{COMPARTMENTS, HALF, Internode, MODES, POINTS, Parity};

/// Drives of the modes by the potentials across links, uS/ms, `[link][mode]`; `HALF` is the link across the middle.
///
/// Links mirror each other, and so do modes up to their sign: even modes see the difference of the potentials across a
/// link and its mirror image, odd ones the sum. A potential that is the same everywhere leaves no rounding.
pub(super) struct LinkDrives([[f64; MODES]; HALF + 1]);

impl LinkDrives {
    /// `b Phi^T f` of [`super`], with `f` by the potentials across links.
    pub(super) fn of(internode: &Internode) -> Self {
        let mut drives = [[0.0; MODES]; HALF + 1];
        for (link, row) in drives.iter_mut().enumerate() {
            let (ga_us, gp_us) = (internode.ga_us[link], internode.gp_us[link]);
            for (mode, drive) in row.iter_mut().enumerate() {
                let q = |j: usize| internode.phi[COMPARTMENTS + j][mode];
                let inside = |j: usize| internode.phi[j][mode] + q(j);
                // From the right end of the link to its left one; nodes count as 0.
                let across = |x: &dyn Fn(usize) -> f64| match link {
                    0 => -x(0),
                    HALF => (1.0 - Parity::of(mode).sign()) * x(HALF - 1),
                    _ => x(link - 1) - x(link),
                };
                *drive = internode.b[mode] * (ga_us * across(&inside) + gp_us * across(&q));
            }
        }
        LinkDrives(drives)
    }

    /// Drives of the modes, nA/ms, by the potentials at the left node, the compartments and the right node.
    pub(super) fn apply(&self, ve_mv: &[f64; POINTS]) -> [f64; MODES] {
        let across = |link: usize| ve_mv[link + 1] - ve_mv[link];
        let mut drives = [0.0; MODES];
        for (link, row) in self.0.iter().enumerate() {
            let (seen_by_even, seen_by_odd) = match link {
                HALF => (0.0, across(HALF)),
                _ => {
                    let (here, mirrored) = (across(link), across(COMPARTMENTS - link));
                    (here - mirrored, here + mirrored)
                }
            };
            for mode in 0..COMPARTMENTS {
                drives[mode] += row[mode] * seen_by_even;
            }
            for mode in COMPARTMENTS..MODES {
                drives[mode] += row[mode] * seen_by_odd;
            }
        }
        drives
    }

    /// The transpose of [`LinkDrives::apply`]: cotangents of the potentials from those of the drives.
    pub(super) fn apply_transposed(&self, drives_bar: &[f64; MODES]) -> [f64; POINTS] {
        let (even_bar, odd_bar) = drives_bar.split_at(COMPARTMENTS);
        let sum =
            |row: &[f64], bar: &[f64]| -> f64 { row.iter().zip(bar).map(|(x, y)| x * y).sum() };
        let mut ve_bar = [0.0; POINTS];
        let mut across_bar = |link: usize, bar: f64| {
            ve_bar[link + 1] += bar;
            ve_bar[link] -= bar;
        };
        for (link, row) in self.0.iter().enumerate() {
            let (of_even, of_odd) = row.split_at(COMPARTMENTS);
            let (even, odd) = (sum(of_even, even_bar), sum(of_odd, odd_bar));
            match link {
                HALF => across_bar(HALF, odd),
                _ => {
                    across_bar(link, odd + even);
                    across_bar(COMPARTMENTS - link, odd - even);
                }
            }
        }
        ve_bar
    }
}
