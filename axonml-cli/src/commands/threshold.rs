//! `axonml threshold`: activation thresholds.

use super::study::{Request, perform};
use crate::args::ThresholdArgs;
use crate::error::CliError;
use crate::messages::Messages;

/// Finds the thresholds.
pub(crate) fn threshold(args: &ThresholdArgs, messages: Messages) -> Result<(), CliError> {
    let mut study = args.study()?;
    if args.block.block && !study.field.flows() {
        messages.note("no field given: a point electrode 1 mm away");
        study.field.distance_um = Some(vec![super::questions::DISTANCE_UM].into());
    }
    if study.field.demonstration {
        messages.note("no field given: running the bundled demonstration nerve N1");
    }
    let request = Request {
        study,
        file: None,
        output: &args.question.output,
        plot: &args.question.plot,
        noun: "thresholds",
    };
    perform(
        &request,
        || args.question.numerics.machine(messages),
        messages,
    )
}
