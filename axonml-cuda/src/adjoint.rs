//! Adjoints of a membrane's programs as C text.

use std::fmt::Write;

use axonml_autodiff::adjoint::{AdjointInput, AdjointOutput, MembraneAdjoint};
use axonml_autodiff::cable::Cable;
use axonml_autodiff::engine::Rollout;
use axonml_autodiff::ir::Real;

use crate::membrane::{Constants, MembraneText, ParameterSets, Printer};

/// Counts of the accumulators of the functions of [`MembraneText::adjoints`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Coefficients {
    /// Coefficients of the step whose cotangents are accumulated; 0 if parameters are not requested.
    pub(crate) step: usize,
    /// Likewise for the adjoint of the first `G` and `J`.
    pub(crate) currents: usize,
}

impl Coefficients {
    pub(crate) fn new(rollout: &Rollout, parameters: bool) -> Self {
        if !parameters {
            return Coefficients::default();
        }
        let (step, currents) = adjoints(rollout);
        let count = |adjoint: &MembraneAdjoint| adjoint.coefficients.program.outputs().len();
        Coefficients {
            step: count(step),
            currents: currents.map_or(0, count),
        }
    }
}

/// Prints the adjoint of the step, and of the first `G` and `J` of cables that have any.
fn adjoints(rollout: &Rollout) -> (&MembraneAdjoint, Option<&MembraneAdjoint>) {
    let membrane = &rollout.membrane;
    let first = rollout.fibers.first().map(|fiber| &*fiber.cable);
    match first {
        Some(Cable::Explicit(_)) => (membrane.explicit_adjoint(), None),
        _ => (
            membrane.implicit_adjoint(),
            Some(membrane.currents_adjoint()),
        ),
    }
}

impl MembraneText {
    /// `step_adjoint` and, but for explicit cables, `currents_adjoint`.
    pub(crate) fn adjoints<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        parameters: bool,
        constants: Constants,
    ) -> Self {
        let mut printer = Printer::<R>::new(constants);
        let states = rollout.membrane.states.len();
        let (step, currents) = adjoints(rollout);
        let mut functions =
            printer.adjoint(rollout, sets, step, "step_adjoint", states, parameters);
        if let Some(currents) = currents {
            functions +=
                &printer.adjoint(rollout, sets, currents, "currents_adjoint", 0, parameters);
        }
        printer.finish(&functions)
    }
}

impl<R: Real> Printer<R> {
    /// Prints the adjoint of a program whose first `states` outputs are new states: `u` and `x` are the voltage and
    /// states that it read, `made` the states that it computed, `bar` their cotangents. `bar` becomes the cotangents of
    /// the old states, or, where the program computes none, has them added; so has `of_u`. `of_g` and `of_j` are the
    /// cotangents of conductance and source; of explicit cables `of_g` is that of the ionic current density, and `of_j`
    /// is not used.
    fn adjoint(
        &mut self,
        rollout: &Rollout,
        sets: &ParameterSets,
        adjoint: &MembraneAdjoint,
        name: &str,
        states: usize,
        parameters: bool,
    ) -> String {
        let program = match parameters {
            true => &adjoint.node,
            false => &adjoint.node_only,
        };
        let bound = &adjoint.coefficients;
        let constants = sets.examples.iter().map(|&fiber| {
            let constants = rollout.constants(&bound.bindings, fiber);
            let inputs: Vec<f64> = constants.into_iter().flatten().collect();
            let values = bound.program.eval(&inputs);
            let of = |input: &AdjointInput| match *input {
                AdjointInput::Coefficient(index) => Some(values[index]),
                _ => None,
            };
            program.inputs.iter().map(of).collect()
        });
        let constants: Vec<Vec<Option<f64>>> = constants.collect();
        let coefficients = program.program.coefficients(&constants);
        let input = |index: usize| match program.inputs[index] {
            AdjointInput::U => "u".to_owned(),
            AdjointInput::State(state) => format!("x[{state}]"),
            AdjointInput::NewState(state) => format!("made[{state}]"),
            AdjointInput::Output(output) if output < states => format!("bar[{output}]"),
            AdjointInput::Output(output) if output == states => "of_g".to_owned(),
            AdjointInput::Output(_) => "of_j".to_owned(),
            AdjointInput::CarriedU => "of_u".to_owned(),
            AdjointInput::Coefficient(_) => unreachable!("coefficients are constants of a fiber"),
        };
        let mut text = format!(
            "\nDEVICE void {name}(const Parameters& k, const REAL u, const REAL (&x)[STATES_OR_1], const REAL \
             (&made)[STATES_OR_1],\n    REAL (&bar)[STATES_OR_1], const REAL of_g, const REAL of_j, REAL& of_u, Sums& sums) {{\n"
        );
        let outputs = self.statements(&mut text, &program.program, &coefficients, &input);
        let named = || program.outputs.iter().zip(&outputs);
        for (number, value) in outputs.iter().enumerate() {
            let _ = writeln!(text, "  const REAL y{number} = {value};");
        }
        for state in (0..states).filter(|&s| !program.outputs.contains(&AdjointOutput::State(s))) {
            // Not read: no output depends on it.
            let _ = writeln!(text, "  bar[{state}] = ZERO;");
        }
        for (number, (output, _)) in named().enumerate() {
            let _ = match output {
                AdjointOutput::U => writeln!(text, "  of_u = y{number};"),
                AdjointOutput::State(state) if states > 0 => {
                    writeln!(text, "  bar[{state}] = y{number};")
                }
                AdjointOutput::State(state) => writeln!(text, "  bar[{state}] += y{number};"),
                AdjointOutput::Coefficient(index) => {
                    writeln!(text, "  sums.add({index}, y{number});")
                }
            };
        }
        text + "}\n"
    }
}
