//! Thresholds from finished searches: the responses to their trials, classified.

use std::collections::BTreeMap;

use axonml_autodiff::engine::Source;

use super::grid::{Ending, Search};
use super::seen::{Seen, Trial};
use super::trials::{CONDUCTED, Trials};
use super::{Threshold, ThresholdKind};
use crate::SimulationError;
use crate::detection::SpikeStart;

/// Classification of a run's crossings if none is an action potential at a detection site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excitation {
    /// The stimulus polarizes nodes.
    Polarized,
    /// The active membrane depolarizes nodes.
    Local,
    /// An action potential propagates over some nodes.
    Conducted,
}

impl Trials<'_> {
    /// Thresholds from finished searches, with the responses to their trials classified.
    pub(super) fn classified(
        &mut self,
        searches: &[Search],
    ) -> Result<Vec<Threshold>, SimulationError> {
        let endings: Vec<Ending> = searches
            .iter()
            .map(|search| search.ending())
            .map(|ending| {
                ending.unwrap_or_else(|| unreachable!("a search ends when it wants nothing"))
            })
            .collect();
        let unclear = endings.iter().zip(searches).enumerate();
        let unclear = unclear.flat_map(|(fiber, (ending, search))| {
            let amplitudes: Vec<f64> = match *ending {
                Ending::Found { local_below_ma, .. } => local_below_ma.into_iter().collect(),
                // The strongest stimulus only polarizes nodes where a weaker one may have fired some.
                Ending::NotFound {
                    top_ma,
                    local: true,
                } => std::iter::successors(Some(top_ma), |ma| Some(0.5 * ma))
                    .take_while(|ma| *ma >= search.first_ma())
                    .collect(),
                _ => Vec::new(),
            };
            amplitudes.into_iter().map(move |ma| (fiber, ma))
        });
        let excitations = self.excitations(&unclear.collect::<Vec<_>>())?;
        let each = endings.into_iter().enumerate();
        Ok(each
            .map(|(fiber, ending)| self.threshold(fiber, ending, excitations.get(&fiber).copied()))
            .collect())
    }

    fn threshold(&self, fiber: usize, ending: Ending, excitation: Option<Excitation>) -> Threshold {
        match ending {
            Ending::Found {
                lower_ma,
                upper_ma,
                start,
                ..
            } => Threshold::Found {
                lower_ma,
                upper_ma,
                start,
                kind: match excitation {
                    Some(Excitation::Conducted) => ThresholdKind::Reexcitation,
                    _ if self.starts_at_an_end(fiber, &start) => ThresholdKind::EndExcitation,
                    _ => ThresholdKind::Regular,
                },
            },
            Ending::NotFound { top_ma, .. } => match excitation {
                None => Threshold::NoActivation { lower_ma: top_ma },
                Some(Excitation::Polarized) => Threshold::Artifact { lower_ma: top_ma },
                Some(_) => Threshold::PropagationFailure { lower_ma: top_ma },
            },
            Ending::Spontaneous => Threshold::Spontaneous,
            Ending::Diverged {
                amplitude_ma,
                status,
                lower_ma,
            } => Threshold::Diverged {
                amplitude_ma,
                status,
                lower_ma,
            },
        }
    }

    /// The strongest excitation in trials without action potential at a detection site, by fiber.
    fn excitations(
        &mut self,
        trials: &[Trial],
    ) -> Result<BTreeMap<usize, Excitation>, SimulationError> {
        if trials.is_empty() {
            return Ok(BTreeMap::new());
        }
        let all = self.run(trials, self.to_the_end())?;
        let mut nodes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for seen in &all {
            let crossed = seen.everywhere.iter().map(|at| at.node);
            nodes.entry(seen.trial.0).or_default().extend(crossed);
        }
        self.twins.look_at(&nodes, self.whole.steps.end)?;
        let of_trial = |seen: &Seen| {
            let fiber = seen.trial.0;
            let reach = CONDUCTED * self.length_constant(fiber);
            let crossings = seen.crossings();
            let each = seen.everywhere.iter().map(|at| {
                if !self.is_regenerated(seen.trial, at) {
                    return Excitation::Polarized;
                }
                let from = crossings.start_of(at, self.whole.grid.dt_ms()).node;
                match at.node.abs_diff(from) as f64 >= reach {
                    true => Excitation::Conducted,
                    false => Excitation::Local,
                }
            });
            (fiber, each.max().unwrap_or(Excitation::Polarized))
        };
        let mut most = BTreeMap::new();
        for (fiber, excitation) in all.iter().map(of_trial) {
            let known = most.entry(fiber).or_insert(excitation);
            *known = excitation.max(*known);
        }
        Ok(most)
    }

    /// Whether an action potential began within one internode (or one length constant) of an end of the fiber, and not
    /// where a current of its own amplitude is injected. A threshold current into an end is that of the end.
    pub(super) fn starts_at_an_end(&self, fiber: usize, start: &SpikeStart) -> bool {
        let margin = self.length_constant(fiber).ceil() as usize;
        let joined = self.whole.fibers[fiber].cable.joined();
        let injected = |source: &Source| match source {
            Source::Separable {
                projection,
                potentials: None,
                ..
            } => {
                let mut nodes = projection.nodes_na.iter().enumerate();
                nodes.any(|(node, x)| *x != 0.0 && node.abs_diff(start.node) <= margin)
            }
            _ => false,
        };
        let sources = self.whole.drive.sources[fiber].iter();
        let mut sources = sources.zip(self.scaling.sources(fiber));
        (start.node <= joined.start + margin || start.node + margin + 1 >= joined.end)
            && !sources.any(|(source, gain)| !gain.is_scaled() && injected(source))
    }
}
