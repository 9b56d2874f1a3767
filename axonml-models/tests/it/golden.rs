//! Access to the golden data and the one way of comparing numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::{Array, Dimension, Ix1, Ix2};
use ndarray_npy::{NpzReader, ReadableElement};
use sha2::{Digest, Sha256};

/// An `.npz` below `golden/`. A missing file or array is a failure, never a skip.
pub(crate) struct Golden {
    name: String,
    npz: NpzReader<File>,
}

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../golden")
        .join(name)
}

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        let file = File::open(path(name)).unwrap_or_else(|e| panic!("golden file {name}: {e}"));
        Golden {
            name: name.into(),
            npz: NpzReader::new(file).unwrap_or_else(|e| panic!("golden file {name}: {e}")),
        }
    }

    pub(crate) fn has(&mut self, key: &str) -> bool {
        self.npz
            .names()
            .unwrap()
            .iter()
            .any(|name| name.trim_end_matches(".npy") == key)
    }

    pub(crate) fn array<T: ReadableElement, D: Dimension>(&mut self, key: &str) -> Array<T, D> {
        self.npz
            .by_name(&format!("{key}.npy"))
            .or_else(|_| self.npz.by_name(key))
            .unwrap_or_else(|e| panic!("{}: array {key}: {e}", self.name))
    }

    pub(crate) fn vector(&mut self, key: &str) -> Vec<f64> {
        self.array::<f64, Ix1>(key).to_vec()
    }

    /// Whether the array is in double precision; single otherwise.
    pub(crate) fn is_double(&mut self, key: &str) -> bool {
        self.npz
            .by_name::<ndarray::OwnedRepr<f64>, Ix2>(key)
            .is_ok()
    }

    pub(crate) fn matrix_f32(&mut self, key: &str) -> Array<f64, Ix2> {
        self.array::<f32, Ix2>(key).mapv(f64::from)
    }

    pub(crate) fn number(&mut self, key: &str) -> f64 {
        self.array::<f64, ndarray::Ix0>(key).into_scalar()
    }
}

/// Largest absolute difference; NaN differs from everything but NaN, by infinity.
pub(crate) fn largest_difference<'a>(
    found: impl IntoIterator<Item = &'a f64>,
    expected: impl IntoIterator<Item = &'a f64>,
) -> f64 {
    let (mut found, mut expected) = (found.into_iter(), expected.into_iter());
    let mut worst: f64 = 0.0;
    loop {
        match (found.next(), expected.next()) {
            (Some(a), Some(b)) => {
                let difference = (a - b).abs();
                let both_nan = a.is_nan() && b.is_nan();
                worst = worst.max(if difference.is_nan() && !both_nan {
                    f64::INFINITY
                } else {
                    difference
                });
            }
            (None, None) => return worst,
            _ => panic!("arrays of different lengths were compared"),
        }
    }
}

#[test]
fn differences_are_seen_in_both_signs_and_nan_is_infinitely_far() {
    assert_eq!(largest_difference(&[1.0, 2.0], &[1.0, 2.5]), 0.5);
    assert_eq!(largest_difference(&[1.0, 2.5], &[1.0, 2.0]), 0.5);
    assert_eq!(largest_difference(&[f64::NAN], &[1.0]), f64::INFINITY);
    assert_eq!(largest_difference(&[1.0], &[f64::NAN]), f64::INFINITY);
}

/// Files below `folder`, by path relative to `golden/`; the manifest and descriptions are not data.
fn data_files(folder: &Path, below: &str, files: &mut BTreeMap<String, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            data_files(&entry.path(), &format!("{name}/"), files);
        } else if name != "manifest.toml" && !name.ends_with(".md") {
            files.insert(name, entry.path());
        }
    }
}

/// Entries of the manifest: `[[file]]` tables of `key = value` lines, strings in quotes.
fn manifest() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path("manifest.toml")).unwrap();
    let tables = text.split("[[file]]").skip(1).map(|table| {
        let lines = table.lines().filter(|line| !line.is_empty());
        let pairs = lines.map(|line| line.split_once(" = ").expect("key = value"));
        let unquoted = |(key, value): (&str, &str)| (key.into(), value.trim_matches('"').into());
        pairs.map(unquoted).collect::<BTreeMap<String, String>>()
    });
    let mut entries = BTreeMap::new();
    for table in tables {
        let path = table["path"].clone();
        let before = entries.insert(path.clone(), table);
        assert_eq!(before, None, "{path} is listed twice");
    }
    entries
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_manifest_lists_every_file_as_it_is() {
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let mut files = BTreeMap::new();
    data_files(&path(""), "", &mut files);
    let entries = manifest();
    let listed: Vec<&String> = entries.keys().collect();
    assert_eq!(listed, files.keys().collect::<Vec<_>>());
    for (name, entry) in &entries {
        let bytes = std::fs::read(&files[name]).unwrap();
        assert_eq!(entry["size"], bytes.len().to_string(), "{name}");
        assert_eq!(entry["sha256"], sha256(&bytes), "{name}");
        assert!(!entry["origin"].is_empty(), "{name}");
        assert!(entry["dt_ms"].parse::<f64>().unwrap() > 0.0, "{name}");
    }
}
