//! Forward-mode (tangent) derivative of a run along a direction, against which reverse modes are checked.
//!
//! The run itself is the reference's. Beside it go the changes of its state, node by node, by the linearized equations of
//! every step: membrane programs by [`Program::tangent`], voltages and internodal modes in one system of equations in
//! which the modes are unknowns of their own. Nothing here is eliminated, split or fused as the fast backend does it.

mod system;

use axonml_autodiff::adjoint::SourceCotangent;
use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{CableCotangent, ExplicitCable, ImplicitCable, Projection};
use axonml_autodiff::engine::{
    BackendError, Binding, BoundProgram, FiberState, FiberStatus, Rollout, Source, Start,
};
use axonml_autodiff::ir::Program;

use super::{MICRO, Reference, Simulation};
use system::{Numbers, Row, step_implicitly};

/// How everything that one fiber's run depends on changes: of the shapes of [`axonml_autodiff::adjoint::Cotangents`], with which it
/// is paired term by term.
#[derive(Clone, Debug, PartialEq)]
pub struct TangentDirection {
    /// Tangent of the shared parameters.
    pub shared: Vec<f64>,
    /// Tangent of the fiber's own parameters.
    pub parameters: Vec<f64>,
    /// Tangent of the reference potential at fixed membrane potentials, mV.
    pub v_reference_mv: f64,
    /// Tangent of the cable coefficients.
    pub cable: CableCotangent,
    /// Tangents of the sources, in their order; empty or missing ones do not change. Changes of potentials act through
    /// the projection, beside those of the projection itself.
    pub sources: Vec<SourceCotangent>,
    /// Tangent of the state that the run starts from.
    pub start: FiberState,
    /// Tangent of the membrane potential of a uniform start, mV; its steady states follow.
    pub uniform_v_mv: f64,
}

impl TangentDirection {
    /// No change of fiber `fiber`.
    pub fn zero(rollout: &Rollout, fiber: usize) -> Self {
        let cable = &*rollout.fibers[fiber].cable;
        TangentDirection {
            shared: vec![0.0; rollout.shared.len()],
            parameters: vec![0.0; rollout.fibers[fiber].parameters.len()],
            v_reference_mv: 0.0,
            cable: CableCotangent::zero(cable),
            sources: vec![SourceCotangent::default(); rollout.drive.sources[fiber].len()],
            start: FiberState {
                v_mv: vec![0.0; cable.nodes()],
                states: vec![vec![0.0; cable.nodes()]; rollout.membrane.states.len()],
                modes: vec![0.0; cable.mode_count()],
            },
            uniform_v_mv: 0.0,
        }
    }
}

/// The run of one fiber and its derivative along a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct FiberTangent {
    /// How the run ended.
    pub status: FiberStatus,
    /// States of the run: the one it starts from, then one per step; up to the last sound one if the fiber diverged.
    pub states: Vec<FiberState>,
    /// The derivative of each.
    pub changes: Vec<FiberState>,
}

impl Reference {
    /// Runs all fibers, fiber `k` with its derivative along `directions[k]`; one entry per fiber, in order. Observers and
    /// early stops are ignored.
    ///
    /// # Errors
    /// As [`axonml_autodiff::engine::Backend::run`]; [`BackendError::Shape`] for directions that do not fit the fibers;
    /// [`BackendError::Unsupported`] for a cable's direction of another kind of cable.
    pub fn tangent(
        &self,
        rollout: &Rollout,
        directions: &[TangentDirection],
    ) -> Result<Vec<FiberTangent>, BackendError> {
        rollout.check()?;
        rollout.rates.must_be_exact("the reference")?;
        shape("directions", rollout.fibers.len(), directions.len())?;
        let membrane = &rollout.membrane;
        let [rest, currents, step] =
            [&membrane.rest, &membrane.currents, &membrane.step].map(Differential::new);
        let programs = Programs {
            rest,
            currents,
            step,
        };
        let fibers = directions.iter().enumerate().map(|(fiber, direction)| {
            check(rollout, fiber, direction)?;
            Ok(Tangent::new(rollout, fiber, direction, &programs).run())
        });
        fibers.collect()
    }
}

fn shape(what: &str, expected: usize, found: usize) -> Result<(), BackendError> {
    if expected == found {
        return Ok(());
    }
    Err(BackendError::Shape {
        what: what.to_owned(),
        expected,
        found,
    })
}

/// A direction has the shapes of the fiber it belongs to.
fn check(
    rollout: &Rollout,
    fiber: usize,
    direction: &TangentDirection,
) -> Result<(), BackendError> {
    let zero = TangentDirection::zero(rollout, fiber);
    let what = |of: &str| format!("the direction's {of} of fiber {fiber}");
    let same = |of: &str, expected: usize, found: usize| shape(&what(of), expected, found);
    same(
        "shared parameters",
        zero.shared.len(),
        direction.shared.len(),
    )?;
    same(
        "own parameters",
        zero.parameters.len(),
        direction.parameters.len(),
    )?;
    let (expected, found) = (&zero.start, &direction.start);
    same("start voltages", expected.v_mv.len(), found.v_mv.len())?;
    same("start states", expected.states.len(), found.states.len())?;
    for values in &found.states {
        same("start states", expected.v_mv.len(), values.len())?;
    }
    same("start modes", expected.modes.len(), found.modes.len())?;
    let fits = match (&zero.cable, &direction.cable) {
        (
            CableCotangent::Implicit {
                area_cm2, link_us, ..
            },
            CableCotangent::Implicit {
                area_cm2: areas,
                capacitance_nf,
                link_us: links,
            },
        ) => {
            area_cm2.len() == areas.len()
                && areas.len() == capacitance_nf.len()
                && link_us.len() == links.len()
        }
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    if !fits {
        return Err(BackendError::Unsupported(format!(
            "{} is of another kind or length of cable",
            what("cable")
        )));
    }
    same("sources", zero.sources.len(), direction.sources.len())?;
    let cable = &rollout.fibers[fiber].cable;
    let steps = rollout.grid.steps();
    let optional = |of: &str, expected: usize, found: usize| match found {
        0 => Ok(()),
        found => same(of, expected, found),
    };
    for (source, change) in rollout.drive.sources[fiber].iter().zip(&direction.sources) {
        let (of_waveform, of_potentials) = match source {
            Source::Separable { .. } => (steps, cable.samples()),
            Source::SpaceTime(_) => (0, steps * cable.samples()),
        };
        optional("waveforms", of_waveform, change.waveform.len())?;
        optional("potentials", of_potentials, change.potentials.len())?;
        if let Some(projection) = &change.projection {
            same("projections", cable.nodes(), projection.nodes_na.len())?;
            same("projections", cable.mode_count(), projection.modes.len())?;
        }
    }
    Ok(())
}

/// A membrane program with its derivative.
struct Differential<'r> {
    bound: &'r BoundProgram,
    tangent: Program,
}

struct Programs<'r> {
    rest: Differential<'r>,
    currents: Differential<'r>,
    step: Differential<'r>,
}

impl<'r> Differential<'r> {
    fn new(bound: &'r BoundProgram) -> Self {
        Differential {
            bound,
            tangent: bound.program.tangent(),
        }
    }
}

/// A number and its derivative.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Dual {
    value: f64,
    change: f64,
}

impl Dual {
    fn new(value: f64, change: f64) -> Self {
        Dual { value, change }
    }

    fn scaled(self, factor: f64) -> Self {
        Dual::new(factor * self.value, factor * self.change)
    }
}

impl std::ops::Add for Dual {
    type Output = Dual;
    fn add(self, other: Dual) -> Dual {
        Dual::new(self.value + other.value, self.change + other.change)
    }
}

impl std::ops::Mul for Dual {
    type Output = Dual;
    fn mul(self, other: Dual) -> Dual {
        Dual::new(
            self.value * other.value,
            self.change * other.value + self.value * other.change,
        )
    }
}

/// One fiber between two steps, and how its state changes.
struct Tangent<'a> {
    rollout: &'a Rollout,
    fiber: usize,
    cable: &'a Cable,
    direction: &'a TangentDirection,
    programs: &'a Programs<'a>,
    run: Simulation<'a>,
    /// Changes of the deviations from the reference, `[node]`, of the states, `[state][node]`, and of the modes.
    u_mv: Vec<f64>,
    states: Vec<Vec<f64>>,
    modes_na: Vec<f64>,
    /// Conductance (uS) and source (nA) of the membrane per node.
    membrane: Vec<(Dual, Dual)>,
    /// Projection of each separable source.
    units: Vec<Option<Vec<Dual>>>,
}

impl<'a> Tangent<'a> {
    fn new(
        rollout: &'a Rollout,
        fiber: usize,
        direction: &'a TangentDirection,
        programs: &'a Programs<'a>,
    ) -> Self {
        let cable = &*rollout.fibers[fiber].cable;
        let run = Simulation::new(rollout, fiber);
        let uniform = match &rollout.start {
            Start::Uniform { .. } => direction.uniform_v_mv,
            Start::From(_) => 0.0,
        };
        let v = direction.start.v_mv.iter();
        let mut tangent = Tangent {
            rollout,
            fiber,
            cable,
            direction,
            programs,
            run,
            u_mv: v.map(|v| v + uniform - direction.v_reference_mv).collect(),
            states: direction.start.states.clone(),
            modes_na: direction.start.modes.clone(),
            membrane: Vec::new(),
            units: Vec::new(),
        };
        if let Start::Uniform { states: None, v_mv } = &rollout.start {
            // The steady states are those of the common voltage, not of the differences added to it.
            let u = Dual::new(
                v_mv - rollout.v_reference_mv,
                uniform - direction.v_reference_mv,
            );
            let steady = tangent.evaluate(&programs.rest, u, |_| Dual::default());
            for (state, steady) in tangent.states.iter_mut().zip(steady) {
                state.iter_mut().for_each(|x| *x += steady.change);
            }
        }
        let nodes = 0..cable.nodes();
        let density = nodes.map(|node| {
            let states = |state: usize| tangent.state(state, node);
            tangent.evaluate(&programs.currents, tangent.u(node), states)
        });
        let density: Vec<Vec<Dual>> = density.collect();
        tangent.set_membrane(&density);
        tangent.units = tangent.unit_sources();
        tangent
    }

    fn run(mut self) -> FiberTangent {
        let mut found = FiberTangent {
            status: FiberStatus::Completed,
            states: vec![self.run.state()],
            changes: vec![self.change()],
        };
        for step in self.rollout.steps.clone() {
            if let Err(diverged) = self.advance(step) {
                found.status = diverged;
                break;
            }
            found.states.push(self.run.state());
            found.changes.push(self.change());
        }
        found
    }

    /// Voltage of a node in the present state.
    fn u(&self, node: usize) -> Dual {
        Dual::new(self.run.u_mv[node], self.u_mv[node])
    }

    fn state(&self, state: usize, node: usize) -> Dual {
        Dual::new(self.run.states[state][node], self.states[state][node])
    }

    fn change(&self) -> FiberState {
        let u = self.u_mv.iter();
        FiberState {
            v_mv: u.map(|u| u + self.direction.v_reference_mv).collect(),
            states: self.states.clone(),
            modes: self.modes_na.clone(),
        }
    }

    fn evaluate(
        &self,
        program: &Differential<'_>,
        u: Dual,
        state: impl Fn(usize) -> Dual,
    ) -> Vec<Dual> {
        let (rollout, direction) = (self.rollout, self.direction);
        let own = &rollout.fibers[self.fiber].parameters;
        let bindings = program.bound.bindings.iter();
        let inputs = bindings.map(|binding| match *binding {
            Binding::U => u,
            Binding::State(index) => state(index),
            Binding::Shared(index) => Dual::new(rollout.shared[index], direction.shared[index]),
            Binding::Fiber(index) => Dual::new(own[index], direction.parameters[index]),
            Binding::Dt => Dual::new(rollout.grid.dt_ms(), 0.0),
            Binding::Reference => Dual::new(rollout.v_reference_mv, direction.v_reference_mv),
        });
        let inputs: Vec<Dual> = inputs.collect();
        let mut numbers: Vec<f64> = inputs.iter().map(|x| x.value).collect();
        let values = program.bound.program.eval(&numbers);
        numbers.extend(inputs.iter().map(|x| x.change));
        let changes = program.tangent.eval(&numbers);
        let both = values.into_iter().zip(changes);
        both.map(|(value, change)| Dual::new(value, change))
            .collect()
    }

    /// Conductances and sources from their densities, which are the last two of each node's numbers.
    fn set_membrane(&mut self, density: &[Vec<Dual>]) {
        let each = density.iter().enumerate().map(|(node, density)| {
            let change = match &self.direction.cable {
                CableCotangent::Explicit { area_cm2, .. }
                | CableCotangent::Double { area_cm2, .. } => *area_cm2,
                CableCotangent::Implicit { area_cm2, .. } => area_cm2[node],
                CableCotangent::Reduced(cable) => cable.node_area_cm2,
            };
            let area = Dual::new(self.cable.area_cm2(node), change).scaled(MICRO);
            match density[..] {
                [.., g, j] => (area * g, area * j),
                _ => unreachable!("a checked program gives a conductance and a source"),
            }
        });
        self.membrane = each.collect();
    }

    fn advance(&mut self, step: usize) -> Result<(), FiberStatus> {
        let nodes = 0..self.cable.nodes();
        let drive = self.drive(step);
        let u_before: Vec<Dual> = nodes.clone().map(|node| self.u(node)).collect();
        let states = 0..self.states.len();
        let states_before: Vec<Vec<Dual>> = states
            .map(|state| nodes.clone().map(|node| self.state(state, node)).collect())
            .collect();
        let modes_before = self.run.state().modes;
        self.run.advance(step)?;
        if let Cable::Explicit(cable) = self.cable {
            self.step_membrane(&u_before, &states_before);
            self.step_explicitly(cable, &u_before, &drive);
        } else {
            let modes = modes_before.iter().zip(&self.modes_na);
            let before = modes.map(|(&value, &change)| Dual::new(value, change));
            let row = Row {
                u: &u_before,
                modes: &before.collect::<Vec<_>>(),
                membrane: &self.membrane,
                drive: &drive,
            };
            let numbers = Numbers::of(self.cable, &self.direction.cable);
            let after = (&self.run.u_mv[..], &self.run.state().modes[..]);
            (self.u_mv, self.modes_na) =
                step_implicitly(&numbers, self.rollout.grid.dt_ms(), &row, after);
            let u: Vec<Dual> = nodes.map(|node| self.u(node)).collect();
            self.step_membrane(&u, &states_before);
        }
        Ok(())
    }

    /// Changes of the new states, and of conductance and source with them.
    fn step_membrane(&mut self, u: &[Dual], states_before: &[Vec<Dual>]) {
        let outputs: Vec<Vec<Dual>> = u
            .iter()
            .enumerate()
            .map(|(node, &u)| {
                self.evaluate(&self.programs.step, u, |state| states_before[state][node])
            })
            .collect();
        for (state, changes) in self.states.iter_mut().enumerate() {
            for (to, outputs) in changes.iter_mut().zip(&outputs) {
                *to = outputs[state].change;
            }
        }
        self.set_membrane(&outputs);
    }

    fn step_explicitly(&mut self, cable: &ExplicitCable, u: &[Dual], drive: &[Dual]) {
        let CableCotangent::Explicit {
            capacitance_nf,
            axial_us,
            v_weights,
            ..
        } = &self.direction.cable
        else {
            unreachable!("checked directions are of their cable's kind")
        };
        let axial = Dual::new(cable.axial_us, *axial_us);
        let neighbor = Dual::new(cable.v_weights.0, v_weights.0);
        let center = Dual::new(cable.v_weights.1, v_weights.1);
        let dt_over_c = self.rollout.grid.dt_ms() / cable.capacitance_nf;
        let dt_over_c = Dual::new(
            dt_over_c,
            -dt_over_c / cable.capacitance_nf * capacitance_nf,
        );
        let last = cable.nodes - 1;
        for k in 0..cable.nodes {
            let left = u[if k == 0 { 1 } else { k - 1 }];
            let right = u[if k == last { last - 1 } else { k + 1 }];
            let axial_na = axial * (neighbor * (left + right) + center * u[k]);
            let (g, j) = self.membrane[k];
            let ionic_na = g * u[k] + j.scaled(-1.0);
            let current_na = axial_na + ionic_na.scaled(-1.0) + drive[k];
            self.u_mv[k] = (u[k] + dt_over_c * current_na).change;
        }
    }

    /// Returns the summed projection of all sources during `step`: nA into nodes, then nA/ms to modes.
    fn drive(&self, step: usize) -> Vec<Dual> {
        let drive = &self.rollout.drive;
        let mut total = vec![Dual::default(); self.cable.nodes() + self.cable.mode_count()];
        let sources = drive.sources[self.fiber]
            .iter()
            .zip(&drive.gains[self.fiber]);
        let changes = self.direction.sources.iter().zip(&self.units);
        for ((source, &gain), (change, unit)) in sources.zip(changes) {
            let gain = Dual::new(gain, change.gain);
            let samples = self.cable.samples();
            let at = step * samples..(step + 1) * samples;
            let (strength, unit) = match (source, unit) {
                (Source::Separable { waveform, .. }, Some(unit)) => {
                    let by = change.waveform.get(step).copied().unwrap_or(0.0);
                    let value = Dual::new(drive.waveforms[*waveform][step], by);
                    (gain * value, unit)
                }
                (Source::SpaceTime(ve), _) => {
                    let by = change.potentials.get(at.clone());
                    (gain, &self.project(&ve[at], by))
                }
                (Source::Separable { .. }, None) => {
                    unreachable!("every separable source has a unit")
                }
            };
            for (total, &unit) in total.iter_mut().zip(unit) {
                *total = *total + strength * unit;
            }
        }
        total
    }

    /// Of each separable source its projection, the tangent of that, and the effect of changes of its potentials and of
    /// the cable.
    fn unit_sources(&self) -> Vec<Option<Vec<Dual>>> {
        let sources = self.rollout.drive.sources[self.fiber].iter();
        let sources = sources.zip(&self.direction.sources);
        let unit = |(source, change): (&Source, &SourceCotangent)| {
            let Source::Separable {
                projection,
                potentials,
                ..
            } = source
            else {
                return None;
            };
            let mut changes = vec![0.0; self.cable.nodes() + self.cable.mode_count()];
            let mut add = |by: Vec<f64>| {
                changes.iter_mut().zip(by).for_each(|(to, x)| *to += x);
            };
            if let Some(by) = &change.projection {
                add(flat(by));
            }
            if let Some(ve) = potentials {
                let by = (!change.potentials.is_empty()).then_some(&change.potentials[..]);
                let through = self.project(ve, by);
                add(through.into_iter().map(|x| x.change).collect());
            }
            let values = flat(projection).into_iter();
            Some(values.zip(changes).map(|(v, c)| Dual::new(v, c)).collect())
        };
        sources.map(unit).collect()
    }

    /// The projection of potentials that change, by a cable that changes.
    fn project(&self, ve_mv: &[f64], change_mv: Option<&[f64]>) -> Vec<Dual> {
        let values = flat(&self.cable.project(ve_mv));
        let mut changes = self.projection_change(ve_mv);
        if let Some(change_mv) = change_mv {
            let by = flat(&self.cable.project(change_mv));
            changes.iter_mut().zip(by).for_each(|(to, x)| *to += x);
        }
        let both = values.into_iter().zip(changes);
        both.map(|(value, change)| Dual::new(value, change))
            .collect()
    }

    /// How the projection of fixed potentials changes with the cable: it is linear in its conductances and drives.
    fn projection_change(&self, ve_mv: &[f64]) -> Vec<f64> {
        match (self.cable, &self.direction.cable) {
            (
                Cable::Explicit(cable),
                CableCotangent::Explicit {
                    axial_us,
                    ve_weights,
                    ..
                },
            ) => {
                let other_axial = ExplicitCable {
                    axial_us: *axial_us,
                    ..cable.clone()
                };
                let other_weights = ExplicitCable {
                    ve_weights: *ve_weights,
                    ..cable.clone()
                };
                let parts = [other_axial, other_weights]
                    .map(|cable| Cable::Explicit(cable).project(ve_mv).nodes_na);
                let [a, b] = &parts;
                a.iter().zip(b).map(|(a, b)| a + b).collect()
            }
            (Cable::Implicit(cable), CableCotangent::Implicit { link_us, .. }) => {
                let other = ImplicitCable {
                    link_us: link_us.clone(),
                    ..cable.clone()
                };
                Cable::Implicit(other).project(ve_mv).nodes_na
            }
            (Cable::Double(cable), CableCotangent::Double { modes, .. }) => {
                let mut nodes_na = vec![0.0; cable.nodes];
                let mut drives = Vec::new();
                let points = modes.drive[0].len();
                for k in 0..cable.nodes - 1 {
                    let ve = &ve_mv[(points - 1) * k..][..points];
                    nodes_na[k] += modes.end_us * (ve[1] - ve[0]);
                    nodes_na[k + 1] += modes.end_us * (ve[points - 2] - ve[points - 1]);
                    drives.extend(modes.drive.iter().map(|row| -> f64 {
                        row.iter().zip(ve).map(|(drive, ve)| drive * ve).sum()
                    }));
                }
                nodes_na.extend(drives);
                nodes_na
            }
            (Cable::Reduced(_), CableCotangent::Reduced(change)) => {
                flat(&Cable::Reduced(change.clone()).project(ve_mv))
            }
            _ => unreachable!("checked directions are of their cable's kind"),
        }
    }
}

fn flat(projection: &Projection) -> Vec<f64> {
    let both = projection.nodes_na.iter().chain(&projection.modes);
    both.copied().collect()
}
