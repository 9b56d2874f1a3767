//! `cargo run -p xtask-tidy`: the rules alone, without the other developer tasks and all that they need.

use std::process::ExitCode;

fn main() -> ExitCode {
    match xtask_tidy::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
