//! Running the binary, and folders to run it in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ndarray::ArrayD;
use ndarray_npy::{WritableElement, WriteNpyExt};

/// Outcome of the binary.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// The answer, which must be a success.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// The answer, which must be a refusal whose message has all these parts.
    #[track_caller]
    pub(crate) fn refused(self, parts: &[&str]) -> Self {
        self.failed(2, parts)
    }

    /// The answer, which must have this exit code and a message with all these parts.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "`{part}` is missing in: {}",
                self.stderr
            );
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// The command, to be run in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axonml"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// A folder of a test's own, emptied.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Runs `axonml` with these arguments, separated by blanks.
    pub(crate) fn axonml(&self, arguments: &str) -> Answer {
        let output = command(&self.0)
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn npy<T: WritableElement>(
        &self,
        name: &str,
        shape: &[usize],
        value: impl Fn(usize) -> T,
    ) {
        let count = shape.iter().product();
        let array = ArrayD::from_shape_vec(shape, (0..count).map(value).collect()).unwrap();
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        self.write(name, bytes);
    }

    /// A nerve of two contacts and two fibers, its lines 8 mm long: enough for five nodes of 10 um.
    pub(crate) fn nerve(&self, name: &str) {
        let potential = |i: usize| 1e5 / (1000.0 + (20.0 * (i % 401) as f64 - 4000.0).abs());
        self.npy(&format!("{name}/0.npy"), &[2, 401], potential);
        self.npy(&format!("{name}/1.npy"), &[2, 401], |i| {
            0.5 * potential(i) as f32
        });
        self.npy(&format!("{name}/fiber_z.npy"), &[401], |i| 20.0 * i as f64);
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// The rows of a CSV file, as (column, cell) pairs.
    pub(crate) fn rows(&self, name: &str) -> Vec<std::collections::HashMap<String, String>> {
        let bytes = self.read(name);
        csv::Reader::from_reader(bytes.as_slice())
            .deserialize()
            .map(Result::unwrap)
            .collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    /// Names of all files.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// A JSON value without what differs between equal runs.
pub(crate) fn timeless(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(summary) = value["summary"].as_object_mut() {
        assert!(summary.remove("seconds").is_some());
    }
    value
}
