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
        meaning: "nothing fires up to the largest amplitude, which is lower_mA",
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

/// Columns that a block threshold fills.
const BLOCK: &[&str] = &["block_lower_mA", "block_mA", "reexcitation_mA"];
/// The same, with the excitation threshold.
const EXCITATION_AND_BLOCK: &[&str] = &[
    "excitation_mA",
    "block_lower_mA",
    "block_mA",
    "reexcitation_mA",
];

/// All statuses of block thresholds: those of [`BlockStatus`](crate::BlockStatus), and `error`.
///
/// `excitation_mA` is empty, too, where the sources alone excite nothing up to the largest amplitude, and
/// `reexcitation_mA` where that still blocks.
pub static BLOCK_STATUSES: &[Status] = &[
    Status {
        name: "ok",
        meaning: "a block threshold: no test pulse arrives at block_mA, some do at block_lower_mA",
        empty: &[],
    },
    Status {
        name: "no_block",
        meaning: "no amplitude up to the largest blocks",
        empty: BLOCK,
    },
    Status {
        name: "partial_block",
        meaning: "the same, but some amplitudes transmit only part of the test pulses",
        empty: BLOCK,
    },
    Status {
        name: "one_way_block",
        meaning: "a block threshold, but test pulses that run the other way arrive at block_mA",
        empty: &[],
    },
    Status {
        name: "no_activation",
        meaning: "test pulses do not arrive even without the sources",
        empty: EXCITATION_AND_BLOCK,
    },
    Status {
        name: "spontaneous",
        meaning: "fires without stimulus",
        empty: EXCITATION_AND_BLOCK,
    },
    Status {
        name: "diverged",
        meaning: "the solution became non-finite or unstable; what was found before is given",
        empty: &[],
    },
    Status {
        name: "error",
        meaning: "could not be simulated; the message holds the reason (with --keep-going)",
        empty: EXCITATION_AND_BLOCK,
    },
];

/// States of responses to kHz signals: those of [`TransmissionState`](crate::TransmissionState), and `error`.
pub static TRANSMISSION_STATES: &[Status] = &[
    Status {
        name: "transmitted",
        meaning: "exactly one action potential for each test pulse, and nothing else",
        empty: &[],
    },
    Status {
        name: "excited",
        meaning: "action potentials that no test pulse explains",
        empty: &[],
    },
    Status {
        name: "blocked",
        meaning: "none arrives, although test pulses are given",
        empty: &[],
    },
    Status {
        name: "partial",
        meaning: "those of some test pulses arrive, of others not",
        empty: &[],
    },
    Status {
        name: "quiet",
        meaning: "none, and no test pulses are given",
        empty: &[],
    },
    Status {
        name: "no_activation",
        meaning: "test pulses do not arrive even without the sources",
        empty: &[],
    },
    Status {
        name: "diverged",
        meaning: "the solution became non-finite or unstable",
        empty: &["n_ap"],
    },
    Status {
        name: "error",
        meaning: "could not be simulated; the message holds the reason (with --keep-going)",
        empty: &["amplitude_mA", "n_ap", "n_ap_expected"],
    },
];

/// Statuses of conduction velocities: those of [`ConductionVelocity`](crate::ConductionVelocity), and `error`.
pub static VELOCITY_STATUSES: &[Status] = &[
    Status {
        name: "ok",
        meaning: "a velocity: an action potential passed one site after the other",
        empty: &[],
    },
    Status {
        name: "not_in_order",
        meaning: "it began at a site or between the two: choose sites on one side of its start",
        empty: VELOCITY,
    },
    Status {
        name: "propagation_failure",
        meaning: "it began, but did not pass both sites within the run",
        empty: VELOCITY,
    },
    Status {
        name: "no_activation",
        meaning: "no action potential began",
        empty: VELOCITY,
    },
    Status {
        name: "diverged",
        meaning: "the solution became non-finite or unstable",
        empty: VELOCITY,
    },
    Status {
        name: "error",
        meaning: "could not be simulated; the message holds the reason (with --keep-going)",
        empty: VELOCITY,
    },
];

/// Columns that a velocity fills.
const VELOCITY: &[&str] = &["cv_m_per_s", "t_a_ms", "t_b_ms"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockStatus, FiberStatus, SpikeStart, Threshold, ThresholdKind};

    #[test]
    fn the_table_holds_every_status_of_block() {
        let all = [
            BlockStatus::Ok,
            BlockStatus::NoBlock,
            BlockStatus::PartialBlock,
            BlockStatus::OneWayBlock,
            BlockStatus::NoActivation,
            BlockStatus::Spontaneous,
            BlockStatus::Diverged {
                amplitude_ma: 1.0,
                status: FiberStatus::Completed,
            },
        ];
        let names: Vec<&str> = all.iter().map(BlockStatus::name).chain(["error"]).collect();
        let listed: Vec<&str> = BLOCK_STATUSES.iter().map(|status| status.name).collect();
        assert_eq!(names, listed);
    }

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
