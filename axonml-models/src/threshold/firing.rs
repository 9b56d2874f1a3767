//! Whether fibers fire at one amplitude, by the rules of threshold searches.

use axonml_autodiff::engine::{FiberStatus, Rollout};

use super::grid::Verdict;
use super::seen::observe;
use super::trials::Trials;
use crate::scaling::Scaling;
use crate::twin::ContactTwins;
use crate::{Detection, Simulation, SimulationError, SpikeStart};

/// The response of a fiber to one amplitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Firing {
    /// An action potential reaches a detection site.
    Fires(SpikeStart),
    /// None does; whether nodes cross the level, and whether the run ended when the fiber was quiet.
    Silent { crosses: bool, ended_early: bool },
    /// The solution diverged.
    Diverged(FiberStatus),
}

impl Simulation {
    /// The responses of all fibers of a rollout of this simulation, without observers, at one amplitude. `contacts` are
    /// the twins of the rollout's fibers, where they are known. Fibers and start of the rollout are those of one that was
    /// checked; its sources and gains are checked when it is run.
    pub(crate) fn firings(
        &self,
        mut whole: Rollout,
        scaling: &Scaling,
        amplitude_ma: f64,
        detection: &Detection,
        early_end: bool,
        contacts: Option<ContactTwins<'_>>,
    ) -> Result<Vec<Firing>, SimulationError> {
        detection.check(self.grid())?;
        observe(&mut whole, detection)?;
        let quiet_band_mv = self.schema().quiet_band_mv.filter(|_| early_end);
        let trials = Trials::new(self, &whole, scaling, detection)?;
        let mut trials = trials.ending(quiet_band_mv).on_contacts(contacts);
        let all: Vec<_> = (0..whole.fibers.len())
            .map(|fiber| (fiber, amplitude_ma))
            .collect();
        let answers = trials.searched(&all)?;
        let each = all.iter().map(|&(fiber, amplitude_ma)| {
            let key = (fiber, amplitude_ma.to_bits());
            let Some(answer) = answers.get(&key) else {
                unreachable!("every trial has an answer")
            };
            match answer.verdict {
                Verdict::Fires(start) => Firing::Fires(start),
                Verdict::Diverged(status) => Firing::Diverged(status),
                Verdict::Quiet | Verdict::Local => Firing::Silent {
                    crosses: answer.verdict == Verdict::Local,
                    ended_early: answer.is_quiet,
                },
            }
        });
        Ok(each.collect())
    }
}
