//! Thresholds of many jobs: batch by batch, each result handed out as soon as it is there.

use axonml_models::{SpikeStart, Threshold, ThresholdKind, ThresholdSearch};

use crate::args::{EndExcitation, SearchArgs};
use crate::error::CliError;
use crate::job::{BATCH, Batch, Common, Job, groups, of_one};
use crate::messages::Messages;

/// What a search found, as results say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// As [`Threshold::status`] has it, or `error`.
    pub(crate) status: &'static str,
    /// Largest amplitude that failed, mA.
    pub(crate) lower_ma: Option<f64>,
    /// Smallest amplitude that fired, mA.
    pub(crate) upper_ma: Option<f64>,
    /// Where the first action potential began.
    pub(crate) start: Option<SpikeStart>,
    /// What else there is to say.
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

    /// What was found for a fiber of a batch.
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
                format!("at {amplitude_ma} mA {}", why.unwrap_or_default())
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
                ..default
            },
            ends: args.end_excitation.unwrap_or_default(),
        }
    }
}

/// Searches the thresholds of all jobs; `found` gets each under its index.
pub(crate) fn thresholds(
    jobs: &[(usize, &Job)],
    common: &Common,
    search: &Search,
    messages: Messages,
    found: &mut dyn FnMut(usize, Found),
) -> Result<(), CliError> {
    let mut progress = messages.progress("thresholds", jobs.len());
    let mut done = 0;
    for group in groups(jobs.iter().copied()) {
        let first = group[0].1;
        messages.explain(format_args!(
            "{} fibre(s) of model {}, dt {} ms, tstop {} ms",
            group.len(),
            first.model.schema().id,
            first.dt_ms,
            first.tstop_ms
        ));
        let limits = ThresholdSearch {
            detection: first.detection.clone(),
            ..search.limits.clone()
        };
        for batch in group.chunks(BATCH) {
            let mut diverged = |index: usize, error: CliError| {
                let status = "diverged";
                found(
                    index,
                    Found {
                        status,
                        ..Found::error(&error)
                    },
                );
            };
            if let Some((batch, ready)) = Batch::settled(batch.to_vec(), common, &mut diverged)? {
                let mut report = |fraction: f64| {
                    progress.update(done + (fraction * batch.len() as f64) as usize);
                };
                let thresholds =
                    ready
                        .simulation
                        .thresholds(&ready.stimulus, &limits, &mut report)?;
                for (fiber, ((index, _), threshold)) in batch.iter().zip(&thresholds).enumerate() {
                    found(*index, Found::new(threshold, &ready, fiber, search.ends));
                }
            }
            done += batch.len();
            progress.batch(done);
        }
    }
    Ok(())
}
