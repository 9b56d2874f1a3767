//! Runs: recordings, responses to test pulses, conduction velocities.

use std::sync::Arc;

use axonml::simulation::{
    Course, DetectedRun, FiberState, FiberStatus, Recording, Site, Synapse, TestPulses,
    Transmission, VelocitySites,
};
use axonml::{NodeSelection, Observation, ObserverKind, ObserverSpec};
use ndarray::{Array3, s};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::errors::{Error, Result};
use crate::results::{Columns, filled};
use crate::specs::{SearchSpec, TestSpec};
use crate::state::{Layout, StateSpec};
use crate::work::{Ears, done};

/// The request of a run.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct RunSpec {
    pub(crate) amplitudes_ma: Vec<f64>,
    pub(crate) states: Vec<String>,
    nodes: Option<Vec<i64>>,
    at: Option<Vec<f64>>,
    every: usize,
    search: SearchSpec,
}

impl RunSpec {
    /// The recorder, unless memory cannot hold its rows.
    pub(crate) fn recorder(&self, simulation: &Batch, steps: usize) -> Result<ObserverSpec> {
        let nodes = match (&self.nodes, &self.at) {
            (Some(nodes), _) => NodeSelection::Nodes(nodes.clone()),
            (None, Some(fractions)) => NodeSelection::Fractions(fractions.clone()),
            (None, None) => NodeSelection::All,
        };
        let [_, rows, recorded] = self.shape(simulation, steps);
        simulation.check_recordings(rows, 1 + self.states.len(), recorded)?;
        let recorder = ObserverKind::Recorder {
            states: self.states.clone(),
            every: self.every,
        };
        Ok(ObserverSpec::new(recorder, nodes))
    }

    /// Shape of every quantity that a run of so many steps records: fibers, times (the start included) and nodes of the longest
    /// fiber.
    pub(crate) fn shape(&self, simulation: &Batch, steps: usize) -> [usize; 3] {
        let fibers = simulation.inner.fibers();
        let nodes = match (&self.nodes, &self.at) {
            (Some(nodes), _) => nodes.len(),
            (None, Some(fractions)) => fractions.len(),
            (None, None) => fibers.iter().fold(0, |most, fiber| most.max(fiber.nodes)),
        };
        let rows = steps / self.every.max(1) + 1;
        [fibers.len(), rows, nodes]
    }
}

/// The part of the time grid that a run takes, and who looks at its states.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct CourseSpec<'py> {
    begin: Option<StateSpec<'py>>,
    until_ms: Option<f64>,
    every: usize,
    on_state: Option<Py<PyAny>>,
    synapse: Option<SynapseSpec>,
}

/// A synapse that opens at some times.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SynapseSpec {
    node: Option<i64>,
    at: f64,
    onsets_ms: Vec<f64>,
    us: f64,
}

impl SynapseSpec {
    /// Its openings.
    fn openings(&self) -> impl Iterator<Item = Synapse> {
        self.onsets_ms.iter().map(|&onset_ms| Synapse {
            site: self.node.map_or(Site::Fraction(self.at), Site::Node),
            onset_ms,
            conductance_us: self.us,
        })
    }
}

/// Runs, and finds the action potential that arrives first.
pub(crate) fn run<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    spec: RunSpec,
    part: &CourseSpec<'py>,
) -> Result<Bound<'py, PyDict>> {
    let layout = Layout::of(simulation);
    let begin = part.begin.as_ref().map(|state| layout.begin(state));
    let begin = begin.transpose()?;
    let first = begin.as_ref().map_or(0, |(step, _)| *step);
    let end = part
        .until_ms
        .map(|t_ms| layout.step(t_ms, "the end of a run"));
    let end = end.transpose()?;
    let last = end.unwrap_or(simulation.inner.grid().steps());
    let openings = part.synapse.iter().flat_map(SynapseSpec::openings);
    let openings: Vec<Synapse> = openings.collect();
    let every = part.every;
    let on_state = part.on_state.as_ref().map(|to| Arc::new(to.clone_ref(py)));
    let observers = [
        spec.recorder(simulation, last.saturating_sub(first))?,
        ObserverSpec::new(ObserverKind::Maximum, NodeSelection::All),
    ];
    let detection = spec.search.detection();
    let mut found = done(py, simulation.threads, &Ears::default(), |cancel, news| {
        let of = simulation.inner.canceled_by(cancel);
        let mut look = |step: usize, states: &mut [Option<FiberState>]| match &on_state {
            Some(to) => layout.show(to, step, states, news),
            None => Ok(false),
        };
        let mut course = Course::whole();
        if let Some((step, states)) = begin {
            course = course.begin(step, states);
        }
        if let Some(step) = end {
            course = course.end(step);
        }
        for synapse in openings {
            course = course.opening(synapse);
        }
        if on_state.is_some() {
            course = course.looking(every, &mut look);
        }
        let amplitudes = spec.amplitudes_ma;
        of.run_detected_in_parts(stimulus, amplitudes, &detection, &observers, course)
    })?;
    let columns = Columns::new(py);
    let ends = found.outcome.fibers.iter_mut().map(|of| of.state.take());
    let ends: Vec<Option<FiberState>> = ends.collect();
    columns.put("end", layout.arrays(py, last, &ends)?)?;
    if !found.starts.is_empty() {
        let starts = found.starts.iter().map(|start| start.map(|(at, _)| at));
        columns.starts(starts)?;
    }
    let each = found.outcome.fibers.iter().enumerate();
    let statuses = each.map(|(fiber, one)| ended(simulation, fiber, one.status));
    let (status, message): (Vec<&str>, Vec<String>) = statuses.unzip();
    columns.words("status", status)?;
    columns.words("message", message)?;
    put_recordings(&columns, py, simulation, &spec.states, found)?;
    Ok(columns.finish())
}

fn ended(simulation: &Batch, fiber: usize, status: FiberStatus) -> (&'static str, String) {
    match simulation.inner.divergence(fiber, status) {
        Some(error) => ("diverged", error.to_string()),
        None => ("ok", String::new()),
    }
}

/// Recordings of all fibers as arrays `[fiber, time, node]`, and largest voltages and crossings by fiber.
fn put_recordings(
    columns: &Columns<'_>,
    py: Python<'_>,
    simulation: &Batch,
    states: &[String],
    found: DetectedRun,
) -> Result<()> {
    let mut recordings: Vec<Recording> = Vec::new();
    let mut maxima: Vec<Vec<f64>> = Vec::new();
    for fiber in found.outcome.fibers {
        for observation in fiber.observations {
            match observation {
                Observation::Recorded(recording) => recordings.push(recording),
                Observation::Maximum(maximum) => maxima.push(maximum),
                _ => {}
            }
        }
    }
    let crossings = found.crossings.iter().map(|of| {
        let nodes: Vec<i64> = of.iter().map(|at| at.node as i64).collect();
        let times: Vec<f64> = of.iter().map(|at| at.time_ms).collect();
        (PyArray1::from_vec(py, nodes), PyArray1::from_vec(py, times))
    });
    columns.put("crossings", crossings.collect::<Vec<_>>())?;
    columns.array2("v_max_mV", filled(&maxima, f64::NAN))?;
    let nodes: Vec<Vec<i64>> = recordings
        .iter()
        .map(|of| of.nodes.iter().map(|node| *node as i64).collect())
        .collect();
    let z: Vec<Vec<f64>> = recordings
        .iter()
        .enumerate()
        .map(|(fiber, of)| {
            let all = simulation.inner.nodes_um(fiber);
            of.nodes.iter().map(|node| all[*node]).collect()
        })
        .collect();
    columns.array2("node", filled(&nodes, -1))?;
    columns.array2("z_um", filled(&z, f64::NAN))?;
    let longest = recordings.iter().max_by_key(|of| of.t_ms.len());
    let t_ms = longest.map(|of| of.t_ms.clone()).unwrap_or_default();
    let shape = (
        recordings.len(),
        t_ms.len(),
        nodes.iter().map(Vec::len).max().unwrap_or(0),
    );
    columns.put("t_ms", PyArray1::from_vec(py, t_ms))?;
    columns.array3("v", stacked(shape, &recordings, |of| &of.v_mv)?)?;
    for (index, name) in states.iter().enumerate() {
        let array = stacked(shape, &recordings, |of| &of.states[index])?;
        columns.array3(&format!("state {name}"), array)?;
    }
    Ok(())
}

/// One quantity of all recordings; NaN where a fiber has no such node, or diverged.
fn stacked(
    shape: (usize, usize, usize),
    recordings: &[Recording],
    quantity: impl Fn(&Recording) -> &[f64],
) -> Result<Array3<f64>> {
    let mut all = Array3::from_elem(shape, f64::NAN);
    for (fiber, of) in recordings.iter().enumerate() {
        let (rows, nodes) = (of.t_ms.len(), of.nodes.len());
        let own = ndarray::ArrayView2::from_shape((rows, nodes), quantity(of));
        let own = own.map_err(Error::value)?;
        all.slice_mut(s![fiber, ..rows, ..nodes]).assign(&own);
    }
    Ok(all)
}

/// Action potentials that arrive at every amplitude, `[fiber, amplitude]`.
pub(crate) fn transmission<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    amplitudes_ma: Vec<Vec<f64>>,
    search: &SearchSpec,
    test: Option<TestSpec>,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyDict>> {
    let fibers = simulation.inner.fibers().len();
    let amplitudes = crate::arrays::each(&amplitudes_ma, fibers, "amplitudes")?;
    let pulses = test.map(TestPulses::from);
    let detection = search.detection();
    let found = simulation.ask(py, progress, |of, progress| {
        of.transmission(stimulus, pulses.as_ref(), &detection, &amplitudes, progress)
    })?;
    let columns = Columns::new(py);
    columns.array2("amplitude_mA", filled(&amplitudes, f64::NAN))?;
    let counts = |count: fn(&Transmission) -> usize| {
        let of_fiber = |of: &Vec<Transmission>| of.iter().map(|one| count(one) as i64).collect();
        let all: Vec<Vec<i64>> = found.iter().map(of_fiber).collect();
        filled(&all, -1)
    };
    columns.array2("n_ap", counts(|one| one.n_ap))?;
    columns.array2("n_ap_expected", counts(|one| one.n_ap_expected))?;
    columns.array2("n_before", counts(|one| one.n_before))?;
    let states = found.iter().map(|of| {
        let names = of.iter().map(|one| one.state.name());
        names.collect::<Vec<&str>>()
    });
    columns.put("state", states.collect::<Vec<_>>())?;
    Ok(columns.finish())
}

/// The request of conduction velocities.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct VelocitySpec {
    amplitudes_ma: Vec<f64>,
    nodes: Option<(i64, i64)>,
    at: (f64, f64),
    threshold_mv: f64,
    after_ms: f64,
    /// Starts the action potentials in place of the stimulus.
    synapse: Option<SynapseSpec>,
}

/// Conduction velocities, m/s.
pub(crate) fn velocities<'py>(
    py: Python<'py>,
    simulation: &Batch,
    stimulus: &axonml::Stimulus,
    spec: VelocitySpec,
) -> Result<Bound<'py, PyDict>> {
    let (a, b) = match spec.nodes {
        Some((a, b)) => (Site::Node(a), Site::Node(b)),
        None => (Site::Fraction(spec.at.0), Site::Fraction(spec.at.1)),
    };
    let sites = VelocitySites::between(a, b)
        .threshold_mv(spec.threshold_mv)
        .after_ms(spec.after_ms);
    let opening = match &spec.synapse {
        Some(synapse) => match synapse.openings().collect::<Vec<_>>()[..] {
            [once] => Some(once),
            _ => {
                return Err(Error::value(format!(
                    "found a synapse that opens {} times, expected once for a velocity",
                    synapse.onsets_ms.len()
                )));
            }
        },
        None => None,
    };
    let found = simulation.ask(py, None, |of, _| match &opening {
        Some(synapse) => of.synaptic_velocities(synapse, &sites),
        None => of.conduction_velocities(stimulus, spec.amplitudes_ma, &sites),
    })?;
    let columns = Columns::new(py);
    columns.numbers("cv_m_per_s", found.iter().map(|one| one.m_per_s()))?;
    columns.integers("node_a", found.iter().map(|one| Some(one.node_a)))?;
    columns.integers("node_b", found.iter().map(|one| Some(one.node_b)))?;
    columns.numbers(
        "site_distance_um",
        found.iter().map(|one| Some(one.distance_um)),
    )?;
    columns.starts(found.iter().map(|one| one.start()))?;
    columns.words("status", found.iter().map(|one| one.status()))?;
    Ok(columns.finish())
}
