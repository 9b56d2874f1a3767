//! The crossings that a search, or a run with detection, sees of one fiber.

use axonml_autodiff::engine::{
    BackendError, Crossing, FiberOutcome, FiberStatus, Observation, ObserverKind, ObserverSpec,
    Rollout,
};

use crate::SimulationError;
use crate::action_potentials::begun_from;
use crate::detection::{Crossings, Detection};

/// A fiber at an amplitude.
pub(super) type Trial = (usize, f64);

/// The crossings of a trial and the end of its run.
pub(super) struct Seen {
    pub(super) trial: Trial,
    pub(super) status: FiberStatus,
    pub(super) sites: Vec<usize>,
    pub(super) at_sites: Vec<Crossing>,
    pub(super) everywhere: Vec<Crossing>,
}

impl Seen {
    /// Takes the observations of a run's last observers, [`rasters`]: also all crossings from the beginning of
    /// detection on.
    pub(super) fn take(
        trial: Trial,
        outcome: &mut FiberOutcome,
        detection: &Detection,
        nodes: usize,
    ) -> Result<(Self, Vec<Crossing>), SimulationError> {
        let mut raster = || match outcome.observations.pop() {
            Some(Observation::Raster(crossings)) => Ok(crossings),
            _ => Err(SimulationError::Backend(BackendError::Unsupported(
                "the backend did not report the crossings of a run".into(),
            ))),
        };
        let everywhere = raster()?;
        let detected = match detection.after_ms > 0.0 {
            true => raster()?,
            false => everywhere.clone(),
        };
        let sites = detection.nodes(nodes)?;
        let at_site = |at: &&Crossing| sites.contains(&at.node);
        let seen = Seen {
            trial,
            status: outcome.status,
            at_sites: detected.iter().filter(at_site).copied().collect(),
            sites: sites.clone(),
            everywhere,
        };
        Ok((seen, detected))
    }

    /// Leaves out the action potentials that began before the state `first`.
    pub(super) fn since(mut self, first: usize) -> Self {
        self.everywhere = begun_from(first, &self.everywhere);
        let at_site = |at: &&Crossing| self.sites.contains(&at.node);
        self.at_sites = self.everywhere.iter().filter(at_site).copied().collect();
        self
    }

    pub(super) fn crossings(&self) -> Crossings<'_> {
        Crossings {
            at_sites: &self.at_sites,
            everywhere: &self.everywhere,
        }
    }
}

/// The observers that see all crossings: of every node from the start, and before it, where detection begins later,
/// from then on.
pub(super) fn rasters(detection: &Detection) -> Vec<ObserverSpec> {
    let everywhere = detection.everywhere(ObserverKind::Raster);
    let later = everywhere.clone().after_ms(detection.after_ms);
    let later = (detection.after_ms > 0.0).then_some(later);
    later.into_iter().chain([everywhere]).collect()
}

/// Checks that every fiber of `whole` has the detection sites.
pub(super) fn check_sites(whole: &Rollout, detection: &Detection) -> Result<(), SimulationError> {
    for (fiber, of) in whole.fibers.iter().enumerate() {
        let sites = detection.nodes_in(&of.cable);
        sites.map_err(|source| SimulationError::Stimulus { fiber, source })?;
    }
    Ok(())
}

/// Lets `whole` be watched as the trials of a search need it, and checks it.
pub(super) fn watch(whole: &mut Rollout, detection: &Detection) -> Result<(), SimulationError> {
    observe(whole, detection)?;
    Ok(whole.check()?)
}

/// The same for a rollout whose fibers and start were checked before.
pub(super) fn observe(whole: &mut Rollout, detection: &Detection) -> Result<(), SimulationError> {
    check_sites(whole, detection)?;
    whole.final_states = false;
    whole.observers = vec![detection.at_sites(ObserverKind::Active { at_least: 1 })];
    whole.observers.extend(rasters(detection));
    Ok(())
}
