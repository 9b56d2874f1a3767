//! Locks that admit one writer per folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use thiserror::Error;

use crate::replace::sweep;

/// Errors of locking a folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process writes into the folder.
    #[error("`{folder}` is being written by another process; wait for it or end it")]
    Held {
        /// The folder.
        folder: String,
    },
    /// The folder or its lock cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Io {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// Excludes other writers from a folder until it is dropped.
///
/// The lock is the system's, on an empty file that stays: a process that ends in any way releases it, and no process
/// can hold a lock on a file that has been replaced meanwhile.
#[derive(Debug)]
pub struct FolderLock(#[allow(dead_code, reason = "the open file is the lock")] File);

impl FolderLock {
    /// Name of the file.
    pub const FILE: &str = ".lock";

    /// Locks a folder, which is created if missing, and removes unfinished files that killed processes left in it.
    ///
    /// # Errors
    /// [`LockError::Held`] at once if another process, or another part of this one, holds the lock.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| LockError::Io { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let path = folder.join(Self::FILE);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {
                sweep(folder);
                Ok(FolderLock(file))
            }
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                folder: folder.display().to_string(),
            }),
            Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_and_the_file_stays() {
        let folder = std::env::temp_dir().join(format!("axonml-lock-{}", std::process::id()));
        let first = FolderLock::take(&folder).unwrap();
        let error = FolderLock::take(&folder).unwrap_err();
        assert!(matches!(error, LockError::Held { .. }), "{error}");
        drop(first);
        assert!(folder.join(FolderLock::FILE).exists());

        // A leftover of a killed process (no process has this number), and a file that is not ours.
        std::fs::write(folder.join(".axonml-4294967295-3.tmp"), "half").unwrap();
        std::fs::create_dir(folder.join(".axonml-4294967295-4.tmp")).unwrap();
        std::fs::write(folder.join(".axonml-notes.tmp"), "mine").unwrap();
        let _second = FolderLock::take(&folder).unwrap();
        let mut left: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, [".axonml-notes.tmp", ".lock"]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
