//! `cargo xtask bench --against PATH`: the present checkout against a built one of another commit.
//!
//! Both sides run the same commands (`rows`) in the present checkout's folder, one after the other in pairs whose order
//! alternates, after a run of each that does not count. A row's figure is the median of the pairs' ratios of processor
//! time, which other programs on the machine hardly change. What can be measured only inside a process is compared by
//! what `xtask bench` of both sides prints, and marked `wall`.

mod ratios;
mod rows;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use self::ratios::{Measure, Pairs, below};
use self::rows::COMMANDS;
use crate::measured::{self, Used};
use crate::workspace::root;

/// The two sides, and how often they are compared.
pub(super) struct Comparison<'a> {
    /// The built checkout of the other commit.
    pub(super) path: &'a Path,
    /// Pairs of every command.
    pub(super) pairs: usize,
    /// Pairs of whole benchmarks.
    pub(super) wall_pairs: usize,
    /// Only rows whose name contains this.
    pub(super) only: &'a str,
    /// The least median ratio that is accepted.
    pub(super) least: Option<f64>,
    /// Where to write the figures.
    pub(super) json: Option<&'a Path>,
    /// The machine, for the file.
    pub(super) machine: &'a str,
    /// Fibers and repetitions of the benchmarks.
    pub(super) fibers: usize,
    pub(super) repeat: usize,
}

/// Binaries of one side.
struct Side {
    axonml: PathBuf,
    xtask: Option<PathBuf>,
    /// Commit and whether files differ from it.
    commit: String,
}

impl Comparison<'_> {
    pub(super) fn run(&self) -> Result<(), String> {
        let old = Side::other(self.path)?;
        let new = Side::present()?;
        println!("{}", self.machine);
        println!("old: {} ({})", self.path.display(), old.commit);
        println!("new: the present checkout ({})\n", new.commit);
        println!("{}", Pairs::head());
        let mut rows = self.commands(&old, &new)?;
        rows.extend(self.benchmarks(&old, &new)?);
        if rows.is_empty() {
            return Err(format!("--only {}: no row has this in its name", self.only));
        }
        if let Some(file) = self.json {
            let value = json!({
                "machine": self.machine,
                "old": { "path": self.path.display().to_string(), "commit": old.commit },
                "new": { "commit": new.commit },
                "pairs": self.pairs,
                "rows": rows.iter().map(Pairs::json).collect::<Vec<_>>(),
            });
            let text = serde_json::to_string_pretty(&value).map_err(|e| e.to_string())?;
            std::fs::write(file, text + "\n")
                .map_err(|e| format!("cannot write {}: {e}", file.display()))?;
        }
        let slow = below(&rows, self.least.unwrap_or(0.0));
        match (self.least, slow.is_empty()) {
            (Some(least), false) => Err(format!(
                "slower than {least} times the old side: {}",
                slow.join(", ")
            )),
            _ => Ok(()),
        }
    }

    /// Rows of processor time.
    fn commands(&self, old: &Side, new: &Side) -> Result<Vec<Pairs>, String> {
        let chosen: Vec<_> = COMMANDS
            .iter()
            .filter(|command| command.name.contains(self.only))
            .collect();
        let mut rows: Vec<Pairs> = chosen
            .iter()
            .map(|command| Pairs::new(command.name, Measure::Cpu, "s", false))
            .collect();
        // Pair 0 warms the disk's cache and counts for nothing. All rows have their first pair before any has its second, so
        // that a disturbance meets one pair of each row and not all pairs of one.
        for pair in 0..=self.pairs {
            for (command, row) in chosen.iter().zip(&mut rows) {
                let time = |side: &Side| {
                    measured::run(&side.axonml, &command.arguments(), &root())
                        .map_err(|error| format!("{}: {error}", command.name))
                };
                let (of_old, of_new) = in_turns(pair, || time(old), || time(new))?;
                if pair == 0 {
                    continue;
                }
                let larger = |peak: Option<f64>, used: Used| {
                    Some(peak.map_or(used.peak_mb, |p| p.max(used.peak_mb)))
                };
                row.old.push(of_old.cpu_s);
                row.new.push(of_new.cpu_s);
                row.old_peak_mb = larger(row.old_peak_mb, of_old);
                row.new_peak_mb = larger(row.new_peak_mb, of_new);
            }
        }
        for row in &rows {
            println!("{}", row.line(self.least));
        }
        Ok(rows)
    }

    /// Rows of the benchmarks that both sides have.
    fn benchmarks(&self, old: &Side, new: &Side) -> Result<Vec<Pairs>, String> {
        if self.wall_pairs == 0 {
            return Ok(Vec::new());
        }
        let (Some(of_old), Some(of_new)) = (&old.xtask, &new.xtask) else {
            println!(
                "rows of the library are not compared: found no {}; build it with `{}`",
                binary(self.path, "xtask").display(),
                build_command(self.path, "xtask")
            );
            return Ok(Vec::new());
        };
        let mut rows: Vec<Pairs> = Vec::new();
        for pair in 0..self.wall_pairs {
            let print = |xtask: &Path| self.benchmark(xtask);
            let (old, new) = in_turns(pair, || print(of_old), || print(of_new))?;
            for figure in &new {
                let same = |other: &&Figure| other.name == figure.name && other.unit == figure.unit;
                let Some(before) = old.iter().find(same) else {
                    continue;
                };
                let index = rows.iter().position(|row| row.name == figure.name);
                let index = index.unwrap_or_else(|| {
                    let is_rate = figure.unit.ends_with("/s");
                    rows.push(Pairs::new(
                        &figure.name,
                        Measure::Wall,
                        &figure.unit,
                        is_rate,
                    ));
                    rows.len() - 1
                });
                rows[index].old.push(before.value);
                rows[index].new.push(figure.value);
            }
        }
        for row in &rows {
            println!("{}", row.line(self.least));
        }
        Ok(rows)
    }

    /// The figures that a benchmark prints.
    fn benchmark(&self, xtask: &Path) -> Result<Vec<Figure>, String> {
        let name = format!("axonml-bench-{}.json", std::process::id());
        let file = std::env::temp_dir().join(name);
        let arguments = [
            "bench".to_owned(),
            "--json".to_owned(),
            file.display().to_string(),
            "--fibers".to_owned(),
            self.fibers.to_string(),
            "--repeat".to_owned(),
            self.repeat.to_string(),
            format!("--only={}", self.only),
        ];
        let ran = measured::run(xtask, &arguments, &root());
        let text = ran.and_then(|_| std::fs::read(&file).map_err(|error| error.to_string()));
        _ = std::fs::remove_file(&file);
        Figure::list(&text?).ok_or_else(|| format!("{}: not a list of figures", xtask.display()))
    }
}

/// Both measurements of a pair, the old side first in every second one.
fn in_turns<T>(
    pair: usize,
    old: impl FnOnce() -> Result<T, String>,
    new: impl FnOnce() -> Result<T, String>,
) -> Result<(T, T), String> {
    let of_side = |side: &'static str| move |error: String| format!("{side} side: {error}");
    if pair.is_multiple_of(2) {
        let old = old().map_err(of_side("old"))?;
        Ok((old, new().map_err(of_side("new"))?))
    } else {
        let new = new().map_err(of_side("new"))?;
        Ok((old().map_err(of_side("old"))?, new))
    }
}

/// A figure of a benchmark's file.
#[derive(Debug, PartialEq)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

impl Figure {
    fn list(text: &[u8]) -> Option<Vec<Figure>> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let figure = |value: &Value| {
            Some(Figure {
                name: value["name"].as_str()?.to_owned(),
                value: value["value"].as_f64()?,
                unit: value["unit"].as_str()?.to_owned(),
            })
        };
        value.as_array()?.iter().map(figure).collect()
    }
}

impl Side {
    /// The checkout at `path`, which must be built.
    fn other(path: &Path) -> Result<Self, String> {
        let path = path
            .canonicalize()
            .map_err(|error| format!("--against {}: {error}; name a checkout", path.display()))?;
        let axonml = binary(&path, "axonml");
        if !axonml.is_file() {
            return Err(format!(
                "--against {}: found no {}, expected a built checkout; build it with `{}`",
                path.display(),
                axonml.display(),
                build_command(&path, "axonml-cli")
            ));
        }
        let xtask = Some(binary(&path, "xtask")).filter(|file| file.is_file());
        Ok(Side {
            axonml,
            xtask,
            commit: commit(&path),
        })
    }

    /// The present checkout, built first.
    fn present() -> Result<Self, String> {
        if cfg!(debug_assertions) {
            return Err(
                "this is a build for debugging: call it as `cargo xtask`, which optimizes"
                    .to_owned(),
            );
        }
        let xtask = std::env::current_exe().map_err(|error| error.to_string())?;
        let built = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
            .args(["build", "--release", "--quiet", "-p", "axonml-cli"])
            .current_dir(root())
            .status()
            .map_err(|error| format!("cargo did not start: {error}"))?;
        // Cargo puts it beside this program.
        let axonml = xtask.with_file_name(format!("axonml{}", std::env::consts::EXE_SUFFIX));
        if !built.success() || !axonml.is_file() {
            return Err(format!(
                "the present checkout did not build: {built}, expected {}",
                axonml.display()
            ));
        }
        Ok(Side {
            axonml,
            xtask: Some(xtask),
            commit: commit(&root()),
        })
    }
}

/// Where a checkout has a release binary.
fn binary(checkout: &Path, name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    checkout.join("target").join("release").join(file)
}

fn build_command(checkout: &Path, package: &str) -> String {
    let manifest = checkout.join("Cargo.toml");
    format!(
        "cargo build --release --manifest-path {} -p {package}",
        manifest.display()
    )
}

/// The commit of a checkout as git describes it.
fn commit(checkout: &Path) -> String {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(checkout)
        .output();
    match described {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "commit unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_checkout_without_a_binary_is_answered_with_the_command_that_builds_it() {
        let folder = std::env::temp_dir().join(format!("axonml-unbuilt-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let message = Side::other(&folder).err().unwrap();
        std::fs::remove_dir(&folder).unwrap();
        for part in [
            "expected a built checkout",
            "cargo build --release --manifest-path",
            "-p axonml-cli",
        ] {
            assert!(message.contains(part), "{part} is missing in: {message}");
        }
        let message = Side::other(&folder).err().unwrap();
        assert!(message.contains("name a checkout"), "{message}");
    }

    #[test]
    fn the_side_that_begins_alternates_and_failures_name_theirs() {
        let order = RefCell::new(String::new());
        for pair in 0..4 {
            let took = |side: char| {
                order.borrow_mut().push(side);
                Ok(side)
            };
            assert_eq!(in_turns(pair, || took('o'), || took('n')), Ok(('o', 'n')));
        }
        assert_eq!(*order.borrow(), "onnoonno");
        let failed = in_turns(0, || Ok(1), || Err("no".to_owned()));
        assert_eq!(failed, Err("new side: no".to_owned()));
    }

    #[test]
    fn figures_of_a_benchmark_are_read() {
        let text = br#"[{"name": "a", "value": 2.5, "unit": "ms", "note": "x"}]"#;
        let expected = Figure {
            name: "a".to_owned(),
            value: 2.5,
            unit: "ms".to_owned(),
        };
        assert_eq!(Figure::list(text), Some(vec![expected]));
        assert_eq!(Figure::list(br#"[{"name": "a"}]"#), None);
        assert_eq!(Figure::list(b""), None);
    }
}
