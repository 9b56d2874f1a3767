//! A group of fibers simulated together, one fiber per lane of the arrays.

mod amplification;
mod crossings;
mod pack;
mod peaks;
mod quiet;
mod reverse;
mod status;
mod tables;
mod watching;

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{MODES, ReducedCable};
use axonml_autodiff::engine::{
    BackendError, FiberOutcome, FiberState, FiberStatus, Rollout, Start,
};
use axonml_autodiff::ir::Real;

use crate::cable::{AdvanceModes, DecayModes, Solve, StepExplicit};
use crate::drive::GroupDrive;
use crate::isa::{Isa, dispatch};
use crate::program::Programs;
use crate::watch::Watch;
use crossings::CrossingWatch;
use pack::{GroupCable, bind, pack_cable};
use peaks::Peaks;
use status::Scan;
use tables::StepProgram;

/// Fibers in lanes, with everything a run of them needs.
pub(crate) struct Group<'r, R, const L: usize> {
    rollout: &'r Rollout,
    isa: Isa,
    programs: Programs,
    /// Rollout index of each lane's fiber; lanes past `used` repeat the first.
    members: [usize; L],
    used: usize,
    /// Rows of the arrays: nodes of the longest fiber.
    nodes: usize,
    cable: GroupCable<R>,
    drive: GroupDrive<R>,
    step: StepProgram<R, L>,
    /// Deviation of the membrane potential from the reference, mV; all arrays `[node][lane]`.
    u: Vec<R>,
    u_before: Vec<R>,
    states: Vec<Vec<R>>,
    states_before: Vec<Vec<R>>,
    g: Vec<R>,
    j: Vec<R>,
    /// Currents into the nodes besides the membrane's and the neighbors', nA.
    current: Vec<R>,
    coupling: Vec<R>,
    watches: Vec<Watch>,
    crossings: CrossingWatch<R, L>,
    peaks: Peaks<R>,
    status: Vec<Option<FiberStatus>>,
}

/// Steps between two searches for bad numbers in states and currents, which stay bad.
const SCAN_EVERY: usize = 8;

fn watches(rollout: &Rollout, fibers: &[usize]) -> Result<Vec<Watch>, BackendError> {
    let each = fibers.iter().map(|&fiber| Watch::new(rollout, fiber));
    each.collect()
}

impl<'r, R: Real, const L: usize> Group<'r, R, L> {
    /// Packs the fibers `indices` (1 to `L` of them) of a checked rollout.
    pub(crate) fn new(
        rollout: &'r Rollout,
        indices: &[usize],
        isa: Isa,
        programs: Programs,
    ) -> Result<Self, BackendError> {
        let mut members = [indices[0]; L];
        members[..indices.len()].copy_from_slice(indices);
        let cables: Vec<&Arc<Cable>> = members
            .iter()
            .map(|&fiber| &rollout.fibers[fiber].cable)
            .collect();
        let nodes = cables.iter().map(|cable| cable.nodes()).max().unwrap_or(0);
        let len = nodes * L;
        let states = rollout.membrane.states.len();
        let zeros = || vec![R::default(); len];
        let mut group = Group {
            rollout,
            isa,
            programs,
            members,
            used: indices.len(),
            nodes,
            cable: pack_cable::<R, L>(&cables, nodes, rollout.grid.dt_ms()),
            drive: GroupDrive::new(rollout, &members, indices.len(), nodes),
            step: StepProgram::new(rollout, &members, len, programs),
            u: zeros(),
            u_before: zeros(),
            states: vec![zeros(); states],
            states_before: vec![zeros(); states],
            g: zeros(),
            j: zeros(),
            current: zeros(),
            coupling: zeros(),
            watches: watches(rollout, indices)?,
            crossings: CrossingWatch::new(rollout),
            peaks: Peaks::new(rollout, len),
            status: vec![None; indices.len()],
        };
        group.set_start();
        Ok(group)
    }

    /// Fills voltages, states and modes from the rollout's start.
    fn set_start(&mut self) {
        let reference = self.rollout.v_reference_mv;
        match &self.rollout.start {
            Start::Uniform { v_mv, states } => {
                self.u.fill(R::from_f64(v_mv - reference));
                match states {
                    Some(values) => {
                        for (array, &value) in self.states.iter_mut().zip(values) {
                            array.fill(R::from_f64(value));
                        }
                    }
                    // The canonical evaluation, so that every instruction set starts from the same numbers.
                    None => {
                        for (lane, &fiber) in self.members.iter().enumerate() {
                            let rest = self.rollout.rest(fiber, *v_mv);
                            for (array, value) in self.states.iter_mut().zip(rest) {
                                array
                                    .iter_mut()
                                    .skip(lane)
                                    .step_by(L)
                                    .for_each(|x| *x = R::from_f64(value));
                            }
                        }
                    }
                }
            }
            Start::From(saved) => {
                for (lane, &fiber) in self.members.iter().enumerate() {
                    let state = &saved[fiber];
                    // Padding rows of a shorter fiber repeat its last node: finite, and coupled to nothing.
                    let node = |k: usize| k.min(state.v_mv.len() - 1);
                    for k in 0..self.nodes {
                        self.u[k * L + lane] = R::from_f64(state.v_mv[node(k)] - reference);
                        for (array, values) in self.states.iter_mut().zip(&state.states) {
                            array[k * L + lane] = R::from_f64(values[node(k)]);
                        }
                    }
                    if let GroupCable::Modal { z, .. } = &mut self.cable {
                        for (index, &zeta) in state.modes.iter().enumerate() {
                            z[index * L + lane] = R::from_f64(zeta);
                        }
                    }
                }
            }
        }
        self.u_before.copy_from_slice(&self.u);
    }

    /// Takes all steps and returns the outcomes of the group's fibers in order.
    pub(crate) fn run(mut self) -> Result<Vec<FiberOutcome>, BackendError> {
        let every = if self.step.keeps_nonfinite() {
            SCAN_EVERY
        } else {
            1
        };
        if !self.take_steps(every) {
            // Again, to name the first bad state.
            self.begin_again()?;
            self.take_steps(1);
        }
        Ok(self.outcomes())
    }

    /// Takes all steps, looking for bad numbers in states and currents every `every` of them; false if some were found
    /// and `every` is not 1, so that they are older than the state in which they were found.
    fn take_steps(&mut self, every: usize) -> bool {
        let steps = self.rollout.steps.clone();
        self.mark_nonfinite(steps.start);
        self.start_watches();
        if steps.is_empty() {
            return true;
        }
        self.begin();
        let quiet = self.watch_quiet();
        for step in steps.clone() {
            if self.rollout.cancel.is_canceled() {
                break;
            }
            self.advance(step, steps.end);
            let state = step + 1;
            let scan = match state.is_multiple_of(every) || state == steps.end {
                true => Scan::All,
                false => Scan::Voltages,
            };
            match every {
                1 => self.mark_nonfinite(state),
                _ if self.finds_nonfinite(scan) => return false,
                _ => {}
            }
            let open = self.open_lanes();
            self.watch(state);
            if let Some(quiet) = &quiet {
                self.end_quiet(state, quiet);
            }
            let still_open = self.open_lanes();
            if every > 1 && still_open < open && scan == Scan::Voltages {
                // An answer counts only if all numbers behind it were sound.
                let status = std::mem::replace(&mut self.status, vec![None; self.used]);
                let found = self.finds_nonfinite(Scan::All);
                self.status = status;
                if found {
                    return false;
                }
            }
            if still_open == 0 {
                break;
            }
        }
        true
    }

    fn open_lanes(&self) -> usize {
        self.status.iter().filter(|status| status.is_none()).count()
    }

    /// Returns to the state before the first step.
    fn begin_again(&mut self) -> Result<(), BackendError> {
        for array in [
            &mut self.g,
            &mut self.j,
            &mut self.current,
            &mut self.coupling,
        ] {
            array.fill(R::default());
        }
        self.cable.begin_again();
        self.watches = watches(self.rollout, &self.members[..self.used])?;
        self.peaks = Peaks::new(self.rollout, self.u.len());
        self.status.fill(None);
        self.set_start();
        Ok(())
    }

    /// Prepares the first step.
    fn begin(&mut self) {
        if !matches!(self.cable, GroupCable::Explicit { .. }) {
            self.start_currents();
        }
        self.decay_modes();
    }

    /// Takes one step of a run that ends before step `end`.
    fn advance(&mut self, step: usize, end: usize) {
        self.add_drive(step);
        match self.cable {
            GroupCable::Explicit { .. } => {
                self.step_membrane();
                self.find_unstable(step + 1);
                self.solve();
            }
            _ => {
                self.solve();
                // The last step leaves the modes as they are, for a run that continues this one.
                self.advance_modes(step + 1 < end);
                self.step_membrane();
            }
        }
    }

    /// `G` and `J` of the state the run starts from.
    fn start_currents(&mut self) {
        let mut currents = bind::<R, L>(
            self.rollout,
            &self.rollout.membrane.currents,
            &self.members,
            self.u.len(),
            self.programs,
        );
        let inputs: Vec<&[R]> = std::iter::once(&self.u[..])
            .chain(self.states.iter().map(|s| &s[..]))
            .collect();
        currents.run(self.isa, &inputs, &mut [&mut self.g, &mut self.j]);
    }

    /// New states, `G` and `J` from the present voltage.
    fn step_membrane(&mut self) {
        std::mem::swap(&mut self.states, &mut self.states_before);
        let inputs: Vec<&[R]> = std::iter::once(&self.u[..])
            .chain(self.states_before.iter().map(|s| &s[..]))
            .collect();
        let mut outputs: Vec<&mut [R]> = Vec::with_capacity(self.states.len() + 2);
        outputs.extend(self.states.iter_mut().map(|s| &mut s[..]));
        outputs.push(&mut self.g);
        outputs.push(&mut self.j);
        self.step.run(self.isa, &inputs, &mut outputs);
    }

    /// New voltages; the old ones are kept in `u_before`. Clears the node currents.
    fn solve(&mut self) {
        std::mem::swap(&mut self.u, &mut self.u_before);
        let (g, j, current, u) = (&self.g, &self.j, &self.current, &self.u_before);
        match &self.cable {
            GroupCable::Explicit { rows, cables, .. } => {
                let last: Vec<usize> = cables.iter().map(|cable| cable.nodes - 1).collect();
                let (v, last, new) = (&u[..], &last[..], &mut self.u[..]);
                dispatch(
                    self.isa,
                    StepExplicit::<R, L> {
                        rows,
                        g,
                        j,
                        current,
                        v,
                        last,
                        new,
                    },
                );
            }
            GroupCable::Implicit { rows } | GroupCable::Modal { rows, .. } => {
                let (coupling, solution) = (&mut self.coupling[..], &mut self.u[..]);
                dispatch(
                    self.isa,
                    Solve::<R, L> {
                        rows,
                        g,
                        j,
                        current,
                        u,
                        coupling,
                        solution,
                    },
                );
            }
        }
        self.current.fill(R::default());
    }

    /// Adds the sources' currents into the nodes and their increments of the modes during `step`.
    fn add_drive(&mut self, step: usize) {
        let modes = match &mut self.cable {
            GroupCable::Modal { z, .. } => Some(&mut z[..]),
            GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => None,
        };
        let current = &mut self.current;
        self.drive.add::<L>(self.isa, step, current, modes);
    }

    fn decay_modes(&mut self) {
        if let GroupCable::Modal { modes: rows, z, .. } = &mut self.cable {
            dispatch(
                self.isa,
                DecayModes::<R, L> {
                    rows,
                    z,
                    current: &mut self.current,
                },
            );
        }
    }

    fn advance_modes(&mut self, decay: bool) {
        if let GroupCable::Modal { modes, .. } = &self.cable {
            match modes.modes {
                ReducedCable::MODES => self.advance_each_mode::<{ ReducedCable::MODES }>(decay),
                MODES => self.advance_each_mode::<MODES>(decay),
                modes => unreachable!("no cable has {modes} modes per internode"),
            }
        }
    }

    fn advance_each_mode<const MODES: usize>(&mut self, decay: bool) {
        if let GroupCable::Modal { modes: rows, z, .. } = &mut self.cable {
            dispatch(
                self.isa,
                AdvanceModes::<R, L, MODES> {
                    rows,
                    u: &self.u,
                    z,
                    current: &mut self.current,
                    decay,
                },
            );
        }
    }

    fn nodes_of(&self, lane: usize) -> usize {
        self.rollout.fibers[self.members[lane]].cable.nodes()
    }

    /// Returns the outcomes of the group's fibers, in order, and takes the observations.
    fn outcomes(&mut self) -> Vec<FiberOutcome> {
        let watches = std::mem::take(&mut self.watches);
        watches
            .into_iter()
            .enumerate()
            .map(|(lane, watch)| {
                let status = self.status[lane].unwrap_or(FiberStatus::Completed);
                let keep = self.rollout.final_states && status == FiberStatus::Completed;
                let state = keep.then(|| self.state(lane));
                FiberOutcome {
                    status,
                    observations: watch.finish(&self.view(lane)),
                    state,
                }
            })
            .collect()
    }

    fn state(&self, lane: usize) -> FiberState {
        let nodes = self.nodes_of(lane);
        let column = |x: &[R], count: usize| -> Vec<f64> {
            (0..count).map(|k| x[k * L + lane].to_f64()).collect()
        };
        let reference = self.rollout.v_reference_mv;
        FiberState {
            v_mv: column(&self.u, nodes)
                .into_iter()
                .map(|u| u + reference)
                .collect(),
            states: self
                .states
                .iter()
                .map(|state| column(state, nodes))
                .collect(),
            modes: match &self.cable {
                GroupCable::Modal { modes, z, .. } => column(z, (nodes - 1) * modes.modes),
                GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => Vec::new(),
            },
        }
    }
}
