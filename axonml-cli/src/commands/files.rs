//! `axonml study`, `axonml merge`, `axonml rerun`: studies from files, parts put together, results computed again.

use std::path::Path;

use axonml::simulation::CancelToken;
use axonml::study::{
    Machine, Protocol, Study, device, merge as merge_parts, rerun as run_again, study_of,
};
use axonml::table::read_text_file;

use super::optimize;
use super::study::{Request, perform, verdict};
use crate::args::{MergeArgs, RerunArgs, StudyArgs};
use crate::error::CliError;
use crate::input::{self, Input};
use crate::interrupt::OnSignal;
use crate::messages::{Messages, StudyListener};
use crate::pictures::{self, Layout};
use crate::report::{Outputs, output, print};

/// Runs the study in a file.
pub(crate) fn study(args: &StudyArgs, messages: Messages) -> Result<(), CliError> {
    let mut study = read_study(&args.file)?;
    if let Some(backend) = &args.machine.backend {
        study.numerics.backend = Some(backend.clone());
    }
    if !args.output.print_study {
        let outputs = Outputs::checked(&args.output, &args.plot)?;
        outputs.keep(&[Input::of("the study", &args.file)])?;
    }
    let open = || {
        let machine = args.machine.open(&study, messages);
        // The backend is the flag's, else the file's.
        machine.map_err(|error| match args.machine.backend {
            Some(_) => error,
            None => error.at(args.file.display()),
        })
    };
    if matches!(study.protocol, Protocol::Optimize(_)) {
        return optimize::of_file(&study, args, open, messages);
    }
    if args.save_dir.is_some() {
        return Err(CliError::request(format!(
            "--save-dir has no effect: `{}` is no optimization, and keeps its rows beside the file of -o",
            study.protocol.kind()
        ))
        .help("leave it out"));
    }
    let request = Request {
        study: study.clone(),
        file: Some(&args.file),
        output: &args.output,
        plot: &args.plot,
        noun: "cases",
    };
    perform(&request, open, messages)
}

/// Reads a study, TOML unless the file's name ends in .json.
fn read_study(path: &Path) -> Result<Study, CliError> {
    let text = read_text(path)?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let read = match is_json {
        true => Study::from_json(&text),
        false => Study::from_toml(&text),
    };
    Ok(read.map_err(|error| {
        error
            .at(path.display())
            .or_help("`--print-study` on any command prints a study to begin with")
    })?)
}

fn read_text(path: &Path) -> Result<String, CliError> {
    let bytes = read_text_file(path).map_err(|error| {
        CliError::request(format!("{}: {error}", path.display())).help("name an existing file")
    })?;
    String::from_utf8(bytes)
        .map_err(|_| CliError::request(format!("{}: found no UTF-8 text", path.display())))
}

/// Puts the parts of a study together.
pub(crate) fn merge(args: &MergeArgs, messages: Messages) -> Result<(), CliError> {
    if args.output.part.is_some() || args.output.print_study {
        return Err(CliError::request(
            "--part and --print-study have no effect: the parts are computed",
        )
        .help("leave them out"));
    }
    let outputs = Outputs::checked(&args.output, &args.plot)?;
    let layout = Layout::of(&args.plot)?;
    let inputs: Vec<Input> = args
        .parts
        .iter()
        .map(|path| Input::of("part", path))
        .collect();
    outputs.keep(&inputs)?;
    let mut files = Vec::new();
    for path in &args.parts {
        files.push((path.display().to_string(), read_text(path)?));
    }
    let machine = Machine::new(axonml::Device::auto()?);
    let mut listener = StudyListener::new(messages, "cases");
    let (plan, outcome, results) = merge_parts(&files, &machine, &mut listener)?;
    outputs.keep(&input::of_study(&plan.study))?;
    if args.plot.plot.is_some() {
        pictures::check(&plan, &layout)?;
    }
    output(&results, &outputs.targets, &args.output, messages)?;
    if let Some(path) = &args.plot.plot {
        pictures::draw(&plan, &outcome, &results, path, &layout)?;
        messages.note(format_args!("drew {}", path.display()));
    }
    verdict(&plan, &outcome, Some(&results))
}

/// Runs the study of a result file again and compares.
pub(crate) fn rerun(args: &RerunArgs, messages: Messages) -> Result<(), CliError> {
    const SHOWN: usize = 10;
    let text = read_text(&args.file)?;
    let (mut study, _) = study_of(&text).map_err(|error| error.at(args.file.display()))?;
    if matches!(study.protocol, Protocol::Optimize(_)) {
        return Err(CliError::request(format!(
            "{}: found the results of an optimization, expected rows that are computed one by one",
            args.file.display()
        ))
        .help("print its study with `axonml optimize ... --print-study` and run it with `axonml study`: the same request gives the same bytes"));
    }
    if let Some(backend) = &args.machine.backend {
        study.numerics.backend = Some(backend.clone());
    }
    let cancel = CancelToken::default();
    let machine = Machine {
        cancel: cancel.clone(),
        ..args.machine.open(&study, messages)?
    };
    let on_signal = OnSignal::cancel(cancel);
    let mut listener = StudyListener::new(messages, "cases");
    let repeated = run_again(&text, &machine, &mut listener);
    drop(listener);
    let repeated = match repeated {
        Err(error) if error.fault() == axonml::study::Fault::Canceled => {
            return Err(on_signal.interrupted("nothing is kept of a comparison"));
        }
        repeated => repeated.map_err(|error| error.at(args.file.display()))?,
    };
    let mut lines = String::new();
    for (row, column, then, now) in repeated.differences.iter().take(SHOWN) {
        lines.push_str(&format!(
            "row {row}, {column}: {then} in the file, {now} now\n"
        ));
    }
    let (rows, differing) = (repeated.rows, repeated.differences.len());
    if differing == 0 {
        return print(&format!("{rows} rows are the same, to the last bit\n"));
    }
    print(&lines)?;
    Err(CliError::failure(format!(
        "{differing} values of {rows} rows differ from {}",
        args.file.display()
    ))
    .help("another instruction set or backend gives other last digits; compare `version` and `backend` of the request"))
}

impl crate::args::MachineArgs {
    /// Opens the machine that the flags, or the study, ask for.
    fn open(&self, study: &Study, messages: Messages) -> Result<Machine, CliError> {
        self.set_threads()?;
        let device = device(study)?;
        if let Some(why) = device.passed_over() {
            messages.note(format_args!("{why}: using {}", device.name()));
        }
        messages.explain(format_args!("backend: {}", device.name()));
        Ok(Machine {
            memory: crate::args::memory(self.max_memory),
            ..Machine::new(device)
        })
    }
}
