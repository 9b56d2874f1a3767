//! Searches for activation and block thresholds.

use axonml::simulation::{
    BLOCK_STATUSES, BlockSearch, Bracket, STATUSES, Status, TRANSMISSION_STATES, TestPulses,
    VELOCITY_STATUSES,
};
use axonml::study::Found;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Numbers;
use crate::batch::Batch;
use crate::errors::Result;
use crate::results::Columns;
use crate::specs::{SearchSpec, TestSpec, detection};

/// Activation thresholds, amplitudes in mA.
pub(crate) fn thresholds<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    spec: &SearchSpec,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyDict>> {
    let search = spec.search();
    let found = simulation.ask(py, progress, |of, progress| {
        let found = match &spec.guesses_ma {
            None => of.thresholds(stimulus, &search, progress)?,
            Some(guesses) => of.thresholds_near(stimulus, &search, guesses, progress)?,
        };
        let each = found.iter().enumerate();
        let told = each.map(|(fiber, one)| Found::of(one, of, stimulus, fiber));
        let told: Vec<Found> = told.collect();
        Ok(found.into_iter().zip(told).collect::<Vec<_>>())
    })?;
    let columns = Columns::new(py);
    columns.numbers("threshold_mA", found.iter().map(|(one, _)| one.upper_ma()))?;
    columns.numbers("lower_mA", found.iter().map(|(one, _)| one.lower_ma()))?;
    columns.words("status", found.iter().map(|(one, _)| one.status()))?;
    columns.words("message", found.iter().map(|(_, told)| &told.message))?;
    columns.starts(found.iter().map(|(one, _)| one.start()))?;
    Ok(columns.finish())
}

/// Detection and search of block thresholds.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct BlockSpec {
    nodes: Option<Vec<i64>>,
    at: Option<Vec<f64>>,
    threshold_mv: f64,
    /// The first test pulse where it is not given.
    after_ms: Option<f64>,
    first_ma: Option<f64>,
    max_ma: Option<f64>,
    resolution: Option<f64>,
}

/// Block thresholds, amplitudes in mA.
pub(crate) fn block_thresholds<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    spec: BlockSpec,
    test: TestSpec,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyDict>> {
    let default = BlockSearch::new(TestPulses::from(test));
    let after_ms = spec.after_ms.unwrap_or(default.detection.after_ms);
    let search = BlockSearch {
        detection: detection(spec.nodes, spec.at, spec.threshold_mv, after_ms),
        first_ma: spec.first_ma.unwrap_or(default.first_ma),
        max_ma: spec.max_ma.unwrap_or(default.max_ma),
        resolution: spec.resolution.unwrap_or(default.resolution),
        pulses: default.pulses,
    };
    let found = simulation.ask(py, progress, |of, progress| {
        of.block_thresholds(stimulus, &search, progress)
    })?;
    let columns = Columns::new(py);
    type Part = fn(&axonml::simulation::BlockThreshold) -> Option<Bracket>;
    let parts: [(&str, Part); 3] = [
        ("excitation", |one| one.excitation),
        ("block", |one| one.block),
        ("reexcitation", |one| one.reexcitation),
    ];
    for (name, part) in parts {
        let lower = found.iter().map(|one| part(one).map(|at| at.lower_ma));
        columns.numbers(&format!("{name}_lower_mA"), lower)?;
        let upper = found.iter().map(|one| part(one).map(|at| at.upper_ma));
        columns.numbers(&format!("{name}_mA"), upper)?;
    }
    columns.words("status", found.iter().map(|one| one.status.name()))?;
    Ok(columns.finish())
}

/// The recruitment curve of thresholds (NaN of fibers that never fire): amplitudes (mA) and fractions.
#[pyfunction]
#[pyo3(signature = (threshold_ma, weights=None))]
pub(crate) fn recruitment<'py>(
    py: Python<'py>,
    threshold_ma: Numbers<'_>,
    weights: Option<Numbers<'_>>,
) -> Result<Bound<'py, PyDict>> {
    let thresholds = threshold_ma.to_vec().into_iter();
    let thresholds: Vec<_> = thresholds.map(|ma| (!ma.is_nan()).then_some(ma)).collect();
    let weights = weights.map(|weights| weights.to_vec());
    let steps = axonml::simulation::recruitment(&thresholds, weights.as_deref())?;
    let columns = Columns::new(py);
    columns.numbers(
        "amplitude_mA",
        steps.iter().map(|step| Some(step.amplitude_ma)),
    )?;
    columns.numbers("fraction", steps.iter().map(|step| Some(step.fraction)))?;
    Ok(columns.finish())
}

/// Statuses and their meanings, by what they are statuses of.
#[pyfunction]
pub(crate) fn statuses<'py>(py: Python<'py>) -> Result<Bound<'py, PyDict>> {
    let all: [(&str, &[Status]); 4] = [
        ("threshold", STATUSES),
        ("block", BLOCK_STATUSES),
        ("response", TRANSMISSION_STATES),
        ("velocity", VELOCITY_STATUSES),
    ];
    let columns = Columns::new(py);
    for (of, statuses) in all {
        let meanings = PyDict::new(py);
        for status in statuses {
            meanings.set_item(status.name, status.meaning)?;
        }
        columns.put(of, meanings)?;
    }
    Ok(columns.finish())
}
