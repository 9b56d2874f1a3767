//! How a stimulus follows from the unknowns of an optimization.

mod amplitudes;
mod functions;
mod pulses;
mod samples;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use ndarray::ArrayView2;

use super::Delivered;

pub use amplitudes::Amplitudes;
pub use pulses::{PulseShape, Pulses};
pub use samples::{Expansion, Samples};

/// A family of stimuli, and how they move with the numbers that an optimizer varies.
///
/// The first `contacts * coefficients` unknowns are *linear*: contact by contact, coefficients of functions of time that
/// are the same at all contacts ([`Parameterization::coefficients`]), so that currents that add up to 0 have coefficients
/// that do. The others, such as pulse widths, are *shapes*, each within a range.
///
/// # Example
/// A parameterization of one's own: pulses that decay with a time constant that is optimized along with their amplitudes.
/// ```
/// use std::sync::Arc;
/// use axonml::design::{Delivered, Parameterization};
/// use ndarray::{Array2, ArrayView2};
///
/// /// -exp(-t / tau) through two contacts, for 100 steps of 0.01 ms.
/// #[derive(Debug)]
/// struct Decay;
///
/// fn wave(of: impl Fn(f64) -> f64) -> Vec<f64> {
///     (0..100).map(|step| of(0.01 * f64::from(step))).collect()
/// }
///
/// impl Parameterization for Decay {
///     fn contacts(&self) -> usize { 2 }
///     fn coefficients(&self) -> usize { 1 }
///     fn shapes(&self) -> Vec<(&'static str, [f64; 2])> { vec![("tau_ms", [0.05, 0.5])] }
///     fn stimulus(&self, x: &[f64]) -> Delivered {
///         let waveform = wave(|t| -(-t / x[2]).exp());
///         Delivered::of_one(x[..2].to_vec(), &Arc::new(waveform), 0.01)
///     }
///     fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> { [amplitudes_ma, &[0.1]].concat() }
///     fn pull_back(&self, x: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
///         let dot = |contact: usize, wave: &[f64]| -> f64 {
///             by_currents.row(contact).iter().zip(wave).map(|(d, w)| d * w).sum()
///         };
///         let by_amplitude = wave(|t| -(-t / x[2]).exp());
///         let by_tau = wave(|t| -(-t / x[2]).exp() * t / (x[2] * x[2]));
///         let shape = x[0] * dot(0, &by_tau) + x[1] * dot(1, &by_tau);
///         vec![dot(0, &by_amplitude), dot(1, &by_amplitude), shape]
///     }
/// }
///
/// // The charge of contact 0, 0.3 mA for about tau: mA ms, and its derivatives.
/// let x = [0.3, 0.0, 0.1];
/// let charge = |x: &[f64]| 0.01 * Decay.stimulus(x).currents_ma(0).sum::<f64>();
/// assert!((charge(&x) + 0.3 * 0.1).abs() < 2e-3);
/// let mut by_currents = Array2::zeros((2, 100));
/// by_currents.row_mut(0).fill(0.01);
/// let by_tau = Decay.pull_back(&x, by_currents.view())[2];
/// let difference = (charge(&[0.3, 0.0, 0.1001]) - charge(&[0.3, 0.0, 0.0999])) / 2e-4;
/// assert!((by_tau - difference).abs() < 1e-6);
/// ```
pub trait Parameterization: Debug + Send + Sync {
    /// Number of contacts.
    fn contacts(&self) -> usize;

    /// Linear unknowns of each contact.
    fn coefficients(&self) -> usize;

    /// Charge of each coefficient at 1: the integral of its function of time, mA ms per unit. Where it is not 0,
    /// charge-balanced stimuli lie in a subspace; none where it depends on shapes, or where all functions are balanced.
    fn charges(&self) -> Option<Vec<f64>> {
        None
    }

    /// Name and range of each shape.
    fn shapes(&self) -> Vec<(&'static str, [f64; 2])> {
        Vec::new()
    }

    /// Number of unknowns.
    fn unknowns(&self) -> usize {
        self.contacts() * self.coefficients() + self.shapes().len()
    }

    /// The stimulus of a point. Multiplied linear unknowns multiply it.
    ///
    /// # Panics
    /// If there are not as many numbers as unknowns.
    fn stimulus(&self, x: &[f64]) -> Delivered;

    /// The point whose contacts deliver these amplitudes of the reference waveform, mA, or the one closest to it.
    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64>;

    /// Whether unknowns are amplitudes of one waveform that never changes: derivatives by amplitudes are enough then.
    fn has_fixed_waveform(&self) -> bool {
        false
    }

    /// The derivatives of a loss by the unknowns, from those by the currents, `[contact, step]`.
    fn pull_back(&self, x: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64>;

    /// The widths of the pulse at a point, for results; none where the stimulus is no pulse of its own shape.
    fn widths_ms(&self, x: &[f64]) -> Widths {
        let _ = x;
        Widths::default()
    }
}

/// Widths of a stimulus's pulse, as far as it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Widths {
    /// Width of the first phase, ms.
    pub pw_ms: Option<f64>,
    /// Pause between the phases, ms.
    pub gap_ms: Option<f64>,
    /// Width of the second phase relative to the first.
    pub asymmetry: Option<f64>,
}
