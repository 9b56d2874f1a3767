//! Derivatives of activation thresholds.

use axonml_autodiff::adjoint::{Evaluation, GradientRequest, RecordedCotangent, SourceCotangent};
use axonml_autodiff::engine::{
    Crossing, FiberOutcome, Observation, ObserverKind, ObserverSpec, Recording, Rollout,
};
use axonml_core::CoreError;

use crate::gradient::FiberDerivative;
use crate::scaling::{Scaling, SourceGain};
use crate::{Simulation, SimulationError, Stimulus, ThresholdSearch};

/// Derivatives of the logarithm of one fiber's threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdGradient {
    /// Derivatives by the model's parameters, in the order of [`Schema::parameters`](crate::Schema::parameters); empty if not requested.
    pub parameters: Vec<f64>,
    /// Derivative by the temperature, 1/degree.
    pub celsius: f64,
    /// Derivatives by gains, waveforms and potentials of the fiber's sources at their unit amplitudes: extracellular ones
    /// in their order, then injections (scaled or not, in theirs; they have no potentials, and their projections are in
    /// nA per unit: per mA where the amplitude scales them). That by a gain is the derivative by the strength of a
    /// contact relative to the others.
    pub sources: Vec<SourceCotangent>,
    /// State at which the action potential is detected in the run at the threshold.
    pub state: usize,
    /// Node at which the action potential is detected.
    pub node: usize,
}

impl Simulation {
    /// The derivatives of `ln threshold` of fibers whose thresholds (amplitudes at which they just fire, mA) are known;
    /// `None` for the others.
    ///
    /// With `g` the voltage at the node and state where the action potential is detected, in the run at the threshold
    /// `A` itself: how `A` must change to keep `g` is `d ln A/dp = -(dg/dp)/(A dg/dA)`. Next to an all-or-none response
    /// both derivatives are huge and grow with the precision of `A`; their quotient does not. Both come from one
    /// adjoint pass.
    ///
    /// # Errors
    /// As [`Simulation::differentiate`]; if the fiber does not fire at the given threshold, or a larger amplitude does
    /// not raise its voltage, so that the given value is not a threshold.
    pub fn threshold_gradients(
        &self,
        stimulus: &Stimulus,
        search: &ThresholdSearch,
        thresholds_ma: &[Option<f64>],
        request: GradientRequest,
    ) -> Result<Vec<Option<ThresholdGradient>>, SimulationError> {
        let rollout = self.rollout(stimulus, &[detector(search)])?;
        self.threshold_gradients_of(rollout, &stimulus.scaling(), search, thresholds_ma, request)
    }

    /// Like [`Simulation::threshold_gradients`], but returns per-fiber errors instead of failing the batch.
    ///
    /// # Errors
    /// As [`Simulation::threshold_gradients`] for errors of the whole batch.
    pub fn threshold_gradients_each(
        &self,
        stimulus: &Stimulus,
        search: &ThresholdSearch,
        thresholds_ma: &[Option<f64>],
        request: GradientRequest,
    ) -> Result<Vec<Option<Result<ThresholdGradient, SimulationError>>>, SimulationError> {
        let rollout = self.rollout(stimulus, &[detector(search)])?;
        self.threshold_gradients_each_of(
            rollout,
            &stimulus.scaling(),
            search,
            thresholds_ma,
            request,
        )
    }

    /// [`Simulation::threshold_gradients`] for a rollout of this simulation with the observer that [`detector`] gives.
    pub(crate) fn threshold_gradients_of(
        &self,
        whole: Rollout,
        scaling: &Scaling,
        search: &ThresholdSearch,
        thresholds_ma: &[Option<f64>],
        request: GradientRequest,
    ) -> Result<Vec<Option<ThresholdGradient>>, SimulationError> {
        let each =
            self.threshold_gradients_each_of(whole, scaling, search, thresholds_ma, request)?;
        each.into_iter().map(Option::transpose).collect()
    }

    fn threshold_gradients_each_of(
        &self,
        whole: Rollout,
        scaling: &Scaling,
        search: &ThresholdSearch,
        thresholds_ma: &[Option<f64>],
        request: GradientRequest,
    ) -> Result<Vec<Option<Result<ThresholdGradient, SimulationError>>>, SimulationError> {
        let fibers = self.fibers().len();
        if thresholds_ma.len() != fibers {
            return Err(SimulationError::Core(CoreError::BadValue {
                what: "the number of thresholds".into(),
                found: thresholds_ma.len().to_string(),
                expected: "one per fiber".into(),
            }));
        }
        // Gradients are those of exact rates, with which a fiber need not fire at its threshold by tables.
        whole.rates.must_be_exact("the gradient of a threshold")?;
        let level_mv = search.detection.threshold_mv;
        let first_state = detector(search).first_state(self.grid());
        let members: Vec<usize> = (0..fibers)
            .filter(|&f| thresholds_ma[f].is_some())
            .collect();
        // Where a conditioning action potential may cross as well, which crossing is the response takes all nodes.
        let arrivals =
            self.conditioned_arrivals(whole.clone(), scaling, &search.detection, thresholds_ma)?;
        let detected = |fiber: usize, recording: &Recording| match arrivals[fiber] {
            None => first_crossing(recording, level_mv),
            Some(arrival) => arrival.and_then(|at| place_of(recording, first_state, &at)),
        };
        let mut rollout = whole.select(members.iter().copied());
        rollout.final_states = false;
        let known = thresholds_ma.iter().enumerate();
        rollout.drive.gains =
            scaling.gains_of(known.filter_map(|(fiber, amplitude)| Some((fiber, (*amplitude)?))));
        let objective = |member: usize, outcome: &FiberOutcome| {
            let recording = recorded(outcome);
            detection(recording, detected(members[member], recording))
        };
        let derivatives =
            self.differentiate_each(&rollout, scaling, &members, &objective, request)?;

        let mut gradients: Vec<Option<Result<ThresholdGradient, SimulationError>>> =
            (0..fibers).map(|_| None).collect();
        for (derivative, &fiber) in derivatives.into_iter().zip(&members) {
            let at = Detected {
                fiber,
                amplitude_ma: thresholds_ma[fiber].unwrap_or_default(),
                first_state,
            };
            gradients[fiber] = Some(derivative.and_then(|derivative| {
                let found = detected(fiber, recorded(&derivative.outcome));
                at.gradient(derivative, scaling.sources(fiber), found)
            }));
        }
        Ok(gradients)
    }
}

/// The recorder of the quantity that defines a threshold's derivative: the voltages of the detection nodes.
pub(crate) fn detector(search: &ThresholdSearch) -> ObserverSpec {
    let recorder = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    ObserverSpec::new(recorder, search.detection.sites.clone()).after_ms(search.detection.after_ms)
}

/// A fiber at its threshold, with the range in which its action potential is detected.
struct Detected {
    fiber: usize,
    amplitude_ma: f64,
    /// State of the first recorded row.
    first_state: usize,
}

impl Detected {
    /// The derivatives of the threshold from those of the voltage where the action potential is detected: the row and
    /// column of the recording.
    fn gradient(
        &self,
        derivative: FiberDerivative,
        gains: &[SourceGain],
        detected: Option<(usize, usize)>,
    ) -> Result<ThresholdGradient, SimulationError> {
        let none = |problem: &str| SimulationError::NoThreshold {
            fiber: self.fiber,
            amplitude_ma: self.amplitude_ma,
            problem: problem.into(),
        };
        let Some(mut gradient) = derivative.gradient else {
            return Err(none("the fiber diverges there"));
        };
        let (row, column) = detected.ok_or_else(|| none("the fiber does not fire there"))?;
        let slope = self.amplitude_ma * gradient.amplitude;
        if slope <= 0.0 {
            return Err(none("the fiber fires no more easily at more"));
        }
        let scale = |x: &mut f64| *x /= -slope;
        gradient.parameters.iter_mut().for_each(scale);
        scale(&mut gradient.celsius);
        for (source, gain) in gradient.sources.iter_mut().zip(gains) {
            // A scaled gain is the threshold times the source's own strength.
            if gain.is_scaled() {
                source.gain *= self.amplitude_ma;
            }
            scale(&mut source.gain);
            source.waveform.iter_mut().for_each(scale);
            source.potentials.iter_mut().for_each(scale);
            if let Some(projection) = &mut source.projection {
                projection.nodes_na.iter_mut().for_each(scale);
                projection.modes.iter_mut().for_each(scale);
            }
        }
        Ok(ThresholdGradient {
            parameters: gradient.parameters,
            celsius: gradient.celsius,
            sources: gradient.sources,
            state: self.first_state + row,
            node: recorded(&derivative.outcome).nodes[column],
        })
    }
}

/// The recording of a run whose only observer is a recorder.
pub(crate) fn recorded(outcome: &FiberOutcome) -> &Recording {
    let Some(Observation::Recorded(recording)) = outcome.observations.first() else {
        unreachable!("the only observer is a recorder")
    };
    recording
}

/// The first row at which a node is at or above the level and was not before, and the column of that node. A node that
/// is above the level when detection begins counts.
fn first_crossing(recording: &Recording, level_mv: f64) -> Option<(usize, usize)> {
    let width = recording.nodes.len();
    let crosses = |index: usize| {
        let above = |index: usize| recording.v_mv[index] >= level_mv;
        above(index) && (index < width || !above(index - width))
    };
    let index = (0..recording.v_mv.len()).find(|&index| crosses(index))?;
    Some((index / width, index % width))
}

/// The row and column of a crossing in a recording that begins at the state `first_state`.
fn place_of(recording: &Recording, first_state: usize, at: &Crossing) -> Option<(usize, usize)> {
    let column = recording.nodes.iter().position(|node| *node == at.node)?;
    Some((at.state.checked_sub(first_state)?, column))
}

/// The voltage where the action potential is detected.
fn detection(recording: &Recording, detected: Option<(usize, usize)>) -> Evaluation {
    let Some((row, column)) = detected else {
        return Evaluation::default();
    };
    let index = row * recording.nodes.len() + column;
    let mut v_mv = vec![0.0; recording.v_mv.len()];
    v_mv[index] = 1.0;
    Evaluation {
        loss: recording.v_mv[index],
        recorded: vec![Some(RecordedCotangent {
            v_mv,
            states: Vec::new(),
        })],
        state: None,
    }
}
