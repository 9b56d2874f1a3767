//! Which lanes of a group have a node that rises to an observer's threshold in a step: all lanes at once, so that the
//! others need not be looked at node by node.

use axonml_autodiff::engine::{ObserverKind, Rollout};
use axonml_autodiff::ir::Real;

use crate::cable::lanes;
use crate::isa::{Isa, Kernel, dispatch};

/// Distance from a threshold, mV, within which rounding might decide: larger than that of voltages in single precision.
const MARGIN_MV: f64 = 0.01;

/// The thresholds that observers of a rollout wait for.
#[derive(Debug)]
pub(super) struct CrossingWatch<R, const L: usize> {
    thresholds: Vec<Threshold<R, L>>,
    /// First states of the observers that wait for crossings, if nothing but these and maxima is observed.
    only: Option<Vec<usize>>,
}

#[derive(Debug)]
struct Threshold<R, const L: usize> {
    mv: f64,
    /// Deviations from the reference: one that a node which rises to the threshold has reached after a step, and one
    /// below which it was before.
    reached: R,
    below: R,
    /// 1 for lanes that may have such a node, else 0.
    risen: [R; L],
    /// Nodes at which some lane may have risen, ascending.
    nodes: Vec<usize>,
}

impl<R: Real, const L: usize> CrossingWatch<R, L> {
    pub(super) fn new(rollout: &Rollout) -> Self {
        let mut thresholds: Vec<Threshold<R, L>> = Vec::new();
        let mut only = Some(Vec::new());
        for observer in &rollout.observers {
            let crosses = match observer.kind {
                ObserverKind::Active { .. }
                | ObserverKind::ActionPotentialCount
                | ObserverKind::Raster => true,
                ObserverKind::Recorder { .. }
                | ObserverKind::Traces { .. }
                | ObserverKind::Maximum => false,
            };
            match &mut only {
                Some(first) if crosses => first.push(observer.first_state(&rollout.grid).max(1)),
                // Maxima of all lanes are kept together.
                _ if observer.kind == ObserverKind::Maximum => {}
                _ => only = None,
            }
            let mv = observer.threshold_mv;
            if crosses && !thresholds.iter().any(|known| known.mv == mv) {
                let u = mv - rollout.v_reference_mv;
                thresholds.push(Threshold {
                    mv,
                    reached: R::from_f64(u - MARGIN_MV),
                    below: R::from_f64(u + MARGIN_MV),
                    risen: [R::default(); L],
                    nodes: Vec::new(),
                });
            }
        }
        CrossingWatch { thresholds, only }
    }

    /// Looks at the voltages before and after a step, `[node][lane]`.
    pub(super) fn scan(&mut self, isa: Isa, before: &[R], after: &[R]) {
        for threshold in &mut self.thresholds {
            dispatch(
                isa,
                Scan {
                    before,
                    after,
                    threshold,
                },
            );
        }
    }

    /// Whether observers need not look at the state after the step that was scanned: they wait for crossings, have begun
    /// before, and no node of any lane may have risen to a threshold.
    pub(super) fn is_idle(&self, state: usize) -> bool {
        let waits = |first: &Vec<usize>| !first.contains(&state);
        let still = |threshold: &Threshold<R, L>| threshold.nodes.is_empty();
        self.only.as_ref().is_some_and(waits) && self.thresholds.iter().all(still)
    }

    /// Nodes, ascending, among which are all of a lane that have risen to a threshold in the step that was scanned; `None` of
    /// thresholds that no observer waits for.
    pub(super) fn risen(&self, threshold_mv: f64, lane: usize) -> Option<&[usize]> {
        let known = self.thresholds.iter().find(|x| x.mv == threshold_mv)?;
        match known.risen[lane] == R::default() {
            true => Some(&[]),
            false => Some(&known.nodes),
        }
    }
}

struct Scan<'a, R, const L: usize> {
    before: &'a [R],
    after: &'a [R],
    threshold: &'a mut Threshold<R, L>,
}

impl<R: Real, const L: usize> Kernel for Scan<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let one = R::from_f64(1.0);
        let (reached, below) = (self.threshold.reached, self.threshold.below);
        let (before, after) = (lanes::<R, L>(self.before), lanes::<R, L>(self.after));
        let mut risen = [R::default(); L];
        let nodes = &mut self.threshold.nodes;
        nodes.clear();
        for (node, (before, after)) in before.iter().zip(after).enumerate() {
            let mut any = false;
            for l in 0..L {
                any |= after[l] >= reached && before[l] < below;
            }
            if any {
                nodes.push(node);
                for l in 0..L {
                    let rises = after[l] >= reached && before[l] < below;
                    risen[l] = if rises { one } else { risen[l] };
                }
            }
        }
        self.threshold.risen = risen;
    }
}
