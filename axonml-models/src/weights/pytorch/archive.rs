//! The zip that `torch.save` writes: records below one folder, stored without compression.

use std::io::{BufReader, Cursor, Read};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::CheckpointError;

/// A file of `torch.save`.
pub(super) struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// The folder that holds the records, with its slash.
    folder: String,
}

impl<'b> Archive<'b> {
    /// Opens a file that holds a pickle.
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, CheckpointError> {
        // Files of torch.save before version 1.6 are bare pickles.
        if bytes.first() == Some(&0x80) {
            return Err(CheckpointError::Archive(
                "found a pickle without an archive, as PyTorch wrote before version 1.6; load it with torch and save it \
                 again"
                    .to_owned(),
            ));
        }
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| CheckpointError::Archive(error.to_string()))?;
        let folder = zip
            .file_names()
            .find_map(|name| name.strip_suffix("data.pkl"))
            .filter(|folder| folder.ends_with('/'))
            .map(str::to_owned)
            .ok_or_else(|| CheckpointError::Archive("found no data.pkl in the zip".to_owned()))?;
        let mut archive = Archive { zip, folder };
        // Absent in files before PyTorch 2.1, which are little-endian in practice.
        match archive.record("byteorder") {
            Ok(order) if order != b"little" => Err(CheckpointError::Record {
                record: "byteorder".to_owned(),
                problem: format!(
                    "found `{}`, expected `little`",
                    String::from_utf8_lossy(&order)
                ),
            }),
            _ => Ok(archive),
        }
    }

    /// The bytes of a record, its checksum checked.
    pub(super) fn record(&mut self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let wrong = |problem: String| CheckpointError::Record {
            record: name.to_owned(),
            problem,
        };
        let path = format!("{}{name}", self.folder);
        let record = self.zip.by_name(&path).map_err(|error| match error {
            ZipError::FileNotFound => wrong("not in the file".to_owned()),
            error => wrong(error.to_string()),
        })?;
        // torch.save never compresses, so that the size of the file bounds the bytes read.
        if record.compression() != CompressionMethod::Stored {
            return Err(wrong("compressed, which torch.save never does".to_owned()));
        }
        let mut bytes = Vec::new();
        BufReader::new(record)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(error.to_string()))?;
        Ok(bytes)
    }
}
