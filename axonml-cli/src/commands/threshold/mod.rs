//! `axonml threshold`: activation thresholds.

mod partial;
mod results;
mod work;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::args::{EndExcitation, ThresholdArgs};
use crate::common::Common;
use crate::conditions::Sheet;
use crate::error::CliError;
use crate::interrupt::OnSignal;
use crate::job::Job;
use crate::messages::Messages;
use crate::report::{Outputs, Target, show, write};
use crate::search::{Found, Search, thresholds};
use partial::Partial;
use results::Results;
use work::of_fibers;
pub(super) use work::{Work, of_table};

/// Finds the thresholds.
pub(crate) fn threshold(args: &ThresholdArgs, messages: Messages) -> Result<(), CliError> {
    let outputs = Outputs::checked(&args.output, &args.plot)?;
    outputs.keep(&args.inputs())?;
    let targets = &outputs.targets;
    let common = Common::from_args(&args.model, &args.fiber, &args.numerics, messages)?;
    messages.explain(format_args!("backend: {}", common.device.name()));
    let work = match &args.conditions.conditions {
        Some(path) => {
            let sheet = Sheet::read(path, messages)?;
            outputs.keep(&sheet.files(args.conditions.nerves.as_deref()))?;
            of_table(args, sheet, &common, messages)?
        }
        None => of_fibers(args, &common, messages)?,
    };
    finish(args, work, &common, targets, messages)
}

/// Searches, prints, writes, draws.
fn finish(
    args: &ThresholdArgs,
    work: Work,
    common: &Common,
    targets: &[Target],
    messages: Messages,
) -> Result<(), CliError> {
    let started = Instant::now();
    let errors = work.refused(common, args.search.keep_going, messages)?;
    common.warn(work.jobs().map(|(_, job)| job), messages);
    let Work {
        columns,
        lines,
        has_references,
        mut request,
        picture,
    } = work;
    let mut answers: Vec<Option<Found>> = vec![None; lines.len()];
    for (index, error) in &errors {
        answers[*index] = Some(Found::error(error));
    }

    let search = Search::of(&args.search);
    request.put_jobs(lines.iter().filter_map(|line| line.job.as_ref().ok()));
    request.put_search(&search.limits);
    // It decides about statuses, which unfinished rows keep.
    let ends = match search.ends {
        EndExcitation::Report => "report",
        EndExcitation::Accept => "accept",
        EndExcitation::Error => "error",
    };
    request.put("end_excitation", ends);
    let rows: Vec<_> = lines
        .iter()
        .map(|line| (line.settings.clone(), line.reference_ma))
        .collect();
    let request = request.value();
    let partial = match targets.first() {
        Some(first) => Some(Partial::open(
            first,
            &request,
            &rows,
            &mut answers,
            messages,
        )?),
        None => None,
    };
    let jobs: Vec<(usize, &Job)> = lines
        .iter()
        .enumerate()
        .filter(|(index, _)| answers[*index].is_none())
        .filter_map(|(index, line)| Some((index, line.job.as_ref().ok()?)))
        .collect();
    let results = Arc::new(Results {
        columns,
        rows,
        has_references,
        found: Mutex::new(answers),
        partial: Mutex::new(partial),
        request,
        started,
    });
    let on_signal = {
        let results = results.clone();
        OnSignal::keep(move || results.salvage())
    };
    thresholds(&jobs, common, &search, messages, &mut |rows| {
        results.keep(rows)
    })?;

    let report = results.report(false);
    write(&report, targets, messages)?;
    drop(on_signal);
    results.settle()?;
    show(&report, targets, &args.output)?;
    if let Some(path) = &args.plot.plot {
        let found: Vec<Found> = results.snapshot().into_iter().flatten().collect();
        let references: Vec<Option<f64>> = lines.iter().map(|line| line.reference_ma).collect();
        picture.draw(&found, &references, path)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    let at_ends = |found: &Found| found.status == "end_excitation";
    let at_ends = results
        .snapshot()
        .iter()
        .flatten()
        .filter(|found| at_ends(found))
        .count();
    if search.ends == EndExcitation::Error && at_ends > 0 {
        return Err(CliError::failure(format!(
            "{at_ends} of {} action potentials begin at an end of the simulated fiber",
            results.rows.len()
        ))
        .help("make fibers longer with --nodes or --length; the messages of the rows tell how many nodes would do"));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        let (bad, all) = (errors.len(), results.rows.len());
        Err(CliError::failure(format!(
            "{bad} of {all} rows could not be computed; see their status and message"
        )))
    }
}
