//! What the numbers of a group's cables collect on the way back.

use axonml_autodiff::cable::{ExplicitCable, ModalStep};
use axonml_autodiff::{Cable, CableCotangent, Real};

use super::super::pack::US_PER_S;
use crate::cable::reverse::RowSums;

/// Running sums, in the group's precision, and totals.
#[derive(Debug)]
pub(super) enum CableSums<R, const L: usize> {
    /// As [`crate::cable::reverse::ExplicitSums`] has them.
    Explicit {
        sums: Box<[[R; L]; 4]>,
        totals: Box<[[f64; L]; 4]>,
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

impl<R: Real, const L: usize> CableSums<R, L> {
    pub(super) fn explicit() -> Self {
        CableSums::Explicit {
            sums: Box::new([[R::default(); L]; 4]),
            totals: Box::new([[0.0; L]; 4]),
        }
    }

    pub(super) fn rows(nodes: usize, modes: usize) -> Self {
        let zeros = |count: usize| vec![R::default(); count * L];
        let totals = |count: usize| vec![0.0; count * L];
        CableSums::Rows {
            sums: RowSums {
                capacitance: zeros(nodes),
                passive: zeros(nodes),
                off: zeros(nodes),
                area: zeros(nodes),
            },
            a: zeros(modes),
            kappa: zeros(modes),
            totals: RowSums {
                capacitance: totals(nodes),
                passive: totals(nodes),
                off: totals(nodes),
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
            CableSums::Explicit { sums, totals } => {
                move_to(sums.as_flattened_mut(), totals.as_flattened_mut());
            }
            CableSums::Rows {
                sums,
                a,
                kappa,
                totals,
                a_totals,
                kappa_totals,
            } => {
                move_to(&mut sums.capacitance, &mut totals.capacitance);
                move_to(&mut sums.passive, &mut totals.passive);
                move_to(&mut sums.off, &mut totals.off);
                move_to(&mut sums.area, &mut totals.area);
                move_to(a, a_totals);
                move_to(kappa, kappa_totals);
            }
        }
    }

    /// The cotangents of the numbers of `cable` in lane `lane`; `from_drive` is what the decay of the modes collected
    /// elsewhere.
    pub(super) fn finish(
        &self,
        cable: &Cable,
        dt_ms: f64,
        lane: usize,
        from_drive: &[f64],
    ) -> CableCotangent {
        match self {
            CableSums::Explicit { totals, .. } => {
                let Cable::Explicit(cable) = cable else {
                    unreachable!("a checked rollout has one kind of cable")
                };
                explicit(cable, totals.map(|total| total[lane]))
            }
            CableSums::Rows {
                totals,
                a_totals,
                kappa_totals,
                ..
            } => {
                let nodes = cable.nodes();
                let column = |x: &[f64], count: usize| -> Vec<f64> {
                    (0..count).map(|k| x[k * L + lane]).collect()
                };
                let rows = Rows {
                    capacitance: column(&totals.capacitance, nodes),
                    passive: column(&totals.passive, nodes),
                    off: column(&totals.off, nodes - 1),
                    area: column(&totals.area, nodes),
                };
                match cable.modal_step(dt_ms) {
                    None => rows.implicit(dt_ms),
                    Some(step) => {
                        let modes = step.modes();
                        let mut a = column(a_totals, modes);
                        a.iter_mut().zip(&step.a).for_each(|(sum, a)| *sum /= a);
                        a.iter_mut().zip(from_drive).for_each(|(sum, x)| *sum += x);
                        rows.modal(&step, dt_ms, a, column(kappa_totals, modes))
                    }
                }
            }
        }
    }
}

/// `m = dt/c`, neighbours' weight, own weight and area, as the kernel uses them, back to the numbers of the cable.
fn explicit(cable: &ExplicitCable, [m, neighbor, center, area]: [f64; 4]) -> CableCotangent {
    let (of_neighbor, of_center) = cable.v_weights;
    CableCotangent::Explicit {
        area_cm2: area * US_PER_S,
        // The kernel's sum is that of (dt/c) d/d(dt/c) = -c d/dc.
        capacitance_nf: -m / cable.capacitance_nf,
        axial_us: neighbor * of_neighbor + center * of_center,
        v_weights: (neighbor * cable.axial_us, center * cable.axial_us),
    }
}

/// Cotangents of the implicit rows of one lane.
struct Rows {
    capacitance: Vec<f64>,
    passive: Vec<f64>,
    off: Vec<f64>,
    area: Vec<f64>,
}

impl Rows {
    fn implicit(self, dt_ms: f64) -> CableCotangent {
        CableCotangent::Implicit {
            area_cm2: self.area.iter().map(|x| x * US_PER_S).collect(),
            capacitance_nf: self.capacitance.iter().map(|x| x / dt_ms).collect(),
            link_us: (0..self.off.len())
                .map(|k| self.passive[k] + self.passive[k + 1] - self.off[k])
                .collect(),
        }
    }

    fn modal(self, step: &ModalStep, dt_ms: f64, a: Vec<f64>, kappa: Vec<f64>) -> CableCotangent {
        let nodes = self.passive.len();
        let sides = |k: usize| f64::from(u8::from(k > 0) + u8::from(k + 1 < nodes));
        debug_assert_eq!(a.len(), step.modes());
        CableCotangent::Modal {
            area_cm2: self.area.iter().sum::<f64>() * US_PER_S,
            capacitance_nf: self.capacitance.iter().sum::<f64>() / dt_ms,
            a,
            kappa,
            self_coupling: (0..nodes).map(|k| sides(k) * self.passive[k]).sum(),
            neighbor_coupling: -self.off.iter().sum::<f64>(),
        }
    }
}
