//! The oracle: one fiber at a time, one node at a time, in plain `f64`.
//!
//! Written to be read rather than to be fast, and to share as little as possible with the code it checks: programs are
//! evaluated value by value with the platform's elementary functions, double cables are solved in the potentials of
//! all their compartments, not by modes, and reduced ones with their modes among the unknowns.

mod chain;
mod reduced;
mod tangent;
#[cfg(test)]
mod tests;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, Projection};
use axonml_autodiff::engine::{
    Backend, BackendError, Binding, FiberOutcome, FiberState, FiberStatus, LARGEST_MV, Outcome,
    Rollout, Source, Start,
};

use crate::watch::{FiberView, Watch};
use chain::Internodes;
pub use tangent::{FiberTangent, TangentDirection};

/// S is 1e6 uS, and mA is 1e6 nA: the factor of the membrane's densities per cm2.
const MICRO: f64 = 1e6;

/// The scalar reference backend. It computes in `f64`, whatever [`Rollout::precision`] is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Backend for Reference {
    fn name(&self) -> String {
        "reference (scalar f64)".to_owned()
    }

    fn run(&self, rollout: &Rollout) -> Result<Outcome, BackendError> {
        rollout.check()?;
        rollout.rates.must_be_exact("the reference")?;
        let fibers = (0..rollout.fibers.len())
            .map(|fiber| run_fiber(rollout, fiber))
            .collect::<Result<_, _>>()?;
        Ok(Outcome { fibers })
    }
}

fn run_fiber(rollout: &Rollout, fiber: usize) -> Result<FiberOutcome, BackendError> {
    let mut watch = Watch::new(rollout, fiber)?;
    let mut simulation = Simulation::new(rollout, fiber);
    // A start that is none, such as a steady state of rates that vanish, is no result either.
    if let Err(status) = simulation.check_start(rollout.steps.start) {
        return Ok(FiberOutcome {
            status,
            observations: watch.finish(&simulation),
            state: None,
        });
    }
    let mut status = FiberStatus::Completed;
    watch.start(&simulation);
    for step in rollout.steps.clone() {
        rollout.check_canceled()?;
        if let Err(diverged) = simulation.advance(step) {
            status = diverged;
            break;
        }
        watch.see(step + 1, &simulation);
        if watch.answered() {
            status = FiberStatus::Answered(step + 1);
            break;
        }
    }
    let state =
        (rollout.final_states && status == FiberStatus::Completed).then(|| simulation.state());
    Ok(FiberOutcome {
        status,
        observations: watch.finish(&simulation),
        state,
    })
}

/// Which of the membrane's programs to evaluate.
#[derive(Clone, Copy)]
enum Part {
    Rest,
    Currents,
    Step,
}

/// One fiber between two steps.
struct Simulation<'r> {
    rollout: &'r Rollout,
    fiber: usize,
    cable: &'r Cable,
    /// Deviation of the membrane potential from the reference per node, mV, now and one step ago.
    u_mv: Vec<f64>,
    previous_u_mv: Vec<f64>,
    /// State variables, `[state][node]`.
    states: Vec<Vec<f64>>,
    /// Conductance (uS) and source (nA) of the membrane per node: the ionic current is `g u - j`.
    membrane: Vec<(f64, f64)>,
    /// How far explicit steps in a row have amplified differences at each node.
    amplification: Vec<f64>,
    /// Potentials of the internodal compartments; none unless the cable is a double one.
    internodes: Internodes,
    /// Amplitudes of the modes, nA, `[internode, mode]`; none unless the cable is a reduced one.
    modes_na: Vec<f64>,
}

impl FiberView for Simulation<'_> {
    fn v_mv(&self, node: usize) -> f64 {
        self.u_mv[node] + self.rollout.v_reference_mv
    }

    fn previous_v_mv(&self, node: usize) -> f64 {
        self.previous_u_mv[node] + self.rollout.v_reference_mv
    }

    fn state(&self, state: usize, node: usize) -> f64 {
        self.states[state][node]
    }
}

impl<'r> Simulation<'r> {
    /// Fiber `fiber` of a checked rollout, at its start.
    fn new(rollout: &'r Rollout, fiber: usize) -> Self {
        let cable = &*rollout.fibers[fiber].cable;
        let nodes = cable.nodes();
        let v_mv = match &rollout.start {
            Start::Uniform { v_mv, .. } => vec![*v_mv; nodes],
            Start::From(saved) => saved[fiber].v_mv.clone(),
        };
        let u_mv: Vec<f64> = v_mv.iter().map(|v| v - rollout.v_reference_mv).collect();
        let mut simulation = Simulation {
            rollout,
            fiber,
            cable,
            previous_u_mv: u_mv.clone(),
            u_mv,
            states: vec![vec![0.0; nodes]; rollout.membrane.states.len()],
            membrane: vec![(0.0, 0.0); nodes],
            amplification: vec![1.0; nodes],
            internodes: Internodes::default(),
            modes_na: Vec::new(),
        };
        let modes = match &rollout.start {
            Start::Uniform { .. } => vec![0.0; cable.mode_count()],
            Start::From(saved) => saved[fiber].modes.clone(),
        };
        match cable {
            Cable::Explicit(_) | Cable::Implicit(_) => {}
            Cable::Double(double) => simulation.internodes = Internodes::from_modes(double, &modes),
            Cable::Reduced(_) => simulation.modes_na = modes,
        }
        simulation.set_states();
        for node in 0..nodes {
            let outputs = simulation.evaluate(Part::Currents, node);
            simulation.set_membrane(node, &outputs);
        }
        simulation
    }

    fn set_states(&mut self) {
        for node in 0..self.u_mv.len() {
            let values: Vec<f64> = match &self.rollout.start {
                Start::Uniform {
                    states: Some(given),
                    ..
                } => given.clone(),
                Start::Uniform { states: None, .. } => self.evaluate(Part::Rest, node),
                Start::From(saved) => saved[self.fiber]
                    .states
                    .iter()
                    .map(|state| state[node])
                    .collect(),
            };
            self.set_node_states(node, &values);
        }
    }

    /// One step, or how the fiber diverged in it.
    fn advance(&mut self, step: usize) -> Result<(), FiberStatus> {
        let drive = self.drive(step);
        self.previous_u_mv.clone_from(&self.u_mv);
        match self.cable {
            Cable::Explicit(cable) => {
                self.step_membrane();
                self.check_stability(cable, step + 1)?;
                self.step_explicitly(cable, &drive);
            }
            Cable::Implicit(_) | Cable::Double(_) | Cable::Reduced(_) => {
                self.solve(&drive);
                self.step_membrane();
            }
        }
        self.check_finite(step + 1)
    }

    /// Returns the summed projection of all sources during `step`: nA into nodes, nA/ms to modes.
    fn drive(&self, step: usize) -> Projection {
        let mut total = Projection {
            nodes_na: vec![0.0; self.cable.nodes()],
            modes: vec![0.0; self.cable.mode_count()],
        };
        let mut add = |strength: f64, unit: &Projection| {
            total
                .nodes_na
                .iter_mut()
                .zip(&unit.nodes_na)
                .for_each(|(total, x)| *total += strength * x);
            total
                .modes
                .iter_mut()
                .zip(&unit.modes)
                .for_each(|(total, x)| *total += strength * x);
        };
        let drive = &self.rollout.drive;
        let sources = drive.sources[self.fiber].iter();
        for (source, &gain) in sources.zip(&drive.gains[self.fiber]) {
            match source {
                Source::Separable {
                    projection,
                    waveform,
                    ..
                } => {
                    add(gain * drive.waveforms[*waveform][step], projection);
                }
                Source::SpaceTime(ve_mv) => {
                    let samples = self.cable.samples();
                    add(
                        gain,
                        &self
                            .cable
                            .project(&ve_mv[step * samples..(step + 1) * samples]),
                    );
                }
            }
        }
        total
    }

    /// Evaluates a membrane program at `node` with the present voltage and states.
    fn evaluate(&self, part: Part, node: usize) -> Vec<f64> {
        let rollout = self.rollout;
        let membrane = &rollout.membrane;
        let bound = match part {
            Part::Rest => &membrane.rest,
            Part::Currents => &membrane.currents,
            Part::Step => &membrane.step,
        };
        let inputs: Vec<f64> = bound
            .bindings
            .iter()
            .map(|binding| match *binding {
                Binding::U => self.u_mv[node],
                Binding::State(state) => self.states[state][node],
                Binding::Shared(parameter) => rollout.shared[parameter],
                Binding::Fiber(parameter) => rollout.fibers[self.fiber].parameters[parameter],
                Binding::Dt => rollout.grid.dt_ms(),
                Binding::Reference => rollout.v_reference_mv,
            })
            .collect();
        bound.program.eval(&inputs)
    }

    /// New states with the present voltage, and the membrane's conductance and source with them.
    fn step_membrane(&mut self) {
        for node in 0..self.u_mv.len() {
            let outputs = self.evaluate(Part::Step, node);
            let (states, density) = outputs.split_at(self.states.len());
            self.set_node_states(node, states);
            self.set_membrane(node, density);
        }
    }

    fn set_node_states(&mut self, node: usize, values: &[f64]) {
        for (state, value) in self.states.iter_mut().zip(values) {
            state[node] = *value;
        }
    }

    fn set_membrane(&mut self, node: usize, density: &[f64]) {
        let scale = self.cable.area_cm2(node) * MICRO;
        self.membrane[node] = (scale * density[0], scale * density[1]);
    }

    fn step_explicitly(&mut self, cable: &ExplicitCable, drive: &Projection) {
        let last = cable.nodes - 1;
        let (neighbor, center) = cable.v_weights;
        let u = &self.previous_u_mv;
        for node in 0..cable.nodes {
            let left = u[if node == 0 { 1 } else { node - 1 }];
            let right = u[if node == last { last - 1 } else { node + 1 }];
            let axial_na = cable.axial_us * (neighbor * (left + right) + center * u[node]);
            let (g_us, j_na) = self.membrane[node];
            let ionic_na = g_us * u[node] - j_na;
            let current_na = axial_na - ionic_na + drive.nodes_na[node];
            self.u_mv[node] += self.rollout.grid.dt_ms() / cable.capacitance_nf * current_na;
        }
    }

    /// The implicit step of the voltages, internodes included.
    fn solve(&mut self, drive: &Projection) {
        let dt_ms = self.rollout.grid.dt_ms();
        match self.cable {
            Cable::Explicit(_) => {}
            Cable::Implicit(cable) => {
                self.u_mv = chain::solve_single(
                    cable,
                    dt_ms,
                    &self.previous_u_mv,
                    &self.membrane,
                    &drive.nodes_na,
                );
            }
            Cable::Double(cable) => {
                self.u_mv =
                    self.internodes
                        .solve(cable, dt_ms, &self.previous_u_mv, &self.membrane, drive);
            }
            Cable::Reduced(cable) => {
                self.u_mv = reduced::solve(
                    cable,
                    dt_ms,
                    &self.previous_u_mv,
                    &mut self.modes_na,
                    &self.membrane,
                    drive,
                );
            }
        }
    }

    fn check_stability(&mut self, cable: &ExplicitCable, state: usize) -> Result<(), FiberStatus> {
        for node in 0..cable.nodes {
            let dt_ms = self.rollout.grid.dt_ms();
            let (left, right) = cable.neighbors_of(node);
            let g_us = |node: usize| self.membrane[node].0;
            let around = (g_us(left), g_us(node), g_us(right));
            let so_far = cable.amplification(self.amplification[node], dt_ms, around);
            self.amplification[node] = so_far;
            if so_far > ExplicitCable::LARGEST_AMPLIFICATION {
                // The step is not taken: the voltage is the last one that means anything.
                let (v_mv, stability) = (self.v_mv(node), Some(cable.stability(dt_ms, around.1)));
                return Err(FiberStatus::Diverged {
                    state,
                    node,
                    v_mv,
                    stability,
                });
            }
        }
        Ok(())
    }

    /// Voltages and states of the state that the run starts from.
    fn check_start(&self, state: usize) -> Result<(), FiberStatus> {
        self.check_nodes(state, |node| self.is_sound(node))
    }

    fn check_finite(&self, state: usize) -> Result<(), FiberStatus> {
        self.check_nodes(state, |node| {
            let (g, j) = self.membrane[node];
            g.is_finite() && j.is_finite() && self.is_sound(node)
        })
    }

    /// Whether a node has a voltage that a membrane can have, and states that are numbers.
    fn is_sound(&self, node: usize) -> bool {
        let mut states = self.states.iter().map(|values| values[node]);
        self.v_mv(node).abs() <= LARGEST_MV && states.all(f64::is_finite)
    }

    fn check_nodes(&self, state: usize, sound: impl Fn(usize) -> bool) -> Result<(), FiberStatus> {
        match (0..self.u_mv.len()).find(|&node| !sound(node)) {
            Some(node) => Err(FiberStatus::Diverged {
                state,
                node,
                v_mv: self.v_mv(node),
                stability: None,
            }),
            None => Ok(()),
        }
    }

    fn state(&self) -> FiberState {
        FiberState {
            v_mv: (0..self.u_mv.len()).map(|node| self.v_mv(node)).collect(),
            states: self.states.clone(),
            modes: match self.cable {
                Cable::Double(cable) => self.internodes.to_modes(cable),
                Cable::Reduced(_) => self.modes_na.clone(),
                Cable::Explicit(_) | Cable::Implicit(_) => Vec::new(),
            },
        }
    }
}
