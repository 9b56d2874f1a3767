//! Action potentials started by a synapse: a conductance that opens at once and decays exponentially.

use axonml_autodiff::cable::US_PER_S;
use axonml_autodiff::engine::{
    BackendError, FiberOutcome, FiberState, FiberStatus, Membrane, Observation, ObserverKind,
    ObserverSpec, Outcome, SectionKind, Start,
};
use axonml_core::CoreError;
use axonml_core::error::short;

use crate::weights::Weights;
use crate::{
    Amplitudes, ConductionVelocity, FiberModel, FiberSymbols, Geometry, Model, Patch, Schema,
    Simulation, SimulationError, Site, Stimulus, VelocitySites,
};

/// Name of the state that holds the conductance of a synapse, S/cm2.
pub const SYNAPTIC_CONDUCTANCE: &str = "g_syn";
const REVERSAL: &str = "e_syn";
const DECAY: &str = "tau_syn";

/// A fiber model with a synapse at every node: the current `g_syn (v - e_syn)`, whose conductance decays with `tau_syn`.
///
/// The synapses are closed until [`Simulation::run_synaptic`] opens one. Everything else is the model's: geometry,
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

impl Simulation {
    /// [`Simulation::run`] of a model [`WithSynapse`], with one opening of the synapse in every fiber.
    ///
    /// The run is made in two parts, before and from the onset on. Observers see it as one, with the exception of
    /// [`ObserverKind::Active`] for more than one node, which is refused.
    ///
    /// # Errors
    /// As [`Simulation::run`]; [`SimulationError::Core`] for a model without synapses, an onset outside the run, a
    /// conductance that is negative or not finite, and an observer that cannot be continued;
    /// [`SimulationError::Stimulus`] if a fiber does not have the site.
    pub fn run_synaptic(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        synapse: &Synapse,
        observers: &[ObserverSpec],
    ) -> Result<Outcome, SimulationError> {
        let state = self.check_synapse(synapse)?;
        check_observers(observers)?;
        let nodes = (0..self.fibers().len()).map(|fiber| {
            let node = synapse.site.node_in(self.cable(fiber));
            node.map_err(|source| SimulationError::Stimulus { fiber, source })
        });
        let nodes = nodes.collect::<Result<Vec<usize>, _>>()?;
        let mut rollout = self.rollout(stimulus, observers)?;
        let amplitudes_ma = amplitude_ma.into().per_fiber(self.fibers().len())?;
        let trials = amplitudes_ma.into_iter().enumerate();
        rollout.drive.gains = stimulus.scaling().gains_of(trials);
        let all = rollout.steps.clone();
        // The first state at or after the onset.
        let onset = ObserverSpec::new(ObserverKind::Raster, crate::NodeSelection::All)
            .after_ms(synapse.onset_ms)
            .first_state(self.grid());

        rollout.steps = all.start..onset;
        let mut outcome = self.execute(&rollout)?;
        let mut members = Vec::new();
        let mut states: Vec<FiberState> = Vec::new();
        for (fiber, result) in outcome.fibers.iter_mut().enumerate() {
            if matches!(result.status, FiberStatus::Diverged { .. }) {
                continue;
            }
            let mut opened = result
                .state
                .take()
                .ok_or(BackendError::NoResult { fiber })?;
            let area_us = US_PER_S * self.cable(fiber).area_cm2(nodes[fiber]);
            opened.states[state][nodes[fiber]] += synapse.conductance_us / area_us;
            members.push(fiber);
            states.push(opened);
        }
        if members.is_empty() {
            return Ok(outcome);
        }
        let mut rest = rollout.select(members.iter().copied());
        rest.start = Start::From(states);
        rest.steps = onset..all.end;
        for (&fiber, later) in members.iter().zip(self.execute(&rest)?.fibers) {
            let own = &mut outcome.fibers[fiber];
            match onset == 0 {
                // The start, which the first part consists of, is seen by the second as well.
                true => *own = later,
                false => continue_with(own, later)?,
            }
        }
        Ok(outcome)
    }

    /// Conduction velocities of action potentials that a synapse starts, without stimulus, one entry per fiber in order:
    /// [`Simulation::conduction_velocities`] with [`Simulation::run_synaptic`].
    ///
    /// # Errors
    /// Those of both.
    pub fn synaptic_velocities(
        &self,
        synapse: &Synapse,
        sites: &VelocitySites,
    ) -> Result<Vec<ConductionVelocity>, SimulationError> {
        let stimulus = Stimulus::none(self.fibers().len());
        let pairs = self.velocity_nodes(sites)?;
        let raster = sites.detection().everywhere(ObserverKind::Raster);
        let outcome = self.run_synaptic(&stimulus, 0.0, synapse, &[raster])?;
        let amplitudes_ma = vec![0.0; pairs.len()];
        self.velocities(&stimulus, &amplitudes_ma, sites, &pairs, outcome)
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

/// Refuses observers whose observation of a whole run does not follow from those of its parts.
fn check_observers(observers: &[ObserverSpec]) -> Result<(), CoreError> {
    let several = |observer: &ObserverSpec| match observer.kind {
        ObserverKind::Active { at_least } => (at_least > 1).then_some(at_least),
        _ => None,
    };
    let each = observers.iter().enumerate();
    match each
        .filter_map(|(index, at)| Some((index, several(at)?)))
        .next()
    {
        None => Ok(()),
        Some((index, at_least)) => Err(CoreError::BadValue {
            what: format!("observer {index} of a synaptic run"),
            found: format!("activity of at least {at_least} nodes"),
            expected: "of at least 1; count action potentials instead".into(),
        }),
    }
}

/// Continues the result of the first part of a run with that of the second.
fn continue_with(first: &mut FiberOutcome, later: FiberOutcome) -> Result<(), SimulationError> {
    first.status = later.status;
    first.state = later.state;
    for (own, later) in first.observations.iter_mut().zip(later.observations) {
        match (own, later) {
            (Observation::Active(at), Observation::Active(later)) => *at = at.or(later),
            (Observation::Count(counts), Observation::Count(later)) => {
                counts
                    .iter_mut()
                    .zip(later)
                    .for_each(|(n, later)| *n += later);
            }
            (Observation::Raster(crossings), Observation::Raster(later)) => crossings.extend(later),
            (Observation::Recorded(recording), Observation::Recorded(later)) => {
                recording.t_ms.extend(later.t_ms);
                recording.v_mv.extend(later.v_mv);
                for (values, later) in recording.states.iter_mut().zip(later.states) {
                    values.extend(later);
                }
            }
            (Observation::Traced(traces), Observation::Traced(later)) => {
                traces.t_ms.extend(later.t_ms);
                traces.values.extend(later.values);
            }
            (Observation::Maximum(largest), Observation::Maximum(later)) => {
                for (largest, later) in largest.iter_mut().zip(later) {
                    *largest = largest.max(later);
                }
            }
            _ => {
                return Err(SimulationError::Backend(BackendError::Unsupported(
                    "the backend reports the parts of a run differently".into(),
                )));
            }
        }
    }
    Ok(())
}
