//! Adjoints of the membrane's programs for a group of lanes.

use axonml_autodiff::adjoint::{AdjointInput, MembraneAdjoint};
use axonml_autodiff::engine::Rollout;
use axonml_autodiff::ir::Real;

use crate::isa::Isa;
use crate::program::{LaneProgram, Programs};

/// The VJP of a membrane program, with the accumulators of its coefficients.
pub(super) struct MembraneVjp<R, const L: usize> {
    program: LaneProgram<R, L>,
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

impl<R: Real, const L: usize> MembraneVjp<R, L> {
    pub(super) fn new(
        rollout: &Rollout,
        adjoint: &MembraneAdjoint,
        members: &[usize; L],
        len: usize,
        parameters: bool,
        programs: Programs,
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
        let reads = (0..states).map(|state| program.reads(state)).collect();
        let fused = &program.program;
        let coefficients = fused.coefficients(&constants);
        let layout = program.layout(states);
        let program = LaneProgram::new(fused, &layout, &coefficients, len, programs);
        MembraneVjp {
            totals: vec![vec![0.0; L]; program.sums()],
            program,
            reads,
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
        self.program.run(isa, &inputs, &mut outputs);
    }

    /// Flushes the accumulators of blocks into the totals.
    pub(super) fn flush(&mut self) {
        self.program.take_sums(&mut self.totals);
    }

    /// Returns the accumulated cotangents of the coefficients of lane `lane`; empty if parameters are not requested.
    pub(super) fn of_lane(&self, lane: usize) -> Vec<f64> {
        self.totals.iter().map(|lanes| lanes[lane]).collect()
    }
}
