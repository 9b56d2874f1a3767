//! Whole waveforms as unknowns.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use axonml_core::error::short;
use axonml_core::{CoreError, TimeGrid};
use ndarray::{ArrayView1, ArrayView2};

use super::Parameterization;
use super::functions::Functions;
use crate::design::Delivered;

/// The functions of time of which currents are sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expansion {
    /// One for each sample: coefficients are currents.
    #[default]
    Samples,
    /// So many uniform cubic B-splines whose supports fill the window: currents begin and end at 0 without a jump.
    Splines(usize),
    /// Sines and cosines of so many frequencies, the window their longest period: currents have no net charge.
    Fourier(usize),
}

/// Currents over a window of time, each contact with its own, and 0 outside: for each contact the coefficients of
/// functions of time ([`Expansion`]), mA.
///
/// Currents hold for one sample each, and functions are taken at the samples' middles.
///
/// # Example
/// The waveform of six contacts from 0.2 to 1.2 ms:
/// ```
/// use axonml::design::{Expansion, Parameterization, Samples};
/// use axonml::{TimeGrid, Waveform};
///
/// let grid = TimeGrid::new(0.005, 2.5)?;
/// let pulse: Waveform = "biphasic:pw=0.2,delay=0.2".parse()?;
/// let reference = pulse.sample(&grid)?;
/// let samples = Samples::new(6, &reference, &grid, [0.2, 1.2], 0.005, Expansion::Samples)?;
/// assert_eq!(samples.unknowns(), 6 * 200);
///
/// // It starts from the pulse.
/// let x = samples.start(&[-0.3, 0.0, 0.1, 0.0, 0.0, 0.0]);
/// let stimulus = samples.stimulus(&x);
/// assert!(stimulus.currents_ma(2).eq(reference.iter().map(|value| 0.1 * value)));
///
/// // Twenty splines are a fit of it.
/// let splines = Samples::new(6, &reference, &grid, [0.2, 1.2], 0.005, Expansion::Splines(20))?;
/// assert_eq!(splines.coefficients(), 20);
/// # Ok::<(), axonml::CoreError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    contacts: usize,
    grid: TimeGrid,
    /// Steps of the window.
    window: Range<usize>,
    /// Steps of a sample.
    hold: usize,
    functions: Functions,
    is_balanced: bool,
    /// The coefficients that are closest to the reference waveform.
    reference: Vec<f64>,
}

impl Samples {
    /// Currents of so many contacts in the window `[begin, end)`, ms, in samples of `sample_ms`; they start from multiples
    /// of `reference`, which has a value for each step.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] if the window is empty, not within the run or no multiple of `sample_ms`, or one of these
    /// no multiple of the time step, or if so many functions are not independent on the window's samples;
    /// [`CoreError::Shape`] and [`CoreError::NonFinite`] for the reference.
    pub fn new(
        contacts: usize,
        reference: &[f64],
        grid: &TimeGrid,
        window_ms: [f64; 2],
        sample_ms: f64,
        expansion: Expansion,
    ) -> Result<Self, CoreError> {
        let (window, hold) = steps(window_ms, sample_ms, grid)?;
        let samples = window.len() / hold;
        let bad = |what: &str, found: usize, most: usize| CoreError::BadValue {
            what: what.into(),
            found: found.to_string(),
            expected: format!("from 1 to {most}, as the window has {samples} samples"),
        };
        let functions = match expansion {
            Expansion::Samples => Functions::Each(samples),
            Expansion::Splines(count) => Functions::splines(count, samples)
                .ok_or_else(|| bad("the number of splines", count, samples.saturating_sub(3)))?,
            Expansion::Fourier(frequencies) => Functions::fourier(frequencies, samples)
                .ok_or_else(|| {
                    let most = samples.div_ceil(2) - 1;
                    bad("the number of Fourier frequencies", frequencies, most)
                })?,
        };
        if reference.len() != grid.steps() {
            return Err(CoreError::Shape {
                what: "the waveform that samples start from".into(),
                expected: format!("{} values, one per step", grid.steps()),
                found: reference.len().to_string(),
            });
        }
        if let Some(index) = reference.iter().position(|value| !value.is_finite()) {
            return Err(CoreError::NonFinite {
                what: "the waveform that samples start from".into(),
                index,
                found: reference[index],
            });
        }
        // Of values that hold for several steps the mean is the closest.
        let of_samples = reference[window.clone()].chunks(hold);
        let means = of_samples.map(|steps| steps.iter().sum::<f64>() / steps.len() as f64);
        let reference = functions.closest(&means.collect::<Vec<f64>>())?;
        Ok(Samples {
            contacts,
            grid: *grid,
            window,
            hold,
            functions,
            is_balanced: matches!(expansion, Expansion::Fourier(_)),
            reference,
        })
    }
}

/// The steps of a window, and those of a sample.
fn steps(
    window_ms: [f64; 2],
    sample_ms: f64,
    grid: &TimeGrid,
) -> Result<(Range<usize>, usize), CoreError> {
    let bad = |what: &str, found: String, expected: String| {
        Err(CoreError::BadValue {
            what: what.into(),
            found,
            expected,
        })
    };
    // A whole number of steps of the run.
    let whole = |ms: f64| {
        let steps = grid.steps_until(ms);
        let fits = steps >= 0.0 && steps <= grid.steps() as f64 && steps.fract() == 0.0;
        fits.then_some(steps as usize)
    };
    let [begin_ms, end_ms] = window_ms;
    let window = format!("{} to {} ms", short(begin_ms), short(end_ms));
    let dt = format!("dt = {} ms", short(grid.dt_ms()));
    let run = short(grid.duration_ms());
    let hold = match whole(sample_ms) {
        Some(hold) if hold > 0 => hold,
        _ => {
            let expected = format!("a multiple of {dt}, up to the run's {run} ms");
            return bad(
                "the length of a sample",
                format!("{} ms", short(sample_ms)),
                expected,
            );
        }
    };
    if begin_ms.partial_cmp(&end_ms) != Some(Ordering::Less) {
        return bad("the window", window, "a beginning before its end".into());
    }
    if begin_ms < 0.0 || grid.steps_until(end_ms) > grid.steps() as f64 {
        let expected = format!("times within the run, 0 to {run} ms");
        return bad("the window", window, expected);
    }
    let (Some(begin), Some(end)) = (whole(begin_ms), whole(end_ms)) else {
        return bad("the window", window, format!("multiples of {dt}"));
    };
    match (end - begin) % hold {
        0 => Ok((begin..end, hold)),
        _ => {
            let expected = format!("a multiple of a sample's {} ms", short(sample_ms));
            bad(
                "the length of the window",
                format!("{} ms", short(end_ms - begin_ms)),
                expected,
            )
        }
    }
}

impl Parameterization for Samples {
    fn contacts(&self) -> usize {
        self.contacts
    }

    fn coefficients(&self) -> usize {
        self.functions.count()
    }

    fn charges(&self) -> Option<Vec<f64>> {
        if self.is_balanced {
            return None;
        }
        let sample_ms = self.hold as f64 * self.grid.dt_ms();
        let totals = self.functions.totals().into_iter();
        Some(totals.map(|total| total * sample_ms).collect())
    }

    fn stimulus(&self, x: &[f64]) -> Delivered {
        assert_eq!(x.len(), self.unknowns(), "the coefficients of each contact");
        let of_contact = |coefficients: &[f64]| {
            let mut waveform = vec![0.0; self.grid.steps()];
            let samples = waveform[self.window.clone()].chunks_mut(self.hold);
            for (steps, value) in samples.zip(self.functions.sum(coefficients)) {
                steps.fill(value);
            }
            Arc::new(waveform)
        };
        Delivered {
            amplitudes_ma: vec![1.0; self.contacts],
            waveforms: x.chunks(self.coefficients()).map(of_contact).collect(),
            dt_ms: self.grid.dt_ms(),
        }
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        let each = amplitudes_ma.iter();
        each.flat_map(|ma| self.reference.iter().map(move |value| ma * value))
            .collect()
    }

    fn pull_back(&self, _: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
        let of_contact = |by_steps: ArrayView1<'_, f64>| {
            let by_steps = by_steps.to_vec();
            let samples = by_steps[self.window.clone()].chunks(self.hold);
            let by_values: Vec<f64> = samples.map(|steps| steps.iter().sum()).collect();
            self.functions.by_coefficients(&by_values)
        };
        by_currents
            .rows()
            .into_iter()
            .flat_map(of_contact)
            .collect()
    }
}
