//! Archives of arrays, compressed or not.

use std::io::{Read, Seek};

use ndarray::ArrayD;
use zip::ZipArchive;
use zip::result::ZipError;

use super::ArrayError;
use super::npy::numbers;

/// An `.npz` archive of arrays.
#[derive(Debug)]
pub struct Npz<R> {
    zip: ZipArchive<R>,
}

impl<R: Read + Seek> Npz<R> {
    /// The most bytes that a member may have.
    pub const MAX_MEMBER_BYTES: u64 = 1 << 30;
    /// How many times smaller than its content a member may be: more than deflate can do.
    const MAX_RATIO: u64 = 1032;

    /// Opens an archive.
    ///
    /// # Errors
    /// [`ArrayError::Archive`].
    pub fn open(file: R) -> Result<Self, ArrayError> {
        let zip = ZipArchive::new(file).map_err(damaged)?;
        Ok(Npz { zip })
    }

    /// Whether it has an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    fn member(&self, name: &str) -> Option<usize> {
        let with_extension = format!("{name}.npy");
        let index = self.zip.index_for_name(&with_extension);
        index.or_else(|| self.zip.index_for_name(name))
    }

    /// Reads an array of numbers of any type; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`ArrayError`]: nothing is read of a member that announces more than
    /// [`MAX_MEMBER_BYTES`](Self::MAX_MEMBER_BYTES) or than its compressed bytes can hold.
    pub fn numbers(&mut self, name: &str) -> Result<Option<ArrayD<f64>>, ArrayError> {
        let Some(index) = self.member(name) else {
            return Ok(None);
        };
        let member = self.zip.by_index(index).map_err(damaged)?;
        let (announced, present) = (member.size(), member.compressed_size());
        let limit = present
            .saturating_mul(Self::MAX_RATIO)
            .min(Self::MAX_MEMBER_BYTES);
        let too_large = |announced| ArrayError::TooLarge {
            announced,
            present,
            limit,
        };
        if announced > limit {
            return Err(too_large(announced));
        }
        // The directory may lie about the size, too.
        let mut bytes = Vec::new();
        member
            .take(announced + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ArrayError::Archive {
                problem: error.to_string(),
            })?;
        if bytes.len() as u64 > announced {
            return Err(too_large(announced));
        }
        numbers(&bytes).map(Some)
    }
}

fn damaged(error: ZipError) -> ArrayError {
    ArrayError::Archive {
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use ndarray::{Array1, array};
    use ndarray_npy::NpzWriter;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    #[test]
    fn arrays_of_another_writer_are_read() {
        for compressed in [false, true] {
            let mut file = Cursor::new(Vec::new());
            let mut writer = match compressed {
                true => NpzWriter::new_compressed(&mut file),
                false => NpzWriter::new(&mut file),
            };
            writer
                .add_array("a", &array![[1.0, 2.0], [3.0, 4.0]])
                .unwrap();
            writer.add_array("b", &array![5_i64]).unwrap();
            writer.finish().unwrap();
            let mut npz = Npz::open(file).unwrap();
            assert!(npz.has("a") && !npz.has("c"));
            let a = npz.numbers("a").unwrap().unwrap();
            assert_eq!(a, array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
            assert_eq!(npz.numbers("b").unwrap().unwrap(), array![5.0].into_dyn());
            assert_eq!(npz.numbers("c").unwrap(), None);
        }
    }

    /// An archive whose only member is `content`, and the same with another announced size.
    fn lying(content: &[u8], announced: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = ZipWriter::new(&mut file);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file("v.npy", options).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        let mut bytes = file.into_inner();
        let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[directory + 24..directory + 28].copy_from_slice(&announced.to_le_bytes());
        bytes
    }

    #[test]
    fn members_are_bounded_by_what_they_announce_and_can_hold() {
        let mut npy = Vec::new();
        ndarray_npy::WriteNpyExt::write_npy(&Array1::<f64>::zeros(100_000), &mut npy).unwrap();
        let read = |announced: u32| {
            let bytes = lying(&npy, announced);
            Npz::open(Cursor::new(bytes)).unwrap().numbers("v")
        };
        assert_eq!(read(npy.len() as u32).unwrap().unwrap().len(), 100_000);
        // More than a gigabyte, more than the compressed bytes can hold, and less than they do hold.
        for announced in [u32::MAX, 900_000_000, 1000] {
            let message = read(announced).unwrap_err().to_string();
            assert!(message.contains(&format!("{announced} bytes")), "{message}");
        }
    }
}
