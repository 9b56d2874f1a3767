//! `axonml dataset`: training sets.

#[cfg(feature = "hdf5")]
mod convert;
mod generate;
mod inspect;
mod recipe;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axonml::train::dataset::DatasetError;

use crate::args::DatasetCommand;
use crate::error::CliError;
use crate::interrupt::OnSignal;
use crate::messages::Messages;

/// Does what is asked for.
pub(crate) fn dataset(command: &DatasetCommand, messages: Messages) -> Result<(), CliError> {
    match command {
        DatasetCommand::Generate(args) => generate::generate(args, messages),
        DatasetCommand::Inspect(args) => inspect::inspect(args, messages),
        #[cfg(feature = "hdf5")]
        DatasetCommand::Import(args) => convert::import(args, messages),
        #[cfg(feature = "hdf5")]
        DatasetCommand::Export(args) => convert::export(args, messages),
        #[cfg(not(feature = "hdf5"))]
        DatasetCommand::Import(_) | DatasetCommand::Export(_) => {
            Err(CliError::request("this axonml was built without HDF5")
                .help("build it with `cargo build --release --features hdf5`"))
        }
    }
}

impl From<DatasetError> for CliError {
    fn from(error: DatasetError) -> Self {
        let help = match &error {
            DatasetError::DiskTooSmall { .. } => {
                "ask for fewer fibers (--count), rows (--every) or states (--states), or name a folder on another disk"
            }
            DatasetError::OtherRequest { .. } => {
                "repeat the request of the set, or name another folder"
            }
            DatasetError::Size { .. } | DatasetError::Checksum { .. } => {
                "copy the set again from where it came, or generate it again in another folder"
            }
            DatasetError::NotFinite { .. } => "mend or leave out this fiber where the set was made",
            DatasetError::MissingState { .. } => "choose among these with --states",
            _ => "",
        };
        let failed = error.is_failure();
        let error = match error {
            DatasetError::Simulation(error) => return (*error).into(),
            error if failed => CliError::failure(error),
            error => CliError::request(error),
        };
        match help {
            "" => error,
            help => error.help(help),
        }
    }
}

/// Tells after a signal how many of `shards` are kept in `folder`; the counter is to be kept up to date.
fn keep_shards(folder: &std::path::Path, shards: usize) -> (OnSignal, Arc<AtomicUsize>) {
    let done = Arc::new(AtomicUsize::new(0));
    let (counter, folder) = (done.clone(), folder.display().to_string());
    let keeper = OnSignal::keep(move || {
        let done = counter.load(Ordering::Relaxed);
        vec![format!(
            "{done} of {shards} shards are kept in {folder}; run the same command again to go on"
        )]
    });
    (keeper, done)
}
