//! Thresholds of many jobs: batch by batch, each result handed out as soon as it is there.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axonml::error::short;
use axonml::simulation::{SpikeStart, ThresholdKind};
use axonml::{Threshold, ThresholdSearch};
use serde::{Deserialize, Deserializer, Serialize};

use crate::args::{EndExcitation, SearchArgs};
use crate::batch::{Batch, groups, of_one};
use crate::common::{BATCH, Common};
use crate::error::CliError;
use crate::job::Job;
use crate::messages::Messages;

/// Result of a search, for tables and for unfinished work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// As [`Threshold::status`] has it, or `error`.
    #[serde(deserialize_with = "status")]
    pub(crate) status: Word,
    /// Largest amplitude that failed, mA.
    pub(crate) lower_ma: Option<f64>,
    /// Smallest amplitude that fired, mA.
    pub(crate) upper_ma: Option<f64>,
    /// Where the first action potential began.
    pub(crate) start: Option<SpikeStart>,
    /// Message beside the status.
    pub(crate) message: String,
}

impl Found {
    /// No search was made.
    pub(crate) fn error(error: &CliError) -> Self {
        Found {
            status: "error",
            message: error.message(),
            ..Found::default()
        }
    }

    /// Result of a fiber of a batch.
    fn new(threshold: &Threshold, batch: &Batch, fiber: usize, ends: EndExcitation) -> Self {
        let Batch {
            simulation,
            stimulus,
        } = batch;
        let mut status = threshold.status();
        let message = match *threshold {
            Threshold::Diverged {
                amplitude_ma,
                status,
                ..
            } => {
                let why = simulation
                    .divergence(0, status)
                    .map(|error| of_one(error).message());
                format!(
                    "at {} mA {}",
                    short(amplitude_ma),
                    why.unwrap_or_else(|| "the run did not end as expected".to_owned())
                )
            }
            Threshold::PropagationFailure { .. } => {
                "an action potential begins but reaches no detection site: it is blocked, or tstop ends before it arrives"
                    .to_owned()
            }
            Threshold::Artifact { .. } => {
                "nodes cross the level only because the stimulus polarizes them".to_owned()
            }
            Threshold::Found {
                kind: ThresholdKind::EndExcitation,
                ..
            } if ends == EndExcitation::Accept => {
                status = "ok";
                String::new()
            }
            Threshold::Found {
                kind: ThresholdKind::EndExcitation,
                ..
            } => {
                let longer = match simulation.nodes_needed(stimulus, fiber) {
                    Some(nodes) => format!("{nodes} nodes would do"),
                    None => "no number of nodes within the field's extent would do".to_owned(),
                };
                format!("the action potential begins at an end of the simulated fiber: {longer}")
            }
            Threshold::Found {
                kind: ThresholdKind::Reexcitation,
                ..
            } => "action potentials begin and are blocked at smaller amplitudes: one that conducts may have been missed"
                .to_owned(),
            Threshold::NoActivation { .. } if simulation.is_unstimulated(stimulus, fiber) => {
                "the stimulus is zero: the potentials along the fiber or the waveform are 0 throughout; mend the contact \
                 factors, electrodes or pulse"
                    .to_owned()
            }
            _ => String::new(),
        };
        Found {
            status,
            lower_ma: threshold.lower_ma(),
            upper_ma: threshold.upper_ma(),
            start: threshold.start(),
            message,
        }
    }
}

/// How thresholds are searched for and reported.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// The limits, with the detection of each batch filled in by [`thresholds`].
    pub(crate) limits: ThresholdSearch,
    /// How thresholds of a fiber's end are reported.
    pub(crate) ends: EndExcitation,
}

impl Search {
    /// As the flags have it.
    pub(crate) fn of(args: &SearchArgs) -> Self {
        let default = ThresholdSearch::default();
        Search {
            limits: ThresholdSearch {
                first_ma: args.first_amplitude,
                max_ma: args.max_amplitude.unwrap_or(default.max_ma),
                resolution: args.resolution.unwrap_or(default.resolution),
                early_end: !args.no_early_end,
                ..default
            },
            ends: args.end_excitation.unwrap_or_default(),
        }
    }
}

/// A status; under a name of its own, as serde takes a reference for one into the text that it reads.
type Word = &'static str;

/// A status that was kept: one word for each there is.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    static WORDS: Mutex<Vec<Word>> = Mutex::new(Vec::new());
    let word = String::deserialize(deserializer)?;
    let mut words = WORDS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = words.iter().find(|known| **known == word) {
        return Ok(known);
    }
    let word: Word = word.leak();
    words.push(word);
    Ok(word)
}

/// Fibers of a batch at first, and the least.
const FIRST: usize = 128;
const LEAST: usize = 32;
/// Batches should take about this long, so that rows come in steadily and a kill loses little.
const SHORT: Duration = Duration::from_millis(1200);
const LONG: Duration = Duration::from_secs(4);

/// How many fibers come next. Results do not depend on it.
struct Pace {
    size: usize,
    /// Number of fibers that fit into memory.
    most: usize,
}

impl Pace {
    fn new(most: usize) -> Self {
        Pace {
            size: FIRST.min(most),
            most,
        }
    }

    /// The next of `left` fibers: all of them if they are not many more than a batch.
    fn next(&self, left: usize) -> usize {
        let all = left <= self.size + self.size / 2 && left <= self.most;
        if all { left } else { self.size }
    }

    /// Learns from a batch.
    fn took(&mut self, time: Duration) {
        if time < SHORT {
            self.size = (2 * self.size).min(self.most);
        } else if time > LONG {
            self.size = (self.size / 2).max(LEAST).min(self.most);
        }
    }
}

/// Hears of rows as they finish, a batch at a time; its error ends the search.
pub(crate) type Finished<'f> = dyn FnMut(Vec<(usize, Found)>) -> Result<(), CliError> + 'f;

/// Searches the thresholds of all jobs; `finished` gets each under its index.
pub(crate) fn thresholds(
    jobs: &[(usize, &Job)],
    common: &Common,
    search: &Search,
    messages: Messages,
    finished: &mut Finished<'_>,
) -> Result<(), CliError> {
    let mut progress = messages.progress("thresholds", jobs.len());
    let mut done = 0;
    for group in groups(jobs.iter().copied()) {
        let first = group[0].1;
        messages.explain(format_args!(
            "{} fiber(s) of model {}, dt {} ms, tstop {} ms",
            group.len(),
            first.model.schema().id,
            first.dt_ms,
            first.tstop_ms
        ));
        let limits = ThresholdSearch {
            detection: first.detection.clone(),
            ..search.limits.clone()
        };
        let mut pace = Pace::new(BATCH.min(common.most_at_once(&group)));
        let mut left = group.as_slice();
        while !left.is_empty() {
            let begun = Instant::now();
            let (batch, rest) = left.split_at(pace.next(left.len()));
            left = rest;
            let mut rows = Vec::with_capacity(batch.len());
            let mut diverged = |index: usize, error: CliError| {
                let status = "diverged";
                rows.push((
                    index,
                    Found {
                        status,
                        ..Found::error(&error)
                    },
                ));
            };
            let ready = Batch::settled(batch.to_vec(), common, &mut diverged)?;
            if let Some((batch, ready)) = ready {
                let mut report = |fraction: f64| {
                    progress.update(done + (fraction * batch.len() as f64) as usize);
                };
                let thresholds =
                    ready
                        .simulation
                        .thresholds(&ready.stimulus, &limits, &mut report)?;
                for (fiber, ((index, _), threshold)) in batch.iter().zip(&thresholds).enumerate() {
                    rows.push((*index, Found::new(threshold, &ready, fiber, search.ends)));
                }
            }
            finished(rows)?;
            done += batch.len();
            progress.batch(done);
            pace.took(begun.elapsed());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_survives_being_kept() {
        for found in [
            Found {
                status: "ok",
                lower_ma: Some(0.1 + 0.2),
                upper_ma: Some(f64::MIN_POSITIVE),
                start: Some(SpikeStart {
                    node: 26,
                    z_um: -1.0 / 3.0,
                    time_ms: 0.1 + 0.7,
                }),
                message: String::new(),
            },
            Found {
                status: "no such status yet",
                message: "two\nlines, \"quoted\"".to_owned(),
                ..Found::default()
            },
        ] {
            let text = serde_json::to_string(&found).unwrap();
            assert_eq!(serde_json::from_str::<Found>(&text).unwrap(), found);
        }
        assert!(serde_json::from_str::<Found>("{\"status\": 1}").is_err());
    }

    #[test]
    fn batches_follow_the_pace_and_the_memory() {
        let mut pace = Pace::new(256);
        // Not a batch and a few left over.
        assert_eq!(
            (pace.next(172), pace.next(193), pace.next(5)),
            (172, 128, 5)
        );
        pace.took(Duration::from_millis(10));
        assert_eq!((pace.next(1000), pace.next(300)), (256, 256));
        for _ in 0..9 {
            pace.took(Duration::from_secs(60));
        }
        assert_eq!(pace.next(1000), LEAST);
        let mut narrow = Pace::new(3);
        narrow.took(Duration::ZERO);
        assert_eq!((narrow.next(100), narrow.next(4)), (3, 3));
        narrow.took(Duration::from_secs(60));
        assert_eq!(narrow.next(100), 3);
    }
}
