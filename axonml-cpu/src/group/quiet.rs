//! Lanes that will not fire any more end before the last step: see [`axonml_autodiff::engine::QuietEnd`].

use axonml_autodiff::engine::{FiberStatus, QuietEnd};
use axonml_autodiff::ir::Real;

use super::Group;

/// Reference of the quiet criterion for the lanes of a group.
pub(super) struct QuietWatch<R> {
    quiet: QuietEnd,
    /// First state at which each lane may end.
    from_state: Vec<usize>,
    /// Deviation that every node starts with, mV, `[node][lane]`.
    start: Vec<R>,
}

impl<R: Real, const L: usize> Group<'_, R, L> {
    /// Prepares looking for lanes that end, if the rollout asks for it. To be called before the first step.
    pub(super) fn watch_quiet(&self) -> Option<QuietWatch<R>> {
        let rollout = self.rollout;
        let quiet = rollout.quiet_end?;
        let lanes = self.members.iter().take(self.used);
        Some(QuietWatch {
            quiet,
            from_state: lanes
                .map(|&fiber| quiet.first_state(rollout, fiber))
                .collect(),
            start: self.u.clone(),
        })
    }

    /// Ends open lanes whose every node has returned to the band around its start.
    pub(super) fn end_quiet(&mut self, state: usize, watch: &QuietWatch<R>) {
        if !state.is_multiple_of(watch.quiet.every) {
            return;
        }
        let band = R::from_f64(watch.quiet.band_mv);
        for lane in 0..self.used {
            if self.status[lane].is_some() || state < watch.from_state[lane] {
                continue;
            }
            let near = |node: usize| {
                let at = node * L + lane;
                let away = self.u[at] - watch.start[at];
                // NaN is not near.
                away < band && -away < band
            };
            if (0..self.nodes_of(lane)).all(near) {
                self.status[lane] = Some(FiberStatus::Quiet(state));
            }
        }
    }
}
