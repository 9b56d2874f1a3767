//! One fiber's threshold, looked for with as few trials as will do.
//!
//! A scout rises by factors of 2 as a search does, and closes in on the threshold by guesses: from fibers like this one,
//! and from when the trials that fired did. Its trials may be cheaper than those of a search. What it finds is a
//! proposal, to be confirmed by trials that count; what it cannot make sense of is left to a search.

use super::ThresholdSearch;
use super::closeness::{Failed, Fired, Law, threshold_ma, time_constant_ms};
use super::grid::{Verdict, final_cell};
use super::neighbors::Guess;
use crate::SpikeStart;

/// Trials stay this fraction of the distance between an expected threshold and the lowest trial that fired above the
/// expected threshold: at first, after trials that fired as expected, and at most.
const MARGIN: f64 = 0.3;
const LEAST_MARGIN: f64 = 0.08;
const LARGEST_MARGIN: f64 = 0.5;
/// Latest trials that fired that an expectation is made from.
const LATEST: usize = 3;
/// Excess of the last trial that fired up to which the time constant of latencies shows.
const CLOSE: f64 = 0.01;
/// Trials within a cell after which its fiber is left to a search.
const MOST_TRIALS: usize = 60;

/// Result of a scout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    /// The fiber fires at the upper end of a final cell, and is expected not to at its lower end.
    Cell {
        lower_ma: f64,
        upper_ma: f64,
        /// Where the action potential began at the upper end.
        start: SpikeStart,
        /// The cell of factor 2 around it, with a fiber that fired at its upper end and was silent at its lower one.
        around_ma: (f64, f64),
    },
    /// The fiber is silent up to the largest amplitude.
    Nothing { top_ma: f64 },
    /// Something else.
    Unclear,
}

/// A trial's verdict, and the state at which its run ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) end: usize,
    /// Whether the run ended early because the fiber will not fire any more.
    pub(super) is_quiet: bool,
}

/// One fiber's scout.
#[derive(Clone, Debug)]
pub(super) struct Scout {
    /// Width of the final cells relative to their upper ends.
    resolution: f64,
    /// No fiber like it fires up to here.
    sure_ma: f64,
    guess: Option<Guess>,
    /// Time constant of the fiber's latencies, ms, once a trial fired close to its threshold.
    tau_ms: Option<f64>,
    failed: Vec<Failed>,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    /// By factors of 2: `failed` is the last that failed.
    Rising {
        failed: Option<Failed>,
        next: f64,
    },
    Closing(Closing),
    Done(Found),
}

/// Closing in on the threshold within a cell of factor 2.
#[derive(Clone, Debug)]
struct Closing {
    cell: (f64, f64),
    /// Trials that failed, the strongest last.
    failed: Vec<Failed>,
    /// Trials that fired, the strongest first, and the state at which the last of them ended.
    fired: Vec<Fired>,
    start: Option<SpikeStart>,
    end: usize,
    expected_ma: Option<f64>,
    margin: f64,
    /// Trials that failed since the last that fired.
    misses: i32,
    trials: usize,
}

impl Scout {
    /// A scout that begins at `first_ma`, and tries everything up to `sure_ma` at once.
    pub(super) fn new(first_ma: f64, sure_ma: f64, options: &ThresholdSearch) -> Self {
        Scout {
            resolution: options.resolution,
            sure_ma,
            guess: None,
            tau_ms: None,
            failed: Vec::new(),
            phase: Phase::Rising {
                failed: None,
                next: first_ma.min(options.max_ma),
            },
        }
    }

    /// A scout of the threshold within a known cell of factor 2.
    pub(super) fn within(cell: (f64, f64), guess: Guess, resolution: f64) -> Self {
        Scout {
            resolution,
            sure_ma: 0.0,
            guess: Some(guess),
            tau_ms: None,
            failed: Vec::new(),
            phase: Phase::Closing(Closing {
                cell,
                failed: vec![Failed {
                    amplitude_ma: cell.0,
                    rest_ms: 0.0,
                    at_once: true,
                }],
                fired: Vec::new(),
                start: None,
                end: 0,
                expected_ma: None,
                margin: MARGIN,
                misses: 0,
                trials: 0,
            }),
        }
    }

    /// Takes a guess.
    pub(super) fn expect(&mut self, guess: Option<Guess>) {
        self.guess = guess;
    }

    /// The result, once no further trial is needed.
    pub(super) fn found(&self) -> Option<Found> {
        match self.phase {
            Phase::Done(found) => Some(found),
            _ => None,
        }
    }

    /// Amplitudes to be tried next, ascending or by value: what is needed, and up to `spare` more that may be.
    pub(super) fn wants(&self, options: &ThresholdSearch, spare: usize) -> Vec<f64> {
        match &self.phase {
            Phase::Rising { next, .. } => {
                let guessed = |guess: &Guess| 2.0 * guess.amplitude_ma * (1.0 + guess.error);
                let below_ma = self.guess.as_ref().map_or(0.0, guessed);
                let above =
                    |ma: &f64| (*ma < options.max_ma).then(|| (2.0 * ma).min(options.max_ma));
                let needed = |ma: &f64| *ma == *next || *ma <= self.sure_ma || *ma < below_ma;
                let points = std::iter::successors(Some(*next), above);
                let count = points.clone().take_while(needed).count();
                points.take(count + spare).collect()
            }
            Phase::Closing(closing) => closing.wants(self.guess, self.resolution, spare),
            Phase::Done(_) => Vec::new(),
        }
    }

    /// The state at which a trial is expected to end: `until` if it stays silent throughout, and later by `slower` states
    /// for every halving of the distance to the threshold.
    pub(super) fn expected_end(&self, amplitude_ma: f64, until: usize, slower: f64) -> usize {
        let Phase::Closing(closing) = &self.phase else {
            return until;
        };
        let (Some(expected_ma), Some(last)) = (closing.expected_ma, closing.fired.last()) else {
            return closing.end.max(until);
        };
        let ratio = (last.amplitude_ma - expected_ma) / (amplitude_ma - expected_ma).abs();
        closing.end + (slower * ratio.clamp(1.0, 1e4).log2()) as usize
    }

    /// The time constant of the fiber's latencies, ms.
    pub(super) fn time_constant_ms(&self) -> Option<f64> {
        self.tau_ms
    }

    /// Trials that failed, as they tell how close to the threshold they came.
    pub(super) fn failed(&self) -> &[Failed] {
        &self.failed
    }

    /// Takes the answers at amplitudes that were wanted, in their order, and when a fiber that fails is at rest; `law`
    /// is that of fibers like this one.
    pub(super) fn take(
        &mut self,
        answers: &[(f64, Answer)],
        rest: impl Fn(&Answer) -> (f64, bool),
        options: &ThresholdSearch,
        law: Law,
    ) {
        for &(amplitude, answer) in answers {
            let (rest_ms, at_once) = rest(&answer);
            let failed_now = Failed {
                amplitude_ma: amplitude,
                rest_ms,
                at_once,
            };
            self.phase = match std::mem::replace(&mut self.phase, Phase::Done(Found::Unclear)) {
                Phase::Rising { failed, next } if next == amplitude => {
                    rise(failed, failed_now, answer, options)
                }
                Phase::Closing(closing) => closing.take(failed_now, answer),
                other => other,
            };
        }
        if let Phase::Closing(closing) = &mut self.phase {
            closing.expected_ma = threshold_ma(closing.latest(), closing.strongest_failed(), law);
            let is_close = |expected: &f64| closing.fires_at() < (1.0 + CLOSE) * expected;
            if let Some(expected) = closing.expected_ma.filter(is_close) {
                self.tau_ms = time_constant_ms(closing.latest(), expected);
            }
            if let Some(found) = closing.found(self.resolution) {
                self.failed = std::mem::take(&mut closing.failed);
                self.phase = Phase::Done(found);
            }
        }
    }
}

/// Takes the answer at the next amplitude of a rise, which is in the terms of a trial that fails.
fn rise(failed: Option<Failed>, now: Failed, answer: Answer, options: &ThresholdSearch) -> Phase {
    let next = now.amplitude_ma;
    match (answer.verdict, failed) {
        (Verdict::Quiet, _) if next >= options.max_ma => {
            Phase::Done(Found::Nothing { top_ma: next })
        }
        (Verdict::Quiet, _) => Phase::Rising {
            failed: Some(now),
            next: (2.0 * next).min(options.max_ma),
        },
        (Verdict::Fires(start), Some(failed)) => Phase::Closing(Closing {
            cell: (failed.amplitude_ma, next),
            failed: vec![failed],
            fired: vec![Fired {
                amplitude_ma: next,
                time_ms: start.time_ms,
            }],
            start: Some(start),
            end: answer.end,
            expected_ma: None,
            margin: MARGIN,
            misses: 0,
            trials: 0,
        }),
        _ => Phase::Done(Found::Unclear),
    }
}

impl Closing {
    fn latest(&self) -> &[Fired] {
        &self.fired[self.fired.len().saturating_sub(LATEST)..]
    }

    fn strongest_failed(&self) -> &Failed {
        let [.., strongest] = &self.failed[..] else {
            unreachable!("a cell of factor 2 has a lower end")
        };
        strongest
    }

    /// Largest amplitude that failed.
    fn fails_at(&self) -> f64 {
        self.strongest_failed().amplitude_ma
    }

    /// Smallest amplitude that fires.
    fn fires_at(&self) -> f64 {
        let last = self.fired.last();
        last.map_or(self.cell.1, |last| last.amplitude_ma)
    }

    fn final_cell(&self, amplitude_ma: f64, resolution: f64) -> (f64, f64) {
        final_cell(self.cell, amplitude_ma, resolution)
    }

    /// Expected threshold, and how far above it a trial should fire.
    fn aim(&self) -> Option<(f64, f64)> {
        let expected = self.expected_ma?;
        Some((expected, self.margin * (self.fires_at() - expected)))
    }

    fn wants(&self, guess: Option<Guess>, resolution: f64, spare: usize) -> Vec<f64> {
        let (failed, fires) = (self.fails_at(), self.fires_at());
        let above = |ma: f64| self.final_cell(ma, resolution).1;
        let below = |ma: f64| self.final_cell(ma, resolution).0;
        let mut all = Vec::with_capacity(spare + 3);
        if let Some((expected, away)) = self.aim() {
            // Farther above after trials that turned out to lie below.
            let part = (self.margin * 2.0_f64.powi(self.misses)).min(LARGEST_MARGIN);
            let least = match self.misses {
                0 => failed,
                _ => failed + part * (fires - failed),
            };
            all.push(above((expected + away).max(least)));
            if spare > 0 {
                all.extend([below(expected - away), above(expected + 4.0 * away)]);
            }
        } else if let Some(guess) = guess
            && self.trials < 2
        {
            let error = guess.error * (1.0 + 2.0 * self.trials as f64);
            all.push(above(guess.amplitude_ma * (1.0 + error)));
            if spare > 0 {
                all.push(below(guess.amplitude_ma * (1.0 - error)));
            }
        }
        // Equal parts of what is left.
        let parts = spare + 2;
        let part = |k: usize| failed + (fires - failed) * k as f64 / parts as f64;
        all.extend((1..parts).map(|k| above(part(k))));
        all.extend((1..parts).map(|k| below(part(k))));
        let mut wanted = Vec::with_capacity(spare + 1);
        for ma in all {
            let is_open = failed < ma && ma < fires;
            if is_open && wanted.len() <= spare && !wanted.contains(&ma) {
                wanted.push(ma);
            }
        }
        wanted
    }

    /// Takes an answer, with the trial in the terms of one that fails.
    fn take(mut self, now: Failed, answer: Answer) -> Phase {
        let amplitude_ma = now.amplitude_ma;
        let (failed, fires) = (self.fails_at(), self.fires_at());
        let inside = failed < amplitude_ma && amplitude_ma < fires;
        match answer.verdict {
            Verdict::Fires(_) if amplitude_ma <= failed => return Phase::Done(Found::Unclear),
            Verdict::Fires(start) => {
                self.fired.push(Fired {
                    amplitude_ma,
                    time_ms: start.time_ms,
                });
                let by_amplitude = |a: &Fired, b: &Fired| b.amplitude_ma.total_cmp(&a.amplitude_ma);
                self.fired.sort_by(by_amplitude);
                if inside {
                    self.end = answer.end;
                    self.start = Some(start);
                    self.misses = 0;
                    self.margin = (0.5 * self.margin).max(LEAST_MARGIN);
                }
            }
            Verdict::Quiet if inside => {
                self.failed.push(now);
                self.misses += 1;
                self.margin = (2.0 * self.margin).min(LARGEST_MARGIN);
            }
            Verdict::Quiet if amplitude_ma <= failed => {}
            // What stronger stimuli do is of no concern to a rise that has ended.
            _ if amplitude_ma > self.cell.1 => {}
            _ => return Phase::Done(Found::Unclear),
        }
        self.trials += 1;
        match self.trials > MOST_TRIALS {
            true => Phase::Done(Found::Unclear),
            false => Phase::Closing(self),
        }
    }

    /// The final cell below the smallest amplitude that fires, if the threshold is known or expected to lie there.
    fn found(&self, resolution: f64) -> Option<Found> {
        let fires = self.fires_at();
        let (lower, upper) = self.final_cell(fires, resolution);
        let certain = self.fails_at() >= lower;
        let expected = self.aim().is_some_and(|(expected, away)| {
            lower < expected && away < upper - lower && self.misses == 0
        });
        let start = self.start?;
        (upper == fires && (certain || expected)).then_some(Found::Cell {
            lower_ma: lower,
            upper_ma: upper,
            start,
            around_ma: self.cell,
        })
    }
}
