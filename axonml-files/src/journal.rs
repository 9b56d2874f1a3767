//! An append-only journal of finished pieces of long work.
//!
//! A journal is a text file. Its first line is `axonml journal 1`, a blank, the identity of the work, a blank, and a
//! checksum: the first 16 hexadecimal digits of the SHA-256 of the text before that blank. Every other line is a
//! finished piece, a blank, and its checksum, made the same way. Each piece is written by one system call, so that a
//! kill leaves it whole or torn at the end of the file, which [`Journal::open`] drops; [`Journal::sync`] flushes all
//! pieces to the disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

const MAGIC: &str = "axonml journal 1 ";
const CHECKSUM: usize = 16;

/// Errors of opening or writing a journal.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("cannot write `{path}`: {source}")]
    Io {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Another process writes it.
    #[error("`{path}` is being written by another process; wait for it or end it")]
    Held {
        /// The file.
        path: String,
    },
    /// The file is something else.
    #[error("`{path}` exists and is not a journal of finished rows")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The journal belongs to other work.
    #[error("`{path}` holds {pieces} finished pieces of other work")]
    Other {
        /// The file.
        path: String,
        /// The identity of that work.
        work: String,
        /// Number of finished pieces in it.
        pieces: usize,
    },
}

/// A journal that is being written. No other process can write it meanwhile.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    bytes: u64,
}

/// A journal and the pieces that it held before.
#[derive(Debug)]
pub struct Reopened {
    /// The journal.
    pub journal: Journal,
    /// The pieces that are whole, in the order in which they were written.
    pub pieces: Vec<String>,
    /// Number of lines that were torn or changed and are left out.
    pub damaged: usize,
}

impl Journal {
    /// Opens the journal of `work` at `path`, or begins it. Line breaks in `work` become blanks.
    ///
    /// # Errors
    /// [`JournalError::Held`], [`JournalError::Foreign`], [`JournalError::Other`], all of which leave the file as it
    /// was;
    /// [`JournalError::Io`].
    pub fn open(path: &Path, work: &str) -> Result<Reopened, JournalError> {
        let failed = |source| JournalError::Io {
            path: path.display().to_string(),
            source,
        };
        let mut file = Self::lock(path)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed)?;
        let first = format!("{MAGIC}{}", one_line(work));
        let mut journal = Journal {
            file,
            path: path.to_owned(),
            bytes: 0,
        };
        let Some(end) = content.iter().position(|&byte| byte == b'\n') else {
            // Nothing, or a first line that a kill tore.
            let length = content.len().min(MAGIC.len());
            if content[..length] != MAGIC.as_bytes()[..length] {
                return Err(journal.foreign());
            }
            journal.cut().map_err(failed)?;
            if let Err(error) = journal.append(&first).and_then(|()| journal.sync()) {
                // It holds no piece.
                _ = std::fs::remove_file(path);
                return Err(error);
            }
            crate::sync_folder(path.parent().unwrap_or(Path::new(""))).map_err(failed)?;
            return Ok(Reopened {
                journal,
                pieces: Vec::new(),
                damaged: 0,
            });
        };
        let found = checked(&content[..end]).and_then(|line| line.strip_prefix(MAGIC));
        let Some(found) = found else {
            return Err(journal.foreign());
        };
        let whole = content
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let lines = content[end + 1..whole].split_inclusive(|&byte| byte == b'\n');
        let mut damaged = usize::from(whole < content.len());
        let mut pieces = Vec::new();
        for line in lines {
            match checked(&line[..line.len() - 1]) {
                Some(piece) => pieces.push(piece.to_owned()),
                None => damaged += 1,
            }
        }
        if found != one_line(work) {
            return Err(JournalError::Other {
                path: path.display().to_string(),
                work: found.to_owned(),
                pieces: pieces.len(),
            });
        }
        journal.bytes = whole as u64;
        journal.cut().map_err(failed)?;
        Ok(Reopened {
            journal,
            pieces,
            damaged,
        })
    }

    /// The file, locked, and still the one of that name.
    fn lock(path: &Path) -> Result<File, JournalError> {
        let name = || path.display().to_string();
        let failed = |source| JournalError::Io {
            path: name(),
            source,
        };
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return Ok(file),
                // The process that held it has finished and removed it meanwhile.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(JournalError::Held { path: name() }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a finished piece, which then survives SIGKILL. Line breaks in it become blanks.
    ///
    /// # Errors
    /// [`JournalError::Io`]; the pieces before it are still there.
    pub fn append(&mut self, piece: &str) -> Result<(), JournalError> {
        let piece = one_line(piece);
        let line = format!("{piece} {}\n", checksum(&piece));
        let written = self.file.write_all(line.as_bytes());
        if let Err(source) = written {
            // Half a line, as a full disk leaves it, would only be dropped later.
            _ = self.cut();
            return Err(self.failed(source));
        }
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Flushes all pieces to the disk.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    /// Removes the journal, when its pieces have gone where they belong.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn remove(self) -> Result<(), JournalError> {
        std::fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    /// Drops everything after the last whole line.
    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.bytes)?;
        self.file.seek(SeekFrom::Start(self.bytes)).map(|_| ())
    }

    fn failed(&self, source: std::io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.display().to_string(),
            source,
        }
    }

    fn foreign(&self) -> JournalError {
        JournalError::Foreign {
            path: self.path.display().to_string(),
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let bytes = digest.iter().take(CHECKSUM / 2);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The text before the checksum of a line, if the checksum is right.
fn checked(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let (text, found) = line.rsplit_once(' ')?;
    (found == checksum(text)).then_some(text)
}

/// Whether an open file is the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |data: std::fs::Metadata| (data.dev(), data.ino());
        let (open, named) = (
            file.metadata().map(place),
            std::fs::metadata(path).map(place),
        );
        matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }
    // Elsewhere a file that is open cannot be removed.
    #[cfg(not(unix))]
    {
        _ = (file, path);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("axonml-{name}-{}", std::process::id()));
        _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn whatever_a_kill_leaves_is_gone_on_with() {
        let path = path("journal");
        let mut journal = Journal::open(&path, "work {\"n\": 3}").unwrap().journal;
        for piece in [
            "{\"row\": 0}",
            "{\"row\": 1, \"of\": \"two\nlines\"}",
            "{\"row\": 2}",
        ] {
            journal.append(piece).unwrap();
        }
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        assert!(whole.starts_with(b"axonml journal 1 work {\"n\": 3} "));
        let all = [
            "{\"row\": 0}",
            "{\"row\": 1, \"of\": \"two lines\"}",
            "{\"row\": 2}",
        ];

        // A kill at any byte: every whole line after the first is there, and the next piece follows.
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let mut opened = Journal::open(&path, "work {\"n\": 3}").unwrap();
            let lines = whole[..length]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            let kept = lines.saturating_sub(1);
            assert_eq!(opened.pieces, &all[..kept], "{length}");
            for piece in &all[kept..] {
                opened.journal.append(piece).unwrap();
            }
            drop(opened);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{length}");
        }

        // A changed byte costs its own line.
        let mut changed = whole.clone();
        let at = changed.windows(2).position(|pair| pair == b"of").unwrap();
        changed[at] = b'i';
        std::fs::write(&path, &changed).unwrap();
        let opened = Journal::open(&path, "work {\"n\": 3}").unwrap();
        assert_eq!(opened.pieces, [all[0], all[2]]);
        assert_eq!(opened.damaged, 1);
        opened.journal.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_is_not_its_own_is_left_alone() {
        let path = path("journal-other");
        let mut journal = Journal::open(&path, "this").unwrap().journal;
        journal.append("piece").unwrap();
        let error = Journal::open(&path, "this").unwrap_err();
        assert!(matches!(error, JournalError::Held { .. }), "{error}");
        drop(journal);
        let before = std::fs::read(&path).unwrap();
        match Journal::open(&path, "that").unwrap_err() {
            JournalError::Other { work, pieces, .. } => assert_eq!((&*work, pieces), ("this", 1)),
            error => panic!("{error}"),
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
        for text in ["diameter_um\n5.7\n", "notes", "axonml journal 1 this\n"] {
            std::fs::write(&path, text).unwrap();
            let error = Journal::open(&path, "this").unwrap_err();
            assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::remove_file(path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let mut journal = Journal::open(&path("journal-full"), "work")
            .unwrap()
            .journal;
        journal.append("kept").unwrap();
        let kept = journal.path.clone();
        journal.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = journal.append("lost").unwrap_err().to_string();
        assert!(error.contains("No space left"), "{error}");
        drop(journal);
        assert_eq!(Journal::open(&kept, "work").unwrap().pieces, ["kept"]);
        std::fs::remove_file(kept).unwrap();
    }
}
