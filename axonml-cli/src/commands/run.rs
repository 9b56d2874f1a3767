//! `axonml run`: fibers at one amplitude.

use axonml::study::Study;

use super::study::{Request, perform};
use crate::args::RunArgs;
use crate::error::CliError;
use crate::messages::Messages;

/// Runs the fibers.
pub(crate) fn run(args: &RunArgs, messages: Messages) -> Result<(), CliError> {
    let npz = |path: &std::path::PathBuf| {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("npz"))
    };
    let mut study = args.study(args.output.output.iter().any(npz))?;
    if !study.field.flows() && study.injections.is_empty() {
        let injection = Study::default_injection();
        messages.note(format_args!(
            "no field and no current given: injecting {} nA for {} ms into node {} at {} ms",
            injection.amp_na.unwrap_or_default(),
            injection.pw_ms,
            injection.node.unwrap_or(0),
            injection.delay_ms
        ));
        study.injections.push(injection);
    }
    let request = Request {
        study,
        file: None,
        output: &args.output,
        plot: &args.plot,
        noun: "fibers",
    };
    perform(&request, || args.numerics.machine(messages), messages)
}
