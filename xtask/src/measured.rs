//! Child processes measured by the operating system: processor time, wall time and peak memory of one run.
//!
//! The system adds up what all finished children of a process used, so the peak of one of several cannot be told. Each
//! run therefore has a process of its own that has no other child: this program, called with the hidden task `measured`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

/// The hidden task that runs one program and prints what it used.
#[derive(Args)]
pub(crate) struct Measured {
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Resources that one finished process used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Used {
    /// Processor time in user and system mode, s.
    pub(crate) cpu_s: f64,
    /// Wall time, s.
    pub(crate) wall_s: f64,
    /// Largest resident size, MB.
    pub(crate) peak_mb: f64,
}

impl Measured {
    pub(crate) fn run(&self) -> Result<(), String> {
        let (program, arguments) = self.command.split_first().ok_or("found no program")?;
        let start = Instant::now();
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("`{program}` did not start: {error}"))?;
        let wall_s = start.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!(
                "`{}`: {}\n{}",
                self.command.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim_end()
            ));
        }
        let (cpu_s, peak_mb) = of_children()?;
        println!(
            "{}",
            json!({ "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb })
        );
        Ok(())
    }
}

/// Runs `program` in `folder`, its output dropped.
///
/// # Errors
/// A program that does not start or does not succeed, with its messages.
pub(crate) fn run<S: AsRef<OsStr>>(
    program: &Path,
    arguments: &[S],
    folder: &Path,
) -> Result<Used, String> {
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(myself)
        .arg("measured")
        .arg("--")
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(message.trim_start_matches("error: ").trim_end().to_owned());
    }
    parse(&output.stdout).ok_or_else(|| {
        let found = String::from_utf8_lossy(&output.stdout);
        format!("the measuring process printed `{}`", found.trim_end())
    })
}

fn parse(printed: &[u8]) -> Option<Used> {
    let value: Value = serde_json::from_slice(printed).ok()?;
    Some(Used {
        cpu_s: value["cpu_s"].as_f64()?,
        wall_s: value["wall_s"].as_f64()?,
        peak_mb: value["peak_mb"].as_f64()?,
    })
}

/// Processor time, s, of this process's finished children, and the largest resident size of one of them, MB.
#[cfg(unix)]
fn of_children() -> Result<(f64, f64), String> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // The unit is 1 kB, on macOS 1 byte.
    let unit = if cfg!(target_vendor = "apple") {
        1.0
    } else {
        1024.0
    };
    Ok((
        microseconds as f64 * 1e-6,
        usage.max_rss() as f64 * unit * 1e-6,
    ))
}

#[cfg(not(unix))]
fn of_children() -> Result<(f64, f64), String> {
    Err("processor time of child processes is measured on Unix only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let used = parse(br#"{"cpu_s": 0.5, "wall_s": 0.75, "peak_mb": 12.0}"#);
        let expected = Used {
            cpu_s: 0.5,
            wall_s: 0.75,
            peak_mb: 12.0,
        };
        assert_eq!(used, Some(expected));
        assert_eq!(parse(b"nonsense"), None);
        assert_eq!(parse(br#"{"cpu_s": 0.5}"#), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_busy_child_takes_processor_time_and_a_sleeping_one_does_not() {
        let wait = |script: &str| {
            let before = of_children().unwrap().0;
            let status = Command::new("sh").args(["-c", script]).status().unwrap();
            assert!(status.success());
            of_children().unwrap().0 - before
        };
        let idle_s = wait("sleep 0.2");
        let busy_s = wait("i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done");
        assert!(idle_s < 0.05 && busy_s > 2.0 * idle_s, "{idle_s} {busy_s}");
    }
}
