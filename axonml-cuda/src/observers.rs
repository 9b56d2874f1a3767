//! Observers as the kernel takes them.

use axonml_autodiff::adjoint::RecordedSeeds;
use axonml_autodiff::engine::{ObserverKind, ObserverSpec, Rollout};
use axonml_autodiff::ir::{Precision, Real};

use crate::layout::{NONE, ObserverWords, row_length, warp_index};

/// Where the results of an observer lie, and how large they are.
#[derive(Debug)]
pub(crate) struct ObserverPlan {
    pub(crate) words: ObserverWords,
    /// Place of every warp index in the results, `[selection][warp index]`; `NONE` where it is not watched.
    pub(crate) places: Vec<u32>,
    pub(crate) out_ints: usize,
    pub(crate) out_reals: usize,
}

impl ObserverPlan {
    /// Plans for fibers with the given node counts (one selection each), `fibers` in all.
    pub(crate) fn new(
        rollout: &Rollout,
        spec: &ObserverSpec,
        lengths: &[usize],
        nodes_per_lane: usize,
        capacity: usize,
        fibers: usize,
    ) -> Self {
        let row = row_length(nodes_per_lane);
        let mut places = vec![NONE; lengths.len() * row];
        let mut width = 0;
        for (places, &nodes) in places.chunks_exact_mut(row).zip(lengths) {
            let watched = watched(spec, nodes);
            width = width.max(watched.len());
            for (place, &node) in watched.iter().enumerate() {
                places[warp_index(node, nodes_per_lane)] = place as u32;
            }
        }
        let first = first_state(rollout, spec);
        let mut words = ObserverWords {
            first_state: first.min(u64::from(NONE - 1)),
            ..ObserverWords::default()
        };
        let (out_ints, out_reals) = match &spec.kind {
            ObserverKind::Active { at_least } => {
                words.parameter = (*at_least as u64).min(u64::from(NONE));
                (fibers, 0)
            }
            ObserverKind::ActionPotentialCount => (fibers * row, 0),
            ObserverKind::Raster => {
                words.parameter = capacity as u64;
                (fibers + 2 * fibers * capacity, 2 * fibers * capacity)
            }
            ObserverKind::Maximum => (0, fibers * row),
            ObserverKind::Recorder { .. } | ObserverKind::Traces { .. } => {
                let (states, every) = spec.kind.recorded().unwrap_or_default();
                let every = (every as u64).clamp(1, u64::from(NONE));
                let (seen_from, end) = (first_seen(rollout).max(first), rollout.steps.end as u64);
                words.parameter = every;
                words.wait = (every - (seen_from - first) % every) % every;
                words.width = width as u64;
                words.first_row = seen_from + words.wait;
                words.rows = if words.first_row <= end {
                    (end - words.first_row) / every + 1
                } else {
                    0
                };
                (
                    fibers,
                    fibers * words.rows as usize * (1 + states.len()) * width,
                )
            }
        };
        ObserverPlan {
            words,
            places,
            out_ints,
            out_reals,
        }
    }

    /// 64-bit words of an observer.
    pub(crate) fn word_count(&self) -> usize {
        let mut words = Vec::new();
        self.words.push_to(&mut words);
        words.len()
    }

    /// Adds the recorder's seed cotangents of the fiber at `position` at the places of its observations among the
    /// results.
    pub(crate) fn seed<R: Real>(
        &self,
        rollout: &Rollout,
        position: usize,
        seeds: &RecordedSeeds,
        to: &mut [R],
    ) {
        let ObserverKind::Recorder { states, .. } = &rollout.observers[seeds.observer].kind else {
            unreachable!("only recorders have cotangents")
        };
        let known = &rollout.membrane.states;
        let mut watched = seeds.nodes.clone();
        watched.sort_unstable();
        watched.dedup();
        let columns: Vec<usize> = seeds
            .nodes
            .iter()
            .map(|node| {
                let place = watched.binary_search(node);
                place.expect("seeds are of nodes that were watched")
            })
            .collect();
        let (width, rows) = (self.words.width as usize, self.words.rows as usize);
        let size = (1 + states.len()) * width;
        let first = self.words.reals as usize + position * rows * size;
        let mut put = |quantity: usize, values: &[f64]| {
            for (row, values) in values.chunks_exact(columns.len().max(1)).enumerate() {
                for (column, &value) in columns.iter().zip(values) {
                    to[first + row * size + quantity * width + column] += R::from_f64(value);
                }
            }
        };
        put(0, &seeds.v_mv);
        for (state, values) in &seeds.states {
            let place = states.iter().position(|name| *name == known[*state]);
            put(
                1 + place.expect("seeds are of states that were recorded"),
                values,
            );
        }
    }
}

/// The crossing level for `u` in precision `R`: the smallest number whose voltage, in double precision, is at or above
/// the threshold. Found by bisection over all numbers in order.
pub(crate) fn level<R: Real>(threshold_mv: f64, v_reference_mv: f64) -> R {
    let number = |key: i64| match R::PRECISION {
        Precision::F64 => f64::from_bits(ordered(key, 63) as u64),
        Precision::F32 => f64::from(f32::from_bits((ordered(key, 31) & 0xffff_ffff) as u32)),
    };
    let reaches = |u: f64| u + v_reference_mv >= threshold_mv;
    let infinite = |sign: i64| match R::PRECISION {
        Precision::F64 => ordered(((f64::INFINITY.to_bits()) as i64) | sign << 63, 63),
        Precision::F32 => {
            let bits = i64::from((f32::INFINITY.to_bits() | (sign as u32) << 31) as i32);
            ordered(bits, 31)
        }
    };
    let (mut fails, mut holds) = (infinite(1), infinite(0));
    if !reaches(number(holds)) {
        return R::from_f64(f64::NAN);
    }
    if reaches(number(fails)) {
        return R::from_f64(f64::NEG_INFINITY);
    }
    while holds.abs_diff(fails) > 1 {
        let middle = fails + (holds.abs_diff(fails) / 2) as i64;
        if reaches(number(middle)) {
            holds = middle;
        } else {
            fails = middle;
        }
    }
    R::from_f64(number(holds))
}

/// Turns bits of floating-point numbers, as signed integers, into integers of the same order; its own inverse.
fn ordered(bits: i64, sign: u32) -> i64 {
    if bits < 0 {
        bits ^ (i64::MAX >> (63 - sign))
    } else {
        bits
    }
}

/// The nodes that the observer of a checked rollout names.
pub(crate) fn resolved(spec: &ObserverSpec, nodes: usize) -> Vec<usize> {
    let resolved = spec.nodes.resolve(nodes);
    resolved.expect("a checked rollout's observers name nodes that exist")
}

/// Nodes watched, each once, in order.
pub(crate) fn watched(spec: &ObserverSpec, nodes: usize) -> Vec<usize> {
    let mut watched = resolved(spec, nodes);
    watched.sort_unstable();
    watched.dedup();
    watched
}

/// First state an observer looks at: a crossing leads from one state to the next, so that the start has none.
fn first_state(rollout: &Rollout, spec: &ObserverSpec) -> u64 {
    let first = spec.first_state(&rollout.grid) as u64;
    match spec.kind {
        ObserverKind::Recorder { .. } | ObserverKind::Traces { .. } | ObserverKind::Maximum => {
            first
        }
        ObserverKind::Active { .. } | ObserverKind::ActionPotentialCount | ObserverKind::Raster => {
            first.max(1)
        }
    }
}

/// First state of the rollout that observers see: the start of a continued run was seen by its predecessor.
fn first_seen(rollout: &Rollout) -> u64 {
    match rollout.steps.start {
        0 => 0,
        start => start as u64 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_decide_as_voltages_in_double_precision_do() {
        for (threshold, reference) in [
            (0.0, -80.0),
            (-30.0, 0.0),
            (-80.0, -80.0),
            (17.3, -65.1),
            (1e-9, 0.0),
        ] {
            let at = level::<f32>(threshold, reference);
            let reaches = |u: f32| f64::from(u) + reference >= threshold;
            assert!(
                reaches(at) && !reaches(at.next_down()),
                "{threshold} {reference}: {at}"
            );
            let at = level::<f64>(threshold, reference);
            let reaches = |u: f64| u + reference >= threshold;
            assert!(
                reaches(at) && !reaches(at.next_down()),
                "{threshold} {reference}: {at}"
            );
        }
        assert!(level::<f32>(f64::NAN, 0.0).is_nan());
        assert_eq!(level::<f32>(f64::NEG_INFINITY, -80.0), f32::NEG_INFINITY);
        assert_eq!(level::<f64>(f64::INFINITY, -80.0), f64::INFINITY);
    }
}
