//! Numbers of others that a model was compared with.

use std::fmt;

use axonml_core::error::short;

/// NEURON with the published mechanisms.
pub(crate) const NEURON: &str = "NEURON 9.0.2";
/// PyFibers' models, which run in NEURON.
pub(crate) const PYFIBERS: &str = "PyFibers 0.13.0 on NEURON 9.0.2";
/// Largest difference of voltages from an implementation of the same scheme that tests allow, mV: voltages of hundreds of mV carry
/// rounding errors of 1e-13 a step, which hundreds of explicit steps through action potentials multiply by some thousands at most.
pub(crate) const PARITY_MV: f64 = 1e-9;
/// The implementation that S-MF was published with.
pub(crate) const AXONML: &str = "PyTorch AxonML 3b3a011";

/// A comparison of a model, as it runs by default, with the numbers of another program or implementation.
///
/// `docs/validation.md` has the conditions, and the commands that repeat them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// The other program with its version, or what else the numbers come from.
    pub against: &'static str,
    /// Number of cases: thresholds, or runs.
    pub cases: usize,
    /// Difference between the two.
    pub difference: Difference,
}

/// Difference between a model and its reference over all cases of a [`Validation`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Difference {
    /// Of activation thresholds, relative to the reference's, %.
    Thresholds {
        /// Mean of the sizes.
        mean_pct: f64,
        /// The largest size.
        worst_pct: f64,
    },
    /// Of voltages at every node and step.
    Voltages {
        /// The largest size, mV.
        worst_mv: f64,
    },
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Validation { against, cases, .. } = self;
        match self.difference {
            Difference::Thresholds {
                mean_pct,
                worst_pct,
            } => write!(
                f,
                "{cases} thresholds of {against}: mean {} %, worst {} %",
                short(mean_pct),
                short(worst_pct)
            ),
            Difference::Voltages { worst_mv } => {
                write!(
                    f,
                    "{cases} runs of {against}: voltages within {worst_mv:e} mV"
                )
            }
        }
    }
}
