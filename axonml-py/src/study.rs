//! Studies: experiments as data, and their tables.

use std::path::PathBuf;

use axonml::evaluation::{Against, evaluate};
use axonml::study::{Cell, Execution, Listener, Machine, Plan, Results, Share, Table, share_text};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::description::ModelLike;
use crate::errors::{Error, Result};
use crate::results::Columns;
use crate::work::{Ears, News, done};

/// An experiment as data.
#[pyclass(frozen, eq, module = "pyaxonml._native")]
#[derive(Clone, PartialEq)]
pub(crate) struct Study(pub(crate) axonml::study::Study);

/// Tables that a study answers with.
#[pyclass(frozen, module = "pyaxonml._native")]
pub(crate) struct StudyResults(Results);

/// Passes on what a study tells.
pub(crate) struct Told<'n>(pub(crate) &'n mut dyn FnMut(News));

impl Listener for Told<'_> {
    fn note(&mut self, text: String) {
        (self.0)(News::Log("info", text));
    }

    fn warn(&mut self, text: String) {
        (self.0)(News::Log("warning", text));
    }

    fn explain(&mut self, text: String) {
        (self.0)(News::Log("debug", text));
    }

    fn progress(&mut self, _unit: &'static str, done: usize, total: usize) {
        (self.0)(News::Progress(done as f64 / total.max(1) as f64));
    }
}

/// The device that is named, here or by the study.
pub(crate) fn machine(
    device: Option<&str>,
    study: &axonml::study::Study,
) -> Result<axonml::Device> {
    let named = device.or(study.numerics.backend.as_deref());
    Ok(axonml::Device::named(named.unwrap_or("auto"))?)
}

#[pymethods]
impl Study {
    /// From TOML.
    #[staticmethod]
    fn from_toml(text: &str) -> Result<Self> {
        Ok(Study(axonml::study::Study::from_toml(text)?))
    }

    /// From JSON.
    #[staticmethod]
    fn from_json(text: &str) -> Result<Self> {
        Ok(Study(axonml::study::Study::from_json(text)?))
    }

    /// As TOML.
    fn to_toml(&self) -> Result<String> {
        Ok(self.0.to_toml()?)
    }

    /// Its question.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.protocol.kind()
    }

    /// Computes it: tables, or of a share (`part`) the text of its file.
    #[pyo3(signature = (*, device, threads, journal, part, progress, log))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn run(
        &self,
        py: Python<'_>,
        device: Option<String>,
        threads: usize,
        journal: Option<PathBuf>,
        part: Option<(usize, usize)>,
        progress: Option<Py<PyAny>>,
        log: Option<Py<PyAny>>,
    ) -> Result<(Option<StudyResults>, Option<String>)> {
        let share = part.map(|(index, of)| format!("{index}/{of}").parse::<Share>());
        let share = share.transpose().map_err(Error::value)?;
        let ears = Ears {
            progress,
            log,
            ..Ears::default()
        };
        let execution = Execution { journal, share };
        done(py, threads, &ears, |cancel, news| {
            let machine = Machine {
                cancel,
                ..Machine::new(machine(device.as_deref(), &self.0)?)
            };
            let listener = &mut Told(news);
            let plan = Plan::new(&self.0, &machine, listener)?;
            let mut outcome = plan.run(&execution, listener)?;
            if outcome.canceled {
                return Err(Error::canceled());
            }
            let answered = match share {
                Some(share) => (None, Some(share_text(&plan, share, &outcome)?)),
                None => (Some(StudyResults(plan.results(&outcome)?)), None),
            };
            outcome.discard_journal()?;
            Ok(answered)
        })
    }

    /// Compares its model with references: thresholds of its table or of another model, action potentials, traces.
    #[pyo3(signature = (*, reference, at, thresholds_only, traces, device, threads, progress, log))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn evaluate(
        &self,
        py: Python<'_>,
        reference: Option<ModelLike<'_>>,
        at: Option<f64>,
        thresholds_only: bool,
        traces: Vec<PathBuf>,
        device: Option<String>,
        threads: usize,
        progress: Option<Py<PyAny>>,
        log: Option<Py<PyAny>>,
    ) -> Result<StudyResults> {
        let reference = reference.map(|of| of.model()).transpose()?;
        let ears = Ears {
            progress,
            log,
            ..Ears::default()
        };
        done(py, threads, &ears, |cancel, news| {
            let machine = Machine {
                cancel,
                ..Machine::new(machine(device.as_deref(), &self.0)?)
            };
            let against = Against {
                reference,
                at,
                thresholds_only,
                traces,
            };
            let results = evaluate(&self.0, against, &machine, &mut Told(news))?;
            Ok::<_, Error>(StudyResults(results))
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Result<(Bound<'py, PyAny>, (String,))> {
        let from_toml = slf.get_type().getattr("from_toml")?;
        Ok((from_toml, (slf.get().to_toml()?,)))
    }
}

/// Puts the files of shares together: (name, text) each.
#[pyfunction]
#[pyo3(signature = (files, *, device, threads, log))]
pub(crate) fn merge(
    py: Python<'_>,
    files: Vec<(String, String)>,
    device: Option<String>,
    threads: usize,
    log: Option<Py<PyAny>>,
) -> Result<StudyResults> {
    let ears = Ears {
        log,
        ..Ears::default()
    };
    done(py, threads, &ears, |cancel, news| {
        let device = axonml::Device::named(device.as_deref().unwrap_or("auto"))?;
        let machine = Machine {
            cancel,
            ..Machine::new(device)
        };
        let (_, _, results) = axonml::study::merge(&files, &machine, &mut Told(news))?;
        Ok::<_, Error>(StudyResults(results))
    })
}

#[pymethods]
impl StudyResults {
    /// The columns of the rows, or of the further table of a name, if there is one.
    #[pyo3(signature = (name=None))]
    fn table<'py>(
        &self,
        py: Python<'py>,
        name: Option<&str>,
    ) -> Result<Option<Bound<'py, PyDict>>> {
        let table = match name {
            None => Some(&self.0.table),
            Some(name) => self.0.further(name),
        };
        table.map(|table| columns(py, table)).transpose()
    }

    /// Names of the further tables.
    fn further(&self) -> Vec<&'static str> {
        self.0.further.iter().map(|(name, _)| *name).collect()
    }

    /// All of it as JSON: request, results, summary, further tables.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The rows as CSV.
    fn to_csv(&self) -> String {
        self.0.to_csv()
    }

    /// Figures about all rows, as JSON.
    fn summary(&self) -> Result<String> {
        serde_json::to_string(&self.0.summary).map_err(Error::value)
    }

    /// Everything needed to repeat it, as JSON.
    fn request(&self) -> String {
        self.0.request.to_string()
    }
}

/// A table as columns: whole numbers where all cells are, numbers (NaN where there is none), or words.
fn columns<'py>(py: Python<'py>, table: &Table) -> Result<Bound<'py, PyDict>> {
    let columns = Columns::new(py);
    for (index, name) in table.columns.iter().enumerate() {
        let cells = || table.rows.iter().filter_map(move |row| row.get(index));
        let integer = |cell: &Cell| matches!(cell, Cell::Integer(0..));
        if !table.rows.is_empty() && cells().all(integer) {
            let numbers = cells().map(|cell| cell.number().map(|x| x as usize));
            columns.integers(name, numbers)?;
        } else if cells().any(|cell| matches!(cell, Cell::Text(_)))
            || cells().any(|cell| matches!(cell, Cell::Raw(_)) && cell.number().is_none())
        {
            columns.words(name, cells().map(Cell::exact))?;
        } else {
            columns.numbers(name, cells().map(Cell::number))?;
        }
    }
    Ok(columns.finish())
}
