//! Layout of the data that host and kernel exchange: tables of 64-bit words with named fields, and rows of numbers per
//! fiber.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::Rollout;

/// Threads of a warp.
pub(crate) const LANES: usize = 32;

/// Warps, hence fibers, of a block. With one, a block leaves when its fiber has its answer, a few fibers spread over
/// the whole device, and the compiler knows that a fiber's values are the same for all threads.
pub(crate) const WARPS: usize = 1;

/// Words of a fiber in the integer tables, in the order of `FIBER_..` in the kernel.
pub(crate) const FIBER_WORDS: usize = 7;

/// Words of a fiber's result, in the order of `RESULT_..` in the kernel.
pub(crate) const RESULT_WORDS: usize = 3;

/// Status of a fiber: the first word of its result.
pub(crate) mod result {
    pub(crate) const COMPLETED: u32 = 0;
    pub(crate) const ANSWERED: u32 = 1;
    pub(crate) const DIVERGED: u32 = 2;
    pub(crate) const UNSTABLE: u32 = 3;
    /// In the adjoint pass: cotangents that are not finite.
    pub(crate) const NOT_FINITE: u32 = 4;
    pub(crate) const QUIET: u32 = 5;

    /// The same in CUDA C.
    pub(crate) fn declaration() -> String {
        format!(
            "enum {{ COMPLETED = {COMPLETED}, ANSWERED = {ANSWERED}, DIVERGED = {DIVERGED}, UNSTABLE = {UNSTABLE}, \
             NOT_FINITE = {NOT_FINITE}, QUIET = {QUIET} }};\n"
        )
    }
}

/// "No such thing" among 32-bit words.
pub(crate) const NONE: u32 = u32::MAX;

/// A source has an own field for every step.
pub(crate) const PER_STEP: u32 = 1;

/// A source acts on internodal modes too.
pub(crate) const ON_MODES: u32 = 2;

/// Declares a struct of 64-bit words for both sides.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: u64,)+ }

        impl $name {
            /// The same struct in CUDA C.
            pub(crate) fn declaration() -> String {
                let fields = [$(stringify!($field)),+].join(", ");
                format!("struct {} {{\n  u64 {fields};\n}};\n", stringify!($name))
            }

            pub(crate) fn push_to(&self, words: &mut Vec<u64>) {
                words.extend([$(self.$field),+]);
            }
        }
    };
}

words! {
    /// Header of a launch: its steps, and the begin of its tables.
    Header {
        /// Number of fibers.
        fibers,
        /// First step of the rollout; the steps of this launch.
        first_step,
        begin_step,
        end_step,
        /// Steps of the whole run: length of a waveform.
        steps,
        /// Whether `starts` holds values per node.
        start_is_given,
        /// Bits of the least and the greatest `u` that a membrane can have, as double-precision numbers.
        least_u,
        greatest_u,
        /// For early ends: bits of the band, mV, as a double-precision number, and steps between two looks.
        quiet_band,
        look_every,
        /// In `ints`.
        fiber_words,
        source_words,
        /// The first state at which each fiber may end early, or `NONE`.
        first_looks,
        /// In `reals`.
        rows,
        modes,
        parameters,
        starts,
        fields,
        levels,
        /// In `doubles`.
        waveforms,
        gains,
        /// In `out_ints`.
        results,
        /// In `out_reals`.
        result_values,
        states,
        /// For gradients: the end of the rollout.
        run_end,
        /// First state of the stored trajectory, and its capacity; checkpoints lie at the start and at the multiples of
        /// `segment` before that: how many there are, and which of them to begin from, or `NONE`.
        keep_from,
        kept_states,
        segment,
        checkpoints,
        checkpoint,
        /// Requested cotangents.
        of_gains,
        of_waveforms,
        of_fields,
        /// Steps of a segment whose cotangents are handed out one by one; 0 if no fiber has space-time potentials.
        traced_steps,
        /// In `reals`: parameters of the adjoint kernel.
        reverse_parameters,
        /// In `sums`, per source each.
        gain_sums,
        waveform_sums,
        field_sums,
    }
}

words! {
    /// One observer; the words follow the header.
    ObserverWords {
        /// First state it looks at.
        first_state,
        /// Nodes that must cross, steps between rows, or crossings that find room, by kind.
        parameter,
        /// States to let pass before the first row, and the state that it shows.
        wait,
        first_row,
        /// Its places per node in `ints`, `[selection][warp index]`.
        selections,
        /// Its results in `out_ints` and `out_reals`.
        ints,
        reals,
        /// Numbers of a recorded row, and rows.
        width,
        rows,
        /// Whether it has seed cotangents.
        seeded,
    }
}

/// Length of a row over a fiber, one number per warp index.
pub(crate) fn row_length(nodes_per_lane: usize) -> usize {
    nodes_per_lane * LANES
}

/// Warp index of `node`, its place in a row: nodes of a lane are `LANES` apart, so that a warp's loads coalesce.
pub(crate) fn warp_index(node: usize, nodes_per_lane: usize) -> usize {
    (node % nodes_per_lane) * LANES + node / nodes_per_lane
}

/// Rows of a fiber's state in the results of a run.
pub(crate) fn final_state_rows(rollout: &Rollout) -> usize {
    if rollout.final_states {
        state_rows(rollout)
    } else {
        0
    }
}

/// Modes of an internode of the rollout's fibers.
pub(crate) fn modes(rollout: &Rollout) -> usize {
    let first = rollout.fibers.first();
    first.map_or(0, |fiber| fiber.cable.modes_per_internode())
}

/// Whether the rollout's fibers have explicit cables.
pub(crate) fn is_explicit(rollout: &Rollout) -> bool {
    let first = rollout.fibers.first();
    first.is_some_and(|fiber| matches!(&*fiber.cable, Cable::Explicit(_)))
}

/// Rows of a fiber's state: voltage, states, modes.
pub(crate) fn state_rows(rollout: &Rollout) -> usize {
    1 + rollout.membrane.states.len() + modes(rollout)
}

/// Rows of a checkpoint: a state with its conductance and source.
pub(crate) fn checkpoint_rows(rollout: &Rollout) -> usize {
    2 + state_rows(rollout)
}

/// Rows of the field of a source: nodes, then modes.
pub(crate) fn field_rows(cable: &Cable) -> usize {
    1 + cable.modes_per_internode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warp_indices_are_a_permutation_that_keeps_a_lanes_nodes_together() {
        for p in 1..5 {
            let mut seen = vec![false; row_length(p)];
            for node in 0..row_length(p) {
                seen[warp_index(node, p)] = true;
                assert_eq!(warp_index(node, p) % LANES, node / p);
            }
            assert!(seen.into_iter().all(|seen| seen));
        }
    }

    #[test]
    fn declarations_name_the_fields_in_order() {
        let mut words = Vec::new();
        let header = Header {
            fibers: 1,
            field_sums: 9,
            ..Header::default()
        };
        header.push_to(&mut words);
        assert_eq!((words[0], words.last()), (1, Some(&9)));
        let declaration = Header::declaration();
        assert!(declaration.starts_with("struct Header {\n  u64 fibers, first_step,"));
        assert_eq!(declaration.matches(',').count() + 1, words.len());
    }
}
