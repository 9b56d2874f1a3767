//! Which fibers fire at which gains.

use axonml_autodiff::engine::FiberStatus;
use ndarray::{Array2, ArrayView2};

use super::bound::LossBound;
use super::{Basis, Pair, of_pair};
use crate::threshold::Firing;
use crate::twin::{ContactTwins, Twins};
use crate::{Detection, Progress, SimulationError, SpikeStart};

/// Settings of [`Basis::activation`].
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationOptions {
    /// Criterion of an action potential, as of threshold searches.
    pub detection: Detection,
    /// Whether runs end once their fiber is back near its start and all sources are off, within the distance that the
    /// model declares ([`crate::Schema::quiet_band_mv`]); true by default.
    ///
    /// That such a fiber does not fire later is a heuristic: threshold searches confirm the bounds that they report by a
    /// whole run, while here every answer stands alone. Without it fibers are run to the end.
    pub early_end: bool,
    /// Gives candidates up whose loss is known to be too large; by default every fiber of every candidate is run.
    pub bound: Option<LossBound>,
}

impl Default for ActivationOptions {
    fn default() -> Self {
        ActivationOptions {
            detection: Detection::default(),
            early_end: true,
            bound: None,
        }
    }
}

/// The response of one fiber to one candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// An action potential reaches a detection site; its site and time of initiation.
    Fires(SpikeStart),
    /// None does.
    Silent {
        /// Whether nodes cross the level of detection all the same.
        crosses: bool,
        /// Whether the run ended when the fiber was quiet ([`ActivationOptions::early_end`]), before the last step.
        ended_early: bool,
    },
    /// The fiber fires, or its nodes cross the level, without any contact.
    Spontaneous,
    /// The solution diverged: a [`FiberStatus::Diverged`].
    Diverged(FiberStatus),
    /// Not simulated, as the candidate had lost before ([`LossBound`]).
    NotRun,
}

impl Activation {
    /// Whether the fiber fires; `None` if its run diverged or was left out.
    pub fn fires(&self) -> Option<bool> {
        match self {
            Activation::Fires(_) | Activation::Spontaneous => Some(true),
            Activation::Silent { .. } => Some(false),
            Activation::Diverged(_) | Activation::NotRun => None,
        }
    }
}

impl From<Firing> for Activation {
    fn from(firing: Firing) -> Self {
        match firing {
            Firing::Fires(start) => Activation::Fires(start),
            Firing::Silent {
                crosses,
                ended_early,
            } => Activation::Silent {
                crosses,
                ended_early,
            },
            Firing::Diverged(status) => Activation::Diverged(status),
        }
    }
}

impl Basis {
    /// Which fibers fire at the gains of each candidate, `[candidate, fiber]`.
    ///
    /// Firing means what it means in threshold searches ([`Detection`]). A run ends as soon as its answer is known. The
    /// answer for a candidate and a fiber does not depend on others, but for a [`LossBound`], which is one on the
    /// candidate's own fibers.
    ///
    /// # Errors
    /// [`SimulationError`] if the gains do not fit the contacts or are not finite, the detection does not fit a fiber or
    /// the run, or the bound has another number of fibers or candidates.
    pub fn activation(
        &self,
        gains: ArrayView2<'_, f64>,
        options: &ActivationOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Array2<Activation>, SimulationError> {
        self.check_gains(gains)?;
        let fibers = self.whole.fibers.len();
        let candidates = gains.nrows();
        let mut active = Array2::from_elem((candidates, fibers), Activation::NotRun);
        let by_itself = self.by_themselves(options)?;
        for (fiber, activation) in by_itself.iter().enumerate() {
            if let Some(activation) = activation {
                active.column_mut(fiber).fill(*activation);
            }
        }
        let all = [(0..fibers).collect::<Vec<usize>>()];
        let stages = match &options.bound {
            None => &all[..],
            Some(bound) => {
                bound.check(candidates, fibers)?;
                bound.stages()
            }
        };
        let mut done = 0;
        for stage in stages {
            let runs = |candidate: usize| match &options.bound {
                None => true,
                Some(bound) => {
                    let known = active.row(candidate);
                    let fires = known.iter().map(Activation::fires);
                    !bound.is_lost(candidate, bound.loss(fires))
                }
            };
            let open: Vec<usize> = (0..candidates)
                .filter(|&candidate| runs(candidate))
                .collect();
            let stimulated = stage.iter().filter(|&&fiber| by_itself[fiber].is_none());
            let pairs = stimulated.flat_map(|&fiber| self.by_drive(fiber, &open, gains));
            let pairs: Vec<Pair> = pairs.collect();
            for chunk in pairs.chunks(self.chunk()) {
                let batch = self.batch(gains, chunk);
                // Pairs of each contact alone, of the fibers of the chunk.
                let mut fibers: Vec<usize> = chunk.iter().map(|&(_, fiber)| fiber).collect();
                fibers.dedup();
                let alone: Vec<Pair> = fibers
                    .iter()
                    .flat_map(|&fiber| (0..self.contacts).map(move |contact| (contact, fiber)))
                    .collect();
                let units = self.batch(Array2::eye(self.contacts).view(), &alone);
                let mut place = 0;
                let members = chunk.iter().map(|&(candidate, fiber)| {
                    place += usize::from(fibers[place] != fiber);
                    (place, gains.row(candidate).to_vec())
                });
                let members = members.collect();
                let twins = Twins::new(&units.simulation, &units.whole, &units.scaling)?;
                let twins = ContactTwins::new(twins, self.contacts, members);
                let firings = batch.simulation.firings(
                    batch.whole,
                    &batch.scaling,
                    1.0,
                    &options.detection,
                    options.early_end,
                    Some(twins),
                );
                let firings = firings.map_err(|error| of_pair(error, chunk))?;
                for (&pair, firing) in chunk.iter().zip(firings) {
                    active[pair] = firing.into();
                }
                done += chunk.len();
                progress(done as f64 / active.len() as f64);
            }
        }
        progress(1.0);
        Ok(active)
    }

    /// A fiber with each candidate, those of like drive together, so that vector lanes share a cable and end at like
    /// times.
    fn by_drive(
        &self,
        fiber: usize,
        candidates: &[usize],
        gains: ArrayView2<'_, f64>,
    ) -> Vec<Pair> {
        let with_drive = |&candidate: &usize| {
            let drive_na = self.drive_na(fiber, gains.row(candidate));
            (drive_na, candidate)
        };
        let mut ordered: Vec<(f64, usize)> = candidates.iter().map(with_drive).collect();
        ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
        let pairs = ordered.into_iter();
        pairs.map(|(_, candidate)| (candidate, fiber)).collect()
    }

    /// The activation of fibers for which no contact is needed; `None` of those that are at rest without.
    fn by_themselves(
        &self,
        options: &ActivationOptions,
    ) -> Result<Vec<Option<Activation>>, SimulationError> {
        let firings = self.simulation.firings(
            self.whole.clone(),
            &self.scaling,
            0.0,
            &options.detection,
            false,
            None,
        )?;
        let each = firings.into_iter();
        Ok(each
            .map(|firing| match firing {
                Firing::Silent { crosses: false, .. } => None,
                Firing::Diverged(status) => Some(Activation::Diverged(status)),
                _ => Some(Activation::Spontaneous),
            })
            .collect())
    }
}
