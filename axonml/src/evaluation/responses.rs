//! Action potentials of two models under the same stimulus, each at a multiple of its own threshold.

use axonml_models::{
    Amplitudes, FiberStatus, NodeSelection, Observation, ObserverKind, ObserverSpec, Response,
    ResponseDifference,
};

use crate::study::{Batch, Case, Listener, StudyError, groups, of_one};

/// A row's two runs, with their amplitudes in mA.
pub(super) struct Pair<'j> {
    /// The row.
    pub(super) index: usize,
    /// The evaluated model.
    pub(super) ours: (&'j Case, f64),
    /// The reference.
    pub(super) theirs: (&'j Case, f64),
}

/// How two runs compare.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    /// Arrival of the action potential at the detection nodes, ms.
    pub(super) arrival_ms: Option<f64>,
    /// Of the reference's.
    pub(super) reference_arrival_ms: Option<f64>,
    /// The differences, where both ran to the end.
    pub(super) difference: Option<ResponseDifference>,
    /// Why something is missing.
    pub(super) message: String,
}

/// Rows whose voltages are in memory at a time.
const CHUNK: usize = 32;

/// How far two models' nodes may lie apart and be compared, um.
const SAME_PLACE_UM: f64 = 1.0;

/// A run: the response and where its nodes lie, or why there is none.
type Ran = Result<(Response, Vec<f64>), String>;

/// Runs and compares all pairs; `found` gets each under its index.
pub(super) fn responses(
    pairs: &[Pair<'_>],
    listener: &mut dyn Listener,
    found: &mut dyn FnMut(usize, Compared),
) -> Result<(), StudyError> {
    let jobs = || pairs.iter().enumerate().map(|(at, pair)| (at, pair.ours.0));
    let mut done = 0;
    for group in groups(jobs()) {
        for chunk in group.chunks(CHUNK) {
            let chunk: Vec<&Pair<'_>> = chunk.iter().map(|(at, _)| &pairs[*at]).collect();
            let ours = run(&chunk.iter().map(|pair| pair.ours).collect::<Vec<_>>())?;
            let theirs = chunk.iter().map(|pair| pair.theirs).collect::<Vec<_>>();
            let theirs = run(&theirs)?;
            for ((pair, ours), theirs) in chunk.iter().zip(ours).zip(theirs) {
                found(pair.index, compare(pair, ours, theirs));
            }
            done += chunk.len();
            listener.batch("comparisons", done, pairs.len());
        }
    }
    Ok(())
}

/// The responses of jobs that share time grid and detection, in their order.
fn run(jobs: &[(&Case, f64)]) -> Result<Vec<Ran>, StudyError> {
    let mut ran: Vec<Ran> = vec![Err("did not run".to_owned()); jobs.len()];
    // References of one group may be of several models.
    for group in groups(jobs.iter().map(|(job, _)| *job).enumerate()) {
        let mut diverged = |index: usize, error: StudyError| ran[index] = Err(error.message());
        let Some((group, batch)) = Batch::settled(group, &mut diverged)? else {
            continue;
        };
        let every = ObserverSpec::new(
            ObserverKind::Recorder {
                states: Vec::new(),
                every: 1,
            },
            NodeSelection::All,
        );
        let amplitudes = group.iter().map(|(index, _)| jobs[*index].1).collect();
        let outcome =
            batch
                .simulation
                .run(&batch.stimulus, Amplitudes::Each(amplitudes), &[every])?;
        for (fiber, ((index, job), mut outcome)) in group.iter().zip(outcome.fibers).enumerate() {
            let recorded = outcome.observations.pop();
            ran[*index] = match (recorded, outcome.status) {
                (Some(Observation::Recorded(recording)), FiberStatus::Completed) => {
                    let level_mv = job.detection.threshold_mv;
                    let response =
                        Response::of_recording(recording, level_mv, job.detection.after_ms);
                    Ok((response, batch.simulation.nodes_um(fiber)))
                }
                (_, status) => Err(batch
                    .simulation
                    .divergence(fiber, status)
                    .map(|error| of_one(error).message())
                    .unwrap_or_else(|| "nothing was recorded".to_owned())),
            };
        }
    }
    Ok(ran)
}

fn compare(pair: &Pair<'_>, ours: Ran, theirs: Ran) -> Compared {
    let job = pair.ours.0;
    let detect = match job.detection.nodes(job.fiber.nodes) {
        Ok(nodes) => nodes,
        Err(error) => {
            return Compared {
                message: error.to_string(),
                ..Compared::default()
            };
        }
    };
    let arrival = |ran: &Ran| ran.as_ref().ok().and_then(|(r, _)| r.arrival_ms(&detect));
    let mut compared = Compared {
        arrival_ms: arrival(&ours),
        reference_arrival_ms: arrival(&theirs),
        ..Compared::default()
    };
    match (ours, theirs) {
        (Ok((ours, at)), Ok((theirs, reference_at))) => {
            let apart = at.iter().zip(&reference_at).map(|(a, b)| (a - b).abs());
            if apart.fold(0.0, f64::max) > SAME_PLACE_UM {
                compared.message =
                    "the nodes of model and reference lie elsewhere: not compared".to_owned();
            } else {
                compared.difference = Some(ours.difference(&theirs, &detect));
            }
        }
        (Err(why), _) => compared.message = format!("at {} mA: {why}", pair.ours.1),
        (_, Err(why)) => {
            compared.message = format!("the reference at {} mA: {why}", pair.theirs.1);
        }
    }
    compared
}
