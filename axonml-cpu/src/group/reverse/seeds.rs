//! Seed cotangents in the lanes of a group.

use axonml_autodiff::adjoint::{RecordedSeeds, Seeds};
use axonml_autodiff::ir::Real;

/// Adds a lane's cotangents of the state after the last step; `z` are the modes, `[internode, mode][lane]`.
pub(super) fn add_last<R: Real>(
    seeds: &Seeds,
    lane: usize,
    lanes: usize,
    u: &mut [R],
    states: &mut [Vec<R>],
    z: &mut [R],
) {
    let Some(last) = seeds.last() else { return };
    let add = |values: &[f64], to: &mut [R]| {
        for (index, &value) in values.iter().enumerate() {
            to[index * lanes + lane] += R::from_f64(value);
        }
    };
    add(&last.v_mv, u);
    for (values, to) in last.states.iter().zip(states) {
        add(values, to);
    }
    add(&last.modes, z);
}

/// The cotangents of recorded numbers of a group's lanes side by side, in the order in which the adjoint pass visits
/// them.
#[derive(Debug)]
pub(super) struct GroupSeeds<R> {
    recorders: Vec<GroupRecorder<R>>,
}

/// Seed cotangents of one recorder in every lane.
#[derive(Debug)]
struct GroupRecorder<R> {
    first: usize,
    every: usize,
    /// Index in arrays `[node][lane]` of every recorded number of a row, `[recorded node][lane]`.
    at: Vec<usize>,
    /// Cotangents by row, `[recorded node][lane]` each; zero where a lane has fewer.
    v_mv: Vec<R>,
    states: Vec<(usize, Vec<R>)>,
}

impl<R: Real> GroupSeeds<R> {
    /// Joins the recorded cotangents of the lanes of a group, and takes them from `seeds`; lanes without any have
    /// zeros.
    pub(super) fn new(seeds: &mut [Option<Seeds>], lanes: usize) -> Self {
        let mut rest: Vec<(usize, RecordedSeeds)> = Vec::new();
        for (lane, seeds) in seeds.iter_mut().enumerate() {
            let recorded = seeds.as_mut().map(Seeds::take_recorded);
            rest.extend(recorded.into_iter().flatten().map(|r| (lane, r)));
        }
        // Those that show the same states go together, of every lane one.
        let mut recorders = Vec::new();
        while let Some((_, leader)) = rest.first() {
            let rows = (leader.observer, leader.first, leader.every);
            let alike = |r: &RecordedSeeds| (r.observer, r.first, r.every) == rows;
            let (group, others) = rest.into_iter().partition(|(_, r)| alike(r));
            recorders.push(GroupRecorder::new(group, lanes));
            rest = others;
        }
        GroupSeeds { recorders }
    }

    /// The last state of which a number has a cotangent other than 0.
    pub(super) fn last(&self) -> Option<usize> {
        self.recorders.iter().filter_map(GroupRecorder::last).max()
    }

    /// Adds the cotangents of state `state` to arrays `[node][lane]`.
    pub(super) fn add(&self, state: usize, u: &mut [R], states: &mut [Vec<R>]) {
        for recorder in &self.recorders {
            let row = match state.checked_sub(recorder.first) {
                Some(since) if since % recorder.every == 0 => since / recorder.every,
                _ => continue,
            };
            let width = recorder.at.len();
            let scatter = |values: &[R], to: &mut [R]| {
                let Some(values) = values.get(row * width..(row + 1) * width) else {
                    return;
                };
                for (&at, &value) in recorder.at.iter().zip(values) {
                    to[at] += value;
                }
            };
            scatter(&recorder.v_mv, u);
            for (index, values) in &recorder.states {
                scatter(values, &mut states[*index]);
            }
        }
    }
}

impl<R: Real> GroupRecorder<R> {
    fn last(&self) -> Option<usize> {
        let arrays =
            std::iter::once(&self.v_mv).chain(self.states.iter().map(|(_, values)| values));
        let last_of = |values: &Vec<R>| values.iter().rposition(|value| *value != R::default());
        let last = arrays.filter_map(last_of).max()?;
        Some(self.first + last / self.at.len() * self.every)
    }

    /// Cotangents of lanes whose recorders show the same states.
    fn new(of_lanes: Vec<(usize, RecordedSeeds)>, lanes: usize) -> Self {
        let (first, every) = of_lanes.first().map_or((0, 1), |(_, r)| (r.first, r.every));
        let widest = of_lanes.iter().map(|(_, r)| r.nodes.len()).max();
        let width = widest.unwrap_or(0) * lanes;
        // Lanes without a number add zero to their first node.
        let mut at: Vec<usize> = (0..width).map(|index| index % lanes).collect();
        let mut states: Vec<(usize, Vec<R>)> = Vec::new();
        let mut v_mv = Vec::new();
        for (lane, recorded) in of_lanes {
            for (k, &node) in recorded.nodes.iter().enumerate() {
                at[k * lanes + lane] = node * lanes + lane;
            }
            put_lane(
                &mut v_mv,
                &recorded.v_mv,
                recorded.nodes.len(),
                width,
                lanes,
                lane,
            );
            for (state, values) in &recorded.states {
                let index = match states.iter().position(|(known, _)| known == state) {
                    Some(index) => index,
                    None => {
                        states.push((*state, Vec::new()));
                        states.len() - 1
                    }
                };
                let to = &mut states[index].1;
                put_lane(to, values, recorded.nodes.len(), width, lanes, lane);
            }
        }
        GroupRecorder {
            first,
            every,
            at,
            v_mv,
            states,
        }
    }
}

/// Adds the rows of one lane, `nodes` numbers each, to rows of `width` numbers.
fn put_lane<R: Real>(
    to: &mut Vec<R>,
    values: &[f64],
    nodes: usize,
    width: usize,
    lanes: usize,
    lane: usize,
) {
    if values.is_empty() {
        return;
    }
    let rows = values.len() / nodes;
    if to.len() < rows * width {
        to.resize(rows * width, R::default());
    }
    for (to, values) in to.chunks_exact_mut(width).zip(values.chunks_exact(nodes)) {
        for (k, &value) in values.iter().enumerate() {
            to[k * lanes + lane] += R::from_f64(value);
        }
    }
}
