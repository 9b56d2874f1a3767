//! How far explicit steps in a row have amplified differences between neighboring nodes: see
//! [`ExplicitCable::amplification`].

use axonml_autodiff::Real;
use axonml_autodiff::cable::ExplicitCable;

use super::Group;
use super::pack::GroupCable;
use crate::cable::FindUnstable;
use crate::isa::dispatch;

/// The amplification by the last steps; kept only while steps of any lane amplify, which few do.
#[derive(Default)]
pub(super) struct Amplification {
    /// State that the last of these steps leads to.
    state: usize,
    /// Of each node, `[node][lane]`.
    by_node: Vec<f64>,
}

impl Amplification {
    /// What the steps before the one to `state` have done, to be multiplied by what that one does.
    fn before(&mut self, state: usize, len: usize) -> &mut [f64] {
        if self.state + 1 != state || self.by_node.is_empty() {
            self.by_node.clear();
            self.by_node.resize(len, 1.0);
        }
        self.state = state;
        &mut self.by_node
    }
}

impl<R: Real, const L: usize> Group<'_, R, L> {
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
            FindUnstable::<R, L> {
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
}
