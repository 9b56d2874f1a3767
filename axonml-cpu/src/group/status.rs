//! Lanes whose numbers became meaningless.

use axonml_autodiff::{FiberStatus, Real};

use super::Group;
use super::pack::GroupCable;
use crate::cable::{FindBad, FindUnstable};
use crate::isa::dispatch;

impl<R: Real, const L: usize> Group<'_, R, L> {
    /// Marks lanes with a node whose explicit step is unstable.
    pub(super) fn find_unstable(&mut self, state: usize) {
        let GroupCable::Explicit {
            rows,
            limit,
            cables,
        } = &self.cable
        else {
            return;
        };
        let mut found = false;
        dispatch(
            self.isa,
            FindUnstable::<R, L> {
                area: &rows.area,
                g: &self.g,
                limit,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let dt_ms = self.rollout.grid.dt_ms();
        let mut unstable = Vec::new();
        for lane in self.open_lanes() {
            // The very comparison of the scan, so that a lane's verdict does not depend on who made it necessary.
            let exceeds = |node: &usize| rows.area[lane] * self.g[node * L + lane] > limit[lane];
            if let Some(node) = (0..cables[lane].nodes).find(exceeds) {
                let g_us = (rows.area[lane] * self.g[node * L + lane]).to_f64();
                unstable.push((lane, node, Some(cables[lane].stability(dt_ms, g_us))));
            }
        }
        self.mark_diverged(state, &unstable);
    }

    /// Marks lanes in which a number is no longer finite.
    pub(super) fn find_bad(&mut self, state: usize) {
        let mut arrays: Vec<&[R]> = vec![&self.u, &self.g, &self.j];
        arrays.extend(self.states.iter().map(|state| &state[..]));
        let mut found = false;
        dispatch(
            self.isa,
            FindBad {
                arrays: &arrays,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let mut bad = Vec::new();
        for lane in self.open_lanes() {
            let is_bad = |node: &usize| arrays.iter().any(|x| !x[node * L + lane].is_finite());
            bad.extend(
                (0..self.nodes_of(lane))
                    .find(is_bad)
                    .map(|node| (lane, node, None)),
            );
        }
        self.mark_diverged(state, &bad);
    }

    /// Ends lanes as diverged at (lane, node, stability number) and sets their numbers to rest, so that what went wrong
    /// in them neither slows the group nor is found again.
    pub(super) fn mark_diverged(&mut self, state: usize, lanes: &[(usize, usize, Option<f64>)]) {
        for &(lane, node, stability) in lanes {
            let v_mv = self.u[node * L + lane].to_f64() + self.rollout.v_reference_mv;
            self.status[lane] = Some(FiberStatus::Diverged {
                state,
                node,
                v_mv,
                stability,
            });
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
    }

    /// Lanes without an answer yet.
    pub(super) fn open_lanes(&self) -> Vec<usize> {
        (0..self.used)
            .filter(|&lane| self.status[lane].is_none())
            .collect()
    }
}
