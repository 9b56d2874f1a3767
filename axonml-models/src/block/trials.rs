//! Simulates the trials of block searches and response maps in batches, and finds their action potentials.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{
    BackendError, Crossing, FiberOutcome, FiberStatus, Observation, ObserverKind, Rollout,
};
use axonml_core::CoreError;

use super::pulses::TestPulses;
use crate::detection::{Crossings, Detection, regeneration_mv};
use crate::scaling::Scaling;
use crate::twin::Twins;
use crate::{Simulation, SimulationError, Stimulus};

/// Fewest trials that are simulated at once if there are so many, and how many per thread: two groups of the widest
/// lanes.
const BATCH: usize = 1024;
const BATCH_PER_THREAD: usize = 32;
/// Bytes that a batch may take, and of a trial for each node: its states, and crossings of every twentieth step.
const BATCH_BYTES: usize = 1 << 30;
const NODE_BYTES: usize = 1_000;
const STEPS_PER_CROSSING: usize = 20;

/// Bytes that the passive twins of the fibers searched at once may take: two numbers for each step and node looked at.
const ROOM_BYTES: usize = 256 << 20;
const TWIN_BYTES: usize = 8;

/// Nodes between the test pulses and the site, at least: closer ones are depolarized by the pulse itself.
const CLEAR_NODES: usize = 3;

/// Stimulus of a run, and the sites where action potentials are detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The scaled sources alone; all detection sites.
    Alone,
    /// The stimulus and the test pulses, if any; the last detection site.
    Pulsed,
    /// The same with the test pulses and the site as far from the other end of the fiber.
    Mirrored,
}

/// A fiber at an amplitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trial {
    pub(super) fiber: usize,
    pub(super) amplitude_ma: f64,
    pub(super) kind: Kind,
}

/// The action potentials of a trial.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) trial: Trial,
    pub(super) status: FiberStatus,
    /// States at which action potentials arrive at the sites of the trial's kind, in order; of [`Kind::Alone`] at least
    /// the first.
    pub(super) arrivals: Vec<usize>,
}

/// A kind of run as data, and which gains in it the amplitude multiplies.
#[derive(Clone)]
struct Runs {
    rollout: Rollout,
    scaling: Scaling,
}

/// The runs of all kinds; fields are sampled once for all of them.
pub(super) struct Rollouts {
    alone: Runs,
    pulsed: Runs,
    mirrored: Option<Runs>,
    /// The detection sites of each fiber.
    sites: Vec<Vec<usize>>,
}

impl Rollouts {
    /// Checks test pulses and sites, and prepares the runs with them.
    pub(super) fn new(
        simulation: &Simulation,
        stimulus: &Stimulus,
        pulses: Option<&TestPulses>,
        detection: &Detection,
    ) -> Result<Self, SimulationError> {
        detection.check(simulation.grid())?;
        let mut pulsed = simulation.rollout(stimulus, &[])?;
        pulsed.final_states = false;
        let mut sites = Vec::with_capacity(pulsed.fibers.len());
        for (fiber, of) in pulsed.fibers.iter().enumerate() {
            let wrong = |source| SimulationError::Stimulus { fiber, source };
            let at = detection.nodes_in(&of.cable).map_err(wrong)?;
            let Some(&last) = at.last() else {
                return Err(wrong(CoreError::BadValue {
                    what: "the detection sites".into(),
                    found: "none".into(),
                    expected: "at least one node".into(),
                }));
            };
            if let Some(pulses) = pulses {
                let node = pulses.node_of(&of.cable).map_err(wrong)?;
                if node.abs_diff(last) < CLEAR_NODES {
                    return Err(wrong(CoreError::BadValue {
                        what: "the site at which test pulses are counted".into(),
                        found: format!("node {last}"),
                        expected: format!(
                            "a node at least {CLEAR_NODES} from node {node}, which is injected into"
                        ),
                    }));
                }
            }
            sites.push(at);
        }
        let everywhere = detection.everywhere(ObserverKind::Raster);
        let scaling = stimulus.scaling();
        let mut alone = pulsed.clone();
        for (fiber, sources) in alone.drive.sources.iter_mut().enumerate() {
            if scaling.has_fixed(fiber) {
                *sources = Arc::new(scaling.kept(fiber, true, sources));
                alone.drive.gains[fiber] = scaling.kept(fiber, true, &alone.drive.gains[fiber]);
            }
        }
        let alone_scaling = scaling.scaled_only();
        let mut first = detection.at_sites(ObserverKind::Active { at_least: 1 });
        first.after_ms = 0.0;
        alone.observers = vec![everywhere.clone(), first];
        pulsed.observers = vec![everywhere];
        let mut pulsed = Runs {
            rollout: pulsed,
            scaling,
        };
        let mut mirrored = None;
        if let Some(pulses) = pulses {
            pulses.check(simulation.grid())?;
            let mut other = pulsed.clone();
            pulses.inject(&mut other.rollout, &mut other.scaling, true)?;
            pulses.inject(&mut pulsed.rollout, &mut pulsed.scaling, false)?;
            mirrored = Some(other);
        }
        let explicit = |of: &Cable| matches!(of, Cable::Explicit(_));
        // A run ends at the first crossing; an explicit cable may become unstable after it, and is run to the end.
        if !alone.fibers.iter().any(|fiber| explicit(&fiber.cable)) {
            alone.stop_when_active = Some(1);
        }
        alone.check()?;
        pulsed.rollout.check()?;
        Ok(Rollouts {
            alone: Runs {
                rollout: alone,
                scaling: alone_scaling,
            },
            pulsed,
            mirrored,
            sites,
        })
    }
}

/// Runs the trials of the fibers of [`Rollouts`].
pub(super) struct Trials<'s> {
    simulation: &'s Simulation,
    detection: &'s Detection,
    rollouts: &'s Rollouts,
    /// Twins under the scaled sources alone: what test pulses start is no polarization by the stimulus.
    twins: Twins<'s>,
    threads: usize,
    batch: usize,
    room: usize,
}

impl<'s> Trials<'s> {
    pub(super) fn new(
        simulation: &'s Simulation,
        rollouts: &'s Rollouts,
        detection: &'s Detection,
    ) -> Result<Self, SimulationError> {
        let alone = &rollouts.alone;
        let nodes = alone.rollout.fibers.iter();
        let nodes = nodes.map(|fiber| fiber.cable.nodes()).max().unwrap_or(1);
        let crossings = alone.rollout.grid.steps() / STEPS_PER_CROSSING * size_of::<Crossing>();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // The sites, and the mirror image of the last.
        let sites = rollouts
            .sites
            .iter()
            .map(|sites| sites.len() + 1)
            .max()
            .unwrap_or(1);
        let twin = (alone.rollout.grid.steps() + 1) * sites * TWIN_BYTES;
        let fitting = BATCH_BYTES / (nodes * (NODE_BYTES + crossings)).max(1);
        Ok(Trials {
            simulation,
            detection,
            rollouts,
            twins: Twins::new(simulation, &alone.rollout, &alone.scaling)?,
            threads,
            batch: (threads * BATCH_PER_THREAD).max(BATCH).min(fitting).max(1),
            room: (ROOM_BYTES / twin.max(1)).max(1),
        })
    }

    /// Threads of this machine; no result depends on them.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Number of trials to run at once; no result depends on it.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// The fibers in portions whose twins fit into memory together; [`Trials::forget`] is called after each.
    pub(super) fn rooms(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (fibers, room) = (self.rollouts.alone.rollout.fibers.len(), self.room);
        (0..fibers)
            .step_by(room)
            .map(move |first| first..fibers.min(first + room))
    }

    /// Drops the twins computed so far.
    pub(super) fn forget(&mut self) {
        self.twins.forget();
    }

    /// Runs trials; returns them in their order.
    pub(super) fn run(&mut self, trials: &[Trial]) -> Result<Vec<Seen>, SimulationError> {
        let mut found: Vec<Option<Seen>> = vec![None; trials.len()];
        for kind in [Kind::Alone, Kind::Pulsed, Kind::Mirrored] {
            let of_kind = (0..trials.len()).filter(|&index| trials[index].kind == kind);
            let of_kind: Vec<usize> = of_kind.collect();
            let mut wanted = of_kind.clone();
            let mut early = kind == Kind::Alone;
            while !wanted.is_empty() {
                let each: Vec<Trial> = wanted.iter().map(|&index| trials[index]).collect();
                let seen = self.simulate(kind, &each, early)?;
                // A run that ended at a crossing which is no action potential goes on: one may follow.
                let mut again = Vec::new();
                for (&index, seen) in wanted.iter().zip(seen) {
                    match seen.status {
                        FiberStatus::Answered(_) if seen.arrivals.is_empty() => again.push(index),
                        _ => found[index] = Some(seen),
                    }
                }
                (wanted, early) = (again, false);
            }
        }
        let missing = |(fiber, seen): (usize, Option<Seen>)| {
            seen.ok_or(SimulationError::Backend(BackendError::NoResult { fiber }))
        };
        found.into_iter().enumerate().map(missing).collect()
    }

    fn simulate(
        &mut self,
        kind: Kind,
        trials: &[Trial],
        early: bool,
    ) -> Result<Vec<Seen>, SimulationError> {
        let whole = match (kind, &self.rollouts.mirrored) {
            (Kind::Alone, _) => &self.rollouts.alone,
            (Kind::Mirrored, Some(mirrored)) => mirrored,
            _ => &self.rollouts.pulsed,
        };
        let each = trials.iter().map(|trial| (trial.fiber, trial.amplitude_ma));
        let mut rollout = whole.rollout.select(each.clone().map(|(fiber, _)| fiber));
        rollout.drive.gains = whole.scaling.gains_of(each);
        if !early {
            rollout.stop_when_active = None;
        }
        let mut outcome = self.simulation.execute(&rollout)?;
        let mut crossings = Vec::with_capacity(trials.len());
        for fiber in &mut outcome.fibers {
            crossings.push(everywhere(fiber)?);
        }
        let sites: Vec<Vec<usize>> = trials.iter().map(|trial| self.watched(trial)).collect();
        self.look_at_twins(trials, &sites, &crossings)?;
        let each = trials.iter().zip(&outcome.fibers);
        let each = each.zip(sites.iter().zip(&crossings));
        Ok(each
            .map(|((&trial, outcome), (sites, everywhere))| Seen {
                trial,
                status: outcome.status,
                arrivals: self.arrivals(&trial, sites, everywhere),
            })
            .collect())
    }

    /// The nodes at which a trial's action potentials are looked for.
    fn watched(&self, trial: &Trial) -> Vec<usize> {
        let sites = &self.rollouts.sites[trial.fiber];
        let last = sites.last().copied();
        let nodes = self.rollouts.alone.rollout.fibers[trial.fiber]
            .cable
            .nodes();
        match trial.kind {
            Kind::Alone => sites.clone(),
            Kind::Pulsed => last.into_iter().collect(),
            Kind::Mirrored => last.map(|last| nodes - 1 - last).into_iter().collect(),
        }
    }

    /// Computes the twins of fibers with crossings that the stimulus might explain.
    fn look_at_twins(
        &mut self,
        trials: &[Trial],
        sites: &[Vec<usize>],
        crossings: &[Vec<Crossing>],
    ) -> Result<(), SimulationError> {
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for ((trial, sites), crossings) in trials.iter().zip(sites).zip(crossings) {
            let doubtful = sites.iter().any(|&node| {
                crossings.iter().any(|at| at.node == node) && !self.is_far_below(trial, node)
            });
            if doubtful {
                // All that is ever looked at, as a twin that lacks a node is computed again.
                let nodes = wanted.entry(trial.fiber).or_default();
                nodes.extend(&self.rollouts.sites[trial.fiber]);
                nodes.extend(sites);
                nodes.sort_unstable();
                nodes.dedup();
            }
        }
        self.twins
            .look_at(&wanted, self.rollouts.alone.rollout.steps.end)
    }

    /// Whether the twin stays so far below the level that no crossing of it is due to the stimulus.
    fn is_far_below(&self, trial: &Trial, node: usize) -> bool {
        let limit_mv = self.detection.threshold_mv - self.regeneration_mv(trial, node);
        let amplitude_ma = trial.amplitude_ma;
        self.twins
            .stays_below(trial.fiber, node, amplitude_ma, limit_mv)
    }

    fn regeneration_mv(&self, trial: &Trial, node: usize) -> f64 {
        let level_mv = self.detection.threshold_mv;
        let start = &self.rollouts.alone.rollout.start;
        regeneration_mv(level_mv, start, trial.fiber, node)
    }

    /// States at which action potentials arrive at `sites`. Where a fiber has no twin, all crossings that arrive from a
    /// neighbor count.
    fn arrivals(&self, trial: &Trial, sites: &[usize], everywhere: &[Crossing]) -> Vec<usize> {
        let at_sites: Vec<Crossing> = everywhere
            .iter()
            .filter(|at| sites.contains(&at.node))
            .copied()
            .collect();
        let crossings = Crossings {
            at_sites: &at_sites,
            everywhere,
        };
        let far_below: Vec<usize> = sites
            .iter()
            .copied()
            .filter(|&node| self.is_far_below(trial, node))
            .collect();
        let regenerated = |at: &&Crossing| {
            if far_below.contains(&at.node) {
                return true;
            }
            let twin_mv = self
                .twins
                .v_mv(trial.fiber, at.node, at.state, trial.amplitude_ma);
            let regeneration_mv = self.regeneration_mv(trial, at.node);
            twin_mv.is_none_or(|twin_mv| twin_mv <= at.v_mv - regeneration_mv)
        };
        let arrived = crossings.candidates().filter(regenerated);
        let mut states: Vec<usize> = arrived.map(|at| at.state).collect();
        states.sort_unstable();
        states
    }
}

/// Takes the crossings of all nodes, the first observation of every kind of run.
fn everywhere(outcome: &mut FiberOutcome) -> Result<Vec<Crossing>, SimulationError> {
    match outcome.observations.get_mut(0) {
        Some(Observation::Raster(crossings)) => Ok(std::mem::take(crossings)),
        _ => Err(SimulationError::Backend(BackendError::Unsupported(
            "the backend did not report the crossings of a run".into(),
        ))),
    }
}
