//! The simulations of a threshold search: batches of trials, and the classification of their crossings.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{
    BackendError, Crossing, FiberOutcome, FiberStatus, ObserverKind, QuietEnd, Rollout,
    RolloutFiber, Source, Start,
};
use axonml_autodiff::ir::Precision;

use super::grid::{Search, Verdict};
use super::scout::Answer;
use super::seen::{Seen, Trial};
use super::{Progress, ThresholdSearch};
use crate::detection::{Detection, SpikeStart, regeneration_mv};
use crate::scaling::Scaling;
use crate::twin::{ContactTwins, Reaching, Twins};
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

/// Part of the band that a weak stimulus must leave a fiber in.
const WEAK_BAND: f64 = 0.3;

/// A node is driven if the field drives it by more than this fraction of the strongest drive.
const DRIVEN: f64 = 0.1;

/// An action potential at a detection site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: Crossing,
    pub(super) start: SpikeStart,
}

/// How trials are run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) precision: Precision,
    /// Whether a run ends when a detection site crosses.
    pub(super) early: bool,
    /// Whether a run ends when its fiber will not fire any more.
    pub(super) quiet_end: Option<QuietEnd>,
}

impl Manner {
    /// The same for stimuli that change no membrane to speak of: what is near rest when they end stays there.
    pub(super) fn of_weak(self) -> Self {
        let quiet_end = self.quiet_end.map(|quiet| QuietEnd {
            band_mv: WEAK_BAND * quiet.band_mv,
            after_ms: 0.0,
            ..quiet
        });
        Manner { quiet_end, ..self }
    }
}

/// The answers of trials, by fiber and bits of the amplitude.
pub(super) type Answers = HashMap<(usize, u64), Answer>;

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
    ended: HashSet<(usize, u64)>,
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

    /// The criterion of an action potential.
    pub(super) fn detection(&self) -> &Detection {
        self.detection
    }

    /// Has all trials of a fiber run to the end from now on.
    pub(super) fn run_to_the_end(&mut self, fiber: usize) {
        self.restless.insert(fiber);
    }

    /// How trials are run that an answer rests on: in the precision of the rollout, and to the end unless they fire.
    pub(super) fn exact(&self) -> Manner {
        Manner {
            precision: self.whole.precision,
            early: self.early,
            quiet_end: None,
        }
    }

    /// How trials are run that only help to choose others.
    pub(super) fn scouts(&self, precision: Precision) -> Manner {
        Manner {
            precision,
            early: true,
            quiet_end: self.quiet_end,
        }
    }

    /// How runs are made that are looked at from begin to end.
    pub(super) fn to_the_end(&self) -> Manner {
        Manner {
            early: false,
            ..self.exact()
        }
    }

    /// Trials that run at once at full speed.
    pub(super) fn width(&self, precision: Precision) -> usize {
        self.simulation.device().backend().width(precision).max(1)
    }

    /// The state at which a silent trial ends.
    pub(super) fn silent_until(&self, fiber: usize, manner: Manner) -> usize {
        let end = self.whole.steps.end;
        manner
            .quiet_end
            .map_or(end, |quiet| quiet.first_state(self.whole, fiber).min(end))
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
        let answers = self.answers(&doubtful, self.exact())?;
        let fails = |verdict: &Verdict| matches!(verdict, Verdict::Quiet | Verdict::Local);
        let refuted: Vec<usize> = doubtful
            .into_iter()
            .filter(|(fiber, amplitude)| {
                let answer = answers.get(&(*fiber, amplitude.to_bits()));
                !answer.is_some_and(|answer| fails(&answer.verdict))
            })
            .map(|(fiber, _)| fiber)
            .collect();
        self.restless.extend(&refuted);
        Ok((!refuted.is_empty()).then_some(refuted))
    }

    /// Least amplitudes at which each fiber's passive twin reaches the level.
    pub(super) fn reaching(&self) -> Result<Vec<Reaching>, SimulationError> {
        let level_mv = self.detection.threshold_mv;
        self.twins.reaching(level_mv, |fiber| self.sites(fiber))
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
            let answers = self.searched(&trials)?;
            for fiber in open {
                while let Some(amplitude) = searches[fiber].wants(options) {
                    let Some(answer) = answers.get(&(fiber, amplitude.to_bits())) else {
                        break;
                    };
                    searches[fiber].advance(answer.verdict, options);
                    answered[fiber] += 1;
                }
            }
        }
    }

    /// The answers of trials of searches, which end early where that is allowed.
    pub(super) fn searched(&mut self, trials: &[Trial]) -> Result<Answers, SimulationError> {
        // Whether a fiber fires by itself shows in a whole run without stimulus only.
        let to_the_end =
            |(fiber, amplitude): &Trial| *amplitude == 0.0 || self.restless.contains(fiber);
        let (whole, ending): (Vec<Trial>, Vec<Trial>) =
            trials.iter().partition(|trial| to_the_end(trial));
        let exact = self.exact();
        let manner = Manner {
            quiet_end: self.quiet_end,
            ..exact
        };
        let mut answers = self.answers(&ending, manner)?;
        let ended = answers.iter().filter(|(_, answer)| answer.is_quiet);
        self.ended.extend(ended.map(|(key, _)| *key));
        answers.extend(self.answers(&whole, exact)?);
        Ok(answers)
    }

    /// Simulates trials and decides which of them fire. Those that end alike had better come one after the other.
    pub(super) fn answers(
        &mut self,
        trials: &[Trial],
        manner: Manner,
    ) -> Result<Answers, SimulationError> {
        let mut answers = Answers::with_capacity(trials.len());
        let mut again = Vec::new();
        for (seen, arrival) in self.first_arrivals(trials, manner)? {
            let verdict = match (seen.status, arrival.map(|arrival| arrival.start)) {
                (status @ FiberStatus::Diverged { .. }, _) => Verdict::Diverged(status),
                (_, Some(start)) => Verdict::Fires(start),
                // Its run ended at a crossing that is no action potential; one may follow.
                (FiberStatus::Answered(_), None) => {
                    again.push(seen.trial);
                    continue;
                }
                (_, None) => self.failure(&seen),
            };
            self.add(&seen, verdict, &mut answers);
        }
        let whole = Manner {
            early: false,
            ..manner
        };
        for (seen, arrival) in self.first_arrivals(&again, whole)? {
            let verdict = match (seen.status, arrival.map(|arrival| arrival.start)) {
                // What follows the action potential would not have been simulated.
                (_, Some(start)) => Verdict::Fires(start),
                (status @ FiberStatus::Diverged { .. }, None) => Verdict::Diverged(status),
                (_, None) => self.failure(&seen),
            };
            self.add(&seen, verdict, &mut answers);
        }
        Ok(answers)
    }

    fn add(&self, seen: &Seen, verdict: Verdict, answers: &mut Answers) {
        let (fiber, amplitude) = seen.trial;
        let answer = Answer {
            verdict,
            end: match seen.status {
                FiberStatus::Answered(state) | FiberStatus::Quiet(state) => state,
                FiberStatus::Diverged { state, .. } => state,
                FiberStatus::Completed => self.whole.steps.end,
            },
            is_quiet: matches!(seen.status, FiberStatus::Quiet(_)),
        };
        answers.insert((fiber, amplitude.to_bits()), answer);
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

    /// Runs trials.
    pub(super) fn run(
        &self,
        trials: &[Trial],
        manner: Manner,
    ) -> Result<Vec<Seen>, SimulationError> {
        if trials.is_empty() {
            return Ok(Vec::new());
        }
        let (runs, of_trial) = self.distinct(trials);
        let mut rollout = self.whole.select(runs.iter().map(|&(fiber, _)| fiber));
        rollout.drive.gains = self.scaling.gains_of(runs.iter().copied());
        rollout.precision = manner.precision;
        rollout.stop_when_active = manner.early.then_some(0);
        rollout.quiet_end = manner.quiet_end;
        let mut outcomes = self.simulation.execute(&rollout)?.fibers;
        let mut uses = vec![0; runs.len()];
        of_trial.iter().for_each(|&run| uses[run] += 1);
        let seen = trials.iter().zip(of_trial).map(|(&trial, run)| {
            let outcome = outcomes.get_mut(run);
            let outcome = outcome.ok_or(BackendError::NoResult { fiber: trial.0 })?;
            uses[run] -= 1;
            let mut shared = (uses[run] > 0).then(|| outcome.clone());
            let outcome: &mut FiberOutcome = shared.as_mut().unwrap_or(outcome);
            let nodes = self.whole.fibers[trial.0].cable.nodes();
            let (seen, _) = Seen::take(trial, outcome, self.detection, nodes)?;
            Ok(self.responses(seen))
        });
        seen.collect()
    }

    /// The runs that answer trials, and which of them answers each: fibers that are equal without stimulus share theirs.
    fn distinct(&self, trials: &[Trial]) -> (Vec<Trial>, Vec<usize>) {
        let of = |fiber: usize| &self.whole.fibers[fiber];
        let is_uniform = matches!(self.whole.start, Start::Uniform { .. });
        let is_free = |fiber: usize| !self.scaling.has_fixed(fiber);
        let mut runs: Vec<Trial> = Vec::with_capacity(trials.len());
        let mut silent: HashMap<*const Cable, usize> = HashMap::new();
        let each = trials.iter().map(|&(fiber, amplitude)| {
            if amplitude == 0.0 && is_uniform && is_free(fiber) {
                let known = silent.entry(Arc::as_ptr(&of(fiber).cable));
                let run = *known.or_insert(runs.len());
                let is_equal = |&(other, _): &Trial| of(other).parameters == of(fiber).parameters;
                if runs.get(run).is_some_and(is_equal) {
                    return run;
                }
            }
            runs.push((fiber, amplitude));
            runs.len() - 1
        });
        let of_trial = each.collect();
        (runs, of_trial)
    }

    /// Runs trials and finds the first action potential that reaches a detection site.
    pub(super) fn first_arrivals(
        &mut self,
        trials: &[Trial],
        manner: Manner,
    ) -> Result<Vec<(Seen, Option<Arrival>)>, SimulationError> {
        let all = self.run(trials, manner)?;
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
                // All sites, so that fibers are looked at in the same places and computed together.
                look_at.entry(fiber).or_insert_with(|| seen.sites.clone());
                last = last.max(at.state);
            }
        }
        // A search reads it repeatedly, and later the closer it comes to a threshold.
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
        let limit_mv = at.v_mv - self.regeneration_mv(fiber, at.node);
        self.twins
            .stays_below(fiber, at.node, amplitude_ma, limit_mv)
    }

    /// Whether the membrane, and not the stimulus, depolarized a node to the level.
    pub(super) fn is_regenerated(&self, (fiber, amplitude_ma): Trial, at: &Crossing) -> bool {
        if self.stays_below((fiber, amplitude_ma), at) {
            return true;
        }
        match self.twins.v_mv(fiber, at.node, at.state, amplitude_ma) {
            Some(twin_mv) => twin_mv <= at.v_mv - self.regeneration_mv(fiber, at.node),
            None => self.is_undriven(fiber, at.node),
        }
    }

    fn regeneration_mv(&self, fiber: usize, node: usize) -> f64 {
        let level_mv = self.detection.threshold_mv;
        regeneration_mv(level_mv, &self.whole.start, fiber, node)
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
