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
use axonml::study::{
    Case, Found, Plan, Refused, Results, Setup, Study, StudyError, refused, search_thresholds,
    warn_of_doubts,
};
use axonml::{Fiber, FiberModel, model};

use crate::args::EvaluateArgs;
use crate::error::{CliError, speak_flags};
use crate::input;
use crate::interrupt::OnSignal;
use crate::messages::{Messages, StudyListener};
use crate::pictures;
use crate::report::{Outputs, Target, output};
use responses::responses;
use results::Evaluation;
use row::Row;

/// Multiple of each model's own threshold at which action potentials are compared.
const AT: f64 = 1.5;

/// Compares.
pub(crate) fn evaluate(args: &EvaluateArgs, messages: Messages) -> Result<(), CliError> {
    let flags = args;
    let outputs = Outputs::checked(&flags.question.output, &flags.question.plot)?;
    outputs.keep(&args.inputs())?;
    let targets = &outputs.targets;
    speak_flags();
    refuse_contradictions(args)?;
    let study = flags.study()?;
    let machine = flags.question.numerics.machine(messages)?;
    let setup = Arc::new(Setup::of(&study, &machine)?);
    let traces = traces::Traces::read(args, &setup)?;
    if study.conditions.is_none() {
        let report = traces.compare(args, &setup, messages)?;
        return output(&report, targets, &flags.question.output, messages);
    }
    let plan = Plan::new(&study, &machine, &mut StudyListener::new(messages, "rows"))?;
    if let Some(sheet) = &plan.sheet {
        let nerves = flags.conditions.nerves.as_deref();
        outputs.keep(&input::of_sheet(sheet, nerves))?;
    }
    let layout = pictures::Layout::of(&flags.question.plot)?;
    let picture = pictures::Thresholds::new(&plan, &layout)?;
    let outcome = of_plan(args, &plan, targets, messages)?;
    let mut report = outcome.report;
    if !args.traces.is_empty() {
        let of_traces = traces.compare(args, &setup, messages)?;
        report.words.extend(of_traces.words);
        let summary = of_traces.summary.into();
        report.summary.insert("traces".into(), summary);
        report.further.push(("traces", of_traces.table));
    }
    output(&report, targets, &flags.question.output, messages)?;
    if let Some(path) = &flags.question.plot.plot {
        let (found, references) = &outcome.thresholds;
        let picture = picture.picture(found, references)?;
        picture.save(path, &layout.page)?;
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
    let flags = args;
    if flags.conditions.conditions.is_none() {
        if args.traces.is_empty() {
            return Err(CliError::request("found nothing to compare with")
                .help("give --conditions FILE.csv, --traces FILE.npz, or both"));
        }
        let without_effect = [
            ("--plot", flags.question.plot.plot.is_some()),
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
    if flags.question.output.part.is_some() || flags.question.output.print_study {
        return Err(CliError::request(
            "--part and --print-study have no effect: an evaluation is no study",
        )
        .help("leave them out"));
    }
    if flags.question.field.nerve.is_some() || flags.question.field.basis.is_some() {
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

/// The case of a row for the reference model.
fn reference_case(job: &Case, reference: &'static dyn FiberModel, setup: &Arc<Setup>) -> Case {
    let schemas = (job.model.schema(), reference.schema());
    let same_lengths = schemas.0.compartment_um.is_some() && schemas.1.compartment_um.is_some();
    Case {
        model: reference,
        setup: setup.clone(),
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
    report: Results,
    /// Rows that could not be computed.
    failed: usize,
    /// Thresholds of the model, and their references.
    thresholds: (Vec<Found>, Vec<Option<f64>>),
}

/// Searches, runs and compares the rows of a table.
fn of_plan(
    args: &EvaluateArgs,
    plan: &Plan,
    targets: &[Target],
    messages: Messages,
) -> Result<Outcome, CliError> {
    let started = Instant::now();
    let flags = args;
    let mut request = plan.request.clone();
    let errors = plan.refused(flags.question.search.keep_going)?;
    messages.skipped(errors.iter().map(|(_, error)| error.message()));
    let mut listener = StudyListener::new(messages, "rows");
    warn_of_doubts(plan.cases().map(|(_, case)| case), &mut listener);
    let is_bad = |index: usize| errors.iter().any(|(bad, _)| *bad == index);

    // The reference runs with its own parameters; what both share are temperature, start, arithmetic and device.
    let own: Option<Arc<Setup>> = match plan.cases().next() {
        Some((_, case)) => Some(Arc::new(case.setup.with_own_parameters()?)),
        None => None,
    };
    let given_ma = |index: usize| match args.reference {
        Some(_) => None,
        None => plan.cases[index].reference_ma,
    };
    let mut references: Vec<Reference> = Vec::new();
    for (index, case) in plan.cases().filter(|(index, _)| !is_bad(*index)) {
        let sheet = plan.sheet.as_ref();
        let row_model = sheet.and_then(|sheet| sheet.cell(&sheet.records[index], "model"));
        let reference = reference_of(args, row_model, case.model.schema().id)?;
        if let (Some(reference), Some(setup)) = (reference, &own) {
            references.push(Reference {
                index,
                case: reference_case(case, reference, setup),
                searched: given_ma(index).is_none(),
            });
        }
    }
    if args.reference.is_some() && plan.has_references {
        messages.note("thresholds of --reference stand above the column threshold_mA");
    }
    check_references(args, plan, &references, &errors)?;

    let mut ids: Vec<&str> = references
        .iter()
        .map(|reference| reference.case.model.schema().id)
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

    let of_error = |index: usize| {
        let (_, error) = errors.iter().find(|(bad, _)| *bad == index)?;
        Some(Found {
            status: "error".to_owned(),
            message: error.message(),
            ..Found::default()
        })
    };
    let rows: Vec<Row> = plan
        .cases
        .iter()
        .enumerate()
        .map(|(index, planned)| Row {
            settings: planned.settings.clone(),
            reference_ma: given_ma(index),
            found: of_error(index),
            ..Row::default()
        })
        .collect();
    let evaluation = Arc::new(Evaluation {
        columns: plan.columns.clone(),
        groups: groups::keys(&plan.columns),
        responses: !args.thresholds_only && !references.is_empty(),
        rows: Mutex::new(rows),
        request: request.value(),
        started,
    });
    let keeper = {
        let (evaluation, targets) = (evaluation.clone(), targets.to_vec());
        OnSignal::keep(move || evaluation.salvage(&targets))
    };
    let work = Evaluated {
        study: &plan.study,
        cases: plan.cases().filter(|(index, _)| !is_bad(*index)).collect(),
        references,
    };
    let worked = work.work_through(args, &evaluation, messages);
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
    })
}

/// A row's case for the reference model.
struct Reference {
    /// The row.
    index: usize,
    case: Case,
    /// Whether its threshold is searched, not given.
    searched: bool,
}

/// Refuses rows without anything to compare with, and references that cannot be computed.
fn check_references(
    args: &EvaluateArgs,
    plan: &Plan,
    references: &[Reference],
    bad: &Refused,
) -> Result<(), CliError> {
    let has_none = |(index, _): &(usize, &Case)| {
        let given = args.reference.is_none() && plan.cases[*index].reference_ma.is_some();
        let computed = references.iter().any(|reference| reference.index == *index);
        !(bad.iter().any(|(bad, _)| bad == index) || given || computed)
    };
    if let Some((index, case)) = plan.cases().find(has_none) {
        return Err(CliError::request(format!(
            "{}: found no threshold_mA, and the row's model is the evaluated one, {}",
            plan.cases[index].name,
            case.model.schema().id
        ))
        .help("fill in the column threshold_mA, or give --reference MODEL"));
    }
    let needed = references
        .iter()
        .filter(|reference| reference.searched || !args.thresholds_only)
        .map(|reference| (reference.index, &reference.case));
    let errors: Vec<StudyError> = refused(needed)
        .into_iter()
        .map(|(index, error)| error.at("the reference").at(&plan.cases[index].name))
        .collect();
    let help =
        "choose another --reference, or give --thresholds-only where the table has thresholds";
    match StudyError::of_many(&errors) {
        None => Ok(()),
        Some(error) => Err(error.or_help(help).into()),
    }
}

/// The searches and runs that a table needs.
struct Evaluated<'w> {
    study: &'w Study,
    /// The evaluated model, by row.
    cases: Vec<(usize, &'w Case)>,
    references: Vec<Reference>,
}

impl Evaluated<'_> {
    /// Searches the thresholds of both, then compares their action potentials.
    fn work_through(
        &self,
        args: &EvaluateArgs,
        evaluation: &Evaluation,
        messages: Messages,
    ) -> Result<(), CliError> {
        let searched: Vec<(usize, &Case)> = self
            .references
            .iter()
            .filter(|reference| reference.searched)
            .map(|reference| (reference.index, &reference.case))
            .collect();
        let mut listener = StudyListener::new(messages, "thresholds");
        search_thresholds(self.study, searched, &mut listener, &mut |finished| {
            evaluation.with(|rows| {
                for (index, found) in finished {
                    rows[index].reference_ma = found.upper_ma;
                    rows[index].reference_status = Some(found.status);
                }
            });
            Ok(())
        })?;
        let mut listener = StudyListener::new(messages, "thresholds");
        let cases = self.cases.clone();
        search_thresholds(self.study, cases, &mut listener, &mut |finished| {
            evaluation.with(|rows| {
                for (index, found) in finished {
                    rows[index].found = Some(found);
                }
            });
            Ok(())
        })?;
        drop(listener);
        if args.thresholds_only {
            return Ok(());
        }
        let at = args.at.unwrap_or(AT);
        let cases: HashMap<usize, &Case> = self.cases.iter().copied().collect();
        let mut pairs = Vec::new();
        for Reference { index, case, .. } in &self.references {
            let amplitudes = evaluation.with(|rows| {
                let ours = rows[*index].found.as_ref().and_then(|found| found.upper_ma);
                ours.zip(rows[*index].reference_ma)
            });
            if let (Some((ours_ma, theirs_ma)), Some(ours)) = (amplitudes, cases.get(index)) {
                pairs.push(responses::Pair {
                    index: *index,
                    ours: (*ours, at * ours_ma),
                    theirs: (case, at * theirs_ma),
                });
            }
        }
        let mut keep = |index: usize, compared| {
            evaluation.with(|rows| rows[index].compared = Some(compared));
        };
        responses(&pairs, messages, &mut keep)
    }
}
