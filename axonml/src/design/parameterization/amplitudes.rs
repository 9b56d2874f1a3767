//! Amplitudes of a waveform that does not change.

use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2};

use super::Parameterization;
use crate::design::Delivered;

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
        let dot = |row: ArrayView1<'_, f64>| -> f64 {
            row.iter().zip(&*self.waveform).map(|(d, w)| d * w).sum()
        };
        by_currents.rows().into_iter().map(dot).collect()
    }
}
