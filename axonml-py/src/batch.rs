//! A simulation as all questions need it: asked on threads of its own, and not beyond what memory holds.

use axonml::file::Memory;
use axonml::simulation::memory;
use axonml::{Fiber, TimeGrid};
use pyo3::prelude::*;

use crate::errors::Result;
use crate::work::{Ears, News, done};

/// A simulation, and the threads that its questions are answered on.
pub(crate) struct Batch {
    pub(crate) inner: axonml::Simulation,
    pub(crate) threads: usize,
}

impl Batch {
    /// Asks it something that takes long.
    pub(crate) fn ask<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<Py<PyAny>>,
        question: impl FnOnce(
            &axonml::Simulation,
            &mut dyn FnMut(f64),
        ) -> std::result::Result<T, axonml::SimulationError>
        + Send,
    ) -> Result<T> {
        let ears = Ears::of_progress(progress);
        done(py, self.threads, &ears, |cancel, news| {
            let simulation = self.inner.canceled_by(cancel);
            question(&simulation, &mut |part| {
                news(News::Progress(part));
            })
        })
    }

    /// Refuses runs of all fibers at once, with recordings of so many rows, values and nodes, that memory cannot hold.
    pub(crate) fn check_recordings(&self, rows: usize, values: usize, nodes: usize) -> Result<()> {
        let fibers = self.inner.fibers();
        let grid = self.inner.grid();
        let recordings = memory::recording_bytes(fibers.len(), rows, nodes, values);
        let what = format!(
            "a recording of {} fibers, {rows} times and {nodes} nodes",
            fibers.len()
        );
        Memory::available().check(&what, recordings)?;
        let settings = axonml::Settings {
            dt_ms: grid.dt_ms(),
            tstop_ms: grid.dt_ms() * grid.steps() as f64,
            ..axonml::Settings::default()
        };
        check_room(fibers, fibers.len(), &settings)
    }
}

/// Fibers that searches hold at once, at least.
pub(crate) const AT_ONCE: usize = 2048;

/// Refuses a simulation of so many of `fibers` at once that memory cannot hold.
pub(crate) fn check_room(
    fibers: &[Fiber],
    at_once: usize,
    settings: &axonml::Settings,
) -> Result<()> {
    let nodes = fibers.iter().map(|fiber| fiber.nodes).max().unwrap_or(0);
    let steps = TimeGrid::new(settings.dt_ms, settings.tstop_ms)?.steps();
    let size = memory::BatchSize {
        fibers: at_once,
        nodes,
        steps,
        waveforms: 1,
        threads: rayon::current_num_threads(),
    };
    let what = format!("a simulation of {at_once} fibers of {nodes} nodes and {steps} steps");
    Ok(Memory::available().check(&what, size.bytes())?)
}
