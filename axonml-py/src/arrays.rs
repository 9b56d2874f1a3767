//! Numbers out of NumPy arrays, of either precision and any layout.

use ndarray::{ArrayViewD, Axis};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Error, Result};

/// An array of numbers, read where it lies.
pub(crate) enum Numbers<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Numbers<'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = given.cast::<PyArrayDyn<f64>>() {
            return Ok(Numbers::F64(array.try_readonly()?));
        }
        if let Ok(array) = given.cast::<PyArrayDyn<f32>>() {
            return Ok(Numbers::F32(array.try_readonly()?));
        }
        // Lists, other types of numbers, and whatever NumPy understands (`__array__`).
        let numpy = given.py().import("numpy")?;
        if numpy
            .getattr("iscomplexobj")?
            .call1((given,))?
            .is_truthy()?
        {
            return Err(Error::value("found complex numbers, expected real ones").into());
        }
        let kwargs = PyDict::new(given.py());
        kwargs.set_item("dtype", "float64")?;
        let made = numpy.getattr("asarray")?.call((given,), Some(&kwargs))?;
        Ok(Numbers::F64(
            made.cast::<PyArrayDyn<f64>>()?.try_readonly()?,
        ))
    }
}

impl Numbers<'_> {
    /// Its shape.
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Numbers::F32(array) => array.shape(),
            Numbers::F64(array) => array.shape(),
        }
    }

    /// All of its numbers in C order.
    pub(crate) fn to_vec(&self) -> Vec<f64> {
        match self {
            Numbers::F32(array) => array.as_array().iter().map(|x| f64::from(*x)).collect(),
            Numbers::F64(array) => array.as_array().iter().copied().collect(),
        }
    }

    /// The parts along its first axis, each in C order; an array of `rank` axes less is the only part.
    pub(crate) fn parts(&self, rank: usize, what: &str) -> Result<Vec<Vec<f64>>> {
        match self.shape().len() {
            axes if axes == rank => Ok(vec![self.to_vec()]),
            axes if axes == rank + 1 => Ok(match self {
                Numbers::F32(array) => rows(array.as_array(), |x| f64::from(*x)),
                Numbers::F64(array) => rows(array.as_array(), |x| *x),
            }),
            axes => Err(Error::value(format!(
                "found an array of {axes} axes for {what}, expected {rank}, or {} with one part per fiber",
                rank + 1
            ))),
        }
    }
}

fn rows<T>(array: ArrayViewD<'_, T>, number: impl Fn(&T) -> f64 + Copy) -> Vec<Vec<f64>> {
    let each = array.axis_iter(Axis(0));
    each.map(|row| row.iter().map(number).collect()).collect()
}

/// One value for all of `fibers` fibers, or one each.
pub(crate) fn each<T: Clone>(values: &[T], fibers: usize, what: &str) -> Result<Vec<T>> {
    match values {
        [one] => Ok(vec![one.clone(); fibers]),
        many if many.len() == fibers => Ok(many.to_vec()),
        many => Err(Error::value(format!(
            "found {} values for {what}, expected one, or one for each of {fibers} fibers",
            many.len()
        ))),
    }
}
