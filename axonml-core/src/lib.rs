//! The vocabulary of nerve stimulation: time grids, waveforms, extracellular fields, nerves, and
//! the errors they raise.
//!
//! Everything here is a value that can be checked on its own: a [`Waveform`] is the time course of a current, a
//! [`Field`] the extracellular potential along a fiber per unit current, a [`Nerve`] holds the sampled fields of a
//! cuff, and a [`TimeGrid`] the time steps of a simulation. Fiber models, backends and files are other crates'
//! business: this one does no I/O, starts no threads and knows no device.
//!
//! # Units
//! ms, mV, mA (extracellular current), um, ohm-cm, kHz. Raw numbers carry their unit in the name
//! (`pw_ms`, `z_um`).
//!
//! # Signs and space
//! Cathodic current is negative. A fiber lies along z; its middle is at z = 0.
//!
//! # Example
//! The extracellular potential of a 0.1 ms cathodic pulse of 0.2 mA, 1 mm away from the fiber:
//! ```
//! use axonml_core::{Field, Medium, PointSource, TimeGrid, Waveform};
//!
//! let grid = TimeGrid::new(0.005, 5.0)?;
//! let pulse: Waveform = "monophasic:pw=0.1,delay=0.1".parse()?;
//! let electrode = PointSource { x_um: 1000.0, y_um: 0.0, z_um: 0.0, medium: Medium::isotropic(500.0) };
//!
//! let waveform = pulse.sample(&grid)?;
//! let potential_mv = electrode.potentials_mv(&[0.0])?[0];
//! let during_pulse_mv = 0.2 * waveform[20] * potential_mv;
//! assert!((during_pulse_mv - -79.577).abs() < 1e-3);
//! # Ok::<(), axonml_core::CoreError>(())
//! ```
#![forbid(unsafe_code)]

pub mod delimited;
pub mod error;
pub mod field;
pub mod geometry;
pub mod interpolation;
pub mod names;
pub mod nerve;
mod random;
pub mod spline;
pub mod time;
pub mod waveform;

pub use error::CoreError;
pub use field::{
    Extension, Field, Medium, PointSource, SampledLine, SampledPotentials, Superposition,
};
pub use geometry::{ContactGeometry, FascicleGeometry, GeometryChecks, NerveGeometry};
pub use interpolation::{Interpolation, Interpolator};
pub use nerve::{GapRepair, Nerve, NerveArrays, SamplingError};
pub use random::Random;
pub use spline::{CubicSpline, SplineBasis};
pub use time::{TimeGrid, format_ms};
pub use waveform::{
    CoarseSine, Direction, PULSES, PulseKey, PulseKind, Recharge, RectangularPulse, ShortPhase,
    Waveform,
};
