//! Extracellular fields: the potential along a fiber per unit of stimulation current.

mod point_source;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::CoreError;
use crate::interpolation::{Interpolation, Interpolator};
use crate::names::canonical;

pub use point_source::{Medium, PointSource};

/// The extracellular potential along the axis of one fiber.
///
/// # Units
/// Positions in um along the fiber, whose middle is at z = 0; potentials in mV per unit amplitude
/// (1 mA, unless the implementor documents another one).
pub trait Field: fmt::Debug + Send + Sync {
    /// The potential at each of the positions, in their order.
    ///
    /// # Errors
    /// Where the field is not known or not finite; see the implementors.
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError>;

    /// Where a field that was sampled along a line begins and ends, um; `None` for one that is known everywhere.
    fn extent_um(&self) -> Option<(f64, f64)> {
        None
    }

    /// Distance of the nearest current source from the fiber's axis between two places, um; `None` where none is known.
    /// A source within the fiber's radius is no extracellular one.
    fn axis_distance_um(&self, from_um: f64, to_um: f64) -> Option<f64> {
        let _ = (from_um, to_um);
        None
    }
}

impl<F: Field + ?Sized> Field for Arc<F> {
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        (**self).potentials_mv(z_um)
    }

    fn extent_um(&self) -> Option<(f64, f64)> {
        (**self).extent_um()
    }

    fn axis_distance_um(&self, from_um: f64, to_um: f64) -> Option<f64> {
        (**self).axis_distance_um(from_um, to_um)
    }
}

impl<F: Field + ?Sized> Field for Box<F> {
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        (**self).potentials_mv(z_um)
    }

    fn extent_um(&self) -> Option<(f64, f64)> {
        (**self).extent_um()
    }

    fn axis_distance_um(&self, from_um: f64, to_um: f64) -> Option<f64> {
        (**self).axis_distance_um(from_um, to_um)
    }
}

/// Handling of a fiber that is longer than the line its field was sampled along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Extension {
    /// It is an error. Written `refuse`.
    #[default]
    Refuse,
    /// The field is extrapolated as that of a point source. Written `point-source`.
    ///
    /// At each end `V = A / |z - z0|` is fitted to the value and the slope there: with `d = -V /
    /// V'` (slope outwards), `V(end + s) = V(end) d / (d + s)`. Potential and slope are continuous.
    PointSource,
}

impl Extension {
    const NAMES: [&str; 2] = ["refuse", "point-source"];
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Self::NAMES[*self as usize])
    }
}

impl FromStr for Extension {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match canonical(text).as_str() {
            "refuse" => Ok(Self::Refuse),
            "point-source" => Ok(Self::PointSource),
            _ => Err(CoreError::unknown_name("extension", text, Self::NAMES)),
        }
    }
}

/// A field known at samples along a line, interpolated between them.
///
/// The fiber's middle lies at the middle of the line, `(first + last) / 2`, plus an offset.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledLine {
    line: Interpolator,
    /// Where on the line the fiber's middle lies.
    middle_um: f64,
    ends: Option<Ends>,
    /// Where it may be read if its values are unknown beyond.
    known_um: Option<(f64, f64)>,
    /// How far it may be extended, um.
    reach_um: f64,
}

/// The continuation of a line beyond its first and its last sample: sums of point sources.
#[derive(Debug, Clone, Default, PartialEq)]
struct Ends {
    first: Vec<Tail>,
    last: Vec<Tail>,
}

/// A point source's field from the end of a line outwards.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tail {
    potential_mv: f64,
    source_distance_um: f64,
}

impl Tail {
    /// Fits value and outward slope at an end.
    fn fit(end: &'static str, potential_mv: f64, slope_mv_per_um: f64) -> Result<Self, CoreError> {
        if potential_mv == 0.0 {
            return Ok(Self {
                potential_mv,
                source_distance_um: 1.0,
            });
        }
        let source_distance_um = -potential_mv / slope_mv_per_um;
        if source_distance_um > 0.0 && source_distance_um.is_finite() {
            Ok(Self {
                potential_mv,
                source_distance_um,
            })
        } else {
            Err(CoreError::NoDecay {
                end,
                potential_mv,
                slope_mv_per_um,
            })
        }
    }

    fn at(self, beyond_um: f64) -> f64 {
        self.potential_mv * self.source_distance_um / (self.source_distance_um + beyond_um)
    }
}

impl SampledLine {
    /// How far a fiber may reach beyond the line and be taken to end on it: rounding errors of its
    /// geometry.
    const SLACK_UM: f64 = 1e-6;

    /// A field sampled at ascending `knots_um` along a line.
    ///
    /// # Errors
    /// Those of [`Interpolator::new`]; [`CoreError::BadValue`] for an offset that is not finite;
    /// [`CoreError::NoDecay`] when the line cannot be extended.
    pub fn new(
        knots_um: Vec<f64>,
        potentials_mv: Vec<f64>,
        interpolation: Interpolation,
        offset_um: f64,
        extension: Extension,
    ) -> Result<Self, CoreError> {
        let line = Interpolator::new(knots_um, potentials_mv, interpolation)?;
        let (first, last) = line.basis().range();
        let field = Self::from_interpolator(line.clone(), 0.5 * (first + last), offset_um)?;
        match extension {
            Extension::Refuse => Ok(field),
            Extension::PointSource => field.with_ends().extended_by(&line, 1.0),
        }
    }

    /// A field along a line that is not extended; the fiber's middle lies `offset_um` from `middle_um`.
    pub(crate) fn from_interpolator(
        line: Interpolator,
        middle_um: f64,
        offset_um: f64,
    ) -> Result<Self, CoreError> {
        let offset_um = CoreError::check_finite("offset", "um", offset_um)?;
        Ok(Self {
            line,
            middle_um: middle_um + offset_um,
            ends: None,
            known_um: None,
            reach_um: f64::INFINITY,
        })
    }

    /// Lets the field be read between two places of the line only.
    pub(crate) fn known_within(self, known_um: (f64, f64)) -> Self {
        Self {
            known_um: Some(known_um),
            ..self
        }
    }

    /// Bounds how far the field may be extended, both ends together.
    pub(crate) fn extended_at_most(self, reach_um: f64) -> Self {
        Self { reach_um, ..self }
    }

    /// Continues the field beyond its ends, at first as 0.
    pub(crate) fn with_ends(self) -> Self {
        Self {
            ends: Some(Ends::default()),
            ..self
        }
    }

    /// Adds `factor` times the continuation of `part`, one of the lines that this one is the sum
    /// of.
    pub(crate) fn extended_by(
        mut self,
        part: &Interpolator,
        factor: f64,
    ) -> Result<Self, CoreError> {
        let (first, last) = part.basis().range();
        let scaled = |tail: Tail| Tail {
            potential_mv: factor * tail.potential_mv,
            ..tail
        };
        let before = Tail::fit("first", part.eval(first)?, -part.derivative(first)?)?;
        let after = Tail::fit("last", part.eval(last)?, part.derivative(last)?)?;
        let ends = self.ends.get_or_insert_default();
        ends.first.push(scaled(before));
        ends.last.push(scaled(after));
        Ok(self)
    }

    /// Where the line begins and ends, or where its values are known, in the fiber's coordinate (um from
    /// its middle).
    pub fn extent_um(&self) -> (f64, f64) {
        let (first, last) = self.known_um.unwrap_or_else(|| self.line.basis().range());
        (first - self.middle_um, last - self.middle_um)
    }

    /// Refuses a fiber from `first` to `last` that reaches beyond the known samples, or beyond the allowed extension.
    fn check_reach(&self, fiber_um: (f64, f64)) -> Result<(), CoreError> {
        let before = |first: f64| (first - (fiber_um.0 + self.middle_um)).max(0.0);
        let after = |last: f64| (fiber_um.1 + self.middle_um - last).max(0.0);
        let (first, last) = self.line.basis().range();
        let beyond_um = before(first) + after(last);
        if self.ends.is_some() {
            return match beyond_um > self.reach_um {
                true => Err(CoreError::ExtendedTooFar {
                    beyond_um,
                    line_um: last - first,
                    limit_um: self.reach_um,
                }),
                false => Ok(()),
            };
        }
        if let Some((first, last)) = self.known_um
            && before(first).max(after(last)) > Self::SLACK_UM
        {
            return Err(CoreError::FiberBeyondKnown {
                fiber_um,
                known_um: (first - self.middle_um, last - self.middle_um),
            });
        }
        if before(first).max(after(last)) > Self::SLACK_UM {
            return Err(CoreError::FiberBeyondLine {
                fiber_um,
                line_um: self.extent_um(),
            });
        }
        Ok(())
    }
}

impl Field for SampledLine {
    /// # Errors
    /// [`CoreError::FiberBeyondLine`] where the line does not reach and is not extended,
    /// [`CoreError::FiberBeyondKnown`] where its values are unknown, [`CoreError::ExtendedTooFar`];
    /// [`CoreError::NonFinite`] for positions that are not finite.
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        CoreError::check_all_finite("positions along the fiber", z_um)?;
        let least = z_um.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = z_um.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.check_reach((least, greatest))?;
        let (first, last) = self.line.basis().range();
        let sum =
            |tails: &[Tail], beyond_um: f64| tails.iter().map(|tail| tail.at(beyond_um)).sum();
        let mut potentials_mv = Vec::with_capacity(z_um.len());
        for z in z_um {
            let x = z + self.middle_um;
            let inside = x.clamp(first, last);
            potentials_mv.push(match &self.ends {
                None => self.line.eval(inside)?,
                Some(_) if (x - inside).abs() <= Self::SLACK_UM => self.line.eval(inside)?,
                Some(ends) if x < first => sum(&ends.first, first - x),
                Some(ends) => sum(&ends.last, x - last),
            });
        }
        Ok(potentials_mv)
    }

    fn extent_um(&self) -> Option<(f64, f64)> {
        Some(SampledLine::extent_um(self))
    }
}

/// A weighted sum of fields: several contacts that share one waveform.
#[derive(Debug, Clone, Default)]
pub struct Superposition {
    parts: Vec<(f64, Arc<dyn Field>)>,
}

impl Superposition {
    /// The sum of `weight * field` over the parts; without parts it is 0 everywhere.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for a weight that is not finite.
    pub fn new(parts: impl IntoIterator<Item = (f64, Arc<dyn Field>)>) -> Result<Self, CoreError> {
        let parts: Vec<_> = parts.into_iter().collect();
        for (index, (weight, _)) in parts.iter().enumerate() {
            CoreError::check_finite(
                &format!("weight of field {index}"),
                "multiples of the waveform",
                *weight,
            )?;
        }
        Ok(Self { parts })
    }
}

impl Field for Superposition {
    /// # Errors
    /// Those of its parts.
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        let Some(((weight, field), others)) = self.parts.split_first() else {
            return Ok(vec![0.0; z_um.len()]);
        };
        let mut sum = field.potentials_mv(z_um)?;
        sum.iter_mut().for_each(|potential| *potential *= weight);
        for (weight, field) in others {
            for (sum, potential) in sum.iter_mut().zip(field.potentials_mv(z_um)?) {
                *sum += weight * potential;
            }
        }
        Ok(sum)
    }

    fn axis_distance_um(&self, from_um: f64, to_um: f64) -> Option<f64> {
        let acting = self.parts.iter().filter(|(weight, _)| *weight != 0.0);
        acting
            .filter_map(|(_, field)| field.axis_distance_um(from_um, to_um))
            .min_by(f64::total_cmp)
    }
}

/// Potentials given at a model's own sample points, wherever those are.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledPotentials {
    potentials_mv: Vec<f64>,
}

impl SampledPotentials {
    /// Takes one potential per sample point, in mV per unit amplitude.
    ///
    /// # Errors
    /// [`CoreError::NonFinite`].
    pub fn new(potentials_mv: Vec<f64>) -> Result<Self, CoreError> {
        CoreError::check_all_finite("potentials at the sample points", &potentials_mv)?;
        Ok(Self { potentials_mv })
    }
}

impl Field for SampledPotentials {
    /// # Errors
    /// [`CoreError::Shape`] when the model has another number of sample points.
    fn potentials_mv(&self, z_um: &[f64]) -> Result<Vec<f64>, CoreError> {
        if self.potentials_mv.len() != z_um.len() {
            return Err(CoreError::shape(
                "potentials at the sample points",
                format!("one per sample point of the model, {}", z_um.len()),
                self.potentials_mv.len(),
            ));
        }
        Ok(self.potentials_mv.clone())
    }
}

#[cfg(test)]
mod tests;
