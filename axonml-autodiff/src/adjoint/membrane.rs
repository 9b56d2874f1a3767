//! The adjoint of a membrane step, as a program.

use crate::engine::{Binding, BoundProgram};
use crate::ir::{Extent, FusedProgram, Program, ProgramLayout, Target, Tracer};

/// Meaning of an input of the adjoint of a membrane step; one value per node unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjointInput {
    /// Deviation of the membrane potential from the reference, before the step, mV.
    U,
    /// State variable `i` before the step.
    State(usize),
    /// Coefficient `i` of the step, one per fiber.
    Coefficient(usize),
    /// State variable `i` after the step.
    NewState(usize),
    /// Cotangent of output `i` of the step.
    Output(usize),
    /// Cotangent of `u` through other paths, to which the step's is added.
    CarriedU,
}

/// Meaning of an output of the adjoint of a membrane step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjointOutput {
    /// Cotangent of `u`, the carried one included.
    U,
    /// Cotangent of state variable `i` before the step.
    State(usize),
    /// Cotangent of coefficient `i` of this node, to be summed over nodes and steps.
    Coefficient(usize),
}

/// The adjoint of a membrane step.
#[derive(Clone, Debug)]
pub struct MembraneAdjoint {
    /// Program of the step's coefficients as functions of the parameters.
    pub coefficients: BoundProgram,
    /// Adjoint of the computation at every node, with the cotangents of coefficients.
    pub node: AdjointProgram,
    /// The same without the cotangents of coefficients, for gradients that request no parameter.
    pub node_only: AdjointProgram,
}

/// A program with the meaning of its inputs and outputs.
#[derive(Clone, Debug)]
pub struct AdjointProgram {
    /// The program.
    pub program: FusedProgram,
    /// Meaning of its inputs, in order.
    pub inputs: Vec<AdjointInput>,
    /// Meaning of its outputs, in order.
    pub outputs: Vec<AdjointOutput>,
}

impl AdjointProgram {
    /// Where executors find the arrays of a step with `states` state variables: voltage, states, new states, cotangents of
    /// outputs, carried cotangent; and put theirs: the cotangents of the voltage and of the states that it reads. Cotangents
    /// of coefficients are sums.
    pub fn layout(&self, states: usize) -> ProgramLayout {
        let count =
            |is: fn(&AdjointInput) -> bool| self.inputs.iter().filter(|&input| is(input)).count();
        let new_states = count(|input| matches!(input, AdjointInput::NewState(_)));
        let outputs = count(|input| matches!(input, AdjointInput::Output(_)));
        let array = |input: &AdjointInput| match *input {
            AdjointInput::U => Some(0),
            AdjointInput::State(state) => Some(1 + state),
            AdjointInput::NewState(state) => Some(1 + states + state),
            AdjointInput::Output(output) => Some(1 + states + new_states + output),
            AdjointInput::CarriedU => Some(1 + states + new_states + outputs),
            AdjointInput::Coefficient(_) => None,
        };
        let target = |output: &AdjointOutput| match *output {
            AdjointOutput::U => Target::Array(0),
            AdjointOutput::State(state) => {
                let before = (0..state).filter(|&state| self.reads(state));
                Target::Array(1 + before.count())
            }
            AdjointOutput::Coefficient(index) => Target::Sum(index),
        };
        ProgramLayout {
            arrays: self.inputs.iter().map(array).collect(),
            targets: self.outputs.iter().map(target).collect(),
        }
    }

    /// Whether the step reads a state variable: the others' cotangents are zero.
    pub fn reads(&self, state: usize) -> bool {
        self.outputs.contains(&AdjointOutput::State(state))
    }
}

impl MembraneAdjoint {
    /// Derives the adjoint of a step program whose inputs are bound to `U`, states and parameters. Its first `states`
    /// outputs are the new states: the adjoint pass reads their stored values, so that computations that use a new
    /// state need not wait for its update to be repeated.
    pub(crate) fn new(step: &BoundProgram, states: usize) -> Self {
        let split = &step.fused().split;
        let bound = |indices: &[usize]| -> Vec<Binding> {
            indices.iter().map(|&input| step.bindings[input]).collect()
        };
        let node_bindings = bound(&split.node_inputs);
        let adjoint = split.node.adjoint_from(&(0..states).collect::<Vec<_>>());

        // Replayed with the carried cotangent added to that of u.
        let tracer = Tracer::new();
        let mut inputs = Vec::new();
        let coefficients = split.coefficients.outputs().len();
        for (index, input) in adjoint.inputs().iter().enumerate() {
            tracer.input(&input.name, input.extent);
            inputs.push(match node_bindings.get(index) {
                Some(Binding::U) => AdjointInput::U,
                Some(Binding::State(state)) => AdjointInput::State(*state),
                Some(_) => unreachable!("inputs of node extent are voltage and states"),
                None if index < node_bindings.len() + coefficients => {
                    AdjointInput::Coefficient(index - node_bindings.len())
                }
                None => match index - node_bindings.len() - coefficients {
                    state if state < states => AdjointInput::NewState(state),
                    output => AdjointInput::Output(output - states),
                },
            });
        }
        let carried = tracer.input("carried cotangent of u", Extent::Node);
        inputs.push(AdjointInput::CarriedU);
        let bars = adjoint.inline(&tracer, &Default::default());
        let mut outputs = vec![("u".to_owned(), carried)];
        let mut meanings = vec![AdjointOutput::U];
        for (input, bar) in inputs.iter().zip(bars) {
            match *input {
                AdjointInput::U => outputs[0].1 = outputs[0].1 + bar,
                AdjointInput::State(state) => {
                    meanings.push(AdjointOutput::State(state));
                    outputs.push((format!("state {state}"), bar));
                }
                AdjointInput::Coefficient(index) => {
                    meanings.push(AdjointOutput::Coefficient(index));
                    outputs.push((format!("coefficient {index}"), bar));
                }
                AdjointInput::NewState(_) | AdjointInput::Output(_) | AdjointInput::CarriedU => {
                    unreachable!("only the inputs of the step have cotangents")
                }
            }
        }
        let program = |keep: &dyn Fn(&AdjointOutput) -> bool| {
            let kept = |index: &usize| keep(&meanings[*index]);
            let kept: Vec<usize> = (0..meanings.len()).filter(kept).collect();
            let outputs: Vec<_> = kept.iter().map(|&index| outputs[index].clone()).collect();
            AdjointProgram {
                program: FusedProgram::scheduled(&finish_infallible(&tracer, &outputs)),
                inputs: inputs.clone(),
                outputs: kept.iter().map(|&index| meanings[index]).collect(),
            }
        };
        MembraneAdjoint {
            coefficients: BoundProgram::new(
                split.coefficients.clone(),
                bound(&split.coefficient_inputs),
            ),
            node: program(&|_| true),
            node_only: program(&|meaning| !matches!(meaning, AdjointOutput::Coefficient(_))),
        }
    }
}

fn finish_infallible(tracer: &Tracer, outputs: &[(String, crate::ir::Expr<'_>)]) -> Program {
    tracer
        .finish(outputs)
        .expect("a program derived from a valid one has no trace error")
}
