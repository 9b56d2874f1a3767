//! Ctrl-C: finished results are kept, said where, and the exit code is 130.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps what is finished and says where it is, one line each.
type Salvage = Box<dyn FnMut() -> Vec<String> + Send>;

static SALVAGE: Mutex<Option<Salvage>> = Mutex::new(None);

fn salvage() -> MutexGuard<'static, Option<Salvage>> {
    SALVAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers Ctrl-C from now on.
pub(crate) fn install() {
    // Without a handler Ctrl-C ends the program the system's way: nothing to tell the user about.
    _ = ctrlc::set_handler(|| {
        let mut salvage = salvage();
        let kept = salvage.as_mut().map(|keep| keep()).unwrap_or_default();
        if kept.is_empty() {
            say!("\ninterrupted: nothing was finished yet");
        } else {
            say!("\ninterrupted: {}", kept.join("; "));
        }
        std::process::exit(130);
    });
}

/// What Ctrl-C keeps while this lives.
pub(crate) struct Keeper(());

impl Keeper {
    /// Ctrl-C calls `keep` from now on.
    pub(crate) fn new(keep: impl FnMut() -> Vec<String> + Send + 'static) -> Self {
        *salvage() = Some(Box::new(keep));
        Keeper(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *salvage() = None;
    }
}
