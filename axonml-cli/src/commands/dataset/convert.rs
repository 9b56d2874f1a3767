//! `axonml dataset import` and `export`: AxonML's HDF5 layout.

use axonml::train::dataset::{Dataset, ImportSettings, export_hdf5, import_hdf5};

use crate::args::dataset::{ExportArgs, ImportArgs};
use crate::error::CliError;
use crate::messages::Messages;
use crate::report::print;

/// Makes a set of a file.
pub(super) fn import(args: &ImportArgs, messages: Messages) -> Result<(), CliError> {
    let mut settings = ImportSettings::default();
    settings.dt_ms = args.dt.unwrap_or(settings.dt_ms);
    settings.shard_fibers = args.shard.unwrap_or(settings.shard_fibers);
    if !args.states.is_empty() {
        settings.states = args.states.clone();
    }
    if args.dt.is_none() {
        messages.note(format_args!(
            "the file does not say its time step: {} ms is taken (--dt)",
            settings.dt_ms
        ));
    }
    let mut said = 0;
    let report = import_hdf5(&args.file, &args.output, &settings, &mut |fibers| {
        if fibers / 1000 > said {
            said = fibers / 1000;
            messages.explain(format_args!("{fibers} fibers"));
        }
    })?;
    print(&format!(
        "{}: {} fibers; potentials are sums of up to {} fields times waveforms, to {:.1e} mV\n",
        args.output.display(),
        report.fibers,
        report.contacts,
        report.residual_mv
    ))
}

/// Writes a set as a file.
pub(super) fn export(args: &ExportArgs, messages: Messages) -> Result<(), CliError> {
    let set = Dataset::open(&args.set)?;
    if args.output.exists() {
        return Err(
            CliError::request(format!("`{}` exists already", args.output.display()))
                .help("name another file, or remove it"),
        );
    }
    let mut progress = messages.progress("fibers", set.len());
    let report = export_hdf5(&set, &args.output, &mut |fibers| progress.update(fibers));
    drop(progress);
    let shape = report?.shape;
    print(&format!(
        "{}: {} fibers as (group, minibatch, axon, node, time) = {shape:?}\n",
        args.output.display(),
        set.len()
    ))
}
