//! Steps, arithmetic and where the work is done.

use axonml::file::Memory;
use axonml::study::Machine;
use axonml::{Device, Precision};
use clap::{Args, ValueEnum};

use super::number::{count, positive};
use crate::error::CliError;
use crate::messages::Messages;

/// Flags of the numerics.
#[derive(Debug, Args)]
#[command(next_help_heading = "Numerics")]
pub(crate) struct NumericsArgs {
    /// Time step, ms [default: 0.005]
    #[arg(long, value_name = "MS", value_parser = positive("ms"), allow_hyphen_values = true)]
    pub(crate) dt: Option<f64>,
    /// Duration, ms [default: 5]
    #[arg(long, value_name = "MS", value_parser = positive("ms"), allow_hyphen_values = true)]
    pub(crate) tstop: Option<f64>,
    /// Arithmetic: f32 or f64 [default: f64; for datasets f32]
    #[arg(long, value_name = "TYPE", value_enum, hide_possible_values = true)]
    pub(crate) precision: Option<PrecisionArg>,
    /// Rates by formulas or f32 tables: exact or table [default: exact]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    pub(crate) rates: Option<Rates>,
    /// auto, cpu, cuda or cuda:N; see `axonml devices` [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// CPU threads; results do not depend on them [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
    /// Memory that may be taken, GB; more is refused [default: available]
    #[arg(long, value_name = "GB", value_parser = positive("GB"), allow_hyphen_values = true)]
    pub(crate) max_memory: Option<f64>,
    /// Seed of what is drawn at random: places, datasets [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// Single precision
    F32,
    /// Double precision
    F64,
}

/// How rates are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rates {
    /// From their formulas
    Exact,
    /// From tables over voltage
    Table,
}

impl NumericsArgs {
    /// Arithmetic.
    pub(crate) fn precision(&self) -> Precision {
        match self.precision {
            Some(PrecisionArg::F32) => Precision::F32,
            Some(PrecisionArg::F64) | None => Precision::F64,
        }
    }

    /// Memory that the work may take.
    pub(crate) fn memory(&self) -> Memory {
        memory(self.max_memory)
    }

    /// Sets the number of threads, opens the backend and looks for memory.
    pub(crate) fn machine(&self, messages: Messages) -> Result<Machine, CliError> {
        let device = self.device()?;
        if let Some(why) = device.passed_over() {
            messages.note(format_args!("{why}: using {}", device.name()));
        }
        messages.explain(format_args!("backend: {}", device.name()));
        Ok(Machine {
            memory: self.memory(),
            ..Machine::new(device)
        })
    }

    /// Sets the number of threads and opens the backend.
    pub(crate) fn device(&self) -> Result<Device, CliError> {
        open(self.backend.as_deref(), self.threads)
    }
}

/// Memory that the work may take, GB as stated, or what is available.
pub(crate) fn memory(stated_gb: Option<f64>) -> Memory {
    // A number beyond all memory is as good as the largest.
    stated_gb.map_or_else(Memory::available, |gb| Memory::stated((gb * 1e9) as u64))
}

/// The most threads that can be asked for: more than any machine has use for.
const MOST_THREADS: usize = 1024;

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    let parsed = count(1)(text)
        .ok()
        .filter(|threads| *threads <= MOST_THREADS);
    parsed.ok_or_else(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "expected a whole number, 1 or more and at most {MOST_THREADS}; this machine can run {cores} at once"
        )
    })
}

/// Sets the number of threads.
pub(super) fn set_threads(threads: Option<usize>) -> Result<(), CliError> {
    let Some(threads) = threads else {
        return Ok(());
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().map_err(|error| {
        CliError::failure(format!("--threads {threads}: {error}")).help("ask for fewer threads")
    })
}

/// Sets the number of threads and opens a backend.
pub(crate) fn open(backend: Option<&str>, threads: Option<usize>) -> Result<Device, CliError> {
    set_threads(threads)?;
    Ok(Device::named(backend.unwrap_or("auto"))?)
}
