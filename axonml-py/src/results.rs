//! Columns of results as NumPy arrays.

use axonml::simulation::SpikeStart;
use ndarray::{Array2, Array3};
use numpy::{PyArray1, PyArray2, PyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::Result;

/// A dictionary of columns.
pub(crate) struct Columns<'py>(Bound<'py, PyDict>);

impl<'py> Columns<'py> {
    /// Without any.
    pub(crate) fn new(py: Python<'py>) -> Self {
        Columns(PyDict::new(py))
    }

    /// Adds numbers; NaN where there is none.
    pub(crate) fn numbers(
        &self,
        name: &str,
        numbers: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<()> {
        let each = numbers.into_iter().map(|x| x.unwrap_or(f64::NAN));
        let array = PyArray1::from_vec(self.0.py(), each.collect());
        Ok(self.0.set_item(name, array)?)
    }

    /// Adds whole numbers; -1 where there is none.
    pub(crate) fn integers(
        &self,
        name: &str,
        numbers: impl IntoIterator<Item = Option<usize>>,
    ) -> Result<()> {
        let each = numbers.into_iter().map(|x| x.map_or(-1, |x| x as i64));
        let array = PyArray1::from_vec(self.0.py(), each.collect());
        Ok(self.0.set_item(name, array)?)
    }

    /// Adds words.
    pub(crate) fn words<W: AsRef<str>>(
        &self,
        name: &str,
        words: impl IntoIterator<Item = W>,
    ) -> Result<()> {
        let each = words.into_iter().map(|word| word.as_ref().to_owned());
        Ok(self.0.set_item(name, each.collect::<Vec<String>>())?)
    }

    /// Adds where and when action potentials begin.
    pub(crate) fn starts(
        &self,
        starts: impl Iterator<Item = Option<SpikeStart>> + Clone,
    ) -> Result<()> {
        let of = |part: fn(SpikeStart) -> f64| starts.clone().map(move |start| start.map(part));
        let nodes = starts.clone().map(|start| start.map(|start| start.node));
        self.integers("start_node", nodes)?;
        self.numbers("start_um", of(|start| start.z_um))?;
        self.numbers("start_ms", of(|start| start.time_ms))
    }

    /// Adds an array of two axes.
    pub(crate) fn array2<T: numpy::Element>(&self, name: &str, array: Array2<T>) -> Result<()> {
        let array = PyArray2::from_owned_array(self.0.py(), array);
        Ok(self.0.set_item(name, array)?)
    }

    /// Adds an array of three axes.
    pub(crate) fn array3<T: numpy::Element>(&self, name: &str, array: Array3<T>) -> Result<()> {
        let array = PyArray3::from_owned_array(self.0.py(), array);
        Ok(self.0.set_item(name, array)?)
    }

    /// Adds anything else.
    pub(crate) fn put(&self, name: &str, value: impl IntoPyObject<'py>) -> Result<()> {
        Ok(self.0.set_item(name, value)?)
    }

    /// The dictionary.
    pub(crate) fn finish(self) -> Bound<'py, PyDict> {
        self.0
    }
}

/// Rows of different lengths as one array, filled up.
pub(crate) fn filled<T: Copy>(rows: &[Vec<T>], fill: T) -> Array2<T> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut array = Array2::from_elem((rows.len(), width), fill);
    for (mut place, row) in array.rows_mut().into_iter().zip(rows) {
        place.iter_mut().zip(row).for_each(|(place, x)| *place = *x);
    }
    array
}
