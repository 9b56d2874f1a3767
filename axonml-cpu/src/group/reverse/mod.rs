//! Reverse-mode (adjoint) pass over a group's time loop: cotangents of every input of the run.
//!
//! The forward pass stores the states of a segment of steps (see [`trajectory`]); the adjoint pass applies the
//! transpose of each step's parts in reverse order. Of a step of an implicit cable, `A(g0) u1 = c u0 + a j0 + i`, then
//! modes, then states, conductance and source from `u1`: first the adjoint of the membrane program, then the VJP of the
//! modes with respect to `u1`, then the same symmetric system for `y = A^-1 u1'`, from which the cotangents of
//! everything on the right-hand side follow. An explicit step has its cable first.

mod cables;
mod membrane;
mod seeds;
mod trajectory;

use std::ops::Range;

use axonml_autodiff::adjoint::{
    AdjointSums, Differentiated, Evaluation, FiberGradient, GradientRequest, Objective, Seeds,
};
use axonml_autodiff::cable::{MODES, ReducedCable};
use axonml_autodiff::engine::{BackendError, FiberOutcome, FiberState, FiberStatus};
use axonml_autodiff::ir::Real;

use super::Group;
use super::pack::GroupCable;
use crate::cable::NonFiniteScan;
use crate::cable::reverse::{
    AddRowSums, ExplicitSums, ExplicitVjp, ImplicitVjp, ModeSums, ModesToVoltages, ModesVjp,
    ReplayModes, SolveTransposed,
};
use crate::drive::DriveSums;
use crate::isa::dispatch;
use cables::CableAccumulator;
use membrane::{AdjointInputs, MembraneVjp};
use seeds::{GroupSeeds, add_last};
use trajectory::{Checkpoint, Keep, Trajectory};

/// Steps after which accumulators of the group's precision are flushed into double precision.
const FLUSH: usize = 16;

/// Cotangents of the state that the adjoint pass has reached, with its scratch; arrays `[node][lane]`.
struct AdjointState<R, const L: usize> {
    u: Vec<R>,
    states: Vec<Vec<R>>,
    /// Cotangents of conductance and source, or of the ionic current density and nothing.
    g: Vec<R>,
    j: Vec<R>,
    /// Cotangents of the modes, `[internode][mode][lane]`, and their VJP with respect to the voltages, `[node][lane]`.
    z: Vec<R>,
    from_modes: Vec<R>,
    /// Cotangents of the currents into the nodes.
    y: Vec<R>,
    carried: Vec<R>,
    states_before: Vec<Vec<R>>,
    coupling: Vec<R>,
    step: MembraneVjp<R, L>,
    /// Adjoint of `G` and `J` of the first state.
    currents: Option<MembraneVjp<R, L>>,
    drive: DriveSums<R>,
    cables: Option<CableAccumulator<R, L>>,
    /// State and node at which a lane's cotangents became NaN or infinite.
    bad: Vec<Option<(usize, usize)>>,
}

impl<'r, R: Real, const L: usize> Group<'r, R, L> {
    /// Runs the forward pass, evaluates the objective, and runs the adjoint pass; stores states in about
    /// `trajectory_bytes`.
    ///
    /// # Errors
    /// If the loss cotangents do not match the shape of the recording.
    pub(crate) fn differentiate(
        mut self,
        objective: &dyn Objective,
        request: GradientRequest,
        trajectory_bytes: usize,
    ) -> Result<Vec<Differentiated>, BackendError> {
        let steps = self.rollout.steps.clone();
        let explicit = matches!(self.cable, GroupCable::Explicit { .. });
        let keep = Keep {
            conductances: !explicit || request.cables,
            sources: request.cables,
            modes: request.cables,
        };
        let mut trajectory = Trajectory::new(&self, keep, steps.len(), trajectory_bytes);
        let segments = trajectory.segments(&steps);
        let checkpoints = self.run_forward(&segments, &mut trajectory);
        self.rollout.check_canceled()?;

        let outcomes = self.outcomes();
        let mut losses = vec![0.0; outcomes.len()];
        let mut seeds: Vec<Option<Seeds>> = Vec::with_capacity(outcomes.len());
        for (lane, outcome) in outcomes.iter().enumerate() {
            if matches!(outcome.status, FiberStatus::Diverged { .. }) {
                seeds.push(None);
                continue;
            }
            let fiber = self.members[lane];
            let evaluation: Evaluation = objective.evaluate(fiber, outcome);
            losses[lane] = evaluation.loss;
            let observations = &outcome.observations;
            seeds.push(Some(Seeds::new(
                self.rollout,
                fiber,
                observations,
                evaluation,
            )?));
        }

        let mut adjoint = self.begin_adjoint(request);
        for (lane, seeds) in seeds.iter().enumerate() {
            if let Some(seeds) = seeds {
                add_last(
                    seeds,
                    lane,
                    L,
                    &mut adjoint.u,
                    &mut adjoint.states,
                    &mut adjoint.z,
                );
            }
        }
        self.modes_vjp(&mut adjoint);
        let recorded = GroupSeeds::new(&mut seeds, L);
        // Up to there all cotangents are 0, and so is what they would be multiplied with.
        let end = match seeds.iter().flatten().any(|seeds| seeds.last().is_some()) {
            true => steps.end,
            false => recorded
                .last()
                .map_or(steps.start, |last| last.clamp(steps.start, steps.end)),
        };
        recorded.add(end, &mut adjoint.u, &mut adjoint.states);
        self.mark_nonfinite_cotangents(&mut adjoint, end);
        for (index, segment) in segments.iter().enumerate().rev() {
            // The first state of all is needed in any case.
            if index > 0 && segment.start >= end {
                continue;
            }
            let stored = index + 1 == segments.len();
            let segment = segment.start..segment.end.min(end);
            if !stored {
                checkpoints[index].restore(&mut self);
                self.replay(segment.clone(), steps.end, &mut trajectory);
            }
            for step in segment.clone().rev() {
                self.rollout.check_canceled()?;
                let row = step - segment.start;
                if let Some(window) = trajectory.window_ending(row, segment.len()) {
                    self.replay_modes(segment.start, window, &mut trajectory);
                }
                self.step_adjoint(&mut adjoint, &trajectory, step, row);
                if step % FLUSH == 0 {
                    adjoint.flush();
                }
                recorded.add(step, &mut adjoint.u, &mut adjoint.states);
                self.mark_nonfinite_cotangents(&mut adjoint, step);
            }
        }
        if let (Some(currents), Some(_)) = (&mut adjoint.currents, segments.first()) {
            // Row 0 is the first state of the first segment, which the adjoint pass visits last.
            let given = AdjointInputs {
                u: trajectory.u(0),
                states: trajectory.states(0).collect(),
                new_states: Vec::new(),
                outputs: vec![&adjoint.g, &adjoint.j],
                carried: &adjoint.u,
            };
            currents.run(
                self.isa,
                &given,
                &mut adjoint.carried,
                &mut adjoint.states_before,
            );
            std::mem::swap(&mut adjoint.u, &mut adjoint.carried);
            for (to, from) in adjoint.states.iter_mut().zip(&adjoint.states_before) {
                to.iter_mut().zip(from).for_each(|(to, &x)| *to += x);
            }
        }
        adjoint.flush();
        self.mark_nonfinite_cotangents(&mut adjoint, steps.start);
        Ok(self.gradients(&adjoint, outcomes, &losses, &seeds, request))
    }

    /// Runs all steps; stores the states of the last segment, and a checkpoint at the begin of each other segment.
    fn run_forward(
        &mut self,
        segments: &[Range<usize>],
        trajectory: &mut Trajectory<R>,
    ) -> Vec<Checkpoint<R>> {
        self.mark_nonfinite(self.rollout.steps.start);
        self.start_watches();
        let mut checkpoints = Vec::new();
        let Some(last) = segments.last() else {
            return checkpoints;
        };
        self.begin();
        for segment in segments {
            let kept = segment == last;
            match kept {
                true => trajectory.save(0, self),
                false => checkpoints.push(Checkpoint::of(self)),
            }
            for step in segment.clone() {
                if self.rollout.cancel.is_canceled() {
                    return checkpoints;
                }
                self.advance(step, last.end);
                self.mark_nonfinite(step + 1);
                self.watch(step + 1);
                if kept {
                    trajectory.save(step + 1 - segment.start, self);
                }
            }
        }
        checkpoints
    }

    /// Replays the steps of a segment, storing its states.
    fn replay(&mut self, segment: Range<usize>, end: usize, trajectory: &mut Trajectory<R>) {
        trajectory.save(0, self);
        for step in segment.clone() {
            self.advance(step, end);
            trajectory.save(step + 1 - segment.start, self);
        }
    }

    /// Recomputes the modes of a window of rows, from its first and the voltages; row 0 is the state before step
    /// `start`. The group's own currents and modes are not needed in the adjoint pass and serve as scratch.
    fn replay_modes(&mut self, start: usize, window: Range<usize>, to: &mut Trajectory<R>) {
        match &self.cable {
            GroupCable::Modal { modes, .. } => match modes.modes {
                ReducedCable::MODES => {
                    self.replay_each_mode::<{ ReducedCable::MODES }>(start, window, to);
                }
                MODES => self.replay_each_mode::<MODES>(start, window, to),
                modes => unreachable!("no cable has {modes} modes per internode"),
            },
            GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => {}
        }
    }

    fn replay_each_mode<const MODES: usize>(
        &mut self,
        start: usize,
        window: Range<usize>,
        to: &mut Trajectory<R>,
    ) {
        to.begin_window(&window);
        for row in window.start + 1..window.end {
            let step = start + row - 1;
            let driven = self.drive.is_on(step);
            if let (GroupCable::Modal { z, .. }, true) = (&mut self.cable, driven) {
                z.copy_from_slice(to.modes_before(row));
                self.add_drive(step);
            }
            if let GroupCable::Modal { modes: rows, z, .. } = &self.cable {
                let (u, before, after) = to.replayed(row);
                dispatch(
                    self.isa,
                    ReplayModes::<R, L, MODES> {
                        rows,
                        u,
                        before: if driven { z } else { before },
                        after,
                    },
                );
            }
        }
    }

    fn begin_adjoint(&self, request: GradientRequest) -> AdjointState<R, L> {
        let len = self.nodes * L;
        let rollout = self.rollout;
        let zeros = || vec![R::default(); len];
        let (explicit, modes) = match &self.cable {
            GroupCable::Explicit { .. } => (true, 0),
            GroupCable::Implicit { .. } => (false, 0),
            GroupCable::Modal { modes, .. } => (false, modes.modes),
        };
        let membrane = &rollout.membrane;
        let reverse = |adjoint| {
            MembraneVjp::new(
                rollout,
                adjoint,
                &self.members,
                len,
                request.parameters,
                self.programs,
            )
        };
        AdjointState {
            u: zeros(),
            states: vec![zeros(); self.states.len()],
            g: zeros(),
            j: zeros(),
            z: vec![R::default(); (self.nodes - 1) * modes * L],
            y: zeros(),
            carried: zeros(),
            states_before: vec![zeros(); self.states.len()],
            coupling: zeros(),
            from_modes: zeros(),
            step: reverse(match explicit {
                true => membrane.explicit_adjoint(),
                false => membrane.implicit_adjoint(),
            }),
            currents: (!explicit).then(|| reverse(membrane.currents_adjoint())),
            drive: DriveSums::new(&self.drive, rollout, &self.members, request),
            cables: request.cables.then(|| match explicit {
                true => CableAccumulator::explicit(),
                false => CableAccumulator::rows(self.nodes, modes),
            }),
            bad: vec![None; self.used],
        }
    }

    /// Starts the pass: the VJP of the modes with respect to the voltages at the end of the run.
    fn modes_vjp(&self, adjoint: &mut AdjointState<R, L>) {
        if let GroupCable::Modal { modes: rows, .. } = &self.cable {
            let (z, u) = (&adjoint.z, &mut adjoint.from_modes);
            dispatch(self.isa, ModesToVoltages::<R, L> { rows, z, u });
        }
    }

    /// Applies the adjoint of step `step`, whose states lie in rows `row` and `row + 1` of the trajectory.
    fn step_adjoint(
        &self,
        adjoint: &mut AdjointState<R, L>,
        trajectory: &Trajectory<R>,
        step: usize,
        row: usize,
    ) {
        match &self.cable {
            GroupCable::Explicit { .. } => self.explicit_adjoint(adjoint, trajectory, step, row),
            // Without modes their number does not matter.
            GroupCable::Implicit { .. } => {
                self.implicit_adjoint::<{ ReducedCable::MODES }>(adjoint, trajectory, step, row);
            }
            GroupCable::Modal { modes, .. } => match modes.modes {
                ReducedCable::MODES => {
                    self.implicit_adjoint::<{ ReducedCable::MODES }>(
                        adjoint, trajectory, step, row,
                    );
                }
                MODES => self.implicit_adjoint::<MODES>(adjoint, trajectory, step, row),
                modes => unreachable!("no cable has {modes} modes per internode"),
            },
        }
    }

    fn explicit_adjoint(
        &self,
        adjoint: &mut AdjointState<R, L>,
        trajectory: &Trajectory<R>,
        step: usize,
        row: usize,
    ) {
        let GroupCable::Explicit { rows, cables, .. } = &self.cable else {
            unreachable!("the caller checks the kind of cable")
        };
        let last: Vec<usize> = cables.iter().map(|cable| cable.nodes - 1).collect();
        dispatch(
            self.isa,
            ExplicitVjp::<R, L> {
                rows,
                u: &adjoint.u,
                last: &last,
                current: &mut adjoint.y,
                carried: &mut adjoint.carried,
                ionic: &mut adjoint.g,
            },
        );
        if let Some(CableAccumulator::Explicit { sums, .. }) = &mut adjoint.cables {
            dispatch(
                self.isa,
                ExplicitSums::<R, L> {
                    u: &adjoint.u,
                    current: &adjoint.y,
                    after: trajectory.u(row + 1),
                    before: trajectory.u(row),
                    g: trajectory.g(row + 1),
                    j: trajectory.j(row + 1),
                    last: &last,
                    sums,
                },
            );
        }
        adjoint
            .drive
            .accumulate::<L>(&self.drive, self.isa, step, &adjoint.y, None);
        let outputs = adjoint.states.iter().map(|state| &state[..]);
        let given = AdjointInputs {
            u: trajectory.u(row),
            states: trajectory.states(row).collect(),
            new_states: trajectory.states(row + 1).collect(),
            outputs: outputs.chain([&adjoint.g[..]]).collect(),
            carried: &adjoint.carried,
        };
        adjoint
            .step
            .run(self.isa, &given, &mut adjoint.u, &mut adjoint.states_before);
        std::mem::swap(&mut adjoint.states, &mut adjoint.states_before);
    }

    fn implicit_adjoint<const MODES: usize>(
        &self,
        adjoint: &mut AdjointState<R, L>,
        trajectory: &Trajectory<R>,
        step: usize,
        row: usize,
    ) {
        let isa = self.isa;
        let (rows, modes) = match &self.cable {
            GroupCable::Implicit { rows } => (rows, None),
            GroupCable::Modal { rows, modes, .. } => (rows, Some(modes)),
            GroupCable::Explicit { .. } => unreachable!("the caller checks the kind of cable"),
        };
        let outputs = adjoint.states.iter().map(|state| &state[..]);
        let given = AdjointInputs {
            u: trajectory.u(row + 1),
            states: trajectory.states(row).collect(),
            new_states: trajectory.states(row + 1).collect(),
            outputs: outputs.chain([&adjoint.g[..], &adjoint.j[..]]).collect(),
            carried: &adjoint.u,
        };
        adjoint.step.run(
            isa,
            &given,
            &mut adjoint.carried,
            &mut adjoint.states_before,
        );
        std::mem::swap(&mut adjoint.states, &mut adjoint.states_before);
        dispatch(
            isa,
            SolveTransposed::<R, L> {
                rows,
                g: trajectory.g(row),
                right: [&adjoint.carried, &adjoint.from_modes],
                coupling: &mut adjoint.coupling,
                solution: &mut adjoint.y,
            },
        );
        let z = modes.is_some().then_some(&adjoint.z[..]);
        adjoint
            .drive
            .accumulate::<L>(&self.drive, isa, step, &adjoint.y, z);
        let mut of_modes = None;
        if let Some(CableAccumulator::Rows { sums, a, kappa, .. }) = &mut adjoint.cables {
            dispatch(
                isa,
                AddRowSums::<R, L> {
                    y: &adjoint.y,
                    after: trajectory.u(row + 1),
                    before: trajectory.u(row),
                    g: trajectory.g(row),
                    j: trajectory.j(row),
                    sums,
                },
            );
            of_modes = modes.is_some().then_some(ModeSums {
                decayed: trajectory.modes(row),
                after: trajectory.u(row + 1),
                a,
                kappa,
            });
        }
        if let Some(rows) = modes {
            dispatch(
                isa,
                ModesVjp::<R, L, MODES> {
                    rows,
                    y: &adjoint.y,
                    z: &mut adjoint.z,
                    to_nodes: &mut adjoint.from_modes,
                    sums: of_modes,
                },
            );
        }
        dispatch(
            isa,
            ImplicitVjp {
                rows,
                y: &adjoint.y,
                after: trajectory.u(row + 1),
                u: &mut adjoint.u,
                g: &mut adjoint.g,
                j: &mut adjoint.j,
            },
        );
    }

    /// Marks lanes whose cotangents are no longer finite, and continues with zeros in them.
    fn mark_nonfinite_cotangents(&self, adjoint: &mut AdjointState<R, L>, state: usize) {
        let mut arrays: Vec<&[R]> = vec![&adjoint.z];
        arrays.extend(adjoint.states.iter().map(|state| &state[..]));
        let mut found = false;
        dispatch(
            self.isa,
            NonFiniteScan {
                scaled: (&adjoint.u, R::from_f64(1.0)),
                arrays: &arrays,
                found: &mut found,
            },
        );
        if !found {
            return;
        }
        let per_node = std::iter::once(&adjoint.u).chain(&adjoint.states);
        let per_node: Vec<&Vec<R>> = per_node.collect();
        let modes = match &self.cable {
            GroupCable::Modal { modes, .. } => modes.modes,
            GroupCable::Explicit { .. } | GroupCable::Implicit { .. } => 0,
        };
        let mut lanes = Vec::new();
        for lane in 0..L {
            let is_bad = |node: &usize| {
                // Modes count to the node left of them.
                let of_modes = modes * node..modes * (node + 1);
                let mut of_modes = of_modes.filter_map(|mode| adjoint.z.get(mode * L + lane));
                per_node.iter().any(|x| !x[node * L + lane].is_finite())
                    || of_modes.any(|x| !x.is_finite())
            };
            lanes.extend((0..self.nodes).find(is_bad).map(|node| (lane, node)));
        }
        for (lane, node) in lanes {
            if let Some(bad @ None) = adjoint.bad.get_mut(lane) {
                *bad = Some((state, node));
            }
            let arrays = [
                &mut adjoint.u,
                &mut adjoint.g,
                &mut adjoint.j,
                &mut adjoint.z,
                &mut adjoint.from_modes,
            ];
            for array in arrays.into_iter().chain(&mut adjoint.states) {
                let of_lane = array.iter_mut().skip(lane).step_by(L);
                of_lane.for_each(|x| *x = R::default());
            }
        }
    }

    /// Returns the accumulators of the adjoint pass, per fiber.
    fn gradients(
        &self,
        adjoint: &AdjointState<R, L>,
        outcomes: Vec<FiberOutcome>,
        losses: &[f64],
        seeds: &[Option<Seeds>],
        request: GradientRequest,
    ) -> Vec<Differentiated> {
        let mut differentiated = Vec::with_capacity(outcomes.len());
        for (lane, outcome) in outcomes.into_iter().enumerate() {
            let gradient = match (&seeds[lane], adjoint.bad[lane]) {
                (None, _) => FiberGradient::Diverged,
                (Some(_), Some((state, node))) => FiberGradient::NonFinite {
                    state,
                    node: Some(node),
                },
                (Some(seeds), None) => {
                    let accumulated = self.adjoint_sums(adjoint, lane);
                    let (fiber, loss) = (self.members[lane], losses[lane]);
                    accumulated.gradient(self.rollout, fiber, loss, seeds, request)
                }
            };
            differentiated.push(Differentiated { outcome, gradient });
        }
        differentiated
    }

    /// Returns the accumulators of lane `lane`.
    fn adjoint_sums(&self, adjoint: &AdjointState<R, L>, lane: usize) -> AdjointSums {
        let fiber = self.members[lane];
        let cable = &self.rollout.fibers[fiber].cable;
        let column = |x: &[R], count: usize| -> Vec<f64> {
            (0..count).map(|k| x[k * L + lane].to_f64()).collect()
        };
        let states = adjoint.states.iter();
        let currents = adjoint.currents.as_ref();
        AdjointSums {
            start: FiberState {
                v_mv: column(&adjoint.u, cable.nodes()),
                states: states.map(|state| column(state, cable.nodes())).collect(),
                modes: column(&adjoint.z, cable.mode_count()),
            },
            step: adjoint.step.of_lane(lane),
            currents: currents.map_or(Vec::new(), |currents| currents.of_lane(lane)),
            cable: adjoint
                .cables
                .as_ref()
                .map(|sums| sums.of_lane(cable.nodes(), lane)),
            sources: adjoint.drive.finish(&self.drive, self.rollout, lane, fiber),
        }
    }
}

impl<R: Real, const L: usize> AdjointState<R, L> {
    fn flush(&mut self) {
        self.step.flush();
        if let Some(currents) = &mut self.currents {
            currents.flush();
        }
        if let Some(cables) = &mut self.cables {
            cables.flush();
        }
        self.drive.flush();
    }
}
