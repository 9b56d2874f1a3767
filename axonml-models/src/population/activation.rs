//! Which fibers fire at which gains.

use std::collections::HashMap;

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
            let pairs = stage
                .iter()
                .flat_map(|&fiber| open.iter().map(move |&candidate| (candidate, fiber)));
            let pairs: Vec<Pair> = pairs.filter(|pair| by_itself[pair.1].is_none()).collect();
            let all = active.len() as f64;
            let mut of_all =
                |fraction: f64| progress((done as f64 + fraction * pairs.len() as f64) / all);
            let found = self.firings(gains, &pairs, options, &mut of_all)?;
            for (&pair, activation) in pairs.iter().zip(found) {
                active[pair] = activation;
            }
            done += pairs.len();
        }
        progress(1.0);
        Ok(active)
    }

    /// [`Basis::activation`] of some pairs of a candidate and a fiber, in their order; a bound of the options is not looked
    /// at.
    ///
    /// # Errors
    /// As [`Basis::activation`], and if there is no such candidate or fiber.
    pub fn activation_of(
        &self,
        gains: ArrayView2<'_, f64>,
        pairs: &[Pair],
        options: &ActivationOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Activation>, SimulationError> {
        self.check_gains(gains)?;
        self.check_pairs(gains.nrows(), pairs)?;
        let by_itself = self.by_themselves(options)?;
        let stimulated = pairs.iter().copied();
        let stimulated: Vec<Pair> = stimulated
            .filter(|pair| by_itself[pair.1].is_none())
            .collect();
        let mut found = self
            .firings(gains, &stimulated, options, progress)?
            .into_iter();
        let each = pairs
            .iter()
            .map(|pair| by_itself[pair.1].or_else(|| found.next()));
        Ok(each.map(|of| of.unwrap_or(Activation::NotRun)).collect())
    }

    /// The activation of pairs whose fibers are at rest without a contact.
    fn firings(
        &self,
        gains: ArrayView2<'_, f64>,
        pairs: &[Pair],
        options: &ActivationOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Activation>, SimulationError> {
        let order = self.by_drive(gains, pairs);
        let mut found = vec![Activation::NotRun; pairs.len()];
        let mut done = 0;
        for chunk in order.chunks(self.chunk()) {
            let of_chunk: Vec<Pair> = chunk.iter().map(|&at| pairs[at]).collect();
            let batch = self.batch(gains, &of_chunk);
            // Pairs of each contact alone, of the fibers of the chunk.
            let mut fibers: Vec<usize> = of_chunk.iter().map(|&(_, fiber)| fiber).collect();
            fibers.dedup();
            let alone: Vec<Pair> = fibers
                .iter()
                .flat_map(|&fiber| (0..self.contacts).map(move |contact| (contact, fiber)))
                .collect();
            let units = self.batch(Array2::eye(self.contacts).view(), &alone);
            let mut place = 0;
            let members = of_chunk.iter().map(|&(candidate, fiber)| {
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
            let firings = firings.map_err(|error| of_pair(error, &of_chunk))?;
            for (&at, firing) in chunk.iter().zip(firings) {
                found[at] = firing.into();
            }
            done += chunk.len();
            progress(done as f64 / pairs.len() as f64);
        }
        Ok(found)
    }

    /// Places of pairs, fiber by fiber, those of like drive together, so that vector lanes share a cable and end at like
    /// times.
    fn by_drive(&self, gains: ArrayView2<'_, f64>, pairs: &[Pair]) -> Vec<usize> {
        let drive = |&(candidate, fiber): &Pair| self.drive_na(fiber, gains.row(candidate));
        let drives: Vec<f64> = pairs.iter().map(drive).collect();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for &(_, fiber) in pairs {
            let next = places.len();
            places.entry(fiber).or_insert(next);
        }
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|&a, &b| {
            let place = |at: usize| places[&pairs[at].1];
            (place(a).cmp(&place(b))).then(drives[a].total_cmp(&drives[b]))
        });
        order
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
