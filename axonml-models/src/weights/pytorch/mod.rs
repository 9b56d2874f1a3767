//! Checkpoints of PyTorch AxonML: state dicts, and the files it saves while it trains.
//!
//! `torch.save` writes a zip of a pickle (`data.pkl`) and one record of raw numbers per storage. The pickle is read as
//! data: of its instructions those that build dictionaries, lists, tuples, numbers and tensors; whatever else it names
//! is refused by name, and nothing is executed.
//!
//! Sources: the pickle protocol as documented in CPython's `pickletools`; the record layout as documented in PyTorch's
//! serialization notes; key names and the meaning of `ssd.weight` of AxonML (Hussain, Grill & Pelot 2024).

mod archive;
mod pickle;
mod surrogate;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use thiserror::Error;

pub use surrogate::{smf_from_checkpoint, smf_to_tensors};

use super::ModelFile;
use crate::provenance::sha256;
use archive::Archive;
use pickle::{Object, Pickle, StorageType, TensorRecord};

/// Errors of reading a checkpoint.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes are no zip of `torch.save`, or an incomplete one.
    #[error("not a file of torch.save, or a truncated one: {0}")]
    Archive(String),
    /// A record of the file is missing or too short.
    #[error("record `{record}`: {problem}")]
    Record {
        /// Name of the record.
        record: String,
        /// The problem.
        problem: String,
    },
    /// The pickle names something that is no part of a state dict.
    #[error(
        "the file names `{name}`, which is no part of a state dict; nothing of it was executed. Save `model.state_dict()` \
         with torch.save and import that"
    )]
    Forbidden {
        /// A class, function or instruction.
        name: String,
    },
    /// The pickle is damaged.
    #[error("the pickle in the file is invalid at byte {at}: {problem}")]
    Pickle {
        /// Byte of the pickle.
        at: usize,
        /// The problem.
        problem: &'static str,
    },
    /// There are no tensors under names in the file.
    #[error("found no state dict in the file, expected tensors by name")]
    NoStateDict,
    /// There are several state dicts.
    #[error("found several state dicts, {}; save the intended one alone", names.join(", "))]
    Ambiguous {
        /// Where they are.
        names: Vec<String>,
    },
    /// A key that the model needs is not there.
    #[error("keys are missing in the state dict: {}", keys.join(", "))]
    MissingKeys {
        /// The keys.
        keys: Vec<String>,
    },
    /// A key that the model does not have.
    #[error(
        "the state dict has the key `{key}`, which the surrogate does not have{}",
        nearest.as_ref().map(|n| format!(" (is it `{n}`?)")).unwrap_or_default()
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// The key of the model that is most like it.
        nearest: Option<String>,
    },
    /// A tensor has another shape.
    #[error("`{key}` has shape {found:?}, expected {expected}")]
    Shape {
        /// The key.
        key: String,
        /// Its shape.
        found: Vec<usize>,
        /// The expected value.
        expected: &'static str,
    },
    /// A tensor is not of floats.
    #[error("`{key}` holds {found}, expected single or double precision")]
    Type {
        /// The key.
        key: String,
        /// The storage's class.
        found: String,
    },
    /// A number makes no sense.
    #[error("`{key}` is {value:e}, expected {expected}")]
    Value {
        /// The key.
        key: String,
        /// The number.
        value: f64,
        /// The expected value.
        expected: &'static str,
    },
    /// A number is NaN or infinite.
    #[error("`{key}` is {value}, expected finite numbers: was the training stopped by a NaN?")]
    NotFinite {
        /// The key.
        key: String,
        /// The number.
        value: f64,
    },
}

/// A tensor of a state dict.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extents, slowest first.
    pub shape: Vec<usize>,
    /// Numbers in that order.
    pub values: Vec<f64>,
    /// Whether they were stored in single precision.
    pub single: bool,
}

/// A state dict and the other content of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Tensors by key.
    pub tensors: BTreeMap<String, Tensor>,
    /// Where the state dict lies in the file: `model_state_dict`; empty if it is the file itself.
    pub path: String,
    /// Numbers stored along with the state dict, such as losses.
    pub numbers: BTreeMap<String, f64>,
}

/// Keys under which training checkpoints keep the model, the best first.
const STATE_DICT_KEYS: [&str; 3] = ["model_state_dict", "state_dict", "model"];

/// Numbers that all tensors of a state dict may have together: far more than any surrogate, and little memory. Strides
/// may repeat numbers, so that the size of the file bounds nothing.
const ROOM: usize = 1 << 22;

/// How deep dictionaries are looked into.
const DEPTH: usize = 3;

/// The model file of a file written by `torch.save`, named in its provenance, and where in it the state dict lies
/// ([`Checkpoint::path`]).
///
/// # Errors
/// As [`read_checkpoint`] and [`smf_from_checkpoint`].
pub fn import_checkpoint(
    bytes: &[u8],
    file_name: &str,
) -> Result<(ModelFile, String), CheckpointError> {
    let checkpoint = read_checkpoint(bytes)?;
    let mut file = smf_from_checkpoint(&checkpoint)?;
    let named = [
        ("checkpoint file", file_name.to_owned()),
        ("checkpoint sha256", sha256(bytes)),
    ];
    let named = named.map(|(key, value)| (key.to_owned(), value));
    file.provenance.extend(named);
    Ok((file, checkpoint.path))
}

/// Reads a file written by `torch.save`: a state dict, or a dictionary that holds one.
///
/// # Errors
/// [`CheckpointError`] with the problem; nothing in the file is ever executed.
pub fn read_checkpoint(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let mut archive = Archive::open(bytes)?;
    let pickle = Pickle::read(&archive.record("data.pkl")?)?;
    let found = state_dicts(&pickle);
    let chosen = match found.as_slice() {
        [] => return Err(CheckpointError::NoStateDict),
        [one] => one,
        several => {
            let named = |name: &&str| several.iter().find(|(path, _)| path == *name);
            let preferred = STATE_DICT_KEYS.iter().find_map(named);
            preferred.ok_or_else(|| CheckpointError::Ambiguous {
                names: several.iter().map(|(path, _)| path.clone()).collect(),
            })?
        }
    };
    let (path, dict) = chosen;
    let mut tensors = BTreeMap::new();
    let mut room = ROOM;
    // Many tensors may be views of one record.
    let mut records: HashMap<Rc<str>, Vec<u8>> = HashMap::new();
    for (key, object) in pickle.dict(*dict) {
        if let (Object::Text(key), Object::Tensor(record)) = (key, object) {
            tensors.insert(
                key.to_string(),
                tensor(&mut archive, key, record, &mut records, &mut room)?,
            );
        }
    }
    let mut numbers = BTreeMap::new();
    if let (false, Object::Dict(root)) = (path.is_empty(), pickle.root()) {
        for (key, object) in pickle.dict(*root) {
            let (Object::Text(key), Some(number)) = (key, object.number()) else {
                continue;
            };
            numbers.insert(key.to_string(), number);
        }
    }
    Ok(Checkpoint {
        tensors,
        path: path.clone(),
        numbers,
    })
}

/// Dictionaries of tensors by name, the outermost first, each with the keys that lead to it.
fn state_dicts(pickle: &Pickle) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let Object::Dict(root) = pickle.root() else {
        return found;
    };
    // A dictionary may hold others any number of times: each is looked into once.
    let mut seen = HashSet::from([*root]);
    let mut level = vec![(String::new(), *root)];
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for (path, dict) in level {
            let entries = pickle.dict(dict);
            let is_tensor =
                |entry: &(Object, Object)| matches!(entry, (Object::Text(_), Object::Tensor(_)));
            if entries.iter().any(is_tensor) {
                found.push((path, dict));
                continue;
            }
            for (key, object) in entries {
                if let (Object::Text(key), Object::Dict(inner)) = (key, object)
                    && seen.insert(*inner)
                {
                    let path = match path.as_str() {
                        "" => key.to_string(),
                        path => format!("{path}.{key}"),
                    };
                    below.push((path, *inner));
                }
            }
        }
        level = below;
    }
    found
}

/// The elements of a tensor, in row-major order.
fn tensor(
    archive: &mut Archive<'_>,
    key: &str,
    record: &TensorRecord,
    records: &mut HashMap<Rc<str>, Vec<u8>>,
    room: &mut usize,
) -> Result<Tensor, CheckpointError> {
    let (width, single) = match &record.storage.kind {
        StorageType::Double => (8, false),
        StorageType::Float => (4, true),
        StorageType::Other(name) => {
            return Err(CheckpointError::Type {
                key: key.to_owned(),
                found: (*name).to_owned(),
            });
        }
    };
    let name = format!("data/{}", record.storage.key);
    let bytes = match records.entry(record.storage.key.clone()) {
        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::hash_map::Entry::Vacant(new) => new.insert(archive.record(&name)?),
    };
    let short = || CheckpointError::Record {
        record: name.clone(),
        problem: format!(
            "its {} bytes do not hold the tensor `{key}` of shape {:?}",
            bytes.len(),
            record.shape
        ),
    };
    let count = record
        .shape
        .iter()
        .try_fold(1_usize, |n, &extent| n.checked_mul(extent));
    let count = count.filter(|n| *n <= *room).ok_or_else(short)?;
    *room -= count;
    let mut values = Vec::with_capacity(count);
    for index in 0..count {
        let mut rest = index;
        let mut at = Some(record.offset);
        for (&extent, &stride) in record.shape.iter().zip(&record.strides).rev() {
            let step = (rest % extent).checked_mul(stride);
            rest /= extent;
            at = at.zip(step).and_then(|(at, step)| at.checked_add(step));
        }
        let begin = at.and_then(|at| at.checked_mul(width)).ok_or_else(short)?;
        let end = begin.checked_add(width).ok_or_else(short)?;
        let raw = bytes.get(begin..end).ok_or_else(short)?;
        let value = match raw.try_into() {
            Ok(raw) => f64::from_le_bytes(raw),
            Err(_) => f64::from(f32::from_le_bytes(raw.try_into().map_err(|_| short())?)),
        };
        if !value.is_finite() {
            return Err(CheckpointError::NotFinite {
                key: key.to_owned(),
                value,
            });
        }
        values.push(value);
    }
    Ok(Tensor {
        shape: record.shape.clone(),
        values,
        single,
    })
}
