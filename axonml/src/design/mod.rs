//! Selective stimulation: which currents through the contacts of a cuff activate the fibers that should fire, and spare
//! the others.
//!
//! A [`Goal`] says which fibers of a population should fire, and how much of the nerve each stands for. The *thresholds* of
//! a stimulus, the least multiple of it that fires each fiber, are its whole recruitment curve: they give the [`Scale`] at
//! which it serves the goal best, and its [`separation`](Goal::separation), the range of amplitudes over which it activates
//! all targets and nothing else. [`Score`]s are compared in one order everywhere.
//!
//! A [`Problem`] joins fibers (a [`Population`]), goal, the stimuli to choose from (a [`Parameterization`]: amplitudes, pulse
//! widths, whole waveforms), [`Limits`] of the stimulator and a loss (an [`Objective`], or a [`ThresholdLoss`] of one's own).
//! [`Problem::scan`] finds the thresholds of all [montages](Montage::all): what an optimizer must beat, and where it starts;
//! [`Problem::descend`] lowers the loss from several starts at once, [`Problem::evolve`] by differential evolution, and
//! [`Problem::evolve_front`] finds the stimuli of which none is better in both of two [`Aim`]s. A [`Run`] counts their work, ends it early, and keeps it where a kill does not reach.
//!
//! From a study to a verified result with all its files it is one call: [`optimize`](crate::optimization::optimize).
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
//! let best = goal.best_scale(&thresholds, [0.0, 20.0]);
//! assert_eq!((best.window, best.misclassified), ([1.2, 1.8], 0.0));
//! # Ok::<(), axonml::CoreError>(())
//! ```

mod contacts;
mod descent;
mod dose;
mod error;
mod evolution;
mod front;
mod goal;
mod grid;
mod limits;
mod loss;
mod montage;
mod parameterization;
mod penalty;
mod population;
mod problem;
mod result;
mod rivals;
mod run;
mod scale;
mod scan;
mod score;
mod stimulus;

pub use contacts::contacts;
pub use descent::{DescentOptions, Reached, Start, Steps, best_reached};
pub use dose::Dose;
pub use error::DesignError;
pub use evolution::{EvolutionOptions, Evolved, Standing};
pub use front::{Aim, Front, FrontPoint};
pub(crate) use goal::AREA_TOLERANCE;
pub use goal::{Goal, Outcome};
pub use limits::{Electrodes, Feasible, Limit, Limits, Scales, Violation};
pub use loss::{Loss, Objective, Quotient, Softness, ThresholdLoss};
pub use montage::{Montage, MontageKind};
pub use parameterization::{
    Amplitudes, Expansion, Parameterization, PulseShape, Pulses, Samples, Widths,
};
pub use penalty::Penalty;
pub use population::{Cotangent, Multiples, Population};
pub use problem::{Judged, Problem, Set, Slopes};
pub use result::{
    Baseline, DesignRecord, DesignResult, FiberResult, HistoryRow, ParetoPoint, Robust, Spread,
    StartResult, Verified,
};
pub use run::{Course, Ends, Moment, Run, Tally, Unkept};
pub use scale::Scale;
pub use scan::{Scan, Scanned};
pub use score::Score;
pub use stimulus::Delivered;
