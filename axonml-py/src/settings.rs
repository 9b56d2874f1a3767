//! Settings of a simulation.

use axonml::Precision;
use axonml::model::weights::Weights;
use axonml::simulation::{CancelToken, InitialState, RateEvaluation};
use pyo3::prelude::*;

use crate::errors::{Error, Result};
use crate::weights::WeightsLike;

/// Arithmetic, parameters, temperature, ends and initial state that fibers run with, and where.
#[pyclass(frozen, module = "pyaxonml._native")]
#[derive(Clone)]
pub(crate) struct Settings {
    precision: Precision,
    rates: RateEvaluation,
    weights: Weights,
    parameters: Vec<(String, f64)>,
    celsius: Option<f64>,
    ends: axonml::simulation::Ends,
    start: InitialState,
    device: String,
    /// Threads; 0 stands for one per processor.
    pub(crate) threads: usize,
}

#[pymethods]
impl Settings {
    #[new]
    #[pyo3(signature = (*, precision, rates, weights, parameters, celsius, ends, warmup_ms, device, threads))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        precision: &str,
        rates: &str,
        weights: Option<WeightsLike<'_>>,
        parameters: Vec<(String, f64)>,
        celsius: Option<f64>,
        ends: &str,
        warmup_ms: Option<f64>,
        device: String,
        threads: usize,
    ) -> Result<Self> {
        let precision = precision
            .parse::<axonml::study::PrecisionSpec>()
            .map_err(|problem| Error::value(format!("precision: {problem}")))?;
        Ok(Settings {
            precision: precision.0,
            rates: rates.parse()?,
            weights: match weights {
                Some(weights) => weights.weights()?,
                None => Weights::Default,
            },
            parameters,
            celsius,
            ends: ends.parse()?,
            start: match warmup_ms {
                None => InitialState::Declared,
                Some(warmup_ms) => InitialState::Settled { warmup_ms },
            },
            device,
            threads,
        })
    }
}

impl Settings {
    /// In the library's terms, for a time grid.
    pub(crate) fn on_grid(
        &self,
        (dt_ms, tstop_ms): (f64, f64),
        cancel: CancelToken,
    ) -> Result<axonml::Settings> {
        Ok(axonml::Settings {
            dt_ms,
            tstop_ms,
            precision: self.precision,
            rates: self.rates,
            weights: self.weights.clone(),
            parameters: self.parameters.clone(),
            celsius: self.celsius,
            ends: self.ends,
            start: self.start.clone(),
            cancel,
            ..axonml::Settings::default()
        })
    }

    /// Where to compute. The processor computes in the pool that asks.
    pub(crate) fn device(&self) -> Result<axonml::Device> {
        Ok(axonml::Device::named(&self.device)?)
    }
}
