//! Extracellular fields: one for all fibers, or one per fiber.

use std::sync::Arc;

use axonml::field::{Extension, Interpolation, SampledLine, SampledPotentials};
use axonml::{Medium, PointSource};
use pyo3::prelude::*;

use crate::arrays::{Numbers, each};
use crate::errors::{Error, Result};

/// A field in the form that a stimulus takes.
#[derive(Clone)]
pub(crate) enum OfFiber {
    /// A shape in space, times a waveform.
    Shape(Arc<dyn axonml::Field>),
    /// Potentials in space and time.
    SpaceTime(Arc<Vec<f64>>),
}

/// The field of one fiber, or one per fiber, mV per unit amplitude.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct Field(pub(crate) Vec<OfFiber>);

impl Field {
    /// Of shapes, one each.
    pub(crate) fn of_shapes(shapes: impl IntoIterator<Item = Arc<dyn axonml::Field>>) -> Self {
        Field(shapes.into_iter().map(OfFiber::Shape).collect())
    }

    /// One per fiber.
    pub(crate) fn for_fibers(&self, fibers: usize) -> Result<Vec<OfFiber>> {
        each(&self.0, fibers, "the field")
    }
}

/// Potentials as one array, or as arrays of different lengths, one per fiber.
#[derive(FromPyObject)]
pub(crate) enum Rows<'py> {
    #[pyo3(transparent)]
    Array(Numbers<'py>),
    #[pyo3(transparent)]
    Each(Vec<Numbers<'py>>),
}

impl Rows<'_> {
    /// The rows of `rank` axes each.
    fn parts(&self, rank: usize, what: &str) -> Result<Vec<Vec<f64>>> {
        match self {
            Rows::Array(array) => array.parts(rank, what),
            Rows::Each(arrays) => Ok(arrays.iter().map(Numbers::to_vec).collect()),
        }
    }
}

#[pymethods]
impl Field {
    /// Point electrodes: one, or one per fiber; the coordinates are those that each fiber sees, um.
    #[staticmethod]
    fn point_source(
        x_um: Numbers<'_>,
        y_um: Numbers<'_>,
        z_um: Numbers<'_>,
        transverse_ohm_cm: f64,
        longitudinal_ohm_cm: f64,
    ) -> Result<Self> {
        let [x, y, z] = [x_um.to_vec(), y_um.to_vec(), z_um.to_vec()];
        let fibers = x.len().max(y.len()).max(z.len());
        let medium = match transverse_ohm_cm == longitudinal_ohm_cm {
            true => Medium::isotropic(transverse_ohm_cm),
            false => Medium::anisotropic(transverse_ohm_cm, longitudinal_ohm_cm),
        };
        let x = each(&x, fibers, "x of the electrode")?;
        let y = each(&y, fibers, "y of the electrode")?;
        let z = each(&z, fibers, "z of the electrode")?;
        let sources = x.into_iter().zip(y).zip(z).map(|((x_um, y_um), z_um)| {
            let source = PointSource {
                x_um,
                y_um,
                z_um,
                medium,
            };
            Arc::new(source) as Arc<dyn axonml::Field>
        });
        Ok(Field::of_shapes(sources))
    }

    /// Potentials at samples along lines: `[sample]` for all fibers or `[fiber, sample]`, mV per mA. Fibers' middles lie
    /// at the middle of the line plus `offset_um`.
    #[staticmethod]
    fn sampled(
        z_um: Numbers<'_>,
        ve_mv: Rows<'_>,
        interpolation: &str,
        offset_um: Numbers<'_>,
        extension: &str,
    ) -> Result<Self> {
        let interpolation: Interpolation = interpolation.parse()?;
        let extension: Extension = extension.parse()?;
        let lines = ve_mv.parts(1, "potentials along a line")?;
        let offsets = offset_um.to_vec();
        let fibers = lines.len().max(offsets.len());
        let lines = each(&lines, fibers, "potentials along a line")?;
        let offsets = each(&offsets, fibers, "offset_um")?;
        let knots = z_um.to_vec();
        let line = |(ve, offset): (Vec<f64>, f64)| {
            let line = SampledLine::new(knots.clone(), ve, interpolation, offset, extension)?;
            Ok(Arc::new(line) as Arc<dyn axonml::Field>)
        };
        let made: Result<Vec<_>> = lines.into_iter().zip(offsets).map(line).collect();
        Ok(Field::of_shapes(made?))
    }

    /// Potentials at the fibers' own sample points: `[sample]` for all fibers, or one row per fiber, mV per mA.
    #[staticmethod]
    fn potentials(ve_mv: Rows<'_>) -> Result<Self> {
        let rows = ve_mv.parts(1, "potentials at sample points")?.into_iter();
        let made = rows.map(|row| {
            let row = SampledPotentials::new(row)?;
            Ok(Arc::new(row) as Arc<dyn axonml::Field>)
        });
        let made: Result<Vec<_>> = made.collect();
        Ok(Field::of_shapes(made?))
    }

    /// Potentials at the fibers' sample points for every step: `[step, sample]` for all, or one such array per fiber.
    #[staticmethod]
    fn space_time(ve_mv: Rows<'_>) -> Result<Self> {
        let parts = ve_mv.parts(2, "potentials in space and time")?.into_iter();
        Ok(Field(
            parts
                .map(|part| OfFiber::SpaceTime(Arc::new(part)))
                .collect(),
        ))
    }

    /// The fields of several of these, one for each fiber, one after the other.
    #[staticmethod]
    fn joined(fields: Vec<PyRef<'_, Field>>) -> Self {
        let each = fields.iter().flat_map(|field| field.0.iter().cloned());
        Field(each.collect())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Potentials of the field of one fiber at places along it, mV per mA.
    fn at(&self, fiber: usize, z_um: Numbers<'_>) -> Result<Vec<f64>> {
        match self.0.get(fiber) {
            Some(OfFiber::Shape(shape)) => Ok(shape.potentials_mv(&z_um.to_vec())?),
            Some(OfFiber::SpaceTime(_)) => Err(Error::value(
                "potentials in space and time are known at sample points only",
            )),
            None => Err(Error::value(format!("found no field of fiber {fiber}"))),
        }
    }
}
