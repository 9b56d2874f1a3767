//! Simulations: fibers of one model with numbers put in.

use axonml::Fiber;
use axonml::model::weights::Weights;
use axonml::simulation::WithSynapse;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Numbers;
use crate::batch::{AT_ONCE, Batch, check_room};
use crate::description::ModelLike;
use crate::errors::{Error, Result};
use crate::extents::parameters;
use crate::gradients::{GradientSpec, run_gradients, threshold_gradients};
use crate::runs::{CourseSpec, RunSpec, VelocitySpec, run, transmission, velocities};
use crate::searches::{BlockSpec, block_thresholds, thresholds};
use crate::settings::Settings;
use crate::specs::{SearchSpec, TestSpec};
use crate::state::Layout;
use crate::stimulus::Stimulus;
use crate::work::{Ears, done};

/// A batch of fibers of one model.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct Simulation(Batch);

#[pymethods]
impl Simulation {
    /// Builds the cables of fibers; a steady-state start is simulated. With a reversal potential (mV) and a time constant
    /// (ms) they have a synapse at every node.
    #[new]
    #[pyo3(signature = (model, diameter_um, nodes, compartment_um, grid, settings, synapse=None))]
    #[expect(clippy::too_many_arguments, reason = "arguments of Python")]
    fn new(
        py: Python<'_>,
        model: ModelLike<'_>,
        diameter_um: Numbers<'_>,
        nodes: Vec<usize>,
        compartment_um: Option<f64>,
        grid: (f64, f64),
        settings: PyRef<'_, Settings>,
        synapse: Option<(f64, f64)>,
    ) -> Result<Self> {
        let model = model.model()?;
        let fibers = diameter_um.to_vec().into_iter().zip(nodes);
        let fibers = fibers.map(|(diameter_um, nodes)| Fiber {
            diameter_um,
            nodes,
            compartment_um,
        });
        let fibers: Vec<Fiber> = fibers.collect();
        let settings = settings.clone();
        let inner = done(py, settings.threads, &Ears::default(), |cancel, _| {
            let mut of_model = settings.on_grid(grid, cancel)?;
            let device = settings.device()?;
            check_room(&fibers, fibers.len().min(AT_ONCE), &of_model)?;
            let Some((e_mv, tau_ms)) = synapse else {
                return Ok(axonml::Simulation::new(&model, fibers, &of_model, &device)?);
            };
            let model = WithSynapse::with_weights(model, &of_model.weights)?;
            of_model.weights = Weights::Default;
            let own = [("synapse.e_syn", e_mv), ("synapse.tau_syn", tau_ms)];
            let own = own.map(|(name, value)| (name.to_owned(), value));
            of_model.parameters.extend(own);
            Ok::<_, Error>(axonml::Simulation::new(&model, fibers, &of_model, &device)?)
        })?;
        Ok(Simulation(Batch {
            inner,
            threads: settings.threads,
        }))
    }

    /// The device that computes.
    #[getter]
    fn device(&self) -> String {
        self.0.inner.device().name()
    }

    /// Names of the model's states.
    #[getter]
    fn states(&self) -> Vec<String> {
        let states = self.0.inner.schema().states.iter();
        states.map(ToString::to_string).collect()
    }

    /// Names of the variables of a state.
    #[getter]
    fn variables(&self) -> Vec<String> {
        self.0.inner.variables().to_vec()
    }

    /// Parameters of the model that runs: (name, group, value, unit).
    #[getter]
    fn parameters(&self) -> Vec<(String, String, f64, String)> {
        parameters(self.0.inner.schema())
    }

    /// Number of time steps.
    #[getter]
    fn steps(&self) -> usize {
        self.0.inner.grid().steps()
    }

    /// Places at which the potential along a fiber is needed, um.
    fn sample_points_um<'py>(
        &self,
        py: Python<'py>,
        fiber: usize,
    ) -> Result<Bound<'py, PyArray1<f64>>> {
        self.check_fiber(fiber)?;
        Ok(PyArray1::from_slice(
            py,
            self.0.inner.sample_points_um(fiber),
        ))
    }

    /// Places of a fiber's nodes, um.
    fn nodes_um<'py>(&self, py: Python<'py>, fiber: usize) -> Result<Bound<'py, PyArray1<f64>>> {
        self.check_fiber(fiber)?;
        Ok(PyArray1::from_vec(py, self.0.inner.nodes_um(fiber)))
    }

    /// Activation thresholds.
    #[pyo3(signature = (stimulus, search, progress=None))]
    fn thresholds<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        search: SearchSpec,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>> {
        thresholds(py, &self.0, &stimulus.0, &search, progress)
    }

    /// Derivatives of the logarithm of thresholds that are known.
    fn threshold_gradients<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        search: SearchSpec,
        threshold_ma: Numbers<'_>,
        by: GradientSpec,
    ) -> Result<Bound<'py, PyDict>> {
        let known = threshold_ma.to_vec();
        threshold_gradients(py, &self.0, &stimulus.0, &search, &known, &by)
    }

    /// Derivatives of everything that a run records, times weights.
    fn run_gradients<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        spec: RunSpec,
        weights: Vec<Numbers<'_>>,
        by: GradientSpec,
    ) -> Result<Bound<'py, PyDict>> {
        run_gradients(py, &self.0, &stimulus.0, spec, &weights, &by)
    }

    /// Block thresholds.
    #[pyo3(signature = (stimulus, search, test, progress=None))]
    fn block_thresholds<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        search: BlockSpec,
        test: TestSpec,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>> {
        block_thresholds(py, &self.0, &stimulus.0, search, test, progress)
    }

    /// Runs, with recordings.
    fn run<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        spec: RunSpec,
        part: CourseSpec<'py>,
    ) -> Result<Bound<'py, PyDict>> {
        run(py, &self.0, &stimulus.0, spec, &part)
    }

    /// The state of the fibers before the first step.
    fn initial_state<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        let states = self.0.ask(py, None, |of, _| of.initial_states())?;
        let states: Vec<_> = states.into_iter().map(Some).collect();
        Layout::of(&self.0).arrays(py, 0, &states)
    }

    /// Action potentials that arrive, at every amplitude.
    #[pyo3(signature = (stimulus, amplitudes_ma, search, test=None, progress=None))]
    fn transmission<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        amplitudes_ma: Numbers<'_>,
        search: SearchSpec,
        test: Option<TestSpec>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>> {
        let amplitudes = amplitudes_ma.parts(1, "amplitudes")?;
        transmission(
            py,
            &self.0,
            &stimulus.0,
            amplitudes,
            &search,
            test,
            progress,
        )
    }

    /// Conduction velocities.
    fn velocities<'py>(
        &self,
        py: Python<'py>,
        stimulus: PyRef<'_, Stimulus>,
        spec: VelocitySpec,
    ) -> Result<Bound<'py, PyDict>> {
        velocities(py, &self.0, &stimulus.0, spec)
    }
}

impl Simulation {
    fn check_fiber(&self, fiber: usize) -> Result<()> {
        let fibers = self.0.inner.fibers().len();
        match fiber < fibers {
            true => Ok(()),
            false => Err(Error::value(format!(
                "found fiber {fiber}, but the simulation has {fibers}"
            ))),
        }
    }
}
