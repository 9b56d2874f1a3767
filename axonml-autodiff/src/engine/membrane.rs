//! A model's membrane as programs whose inputs are bound to quantities of a rollout.

use std::sync::OnceLock;

use crate::adjoint::MembraneAdjoint;
use crate::engine::{Binding, BoundProgram};
use crate::ir::{Extent, Tracer};

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

    /// The adjoint of `step` for explicit cables, whose outputs are the new states and the outward ionic current
    /// density at the old voltage, `G u - J`. Derived once.
    pub fn explicit_adjoint(&self) -> &MembraneAdjoint {
        self.explicit_adjoint
            .get_or_init(|| MembraneAdjoint::new(&explicit_step(self), self.states.len()))
    }

    /// The adjoint of `step` for cables solved implicitly, whose outputs are the new states, `G` and `J`. Derived once.
    pub fn implicit_adjoint(&self) -> &MembraneAdjoint {
        self.implicit_adjoint
            .get_or_init(|| MembraneAdjoint::new(&self.step, self.states.len()))
    }

    /// The adjoint of `currents`, whose outputs are `G` and `J`. Derived once.
    pub fn currents_adjoint(&self) -> &MembraneAdjoint {
        self.currents_adjoint
            .get_or_init(|| MembraneAdjoint::new(&self.currents, 0))
    }
}

/// Outputs of a membrane step for an explicit cable: the new states, then the outward ionic current density at the old
/// voltage, `G u - J`, mA/cm2.
fn explicit_step(membrane: &MembranePrograms) -> BoundProgram {
    let tracer = Tracer::new();
    let step = &membrane.step.program;
    for input in step.inputs() {
        tracer.input(&input.name, input.extent);
    }
    let mut outputs = step.inline(&tracer, &Default::default());
    let mut bindings = membrane.step.bindings.clone();
    let u = match bindings.iter().position(|binding| *binding == Binding::U) {
        Some(input) => tracer.input(&step.inputs()[input].name, Extent::Node),
        None => {
            bindings.push(Binding::U);
            tracer.input("u of the ionic current", Extent::Node)
        }
    };
    let (j, g) = (outputs.pop(), outputs.pop());
    let (Some(j), Some(g)) = (j, g) else {
        unreachable!("a step program ends with G and J")
    };
    outputs.push(g * u - j);
    let names = membrane.states.iter().map(String::as_str).chain(["i"]);
    let outputs: Vec<_> = names.map(str::to_owned).zip(outputs).collect();
    BoundProgram::new(
        tracer
            .finish(&outputs)
            .expect("a program derived from a valid one has no trace error"),
        bindings,
    )
}
