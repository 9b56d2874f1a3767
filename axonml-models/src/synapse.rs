//! Action potentials started by a synapse: a conductance that opens at once and decays exponentially.

use axonml_autodiff::cable::US_PER_S;
use axonml_autodiff::engine::{
    FiberState, Membrane, NodeSelection, ObserverKind, ObserverSpec, SectionKind,
};
use axonml_core::CoreError;
use axonml_core::error::short;

use crate::description::check_formulas;
use crate::site::Site;
use crate::weights::Weights;
use crate::{
    FiberModel, FiberSymbols, Geometry, Model, Patch, Schema, Simulation, SimulationError,
};

/// Name of the state that holds the conductance of a synapse, S/cm2.
pub const SYNAPTIC_CONDUCTANCE: &str = "g_syn";
const REVERSAL: &str = "e_syn";
const DECAY: &str = "tau_syn";

/// A fiber model with a synapse at every node: the current `g_syn (v - e_syn)`, whose conductance decays with `tau_syn`.
///
/// The synapses are closed until a run opens one ([`crate::Course::opening`]). Everything else is the model's: geometry,
/// membrane, weights, start. The parameters `synapse.e_syn` (0 mV) and `synapse.tau_syn` (0.1 ms) are set as those of the
/// model are, by [`crate::Settings::parameters`].
///
/// In a step of an implicit cable the conductance acts as it stands, and decays by `exp(-dt/tau)` with the gates after
/// the voltage. Explicit cables (surrogates) let gates go first, so that theirs decays before it acts.
///
/// # Source
/// NEURON's `ExpSyn` mechanism (Carnevale & Hines, *The NEURON Book*, Cambridge University Press 2006, chapter 10), and
/// the defaults of `add_intrinsic_activity` in PyFibers (Marshall et al. 2025, PLoS Comput Biol 21:e1013764,
/// doi:10.1371/journal.pcbi.1013764).
///
/// # Example
/// ```
/// use axonml_models::{Device, Fiber, Settings, Simulation, Synapse, VelocitySites, WithSynapse, model};
///
/// let sundt = WithSynapse::new(model("sundt")?)?;
/// let fibers = vec![Fiber::new(1.0, 181)];
/// let simulation = Simulation::new(&sundt, fibers, &Settings::default(), &Device::auto()?)?;
/// let sites = VelocitySites::default().threshold_mv(-30.0);
/// let found = simulation.synaptic_velocities(&Synapse::default(), &sites)?;
/// assert!((found[0].m_per_s().expect("it conducts") - 0.492).abs() < 0.002);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WithSynapse {
    model: Model,
    schema: Schema,
}

impl std::fmt::Debug for WithSynapse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let schema = &self.schema;
        f.debug_struct("WithSynapse")
            .field("schema", schema)
            .finish_non_exhaustive()
    }
}

impl WithSynapse {
    /// `model` with the weights that it runs with by default.
    ///
    /// # Errors
    /// As [`WithSynapse::with_weights`].
    pub fn new(model: Model) -> Result<Self, SimulationError> {
        WithSynapse::with_weights(model, &Weights::Default)
    }

    /// `model` with these weights; those of [`crate::Settings`] stay at their default, as files of weights know no
    /// synapse.
    ///
    /// # Errors
    /// [`SimulationError`] if the weights are not of this model.
    pub fn with_weights(model: Model, weights: &Weights) -> Result<Self, SimulationError> {
        let mut schema = model.schema();
        if let Some(weights) = weights.choose(&schema)? {
            check_formulas(&weights.file, &model)?;
            schema = weights.file.schema(schema)?;
        }
        schema.weights = None;
        let mut schema = schema
            .states([SYNAPTIC_CONDUCTANCE])
            .param("synapse", REVERSAL, 0.0, "mV")
            .param("synapse", DECAY, 0.1, "ms");
        if let Some(states) = &mut schema.start.states {
            states.push(0.0);
        }
        Ok(WithSynapse { model, schema })
    }
}

impl FiberModel for WithSynapse {
    fn schema(&self) -> Schema {
        self.schema.clone()
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        self.model.geometry(fiber)
    }

    fn membrane<'t>(&self, section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        let closed = x.number(0.0);
        self.model
            .membrane(section, x)
            .ohmic(x.state(SYNAPTIC_CONDUCTANCE), x.param(REVERSAL))
            .gate_inf_tau(SYNAPTIC_CONDUCTANCE, closed, x.param(DECAY))
    }
}

/// One opening of a synapse, of which a model has one at every node ([`WithSynapse`]). The default is that of PyFibers'
/// `add_intrinsic_activity`: 0.1 uS at a tenth of the length, at 1 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Synapse {
    /// Its place.
    pub site: Site,
    /// Time of its opening, ms; it acts in the step that begins there.
    pub onset_ms: f64,
    /// Conductance that is added, uS.
    pub conductance_us: f64,
}

impl Default for Synapse {
    fn default() -> Self {
        Synapse {
            site: Site::Fraction(0.1),
            onset_ms: 1.0,
            conductance_us: 0.1,
        }
    }
}

/// An opening of a synapse in the fibers of a simulation.
#[derive(Debug)]
pub(crate) struct Opening {
    /// Steps before it.
    pub(crate) step: usize,
    /// Index of the state that holds the conductance.
    state: usize,
    /// By fiber the node, and the conductance that is added, S/cm2.
    at: Vec<(usize, f64)>,
}

impl Opening {
    /// Adds the conductance to states.
    pub(crate) fn open(&self, states: &mut [Option<FiberState>]) {
        for (opened, &(node, s_cm2)) in states.iter_mut().zip(&self.at) {
            if let Some(opened) = opened {
                opened.states[self.state][node] += s_cm2;
            }
        }
    }
}

impl Simulation {
    /// The opening of a synapse in every fiber: its step, and the conductance that is added.
    ///
    /// # Errors
    /// [`SimulationError::Core`] for a model without synapses, an onset outside the run and a conductance that is negative
    /// or not finite; [`SimulationError::Stimulus`] if a fiber does not have the site.
    pub(crate) fn opening(&self, synapse: &Synapse) -> Result<Opening, SimulationError> {
        let state = self.check_synapse(synapse)?;
        let at = (0..self.fibers().len()).map(|fiber| {
            let node = synapse.site.node_in(self.cable(fiber));
            let node = node.map_err(|source| SimulationError::Stimulus { fiber, source })?;
            let area_us = US_PER_S * self.cable(fiber).area_cm2(node);
            Ok((node, synapse.conductance_us / area_us))
        });
        // The first state at or after the onset.
        let onset = ObserverSpec::new(ObserverKind::Raster, NodeSelection::All)
            .after_ms(synapse.onset_ms)
            .first_state(self.grid());
        Ok(Opening {
            step: onset,
            state,
            at: at.collect::<Result<_, SimulationError>>()?,
        })
    }

    /// Index of the state that holds the synapses' conductance.
    fn check_synapse(&self, synapse: &Synapse) -> Result<usize, CoreError> {
        let bad = |what: &str, found: String, expected: String| CoreError::BadValue {
            what: what.into(),
            found,
            expected,
        };
        let duration_ms = self.grid().duration_ms();
        if !(0.0..duration_ms).contains(&synapse.onset_ms) {
            return Err(bad(
                "the onset of a synapse",
                format!("{} ms", short(synapse.onset_ms)),
                format!("a time within the run, 0 to {duration_ms} ms"),
            ));
        }
        if !(synapse.conductance_us >= 0.0 && synapse.conductance_us.is_finite()) {
            return Err(bad(
                "the conductance of a synapse",
                format!("{} uS", short(synapse.conductance_us)),
                "a finite number of at least 0".into(),
            ));
        }
        let states = &self.model.membrane.states;
        let found = states
            .iter()
            .position(|state| state == SYNAPTIC_CONDUCTANCE);
        found.ok_or_else(|| {
            bad(
                "the model of a synaptic run",
                format!("`{}`, which has no synapses", self.schema().id),
                "the same within `WithSynapse`".into(),
            )
        })
    }
}
