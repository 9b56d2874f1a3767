//! A case: one fiber under one stimulus, ready to be simulated.

use std::sync::Arc;

use axonml_core::{Field, TimeGrid, Waveform};
use axonml_models::{Detection, Fiber, Model};

use super::setup::Setup;

/// An extracellular source of a case.
#[derive(Clone, Debug)]
pub enum CaseSource {
    /// A field (mV per unit amplitude) with its waveform.
    Field(Arc<dyn Field>, Arc<Waveform>),
    /// A space-time potential, mV per unit amplitude, `[step, sample]` flattened.
    SpaceTime {
        /// The potentials.
        ve_mv: Arc<Vec<f64>>,
        /// Steps and samples.
        shape: (usize, usize),
    },
}

/// A current injected into a node of a case's fiber.
#[derive(Clone, Debug)]
pub struct CaseInjection {
    /// 0-based node; negative from the end.
    pub node: i64,
    /// Place as a fraction of the length that `node` follows from once the fiber's extent is known.
    pub at: Option<f64>,
    /// Current, nA; positive depolarizes. None: the amplitude under study is this current.
    pub amp_na: Option<f64>,
    /// Pulse width, ms.
    pub pw_ms: f64,
    /// Onset, ms.
    pub delay_ms: f64,
    /// The waveform of 1 nA.
    pub waveform: Arc<Waveform>,
}

/// Currents injected into a fiber; shared between cases.
pub type CaseInjections = Arc<Vec<CaseInjection>>;

/// One fiber under one stimulus.
#[derive(Clone, Debug)]
pub struct Case {
    /// The model.
    pub model: Model,
    /// Numbers, arithmetic and device that it runs with.
    pub setup: Arc<Setup>,
    /// The fiber.
    pub fiber: Fiber,
    /// Stated length of the fiber, um, to be checked.
    pub length_um: Option<f64>,
    /// Temperature, degrees Celsius, if not that of the weights or the model.
    pub celsius: Option<f64>,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Duration, ms.
    pub tstop_ms: f64,
    /// Detection of action potentials.
    pub detection: Detection,
    /// The extracellular stimulus.
    pub sources: Vec<CaseSource>,
    /// Distance of the nearest point electrode from the fiber's axis, um, where there are point electrodes.
    pub source_distance_um: Option<f64>,
    /// The intracellular stimulus.
    pub injections: CaseInjections,
}

impl Case {
    /// The time grid.
    pub(super) fn grid(&self) -> Option<TimeGrid> {
        TimeGrid::new(self.dt_ms, self.tstop_ms).ok()
    }

    /// Number of waveforms that act.
    pub(super) fn waveforms(&self) -> usize {
        self.sources.len().max(1) + self.injections.len()
    }

    /// Whether two cases can be simulated in one batch.
    pub(super) fn batches_with(&self, other: &Case) -> bool {
        self.model.schema().id == other.model.schema().id
            && Arc::ptr_eq(&self.setup, &other.setup)
            && self.grid() == other.grid()
            && self.celsius == other.celsius
            && self.detection == other.detection
    }
}
