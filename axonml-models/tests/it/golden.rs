//! Access to the golden data and the one way of comparing numbers.

use std::fs::File;
use std::path::PathBuf;

use ndarray::{Array, Dimension, Ix1, Ix2};
use ndarray_npy::{NpzReader, ReadableElement};

/// An `.npz` below `golden/`. A missing file or array is a failure, never a skip.
pub struct Golden {
    name: String,
    npz: NpzReader<File>,
}

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../golden")
        .join(name)
}

impl Golden {
    pub fn open(name: &str) -> Self {
        let file = File::open(path(name)).unwrap_or_else(|e| panic!("golden file {name}: {e}"));
        Golden {
            name: name.into(),
            npz: NpzReader::new(file).unwrap_or_else(|e| panic!("golden file {name}: {e}")),
        }
    }

    pub fn has(&mut self, key: &str) -> bool {
        self.npz
            .names()
            .unwrap()
            .iter()
            .any(|name| name.trim_end_matches(".npy") == key)
    }

    pub fn array<T: ReadableElement, D: Dimension>(&mut self, key: &str) -> Array<T, D> {
        self.npz
            .by_name(&format!("{key}.npy"))
            .or_else(|_| self.npz.by_name(key))
            .unwrap_or_else(|e| panic!("{}: array {key}: {e}", self.name))
    }

    pub fn vector(&mut self, key: &str) -> Vec<f64> {
        self.array::<f64, Ix1>(key).to_vec()
    }

    pub fn matrix_f32(&mut self, key: &str) -> Array<f64, Ix2> {
        self.array::<f32, Ix2>(key).mapv(f64::from)
    }

    pub fn number(&mut self, key: &str) -> f64 {
        self.array::<f64, ndarray::Ix0>(key).into_scalar()
    }
}

/// Largest absolute difference; NaN differs from everything but NaN, by infinity.
pub fn largest_difference<'a>(
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
