//! Arrays of numbers as `.npy` files, hashed while they are written and read in part.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use axonml_models::{NpyElement, NpyNumber, npy_header};
use sha2::{Digest, Sha256};

use super::DatasetError;
use super::file_record::{FileRecord, hex};

/// Bytes of the file of an array; saturates at the largest number.
pub(super) fn file_bytes<T: NpyElement>(shape: &[usize]) -> u128 {
    let numbers = shape.iter().fold(T::BYTES as u128, |bytes, &n| {
        bytes.saturating_mul(n as u128)
    });
    numbers.saturating_add(npy_header::<T>(shape).len() as u128)
}

/// Numbers converted at a time.
const CHUNK: usize = 16_384;

/// Writes an array into a folder that is not in its place yet, and waits until it is on the disk.
pub(super) fn write<T: NpyElement>(
    path: &Path,
    shape: &[usize],
    values: &[T],
) -> Result<FileRecord, DatasetError> {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let failed = || DatasetError::write(path);
    let mut file = BufWriter::new(File::create(path).map_err(failed())?);
    let mut digest = Sha256::new();
    let mut total = 0;
    let mut put = |bytes: &[u8]| {
        digest.update(bytes);
        total += bytes.len() as u64;
        file.write_all(bytes)
    };
    put(&npy_header::<T>(shape)).map_err(failed())?;
    let mut buffer = vec![0; CHUNK * T::BYTES];
    for values in values.chunks(CHUNK) {
        let bytes = &mut buffer[..values.len() * T::BYTES];
        for (to, value) in bytes.chunks_exact_mut(T::BYTES).zip(values) {
            value.put(to);
        }
        put(bytes).map_err(failed())?;
    }
    file.into_inner()
        .map_err(|error| failed()(error.into_error()))?
        .sync_all()
        .map_err(failed())?;
    Ok(FileRecord {
        bytes: total,
        sha256: hex(&digest.finalize()),
    })
}

/// An array in a file, of which rows along its first axis can be read.
pub(super) struct Rows<T> {
    path: PathBuf,
    file: File,
    start: u64,
    numbers_per_row: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: NpyNumber> Rows<T> {
    /// Opens the file of an array whose kind and shape are known.
    pub(super) fn open(path: &Path, shape: &[usize]) -> Result<Self, DatasetError> {
        let mut file = File::open(path).map_err(DatasetError::read(path))?;
        let expected = npy_header::<T>(shape);
        let mut found = vec![0; expected.len()];
        let complete = file.read_exact(&mut found);
        if complete.is_err() || found != expected {
            let text = String::from_utf8_lossy(found.get(10..).unwrap_or_default()).into_owned();
            return Err(DatasetError::Array {
                path: path.display().to_string(),
                found: format!("`{}`", text.trim()),
                expected: format!("an array of {} of shape {shape:?}", T::DESCR),
            });
        }
        let present = file.metadata().map_err(DatasetError::read(path))?.len();
        let announced = file_bytes::<T>(shape);
        if u128::from(present) != announced {
            return Err(DatasetError::Array {
                path: path.display().to_string(),
                found: format!("{present} bytes"),
                expected: format!("{announced} bytes, as its header announces"),
            });
        }
        Ok(Rows {
            path: path.to_owned(),
            file,
            start: expected.len() as u64,
            numbers_per_row: shape[1..].iter().product(),
            element: std::marker::PhantomData,
        })
    }

    /// Reads `count` rows from row `first` on and appends them to `values`.
    pub(super) fn read(
        &mut self,
        first: usize,
        count: usize,
        values: &mut Vec<T>,
    ) -> Result<(), DatasetError> {
        let row_bytes = self.numbers_per_row * T::BYTES;
        let mut bytes = vec![0; count * row_bytes];
        let offset = self.start + (first * row_bytes) as u64;
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(DatasetError::read(&self.path))?;
        values.extend(bytes.chunks_exact(T::BYTES).map(T::get));
        Ok(())
    }
}

/// The SHA-256 of a file.
pub(super) fn sha256(path: &Path) -> Result<String, DatasetError> {
    let mut file = File::open(path).map_err(DatasetError::read(path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(DatasetError::read(path))? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array3};
    use ndarray_npy::ReadNpyExt;

    use super::*;

    #[test]
    fn files_are_numpys() {
        let path = std::env::temp_dir().join(format!("axonml-npy-{}.npy", std::process::id()));
        let cube = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (100 * i + 10 * j + k) as f32);
        let record = write(&path, &[3, 4, 5], cube.as_slice().unwrap()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // NumPy's own header, and another reader's view of the numbers.
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }";
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(bytes[10..128], *format!("{text:<117}\n").as_bytes());
        assert_eq!(Array3::<f32>::read_npy(bytes.as_slice()).unwrap(), cube);
        assert_eq!(u128::from(record.bytes), file_bytes::<f32>(&[3, 4, 5]));
        assert_eq!(file_bytes::<f32>(&[usize::MAX; 4]), u128::MAX);
        assert_eq!(
            (record.bytes, &record.sha256),
            (bytes.len() as u64, &sha256(&path).unwrap())
        );

        let mut rows = Rows::<f32>::open(&path, &[3, 4, 5]).unwrap();
        let mut values = Vec::new();
        rows.read(1, 2, &mut values).unwrap();
        assert_eq!(values, &cube.as_slice().unwrap()[20..]);
        assert!(rows.read(2, 2, &mut values).is_err());
        for (wrong, refused) in [
            (vec![3, 20], Rows::<f32>::open(&path, &[3, 20]).err()),
            (vec![3, 4, 5], Rows::<f64>::open(&path, &[3, 4, 5]).err()),
        ] {
            let message = refused.unwrap().to_string();
            assert!(
                message.contains("(3, 4, 5)") && message.contains(&format!("{wrong:?}")),
                "{message}"
            );
        }

        std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        let message = Rows::<f32>::open(&path, &[3, 4, 5])
            .err()
            .unwrap()
            .to_string();
        assert!(
            message.contains("364 bytes") && message.contains("368 bytes"),
            "{message}"
        );

        write(&path, &[2], &[1.5_f64, -2.0]).unwrap();
        let line = Array1::<f64>::read_npy(File::open(&path).unwrap()).unwrap();
        assert_eq!(line.to_vec(), [1.5, -2.0]);
        std::fs::remove_file(path).unwrap();
    }
}
