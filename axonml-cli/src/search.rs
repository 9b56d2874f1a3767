//! Thresholds of many jobs: batch by batch, each result handed out as soon as it is there.

use axonml_models::{Simulation, Threshold, ThresholdSearch};

use crate::args::SearchArgs;
use crate::error::CliError;
use crate::job::{BATCH, Batch, Common, Job, groups, of_one};
use crate::messages::Messages;

/// What a search found, as results say it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// `ok`, `no_activation`, `blocked`, `spontaneous`, `diverged` or `error`.
    pub(crate) status: &'static str,
    /// Largest amplitude that failed, mA.
    pub(crate) lower_ma: Option<f64>,
    /// Smallest amplitude that fired, mA.
    pub(crate) upper_ma: Option<f64>,
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

    fn new(threshold: &Threshold, simulation: &Simulation) -> Self {
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
            Threshold::Blocked { .. } => {
                "nodes cross the level, the detection nodes do not: conduction is blocked, or tstop ends before it arrives"
                    .to_owned()
            }
            _ => String::new(),
        };
        Found {
            status: threshold.status(),
            lower_ma: threshold.lower_ma(),
            upper_ma: threshold.upper_ma(),
            message,
        }
    }
}

/// The limits of the search, with the detection of the batch filled in by [`thresholds`].
pub(crate) fn limits(args: &SearchArgs) -> ThresholdSearch {
    let default = ThresholdSearch::default();
    ThresholdSearch {
        max_ma: args.max_amplitude.unwrap_or(default.max_ma),
        resolution: args.resolution.unwrap_or(default.resolution),
        ..default
    }
}

/// Searches the thresholds of all jobs; `found` gets each under its index.
pub(crate) fn thresholds(
    jobs: &[(usize, &Job)],
    common: &Common,
    limits: &ThresholdSearch,
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
            detect_nodes: first.detection.nodes.clone(),
            detect_threshold_mv: first.detection.threshold_mv,
            detect_after_ms: first.detection.after_ms,
            ..limits.clone()
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
                for ((index, _), threshold) in batch.iter().zip(&thresholds) {
                    found(*index, Found::new(threshold, &ready.simulation));
                }
            }
            done += batch.len();
            progress.batch(done);
        }
    }
    Ok(())
}
