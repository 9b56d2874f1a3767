//! Accumulates cotangents of space-time potentials from the kernel's cotangents of single steps.

use std::ops::Range;

use axonml_autodiff::adjoint::{GradientRequest, SourceSums, SpaceTimeSource, SpaceTimeSums};
use axonml_autodiff::engine::{Rollout, Source};
use axonml_autodiff::ir::Real;
use rayon::prelude::*;

use crate::layout::{modes, row_length, warp_index};

/// Gradient accumulators of the space-time potentials of some fibers.
pub(super) struct StepCotangents<'r> {
    rollout: &'r Rollout,
    fibers: &'r [usize],
    /// Per fiber and space-time source.
    sums: Vec<Vec<SpaceTimeSums>>,
}

/// The space-time potentials of a fiber.
fn of_fiber(rollout: &Rollout, fiber: usize) -> impl Iterator<Item = SpaceTimeSource<'_>> {
    let sources = 0..rollout.drive.sources[fiber].len();
    sources.filter_map(move |source| given(rollout, fiber, source))
}

fn given(rollout: &Rollout, fiber: usize, source: usize) -> Option<SpaceTimeSource<'_>> {
    match &rollout.drive.sources[fiber][source] {
        Source::Separable { .. } => None,
        Source::SpaceTime(ve_mv) => Some(SpaceTimeSource {
            cable: &rollout.fibers[fiber].cable,
            dt_ms: rollout.grid.dt_ms(),
            ve_mv,
            gain: rollout.drive.gains[fiber][source],
        }),
    }
}

/// Empty accumulators of a source without requested cotangents.
pub(super) fn nothing(
    rollout: &Rollout,
    fiber: usize,
    source: usize,
    request: GradientRequest,
) -> SourceSums {
    match given(rollout, fiber, source) {
        Some(source) => SourceSums::SpaceTime(SpaceTimeSums::new(source, request)),
        None => unreachable!("the caller requested space-time potentials"),
    }
}

impl<'r> StepCotangents<'r> {
    pub(super) fn new(rollout: &'r Rollout, fibers: &'r [usize], request: GradientRequest) -> Self {
        let sums = fibers.iter().map(|&fiber| {
            let sources = of_fiber(rollout, fiber);
            let zeros = sources.map(|source| SpaceTimeSums::new(source, request));
            zeros.collect()
        });
        StepCotangents {
            rollout,
            fibers,
            sums: sums.collect(),
        }
    }

    /// Accumulates the VJP of the steps of a segment: `rows` are `[fiber][step][nodes, then modes][warp index]` with
    /// room for `room` steps.
    pub(super) fn add<R: Real>(
        &mut self,
        segment: Range<usize>,
        room: usize,
        rows: &[R],
        nodes_per_lane: usize,
    ) {
        let rollout = self.rollout;
        let (modes, row) = (modes(rollout), row_length(nodes_per_lane));
        let size = (1 + modes) * row;
        let each = self.sums.par_iter_mut().enumerate();
        each.filter(|(_, sums)| !sums.is_empty())
            .for_each(|(position, sums)| {
                let fiber = self.fibers[position];
                let cable = &rollout.fibers[fiber].cable;
                for step in segment.clone().rev() {
                    let at = (position * room + step - segment.start) * size;
                    let of = |quantity: usize, node: usize| {
                        rows[at + quantity * row + warp_index(node, nodes_per_lane)].to_f64()
                    };
                    let nodes: Vec<f64> = (0..cable.nodes()).map(|node| of(0, node)).collect();
                    let increments = 0..cable.mode_count();
                    let increments: Vec<f64> = increments
                        .map(|index| of(1 + index % modes, index / modes))
                        .collect();
                    for (sums, source) in sums.iter_mut().zip(of_fiber(rollout, fiber)) {
                        sums.add(source, step, &nodes, &increments);
                    }
                }
            });
    }

    /// Returns the accumulators of the fiber at `position`, source by source.
    pub(super) fn of(&self, position: usize) -> &[SpaceTimeSums] {
        &self.sums[position]
    }
}
