//! Nerve folders: the potentials of a cuff's contacts along the fibres of a nerve, as `.npy` files.
//!
//! A folder holds `0.npy` to `k.npy`, one per contact, each (fibres, samples) in mV per 1 mA; `fiber_z.npy` (samples)
//! in um; and optionally `fibers_xy.npy` (fibres, 2) in um, `target.npy` (fibres) bool, `weights.npy` (fibres) and
//! `nerve.json`. Numbers may be in single or double precision.

use std::io::Cursor;
use std::path::Path;

use axonml_core::{CoreError, Nerve, NerveArrays, NerveGeometry};
use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2};
use ndarray_npy::{ReadNpyError, ReadNpyExt};
use thiserror::Error;

/// Why a nerve folder, or one array of it, cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NerveFolderError {
    /// The folder or a file is not there or cannot be read.
    #[error("cannot read `{path}`: {source}; {remedy}")]
    Io {
        /// Folder or file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// A file that every nerve folder has is missing.
    #[error("nerve folder `{folder}`: found no `{file}`, expected {expected}")]
    Missing {
        /// The folder.
        folder: String,
        /// The file.
        file: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A file is not an array of the expected kind.
    #[error("`{path}`: found {found}, expected {expected}")]
    Array {
        /// The file.
        path: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// `nerve.json` is not a description of a nerve.
    #[error(
        "`{path}`: found {source}, expected the nerve's geometry as JSON; mend the file or remove it (only pictures need it)"
    )]
    Json {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The arrays do not fit each other, or hold what they must not.
    #[error("nerve folder `{folder}`: {source}")]
    Nerve {
        /// The folder.
        folder: String,
        /// What is wrong.
        source: CoreError,
    },
}

/// Reads a nerve folder; its name is the folder's.
///
/// # Errors
/// [`NerveFolderError`] naming the file, what was found in it and what was expected.
pub fn read_nerve(dir: &Path) -> Result<Nerve, NerveFolderError> {
    read(dir, Nerve::new)
}

/// As [`read_nerve`], but lines with faults are errors only for the fibers that need them: see [`Nerve::with_faults`].
///
/// # Errors
/// As [`read_nerve`], but for those of lines.
pub fn read_nerve_with_faults(dir: &Path) -> Result<Nerve, NerveFolderError> {
    read(dir, Nerve::with_faults)
}

/// What makes a nerve of its arrays.
type Make = fn(NerveArrays) -> Result<Nerve, CoreError>;

fn read(dir: &Path, make: Make) -> Result<Nerve, NerveFolderError> {
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
    assemble(&Folder {
        name: name.unwrap_or_else(|| folder.clone()),
        folder,
        files,
        read: &|file| {
            std::fs::read(dir.join(file)).map_err(|source| NerveFolderError::Io {
                path: dir.join(file).display().to_string(),
                source,
                remedy: "make the file readable",
            })
        },
        make,
    })
}

/// Reads a nerve folder whose files, by name, are in memory.
///
/// # Errors
/// As [`read_nerve`].
pub fn nerve_from_files(name: &str, files: &[(&str, &[u8])]) -> Result<Nerve, NerveFolderError> {
    assemble(&Folder {
        name: name.to_owned(),
        folder: name.to_owned(),
        files: files.iter().map(|(file, _)| (*file).to_owned()).collect(),
        read: &|wanted| {
            let found = files.iter().find(|(file, _)| *file == wanted);
            Ok(found.map_or_else(Vec::new, |(_, bytes)| bytes.to_vec()))
        },
        make: Nerve::new,
    })
}

/// Reads an array of numbers in single or double precision from an `.npy` file.
///
/// # Errors
/// [`NerveFolderError::Io`], or [`NerveFolderError::Array`] for anything but a complete array of floats.
pub fn read_array(path: &Path) -> Result<ArrayD<f64>, NerveFolderError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| NerveFolderError::Io {
        path: name.clone(),
        source,
        remedy: "name an existing .npy file",
    })?;
    floats(&name, &bytes)
}

/// Where the files of a nerve come from.
struct Folder<'f> {
    name: String,
    folder: String,
    files: Vec<String>,
    read: &'f dyn Fn(&str) -> Result<Vec<u8>, NerveFolderError>,
    make: Make,
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
            found: format!("an array of shape {}", shape_text(shape)),
            expected: format!("one of shape {expected}"),
        }
    }

    /// The flags of `target.npy`: bool, or whole numbers 0 and 1.
    fn flags(&self, file: &str) -> Result<Vec<bool>, NerveFolderError> {
        let bytes = (self.read)(file)?;
        let path = self.path(file);
        let read = |error| npy_error(&path, "booleans of shape (fibres)", error);
        let array = match ArrayD::<bool>::read_npy(Cursor::new(&bytes)) {
            Err(ReadNpyError::WrongDescriptor(_)) => ArrayD::<u8>::read_npy(Cursor::new(&bytes))
                .map(|array| array.mapv(|flag| flag != 0))
                .map_err(read)?,
            other => other.map_err(read)?,
        };
        match array.ndim() {
            1 => Ok(array.iter().copied().collect()),
            _ => Err(self.wrong_shape(file, array.shape(), "(fibres)")),
        }
    }
}

fn assemble(folder: &Folder<'_>) -> Result<Nerve, NerveFolderError> {
    const CONTACT: &str =
        "one file per contact, 0.npy, 1.npy and so on without gaps, each (fibres, samples)";
    let numbers = folder.files.iter().filter_map(|file| {
        let stem = file.strip_suffix(".npy")?;
        let number = stem.parse::<usize>().ok()?;
        (number.to_string() == stem).then_some(number)
    });
    let count = numbers.max().map_or(1, |last| last + 1);
    if let Some(absent) = (0..count).find(|k| !folder.has(&format!("{k}.npy"))) {
        return Err(folder.missing(&format!("{absent}.npy"), CONTACT));
    }
    let contacts = (0..count)
        .map(|k| folder.matrix(&format!("{k}.npy"), "(fibres, samples)"))
        .collect::<Result<_, _>>()?;
    if !folder.has("fiber_z.npy") {
        return Err(folder.missing("fiber_z.npy", "the positions of the samples in um"));
    }
    let optional = |file: &str| folder.has(file);
    let arrays = NerveArrays {
        name: folder.name.clone(),
        contacts,
        fiber_z_um: folder.vector("fiber_z.npy", "(samples)")?,
        fibers_xy_um: optional("fibers_xy.npy")
            .then(|| folder.matrix("fibers_xy.npy", "(fibres, 2)"))
            .transpose()?,
        target: optional("target.npy")
            .then(|| folder.flags("target.npy"))
            .transpose()?,
        weights: optional("weights.npy")
            .then(|| folder.vector("weights.npy", "(fibres)"))
            .transpose()?,
        geometry: optional("nerve.json")
            .then(|| geometry(folder))
            .transpose()?,
    };
    (folder.make)(arrays).map_err(|source| NerveFolderError::Nerve {
        folder: folder.folder.clone(),
        source,
    })
}

fn geometry(folder: &Folder<'_>) -> Result<NerveGeometry, NerveFolderError> {
    const FILE: &str = "nerve.json";
    serde_json::from_slice(&(folder.read)(FILE)?).map_err(|source| NerveFolderError::Json {
        path: folder.path(FILE),
        source,
    })
}

/// An array of f64 or f32, widened.
fn floats(path: &str, bytes: &[u8]) -> Result<ArrayD<f64>, NerveFolderError> {
    let wrong = |error| npy_error(path, "numbers in f64 or f32", error);
    match ArrayD::<f64>::read_npy(Cursor::new(bytes)) {
        Err(ReadNpyError::WrongDescriptor(_)) => ArrayD::<f32>::read_npy(Cursor::new(bytes))
            .map(|array| array.mapv(f64::from))
            .map_err(wrong),
        other => other.map_err(wrong),
    }
}

fn npy_error(path: &str, expected: &str, error: ReadNpyError) -> NerveFolderError {
    let truncated = "a truncated file: it ends before its data do".to_owned();
    let found = match error {
        ReadNpyError::WrongDescriptor(dtype) => format!("the dtype {dtype}"),
        ReadNpyError::MissingData => truncated,
        ReadNpyError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => truncated,
        ReadNpyError::ExtraBytes(bytes) => format!("{bytes} bytes after the data"),
        ReadNpyError::ParseHeader(error) => format!("no .npy header ({error})"),
        error => error.to_string(),
    };
    NerveFolderError::Array {
        path: path.to_owned(),
        found,
        expected: format!("a complete .npy array of {expected}"),
    }
}

/// A shape as Python writes it.
fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    match sizes.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
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

    /// Two contacts, two fibres, five samples, with one file replaced (or left out, if `None`).
    fn nerve(file: &str, replacement: Option<Vec<u8>>) -> Result<Nerve, NerveFolderError> {
        let mut files = vec![
            ("0.npy", npy(&[2, 5], |i| i as f64)),
            ("1.npy", npy(&[2, 5], |i| i as f32)),
            ("fiber_z.npy", npy(&[5], |i| 10.0 * i as f64)),
            ("target.npy", npy(&[2], |i| i == 1)),
        ];
        files.retain(|(name, _)| *name != file);
        files.extend(replacement.map(|bytes| (file, bytes)));
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (*name, bytes.as_slice()))
            .collect();
        nerve_from_files("T", &files)
    }

    #[test]
    fn both_precisions_are_read() {
        let nerve = nerve("none", None).unwrap();
        assert_eq!((nerve.contacts(), nerve.fibers()), (2, 2));
        assert_eq!(nerve.potentials_mv(0), nerve.potentials_mv(1));
        assert_eq!(nerve.target(), Some(&[false, true][..]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut truncated = npy(&[2, 5], |i| i as f64);
        truncated.truncate(truncated.len() - 8);
        let header_only = npy(&[2, 5], |i| i as f64)[..20].to_vec();
        /// File, its bytes (none: absent), and what the message must say.
        type Case = (&'static str, Option<Vec<u8>>, &'static [&'static str]);
        let cases: [Case; 10] = [
            ("0.npy", None, &["no `0.npy`", "without gaps"]),
            ("fiber_z.npy", None, &["no `fiber_z.npy`", "um"]),
            ("1.npy", Some(truncated), &["T/1.npy", "truncated"]),
            ("1.npy", Some(header_only), &["T/1.npy", "truncated"]),
            (
                "1.npy",
                Some(npy(&[2, 5], |i| i as i64)),
                &["T/1.npy", "i8", "f64 or f32"],
            ),
            (
                "1.npy",
                Some(npy(&[10], |i| i as f64)),
                &["T/1.npy", "(10,)", "(fibres, samples)"],
            ),
            (
                "1.npy",
                Some(npy(&[2, 4], |i| i as f64)),
                &["contact 1", "(2, 4)", "(2, 5)"],
            ),
            (
                "0.npy",
                Some(npy(&[2, 5], |_| f64::NAN)),
                &["contact 0", "fibre 0", "NaN"],
            ),
            ("3.npy", Some(npy(&[2, 5], |i| i as f64)), &["no `2.npy`"]),
            (
                "nerve.json",
                Some(b"{".to_vec()),
                &["nerve.json", "EOF", "only pictures"],
            ),
        ];
        for (file, replacement, parts) in cases {
            let message = nerve(file, replacement).unwrap_err().to_string();
            for part in parts {
                assert!(
                    message.contains(part),
                    "{file}: `{part}` is missing in: {message}"
                );
            }
        }
    }
}
