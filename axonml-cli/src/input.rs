//! Files that a command reads, by the flag or column that names them.

use std::path::{Path, PathBuf};

/// A file that a command reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    /// Its name in messages: the flag or the column.
    pub(crate) what: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Input {
    /// The file that a flag names.
    pub(crate) fn of(flag: &str, path: &Path) -> Self {
        Input {
            what: format!("{flag} {}", path.display()),
            path: path.to_owned(),
        }
    }

    /// The files of a nerve folder.
    pub(crate) fn nerve(what: &str, folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let arrays = entries.map(|entry| entry.path());
        let arrays = arrays.filter(|path| path.extension().is_some_and(|e| e == "npy"));
        // Also where it is not there: the next reader would find it.
        let described = std::iter::once(folder.join("nerve.json"));
        let input = |path: PathBuf| Input {
            what: format!("{} of {what}", path.display()),
            path,
        };
        arrays.chain(described).map(input).collect()
    }
}
