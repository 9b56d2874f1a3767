//! Stimulation waveforms: when current flows, with unit amplitude.
//!
//! A [`Waveform`] is a sum of scaled and delayed pulses, described in ms and independent of any
//! time step; a [`TimeGrid`] turns it into one value per step. It can be built by constructors,
//! read from the command line's text (`biphasic:pw=0.2,gap=0.1`), from the shape names of condition
//! tables and from the text of a CSV file.
//!
//! # Units
//! ms and kHz; amplitudes are multiples of the current under study, cathodic being negative.

mod catalogue;
mod csv;
mod kind;
mod parse;
mod pulse;
mod rectangular;
mod shape;

use std::fmt;
use std::ops::Add;

use crate::error::{CoreError, cut, short};
use crate::time::{TimeGrid, on_grid};
use pulse::{Curve, OnGrid, Pulse, Rectangle};

pub use catalogue::PULSES;
pub use kind::{COMMON_KEYS, PulseKey, PulseKind};
pub use pulse::Direction;
pub use rectangular::{Recharge, RectangularPulse};

/// A stimulation waveform of unit amplitude: pulses laid over time, each scaled and delayed, added
/// up.
///
/// Sampled, its value `w[i]` acts in the step `t_i -> t_(i+1)` ("hold").
/// - Rectangular phases and tables are averaged over each step: an edge that falls inside a step
///   acts there with the covered fraction, so that every phase carries its exact charge.
/// - Smooth shapes (triangle, ramp, gaussian, exp, sines) are sampled at `t_i`: they begin at step
///   `round(delay / dt)`, last `round(width / dt)` steps, and count time from their own first step.
///
/// # Example
/// ```
/// use axonml_core::{TimeGrid, Waveform};
/// let grid = TimeGrid::new(0.1, 0.6)?;
/// let pulse = Waveform::biphasic(0.1, 0.1)?.delayed(0.1);
/// assert_eq!(pulse.sample(&grid)?, [0.0, -1.0, 0.0, 1.0, 0.0, 0.0]);
/// assert_eq!(pulse.to_string(), "biphasic:pw=0.1,gap=0.1,delay=0.1");
/// assert_eq!("biphasic:pw=0.1,gap=0.1".parse::<Waveform>()?, pulse);
/// # Ok::<(), axonml_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    terms: Vec<Term>,
}

/// A sine that the time step distorts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoarseSine {
    /// Its frequency in kHz.
    pub freq_khz: f64,
    /// How many samples a period has.
    pub samples_per_period: f64,
    /// The time step in ms.
    pub dt_ms: f64,
}

impl CoarseSine {
    /// Samples a period from which on a sine is taken as it is meant.
    pub const ENOUGH: f64 = 10.0;
}

impl fmt::Display for CoarseSine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a sine of {} kHz has {:.1} samples a period at dt = {} ms, expected {} or more: \
             reduce dt to {} ms or less",
            short(self.freq_khz),
            self.samples_per_period,
            self.dt_ms,
            Self::ENOUGH,
            short(1.0 / (Self::ENOUGH * self.freq_khz))
        )
    }
}

/// A rectangular phase of which the time step shows the charge but not the shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortPhase {
    /// How long it lasts in ms.
    pub phase_ms: f64,
    /// The time step in ms.
    pub dt_ms: f64,
}

impl ShortPhase {
    /// Steps from which on a phase is taken as it is meant.
    pub const ENOUGH: f64 = 4.0;
}

impl fmt::Display for ShortPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a phase of the pulse lasts {} ms, less than {} steps of dt = {} ms: its charge is exact, \
             its effect only roughly; reduce dt to {} ms or less",
            short(self.phase_ms),
            Self::ENOUGH,
            short(self.dt_ms),
            short(self.phase_ms / Self::ENOUGH)
        )
    }
}

/// One pulse of the sum.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    pulse: Pulse,
    delay_ms: f64,
    scale: f64,
}

impl Waveform {
    /// The most trains within each other.
    pub const MAX_DEPTH: usize = 16;
    /// The most pulses that trains may repeat in all.
    pub const MAX_PULSES: u64 = 10_000_000;

    fn from_pulse(pulse: Pulse) -> Self {
        Self {
            terms: vec![Term {
                pulse,
                delay_ms: 0.0,
                scale: 1.0,
            }],
        }
    }

    /// -1 for `pw_ms`.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] unless `pw_ms` is a finite number above 0; so for all pulses below.
    pub fn monophasic(pw_ms: f64) -> Result<Self, CoreError> {
        let pw_ms = CoreError::check_positive("pw of monophasic", "ms", pw_ms)?;
        Ok(Self::from_pulse(Pulse::Monophasic { pw_ms }))
    }

    /// -1 for `pw_ms`, 0 for `gap_ms`, +1 for `pw_ms`.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn biphasic(pw_ms: f64, gap_ms: f64) -> Result<Self, CoreError> {
        let pw_ms = CoreError::check_positive("pw of biphasic", "ms", pw_ms)?;
        let gap_ms = CoreError::check_not_negative("gap of biphasic", "ms", gap_ms)?;
        Ok(Self::from_pulse(Pulse::Biphasic { pw_ms, gap_ms }))
    }

    /// -1 for `pw1_ms`, 0 for `gap_ms`, then `+pw1/pw2` for `pw2_ms`: no net charge.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn charge_balanced(pw1_ms: f64, pw2_ms: f64, gap_ms: f64) -> Result<Self, CoreError> {
        let pw1_ms = CoreError::check_positive("pw1 of charge-balanced", "ms", pw1_ms)?;
        let pw2_ms = CoreError::check_positive("pw2 of charge-balanced", "ms", pw2_ms)?;
        let gap_ms = CoreError::check_not_negative("gap of charge-balanced", "ms", gap_ms)?;
        // Two widths that are numbers each may have a ratio that is none.
        CoreError::check_positive("pw1/pw2 of charge-balanced", "times", pw1_ms / pw2_ms)?;
        Ok(Self::from_pulse(Pulse::ChargeBalanced {
            pw1_ms,
            pw2_ms,
            gap_ms,
        }))
    }

    /// -1 for `pw_ms`, then +0.25 for four times as long.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn asymmetric_biphasic(pw_ms: f64) -> Result<Self, CoreError> {
        let pw_ms = CoreError::check_positive("pw of asymmetric-biphasic", "ms", pw_ms)?;
        Ok(Self::from_pulse(Pulse::AsymmetricBiphasic { pw_ms }))
    }

    /// `-(1 - |2 k / p - 1|)` at step k of p: down to -1 in the middle of `pw_ms` and back.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn triangle(pw_ms: f64) -> Result<Self, CoreError> {
        Self::curve("triangle", Curve::Triangle, pw_ms)
    }

    /// A straight rise, `-k / p` at step k of p, or fall, `-(1 - k / p)`, within `pw_ms`.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn ramp(pw_ms: f64, direction: Direction) -> Result<Self, CoreError> {
        Self::curve("ramp", Curve::Ramp(direction), pw_ms)
    }

    /// `-exp(-(t - c)^2 / (2 s^2))` within `pw_ms`, c its middle and s a sixth of it.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn gaussian(pw_ms: f64) -> Result<Self, CoreError> {
        Self::curve("gaussian", Curve::Gaussian, pw_ms)
    }

    /// An exponential within `pw_ms`: rising, `-exp((t - pw) / tau)`, or decaying, `-exp(-t /
    /// tau)`.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn exponential(pw_ms: f64, tau_ms: f64, direction: Direction) -> Result<Self, CoreError> {
        let tau_ms = CoreError::check_positive("tau of exp", "ms", tau_ms)?;
        Self::curve("exp", Curve::Exponential { tau_ms, direction }, pw_ms)
    }

    /// One cycle of a sine with the period `pw_ms`, cathodic first: `-sin(2 pi k / p)` at step k of
    /// p.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn sine_cycle(pw_ms: f64) -> Result<Self, CoreError> {
        Self::curve("sine-cycle", Curve::SineCycle, pw_ms)
    }

    fn curve(name: &'static str, curve: Curve, pw_ms: f64) -> Result<Self, CoreError> {
        let pw_ms = CoreError::check_positive(&format!("pw of {name}"), "ms", pw_ms)?;
        Ok(Self::from_pulse(Pulse::Curve { name, curve, pw_ms }))
    }

    /// `+sin(2 pi f t)`, anodic first, for `duration_ms` or for ever.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] unless the numbers are finite and above 0.
    pub fn sine(freq_khz: f64, duration_ms: Option<f64>) -> Result<Self, CoreError> {
        let freq_khz = CoreError::check_positive("freq of sine", "kHz", freq_khz)?;
        if let Some(duration_ms) = duration_ms {
            CoreError::check_positive("dur of sine", "ms", duration_ms)?;
        }
        Ok(Self::from_pulse(Pulse::Sine {
            freq_khz,
            duration_ms,
        }))
    }

    /// `n` repetitions of `pulse`, `1 / freq_khz` ms apart. Smooth shapes begin at the step nearest
    /// to that.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for a frequency that is not a finite number above 0, for no
    /// repetitions, for a pulse that never ends or is longer than the period, for more than
    /// [`MAX_DEPTH`](Self::MAX_DEPTH) trains within each other and for more than
    /// [`MAX_PULSES`](Self::MAX_PULSES) pulses in all.
    pub fn train(pulse: Waveform, freq_khz: f64, n: u32) -> Result<Self, CoreError> {
        let freq_khz = CoreError::check_positive("freq of train", "kHz", freq_khz)?;
        if n == 0 {
            return Err(CoreError::bad_value(
                "n of train",
                n,
                "a whole number of pulses, 1 or more",
            ));
        }
        let period_ms = 1.0 / freq_khz;
        // 0.1 kHz and a pulse of 10 ms fit, whatever 1 / 0.1 rounds to.
        let fits = |end_ms: f64| end_ms <= period_ms * (1.0 + 1e-9);
        if n > 1 && !pulse.end_ms().is_some_and(fits) {
            let expected = format!(
                "a pulse that is over within the period of {period_ms} ms; lower freq or shorten it"
            );
            return Err(CoreError::bad_value("pulse of train", pulse, expected));
        }
        let depth = pulse.depth();
        if depth >= Self::MAX_DEPTH {
            let expected = format!("at most {} trains within each other", Self::MAX_DEPTH);
            return Err(CoreError::bad_value("pulse of train", depth + 1, expected));
        }
        let count = pulse.count().saturating_mul(u64::from(n));
        if count > Self::MAX_PULSES {
            let expected = format!("at most {} pulses in all", Self::MAX_PULSES);
            return Err(CoreError::bad_value(
                "number of pulses of train",
                count,
                expected,
            ));
        }
        Ok(Self::from_pulse(Pulse::Train { pulse, freq_khz, n }))
    }

    /// How many trains lie around the innermost pulse.
    fn depth(&self) -> usize {
        let depths = self.terms.iter().map(|term| term.pulse.depth());
        depths.max().unwrap_or(0)
    }

    /// How many pulses it consists of.
    fn count(&self) -> u64 {
        let counts = self.terms.iter().map(|term| term.pulse.count());
        counts.fold(0, u64::saturating_add)
    }

    /// The fewest samples that a period of a sine gets, with the sine's frequency in kHz.
    fn coarsest_sine(&self, grid: &TimeGrid) -> Option<(f64, f64)> {
        let sines = self
            .terms
            .iter()
            .filter_map(|term| term.pulse.coarsest_sine(grid));
        sines.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn shortest_phase_ms(&self) -> Option<f64> {
        let phases = self
            .terms
            .iter()
            .filter_map(|term| term.pulse.shortest_phase_ms());
        phases.min_by(f64::total_cmp)
    }

    /// The shortest rectangular phase or gap, if it lasts less than four steps.
    pub fn short_phase(&self, grid: &TimeGrid) -> Option<ShortPhase> {
        let phase_ms = self.shortest_phase_ms()?;
        (grid.steps_until(phase_ms) < ShortPhase::ENOUGH).then_some(ShortPhase {
            phase_ms,
            dt_ms: grid.dt_ms(),
        })
    }

    /// The sine with the fewest samples per period, if these are fewer than ten, which distorts it.
    /// `None` if every sine has ten or more. Two or fewer are an error of [`Waveform::sample`].
    ///
    /// # Example
    /// ```
    /// use axonml_core::{TimeGrid, Waveform};
    /// let grid = TimeGrid::new(0.005, 5.0)?;
    /// let coarse = Waveform::sine(40.0, None)?.coarse_sine(&grid).unwrap();
    /// assert_eq!((coarse.freq_khz, coarse.samples_per_period), (40.0, 5.0));
    /// assert_eq!(Waveform::sine(20.0, None)?.coarse_sine(&grid), None);
    /// # Ok::<(), axonml_core::CoreError>(())
    /// ```
    pub fn coarse_sine(&self, grid: &TimeGrid) -> Option<CoarseSine> {
        let (samples_per_period, freq_khz) = self.coarsest_sine(grid)?;
        (samples_per_period < CoarseSine::ENOUGH).then_some(CoarseSine {
            freq_khz,
            samples_per_period,
            dt_ms: grid.dt_ms(),
        })
    }

    /// One value per step of a grid with step `dt_ms`, 0 after the last: for waveforms sampled on one grid.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for `dt_ms`; [`CoreError::NonFinite`] for the values.
    pub fn from_samples(dt_ms: f64, values: Vec<f64>) -> Result<Self, CoreError> {
        let dt_ms = CoreError::check_positive("dt of waveform samples", "ms", dt_ms)?;
        CoreError::check_all_finite("waveform samples", &values)?;
        Ok(Self::from_pulse(Pulse::Samples { dt_ms, values }))
    }

    /// Values that hold from their time on until the next one's; 0 before the first, the last for
    /// ever.
    ///
    /// On a grid each step has the mean of the values that hold in it.
    ///
    /// # Errors
    /// [`CoreError::Shape`] unless there are as many times as amplitudes and at least one;
    /// [`CoreError::NonFinite`]; [`CoreError::NotAscending`]; [`CoreError::BadValue`] for times
    /// before 0.
    pub fn from_table(times_ms: Vec<f64>, amplitudes: Vec<f64>) -> Result<Self, CoreError> {
        if times_ms.is_empty() || times_ms.len() != amplitudes.len() {
            let expected = format!("one per time, {}, and one or more", times_ms.len());
            return Err(CoreError::shape(
                "amplitudes of the waveform",
                expected,
                amplitudes.len(),
            ));
        }
        CoreError::check_all_finite("times of the waveform", &times_ms)?;
        CoreError::check_all_finite("amplitudes of the waveform", &amplitudes)?;
        CoreError::check_ascending("times of the waveform", &times_ms)?;
        CoreError::check_not_negative("first time of the waveform", "ms", times_ms[0])?;
        Ok(Self::from_pulse(Pulse::Table {
            times_ms,
            amplitudes,
        }))
    }

    /// This waveform, `ms` later.
    #[must_use]
    pub fn delayed(mut self, ms: f64) -> Self {
        self.terms.iter_mut().for_each(|term| term.delay_ms += ms);
        self
    }

    /// This waveform, `factor` times as strong.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.terms.iter_mut().for_each(|term| term.scale *= factor);
        self
    }

    /// This waveform with the other polarity.
    #[must_use]
    pub fn flipped(self) -> Self {
        self.scaled(-1.0)
    }

    /// The time at which the waveform ends, in ms, or `None` if it never does.
    pub fn end_ms(&self) -> Option<f64> {
        self.terms.iter().try_fold(0.0, |end: f64, term| {
            Some(end.max(term.delay_ms + term.pulse.duration_ms()?))
        })
    }

    /// One value per step of the grid; `w[i]` acts in the step `t_i -> t_(i+1)`.
    ///
    /// # Shape
    /// `[step]`
    ///
    /// # Errors
    /// - [`CoreError::BeyondRun`] when the grid ends before a pulse does (or, if it is endless,
    ///   before it begins).
    /// - [`CoreError::TooShort`] for a smooth shape shorter than half a step.
    /// - [`CoreError::Undersampled`] for a sine with two or fewer samples a period; see also
    ///   [`Waveform::coarse_sine`].
    /// - [`CoreError::SampleStep`] when samples were made for another step.
    /// - [`CoreError::BadValue`] when it was [`delayed`](Self::delayed) or
    ///   [`scaled`](Self::scaled) by a number that is not finite, or to before 0.
    pub fn sample(&self, grid: &TimeGrid) -> Result<Vec<f64>, CoreError> {
        let mut samples = vec![0.0; grid.steps()];
        self.add_to(&mut samples, grid, Onset::default(), 1.0)?;
        Ok(samples)
    }

    /// Adds `scale` times this waveform to the samples from step `onset` on.
    fn add_to(
        &self,
        samples: &mut [f64],
        grid: &TimeGrid,
        onset: Onset,
        scale: f64,
    ) -> Result<(), CoreError> {
        self.terms
            .iter()
            .try_for_each(|term| term.add_to(samples, grid, onset, scale))
    }
}

impl Term {
    fn add_to(
        &self,
        samples: &mut [f64],
        grid: &TimeGrid,
        onset: Onset,
        scale: f64,
    ) -> Result<(), CoreError> {
        let delay_ms = CoreError::check_not_negative(
            &format!("delay of {}", self.pulse.name()),
            "ms",
            self.delay_ms,
        )?;
        let onset = onset.later(delay_ms, grid);
        let own_scale = CoreError::check_finite(
            &format!("scale of {}", self.pulse.name()),
            "multiples",
            self.scale,
        )?;
        let scale = scale * own_scale;

        if let Pulse::Train { pulse, freq_khz, n } = &self.pulse {
            // A repetition that does not fit is reported as a train that is too long.
            let beyond_run = |error| match error {
                CoreError::BeyondRun { .. } => {
                    let length_ms = self.pulse.duration_ms().unwrap_or(f64::INFINITY);
                    self.beyond_run(onset.exact * grid.dt_ms() + length_ms, grid)
                }
                other => other,
            };
            return (0..*n).try_for_each(|r| {
                let onset = onset.later(f64::from(r) / freq_khz, grid);
                pulse
                    .add_to(samples, grid, onset, scale)
                    .map_err(beyond_run)
            });
        }
        match self.pulse.on_grid(grid)? {
            OnGrid::Rectangles(rectangles) => {
                self.add_rectangles(&rectangles, samples, grid, onset.exact, scale)
            }
            OnGrid::Sampled { curve, steps } => {
                let rest = self.rest(samples, grid, onset, steps)?;
                let steps = steps.unwrap_or(rest.len());
                for (k, sample) in rest.iter_mut().take(steps).enumerate() {
                    *sample += scale * curve.value(k, steps, grid.dt_ms());
                }
                Ok(())
            }
            OnGrid::Given(values) => {
                let rest = self.rest(samples, grid, onset, Some(values.len()))?;
                for (sample, value) in rest.iter_mut().zip(values) {
                    *sample += scale * value;
                }
                Ok(())
            }
        }
    }

    /// The samples from the step nearest to the onset on, of which there must be `steps`, or one if
    /// it is endless.
    fn rest<'s>(
        &self,
        samples: &'s mut [f64],
        grid: &TimeGrid,
        onset: Onset,
        steps: Option<usize>,
    ) -> Result<&'s mut [f64], CoreError> {
        let begin = onset.nearest;
        if steps != Some(0) && begin.saturating_add(steps.unwrap_or(1)) > samples.len() {
            let end = begin.saturating_add(steps.unwrap_or(0));
            return Err(self.beyond_run(grid.time_ms(end), grid));
        }
        let begin = begin.min(samples.len());
        Ok(&mut samples[begin..])
    }

    /// Adds values that are laid end to end from an instant on, averaged over each step.
    fn add_rectangles(
        &self,
        rectangles: &[Rectangle],
        samples: &mut [f64],
        grid: &TimeGrid,
        onset: f64,
        scale: f64,
    ) -> Result<(), CoreError> {
        let run = samples.len() as f64;
        let end = rectangles
            .iter()
            .filter_map(|rectangle| rectangle.steps)
            .fold(onset, |end, steps| on_grid(end + steps));
        // Whatever is endless must at least begin.
        let begins = rectangles.is_empty() || onset < run;
        if end > run || !begins {
            return Err(self.beyond_run(end * grid.dt_ms(), grid));
        }
        let mut begin = onset;
        for rectangle in rectangles {
            let end = rectangle.steps.map_or(run, |steps| on_grid(begin + steps));
            let value = scale * rectangle.value;
            if value != 0.0 {
                for step in begin as usize..end.ceil() as usize {
                    let (from, to) = (step as f64, (step + 1) as f64);
                    samples[step] += value * (end.min(to) - begin.max(from));
                }
            }
            begin = end;
        }
        Ok(())
    }

    fn beyond_run(&self, end_ms: f64, grid: &TimeGrid) -> CoreError {
        CoreError::BeyondRun {
            waveform: cut(&self.to_string()),
            end_ms,
            tstop_ms: grid.duration_ms(),
        }
    }
}

/// When a pulse begins, in steps.
#[derive(Debug, Clone, Copy, Default)]
struct Onset {
    /// The step nearest to each of the times that were added up.
    nearest: usize,
    exact: f64,
}

impl Onset {
    fn later(self, ms: f64, grid: &TimeGrid) -> Self {
        Self {
            nearest: self.nearest.saturating_add(grid.steps_in(ms)),
            exact: on_grid(self.exact + grid.steps_until(ms)),
        }
    }
}

impl Add for Waveform {
    type Output = Self;

    /// Both at once.
    fn add(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }
}

#[cfg(test)]
mod tests;
