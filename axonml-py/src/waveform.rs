//! Waveforms.

use std::sync::Arc;

use axonml::TimeGrid;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::arrays::Numbers;
use crate::errors::Result;

/// A waveform of unit amplitude.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct Waveform(pub(crate) Arc<axonml::Waveform>);

fn made(waveform: axonml::Waveform) -> Waveform {
    Waveform(Arc::new(waveform))
}

#[pymethods]
impl Waveform {
    /// A waveform by its text: `biphasic:pw=0.2,gap=0.1`.
    #[staticmethod]
    fn parse(text: &str) -> Result<Self> {
        Ok(made(text.parse()?))
    }

    /// One value per step of `dt_ms`.
    #[staticmethod]
    fn samples(dt_ms: f64, values: Numbers<'_>) -> Result<Self> {
        Ok(made(axonml::Waveform::from_samples(
            dt_ms,
            values.to_vec(),
        )?))
    }

    /// Values that hold from their times on.
    #[staticmethod]
    fn table(times_ms: Numbers<'_>, values: Numbers<'_>) -> Result<Self> {
        let (times, values) = (times_ms.to_vec(), values.to_vec());
        Ok(made(axonml::Waveform::from_table(times, values)?))
    }

    /// A shape by the name that condition tables have.
    #[staticmethod]
    fn shape(name: &str, pw_ms: f64, delay_ms: f64) -> Result<Self> {
        Ok(made(axonml::Waveform::from_shape(name, pw_ms, delay_ms)?))
    }

    /// The same, `ms` later.
    fn delayed(&self, ms: f64) -> Self {
        made((*self.0).clone().delayed(ms))
    }

    /// The same, `factor` times as strong.
    fn scaled(&self, factor: f64) -> Self {
        made((*self.0).clone().scaled(factor))
    }

    /// When it ends, ms; None if it never does.
    fn end_ms(&self) -> Option<f64> {
        self.0.end_ms()
    }

    /// One value per step.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<Bound<'py, PyArray1<f64>>> {
        let sampled = self.0.sample(&TimeGrid::new(dt_ms, tstop_ms)?)?;
        Ok(PyArray1::from_vec(py, sampled))
    }

    /// Reasons to doubt it on a grid: sines and phases of few steps.
    fn doubts(&self, dt_ms: f64, tstop_ms: f64) -> Result<Vec<String>> {
        let grid = TimeGrid::new(dt_ms, tstop_ms)?;
        let sine = self.0.coarse_sine(&grid).map(|sine| sine.to_string());
        let phase = self.0.short_phase(&grid).map(|phase| phase.to_string());
        Ok(sine.into_iter().chain(phase).collect())
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}
