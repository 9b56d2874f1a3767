//! Training sets from exact fibers, and the training of surrogates on them.

use std::path::{Path, PathBuf};

use axonml::file::Memory;
use axonml::simulation::CancelToken;
use axonml::train::config::Config;
use axonml::train::dataset::{self, Cases, Plan, Recipe, Recording};
use axonml::train::run::{Ending, Progress, Watch};
use axonml::train::{TrainError, Training};
use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::description::ModelLike;
use crate::errors::{Error, Result};
use crate::results::Columns;
use crate::work::{Ears, News, done};

/// A recipe of cases with all of its keys, checked: that of a text, or the default one.
#[pyfunction]
#[pyo3(signature = (text=None, *, base, model))]
pub(crate) fn recipe(
    text: Option<&str>,
    base: PathBuf,
    model: Option<ModelLike<'_>>,
) -> Result<String> {
    let recipe = read(text, &base, model.as_ref())?;
    recipe.check()?;
    Ok(recipe.to_toml()?)
}

/// The recipe of a text, or the default one, of the exact model that is given in place of its own.
fn read(text: Option<&str>, base: &Path, model: Option<&ModelLike<'_>>) -> Result<Recipe> {
    let mut recipe = text.map_or_else(|| Ok(Recipe::default()), Recipe::from_toml)?;
    if let Some(model) = model {
        recipe.model = model.choice()?;
    }
    Ok(recipe.with_model_read(base)?)
}

/// Simulates the cases of a recipe into a folder: fibers simulated, fibers that were there, and bytes.
#[pyfunction]
#[pyo3(signature = (text, *, base, model, folder, states, every, shard, device, threads, progress))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn generate(
    py: Python<'_>,
    text: &str,
    base: PathBuf,
    model: Option<ModelLike<'_>>,
    folder: PathBuf,
    states: Vec<String>,
    every: usize,
    shard: Option<usize>,
    device: Option<String>,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> Result<(usize, usize, u64)> {
    let recipe = read(Some(text), &base, model.as_ref())?;
    let recording = Recording { every, states };
    let shard = shard.unwrap_or(Plan::SHARD_FIBERS);
    let needed = Plan::memory_bytes(&recipe, &recording, shard)?;
    Memory::available().check("a shard under way", needed)?;
    let made = done(py, threads, &Ears::of_progress(progress), |cancel, news| {
        let device = axonml::Device::named(device.as_deref().unwrap_or("auto"))?;
        let cases = Cases::open(&recipe, &base)?.canceled_by(cancel);
        let plan = Plan::new(&cases, &device, &recording, shard, &folder)?;
        let of = recipe.count.max(1) as f64;
        let mut told = |fibers: usize| news(News::Progress(fibers as f64 / of));
        let made = dataset::generate(&cases, &device, plan, &mut told, &mut |_| ())?;
        Ok::<_, Error>(made)
    })?;
    let bytes = u64::try_from(made.bytes).unwrap_or(u64::MAX);
    Ok((made.simulated, made.kept, bytes))
}

/// A finished training set in a folder.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct Dataset(dataset::Dataset);

#[pymethods]
impl Dataset {
    /// Opens it: files and sizes are compared with its manifest.
    #[new]
    fn new(folder: PathBuf) -> Result<Self> {
        Ok(Dataset(dataset::Dataset::open(&folder)?))
    }

    /// Number of fibers.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Names of the recorded states.
    #[getter]
    fn states(&self) -> Vec<String> {
        self.0.request().states.clone()
    }

    /// Id of the exact model; none of sets that were imported.
    #[getter]
    fn model(&self) -> Option<String> {
        let recipe = self.0.request().recipe.as_ref();
        recipe.map(|recipe| recipe.model.to_string())
    }

    /// Times of the rows, ms.
    #[getter]
    fn t_ms<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_vec(py, self.0.t_ms())
    }

    /// A fiber: its diameter, where its nodes are, potentials by contact, currents by contact, and states.
    fn fiber<'py>(&self, py: Python<'py>, index: usize) -> Result<Bound<'py, PyDict>> {
        let trace = py.detach(|| self.0.fiber(index))?;
        let columns = Columns::new(py);
        columns.put("diameter_um", trace.diameter_um)?;
        columns.put("node_z_um", trace.node_z_um.to_pyarray(py))?;
        columns.put("basis_mV_per_mA", trace.basis_mv_per_ma.to_pyarray(py))?;
        columns.put("waveforms_mA", trace.waveforms_ma.to_pyarray(py))?;
        columns.put("states", trace.states.to_pyarray(py))?;
        Ok(columns.finish())
    }
}

/// Trains what a configuration asks for: the folder, steps done and asked for, and the best score and its step.
#[pyfunction]
#[pyo3(signature = (config, *, base, model, set, resume, device, threads, progress, log, stepped))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python")]
#[expect(clippy::type_complexity, reason = "a tuple that Python unpacks")]
pub(crate) fn train(
    py: Python<'_>,
    config: &str,
    base: PathBuf,
    model: Option<ModelLike<'_>>,
    set: Vec<String>,
    resume: bool,
    device: Option<String>,
    threads: usize,
    progress: Option<Py<PyAny>>,
    log: Option<Py<PyAny>>,
    stepped: Option<Py<PyAny>>,
) -> Result<(PathBuf, usize, usize, Option<(f64, usize)>)> {
    let mut config = Config::from_toml(config, &set).map_err(TrainError::from)?;
    if let Some(model) = model {
        config.model = model.choice()?;
    }
    let ears = Ears {
        progress,
        log,
        numbers: stepped,
    };
    done(py, threads, &ears, |cancel, news| {
        let device = axonml::Device::named(device.as_deref().unwrap_or("auto"))?;
        let memory = Memory::available();
        let mut training = Training::open(&config, &base, &device, &memory, resume)?;
        for note in training.notes() {
            news(News::Log("info", note.clone()));
        }
        let mut watched = Watched {
            of: training.steps().max(1) as f64,
            cancel,
            news,
        };
        if training.run(&mut watched)? == Ending::Stopped {
            return Err(Error::canceled());
        }
        let best = training.best().map(|best| (best.score, best.step));
        let folder = training.folder().to_owned();
        Ok((folder, training.step(), training.steps(), best))
    })
}

/// Passes on each step, and stops where the work is canceled.
struct Watched<'n> {
    of: f64,
    cancel: CancelToken,
    news: &'n mut dyn FnMut(News),
}

impl Watch for Watched<'_> {
    fn stepped(&mut self, now: &Progress<'_>) {
        let mut numbers: Vec<(String, f64)> = vec![
            ("step".into(), now.step as f64),
            ("stage".into(), now.stage.0 as f64),
            ("loss".into(), now.report.loss),
        ];
        numbers.extend(now.postfix.iter().cloned());
        if let Some(validated) = now.validated {
            numbers.extend(validated.loss.map(|loss| ("valid_loss".into(), loss)));
            if let Some(errors) = &validated.thresholds {
                numbers.push(("valid_mape_pct".into(), errors.mape_pct));
                numbers.push(("valid_worst_pct".into(), errors.worst_pct));
                numbers.push(("valid_missed".into(), errors.missed as f64));
            }
        }
        (self.news)(News::Progress(now.step as f64 / self.of));
        (self.news)(News::Numbers(numbers));
    }

    fn stop(&self) -> bool {
        self.cancel.is_canceled()
    }
}
