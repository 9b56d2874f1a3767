//! `cargo xtask check`: everything that must hold before a change lands, cheapest first.

use std::process::Command;
use std::time::Instant;

use clap::Args;

use crate::workspace::root;

#[derive(Args)]
pub(crate) struct Check {
    /// Only the steps whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Stop at the first failure.
    #[arg(long)]
    quick: bool,
}

/// Action of a step.
enum Action {
    /// A cargo command line.
    Cargo(&'static [&'static str]),
    /// A check of this crate.
    Function(fn() -> Result<(), String>),
}

struct Step {
    name: &'static str,
    action: Action,
    /// Environment variable to set.
    environment: Option<(&'static str, &'static str)>,
}

const fn step(name: &'static str, action: Action) -> Step {
    Step {
        name,
        action,
        environment: None,
    }
}

const STEPS: &[Step] = &[
    step("format", Action::Cargo(&["fmt", "--all", "--check"])),
    step("tidy", Action::Function(xtask_tidy::run)),
    step(
        "clippy",
        Action::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    ),
    step(
        "no default features",
        Action::Cargo(&[
            "check",
            "-p",
            "axonml-models",
            "-p",
            "axonml-cli",
            "--no-default-features",
        ]),
    ),
    Step {
        name: "docs",
        action: Action::Cargo(&[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]),
        environment: Some((
            "RUSTDOCFLAGS",
            "-D warnings -A rustdoc::private_intra_doc_links",
        )),
    },
    // The README's test command.
    step("tests", Action::Cargo(&["test", "--workspace"])),
    // The README's main command.
    step(
        "smoke",
        Action::Cargo(&["run", "--release", "--", "threshold"]),
    ),
    step(
        "cuda without a toolkit",
        Action::Cargo(&["check", "--quiet", "-p", "axonml-cli", "--features", "cuda"]),
    ),
    // Runs the generated kernels on the processor; says itself whether a GPU ran.
    step(
        "verify",
        Action::Function(|| verify(&["--host-kernels".to_owned()])),
    ),
];

impl Check {
    pub(crate) fn run(&self) -> Result<(), String> {
        let mut rows = Vec::new();
        let mut failed = 0;
        for step in STEPS.iter().filter(|step| step.name.contains(&self.only)) {
            println!("--- {}", step.name);
            let start = Instant::now();
            let result = step.run();
            let seconds = start.elapsed().as_secs_f64();
            let outcome = match &result {
                Ok(None) => "passed".to_owned(),
                Ok(Some(reason)) => format!("DID NOT RUN: {reason}"),
                Err(problem) => {
                    failed += 1;
                    format!("FAILED: {problem}")
                }
            };
            rows.push(format!("{:<22} {seconds:>7.1} s  {outcome}", step.name));
            if result.is_err() && self.quick {
                break;
            }
        }
        println!("\n{}", rows.join("\n"));
        if failed > 0 {
            Err(format!("{failed} of {} steps failed", rows.len()))
        } else {
            Ok(())
        }
    }
}

impl Step {
    /// `Ok(Some(reason))` if it could not run here.
    fn run(&self) -> Result<Option<String>, String> {
        match self.action {
            Action::Function(check) => check().map(|()| None),
            Action::Cargo(arguments) => {
                let mut cargo =
                    Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
                cargo.args(arguments).current_dir(root());
                if let Some((name, value)) = self.environment {
                    cargo.env(name, value);
                }
                let status = cargo
                    .status()
                    .map_err(|error| format!("cargo did not start: {error}"))?;
                if status.success() {
                    Ok(None)
                } else {
                    Err(format!("cargo {}: {status}", arguments.join(" ")))
                }
            }
        }
    }
}

/// `axonml verify` with every backend compiled in.
pub(crate) fn verify(flags: &[String]) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    let arguments = [
        "run",
        "--release",
        "--quiet",
        "--package",
        "axonml-cli",
        "--features",
        "cuda",
        "--",
        "verify",
    ];
    cargo.args(arguments).args(flags).current_dir(root());
    let status = cargo
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("axonml verify: {status}"))
    }
}
