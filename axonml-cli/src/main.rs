//! The `axonml` command line: peripheral nerve fibers under electrical stimulation.
//!
//! `args` says what can be asked for, `commands` does it. In between stand `fibers` (what flags ask for) and `conditions`
//! (what tables ask for), which both end in `job`s; `common` holds what these share, `batch` runs them;
//! `search` finds their thresholds; `report` and `pictures` show results.
#![forbid(unsafe_code)]

/// `eprintln!` for programs whose standard error may be closed by whoever reads it: what cannot be said is not said.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod args;
mod batch;
mod commands;
mod common;
mod conditions;
mod demo;
mod error;
mod fibers;
mod input;
mod interrupt;
mod job;
mod messages;
mod pictures;
mod plot;
mod recording;
mod report;
mod request;
mod search;
mod weights;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use messages::Messages;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let messages = Messages::new(cli.quiet, cli.verbose);
    let done = match &cli.command {
        Command::Models(args) => commands::models::models(args),
        Command::Devices(args) => commands::devices::devices(args),
        Command::Run(args) => {
            interrupt::install();
            commands::run::run(args, messages)
        }
        Command::Threshold(args) => {
            interrupt::install();
            commands::threshold::threshold(args, messages)
        }
        Command::Evaluate(args) => {
            interrupt::install();
            commands::evaluate::evaluate(args, messages)
        }
        Command::Import(args) => commands::weights::import(args, messages),
        Command::Export(args) => commands::weights::export(args, messages),
        Command::Dataset(command) => {
            interrupt::install();
            commands::dataset::dataset(command, messages)
        }
        Command::Train(args) => {
            interrupt::install();
            commands::train::train(args, messages)
        }
        Command::Verify(args) => commands::verify::verify(args, messages),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
