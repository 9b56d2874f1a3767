//! Validation of every number of a rollout: values that are not finite, or beyond the rollout's precision, are rejected
//! here for every backend alike.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::engine::BackendError;
use crate::engine::{Rollout, Source, Start};
use crate::ir::{Precision, Real};

/// Voltages beyond this, of either sign, are no membrane's, mV: a run that reaches one has diverged.
pub const LARGEST_MV: f64 = 1e4;

/// Largest magnitude of [`Rollout::v_reference_mv`], mV.
pub const LARGEST_REFERENCE_MV: f64 = LARGEST_MV / 2.0;

/// Location of numbers in a rollout, for visitors and messages; fibers, sources, waveforms and observers by their
/// 0-based index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberPlace {
    /// The potential that `u` is measured from.
    Reference,
    /// Values of the shared parameters.
    Shared,
    /// Values of a fiber's own parameters.
    Parameters {
        /// The fiber.
        fiber: usize,
    },
    /// A coefficient of a fiber's cable, one value or one per place.
    Cable {
        /// The fiber.
        fiber: usize,
        /// The coefficient, with its unit.
        coefficient: &'static str,
    },
    /// A waveform.
    Waveform(usize),
    /// The gains of a fiber's sources.
    Gains {
        /// The fiber.
        fiber: usize,
    },
    /// Effect of one unit of a source on a fiber.
    Projection {
        /// The fiber.
        fiber: usize,
        /// The source.
        source: usize,
    },
    /// Potentials of a unit of a source at a fiber's sample points.
    Potentials {
        /// The fiber.
        fiber: usize,
        /// The source.
        source: usize,
    },
    /// Potentials of a source for every step at a fiber's sample points.
    SpaceTime {
        /// The fiber.
        fiber: usize,
        /// The source.
        source: usize,
    },
    /// Membrane potentials that a run starts from; of all fibers, or of one.
    StartVoltage(Option<usize>),
    /// Values of the states that a run starts from; of all fibers, or of one.
    StartStates(Option<usize>),
    /// Internodal mode amplitudes that the run of a fiber starts from.
    StartModes(usize),
    /// Threshold and begin of an observer.
    Observer(usize),
}

impl fmt::Display for NumberPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |fiber: &Option<usize>| match fiber {
            Some(fiber) => format!("fiber {fiber}"),
            None => "all fibers".to_owned(),
        };
        match self {
            NumberPlace::Reference => write!(f, "the reference potential"),
            NumberPlace::Shared => write!(f, "the shared parameters"),
            NumberPlace::Parameters { fiber } => write!(f, "the parameters of fiber {fiber}"),
            NumberPlace::Cable { fiber, coefficient } => {
                write!(f, "the {coefficient} of the cable of fiber {fiber}")
            }
            NumberPlace::Waveform(index) => write!(f, "waveform {index}"),
            NumberPlace::Gains { fiber } => write!(f, "the gains of fiber {fiber}"),
            NumberPlace::Projection { fiber, source } => {
                write!(f, "the effect of source {source} on fiber {fiber}")
            }
            NumberPlace::Potentials { fiber, source } => {
                write!(f, "the potentials of source {source} along fiber {fiber}")
            }
            NumberPlace::SpaceTime { fiber, source } => write!(
                f,
                "the space-time potentials of source {source} along fiber {fiber}"
            ),
            NumberPlace::StartVoltage(fiber) => write!(f, "the start voltages of {}", of(fiber)),
            NumberPlace::StartStates(fiber) => write!(f, "the start states of {}", of(fiber)),
            NumberPlace::StartModes(fiber) => write!(f, "the start modes of fiber {fiber}"),
            NumberPlace::Observer(index) => write!(f, "the threshold or begin of observer {index}"),
        }
    }
}

impl Rollout {
    /// Shows `visit` every number of the rollout but the time grid, in slices. Arrays that several fibers share are shown
    /// once, as those of the first of them.
    ///
    /// # Errors
    /// The first that `visit` returns.
    pub fn for_each_number<E>(
        &self,
        mut visit: impl FnMut(NumberPlace, &[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_number_but_space_time(&mut visit)?;
        self.each_space_time(|fiber, source, potentials| {
            visit(NumberPlace::SpaceTime { fiber, source }, potentials)
        })
    }

    fn each_number_but_space_time<E>(
        &self,
        visit: &mut impl FnMut(NumberPlace, &[f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        visit(NumberPlace::Reference, &[self.v_reference_mv])?;
        visit(NumberPlace::Shared, &self.shared)?;
        let mut seen = Seen::default();
        for (fiber, of) in self.fibers.iter().enumerate() {
            visit(NumberPlace::Parameters { fiber }, &of.parameters)?;
            if seen.is_new(&of.cable) {
                of.cable.for_each_number(&mut |coefficient, values| {
                    visit(NumberPlace::Cable { fiber, coefficient }, values)
                })?;
            }
        }
        for (fiber, gains) in self.drive.gains.iter().enumerate() {
            visit(NumberPlace::Gains { fiber }, gains)?;
        }
        for (index, waveform) in self.drive.waveforms.iter().enumerate() {
            if seen.is_new(waveform) {
                visit(NumberPlace::Waveform(index), waveform)?;
            }
        }
        for (fiber, sources) in self.drive.sources.iter().enumerate() {
            if !seen.is_new(sources) {
                continue;
            }
            for (source, of) in sources.iter().enumerate() {
                let Source::Separable {
                    projection,
                    potentials,
                    ..
                } = of
                else {
                    continue;
                };
                if seen.is_new(projection) {
                    let place = NumberPlace::Projection { fiber, source };
                    visit(place, &projection.nodes_na)?;
                    visit(place, &projection.modes)?;
                }
                if let Some(potentials) = potentials
                    && seen.is_new(potentials)
                {
                    visit(NumberPlace::Potentials { fiber, source }, potentials)?;
                }
            }
        }
        match &self.start {
            Start::Uniform { v_mv, states } => {
                visit(NumberPlace::StartVoltage(None), &[*v_mv])?;
                visit(
                    NumberPlace::StartStates(None),
                    states.as_deref().unwrap_or(&[]),
                )?;
            }
            Start::From(states) => {
                for (fiber, state) in states.iter().enumerate() {
                    visit(NumberPlace::StartVoltage(Some(fiber)), &state.v_mv)?;
                    for values in &state.states {
                        visit(NumberPlace::StartStates(Some(fiber)), values)?;
                    }
                    visit(NumberPlace::StartModes(fiber), &state.modes)?;
                }
            }
        }
        for (index, observer) in self.observers.iter().enumerate() {
            let numbers = [observer.threshold_mv, observer.after_ms];
            visit(NumberPlace::Observer(index), &numbers)?;
        }
        Ok(())
    }

    /// Shows `visit` space-time potentials by fiber and source, each array once.
    fn each_space_time<E>(
        &self,
        mut visit: impl FnMut(usize, usize, &Arc<Vec<f64>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut seen = Seen::default();
        for (fiber, sources) in self.drive.sources.iter().enumerate() {
            if !seen.is_new(sources) {
                continue;
            }
            for (source, of) in sources.iter().enumerate() {
                if let Source::SpaceTime(potentials) = of
                    && seen.is_new(potentials)
                {
                    visit(fiber, source, potentials)?;
                }
            }
        }
        Ok(())
    }

    /// Refuses numbers that are not finite or that the rollout's precision cannot hold, and voltages that no membrane has.
    pub(crate) fn check_numbers(&self) -> Result<(), BackendError> {
        let most = match self.precision {
            Precision::F32 => f64::from(f32::MAX),
            Precision::F64 => f64::MAX,
        };
        let refuse = |place: NumberPlace, value: f64| {
            Err(BackendError::BadNumber {
                place: place.to_string(),
                value,
                precision: self.precision,
            })
        };
        self.each_number_but_space_time(&mut |place, values| {
            let within = |x: f64| x.abs() <= most;
            // All of them first, without a branch for each; NaN is within nothing.
            if values.iter().fold(true, |all, &x| all & within(x)) {
                return Ok(());
            }
            match values.iter().find(|&&x| !within(x)) {
                Some(&value) => refuse(place, value),
                None => Ok(()),
            }
        })?;
        self.each_space_time(
            |fiber, source, potentials| match self.scanned.largest(potentials) {
                largest if largest <= most => Ok(()),
                largest => refuse(NumberPlace::SpaceTime { fiber, source }, largest),
            },
        )?;
        let beyond = |place: NumberPlace, values: &[f64], largest_mv: f64| match values
            .iter()
            .find(|v| v.abs() > largest_mv)
        {
            Some(&v_mv) => Err(BackendError::VoltageOutOfRange {
                place: place.to_string(),
                v_mv,
                largest_mv,
            }),
            None => Ok(()),
        };
        let reference = [self.v_reference_mv];
        beyond(NumberPlace::Reference, &reference, LARGEST_REFERENCE_MV)?;
        match &self.start {
            Start::Uniform { v_mv, .. } => {
                beyond(NumberPlace::StartVoltage(None), &[*v_mv], LARGEST_MV)
            }
            Start::From(states) => states.iter().enumerate().try_for_each(|(fiber, state)| {
                let place = NumberPlace::StartVoltage(Some(fiber));
                beyond(place, &state.v_mv, LARGEST_MV)
            }),
        }
    }

    /// The least and the largest `u` of type `R` whose membrane potential `u + v_reference`, computed in double precision,
    /// is within [`LARGEST_MV`]: whether a run has diverged is one comparison of numbers as they are, in either precision.
    pub fn voltage_bounds<R: Real>(&self) -> [R; 2] {
        let reference = self.v_reference_mv;
        let within = |u: f64| (u + reference).abs() <= LARGEST_MV;
        [-1.0, 1.0].map(|sign: f64| {
            // The nearest guess, and steps of one unit in the last place until it is the last that is within.
            let step = |x: R, up: bool| match R::PRECISION {
                Precision::F32 => {
                    let x = x.to_f64() as f32;
                    R::from_f64(f64::from(if up { x.next_up() } else { x.next_down() }))
                }
                Precision::F64 => {
                    let x = x.to_f64();
                    R::from_f64(if up { x.next_up() } else { x.next_down() })
                }
            };
            let outward = sign > 0.0;
            let mut bound = R::from_f64(sign * LARGEST_MV - reference);
            while !within(bound.to_f64()) {
                bound = step(bound, !outward);
            }
            while within(step(bound, outward).to_f64()) {
                bound = step(bound, outward);
            }
            bound
        })
    }
}

/// Arrays that were seen before, by their address.
#[derive(Default)]
struct Seen(HashSet<usize>);

impl Seen {
    fn is_new<T>(&mut self, array: &Arc<T>) -> bool {
        self.0.insert(Arc::as_ptr(array).addr())
    }
}
