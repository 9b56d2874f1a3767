//! Batches as simulations of the surrogate, and their loss.

use std::sync::Arc;

use axonml_core::{CoreError, Waveform};
use axonml_models::{
    Device, Fiber, FiberOutcome, FiberStatus, NodeSelection, Observation, ObserverKind,
    ObserverSpec, Precision, Recording, Simulation, SimulationError, Stimulus,
};
use ndarray::Axis;

use super::loss::{Loss, LossSettings};
use crate::dataset::{Batch, DatasetError, Source};
use crate::{Surrogate, TrainError};

/// The fibers of a batch as the surrogate has them.
pub(super) struct Runs {
    pub(super) simulation: Simulation,
    pub(super) stimulus: Stimulus,
}

impl Runs {
    /// At `x`: the diameters of the batch, its potentials at the nodes, its waveforms.
    pub(super) fn new(
        surrogate: &Surrogate,
        x: &[f64],
        batch: &Batch,
        dt_ms: f64,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let (_, _, nodes) = batch.basis_mv_per_ma.dim();
        let steps = batch.waveforms_ma.len_of(Axis(2));
        let settings = surrogate.settings(x, dt_ms, dt_ms * steps as f64, precision);
        let fiber = |&diameter_um: &f64| Fiber::new(diameter_um, nodes);
        let fibers = batch.diameters_um.iter().map(fiber).collect();
        let simulation = Simulation::new(surrogate.model(), fibers, &settings, device)?;
        let mut stimulus = Stimulus::none(batch.len());
        for fiber in 0..batch.len() {
            let waveforms = batch.waveforms_ma.index_axis(Axis(0), fiber);
            let basis = batch.basis_mv_per_ma.index_axis(Axis(0), fiber);
            for (waveform, potentials) in waveforms.rows().into_iter().zip(basis.rows()) {
                if waveform.iter().all(|&ma| ma == 0.0) {
                    continue;
                }
                let wrong = |source: CoreError| SimulationError::Stimulus { fiber, source };
                let double = |values: ndarray::ArrayView1<'_, f32>| -> Vec<f64> {
                    values.iter().map(|&value| value.into()).collect()
                };
                let waveform = Waveform::from_samples(dt_ms, double(waveform)).map_err(wrong)?;
                stimulus = stimulus
                    .potentials(fiber, double(potentials), Arc::new(waveform))
                    .map_err(wrong)?;
            }
        }
        Ok(Runs {
            simulation,
            stimulus,
        })
    }
}

/// Relative difference of the distances between nodes up to which potentials at nodes of training sets are taken for
/// those at the surrogate's: trained geometries differ from the exact one a little.
const SPACING: f64 = 0.05;

/// Checks that a surrogate needs the field where training sets have it: at the nodes, and nowhere else. The set's nodes
/// of a fiber of this diameter lie at `node_z_um`, all at one place if that is not known.
///
/// # Errors
/// [`TrainError::Value`] for a model with more sample points, or with nodes at other places; [`TrainError::Simulation`]
/// for a surrogate that cannot be built.
pub fn check_samples(
    surrogate: &Surrogate,
    diameter_um: f64,
    node_z_um: &[f64],
    device: &Device,
) -> Result<(), TrainError> {
    let nodes = node_z_um.len();
    let x = vec![0.0; surrogate.len()];
    let settings = surrogate.settings(&x, 0.005, 0.005, Precision::F64);
    let fibers = vec![Fiber::new(diameter_um, nodes)];
    let simulation = Simulation::new(surrogate.model(), fibers, &settings, device)?;
    let id = &surrogate.schema().id;
    let samples = simulation.sample_points_um(0).len();
    if samples != nodes {
        return Err(TrainError::value(
            "model",
            format!("{id}, which needs the field at {samples} points of {nodes} nodes"),
            "a surrogate, which needs it at its nodes",
        ));
    }
    let length = |z_um: &[f64]| z_um[nodes - 1] - z_um[0];
    let (own_um, set_um) = (length(&simulation.nodes_um(0)), length(node_z_um));
    if set_um > 0.0 && (own_um / set_um - 1.0).abs() > SPACING {
        let spacing = |length_um: f64| (1e3 * length_um / (nodes - 1) as f64).round() / 1e3;
        let diameter = (1e3 * diameter_um).round() / 1e3;
        return Err(TrainError::value(
            "model",
            format!(
                "{id}, whose nodes are {} um apart in a fiber of {diameter} um",
                spacing(own_um)
            ),
            format!(
                "{} um, as the training set has the field there (`delta_z_um` of a fiber file)",
                spacing(set_um)
            ),
        ));
    }
    Ok(())
}

/// The observer that a loss needs.
pub(super) fn recorder(loss: &Loss, every: usize) -> ObserverSpec {
    let states = loss.gates.clone();
    ObserverSpec::new(ObserverKind::Recorder { states, every }, NodeSelection::All)
}

/// The recording of [`recorder`].
pub(super) fn recording(outcome: &FiberOutcome) -> &Recording {
    match outcome.observations.first() {
        Some(Observation::Recorded(recording)) => recording,
        _ => unreachable!("a recorder observes a recording"),
    }
}

/// The loss of a set for a source's states.
pub(super) fn loss_of(
    settings: &LossSettings,
    source: &Source,
    place: &str,
) -> Result<Loss, TrainError> {
    Loss::new(settings, source.states()).map_err(|state| {
        TrainError::set(place)(DatasetError::MissingState {
            path: place.to_owned(),
            state,
            available: source.states().to_vec(),
        })
    })
}

/// The loss of a surrogate over a whole set, for validation.
pub struct TrajectoryLoss {
    source: Source,
    loss: Loss,
    precision: Precision,
    device: Device,
    batch: usize,
    count: usize,
}

impl TrajectoryLoss {
    /// Over the first `count` cases of `source`, `batch` at a time.
    ///
    /// # Errors
    /// [`TrainError::Set`] for states that the source lacks.
    pub fn new(
        settings: &LossSettings,
        source: Source,
        count: usize,
        batch: usize,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(TrajectoryLoss {
            loss: loss_of(settings, &source, "valid")?,
            count: count.min(source.len()),
            source,
            precision,
            device: device.clone(),
            batch,
        })
    }

    /// The mean loss of the fibers that can be simulated (none if there is none), and the number of fibers that cannot.
    ///
    /// # Errors
    /// [`TrainError`] if the set cannot be read or the surrogate not be built.
    pub fn of(&self, surrogate: &Surrogate, x: &[f64]) -> Result<(Option<f64>, usize), TrainError> {
        let (mut sum, mut counted) = (0.0, 0);
        let all: Vec<usize> = (0..self.count).collect();
        for indices in all.chunks(self.batch) {
            let batch = self
                .source
                .batch(indices)
                .map_err(TrainError::set("valid"))?;
            let dt_ms = self.source.dt_ms();
            let runs = Runs::new(surrogate, x, &batch, dt_ms, self.precision, &self.device)?;
            let observer = recorder(&self.loss, self.source.every());
            let outcome = runs.simulation.run(&runs.stimulus, 1.0, &[observer])?;
            for (fiber, outcome) in outcome.fibers.iter().enumerate() {
                if matches!(outcome.status, FiberStatus::Completed) {
                    let reference = batch.states.index_axis(Axis(0), fiber);
                    sum += self.loss.evaluate(reference, 0, 0, recording(outcome)).loss;
                    counted += 1;
                }
            }
        }
        let mean = (counted > 0).then(|| sum / counted as f64);
        Ok((mean, self.count - counted))
    }
}
