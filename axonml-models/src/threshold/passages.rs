//! How the first action potential of a run passes two nodes.

use std::collections::BTreeMap;

use axonml_autodiff::engine::Crossing;

use super::trials::Trials;
use crate::SimulationError;
use crate::action_potentials::beginnings;

/// How an action potential passed two nodes, with the crossing that it began with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Passage {
    /// One after the other.
    Passed {
        start: Crossing,
        at_a: Crossing,
        at_b: Crossing,
    },
    /// Both, but not one after the other: it began at one or between them.
    NotInOrder { start: Crossing },
    /// At most one of them.
    Failed { start: Crossing },
    /// There was none.
    Nothing,
}

impl Trials<'_> {
    /// The passages of the first action potentials that began at the state `first` or later. Per fiber: its amplitude,
    /// mA, all its crossings, and two different nodes.
    pub(super) fn passages(
        &mut self,
        first: usize,
        fibers: &[(f64, Vec<Crossing>, [usize; 2])],
    ) -> Result<Vec<Passage>, SimulationError> {
        let look_at = fibers.iter().enumerate();
        let look_at = look_at.map(|(fiber, (_, _, nodes))| (fiber, nodes.to_vec()));
        self.look_where_needed(fibers, look_at.collect())?;
        let mut passages: Vec<Option<Passage>> = Vec::with_capacity(fibers.len());
        let mut unclear = BTreeMap::new();
        for (fiber, (_, crossings, _)) in fibers.iter().enumerate() {
            let passage = self.passage(fiber, first, &fibers[fiber]);
            if passage.is_none() {
                unclear.insert(fiber, crossings.iter().map(|at| at.node).collect());
            }
            passages.push(passage);
        }
        // Whether anything began where no site was reached.
        self.look_where_needed(fibers, unclear)?;
        let each = passages.into_iter().zip(fibers).enumerate();
        let each = each.map(|(fiber, (passage, (amplitude_ma, crossings, _)))| {
            passage.unwrap_or_else(|| {
                let begins = beginnings(crossings);
                let mut known = crossings.iter().zip(&begins);
                let began = known.find(|(at, begin)| {
                    crossings[**begin].state >= first
                        && self.is_regenerated((fiber, *amplitude_ma), at)
                });
                began.map_or(Passage::Nothing, |(_, &begin)| Passage::Failed {
                    start: crossings[begin],
                })
            })
        });
        Ok(each.collect())
    }

    /// Computes the twins of fibers at some nodes where their crossings are not explained without.
    fn look_where_needed(
        &mut self,
        fibers: &[(f64, Vec<Crossing>, [usize; 2])],
        mut nodes: BTreeMap<usize, Vec<usize>>,
    ) -> Result<(), SimulationError> {
        let mut last = 0;
        nodes.retain(|&fiber, nodes| {
            let (amplitude_ma, crossings, _) = &fibers[fiber];
            let unexplained = |at: &&Crossing| {
                nodes.contains(&at.node) && !self.stays_below((fiber, *amplitude_ma), at)
            };
            let latest = crossings
                .iter()
                .filter(unexplained)
                .map(|at| at.state)
                .max();
            last = last.max(latest.unwrap_or(0));
            latest.is_some()
        });
        self.twins.look_at(&nodes, last)
    }

    /// The passage of the first action potential that reaches one of the nodes; `None` if none does.
    fn passage(
        &self,
        fiber: usize,
        first: usize,
        (amplitude_ma, crossings, [a, b]): &(f64, Vec<Crossing>, [usize; 2]),
    ) -> Option<Passage> {
        let begins = beginnings(crossings);
        // By action potential its crossings at the two nodes, in the order of their beginnings.
        let mut reached: BTreeMap<(usize, usize), [Option<Crossing>; 2]> = BTreeMap::new();
        for (at, &begin) in crossings.iter().zip(&begins) {
            let start = &crossings[begin];
            let Some(place) = [a, b].iter().position(|node| **node == at.node) else {
                continue;
            };
            if start.state >= first && self.is_regenerated((fiber, *amplitude_ma), at) {
                let pair = reached.entry((start.state, begin)).or_default();
                pair[place].get_or_insert(*at);
            }
        }
        let both = |((_, begin), pair): (&(usize, usize), &[Option<Crossing>; 2])| {
            let [Some(at_a), Some(at_b)] = *pair else {
                return None;
            };
            Some((crossings[*begin], at_a, at_b))
        };
        if let Some((start, at_a, at_b)) = reached.iter().find_map(both) {
            let (near, far) = match start.node.abs_diff(*a) < start.node.abs_diff(*b) {
                true => (at_a, at_b),
                false => (at_b, at_a),
            };
            let outside = start.node < *a.min(b) || start.node > *a.max(b);
            return Some(match outside && near.time_ms < far.time_ms {
                true => Passage::Passed { start, at_a, at_b },
                false => Passage::NotInOrder { start },
            });
        }
        let (_, begin) = *reached.keys().next()?;
        Some(Passage::Failed {
            start: crossings[begin],
        })
    }
}
