//! Simulations as data: a rollout, its outcome, and the contract of the backends that run it.

mod backend;
mod bound;
mod cancel;
mod error;
mod fiber;
mod ion;
mod membrane;
mod numbers;
mod observer;
mod outcome;
mod rates;
mod rollout;
mod scanned;
mod update;

pub use backend::Backend;
pub use bound::{Binding, BoundProgram};
pub use cancel::CancelToken;
pub use error::BackendError;
pub use fiber::{Balance, Membrane, SectionKind};
pub use ion::Ion;
pub use membrane::MembranePrograms;
pub use numbers::{LARGEST_MV, LARGEST_REFERENCE_MV, NumberPlace};
pub use observer::{
    Crossing, NodeSelection, Observation, ObserverKind, ObserverSpec, Recording, Traces, VOLTAGE,
};
pub use outcome::{FiberOutcome, FiberStatus, Outcome, every_result};
pub use rates::{Rates, TABLE_TOLERANCE, TabulatedStep};
pub use rollout::{Drive, FiberState, QuietEnd, Rollout, RolloutFiber, Source, Start};
pub use scanned::ScannedPotentials;
pub use update::{Buffer, LinearScheme, StateUpdate};
