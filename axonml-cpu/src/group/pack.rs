//! Cables and programs of a group, packed into lanes.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, US_PER_S};
use axonml_autodiff::engine::{BoundProgram, Rollout};
use axonml_autodiff::ir::Real;

use super::amplification::Amplification;
use crate::cable::{ExplicitRows, ModeRows, NodeRows, meeting_row};
use crate::program::{LaneProgram, Programs};

/// The linear part of the fibers of a group.
pub(super) enum GroupCable<R> {
    Explicit {
        rows: ExplicitRows<R>,
        /// Membrane conductance of a node, uS, per lane, up to which a step is stable.
        stable_us: Vec<R>,
        amplification: Amplification,
        cables: Vec<ExplicitCable>,
    },
    Implicit {
        rows: NodeRows<R>,
    },
    /// Nodes joined by internodal modes, whose state is `z`, `[internode][mode][lane]`.
    Modal {
        rows: NodeRows<R>,
        modes: ModeRows<R>,
        z: Vec<R>,
    },
}

/// One of the membrane programs for the fibers `members`, one per lane, and arrays of `len` numbers.
pub(super) fn bind<R: Real, const L: usize>(
    rollout: &Rollout,
    bound: &BoundProgram,
    members: &[usize; L],
    len: usize,
    programs: Programs,
) -> LaneProgram<R, L> {
    let constants: Vec<Vec<Option<f64>>> = members
        .iter()
        .map(|&fiber| rollout.constants(&bound.bindings, fiber))
        .collect();
    let fused = bound.fused();
    let coefficients = fused.coefficients(&constants);
    LaneProgram::new(fused, &bound.layout(), &coefficients, len, programs)
}

impl<R: Real> GroupCable<R> {
    /// Returns to the state before a run that starts at rest.
    pub(super) fn begin_again(&mut self) {
        match self {
            GroupCable::Explicit { amplification, .. } => *amplification = Amplification::default(),
            GroupCable::Implicit { .. } => {}
            GroupCable::Modal { z, .. } => z.fill(R::default()),
        }
    }
}

/// Packs cables of one kind into lanes.
pub(super) fn pack_cable<R: Real, const L: usize>(
    cables: &[&Arc<Cable>],
    nodes: usize,
    dt_ms: f64,
) -> GroupCable<R> {
    let len = nodes * L;
    let mut rows = NodeRows {
        // A row of its own for nodes that a shorter fiber lacks: c u' = 0.
        capacitance: vec![R::from_f64(1.0); len],
        diagonal: vec![R::from_f64(1.0); len],
        area: vec![R::default(); len],
        off: vec![R::default(); len],
        meeting: meeting_row(cables[0].nodes()),
    };
    match &**cables[0] {
        Cable::Explicit(_) => pack_explicit::<R>(cables, dt_ms),
        Cable::Implicit(_) => {
            for (lane, cable) in cables.iter().enumerate() {
                let Cable::Implicit(cable) = &***cable else {
                    unreachable!("a checked rollout has one kind of cable")
                };
                let n = cable.area_cm2.len();
                for k in 0..n {
                    let left = if k > 0 { cable.link_us[k - 1] } else { 0.0 };
                    let right = if k + 1 < n { cable.link_us[k] } else { 0.0 };
                    let capacitance = cable.capacitance_nf[k] / dt_ms;
                    let area = cable.area_cm2[k] * US_PER_S;
                    set_row::<R, L>(
                        &mut rows,
                        k,
                        lane,
                        [capacitance, left + right, area, -right],
                    );
                }
            }
            GroupCable::Implicit { rows }
        }
        Cable::Double(_) | Cable::Reduced(_) => {
            let count = cables[0].modes_per_internode();
            let mut modes = ModeRows {
                modes: count,
                a: vec![R::default(); count * L],
                kappa: vec![R::default(); count * L],
                present: vec![R::default(); (nodes - 1) * L],
            };
            for (lane, cable) in cables.iter().enumerate() {
                let Some(step) = cable.modal_step(dt_ms) else {
                    unreachable!("a checked rollout has one kind of cable")
                };
                for mode in 0..count {
                    modes.a[mode * L + lane] = R::from_f64(step.a[mode]);
                    modes.kappa[mode * L + lane] = R::from_f64(step.kappa[mode]);
                }
                let nodes = cable.nodes();
                for k in 0..nodes {
                    let (passive, off) = step.node_row(k, nodes);
                    let capacitance = step.capacitance_nf / dt_ms;
                    let area = cable.area_cm2(k) * US_PER_S;
                    set_row::<R, L>(&mut rows, k, lane, [capacitance, passive, area, off]);
                    if k + 1 < nodes {
                        modes.present[k * L + lane] = R::from_f64(1.0);
                    }
                }
            }
            GroupCable::Modal {
                rows,
                modes,
                z: vec![R::default(); (nodes - 1) * count * L],
            }
        }
    }
}

fn set_row<R: Real, const L: usize>(rows: &mut NodeRows<R>, k: usize, lane: usize, row: [f64; 4]) {
    let [capacitance, passive, area, off] = row;
    let at = k * L + lane;
    rows.capacitance[at] = R::from_f64(capacitance);
    rows.diagonal[at] = R::from_f64(capacitance + passive);
    rows.area[at] = R::from_f64(area);
    rows.off[at] = R::from_f64(off);
}

fn pack_explicit<R: Real>(cables: &[&Arc<Cable>], dt_ms: f64) -> GroupCable<R> {
    let cables: Vec<ExplicitCable> = cables
        .iter()
        .map(|cable| match &***cable {
            Cable::Explicit(cable) => cable.clone(),
            _ => unreachable!("a checked rollout has one kind of cable"),
        })
        .collect();
    let per_lane = |f: &dyn Fn(&ExplicitCable) -> f64| {
        cables.iter().map(|cable| R::from_f64(f(cable))).collect()
    };
    let rows = ExplicitRows {
        dt_over_c: per_lane(&|cable| dt_ms / cable.capacitance_nf),
        neighbor: per_lane(&|cable| cable.axial_us * cable.v_weights.0),
        center: per_lane(&|cable| cable.axial_us * cable.v_weights.1),
        area: per_lane(&|cable| cable.area_cm2 * US_PER_S),
    };
    let stable_us = per_lane(&|cable| {
        ExplicitCable::STABLE * cable.capacitance_nf / dt_ms - cable.stencil_us()
    });
    GroupCable::Explicit {
        rows,
        stable_us,
        amplification: Amplification::default(),
        cables,
    }
}
