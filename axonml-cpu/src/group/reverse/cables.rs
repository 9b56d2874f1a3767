//! Gradient accumulators of cable coefficients, for the lanes of a group.

use axonml_autodiff::adjoint::CableSums;
use axonml_autodiff::ir::Real;

use crate::cable::reverse::RowSums;

/// Running sums in the group's precision, and totals in double precision.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One per group of fibers, and never moved.
pub(super) enum CableAccumulator<R, const L: usize> {
    /// Sums as [`crate::cable::reverse::ExplicitSums`] defines them.
    Explicit {
        sums: [[R; L]; 4],
        totals: [[f64; L]; 4],
    },
    /// Rows, and coefficients of the modes where there are any.
    Rows {
        sums: RowSums<R>,
        /// `[mode][lane]`: cotangent of `a` times `a`, and of `kappa`.
        a: Vec<R>,
        kappa: Vec<R>,
        totals: RowSums<f64>,
        a_totals: Vec<f64>,
        kappa_totals: Vec<f64>,
    },
}

impl<R: Real, const L: usize> CableAccumulator<R, L> {
    pub(super) fn explicit() -> Self {
        CableAccumulator::Explicit {
            sums: [[R::default(); L]; 4],
            totals: [[0.0; L]; 4],
        }
    }

    pub(super) fn rows(nodes: usize, modes: usize) -> Self {
        let zeros = |count: usize| vec![R::default(); count * L];
        let totals = |count: usize| vec![0.0; count * L];
        CableAccumulator::Rows {
            sums: RowSums {
                capacitance: zeros(nodes),
                passive: zeros(nodes),
                link: zeros(nodes),
                area: zeros(nodes),
            },
            a: zeros(modes),
            kappa: zeros(modes),
            totals: RowSums {
                capacitance: totals(nodes),
                passive: totals(nodes),
                link: totals(nodes),
                area: totals(nodes),
            },
            a_totals: totals(modes),
            kappa_totals: totals(modes),
        }
    }

    /// Moves the running sums into the totals.
    pub(super) fn flush(&mut self) {
        fn move_to<R: Real>(sums: &mut [R], totals: &mut [f64]) {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *total += sum.to_f64();
                *sum = R::default();
            }
        }
        match self {
            CableAccumulator::Explicit { sums, totals } => {
                move_to(sums.as_flattened_mut(), totals.as_flattened_mut());
            }
            CableAccumulator::Rows {
                sums,
                a,
                kappa,
                totals,
                a_totals,
                kappa_totals,
            } => {
                move_to(&mut sums.capacitance, &mut totals.capacitance);
                move_to(&mut sums.passive, &mut totals.passive);
                move_to(&mut sums.link, &mut totals.link);
                move_to(&mut sums.area, &mut totals.area);
                move_to(a, a_totals);
                move_to(kappa, kappa_totals);
            }
        }
    }

    /// Returns the sums of lane `lane` with `nodes` nodes.
    pub(super) fn of_lane(&self, nodes: usize, lane: usize) -> CableSums {
        match self {
            CableAccumulator::Explicit { totals, .. } => {
                CableSums::Explicit(totals.map(|total| total[lane]))
            }
            CableAccumulator::Rows {
                totals,
                a_totals,
                kappa_totals,
                ..
            } => {
                let column = |x: &[f64], count: usize| -> Vec<f64> {
                    (0..count).map(|k| x[k * L + lane]).collect()
                };
                let modes = a_totals.len() / L;
                CableSums::Rows {
                    capacitance: column(&totals.capacitance, nodes),
                    passive: column(&totals.passive, nodes),
                    link: column(&totals.link, nodes - 1),
                    area: column(&totals.area, nodes),
                    a: column(a_totals, modes),
                    kappa: column(kappa_totals, modes),
                }
            }
        }
    }
}
