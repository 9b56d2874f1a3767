//! Files to be written: checked before the work begins, and replaced whole when it is done.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::plot;

/// The form of a result file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Rows, with a sidecar.
    Csv,
    /// One object.
    Json,
    /// An archive of arrays.
    Npz,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    path: PathBuf,
    /// Its form.
    pub(crate) form: Form,
}

impl Target {
    /// The target at `path`, if its extension names a form and it can be written.
    pub(crate) fn checked(path: &Path) -> Result<Self, CliError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let form = match extension.as_deref() {
            Some("csv") => Form::Csv,
            Some("json") => Form::Json,
            Some("npz") => Form::Npz,
            _ => {
                let found = extension.map_or("no extension".to_owned(), |e| format!("`.{e}`"));
                let message = format!(
                    "output `{}`: found {found}, expected .csv, .json or .npz",
                    path.display()
                );
                return Err(CliError::request(message)
                    .help("the extension picks the format: rename the file"));
            }
        };
        check_writable(path)?;
        Ok(Target {
            path: path.to_owned(),
            form,
        })
    }

    /// All targets.
    pub(crate) fn all(paths: &[PathBuf]) -> Result<Vec<Self>, CliError> {
        paths.iter().map(|path| Target::checked(path)).collect()
    }

    /// As messages name it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The file that accompanies a CSV.
    pub(crate) fn sidecar(&self) -> Target {
        let mut name: OsString = self.path.clone().into_os_string();
        name.push(".json");
        Target {
            path: name.into(),
            form: Form::Json,
        }
    }

    /// The file that takes what is finished when the work is interrupted: never taken for the whole.
    pub(crate) fn partial(&self) -> Target {
        let extension = self
            .path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Target {
            path: self.path.with_extension(format!("partial.{extension}")),
            form: self.form,
        }
    }

    /// Replaces the file by `bytes`, all or nothing.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), CliError> {
        replace(&self.path, bytes)
    }
}

/// Replaces the file at `path` by `bytes`, all or nothing.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let temporary = temporary(path);
    let written =
        std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        _ = std::fs::remove_file(&temporary);
        CliError::failure(format!("cannot write `{}`: {error}", path.display()))
    })
}

/// Checks that a picture can be drawn into a file at `path`.
pub(crate) fn check_picture(path: &Path) -> Result<(), CliError> {
    plot::Format::of(path)?;
    check_writable(path)
}

/// A file beside `path` that nobody else uses.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// Checks that a file at `path` can be written, before the work that it takes begins.
pub(crate) fn check_writable(path: &Path) -> Result<(), CliError> {
    let refuse = |why: &str| {
        CliError::request(format!("cannot write `{}`: {why}", path.display()))
            .help("name a file in a folder that exists and can be written")
    };
    if path.is_dir() {
        return Err(refuse("it is a folder"));
    }
    if std::fs::metadata(path).is_ok_and(|file| file.permissions().readonly()) {
        return Err(refuse("it exists and is read-only"));
    }
    let temporary = temporary(path);
    std::fs::write(&temporary, []).map_err(|error| refuse(&error.to_string()))?;
    std::fs::remove_file(&temporary).map_err(|error| refuse(&error.to_string()))
}
