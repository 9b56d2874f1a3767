//! Work that is killed at random moments, again and again: nothing finished is lost, and what comes out in the end has the
//! bytes of an unbroken run.
//!
//! `cargo xtask kills` runs these with more kills: the environment variables below say how many.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::signals::send;
use crate::support::{Folder, command, timeless};

/// How many SIGKILLs and SIGTERMs each kind of work survives.
fn wanted() -> [usize; 2] {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number of kills"))
    };
    [number("AXONML_SIGKILLS", 4), number("AXONML_SIGTERMS", 2)]
}

/// SplitMix64: the moments of the kills.
struct Moments(u64);

impl Moments {
    /// Uniform in 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Names and bytes.
type Files = Vec<(String, Vec<u8>)>;

/// A piece of work that can be gone on with.
struct Work<'w> {
    /// Begins it, or goes on.
    arguments: &'w str,
    /// The file that is there when it has begun.
    first: &'w str,
    /// How much is finished.
    finished: &'w dyn Fn(&Folder) -> usize,
    /// All that it leaves, as bytes.
    results: &'w dyn Fn(&Folder) -> Files,
    /// Makes a folder to begin in.
    begin: &'w dyn Fn(&str) -> Folder,
}

/// When work is killed.
enum Moment {
    Begun,
    After(Duration),
    Never,
}

/// How often the work was killed, and how often before anything of it was finished.
#[derive(Debug, Default)]
struct Killed {
    kills: [usize; 2],
    early: usize,
}

impl Work<'_> {
    /// Kills the work as often as wanted, and compares what comes out with an unbroken run.
    fn survives(&self, name: &str) {
        let whole = (self.begin)(&format!("{name}-whole"));
        let begun = Instant::now();
        whole.axonml(self.arguments).done();
        let unbroken = begun.elapsed();
        let expected = (self.results)(&whole);

        let wanted = wanted();
        let mut killed = Killed::default();
        let mut moments = Moments(u64::from(std::process::id()));
        let enough = |killed: &Killed| killed.kills[0] >= wanted[0] && killed.kills[1] >= wanted[1];
        for round in 0.. {
            let folder = (self.begin)(&format!("{name}-killed"));
            let mut before = 0;
            // A round is killed some times and then left to finish.
            for attempt in 0.. {
                let last = enough(&killed) || attempt == 4;
                let moment = match (last, round, attempt) {
                    // As soon as it has begun, before anything is finished.
                    (false, 0, 0) => Moment::Begun,
                    (false, ..) => Moment::After(unbroken.mul_f64(0.8 * moments.next())),
                    (true, ..) => Moment::Never,
                };
                let kind = usize::from(killed.kills[0] >= wanted[0] || (round + attempt) % 3 == 2);
                let ended = self.attempt(&folder, &moment, kind);
                let now = (self.finished)(&folder);
                assert!(now >= before || ended, "{now} of {before} are left");
                before = now;
                if ended {
                    break;
                }
                killed.kills[kind] += 1;
                killed.early += usize::from(now == 0);
            }
            for ((name, expected), (_, found)) in expected.iter().zip((self.results)(&folder)) {
                assert!(
                    *expected == found,
                    "{name} differs from that of an unbroken run"
                );
            }
            if enough(&killed) {
                break;
            }
        }
        println!("{name}: {killed:?}");
        assert!(killed.early > 0, "{killed:?}");
    }

    /// Runs the work, kills it at this moment; returns whether it had ended by itself.
    fn attempt(&self, folder: &Folder, moment: &Moment, kind: usize) -> bool {
        let mut child = command(&folder.0)
            .args(self.arguments.split_whitespace())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let mut sent = false;
        let output = loop {
            let now = match moment {
                Moment::Begun => folder.has(self.first),
                Moment::After(time) => begun.elapsed() >= *time,
                Moment::Never => false,
            };
            if now {
                send(&child, ["KILL", "TERM"][kind]);
                sent = true;
                break child.wait_with_output().unwrap();
            }
            if child.try_wait().unwrap().is_some() {
                break child.wait_with_output().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let message = String::from_utf8(output.stderr).unwrap();
        match (output.status.code(), output.status.signal()) {
            (Some(0), _) => true,
            (None, Some(9)) if sent && kind == 0 => false,
            // Before the program listens, the system ends it.
            (None, Some(15)) if sent && kind == 1 => false,
            (Some(143), _) if sent && kind == 1 => {
                assert!(message.contains("interrupted by SIGTERM: "), "{message}");
                false
            }
            other => panic!("{other:?}: {message}"),
        }
    }
}

#[test]
fn thresholds_survive() {
    // Ten groups of rows, by their duration.
    let mut table = "diameter_um,distance_um,n_nodes,tstop_ms,note\n".to_owned();
    for group in 0..10 {
        for row in 0..12 {
            let (diameter, distance) = (6.0 + 0.5 * f64::from(row), 500 + 100 * (row % 7));
            let tstop = 1.0 + 0.1 * f64::from(group);
            table.push_str(&format!(
                "{diameter},{distance},11,{tstop},\"{group}, {row}\"\n"
            ));
        }
    }
    let begin = |name: &str| {
        let folder = Folder::new(name);
        folder.write("t.csv", &table);
        folder
    };
    let finished = |folder: &Folder| match folder.has("out.csv.partial") {
        // Whole lines behind the first.
        true => {
            folder
                .read("out.csv.partial")
                .iter()
                .filter(|b| **b == b'\n')
                .count()
                .max(1)
                - 1
        }
        false if folder.has("out.csv") => 120,
        false => 0,
    };
    let results = |folder: &Folder| {
        let mut files = vec![
            ("out.csv".to_owned(), folder.read("out.csv")),
            ("out.npz".to_owned(), folder.read("out.npz")),
        ];
        for name in ["out.csv.json", "out.json"] {
            let text = timeless(folder.json(name)).to_string();
            files.push((name.to_owned(), text.into_bytes()));
        }
        assert!(!folder.has("out.csv.partial"));
        files
    };
    let work = Work {
        first: "out.csv.partial",
        arguments: "threshold --conditions t.csv -o out.csv -o out.json -o out.npz",
        finished: &finished,
        results: &results,
        begin: &begin,
    };
    work.survives("kills-threshold");
}

#[test]
fn sets_survive() {
    let finished = |folder: &Folder| match folder.has("set/manifest.json") {
        true => {
            let manifest = folder.json("set/manifest.json");
            let shards = manifest["shards"].as_array().unwrap();
            for shard in shards {
                for file in shard["files"].as_object().unwrap().keys() {
                    let name = shard["name"].as_str().unwrap();
                    assert!(folder.has(&format!("set/{name}/{file}")));
                }
            }
            shards.len()
        }
        false => 0,
    };
    let results = |folder: &Folder| {
        let files = crate::dataset::contents(&folder.0.join("set"));
        files.into_iter().collect()
    };
    let work = Work {
        first: "set/manifest.json",
        arguments: "dataset generate -o set --point 300:1500 --nodes 11 --tstop 1 --delay 0:0.5 --pw 0.05:0.5 \
                    --count 1200 --shard 40 --every 2",
        finished: &finished,
        results: &results,
        begin: &Folder::new,
    };
    work.survives("kills-dataset");
}

#[test]
fn trainings_survive() {
    let finished = |folder: &Folder| match folder.has("out/checkpoint.bin") {
        true => step_of(&folder.read("out/checkpoint.bin")),
        false => 0,
    };
    let results = |folder: &Folder| {
        let names = [
            "last.safetensors",
            "best.safetensors",
            "log.csv",
            "checkpoint.bin",
        ];
        let files = names.map(|name| (name.to_owned(), folder.read(&format!("out/{name}"))));
        files.to_vec()
    };
    let work = Work {
        first: "out/checkpoint.bin",
        arguments: "train c.toml --resume",
        finished: &finished,
        results: &results,
        begin: &crate::train::folder,
    };
    work.survives("kills-train");
}

/// The step of a checkpoint by its bytes: behind 52 of a header stand pairs of strings, a string, and the step.
fn step_of(checkpoint: &[u8]) -> usize {
    let mut at = 52;
    // Numbers of one byte, or that of their size and as many.
    let mut number = |skip: usize| {
        at += skip;
        let size = match checkpoint[at] {
            byte @ 0..=250 => {
                at += 1;
                return usize::from(byte);
            }
            251 => 2,
            252 => 4,
            _ => 8,
        };
        let bytes = checkpoint[at + 1..at + 1 + size].iter().rev();
        at += 1 + size;
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let pairs = number(0);
    let mut length = 0;
    for _ in 0..2 * pairs + 1 {
        length = number(length);
    }
    number(length)
}
