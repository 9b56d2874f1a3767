//! `manifest.json`: what was asked for, and which shards are finished.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shard::Sizes;
use super::{DatasetError, Recipe};

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`Manifest::FORMAT`].
    pub format: String,
    /// What was asked for.
    pub request: Request,
    /// The finished shards, in order.
    pub shards: Vec<ShardRecord>,
}

/// Everything that a set depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Program and version that wrote the set.
    pub program: String,
    /// The recipe; none for a set from elsewhere.
    pub recipe: Option<Recipe>,
    /// The file that the set was imported from.
    pub imported_from: Option<String>,
    /// The nerve folders of the recipe, in their order.
    pub fields: Vec<FieldRecord>,
    /// Backend with its instruction set, on which the last bits depend.
    pub backend: Option<String>,
    /// Number of fibers.
    pub count: usize,
    /// Nodes of each fiber.
    pub nodes: usize,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Number of steps.
    pub steps: usize,
    /// Steps between the recorded rows.
    pub every: usize,
    /// Number of rows, the start included.
    pub rows: usize,
    /// Recorded states in their order, `v` (mV) among them.
    pub states: Vec<String>,
    /// Fibers of a shard; the last may have fewer.
    pub shard_fibers: usize,
}

/// A nerve folder that fields were drawn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRecord {
    /// The folder as the recipe names it.
    pub folder: String,
    /// SHA-256 over its arrays of potentials and positions.
    pub sha256: String,
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

/// A file of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Size.
    pub bytes: u64,
    /// Checksum in hexadecimal.
    pub sha256: String,
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

impl Request {
    /// Checks that the numbers make sense and fit each other.
    fn check(&self) -> Result<(), String> {
        let request = self;
        let positive = [
            ("count", request.count),
            ("nodes", request.nodes),
            ("steps", request.steps),
            ("every", request.every),
            ("rows", request.rows),
            ("shard_fibers", request.shard_fibers),
            ("states", request.states.len()),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, number)| *number == 0) {
            return Err(format!("`request.{name}` is 0 or empty"));
        }
        if request.rows > request.steps / request.every + 1 {
            return Err(format!(
                "`request.rows` is {}, more than {} steps give",
                request.rows, request.steps
            ));
        }
        if !(request.dt_ms > 0.0 && request.dt_ms.is_finite()) {
            return Err(format!("`request.dt_ms` is {}", request.dt_ms));
        }
        for (index, state) in request.states.iter().enumerate() {
            if state.is_empty() || request.states[..index].contains(state) {
                return Err(format!(
                    "`request.states[{index}]` is `{state}`, expected each state once"
                ));
            }
        }
        if let Some(recipe) = &request.recipe {
            let steps = recipe
                .grid()
                .map_err(|error| format!("`request.recipe`: {error}"))?
                .steps();
            if steps != request.steps {
                return Err(format!(
                    "`request.steps` is {}, but the recipe has {steps}",
                    request.steps
                ));
            }
            recipe
                .check()
                .map_err(|error| format!("`request.recipe`: {error}"))?;
            let same = [
                ("count", recipe.count, request.count),
                ("nodes", recipe.nodes, request.nodes),
            ];
            if let Some((name, of_recipe, asked)) = same.iter().find(|(_, a, b)| a != b) {
                return Err(format!(
                    "`request.{name}` is {asked}, but `request.recipe.{name}` is {of_recipe}"
                ));
            }
        }
        Ok(())
    }

    /// The error that another request for the same folder is.
    pub(super) fn refuse_other(&self, other: &Request, folder: &Path) -> Result<(), DatasetError> {
        let value = |request: &Request| serde_json::to_value(request).unwrap_or_default();
        match difference("request", &value(self), &value(other)) {
            None => Ok(()),
            Some((field, found, asked)) => Err(DatasetError::OtherRequest {
                folder: folder.display().to_string(),
                field,
                found: found.to_string(),
                asked: asked.to_string(),
            }),
        }
    }
}

/// Place and values of the first difference.
fn difference(place: &str, a: &Value, b: &Value) -> Option<(String, Value, Value)> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x.keys().chain(y.keys()).find_map(|key| {
            let part = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or_default()
            };
            difference(&format!("{place}.{key}"), &part(x), &part(y))
        }),
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let mut pairs = x.iter().zip(y).enumerate();
            pairs.find_map(|(index, (a, b))| difference(&format!("{place}[{index}]"), a, b))
        }
        _ if a == b => None,
        _ => Some((place.to_owned(), a.clone(), b.clone())),
    }
}

/// Folder of the `index`-th shard.
pub(super) fn shard_name(index: usize) -> String {
    format!("shard-{index:05}")
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
