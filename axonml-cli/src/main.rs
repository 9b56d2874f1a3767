//! The `axonml` command line: peripheral nerve fibers under electrical stimulation.
//!
//! A skin: `args` says what can be asked for and turns it into studies, `commands` has the library do them, `report`,
//! `pictures` and `plot` show results; `topics` are the texts of `axonml help`.
#![forbid(unsafe_code)]

/// `eprintln!` for programs whose standard error may be closed by whoever reads it: what cannot be said is not said.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod args;
mod commands;
mod error;
mod input;
mod interrupt;
mod messages;
mod pictures;
mod plot;
mod report;
mod topics;

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
        Command::Recruitment(args) => {
            interrupt::install();
            commands::questions::recruitment(args, messages)
        }
        Command::Response(args) => {
            interrupt::install();
            commands::questions::response(args, messages)
        }
        Command::Cv(args) => {
            interrupt::install();
            commands::questions::cv(args, messages)
        }
        Command::Curve(command) => {
            interrupt::install();
            commands::questions::curve(command, messages)
        }
        Command::Optimize(command) => {
            interrupt::install();
            commands::optimize::optimize(command, messages)
        }
        Command::Study(args) => {
            interrupt::install();
            commands::files::study(args, messages)
        }
        Command::Merge(args) => commands::files::merge(args, messages),
        Command::Rerun(args) => {
            interrupt::install();
            commands::files::rerun(args, messages)
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
        Command::Help(args) => commands::help::help(args),
        Command::Completions(args) => commands::completions::completions(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
