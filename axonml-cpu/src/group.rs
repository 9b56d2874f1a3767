//! A group of fibres simulated together, one fibre per lane of the arrays.

use std::sync::Arc;

use axonml_autodiff::cable::{ExplicitCable, MODES, ReducedCable};
use axonml_autodiff::{
    BackendError, Binding, BoundProgram, Cable, FiberOutcome, FiberState, FiberStatus, Real,
    Rollout, Start,
};

use crate::cable::{
    AddScaled, AdvanceModes, DecayModes, ExplicitRows, FindBad, FindUnstable, ModeRows, NodeRows,
    Solve, StepExplicit,
};
use crate::drive::GroupDrive;
use crate::interpreter::Interpreter;
use crate::isa::{Isa, dispatch};
use crate::tape::{Tape, Target};
use crate::watch::{FiberView, Watch};

/// S/cm2 times cm2 is S; the cables count in uS.
const US_PER_S: f64 = 1e6;

/// The linear part of the fibres of a group.
enum GroupCable<R> {
    Explicit {
        rows: ExplicitRows<R>,
        limit: Vec<R>,
        cables: Vec<ExplicitCable>,
    },
    Implicit {
        rows: NodeRows<R>,
    },
    /// Nodes joined by internodal modes, whose state is `z`, `[internode][mode][lane]`.
    Modal {
        rows: NodeRows<R>,
        modes: ModeRows<R>,
        z: Vec<R>,
    },
}

/// Fibres in lanes, with everything a run of them needs.
pub(crate) struct Group<'r, R, const L: usize> {
    rollout: &'r Rollout,
    isa: Isa,
    /// Rollout index of each lane's fibre; lanes past `used` repeat the first.
    members: [usize; L],
    used: usize,
    /// Rows of the arrays: nodes of the longest fibre.
    nodes: usize,
    cable: GroupCable<R>,
    drive: GroupDrive<R>,
    step: Interpreter<R>,
    /// Deviation of the membrane potential from the reference, mV; all arrays `[node][lane]`.
    u: Vec<R>,
    u_before: Vec<R>,
    states: Vec<Vec<R>>,
    states_before: Vec<Vec<R>>,
    g: Vec<R>,
    j: Vec<R>,
    /// Currents into the nodes besides the membrane's and the neighbours', nA.
    current: Vec<R>,
    coupling: Vec<R>,
    watches: Vec<Watch>,
    status: Vec<Option<FiberStatus>>,
}

/// One lane of a group, as observers see it.
struct LaneView<'a, R> {
    u: &'a [R],
    u_before: &'a [R],
    states: &'a [Vec<R>],
    lanes: usize,
    lane: usize,
    v_reference_mv: f64,
}

impl<R: Real> FiberView for LaneView<'_, R> {
    fn v_mv(&self, node: usize) -> f64 {
        self.u[node * self.lanes + self.lane].to_f64() + self.v_reference_mv
    }
    fn previous_v_mv(&self, node: usize) -> f64 {
        self.u_before[node * self.lanes + self.lane].to_f64() + self.v_reference_mv
    }
    fn state(&self, state: usize, node: usize) -> f64 {
        self.states[state][node * self.lanes + self.lane].to_f64()
    }
}

impl<'r, R: Real, const L: usize> Group<'r, R, L> {
    /// Packs the fibres `indices` (1 to `L` of them) of a checked rollout.
    pub(crate) fn new(
        rollout: &'r Rollout,
        indices: &[usize],
        isa: Isa,
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
            members,
            used: indices.len(),
            nodes,
            cable: pack_cable::<R, L>(&cables, nodes, rollout.grid.dt_ms()),
            drive: GroupDrive::new(rollout, &members, nodes),
            step: interpreter(rollout, &rollout.membrane.step, &members, len),
            u: zeros(),
            u_before: zeros(),
            states: vec![zeros(); states],
            states_before: vec![zeros(); states],
            g: zeros(),
            j: zeros(),
            current: zeros(),
            coupling: zeros(),
            watches: indices
                .iter()
                .map(|&fiber| Watch::new(rollout, fiber))
                .collect::<Result<_, _>>()?,
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
                    // Rows behind a shorter fibre's end repeat its last node: finite, and coupled to nothing.
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

    /// Takes all steps and returns the outcomes of the group's fibres in order.
    pub(crate) fn run(mut self) -> Vec<FiberOutcome> {
        let steps = self.rollout.steps.clone();
        self.each_watch(|watch, view| watch.start(view));
        if steps.is_empty() {
            return self.finish();
        }
        if !matches!(self.cable, GroupCable::Explicit { .. }) {
            self.start_currents();
        }
        self.start_modes(steps.start);
        for step in steps.clone() {
            self.add_node_drive(step);
            match self.cable {
                GroupCable::Explicit { .. } => {
                    self.step_membrane();
                    self.find_unstable(step + 1);
                    self.solve();
                }
                _ => {
                    self.solve();
                    self.advance_modes(step, steps.end);
                    self.step_membrane();
                }
            }
            self.find_bad(step + 1);
            self.each_watch(|watch, view| watch.see(step + 1, view));
            for lane in 0..self.used {
                if self.status[lane].is_none() && self.watches[lane].answered() {
                    self.status[lane] = Some(FiberStatus::Answered(step + 1));
                }
            }
            if self.status.iter().all(Option::is_some) {
                break;
            }
        }
        self.finish()
    }

    fn each_watch(&mut self, act: impl Fn(&mut Watch, &LaneView<'_, R>)) {
        for lane in 0..self.used {
            if self.status[lane].is_none() {
                let view = LaneView {
                    u: &self.u,
                    u_before: &self.u_before,
                    states: &self.states,
                    lanes: L,
                    lane,
                    v_reference_mv: self.rollout.v_reference_mv,
                };
                act(&mut self.watches[lane], &view);
            }
        }
    }

    /// `G` and `J` of the state the run starts from.
    fn start_currents(&mut self) {
        let mut currents = interpreter::<R>(
            self.rollout,
            &self.rollout.membrane.currents,
            &self.members,
            self.u.len(),
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
        let mut outputs: Vec<&mut [R]> = self.states.iter_mut().map(|s| &mut s[..]).collect();
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

    /// Adds the sources' currents into the nodes during `step`.
    fn add_node_drive(&mut self, step: usize) {
        let (isa, current) = (self.isa, &mut self.current);
        self.drive.active::<L>(step, |factor, fields| {
            dispatch(
                isa,
                AddScaled::<R, L> {
                    factor,
                    x: &fields.nodes,
                    to: current,
                },
            );
        });
    }

    /// Adds the sources' increments of the modes during `step`.
    fn add_mode_drive(&mut self, step: usize) {
        if let GroupCable::Modal { z, .. } = &mut self.cable {
            let isa = self.isa;
            self.drive.active::<L>(step, |factor, fields| {
                if !fields.modes.is_empty() {
                    dispatch(
                        isa,
                        AddScaled::<R, L> {
                            factor,
                            x: &fields.modes,
                            to: z,
                        },
                    );
                }
            });
        }
    }

    fn start_modes(&mut self, first_step: usize) {
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
        self.add_mode_drive(first_step);
    }

    fn advance_modes(&mut self, step: usize, end: usize) {
        // The last step leaves the modes as they are, for whoever continues the run.
        let decay = step + 1 < end;
        if let GroupCable::Modal { modes, .. } = &self.cable {
            match modes.modes {
                ReducedCable::MODES => self.advance_each_mode::<{ ReducedCable::MODES }>(decay),
                MODES => self.advance_each_mode::<MODES>(decay),
                modes => unreachable!("no cable has {modes} modes per internode"),
            }
        }
        if decay {
            self.add_mode_drive(step + 1);
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

    /// Marks lanes with a node whose explicit step is unstable.
    fn find_unstable(&mut self, state: usize) {
        let GroupCable::Explicit {
            rows,
            limit,
            cables,
        } = &self.cable
        else {
            return;
        };
        let mut found = false;
        dispatch(
            self.isa,
            FindUnstable::<R, L> {
                area: &rows.area,
                g: &self.g,
                limit,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let dt_ms = self.rollout.grid.dt_ms();
        let mut unstable = Vec::new();
        for lane in self.open_lanes() {
            // The very comparison of the scan, so that a lane's verdict does not depend on who made it necessary.
            let exceeds = |node: &usize| rows.area[lane] * self.g[node * L + lane] > limit[lane];
            if let Some(node) = (0..cables[lane].nodes).find(exceeds) {
                let g_us = (rows.area[lane] * self.g[node * L + lane]).to_f64();
                unstable.push((lane, node, Some(cables[lane].stability(dt_ms, g_us))));
            }
        }
        self.mark_diverged(state, &unstable);
    }

    /// Marks lanes in which a number is no longer finite.
    fn find_bad(&mut self, state: usize) {
        let mut arrays: Vec<&[R]> = vec![&self.u, &self.g, &self.j];
        arrays.extend(self.states.iter().map(|state| &state[..]));
        let mut found = false;
        dispatch(
            self.isa,
            FindBad {
                arrays: &arrays,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let mut bad = Vec::new();
        for lane in self.open_lanes() {
            let is_bad = |node: &usize| arrays.iter().any(|x| !x[node * L + lane].is_finite());
            bad.extend(
                (0..self.nodes_of(lane))
                    .find(is_bad)
                    .map(|node| (lane, node, None)),
            );
        }
        self.mark_diverged(state, &bad);
    }

    /// Ends lanes as diverged at (lane, node, stability number) and sets their numbers to rest, so that what went wrong
    /// in them neither slows the group nor is found again.
    fn mark_diverged(&mut self, state: usize, lanes: &[(usize, usize, Option<f64>)]) {
        for &(lane, node, stability) in lanes {
            let v_mv = self.u[node * L + lane].to_f64() + self.rollout.v_reference_mv;
            self.status[lane] = Some(FiberStatus::Diverged {
                state,
                node,
                v_mv,
                stability,
            });
            let modes = match &mut self.cable {
                GroupCable::Modal { z, .. } => Some(z),
                GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => None,
            };
            let arrays = [
                &mut self.u,
                &mut self.u_before,
                &mut self.g,
                &mut self.j,
                &mut self.current,
            ];
            for array in arrays.into_iter().chain(&mut self.states).chain(modes) {
                array
                    .iter_mut()
                    .skip(lane)
                    .step_by(L)
                    .for_each(|x| *x = R::default());
            }
        }
    }

    /// Lanes without an answer yet.
    fn open_lanes(&self) -> Vec<usize> {
        (0..self.used)
            .filter(|&lane| self.status[lane].is_none())
            .collect()
    }

    fn nodes_of(&self, lane: usize) -> usize {
        self.rollout.fibers[self.members[lane]].cable.nodes()
    }

    fn finish(mut self) -> Vec<FiberOutcome> {
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
                    observations: watch.finish(),
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

/// The interpreter of one of the membrane programs for the fibres `members`.
fn interpreter<R: Real>(
    rollout: &Rollout,
    bound: &BoundProgram,
    members: &[usize],
    len: usize,
) -> Interpreter<R> {
    let constants: Vec<Vec<Option<f64>>> = members
        .iter()
        .map(|&fiber| rollout.constants(&bound.bindings, fiber))
        .collect();
    let node_inputs: Vec<Option<usize>> = bound
        .bindings
        .iter()
        .map(|binding| match *binding {
            Binding::U => Some(0),
            Binding::State(state) => Some(1 + state),
            Binding::Shared(_) | Binding::Fiber(_) | Binding::Dt | Binding::Reference => None,
        })
        .collect();
    let fused = bound.fused();
    let coefficients = fused.coefficients(&constants);
    let tape = Tape::new(
        fused,
        &coefficients,
        &node_inputs,
        &Target::arrays(fused.outputs.len()),
        members.len(),
    );
    Interpreter::new(tape, len)
}

/// Packs cables of one kind into lanes.
fn pack_cable<R: Real, const L: usize>(
    cables: &[&Arc<Cable>],
    nodes: usize,
    dt_ms: f64,
) -> GroupCable<R> {
    let len = nodes * L;
    let mut rows = NodeRows {
        // A row of its own for nodes that a shorter fibre lacks: c u' = 0.
        capacitance: vec![R::from_f64(1.0); len],
        diagonal: vec![R::from_f64(1.0); len],
        area: vec![R::default(); len],
        off: vec![R::default(); len],
    };
    match &**cables[0] {
        Cable::Explicit(_) => pack_explicit::<R>(cables, dt_ms),
        Cable::Implicit(_) => {
            for (lane, cable) in cables.iter().enumerate() {
                let Cable::Implicit(cable) = &***cable else {
                    unreachable!("a checked rollout has one kind of cable")
                };
                let n = cable.area_cm2.len();
                for k in 0..n {
                    let left = if k > 0 { cable.link_us[k - 1] } else { 0.0 };
                    let right = if k + 1 < n { cable.link_us[k] } else { 0.0 };
                    let capacitance = cable.capacitance_nf[k] / dt_ms;
                    let area = cable.area_cm2[k] * US_PER_S;
                    set_row::<R, L>(
                        &mut rows,
                        k,
                        lane,
                        [capacitance, left + right, area, -right],
                    );
                }
            }
            GroupCable::Implicit { rows }
        }
        Cable::Double(_) | Cable::Reduced(_) => {
            let count = cables[0].modes_per_internode();
            let mut modes = ModeRows {
                modes: count,
                a: vec![R::default(); count * L],
                kappa: vec![R::default(); count * L],
                present: vec![R::default(); (nodes - 1) * L],
            };
            for (lane, cable) in cables.iter().enumerate() {
                let Some(step) = cable.modal_step(dt_ms) else {
                    unreachable!("a checked rollout has one kind of cable")
                };
                for mode in 0..count {
                    modes.a[mode * L + lane] = R::from_f64(step.a[mode]);
                    modes.kappa[mode * L + lane] = R::from_f64(step.kappa[mode]);
                }
                let nodes = cable.nodes();
                for k in 0..nodes {
                    let (passive, off) = step.node_row(k, nodes);
                    let capacitance = step.capacitance_nf / dt_ms;
                    let area = cable.area_cm2(k) * US_PER_S;
                    set_row::<R, L>(&mut rows, k, lane, [capacitance, passive, area, off]);
                    if k + 1 < nodes {
                        modes.present[k * L + lane] = R::from_f64(1.0);
                    }
                }
            }
            GroupCable::Modal {
                rows,
                modes,
                z: vec![R::default(); (nodes - 1) * count * L],
            }
        }
    }
}

fn set_row<R: Real, const L: usize>(rows: &mut NodeRows<R>, k: usize, lane: usize, row: [f64; 4]) {
    let [capacitance, passive, area, off] = row;
    let at = k * L + lane;
    rows.capacitance[at] = R::from_f64(capacitance);
    rows.diagonal[at] = R::from_f64(capacitance + passive);
    rows.area[at] = R::from_f64(area);
    rows.off[at] = R::from_f64(off);
}

fn pack_explicit<R: Real>(cables: &[&Arc<Cable>], dt_ms: f64) -> GroupCable<R> {
    let cables: Vec<ExplicitCable> = cables
        .iter()
        .map(|cable| match &***cable {
            Cable::Explicit(cable) => cable.clone(),
            _ => unreachable!("a checked rollout has one kind of cable"),
        })
        .collect();
    let per_lane = |f: &dyn Fn(&ExplicitCable) -> f64| {
        cables.iter().map(|cable| R::from_f64(f(cable))).collect()
    };
    let rows = ExplicitRows {
        dt_over_c: per_lane(&|cable| dt_ms / cable.capacitance_nf),
        neighbor: per_lane(&|cable| cable.axial_us * cable.v_weights.0),
        center: per_lane(&|cable| cable.axial_us * cable.v_weights.1),
        area: per_lane(&|cable| cable.area_cm2 * US_PER_S),
    };
    let limit = per_lane(&|cable| {
        ExplicitCable::STABILITY_LIMIT * cable.capacitance_nf / dt_ms - cable.stencil_us()
    });
    GroupCable::Explicit {
        rows,
        limit,
        cables,
    }
}
