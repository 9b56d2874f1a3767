//! Derivatives of thresholds.

use axonml::SimulationError;
use axonml::simulation::{GradientRequest, ThresholdGradient};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::errors::Result;
use crate::results::{Columns, filled};
use crate::specs::SearchSpec;

/// The inputs that thresholds are differentiated by.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct GradientSpec {
    potentials: bool,
    waveforms: bool,
    parameters: bool,
}

/// Derivatives of the logarithm of thresholds (mA, NaN of fibers that are left out): `potentials` and `waveforms` as one
/// array `[fiber, sample or step]` per source, 0 where a fiber has no such sample; `gains` `[fiber, source]`;
/// `parameters` `[fiber, parameter]`. Rows of fibers without a derivative are NaN, and `message` says why.
pub(crate) fn threshold_gradients<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    search: &SearchSpec,
    threshold_ma: &[f64],
    by: &GradientSpec,
) -> Result<Bound<'py, PyDict>> {
    let search = search.search();
    let known: Vec<Option<f64>> = threshold_ma
        .iter()
        .map(|ma| (!ma.is_nan()).then_some(*ma))
        .collect();
    let request = GradientRequest {
        parameters: by.parameters,
        cables: by.parameters,
        gains: true,
        waveforms: by.waveforms,
        fields: by.potentials,
    };
    let found = simulation.ask(py, None, |of, _| {
        of.threshold_gradients_each(stimulus, &search, &known, request)
    })?;
    let message = found.iter().map(|one| match one {
        None => "no threshold".to_owned(),
        Some(Ok(_)) => String::new(),
        Some(Err(error)) => SimulationError::to_string(error),
    });
    let columns = Columns::new(py);
    columns.words("message", message)?;
    let gradients: Vec<Option<&ThresholdGradient>> = found
        .iter()
        .map(|one| one.as_ref().and_then(|one| one.as_ref().ok()))
        .collect();
    let put = |name: &str, of: &dyn Fn(&ThresholdGradient) -> Vec<f64>| {
        columns.array2(name, rows(&gradients, of))
    };
    put("gains", &|one| {
        one.sources.iter().map(|of| of.gain).collect()
    })?;
    if by.parameters {
        put("parameters", &|one| one.parameters.clone())?;
        put("celsius", &|one| vec![one.celsius])?;
    }
    let sources = gradients
        .iter()
        .flatten()
        .map(|one| one.sources.len())
        .max();
    for source in 0..sources.unwrap_or(0) {
        if by.potentials {
            put(&format!("potentials {source}"), &|one| {
                one.sources[source].potentials.clone()
            })?;
        }
        if by.waveforms {
            put(&format!("waveforms {source}"), &|one| {
                one.sources[source].waveform.clone()
            })?;
        }
    }
    Ok(columns.finish())
}

/// One row per fiber, NaN of those without a gradient.
fn rows(
    gradients: &[Option<&ThresholdGradient>],
    of: &dyn Fn(&ThresholdGradient) -> Vec<f64>,
) -> ndarray::Array2<f64> {
    let each: Vec<Option<Vec<f64>>> = gradients.iter().map(|one| one.map(of)).collect();
    let width = each.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let rows: Vec<Vec<f64>> = each
        .into_iter()
        .map(|row| row.unwrap_or_else(|| vec![f64::NAN; width]))
        .collect();
    filled(&rows, 0.0)
}
