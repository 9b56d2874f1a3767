//! How a stimulus follows from the unknowns of an optimization.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::ArrayView2;

use super::Delivered;

/// A family of stimuli, and how they move with the numbers that an optimizer varies.
///
/// The first `contacts * coefficients` unknowns are *linear*: contact by contact, coefficients of functions of time that
/// are the same at all contacts ([`Parameterization::coefficients`]), so that currents that add up to 0 have coefficients
/// that do. The others, such as pulse widths, are *shapes*, each within a range.
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

    /// Shapes in numbers, for results: pulse width and gap, ms, as far as there are any.
    fn widths_ms(&self, x: &[f64]) -> Widths {
        let _ = x;
        Widths::default()
    }
}

/// Pulse width and gap of a stimulus, where they are unknowns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Widths {
    /// Width of the first phase, ms.
    pub pw_ms: Option<f64>,
    /// Pause between the phases, ms.
    pub gap_ms: Option<f64>,
    /// Width of the second phase relative to the first.
    pub asymmetry: Option<f64>,
}

/// Amplitudes of one waveform: one unknown for each contact, mA.
#[derive(Clone, Debug, PartialEq)]
pub struct Amplitudes {
    contacts: usize,
    waveform: Arc<Vec<f64>>,
    dt_ms: f64,
}

impl Amplitudes {
    /// Amplitudes of `waveform`, one value for each step of `dt_ms`, at so many contacts.
    pub fn new(contacts: usize, waveform: Arc<Vec<f64>>, dt_ms: f64) -> Self {
        Amplitudes {
            contacts,
            waveform,
            dt_ms,
        }
    }
}

impl Parameterization for Amplitudes {
    fn contacts(&self) -> usize {
        self.contacts
    }

    fn coefficients(&self) -> usize {
        1
    }

    fn charges(&self) -> Option<Vec<f64>> {
        Some(vec![self.waveform.iter().sum::<f64>() * self.dt_ms])
    }

    fn stimulus(&self, x: &[f64]) -> Delivered {
        assert_eq!(x.len(), self.contacts, "one amplitude per contact");
        Delivered::of_one(x.to_vec(), &self.waveform, self.dt_ms)
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        amplitudes_ma.to_vec()
    }

    fn has_fixed_waveform(&self) -> bool {
        true
    }

    fn pull_back(&self, _: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
        let dot = |row: ndarray::ArrayView1<'_, f64>| -> f64 {
            row.iter().zip(&*self.waveform).map(|(d, w)| d * w).sum()
        };
        by_currents.rows().into_iter().map(dot).collect()
    }
}
