//! The fibers that a stimulus acts on, of one or several models, as one list.

mod state_sums;

use std::sync::Arc;

use axonml_core::CoreError;
use axonml_models::{Activation, ActivationOptions, Basis, Progress, Threshold, ThresholdSearch};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::{Delivered, DesignError};

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

/// Fibers that share a basis.
#[derive(Clone, Debug)]
struct Part {
    basis: Basis,
    /// The place of each of its fibers in the population.
    fibers: Vec<usize>,
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

/// How a loss moves with a stimulus.
#[derive(Clone, Debug, PartialEq)]
pub enum Cotangent {
    /// Derivative by the amplitude of each contact.
    Amplitudes(Vec<f64>),
    /// Derivative by the current of each contact at each step, `[contact, step]`.
    Currents(Array2<f64>),
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
            let guesses = guesses.map(|guesses| {
                view.arranged(stimuli.len(), part.fibers.len(), |stimulus, fiber| {
                    guesses[stimulus][part.fibers[fiber]]
                })
            });
            let found = view.basis().thresholds(
                view.gains.view(),
                search,
                guesses.as_ref().map(|guesses| guesses.view()),
                &mut |fraction| progress(done + share * fraction),
            )?;
            done += share;
            for (stimulus, multiples) in all.iter_mut().enumerate() {
                for (own, &fiber) in part.fibers.iter().enumerate() {
                    let threshold = view.of(found.view(), stimulus, own, part.fibers.len());
                    multiples.put(fiber, threshold)?;
                }
            }
        }
        for multiples in &mut all {
            multiples.end_excitation.sort_unstable();
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
                    let activation = view.of(found.view(), stimulus, own, part.fibers.len());
                    if activation == Activation::Spontaneous {
                        return Err(DesignError::Spontaneous { fiber });
                    }
                    all[[stimulus, fiber]] = activation.fires();
                }
            }
        }
        Ok(all)
    }

    /// How losses move with their stimuli, from their derivatives by the logarithm of each fiber's threshold (0 where a
    /// fiber needs no gradient): by amplitudes where those are all that is asked for, else by every current.
    ///
    /// # Errors
    /// [`DesignError`] if a simulation fails or is canceled.
    pub fn gradients(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
        amplitudes_only: bool,
    ) -> Result<Vec<Cotangent>, DesignError> {
        match amplitudes_only {
            true => self.by_amplitudes(stimuli, search, multiples, by_ln_threshold),
            false => self.by_currents(stimuli, search, multiples, by_ln_threshold),
        }
    }

    /// By the amplitudes of stimuli that all have the reference waveform.
    fn by_amplitudes(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
    ) -> Result<Vec<Cotangent>, DesignError> {
        let mut sums = vec![vec![0.0; self.contacts()]; stimuli.len()];
        for part in &self.parts {
            let gains = gains(stimuli, self.contacts());
            let shape = (stimuli.len(), part.fibers.len());
            let known = Array2::from_shape_fn(shape, |(stimulus, own)| {
                let fiber = part.fibers[own];
                let moves = by_ln_threshold[stimulus][fiber] != 0.0;
                multiples[stimulus].thresholds[fiber].filter(|_| moves)
            });
            let found = part
                .basis
                .threshold_gradients(gains.view(), search, known.view())?;
            for ((stimulus, own, contact), by_gain) in found.indexed_iter() {
                let weight = by_ln_threshold[stimulus][part.fibers[own]];
                sums[stimulus][contact] += weight * by_gain;
            }
        }
        Ok(sums.into_iter().map(Cotangent::Amplitudes).collect())
    }

    /// By all currents. The derivatives of a stimulus are sums over its fibers, so that each is a call of its own.
    fn by_currents(
        &self,
        stimuli: &[Delivered],
        search: &ThresholdSearch,
        multiples: &[Multiples],
        by_ln_threshold: &[Vec<f64>],
    ) -> Result<Vec<Cotangent>, DesignError> {
        let of_stimulus = |stimulus: usize| {
            let mut sum = Array2::zeros((self.contacts(), self.waveform.len()));
            for part in &self.parts {
                let waveforms = stimuli[stimulus].in_ma();
                let basis = part.basis.with_waveforms(&[waveforms])?;
                let fibers = part.fibers.iter();
                let known = fibers
                    .clone()
                    .map(|fiber| multiples[stimulus].thresholds[*fiber]);
                let weights = fibers.map(|fiber| by_ln_threshold[stimulus][*fiber]);
                let row =
                    |values: Vec<_>| Array2::from_shape_fn((1, values.len()), |at| values[at.1]);
                let weights: Vec<f64> = weights.collect();
                let weights = Array2::from_shape_fn((1, weights.len()), |at| weights[at.1]);
                let found = basis.current_gradients(
                    Array2::ones((1, self.contacts())).view(),
                    search,
                    row(known.collect()).view(),
                    weights.view(),
                )?;
                sum += &found.index_axis(Axis(0), 0);
            }
            Ok(Cotangent::Currents(sum))
        };
        (0..stimuli.len())
            .into_par_iter()
            .map(of_stimulus)
            .collect()
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

    /// The thresholds as multiples of `factor` times the stimulus.
    pub fn of_multiple(&self, factor: f64) -> Vec<Option<f64>> {
        let each = self.thresholds.iter();
        each.map(|threshold| threshold.map(|least| least / factor))
            .collect()
    }
}

/// Amplitudes as rows of gains.
fn gains(stimuli: &[Delivered], contacts: usize) -> Array2<f64> {
    Array2::from_shape_fn((stimuli.len(), contacts), |(stimulus, contact)| {
        stimuli[stimulus].amplitudes_ma[contact]
    })
}

/// Stimuli as rows of gains of a part, or as fibers of their own.
struct View<'a> {
    part: &'a Part,
    /// A basis that has a copy of the fibers for each stimulus, each with the waveforms of its own.
    own: Option<Basis>,
    gains: Array2<f64>,
}

impl Part {
    /// `stimuli` on the fibers of this part, whose contacts have the waveform `reference`.
    fn view(
        &self,
        stimuli: &[Delivered],
        reference: &Arc<Vec<f64>>,
    ) -> Result<View<'_>, DesignError> {
        let contacts = self.basis.contacts();
        let shares = |stimulus: &Delivered| {
            let shared = stimulus.shared_waveform();
            shared.is_some_and(|waveform| Arc::ptr_eq(waveform, reference))
        };
        if stimuli.iter().all(shares) {
            return Ok(View {
                part: self,
                own: None,
                gains: gains(stimuli, contacts),
            });
        }
        let waveforms: Vec<Vec<Arc<Vec<f64>>>> = stimuli.iter().map(Delivered::in_ma).collect();
        Ok(View {
            part: self,
            own: Some(self.basis.with_waveforms(&waveforms)?),
            gains: Array2::ones((1, contacts)),
        })
    }
}

impl View<'_> {
    fn basis(&self) -> &Basis {
        self.own.as_ref().unwrap_or(&self.part.basis)
    }

    /// Row and column of a stimulus and a fiber of the part.
    fn place(&self, stimulus: usize, fiber: usize, fibers: usize) -> (usize, usize) {
        match self.own {
            None => (stimulus, fiber),
            Some(_) => (0, stimulus * fibers + fiber),
        }
    }

    fn of<T: Copy>(
        &self,
        found: ArrayView2<'_, T>,
        stimulus: usize,
        fiber: usize,
        fibers: usize,
    ) -> T {
        let (row, column) = self.place(stimulus, fiber, fibers);
        found[[row, column]]
    }

    /// Values of stimuli and fibers as the basis has them.
    fn arranged<T>(
        &self,
        stimuli: usize,
        fibers: usize,
        value: impl Fn(usize, usize) -> T,
    ) -> Array2<T> {
        match self.own {
            None => Array2::from_shape_fn((stimuli, fibers), |(stimulus, fiber)| {
                value(stimulus, fiber)
            }),
            Some(_) => Array2::from_shape_fn((1, stimuli * fibers), |(_, column)| {
                value(column / fibers, column % fibers)
            }),
        }
    }
}
