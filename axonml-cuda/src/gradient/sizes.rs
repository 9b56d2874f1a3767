//! Sizes of the tables of gradients, to reserve, download and check them.

use axonml_autodiff::adjoint::GradientRequest;
use axonml_autodiff::engine::Rollout;

use crate::layout::{Header, LANES, checkpoint_rows, field_rows, row_length, state_rows};
use crate::source::Kept;
use crate::sums::SumLayout;

/// Numbers in each table, at least one: devices have no empty tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TableSizes {
    /// Checkpoints and stored states.
    pub(super) kept: usize,
    /// Cotangents of a state, and of its conductance and source.
    pub(super) back: usize,
    /// Running sums of the lanes.
    pub(super) lane_sums: usize,
    /// Sums of fibers, then of their sources.
    pub(super) sums: usize,
    /// Cotangents of single steps.
    pub(super) trace: usize,
}

impl TableSizes {
    /// Computes the sizes for a launch over fibers of one class with so many sources in all, as laid out in the header.
    pub(super) fn new(
        rollout: &Rollout,
        header: &Header,
        layout: &SumLayout,
        sources: usize,
        request: GradientRequest,
    ) -> Self {
        let fibers = header.fibers as usize;
        let row = row_length(layout.nodes_per_lane);
        let fields = rollout
            .fibers
            .first()
            .map_or(0, |fiber| field_rows(&fiber.cable));
        let kept_rows = header.checkpoints as usize * checkpoint_rows(rollout)
            + header.kept_states as usize * Kept::new(rollout, request).rows(rollout);
        let of_fields = match header.of_fields {
            0 => 0,
            _ => sources * fields * row,
        };
        TableSizes {
            kept: (fibers * kept_rows * row).max(1),
            back: (fibers * (state_rows(rollout) + 2) * row).max(1),
            lane_sums: (fibers * layout.of_lane * LANES).max(1),
            sums: (header.field_sums as usize + of_fields).max(1),
            trace: (fibers * header.traced_steps as usize * fields * row).max(1),
        }
    }
}
