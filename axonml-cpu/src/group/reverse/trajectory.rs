//! Stored trajectory and checkpoints of the forward pass: two-level uniform checkpointing (Griewank & Walther 2008,
//! Evaluating Derivatives).

use std::ops::Range;

use axonml_autodiff::ir::Real;

use crate::group::Group;
use crate::group::pack::GroupCable;

/// Rows from one stored state of the modes to the next: modes are by far the largest part of a state and the cheapest
/// to compute once the voltages are known, so that those between are recomputed, window by window.
const WINDOW: usize = 16;

/// Arrays that are stored of every state besides voltages and gates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// Conductances, and sources.
    pub(super) conductances: bool,
    pub(super) sources: bool,
    /// Modes, as `a zeta`.
    pub(super) modes: bool,
}

/// The states of a segment of a run, one row each.
#[derive(Debug)]
pub(super) struct Trajectory<R> {
    rows: Vec<R>,
    /// Where each array begins in a row: voltage, state variables, conductance, source, end.
    offsets: Vec<usize>,
    keep: Keep,
    /// Number of steps of a segment.
    segment: usize,
    /// Modes, as `a zeta`, of every [`WINDOW`]th row, and of every row of one window.
    windows: Vec<R>,
    window: Vec<R>,
    /// Numbers of the modes of a state; 0 if they are not stored.
    modes: usize,
}

impl<R: Real> Trajectory<R> {
    /// A trajectory for segments of up to `steps` steps of `group`: the fewest with which stored states and checkpoints need no
    /// more than `bytes` of memory, or those that need the least.
    pub(super) fn new<const L: usize>(
        group: &Group<'_, R, L>,
        keep: Keep,
        steps: usize,
        bytes: usize,
    ) -> Self {
        let len = group.nodes * L;
        let all_modes = match &group.cable {
            GroupCable::Modal { z, .. } => z.len(),
            GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => 0,
        };
        let modes = if keep.modes { all_modes } else { 0 };
        let mut sizes = vec![len; 1 + group.states.len()];
        sizes.push(if keep.conductances { len } else { 0 });
        sizes.push(if keep.sources { len } else { 0 });
        let mut offsets = vec![0];
        for size in sizes {
            offsets.push(offsets[offsets.len() - 1] + size);
        }
        let row = offsets[offsets.len() - 1];
        let needed = Needed {
            row: row * size_of::<R>(),
            window: modes * size_of::<R>(),
            checkpoint: ((4 + group.states.len()) * len + all_modes) * size_of::<R>(),
        };
        let segment = needed.segment(steps, bytes);
        let rows = segment + 1;
        Trajectory {
            // Not filled with zeros: rows are appended when they are saved first.
            rows: Vec::with_capacity(rows * row),
            offsets,
            keep,
            segment,
            windows: vec![R::default(); rows.div_ceil(WINDOW) * modes],
            window: vec![R::default(); WINDOW * modes],
            modes,
        }
    }

    /// The segments of `steps`, in order; none if there are no steps. All but the last are run twice, so that the first
    /// is the one that is shorter than the others.
    pub(super) fn segments(&self, steps: &Range<usize>) -> Vec<Range<usize>> {
        let segment = self.segment.max(1);
        let count = steps.len().div_ceil(segment);
        (0..count)
            .map(|index| {
                let end = steps.end - (count - 1 - index) * segment;
                end.saturating_sub(segment).max(steps.start)..end
            })
            .collect()
    }

    fn row_len(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// Stores the group's present state as row `index`; rows of a segment are stored in order.
    pub(super) fn save<const L: usize>(&mut self, index: usize, group: &Group<'_, R, L>) {
        if index * self.row_len() == self.rows.len() {
            self.rows.extend_from_slice(&group.u);
            for state in &group.states {
                self.rows.extend_from_slice(state);
            }
            if self.keep.conductances {
                self.rows.extend_from_slice(&group.g);
            }
            if self.keep.sources {
                self.rows.extend_from_slice(&group.j);
            }
        } else {
            let row = index * self.row_len();
            let states = group.states.len();
            let (rows, offsets) = (&mut self.rows, &self.offsets);
            let mut put = |array: usize, x: &[R]| {
                rows[row + offsets[array]..row + offsets[array + 1]].copy_from_slice(x);
            };
            put(0, &group.u);
            for (array, state) in group.states.iter().enumerate() {
                put(1 + array, state);
            }
            if self.keep.conductances {
                put(1 + states, &group.g);
            }
            if self.keep.sources {
                put(2 + states, &group.j);
            }
        }
        if let (GroupCable::Modal { z, .. }, true) = (&group.cable, self.keep.modes)
            && index.is_multiple_of(WINDOW)
        {
            let at = index / WINDOW * self.modes;
            self.windows[at..at + self.modes].copy_from_slice(z);
        }
    }

    /// The window of rows that `index` is the last of, or the last requested of, if its modes have to be recomputed.
    pub(super) fn window_ending(&self, index: usize, requested: usize) -> Option<Range<usize>> {
        let ends = index + 1 == requested || (index + 1).is_multiple_of(WINDOW);
        (ends && self.modes > 0).then(|| index / WINDOW * WINDOW..index + 1)
    }

    /// Copies the stored modes at the begin of a window to its first row.
    pub(super) fn begin_window(&mut self, window: &Range<usize>) {
        let at = window.start / WINDOW * self.modes;
        self.window[..self.modes].copy_from_slice(&self.windows[at..at + self.modes]);
    }

    /// Modes of the row before row `index` of the present window.
    pub(super) fn modes_before(&self, index: usize) -> &[R] {
        let at = (index - 1) % WINDOW * self.modes;
        &self.window[at..at + self.modes]
    }

    /// The voltages of row `index`, the modes of the row before it, and its own.
    pub(super) fn replayed(&mut self, index: usize) -> (&[R], &[R], &mut [R]) {
        let at = index % WINDOW * self.modes;
        let (before, modes) = self.window.split_at_mut(at);
        let row = index * self.offsets[self.offsets.len() - 1];
        let u = &self.rows[row..row + self.offsets[1]];
        (u, &before[at - self.modes..], &mut modes[..self.modes])
    }

    fn array(&self, index: usize, array: usize) -> &[R] {
        let row = index * self.row_len();
        &self.rows[row + self.offsets[array]..row + self.offsets[array + 1]]
    }

    fn state_count(&self) -> usize {
        self.offsets.len() - 4
    }

    pub(super) fn u(&self, index: usize) -> &[R] {
        self.array(index, 0)
    }

    pub(super) fn states(&self, index: usize) -> impl Iterator<Item = &[R]> {
        (0..self.state_count()).map(move |state| self.array(index, 1 + state))
    }

    pub(super) fn g(&self, index: usize) -> &[R] {
        self.array(index, 1 + self.state_count())
    }

    pub(super) fn j(&self, index: usize) -> &[R] {
        self.array(index, 2 + self.state_count())
    }

    /// Modes of a row of the present window, as `a zeta`; empty if they are not stored.
    pub(super) fn modes(&self, index: usize) -> &[R] {
        let at = index % WINDOW * self.modes;
        &self.window[at..at + self.modes]
    }
}

/// Bytes that a group needs of what is stored.
#[derive(Clone, Copy, Debug)]
struct Needed {
    /// Of a row without modes.
    row: usize,
    /// Of the modes of a state, if they are stored.
    window: usize,
    checkpoint: usize,
}

impl Needed {
    /// Of `segments` segments of up to `segment` steps.
    fn bytes(&self, segments: usize, segment: usize) -> usize {
        let windows = WINDOW + (segment + 1).div_ceil(WINDOW);
        (segment + 1) * self.row + windows * self.window + (segments - 1) * self.checkpoint
    }

    /// Steps of a segment, of `steps` steps: the most that need no more than `bytes`, or those that need the least.
    fn segment(&self, steps: usize, bytes: usize) -> usize {
        let (mut least, mut best) = (usize::MAX, steps);
        for segments in 1..=steps {
            let segment = steps.div_ceil(segments);
            let needed = self.bytes(segments, segment);
            if needed <= bytes {
                return segment;
            }
            if needed < least {
                (least, best) = (needed, segment);
            }
            if (segments - 1) * self.checkpoint > least {
                break;
            }
        }
        best
    }
}

/// A checkpoint: the whole state of a group between two steps. A run restarted from it gives the same bits.
#[derive(Debug)]
pub(super) struct Checkpoint<R> {
    u: Vec<R>,
    states: Vec<Vec<R>>,
    g: Vec<R>,
    j: Vec<R>,
    current: Vec<R>,
    z: Vec<R>,
}

impl<R: Real> Checkpoint<R> {
    pub(super) fn of<const L: usize>(group: &Group<'_, R, L>) -> Self {
        Checkpoint {
            u: group.u.clone(),
            states: group.states.clone(),
            g: group.g.clone(),
            j: group.j.clone(),
            current: group.current.clone(),
            z: match &group.cable {
                GroupCable::Modal { z, .. } => z.clone(),
                GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => Vec::new(),
            },
        }
    }

    pub(super) fn restore<const L: usize>(&self, group: &mut Group<'_, R, L>) {
        group.u.copy_from_slice(&self.u);
        for (to, from) in group.states.iter_mut().zip(&self.states) {
            to.copy_from_slice(from);
        }
        group.g.copy_from_slice(&self.g);
        group.j.copy_from_slice(&self.j);
        group.current.copy_from_slice(&self.current);
        if let GroupCable::Modal { z, .. } = &mut group.cable {
            z.copy_from_slice(&self.z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All numbers of steps of a segment are tried.
    #[test]
    fn segments_are_as_long_as_memory_allows_and_need_the_least_where_it_does_not() {
        let needed = Needed {
            row: 700,
            window: 2000,
            checkpoint: 2900,
        };
        for steps in [1_usize, 2, 17, 100, 999] {
            let of = |segment: usize| needed.bytes(steps.div_ceil(segment), segment);
            let least = (1..=steps).map(of).min().unwrap();
            for bytes in [0, least - 1, least, 2 * least, of(steps) - 1, of(steps)] {
                let segment = needed.segment(steps, bytes);
                if bytes < least {
                    assert_eq!(of(segment), least, "{steps} steps, {bytes} bytes");
                    continue;
                }
                assert!(of(segment) <= bytes, "{steps} steps, {bytes} bytes");
                // As few segments as fit: more steps in each mean fewer.
                let longest = (1..=steps).filter(|&segment| of(segment) <= bytes).max();
                let fewest = steps.div_ceil(longest.unwrap());
                assert_eq!(
                    steps.div_ceil(segment),
                    fewest,
                    "{steps} steps, {bytes} bytes"
                );
            }
        }
        assert_eq!(needed.segment(0, 0), 0);
    }
}
