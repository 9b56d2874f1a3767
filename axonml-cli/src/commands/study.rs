//! Studies: what every command about fibers comes down to.

use std::path::Path;

use axonml::simulation::CancelToken;
use axonml::study::{
    EndExcitation, Execution, Machine, Outcome, Plan, Protocol, Results, Share, Study, StudyError,
    counted, recordings_npz, share_text,
};

use crate::args::{OutputArgs, PlotArgs, TableFormat};
use crate::error::{CliError, speak_flags};
use crate::input;
use crate::interrupt::OnSignal;
use crate::messages::{Messages, StudyListener};
use crate::pictures::{self, Layout};
use crate::report::{Form, Outputs, Target, print, print_results, show, write, write_results};

/// Where a study's results go, and which share of it is computed.
pub(crate) struct Request<'a> {
    /// The study.
    pub(crate) study: Study,
    /// The file that it was read from, for messages about it.
    pub(crate) file: Option<&'a Path>,
    /// Files and format.
    pub(crate) output: &'a OutputArgs,
    /// Picture.
    pub(crate) plot: &'a PlotArgs,
    /// Cases as progress calls them.
    pub(crate) noun: &'static str,
}

/// Plans a study, computes it, writes and prints its results.
///
/// `open` opens the machine, once nothing else is wrong with the request.
pub(crate) fn perform(
    request: &Request<'_>,
    open: impl FnOnce() -> Result<Machine, CliError>,
    messages: Messages,
) -> Result<(), CliError> {
    let Request {
        study,
        file,
        output,
        plot,
        noun,
    } = request;
    if file.is_none() {
        speak_flags();
    }
    if output.print_study {
        return print(&study.to_toml()?);
    }
    let outputs = Outputs::checked(output, plot)?;
    let layout = Layout::of(plot)?;
    outputs.keep(&input::of_study(study))?;
    let share = output.share(&outputs.targets, plot)?;
    let cancel = CancelToken::default();
    let machine = Machine {
        cancel: cancel.clone(),
        ..open()?
    };
    let on_signal = OnSignal::cancel(cancel);
    let mut listener = StudyListener::new(messages, noun);
    let in_file = |error: StudyError| match file {
        Some(path) => error.at(path.display()),
        None => error,
    };
    let plan = Plan::new(study, &machine, &mut listener).map_err(in_file)?;
    if let Some(sheet) = &plan.sheet {
        let nerves = study
            .conditions
            .as_ref()
            .and_then(|of| of.nerves.as_deref());
        outputs.keep(&input::of_sheet(sheet, nerves))?;
    }
    if plot.plot.is_some() {
        pictures::check(&plan, &layout)?;
    }
    let keep_going = study.output.keep_going;
    let refused = plan.refused(keep_going).map_err(in_file)?;
    messages.skipped(refused.iter().map(|(_, error)| error.message()));

    // Recordings are not kept as they come: a run that makes some is done in one piece.
    let recording = outputs.targets.iter().any(takes_recordings(study));
    check_recording(study, recording).map_err(in_file)?;
    let first = outputs.targets.first().filter(|_| !recording);
    let execution = Execution {
        journal: first.map(Target::journal),
        share,
    };
    let ran = plan.run_without(&refused, &execution, &mut listener);
    drop(listener);
    let mut outcome = ran?;
    if outcome.canceled {
        return Err(interrupted(
            &plan,
            &outcome,
            &outputs.targets,
            recording,
            on_signal,
        )?);
    }
    if let Some(share) = share {
        let text = share_text(&plan, share, &outcome)?;
        for target in &outputs.targets {
            target.write(text.as_bytes())?;
            messages.note(format_args!("wrote part {share} to {}", target.name()));
        }
        outcome.discard_journal()?;
        return verdict(&plan, &outcome, None);
    }
    let results = plan.results(&outcome)?;
    let (recordings, tables): (Vec<Target>, Vec<Target>) = outputs
        .targets
        .iter()
        .cloned()
        .partition(takes_recordings(study));
    for target in &recordings {
        target.write(&recordings_npz(&plan, &outcome.answers, &results)?)?;
        messages.note(format_args!("wrote {}", target.name()));
    }
    write(&results, &tables, messages)?;
    drop(on_signal);
    outcome.discard_journal()?;
    // A recording shows no results: print the table as if there were no file.
    show(&results, &tables, output)?;
    if let Some(path) = &plot.plot {
        pictures::draw(&plan, &outcome, &results, path, &layout)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    verdict(&plan, &outcome, Some(&results))
}

/// Refuses a recording that no file takes, and a file for a recording that the study does not ask for.
fn check_recording(study: &Study, recording: bool) -> Result<(), StudyError> {
    let Protocol::Run(run) = &study.protocol else {
        return Ok(());
    };
    match (run.record.is_some(), recording) {
        (true, false) => Err(StudyError::request(
            "protocol: record has no effect: no file takes a recording",
        )
        .help("give -o FILE.npz, or leave record out")),
        (false, true) => Err(StudyError::request(
            "-o: found a .npz file for a recording, but the study records nothing",
        )
        .help("add record = {} to [protocol], or write results as .csv or .json")),
        _ => Ok(()),
    }
}

/// Whether a file takes recordings instead of rows.
fn takes_recordings(study: &Study) -> impl Fn(&Target) -> bool + use<> {
    let is_run = matches!(study.protocol, Protocol::Run(_));
    move |target| is_run && target.form == Form::Npz
}

/// Says what is kept of interrupted work, and makes the error of it.
fn interrupted(
    plan: &Plan,
    outcome: &Outcome,
    targets: &[Target],
    records: bool,
    on_signal: OnSignal,
) -> Result<CliError, CliError> {
    let done = outcome.finished();
    let of_all = format!("{done} of {}", counted(plan.cases.len(), "row"));
    let kept = match targets.first() {
        _ if done == 0 => "nothing was finished yet".to_owned(),
        Some(first) if !records => format!(
            "{of_all} are kept in {}; the same command goes on",
            first.journal().display()
        ),
        Some(_) => {
            let results = plan.results(outcome)?;
            let mut files = Vec::new();
            for target in targets {
                let partial = target.partial();
                if records && target.form == Form::Npz {
                    partial.write(&recordings_npz(plan, &outcome.answers, &results)?)?;
                    files.push(partial.name());
                } else {
                    files.extend(write_results(&results, &partial)?);
                }
            }
            format!("{of_all} are kept in {}", files.join(" and "))
        }
        None => {
            print_results(&plan.results(outcome)?, TableFormat::Table)?;
            format!("{of_all} were finished and are printed")
        }
    };
    Ok(on_signal.interrupted(&kept))
}

/// A failure if cases were skipped, diverged, or began where the study does not accept it.
pub(super) fn verdict(
    plan: &Plan,
    outcome: &Outcome,
    results: Option<&Results>,
) -> Result<(), CliError> {
    let rows = plan.cases.len();
    let statuses = |name: &str| {
        let table = results.map(|results| &results.table);
        let column = table.and_then(|table| table.column("status"));
        let rows = table.into_iter().flat_map(|table| &table.rows);
        rows.filter(|row| column.is_some_and(|at| row[at].exact() == name))
            .count()
    };
    let ends = plan.study.search.end_excitation.unwrap_or_default();
    let at_ends = statuses("end_excitation");
    if ends == EndExcitation::Error && at_ends > 0 {
        return Err(CliError::failure(format!(
            "{at_ends} of {rows} action potentials begin at an end of the simulated fiber"
        ))
        .help("make fibers longer with --nodes or --length; the messages of the rows tell how many nodes would do"));
    }
    // In a run divergence is the answer that was not asked for; a search reports it as one of its statuses.
    if let (Protocol::Run(_), Some(results)) = (&plan.study.protocol, results) {
        let diverged = diverged(plan, results);
        if let Some(error) = StudyError::of_many(&diverged) {
            return Err(error.into());
        }
    }
    // Cases that were refused, and those that turned out to have no answer.
    let without = statuses("error").max(outcome.refused);
    match without {
        0 => Ok(()),
        refused if matches!(plan.study.protocol, Protocol::Run(_)) => Err(CliError::failure(
            format!("{refused} of {rows} fibers could not be run"),
        )),
        refused => Err(CliError::failure(format!(
            "{refused} of {rows} rows could not be computed; see their status and message"
        ))),
    }
}

/// The fibers of a run that diverged.
fn diverged(plan: &Plan, results: &Results) -> Vec<StudyError> {
    let table = &results.table;
    let of = |row: usize, column: &str| table.cell(row, column).map(|cell| cell.exact());
    let cases = plan.cases.iter().enumerate();
    cases
        .filter(|(row, _)| of(*row, "status").as_deref() == Some("diverged"))
        .map(|(row, planned)| {
            let message = of(row, "message").unwrap_or_default();
            StudyError::failure(message).at(&planned.name)
        })
        .collect()
}

/// The share that the flags or a SLURM array ask for.
impl OutputArgs {
    fn share(&self, targets: &[Target], plot: &PlotArgs) -> Result<Option<Share>, CliError> {
        let Some(part) = &self.part else {
            return Ok(None);
        };
        let share = match part.as_str() {
            "slurm" => Share::of_slurm(|name| std::env::var(name).ok())
                .map_err(|why| CliError::request(why).at("--part slurm"))?
                .ok_or_else(|| {
                    CliError::request("--part slurm: SLURM_ARRAY_TASK_ID is not set")
                        .help("submit the command as a task of an array, or give --part I/N")
                })?,
            text => text
                .parse()
                .map_err(|why| CliError::request(format!("--part {text}: {why}")))?,
        };
        let json = |target: &Target| target.form == Form::Json;
        if targets.is_empty() || !targets.iter().all(json) {
            return Err(CliError::request("--part: a part is written as .json")
                .help("give -o PART.json; `axonml merge` makes the other forms of all parts"));
        }
        if plot.plot.is_some() {
            return Err(CliError::request(
                "--plot has no effect on a part: a picture shows all rows",
            )
            .help("give --plot to `axonml merge`"));
        }
        Ok(Some(share))
    }
}
