//! `cargo xtask kills`: work that is killed at random moments, more often than the tests do it.

use std::process::Command;

use clap::Args;

use crate::workspace::root;

#[derive(Args)]
pub(crate) struct Kills {
    /// SIGKILLs for each kind of work: thresholds, sets, trainings
    #[arg(long, default_value_t = 30)]
    sigkills: usize,
    /// SIGTERMs for each
    #[arg(long, default_value_t = 10)]
    sigterms: usize,
}

impl Kills {
    /// Runs the tests of `axonml-cli/tests/it/kills.rs`, which compare what comes out with unbroken runs.
    pub(crate) fn run(&self) -> Result<(), String> {
        let status = Command::new(env!("CARGO"))
            .current_dir(root())
            .args([
                "test",
                "--release",
                "-p",
                "axonml-cli",
                "--test",
                "it",
                "kills::",
            ])
            .args(["--", "--nocapture", "--test-threads", "1"])
            .env("AXONML_SIGKILLS", self.sigkills.to_string())
            .env("AXONML_SIGTERMS", self.sigterms.to_string())
            .status()
            .map_err(|error| format!("cargo: {error}"))?;
        match status.success() {
            true => Ok(()),
            false => Err("something finished was lost, or came out otherwise".to_owned()),
        }
    }
}
