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
mod parse;
mod pulse;
mod shape;

use std::ops::Add;

use crate::error::CoreError;
use crate::time::TimeGrid;
use pulse::{Curve, Pulse};

pub use catalogue::{COMMON_KEYS, PULSES, PulseKey, PulseKind};
pub use pulse::Direction;

/// A stimulation waveform of unit amplitude: pulses laid over time, each scaled and delayed, added
/// up.
///
/// Sampled, its value `w[i]` acts in the step `t_i -> t_(i+1)` ("hold"). A pulse begins at step
/// `round(delay / dt)` and each of its phases lasts `round(width / dt)` steps; times within a pulse
/// count from its own first step.
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

/// One pulse of the sum.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    pulse: Pulse,
    delay_ms: f64,
    scale: f64,
}

impl Waveform {
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
    /// The ratio is taken of the steps that the two phases last, so that the samples balance on
    /// every time grid.
    ///
    /// # Errors
    /// [`CoreError::BadValue`].
    pub fn charge_balanced(pw1_ms: f64, pw2_ms: f64, gap_ms: f64) -> Result<Self, CoreError> {
        let pw1_ms = CoreError::check_positive("pw1 of charge-balanced", "ms", pw1_ms)?;
        let pw2_ms = CoreError::check_positive("pw2 of charge-balanced", "ms", pw2_ms)?;
        let gap_ms = CoreError::check_not_negative("gap of charge-balanced", "ms", gap_ms)?;
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

    /// `n` repetitions of `pulse`, `1 / freq_khz` ms apart. The r-th begins `round(r / (freq dt))`
    /// steps after the first.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] for a frequency that is not a finite number above 0, for no
    /// repetitions, and for a pulse that goes on for ever or is longer than the period.
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
        Ok(Self::from_pulse(Pulse::Train { pulse, freq_khz, n }))
    }

    /// One value per step of a grid with step `dt_ms`, 0 after the last: for waveforms that were
    /// made for one grid.
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
    /// On a grid the value given for t begins at step `round(t / dt)`.
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

    /// When the waveform is over for good, in ms, or `None` if it goes on for ever.
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
    /// - [`CoreError::TooShort`] for a phase or gap shorter than half a step.
    /// - [`CoreError::Undersampled`] for a sine with two or fewer samples a period.
    /// - [`CoreError::SampleStep`] when samples were made for another step.
    /// - [`CoreError::BadValue`] when it was [`delayed`](Self::delayed) or
    ///   [`scaled`](Self::scaled) by a number that is not finite, or to before 0.
    pub fn sample(&self, grid: &TimeGrid) -> Result<Vec<f64>, CoreError> {
        let mut samples = vec![0.0; grid.steps()];
        self.add_to(&mut samples, grid, 0, 1.0)?;
        Ok(samples)
    }

    /// Adds `scale` times this waveform to the samples from step `onset` on.
    fn add_to(
        &self,
        samples: &mut [f64],
        grid: &TimeGrid,
        onset: usize,
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
        onset: usize,
        scale: f64,
    ) -> Result<(), CoreError> {
        let delay_ms = CoreError::check_not_negative(
            &format!("delay of {}", self.pulse.name()),
            "ms",
            self.delay_ms,
        )?;
        let onset = onset.saturating_add(grid.steps_in(delay_ms));
        let own_scale = CoreError::check_finite(
            &format!("scale of {}", self.pulse.name()),
            "multiples",
            self.scale,
        )?;
        let scale = scale * own_scale;

        if let Pulse::Train { pulse, freq_khz, n } = &self.pulse {
            // A repetition that does not fit is reported as what it is: a train that is too long.
            let beyond_run = |error| match error {
                CoreError::BeyondRun { .. } => {
                    let length_ms = self.pulse.duration_ms().unwrap_or(f64::INFINITY);
                    self.beyond_run(grid.time_ms(onset) + length_ms, grid)
                }
                other => other,
            };
            return (0..*n).try_for_each(|r| {
                let onset = onset.saturating_add(grid.steps_in(f64::from(r) / freq_khz));
                pulse
                    .add_to(samples, grid, onset, scale)
                    .map_err(beyond_run)
            });
        }
        let phases = self.pulse.phases(grid)?;
        let lasting: usize = phases
            .iter()
            .filter_map(|phase| phase.steps)
            .fold(0, usize::saturating_add);
        // Whatever is endless must at least begin.
        let needed = onset.saturating_add(lasting.max(1));
        if !phases.is_empty() && needed > samples.len() {
            return Err(self.beyond_run(grid.time_ms(onset.saturating_add(lasting)), grid));
        }
        let begin = onset.min(samples.len());
        let mut rest = &mut samples[begin..];
        for phase in phases {
            let steps = phase.steps.unwrap_or(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(steps);
            for (k, sample) in now.iter_mut().enumerate() {
                *sample += scale * phase.curve.value(k, steps, grid.dt_ms());
            }
            rest = later;
        }
        Ok(())
    }

    fn beyond_run(&self, end_ms: f64, grid: &TimeGrid) -> CoreError {
        CoreError::BeyondRun {
            waveform: self.to_string(),
            end_ms,
            tstop_ms: grid.duration_ms(),
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
