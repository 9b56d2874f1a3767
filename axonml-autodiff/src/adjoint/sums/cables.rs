//! Gradient accumulators of cable coefficients.

use crate::cable::{Cable, CableCotangent, ModalStep, US_PER_S};

/// Sums over the steps of a run, from which the cotangents of a cable's coefficients follow.
#[derive(Clone, Debug, PartialEq)]
pub enum CableSums {
    /// Sums of an explicit cable, over its nodes: cotangent of `dt/c` times `dt/c`; the currents' cotangents times the
    /// second difference of the voltage, and times the voltage itself; cotangent of the area in uS per S/cm2.
    Explicit([f64; 4]),
    /// Sums of the rows of an implicit system.
    Rows {
        /// Per node: cotangent of the capacitance over the time step.
        capacitance: Vec<f64>,
        /// Per node: cotangent of a conductance to ground.
        passive: Vec<f64>,
        /// Per node but the last: cotangent of a conductance to the next one.
        link: Vec<f64>,
        /// Per node: cotangent of the area in uS per S/cm2.
        area: Vec<f64>,
        /// Per mode of an internode, summed over internodes: cotangent of its decay times the decay. Empty without modes.
        a: Vec<f64>,
        /// Likewise: cotangent of its coupling.
        kappa: Vec<f64>,
    },
}

impl CableSums {
    /// Adds the cotangents of the coefficients of `cable` that follow from the sums.
    pub(super) fn add_to(&self, to: &mut CableCotangent, cable: &Cable, dt_ms: f64) {
        match self {
            CableSums::Explicit(sums) => add_explicit(to, cable, *sums),
            CableSums::Rows {
                capacitance,
                passive,
                link,
                area,
                a,
                kappa,
            } => {
                let rows = Rows {
                    capacitance,
                    passive,
                    link,
                    area,
                };
                match cable.modal_step(dt_ms) {
                    None => rows.add_implicit(to, dt_ms),
                    Some(step) => {
                        let a = a.iter().zip(&step.a).map(|(sum, a)| sum / a).collect();
                        let (cotangent, area) = rows.modal(dt_ms, a, kappa.clone());
                        to.add_modal_step(cable, dt_ms, &cotangent, area);
                    }
                }
            }
        }
    }
}

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
    // The sum is that of (dt/c) d/d(dt/c) = -c d/dc.
    *capacitance_nf -= capacitance / cable.capacitance_nf;
    // w_n (left + right) + w_c u = w_n (left - 2 u + right) + (w_c + 2 w_n) u, the last term small or zero.
    let (neighbor, center) = cable.v_weights;
    *axial_us += neighbor * difference + (center + 2.0 * neighbor) * voltage;
    v_weights.0 += cable.axial_us * (difference + 2.0 * voltage);
    v_weights.1 += cable.axial_us * voltage;
}

/// Cotangents of the rows of a fiber.
struct Rows<'a> {
    capacitance: &'a [f64],
    passive: &'a [f64],
    link: &'a [f64],
    area: &'a [f64],
}

impl Rows<'_> {
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
        for (to, link) in link_us.iter_mut().zip(self.link) {
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
