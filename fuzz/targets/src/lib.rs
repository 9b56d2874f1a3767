//! Every reader of foreign bytes as a function to be fuzzed, with what must hold of it besides not panicking.
//!
//! A [`Target`] takes bytes and says whether its reader accepted or refused them; a broken property panics. The targets run
//! under cargo-fuzz (the folder `fuzz`), under `cargo test` (the corpora of `fuzz/corpus`, then inputs of a seeded
//! [`Campaign`]) and for as long as wanted under `cargo xtask fuzz`.
//!
//! Properties: numbers that a reader accepts are finite; a value that can be printed is read back equal; the value of a small
//! file is small; a refusal has a message whose length the input bounds.
#![forbid(unsafe_code)]

pub mod bundle;
mod campaign;
mod corpus;
mod mutator;
mod random;
mod readers;
pub mod repair;
mod scratch;
mod watchdog;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use campaign::{Campaign, Finding};
pub use corpus::{Expected, Sample, corpora, corpus};
pub use watchdog::Watchdog;

/// Answer of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reader returned a value.
    Accepted,
    /// The reader returned an error; its message.
    Refused(String),
}

impl Outcome {
    /// The outcome of a reader's error, whose message must be of reasonable length.
    ///
    /// # Panics
    /// For an empty message and for one much longer than the input of `input` bytes.
    fn refused(input: usize, error: impl std::fmt::Display) -> Self {
        let message = error.to_string();
        assert!(!message.trim().is_empty(), "an error without a message");
        assert!(
            message.len() <= 4096 + 16 * input,
            "a message of {} bytes about an input of {input} bytes",
            message.len()
        );
        Outcome::Refused(message)
    }
}

/// A reader to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name, also of its corpus and its cargo-fuzz binary.
    pub name: &'static str,
    /// Reads bytes and checks the properties of the value.
    pub read: fn(&[u8]) -> Outcome,
    /// Words of the format.
    pub dictionary: &'static [&'static str],
    /// Makes checksums and lengths of a mutated input right again, so that mutations get behind them.
    pub repair: Option<fn(&mut [u8])>,
    /// Whether inputs are bundles of files, of which one at a time may be mutated.
    pub bundled: bool,
}

/// All targets.
pub const TARGETS: &[Target] = readers::TARGETS;

/// The target with this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs the target `name`, as the binaries of cargo-fuzz do.
///
/// # Panics
/// For an unknown name, and where a reader panics or breaks a property.
pub fn fuzz(name: &str, bytes: &[u8]) {
    let target = target(name).unwrap_or_else(|| panic!("found no target `{name}`"));
    (target.read)(bytes);
}

impl Target {
    /// Runs the reader.
    ///
    /// # Errors
    /// The message of a panic.
    pub fn execute(&self, bytes: &[u8]) -> Result<Outcome, String> {
        catch_unwind(AssertUnwindSafe(|| (self.read)(bytes))).map_err(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| {
                payload
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
            });
            let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
            match PLACE.take() {
                Some(place) => format!("{text} ({place})"),
                None => text,
            }
        })
    }
}

thread_local! {
    /// Where the last panic of the thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics print nothing; [`Target::execute`] tells where they were.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        PLACE.set(info.location().map(ToString::to_string));
    }));
}
