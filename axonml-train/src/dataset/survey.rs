//! Statistics of a set.

use super::Trace;

/// Figures about many fibers, gathered one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    dt_ms: f64,
    every: usize,
    v: Option<usize>,
    /// The statistics so far.
    pub survey: Survey,
}

/// Figures about many fibers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// `[fiber]`: diameter, um.
    pub diameters_um: Vec<f64>,
    /// `[pulse]`: the current of largest magnitude of each contact that delivers any, mA.
    pub peaks_ma: Vec<f64>,
    /// `[pulse]`: how long each of these contacts delivers current, ms.
    pub active_ms: Vec<f64>,
    /// `[fiber]`: action potentials: upward crossings of 0 mV in the rows, at the one of the two detection nodes that
    /// has more; empty if the voltage was not recorded.
    pub action_potentials: Vec<u32>,
    /// Least and greatest membrane potential, mV.
    pub v_range_mv: Option<(f64, f64)>,
}

impl Tally {
    /// An empty tally of fibers with these states and times.
    pub fn new(states: &[String], dt_ms: f64, every: usize) -> Self {
        Tally {
            dt_ms,
            every,
            v: states.iter().position(|state| state == "v"),
            survey: Survey::default(),
        }
    }

    /// Nodes at which an action potential counts: 5 from either end, the middle of short fibers.
    pub fn detection_nodes(nodes: usize) -> [usize; 2] {
        match nodes > 10 {
            true => [5, nodes - 5],
            false => [nodes / 2; 2],
        }
    }

    /// Adds a fiber.
    pub fn add(&mut self, trace: &Trace) {
        let survey = &mut self.survey;
        survey.diameters_um.push(trace.diameter_um);
        for steps_ma in trace.waveforms_ma.rows() {
            let active = steps_ma.iter().filter(|current| **current != 0.0).count();
            if active > 0 {
                let larger = |a: f32, b: &f32| if b.abs() > a.abs() { *b } else { a };
                survey
                    .peaks_ma
                    .push(steps_ma.iter().fold(0.0, larger).into());
                survey.active_ms.push(active as f64 * self.dt_ms);
            }
        }
        let Some(v) = self.v else {
            return;
        };
        let (rows, _, nodes) = trace.states.dim();
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for row in trace.states.outer_iter() {
            for &v_mv in row.row(v) {
                low = low.min(v_mv);
                high = high.max(v_mv);
            }
        }
        let range = survey.v_range_mv.get_or_insert((low.into(), high.into()));
        *range = (range.0.min(low.into()), range.1.max(high.into()));
        let v_mv = |row: usize, node: usize| trace.states[[row, v, node]];
        let crossings = |node: usize| {
            let crosses = |row: &usize| v_mv(row - 1, node) < 0.0 && v_mv(*row, node) >= 0.0;
            (1..rows).filter(crosses).count() as u32
        };
        let found = Self::detection_nodes(nodes).map(crossings);
        survey.action_potentials.push(found[0].max(found[1]));
    }

    /// Time between rows, ms.
    pub fn row_ms(&self) -> f64 {
        self.dt_ms * self.every as f64
    }
}

impl Survey {
    /// Number of fibers.
    pub fn fibers(&self) -> usize {
        self.diameters_um.len()
    }

    /// Fibers with an action potential, if that is known.
    pub fn firing(&self) -> Option<usize> {
        let firing = |count: &&u32| **count > 0;
        (!self.action_potentials.is_empty())
            .then(|| self.action_potentials.iter().filter(firing).count())
    }
}
