//! The fibers that a stimulus acts on, of one or several models, as one list.

mod gradients;
mod part;
mod state_sums;

use std::sync::Arc;

use axonml_core::CoreError;
use axonml_models::{
    Activation, ActivationOptions, Basis, Pair, Progress, Threshold, ThresholdSearch,
};
use ndarray::Array2;

use super::{Delivered, DesignError};
pub use gradients::Cotangent;
use part::Part;

/// Fibers of one or several models with the contacts that act on them, under one numbering.
///
/// Fibers of one model, time grid and arithmetic share a [`Basis`]; each tells which of the population's fibers are its
/// own. All have the same contacts and steps.
#[derive(Clone, Debug)]
pub struct Population {
    parts: Vec<Part>,
    fibers: usize,
    waveform: Arc<Vec<f64>>,
    dt_ms: f64,
}

/// Thresholds of all fibers under one stimulus, as multiples of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multiples {
    /// Threshold of each fiber as a multiple of the stimulus; `None` of fibers that never fire below the limits.
    pub thresholds: Vec<Option<f64>>,
    /// Fibers whose action potential begins at an end of the simulated piece: their thresholds are those of the piece.
    pub end_excitation: Vec<usize>,
    /// A fiber whose solution diverged, and the multiple: nothing is known of such a stimulus.
    pub diverged: Option<(usize, f64)>,
}

impl Population {
    /// The fibers of one basis, all of whose contacts have this waveform (one value per step, without unit).
    pub fn new(basis: Basis, waveform: Arc<Vec<f64>>) -> Result<Self, CoreError> {
        let fibers = (0..basis.simulation().fibers().len()).collect();
        Population::of_parts(vec![(basis, fibers)], waveform)
    }

    /// The fibers of several bases, each with the places of its fibers in the population.
    ///
    /// # Errors
    /// [`CoreError`] if there is no basis, if they differ in contacts or time grid, or if places are not those of a list.
    pub fn of_parts(
        parts: Vec<(Basis, Vec<usize>)>,
        waveform: Arc<Vec<f64>>,
    ) -> Result<Self, CoreError> {
        let bad = |what: &str, found: String, expected: String| CoreError::BadValue {
            what: what.into(),
            found,
            expected,
        };
        let Some((first, _)) = parts.first() else {
            let expected = "at least one fiber".into();
            return Err(bad("the fibers of the population", "none".into(), expected));
        };
        let (contacts, grid) = (first.contacts(), *first.simulation().grid());
        if waveform.len() != grid.steps() {
            let expected = format!("one value for each of {} steps", grid.steps());
            return Err(bad("the waveform", waveform.len().to_string(), expected));
        }
        for (basis, _) in &parts {
            let own = (basis.contacts(), *basis.simulation().grid());
            if own != (contacts, grid) {
                let found = format!("{} contacts, {} steps", own.0, own.1.steps());
                let expected = format!(
                    "{contacts} contacts, {} steps of the same length",
                    grid.steps()
                );
                return Err(bad("contacts and time grid of fibers", found, expected));
            }
        }
        let counts = parts
            .iter()
            .map(|(basis, _)| basis.simulation().fibers().len());
        let fibers: usize = counts.sum();
        let mut places: Vec<usize> = parts
            .iter()
            .flat_map(|(_, places)| places.clone())
            .collect();
        places.sort_unstable();
        if !places.iter().copied().eq(0..fibers) {
            let expected = format!("each of 0 to {} once", fibers.saturating_sub(1));
            return Err(bad("the places of fibers", format!("{places:?}"), expected));
        }
        let parts = parts.into_iter();
        Ok(Population {
            parts: parts
                .map(|(basis, fibers)| Part { basis, fibers })
                .collect(),
            fibers,
            waveform,
            dt_ms: grid.dt_ms(),
        })
    }

    /// Number of fibers.
    pub fn fibers(&self) -> usize {
        self.fibers
    }

    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.parts[0].basis.contacts()
    }

    /// Time step, ms.
    pub fn dt_ms(&self) -> f64 {
        self.dt_ms
    }

    /// The reference waveform.
    pub fn waveform(&self) -> &Arc<Vec<f64>> {
        &self.waveform
    }

    /// The bases with the places of their fibers.
    pub fn parts(&self) -> impl Iterator<Item = (&Basis, &[usize])> {
        self.parts
            .iter()
            .map(|part| (&part.basis, &part.fibers[..]))
    }

    /// Thresholds of all fibers under each stimulus.
    ///
    /// Guesses, thresholds of similar stimuli, reduce the work and change no result.
    ///
    /// # Errors
    /// [`DesignError`] if a fiber fires without stimulus, or a simulation fails or is canceled.
    pub fn thresholds(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        guesses: Option<&[Vec<f64>]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Multiples>, DesignError> {
        self.some_thresholds(stimuli, &|_, _| true, search, guesses, progress)
    }

    /// Thresholds under each stimulus of the fibers that are `wanted` (by stimulus and fiber); `None` of all others.
    ///
    /// # Errors
    /// As [`Population::thresholds`].
    pub fn some_thresholds(
        &self,
        stimuli: &[Delivered],
        wanted: &dyn Fn(usize, usize) -> bool,
        search: &ThresholdSearch,
        guesses: Option<&[Vec<f64>]>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Multiples>, DesignError> {
        let mut all = vec![
            Multiples {
                thresholds: vec![None; self.fibers],
                ..Multiples::default()
            };
            stimuli.len()
        ];
        let mut done = 0.0;
        for part in &self.parts {
            let share = part.fibers.len() as f64 / self.fibers as f64;
            let view = part.view(stimuli, &self.waveform)?;
            let places = part.places(stimuli.len(), wanted);
            let pairs: Vec<Pair> = places.iter().map(|place| view.pair(*place)).collect();
            let guesses: Option<Vec<f64>> = guesses.map(|guesses| {
                let of = |&(stimulus, own): &(usize, usize)| guesses[stimulus][part.fibers[own]];
                places.iter().map(of).collect()
            });
            let found = view.basis().thresholds_of(
                view.gains.view(),
                &pairs,
                search,
                guesses.as_deref(),
                &mut |fraction| progress(done + share * fraction),
            )?;
            done += share;
            for ((stimulus, own), threshold) in places.into_iter().zip(found) {
                all[stimulus].put(part.fibers[own], threshold)?;
            }
        }
        for multiples in &mut all {
            multiples.end_excitation.sort_unstable();
        }
        Ok(all)
    }

    /// Which of the fibers that are `wanted` (by stimulus and fiber) fire under each stimulus as delivered,
    /// `[stimulus, fiber]`; `None` of all others, and where a run diverged.
    ///
    /// # Errors
    /// As [`Population::thresholds`].
    pub fn some_activation(
        &self,
        stimuli: &[Delivered],
        wanted: &dyn Fn(usize, usize) -> bool,
        options: &ActivationOptions,
    ) -> Result<Array2<Option<bool>>, DesignError> {
        let mut all = Array2::from_elem((stimuli.len(), self.fibers), None);
        for part in &self.parts {
            let view = part.view(stimuli, &self.waveform)?;
            let places = part.places(stimuli.len(), wanted);
            let pairs: Vec<Pair> = places.iter().map(|place| view.pair(*place)).collect();
            let basis = view.basis();
            let found = basis.activation_of(view.gains.view(), &pairs, options, &mut |_| ())?;
            for ((stimulus, own), activation) in places.into_iter().zip(found) {
                let fiber = part.fibers[own];
                if activation == Activation::Spontaneous {
                    return Err(DesignError::Spontaneous { fiber });
                }
                all[[stimulus, fiber]] = activation.fires();
            }
        }
        Ok(all)
    }

    /// Which fibers fire under each stimulus as delivered, `[stimulus, fiber]`; `None` where a run diverged or was left
    /// out.
    ///
    /// # Errors
    /// As [`Population::thresholds`].
    pub fn activation(
        &self,
        stimuli: &[Delivered],
        options: &ActivationOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Array2<Option<bool>>, DesignError> {
        let mut all = Array2::from_elem((stimuli.len(), self.fibers), None);
        let mut done = 0.0;
        for part in &self.parts {
            let share = part.fibers.len() as f64 / self.fibers as f64;
            let view = part.view(stimuli, &self.waveform)?;
            let found = view
                .basis()
                .activation(view.gains.view(), options, &mut |fraction| {
                    progress(done + share * fraction)
                })?;
            done += share;
            for stimulus in 0..stimuli.len() {
                for (own, &fiber) in part.fibers.iter().enumerate() {
                    let activation = found[view.pair((stimulus, own))];
                    if activation == Activation::Spontaneous {
                        return Err(DesignError::Spontaneous { fiber });
                    }
                    all[[stimulus, fiber]] = activation.fires();
                }
            }
        }
        Ok(all)
    }
}

impl Multiples {
    /// Notes the threshold of a fiber.
    fn put(&mut self, fiber: usize, threshold: Threshold) -> Result<(), DesignError> {
        match threshold {
            Threshold::Spontaneous => return Err(DesignError::Spontaneous { fiber }),
            Threshold::Diverged { amplitude_ma, .. } => {
                self.diverged = self.diverged.or(Some((fiber, amplitude_ma)));
            }
            _ => {}
        }
        if threshold.status() == "end_excitation" {
            self.end_excitation.push(fiber);
        }
        self.thresholds[fiber] = threshold.upper_ma();
        Ok(())
    }

    /// Adds what is known of other fibers.
    pub(super) fn join(&mut self, other: Multiples) {
        for (own, other) in self.thresholds.iter_mut().zip(other.thresholds) {
            *own = own.or(other);
        }
        self.end_excitation.extend(other.end_excitation);
        self.end_excitation.sort_unstable();
        self.diverged = self.diverged.or(other.diverged);
    }

    /// The thresholds as multiples of `factor` times the stimulus.
    pub fn of_multiple(&self, factor: f64) -> Vec<Option<f64>> {
        let each = self.thresholds.iter();
        each.map(|threshold| threshold.map(|least| least / factor))
            .collect()
    }
}
