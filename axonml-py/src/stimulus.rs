//! The stimulus of a simulation: fields and injected currents.

use pyo3::prelude::*;

use crate::arrays::each;
use crate::errors::{Error, Result};
use crate::field::{Field, OfFiber};
use crate::waveform::Waveform;

/// Extracellular sources and injected currents of fibers.
#[pyclass(module = "pyaxonml._native")]
pub(crate) struct Stimulus(pub(crate) axonml::Stimulus);

impl Stimulus {
    /// Replaces what is there by what `change` makes of it.
    fn change(&mut self, change: impl FnOnce(axonml::Stimulus) -> axonml::Stimulus) {
        let held = std::mem::replace(&mut self.0, axonml::Stimulus::none(0));
        self.0 = change(held);
    }
}

#[pymethods]
impl Stimulus {
    #[new]
    fn new(fibers: usize) -> Self {
        Stimulus(axonml::Stimulus::none(fibers))
    }

    /// Adds a field with its waveform, or with one waveform per fiber. A field in space and time has none.
    fn add(&mut self, field: PyRef<'_, Field>, waveforms: Vec<PyRef<'_, Waveform>>) -> Result<()> {
        let fibers = self.0.fibers();
        let fields = field.for_fibers(fibers)?;
        let shapes = fields
            .iter()
            .filter(|field| matches!(field, OfFiber::Shape(_)));
        let waveforms: Vec<_> = waveforms.iter().map(|one| one.0.clone()).collect();
        let waveforms = match (shapes.count(), waveforms.is_empty()) {
            (0, true) => Vec::new(),
            (0, false) if fibers > 0 => {
                return Err(Error::value(
                    "found a waveform, expected none: the field is one in space and time",
                ));
            }
            _ => each(&waveforms, fibers, "the waveform")?,
        };
        self.change(|stimulus| {
            let fields = fields.into_iter().enumerate();
            fields.fold(stimulus, |stimulus, (fiber, field)| match field {
                OfFiber::Shape(shape) => stimulus.source(fiber, shape, waveforms[fiber].clone()),
                OfFiber::SpaceTime(ve_mv) => stimulus.space_time(fiber, ve_mv),
            })
        });
        Ok(())
    }

    /// Injects a current into a node of every fiber, or of one, nA; without `na` the amplitude under study.
    #[pyo3(signature = (node, na, waveform, fiber=None))]
    fn inject(
        &mut self,
        node: i64,
        na: Option<f64>,
        waveform: PyRef<'_, Waveform>,
        fiber: Option<usize>,
    ) -> Result<()> {
        let all = self.0.fibers();
        let fibers = match fiber {
            None => 0..all,
            Some(fiber) if fiber < all => fiber..fiber + 1,
            Some(fiber) => {
                return Err(Error::value(format!(
                    "found fiber {fiber} of an injected current, but there are {all}"
                )));
            }
        };
        self.change(|stimulus| {
            fibers.fold(stimulus, |stimulus, fiber| {
                let waveform = waveform.0.clone();
                match na {
                    Some(na) => stimulus.inject(fiber, node, na, waveform),
                    None => stimulus.inject_scaled(fiber, node, waveform),
                }
            })
        });
        Ok(())
    }
}
