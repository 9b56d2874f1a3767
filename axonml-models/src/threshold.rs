//! Activation thresholds: the smallest stimulus amplitude that makes a fibre conduct an action potential.

use std::collections::HashMap;

use axonml_autodiff::{
    Cable, FiberStatus, NodeSelection, Observation, ObserverKind, ObserverSpec, Precision, Rollout,
    RolloutFiber,
};
use axonml_core::CoreError;

use crate::{Simulation, SimulationError, Stimulus};

/// How thresholds are searched for. Amplitudes are positive: for anodic stimuli flip the waveform.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdSearch {
    /// Nodes that must be reached (any of them); negative count from the end.
    pub detect_nodes: Vec<i64>,
    /// Level of the upward crossing, mV.
    pub detect_threshold_mv: f64,
    /// Detection begins here, ms; a node that is above the level then counts as crossing.
    pub detect_after_ms: f64,
    /// First amplitude tried after 0, mA; it is doubled until the fibre fires. (A fibre that fires only within a window
    /// of amplitudes narrower than a factor of two can be missed.)
    pub first_ma: f64,
    /// Largest amplitude tried, mA.
    pub max_ma: f64,
    /// Width of the final bracket relative to its upper end.
    pub resolution: f64,
}

impl Default for ThresholdSearch {
    fn default() -> Self {
        ThresholdSearch {
            detect_nodes: vec![5, -5],
            detect_threshold_mv: 0.0,
            detect_after_ms: 0.0,
            first_ma: 0.001,
            max_ma: 20.0,
            resolution: 1e-4,
        }
    }
}

impl ThresholdSearch {
    /// Who watches a run: whether a detection node is reached, and whether any node is.
    pub(crate) fn observers(&self) -> [ObserverSpec; 2] {
        let reached = NodeSelection::Nodes(self.detect_nodes.clone());
        [reached, NodeSelection::All].map(|nodes| {
            ObserverSpec::new(ObserverKind::Active { at_least: 1 }, nodes)
                .threshold_mv(self.detect_threshold_mv)
                .after_ms(self.detect_after_ms)
        })
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
        if !positive(self.first_ma) {
            return bad(
                "the first amplitude",
                self.first_ma.to_string(),
                "a positive number of mA".into(),
            );
        }
        if !positive(self.max_ma) {
            return bad(
                "the largest amplitude",
                self.max_ma.to_string(),
                "a positive number of mA".into(),
            );
        }
        let duration = simulation.grid().duration_ms();
        if !(0.0..duration).contains(&self.detect_after_ms) {
            let expected = format!("a time within the run, 0 to {duration} ms");
            return bad(
                "the beginning of detection",
                format!("{} ms", self.detect_after_ms),
                expected,
            );
        }
        Ok(())
    }
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The fibre fires at `upper_ma` and does not at `lower_ma`; both were simulated.
    Found {
        /// Largest amplitude that failed below the smallest that fired, mA.
        lower_ma: f64,
        /// Smallest amplitude that fired, mA.
        upper_ma: f64,
    },
    /// The largest amplitude excites no node at all.
    NoActivation {
        /// That amplitude, mA: a lower bound.
        lower_ma: f64,
    },
    /// The largest amplitude excites nodes, but none of the detection nodes.
    Blocked {
        /// That amplitude, mA: a lower bound.
        lower_ma: f64,
    },
    /// The fibre fires without stimulus, at the detection nodes or elsewhere.
    Spontaneous,
    /// The numbers became meaningless before there was an answer.
    Diverged {
        /// Amplitude at which that happened, mA.
        amplitude_ma: f64,
        /// How: a [`FiberStatus::Diverged`].
        status: FiberStatus,
        /// Largest amplitude that failed before, mA, if any did.
        lower_ma: Option<f64>,
    },
}

impl Threshold {
    /// Status as result files spell it.
    pub fn status(&self) -> &'static str {
        match self {
            Threshold::Found { .. } => "ok",
            Threshold::NoActivation { .. } => "no_activation",
            Threshold::Blocked { .. } => "blocked",
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
            | Threshold::Blocked { lower_ma } => Some(lower_ma),
            Threshold::Diverged { lower_ma, .. } => lower_ma,
            Threshold::Spontaneous => None,
        }
    }
}

/// Answer of one simulated amplitude.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Fires,
    Fails { local: bool },
    Diverged(FiberStatus),
}

/// Where the search of one fibre stands.
#[derive(Clone, Copy, Debug)]
enum Search {
    /// Doubling: `lower` failed, `next` has not been tried.
    Rising {
        lower: f64,
        next: f64,
    },
    /// From a guess up or down in growing steps: `fired` is the smallest amplitude known to fire, `failed` the largest
    /// known to fail.
    Near {
        next: f64,
        ratio: f64,
        fired: Option<f64>,
        failed: Option<f64>,
    },
    /// Halving the bracket.
    Bracketed {
        lower: f64,
        upper: f64,
    },
    Done(Threshold),
}

/// First step from a guess: what a threshold moves by when parameters change a little.
const NEAR: f64 = 1.02;

impl Search {
    const FROM_ZERO: Search = Search::Rising {
        lower: 0.0,
        next: 0.0,
    };

    /// The amplitude whose answer is needed next.
    fn wants(&self) -> Option<f64> {
        match *self {
            Search::Rising { next, .. } | Search::Near { next, .. } => Some(next),
            Search::Bracketed { lower, upper } => Some(0.5 * (lower + upper)),
            Search::Done(_) => None,
        }
    }

    /// What follows from the answer at the amplitude wanted.
    fn advance(self, answer: Answer, options: &ThresholdSearch) -> Search {
        let Some(amplitude) = self.wants() else {
            return self;
        };
        let lower = match self {
            Search::Rising { lower, .. } | Search::Bracketed { lower, .. } => lower,
            Search::Near { failed, .. } => failed.unwrap_or_default(),
            Search::Done(_) => return self,
        };
        if let Answer::Diverged(status) = answer {
            let lower_ma = (amplitude > 0.0).then_some(lower);
            return Search::Done(Threshold::Diverged {
                amplitude_ma: amplitude,
                status,
                lower_ma,
            });
        }
        let bracket = |lower: f64, upper: f64| {
            if upper - lower <= options.resolution * upper {
                Search::Done(Threshold::Found {
                    lower_ma: lower,
                    upper_ma: upper,
                })
            } else {
                Search::Bracketed { lower, upper }
            }
        };
        match (self, answer) {
            (Search::Rising { next: 0.0, .. }, Answer::Fires | Answer::Fails { local: true }) => {
                Search::Done(Threshold::Spontaneous)
            }
            (Search::Rising { lower, next }, Answer::Fires) => bracket(lower, next),
            (Search::Rising { next, .. }, Answer::Fails { local }) => {
                if next >= options.max_ma {
                    Search::Done(if local {
                        Threshold::Blocked { lower_ma: next }
                    } else {
                        Threshold::NoActivation { lower_ma: next }
                    })
                } else {
                    let higher = if next == 0.0 {
                        options.first_ma
                    } else {
                        2.0 * next
                    };
                    Search::Rising {
                        lower: next,
                        next: higher.min(options.max_ma),
                    }
                }
            }
            (Search::Near { failed, ratio, .. }, Answer::Fires) => match failed {
                Some(failed) => bracket(failed, amplitude),
                // So far below that the fibre may fire without stimulus.
                None if amplitude <= options.first_ma => Search::FROM_ZERO,
                None => Search::Near {
                    next: amplitude / ratio,
                    ratio: ratio * ratio,
                    fired: Some(amplitude),
                    failed,
                },
            },
            (Search::Near { fired, ratio, .. }, Answer::Fails { local }) => match fired {
                Some(fired) => bracket(amplitude, fired),
                None if amplitude >= options.max_ma => Search::Done(if local {
                    Threshold::Blocked {
                        lower_ma: amplitude,
                    }
                } else {
                    Threshold::NoActivation {
                        lower_ma: amplitude,
                    }
                }),
                None => Search::Near {
                    next: (amplitude * ratio).min(options.max_ma),
                    ratio: ratio * ratio,
                    fired,
                    failed: Some(amplitude),
                },
            },
            (Search::Bracketed { lower, .. }, Answer::Fires) => bracket(lower, amplitude),
            (Search::Bracketed { upper, .. }, Answer::Fails { .. }) => bracket(amplitude, upper),
            (done, _) => done,
        }
    }

    /// Fraction of the search that is done after `answers`, by what the bracket still needs.
    fn fraction(&self, answers: usize, options: &ThresholdSearch) -> f64 {
        let halvings = |ratio: f64| ratio.max(1.0).log2().ceil();
        let left = match *self {
            Search::Rising { next, .. } => {
                halvings(options.max_ma / next.max(options.first_ma))
                    + halvings(1.0 / options.resolution)
            }
            Search::Near { .. } => halvings((NEAR - 1.0) / options.resolution) + 2.0,
            Search::Bracketed { lower, upper } => {
                halvings((upper - lower) / (options.resolution * upper))
            }
            Search::Done(_) => return 1.0,
        };
        let done = answers as f64;
        done / (done + left.max(1.0))
    }

    /// Amplitudes that the next `depth` answers may ask for: the wanted one and, whatever its answer, those after it.
    fn speculate(self, depth: usize, options: &ThresholdSearch, amplitudes: &mut Vec<f64>) {
        let Some(amplitude) = self.wants() else {
            return;
        };
        if !amplitudes.contains(&amplitude) {
            amplitudes.push(amplitude);
        }
        if depth > 1 {
            for answer in [Answer::Fires, Answer::Fails { local: false }] {
                self.advance(answer, options)
                    .speculate(depth - 1, options, amplitudes);
            }
        }
    }
}

/// Simulations that a round may have so that vector lanes and cores are not idle: while few fibres are searched, the
/// next answers of each search are computed at once, whatever the first of them will be. The amplitudes that decide a
/// search are the same as without.
const ROUND: usize = 64;

/// Called after every round with the fraction of the search that is done, 0 to 1 (an estimate until the end).
pub type Progress<'p> = dyn FnMut(f64) + 'p;

impl Simulation {
    /// The activation threshold of every fibre.
    ///
    /// The search tries amplitude 0, then doubles upward from [`ThresholdSearch::first_ma`], then halves the bracket;
    /// upward, because strong stimuli can block what weaker ones excite. Both ends of a bracket were simulated. All
    /// fibres are searched at once; a fibre's answers do not depend on its companions.
    ///
    /// # Errors
    /// [`SimulationError`] if the stimulus or the detection nodes do not fit a fibre, or an option makes no sense.
    pub fn thresholds(
        &self,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        let searches = vec![Search::FROM_ZERO; self.fibers().len()];
        self.search(stimulus, options, searches, progress)
    }

    /// [`Simulation::thresholds`] with a guess per fibre, mA: the search starts there and goes up or down until it has a
    /// bracket. Right where answers change once with amplitude around the guess, as they do next to a threshold that is
    /// known; amplitude 0 is not tried unless the fibre fires all the way down.
    ///
    /// # Errors
    /// As [`Simulation::thresholds`]; also for another number of guesses than fibres, and for one that is no amplitude
    /// from [`ThresholdSearch::first_ma`] to [`ThresholdSearch::max_ma`].
    pub fn thresholds_near(
        &self,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        guesses_ma: &[f64],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        let bad = |what: String, found: String, expected: String| {
            Err(SimulationError::Core(CoreError::BadValue {
                what,
                found,
                expected,
            }))
        };
        if guesses_ma.len() != self.fibers().len() {
            return bad(
                "the number of guesses".into(),
                guesses_ma.len().to_string(),
                "one per fibre".into(),
            );
        }
        let range = options.first_ma..=options.max_ma;
        if let Some(fiber) = guesses_ma.iter().position(|x| !range.contains(x)) {
            return bad(
                format!("the guess for fibre {fiber}"),
                guesses_ma[fiber].to_string(),
                format!(
                    "an amplitude from {} to {} mA",
                    options.first_ma, options.max_ma
                ),
            );
        }
        let searches = guesses_ma.iter().map(|&next| Search::Near {
            next,
            ratio: NEAR,
            fired: None,
            failed: None,
        });
        self.search(stimulus, options, searches.collect(), progress)
    }

    /// Answers `searches`, one per fibre.
    fn search(
        &self,
        stimulus: &Stimulus,
        options: &ThresholdSearch,
        searches: Vec<Search>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        let whole = self.rollout(stimulus, &options.observers())?;
        self.search_rollout(whole, options, searches, progress)
    }

    /// [`Simulation::thresholds`] for a rollout of this simulation with the observers of `options`.
    pub(crate) fn thresholds_of(
        &self,
        whole: Rollout,
        options: &ThresholdSearch,
    ) -> Result<Vec<Threshold>, SimulationError> {
        let searches = vec![Search::FROM_ZERO; whole.fibers.len()];
        self.search_rollout(whole, options, searches, &mut |_| ())
    }

    fn search_rollout(
        &self,
        mut whole: Rollout,
        options: &ThresholdSearch,
        mut searches: Vec<Search>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Threshold>, SimulationError> {
        options.check(self)?;
        whole.final_states = false;
        whole.check()?;
        // An explicit cable that becomes unstable after its first crossing has no threshold: see the run to its end.
        let explicit = |fiber: &RolloutFiber| matches!(*fiber.cable, Cable::Explicit(_));
        whole.stop_when_active = (!whole.fibers.iter().any(explicit)).then_some(0);

        let fibers = whole.fibers.len();
        let mut answered = vec![0; fibers];
        loop {
            let open: Vec<usize> = (0..fibers)
                .filter(|&fiber| searches[fiber].wants().is_some())
                .collect();
            let fractions = searches
                .iter()
                .zip(&answered)
                .map(|(search, &n)| search.fraction(n, options));
            progress(fractions.sum::<f64>() / fibers.max(1) as f64);
            if open.is_empty() {
                break;
            }
            let mut depth = 1;
            while open.len() * ((2 << depth) - 1) <= ROUND {
                depth += 1;
            }
            let mut trials: Vec<(usize, f64)> = Vec::new();
            for &fiber in &open {
                let mut amplitudes = Vec::new();
                searches[fiber].speculate(depth, options, &mut amplitudes);
                trials.extend(amplitudes.into_iter().map(|amplitude| (fiber, amplitude)));
            }
            let answers = self.answers(&whole, &trials)?;
            for fiber in open {
                while let Some(amplitude) = searches[fiber].wants() {
                    let Some(&answer) = answers.get(&(fiber, amplitude.to_bits())) else {
                        break;
                    };
                    searches[fiber] = searches[fiber].advance(answer, options);
                    answered[fiber] += 1;
                }
            }
        }
        Ok(searches
            .into_iter()
            .map(|search| match search {
                Search::Done(threshold) => threshold,
                _ => unreachable!("the loop ends when every search is done"),
            })
            .collect())
    }

    /// Simulates (fibre, amplitude) pairs.
    fn answers(
        &self,
        whole: &Rollout,
        trials: &[(usize, f64)],
    ) -> Result<HashMap<(usize, u64), Answer>, SimulationError> {
        let mut rollout = whole.select(trials.iter().map(|&(fiber, _)| fiber));
        rollout.drive.amplitudes = trials.iter().map(|&(_, amplitude)| amplitude).collect();
        let outcome = self.execute(&rollout)?;
        let answers = trials
            .iter()
            .zip(outcome.fibers)
            .map(|(&(fiber, amplitude), result)| {
                let seen = |index: usize| {
                    matches!(result.observations[index], Observation::Active(Some(_)))
                };
                let answer = match result.status {
                    status @ FiberStatus::Diverged { .. } => Answer::Diverged(status),
                    FiberStatus::Answered(_) => Answer::Fires,
                    FiberStatus::Completed if seen(0) => Answer::Fires,
                    FiberStatus::Completed => Answer::Fails { local: seen(1) },
                };
                ((fiber, amplitude.to_bits()), answer)
            });
        Ok(answers.collect())
    }
}
