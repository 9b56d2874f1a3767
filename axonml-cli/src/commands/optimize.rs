//! `axonml optimize`: currents through contacts that activate some fibers and spare others.

use axonml::study::{OptimizeProtocol, Plan, Study};

use crate::args::OptimizeCommand;
use crate::args::optimize::CommonArgs;
use crate::error::CliError;
use crate::messages::{Messages, StudyListener};
use crate::report::print;

/// Looks for a stimulus.
pub(crate) fn optimize(command: &OptimizeCommand, messages: Messages) -> Result<(), CliError> {
    match command {
        OptimizeCommand::Scan(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::Gd(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::De(args) => perform(&args.study()?, &args.common, messages),
        OptimizeCommand::Report(args) => Err(CliError::failure(format!(
            "{}: this version writes no reports of optimizations yet",
            args.folder.display()
        ))),
    }
}

fn perform(study: &Study, common: &CommonArgs, messages: Messages) -> Result<(), CliError> {
    if common.output.print_study {
        study.check_numbers()?;
        return print(&commented(&study.with_design_defaults())?);
    }
    if study.field.demonstration {
        messages.note("no field given: running the bundled demonstration nerve N1");
    }
    study.check_numbers()?;
    let machine = common.numerics.machine(messages)?;
    let mut listener = StudyListener::new(messages, "fibers");
    for study in OptimizeProtocol::of_each_nerve(study) {
        let plan = Plan::new(&study, &machine, &mut listener)?;
        plan.refused(false)?;
    }
    drop(listener);
    Err(CliError::failure(
        "this version plans optimizations, but does not run them yet",
    ))
}

/// Meanings of the tables of an optimization.
const TABLES: &[(&str, &str)] = &[
    (
        "[protocol]",
        "what is wanted, how it is measured and looked for",
    ),
    (
        "[stimulus]",
        "what contacts may deliver, and which numbers of it vary",
    ),
    ("[limits]", "what every stimulus obeys"),
    ("[gd]", "gradient descent"),
    (
        "[de]",
        "differential evolution; population: 10 per unknown, or 300 for losses on activation, unless given",
    ),
    (
        "[robust]",
        "copies that differ by chance, on which the result is tried; rotation_deg: 5 where the cuff can be rotated",
    ),
];

/// The study as TOML, its tables with their meanings.
fn commented(study: &Study) -> Result<String, CliError> {
    let mut text = String::new();
    for line in study.to_toml()?.lines() {
        if let Some((_, meaning)) = TABLES.iter().find(|(table, _)| *table == line) {
            text.push_str(&format!("# {meaning}\n"));
        }
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}
