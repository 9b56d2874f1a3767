//! `axonml evaluate`: a model against reference thresholds, action potentials and traces.

use std::sync::Arc;

use axonml::evaluation::{Against, Evaluation, Traces, with_traces};
use axonml::study::{Plan, Setup, model_named};

use crate::args::EvaluateArgs;
use crate::error::{CliError, speak_flags};
use crate::input;
use crate::interrupt::OnSignal;
use crate::messages::{Messages, StudyListener};
use crate::pictures;
use crate::report::{Outputs, Target, keep_partial, output, write_results};

/// Compares.
pub(crate) fn evaluate(args: &EvaluateArgs, messages: Messages) -> Result<(), CliError> {
    let flags = &args.question;
    let outputs = Outputs::checked(&flags.output, &flags.plot)?;
    outputs.keep(&args.inputs())?;
    let targets = &outputs.targets;
    speak_flags();
    refuse_contradictions(args)?;
    let against = Against {
        reference: args.reference.as_deref().map(reference).transpose()?,
        at: args.at,
        thresholds_only: args.thresholds_only,
        traces: args.traces.clone(),
    };
    let study = args.study()?;
    let machine = flags.numerics.machine(messages)?;
    let setup = Arc::new(Setup::of(&study, &machine)?);
    let traces = Traces::read(&args.traces, &study, &setup);
    let traces = traces.map_err(|error| CliError::from(error).at("--traces"))?;
    if study.conditions.is_none() {
        let results = traces.compare(&mut StudyListener::new(messages, "traces"))?;
        return output(&results, targets, &flags.output, messages);
    }
    let plan = Plan::new(&study, &machine, &mut StudyListener::new(messages, "rows"))?;
    if let Some(sheet) = &plan.sheet {
        let nerves = args.conditions.nerves.as_deref();
        outputs.keep(&input::of_sheet(sheet, nerves))?;
    }
    let layout = pictures::Layout::of(&flags.plot)?;
    let mut listener = StudyListener::by_unit(messages);
    let evaluation = Arc::new(Evaluation::new(plan, against, &mut listener)?);
    let picture = pictures::Thresholds::new(evaluation.plan(), &layout)?;
    let refused = evaluation.refused();
    messages.skipped(refused.iter().map(|(_, error)| error.message()));
    work(&evaluation, targets, listener, messages)?;
    let mut results = evaluation.results(false);
    if !args.traces.is_empty() {
        let of_traces = traces.compare(&mut StudyListener::new(messages, "traces"))?;
        results = with_traces(results, of_traces);
    }
    output(&results, targets, &flags.output, messages)?;
    let (found, references) = &evaluation.thresholds();
    if let Some(path) = &flags.plot.plot {
        let picture = picture.picture(found, references)?;
        picture.save(path, &layout.page)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    match refused.len() {
        0 => Ok(()),
        failed => Err(CliError::failure(format!(
            "{failed} of {} rows could not be computed; see their status and message",
            found.len()
        ))),
    }
}

/// The model of `--reference`.
fn reference(name: &str) -> Result<axonml::Model, CliError> {
    model_named(name).map_err(|error| CliError::from(error).at("--reference"))
}

/// Compares the rows; what is finished is kept whatever ends the work.
fn work(
    evaluation: &Arc<Evaluation>,
    targets: &[Target],
    mut listener: StudyListener,
    messages: Messages,
) -> Result<(), CliError> {
    let keeper = {
        let (evaluation, targets) = (evaluation.clone(), targets.to_vec());
        OnSignal::keep(move || salvage(&evaluation, &targets))
    };
    let worked = evaluation.run(&mut listener);
    drop((keeper, listener));
    worked.map_err(|error| {
        let kept = salvage(evaluation, targets);
        kept.iter().for_each(|kept| messages.note(kept));
        error.into()
    })
}

/// Keeps what is finished: beside the files asked for, or on standard output.
fn salvage(evaluation: &Evaluation, targets: &[Target]) -> Vec<String> {
    let results = evaluation.results(true);
    let all = evaluation.plan().cases.len();
    keep_partial(&results, all, "row", targets, &|target| {
        write_results(&results, target)
    })
}

/// Refuses what cannot be evaluated.
fn refuse_contradictions(args: &EvaluateArgs) -> Result<(), CliError> {
    let flags = &args.question;
    if args.conditions.conditions.is_none() {
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
    if flags.output.part.is_some() || flags.output.print_study {
        return Err(CliError::request(
            "--part and --print-study have no effect: an evaluation is no study",
        )
        .help("leave them out"));
    }
    if flags.field.nerve.is_some() || flags.field.basis.is_some() {
        return Err(CliError::request(
            "--nerve and --basis: conditions and traces have fields of their own",
        )
        .help("leave them out; a table may name nerves, with --nerves ROOT"));
    }
    Ok(())
}
