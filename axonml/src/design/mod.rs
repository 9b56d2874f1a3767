//! Selective stimulation: which currents through the contacts of a cuff activate the fibers that should fire, and spare
//! the others.
//!
//! A [`Goal`] says which fibers of a population should fire, and how much of the nerve each stands for. The *thresholds* of
//! a stimulus, the least multiple of it that fires each fiber, are its whole recruitment curve: they give the [`Scale`] at
//! which it serves the goal best, and its [`separation`](Goal::separation), the range of amplitudes over which it activates
//! all targets and nothing else. [`Score`]s are compared in one order everywhere.
//!
//! An [`Objective`] is a loss on thresholds, with its derivatives, for descents.
//!
//! [`scan`] finds the thresholds of all [montages](Montage::all): what an optimizer must beat, and where it starts.
//! [`descend`] lowers a loss from several starts at once.
//!
//! # Example
//! Three fibers, of which the first two should fire. The stimulus as delivered misses one of them; at 1.4 times its strength
//! it activates both and spares the third, whose threshold lies 1.5 times above those of the targets:
//! ```
//! use axonml::design::Goal;
//!
//! let goal = Goal::new(vec![0.5, 0.25, 0.25], vec![true, true, false])?;
//! let thresholds = [Some(0.8), Some(1.2), Some(1.8)];
//!
//! let delivered = goal.outcome(&goal.active_at(&thresholds, 1.0));
//! assert_eq!(delivered.misclassified, 0.25);
//! assert!((goal.separation(&thresholds) - 1.5).abs() < 1e-12);
//! let best = goal.best_scale(&thresholds, 20.0);
//! assert_eq!((best.window, best.misclassified), ([1.2, 1.8], 0.0));
//! # Ok::<(), axonml::CoreError>(())
//! ```

mod contacts;
mod descent;
mod dose;
mod error;
mod goal;
mod limits;
mod loss;
mod montage;
mod multiples;
mod parameterization;
mod result;
mod scale;
mod scan;
mod score;
mod stimulus;

pub use contacts::contacts;
pub use descent::{DescentOptions, Designed, descend};
pub use dose::Dose;
pub use error::DesignError;
pub use goal::{Goal, Outcome};
pub use limits::{Electrodes, Feasible, Limit, Limits, Scales, Violation};
pub use loss::{Loss, Objective, Softness};
pub use montage::{Montage, MontageKind};
pub use parameterization::{
    Amplitudes, Expansion, Parameterization, PulseShape, Pulses, Samples, Widths,
};
pub use result::{
    Baseline, DesignRecord, DesignResult, FiberResult, HistoryRow, ParetoPoint, Robust, Spread,
    StartResult, Verified,
};
pub use scale::Scale;
pub use scan::{Scan, Scanned, scan};
pub use score::Score;
pub use stimulus::Delivered;
