//! One fiber under one stimulus.

use std::sync::Arc;

use axonml::simulation::Detection;
use axonml::{Fiber, FiberModel};
use axonml::{Field, Waveform};

use crate::args::Injection;

/// A field with its waveform, or a field in space and time.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// mV per unit amplitude, times a waveform.
    Field(Arc<dyn Field>, Arc<Waveform>),
    /// mV per unit amplitude, `[step, sample]` flattened.
    SpaceTime {
        /// The potentials.
        ve_mv: Arc<Vec<f64>>,
        /// Steps and samples.
        shape: (usize, usize),
    },
}

/// Currents injected into a fiber.
pub(crate) type Injections = Arc<Vec<(Injection, Arc<Waveform>)>>;

/// One fiber under one stimulus.
#[derive(Clone)]
pub(crate) struct Job {
    /// The model.
    pub(crate) model: &'static dyn FiberModel,
    /// The fiber.
    pub(crate) fiber: Fiber,
    /// Stated length of the fiber, um, to be checked.
    pub(crate) length_um: Option<f64>,
    /// Temperature, degrees Celsius, if not that of the weights or the model.
    pub(crate) celsius: Option<f64>,
    /// Time step, ms.
    pub(crate) dt_ms: f64,
    /// Duration, ms.
    pub(crate) tstop_ms: f64,
    /// The events that count.
    pub(crate) detection: Detection,
    /// The stimulus from outside.
    pub(crate) source: Option<Source>,
    /// Distance of the nearest point electrode from the fiber's axis, um, where there are point electrodes.
    pub(crate) source_distance_um: Option<f64>,
    /// The stimulus from inside.
    pub(crate) injections: Injections,
}
