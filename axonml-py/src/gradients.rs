//! Derivatives of thresholds and of recordings.

use axonml::simulation::{
    Evaluation, FiberOutcome, GradientRequest, RecordedCotangent, SourceCotangent,
};
use axonml::{Observation, SimulationError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Numbers;
use crate::batch::Batch;
use crate::errors::{Error, Result};
use crate::results::{Columns, filled};
use crate::runs::RunSpec;
use crate::specs::SearchSpec;

/// The inputs that are differentiated by.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct GradientSpec {
    potentials: bool,
    waveforms: bool,
    parameters: bool,
}

impl GradientSpec {
    fn request(&self, gains: bool) -> GradientRequest {
        GradientRequest {
            parameters: self.parameters,
            cables: self.parameters,
            gains,
            waveforms: self.waveforms,
            fields: self.potentials,
        }
    }
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
    let request = by.request(true);
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
    let gradients: Vec<Option<Derivatives<'_>>> = found
        .iter()
        .map(|one| {
            let one = one.as_ref()?.as_ref().ok()?;
            Some(Derivatives {
                parameters: &one.parameters,
                celsius: one.celsius,
                sources: &one.sources,
            })
        })
        .collect();
    put(&columns, &gradients, by)?;
    let gains = |one: &Derivatives<'_>| one.sources.iter().map(|of| of.gain).collect();
    columns.array2("gains", rows(&gradients, &gains))?;
    Ok(columns.finish())
}

/// Derivatives of the sum of everything that a run records, times weights `[fiber, time, node]` (of `v` first, then of the
/// states in their order), as [`threshold_gradients`] has them; by the amplitude in place of gains. Runs that diverge are
/// an error.
pub(crate) fn run_gradients<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    spec: RunSpec,
    weights: &[Numbers<'_>],
    by: &GradientSpec,
) -> Result<Bound<'py, PyDict>> {
    let weights = weights
        .iter()
        .map(Weights::new)
        .collect::<Result<Vec<_>>>()?;
    if weights.len() != 1 + spec.states.len() {
        return Err(Error::value(format!(
            "found weights of {} arrays, expected {}: of v and of every state",
            weights.len(),
            1 + spec.states.len()
        )));
    }
    let steps = simulation.inner.grid().steps();
    let recorder = spec.recorder(simulation, steps)?;
    let expected = spec.shape(simulation, steps);
    if let Some(other) = weights.iter().find(|of| of.shape != expected) {
        return Err(Error::value(format!(
            "found weights of shape {:?}, expected that of the recording, {expected:?}: [fiber, time, node]",
            other.shape
        )));
    }
    let request = by.request(false);
    let found = simulation.ask(py, None, |of, _| {
        let weigh = |fiber: usize, outcome: &FiberOutcome| weighed(&weights, fiber, outcome);
        of.differentiate(stimulus, spec.amplitudes_ma, &[recorder], &weigh, request)
    })?;
    for (fiber, one) in found.iter().enumerate() {
        if let Some(error) = simulation.inner.divergence(fiber, one.outcome.status) {
            return Err(error.into());
        }
    }
    let columns = Columns::new(py);
    let gradients: Vec<Option<Derivatives<'_>>> = found
        .iter()
        .map(|one| {
            let one = one.gradient.as_ref()?;
            Some(Derivatives {
                parameters: &one.parameters,
                celsius: one.celsius,
                sources: &one.sources,
            })
        })
        .collect();
    put(&columns, &gradients, by)?;
    let amplitudes = found
        .iter()
        .map(|one| Some(one.gradient.as_ref()?.amplitude));
    columns.numbers("amplitude", amplitudes)?;
    Ok(columns.finish())
}

/// Weights of one recorded quantity, `[fiber, time, node]`.
struct Weights {
    values: Vec<f64>,
    shape: [usize; 3],
}

impl Weights {
    fn new(of: &Numbers<'_>) -> Result<Self> {
        match *of.shape() {
            [fibers, times, nodes] => Ok(Weights {
                values: of.to_vec(),
                shape: [fibers, times, nodes],
            }),
            _ => Err(Error::value(format!(
                "found weights of shape {:?}, expected [fiber, time, node]",
                of.shape()
            ))),
        }
    }

    /// Those of a fiber, whose recording may have fewer rows (it diverged) and fewer nodes than the longest.
    fn of(&self, fiber: usize, rows: usize, nodes: usize) -> Vec<f64> {
        let [_, times, width] = self.shape;
        let row = |row: usize| &self.values[(fiber * times + row) * width..][..nodes];
        (0..rows).flat_map(|at| row(at).iter().copied()).collect()
    }
}

/// The sum of what a fiber's recorder holds, times weights: one array for each recorded quantity.
fn weighed(weights: &[Weights], fiber: usize, outcome: &FiberOutcome) -> Evaluation {
    let Some(Observation::Recorded(recorded)) = outcome.observations.first() else {
        return Evaluation::default();
    };
    let quantities = std::iter::once(&recorded.v_mv).chain(&recorded.states);
    let (rows, nodes) = (recorded.t_ms.len(), recorded.nodes.len());
    let mut loss = 0.0;
    let each = quantities.zip(weights).map(|(x, of)| {
        let own = of.of(fiber, rows, nodes);
        loss += x.iter().zip(&own).map(|(x, w)| x * w).sum::<f64>();
        own
    });
    let mut own: Vec<Vec<f64>> = each.collect();
    let v_mv = own.remove(0);
    Evaluation {
        loss,
        recorded: vec![Some(RecordedCotangent { v_mv, states: own })],
        state: None,
    }
}

/// Derivatives of one fiber.
struct Derivatives<'a> {
    parameters: &'a [f64],
    celsius: f64,
    sources: &'a [SourceCotangent],
}

/// Puts what was asked for into columns.
fn put(
    columns: &Columns<'_>,
    gradients: &[Option<Derivatives<'_>>],
    by: &GradientSpec,
) -> Result<()> {
    let put = |name: &str, of: &dyn Fn(&Derivatives<'_>) -> Vec<f64>| {
        columns.array2(name, rows(gradients, of))
    };
    if by.parameters {
        put("parameters", &|one| one.parameters.to_vec())?;
        put("celsius", &|one| vec![one.celsius])?;
    }
    let sources = gradients.iter().flatten().map(|one| one.sources.len());
    for source in 0..sources.max().unwrap_or(0) {
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
    Ok(())
}

/// One row per fiber, NaN of those without a gradient.
fn rows(
    gradients: &[Option<Derivatives<'_>>],
    of: &dyn Fn(&Derivatives<'_>) -> Vec<f64>,
) -> ndarray::Array2<f64> {
    let each: Vec<Option<Vec<f64>>> = gradients.iter().map(|one| one.as_ref().map(of)).collect();
    let width = each.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let rows: Vec<Vec<f64>> = each
        .into_iter()
        .map(|row| row.unwrap_or_else(|| vec![f64::NAN; width]))
        .collect();
    filled(&rows, 0.0)
}
