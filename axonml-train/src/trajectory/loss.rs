//! Loss of a run against its reference.

use std::collections::BTreeMap;

use axonml_models::{Evaluation, RecordedCotangent, Recording};
use ndarray::{ArrayView3, Axis};
use serde::{Deserialize, Serialize};

/// The loss: for each fiber the mean over times and nodes of penalties of differences, summed over states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossSettings {
    /// The penalty of a difference.
    pub penalty: Penalty,
    /// The difference of voltage that counts as 1, mV; gates count as they are.
    pub scale_mv: f64,
    /// Weight of each state's penalty, by name; states left out do not count.
    pub weights: BTreeMap<String, f64>,
    /// Where the reference is above this, mV, it counts `spike_weight` times.
    pub spike_level_mv: f64,
    /// Weight of values of the reference above `spike_level_mv`.
    pub spike_weight: f64,
}

impl Default for LossSettings {
    fn default() -> Self {
        LossSettings {
            penalty: Penalty::Huber,
            scale_mv: 10.0,
            weights: BTreeMap::from([("v".to_owned(), 1.0)]),
            spike_level_mv: -20.0,
            spike_weight: 1.0,
        }
    }
}

/// The penalty of a difference of `d` scales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Penalty {
    /// `2 (sqrt(1 + d^2) - 1)`: the square of small differences, twice the size of large ones.
    #[default]
    Huber,
    /// `d^2`.
    Squared,
}

impl Penalty {
    /// The penalty and its derivative.
    fn of(self, d: f64) -> (f64, f64) {
        match self {
            Penalty::Squared => (d * d, 2.0 * d),
            Penalty::Huber => {
                let root = (1.0 + d * d).sqrt();
                // d^2 / (root + 1) is root - 1 without its cancellation.
                (2.0 * d * d / (root + 1.0), 2.0 * d / root)
            }
        }
    }
}

/// A state of the loss.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Where the reference has it.
    position: usize,
    /// Where the recording has it; none is the voltage.
    gate: Option<usize>,
    weight: f64,
    scale: f64,
}

/// A loss for references whose states have a certain order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loss {
    penalty: Penalty,
    columns: Vec<Column>,
    /// Names of the gates to record, in the columns' order.
    pub(super) gates: Vec<String>,
    /// Where the reference has the voltage.
    v: usize,
    spike_level_mv: f64,
    spike_weight: f64,
}

impl Loss {
    /// Of references with `states`; the name of a state that they lack otherwise.
    pub(super) fn new(settings: &LossSettings, states: &[String]) -> Result<Self, String> {
        let position = |name: &str| {
            let found = states.iter().position(|state| state == name);
            found.ok_or_else(|| name.to_owned())
        };
        let (mut columns, mut gates) = (Vec::new(), Vec::new());
        for (name, &weight) in settings.weights.iter().filter(|(_, weight)| **weight > 0.0) {
            let is_v = name == "v";
            columns.push(Column {
                position: position(name)?,
                gate: (!is_v).then_some(gates.len()),
                weight,
                scale: if is_v { settings.scale_mv } else { 1.0 },
            });
            if !is_v {
                gates.push(name.clone());
            }
        }
        Ok(Loss {
            penalty: settings.penalty,
            columns,
            gates,
            v: position("v")?,
            spike_level_mv: settings.spike_level_mv,
            spike_weight: settings.spike_weight,
        })
    }

    /// Weight of a value of the reference.
    fn weight(&self, v_mv: f32) -> f64 {
        match f64::from(v_mv) > self.spike_level_mv {
            true => self.spike_weight,
            false => 1.0,
        }
    }

    /// The share of a recording in the loss of a fiber, with its derivatives. `reference` is the whole run's,
    /// `[row, state, node]`; the recording holds its rows from `first` on. Only rows after row `start`, where the
    /// recorded steps begin, count, so that the shares of a run's windows add up to that of the run.
    pub(super) fn evaluate(
        &self,
        reference: ArrayView3<'_, f32>,
        start: usize,
        first: usize,
        recording: &Recording,
    ) -> Evaluation {
        let nodes = recording.nodes.len();
        let v = reference.index_axis(Axis(1), self.v);
        let counted = v.rows().into_iter().skip(1);
        let total: f64 = counted.flatten().map(|&v| self.weight(v)).sum();
        let mut loss = 0.0;
        let mut recorded = RecordedCotangent {
            v_mv: Vec::new(),
            states: vec![Vec::new(); recording.states.len()],
        };
        for column in &self.columns {
            let (values, bars) = match column.gate {
                None => (&recording.v_mv, &mut recorded.v_mv),
                Some(gate) => (&recording.states[gate], &mut recorded.states[gate]),
            };
            bars.resize(values.len(), 0.0);
            let of_state = reference.index_axis(Axis(1), column.position);
            for row in (start + 1).saturating_sub(first)..values.len() / nodes {
                let expected = of_state.row(first + row);
                let v = v.row(first + row);
                for node in 0..nodes {
                    let at = row * nodes + node;
                    let difference = (values[at] - f64::from(expected[node])) / column.scale;
                    let (penalty, slope) = self.penalty.of(difference);
                    let share = column.weight * self.weight(v[node]) / total;
                    loss += share * penalty;
                    bars[at] = share * slope / column.scale;
                }
            }
        }
        Evaluation {
            loss,
            recorded: vec![Some(recorded)],
            state: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    fn recording(v_mv: &[f64], m: &[f64]) -> Recording {
        Recording {
            t_ms: vec![0.0; v_mv.len() / 2],
            nodes: vec![0, 1],
            v_mv: v_mv.to_vec(),
            states: vec![m.to_vec()],
        }
    }

    /// By hand: two rows count, two nodes; v is off by 10 mV at one place where the reference spikes (counted three
    /// times), m by 0.5 at another.
    #[test]
    fn a_loss_is_the_weighted_mean_of_penalties() {
        let settings = LossSettings {
            penalty: Penalty::Squared,
            weights: BTreeMap::from([("v".into(), 2.0), ("m".into(), 10.0)]),
            spike_level_mv: 0.0,
            spike_weight: 3.0,
            ..LossSettings::default()
        };
        let loss = Loss::new(&settings, &["m".into(), "v".into()]).unwrap();
        let mut reference = Array3::zeros((3, 2, 2));
        reference[[1, 1, 0]] = 20.0;
        let found = recording(
            &[9.0, 9.0, 30.0, 0.0, 0.0, 0.0],
            &[9.0, 9.0, 0.0, 0.0, 0.0, 0.5],
        );
        let whole = loss.evaluate(reference.view(), 0, 0, &found);
        // The weights of the four numbers that count are 3, 1, 1, 1.
        assert!((whole.loss - (2.0 * 3.0 * 1.0 + 10.0 * 0.25) / 6.0).abs() < 1e-12);
        let bars = whole.recorded[0].as_ref().unwrap();
        assert_eq!(bars.v_mv[..2], [0.0; 2], "the start does not count");
        assert!((bars.v_mv[2] - 2.0 * 3.0 * 2.0 / 10.0 / 6.0).abs() < 1e-12);
        assert!((bars.states[0][5] - 10.0 * 2.0 * 0.5 / 6.0).abs() < 1e-12);
        // Windows add up.
        let part = |start: usize, rows: std::ops::Range<usize>| {
            let cut = |x: &[f64]| x[2 * rows.start..2 * rows.end].to_vec();
            let recorded = recording(&cut(&found.v_mv), &cut(&found.states[0]));
            loss.evaluate(reference.view(), start, rows.start, &recorded)
                .loss
        };
        assert!((part(0, 0..2) + part(1, 1..3) - whole.loss).abs() < 1e-15);
        assert!((part(0, 0..2) + part(1, 2..3) - whole.loss).abs() < 1e-15);
        assert_eq!(Loss::new(&settings, &["v".into()]), Err("m".into()));
    }

    #[test]
    fn penalties_have_the_slopes_they_say() {
        for penalty in [Penalty::Huber, Penalty::Squared] {
            for d in [-4.0, -0.3, 0.0, 1e-3, 2.5] {
                let h = 1e-5;
                let slope = (penalty.of(d + h).0 - penalty.of(d - h).0) / (2.0 * h);
                assert!((penalty.of(d).1 - slope).abs() < 1e-8, "{penalty:?} at {d}");
            }
        }
        assert!((Penalty::Huber.of(1e-4).0 - 1e-8).abs() < 1e-15);
        assert!((Penalty::Huber.of(1e6).0 / 2e6 - 1.0).abs() < 1e-5);
    }
}
