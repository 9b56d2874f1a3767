//! Conduction velocity: the time that an action potential takes from one site to another.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::{
    Crossing, FiberStatus, NodeSelection, Observation, ObserverKind, Outcome,
};
use axonml_core::CoreError;

use crate::parts::Course;
use crate::site::Site;
use crate::synapse::Synapse;
use crate::threshold::Passage;
use crate::{Amplitudes, Detection, Simulation, SimulationError, SpikeStart, Stimulus};

/// The two sites between which a conduction velocity is measured.
///
/// They lie off the ends of the fiber, where an action potential is slower or faster, and off the place where it
/// begins. The default is at a quarter and three quarters of the length, at 0 mV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VelocitySites {
    /// One site.
    pub a: Site,
    /// The other; an action potential may pass either first.
    pub b: Site,
    /// Level of the upward crossings, mV.
    pub threshold_mv: f64,
    /// Action potentials that began before are ignored, ms: for the velocity of one that follows another.
    pub after_ms: f64,
}

impl Default for VelocitySites {
    fn default() -> Self {
        VelocitySites::fractions(0.25, 0.75)
    }
}

impl VelocitySites {
    /// Between two nodes (negative numbers count from the end), at 0 mV, from the start.
    pub fn nodes(a: i64, b: i64) -> Self {
        VelocitySites::between(Site::Node(a), Site::Node(b))
    }

    /// Between two fractions of the fiber's length, at 0 mV, from the start.
    pub fn fractions(a: f64, b: f64) -> Self {
        VelocitySites::between(Site::Fraction(a), Site::Fraction(b))
    }

    /// Between two sites, at 0 mV, from the start.
    pub fn between(a: Site, b: Site) -> Self {
        VelocitySites {
            a,
            b,
            threshold_mv: 0.0,
            after_ms: 0.0,
        }
    }

    /// The same at another level of the upward crossing, mV.
    #[must_use]
    pub fn threshold_mv(self, threshold_mv: f64) -> Self {
        VelocitySites {
            threshold_mv,
            ..self
        }
    }

    /// The same for action potentials that begin from `after_ms` on.
    #[must_use]
    pub fn after_ms(self, after_ms: f64) -> Self {
        VelocitySites { after_ms, ..self }
    }

    /// The nodes of a fiber with this cable.
    fn resolve(&self, cable: &Cable) -> Result<[usize; 2], CoreError> {
        let pair = [self.a.node_in(cable)?, self.b.node_in(cable)?];
        match pair[0] == pair[1] {
            false => Ok(pair),
            true => Err(CoreError::BadValue {
                what: "the sites of a conduction velocity".into(),
                found: format!("node {} twice", pair[0]),
                expected: "two different nodes".into(),
            }),
        }
    }

    /// The observer of all crossings, and their criterion.
    pub(crate) fn detection(&self) -> Detection {
        Detection {
            sites: NodeSelection::All,
            threshold_mv: self.threshold_mv,
            after_ms: self.after_ms,
        }
    }
}

/// The first action potential of a fiber between two sites.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConductionVelocity {
    /// 0-based node of site a.
    pub node_a: usize,
    /// 0-based node of site b.
    pub node_b: usize,
    /// Distance between the two nodes, um.
    pub distance_um: f64,
    /// Whether, when, and from where an action potential passed them.
    pub conduction: Conduction,
}

/// How the first action potential of a fiber passed two sites.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Conduction {
    /// It passed one after the other.
    Conducted {
        /// Conduction velocity, m/s: distance over the time from the one to the other.
        velocity_m_per_s: f64,
        /// Time at which site a crossed the level, ms, by linear interpolation within the step.
        t_a_ms: f64,
        /// The same of site b: earlier if the action potential came from there.
        t_b_ms: f64,
        /// Site and time of its initiation.
        start: SpikeStart,
    },
    /// It passed both, but did not go from one to the other: it began at one of them, or between them. Choose sites on
    /// the same side of where it begins.
    NotInOrder {
        /// Site and time of its initiation.
        start: SpikeStart,
    },
    /// An action potential began, but none passed both sites within the run.
    PropagationFailure {
        /// Site and time of initiation of the first.
        start: SpikeStart,
    },
    /// No action potential began; nodes that the stimulus merely polarizes do not count.
    NoActivation,
    /// The solution diverged: a [`FiberStatus::Diverged`].
    Diverged(FiberStatus),
}

impl ConductionVelocity {
    /// Conduction velocity, m/s, if an action potential passed both sites in order.
    pub fn m_per_s(&self) -> Option<f64> {
        match self.conduction {
            Conduction::Conducted {
                velocity_m_per_s, ..
            } => Some(velocity_m_per_s),
            _ => None,
        }
    }

    /// Site and time of initiation of the action potential, if there was one.
    pub fn start(&self) -> Option<SpikeStart> {
        match self.conduction {
            Conduction::Conducted { start, .. }
            | Conduction::NotInOrder { start }
            | Conduction::PropagationFailure { start } => Some(start),
            Conduction::NoActivation | Conduction::Diverged(_) => None,
        }
    }

    /// Name of the status in result files.
    pub fn status(&self) -> &'static str {
        match self.conduction {
            Conduction::Conducted { .. } => "ok",
            Conduction::NotInOrder { .. } => "not_in_order",
            Conduction::PropagationFailure { .. } => "propagation_failure",
            Conduction::NoActivation => "no_activation",
            Conduction::Diverged(_) => "diverged",
        }
    }
}

impl Simulation {
    /// Runs the stimulus and measures the conduction velocity of every fiber's first action potential between two sites,
    /// one entry per fiber in order.
    ///
    /// What excites the fibers is the stimulus: a current into a node ([`Stimulus::inject`]), or a field at an
    /// amplitude (mA) above threshold. Action potentials are told from each other and from polarized nodes as
    /// [`Detection`] does. Started by a synapse: [`Simulation::synaptic_velocities`].
    ///
    /// # Errors
    /// As [`Simulation::run`]; [`SimulationError::Stimulus`] if a fiber does not have the sites or they are one node;
    /// [`SimulationError::Core`] if `after_ms` lies outside the run.
    ///
    /// # Example
    /// ```
    /// use std::sync::Arc;
    /// use axonml_core::Waveform;
    /// use axonml_models::{Device, Fiber, Settings, Simulation, Stimulus, VelocitySites, model};
    ///
    /// let fibers = vec![Fiber::new(10.0, 53)];
    /// let simulation = Simulation::new(&model("mrg")?, fibers, &Settings::default(), &Device::auto()?)?;
    /// // 3 nA into node 5; an action potential passes nodes 15 and 40.
    /// let pulse: Waveform = "monophasic:pw=0.2,delay=0.1".parse()?;
    /// let stimulus = Stimulus::none(1).inject(0, 5, 3.0, Arc::new(pulse.flipped()));
    /// let found = simulation.conduction_velocities(&stimulus, 0.0, &VelocitySites::nodes(15, 40))?;
    /// assert!((found[0].m_per_s().expect("it conducts") - 50.38).abs() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn conduction_velocities(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        sites: &VelocitySites,
    ) -> Result<Vec<ConductionVelocity>, SimulationError> {
        let amplitudes_ma = amplitude_ma.into().per_fiber(self.fibers().len())?;
        let pairs = self.velocity_nodes(sites)?;
        let raster = sites.detection().everywhere(ObserverKind::Raster);
        let outcome = self.run(stimulus, amplitudes_ma.clone(), &[raster])?;
        self.velocities(stimulus, &amplitudes_ma, sites, &pairs, outcome)
    }

    /// The same of action potentials that a synapse starts, in a model [`crate::WithSynapse`] without stimulus.
    ///
    /// # Errors
    /// As [`Simulation::conduction_velocities`] and [`Simulation::run_in_parts`].
    pub fn synaptic_velocities(
        &self,
        synapse: &Synapse,
        sites: &VelocitySites,
    ) -> Result<Vec<ConductionVelocity>, SimulationError> {
        let stimulus = Stimulus::none(self.fibers().len());
        let pairs = self.velocity_nodes(sites)?;
        let raster = sites.detection().everywhere(ObserverKind::Raster);
        let course = Course::whole().opening(*synapse);
        let outcome = self.run_in_parts(&stimulus, 0.0, &[raster], course)?;
        let amplitudes_ma = vec![0.0; pairs.len()];
        self.velocities(&stimulus, &amplitudes_ma, sites, &pairs, outcome)
    }

    /// The nodes of the two sites in every fiber.
    fn velocity_nodes(&self, sites: &VelocitySites) -> Result<Vec<[usize; 2]>, SimulationError> {
        sites.detection().check(self.grid())?;
        let each = 0..self.fibers().len();
        each.map(|fiber| {
            let pair = sites.resolve(self.cable(fiber));
            pair.map_err(|source| SimulationError::Stimulus { fiber, source })
        })
        .collect()
    }

    /// Velocities from an outcome whose only observer saw all crossings.
    fn velocities(
        &self,
        stimulus: &Stimulus,
        amplitudes_ma: &[f64],
        sites: &VelocitySites,
        pairs: &[[usize; 2]],
        outcome: Outcome,
    ) -> Result<Vec<ConductionVelocity>, SimulationError> {
        let mut statuses = Vec::with_capacity(pairs.len());
        let mut fibers = Vec::with_capacity(pairs.len());
        for ((outcome, amplitude_ma), pair) in
            outcome.fibers.into_iter().zip(amplitudes_ma).zip(pairs)
        {
            statuses.push(outcome.status);
            let crossings = match outcome.observations.into_iter().next() {
                Some(Observation::Raster(crossings)) => crossings,
                _ => Vec::new(),
            };
            fibers.push((*amplitude_ma, crossings, *pair));
        }
        let passages = self.passages(stimulus, &sites.detection(), &fibers)?;
        let each = passages.into_iter().zip(statuses).zip(pairs).enumerate();
        let each = each.map(|(fiber, ((passage, status), &[node_a, node_b]))| {
            let distance_um = (self.node_um(fiber, node_b) - self.node_um(fiber, node_a)).abs();
            let began = |at: Crossing| SpikeStart {
                node: at.node,
                z_um: self.node_um(fiber, at.node),
                time_ms: at.time_ms,
            };
            let conduction = match (status, passage) {
                (FiberStatus::Diverged { .. }, _) => Conduction::Diverged(status),
                (_, Passage::Passed { start, at_a, at_b }) => Conduction::Conducted {
                    // um/ms are mm/s.
                    velocity_m_per_s: 1e-3 * distance_um / (at_b.time_ms - at_a.time_ms).abs(),
                    t_a_ms: at_a.time_ms,
                    t_b_ms: at_b.time_ms,
                    start: began(start),
                },
                (_, Passage::NotInOrder { start }) => Conduction::NotInOrder {
                    start: began(start),
                },
                (_, Passage::Failed { start }) => Conduction::PropagationFailure {
                    start: began(start),
                },
                (_, Passage::Nothing) => Conduction::NoActivation,
            };
            ConductionVelocity {
                node_a,
                node_b,
                distance_um,
                conduction,
            }
        });
        Ok(each.collect())
    }
}
