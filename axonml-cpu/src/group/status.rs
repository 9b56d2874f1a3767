//! Lanes whose numbers became meaningless.

use axonml_autodiff::cable::ExplicitCable;
use axonml_autodiff::engine::{FiberStatus, LARGEST_MV, LARGEST_REFERENCE_MV};
use axonml_autodiff::ir::{Precision, Real};

use super::Group;
use super::pack::GroupCable;
use crate::cable::{NonFiniteScan, UnstableScan};
use crate::isa::dispatch;

/// Magnitude of `u`, mV, above which a voltage may be beyond [`LARGEST_MV`] for some reference potential, with a margin for
/// rounding.
const SUSPECT_MV: f64 = 0.8 * (LARGEST_MV - LARGEST_REFERENCE_MV);

/// Arrays that are looked through.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scan {
    /// The voltages alone, which may leave their range and return.
    Voltages,
    All,
}

/// Lanes with meaningless numbers.
struct NonFinite {
    /// Those without an answer yet: (lane, first node, no stability number).
    open: Vec<(usize, usize, Option<f64>)>,
    /// The others.
    closed: Vec<usize>,
}

impl<R: Real, const L: usize> Group<'_, R, L> {
    /// Marks lanes in which a number is no longer finite, or a voltage beyond [`LARGEST_MV`].
    pub(super) fn mark_nonfinite(&mut self, state: usize) {
        if let Some(NonFinite { open, closed }) = self.nonfinite(Scan::All) {
            self.mark_diverged(state, &open);
            closed.into_iter().for_each(|lane| self.quiet(lane));
        }
    }

    /// Whether [`Group::mark_nonfinite`] would mark a lane; resets those whose answer is known.
    pub(super) fn finds_nonfinite(&mut self, scan: Scan) -> bool {
        match self.nonfinite(scan) {
            Some(NonFinite { open, closed }) => {
                closed.into_iter().for_each(|lane| self.quiet(lane));
                !open.is_empty()
            }
            None => false,
        }
    }

    /// Lanes with a number that is not finite, or a voltage beyond [`LARGEST_MV`].
    fn nonfinite(&self, scan: Scan) -> Option<NonFinite> {
        // Of large voltages the scan finds at least those that are bad: the reference potential moves the bounds by at
        // most half.
        let scale = R::from_f64(match R::PRECISION {
            Precision::F32 => f64::from(f32::MAX),
            Precision::F64 => f64::MAX,
        });
        let scale = scale * R::from_f64(1.0 / SUSPECT_MV);
        let mut found = false;
        let all;
        let arrays: &[&[R]] = match scan {
            Scan::Voltages => &[],
            Scan::All => {
                let density = [&self.g[..], &self.j];
                all = density
                    .into_iter()
                    .chain(self.states.iter().map(|state| &state[..]))
                    .collect::<Vec<_>>();
                &all
            }
        };
        dispatch(
            self.isa,
            NonFiniteScan {
                scaled: (&self.u, scale),
                arrays,
                found: &mut found,
            },
        );
        if !found {
            return None;
        }
        let [low, high] = self.rollout.voltage_bounds::<R>();
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for lane in 0..L {
            let at = |node: usize| node * L + lane;
            let is_finite = |node: usize| arrays.iter().all(|x| x[at(node)].is_finite());
            if self.is_open(lane) {
                let sound = |node: usize| {
                    let u = self.u[at(node)];
                    u >= low && u <= high && is_finite(node)
                };
                let first = (0..self.nodes_of(lane)).find(|&node| !sound(node));
                open.extend(first.map(|node| (lane, node, None)));
            } else {
                let suspect = |node: usize| !(self.u[at(node)] * scale).is_finite();
                let any = (0..self.nodes).any(|node| suspect(node) || !is_finite(node));
                closed.extend(any.then_some(lane));
            }
        }
        Some(NonFinite { open, closed })
    }

    /// Marks lanes with a node at which explicit steps have amplified too much.
    pub(super) fn find_unstable(&mut self, state: usize) {
        let GroupCable::Explicit {
            rows,
            stable_us,
            amplification,
            cables,
        } = &mut self.cable
        else {
            return;
        };
        let mut found = false;
        dispatch(
            self.isa,
            UnstableScan::<R, L> {
                area: &rows.area,
                g: &self.g,
                limit: stable_us,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let dt_ms = self.rollout.grid.dt_ms();
        let by_node = amplification.before(state, self.g.len());
        let mut unstable = Vec::new();
        for (lane, cable) in cables.iter().enumerate() {
            let mut first = None;
            let g_us = |node: usize| (rows.area[lane] * self.g[node * L + lane]).to_f64();
            for node in 0..cable.nodes {
                let (left, right) = cable.neighbors_of(node);
                let around = (g_us(left), g_us(node), g_us(right));
                let so_far = &mut by_node[node * L + lane];
                *so_far = cable.amplification(*so_far, dt_ms, around);
                if first.is_none() && *so_far > ExplicitCable::LARGEST_AMPLIFICATION {
                    first = Some((lane, node, Some(cable.stability(dt_ms, around.1))));
                }
            }
            unstable.extend(first);
        }
        let (open, closed): (Vec<_>, Vec<_>) = unstable
            .into_iter()
            .partition(|&(lane, _, _)| self.is_open(lane));
        self.mark_diverged(state, &open);
        closed.into_iter().for_each(|(lane, _, _)| self.quiet(lane));
    }

    /// Ends lanes as diverged at (lane, node, stability number).
    pub(super) fn mark_diverged(&mut self, state: usize, lanes: &[(usize, usize, Option<f64>)]) {
        for &(lane, node, stability) in lanes {
            let v_mv = self.u[node * L + lane].to_f64() + self.rollout.v_reference_mv;
            self.status[lane] = Some(FiberStatus::Diverged {
                state,
                node,
                v_mv,
                stability,
            });
            self.quiet(lane);
        }
    }

    /// Resets the numbers of a lane whose answer is known, or that only repeats another, to rest, so that an error in
    /// it is not found again at every step.
    pub(super) fn quiet(&mut self, lane: usize) {
        let modes = match &mut self.cable {
            GroupCable::Modal { z, .. } => Some(z),
            GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => None,
        };
        let arrays = [
            &mut self.u,
            &mut self.u_before,
            &mut self.g,
            &mut self.j,
            &mut self.current,
        ];
        for array in arrays.into_iter().chain(&mut self.states).chain(modes) {
            array
                .iter_mut()
                .skip(lane)
                .step_by(L)
                .for_each(|x| *x = R::default());
        }
    }

    /// Whether a lane is that of a fiber without an answer yet.
    pub(super) fn is_open(&self, lane: usize) -> bool {
        lane < self.used && self.status[lane].is_none()
    }
}
