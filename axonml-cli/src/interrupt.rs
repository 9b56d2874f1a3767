//! SIGINT, SIGTERM and SIGHUP: what is finished is kept, said where, and the exit code is 130, 143 or 129.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axonml::simulation::CancelToken;
use signal_hook::consts::{SIGINT, SIGTERM};

#[cfg(unix)]
use signal_hook::consts::SIGHUP;

use crate::error::CliError;

/// Keeps what is finished and says where it is, one line each.
type Keep = Box<dyn FnMut() -> Vec<String> + Send>;

static KEEP: Mutex<Option<Keep>> = Mutex::new(None);

/// Work that ends by itself when it is canceled.
static CANCEL: Mutex<Option<CancelToken>> = Mutex::new(None);

/// The signal that canceled the work.
static ARRIVED: AtomicI32 = AtomicI32::new(0);

/// Time that canceled work has to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Cancels the work, if there is some that can be canceled.
fn cancel(signal: i32) -> bool {
    let token = CANCEL.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(token) = &*token else {
        return false;
    };
    ARRIVED.store(signal, Ordering::SeqCst);
    token.cancel();
    true
}

fn keep() -> MutexGuard<'static, Option<Keep>> {
    KEEP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the signals that ask the program to end from now on.
pub(crate) fn install() {
    // Where that cannot be, signals end the program the system's way; finished rows and shards are on the disk already.
    _ = listen(|signal| {
        if cancel(signal) {
            // The work ends within milliseconds and says itself what is kept; where it does not (a driver that hangs, a
            // file system that does not answer), what is on the disk is kept.
            std::thread::sleep(PATIENCE);
        }
        // Before any work began there is nothing to keep.
        let kept = keep().as_mut().map(|keep| keep()).unwrap_or_default();
        // Files that are being written disappear, the old ones stay.
        axonml::file::abandon();
        let kept = match kept.is_empty() {
            true => "nothing was finished yet".to_owned(),
            false => kept.join("; "),
        };
        say!("\ninterrupted by {}: {kept}", name(signal));
        std::process::exit(128 + signal);
    });
}

/// Calls `ended` with the first signal that arrives, on a thread of its own.
#[cfg(unix)]
fn listen(ended: fn(i32)) -> std::io::Result<()> {
    let mut asked = vec![SIGINT, SIGTERM];
    // `nohup` wants work to go on when its terminal is closed.
    if !ignored(SIGHUP) {
        asked.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(asked)?;
    let wait = move || signals.forever().for_each(ended);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    Ok(())
}

#[cfg(not(unix))]
fn listen(ended: fn(i32)) -> std::io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    let arrived = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_usize(signal, arrived.clone(), signal as usize)?;
    }
    let wait = move || {
        loop {
            match arrived.load(Ordering::Relaxed) {
                0 => std::thread::sleep(std::time::Duration::from_millis(50)),
                signal => ended(signal as i32),
            }
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    Ok(())
}

/// Whether whoever started the program had it ignore a signal, as far as the system tells.
#[cfg(unix)]
fn ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn name(signal: i32) -> &'static str {
    match signal {
        SIGINT => "SIGINT",
        SIGTERM => "SIGTERM",
        #[cfg(unix)]
        SIGHUP => "SIGHUP",
        _ => "a signal",
    }
}

/// Keeps finished results when a signal arrives, while it lives.
pub(crate) struct OnSignal(());

impl OnSignal {
    /// A signal calls `what` from now on, before the program ends.
    pub(crate) fn keep(what: impl FnMut() -> Vec<String> + Send + 'static) -> Self {
        *keep() = Some(Box::new(what));
        OnSignal(())
    }

    /// A signal cancels work from now on; the work itself says then what is kept.
    pub(crate) fn cancel(token: CancelToken) -> Self {
        *CANCEL.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        OnSignal(())
    }

    /// Says what is kept of canceled work, and makes the error that ends the program as the signal asks.
    pub(crate) fn interrupted(&self, kept: &str) -> CliError {
        match ARRIVED.load(Ordering::SeqCst) {
            0 => CliError::failure("the work was canceled"),
            signal => {
                say!("\ninterrupted by {}: {kept}", name(signal));
                CliError::Interrupted(signal)
            }
        }
    }
}

impl Drop for OnSignal {
    fn drop(&mut self) {
        *keep() = None;
        *CANCEL.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
