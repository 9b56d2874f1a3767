//! Adjoints of the membrane's programs for a group of lanes.

use axonml_autodiff::adjoint::{AdjointInput, AdjointOutput, MembraneAdjoint};
use axonml_autodiff::engine::Rollout;
use axonml_autodiff::ir::Real;

use crate::interpreter::Interpreter;
use crate::isa::Isa;
use crate::tape::{Tape, Target};

/// The VJP of a membrane program, with the accumulators of its coefficients.
pub(super) struct MembraneVjp<R> {
    interpreter: Interpreter<R>,
    /// State variables that the program reads: the others' cotangents are zero.
    reads: Vec<bool>,
    /// `[coefficient][lane]`; empty if parameters are not requested.
    totals: Vec<Vec<f64>>,
}

/// Arrays that the adjoint of a program reads, `[node][lane]` each.
pub(super) struct AdjointInputs<'a, R> {
    /// Voltage and states that the program read.
    pub(super) u: &'a [R],
    pub(super) states: Vec<&'a [R]>,
    /// New states, if the program computes any.
    pub(super) new_states: Vec<&'a [R]>,
    /// Cotangents of the program's outputs.
    pub(super) outputs: Vec<&'a [R]>,
    /// Cotangent of the voltage through other paths.
    pub(super) carried: &'a [R],
}

impl<R: Real> MembraneVjp<R> {
    pub(super) fn new(
        rollout: &Rollout,
        adjoint: &MembraneAdjoint,
        members: &[usize],
        len: usize,
        parameters: bool,
    ) -> Self {
        let program = match parameters {
            true => &adjoint.node,
            false => &adjoint.node_only,
        };
        let bound = &adjoint.coefficients;
        // Equal lanes are common: their coefficients are computed once.
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(members.len());
        for &fiber in members {
            let constants = rollout.constants(&bound.bindings, fiber);
            let inputs: Vec<f64> = constants.into_iter().flatten().collect();
            values.push(bound.program.eval(&inputs));
        }
        let constants: Vec<Vec<Option<f64>>> = values
            .iter()
            .map(|values| {
                let of = |input: &AdjointInput| match *input {
                    AdjointInput::Coefficient(index) => Some(values[index]),
                    _ => None,
                };
                program.inputs.iter().map(of).collect()
            })
            .collect();
        let states = rollout.membrane.states.len();
        let count = |is: fn(&AdjointInput) -> bool| {
            let all = program.inputs.iter();
            all.filter(|&input| is(input)).count()
        };
        let new_states = count(|input| matches!(input, AdjointInput::NewState(_)));
        let outputs = count(|input| matches!(input, AdjointInput::Output(_)));
        let node_inputs: Vec<Option<usize>> = program
            .inputs
            .iter()
            .map(|input| match *input {
                AdjointInput::U => Some(0),
                AdjointInput::State(state) => Some(1 + state),
                AdjointInput::NewState(state) => Some(1 + states + state),
                AdjointInput::Output(output) => Some(1 + states + new_states + output),
                AdjointInput::CarriedU => Some(1 + states + new_states + outputs),
                AdjointInput::Coefficient(_) => None,
            })
            .collect();
        let reads: Vec<bool> = (0..states)
            .map(|state| program.outputs.contains(&AdjointOutput::State(state)))
            .collect();
        let targets: Vec<Target> = program
            .outputs
            .iter()
            .map(|output| match *output {
                AdjointOutput::U => Target::Array(0),
                AdjointOutput::State(state) => {
                    Target::Array(1 + reads[..state].iter().filter(|&&read| read).count())
                }
                AdjointOutput::Coefficient(index) => Target::Sum(index),
            })
            .collect();
        let coefficients = program.program.coefficients(&constants);
        let tape = Tape::new(
            &program.program,
            &coefficients,
            &node_inputs,
            &targets,
            members.len(),
        );
        let sums = tape.negated.len();
        MembraneVjp {
            interpreter: Interpreter::new(tape, len),
            reads,
            totals: vec![vec![0.0; members.len()]; sums],
        }
    }

    /// Runs the adjoint; `u` and `states` become the cotangents of the program's inputs.
    pub(super) fn run(
        &mut self,
        isa: Isa,
        given: &AdjointInputs<'_, R>,
        u: &mut [R],
        states: &mut [Vec<R>],
    ) {
        let count = given.states.len() + given.new_states.len() + given.outputs.len() + 2;
        let mut inputs: Vec<&[R]> = Vec::with_capacity(count);
        inputs.push(given.u);
        inputs.extend(&given.states);
        inputs.extend(&given.new_states);
        inputs.extend(&given.outputs);
        inputs.push(given.carried);
        let mut outputs: Vec<&mut [R]> = Vec::with_capacity(1 + states.len());
        outputs.push(u);
        for (state, read) in states.iter_mut().zip(&self.reads) {
            match read {
                true => outputs.push(state),
                false => state.fill(R::default()),
            }
        }
        self.interpreter.run(isa, &inputs, &mut outputs);
    }

    /// Flushes the accumulators of blocks into the totals.
    pub(super) fn flush(&mut self) {
        self.interpreter.take_sums(&mut self.totals);
    }

    /// Returns the accumulated cotangents of the coefficients of lane `lane`; empty if parameters are not requested.
    pub(super) fn of_lane(&self, lane: usize) -> Vec<f64> {
        self.totals.iter().map(|lanes| lanes[lane]).collect()
    }
}
