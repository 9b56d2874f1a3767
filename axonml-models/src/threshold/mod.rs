//! Activation thresholds: the smallest stimulus amplitude that makes a fiber conduct an action potential.

mod classified;
mod closeness;
mod confirmation;
mod firing;
mod grid;
mod neighbors;
mod passages;
mod scout;
mod scouting;
mod seen;
mod sites;
mod trials;

use axonml_autodiff::engine::{
    Crossing, FiberStatus, ObserverKind, ObserverSpec, Outcome, Rollout,
};
use axonml_autodiff::ir::Precision;
use axonml_core::error::short;
use axonml_core::{CoreError, Field};

use crate::extent::nodes_needed;
use crate::parts::Course;
use crate::scaling::Scaling;
use crate::twin::Reaching;
use crate::{Amplitudes, Detection, Simulation, SimulationError, SpikeStart, Stimulus};
pub(crate) use firing::Firing;
use grid::{Search, first_amplitude};
pub(crate) use passages::Passage;
use scouting::Scouts;
use seen::{Seen, check_sites, rasters, watch};
use trials::Trials;

/// Fibers that are searched at once: many enough to fill any processor, and their rollouts take some tens of MB.
const CHUNK: usize = 2048;

/// Settings of threshold searches. Amplitudes are positive: for anodic stimuli flip the waveform.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdSearch {
    /// Detection criterion of an action potential.
    pub detection: Detection,
    /// First amplitude tried after 0, mA. By default the largest 1 uA times 2^-j that is not above a thousandth of the
    /// amplitude at which the passive fiber reaches the detection level, and at most 1 uA, so that every default grid
    /// is 1 uA times powers of two.
    pub first_ma: Option<f64>,
    /// The part of the amplitude at which the passive fiber reaches the level that a search begins with, where no first
    /// amplitude is given; the largest of the default grid that is not above it. A search for which windows of amplitudes
    /// that fire need not be looked for among weak stimuli is faster with 0.05 or so. By default a thousandth, as said.
    pub first_part: Option<f64>,
    /// Largest amplitude tried, mA; 20 by default.
    pub max_ma: f64,
    /// Width of the final bracket relative to its upper end; 1e-4 by default.
    pub resolution: f64,
    /// Whether most trials only help to choose those that count; true by default. Such trials end once their fiber is back
    /// near its start and all sources are off, within the distance that the model declares
    /// ([`crate::Schema::quiet_band_mv`]); they are run in single precision, and chosen by what other fibers and earlier
    /// trials tell. Both ends of the bracket that is reported are run in the precision of the simulation all the same,
    /// the lower one to the end of the run. Where these runs tell otherwise, that fiber is searched without guesses, and
    /// without early ends if they were to blame. Without, every amplitude of the grid on the way is run to its end.
    pub early_end: bool,
}

impl Default for ThresholdSearch {
    fn default() -> Self {
        ThresholdSearch {
            detection: Detection::default(),
            first_ma: None,
            first_part: None,
            max_ma: 20.0,
            resolution: 1e-4,
            early_end: true,
        }
    }
}

impl ThresholdSearch {
    /// The same search on the default grid, begun at its largest amplitude that is not above `amplitude_ma`: for
    /// thresholds that are known to lie above.
    #[must_use]
    pub fn from_below(self, amplitude_ma: f64) -> Self {
        ThresholdSearch {
            first_ma: Some(grid::largest_up_to(amplitude_ma.min(self.max_ma))),
            ..self
        }
    }

    fn check(&self, simulation: &Simulation) -> Result<(), CoreError> {
        let bad = |what: &str, found: String, expected: String| {
            Err(CoreError::BadValue {
                what: what.into(),
                found,
                expected,
            })
        };
        // Amplitudes closer than this are the same run.
        let finest = match simulation.precision() {
            Precision::F32 => 1e-6,
            Precision::F64 => 1e-12,
        };
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if !(finest..1.0).contains(&self.resolution) {
            let expected = format!(
                "a number from {finest} (in {}) to 1",
                simulation.precision().name()
            );
            return bad(
                "the resolution of the threshold search",
                self.resolution.to_string(),
                expected,
            );
        }
        if !positive(self.max_ma) {
            return bad(
                "the largest amplitude",
                short(self.max_ma),
                "a positive number of mA".into(),
            );
        }
        if let Some(first) = self.first_ma
            && !(positive(first) && first <= self.max_ma)
        {
            return bad(
                "the first amplitude",
                short(first),
                format!(
                    "a positive number of mA, at most the largest amplitude, {}",
                    short(self.max_ma)
                ),
            );
        }
        if let Some(part) = self.first_part
            && !(part > 0.0 && part <= 1.0)
        {
            let expected = "a number above 0, up to 1".into();
            return bad(
                "the part that a search begins with",
                part.to_string(),
                expected,
            );
        }
        self.detection.check(simulation.grid())
    }

    fn check_guesses(&self, guesses_ma: &[f64], fibers: usize) -> Result<(), CoreError> {
        let bad = |what: String, found: String, expected: String| {
            Err(CoreError::BadValue {
                what,
                found,
                expected,
            })
        };
        if guesses_ma.len() != fibers {
            return bad(
                "the number of guesses".into(),
                guesses_ma.len().to_string(),
                "one per fiber".into(),
            );
        }
        let fits = |guess: &f64| *guess > 0.0 && *guess <= self.max_ma;
        match guesses_ma.iter().position(|guess| !fits(guess)) {
            None => Ok(()),
            Some(fiber) => bad(
                format!("the guess for fiber {fiber}"),
                guesses_ma[fiber].to_string(),
                format!("an amplitude above 0, up to {} mA", self.max_ma),
            ),
        }
    }
}

/// Reliability of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThresholdKind {
    /// It is the threshold of the fiber.
    Regular,
    /// The action potential begins at an end of the simulated fiber, which the fiber itself does not have there: a
    /// longer piece has another threshold.
    EndExcitation,
    /// At smaller amplitudes action potentials begin but fail to propagate: a window of amplitudes that fire, which
    /// could not be bracketed, may lie below.
    Reexcitation,
}

/// The result of a threshold search.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Threshold {
    /// The fiber fires at `upper_ma` and does not at `lower_ma`; both were simulated.
    Found {
        /// Largest amplitude that failed below the smallest that fired, mA.
        lower_ma: f64,
        /// Smallest amplitude that fired, mA.
        upper_ma: f64,
        /// Site and time of initiation of the first action potential in the run at `upper_ma`.
        start: SpikeStart,
        /// Whether it is the threshold of the fiber.
        kind: ThresholdKind,
    },
    /// The largest amplitude brings no node to the level.
    NoActivation {
        /// That amplitude, mA: a lower bound.
        lower_ma: f64,
    },
    /// At the largest amplitude an action potential begins, but reaches none of the detection sites.
    PropagationFailure {
        /// That amplitude, mA: a lower bound.
        lower_ma: f64,
    },
    /// At the largest amplitude nodes cross the level only because the stimulus polarizes them.
    Artifact {
        /// That amplitude, mA: a lower bound.
        lower_ma: f64,
    },
    /// The fiber fires without the stimulus under study, at the detection sites or elsewhere: by itself, or by currents
    /// that the amplitude does not scale (but for what they excite before [`Detection::after_ms`]).
    Spontaneous,
    /// The solution diverged before the search ended.
    Diverged {
        /// Amplitude at which it diverged, mA.
        amplitude_ma: f64,
        /// The divergence: a [`FiberStatus::Diverged`].
        status: FiberStatus,
        /// Largest amplitude that failed before, mA, if any did.
        lower_ma: Option<f64>,
    },
}

impl Threshold {
    /// Name of the status in result files, as [`STATUSES`](crate::STATUSES) explains them: `ok`, `end_excitation`,
    /// `reexcitation`, `no_activation`, `propagation_failure`, `artifact`, `spontaneous`, `diverged`.
    pub fn status(&self) -> &'static str {
        match self {
            Threshold::Found { kind, .. } => match kind {
                ThresholdKind::Regular => "ok",
                ThresholdKind::EndExcitation => "end_excitation",
                ThresholdKind::Reexcitation => "reexcitation",
            },
            Threshold::NoActivation { .. } => "no_activation",
            Threshold::PropagationFailure { .. } => "propagation_failure",
            Threshold::Artifact { .. } => "artifact",
            Threshold::Spontaneous => "spontaneous",
            Threshold::Diverged { .. } => "diverged",
        }
    }

    /// Smallest amplitude that fired, mA.
    pub fn upper_ma(&self) -> Option<f64> {
        match *self {
            Threshold::Found { upper_ma, .. } => Some(upper_ma),
            _ => None,
        }
    }

    /// Largest amplitude below it that failed, mA.
    pub fn lower_ma(&self) -> Option<f64> {
        match *self {
            Threshold::Found { lower_ma, .. }
            | Threshold::NoActivation { lower_ma }
            | Threshold::PropagationFailure { lower_ma }
            | Threshold::Artifact { lower_ma } => Some(lower_ma),
            Threshold::Diverged { lower_ma, .. } => lower_ma,
            Threshold::Spontaneous => None,
        }
    }

    /// Site and time of initiation of the first action potential at [`Threshold::upper_ma`].
    pub fn start(&self) -> Option<SpikeStart> {
        match *self {
            Threshold::Found { start, .. } => Some(start),
            _ => None,
        }
    }
}

/// A run, and the first action potential of each fiber that reached a detection site.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectedRun {
    /// The outcome, with the observations of the run's own observers.
    pub outcome: Outcome,
    /// Upward crossings of the detection's level at all nodes, from the beginning of detection on.
    pub crossings: Vec<Vec<Crossing>>,
    /// Site and time of initiation of each fiber's first action potential, and whether the site is an end of the
    /// simulated fiber; `None` of fibers without one, and of those that diverged. Empty where it is not known of any:
    /// [`Simulation::run_detected_in_parts`].
    pub starts: Vec<Option<(SpikeStart, bool)>>,
}

/// Called after every round with the fraction of the search that is done, 0 to 1 (an estimate until the end).
pub type Progress<'p> = dyn FnMut(f64) + 'p;

impl Simulation {
    /// The activation threshold of every fiber: the lowest firing amplitude on a grid of factor 2, its cell then
    /// halved.
    ///
    /// The search tries amplitude 0, then doubles from [`ThresholdSearch::first_ma`], because strong stimuli can block
    /// action potentials that weaker ones excite; where the first amplitude fires or shows propagation failure, the
    /// search continues below it. Both ends of a bracket were simulated. All fibers are searched at once; a fiber's
    /// results do not depend on the other fibers. Of many fibers some thousands are searched at a time, so that memory does
    /// not grow with their number.
    ///
    /// Thresholds of currents into a fiber: [`Stimulus::inject_scaled`]. After a conditioning action potential:
    /// [`Stimulus::inject`] fires it, and detection begins at the onset of the stimulus under study (see
    /// [`Detection`]).
    ///
    /// # Errors
    /// [`SimulationError`] if the stimulus or the detection sites do not fit a fiber, or an option is invalid.
    pub fn thresholds(
        &self,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        self.search_in_chunks(CHUNK, stimulus, options, None, progress)
    }

    /// [`Simulation::thresholds`] with a guess per fiber, mA: the results are the same, and good guesses reduce the
    /// number of trials.
    ///
    /// # Errors
    /// As [`Simulation::thresholds`]; also for another number of guesses than fibers, and for one that is no amplitude
    /// up to [`ThresholdSearch::max_ma`].
    pub fn thresholds_near(
        &self,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        guesses_ma: &[f64],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        options.check_guesses(guesses_ma, self.fibers().len())?;
        self.search_in_chunks(CHUNK, stimulus, options, Some(guesses_ma), progress)
    }

    /// Like [`Simulation::run`], with the site of initiation of each fiber's first action potential that reaches a
    /// detection site.
    ///
    /// # Errors
    /// As [`Simulation::run`]; if the detection does not fit a fiber or the run.
    pub fn run_detected(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        detection: &Detection,
        observers: &[ObserverSpec],
    ) -> Result<DetectedRun, SimulationError> {
        self.run_detected_in_parts(
            stimulus,
            amplitude_ma,
            detection,
            observers,
            Course::whole(),
        )
    }

    /// [`Simulation::run_in_parts`] with the sites of initiation of [`Simulation::run_detected`]. They are not known of a
    /// run that begins with given states, or whose states were changed on the way: [`DetectedRun::starts`] is then empty.
    ///
    /// # Errors
    /// As both.
    pub fn run_detected_in_parts(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        detection: &Detection,
        observers: &[ObserverSpec],
        mut course: Course<'_>,
    ) -> Result<DetectedRun, SimulationError> {
        detection.check(self.grid())?;
        let mut rollout = self.rollout(stimulus, observers)?;
        check_sites(&rollout, detection)?;
        rollout.observers.extend(rasters(detection));
        let amplitudes_ma = amplitude_ma.into().per_fiber(self.fibers().len())?;
        let scaling = stimulus.scaling();
        rollout.drive.gains = scaling.gains_of(amplitudes_ma.iter().copied().enumerate());
        let begins_elsewhere = course.begins_elsewhere();
        course.cut(&mut rollout)?;
        let (mut outcome, changed) = course.execute(self, &rollout)?;
        let (mut all_seen, mut crossings) = (Vec::new(), Vec::new());
        for (trial, fiber) in amplitudes_ma
            .into_iter()
            .enumerate()
            .zip(&mut outcome.fibers)
        {
            let nodes = self.fibers()[trial.0].nodes;
            let (seen, detected) = Seen::take(trial, fiber, detection, nodes)?;
            all_seen.push(seen);
            crossings.push(detected);
        }
        let mut starts = Vec::new();
        if !begins_elsewhere && !changed {
            starts = Trials::new(self, &rollout, &scaling, detection)?.starts(all_seen)?;
        }
        for (start, fiber) in starts.iter_mut().zip(&outcome.fibers) {
            if matches!(fiber.status, FiberStatus::Diverged { .. }) {
                *start = None;
            }
        }
        Ok(DetectedRun {
            outcome,
            crossings,
            starts,
        })
    }

    /// The crossings with which action potentials are detected at amplitudes (mA, one per fiber, `None` to leave a
    /// fiber out), in conditioned fibers; `None` of all others, and where none arrives.
    pub(crate) fn conditioned_arrivals(
        &self,
        mut whole: Rollout,
        scaling: &Scaling,
        detection: &Detection,
        amplitudes_ma: &[Option<f64>],
    ) -> Result<Vec<Option<Option<Crossing>>>, SimulationError> {
        let mut arrivals = vec![None; amplitudes_ma.len()];
        let each = amplitudes_ma.iter().enumerate();
        let conditioned = each.filter(|(fiber, _)| detection.is_conditioned(scaling, *fiber));
        let known: Vec<(usize, f64)> = conditioned
            .filter_map(|(fiber, amplitude)| Some((fiber, (*amplitude)?)))
            .collect();
        if known.is_empty() {
            return Ok(arrivals);
        }
        watch(&mut whole, detection)?;
        let mut trials = Trials::new(self, &whole, scaling, detection)?;
        let manner = trials.to_the_end();
        for (seen, arrival) in trials.first_arrivals(&known, manner)? {
            arrivals[seen.trial.0] = Some(arrival.map(|arrival| arrival.at));
        }
        Ok(arrivals)
    }

    /// How the first action potential of each fiber passed two nodes, in a run of which all crossings of the detection's
    /// level are known: per fiber its amplitude, mA, the crossings, and the nodes. The detection's sites do not matter.
    pub(crate) fn passages(
        &self,
        stimulus: &Stimulus,
        detection: &Detection,
        fibers: &[(f64, Vec<Crossing>, [usize; 2])],
    ) -> Result<Vec<Passage>, SimulationError> {
        let whole = self.rollout(stimulus, &[])?;
        let first = detection.at_sites(ObserverKind::Raster);
        let first = first.first_state(self.grid());
        Trials::new(self, &whole, &stimulus.scaling(), detection)?.passages(first, fibers)
    }

    /// Number of nodes with which the ends of a fiber are not driven by the fields of `stimulus`, where they are with
    /// the present number.
    pub fn nodes_needed(&self, stimulus: &Stimulus, fiber: usize) -> Option<usize> {
        let at = &self.built[fiber];
        let nodes = self.fibers()[fiber].nodes;
        let (spacing_um, ends) = (at.node_spacing_um(), self.model.geometry.ends);
        let needed = |field: &dyn Field| nodes_needed(field, spacing_um, nodes, ends);
        let each: Option<Vec<usize>> = stimulus.fields(fiber).map(needed).collect();
        each?.into_iter().max()
    }

    /// Whether no amplitude changes anything for a fiber, as all that the amplitude scales is zero.
    pub fn is_unstimulated(&self, stimulus: &Stimulus, fiber: usize) -> bool {
        stimulus.is_zero(fiber, self.sample_points_um(fiber), self.grid())
    }

    /// Searches so many fibers at a time, or as many as the backend runs at once, so that memory does not grow with their
    /// number.
    fn search_in_chunks(
        &self,
        chunk: usize,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        guesses_ma: Option<&[f64]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        let fibers = self.fibers().len();
        let chunk = chunk.max(self.device().backend().width(self.precision()));
        if fibers <= chunk || stimulus.fibers() != fibers {
            let whole = self.rollout(stimulus, &[])?;
            return self.thresholds_of(whole, &stimulus.scaling(), options, guesses_ma, progress);
        }
        let mut found = Vec::with_capacity(fibers);
        for first in (0..fibers).step_by(chunk) {
            let part = first..(first + chunk).min(fibers);
            let of_part = guesses_ma.map(|guesses_ma| &guesses_ma[part.clone()]);
            let share = part.len() as f64 / fibers as f64;
            let mut of_all =
                |fraction: f64| progress(first as f64 / fibers as f64 + share * fraction);
            let stimulus_of_part = stimulus.part(part.clone());
            let simulation = self.select(part);
            let searched = simulation
                .rollout(&stimulus_of_part, &[])
                .and_then(|whole| {
                    let scaling = stimulus_of_part.scaling();
                    simulation.thresholds_of(whole, &scaling, options, of_part, &mut of_all)
                });
            match searched {
                Ok(of_part) => found.extend(of_part),
                Err(error) if error.is_canceled() => return Err(error),
                // An error names a fiber by its place among all.
                Err(error) => {
                    let of_all = self.rollout(stimulus, &[]);
                    let of_all = of_all.and_then(|mut all| watch(&mut all, &options.detection));
                    return Err(of_all.err().unwrap_or(error));
                }
            }
        }
        Ok(found)
    }

    /// [`Simulation::thresholds`], or with guesses [`Simulation::thresholds_near`], for a rollout of this simulation
    /// without observers.
    pub(crate) fn thresholds_of(
        &self,
        mut whole: Rollout,
        scaling: &Scaling,
        options: &ThresholdSearch,
        guesses_ma: Option<&[f64]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        options.check(self)?;
        if let Some(guesses_ma) = guesses_ma {
            options.check_guesses(guesses_ma, whole.fibers.len())?;
        }
        watch(&mut whole, &options.detection)?;
        // Searches that are done again do not undo what was reported.
        let mut most = 0.0_f64;
        let progress: &mut Progress<'_> = &mut |fraction: f64| {
            most = most.max(fraction);
            progress(most);
        };
        let quiet_band_mv = self.schema().quiet_band_mv.filter(|_| options.early_end);
        let mut trials =
            Trials::new(self, &whole, scaling, &options.detection)?.ending(quiet_band_mv);
        let fibers = whole.fibers.len();
        let reaching = match (options.first_ma, options.early_end) {
            (Some(_), false) => vec![Reaching::default(); fibers],
            _ => trials.reaching()?,
        };
        let reaching_ma: Vec<Option<f64>> = reaching.iter().map(|at| at.anywhere_ma).collect();
        let first_of = |reaching: &Option<f64>| match options.first_ma {
            Some(first) => first,
            None => first_amplitude(*reaching, options.max_ma, options.first_part),
        };
        let first_ma: Vec<f64> = reaching_ma.iter().map(first_of).collect();
        let mut endings = match options.early_end && trials.can_scout(options.max_ma) {
            true => {
                let scouts = Scouts {
                    first_ma: &first_ma,
                    reaching_ma: &reaching_ma,
                    guesses_ma,
                };
                let found = trials.scouted(scouts, options, progress)?;
                trials.confirmed(&found, options)?
            }
            false => vec![None; fibers],
        };
        for (fiber, (ending, reaching)) in endings.iter_mut().zip(&reaching).enumerate() {
            if trials.is_unclear(fiber, ending.as_ref(), reaching) {
                trials.run_to_the_end(fiber);
                *ending = None;
            }
        }
        let mut searches: Vec<Search> = first_ma
            .into_iter()
            .zip(endings)
            .map(|(first_ma, ending)| Search::new(first_ma, ending))
            .collect();
        trials.search(&mut searches, options, progress)?;
        // A lower bound whose run ended early is confirmed by a whole one.
        while let Some(refuted) = trials.refuted(&searches)? {
            for fiber in refuted {
                searches[fiber].begin_again();
            }
            trials.search(&mut searches, options, progress)?;
        }
        trials.classified(&searches)
    }
}

#[cfg(test)]
mod tests;
