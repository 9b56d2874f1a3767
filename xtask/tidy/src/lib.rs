//! `cargo xtask tidy`: rules of the house that the compiler does not know. A crate without dependencies, so that it runs
//! before anything is built.

mod cycles;
mod paths;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Crate, and the workspace crates it may depend on (ARCHITECTURE.md says why).
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("axonml-core", &[]),
    ("axonml-autodiff", &["axonml-core"]),
    ("axonml-cpu", &["axonml-core", "axonml-autodiff"]),
    ("axonml-files", &[]),
    // Random numbers.
    ("axonml-optimize", &["axonml-core"]),
    (
        "axonml-cuda",
        &["axonml-core", "axonml-autodiff", "axonml-files"],
    ),
    (
        "axonml-models",
        &[
            "axonml-core",
            "axonml-autodiff",
            "axonml-cpu",
            "axonml-cuda",
        ],
    ),
    (
        "axonml-train",
        &[
            "axonml-core",
            "axonml-autodiff",
            "axonml-files",
            "axonml-models",
            "axonml-optimize",
        ],
    ),
    (
        "axonml",
        &[
            "axonml-core",
            "axonml-autodiff",
            "axonml-cpu",
            "axonml-cuda",
            "axonml-files",
            "axonml-models",
            "axonml-optimize",
            "axonml-train",
        ],
    ),
    (
        "axonml-cli",
        // The front door alone: no numerics, no experiment logic.
        &[],
    ),
    (
        "axonml-py",
        // The same.
        &[],
    ),
];

/// Crates that may hold `unsafe` blocks.
const UNSAFE_ALLOWED: &[&str] = &["axonml-cpu", "axonml-cuda"];

/// Macros that mark unfinished work.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

const LONGEST_FILE: usize = 700;

/// Bytes of all files of the repository that are allowed.
const LARGEST_REPOSITORY: u64 = 30 << 20;

/// Checks all rules.
///
/// # Errors
/// The rules that are broken, and where.
pub fn run() -> Result<(), String> {
    let mut problems = Vec::new();
    dependencies(&mut problems);
    let mut files = Vec::new();
    collect(&root(), &mut files);
    sources(&files, &mut problems);
    rings(&files, &mut problems);
    documents(&files, &mut problems);
    let total: u64 = files
        .iter()
        .filter_map(|file| fs::metadata(file).ok())
        .map(|meta| meta.len())
        .sum();
    if total > LARGEST_REPOSITORY {
        problems.push(format!(
            "the repository's files weigh {} MiB; the limit is 30",
            total >> 20
        ));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!("\n  {}", problems.join("\n  ")))
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    // Without `..`, which the paths of files do not have.
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}

/// Files of the repository, without build output (Python's among it) and hidden folders.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if name != "target" && name != "__pycache__" && !name.starts_with('.') {
                collect(&path, files);
            }
        } else if !name.ends_with(".abi3.so") {
            files.push(path);
        }
    }
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}

/// Dependencies between the crates point one way.
fn dependencies(problems: &mut Vec<String>) {
    for (name, allowed) in DEPENDENCIES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap_or_default();
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        for line in section.lines().filter(|line| line.starts_with("axonml-")) {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !allowed.contains(&dependency) {
                problems.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
}

/// Length, unfinished marks, `unsafe` and panics in library code.
fn sources(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
    {
        let (Ok(text), name) = (fs::read_to_string(file), relative(file)) else {
            continue;
        };
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            problems.push(format!(
                "{name} has {lines} lines: would two names explain more than one?"
            ));
        }
        if name.starts_with("xtask") {
            continue;
        }
        for mark in UNFINISHED
            .map(|name| format!("{name}!("))
            .iter()
            .filter(|mark| text.contains(mark.as_str()))
        {
            problems.push(format!("{name} contains `{mark}`"));
        }
        let crate_name = name.split('/').next().unwrap_or_default();
        if text.contains("unsafe {") && !UNSAFE_ALLOWED.contains(&crate_name) {
            problems.push(format!("{name} contains `unsafe`"));
        }
        let is_test =
            name.contains("tests") || name.contains("benches") || name.starts_with("examples");
        let library = text.split("#[cfg(test)]").next().unwrap_or_default();
        if !is_test
            && library
                .lines()
                .any(|line| line.contains(".unwrap()") && !line.trim_start().starts_with("//"))
        {
            problems.push(format!(
                "{name} unwraps outside tests: return an error, or `expect` with the reason"
            ));
        }
    }
}

/// No files of a crate take from each other in a ring.
fn rings(files: &[PathBuf], problems: &mut Vec<String>) {
    let mut crates: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
    {
        let name = relative(file);
        let Some((folder, below)) = name.split_once("/src/") else {
            continue;
        };
        if let Ok(text) = fs::read_to_string(file) {
            let sources = crates.entry(format!("{folder}/src")).or_default();
            sources.push((below.to_owned(), text));
        }
    }
    for (folder, mut sources) in crates {
        sources.sort();
        problems.extend(cycles::cycles(&sources).into_iter().map(|ring| {
            format!(
                "{folder}: files in a ring: {ring}; move what two of them need into a file of its own"
            )
        }));
    }
}

/// Paths that the documents name in back-quotes exist.
fn documents(files: &[PathBuf], problems: &mut Vec<String>) {
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "md"))
    {
        let (Ok(text), Some(folder)) = (fs::read_to_string(file), file.parent()) else {
            continue;
        };
        for quoted in text.split('`').skip(1).step_by(2) {
            let looks_like_path = quoted.contains('/')
                && !quoted.contains([' ', '<', '*', '{', '$', '=', ':', '('])
                && !quoted.starts_with(['/', '-', '.']);
            if looks_like_path && !root().join(quoted).exists() && !folder.join(quoted).exists() {
                problems.push(format!(
                    "{} names `{quoted}`, which does not exist",
                    relative(file)
                ));
            }
        }
    }
}
