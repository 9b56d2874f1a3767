//! Optimizations: from a study to currents that are verified.

use std::path::PathBuf;

use axonml::design::Moment;
use axonml::optimization::{self, Order, Watcher, results_json};
use axonml::study::{Listener, Machine};
use pyo3::prelude::*;

use crate::errors::{Error, Result};
use crate::study::{Study, Told, machine};
use crate::work::{Ears, News, done};

/// Looks for the stimulus of a study: request, results and summary as JSON.
#[pyfunction]
#[pyo3(signature = (study, *, folder, resume, device, threads, progress, log))]
#[expect(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn optimize(
    py: Python<'_>,
    study: PyRef<'_, Study>,
    folder: Option<PathBuf>,
    resume: bool,
    device: Option<String>,
    threads: usize,
    progress: Option<Py<PyAny>>,
    log: Option<Py<PyAny>>,
) -> Result<String> {
    let order = Order {
        folder,
        resume,
        ..Order::new(study.0.clone())
    };
    let ears = Ears {
        progress,
        log,
        ..Ears::default()
    };
    done(py, threads, &ears, |cancel, news| {
        let machine = Machine {
            cancel: cancel.clone(),
            ..Machine::new(machine(device.as_deref(), &order.study)?)
        };
        let records = optimization::optimize(&order, &machine, &mut Watched(Told(news)))?;
        if cancel.is_canceled() {
            return Err(Error::canceled());
        }
        Ok(results_json(&records)?.to_string())
    })
}

/// Passes on what an optimization tells: the part of its steps or generations that is done.
struct Watched<'n>(Told<'n>);

impl Listener for Watched<'_> {
    fn note(&mut self, text: String) {
        self.0.note(text);
    }

    fn warn(&mut self, text: String) {
        self.0.warn(text);
    }

    fn explain(&mut self, text: String) {
        self.0.explain(text);
    }
}

impl Watcher for Watched<'_> {
    fn stage(&mut self, nerve: &str, stage: &'static str) {
        self.0.explain(format!("{nerve}: {stage}"));
    }

    fn reached(&mut self, moment: &Moment) {
        let best = moment.best.map(|score| format!("; best: {score:?}"));
        self.0.explain(format!(
            "{} of {}{}",
            moment.iteration,
            moment.of,
            best.unwrap_or_default()
        ));
        let part = moment.iteration as f64 / moment.of.max(1) as f64;
        (self.0.0)(News::Progress(part));
    }
}
