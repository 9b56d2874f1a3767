//! Which fibers run together: those of similar length, and no more than fit in memory.

use std::collections::BTreeMap;

use axonml_autodiff::engine::{ObserverKind, Rollout, Source};

use crate::layout::{LANES, field_rows, row_length, state_rows};
use crate::observers::watched;

/// Crossings per fiber for which a raster has room at first; a launch that finds more is repeated with enough.
pub(crate) const FIRST_RASTER_CAPACITY: usize = 128;

/// Fibers by nodes per lane, in the rollout's order.
pub(crate) fn classes(rollout: &Rollout) -> BTreeMap<usize, Vec<usize>> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, fiber) in rollout.fibers.iter().enumerate() {
        let nodes_per_lane = fiber.cable.nodes().div_ceil(LANES);
        classes.entry(nodes_per_lane).or_default().push(index);
    }
    classes
}

/// Cuts the fibers of a class into launches of at most `budget` bytes, at least one fiber each.
pub(crate) fn launches(
    rollout: &Rollout,
    fibers: &[usize],
    nodes_per_lane: usize,
    budget: usize,
) -> Vec<Vec<usize>> {
    let mut launches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for &fiber in fibers {
        let bytes = bytes_of(rollout, fiber, nodes_per_lane);
        match launches.last_mut() {
            Some(launch) if bytes <= room => launch.push(fiber),
            _ => {
                launches.push(vec![fiber]);
                room = budget;
            }
        }
        room = room.saturating_sub(bytes);
    }
    launches
}

/// Memory that a fiber takes, shared tables counted as its own.
pub(crate) fn bytes_of(rollout: &Rollout, fiber: usize, nodes_per_lane: usize) -> usize {
    let row = row_length(nodes_per_lane);
    let cable = &rollout.fibers[fiber].cable;
    let steps = rollout.steps.len();
    let state = 2 * state_rows(rollout) * row;
    let fields: usize = rollout.drive.sources[fiber]
        .iter()
        .map(|source| match source {
            Source::Separable { .. } => 1,
            Source::SpaceTime(_) => steps,
        })
        .sum();
    let seen: usize = rollout
        .observers
        .iter()
        .map(|spec| match &spec.kind {
            ObserverKind::Active { .. } => 1,
            ObserverKind::ActionPotentialCount | ObserverKind::Maximum => row,
            ObserverKind::Raster => 4 * FIRST_RASTER_CAPACITY,
            recorder @ (ObserverKind::Recorder { .. } | ObserverKind::Traces { .. }) => {
                let Some((states, every)) = recorder.recorded() else {
                    unreachable!("recorders and traces record")
                };
                let width = watched(spec, cable.nodes()).len();
                (steps / every.max(1) + 1) * (1 + states.len()) * width
            }
        })
        .sum();
    let numbers = state + fields * field_rows(cable) * row + seen;
    numbers * rollout.precision.bytes()
}
