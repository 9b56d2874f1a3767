//! Where a path leads: through links, and whether a file may be put there.

use std::fs::{FileType, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The most symbolic links that lead on to each other; the limit of Linux.
const MOST_LINKS: usize = 40;

/// Checks that a file may be put at `path`: that nothing is there, or a regular file, also behind symbolic links.
///
/// # Errors
/// [`io::ErrorKind::IsADirectory`] for a folder, and [`io::ErrorKind::InvalidInput`] for devices, pipes, sockets and the
/// standard streams, which a file would replace.
pub fn check_regular(path: &Path) -> io::Result<()> {
    let links = links(path)?;
    let invalid = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    // A redirected stream leads to a regular file, which belongs to whoever redirected it.
    if links.iter().any(|link| is_stream(link)) {
        return invalid("it is a stream of this process, expected a regular file or a new one");
    }
    let Ok(there) = std::fs::metadata(path) else {
        return match path.file_name() {
            Some(_) => Ok(()),
            None => Err(a_folder()),
        };
    };
    if path.file_name().is_none() || there.is_dir() {
        return Err(a_folder());
    }
    match there.is_file() {
        true => Ok(()),
        false => invalid(kind(&there)),
    }
}

/// Whether two paths lead to the same file, by whatever names and symbolic links, whether it is there yet or not.
pub fn same_file(a: &Path, b: &Path) -> bool {
    whole(a) == whole(b)
}

/// The path that symbolic links at `path` lead to, else `path`.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    match std::fs::canonicalize(path) {
        Ok(target) if path.is_symlink() => target,
        Ok(_) => path.to_owned(),
        // Nothing is there yet: where the last link points.
        Err(_) => links(path)
            .ok()
            .and_then(|links| links.last().cloned())
            .unwrap_or_else(|| path.to_owned()),
    }
}

/// `path` and where its symbolic links point, one after the other.
fn links(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut links = vec![path.to_owned()];
    let mut at = path.to_owned();
    while let Ok(next) = std::fs::read_link(&at) {
        if links.len() > MOST_LINKS {
            let text = "its symbolic links lead in a circle";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        at = at.parent().unwrap_or(Path::new("")).join(next);
        links.push(at.clone());
        if is_stream(&at) {
            break;
        }
    }
    Ok(links)
}

/// The whole path without links and detours, as far as there is something.
fn whole(path: &Path) -> PathBuf {
    let path = resolved(path);
    if let Ok(whole) = std::fs::canonicalize(&path) {
        return whole;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (std::fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(&path).unwrap_or(path),
    }
}

/// Whether a path names an open file of a process, such as `/dev/stdout`.
fn is_stream(path: &Path) -> bool {
    if !cfg!(unix) {
        return false;
    }
    let plain = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut names = plain.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    match (names.next(), names.next()) {
        (Some("proc"), Some(_)) => names.any(|name| name == "fd"),
        (Some("dev"), Some(name)) => ["fd", "stdin", "stdout", "stderr"].contains(&name),
        _ => false,
    }
}

fn a_folder() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")
}

#[cfg(unix)]
fn kind(there: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let of: FileType = there.file_type();
    if of.is_fifo() {
        "it is a named pipe, expected a regular file or a new one"
    } else if of.is_socket() {
        "it is a socket, expected a regular file or a new one"
    } else {
        "it is a device, expected a regular file or a new one"
    }
}

#[cfg(not(unix))]
fn kind(there: &Metadata) -> &'static str {
    let _: FileType = there.file_type();
    "it is no regular file, expected one or a new one"
}

#[cfg(test)]
mod tests;
