//! Many currents through one set of contacts, on one population of fibers.
//!
//! A [`Basis`] has the effect of every contact on every fiber, sampled and projected once. Currents are then a matrix of
//! gains `[candidate, contact]`, and every question is one call for all candidates and fibers: which fibers fire
//! ([`Basis::activation`]), at which multiple of the currents they would ([`Basis::thresholds`]), and how that multiple
//! moves with each gain ([`Basis::threshold_gradients`], on a tape [`Basis::ln_thresholds`]) and with each current at each
//! step ([`Basis::current_gradients`]). [`Basis::with_waveforms`] changes the waveforms, for several stimuli at once.
//! Losses on a state of the membrane, such as a gate, take its sums ([`Basis::state_sums`]) and their derivatives.

mod activation;
mod bound;
mod current_gradients;
mod state_sums;
mod stimuli;
mod tape;
mod thresholds;

use std::sync::Arc;

use axonml_autodiff::cable::Projection;
use axonml_autodiff::engine::{Rollout, Source};
use axonml_core::CoreError;
use ndarray::{ArrayView1, ArrayView2};

use crate::scaling::{Scaling, SourceGain};
use crate::{Simulation, SimulationError, Stimulus};

pub use activation::{Activation, ActivationOptions};
pub use bound::LossBound;
pub use state_sums::StateSum;

/// Most pairs of a candidate and a fiber that are simulated at once, groups enough for many threads, and the bytes that
/// they may take. No result depends on them.
const CHUNK: usize = 2048;
const CHUNK_BYTES: usize = 128 << 20;

/// The contacts of a population of fibers, with their effect on each fiber.
///
/// # Shape
/// Gains are `[candidate, contact]`; results are `[candidate, fiber]`.
///
/// # Units
/// Gains are currents in mA where contacts are given per mA ([`Stimulus`]); thresholds of a row of gains multiply the
/// row, and are in mA where its gains are numbers without unit.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use axonml_core::{Medium, PointSource, Waveform};
/// use axonml_models::{
///     ActivationOptions, Device, Fiber, Settings, Simulation, Stimulus, model,
/// };
///
/// // Two fibers between two electrodes.
/// let settings = Settings { tstop_ms: 2.0, ..Settings::default() };
/// let fibers = vec![Fiber::new(10.0, 21); 2];
/// let simulation = Simulation::new(&model("mrg")?, fibers, &settings, &Device::cpu()?)?;
/// let pulse: Arc<Waveform> = Arc::new("monophasic:pw=0.1,delay=0.1".parse()?);
/// let contact = |x_um: f64| {
///     Arc::new(PointSource { x_um, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) })
/// };
/// let contacts = Stimulus::none(2)
///     .source(0, contact(500.0), pulse.clone())
///     .source(0, contact(2500.0), pulse.clone())
///     .source(1, contact(2500.0), pulse.clone())
///     .source(1, contact(500.0), pulse.clone());
/// let basis = simulation.basis(&contacts)?;
/// // 0.2 mA through either contact fires the fiber beside it.
/// let gains = ndarray::array![[0.2, 0.0], [0.0, 0.2]];
/// let active = basis.activation(gains.view(), &ActivationOptions::default(), &mut |_| ())?;
/// let fires = active.map(|activation| activation.fires());
/// assert_eq!(fires, ndarray::array![[Some(true), Some(false)], [Some(false), Some(true)]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Basis {
    simulation: Simulation,
    /// All sources of all fibers, at gains of 1.
    whole: Rollout,
    scaling: Scaling,
    contacts: usize,
    /// Times that the fibers are repeated, each time with other waveforms.
    stimuli: usize,
}

impl Simulation {
    /// The effect of contacts on the fibers: the contacts are the sources of `stimulus` that an amplitude scales, in
    /// their order, of every fiber the same number. Currents that are not scaled ([`Stimulus::inject`]) act in every run.
    ///
    /// # Errors
    /// [`SimulationError`] as [`Simulation::run`], and if fibers differ in their number of contacts or have none.
    pub fn basis(&self, stimulus: &Stimulus) -> Result<Basis, SimulationError> {
        let whole = self.rollout(stimulus, &[])?;
        let scaling = stimulus.scaling();
        let each = 0..self.fibers().len();
        let mut counts = each.map(|fiber| scaling.scaled_sources(fiber)).enumerate();
        let contacts = counts.next().map_or(0, |(_, count)| count);
        if let Some((fiber, count)) = counts.find(|(_, count)| *count != contacts) {
            return Err(CoreError::BadValue {
                what: format!("the number of contacts of fiber {fiber}"),
                found: count.to_string(),
                expected: format!("{contacts}, as of fiber 0"),
            }
            .into());
        }
        if contacts == 0 {
            return Err(CoreError::BadValue {
                what: "the contacts".into(),
                found: "none".into(),
                expected: "at least one fiber, and one source of each that the amplitude scales"
                    .into(),
            }
            .into());
        }
        whole.check()?;
        Ok(Basis {
            simulation: self.clone(),
            whole,
            scaling,
            contacts,
            stimuli: 1,
        })
    }
}

/// A candidate and a fiber.
pub type Pair = (usize, usize);

/// Pairs of candidates and fibers as the fibers of a simulation; an amplitude of 1 is the candidate's gains as they are.
struct Batch {
    simulation: Simulation,
    whole: Rollout,
    scaling: Scaling,
}

impl Basis {
    /// Number of contacts.
    pub fn contacts(&self) -> usize {
        self.contacts
    }

    /// The fibers.
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// Pairs to simulate at once.
    fn chunk(&self) -> usize {
        let numbers = self.whole.fibers.iter().map(|fiber| {
            let cable = &fiber.cable;
            cable.nodes() + cable.mode_count() + cable.samples()
        });
        // The sum of the contacts, and as much again for states and twice for crossings and copies.
        let pair_bytes = 4 * size_of::<f64>() * numbers.max().unwrap_or(1).max(1);
        (CHUNK_BYTES / pair_bytes).clamp(1, CHUNK)
    }

    /// Pairs whose results are arrays `[candidate, fiber]`, fiber by fiber.
    fn pairs(&self, candidates: usize) -> Vec<Pair> {
        let fibers = 0..self.whole.fibers.len();
        fibers
            .flat_map(|fiber| (0..candidates).map(move |candidate| (candidate, fiber)))
            .collect()
    }

    fn check_shape(
        &self,
        what: &str,
        candidates: usize,
        found: (usize, usize),
    ) -> Result<(), CoreError> {
        let expected = (candidates, self.whole.fibers.len());
        match found == expected {
            true => Ok(()),
            false => Err(CoreError::Shape {
                what: what.into(),
                expected: format!("{expected:?}, one per candidate and fiber"),
                found: format!("{found:?}"),
            }),
        }
    }

    fn check_pairs(&self, candidates: usize, pairs: &[Pair]) -> Result<(), CoreError> {
        let fibers = self.whole.fibers.len();
        let is_none = |&&(candidate, fiber): &&Pair| candidate >= candidates || fiber >= fibers;
        match pairs.iter().find(is_none) {
            None => Ok(()),
            Some(pair) => Err(CoreError::BadValue {
                what: "a pair of a candidate and a fiber".into(),
                found: format!("{pair:?}"),
                expected: format!("one of {candidates} candidates, and of {fibers} fibers"),
            }),
        }
    }

    fn check_gains(&self, gains: ArrayView2<'_, f64>) -> Result<(), CoreError> {
        if gains.ncols() != self.contacts {
            return Err(CoreError::Shape {
                what: "the gains".into(),
                expected: format!("a column for each of {} contacts", self.contacts),
                found: gains.ncols().to_string(),
            });
        }
        match gains.indexed_iter().find(|(_, gain)| !gain.is_finite()) {
            None => Ok(()),
            Some(((candidate, contact), gain)) => Err(CoreError::BadValue {
                what: format!("the gain of contact {contact} in candidate {candidate}"),
                found: gain.to_string(),
                expected: "a finite number".into(),
            }),
        }
    }

    /// The largest current into a node of a fiber at a candidate's gains, nA, if all contacts were on at once: candidates
    /// of like drive respond at like times.
    fn drive_na(&self, fiber: usize, gains: ArrayView1<'_, f64>) -> f64 {
        let mut sum = vec![0.0; self.whole.fibers[fiber].cable.nodes()];
        let own = self.whole.drive.sources[fiber].iter();
        let contacts = own
            .zip(self.scaling.sources(fiber))
            .filter(|(_, gain)| gain.is_scaled());
        for ((source, _), gain) in contacts.zip(gains) {
            if let Source::Separable { projection, .. } = source {
                let terms = sum.iter_mut().zip(&projection.nodes_na);
                terms.for_each(|(sum, x)| *sum += gain * x);
            }
        }
        sum.into_iter().fold(0.0, |most, x| x.abs().max(most))
    }

    fn batch(&self, gains: ArrayView2<'_, f64>, pairs: &[Pair]) -> Batch {
        let fibers = || pairs.iter().map(|&(_, fiber)| fiber);
        let mut whole = self.whole.select(fibers());
        let mut scalings = Vec::with_capacity(pairs.len());
        for (index, &(candidate, fiber)) in pairs.iter().enumerate() {
            let (sources, scaling) = self.sources(fiber, gains.row(candidate));
            whole.drive.sources[index] = Arc::new(sources);
            scalings.push(scaling);
        }
        let scaling = Scaling::new(scalings);
        whole.drive.gains = scaling.gains_of((0..pairs.len()).map(|index| (index, 1.0)));
        Batch {
            simulation: self.simulation.select(fibers()),
            whole,
            scaling,
        }
    }

    /// The sources of a fiber at a candidate's gains. Contacts of one waveform are summed: a run takes one source for
    /// all of them.
    fn sources(&self, fiber: usize, gains: ArrayView1<'_, f64>) -> (Vec<Source>, Vec<SourceGain>) {
        let mut sources: Vec<Source> = Vec::new();
        let mut scaling: Vec<SourceGain> = Vec::new();
        let own = self.whole.drive.sources[fiber].iter();
        let mut gains = gains.iter();
        for (source, given) in own.zip(self.scaling.sources(fiber)) {
            if !given.is_scaled() {
                sources.push(source.clone());
                scaling.push(*given);
                continue;
            }
            let Some(&gain) = gains.next() else {
                unreachable!("a row of gains was checked to have one per contact")
            };
            let shared = sources
                .iter()
                .zip(&scaling)
                .position(|(known, gain)| gain.is_scaled() && adds_to(known, source));
            let Some(place) = shared else {
                sources.push(source.clone());
                scaling.push(SourceGain::Scaled(gain));
                continue;
            };
            if let SourceGain::Scaled(first) = scaling[place]
                && first != 1.0
            {
                multiply(&mut sources[place], first);
                scaling[place] = SourceGain::Scaled(1.0);
            }
            add(&mut sources[place], source, gain);
        }
        (sources, scaling)
    }

    /// The contacts of a fiber, each with the index in [`Basis::sources`] of the source that it is part of, and whether it
    /// is a part and not the whole.
    fn contact_places(&self, fiber: usize) -> Vec<(&Source, usize, bool)> {
        let mut known: Vec<Option<&Source>> = Vec::new();
        let mut places = Vec::with_capacity(self.contacts);
        let own = self.whole.drive.sources[fiber].iter();
        for (source, gain) in own.zip(self.scaling.sources(fiber)) {
            if !gain.is_scaled() {
                known.push(None);
                continue;
            }
            let shared = known
                .iter()
                .position(|known| known.is_some_and(|known| adds_to(known, source)));
            places.push((source, shared.unwrap_or(known.len())));
            if shared.is_none() {
                known.push(Some(source));
            }
        }
        let is_shared = |place: usize| places.iter().filter(|of| of.1 == place).count() > 1;
        let each = places.iter();
        each.map(|&(source, place)| (source, place, is_shared(place)))
            .collect()
    }
}

/// An error of a batch as one of a candidate and its fiber.
fn of_pair(mut error: SimulationError, pairs: &[Pair]) -> SimulationError {
    let (SimulationError::Stimulus { fiber, .. }
    | SimulationError::Diverged { fiber, .. }
    | SimulationError::NoThreshold { fiber, .. }
    | SimulationError::GradientNotFinite { fiber, .. }) = &mut error
    else {
        return error;
    };
    let (candidate, own) = pairs[*fiber];
    *fiber = own;
    SimulationError::Candidate {
        candidate,
        source: Box::new(error),
    }
}

/// Whether two sources are one: they have the same waveform, and both have potentials or neither.
fn adds_to(known: &Source, source: &Source) -> bool {
    match (known, source) {
        (
            Source::Separable {
                potentials: known_potentials,
                waveform: known,
                ..
            },
            Source::Separable {
                potentials,
                waveform,
                ..
            },
        ) => known == waveform && known_potentials.is_some() == potentials.is_some(),
        _ => false,
    }
}

/// Acts on the numbers of a separable source: projection and potentials.
fn each_array(source: &mut Source, mut act: impl FnMut(&mut Vec<f64>)) {
    if let Source::Separable {
        projection,
        potentials,
        ..
    } = source
    {
        let projection: &mut Projection = Arc::make_mut(projection);
        act(&mut projection.nodes_na);
        act(&mut projection.modes);
        if let Some(potentials) = potentials {
            act(Arc::make_mut(potentials));
        }
    }
}

fn multiply(source: &mut Source, factor: f64) {
    each_array(source, |values| {
        values.iter_mut().for_each(|x| *x *= factor);
    });
}

/// `to += gain * source`.
fn add(to: &mut Source, source: &Source, gain: f64) {
    let Source::Separable {
        projection,
        potentials,
        ..
    } = source
    else {
        unreachable!("space-time potentials are not summed")
    };
    let potentials = potentials.iter().map(|potentials| &potentials[..]);
    let mut terms = [&projection.nodes_na[..], &projection.modes]
        .into_iter()
        .chain(potentials);
    each_array(to, |sum| {
        let Some(term) = terms.next() else {
            unreachable!("sources that are added have the same arrays")
        };
        sum.iter_mut()
            .zip(term)
            .for_each(|(sum, x)| *sum += gain * x);
    });
}
