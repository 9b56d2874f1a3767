//! The log of a training: a table, one row a step.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::TrainError;

/// A log file that is being written.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    /// A new log with these columns.
    pub(super) fn create(path: &Path, columns: &[String]) -> Result<Self, TrainError> {
        let file = File::create(path).map_err(TrainError::write(path))?;
        let mut log = Log {
            path: path.to_owned(),
            file,
            bytes: 0,
        };
        log.line(&columns.join(","))?;
        log.sync()?;
        Ok(log)
    }

    /// Resumes after the first `bytes` of a log; later rows were written after the checkpoint and are dropped.
    pub(super) fn resume(path: &Path, bytes: u64) -> Result<Self, TrainError> {
        use std::io::{Seek, SeekFrom};
        let file = OpenOptions::new().read(true).write(true).open(path);
        let mut file = file.map_err(TrainError::read(path))?;
        let found = file.metadata().map_err(TrainError::read(path))?.len();
        if found < bytes {
            return Err(TrainError::Log {
                path: path.display().to_string(),
                found,
                expected: bytes,
            });
        }
        let cut = file
            .set_len(bytes)
            .and_then(|()| file.seek(SeekFrom::Start(bytes)));
        cut.map_err(TrainError::write(path))?;
        Ok(Log {
            path: path.to_owned(),
            file,
            bytes,
        })
    }

    /// Adds a row; cells that are not known are empty.
    pub(super) fn row(&mut self, cells: &[String]) -> Result<(), TrainError> {
        self.line(&cells.join(","))
    }

    fn line(&mut self, line: &str) -> Result<(), TrainError> {
        let line = format!("{line}\n");
        let written = self.file.write_all(line.as_bytes());
        written.map_err(TrainError::write(&self.path))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Brings all rows to the disk; returns their bytes.
    pub(super) fn sync(&mut self) -> Result<u64, TrainError> {
        self.file
            .sync_data()
            .map_err(TrainError::write(&self.path))?;
        Ok(self.bytes)
    }
}
