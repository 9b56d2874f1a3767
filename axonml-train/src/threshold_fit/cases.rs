//! The exact fibers' responses that a fit compares with.

use axonml_models::{
    Detection, Device, Fiber, InitialState, NodeSelection, Observation, ObserverKind, ObserverSpec,
    Outcome, Precision, Recording, Settings, Simulation, Stimulus, Threshold, ThresholdSearch,
};

use super::FitError;
use crate::Surrogate;
use crate::dataset::{Case, Cases, DatasetError, Recipe, spacing_um};

/// Nodes at which an action potential counts as conducted.
const DETECT_NODES: [i64; 2] = [5, -5];
/// Relative width of thresholds' brackets.
const RESOLUTION: f64 = 3e-5;
/// Amplitude, in thresholds, at which arrival and shape are compared.
pub(super) const SUPRATHRESHOLD: f64 = 1.5;
/// Times after the arrival at which shapes are compared, ms; each case has one of them.
const SHAPE_AFTER_MS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
/// Cases simulated at once.
const BATCH: usize = 256;

/// Cases in which the exact fiber has a threshold.
pub(super) struct FitCases {
    pub(super) fibers: Vec<Fiber>,
    pub(super) stimulus: Stimulus,
    pub(super) references: Vec<Reference>,
    pub(super) dt_ms: f64,
    pub(super) tstop_ms: f64,
}

/// The response of the exact fiber.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    /// Number of the case.
    pub(super) case: usize,
    pub(super) threshold_ma: f64,
    /// The detection node that the action potential at 1.5 times the threshold reaches first, and its arrival time.
    pub(super) node: usize,
    pub(super) arrival_ms: f64,
    /// Voltage there, mV, this long after.
    pub(super) after_ms: f64,
    pub(super) shape_mv: f64,
}

/// The search for a threshold.
pub(super) fn search() -> ThresholdSearch {
    ThresholdSearch {
        detection: Detection::at_nodes(&DETECT_NODES),
        resolution: RESOLUTION,
        ..ThresholdSearch::default()
    }
}

/// Records the voltage of the detecting nodes at every step.
pub(super) fn recorder() -> ObserverSpec {
    let kind = ObserverKind::Recorder {
        states: Vec::new(),
        every: 1,
    };
    ObserverSpec::new(kind, NodeSelection::Nodes(DETECT_NODES.to_vec()))
}

/// The recording of each fiber's first observer; none of those that diverged.
pub(super) fn recordings(outcome: &Outcome) -> impl Iterator<Item = Option<&Recording>> {
    outcome
        .fibers
        .iter()
        .map(|fiber| match (&fiber.status, &fiber.observations[0]) {
            (axonml_models::FiberStatus::Diverged { .. }, _) => None,
            (_, Observation::Recorded(recording)) => Some(recording),
            _ => None,
        })
}

/// One column of a recording.
pub(super) struct Trace<'r> {
    recording: &'r Recording,
    column: usize,
    dt_ms: f64,
}

/// A point between two rows of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Between {
    /// The row before.
    pub(super) row: usize,
    /// Share of the way to the next one.
    pub(super) fraction: f64,
}

impl<'r> Trace<'r> {
    pub(super) fn new(recording: &'r Recording, column: usize, dt_ms: f64) -> Self {
        Trace {
            recording,
            column,
            dt_ms,
        }
    }

    pub(super) fn v_mv(&self, row: usize) -> f64 {
        self.recording.v_mv[self.index(row)]
    }

    /// Place of a row in the recording's array.
    pub(super) fn index(&self, row: usize) -> usize {
        row * self.recording.nodes.len() + self.column
    }

    fn rows(&self) -> usize {
        self.recording.t_ms.len()
    }

    /// The first upward crossing of 0 mV.
    pub(super) fn crossing(&self) -> Option<Between> {
        let crosses = |row: &usize| self.v_mv(*row) < 0.0 && self.v_mv(row + 1) >= 0.0;
        let row = (0..self.rows() - 1).find(crosses)?;
        let (before, after) = (self.v_mv(row), self.v_mv(row + 1));
        Some(Between {
            row,
            fraction: -before / (after - before),
        })
    }

    pub(super) fn time_ms(&self, at: Between) -> f64 {
        self.dt_ms * (at.row as f64 + at.fraction)
    }

    /// The point `after_ms` after another; `None` if the run ends before.
    pub(super) fn later(&self, at: Between, after_ms: f64) -> Option<Between> {
        let steps = at.row as f64 + at.fraction + after_ms / self.dt_ms;
        let row = steps.floor();
        (row + 1.0 < self.rows() as f64).then_some(Between {
            row: row as usize,
            fraction: steps - row,
        })
    }

    /// The voltage between two rows, on the straight line.
    pub(super) fn voltage_mv(&self, at: Between) -> f64 {
        let (before, after) = (self.v_mv(at.row), self.v_mv(at.row + 1));
        before + at.fraction * (after - before)
    }
}

impl FitCases {
    pub(super) fn prepare(
        count: usize,
        cases: &Cases,
        surrogate: &Surrogate,
        device: &Device,
    ) -> Result<Self, FitError> {
        let recipe = cases.recipe();
        // The cases that have reference values, with the spacing of their exact fibers' nodes.
        let mut kept: Vec<(Case, f64)> = Vec::new();
        let mut known = Vec::new();
        let indices: Vec<usize> = (0..count).collect();
        for indices in indices.chunks(BATCH) {
            let drawn: Vec<Case> = indices
                .iter()
                .map(|&index| cases.case(index))
                .collect::<Result<_, DatasetError>>()?;
            let (exact, stimulus) = cases.exact(&drawn, device)?;
            let references = references(&exact, &stimulus, &drawn)?;
            for (index, (case, reference)) in drawn.into_iter().zip(references).enumerate() {
                let Some(reference) = reference else { continue };
                kept.push((case, spacing_um(&exact, index)));
                known.push(reference);
            }
        }
        if 4 * known.len() < count || known.is_empty() {
            return Err(FitError::TooFewCases {
                found: known.len(),
                of: count,
                max_ma: search().max_ma,
            });
        }
        let fibers: Vec<Fiber> = kept
            .iter()
            .map(|(case, _)| Fiber::new(case.diameter_um, recipe.nodes))
            .collect();
        let settings = surrogate.settings(
            &vec![0.0; surrogate.len()],
            recipe.dt_ms,
            recipe.tstop_ms,
            Precision::F64,
        );
        let own = Simulation::new(surrogate.model(), fibers.clone(), &settings, device)?;
        let each = kept.iter().map(|(case, spacing_um)| (case, *spacing_um));
        Ok(FitCases {
            stimulus: cases.stimulus(each, &own)?,
            fibers,
            references: known,
            dt_ms: recipe.dt_ms,
            tstop_ms: recipe.tstop_ms,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.fibers.len()
    }

    pub(super) fn exact_thresholds_ma(&self) -> Vec<f64> {
        self.references.iter().map(|r| r.threshold_ma).collect()
    }
}

/// The responses of exact fibers; `None` for those without a threshold, or whose action potential outlasts the run.
fn references(
    exact: &Simulation,
    stimulus: &Stimulus,
    cases: &[Case],
) -> Result<Vec<Option<Reference>>, FitError> {
    let thresholds = exact.thresholds(stimulus, &search(), &mut |_| ())?;
    let above = |threshold: &Threshold| SUPRATHRESHOLD * threshold.upper_ma().unwrap_or_default();
    let amplitudes: Vec<f64> = thresholds.iter().map(above).collect();
    let outcome = exact.run(stimulus, amplitudes, &[recorder()])?;
    let dt_ms = exact.grid().dt_ms();
    let each = thresholds.iter().zip(recordings(&outcome)).zip(cases);
    let reference = |((threshold, recording), case): ((&Threshold, Option<&Recording>), &Case)| {
        let (threshold_ma, recording) = (threshold.upper_ma()?, recording?);
        let columns = (0..recording.nodes.len()).filter_map(|node| {
            let trace = Trace::new(recording, node, dt_ms);
            Some((trace.crossing()?, node, trace))
        });
        let first = columns.min_by(|a, b| a.2.time_ms(a.0).total_cmp(&b.2.time_ms(b.0)));
        let (crossing, node, trace) = first?;
        let after_ms = SHAPE_AFTER_MS[case.index % SHAPE_AFTER_MS.len()];
        let later = trace.later(crossing, after_ms)?;
        Some(Reference {
            case: case.index,
            threshold_ma,
            node,
            arrival_ms: trace.time_ms(crossing),
            after_ms,
            shape_mv: trace.voltage_mv(later),
        })
    };
    Ok(each.map(reference).collect())
}

/// Fibers without stimulus.
pub(super) struct RestCases {
    pub(super) fibers: Vec<Fiber>,
    /// The exact fibers' voltages, mV, `[fiber][time]`.
    pub(super) v_mv: Vec<[f64; REST_ROWS.len()]>,
    pub(super) dt_ms: f64,
}

/// Length of the fibers, and the observed node.
const REST_NODES: usize = 11;
const REST_DIAMETERS: usize = 8;
pub(super) const REST_STOP_MS: f64 = 40.0;
const REST_EVERY_MS: f64 = 5.0;
/// Recorded rows that are compared: after 5, 20 and 40 ms.
pub(super) const REST_ROWS: [usize; 3] = [1, 4, 8];

impl RestCases {
    pub(super) fn prepare(recipe: &Recipe, device: &Device) -> Result<Self, FitError> {
        if recipe.dt_ms > REST_EVERY_MS {
            let expected = format!("{REST_EVERY_MS} ms at most, to observe fibers at rest");
            return Err(DatasetError::recipe("dt_ms", recipe.dt_ms, expected).into());
        }
        let (low, high) = (recipe.diameter_um.low, recipe.diameter_um.high);
        let diameter = |k: usize| low + (high - low) * k as f64 / (REST_DIAMETERS - 1) as f64;
        let fibers: Vec<Fiber> = (0..REST_DIAMETERS)
            .map(|k| Fiber::new(diameter(k), REST_NODES))
            .collect();
        let settings = Settings {
            dt_ms: recipe.dt_ms,
            tstop_ms: REST_STOP_MS,
            precision: Precision::F64,
            start: InitialState::Declared,
            ..Settings::default()
        };
        let exact = recipe.model()?;
        let simulation = Simulation::new(&exact, fibers.clone(), &settings, device)?;
        let mut rest = RestCases {
            v_mv: Vec::new(),
            fibers,
            dt_ms: recipe.dt_ms,
        };
        let stimulus = Stimulus::none(rest.fibers.len());
        let outcome = simulation.run(&stimulus, 0.0, &[rest.recorder()])?;
        for (fiber, recording) in recordings(&outcome).enumerate() {
            let status = outcome.fibers[fiber].status;
            if let Some(error) = simulation.divergence(fiber, status) {
                return Err(error.into());
            }
            let Some(recording) = recording else {
                unreachable!("a run that does not diverge has a recording")
            };
            rest.v_mv.push(REST_ROWS.map(|row| recording.v_mv[row]));
        }
        Ok(rest)
    }

    /// Records the middle node every 5 ms, or a little more often: there are rows enough in the run.
    pub(super) fn recorder(&self) -> ObserverSpec {
        let kind = ObserverKind::Recorder {
            states: Vec::new(),
            every: (REST_EVERY_MS / self.dt_ms + 1e-6).floor().max(1.0) as usize,
        };
        ObserverSpec::new(kind, NodeSelection::Nodes(vec![REST_NODES as i64 / 2]))
    }
}
