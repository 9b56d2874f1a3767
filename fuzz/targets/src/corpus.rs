//! Inputs kept in `fuzz/corpus`, a folder per target.

use std::path::{Path, PathBuf};

/// Outcome that a kept input's name states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `ok-...`: the reader accepts it.
    Accepted,
    /// `bad-...`: the reader refuses it.
    Refused,
    /// Any other name: it must not crash.
    Any,
}

/// A kept input.
#[derive(Clone, Debug)]
pub struct Sample {
    /// File name.
    pub name: String,
    /// Whether its reader accepts it.
    pub expected: Expected,
    /// The input.
    pub bytes: Vec<u8>,
}

/// The folder of all corpora.
pub fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

/// The inputs kept for the target `name`, by file name.
///
/// # Errors
/// Those of the operating system.
pub fn corpus(name: &str) -> std::io::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for entry in std::fs::read_dir(corpora().join(name))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let expected = match name.split_once('-') {
            Some(("ok", _)) => Expected::Accepted,
            Some(("bad", _)) => Expected::Refused,
            _ => Expected::Any,
        };
        samples.push(Sample {
            name: name.into_owned(),
            expected,
            bytes: std::fs::read(&path)?,
        });
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(samples)
}
