//! An evaluation in one call: the table of a study, recorded traces, or both.

use std::sync::Arc;

use super::{Against, Evaluation, Traces};
use crate::study::{Listener, Machine, Plan, Results, Setup, Study, StudyError};

/// Compares the model of `study` with the thresholds of its table of conditions, those of another model, and recorded traces.
///
/// # Errors
/// [`StudyError`] if there is nothing to compare with, if rows cannot be prepared (unless the study keeps going), or if the work
/// fails or is canceled: then nothing is kept, which an [`Evaluation`] of one's own can do.
pub fn evaluate(
    study: &Study,
    against: Against,
    machine: &Machine,
    listener: &mut dyn Listener,
) -> Result<Results, StudyError> {
    let setup = Arc::new(Setup::of(study, machine)?);
    let has_traces = !against.traces.is_empty();
    let traces = Traces::read(&against.traces, study, &setup)?;
    if study.conditions.is_none() {
        if !has_traces {
            return Err(StudyError::request("found nothing to compare with")
                .help("name a table of conditions in the study, files of traces, or both"));
        }
        if against.reference.is_some() || against.at.is_some() || against.thresholds_only {
            return Err(StudyError::request(
                "found a reference, a multiple of thresholds or thresholds alone, which have no effect on traces",
            )
            .help("name a table of conditions in the study, or leave them out"));
        }
        return traces.compare(listener);
    }
    let plan = Plan::new(study, machine, listener)?;
    let evaluation = Evaluation::new(plan, against, listener)?;
    evaluation.run(listener)?;
    let results = evaluation.results(false);
    match has_traces {
        true => Ok(with_traces(results, traces.compare(listener)?)),
        false => Ok(results),
    }
}

/// The results of a table with those of traces beside them.
pub fn with_traces(mut results: Results, of_traces: Results) -> Results {
    results.words.extend(of_traces.words);
    let summary = of_traces.summary.into();
    results.summary.insert("traces".into(), summary);
    results.further.push(("traces", of_traces.table));
    results
}
