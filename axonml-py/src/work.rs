//! Long work: on threads of the package's own, without the interpreter's lock, ended by Ctrl-C.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axonml::simulation::CancelToken;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::{Error, Result};

/// Time between two looks for signals, ms.
const LOOK_MS: u64 = 20;

/// Forks since the first process: threads do not survive one, so that a child needs pools of its own.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Pools by forks, depth and number of threads. None is ever dropped: the threads of a parent's pool cannot be ended by a
/// child.
type Pools = HashMap<(usize, usize, usize), Arc<ThreadPool>>;
static POOLS: Mutex<Option<Pools>> = Mutex::new(None);

thread_local! {
    /// Questions of work that this thread is answering: work that it asks for meanwhile needs threads beside those that wait for
    /// its answer.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Tells the module that it is in a forked child, whose threads are gone.
#[pyfunction]
pub(crate) fn after_fork() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The devices that this build can use here: (backend, available, detail).
#[pyfunction]
pub(crate) fn devices() -> Vec<(&'static str, bool, String)> {
    let report = axonml::Device::report().into_iter();
    report
        .map(|line| (line.backend, line.available, line.detail))
        .collect()
}

/// The pool of this process with so many threads; 0 stands for one per processor.
///
/// It is asked for under the interpreter's lock, which a fork holds, too: no child finds the table locked for ever.
fn pool(threads: usize) -> Result<Arc<ThreadPool>> {
    let key = (FORKS.load(Ordering::Relaxed), DEPTH.get(), threads);
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let pools = pools.get_or_insert_default();
    if let Some(known) = pools.get(&key) {
        return Ok(Arc::clone(known));
    }
    let built = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("pyaxonml {index}"))
        .build()
        .map_err(|error| Error::device(format!("cannot start {threads} threads: {error}")))?;
    let built = Arc::new(built);
    pools.insert(key, Arc::clone(&built));
    Ok(built)
}

/// Progress and notes of work while it goes on.
pub(crate) enum News {
    /// A part of it, 0 to 1, is done.
    Progress(f64),
    /// A line for the log: its level (`info`, `warning`, `debug`) and text.
    Log(&'static str, String),
    /// Figures of a step, by name.
    Numbers(Vec<(String, f64)>),
    /// Something to be done with the interpreter, on the thread that asked for the work.
    Question(Question),
}

/// A call of Python, which the work waits for.
pub(crate) type Question = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// Hears of work.
#[derive(Default)]
pub(crate) struct Ears {
    /// Called with the part that is done, 0 to 1.
    pub(crate) progress: Option<Py<PyAny>>,
    /// Called with the level and the text of a line for the log.
    pub(crate) log: Option<Py<PyAny>>,
    /// Called with a dictionary of the figures of a step.
    pub(crate) numbers: Option<Py<PyAny>>,
}

impl Ears {
    /// Only of progress.
    pub(crate) fn of_progress(progress: Option<Py<PyAny>>) -> Self {
        Ears {
            progress,
            ..Ears::default()
        }
    }

    fn hear(&self, py: Python<'_>, news: News) -> PyResult<()> {
        let heard = match news {
            News::Progress(part) => self
                .progress
                .as_ref()
                .map(|ear| ear.call1(py, (part.clamp(0.0, 1.0),))),
            News::Log(level, text) => self.log.as_ref().map(|ear| ear.call1(py, (level, text))),
            News::Numbers(numbers) => self.numbers.as_ref().map(|ear| {
                let figures: HashMap<String, f64> = numbers.into_iter().collect();
                ear.call1(py, (figures,))
            }),
            News::Question(question) => {
                DEPTH.set(DEPTH.get() + 1);
                let answered = question(py);
                DEPTH.set(DEPTH.get() - 1);
                return answered;
            }
        };
        heard.map_or(Ok(()), |heard| heard.map(|_| ()))
    }
}

/// Ends a child that was forked while work went on and returns into it: the threads that do the work are its parent's.
fn end_child(py: Python<'_>) -> PyResult<()> {
    py.import("sys")?.getattr("stderr")?.call_method1(
        "write",
        ("pyaxonml: a process that was forked within a callback cannot go on with its parent's run; end it with os._exit\n",),
    )?;
    py.import("os")?.call_method1("_exit", (1,)).map(|_| ())
}

/// Does `work` on a pool of `threads` threads, while the calling thread looks for signals and passes news on. A signal
/// whose handler raises, or an ear that does, cancels the work, and is the error.
pub(crate) fn done<T, E>(
    py: Python<'_>,
    threads: usize,
    ears: &Ears,
    work: impl FnOnce(CancelToken, &mut dyn FnMut(News)) -> std::result::Result<T, E> + Send,
) -> Result<T>
where
    T: Send,
    E: Into<Error> + Send,
{
    let pool = pool(threads)?;
    let forks = FORKS.load(Ordering::Relaxed);
    let cancel = CancelToken::default();
    let raised: Mutex<Option<PyErr>> = Mutex::new(None);
    let answer: Mutex<Option<std::result::Result<T, E>>> = Mutex::new(None);
    py.detach(|| {
        pool.in_place_scope(|scope| {
            let (told, news) = channel();
            let (of_work, answer) = (cancel.clone(), &answer);
            scope.spawn(move |_| {
                let found = work(of_work, &mut |news| {
                    // Nobody hears a canceled work's news.
                    let _ = told.send(news);
                });
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            });
            loop {
                let new = match news.recv_timeout(Duration::from_millis(LOOK_MS)) {
                    Ok(new) => Some(new),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                let heard = Python::attach(|py| {
                    new.map_or(Ok(()), |new| ears.hear(py, new))?;
                    if FORKS.load(Ordering::Relaxed) != forks {
                        return end_child(py);
                    }
                    py.check_signals()
                });
                if let Err(error) = heard {
                    cancel.cancel();
                    *raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    break;
                }
            }
        });
    });
    if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error.into());
    }
    match answer.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(found) => found.map_err(Into::into),
        None => Err(Error::device("the work ended without an answer")),
    }
}
