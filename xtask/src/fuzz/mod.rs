//! `cargo xtask fuzz`: mutated inputs into every reader for as long as wanted.
//!
//! Each target runs in a process of its own with limited memory, so that an abort, an overflowing stack or an allocation
//! that fails ends that process only. The input under test lies in a file; what is found is kept in `fuzz/crashes`.

mod worker;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use fuzz_targets::{TARGETS, Target, target};
use sha2::{Digest, Sha256};

use crate::workspace::root;
pub(crate) use worker::Worker;
use worker::{Current, SLOW, findings};

/// Flags of `cargo xtask fuzz`.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// Time for each target, s.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    seconds: u64,
    /// Only these targets (repeatable).
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Seed of the mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run these inputs once each instead, such as one that was found.
    #[arg(
        long,
        value_name = "FILE",
        requires = "target",
        conflicts_with = "seed"
    )]
    input: Vec<PathBuf>,
}

/// Processes of one target that die before it is given up.
const ENOUGH: u64 = 20;

impl Fuzz {
    pub(crate) fn run(&self) -> Result<(), String> {
        let targets: Vec<&Target> = match self.target.as_slice() {
            [] => TARGETS.iter().collect(),
            names => names
                .iter()
                .map(|name| target(name).ok_or_else(|| unknown(name)))
                .collect::<Result<_, _>>()?,
        };
        let crashes = root().join("fuzz").join("crashes");
        println!(
            "{:<18} {:>12} {:>12} {:>9}",
            "target", "executions", "accepted", "seconds"
        );
        let mut found = Vec::new();
        for target in targets {
            let start = Instant::now();
            let (executions, accepted, findings) = self.target(target, &crashes)?;
            println!(
                "{:<18} {executions:>12} {accepted:>12} {:>9.1}",
                target.name,
                start.elapsed().as_secs_f64()
            );
            for finding in findings {
                println!("    {finding}");
                found.push(finding);
            }
        }
        match found.len() {
            0 => Ok(()),
            n => Err(format!(
                "{n} inputs crash, hang or break a property; they are named above"
            )),
        }
    }

    /// Runs one target until its time is over: inputs tried, inputs accepted, and what was found in words.
    fn target(&self, target: &Target, crashes: &Path) -> Result<(u64, u64, Vec<String>), String> {
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let (mut executions, mut accepted, mut found) = (0, 0, Vec::new());
        let mut kinds = HashSet::new();
        // A worker that dies is followed by another with other mutations.
        for number in 0..ENOUGH {
            let left = end.saturating_duration_since(Instant::now());
            if number > 0 && (left < Duration::from_secs(1) || !self.input.is_empty()) {
                break;
            }
            let current = std::env::temp_dir().join(format!("axonml-fuzz-{}", std::process::id()));
            let output = Command::new(std::env::current_exe().map_err(|e| e.to_string())?)
                .args(["fuzz-worker", "--target", target.name])
                .args(["--seconds", &left.as_secs_f64().to_string()])
                .args(["--seed", &self.seed.wrapping_add(number).to_string()])
                .arg("--current")
                .arg(&current)
                .args(&self.input)
                .stdin(Stdio::null())
                .output()
                .map_err(|error| error.to_string())?;
            let stood = Current::read(&current);
            _ = std::fs::remove_file(&current);
            executions += stood.executions;
            accepted += stood.accepted;
            for (input, message) in findings(&output.stdout) {
                if kinds.insert(kind(&message)) {
                    found.push(keep(crashes, target, &input, &message)?);
                }
            }
            if !self.input.is_empty() {
                eprint!("{}", String::from_utf8_lossy(&output.stderr));
            }
            if output.status.success() {
                break;
            }
            let mut message = match output.status.code() {
                Some(SLOW) => "takes more than 10 s".to_owned(),
                _ => output.status.to_string(),
            };
            let text = String::from_utf8_lossy(&output.stderr);
            if let Some(line) = text.lines().find(|line| !line.trim().is_empty()) {
                message = format!("{message}: {line}");
            }
            if kinds.insert(kind(&message)) {
                found.push(keep(crashes, target, &stood.input, &message)?);
            }
        }
        Ok((executions, accepted, found))
    }
}

/// A message without its numbers: one input is kept of each kind.
fn kind(message: &str) -> String {
    message.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    format!("--target {name}: expected one of {}", names.join(", "))
}

/// Keeps an input and says where it is and what it does.
fn keep(folder: &Path, target: &Target, input: &[u8], message: &str) -> Result<String, String> {
    let digest = Sha256::digest(input);
    let name: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let file = folder.join(format!("{}-{name}", target.name));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, input));
    written.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let shown = file.strip_prefix(root()).unwrap_or(&file);
    let message: String = message.chars().take(300).collect();
    Ok(format!("{}: {message}", shown.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_answered_with_the_known_ones() {
        let message = unknown("puls");
        assert!(
            message.contains("pulse") && message.contains("hdf5"),
            "{message}"
        );
    }

    #[test]
    fn what_is_found_is_kept_under_a_name_of_its_content() {
        let folder = std::env::temp_dir().join(format!("axonml-kept-{}", std::process::id()));
        let target = target("pulse").unwrap();
        let told = keep(&folder, target, b"x", "a panic").unwrap();
        let again = keep(&folder, target, b"x", "a panic").unwrap();
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        assert_eq!(std::fs::read(files[0].path()).unwrap(), b"x");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(told, again);
        // The first bytes of the SHA-256 of "x".
        assert!(told.contains("pulse-2d711642b726: a panic"), "{told}");
    }
}
