//! Arrays as NumPy writes them: version 1.0 of the format, C order, little-endian.

use std::io::{Cursor, Write};

use ndarray::{ArrayBase, Data, Dimension};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::element::NpyElement;
use super::{ArrayError, shape_text};

/// The bytes in front of the elements of an array of this shape.
pub fn npy_header<T: NpyElement>(shape: &[usize]) -> Vec<u8> {
    let mut text = format!(
        "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
        T::DESCR,
        shape_text(shape)
    );
    // Magic, version and length take 10 bytes; the whole is a multiple of 64 long and ends with a line feed.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// An `.npz` archive in the making, compressed and in memory: the same arrays give the same bytes.
#[derive(Debug)]
pub struct NpzWriter {
    zip: ZipWriter<Cursor<Vec<u8>>>,
}

/// Elements converted at a time.
const CHUNK: usize = 8192;

impl NpzWriter {
    /// An archive without arrays.
    pub fn new() -> Self {
        NpzWriter {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
        }
    }

    /// Adds an array.
    ///
    /// # Errors
    /// [`ArrayError::Unwritten`], for example if its name is taken.
    pub fn add<S, D>(&mut self, name: &str, array: &ArrayBase<S, D>) -> Result<(), ArrayError>
    where
        S: Data,
        S::Elem: NpyElement,
        D: Dimension,
    {
        let width = S::Elem::BYTES;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(array.len() as u64 * width as u64 >= u64::from(u32::MAX) / 2);
        self.zip
            .start_file(format!("{name}.npy"), options)
            .map_err(unwritten)?;
        let header = npy_header::<S::Elem>(array.shape());
        self.zip.write_all(&header).map_err(unwritten)?;
        let mut buffer = vec![0; width * CHUNK.min(array.len())];
        let mut elements = array.iter();
        loop {
            let mut filled = 0;
            for (bytes, element) in buffer.chunks_exact_mut(width).zip(&mut elements) {
                element.put(bytes);
                filled += width;
            }
            if filled == 0 {
                return Ok(());
            }
            self.zip.write_all(&buffer[..filled]).map_err(unwritten)?;
        }
    }

    /// The archive's bytes.
    ///
    /// # Errors
    /// [`ArrayError::Unwritten`].
    pub fn finish(self) -> Result<Vec<u8>, ArrayError> {
        Ok(self.zip.finish().map_err(unwritten)?.into_inner())
    }
}

impl Default for NpzWriter {
    fn default() -> Self {
        NpzWriter::new()
    }
}

fn unwritten(error: impl ToString) -> ArrayError {
    ArrayError::Unwritten {
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array0, Array1, Array2, Array3, ShapeBuilder, arr0};
    use ndarray_npy::NpzReader;

    use super::*;

    #[test]
    fn headers_are_numpys() {
        let header = |shape: &[usize]| npy_header::<f32>(shape);
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 5), }";
        assert_eq!(&header(&[3, 4, 5])[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(
            header(&[3, 4, 5])[10..],
            *format!("{text:<117}\n").as_bytes()
        );
        for (shape, expected) in [(&[][..], "'shape': (), "), (&[7], "'shape': (7,), ")] {
            let text = String::from_utf8_lossy(&header(shape)[10..]).into_owned();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn another_reader_finds_the_arrays() {
        // More than a chunk, columns first, without axes, and without elements.
        let long = Array1::from_shape_fn(20_001, |i| i as f64 / 3.0);
        let columns =
            Array2::from_shape_vec((2, 3).f(), vec![1_i64, -2, 3, -4, 5, i64::MIN]).unwrap();
        let cube = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (100 * i + 10 * j + k) as f32);
        let mut npz = NpzWriter::new();
        npz.add("long", &long).unwrap();
        npz.add("columns", &columns).unwrap();
        npz.add("turned", &cube.t()).unwrap();
        npz.add("one", &arr0(7_u8)).unwrap();
        npz.add("none", &Array2::<f64>::zeros((0, 3))).unwrap();
        let message = npz.add("one", &arr0(8_u8)).unwrap_err().to_string();
        assert!(message.contains("one.npy"), "{message}");
        let mut npz = NpzReader::new(Cursor::new(npz.finish().unwrap())).unwrap();
        assert_eq!(npz.by_name("long").unwrap() as Array1<f64>, long);
        assert_eq!(npz.by_name("columns").unwrap() as Array2<i64>, columns);
        assert_eq!(npz.by_name("turned").unwrap() as Array3<f32>, cube.t());
        assert_eq!(npz.by_name("one").unwrap() as Array0<u8>, arr0(7));
        let none: Array2<f64> = npz.by_name("none").unwrap();
        assert_eq!(none.dim(), (0, 3));
    }
}
