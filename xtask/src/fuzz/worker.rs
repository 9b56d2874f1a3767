//! The process that runs one target.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use fuzz_targets::{Campaign, Watchdog, corpus, silence_panics, target};
use serde_json::{Value, json};

/// The exit code for an input that takes too long.
pub(super) const SLOW: i32 = 3;

/// How long an input may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Address space of the process, which bounds its memory.
#[cfg(unix)]
const MEMORY: u64 = 2 << 30;

/// The hidden task that runs one target. It prints a line for each finding, and keeps the input under test and its counts
/// in a file, so that nothing is lost if it dies.
#[derive(Args)]
pub(crate) struct Worker {
    #[arg(long)]
    target: String,
    #[arg(long)]
    seconds: f64,
    #[arg(long)]
    seed: u64,
    /// Where the input under test is kept.
    #[arg(long)]
    current: PathBuf,
    /// Inputs to run instead of mutated ones.
    inputs: Vec<PathBuf>,
}

/// Where a worker stands: the counts before an input, and the input.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Current {
    pub(super) executions: u64,
    pub(super) accepted: u64,
    pub(super) input: Vec<u8>,
}

impl Current {
    pub(super) fn read(file: &Path) -> Self {
        Current::parse(&std::fs::read(file).unwrap_or_default()).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (executions, rest) = bytes.split_first_chunk()?;
        let (accepted, input) = rest.split_first_chunk()?;
        Some(Current {
            executions: u64::from_le_bytes(*executions),
            accepted: u64::from_le_bytes(*accepted),
            input: input.to_vec(),
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let counts = [self.executions, self.accepted].map(u64::to_le_bytes);
        [counts.as_flattened(), &self.input].concat()
    }
}

impl Worker {
    pub(crate) fn run(&self) -> Result<(), String> {
        let target = target(&self.target).ok_or_else(|| super::unknown(&self.target))?;
        limit_memory()?;
        silence_panics();
        let watchdog = Watchdog::start(LIMIT, |_| std::process::exit(SLOW));
        let mut file = File::create(&self.current).map_err(|error| error.to_string())?;
        let mut keep = |current: &Current| {
            let bytes = current.bytes();
            let kept = file
                .seek(SeekFrom::Start(0))
                .and_then(|_| file.write_all(&bytes))
                .and_then(|()| file.set_len(bytes.len() as u64));
            kept.map_err(|error| format!("the input cannot be kept: {error}"))
        };
        let samples = corpus(target.name).map_err(|error| error.to_string())?;
        let mut campaign = Campaign::new(target, &samples, self.seed);
        let mut kinds = HashSet::new();
        let mut execute = |campaign: &mut Campaign<'_>, input: Vec<u8>| {
            let current = Current {
                executions: campaign.executions,
                accepted: campaign.accepted,
                input,
            };
            keep(&current)?;
            let result = watchdog.watch(&current.input, |input| target.execute(input));
            if !self.inputs.is_empty() {
                eprintln!("{result:?}");
            }
            if let Err(finding) = campaign.learn(current.input, result)
                && kinds.insert(finding.kind())
            {
                println!("{}", line(&finding.input, &finding.message));
            }
            Ok::<(), String>(())
        };
        let read = |file: &PathBuf| {
            std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let given: Vec<Vec<u8>> = self.inputs.iter().map(read).collect::<Result<_, _>>()?;
        let once = match given.is_empty() {
            true => samples.into_iter().map(|sample| sample.bytes).collect(),
            false => given,
        };
        for input in once {
            execute(&mut campaign, input)?;
        }
        let end = Instant::now() + Duration::from_secs_f64(self.seconds.max(0.0));
        while self.inputs.is_empty() && Instant::now() < end {
            let input = campaign.next_input();
            execute(&mut campaign, input)?;
        }
        keep(&Current {
            executions: campaign.executions,
            accepted: campaign.accepted,
            input: Vec::new(),
        })
    }
}

/// A finding as a line: the input and what is wrong with its execution.
fn line(input: &[u8], message: &str) -> Value {
    json!([input, message])
}

/// The findings that a worker printed.
pub(super) fn findings(printed: &[u8]) -> Vec<(Vec<u8>, String)> {
    let parse = |line: &[u8]| {
        let value: Value = serde_json::from_slice(line).ok()?;
        let bytes = value[0].as_array()?.iter();
        let bytes = bytes.map(|byte| u8::try_from(byte.as_u64()?).ok());
        Some((bytes.collect::<Option<_>>()?, value[1].as_str()?.to_owned()))
    };
    printed
        .split(|byte| *byte == b'\n')
        .filter_map(parse)
        .collect()
}

#[cfg(unix)]
fn limit_memory() -> Result<(), String> {
    use nix::sys::resource::{Resource, setrlimit};
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn limit_memory() -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_and_the_input_under_test_survive() {
        let text = format!(
            "{}\nnoise\n{}\n",
            line(&[0, 255], "no"),
            line(b"", "neither")
        );
        let expected = [
            (vec![0, 255], "no".to_owned()),
            (vec![], "neither".to_owned()),
        ];
        assert_eq!(findings(text.as_bytes()), expected);
        let current = Current {
            executions: 5,
            accepted: 2,
            input: b"x".to_vec(),
        };
        assert_eq!(Current::parse(&current.bytes()), Some(current));
        assert_eq!(Current::parse(b"short"), None);
    }
}
