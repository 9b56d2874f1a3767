//! Atomic replacement of files and folders.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::place::{check_regular, resolved};

/// Begin and end of the names of files that are not finished.
const PREFIX: &str = ".axonml-";
const SUFFIX: &str = ".tmp";

/// Replaces the file at `path` by `bytes`, atomically, and waits until it is on the disk.
///
/// A symbolic link is followed, and the permissions of a file that is replaced are kept.
///
/// # Errors
/// The error of the operating system; the old file is still there. A read-only file is refused, and whatever is no regular
/// file: folders, devices, pipes, sockets, standard streams.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = Staged::create(path)?;
    staged.write_all(bytes)?;
    staged.commit()
}

/// Checks that [`replace`] can write a file at `path`, before the work that it takes begins.
///
/// # Errors
/// As [`replace`].
pub fn check_writable(path: &Path) -> io::Result<()> {
    Staged::create(path).map(drop)
}

/// Files and folders that this process has begun and not finished.
static BEGUN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn begun() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that this process has begun and not finished: for a process that is about to end without unwinding.
/// Previous content stays.
pub fn abandon() {
    for path in begun().iter() {
        _ = std::fs::remove_file(path);
        _ = std::fs::remove_dir_all(path);
    }
}

/// A temporary name in the folder of a path; the file or folder there is removed on drop.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Unfinished {
    /// A name in the folder of `path` that no other process uses.
    fn beside(path: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{count}{SUFFIX}", std::process::id());
        let path = path.with_file_name(name);
        begun().insert(path.clone());
        Unfinished(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // A finished file has moved to its place: nothing has this name.
        if std::fs::remove_file(&self.0).is_err() {
            _ = std::fs::remove_dir_all(&self.0);
        }
        begun().remove(&self.0);
    }
}

/// A file that is being written under a temporary name in its folder; dropped without [`Staged::commit`] it leaves no
/// trace.
#[derive(Debug)]
pub struct Staged {
    file: Option<BufWriter<File>>,
    temporary: Unfinished,
    target: PathBuf,
}

impl Staged {
    /// Begins the file at `path`.
    ///
    /// # Errors
    /// As [`replace`].
    pub fn create(path: &Path) -> io::Result<Self> {
        check_regular(path)?;
        let target = resolved(path);
        let old = std::fs::metadata(&target).ok();
        if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
            let kind = io::ErrorKind::PermissionDenied;
            return Err(io::Error::new(kind, "it exists and is read-only"));
        }
        let temporary = Unfinished::beside(&target);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).open(&temporary.0)?;
        let staged = Staged {
            file: Some(BufWriter::new(file)),
            temporary,
            target,
        };
        if let Some(old) = old {
            std::fs::set_permissions(&staged.temporary.0, old.permissions())?;
        }
        Ok(staged)
    }

    /// Where the file is until it is finished: for writers that open files themselves.
    pub fn path(&self) -> &Path {
        &self.temporary.0
    }

    /// Flushes the file to the disk and moves it to its place.
    ///
    /// # Errors
    /// The error of the operating system; the old file is still there.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        // Writers that opened the path themselves may have made another file of it.
        File::open(self.path())?.sync_all()?;
        std::fs::rename(self.path(), &self.target)?;
        sync_folder(parent(&self.target))
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// A folder that is being filled under a temporary name; dropped without [`StagedFolder::commit`] it leaves no trace.
#[derive(Debug)]
pub struct StagedFolder {
    temporary: Unfinished,
    target: PathBuf,
}

impl StagedFolder {
    /// Begins the folder at `path`.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn create(path: &Path) -> io::Result<Self> {
        let temporary = Unfinished::beside(path);
        std::fs::create_dir(&temporary.0)?;
        Ok(StagedFolder {
            temporary,
            target: path.to_owned(),
        })
    }

    /// Where the folder is until it is finished.
    pub fn path(&self) -> &Path {
        &self.temporary.0
    }

    /// Puts the folder in its place, in place of one that is there. Its files must be on the disk already.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn commit(self) -> io::Result<()> {
        sync_folder(self.path())?;
        if self.target.exists() {
            std::fs::remove_dir_all(&self.target)?;
        }
        std::fs::rename(self.path(), &self.target)?;
        sync_folder(parent(&self.target))
    }
}

/// Waits until the names in a folder (the empty path: the working folder) are on the disk, where the operating system
/// supports it.
///
/// # Errors
/// The error of the operating system, unless it cannot do this for folders.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // A folder that may be written but not read, and file systems without this call.
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

/// Removes unfinished files that killed processes left in a folder that this process has locked.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| {
            let middle = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
            middle.split('-').next()?.parse::<u32>().ok()
        });
        // Others may write a picture into the folder meanwhile; where the system reports that, they are left alone.
        let lives = |process: u32| Path::new(&format!("/proc/{process}")).exists();
        match process {
            Some(process) if process != std::process::id() && lives(process) => {}
            Some(_) if entry.path().is_dir() => _ = std::fs::remove_dir_all(entry.path()),
            Some(_) => _ = std::fs::remove_file(entry.path()),
            None => {}
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests;
