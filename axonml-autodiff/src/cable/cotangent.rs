//! Cotangents of cable coefficients.

use super::double::POINTS;
use super::parity::COMPARTMENTS;
use super::reduced::differences;
use super::{
    Cable, DoubleCable, InternodeModes, MODES, ModalStep, Mode, ReducedCable, ReducedDrive,
};

/// Cotangents of the coefficients of one cable, each in the inverse of its coefficient's unit.
#[derive(Clone, Debug, PartialEq)]
pub enum CableCotangent {
    /// Cotangents of an [`super::ExplicitCable`].
    Explicit {
        /// Cotangent of the membrane area of a node.
        area_cm2: f64,
        /// Cotangent of the capacitance of a node.
        capacitance_nf: f64,
        /// Cotangent of the axial conductance.
        axial_us: f64,
        /// Cotangents of the weights of the voltage: each neighbor, the node itself.
        v_weights: (f64, f64),
        /// Cotangents of the weights of the extracellular potential, likewise.
        ve_weights: (f64, f64),
    },
    /// Cotangents of an [`super::ImplicitCable`], per compartment and link.
    Implicit {
        /// Cotangents of the membrane areas.
        area_cm2: Vec<f64>,
        /// Cotangents of the capacitances.
        capacitance_nf: Vec<f64>,
        /// Cotangents of the axial conductances.
        link_us: Vec<f64>,
    },
    /// Cotangents of a [`DoubleCable`].
    Double {
        /// Cotangent of the membrane area of a node.
        area_cm2: f64,
        /// Cotangent of the capacitance of a node.
        capacitance_nf: f64,
        /// Cotangents of the internode's modes; [`super::Internode::adjoint`] converts them to geometry and passive
        /// properties.
        modes: Box<InternodeModes>,
    },
    /// Cotangents of a [`ReducedCable`]; `nodes` is its number of nodes.
    Reduced(ReducedCable),
}

impl CableCotangent {
    /// Returns zeros for `cable`.
    pub fn zero(cable: &Cable) -> Self {
        match cable {
            Cable::Explicit(_) => CableCotangent::Explicit {
                area_cm2: 0.0,
                capacitance_nf: 0.0,
                axial_us: 0.0,
                v_weights: (0.0, 0.0),
                ve_weights: (0.0, 0.0),
            },
            Cable::Implicit(c) => CableCotangent::Implicit {
                area_cm2: vec![0.0; c.area_cm2.len()],
                capacitance_nf: vec![0.0; c.area_cm2.len()],
                link_us: vec![0.0; c.link_us.len()],
            },
            Cable::Double(_) => CableCotangent::Double {
                area_cm2: 0.0,
                capacitance_nf: 0.0,
                modes: Box::new(InternodeModes {
                    lambda: [0.0; MODES],
                    b: [0.0; MODES],
                    drive: [[0.0; POINTS]; MODES],
                    end_us: 0.0,
                }),
            },
            Cable::Reduced(c) => {
                let mode = Mode {
                    lambda_per_ms: 0.0,
                    coupling_us_per_ms: 0.0,
                };
                CableCotangent::Reduced(ReducedCable {
                    nodes: c.nodes,
                    node_area_cm2: 0.0,
                    capacitance_nf: 0.0,
                    self_us: 0.0,
                    neighbor_us: 0.0,
                    even: mode,
                    odd: mode,
                    drive: ReducedDrive::default(),
                })
            }
        }
    }

    /// Returns whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|x| x.is_finite());
        match self {
            CableCotangent::Explicit {
                area_cm2,
                capacitance_nf,
                axial_us,
                v_weights,
                ve_weights,
            } => {
                finite(&[*area_cm2, *capacitance_nf, *axial_us])
                    && finite(&[v_weights.0, v_weights.1, ve_weights.0, ve_weights.1])
            }
            CableCotangent::Implicit {
                area_cm2,
                capacitance_nf,
                link_us,
            } => finite(area_cm2) && finite(capacitance_nf) && finite(link_us),
            CableCotangent::Double {
                area_cm2,
                capacitance_nf,
                modes,
            } => {
                finite(&[*area_cm2, *capacitance_nf, modes.end_us])
                    && finite(&modes.lambda)
                    && finite(&modes.b)
                    && finite(modes.drive.as_flattened())
            }
            CableCotangent::Reduced(c) => {
                let drive = &c.drive;
                finite(&[c.node_area_cm2, c.capacitance_nf, c.self_us, c.neighbor_us])
                    && finite(&[c.even.lambda_per_ms, c.even.coupling_us_per_ms])
                    && finite(&[c.odd.lambda_per_ms, c.odd.coupling_us_per_ms])
                    && finite(&[drive.node_even_us, drive.node_odd_us, drive.node_wide_us])
                    && finite(&[
                        drive.even_us_per_ms,
                        drive.odd_us_per_ms,
                        drive.wide_us_per_ms,
                    ])
            }
        }
    }

    /// Adds another of the same cable.
    pub fn add(&mut self, other: &CableCotangent) {
        fn add(to: &mut [f64], from: &[f64]) {
            to.iter_mut().zip(from).for_each(|(to, x)| *to += x);
        }
        match (self, other) {
            (
                CableCotangent::Explicit {
                    area_cm2,
                    capacitance_nf,
                    axial_us,
                    v_weights,
                    ve_weights,
                },
                CableCotangent::Explicit {
                    area_cm2: area,
                    capacitance_nf: capacitance,
                    axial_us: axial,
                    v_weights: v,
                    ve_weights: ve,
                },
            ) => {
                *area_cm2 += area;
                *capacitance_nf += capacitance;
                *axial_us += axial;
                *v_weights = (v_weights.0 + v.0, v_weights.1 + v.1);
                *ve_weights = (ve_weights.0 + ve.0, ve_weights.1 + ve.1);
            }
            (
                CableCotangent::Implicit {
                    area_cm2,
                    capacitance_nf,
                    link_us,
                },
                CableCotangent::Implicit {
                    area_cm2: area,
                    capacitance_nf: capacitance,
                    link_us: link,
                },
            ) => {
                add(area_cm2, area);
                add(capacitance_nf, capacitance);
                add(link_us, link);
            }
            (
                CableCotangent::Double {
                    area_cm2,
                    capacitance_nf,
                    modes,
                },
                CableCotangent::Double {
                    area_cm2: area,
                    capacitance_nf: capacitance,
                    modes: other,
                },
            ) => {
                *area_cm2 += area;
                *capacitance_nf += capacitance;
                modes.end_us += other.end_us;
                add(&mut modes.lambda, &other.lambda);
                add(&mut modes.b, &other.b);
                add(modes.drive.as_flattened_mut(), other.drive.as_flattened());
            }
            (CableCotangent::Reduced(to), CableCotangent::Reduced(from)) => {
                to.node_area_cm2 += from.node_area_cm2;
                to.capacitance_nf += from.capacitance_nf;
                to.self_us += from.self_us;
                to.neighbor_us += from.neighbor_us;
                for (to, from) in [(&mut to.even, from.even), (&mut to.odd, from.odd)] {
                    to.lambda_per_ms += from.lambda_per_ms;
                    to.coupling_us_per_ms += from.coupling_us_per_ms;
                }
                let (to, from) = (&mut to.drive, &from.drive);
                to.node_even_us += from.node_even_us;
                to.node_odd_us += from.node_odd_us;
                to.node_wide_us += from.node_wide_us;
                to.even_us_per_ms += from.even_us_per_ms;
                to.odd_us_per_ms += from.odd_us_per_ms;
                to.wide_us_per_ms += from.wide_us_per_ms;
            }
            _ => unreachable!("cotangents of one cable are of one kind"),
        }
    }

    /// Adds the cotangents of the coefficients through a modal step of `dt_ms` and the nodes' area: `step` holds
    /// cotangents of [`Cable::modal_step`]. Does nothing to cables without modes.
    pub fn add_modal_step(&mut self, cable: &Cable, dt_ms: f64, step: &ModalStep, area: f64) {
        // self = end - sum kappa, neighbor = sum s kappa (or what the reduced cable has in their place).
        let kappa = |mode: usize| {
            step.kappa[mode] - step.self_coupling
                + step.parity(mode).sign() * step.neighbor_coupling
        };
        match (self, cable) {
            (
                CableCotangent::Double {
                    area_cm2,
                    capacitance_nf,
                    modes,
                },
                Cable::Double(cable),
            ) => {
                *area_cm2 += area;
                *capacitance_nf += step.capacitance_nf;
                modes.end_us += step.self_coupling;
                for mode in 0..MODES {
                    let (lambda, b) = (cable.internode.lambda[mode], cable.internode.b[mode]);
                    let a = 1.0 / (1.0 + lambda * dt_ms);
                    modes.b[mode] += kappa(mode) * a * dt_ms * 2.0 * b;
                    let of_a = step.a[mode] + kappa(mode) * dt_ms * b * b;
                    modes.lambda[mode] -= of_a * dt_ms * a * a;
                }
            }
            (CableCotangent::Reduced(bar), Cable::Reduced(cable)) => {
                bar.node_area_cm2 += area;
                bar.capacitance_nf += step.capacitance_nf;
                bar.self_us += step.self_coupling;
                bar.neighbor_us += step.neighbor_coupling;
                let modes = [(&mut bar.even, cable.even), (&mut bar.odd, cable.odd)];
                for (mode, (bar, at)) in modes.into_iter().enumerate() {
                    let a = 1.0 / (1.0 + at.lambda_per_ms * dt_ms);
                    bar.coupling_us_per_ms += kappa(mode) * a * dt_ms;
                    let of_a = step.a[mode] + kappa(mode) * dt_ms * at.coupling_us_per_ms;
                    bar.lambda_per_ms -= of_a * dt_ms * a * a;
                }
            }
            _ => {}
        }
    }

    /// Adds the cotangents of the coefficients through [`Cable::project`] of the potentials `ve_mv`, from the
    /// cotangents of the projection's currents and drives.
    pub fn add_projection(
        &mut self,
        cable: &Cable,
        ve_mv: &[f64],
        nodes_na: &[f64],
        modes_bar: &[f64],
    ) {
        match (self, cable) {
            (
                CableCotangent::Explicit {
                    axial_us,
                    ve_weights,
                    ..
                },
                Cable::Explicit(cable),
            ) => {
                let (neighbor, center) = cable.ve_weights;
                for (k, bar) in nodes_na.iter().enumerate() {
                    let neighbors = cable.neighbors(ve_mv, k);
                    *axial_us += bar * (neighbor * neighbors + center * ve_mv[k]);
                    ve_weights.0 += bar * cable.axial_us * neighbors;
                    ve_weights.1 += bar * cable.axial_us * ve_mv[k];
                }
            }
            (CableCotangent::Implicit { link_us, .. }, Cable::Implicit(_)) => {
                for (k, bar) in link_us.iter_mut().enumerate() {
                    *bar += (nodes_na[k] - nodes_na[k + 1]) * (ve_mv[k + 1] - ve_mv[k]);
                }
            }
            (CableCotangent::Double { modes, .. }, Cable::Double(cable)) => {
                add_double_projection(modes, cable, ve_mv, nodes_na, modes_bar);
            }
            (CableCotangent::Reduced(bar), Cable::Reduced(cable)) => {
                for k in 0..cable.nodes - 1 {
                    let d = differences(ve_mv, k);
                    let both = nodes_na[k] + nodes_na[k + 1];
                    let opposite = nodes_na[k] - nodes_na[k + 1];
                    let (even, odd) = (modes_bar[2 * k], modes_bar[2 * k + 1]);
                    bar.drive.node_even_us += both * d.even;
                    bar.drive.node_odd_us += opposite * d.odd;
                    bar.drive.node_wide_us += opposite * d.wide;
                    bar.drive.even_us_per_ms += even * d.even;
                    bar.drive.odd_us_per_ms += odd * d.odd;
                    bar.drive.wide_us_per_ms += odd * d.wide;
                }
            }
            _ => {}
        }
    }
}

fn add_double_projection(
    modes: &mut InternodeModes,
    cable: &DoubleCable,
    ve_mv: &[f64],
    nodes_na: &[f64],
    modes_bar: &[f64],
) {
    for k in 0..cable.nodes - 1 {
        let first = (COMPARTMENTS + 1) * k;
        let ve = &ve_mv[first..first + POINTS];
        modes.end_us += nodes_na[k] * (ve[1] - ve[0]);
        modes.end_us += nodes_na[k + 1] * (ve[POINTS - 2] - ve[POINTS - 1]);
        for mode in 0..MODES {
            let bar = modes_bar[k * MODES + mode];
            for (to, ve) in modes.drive[mode].iter_mut().zip(ve) {
                *to += bar * ve;
            }
        }
    }
}
