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
    /// A trajectory for segments of up to `steps` steps of `group`; fewer if that needs more than `bytes` of memory.
    pub(super) fn new<const L: usize>(
        group: &Group<'_, R, L>,
        keep: Keep,
        steps: usize,
        bytes: usize,
    ) -> Self {
        let len = group.nodes * L;
        let modes = match &group.cable {
            GroupCable::Modal { z, .. } if keep.modes => z.len(),
            _ => 0,
        };
        let mut sizes = vec![len; 1 + group.states.len()];
        sizes.push(if keep.conductances { len } else { 0 });
        sizes.push(if keep.sources { len } else { 0 });
        let mut offsets = vec![0];
        for size in sizes {
            offsets.push(offsets[offsets.len() - 1] + size);
        }
        let row = offsets[offsets.len() - 1];
        let per_row = (row + modes / WINDOW) * size_of::<R>();
        let rows = (steps + 1).min((bytes / per_row).max(2));
        Trajectory {
            // Not filled with zeros: rows are appended when they are saved first.
            rows: Vec::with_capacity(rows * row),
            offsets,
            keep,
            segment: rows - 1,
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
