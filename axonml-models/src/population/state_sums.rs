//! Sums of a state of the membrane over a run, such as that of a gate, and how they move with gains and currents.

use axonml_autodiff::adjoint::{Evaluation, GradientRequest, RecordedCotangent};
use axonml_autodiff::engine::{FiberOutcome, NodeSelection, ObserverKind, ObserverSpec};
use axonml_core::CoreError;
use ndarray::{Array2, Array3, ArrayView2, Axis};

use super::{Basis, Batch, CHUNK_BYTES, Pair, of_pair};
use crate::gradient::FiberDerivative;
use crate::threshold_gradient::recorded;
use crate::{Detection, Progress, SimulationError};

/// A state of the membrane that is summed over nodes and over all states of a run, its start included.
///
/// The sum of a gate that opens with an action potential says in one smooth number whether, and for how long, a fiber is
/// active there.
#[derive(Clone, Debug, PartialEq)]
pub struct StateSum {
    /// Name of the state ([`Schema::states`](crate::Schema::states)).
    pub state: String,
    /// Nodes at which it is summed.
    pub nodes: NodeSelection,
    /// Time from which on it is summed, ms.
    pub after_ms: f64,
}

impl StateSum {
    /// A state at the sites and from the time at which action potentials are detected.
    pub fn at_sites(state: impl Into<String>, detection: &Detection) -> Self {
        StateSum {
            state: state.into(),
            nodes: detection.sites.clone(),
            after_ms: detection.after_ms,
        }
    }

    fn recorder(&self) -> ObserverSpec {
        let kind = ObserverKind::Recorder {
            states: vec![self.state.clone()],
            every: 1,
        };
        ObserverSpec::new(kind, self.nodes.clone()).after_ms(self.after_ms)
    }
}

/// The recorded values of the state.
fn values(outcome: &FiberOutcome) -> &[f64] {
    let states = &recorded(outcome).states;
    states.first().map_or(&[], |values| values)
}

/// The sum, with a derivative of 1 by every value.
fn sum(outcome: &FiberOutcome) -> Evaluation {
    let values = values(outcome);
    Evaluation {
        loss: values.iter().sum(),
        recorded: vec![Some(RecordedCotangent {
            v_mv: Vec::new(),
            states: vec![vec![1.0; values.len()]],
        })],
        state: None,
    }
}

impl Basis {
    /// The sum of a state for every row of gains and fiber, `[candidate, fiber]`, of runs to their end; `None` where the
    /// solution diverges.
    ///
    /// # Errors
    /// [`SimulationError`] if the gains do not fit, the model has no such state, or a fiber no such node.
    pub fn state_sums(
        &self,
        gains: ArrayView2<'_, f64>,
        of: &StateSum,
        progress: &mut Progress<'_>,
    ) -> Result<Array2<Option<f64>>, SimulationError> {
        self.check_gains(gains)?;
        let mut sums = Array2::from_elem((gains.nrows(), self.whole.fibers.len()), None);
        let pairs = self.pairs(gains.nrows());
        let mut done = 0;
        for chunk in pairs.chunks(self.recorded_chunk(of)) {
            let batch = self.recording(gains, chunk, of);
            let outcome = batch.simulation.execute(&batch.whole);
            let outcome = outcome.map_err(|error| of_pair(error, chunk))?;
            for ((index, &pair), fiber) in chunk.iter().enumerate().zip(&outcome.fibers) {
                let diverged = batch.simulation.divergence(index, fiber.status).is_some();
                sums[pair] = (!diverged).then(|| values(fiber).iter().sum());
            }
            done += chunk.len();
            progress(done as f64 / pairs.len() as f64);
        }
        Ok(sums)
    }

    /// The sum of a state as [`Basis::state_sums`] gives it, and its derivative by each gain, `[candidate, fiber, contact]`
    /// (0 where the solution diverges): one run and one adjoint pass per candidate and fiber.
    ///
    /// # Errors
    /// As [`Basis::state_sums`]; [`SimulationError`] also if a derivative is not finite, or for tables of rates.
    pub fn state_sum_gradients(
        &self,
        gains: ArrayView2<'_, f64>,
        of: &StateSum,
    ) -> Result<(Array2<Option<f64>>, Array3<f64>), SimulationError> {
        self.check_gains(gains)?;
        let size = (gains.nrows(), self.whole.fibers.len());
        let mut sums = Array2::from_elem(size, None);
        let mut by_gain = Array3::zeros((size.0, size.1, self.contacts));
        let request = GradientRequest {
            fields: true,
            ..GradientRequest::default()
        };
        let pairs = self.pairs(gains.nrows());
        for chunk in pairs.chunks(self.recorded_chunk(of)) {
            let batch = self.recording(gains, chunk, of);
            let derivatives = self.differentiated(&batch, chunk, request)?;
            for (&pair, derivative) in chunk.iter().zip(derivatives) {
                let Some(gradient) = derivative.gradient else {
                    continue;
                };
                sums[pair] = Some(gradient.loss);
                let mut row = by_gain.index_axis_mut(Axis(0), pair.0);
                let row = row.index_axis_mut(Axis(0), pair.1);
                self.put_by_gains(pair.1, &gradient.sources, row);
            }
        }
        Ok((sums, by_gain))
    }

    /// The derivative of the sum over fibers of `by_sum` times the sum of a state, by the current of each contact at each
    /// step: a current is a gain times the contact's waveform. Fibers whose `by_sum` is 0, or whose solution diverges,
    /// have no part in it.
    ///
    /// # Shape
    /// `by_sum` is `[candidate, fiber]`; the result as that of [`Basis::current_gradients`].
    ///
    /// # Errors
    /// As [`Basis::state_sum_gradients`], and if `by_sum` does not fit, or a contact is a space-time potential.
    pub fn state_sum_current_gradients(
        &self,
        gains: ArrayView2<'_, f64>,
        of: &StateSum,
        by_sum: ArrayView2<'_, f64>,
    ) -> Result<Array3<f64>, SimulationError> {
        self.check_gains(gains)?;
        self.check_shape("the derivatives by sums", gains.nrows(), by_sum.dim())?;
        self.check_finite("the derivative by the sum", by_sum)?;
        let mut by_current = self.no_current_gradients(gains.nrows());
        let mut pairs = self.pairs(gains.nrows());
        pairs.retain(|&pair| by_sum[pair] != 0.0);
        let request = GradientRequest {
            waveforms: true,
            ..GradientRequest::default()
        };
        let chunk = self.recorded_chunk(of).min(self.current_chunk());
        for chunk in pairs.chunks(chunk) {
            let mut batch = self.recording(gains, chunk, of);
            let places = self.probe_currents(&mut batch, gains, chunk)?;
            let derivatives = self.differentiated(&batch, chunk, request)?;
            for ((&pair, derivative), places) in chunk.iter().zip(derivatives).zip(places) {
                let sources = derivative
                    .gradient
                    .map_or(Vec::new(), |found| found.sources);
                self.add_by_currents(&mut by_current, pair, &sources, &places, by_sum[pair]);
            }
        }
        Ok(by_current)
    }

    /// Pairs whose state is recorded.
    fn recording(&self, gains: ArrayView2<'_, f64>, pairs: &[Pair], of: &StateSum) -> Batch {
        let mut batch = self.batch(gains, pairs);
        batch.whole.observers = vec![of.recorder()];
        batch.whole.final_states = false;
        batch
    }

    fn differentiated(
        &self,
        batch: &Batch,
        pairs: &[Pair],
        request: GradientRequest,
    ) -> Result<Vec<FiberDerivative>, SimulationError> {
        // Sums by tables differ from those that gradients are of.
        self.whole.rates.must_be_exact("the gradient of a sum")?;
        let members: Vec<usize> = (0..pairs.len()).collect();
        let objective = |_: usize, outcome: &FiberOutcome| sum(outcome);
        let (simulation, scaling) = (&batch.simulation, &batch.scaling);
        simulation
            .differentiate_rollout(&batch.whole, scaling, &members, &objective, request)
            .map_err(|error| of_pair(error, pairs))
    }

    /// Pairs to run at once: what they record shall not take more memory than the fibers themselves.
    fn recorded_chunk(&self, of: &StateSum) -> usize {
        let nodes = self.whole.fibers.iter().map(|fiber| {
            // Nodes that a fiber does not have are refused by the run.
            of.nodes
                .resolve(fiber.cable.nodes())
                .map_or(0, |nodes| nodes.len())
        });
        // Voltage and state, and the derivative by each.
        let row_bytes = 4 * size_of::<f64>() * nodes.max().unwrap_or(0);
        let pair_bytes = row_bytes * (self.whole.grid.steps() + 1);
        (CHUNK_BYTES / pair_bytes.max(1)).clamp(1, self.chunk())
    }

    /// Refuses weights of candidates and fibers that are no numbers.
    pub(super) fn check_finite(
        &self,
        what: &str,
        weights: ArrayView2<'_, f64>,
    ) -> Result<(), CoreError> {
        match weights.indexed_iter().find(|(_, x)| !x.is_finite()) {
            None => Ok(()),
            Some(((candidate, fiber), weight)) => Err(CoreError::BadValue {
                what: format!("{what} of fiber {fiber} in candidate {candidate}"),
                found: weight.to_string(),
                expected: "a finite number".into(),
            }),
        }
    }
}
