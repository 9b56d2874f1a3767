//! Nerves in cuffs, from folders.

use std::path::PathBuf;
use std::sync::Arc;

use axonml::field::{Extension, Interpolation};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::arrays::{Numbers, each};
use crate::errors::Result;
use crate::field::Field;

/// A nerve: potentials of every contact along every fiber.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct Nerve(axonml::Nerve);

#[pymethods]
impl Nerve {
    /// Reads a nerve folder.
    #[staticmethod]
    fn load(path: PathBuf) -> Result<Self> {
        Ok(Nerve(axonml::read_nerve(&path)?))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Number of fibers.
    #[getter]
    fn fibers(&self) -> usize {
        self.0.fibers()
    }

    /// Number of contacts.
    #[getter]
    fn contacts(&self) -> usize {
        self.0.contacts()
    }

    /// Places of the samples along the fibers, um.
    #[getter]
    fn z_um<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.fiber_z_um())
    }

    /// Places of the fibers across the nerve, um, `[fiber, 2]`, where they are known.
    #[getter]
    fn xy_um<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f64>>> {
        let places = self.0.fibers_xy_um();
        places.map(|places| PyArray2::from_array(py, places))
    }

    /// Which fibers are targets, where it is known.
    #[getter]
    fn target<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<bool>>> {
        let target = self.0.target();
        target.map(|target| PyArray1::from_slice(py, target))
    }

    /// How many of the nerve's fibers each fiber stands for.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, self.0.weights())
    }

    /// Potentials of a contact, `[fiber, sample]`, mV per mA.
    fn potentials_mv<'py>(
        &self,
        py: Python<'py>,
        contact: usize,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        if contact >= self.0.contacts() {
            return Err(crate::errors::Error::value(format!(
                "found contact {contact}, expected 0 to {}",
                self.0.contacts().saturating_sub(1)
            )));
        }
        Ok(PyArray2::from_array(py, self.0.potentials_mv(contact)))
    }

    /// The field of all fibers, or of some, when each contact delivers its factor.
    fn field(
        &self,
        contacts: Numbers<'_>,
        fibers: Option<Vec<usize>>,
        interpolation: &str,
        offset_um: Numbers<'_>,
        extension: &str,
    ) -> Result<Field> {
        let interpolation: Interpolation = interpolation.parse()?;
        let extension: Extension = extension.parse()?;
        let fibers = fibers.unwrap_or_else(|| (0..self.0.fibers()).collect());
        let offsets = each(&offset_um.to_vec(), fibers.len(), "offset_um")?;
        let factors = contacts.to_vec();
        let line = |(fiber, offset): (usize, f64)| {
            let line = self
                .0
                .field(fiber, &factors, interpolation, offset, extension)?;
            Ok(Arc::new(line) as Arc<dyn axonml::Field>)
        };
        let made: Result<Vec<_>> = fibers.into_iter().zip(offsets).map(line).collect();
        Ok(Field::of_shapes(made?))
    }
}
