//! Statuses of threshold searches, with the columns that are empty in their rows.

/// A status of results.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Its name in results.
    pub name: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// Columns that have no value.
    pub empty: &'static [&'static str],
}

/// Columns that a threshold fills.
const FOUND: &[&str] = &[
    "threshold_mA",
    "upper_mA",
    "start_node",
    "start_um",
    "start_ms",
];
/// The same, with the lower bound.
const BOUNDS: &[&str] = &[
    "threshold_mA",
    "lower_mA",
    "upper_mA",
    "start_node",
    "start_um",
    "start_ms",
];

/// All statuses of thresholds: those of [`Threshold`](crate::Threshold), and `error`.
pub static STATUSES: &[Status] = &[
    Status {
        name: "ok",
        meaning: "a threshold: fires at upper_mA, not at lower_mA",
        empty: &[],
    },
    Status {
        name: "end_excitation",
        meaning: "the same, but the action potential begins at an end of the simulated fiber: make it longer",
        empty: &[],
    },
    Status {
        name: "reexcitation",
        meaning: "the same, but action potentials begin and fail to propagate below it: a lower one may have been missed",
        empty: &[],
    },
    Status {
        name: "no_activation",
        meaning: "nothing fires up to --max-amplitude, which is lower_mA",
        empty: FOUND,
    },
    Status {
        name: "propagation_failure",
        meaning: "fires, but the action potential reaches no detection site (version 0.1: blocked)",
        empty: FOUND,
    },
    Status {
        name: "artifact",
        meaning: "nodes cross the level only because the stimulus polarizes them",
        empty: FOUND,
    },
    Status {
        name: "spontaneous",
        meaning: "fires without stimulus",
        empty: BOUNDS,
    },
    Status {
        name: "diverged",
        meaning: "the solution became non-finite or unstable; lower_mA may hold an amplitude that failed before",
        empty: FOUND,
    },
    Status {
        name: "error",
        meaning: "could not be simulated; the message holds the reason (with --keep-going)",
        empty: BOUNDS,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FiberStatus, SpikeStart, Threshold, ThresholdKind};

    /// Every threshold's status is in the table, and columns that the table calls empty are empty.
    #[test]
    fn the_table_holds_every_status() {
        let start = SpikeStart {
            node: 26,
            z_um: 0.0,
            time_ms: 0.2,
        };
        let found = |kind| Threshold::Found {
            lower_ma: 1.0,
            upper_ma: 2.0,
            start,
            kind,
        };
        let all = [
            found(ThresholdKind::Regular),
            found(ThresholdKind::EndExcitation),
            found(ThresholdKind::Reexcitation),
            Threshold::NoActivation { lower_ma: 20.0 },
            Threshold::PropagationFailure { lower_ma: 20.0 },
            Threshold::Artifact { lower_ma: 20.0 },
            Threshold::Spontaneous,
            Threshold::Diverged {
                amplitude_ma: 1.0,
                status: FiberStatus::Completed,
                lower_ma: Some(0.5),
            },
        ];
        for threshold in &all {
            let of = STATUSES.iter().find(|s| s.name == threshold.status());
            let status = of.unwrap_or_else(|| panic!("{} is missing", threshold.status()));
            let empty = |column: &str| status.empty.contains(&column);
            assert_eq!(
                empty("threshold_mA"),
                threshold.upper_ma().is_none(),
                "{status:?}"
            );
            assert_eq!(
                empty("upper_mA"),
                threshold.upper_ma().is_none(),
                "{status:?}"
            );
            assert_eq!(
                empty("lower_mA"),
                threshold.lower_ma().is_none(),
                "{status:?}"
            );
            assert_eq!(
                empty("start_node"),
                threshold.start().is_none(),
                "{status:?}"
            );
        }
        assert_eq!(STATUSES.len(), all.len() + 1);
    }
}
