//! What the numbers of a group's cables collect on the way back.

use axonml_autodiff::cable::{CableCotangent, ModalStep};
use axonml_autodiff::{Cable, Real};

use super::super::pack::US_PER_S;
use crate::cable::reverse::RowSums;

/// Running sums, in the group's precision, and totals.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One per group of fibres, and never moved.
pub(super) enum CableSums<R, const L: usize> {
    /// As [`crate::cable::reverse::ExplicitSums`] has them.
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

impl<R: Real, const L: usize> CableSums<R, L> {
    pub(super) fn explicit() -> Self {
        CableSums::Explicit {
            sums: [[R::default(); L]; 4],
            totals: [[0.0; L]; 4],
        }
    }

    pub(super) fn rows(nodes: usize, modes: usize) -> Self {
        let zeros = |count: usize| vec![R::default(); count * L];
        let totals = |count: usize| vec![0.0; count * L];
        CableSums::Rows {
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
                move_to(&mut sums.link, &mut totals.link);
                move_to(&mut sums.area, &mut totals.area);
                move_to(a, a_totals);
                move_to(kappa, kappa_totals);
            }
        }
    }

    /// Adds what the numbers of `cable` in lane `lane` have collected.
    pub(super) fn add_to(&self, to: &mut CableCotangent, cable: &Cable, dt_ms: f64, lane: usize) {
        match self {
            CableSums::Explicit { totals, .. } => {
                add_explicit(to, cable, totals.map(|total| total[lane]));
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
                    link: column(&totals.link, nodes - 1),
                    area: column(&totals.area, nodes),
                };
                match cable.modal_step(dt_ms) {
                    None => rows.add_implicit(to, dt_ms),
                    Some(step) => {
                        let modes = step.modes();
                        let mut a = column(a_totals, modes);
                        a.iter_mut().zip(&step.a).for_each(|(sum, a)| *sum /= a);
                        let (cotangent, area) = rows.modal(dt_ms, a, column(kappa_totals, modes));
                        to.add_modal_step(cable, dt_ms, &cotangent, area);
                    }
                }
            }
        }
    }
}

/// From the sums of [`crate::cable::reverse::ExplicitSums`] to the numbers of the cable.
fn add_explicit(to: &mut CableCotangent, cable: &Cable, sums: [f64; 4]) {
    let (
        CableCotangent::Explicit {
            area_cm2,
            capacitance_nf,
            axial_us,
            v_weights,
            ..
        },
        Cable::Explicit(cable),
    ) = (to, cable)
    else {
        unreachable!("a checked rollout has one kind of cable")
    };
    let [capacitance, difference, voltage, area] = sums;
    *area_cm2 += area * US_PER_S;
    // The kernel's sum is that of (dt/c) d/d(dt/c) = -c d/dc.
    *capacitance_nf -= capacitance / cable.capacitance_nf;
    // w_n (left + right) + w_c u = w_n (left - 2 u + right) + (w_c + 2 w_n) u, the last term small or zero.
    let (neighbor, center) = cable.v_weights;
    *axial_us += neighbor * difference + (center + 2.0 * neighbor) * voltage;
    v_weights.0 += cable.axial_us * (difference + 2.0 * voltage);
    v_weights.1 += cable.axial_us * voltage;
}

/// Cotangents of the implicit rows of one lane.
struct Rows {
    capacitance: Vec<f64>,
    passive: Vec<f64>,
    link: Vec<f64>,
    area: Vec<f64>,
}

impl Rows {
    fn add_implicit(&self, to: &mut CableCotangent, dt_ms: f64) {
        let CableCotangent::Implicit {
            area_cm2,
            capacitance_nf,
            link_us,
        } = to
        else {
            unreachable!("a checked rollout has one kind of cable")
        };
        for k in 0..self.area.len() {
            area_cm2[k] += self.area[k] * US_PER_S;
            capacitance_nf[k] += self.capacitance[k] / dt_ms;
        }
        for (to, link) in link_us.iter_mut().zip(&self.link) {
            *to += link;
        }
    }

    /// Cotangents of a modal step, and of the area of a node.
    fn modal(&self, dt_ms: f64, a: Vec<f64>, kappa: Vec<f64>) -> (ModalStep, f64) {
        let nodes = self.passive.len();
        let sides = |k: usize| f64::from(u8::from(k > 0) + u8::from(k + 1 < nodes));
        let self_coupling: f64 = (0..nodes).map(|k| sides(k) * self.passive[k]).sum();
        let step = ModalStep {
            a,
            kappa,
            self_coupling,
            // A link is a coupling with as much conductance to ground at both its ends.
            neighbor_coupling: self.link.iter().sum::<f64>() - self_coupling,
            capacitance_nf: self.capacitance.iter().sum::<f64>() / dt_ms,
        };
        (step, self.area.iter().sum::<f64>() * US_PER_S)
    }
}
