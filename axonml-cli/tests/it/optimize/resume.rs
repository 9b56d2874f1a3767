//! Optimizations that are killed, interrupted and damaged end with the bytes of an unbroken run.
#![cfg(unix)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{QUICK, folder};
use crate::signals::send;
use crate::support::{Folder, command};

/// All that a run leaves but for the time that it took: the result, the history, the currents.
fn outcome(folder: &Folder, run: &str) -> (Value, Vec<String>, String) {
    let mut best = folder.json(&format!("{run}/best.json"));
    for time in ["seconds", "candidate_nerves_per_s"] {
        assert!(best.as_object_mut().unwrap().remove(time).is_some());
    }
    let history = folder.text(&format!("{run}/history.csv"));
    let column = history
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == "seconds")
        .unwrap();
    let timeless = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.remove(column);
        cells.join(",")
    };
    let rows = history.lines().map(timeless).collect();
    (best, rows, folder.text(&format!("{run}/waveforms.csv")))
}

/// Batches in the journal of a run.
fn batches(folder: &Folder, run: &str) -> usize {
    let journal = folder.0.join(run).join("batches.journal");
    let bytes = std::fs::read(journal).unwrap_or_default();
    bytes
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_sub(1)
}

/// Runs a command, sends a signal once so many batches are kept, and returns its exit code and what it said.
fn ended(
    folder: &Folder,
    arguments: &str,
    run: &str,
    after: usize,
    signal: &str,
) -> (Option<i32>, String) {
    let mut child = command(&folder.0)
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while batches(folder, run) < after {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before batch {after}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "it takes too long"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    send(&child, signal);
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn survives(name: &str, method: &str, settings: &str) {
    let folder = folder(&format!("resume-{name}"));
    let run = |into: &str| {
        format!("optimize {method} --nerve n {QUICK} {settings} --robust 0 --save-dir {into}")
    };
    folder.axonml(&run("whole")).done();
    let whole = outcome(&folder, "whole");
    let all = batches(&folder, "whole");
    assert!(all > 5, "{all} batches");

    // As soon as montages are known, on the way, and at the end of the search.
    let go_on = format!("{} --resume", run("killed"));
    for after in [1, 5, all] {
        let (code, _) = ended(&folder, &go_on, "killed", after, "KILL");
        assert_eq!(code, None, "it was killed");
        assert!(folder.has("killed/request.json"));
    }
    folder.axonml(&go_on).done();
    assert_eq!(outcome(&folder, "killed"), whole);

    // A batch that is changed and a torn last one are computed again, and they alone.
    let journal = folder.text("killed/batches.journal");
    let mut lines: Vec<String> = journal.lines().map(str::to_owned).collect();
    let last = lines.len() - 1;
    lines[2] = lines[2].replace('0', "1");
    let half = lines[last].len() / 2;
    lines[last].truncate(half);
    folder.write("killed/batches.journal", lines.join("\n"));
    for file in ["best.json", "history.csv", "waveforms.csv"] {
        std::fs::remove_file(folder.0.join("killed").join(file)).unwrap();
    }
    folder.axonml(&go_on).done();
    assert_eq!(outcome(&folder, "killed"), whole);
    let again = folder.text("killed/batches.journal");
    assert_eq!(again.lines().count(), journal.lines().count() + 1);
    for line in journal.lines().skip(1) {
        // The same numbers, but for the time.
        let [number, batch] = [0, 1].map(|part| line.split(' ').nth(part).unwrap());
        let numbers = batch.split_once(';').unwrap().1;
        assert!(
            again
                .lines()
                .any(|line| line.starts_with(&format!("{number} ")) && line.contains(numbers))
        );
    }

    // A signal: the best so far, verified, and then the same end.
    let (signal, code) = if method == "gd" {
        ("INT", 130)
    } else {
        ("TERM", 143)
    };
    let go_on = format!("{} --resume", run("interrupted"));
    let (found, message) = ended(&folder, &go_on, "interrupted", 4, signal);
    assert_eq!(found, Some(code), "{message}");
    let kept = format!(
        "interrupted by SIG{signal}: the best so far is kept in interrupted; the same command with --resume goes on"
    );
    assert!(message.contains(&kept), "{message}");
    let best = folder.json("interrupted/best.json");
    assert_eq!(best["status"], "interrupted");
    assert_eq!(best["verified"]["precision"], "f64");
    assert!(best["thresholds"].as_u64() < whole.0["thresholds"].as_u64());
    folder.axonml(&go_on).done();
    assert_eq!(outcome(&folder, "interrupted"), whole);
}

#[test]
fn descents_survive() {
    survives("gd", "gd", "--steps 5 --starts 2 --dac 0.01");
}

#[test]
fn descents_of_quotients_survive() {
    survives("quotient", "gd", "--objective quotient --steps 5 --lr 0.03");
}

#[test]
fn evolutions_survive() {
    survives(
        "de",
        "de",
        "--population 5 --generations 4 --then gd --option gd.steps=2",
    );
}

/// Before anything was found there is nothing to end with.
#[test]
fn a_signal_at_once_says_so() {
    let folder = folder("resume-at-once");
    let arguments =
        format!("optimize gd --nerve n {QUICK} --robust 0 --save-dir r --diameter 5.7:9:12");
    let mut child = command(&folder.0)
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !folder.has("r/batches.journal") {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(2));
    }
    send(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("interrupted by SIGINT: "), "{message}");
    assert!(message.contains("with --resume goes on"), "{message}");
}

/// Threads change nothing.
#[test]
fn one_thread_and_two_find_the_same() {
    let folder = folder("resume-threads");
    let run = |threads: usize| {
        let command = super::gd(&format!(
            "--starts 2 --threads {threads} --save-dir t{threads}"
        ));
        folder
            .axonml(&command.replace("--robust 0", "--robust 2"))
            .done();
        outcome(&folder, &format!("t{threads}"))
    };
    assert_eq!(run(1), run(2));
}
