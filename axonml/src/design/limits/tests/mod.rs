//! Projections, scales, violations and converters' grids against each other, differences and hand-worked numbers.

mod contradictions;
mod grid;
mod hand_worked;
mod projections;
mod scales;

use std::sync::Arc;

use ndarray::ArrayView2;

use super::super::{Delivered, Parameterization};
use super::{Electrodes, Limits};

const DT_MS: f64 = 0.005;

/// 0.2 ms of -1, 0.2 ms of 1, after a pause.
fn biphasic() -> Arc<Vec<f64>> {
    Arc::new([vec![0.0; 4], vec![-1.0; 40], vec![1.0; 40], vec![0.0; 4]].concat())
}

/// Sums of given functions of time.
#[derive(Clone, Debug)]
struct Functions {
    contacts: usize,
    functions: Vec<Vec<f64>>,
}

impl Functions {
    /// Four overlapping functions, none of them balanced: hats, like those of linear splines.
    fn hats(contacts: usize) -> Self {
        let hat = |center: f64| {
            (0..30).map(move |step| (1.0 - (f64::from(step) - center).abs() / 6.0).max(0.0))
        };
        let functions = [8.0, 13.0, 17.0, 22.0].map(|center| hat(center).collect());
        Functions {
            contacts,
            functions: functions.to_vec(),
        }
    }

    /// One function for each of 12 steps in the middle of 20.
    fn samples(contacts: usize) -> Self {
        let sample = |at: usize| (0..20).map(|step| f64::from(step == at + 4)).collect();
        Functions {
            contacts,
            functions: (0..12).map(sample).collect(),
        }
    }
}

impl Parameterization for Functions {
    fn contacts(&self) -> usize {
        self.contacts
    }

    fn coefficients(&self) -> usize {
        self.functions.len()
    }

    fn charges(&self) -> Option<Vec<f64>> {
        let charge = |function: &Vec<f64>| DT_MS * function.iter().sum::<f64>();
        Some(self.functions.iter().map(charge).collect())
    }

    fn stimulus(&self, x: &[f64]) -> Delivered {
        let waveform = |own: &[f64]| {
            let mut sum = vec![0.0; self.functions[0].len()];
            for (x, function) in own.iter().zip(&self.functions) {
                sum.iter_mut()
                    .zip(function)
                    .for_each(|(sum, value)| *sum += x * value);
            }
            Arc::new(sum)
        };
        Delivered {
            amplitudes_ma: vec![1.0; self.contacts],
            waveforms: x.chunks(self.functions.len()).map(waveform).collect(),
            dt_ms: DT_MS,
        }
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        amplitudes_ma
            .iter()
            .flat_map(|ma| vec![*ma; self.functions.len()])
            .collect()
    }

    fn pull_back(&self, _: &[f64], by_currents: ArrayView2<'_, f64>) -> Vec<f64> {
        let rows = by_currents.rows().into_iter();
        let dot = |row: ndarray::ArrayView1<'_, f64>, function: &Vec<f64>| -> f64 {
            row.iter().zip(function).map(|(d, value)| d * value).sum()
        };
        rows.flat_map(|row| {
            self.functions
                .iter()
                .map(move |function| dot(row, function))
        })
        .collect()
    }
}

/// The limits of a stimulator for six discs of 2 mm, with impedances like those in a nerve, all in force.
fn all_limits() -> Limits {
    let geometry =
        serde_json::from_str(include_str!("../../../../../examples/nerves/N1/nerve.json"));
    Limits {
        sum_zero: true,
        balanced: true,
        charge_max_nc: Some(60.0),
        shannon_max: Some(1.85),
        compliance_max_v: Some(0.4),
        dac_ma: Some(0.01),
        max_contacts: Some(4),
        electrodes: Electrodes::of_nerve(&geometry.unwrap()),
        ..Limits::of_bound(6, 0.3)
    }
}
