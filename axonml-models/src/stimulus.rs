//! The stimulus of a batch of fibers: fields with their waveforms, and currents injected into nodes.

mod check;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use axonml_autodiff::cable::Projection;
use axonml_autodiff::engine::{CancelToken, Drive, Source};
use axonml_core::{CoreError, Field, SampledPotentials, TimeGrid, Waveform};

use crate::SimulationError;
use crate::built::BuiltFiber;
use crate::scaling::{Scaling, SourceGain};

/// The extracellular potential of one or several current sources along one fiber.
#[derive(Clone, Debug)]
enum Extracellular {
    /// A field of fixed shape times a waveform.
    Separable {
        field: Arc<dyn Field>,
        waveform: Arc<Waveform>,
    },
    /// Potentials at every sample point for every step, mV per unit amplitude, `[step, sample]` flattened.
    Dense(Arc<Vec<f64>>),
}

/// A current injected into a node.
#[derive(Clone, Debug)]
struct Injection {
    node: i64,
    strength: Strength,
    waveform: Arc<Waveform>,
}

/// The current of an injection while its waveform is 1.
#[derive(Clone, Copy, Debug)]
enum Strength {
    /// A current of its own, nA.
    Own(f64),
    /// The amplitude under study, mA.
    Scaled,
}

/// Nanoamperes in a milliampere: amplitudes under study are in mA, currents into nodes in nA.
pub const NA_PER_MA: f64 = 1e6;

/// The extracellular sources and injected currents of a simulation's fibers.
///
/// Extracellular sources are per unit amplitude (mV per mA, times a unit waveform); their amplitude is given per run or
/// searched for, and so is that of currents injected by [`Stimulus::inject_scaled`]. Currents injected by
/// [`Stimulus::inject`] have an amplitude of their own and are not scaled: spikes that condition a fiber, or that test
/// whether it conducts.
///
/// # Units
/// Amplitudes under study are mA, also where they scale an injected current: 1 nA is 1e-6 mA ([`NA_PER_MA`]).
///
/// # Panics
/// The methods that add something to a fiber panic for a fiber that the stimulus does not have.
#[derive(Clone, Debug)]
pub struct Stimulus {
    extracellular: Vec<Vec<Extracellular>>,
    injections: Vec<Vec<Injection>>,
}

impl Stimulus {
    /// No stimulus for `fibers` fibers.
    pub fn none(fibers: usize) -> Self {
        Stimulus {
            extracellular: vec![Vec::new(); fibers],
            injections: vec![Vec::new(); fibers],
        }
    }

    /// One field (as seen from any fiber's axis) and waveform for all of `fibers` fibers.
    pub fn uniform(fibers: usize, field: Arc<dyn Field>, waveform: Waveform) -> Self {
        let waveform = Arc::new(waveform);
        (0..fibers).fold(Stimulus::none(fibers), |stimulus, fiber| {
            stimulus.source(fiber, field.clone(), waveform.clone())
        })
    }

    /// Number of fibers.
    pub fn fibers(&self) -> usize {
        self.extracellular.len()
    }

    /// The stimulus of some of the fibers.
    pub(crate) fn part(&self, fibers: Range<usize>) -> Self {
        Stimulus {
            extracellular: self.extracellular[fibers.clone()].to_vec(),
            injections: self.injections[fibers].to_vec(),
        }
    }

    /// Adds a source to `fiber`. Sources of one waveform share the `Arc`, so that it is sampled once.
    #[must_use]
    pub fn source(mut self, fiber: usize, field: Arc<dyn Field>, waveform: Arc<Waveform>) -> Self {
        self.extracellular[fiber].push(Extracellular::Separable { field, waveform });
        self
    }

    /// Adds to `fiber` potentials given at its sample points, mV per unit amplitude, for one waveform.
    ///
    /// # Errors
    /// [`CoreError`] if a potential is not finite; a wrong count is reported when the simulation takes the stimulus.
    pub fn potentials(
        self,
        fiber: usize,
        ve_mv: Vec<f64>,
        waveform: Arc<Waveform>,
    ) -> Result<Self, CoreError> {
        Ok(self.source(fiber, Arc::new(SampledPotentials::new(ve_mv)?), waveform))
    }

    /// Adds to `fiber` potentials at every sample point for every step, mV per unit amplitude, `[step, sample]`
    /// flattened.
    #[must_use]
    pub fn space_time(mut self, fiber: usize, ve_mv: Arc<Vec<f64>>) -> Self {
        self.extracellular[fiber].push(Extracellular::Dense(ve_mv));
        self
    }

    /// Injects `amplitude_na` times `waveform` into a node of `fiber` (0-based; negative counts from the end), whatever
    /// the amplitude under study; positive depolarizes.
    #[must_use]
    pub fn inject(
        mut self,
        fiber: usize,
        node: i64,
        amplitude_na: f64,
        waveform: Arc<Waveform>,
    ) -> Self {
        self.injections[fiber].push(Injection {
            node,
            strength: Strength::Own(amplitude_na),
            waveform,
        });
        self
    }

    /// Injects the amplitude under study times `waveform` into a node of `fiber` (0-based; negative counts from the
    /// end); positive depolarizes. An activation threshold is then that of an intracellular current.
    ///
    /// A fiber's end has a higher input resistance than the fiber: an action potential that such a current starts there
    /// is an end excitation ([`crate::ThresholdKind::EndExcitation`]).
    ///
    /// # Units
    /// Amplitudes under study are mA throughout, so that grids of searches mean the same for every stimulus: at
    /// amplitude A the node receives [`NA_PER_MA`] A nA, and a threshold of 1 nA is reported as 1e-6 mA. The default
    /// [`crate::ThresholdSearch::max_ma`] of 20 mA is 20 A per fiber; searches of fibers that may not fire end sooner,
    /// and do not diverge, with 1e-3 mA or less.
    ///
    /// # Example
    /// ```
    /// use std::sync::Arc;
    /// use axonml_core::Waveform;
    /// use axonml_models::{
    ///     Device, Fiber, NA_PER_MA, Settings, Simulation, Stimulus, ThresholdSearch, model,
    /// };
    ///
    /// let fibers = vec![Fiber::new(10.0, 53)];
    /// let simulation = Simulation::new(&model("mrg")?, fibers, &Settings::default(), &Device::auto()?)?;
    /// // Pulses are cathodic first; inside a fiber the depolarizing current is positive.
    /// let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
    /// let stimulus = Stimulus::none(1).inject_scaled(0, 26, Arc::new(pulse.flipped()));
    /// let found = simulation.thresholds(&stimulus, &ThresholdSearch::default(), &mut |_| ())?[0];
    /// let threshold_na = NA_PER_MA * found.upper_ma().expect("the fiber fires");
    /// assert!((threshold_na - 0.996).abs() < 0.001);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inject_scaled(mut self, fiber: usize, node: i64, waveform: Arc<Waveform>) -> Self {
        self.injections[fiber].push(Injection {
            node,
            strength: Strength::Scaled,
            waveform,
        });
        self
    }

    /// How the gains of the fibers' sources depend on the amplitude under study.
    pub fn scaling(&self) -> Scaling {
        let each = self.extracellular.iter().zip(&self.injections);
        Scaling::new(each.map(|(sources, injections)| {
            let sources = sources.iter().map(|_| SourceGain::Scaled(1.0));
            let injections = injections.iter().map(|injection| match injection.strength {
                Strength::Own(_) => SourceGain::Fixed(1.0),
                Strength::Scaled => SourceGain::Scaled(1.0),
            });
            sources.chain(injections).collect()
        }))
    }

    /// The fields of fixed shape around `fiber`.
    pub(crate) fn fields(&self, fiber: usize) -> impl Iterator<Item = &dyn Field> {
        let sources = self.extracellular[fiber].iter();
        sources.filter_map(|source| match source {
            Extracellular::Separable { field, .. } => Some(&**field),
            Extracellular::Dense(_) => None,
        })
    }

    /// Whether all that is scaled by the amplitude is zero at these points of `fiber` and at all steps.
    pub(crate) fn is_zero(&self, fiber: usize, sample_z_um: &[f64], grid: &TimeGrid) -> bool {
        let zero = |values: &[f64]| values.iter().all(|x| *x == 0.0);
        let silent = |waveform: &Waveform| waveform.sample(grid).is_ok_and(|steps| zero(&steps));
        let mut sources = self.extracellular[fiber].iter();
        let mut injections = self.injections[fiber].iter();
        let of_source = |source: &Extracellular| match source {
            Extracellular::Separable { field, waveform } => {
                silent(waveform) || field.potentials_mv(sample_z_um).is_ok_and(|ve| zero(&ve))
            }
            Extracellular::Dense(ve) => zero(ve),
        };
        sources.all(of_source)
            && injections.all(|injection| match injection.strength {
                Strength::Own(_) => true,
                Strength::Scaled => silent(&injection.waveform),
            })
    }

    /// Samples fields at the fibers' sample points and waveforms at the steps. The amplitude under study is 1.
    pub(crate) fn lower(
        &self,
        fibers: &[Arc<BuiltFiber>],
        grid: &TimeGrid,
        cancel: &CancelToken,
    ) -> Result<Drive, SimulationError> {
        self.check_count(fibers.len())?;
        let mut bank = WaveformBank::new(grid);
        // Fields that fibers of one geometry share are sampled and projected once.
        let mut projected: HashMap<(*const (), *const BuiltFiber), Projected> = HashMap::new();
        let mut sources = Vec::with_capacity(fibers.len());
        for (index, fiber) in fibers.iter().enumerate() {
            cancel.check()?;
            let wrong = |source: CoreError| SimulationError::Stimulus {
                fiber: index,
                source,
            };
            let cable = &fiber.cable;
            let mut of_fiber = Vec::new();
            for source in &self.extracellular[index] {
                of_fiber.push(match source {
                    Extracellular::Separable { field, waveform } => {
                        let key = (Arc::as_ptr(field).cast::<()>(), Arc::as_ptr(fiber));
                        let (projection, potentials) = match projected.get(&key) {
                            Some(known) => known.clone(),
                            None => {
                                let ve = check::sampled(&**field, fiber).map_err(wrong)?;
                                let new = (Arc::new(cable.project(&ve)), Arc::new(ve));
                                projected.insert(key, new.clone());
                                new
                            }
                        };
                        Source::Separable {
                            projection,
                            potentials: Some(potentials),
                            waveform: bank.index(waveform).map_err(wrong)?,
                        }
                    }
                    Extracellular::Dense(ve) => {
                        check::space_time(ve).map_err(wrong)?;
                        Source::SpaceTime(ve.clone())
                    }
                });
            }
            for injection in &self.injections[index] {
                let node = injection.node_of(cable).map_err(wrong)?;
                let unit_na = match injection.strength {
                    Strength::Own(amplitude_na) => amplitude_na,
                    Strength::Scaled => NA_PER_MA,
                };
                let mut projection = cable.inject(node);
                projection
                    .nodes_na
                    .iter_mut()
                    .for_each(|current| *current *= unit_na);
                let waveform = bank.index(&injection.waveform).map_err(wrong)?;
                of_fiber.push(Source::Separable {
                    projection: Arc::new(projection),
                    potentials: None,
                    waveform,
                });
            }
            sources.push(Arc::new(of_fiber));
        }
        Ok(Drive {
            waveforms: bank.waveforms,
            sources,
            gains: self
                .scaling()
                .gains_of((0..fibers.len()).map(|fiber| (fiber, 1.0))),
        })
    }
}

/// Effect of a field on nodes and modes, and the potentials it came from.
type Projected = (Arc<Projection>, Arc<Vec<f64>>);

/// Sampled waveforms, each once.
struct WaveformBank<'g> {
    grid: &'g TimeGrid,
    known: HashMap<*const Waveform, usize>,
    waveforms: Vec<Arc<Vec<f64>>>,
}

impl<'g> WaveformBank<'g> {
    fn new(grid: &'g TimeGrid) -> Self {
        WaveformBank {
            grid,
            known: HashMap::new(),
            waveforms: Vec::new(),
        }
    }

    fn index(&mut self, waveform: &Arc<Waveform>) -> Result<usize, CoreError> {
        if let Some(&index) = self.known.get(&Arc::as_ptr(waveform)) {
            return Ok(index);
        }
        self.waveforms.push(Arc::new(waveform.sample(self.grid)?));
        let index = self.waveforms.len() - 1;
        self.known.insert(Arc::as_ptr(waveform), index);
        Ok(index)
    }
}
