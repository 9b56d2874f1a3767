//! `axonml recruitment`, `axonml curve`: questions about fibers in a field, each a study.

use axonml::study::{
    CurrentDistanceProtocol, CvProtocol, Protocol, RecoveryProtocol, RecruitmentProtocol,
    ResponseProtocol, StrengthDurationProtocol,
};

use super::study::{Request, perform};
use crate::args::{CurveCommand, CvArgs, QuestionArgs, RecruitmentArgs, ResponseArgs, StartBy};
use crate::error::CliError;
use crate::messages::Messages;

/// Finds the fraction of fibers that amplitudes activate.
pub(crate) fn recruitment(args: &RecruitmentArgs, messages: Messages) -> Result<(), CliError> {
    let protocol = Protocol::Recruitment(RecruitmentProtocol {
        at_ma: args.at.as_ref().map(|at| at.0.clone().into()),
    });
    ask(&args.question, protocol, Bare::Demonstration, messages)
}

/// Finds a curve of thresholds.
pub(crate) fn curve(command: &CurveCommand, messages: Messages) -> Result<(), CliError> {
    match command {
        CurveCommand::StrengthDuration(args) => {
            let protocol = Protocol::StrengthDuration(StrengthDurationProtocol::default());
            ask(&args.question, protocol, Bare::Point, messages)
        }
        CurveCommand::CurrentDistance(args) => {
            let protocol = Protocol::CurrentDistance(CurrentDistanceProtocol::default());
            ask(&args.question, protocol, Bare::Nothing, messages)
        }
        CurveCommand::Recovery(args) => {
            let protocol = Protocol::Recovery(RecoveryProtocol {
                intervals_ms: args.interval.as_ref().map(|list| list.0.clone().into()),
            });
            ask(&args.question, protocol, Bare::Point, messages)
        }
    }
}

/// Counts action potentials.
pub(crate) fn response(args: &ResponseArgs, messages: Messages) -> Result<(), CliError> {
    refuse_search(&args.question, "counts of action potentials")?;
    let protocol = Protocol::Response(ResponseProtocol {
        amplitude_ma: args.amplitude.clone(),
        test_pulse: args.test_pulse.as_ref().map(|pulse| pulse.0.clone()),
    });
    ask(&args.question, protocol, Bare::Point, messages)
}

/// Measures conduction velocities.
pub(crate) fn cv(args: &CvArgs, messages: Messages) -> Result<(), CliError> {
    refuse_search(&args.question, "velocities")?;
    let pair = |list: &Vec<f64>| <[f64; 2]>::try_from(list.clone());
    let two = |flag: &str, found: usize| {
        CliError::request(format!("{flag}: found {found} sites, expected 2"))
    };
    let at = match &args.at {
        None => None,
        Some(at) => Some(pair(&at.0).map_err(|list| two("--at", list.len()))?),
    };
    let nodes = match &args.sites {
        None => None,
        Some(sites) => {
            Some(<[i64; 2]>::try_from(sites.0.clone()).map_err(|list| two("--sites", list.len()))?)
        }
    };
    let field = &args.question.field;
    let flows = !field.point.is_empty()
        || field.distance.is_some()
        || field.nerve.is_some()
        || field.basis.is_some();
    match args.start_by {
        Some(StartBy::Intracellular | StartBy::Synapse(_)) if flows => {
            return Err(CliError::request(
                "--start-by: found a field, which would start an action potential of its own",
            )
            .help("leave the field out, or give --start-by extracellular --amplitude MA"));
        }
        Some(StartBy::Extracellular) if !flows => {
            return Err(
                CliError::request("--start-by extracellular: found no field")
                    .help("give --distance UM, --point X,Y,Z or --nerve DIR"),
            );
        }
        _ => {}
    }
    let protocol = Protocol::Cv(CvProtocol {
        at,
        nodes,
        amplitude_ma: args.amplitude,
        synapse: match args.start_by {
            Some(StartBy::Synapse(spec)) => Some(spec),
            _ => None,
        },
    });
    ask(&args.question, protocol, Bare::Nothing, messages)
}

/// Refuses settings of threshold searches where none is made.
fn refuse_search(args: &QuestionArgs, what: &str) -> Result<(), CliError> {
    let search = &args.search;
    let given = [
        ("--first-amplitude", search.first_amplitude.is_some()),
        ("--max-amplitude", search.max_amplitude.is_some()),
        ("--max-current", search.max_current.is_some()),
        ("--resolution", search.resolution.is_some()),
        ("--no-early-end", search.no_early_end),
        ("--end-excitation", search.end_excitation.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(CliError::request(format!(
            "{flag} has no effect on {what}: no threshold is searched"
        ))
        .help("leave it out")),
    }
}

/// The field of a command without one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// The demonstration nerve.
    Demonstration,
    /// A point electrode 1 mm away.
    Point,
    /// As the question has it.
    Nothing,
}

/// Distance of the electrode of bare commands, um.
pub(super) const DISTANCE_UM: f64 = 1000.0;

/// Asks a question of the fibers that the flags mean.
pub(super) fn ask(
    args: &QuestionArgs,
    protocol: Protocol,
    bare: Bare,
    messages: Messages,
) -> Result<(), CliError> {
    let mut study = args.study(protocol)?;
    if !study.field.flows() {
        match bare {
            Bare::Demonstration => {
                messages.note("no field given: running the bundled demonstration nerve N1");
                study.field.demonstration = true;
            }
            Bare::Point => {
                messages.note("no field given: a point electrode 1 mm away");
                study.field.distance_um = Some(vec![DISTANCE_UM].into());
            }
            Bare::Nothing => {}
        }
    }
    let request = Request {
        study,
        file: None,
        output: &args.output,
        plot: &args.plot,
        noun: "cases",
    };
    perform(&request, || args.numerics.machine(messages), messages)
}
