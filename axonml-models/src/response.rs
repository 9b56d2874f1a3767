//! The response of a fiber and its difference from another response: voltages, first crossings, arrivals.

use crate::Recording;

/// Voltages of a fiber's nodes over time, and when each node first crossed a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Voltage, mV, `[row, node]` flattened.
    v_mv: Vec<f64>,
    /// First upward crossing of each node, ms.
    first_ms: Vec<Option<f64>>,
}

/// The difference of two responses; times and voltages of the first minus those of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseDifference {
    /// Difference of the arrivals at the detection nodes, ms, where both arrive.
    pub arrival_ms: Option<f64>,
    /// Root mean square difference of the nodes' first crossings, ms, over the nodes that cross in both.
    pub spike_time_rms_ms: Option<f64>,
    /// Nodes that cross in one and not in the other.
    pub nodes_differing: usize,
    /// Root mean square difference of the voltages over nodes and time, mV.
    pub v_rms_mv: f64,
    /// Largest difference of voltages, mV.
    pub v_max_mv: f64,
}

impl Response {
    /// The response in voltages `v_mv`, `[row, node]` flattened, at the times `t_ms` of the rows. Crossings count from
    /// `after_ms` on: a node at or above `level_mv` whose row before lay below, or that is the first row considered;
    /// their times are interpolated linearly, as observers do.
    ///
    /// # Panics
    /// If `v_mv` is not rows of `nodes` voltages.
    pub fn new(t_ms: &[f64], v_mv: Vec<f64>, nodes: usize, level_mv: f64, after_ms: f64) -> Self {
        assert_eq!(v_mv.len(), t_ms.len() * nodes, "voltages are [row, node]");
        let first_row = t_ms.partition_point(|t| *t < after_ms - 1e-9);
        let first = |node: usize| {
            let v = |row: usize| v_mv[row * nodes + node];
            (first_row..t_ms.len()).find_map(|row| match row {
                row if v(row) < level_mv || v(row).is_nan() => None,
                row if row == first_row => Some(t_ms[row]),
                row if v(row - 1) < level_mv => {
                    let part = (level_mv - v(row - 1)) / (v(row) - v(row - 1));
                    Some(t_ms[row - 1] + part * (t_ms[row] - t_ms[row - 1]))
                }
                _ => None,
            })
        };
        let first_ms = (0..nodes).map(first).collect();
        Response { v_mv, first_ms }
    }

    /// The response in a recording of all nodes at every step.
    pub fn of_recording(recording: Recording, level_mv: f64, after_ms: f64) -> Self {
        let nodes = recording.nodes.len();
        Response::new(&recording.t_ms, recording.v_mv, nodes, level_mv, after_ms)
    }

    /// First upward crossing of each node, ms.
    pub fn first_ms(&self) -> &[Option<f64>] {
        &self.first_ms
    }

    /// Arrival time at the first of the nodes `detect` to cross, ms.
    pub fn arrival_ms(&self, detect: &[usize]) -> Option<f64> {
        let times = detect.iter().filter_map(|&node| self.first_ms[node]);
        times.min_by(f64::total_cmp)
    }

    /// The difference of this response from `reference`, with arrivals at the nodes `detect`.
    ///
    /// # Panics
    /// If they have different numbers of nodes or rows.
    pub fn difference(&self, reference: &Response, detect: &[usize]) -> ResponseDifference {
        assert_eq!(self.first_ms.len(), reference.first_ms.len(), "nodes");
        assert_eq!(self.v_mv.len(), reference.v_mv.len(), "rows of voltages");
        let pairs = || self.first_ms.iter().zip(&reference.first_ms);
        let both: Vec<f64> = pairs()
            .filter_map(|(ours, theirs)| Some((*ours)? - (*theirs)?))
            .collect();
        let differences = || self.v_mv.iter().zip(&reference.v_mv).map(|(a, b)| a - b);
        // `f64::max` would pass over NaN.
        let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
        let arrivals = self.arrival_ms(detect).zip(reference.arrival_ms(detect));
        ResponseDifference {
            arrival_ms: arrivals.map(|(ours, theirs)| ours - theirs),
            spike_time_rms_ms: (!both.is_empty()).then(|| rms(both.iter().copied())),
            nodes_differing: pairs().filter(|(a, b)| a.is_some() != b.is_some()).count(),
            v_rms_mv: rms(differences()),
            v_max_mv: differences().map(f64::abs).fold(0.0, larger),
        }
    }
}

/// Root mean square; NaN of nothing.
fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value * value;
        count += 1;
    }
    (sum / f64::from(count)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const T_MS: [f64; 4] = [0.0, 0.5, 1.0, 1.5];

    fn response(nodes: &[[f64; 4]], after_ms: f64) -> Response {
        let rows = (0..4).flat_map(|row| nodes.iter().map(move |v| v[row]));
        Response::new(&T_MS, rows.collect(), nodes.len(), 0.0, after_ms)
    }

    #[test]
    fn crossings_are_upward_first_and_interpolated() {
        let nodes = [
            [-4.0, 4.0, -4.0, 4.0],
            [-3.0, -1.0, -1.0, -0.5],
            [5.0, 5.0, -1.0, 3.0],
            [-1.0, -1.0, 0.0, 1.0],
        ];
        let all = response(&nodes, 0.0);
        assert_eq!(all.first_ms(), [Some(0.25), None, Some(0.0), Some(1.0)]);
        assert_eq!(all.arrival_ms(&[1, 3]), Some(1.0));
        assert_eq!(all.arrival_ms(&[1]), None);
        // From 1 ms on, a voltage above the level counts at once; earlier crossings do not.
        let late = response(&nodes, 1.0);
        assert_eq!(late.first_ms(), [Some(1.25), None, Some(1.125), Some(1.0)]);
    }

    #[test]
    fn differences_are_of_what_both_do() {
        let ours = response(&[[-1.0, 1.0, 1.0, 1.0], [-1.0, -1.0, -1.0, 1.0]], 0.0);
        let theirs = response(&[[-1.0, -1.0, 1.0, 1.0], [-1.0; 4]], 0.0);
        let found = ours.difference(&theirs, &[0]);
        assert_eq!(found.arrival_ms, Some(-0.5));
        assert_eq!(found.spike_time_rms_ms, Some(0.5));
        assert_eq!((found.nodes_differing, found.v_max_mv), (1, 2.0));
        assert!((found.v_rms_mv - 1.0).abs() < 1e-15);
        assert_eq!(ours.difference(&theirs, &[1]).arrival_ms, None);
        let broken = response(&[[-1.0, f64::NAN, 1.0, 1.0], [-1.0; 4]], 0.0);
        assert!(broken.difference(&theirs, &[0]).v_max_mv.is_nan());
    }
}
