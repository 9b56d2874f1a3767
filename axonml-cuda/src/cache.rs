//! Files of compiled kernels.

use std::fs::DirBuilder;
use std::hash::{BuildHasher, RandomState};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use crate::CudaError;

/// A hash of several texts, as part of a file name.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths, so that the parts cannot run into each other.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    bytes[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes a file whole or not at all, with the folders it lies in.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CudaError> {
    let wrong = |error: std::io::Error| CudaError::Cache {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    axonml_files::replace(path, bytes).map_err(wrong)
}

/// Length of the checksum after the code in a cached file.
const CHECKSUM: usize = 32;

/// Writes code for [`read_code`] atomically: the file is whole or absent.
pub(crate) fn write_code(path: &Path, code: &[u8]) -> Result<(), CudaError> {
    write_file(path, &[code, &Sha256::digest(code)[..]].concat())
}

/// Adds the checksum to code that a compiler has written, so that [`read_code`] accepts it. Loaders of libraries ignore
/// bytes after a library's end.
pub(crate) fn seal_code(path: &Path) -> std::io::Result<()> {
    let checksum = Sha256::digest(std::fs::read(path)?);
    let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(&checksum)?;
    file.sync_all()
}

/// Code from the cache; none if there is no such file or it is damaged.
pub(crate) fn read_code(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let checksum = bytes.split_off(bytes.len().checked_sub(CHECKSUM)?);
    (Sha256::digest(&bytes)[..] == checksum[..]).then_some(bytes)
}

/// Folder of compiled kernels: the one of that name within `axonml` in the user's cache folder, if that can be made one
/// that belongs to the user alone, for its content is executed; else a new folder of this process.
///
/// # Errors
/// [`CudaError::Cache`] if not even that can be made.
pub(crate) fn folder(name: &str) -> Result<PathBuf, CudaError> {
    if let Some(cache) = user_cache() {
        let own = cache.join("axonml");
        let folder = own.join(name);
        // The parent too: a user who can write to it could replace this folder.
        if make_private(&own)
            .and_then(|()| make_private(&folder))
            .is_ok()
        {
            return Ok(folder);
        }
    }
    let folder = process_folder()?.join(name);
    match make_private(&folder) {
        Ok(()) => Ok(folder),
        Err(error) => Err(CudaError::Cache {
            path: folder,
            problem: error.to_string(),
        }),
    }
}

/// The user's cache folder; none in environments without a home.
fn user_cache() -> Option<PathBuf> {
    let set = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))
}

/// A folder in the temporary directory that this process has created, readable by its user alone.
fn process_folder() -> Result<&'static Path, CudaError> {
    static FOLDER: OnceLock<Result<PathBuf, CudaError>> = OnceLock::new();
    let made = FOLDER.get_or_init(|| {
        let parent = std::env::temp_dir();
        let mut attempts = 0;
        loop {
            // The name cannot be predicted; if it is taken, `create` fails.
            let random = RandomState::new().hash_one(attempts);
            let path = parent.join(format!("axonml-{}-{random:016x}", std::process::id()));
            match builder().create(&path) {
                Ok(()) => return Ok(path),
                Err(_) if attempts < 16 => attempts += 1,
                Err(error) => {
                    let problem = error.to_string();
                    return Err(CudaError::Cache { path, problem });
                }
            }
        }
    });
    made.as_deref().map_err(Clone::clone)
}

/// Builder of folders that only their owner may use.
fn builder() -> DirBuilder {
    #[allow(unused_mut, reason = "only where there are modes")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Creates `folder`, or checks that it is a real folder, owned by this process's user, that no other user may use.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        builder().recursive(true).create(parent)?;
    }
    match builder().create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    check_private(folder)
}

/// Refuses a folder of somebody else's; takes the rights of others to one's own away.
#[cfg(unix)]
fn check_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    // A link is itself checked, not its target: another user may have created it.
    let found = std::fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    // New folders of this process belong to its user.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let probe = folder.join(format!(".owner-{}-{count}", std::process::id()));
    let user = std::fs::File::create_new(&probe)?.metadata()?.uid();
    std::fs::remove_file(&probe)?;
    if found.uid() != user {
        return Err(ErrorKind::PermissionDenied.into());
    }
    if found.mode() & 0o777 != 0o700 {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700))?;
    }
    Ok(())
}

/// Elsewhere the user's cache folder is the user's alone.
#[cfg(not(unix))]
fn check_private(folder: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(folder)?.is_dir() {
        true => Ok(()),
        false => Err(ErrorKind::NotADirectory.into()),
    }
}

#[cfg(test)]
mod tests;
