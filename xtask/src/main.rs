//! Developer tasks, called as `cargo xtask TASK`.

mod bench;
mod check;
mod early_ends;
mod fuzz;
mod kills;
mod measured;
mod print_programs;
mod train_bundled;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Developer tasks of the axonml workspace"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check that a change must pass, and print a table of them.
    Check(check::Check),
    /// Measure speed: node-steps per second, gradients, training sets; or compare with another checkout.
    Bench(bench::Bench),
    /// Compare every backend with the scalar reference; flags are those of `axonml verify`.
    Verify {
        /// Flags of `axonml verify`, such as --host-kernels and --gpu require.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
    /// Search thresholds of random conditions with and without early ends: rows that differ are named.
    EarlyEnds(early_ends::EarlyEnds),
    /// Kill searches, sets and trainings at random moments: nothing finished is lost, the same bytes come out.
    Kills(kills::Kills),
    /// Train the weights that the models come with, from nothing, and check them before they are written.
    TrainBundled(train_bundled::TrainBundled),
    /// Print the membranes of the bundled models as Rust, which the CPU backend compiles.
    PrintPrograms(print_programs::PrintPrograms),
    /// Check the rules of the house that the compiler does not know.
    Tidy,
    /// Feed mutated inputs to every reader: executions, and inputs that crash, hang or break a property.
    Fuzz(fuzz::Fuzz),
    /// Run one target and print a report; `fuzz` calls it.
    #[command(hide = true)]
    FuzzWorker(fuzz::Worker),
    /// Run one program and print what it used; `bench --against` calls it.
    #[command(hide = true)]
    Measured(measured::Measured),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Check(check) => check.run(),
        Task::Bench(bench) => bench.run(),
        Task::Verify { flags } => check::verify(&flags),
        Task::EarlyEnds(early_ends) => early_ends.run(),
        Task::Kills(kills) => kills.run(),
        Task::TrainBundled(train) => train.run(),
        Task::PrintPrograms(print) => print.run(),
        Task::Tidy => xtask_tidy::run(),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::FuzzWorker(worker) => worker.run(),
        Task::Measured(measured) => measured.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
