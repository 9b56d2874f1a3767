//! Checkpoints: a value in a file that is either whole or not there.
//!
//! A file is: the 8 bytes `AXONMLCP`; the version of the format and the length of the content, little-endian, 4 and 8
//! bytes; the SHA-256 of the content, 32 bytes; the content. It is written under a temporary name, flushed to the disk,
//! and moved over the old one, so that a kill or a full disk at any moment leaves the old one.

use std::path::Path;

use bincode::error::DecodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"AXONMLCP";
const VERSION: u32 = 1;
const HEADER: usize = 8 + 4 + 8 + 32;

/// Errors of writing, reading or using a checkpoint.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write `{path}`: {source}; the previous checkpoint is kept")]
    Write {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("`{path}` is no checkpoint: it does not begin with `AXONMLCP`")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file has a format of another version.
    #[error("`{path}` is a checkpoint of format {found}; this version reads format {VERSION}")]
    Version {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
    },
    /// The length of the file differs from the length in its header.
    #[error("`{path}` has {found} bytes, expected {expected}: it was truncated or replaced")]
    Size {
        /// The file.
        path: String,
        /// Its size.
        found: usize,
        /// Its size by its header.
        expected: u64,
    },
    /// The content differs from the content written.
    #[error("`{path}` has a wrong checksum: its content changed since it was written")]
    Checksum {
        /// The file.
        path: String,
    },
    /// The content is not that of a training.
    #[error("the content of `{path}` cannot be decoded: {problem}")]
    Content {
        /// The file.
        path: String,
        /// The mismatch.
        problem: String,
    },
    /// The training was begun with other settings.
    #[error("`{path}` was begun with {field} = {found}, but {requested} is requested")]
    Other {
        /// The file.
        path: String,
        /// First setting that differs.
        field: String,
        /// Its value in the checkpoint.
        found: String,
        /// The requested value.
        requested: String,
    },
}

impl CheckpointError {
    /// Whether the work failed, rather than a file or the request being wrong.
    pub fn is_failure(&self) -> bool {
        matches!(self, CheckpointError::Write { .. })
    }
}

/// `value` as bytes that [`decode`] reads; every number keeps its bits.
///
/// # Errors
/// [`CheckpointError::Content`] for a type that has no such form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CheckpointError> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|error| {
        CheckpointError::Content {
            path: "a value to be saved".to_owned(),
            problem: error.to_string(),
        }
    })
}

/// The value that [`encode`] made these bytes of.
///
/// # Errors
/// [`CheckpointError::Content`] for other bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CheckpointError> {
    let content = |problem: String| CheckpointError::Content {
        path: "a checkpoint".to_owned(),
        problem,
    };
    match bounded(bytes).map_err(|error| content(error.to_string()))? {
        (value, read) if read == bytes.len() => Ok(value),
        (_, read) => Err(content(format!("{} bytes too many", bytes.len() - read))),
    }
}

/// A value and the number of bytes that it was read from. Lengths that the bytes announce are believed up to a limit
/// that follows from how many bytes there are: more would be allocated before it is seen that they are missing.
fn bounded<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), DecodeError> {
    // The limit counts 8 bytes for an integer, which may take one.
    macro_rules! first_that_fits {
        ($($bits:literal),*) => {
            match bytes.len() {
                $(length if length <= 1 << $bits => bincode::serde::decode_from_slice(
                    bytes,
                    bincode::config::standard().with_limit::<{ 16 << $bits }>(),
                ),)*
                length => Err(DecodeError::OtherString(format!(
                    "found {length} bytes, expected {} or fewer",
                    1 << 26
                ))),
            }
        };
    }
    first_that_fits!(12, 14, 16, 18, 20, 22, 24, 26)
}

/// Saves `value` at `path`.
///
/// # Errors
/// [`CheckpointError::Write`], after which the old file is still there.
pub fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), CheckpointError> {
    let content = encode(value)?;
    let mut bytes = Vec::with_capacity(HEADER + content.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.extend(Sha256::digest(&content));
    bytes.extend(content);
    axonml_files::replace(path, &bytes).map_err(|source| CheckpointError::Write {
        path: path.display().to_string(),
        source,
    })
}

/// Reads a checkpoint written by [`save`].
///
/// # Errors
/// [`CheckpointError`] with the problem of the file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => from_bytes(&name, &bytes),
        Err(source) => Err(CheckpointError::Read { path: name, source }),
    }
}

/// Reads the bytes of a file that [`save`] wrote; errors call it `name`.
///
/// # Errors
/// [`CheckpointError`] with the problem of the file.
pub fn from_bytes<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, CheckpointError> {
    let name = || name.to_owned();
    if !bytes.starts_with(MAGIC) {
        return Err(CheckpointError::Foreign { path: name() });
    }
    let found = bytes.len();
    let size = |expected| CheckpointError::Size {
        path: name(),
        found,
        expected,
    };
    let Some((header, content)) = bytes.split_at_checked(HEADER) else {
        return Err(size(HEADER as u64));
    };
    let word = |range: std::ops::Range<usize>| {
        let bytes = header[range].iter().rev();
        bytes.fold(0_u64, |word, &byte| word << 8 | u64::from(byte))
    };
    let version = word(8..12) as u32;
    if version != VERSION {
        return Err(CheckpointError::Version {
            path: name(),
            found: version,
        });
    }
    let length = word(12..20);
    if length != content.len() as u64 {
        return Err(size(length.saturating_add(HEADER as u64)));
    }
    if Sha256::digest(content)[..] != header[20..] {
        return Err(CheckpointError::Checksum { path: name() });
    }
    decode(content).map_err(|error| match error {
        CheckpointError::Content { problem, .. } => CheckpointError::Content {
            path: name(),
            problem,
        },
        other => other,
    })
}

/// Refuses settings, as (place, value), that are not those of the checkpoint at `path`; those of `free` may differ.
pub(crate) fn refuse_other(
    path: &Path,
    found: &[(String, String)],
    requested: &[(String, String)],
    free: &[&str],
) -> Result<(), CheckpointError> {
    let of = |settings: &[(String, String)], field: &str| {
        let found = settings.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value.clone())
    };
    let fields = requested
        .iter()
        .chain(found)
        .map(|(field, _)| field.as_str());
    for field in fields.filter(|field| !free.contains(field)) {
        let (found, requested) = (of(found, field), of(requested, field));
        if found != requested {
            let text = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
            return Err(CheckpointError::Other {
                path: path.display().to_string(),
                field: field.to_owned(),
                found: text(found),
                requested: text(requested),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
