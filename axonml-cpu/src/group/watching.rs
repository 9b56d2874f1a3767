//! Views of a group's lanes that its observers are called with after each step.

use axonml_autodiff::engine::FiberStatus;
use axonml_autodiff::ir::Real;

use super::Group;
use super::crossings::CrossingWatch;
use super::peaks::Peaks;
use crate::cable::lanes;
use crate::watch::{FiberView, Watch};

/// One lane of a group, as observers see it.
pub(super) struct LaneView<'a, R, const L: usize> {
    u: &'a [R],
    u_before: &'a [R],
    states: &'a [Vec<R>],
    crossings: &'a CrossingWatch<R, L>,
    peaks: &'a Peaks<R>,
    lane: usize,
    v_reference_mv: f64,
}

impl<R: Real, const L: usize> FiberView for LaneView<'_, R, L> {
    fn v_mv(&self, node: usize) -> f64 {
        self.u[node * L + self.lane].to_f64() + self.v_reference_mv
    }
    fn previous_v_mv(&self, node: usize) -> f64 {
        self.u_before[node * L + self.lane].to_f64() + self.v_reference_mv
    }
    fn state(&self, state: usize, node: usize) -> f64 {
        self.states[state][node * L + self.lane].to_f64()
    }
    fn risen_to(&self, threshold_mv: f64) -> Option<&[usize]> {
        self.crossings.risen(threshold_mv, self.lane)
    }
    fn largest_mv(&self, first_state: usize, node: usize) -> Option<f64> {
        let largest = self.peaks.since(first_state)?;
        Some(largest[node * L + self.lane].to_f64() + self.v_reference_mv)
    }
    fn voltages_mv(&self, nodes: usize) -> impl Iterator<Item = f64> {
        let of_lane = |row: &[R; L]| row[self.lane].to_f64() + self.v_reference_mv;
        lanes::<R, L>(self.u)[..nodes].iter().map(of_lane)
    }
    fn states(&self, state: usize, nodes: usize) -> impl Iterator<Item = f64> {
        let of_lane = |row: &[R; L]| row[self.lane].to_f64();
        lanes::<R, L>(&self.states[state])[..nodes]
            .iter()
            .map(of_lane)
    }
}

impl<R: Real, const L: usize> Group<'_, R, L> {
    /// Shows observers the state that the run starts from. That of a continued run is its predecessor's last, and was seen.
    pub(super) fn start_watches(&mut self) {
        if self.rollout.steps.start == 0 {
            self.look(0);
            self.each_open_watch(|watch, view| watch.start(view));
        }
    }

    /// Shows observers the state after a step, and ends lanes whose answer they have.
    pub(super) fn watch(&mut self, state: usize) {
        self.look(state);
        if self.crossings.is_idle(state) {
            return;
        }
        self.each_open_watch(|watch, view| watch.see(state, view));
        for lane in 0..self.used {
            if self.status[lane].is_none() && self.watches[lane].answered() {
                self.status[lane] = Some(FiberStatus::Answered(state));
            }
        }
    }

    fn look(&mut self, state: usize) {
        self.crossings.scan(self.isa, &self.u_before, &self.u);
        let (used, status) = (self.used, &self.status);
        let open = |lane: usize| lane < used && status[lane].is_none();
        self.peaks.look::<L>(self.isa, state, &self.u, open);
    }

    fn each_open_watch(&mut self, act: impl Fn(&mut Watch, &LaneView<'_, R, L>)) {
        let mut watches = std::mem::take(&mut self.watches);
        for (lane, watch) in watches.iter_mut().enumerate() {
            if self.is_open(lane) {
                act(watch, &self.view(lane));
            }
        }
        self.watches = watches;
    }

    /// One lane.
    pub(super) fn view(&self, lane: usize) -> LaneView<'_, R, L> {
        LaneView {
            u: &self.u,
            u_before: &self.u_before,
            states: &self.states,
            crossings: &self.crossings,
            peaks: &self.peaks,
            lane,
            v_reference_mv: self.rollout.v_reference_mv,
        }
    }
}
