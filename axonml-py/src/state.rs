//! States of fibers as arrays: runs begin with them, end with them, and are looked at on their way.

use std::sync::Arc;
use std::sync::mpsc::channel;

use axonml::SimulationError;
use axonml::error::BackendError;
use axonml::simulation::{FiberState, LARGEST_MV};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Numbers;
use crate::batch::Batch;
use crate::errors::{Error, Result};
use crate::results::{Columns, filled};
use crate::work::News;

/// Sizes of the states of a simulation's fibers, and their names.
#[derive(Clone)]
pub(crate) struct Layout {
    names: Vec<String>,
    /// Nodes and internodal modes by fiber.
    sizes: Vec<(usize, usize)>,
    dt_ms: f64,
    steps: usize,
}

/// A state of all fibers, as the package's Python hands it over: NaN where a fiber has no such node, and all of it NaN of
/// fibers that diverged.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct StateSpec<'py> {
    t_ms: f64,
    v: Numbers<'py>,
    modes: Numbers<'py>,
    states: Vec<Numbers<'py>>,
}

impl Layout {
    /// That of a simulation.
    pub(crate) fn of(simulation: &Batch) -> Self {
        let inner = &simulation.inner;
        let sizes = (0..inner.fibers().len()).map(|fiber| {
            let cable = inner.cable(fiber);
            (cable.nodes(), cable.mode_count())
        });
        Layout {
            names: inner.variables().to_vec(),
            sizes: sizes.collect(),
            dt_ms: inner.grid().dt_ms(),
            steps: inner.grid().steps(),
        }
    }

    /// The number of steps until a time, which must be a multiple of the time step within the run.
    pub(crate) fn step(&self, t_ms: f64, what: &str) -> Result<usize> {
        let step = (t_ms / self.dt_ms).round();
        let is_on_grid = (step * self.dt_ms - t_ms).abs() <= 1e-6 * self.dt_ms;
        match is_on_grid && (0.0..=self.steps as f64).contains(&step) {
            true => Ok(step as usize),
            false => Err(Error::value(format!(
                "found {what} at {t_ms} ms, expected a multiple of dt = {} ms from 0 to {} ms",
                self.dt_ms,
                self.dt_ms * self.steps as f64
            ))),
        }
    }

    /// States as a dictionary of arrays: `v`, `modes` and `state NAME`, `[fiber, node or mode]`, with their time.
    pub(crate) fn arrays<'py>(
        &self,
        py: Python<'py>,
        step: usize,
        states: &[Option<FiberState>],
    ) -> Result<Bound<'py, PyDict>> {
        let columns = Columns::new(py);
        columns.put("t_ms", self.dt_ms * step as f64)?;
        let put = |name: &str, values: &dyn Fn(&FiberState) -> &Vec<f64>, is_mode: bool| {
            let each = states.iter().zip(&self.sizes);
            let rows = each.map(|(state, &(nodes, modes))| match state {
                Some(state) => values(state).clone(),
                None => vec![f64::NAN; if is_mode { modes } else { nodes }],
            });
            columns.array2(name, filled(&rows.collect::<Vec<_>>(), f64::NAN))
        };
        put("v", &|state| &state.v_mv, false)?;
        put("modes", &|state| &state.modes, true)?;
        for (index, name) in self.names.iter().enumerate() {
            put(
                &format!("state {name}"),
                &|state| &state.states[index],
                false,
            )?;
        }
        Ok(columns.finish())
    }

    /// The library's states, none of fibers that are left out, and the number of steps before them.
    fn states(
        &self,
        spec: &StateSpec<'_>,
        is_left_out: impl Fn(usize) -> bool,
    ) -> Result<(usize, Vec<Option<FiberState>>)> {
        let step = self.step(spec.t_ms, "a state")?;
        if spec.states.len() != self.names.len() {
            return Err(Error::value(format!(
                "found a state of {} variables, expected those of the model: {}",
                spec.states.len(),
                self.names.join(", ")
            )));
        }
        let v = self.rows(&spec.v, "v", |(nodes, _)| nodes)?;
        let modes = self.rows(&spec.modes, "modes", |(_, modes)| modes)?;
        let named = self.names.iter().zip(&spec.states);
        let named = named.map(|(name, values)| self.rows(values, name, |(nodes, _)| nodes));
        let named = named.collect::<Result<Vec<_>>>()?;
        let each = v.into_iter().zip(modes).enumerate();
        let each = each.map(|(fiber, (v_mv, modes))| {
            let state = FiberState {
                v_mv,
                states: named.iter().map(|rows| rows[fiber].clone()).collect(),
                modes,
            };
            match is_left_out(fiber) {
                true => Ok(None),
                false => self.checked(fiber, state).map(Some),
            }
        });
        Ok((step, each.collect::<Result<_>>()?))
    }

    /// Rows of an array as long as the fibers have values.
    fn rows(
        &self,
        values: &Numbers<'_>,
        what: &str,
        size: impl Fn((usize, usize)) -> usize,
    ) -> Result<Vec<Vec<f64>>> {
        let widest = self.sizes.iter().fold(0, |most, of| most.max(size(*of)));
        let expected = [self.sizes.len(), widest];
        if values.shape() != expected {
            return Err(Error::value(format!(
                "found `{what}` of shape {:?} in a state, expected {expected:?}",
                values.shape()
            )));
        }
        let mut rows = values.parts(1, what)?;
        for (row, of) in rows.iter_mut().zip(&self.sizes) {
            row.truncate(size(*of));
        }
        Ok(rows)
    }

    /// The state of a fiber, unless it has numbers of no membrane.
    fn checked(&self, fiber: usize, state: FiberState) -> Result<FiberState> {
        let named = self.names.iter().map(String::as_str).zip(&state.states);
        let cable = [("v", &state.v_mv), ("modes", &state.modes)];
        let all: Vec<(&str, &Vec<f64>)> = cable.into_iter().chain(named).collect();
        if all
            .iter()
            .all(|(_, values)| values.iter().all(|x| x.is_nan()))
        {
            return Err(Error::value(format!(
                "found no state of fiber {fiber}, which diverged, expected one of every fiber"
            )));
        }
        for (name, values) in all {
            let most = if name == "v" { LARGEST_MV } else { f64::MAX };
            if let Some(at) = values.iter().position(|x| x.is_nan() || x.abs() > most) {
                let expected = match name {
                    "v" => format!("a number from -{LARGEST_MV} to {LARGEST_MV} mV"),
                    _ => "a finite number".to_owned(),
                };
                return Err(Error::value(format!(
                    "found `{name}` = {} at place {at} of fiber {fiber} in a state, expected {expected}",
                    values[at]
                )));
            }
        }
        Ok(state)
    }

    /// The states that a run begins with.
    pub(crate) fn begin(&self, spec: &StateSpec<'_>) -> Result<(usize, Vec<FiberState>)> {
        let (step, states) = self.states(spec, |_| false)?;
        let each = states.into_iter().enumerate().map(|(fiber, state)| {
            state.ok_or_else(|| Error::value(format!("found no state of fiber {fiber}")))
        });
        Ok((step, each.collect::<Result<_>>()?))
    }

    /// Shows states to a function on the calling thread, and takes over what it returns; whether it returned some.
    pub(crate) fn show(
        &self,
        to: &Arc<Py<PyAny>>,
        step: usize,
        states: &mut [Option<FiberState>],
        news: &mut dyn FnMut(News),
    ) -> std::result::Result<bool, SimulationError> {
        let (told, answer) = channel();
        let (layout, to, shown) = (self.clone(), Arc::clone(to), states.to_vec());
        news(News::Question(Box::new(move |py| {
            let given = to.call1(py, (layout.arrays(py, step, &shown)?,))?;
            let given = given.into_bound(py);
            let new = match given.is_none() {
                true => None,
                false => Some(layout.replaced(&given.extract()?, step, &shown)?),
            };
            // Nobody hears the answer to canceled work.
            let _ = told.send(new);
            Ok(())
        })));
        match answer.recv() {
            Ok(None) => Ok(false),
            Ok(Some(new)) => {
                states.clone_from_slice(&new);
                Ok(true)
            }
            // The function raised, or nobody asks it any more.
            Err(_) => Err(BackendError::Canceled.into()),
        }
    }

    /// States in place of those that were shown: of the same time. Fibers that have diverged stay as they are.
    fn replaced(
        &self,
        spec: &StateSpec<'_>,
        step: usize,
        shown: &[Option<FiberState>],
    ) -> Result<Vec<Option<FiberState>>> {
        let (at, states) = self.states(spec, |fiber| shown[fiber].is_none())?;
        match at == step {
            true => Ok(states),
            false => Err(Error::value(format!(
                "found a state at {} ms in answer to that at {} ms, expected one of the same time",
                spec.t_ms,
                self.dt_ms * step as f64
            ))),
        }
    }
}
