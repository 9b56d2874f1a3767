//! The CPU backend: programs run in blocks of lanes, with the instruction set chosen at run time.
//!
//! A rollout is cut into groups of fibers, one fiber per lane; rayon spreads groups over threads, and a group's state
//! stays in cache for all its steps. Nothing a lane computes depends on its companions, so results are the same bytes
//! whatever the number of threads and whatever fibers run together; they depend on the instruction set (fused
//! multiply-adds). [`Reference`] is the plain scalar implementation that everything is compared with.

mod backend;
mod cable;
mod drive;
mod group;
mod interpreter;
mod isa;
mod printed;
mod program;
mod reference;
mod tape;
mod watch;

pub use backend::CpuBackend;
pub use isa::Isa;
pub use reference::{FiberTangent, Reference, TangentDirection};
