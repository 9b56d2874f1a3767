//! Steps, arithmetic and where the work is done.

use axonml::file::Memory;
use axonml::{Device, Precision};
use clap::{Args, ValueEnum};

use super::number::{count, positive};
use crate::error::CliError;

/// Time step unless asked otherwise, ms.
pub(crate) const DT_MS: f64 = 0.005;
/// Duration unless asked otherwise, ms.
pub(crate) const TSTOP_MS: f64 = 5.0;

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
    /// Arithmetic: single or double [default: f64; for sets f32]
    #[arg(long, value_name = "TYPE", value_enum)]
    pub(crate) precision: Option<PrecisionArg>,
    /// How rates are evaluated: `exact` computes them each time [default: exact]
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) rates: Option<Rates>,
    /// Where to compute: auto, cpu, cuda or cuda:N; `axonml devices` lists what is there [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// Threads of the CPU backend; results do not depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
    /// Memory that the work may take, GB; what needs more is refused before it begins [default: what is available]
    #[arg(long, value_name = "GB", value_parser = positive("GB"), allow_hyphen_values = true)]
    pub(crate) max_memory: Option<f64>,
    /// Seed of random numbers, recorded with the results (only sets draw any) [default: 0]
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
    /// Time step, ms.
    pub(crate) fn dt_ms(&self) -> f64 {
        self.dt.unwrap_or(DT_MS)
    }

    /// Duration, ms.
    pub(crate) fn tstop_ms(&self) -> f64 {
        self.tstop.unwrap_or(TSTOP_MS)
    }

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

    /// Checks what this version cannot do, sets the number of threads and opens the backend.
    pub(crate) fn device(&self) -> Result<Device, CliError> {
        if self.rates == Some(Rates::Table) {
            return Err(
                CliError::request("--rates table: this version has no rate tables")
                    .help("leave --rates out, or give --rates exact"),
            );
        }
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

/// Sets the number of threads and opens a backend.
pub(crate) fn open(backend: Option<&str>, threads: Option<usize>) -> Result<Device, CliError> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| {
                CliError::failure(format!("--threads {threads}: {error}"))
                    .help("ask for fewer threads")
            })?;
    }
    Ok(Device::named(backend.unwrap_or("auto"))?)
}
