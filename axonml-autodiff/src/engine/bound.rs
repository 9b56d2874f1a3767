//! Programs whose inputs are bound to voltage, states and parameters.

use std::sync::OnceLock;

use crate::ir::{FusedProgram, Program, ProgramLayout, Target};

/// Quantity that an input of a membrane program is bound to.
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
    /// Bindings of its inputs, in their order.
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

    /// Returns the lowered program for executors; derived once.
    pub fn fused(&self) -> &FusedProgram {
        self.fused.get_or_init(|| FusedProgram::new(&self.program))
    }

    /// Where executors find voltage (array 0) and states (from array 1), and put outputs: an array each.
    pub fn layout(&self) -> ProgramLayout {
        let array = |binding: &Binding| match *binding {
            Binding::U => Some(0),
            Binding::State(state) => Some(1 + state),
            Binding::Shared(_) | Binding::Fiber(_) | Binding::Dt | Binding::Reference => None,
        };
        ProgramLayout {
            arrays: self.bindings.iter().map(array).collect(),
            targets: Target::arrays(self.program.outputs().len()),
        }
    }

    /// Returns the adjoint program, see [`Program::adjoint`]; derived once.
    pub fn adjoint(&self) -> &Program {
        self.adjoint.get_or_init(|| self.program.adjoint())
    }
}
