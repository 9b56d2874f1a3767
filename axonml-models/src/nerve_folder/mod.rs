//! Nerve folders: the potentials of a cuff's contacts along the fibers of a nerve, as `.npy` files.
//!
//! A folder holds `0.npy` to `k.npy`, one per contact, each (fibers, samples) in mV per 1 mA; `fiber_z.npy` (samples)
//! in um; and optionally `fibers_xy.npy` (fibers, 2) in um, `target.npy` (fibers) bool, `weights.npy` (fibers) and
//! `nerve.json`, whose `field_units` may name other units. Numbers may be whole, or in half, single or double
//! precision. Units and shapes are checked for plausibility (`doubt.rs`).

mod doubt;
mod units;

use std::collections::BTreeMap;
use std::path::Path;

use axonml_core::{CoreError, Nerve, NerveArrays, NerveGeometry};
use ndarray::{Array1, Array2, ArrayD, Axis, Ix1, Ix2, Slice};
use thiserror::Error;

use crate::arrays::{self, ArrayError};
use crate::files::read_at_most;
pub use doubt::NerveNote;
use units::FieldUnits;

/// The most bytes that an array in a file may have.
const MAX_ARRAY_BYTES: u64 = 1 << 36;
/// The most bytes that `nerve.json` may have.
const MAX_JSON_BYTES: u64 = 1 << 26;
/// How much of their length the lines of a nerve folder may be extended by.
const MAX_EXTENSION: f64 = 0.1;

/// Errors of reading a nerve folder or one of its arrays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NerveFolderError {
    /// The folder or a file is not there or cannot be read.
    #[error("cannot read `{path}`: {source}; {remedy}")]
    Io {
        /// Folder or file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
        /// The remedy.
        remedy: &'static str,
    },
    /// A file that every nerve folder has is missing.
    #[error("nerve folder `{folder}`: found no `{file}`, expected {expected}")]
    Missing {
        /// The folder.
        folder: String,
        /// The file.
        file: String,
        /// The expected content.
        expected: &'static str,
    },
    /// A file is not an array of the expected kind.
    #[error("`{path}`: found {found}, expected {expected}")]
    Array {
        /// The file.
        path: String,
        /// The content found.
        found: String,
        /// The expected content.
        expected: String,
    },
    /// `nerve.json` is not a description of a nerve.
    #[error(
        "`{path}`: found {source}, expected the nerve's geometry as JSON; fix the file or remove it (only pictures need it)"
    )]
    Json {
        /// The file.
        path: String,
        /// The problem.
        source: serde_json::Error,
    },
    /// The data are implausible.
    #[error("nerve folder `{folder}`: {doubt}")]
    Doubtful {
        /// The folder.
        folder: String,
        /// The value found, the value expected, and the remedy.
        doubt: String,
    },
    /// The shapes of the arrays disagree, or the arrays hold invalid values.
    #[error("nerve folder `{folder}`: {source}")]
    Nerve {
        /// The folder.
        folder: String,
        /// The problem.
        source: CoreError,
    },
}

/// Options of reading a nerve folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NerveOptions {
    /// Whether lines are accepted that are sampled too coarsely to be interpolated.
    pub accept_coarse: bool,
}

/// A nerve with notes on its data.
#[derive(Clone, Debug)]
pub struct NerveReading {
    /// The nerve. Its lines may be extended by at most 10 % of their length.
    pub nerve: Nerve,
    /// Notes on unusual data.
    pub notes: Vec<NerveNote>,
}

/// Reads a nerve folder; its name is the folder's.
///
/// # Errors
/// [`NerveFolderError`] naming the file, the content found and the content expected.
pub fn read_nerve(dir: &Path) -> Result<Nerve, NerveFolderError> {
    read_nerve_with(dir, NerveOptions::default()).map(|reading| reading.nerve)
}

/// Reads a nerve folder; its name is the folder's.
///
/// # Errors
/// [`NerveFolderError`] naming the file, the content found and the content expected;
/// [`NerveFolderError::Doubtful`] for lengths and potentials that are hardly in um and in mV per mA, and for lines that
/// are sampled too coarsely.
pub fn read_nerve_with(
    dir: &Path,
    options: NerveOptions,
) -> Result<NerveReading, NerveFolderError> {
    let folder = dir.display().to_string();
    let entries = std::fs::read_dir(dir).map_err(|source| NerveFolderError::Io {
        path: folder.clone(),
        source,
        remedy: "name an existing nerve folder",
    })?;
    let files = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let name = dir
        .canonicalize()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let folder = Folder {
        name: name.unwrap_or_else(|| folder.clone()),
        folder,
        files,
        read: &|file| {
            let limit = match file {
                NERVE_JSON => MAX_JSON_BYTES,
                _ => MAX_ARRAY_BYTES,
            };
            read_at_most(&dir.join(file), limit).map_err(|source| NerveFolderError::Io {
                path: dir.join(file).display().to_string(),
                source,
                remedy: "make the file readable",
            })
        },
    };
    assemble(&folder, options)
}

/// Reads a nerve folder whose files, by name, are in memory.
///
/// # Errors
/// As [`read_nerve`].
pub fn nerve_from_files(name: &str, files: &[(&str, &[u8])]) -> Result<Nerve, NerveFolderError> {
    let folder = Folder {
        name: name.to_owned(),
        folder: name.to_owned(),
        files: files.iter().map(|(file, _)| (*file).to_owned()).collect(),
        read: &|wanted| {
            let found = files.iter().find(|(file, _)| *file == wanted);
            Ok(found.map_or_else(Vec::new, |(_, bytes)| bytes.to_vec()))
        },
    };
    assemble(&folder, NerveOptions::default()).map(|reading| reading.nerve)
}

/// Reads an array of numbers, whole or in half, single or double precision, from an `.npy` file.
///
/// # Errors
/// [`NerveFolderError::Io`], or [`NerveFolderError::Array`] for anything but a complete array of numbers.
pub fn read_array(path: &Path) -> Result<ArrayD<f64>, NerveFolderError> {
    let name = path.display().to_string();
    let bytes = read_at_most(path, MAX_ARRAY_BYTES).map_err(|source| NerveFolderError::Io {
        path: name.clone(),
        source,
        remedy: "name an existing .npy file",
    })?;
    floats(&name, &bytes)
}

/// Reads an array of flags of one axis: booleans, or whole numbers 0 and 1.
///
/// # Errors
/// [`NerveFolderError`] if the file cannot be read, or holds something else.
pub fn read_flags(path: &Path) -> Result<Vec<bool>, NerveFolderError> {
    let name = path.display().to_string();
    let folder = Folder {
        name: String::new(),
        folder: String::new(),
        files: Vec::new(),
        read: &|_| {
            read_at_most(path, MAX_ARRAY_BYTES).map_err(|source| NerveFolderError::Io {
                path: name.clone(),
                source,
                remedy: "name an existing .npy file",
            })
        },
    };
    folder.flags(&name)
}

/// The source of a nerve's files.
struct Folder<'f> {
    name: String,
    folder: String,
    files: Vec<String>,
    read: &'f dyn Fn(&str) -> Result<Vec<u8>, NerveFolderError>,
}

impl Folder<'_> {
    fn has(&self, file: &str) -> bool {
        self.files.iter().any(|known| known == file)
    }

    fn missing(&self, file: &str, expected: &'static str) -> NerveFolderError {
        NerveFolderError::Missing {
            folder: self.folder.clone(),
            file: file.to_owned(),
            expected,
        }
    }

    fn path(&self, file: &str) -> String {
        Path::new(&self.folder).join(file).display().to_string()
    }

    fn vector(&self, file: &str, expected: &str) -> Result<Vec<f64>, NerveFolderError> {
        let array = floats(&self.path(file), &(self.read)(file)?)?;
        let shape = array.shape().to_vec();
        let vector: Result<Array1<f64>, _> = array.into_dimensionality::<Ix1>();
        match vector {
            Ok(vector) => Ok(vector.to_vec()),
            Err(_) => Err(self.wrong_shape(file, &shape, expected)),
        }
    }

    fn matrix(&self, file: &str, expected: &str) -> Result<Array2<f64>, NerveFolderError> {
        let array = floats(&self.path(file), &(self.read)(file)?)?;
        let shape = array.shape().to_vec();
        array
            .into_dimensionality::<Ix2>()
            .map_err(|_| self.wrong_shape(file, &shape, expected))
    }

    fn wrong_shape(&self, file: &str, shape: &[usize], expected: &str) -> NerveFolderError {
        NerveFolderError::Array {
            path: self.path(file),
            found: format!("an array of shape {}", arrays::shape_text(shape)),
            expected: format!("one of shape {expected}"),
        }
    }

    /// The flags of `target.npy`: bool, or whole numbers 0 and 1.
    fn flags(&self, file: &str) -> Result<Vec<bool>, NerveFolderError> {
        let path = self.path(file);
        let array = arrays::flags(&(self.read)(file)?)
            .map_err(|error| array_error(&path, "booleans of shape (fibers)", &error))?;
        match array.ndim() {
            1 => Ok(array.iter().copied().collect()),
            _ => Err(self.wrong_shape(file, array.shape(), "(fibers)")),
        }
    }
}

fn assemble(folder: &Folder<'_>, options: NerveOptions) -> Result<NerveReading, NerveFolderError> {
    const CONTACT: &str =
        "one file per contact, 0.npy, 1.npy and so on without gaps, each (fibers, samples)";
    let numbers = folder.files.iter().filter_map(|file| {
        let stem = file.strip_suffix(".npy")?;
        let number = stem.parse::<usize>().ok()?;
        (number.to_string() == stem).then_some(number)
    });
    // The number of files must match the largest index.
    let last = numbers.max().unwrap_or(0);
    let count = last.saturating_add(1);
    if let Some(absent) = (0..count).find(|k| !folder.has(&format!("{k}.npy"))) {
        return Err(folder.missing(&format!("{absent}.npy"), CONTACT));
    }
    if !folder.has("fiber_z.npy") {
        return Err(folder.missing("fiber_z.npy", "the positions of the samples in um"));
    }
    let optional = |file: &str| folder.has(file);
    let (geometry, units) = match optional(NERVE_JSON) {
        true => description(folder)?,
        false => (None, FieldUnits::default()),
    };
    let mut fiber_z_um = folder.vector("fiber_z.npy", "(samples)")?;
    let mut contacts: Vec<Array2<f64>> = (0..count)
        .map(|k| folder.matrix(&format!("{k}.npy"), "(fibers, samples)"))
        .collect::<Result<_, _>>()?;
    let doubtful = |doubt: String| NerveFolderError::Doubtful {
        folder: folder.folder.clone(),
        doubt,
    };
    doubt::transposed(&contacts, fiber_z_um.len()).map_err(doubtful)?;
    let (of_z, of_potential) = units.factors().map_err(doubtful)?;
    fiber_z_um.iter_mut().for_each(|z| *z *= of_z);
    contacts
        .iter_mut()
        .for_each(|lines| lines.mapv_inplace(|v| v * of_potential));
    // A line that is listed from its far end is the same line.
    if fiber_z_um.len() > 1 && fiber_z_um.windows(2).all(|pair| pair[0] > pair[1]) {
        fiber_z_um.reverse();
        for lines in &mut contacts {
            lines.slice_axis_inplace(Axis(1), Slice::new(0, None, -1));
        }
    }
    let arrays = NerveArrays {
        name: folder.name.clone(),
        contacts,
        fiber_z_um,
        fibers_xy_um: optional("fibers_xy.npy")
            .then(|| folder.matrix("fibers_xy.npy", "(fibers, 2)"))
            .transpose()?,
        target: optional("target.npy")
            .then(|| folder.flags("target.npy"))
            .transpose()?,
        weights: optional("weights.npy")
            .then(|| folder.vector("weights.npy", "(fibers)"))
            .transpose()?,
        geometry,
    };
    let nerve = Nerve::new(arrays).map_err(|source| NerveFolderError::Nerve {
        folder: folder.folder.clone(),
        source,
    })?;
    let notes = doubt::examine(&nerve, &units, options).map_err(doubtful)?;
    Ok(NerveReading {
        nerve: nerve.extended_at_most(MAX_EXTENSION),
        notes,
    })
}

const NERVE_JSON: &str = "nerve.json";

/// The geometry, and the units of the fields, that `nerve.json` describes.
fn description(
    folder: &Folder<'_>,
) -> Result<(Option<NerveGeometry>, FieldUnits), NerveFolderError> {
    #[derive(serde::Deserialize)]
    struct Units {
        field_units: Option<FieldUnits>,
    }
    let bytes = (folder.read)(NERVE_JSON)?;
    let wrong = |source| NerveFolderError::Json {
        path: folder.path(NERVE_JSON),
        source,
    };
    let geometry = serde_json::from_slice(&bytes).map_err(wrong)?;
    let keys: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&bytes).map_err(wrong)?;
    if let Some(key) = keys.keys().find(|key| units::is_misspelt(key)) {
        return Err(NerveFolderError::Doubtful {
            folder: folder.folder.clone(),
            doubt: format!(
                "nerve.json: found the key `{key}`, which has no effect, expected `field_units`: rename it"
            ),
        });
    }
    let units: Units = serde_json::from_slice(&bytes).map_err(wrong)?;
    Ok((Some(geometry), units.field_units.unwrap_or_default()))
}

/// An array of numbers of any type, in double precision.
fn floats(path: &str, bytes: &[u8]) -> Result<ArrayD<f64>, NerveFolderError> {
    const EXPECTED: &str = "numbers: whole, or f16, f32 or f64";
    arrays::numbers(bytes).map_err(|error| array_error(path, EXPECTED, &error))
}

fn array_error(path: &str, expected: &str, error: &ArrayError) -> NerveFolderError {
    NerveFolderError::Array {
        path: path.to_owned(),
        found: error.to_string(),
        expected: format!("a complete .npy array of {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray_npy::WriteNpyExt;

    fn npy<T: ndarray_npy::WritableElement>(
        shape: &[usize],
        value: impl Fn(usize) -> T,
    ) -> Vec<u8> {
        let count = shape.iter().product();
        let array = ArrayD::from_shape_vec(shape, (0..count).map(value).collect()).unwrap();
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    /// Two contacts, two fibers, five samples, with one file replaced (or left out, if `None`).
    fn nerve(file: &str, replacement: Option<Vec<u8>>) -> Result<NerveReading, NerveFolderError> {
        let mut files = vec![
            ("0.npy", npy(&[2, 5], |i| i as f64)),
            ("1.npy", npy(&[2, 5], |i| i as f32)),
            ("fiber_z.npy", npy(&[5], |i| 1000.0 * i as f64)),
            ("target.npy", npy(&[2], |i| i == 1)),
        ];
        files.retain(|(name, _)| *name != file);
        files.extend(replacement.map(|bytes| (file, bytes)));
        read(&files, NerveOptions::default())
    }

    fn read(
        files: &[(&str, Vec<u8>)],
        options: NerveOptions,
    ) -> Result<NerveReading, NerveFolderError> {
        let folder = Folder {
            name: "T".to_owned(),
            folder: "T".to_owned(),
            files: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
            read: &|wanted| {
                Ok(files
                    .iter()
                    .find(|(name, _)| *name == wanted)
                    .unwrap()
                    .1
                    .clone())
            },
        };
        assemble(&folder, options)
    }

    #[test]
    fn every_precision_is_read() {
        let nerve = nerve("1.npy", Some(npy(&[2, 5], |i| i as i64)))
            .unwrap()
            .nerve;
        assert_eq!((nerve.contacts(), nerve.fibers()), (2, 2));
        assert_eq!(nerve.potentials_mv(0), nerve.potentials_mv(1));
        assert_eq!(nerve.target(), Some(&[false, true][..]));
        assert!(super::tests::nerve("none", None).unwrap().notes.is_empty());
    }

    #[test]
    fn a_line_listed_from_its_far_end_is_the_same_line() {
        let potential = |z: f64| 100.0 / (1.0 + (z - 3000.0).abs() / 1000.0);
        let files = |z: &dyn Fn(usize) -> f64| {
            vec![
                ("0.npy", npy(&[1, 101], |i| potential(z(i)))),
                ("fiber_z.npy", npy(&[101], z)),
            ]
        };
        let there = read(&files(&|i| 100.0 * i as f64), NerveOptions::default())
            .unwrap()
            .nerve;
        let back = read(
            &files(&|i| 10_000.0 - 100.0 * i as f64),
            NerveOptions::default(),
        )
        .unwrap()
        .nerve;
        assert_eq!(there.fiber_z_um(), back.fiber_z_um());
        assert_eq!(there.potentials_mv(0), back.potentials_mv(0));
    }

    #[test]
    fn units_and_sampling_are_doubted() {
        // A point source 1 mm off a line of 40 mm; `z` and `v` are the factors of positions and potentials in the
        // files.
        let files = |step_um: usize, z: f64, v: f64, json: &str| {
            let n = 40_000 / step_um + 1;
            let at = move |i: usize| (i * step_um) as f64;
            let mv = move |i: usize| 4e5 / (1e6 + (at(i) - 20_100.0).powi(2)).sqrt();
            vec![
                ("0.npy", npy(&[1, n], |i| v * mv(i))),
                ("fiber_z.npy", npy(&[n], |i| z * at(i))),
                ("nerve.json", json.as_bytes().to_vec()),
            ]
        };
        let strict = NerveOptions::default();
        let refused = |files: &[(&str, Vec<u8>)], parts: &[&str]| {
            let message = read(files, strict).map(|_| ()).unwrap_err().to_string();
            for part in parts {
                assert!(message.contains(part), "`{part}` is missing in: {message}");
            }
        };
        let good = read(&files(100, 1.0, 1.0, "{}"), strict).unwrap();
        assert!(good.notes.is_empty(), "{:?}", good.notes);
        refused(
            &files(100, 1e-3, 1.0, "{}"),
            &["fiber_z spans 40", "is it in mm?", "field_units"],
        );
        refused(
            &files(100, 1e-6, 1.0, "{}"),
            &["fiber_z spans 0.04", "is it in m?"],
        );
        refused(
            &files(100, 1.0, 1e-3, "{}"),
            &["peak at 0.4", "are they in V?", "field_units"],
        );
        refused(
            &files(100, 1.0, 0.0, "{}"),
            &["0.npy are 0 along every line"],
        );
        let json =
            r#"{"units": "mm", "field_units": {"potential": "V", "current": "A", "z": "mm"}}"#;
        let converted = read(&files(100, 1e-3, 1.0, json), strict).unwrap().nerve;
        for (a, b) in converted.fiber_z_um().iter().zip(good.nerve.fiber_z_um()) {
            assert!((a - b).abs() < 1e-9);
        }
        assert_eq!(converted.potentials_mv(0), good.nerve.potentials_mv(0));
        refused(
            &files(100, 1.0, 1.0, r#"{"field_units": {"z": "miles"}}"#),
            &["field_units.z is `miles`"],
        );
        refused(
            &files(100, 1.0, 1.0, r#"{"field_units": {"zz": "mm"}}"#),
            &["nerve.json", "zz"],
        );
        // Per ampere: unusual, but possible.
        let high = read(&files(100, 1.0, 1e3, "{}"), strict).unwrap().notes;
        assert!(high[0].to_string().contains("are they per A?"), "{high:?}");

        refused(
            &files(2000, 1.0, 1.0, "{}"),
            &["every 2000 um", "contact 0, fiber 0", "--accept-coarse"],
        );
        let accepted = read(
            &files(2000, 1.0, 1.0, "{}"),
            NerveOptions {
                accept_coarse: true,
            },
        )
        .unwrap();
        assert!(matches!(accepted.notes[..], [NerveNote::Coarse(error)] if error.percent > 5.0));
        let notes = read(&files(1150, 1.0, 1.0, "{}"), strict).unwrap().notes;
        assert!(
            matches!(notes[..], [NerveNote::Coarse(error)] if (1.0..5.0).contains(&error.percent)),
            "{notes:?}"
        );
        assert!(
            read(&files(250, 1.0, 1.0, "{}"), strict)
                .unwrap()
                .notes
                .is_empty()
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let whole = npy(&[2, 5], |i| i as f64);
        let truncated = whole[..whole.len() - 8].to_vec();
        let header_only = whole[..20].to_vec();
        let mut complex = whole.clone();
        let kind = complex.windows(3).position(|w| w == b"<f8").unwrap();
        complex[kind + 1] = b'c';
        /// File, its bytes (none: absent), and texts that the message must contain.
        type Case = (&'static str, Option<Vec<u8>>, &'static [&'static str]);
        let cases: [Case; 12] = [
            ("0.npy", None, &["no `0.npy`", "without gaps"]),
            ("fiber_z.npy", None, &["no `fiber_z.npy`", "um"]),
            (
                "1.npy",
                Some(truncated),
                &["T/1.npy", "truncated", "80 bytes", "has 72"],
            ),
            ("1.npy", Some(header_only), &["T/1.npy", "truncated"]),
            ("1.npy", Some(complex), &["T/1.npy", "<c8", "f32 or f64"]),
            (
                "1.npy",
                Some(npy(&[10], |i| i as f64)),
                &["T/1.npy", "(10,)", "(fibers, samples)"],
            ),
            (
                "1.npy",
                Some(npy(&[5, 2], |i| i as f64)),
                &["1.npy has the shape (5, 2)", "(2, 5)", "transpose"],
            ),
            (
                "1.npy",
                Some(npy(&[2, 4], |i| i as f64)),
                &["contact 1", "(2, 4)", "(2, 5)"],
            ),
            (
                "0.npy",
                Some(npy(&[2, 5], |_| f64::NAN)),
                &["contact 0", "fiber 0", "NaN"],
            ),
            ("3.npy", Some(npy(&[2, 5], |i| i as f64)), &["no `2.npy`"]),
            (
                "nerve.json",
                Some(br#"{"fieldUnits": {"z": "mm"}}"#.to_vec()),
                &["`fieldUnits`", "expected `field_units`", "rename it"],
            ),
            (
                "nerve.json",
                Some(b"{".to_vec()),
                &["nerve.json", "EOF", "only pictures"],
            ),
        ];
        for (file, replacement, parts) in cases {
            let message = nerve(file, replacement)
                .map(|_| ())
                .unwrap_err()
                .to_string();
            for part in parts {
                assert!(
                    message.contains(part),
                    "{file}: `{part}` is missing in: {message}"
                );
            }
        }
    }
}
