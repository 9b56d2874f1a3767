//! What the way back needs of the way forward: states of a segment of steps, and points to start again from.

use std::ops::Range;

use axonml_autodiff::Real;

use crate::group::Group;
use crate::group::pack::GroupCable;

/// What is kept of every state besides voltages and gates.
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
    /// Where each array begins in a row: voltage, state variables, conductance, source, modes, end.
    offsets: Vec<usize>,
    keep: Keep,
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
        sizes.push(modes);
        let mut offsets = vec![0];
        for size in sizes {
            offsets.push(offsets[offsets.len() - 1] + size);
        }
        let row = offsets[offsets.len() - 1];
        let affordable = (bytes / (row * size_of::<R>())).max(2);
        let rows = (steps + 1).min(affordable);
        Trajectory {
            rows: vec![R::default(); rows * row],
            offsets,
            keep,
        }
    }

    /// The segments of `steps`, in order; none if there are no steps.
    pub(super) fn segments(&self, steps: &Range<usize>) -> Vec<Range<usize>> {
        let segment = (self.rows.len() / self.row_len() - 1).max(1);
        steps
            .clone()
            .step_by(segment)
            .map(|start| start..(start + segment).min(steps.end))
            .collect()
    }

    fn row_len(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// Stores the group's present state as row `index`.
    pub(super) fn save<const L: usize>(&mut self, index: usize, group: &Group<'_, R, L>) {
        let row = index * self.row_len();
        let states = group.states.len();
        let Trajectory {
            rows,
            offsets,
            keep,
        } = self;
        let mut put = |array: usize, x: &[R]| {
            rows[row + offsets[array]..row + offsets[array + 1]].copy_from_slice(x);
        };
        put(0, &group.u);
        for (array, state) in group.states.iter().enumerate() {
            put(1 + array, state);
        }
        if keep.conductances {
            put(1 + states, &group.g);
        }
        if keep.sources {
            put(2 + states, &group.j);
        }
        if let (GroupCable::Modal { z, .. }, true) = (&group.cable, keep.modes) {
            put(3 + states, z);
        }
    }

    fn array(&self, index: usize, array: usize) -> &[R] {
        let row = index * self.row_len();
        &self.rows[row + self.offsets[array]..row + self.offsets[array + 1]]
    }

    fn state_count(&self) -> usize {
        self.offsets.len() - 5
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

    pub(super) fn modes(&self, index: usize) -> &[R] {
        self.array(index, 3 + self.state_count())
    }
}

/// The whole state of a group between two steps: a run that starts again from it gives the same bits.
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
