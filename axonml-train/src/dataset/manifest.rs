//! `manifest.json`: the request and the finished shards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sizes::Sizes;
use super::{DatasetError, FileRecord, Request};

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`Manifest::FORMAT`].
    pub format: String,
    /// The request.
    pub request: Request,
    /// The finished shards, in order.
    pub shards: Vec<ShardRecord>,
}

/// A finished shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// Its folder.
    pub name: String,
    /// Number of its first fiber.
    pub first: usize,
    /// Number of fibers.
    pub fibers: usize,
    /// Number of contacts.
    pub contacts: usize,
    /// Its files.
    pub files: BTreeMap<String, FileRecord>,
}

impl Manifest {
    /// Name and version of the format.
    pub const FORMAT: &'static str = "axonml dataset 1";
    /// Name of the file.
    pub const FILE: &'static str = "manifest.json";
    /// Its bytes at most: those of a hundred thousand shards.
    const MOST_BYTES: u64 = 256 << 20;

    pub(super) fn new(request: Request) -> Self {
        Manifest {
            format: Self::FORMAT.to_owned(),
            request,
            shards: Vec::new(),
        }
    }

    /// Fibers in finished shards.
    pub fn fibers_done(&self) -> usize {
        self.shards.iter().map(|shard| shard.fibers).sum()
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`DatasetError::Read`]; [`DatasetError::Manifest`] if its numbers do not fit each other.
    pub fn read(folder: &Path) -> Result<Self, DatasetError> {
        let path = folder.join(Self::FILE);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(Self::MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(DatasetError::read(&path))?;
        let wrong = |problem: String| DatasetError::Manifest {
            path: path.display().to_string(),
            problem,
        };
        if bytes.len() as u64 > Self::MOST_BYTES {
            return Err(wrong(format!(
                "it has more than {} bytes",
                Self::MOST_BYTES
            )));
        }
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if value["format"] != Self::FORMAT {
            return Err(wrong(format!(
                "its format is {}, expected `{}`",
                value["format"],
                Self::FORMAT
            )));
        }
        let manifest: Manifest =
            serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        manifest.check().map_err(wrong)?;
        Ok(manifest)
    }

    /// Checks that readers may trust the numbers and the names of files.
    fn check(&self) -> Result<(), String> {
        let request = &self.request;
        request.check()?;
        let mut next = 0;
        for (index, shard) in self.shards.iter().enumerate() {
            let expected = request.shard_fibers.min(request.count.saturating_sub(next));
            if shard.name != shard_name(index) || shard.first != next || shard.fibers != expected {
                return Err(format!(
                    "shard {index} is `{}` with {} fibers from {} on, expected `{}` with {expected} from {next} on",
                    shard.name,
                    shard.fibers,
                    shard.first,
                    shard_name(index)
                ));
            }
            next += shard.fibers;
            shard.check_files(request)?;
        }
        Ok(())
    }

    /// Replaces the manifest of a folder, all or nothing.
    pub(super) fn write(&self, folder: &Path) -> Result<(), DatasetError> {
        let path = folder.join(Self::FILE);
        let mut text = serde_json::to_string_pretty(self).map_err(|error| DatasetError::Write {
            path: path.display().to_string(),
            source: error.into(),
        })?;
        text.push('\n');
        axonml_files::replace(&path, text.as_bytes()).map_err(DatasetError::write(&path))
    }
}

impl ShardRecord {
    /// Checks that exactly the files of a shard are listed, with the sizes that they must have.
    fn check_files(&self, request: &Request) -> Result<(), String> {
        let known = Sizes::of(request, self.fibers, self.contacts).files();
        if let Some(name) = self
            .files
            .keys()
            .find(|name| known.iter().all(|(file, _)| file != name))
        {
            return Err(format!(
                "`{}` lists the file `{name}`, expected only {}",
                self.name,
                names(&known)
            ));
        }
        for (file, bytes) in known {
            let Some(record) = self.files.get(file) else {
                return Err(format!(
                    "`{}` does not list `{file}`, expected {}",
                    self.name,
                    names(&known)
                ));
            };
            if u128::from(record.bytes) != bytes {
                return Err(format!(
                    "`{}/{file}` has {} bytes by the manifest, expected {bytes} for its {} fibers and {} contacts",
                    self.name, record.bytes, self.fibers, self.contacts
                ));
            }
            let digits = record.sha256.bytes();
            if digits.len() != 64
                || !digits
                    .clone()
                    .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
            {
                return Err(format!(
                    "the checksum of `{}/{file}` is `{}`, expected 64 hexadecimal digits",
                    self.name, record.sha256
                ));
            }
        }
        Ok(())
    }
}

fn names(files: &[(&str, u128)]) -> String {
    let names: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
    names.join(", ")
}

/// Folder of the `index`-th shard.
pub(super) fn shard_name(index: usize) -> String {
    format!("shard-{index:05}")
}
