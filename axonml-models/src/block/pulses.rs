//! Test pulses: currents injected into one node, whose action potentials are counted at another.

use std::collections::HashMap;
use std::sync::Arc;

use axonml_autodiff::cable::{Cable, Projection};
use axonml_autodiff::engine::{ObserverKind, ObserverSpec, Rollout, Source};
use axonml_core::error::short;
use axonml_core::{CoreError, TimeGrid, Waveform};

use crate::ends::check_joined;
use crate::scaling::{Scaling, SourceGain};
use crate::{NodeSelection, SimulationError};

/// Rectangular currents injected into one node of every fiber at given times, each to start one action potential.
///
/// The window of a pulse lasts from its onset to that of the next one, of the last pulse to the end of the run: its
/// action potential is expected there, so that pulses must be further apart than the conduction time to the site.
#[derive(Clone, Debug, PartialEq)]
pub struct TestPulses {
    /// 0-based node; negative numbers count from the fiber's end.
    pub node: i64,
    /// Current, nA; positive depolarizes.
    pub amp_na: f64,
    /// Width of each pulse, ms.
    pub pw_ms: f64,
    /// Onsets, ms, in ascending order.
    pub at_ms: Vec<f64>,
}

/// The first state at or after a time, despite rounding.
pub(super) fn first_state(grid: &TimeGrid, time_ms: f64) -> usize {
    let observer = ObserverSpec::new(ObserverKind::Raster, NodeSelection::All);
    observer.after_ms(time_ms).first_state(grid)
}

fn bad<T>(what: &str, found: String, expected: &str) -> Result<T, CoreError> {
    Err(CoreError::BadValue {
        what: what.into(),
        found,
        expected: expected.into(),
    })
}

impl TestPulses {
    /// Pulses of `amp_na` nA for `pw_ms` ms into `node` at the times `at_ms`.
    pub fn new(node: i64, amp_na: f64, pw_ms: f64, at_ms: &[f64]) -> Self {
        TestPulses {
            node,
            amp_na,
            pw_ms,
            at_ms: at_ms.to_vec(),
        }
    }

    /// Checks numbers against each other and the run.
    pub(super) fn check(&self, grid: &TimeGrid) -> Result<(), CoreError> {
        if !(self.amp_na.is_finite() && self.amp_na != 0.0) {
            return bad(
                "the current of the test pulses",
                self.amp_na.to_string(),
                "a finite number of nA other than 0",
            );
        }
        if !(self.pw_ms > 0.0 && self.pw_ms.is_finite()) {
            return bad(
                "the width of the test pulses",
                self.pw_ms.to_string(),
                "a positive number of ms",
            );
        }
        if self.at_ms.is_empty() {
            return bad("the test pulses", "none".into(), "at least one onset");
        }
        if let Some(at) = self
            .at_ms
            .iter()
            .find(|at| !(**at >= 0.0 && at.is_finite()))
        {
            return bad(
                "the onset of a test pulse",
                format!("{at} ms"),
                "a time from 0 ms on",
            );
        }
        if let Some(pair) = self.at_ms.windows(2).find(|at| at[1] - at[0] < self.pw_ms) {
            return bad(
                "the onset of a test pulse",
                format!("{} ms after that at {} ms", short(pair[1]), short(pair[0])),
                "ascending times, at least a pulse's width apart",
            );
        }
        // Sampling reports pulses beyond the run, and widths that no step can hold.
        self.waveform()?.sample(grid).map(drop)
    }

    fn waveform(&self) -> Result<Waveform, CoreError> {
        let one = Waveform::monophasic(self.pw_ms)?.flipped();
        let mut each = self.at_ms.iter().map(|&at_ms| one.clone().delayed(at_ms));
        match each.next() {
            Some(first) => Ok(each.fold(first, |sum, pulse| sum + pulse)),
            None => bad("the test pulses", "none".into(), "at least one onset"),
        }
    }

    /// The node in a fiber with this cable.
    pub(super) fn node_of(&self, cable: &Cable) -> Result<usize, CoreError> {
        let nodes = cable.nodes();
        let what = "the node of the test pulses";
        let found = NodeSelection::Nodes(vec![self.node]).resolve(nodes);
        match found.as_deref() {
            Ok(&[node]) => check_joined(cable, node, what).map(|()| node),
            _ => bad(
                what,
                self.node.to_string(),
                &format!(
                    "0 to {}, or -{nodes} to -1 from the end, as the fiber has {nodes} nodes",
                    nodes.saturating_sub(1)
                ),
            ),
        }
    }

    /// Adds the pulses to all fibers of `rollout`, at their node or, if `mirrored`, at the node as far from the other
    /// end, and to its `scaling`: amplitudes do not scale them.
    pub(super) fn inject(
        &self,
        rollout: &mut Rollout,
        scaling: &mut Scaling,
        mirrored: bool,
    ) -> Result<(), SimulationError> {
        let waveform = rollout.drive.waveforms.len();
        let sampled = self.waveform()?.sample(&rollout.grid)?;
        rollout.drive.waveforms.push(Arc::new(sampled));
        // Fibers of equal geometry share their cable, and the projection with it.
        let mut known: HashMap<*const Cable, Arc<Projection>> = HashMap::new();
        let each = rollout.fibers.iter().zip(&mut rollout.drive.sources);
        for (fiber, (of, sources)) in each.enumerate() {
            let nodes = of.cable.nodes();
            let node = self
                .node_of(&of.cable)
                .map_err(|source| SimulationError::Stimulus { fiber, source })?;
            let node = if mirrored { nodes - 1 - node } else { node };
            let projection = known.entry(Arc::as_ptr(&of.cable)).or_insert_with(|| {
                let mut projection = of.cable.inject(node);
                for current in &mut projection.nodes_na {
                    *current *= self.amp_na;
                }
                Arc::new(projection)
            });
            Arc::make_mut(sources).push(Source::Separable {
                projection: projection.clone(),
                potentials: None,
                waveform,
            });
            rollout.drive.gains[fiber].push(1.0);
            scaling.push(fiber, SourceGain::Fixed(1.0));
        }
        Ok(())
    }

    /// Windows of the pulses from `after_ms` on, as states.
    pub(super) fn windows(&self, grid: &TimeGrid, after_ms: f64) -> Windows {
        let after = first_state(grid, after_ms);
        let onsets = self.at_ms.iter().map(|&at_ms| first_state(grid, at_ms));
        Windows {
            after,
            onsets: onsets.filter(|&onset| onset >= after).collect(),
        }
    }
}

/// The states at which the window of each expected pulse begins, and that at which counting begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) after: usize,
    pub(super) onsets: Vec<usize>,
}
