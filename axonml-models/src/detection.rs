//! Detection of action potentials: detection sites, classification of level crossings, and the site of initiation.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{Crossing, NodeSelection, ObserverKind, ObserverSpec, Start};
use axonml_core::{CoreError, TimeGrid};
use serde::{Deserialize, Serialize};

use crate::action_potentials::NEIGHBOR_DELAY_MS;
use crate::ends::check_joined;
use crate::scaling::Scaling;

/// How far above the passive twin of its fiber a node must be where it crosses the level, mV: a node that the stimulus
/// merely polarizes stays within a fraction of a millivolt of its twin, an action potential lies more than 80 mV above.
pub const REGENERATION_MV: f64 = 20.0;

/// Share of the way from the start of a node to the level by which it must be above its twin where that is less.
const REGENERATED_SHARE: f64 = 0.8;

/// How far above its passive twin a node of a fiber must be where it crosses `level_mv`, mV: [`REGENERATION_MV`], but no more
/// than an action potential of a fiber that rests close to the level can be.
pub(crate) fn regeneration_mv(level_mv: f64, start: &Start, fiber: usize, node: usize) -> f64 {
    let start_mv = match start {
        Start::Uniform { v_mv, .. } => *v_mv,
        Start::From(states) => states[fiber].v_mv[node],
    };
    let way_mv = REGENERATED_SHARE * (level_mv - start_mv);
    match way_mv > 0.0 {
        true => REGENERATION_MV.min(way_mv),
        false => REGENERATION_MV,
    }
}

/// Criterion for a conducted action potential.
///
/// A crossing at a detection site is an action potential if a neighbor of the site crossed before it or in the same
/// step, so that it arrived from there, and if the node is at least [`REGENERATION_MV`] above its passive twin (or four
/// fifths of the way from its start to the level, if that is less), so that the membrane and not the stimulus depolarized
/// it. Later events are ignored.
///
/// # Conditioning
/// Currents that the amplitude under study does not scale ([`crate::Stimulus::inject`]) may fire a fiber before the
/// stimulus under study begins. Set [`Detection::after_ms`] to its onset: in a fiber with such currents, action
/// potentials that began before count nowhere. They make no detection site fire when they arrive later, or are still
/// above the level, and at amplitude 0 they make no fiber [`crate::Threshold::Spontaneous`]. Action potentials that begin
/// from the onset on do, at amplitude 0 as well: there, whatever fires the fiber is not the stimulus under study.
///
/// An action potential begins with the crossing of a node that no neighbor excited, and crosses the level at every node
/// that it passes: in the relative refractory period peaks may lie below 0 mV, and a lower level tells more.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The sites: any of them counts. By default nodes 5 and -5, the sixth from either end.
    pub sites: NodeSelection,
    /// Level of the upward crossing, mV; 0 by default.
    pub threshold_mv: f64,
    /// Detection begins here, ms; a site that is above the level then counts as crossing, unless the fiber has currents
    /// that the amplitude does not scale: there action potentials count that begin from here on.
    pub after_ms: f64,
}

impl Default for Detection {
    fn default() -> Self {
        Detection {
            sites: NodeSelection::Nodes(vec![5, -5]),
            threshold_mv: 0.0,
            after_ms: 0.0,
        }
    }
}

impl Detection {
    /// The default level and time at these nodes; negative numbers count from the end.
    pub fn at_nodes(nodes: &[i64]) -> Self {
        Detection {
            sites: NodeSelection::Nodes(nodes.to_vec()),
            ..Detection::default()
        }
    }

    /// An observer of `kind` at the sites, with the level and time of the detection.
    pub(crate) fn at_sites(&self, kind: ObserverKind) -> ObserverSpec {
        ObserverSpec::new(kind, self.sites.clone())
            .threshold_mv(self.threshold_mv)
            .after_ms(self.after_ms)
    }

    /// An observer of `kind` at every node from the start, with the level of the detection.
    pub(crate) fn everywhere(&self, kind: ObserverKind) -> ObserverSpec {
        ObserverSpec::new(kind, NodeSelection::All).threshold_mv(self.threshold_mv)
    }

    /// Whether currents that the amplitude does not scale may fire a fiber before detection begins.
    pub(crate) fn is_conditioned(&self, scaling: &Scaling, fiber: usize) -> bool {
        self.after_ms > 0.0 && scaling.has_fixed(fiber)
    }

    /// The 0-based detection sites of a fiber of `nodes` nodes.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for a node that the fiber does not have, and for a fraction that is not from 0 to 1.
    pub fn nodes(&self, nodes: usize) -> Result<Vec<usize>, CoreError> {
        let refuse = |what: &str, found: String, expected: String| {
            Err(CoreError::BadValue {
                what: what.into(),
                found,
                expected,
            })
        };
        if let NodeSelection::Fractions(fractions) = &self.sites
            && let Some(bad) = fractions.iter().find(|x| !(0.0..=1.0).contains(*x))
        {
            return refuse(
                "detection site",
                bad.to_string(),
                "a fraction of the fiber's length from 0 to 1".into(),
            );
        }
        match self.sites.resolve(nodes) {
            Ok(found) => Ok(found),
            Err(node) => refuse(
                "detection node",
                node.to_string(),
                format!(
                    "0 to {}, or -{nodes} to -1 from the end, as the fiber has {nodes} nodes; choose other nodes to detect at (--detect-nodes)",
                    nodes.saturating_sub(1)
                ),
            ),
        }
    }

    /// [`Detection::nodes`] of a fiber with this cable.
    ///
    /// # Errors
    /// As [`Detection::nodes`]; also for a passive end, which no action potential reaches ([`Ends::Passive`](crate::Ends)).
    pub fn nodes_in(&self, cable: &Cable) -> Result<Vec<usize>, CoreError> {
        let sites = self.nodes(cable.nodes())?;
        for &site in &sites {
            check_joined(cable, site, "detection node")?;
        }
        Ok(sites)
    }

    /// Checks level and time against the run.
    pub(crate) fn check(&self, grid: &TimeGrid) -> Result<(), CoreError> {
        let duration = grid.duration_ms();
        if !(0.0..duration).contains(&self.after_ms) {
            return Err(CoreError::BadValue {
                what: "the beginning of detection".into(),
                found: format!("{} ms", self.after_ms),
                expected: format!("a time within the run, 0 to {duration} ms"),
            });
        }
        Ok(())
    }
}

/// Site and time of initiation of an action potential.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpikeStart {
    /// 0-based node that crossed first.
    pub node: usize,
    /// Its position along the fiber, whose middle node lies at 0, um.
    pub z_um: f64,
    /// Time of the crossing, ms.
    pub time_ms: f64,
}

/// The crossings of one fiber at its detection sites, from the beginning of detection on, and at all its nodes, from
/// the start on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossings<'a> {
    pub(crate) at_sites: &'a [Crossing],
    pub(crate) everywhere: &'a [Crossing],
}

impl Crossings<'_> {
    /// Whether a neighbor of a crossing's node crossed before it or in the same step.
    fn arrived(&self, crossing: &Crossing) -> bool {
        let from = |other: &Crossing| {
            other.node.abs_diff(crossing.node) == 1 && other.state <= crossing.state
        };
        self.everywhere.iter().any(from)
    }

    /// The crossings at detection sites that arrived from a neighbor, in order of time: action potentials unless the
    /// stimulus alone explains them.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Crossing> {
        let mut arrived: Vec<&Crossing> = self
            .at_sites
            .iter()
            .filter(|crossing| self.arrived(crossing))
            .collect();
        arrived.sort_by(|a, b| a.time_ms.total_cmp(&b.time_ms).then(a.node.cmp(&b.node)));
        arrived.into_iter()
    }

    /// The crossing with which the action potential `arrival` began: followed back from node to node while the next one
    /// crossed before or in the same step.
    pub(crate) fn start_of(&self, arrival: &Crossing, dt_ms: f64) -> Crossing {
        let reach = (NEIGHBOR_DELAY_MS / dt_ms) as usize;
        let latest = |node: Option<usize>, at: &Crossing| {
            self.everywhere
                .iter()
                .filter(|other| Some(other.node) == node)
                .filter(|other| other.state <= at.state && other.state + reach >= at.state)
                .max_by_key(|other| other.state)
        };
        let (left, right) = (
            latest(arrival.node.checked_sub(1), arrival),
            latest(Some(arrival.node + 1), arrival),
        );
        // It came from the side whose neighbor crossed last before it.
        let leftward = match (left, right) {
            (Some(left), Some(right)) => left.time_ms >= right.time_ms,
            (left, _) => left.is_some(),
        };
        let (mut at, mut first) = (*arrival, *arrival);
        loop {
            let next = match leftward {
                true => at.node.checked_sub(1),
                false => Some(at.node + 1),
            };
            let Some(crossing) = latest(next, &at) else {
                return first;
            };
            at = *crossing;
            if at.time_ms <= first.time_ms {
                first = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(node: usize, state: usize) -> Crossing {
        Crossing {
            node,
            state,
            time_ms: 0.1 * state as f64,
            v_mv: 1.0,
        }
    }

    #[test]
    fn a_spike_is_followed_back_to_where_it_began() {
        // It begins at node 4 and runs both ways.
        let all: Vec<Crossing> = (0..9)
            .map(|node: usize| crossing(node, 3 + 2 * node.abs_diff(4)))
            .collect();
        let of = Crossings {
            at_sites: &[all[7], all[1]],
            everywhere: &all,
        };
        let found: Vec<usize> = of.candidates().map(|crossing| crossing.node).collect();
        assert_eq!(found, [1, 7], "by time, then node");
        assert_eq!(of.start_of(&all[7], 0.1).node, 4);
        assert_eq!(of.start_of(&all[1], 0.1).node, 4);
    }

    #[test]
    fn a_node_that_crosses_before_its_neighbors_has_not_been_reached() {
        let all = [crossing(4, 3), crossing(3, 5), crossing(5, 5)];
        let of = Crossings {
            at_sites: &all[..1],
            everywhere: &all,
        };
        assert_eq!(of.candidates().count(), 0);
        // A neighbor that crosses in the same step will do.
        let all = [crossing(4, 3), crossing(3, 3)];
        let of = Crossings {
            at_sites: &all[..1],
            everywhere: &all,
        };
        assert_eq!(of.candidates().count(), 1);
    }

    #[test]
    fn an_earlier_action_potential_is_not_followed() {
        // One passed all nodes at 0.3 ms; the next begins at node 2, 5 ms later.
        let mut all: Vec<Crossing> = (0..5).map(|node| crossing(node, 3)).collect();
        all.extend([crossing(2, 53), crossing(3, 54), crossing(4, 55)]);
        let of = Crossings {
            at_sites: &all[7..],
            everywhere: &all,
        };
        assert_eq!(of.start_of(&all[7], 0.1), all[5]);
    }

    #[test]
    fn sites_are_nodes_or_fractions_of_the_length() {
        let at = |sites: NodeSelection| Detection {
            sites,
            ..Detection::default()
        };
        assert_eq!(Detection::default().nodes(53).unwrap(), [5, 48]);
        let fractions = at(NodeSelection::Fractions(vec![0.1, 0.9, 0.0, 1.0]));
        assert_eq!(fractions.nodes(101).unwrap(), [10, 90, 0, 100]);
        for bad in [-0.1, 1.1, f64::NAN] {
            let error = at(NodeSelection::Fractions(vec![bad]))
                .nodes(101)
                .unwrap_err();
            assert!(error.to_string().contains("fraction"), "{error}");
        }
        assert!(at(NodeSelection::Nodes(vec![53])).nodes(53).is_err());
        assert!(at(NodeSelection::Nodes(vec![i64::MIN])).nodes(53).is_err());
    }
}
