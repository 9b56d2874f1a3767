//! Rectangular pulses whose widths are unknowns, too.

use std::sync::Arc;

use axonml_core::waveform::RectangularPulse;
use axonml_core::{CoreError, TimeGrid, Waveform};
use ndarray::{Array1, ArrayView2};

use super::{Parameterization, Widths};
use crate::design::Delivered;

/// A number of the shape of a rectangular pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PulseShape {
    /// Width of the first phase, ms.
    Width,
    /// Pause between the phases, ms.
    Gap,
    /// Width of the second phase relative to the first. Its amplitude is as many times lower, so that the charges cancel.
    Asymmetry,
}

impl PulseShape {
    /// Its name in settings and results: `pw`, `gap`, `asymmetry`.
    pub fn name(self) -> &'static str {
        match self {
            PulseShape::Width => "pw",
            PulseShape::Gap => "gap",
            PulseShape::Asymmetry => "asymmetry",
        }
    }

    /// Whether the number may be 0.
    fn may_vanish(self) -> bool {
        self == PulseShape::Gap
    }

    /// Its value in a pulse; `None` if that has no second phase.
    fn of(self, pulse: &RectangularPulse) -> Option<f64> {
        match self {
            PulseShape::Width => Some(pulse.pw_ms),
            PulseShape::Gap => pulse.recharge.map(|recharge| recharge.gap_ms),
            PulseShape::Asymmetry => pulse.recharge.map(|recharge| recharge.asymmetry),
        }
    }

    fn set(self, pulse: &mut RectangularPulse, value: f64) {
        match (self, &mut pulse.recharge) {
            (PulseShape::Width, _) => pulse.pw_ms = value,
            (PulseShape::Gap, Some(recharge)) => recharge.gap_ms = value,
            (PulseShape::Asymmetry, Some(recharge)) => recharge.asymmetry = value,
            (_, None) => unreachable!("shapes that the pulse does not have were refused"),
        }
    }
}

/// Amplitudes of a monophasic or biphasic pulse, and widths of its phases: one unknown for each contact, mA, then the
/// shapes that vary, in the order in which they are given.
///
/// The shape is the same at all contacts. Its edges need not lie on the time grid: a step into which one falls has the
/// covered part of the phase ([`Waveform`]), so that currents are continuous functions of the widths. The derivative by an
/// edge is that of this step; between two steps, where it jumps, the mean of theirs. A shape beyond its range acts as the
/// end of the range.
///
/// # Example
/// ```
/// use axonml::design::{Parameterization, PulseShape, Pulses};
/// use axonml::{TimeGrid, Waveform};
///
/// let pulse: Waveform = "biphasic:pw=0.2,delay=0.2".parse()?;
/// let grid = TimeGrid::new(0.005, 2.5)?;
/// let pulses = Pulses::new(6, &pulse, &grid, vec![(PulseShape::Width, [0.05, 1.0])])?;
/// let mut x = pulses.start(&[-0.3, 0.0, 0.1, 0.0, 0.0, 0.0]);
/// assert_eq!((x.len(), x[6]), (7, 0.2));
/// x[6] = 0.1;
/// assert!((pulses.stimulus(&x).charge_phase_nc(0) - 30.0).abs() < 1e-9);
/// # Ok::<(), axonml::CoreError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pulses {
    contacts: usize,
    grid: TimeGrid,
    reference: RectangularPulse,
    varied: Vec<(PulseShape, [f64; 2])>,
}

impl Pulses {
    /// Pulses like `waveform` at so many contacts, with the shapes that vary and the range of each.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] if the waveform is not a pulse of one or two rectangular phases, no shape varies, one is
    /// named twice or is not one of the pulse, or a range is empty or contains numbers that are no widths;
    /// [`CoreError::BeyondRun`] if the longest pulse does not end within the run.
    pub fn new(
        contacts: usize,
        waveform: &Waveform,
        grid: &TimeGrid,
        varied: Vec<(PulseShape, [f64; 2])>,
    ) -> Result<Self, CoreError> {
        let bad = |what: String, found: String, expected: &str| {
            Err(CoreError::BadValue {
                what,
                found,
                expected: expected.into(),
            })
        };
        let Some(reference) = waveform.rectangular() else {
            return bad(
                "the waveform whose shape varies".into(),
                waveform.to_string(),
                "a monophasic, biphasic, charge-balanced or asymmetric-biphasic pulse; others vary as samples",
            );
        };
        if varied.is_empty() {
            let expected = "at least one of pw, gap and asymmetry";
            return bad("the shapes that vary".into(), "none".into(), expected);
        }
        let mut longest = reference;
        for (place, &(shape, [lower, upper])) in varied.iter().enumerate() {
            let name = shape.name();
            if varied[..place].iter().any(|(known, _)| *known == shape) {
                let expected = "each of pw, gap and asymmetry once at most";
                return bad(
                    "the shapes that vary".into(),
                    format!("{name} twice"),
                    expected,
                );
            }
            if shape.of(&reference).is_none() {
                let what = format!("the {name} of the pulse");
                let expected = "a pulse of two phases to vary it, such as biphasic";
                return bad(what, waveform.to_string(), expected);
            }
            let least = match shape.may_vanish() {
                true => lower >= 0.0,
                false => lower > 0.0,
            };
            if !(least && lower < upper && upper.is_finite()) {
                let expected = match shape.may_vanish() {
                    true => "two finite numbers, 0 or more, the lower first",
                    false => "two finite numbers above 0, the lower first",
                };
                return bad(
                    format!("the range of {name}"),
                    format!("{lower}:{upper}"),
                    expected,
                );
            }
            shape.set(&mut longest, upper);
        }
        longest.waveform()?.sample(grid)?;
        Ok(Pulses {
            contacts,
            grid: *grid,
            reference,
            varied,
        })
    }

    /// The pulse of a point.
    fn pulse(&self, x: &[f64]) -> RectangularPulse {
        let unknowns = self.contacts + self.varied.len();
        assert_eq!(
            x.len(),
            unknowns,
            "an amplitude per contact, then the shapes"
        );
        let mut pulse = self.reference;
        for (&(shape, [lower, upper]), value) in self.varied.iter().zip(&x[self.contacts..]) {
            shape.set(&mut pulse, value.clamp(lower, upper));
        }
        pulse
    }

    /// A value for each step; none of them a number if a shape is not.
    fn values(&self, pulse: &RectangularPulse) -> Vec<f64> {
        let sampled = pulse.waveform().and_then(|wave| wave.sample(&self.grid));
        sampled.unwrap_or_else(|_| vec![f64::NAN; self.grid.steps()])
    }

    /// The derivatives of a pulse's values by a number of its shape.
    fn by_shape(&self, pulse: &RectangularPulse, shape: PulseShape) -> Vec<f64> {
        let mut by_shape = vec![0.0; self.grid.steps()];
        let mut move_edge = |at_ms: f64, drop: f64| self.add_edge(&mut by_shape, at_ms, drop);
        let first_end_ms = pulse.delay_ms + pulse.pw_ms;
        if shape == PulseShape::Width {
            move_edge(first_end_ms, pulse.amplitude);
        }
        let Some(recharge) = pulse.recharge else {
            return by_shape;
        };
        let value = -pulse.amplitude / recharge.asymmetry;
        let begin_ms = first_end_ms + recharge.gap_ms;
        let end_ms = begin_ms + recharge.asymmetry * pulse.pw_ms;
        match shape {
            PulseShape::Width => {
                move_edge(begin_ms, -value);
                move_edge(end_ms, value * (1.0 + recharge.asymmetry));
            }
            PulseShape::Gap => {
                move_edge(begin_ms, -value);
                move_edge(end_ms, value);
            }
            PulseShape::Asymmetry => {
                move_edge(end_ms, value * pulse.pw_ms);
                let [begin, end] = [begin_ms, end_ms].map(|ms| self.grid.steps_until(ms));
                for (step, sum) in by_shape.iter_mut().enumerate() {
                    let covered = end.min((step + 1) as f64) - begin.max(step as f64);
                    *sum -= value / recharge.asymmetry * covered.max(0.0);
                }
            }
        }
        by_shape
    }

    /// Adds the derivative by the time of an edge at which a waveform drops by `drop`: later, the step that contains the
    /// edge has more of the value before it.
    fn add_edge(&self, by_shape: &mut [f64], at_ms: f64, drop: f64) {
        let at = self.grid.steps_until(at_ms);
        let last = by_shape.len() - 1;
        let after = (at as usize).min(last);
        let before = match at.fract() == 0.0 {
            // Between two steps; nothing acts after the run, or before it.
            true if at > last as f64 => last,
            true => after.saturating_sub(1),
            false => after,
        };
        let half = 0.5 * drop / self.grid.dt_ms();
        by_shape[before] += half;
        by_shape[after] += half;
    }
}

impl Parameterization for Pulses {
    fn contacts(&self) -> usize {
        self.contacts
    }

    fn coefficients(&self) -> usize {
        1
    }

    fn shapes(&self) -> Vec<(&'static str, [f64; 2])> {
        let each = self.varied.iter();
        each.map(|(shape, range)| (shape.name(), *range)).collect()
    }

    fn stimulus(&self, x: &[f64]) -> Delivered {
        let values = Arc::new(self.values(&self.pulse(x)));
        Delivered::of_one(x[..self.contacts].to_vec(), &values, self.grid.dt_ms())
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        let shapes = self.varied.iter().map(|&(shape, [lower, upper])| {
            let own = shape.of(&self.reference);
            own.map_or(lower, |value| value.clamp(lower, upper))
        });
        amplitudes_ma.iter().copied().chain(shapes).collect()
    }

    fn pull_back(&self, x: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
        let pulse = self.pulse(x);
        let amplitudes = Array1::from_iter(x[..self.contacts].iter().copied());
        let by_amplitude = by_currents.dot(&Array1::from(self.values(&pulse)));
        // All contacts have the same shape.
        let by_wave = amplitudes.dot(&by_currents);
        let shapes = self.varied.iter().map(|(shape, _)| {
            let by_shape = Array1::from(self.by_shape(&pulse, *shape));
            by_wave.dot(&by_shape)
        });
        by_amplitude.iter().copied().chain(shapes).collect()
    }

    fn widths_ms(&self, x: &[f64]) -> Widths {
        let pulse = self.pulse(x);
        Widths {
            pw_ms: PulseShape::Width.of(&pulse),
            gap_ms: PulseShape::Gap.of(&pulse),
            asymmetry: PulseShape::Asymmetry.of(&pulse),
        }
    }
}
