//! A thread that notices when one execution takes too long.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The execution under way: when it began, and its input.
type Running = Mutex<Option<(Instant, Vec<u8>)>>;

/// Watches executions, each of which must end within a limit.
pub struct Watchdog(Arc<Running>);

impl Watchdog {
    /// Watches from now on; `late` is called with the input of an execution that exceeds `limit`, once for each.
    pub fn start(limit: Duration, late: impl Fn(&[u8]) + Send + 'static) -> Self {
        let running: Arc<Running> = Arc::default();
        let watched = Arc::downgrade(&running);
        std::thread::spawn(move || {
            while let Some(running) = watched.upgrade() {
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                if running
                    .as_ref()
                    .is_some_and(|(start, _)| start.elapsed() > limit)
                    && let Some((_, input)) = running.take()
                {
                    late(&input);
                }
                drop(running);
                std::thread::sleep(limit.min(Duration::from_millis(200)) / 4);
            }
        });
        Watchdog(running)
    }

    /// Runs `work` on `input` under watch.
    pub fn watch<T>(&self, input: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
        *self.lock() = Some((Instant::now(), input.to_vec()));
        let result = work(input);
        *self.lock() = None;
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Vec<u8>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_executions_are_told_of_and_others_are_not() {
        let late: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let told = late.clone();
        let watchdog = Watchdog::start(Duration::from_millis(100), move |input: &[u8]| {
            told.lock().unwrap().push(input.to_vec());
        });
        watchdog.watch(b"fast", |_| ());
        watchdog.watch(b"slow", |_| std::thread::sleep(Duration::from_millis(400)));
        assert_eq!(*late.lock().unwrap(), [b"slow".to_vec()]);
    }
}
