//! Converts a kernel's results to the outcomes of fibers.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::US_PER_S;
use axonml_autodiff::engine::{FiberOutcome, FiberState, FiberStatus, Observation, Rollout};
use axonml_autodiff::ir::Real;
use rayon::prelude::*;

use crate::layout::result::{ANSWERED, COMPLETED, QUIET, UNSTABLE};
use crate::layout::{RESULT_WORDS, modes, row_length, state_rows, warp_index};
use crate::pack::Launch;

/// Outcomes of the launch's fibers.
///
/// # Errors
/// The room per observer that a repetition needs, if a raster had too little.
pub(crate) fn unpack<R: Real>(
    rollout: &Rollout,
    fibers: &[usize],
    nodes_per_lane: usize,
    launch: &Launch<R>,
    capacity: &[usize],
) -> Result<Vec<FiberOutcome>, Vec<usize>> {
    let of_fiber = |(position, &fiber): (usize, &usize)| {
        let nodes = rollout.fibers[fiber].cable.nodes();
        let observations: Vec<Result<Observation, usize>> = launch
            .observers
            .iter()
            .zip(&rollout.observers)
            .map(|(plan, spec)| plan.report(rollout, spec, launch, position, nodes, nodes_per_lane))
            .collect();
        let status = status(rollout, fiber, position, launch);
        let state = (rollout.final_states && status == FiberStatus::Completed).then(|| {
            let size = state_rows(rollout) * row_length(nodes_per_lane);
            let rows = &launch.out_reals[launch.header.states as usize + position * size..];
            let mut state = state(rollout, nodes, nodes_per_lane, &rows[..size]);
            let reference = rollout.v_reference_mv;
            state.v_mv.iter_mut().for_each(|v| *v += reference);
            state
        });
        (status, observations, state)
    };
    let results: Vec<_> = fibers.par_iter().enumerate().map(of_fiber).collect();
    let mut needed = capacity.to_vec();
    let mut outcomes = Vec::with_capacity(fibers.len());
    for (status, results, state) in results {
        let mut observations = Vec::with_capacity(results.len());
        for (result, needed) in results.into_iter().zip(&mut needed) {
            match result {
                Ok(observation) => observations.push(observation),
                Err(count) => *needed = (*needed).max(count),
            }
        }
        outcomes.push(FiberOutcome {
            status,
            observations,
            state,
        });
    }
    if needed == capacity {
        Ok(outcomes)
    } else {
        Err(needed)
    }
}

fn status<R: Real>(
    rollout: &Rollout,
    fiber: usize,
    position: usize,
    launch: &Launch<R>,
) -> FiberStatus {
    let words = &launch.out_ints[launch.header.results as usize + position * RESULT_WORDS..]
        [..RESULT_WORDS];
    let state = words[1] as usize;
    match words[0] {
        COMPLETED => FiberStatus::Completed,
        ANSWERED => FiberStatus::Answered(state),
        QUIET => FiberStatus::Quiet(state),
        reason => {
            let values = &launch.out_reals[launch.header.result_values as usize + 2 * position..];
            let stability = match &*rollout.fibers[fiber].cable {
                Cable::Explicit(cable) if reason == UNSTABLE => {
                    // As the kernel has it.
                    let g_us = R::from_f64(cable.area_cm2 * US_PER_S) * values[1];
                    Some(cable.stability(rollout.grid.dt_ms(), g_us.to_f64()))
                }
                _ => None,
            };
            FiberStatus::Diverged {
                state,
                node: words[2] as usize,
                v_mv: values[0].to_f64() + rollout.v_reference_mv,
                stability,
            }
        }
    }
}

/// A state from its rows: voltages, or cotangents of them, then states, then modes.
pub(crate) fn state<R: Real>(
    rollout: &Rollout,
    nodes: usize,
    nodes_per_lane: usize,
    rows: &[R],
) -> FiberState {
    let row = row_length(nodes_per_lane);
    let at = |quantity: usize, node: usize| {
        rows[quantity * row + warp_index(node, nodes_per_lane)].to_f64()
    };
    let (states, modes) = (rollout.membrane.states.len(), modes(rollout));
    FiberState {
        v_mv: (0..nodes).map(|node| at(0, node)).collect(),
        states: (0..states)
            .map(|state| (0..nodes).map(|node| at(1 + state, node)).collect())
            .collect(),
        modes: (0..nodes - 1)
            .flat_map(|node| (0..modes).map(move |mode| at(1 + states + mode, node)))
            .collect(),
    }
}
