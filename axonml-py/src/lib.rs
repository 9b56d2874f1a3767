//! The native module `pyaxonml._native`: what the Python package asks of the library.
//!
//! One file per class. Nothing is computed here: numbers are taken out of arrays, handed to the crate `axonml`, and put
//! into arrays again. The package's own Python (`python/pyaxonml`) is what users see; it names defaults and units.

mod arrays;
mod batch;
mod description;
mod errors;
mod extents;
mod field;
mod gradients;
mod nerve;
mod optimize;
mod results;
mod runs;
mod searches;
mod settings;
mod simulation;
mod specs;
mod state;
mod stimulus;
mod study;
mod training;
mod waveform;
mod weights;
mod work;

use pyo3::prelude::*;

/// The native module.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::description::FiberDescription;
    #[pymodule_export]
    use crate::extents::{extents, models, spacings};
    #[pymodule_export]
    use crate::field::Field;
    #[pymodule_export]
    use crate::nerve::Nerve;
    #[pymodule_export]
    use crate::optimize::optimize;
    #[pymodule_export]
    use crate::searches::{recruitment, statuses};
    #[pymodule_export]
    use crate::settings::Settings;
    #[pymodule_export]
    use crate::simulation::Simulation;
    #[pymodule_export]
    use crate::stimulus::Stimulus;
    #[pymodule_export]
    use crate::study::{Study, StudyResults, merge};
    #[pymodule_export]
    use crate::training::{Dataset, generate, recipe, train};
    #[pymodule_export]
    use crate::waveform::Waveform;
    #[pymodule_export]
    use crate::weights::Weights;
    #[pymodule_export]
    use crate::work::{after_fork, devices};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
