//! `axonml evaluate`: a model against reference thresholds, action potentials and traces.

mod groups;
mod responses;
mod results;
mod row;
mod traces;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axonml::simulation::provenance::file_sha256;
use axonml::{Fiber, FiberModel, model};

use super::threshold::{Work, of_table};
use crate::args::EvaluateArgs;
use crate::batch::refused;
use crate::common::Common;
use crate::conditions::Sheet;
use crate::error::CliError;
use crate::interrupt::OnSignal;
use crate::job::Job;
use crate::messages::Messages;
use crate::pictures;
use crate::report::{Outputs, Report, Target, output};
use crate::search::{Found, Search, thresholds};
use responses::responses;
use results::Evaluation;
use row::Row;

/// Multiple of each model's own threshold at which action potentials are compared.
const AT: f64 = 1.5;

/// Compares.
pub(crate) fn evaluate(args: &EvaluateArgs, messages: Messages) -> Result<(), CliError> {
    let flags = &args.threshold;
    let outputs = Outputs::checked(&flags.output, &flags.plot)?;
    outputs.keep(&args.inputs())?;
    let targets = &outputs.targets;
    refuse_contradictions(args)?;
    let common = Common::from_args(&flags.model, &flags.fiber, &flags.numerics, messages)?;
    messages.explain(format_args!("backend: {}", common.device.name()));
    let traces = traces::Traces::read(args, &common)?;
    let Some(path) = &flags.conditions.conditions else {
        let report = traces.compare(args, &common, messages)?;
        return output(&report, targets, &flags.output, messages);
    };
    let sheet = Sheet::read(path, messages)?;
    outputs.keep(&sheet.files(flags.conditions.nerves.as_deref()))?;
    let work = of_table(flags, sheet.clone(), &common, messages)?;
    let outcome = of_work(args, &sheet, work, &common, targets, messages)?;
    let mut report = outcome.report;
    if !args.traces.is_empty() {
        let of_traces = traces.compare(args, &common, messages)?;
        report.words.extend(of_traces.words);
        let summary = of_traces.summary.into();
        report.summary.insert("traces".into(), summary);
        report.traces = Some(of_traces.table);
    }
    output(&report, targets, &flags.output, messages)?;
    if let Some(path) = &flags.plot.plot {
        let (found, references) = &outcome.thresholds;
        outcome.picture.draw(found, references, path)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    match outcome.failed {
        0 => Ok(()),
        failed => Err(CliError::failure(format!(
            "{failed} of {} rows could not be computed; see their status and message",
            outcome.thresholds.0.len()
        ))),
    }
}

/// Hashes of files of traces.
fn traces_sha256(paths: &[PathBuf]) -> Result<Vec<String>, CliError> {
    let hash = |path: &PathBuf| {
        file_sha256(path)
            .map_err(|error| CliError::request(error).at(format!("--traces {}", path.display())))
    };
    paths.iter().map(hash).collect()
}

/// Refuses what cannot be evaluated.
fn refuse_contradictions(args: &EvaluateArgs) -> Result<(), CliError> {
    let flags = &args.threshold;
    if flags.conditions.conditions.is_none() {
        if args.traces.is_empty() {
            return Err(CliError::request("found nothing to compare with")
                .help("give --conditions FILE.csv, --traces FILE.npz, or both"));
        }
        let without_effect = [
            ("--plot", flags.plot.plot.is_some()),
            ("--reference", args.reference.is_some()),
            ("--at", args.at.is_some()),
        ];
        if let Some((flag, _)) = without_effect.iter().find(|(_, given)| *given) {
            return Err(CliError::request(format!(
                "{flag} has no effect on traces: it is about thresholds"
            ))
            .help("give --conditions FILE.csv, or leave it out"));
        }
    }
    if flags.field.nerve.is_some() || flags.field.basis.is_some() {
        return Err(CliError::request(
            "--nerve and --basis: conditions and traces have fields of their own",
        )
        .help("leave them out; a table may name nerves, with --nerves ROOT"));
    }
    Ok(())
}

/// The model that a row is compared with, if any: the one asked for, or the row's own where another is evaluated.
fn reference_of(
    args: &EvaluateArgs,
    row_model: Option<&str>,
    evaluated: &str,
) -> Result<Option<&'static dyn FiberModel>, CliError> {
    if let Some(name) = &args.reference {
        return Ok(Some(
            model(name).map_err(|error| CliError::from(error).at("--reference"))?,
        ));
    }
    let of_row = model(row_model.unwrap_or("mrg")).ok();
    Ok(of_row.filter(|model| model.schema().id != evaluated))
}

/// The job of a row for the reference model.
fn reference_job(job: &Job, reference: &'static dyn FiberModel) -> Job {
    let schemas = (job.model.schema(), reference.schema());
    let same_lengths = schemas.0.compartment_um.is_some() && schemas.1.compartment_um.is_some();
    Job {
        model: reference,
        fiber: Fiber {
            compartment_um: job.fiber.compartment_um.filter(|_| same_lengths),
            ..job.fiber
        },
        length_um: None,
        ..job.clone()
    }
}

/// Results of a table.
struct Outcome {
    report: Report,
    /// Rows that could not be computed.
    failed: usize,
    /// Thresholds of the model, and their references.
    thresholds: (Vec<Found>, Vec<Option<f64>>),
    picture: pictures::Thresholds,
}

/// Searches, runs and compares the rows of a table.
fn of_work(
    args: &EvaluateArgs,
    sheet: &Sheet,
    mut work: Work,
    common: &Common,
    targets: &[Target],
    messages: Messages,
) -> Result<Outcome, CliError> {
    let started = Instant::now();
    let flags = &args.threshold;
    let mut request = std::mem::take(&mut work.request);
    let errors = work.refused(common, flags.search.keep_going, messages)?;
    common.warn(work.jobs().map(|(_, job)| job), messages);
    let bad: HashMap<usize, Found> = errors
        .iter()
        .map(|(index, error)| (*index, Found::error(error)))
        .collect();

    // The reference runs with its own parameters; what both share are temperature, start, arithmetic and device.
    let reference_common = common.with_own_parameters()?;
    let given_ma = |index: usize| match args.reference {
        Some(_) => None,
        None => work.lines[index].reference_ma,
    };
    let mut references: Vec<Reference> = Vec::new();
    for (index, job) in work.jobs().filter(|(index, _)| !bad.contains_key(index)) {
        let row_model = sheet.cell(&sheet.records[index], "model");
        if let Some(reference) = reference_of(args, row_model, job.model.schema().id)? {
            references.push(Reference {
                index,
                job: reference_job(job, reference),
                searched: given_ma(index).is_none(),
            });
        }
    }
    if args.reference.is_some() && work.has_references {
        messages.note("thresholds of --reference stand above the column threshold_mA");
    }
    check_references(args, &work, &references, &bad, &reference_common)?;

    let search = Search::of(&flags.search);
    let mut ids: Vec<&str> = references
        .iter()
        .map(|reference| reference.job.model.schema().id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let at = args.at.unwrap_or(AT);
    request.put("command", "evaluate");
    request.put("reference", ids);
    request.put("at", (!args.thresholds_only).then_some(at));
    let traces = args.traces.iter().map(|path| path.display().to_string());
    request.put("traces", traces.collect::<Vec<_>>());
    request.put("traces_sha256", traces_sha256(&args.traces)?);
    let all: Vec<&Job> = work.jobs().map(|(_, job)| job).collect();
    request.put_jobs(all.into_iter());
    request.put_search(&search.limits);

    let rows: Vec<Row> = work
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| Row {
            settings: line.settings.clone(),
            reference_ma: given_ma(index),
            found: bad.get(&index).cloned(),
            ..Row::default()
        })
        .collect();
    let jobs: Vec<(usize, &Job)> = work
        .jobs()
        .filter(|(index, _)| !bad.contains_key(index))
        .collect();
    let evaluation = Arc::new(Evaluation {
        columns: work.columns.clone(),
        groups: groups::keys(&work.columns),
        responses: !args.thresholds_only && !references.is_empty(),
        rows: Mutex::new(rows),
        request: request.value(),
        started,
    });
    let keeper = {
        let (evaluation, targets) = (evaluation.clone(), targets.to_vec());
        OnSignal::keep(move || evaluation.salvage(&targets))
    };
    let plan = Plan {
        jobs,
        common,
        references,
        reference_common,
    };
    let worked = plan.work_through(args, &evaluation, messages);
    drop(keeper);
    if let Err(error) = worked {
        // What is finished is kept whatever ended the work.
        let kept = evaluation.salvage(targets);
        kept.iter().for_each(|kept| messages.note(kept));
        return Err(error);
    }

    Ok(Outcome {
        report: evaluation.report(false),
        failed: errors.len(),
        thresholds: evaluation.thresholds(),
        picture: work.picture,
    })
}

/// A row's job for the reference model.
struct Reference {
    /// The row.
    index: usize,
    job: Job,
    /// Whether its threshold is searched, not given.
    searched: bool,
}

/// Refuses rows without anything to compare with, and references that cannot be computed.
fn check_references(
    args: &EvaluateArgs,
    work: &Work,
    references: &[Reference],
    bad: &HashMap<usize, Found>,
    common: &Common,
) -> Result<(), CliError> {
    let has_none = |(index, _): &(usize, &Job)| {
        let given = args.reference.is_none() && work.lines[*index].reference_ma.is_some();
        let computed = references.iter().any(|reference| reference.index == *index);
        !(bad.contains_key(index) || given || computed)
    };
    if let Some((index, job)) = work.jobs().find(has_none) {
        return Err(CliError::request(format!(
            "{}: found no threshold_mA, and the row's model is the evaluated one, {}",
            work.lines[index].name,
            job.model.schema().id
        ))
        .help("fill in the column threshold_mA, or give --reference MODEL"));
    }
    let needed = references
        .iter()
        .filter(|reference| reference.searched || !args.thresholds_only)
        .map(|reference| (reference.index, &reference.job));
    let errors: Vec<CliError> = refused(needed, common)
        .into_iter()
        .map(|(index, error)| error.at("the reference").at(&work.lines[index].name))
        .collect();
    let help =
        "choose another --reference, or give --thresholds-only where the table has thresholds";
    CliError::of_many(&errors).map_or(Ok(()), |error| Err(error.or_help(help)))
}

/// The searches and runs that a table needs.
struct Plan<'w> {
    /// The evaluated model, by row.
    jobs: Vec<(usize, &'w Job)>,
    common: &'w Common,
    references: Vec<Reference>,
    reference_common: Common,
}

impl Plan<'_> {
    /// Searches the thresholds of both, then compares their action potentials.
    fn work_through(
        &self,
        args: &EvaluateArgs,
        evaluation: &Evaluation,
        messages: Messages,
    ) -> Result<(), CliError> {
        let search = Search::of(&args.threshold.search);
        let searched: Vec<(usize, &Job)> = self
            .references
            .iter()
            .filter(|reference| reference.searched)
            .map(|reference| (reference.index, &reference.job))
            .collect();
        thresholds(
            &searched,
            &self.reference_common,
            &search,
            messages,
            &mut |finished| {
                evaluation.with(|rows| {
                    for (index, found) in finished {
                        rows[index].reference_ma = found.upper_ma;
                        rows[index].reference_status = Some(found.status);
                    }
                });
                Ok(())
            },
        )?;
        thresholds(
            &self.jobs,
            self.common,
            &search,
            messages,
            &mut |finished| {
                evaluation.with(|rows| {
                    for (index, found) in finished {
                        rows[index].found = Some(found);
                    }
                });
                Ok(())
            },
        )?;
        if args.thresholds_only {
            return Ok(());
        }
        let at = args.at.unwrap_or(AT);
        let jobs: HashMap<usize, &Job> = self.jobs.iter().copied().collect();
        let mut pairs = Vec::new();
        for Reference { index, job, .. } in &self.references {
            let amplitudes = evaluation.with(|rows| {
                let ours = rows[*index].found.as_ref().and_then(|found| found.upper_ma);
                ours.zip(rows[*index].reference_ma)
            });
            if let (Some((ours_ma, theirs_ma)), Some(ours)) = (amplitudes, jobs.get(index)) {
                pairs.push(responses::Pair {
                    index: *index,
                    ours: (*ours, at * ours_ma),
                    theirs: (job, at * theirs_ma),
                });
            }
        }
        let mut keep = |index: usize, compared| {
            evaluation.with(|rows| rows[index].compared = Some(compared));
        };
        responses(
            &pairs,
            self.common,
            &self.reference_common,
            messages,
            &mut keep,
        )
    }
}
