//! The simulations of a threshold search: batches of trials, and the classification of their crossings.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{
    Crossing, FiberStatus, ObserverKind, QuietEnd, Rollout, RolloutFiber, Source,
};

use super::grid::{Search, Verdict};
use super::seen::{Seen, Trial};
use super::{Progress, ThresholdSearch};
use crate::detection::{Detection, REGENERATION_MV, SpikeStart};
use crate::scaling::Scaling;
use crate::twin::{ContactTwins, Twins};
use crate::{Simulation, SimulationError};

/// Simulations that a round may have so that vector lanes and cores are not idle: while few fibers are searched, the
/// next verdicts of each search are computed speculatively. The amplitudes that decide a search are the same as
/// without.
const ROUND: usize = 64;

/// Nodes (or length constants) from the driven ones at which a crossing counts where a fiber has no passive twin, and
/// from its start at which an action potential has been conducted.
pub(super) const CONDUCTED: f64 = 3.0;

/// Time after the last source at which a trial may end, and steps between two checks.
const QUIET_AFTER_MS: f64 = 0.3;
const QUIET_EVERY: usize = 10;

/// A node is driven if the field drives it by more than this fraction of the strongest drive.
const DRIVEN: f64 = 0.1;

/// An action potential at a detection site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: Crossing,
    pub(super) start: SpikeStart,
}

/// Runs the trials of the fibers of a rollout and classifies them.
pub(super) struct Trials<'s> {
    simulation: &'s Simulation,
    detection: &'s Detection,
    pub(super) whole: &'s Rollout,
    pub(super) scaling: &'s Scaling,
    pub(super) twins: Twins<'s>,
    /// Criterion for ending trials of fibers that will not fire any more, and the fibers for which it failed.
    quiet_end: Option<QuietEnd>,
    restless: BTreeSet<usize>,
    /// Trials that ended early.
    pub(super) ended: HashSet<(usize, u64)>,
    /// Whether a run ends when a detection site crosses. An explicit cable that becomes unstable after its first
    /// crossing has no threshold: it is run to the end.
    early: bool,
}

impl<'s> Trials<'s> {
    /// Trials of the fibers of `whole`, which [`super::seen::watch`] has prepared.
    pub(super) fn new(
        simulation: &'s Simulation,
        whole: &'s Rollout,
        scaling: &'s Scaling,
        detection: &'s Detection,
    ) -> Result<Self, SimulationError> {
        let explicit = |fiber: &RolloutFiber| matches!(*fiber.cable, Cable::Explicit(_));
        Ok(Trials {
            simulation,
            detection,
            whole,
            scaling,
            twins: Twins::new(simulation, whole, scaling)?,
            quiet_end: None,
            restless: BTreeSet::new(),
            ended: HashSet::new(),
            early: !whole.fibers.iter().any(explicit),
        })
    }

    /// The same with passive twins summed from those of a population's contacts.
    pub(super) fn on_contacts(mut self, contacts: Option<ContactTwins<'s>>) -> Self {
        self.twins = self.twins.summed_from(contacts);
        self
    }

    /// Lets trials end once every node is back within `band_mv` of its start; not with space-time fields, whose end is
    /// not known beforehand.
    pub(super) fn ending(mut self, band_mv: Option<f64>) -> Self {
        let sources = self
            .whole
            .drive
            .sources
            .iter()
            .flat_map(|sources| sources.iter());
        let is_dense = |source: &Source| matches!(source, Source::SpaceTime(_));
        self.quiet_end = band_mv
            .filter(|_| !sources.into_iter().any(is_dense))
            .map(|band_mv| QuietEnd {
                band_mv,
                after_ms: QUIET_AFTER_MS,
                every: QUIET_EVERY,
            });
        self
    }

    /// Runs the lower bounds whose trials ended early to their end; the fibers that fire then, which are searched
    /// without early ends from now on.
    pub(super) fn refuted(
        &mut self,
        searches: &[Search],
    ) -> Result<Option<Vec<usize>>, SimulationError> {
        let doubtful = searches.iter().enumerate().filter_map(|(fiber, search)| {
            let amplitude_ma = search.ending()?.lower_ma()?;
            let ended = self.ended.remove(&(fiber, amplitude_ma.to_bits()));
            ended.then_some((fiber, amplitude_ma))
        });
        let doubtful: Vec<Trial> = doubtful.collect();
        if doubtful.is_empty() {
            return Ok(None);
        }
        let quiet_end = self.quiet_end.take();
        let verdicts = self.verdicts(&doubtful);
        self.quiet_end = quiet_end;
        let verdicts = verdicts?;
        let fails = |verdict: &Verdict| matches!(verdict, Verdict::Quiet | Verdict::Local);
        let refuted: Vec<usize> = doubtful
            .into_iter()
            .filter(|(fiber, amplitude)| {
                let verdict = verdicts.get(&(*fiber, amplitude.to_bits()));
                !verdict.is_some_and(fails)
            })
            .map(|(fiber, _)| fiber)
            .collect();
        self.restless.extend(&refuted);
        Ok((!refuted.is_empty()).then_some(refuted))
    }

    /// Least amplitude at which each fiber's passive twin reaches the level, mA.
    pub(super) fn reaching_ma(&self) -> Result<Vec<Option<f64>>, SimulationError> {
        let level_mv = self.detection.threshold_mv;
        self.twins.reaching(level_mv)
    }

    /// Advances `searches`, one per fiber, to their ends.
    pub(super) fn search(
        &mut self,
        searches: &mut [Search],
        options: &ThresholdSearch,
        progress: &mut Progress<'_>,
    ) -> Result<(), SimulationError> {
        let mut answered = vec![0; searches.len()];
        loop {
            let open: Vec<usize> = (0..searches.len())
                .filter(|&fiber| searches[fiber].wants(options).is_some())
                .collect();
            let fractions = searches
                .iter()
                .zip(&answered)
                .map(|(search, &n)| search.fraction(n, options));
            progress(fractions.sum::<f64>() / searches.len().max(1) as f64);
            if open.is_empty() {
                return Ok(());
            }
            let mut depth = 1;
            while open.len() * ((2 << depth) - 1) <= ROUND {
                depth += 1;
            }
            let mut trials: Vec<Trial> = Vec::new();
            for &fiber in &open {
                let mut amplitudes = Vec::new();
                searches[fiber].speculate(depth, options, &mut amplitudes);
                trials.extend(amplitudes.into_iter().map(|amplitude| (fiber, amplitude)));
            }
            let verdicts = self.verdicts(&trials)?;
            for fiber in open {
                while let Some(amplitude) = searches[fiber].wants(options) {
                    let Some(&verdict) = verdicts.get(&(fiber, amplitude.to_bits())) else {
                        break;
                    };
                    searches[fiber].advance(verdict, options);
                    answered[fiber] += 1;
                }
            }
        }
    }

    /// Simulates trials and decides which of them fire.
    pub(super) fn verdicts(
        &mut self,
        trials: &[Trial],
    ) -> Result<HashMap<(usize, u64), Verdict>, SimulationError> {
        let key = |(fiber, amplitude): Trial| (fiber, amplitude.to_bits());
        let mut verdicts = HashMap::with_capacity(trials.len());
        let mut again = Vec::new();
        for (seen, arrival) in self.first_arrivals(trials, self.early)? {
            match (seen.status, arrival.map(|arrival| arrival.start)) {
                (status @ FiberStatus::Diverged { .. }, _) => {
                    verdicts.insert(key(seen.trial), Verdict::Diverged(status));
                }
                (_, Some(start)) => {
                    verdicts.insert(key(seen.trial), Verdict::Fires(start));
                }
                // Its run ended at a crossing that is no action potential; one may follow.
                (FiberStatus::Answered(_), None) => again.push(seen.trial),
                (status @ (FiberStatus::Completed | FiberStatus::Quiet(_)), None) => {
                    if matches!(status, FiberStatus::Quiet(_)) {
                        self.ended.insert(key(seen.trial));
                    }
                    verdicts.insert(key(seen.trial), self.failure(&seen));
                }
            }
        }
        if !again.is_empty() {
            for (seen, arrival) in self.first_arrivals(&again, false)? {
                let verdict = match (seen.status, arrival.map(|arrival| arrival.start)) {
                    (_, Some(start)) => Verdict::Fires(start),
                    (status @ FiberStatus::Diverged { .. }, None) => Verdict::Diverged(status),
                    (status, None) => {
                        if matches!(status, FiberStatus::Quiet(_)) {
                            self.ended.insert(key(seen.trial));
                        }
                        self.failure(&seen)
                    }
                };
                verdicts.insert(key(seen.trial), verdict);
            }
        }
        Ok(verdicts)
    }

    /// State from which detection begins.
    fn first_state(&self) -> usize {
        let watching = self.detection.at_sites(ObserverKind::Raster);
        watching.first_state(&self.whole.grid)
    }

    /// Leaves out the action potentials of conditioned fibers that began before detection did.
    fn responses(&self, seen: Seen) -> Seen {
        match self.detection.is_conditioned(self.scaling, seen.trial.0) {
            true => seen.since(self.first_state()),
            false => seen,
        }
    }

    /// The verdict on a run without action potential at a detection site.
    fn failure(&self, seen: &Seen) -> Verdict {
        let first_state = self.first_state();
        let crosses = seen.everywhere.iter().any(|at| at.state >= first_state);
        match crosses || !seen.at_sites.is_empty() {
            true => Verdict::Local,
            false => Verdict::Quiet,
        }
    }

    /// Sites of initiation of the first action potentials of runs of all fibers, from their crossings, and whether they
    /// are an end of the fiber.
    pub(super) fn starts(
        &mut self,
        seen: Vec<Seen>,
    ) -> Result<Vec<Option<(SpikeStart, bool)>>, SimulationError> {
        let responses = seen.into_iter().map(|seen| self.responses(seen)).collect();
        let resolved = self.resolved(responses)?.into_iter();
        let each = resolved.map(|(seen, arrival)| {
            let start = arrival?.start;
            Some((start, self.starts_at_an_end(seen.trial.0, &start)))
        });
        Ok(each.collect())
    }

    /// Runs trials, to the end or until a detection site crosses.
    pub(super) fn run(
        &self,
        trials: &[Trial],
        early: bool,
        quiet_end: Option<QuietEnd>,
    ) -> Result<Vec<Seen>, SimulationError> {
        if trials.is_empty() {
            return Ok(Vec::new());
        }
        let mut rollout = self.whole.select(trials.iter().map(|&(fiber, _)| fiber));
        rollout.drive.gains = self.scaling.gains_of(trials.iter().copied());
        rollout.stop_when_active = early.then_some(0);
        rollout.quiet_end = quiet_end;
        let outcome = self.simulation.execute(&rollout)?;
        let seen = trials.iter().zip(outcome.fibers);
        seen.map(|(&trial, mut outcome)| {
            let nodes = self.whole.fibers[trial.0].cable.nodes();
            let (seen, _) = Seen::take(trial, &mut outcome, self.detection, nodes)?;
            Ok(self.responses(seen))
        })
        .collect()
    }

    /// Runs trials and finds the first action potential that reaches a detection site.
    pub(super) fn first_arrivals(
        &mut self,
        trials: &[Trial],
        early: bool,
    ) -> Result<Vec<(Seen, Option<Arrival>)>, SimulationError> {
        // Whether a fiber fires by itself shows in a whole run without stimulus only.
        let to_the_end =
            |(fiber, amplitude): &Trial| *amplitude == 0.0 || self.restless.contains(fiber);
        let (whole, ending): (Vec<Trial>, Vec<Trial>) =
            trials.iter().partition(|trial| to_the_end(trial));
        let mut all = self.run(&ending, early, self.quiet_end)?;
        all.extend(self.run(&whole, early, None)?);
        self.resolved(all)
    }

    /// Finds the first action potentials of runs that reach a detection site.
    fn resolved(
        &mut self,
        all: Vec<Seen>,
    ) -> Result<Vec<(Seen, Option<Arrival>)>, SimulationError> {
        let mut last = 0;
        let mut look_at: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for seen in &all {
            let fiber = seen.trial.0;
            for at in seen.crossings().candidates() {
                if self.stays_below(seen.trial, at) {
                    break;
                }
                look_at.entry(fiber).or_default().push(at.node);
                last = last.max(at.state);
            }
        }
        // A search reads it repeatedly: all of the twin is computed at once.
        let last = if self.early {
            self.whole.steps.end
        } else {
            last
        };
        self.twins.look_at(&look_at, last)?;
        let first = |seen: Seen| {
            let found = {
                let crossings = seen.crossings();
                let mut candidates = crossings.candidates();
                candidates
                    .find(|at| self.is_regenerated(seen.trial, at))
                    .copied()
            };
            let arrival = found.map(|at| Arrival {
                at,
                start: self.start_of(&seen, &at),
            });
            (seen, arrival)
        };
        Ok(all.into_iter().map(first).collect())
    }

    /// Whether a node's passive twin stays so far below a crossing that it need not be computed.
    pub(super) fn stays_below(&self, (fiber, amplitude_ma): Trial, at: &Crossing) -> bool {
        let limit_mv = at.v_mv - REGENERATION_MV;
        self.twins
            .stays_below(fiber, at.node, amplitude_ma, limit_mv)
    }

    /// Whether the membrane, and not the stimulus, depolarized a node to the level.
    pub(super) fn is_regenerated(&self, (fiber, amplitude_ma): Trial, at: &Crossing) -> bool {
        if self.stays_below((fiber, amplitude_ma), at) {
            return true;
        }
        match self.twins.v_mv(fiber, at.node, at.state, amplitude_ma) {
            Some(twin_mv) => twin_mv <= at.v_mv - REGENERATION_MV,
            None => self.is_undriven(fiber, at.node),
        }
    }

    /// Whether a node lies off all those that the sources drive strongly.
    fn is_undriven(&self, fiber: usize, node: usize) -> bool {
        let drives: Vec<&Vec<f64>> = self.whole.drive.sources[fiber]
            .iter()
            .filter_map(|source| match source {
                Source::Separable { projection, .. } => Some(&projection.nodes_na),
                Source::SpaceTime(_) => None,
            })
            .collect();
        let largest = |drive: &[f64]| drive.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
        let reach = CONDUCTED * self.length_constant(fiber);
        let near = |at: usize| (at.abs_diff(node) as f64) < reach;
        let drives_near = |drive: &&Vec<f64>| {
            let limit = DRIVEN * largest(drive);
            let driven = |(at, x): (usize, &f64)| x.abs() > limit && near(at);
            drive.iter().enumerate().any(driven)
        };
        // Of a space-time field nothing is known beforehand.
        drives.len() == self.whole.drive.sources[fiber].len() && !drives.iter().any(drives_near)
    }

    pub(super) fn length_constant(&self, fiber: usize) -> f64 {
        self.twins.length_constant(fiber)
    }

    fn start_of(&self, seen: &Seen, arrival: &Crossing) -> SpikeStart {
        let first = seen.crossings().start_of(arrival, self.whole.grid.dt_ms());
        SpikeStart {
            node: first.node,
            z_um: self.simulation.node_um(seen.trial.0, first.node),
            time_ms: first.time_ms,
        }
    }
}
