//! A model's membrane as programs, bound to the numbers of a rollout.

use std::sync::OnceLock;

use crate::adjoint::{MembraneAdjoint, explicit_step};
use crate::fusion::FusedProgram;
use crate::program::Program;

/// What an input of a membrane program is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Deviation of the node's membrane potential from the rollout's reference, mV.
    U,
    /// State variable `i` of the node.
    State(usize),
    /// Parameter `i` shared by all fibers.
    Shared(usize),
    /// Parameter `i` of the fiber.
    Fiber(usize),
    /// Time step, ms.
    Dt,
    /// Potential from which `u` is measured, mV.
    Reference,
}

/// A program whose inputs are bound to voltage, states and parameters.
#[derive(Clone, Debug)]
pub struct BoundProgram {
    /// The program.
    pub program: Program,
    /// What its inputs are bound to, in their order.
    pub bindings: Vec<Binding>,
    fused: OnceLock<FusedProgram>,
    adjoint: OnceLock<Program>,
}

impl BoundProgram {
    /// Binds the inputs of `program`, in their order.
    pub fn new(program: Program, bindings: Vec<Binding>) -> Self {
        BoundProgram {
            program,
            bindings,
            fused: OnceLock::new(),
            adjoint: OnceLock::new(),
        }
    }

    /// The program as executors want it; made once.
    pub fn fused(&self) -> &FusedProgram {
        self.fused.get_or_init(|| FusedProgram::new(&self.program))
    }

    /// The program of transposed derivatives, see [`Program::adjoint`]; made once.
    pub fn adjoint(&self) -> &Program {
        self.adjoint.get_or_init(|| self.program.adjoint())
    }
}

/// The traced membrane of a model, for the nodes (or compartments) of the cable.
#[derive(Clone, Debug)]
pub struct MembranePrograms {
    /// Names of the state variables, voltage excluded.
    pub states: Vec<String>,
    /// Steady state of every state variable from the voltage. Outputs: the states.
    pub rest: BoundProgram,
    /// Membrane conductance and source from states and voltage. Outputs: `G` (S/cm2), `J` (mA/cm2), so that the
    /// outward ionic current density is `G u - J`.
    pub currents: BoundProgram,
    /// One step at the present voltage. Outputs: the new states, then `G` and `J` with the new states.
    ///
    /// Implicit and double cables solve for the voltage first and run this with the new one; explicit cables run
    /// it with the old voltage and step the voltage with its `G` and `J`.
    pub step: BoundProgram,
    explicit_adjoint: OnceLock<MembraneAdjoint>,
    implicit_adjoint: OnceLock<MembraneAdjoint>,
    currents_adjoint: OnceLock<MembraneAdjoint>,
}

impl MembranePrograms {
    /// Joins the programs of a membrane with the state variables `states`.
    pub fn new(
        states: Vec<String>,
        rest: BoundProgram,
        currents: BoundProgram,
        step: BoundProgram,
    ) -> Self {
        MembranePrograms {
            states,
            rest,
            currents,
            step,
            explicit_adjoint: OnceLock::new(),
            implicit_adjoint: OnceLock::new(),
            currents_adjoint: OnceLock::new(),
        }
    }

    /// The reverse of `step` as explicit cables take it: its outputs are the new states and the outward ionic current
    /// density at the old voltage, `G u - J`. Made once.
    pub fn explicit_adjoint(&self) -> &MembraneAdjoint {
        self.explicit_adjoint
            .get_or_init(|| MembraneAdjoint::new(&explicit_step(self), self.states.len()))
    }

    /// The reverse of `step` as implicit and double cables take it: its outputs are the new states, `G` and `J`. Made
    /// once.
    pub fn implicit_adjoint(&self) -> &MembraneAdjoint {
        self.implicit_adjoint
            .get_or_init(|| MembraneAdjoint::new(&self.step, self.states.len()))
    }

    /// The reverse of `currents`: its outputs are `G` and `J`. Made once.
    pub fn currents_adjoint(&self) -> &MembraneAdjoint {
        self.currents_adjoint
            .get_or_init(|| MembraneAdjoint::new(&self.currents, 0))
    }
}
