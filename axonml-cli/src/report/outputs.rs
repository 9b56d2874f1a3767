//! Files that a command writes: no two of them are one, and none is a file that the command reads.

use std::path::{Path, PathBuf};

use axonml::file::same_file;

use super::file::{Target, check_picture, check_writable};
use crate::args::{OutputArgs, PlotArgs};
use crate::error::CliError;
use crate::input::Input;

/// The files that a command was asked to write, all of which can be written.
pub(crate) struct Outputs {
    /// Results.
    pub(crate) targets: Vec<Target>,
    /// Every file with what messages call it.
    files: Vec<(String, PathBuf)>,
}

impl Outputs {
    /// As the flags have them.
    pub(crate) fn checked(output: &OutputArgs, plot: &PlotArgs) -> Result<Self, CliError> {
        Outputs::of(&output.output, None, plot)
    }

    /// Files of results, a page, and a picture.
    pub(crate) fn of(
        output: &[PathBuf],
        html: Option<&Path>,
        plot: &PlotArgs,
    ) -> Result<Self, CliError> {
        let targets = output.iter().map(|path| Target::checked(path));
        let targets: Vec<Target> = targets.collect::<Result<_, _>>()?;
        let mut files: Vec<(String, PathBuf)> = targets.iter().flat_map(Target::files).collect();
        if let Some(path) = html {
            check_writable(path)?;
            files.push((format!("--html {}", path.display()), path.to_owned()));
        }
        if let Some(path) = &plot.plot {
            check_picture(path)?;
            plot.page()?;
            files.push((format!("--plot {}", path.display()), path.clone()));
        }
        for (index, (what, path)) in files.iter().enumerate() {
            let before = files[..index].iter();
            if let Some((first, _)) = before.clone().find(|(_, first)| same_file(first, path)) {
                let found = format!("{first} and {what} are the same file");
                return Err(CliError::request(found).help("give every output a name of its own"));
            }
        }
        Ok(Outputs { targets, files })
    }

    /// Refuses outputs that are among `inputs`.
    pub(crate) fn keep(&self, inputs: &[Input]) -> Result<(), CliError> {
        for (what, path) in &self.files {
            refuse_overwriting(what, path, inputs)?;
        }
        Ok(())
    }
}

/// Refuses an output that is among `inputs`.
pub(crate) fn refuse_overwriting(
    what: &str,
    path: &Path,
    inputs: &[Input],
) -> Result<(), CliError> {
    match inputs.iter().find(|input| same_file(&input.path, path)) {
        None => Ok(()),
        Some(input) => Err(CliError::request(format!(
            "{what} would overwrite an input: {}",
            input.what
        ))
        .help("name another file for the output")),
    }
}
