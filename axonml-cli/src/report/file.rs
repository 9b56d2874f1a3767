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
        // Before its name: nothing whatever can be made of a stream.
        check_regular(path)?;
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
        let target = Target {
            path: path.to_owned(),
            form,
        };
        check_writable(path)?;
        if form == Form::Csv {
            check_writable(&target.sidecar().path)?;
        }
        check_regular(&target.journal())?;
        check_regular(&target.partial().path)?;
        Ok(target)
    }

    /// All files that work for this target may write, and what messages call them.
    pub(super) fn files(&self) -> Vec<(String, PathBuf)> {
        let (name, partial) = (self.name(), self.partial());
        let mut files = vec![
            (format!("-o {name}"), self.path.clone()),
            (
                format!("the finished rows kept for -o {name}"),
                self.journal(),
            ),
            (
                format!("the unfinished table kept for -o {name}"),
                partial.path.clone(),
            ),
        ];
        if self.form == Form::Csv {
            let sidecars = [(self, "-o"), (&partial, "the unfinished table")];
            files.extend(sidecars.map(|(of, what)| {
                (
                    format!("the sidecar of {what} {}", of.name()),
                    of.sidecar().path,
                )
            }));
        }
        files
    }

    /// As messages name it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The file that accompanies a CSV.
    pub(crate) fn sidecar(&self) -> Target {
        Target {
            path: self.with(".json"),
            form: Form::Json,
        }
    }

    /// The file that takes rows as they finish.
    pub(crate) fn journal(&self) -> PathBuf {
        self.with(".partial")
    }

    fn with(&self, suffix: &str) -> PathBuf {
        let mut name: OsString = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
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
    axonml::file::replace(path, bytes)
        .map_err(|error| CliError::failure(format!("cannot write `{}`: {error}", path.display())))
}

/// Checks that a picture can be drawn into a file at `path`.
pub(crate) fn check_picture(path: &Path) -> Result<(), CliError> {
    check_regular(path)?;
    plot::Format::of(path)?;
    check_writable(path)
}

/// Checks that nothing but a regular file would be replaced at `path`.
pub(crate) fn check_regular(path: &Path) -> Result<(), CliError> {
    axonml::file::check_regular(path).map_err(|error| {
        CliError::request(format!("cannot write `{}`: {error}", path.display())).help(
            "name a new or a regular file; without -o, results are printed on standard output",
        )
    })
}

/// Checks that a file at `path` can be written, before the work that it takes begins.
pub(crate) fn check_writable(path: &Path) -> Result<(), CliError> {
    check_regular(path)?;
    axonml::file::check_writable(path).map_err(|error| {
        CliError::request(format!("cannot write `{}`: {error}", path.display()))
            .help("name a file in a folder that exists and can be written")
    })
}
