//! Membrane programs as C text, specialized to the constants of the fibers that will run together.

use std::fmt::Write;

use axonml_autodiff::engine::{Binding, BoundProgram, Rollout};
use axonml_autodiff::ir::{
    FusedArgument, FusedOp, FusedProgram, LaneValues, Op, PairedFunction, Precision, Real,
};

use crate::literal::literal;

/// The distinct lists of fiber parameters among some fibers.
#[derive(Debug)]
pub(crate) struct ParameterSets {
    /// Set of each fiber, in the order given.
    pub(crate) of_fiber: Vec<usize>,
    /// A fiber (by index in the rollout) of each set.
    pub(crate) examples: Vec<usize>,
}

impl ParameterSets {
    pub(crate) fn new(rollout: &Rollout, fibers: &[usize]) -> Self {
        let mut known = std::collections::HashMap::new();
        let mut examples = Vec::new();
        let of_fiber = fibers
            .iter()
            .map(|&fiber| {
                let bits: Vec<u64> = rollout.fibers[fiber]
                    .parameters
                    .iter()
                    .map(|x| x.to_bits())
                    .collect();
                *known.entry(bits).or_insert_with(|| {
                    examples.push(fiber);
                    examples.len() - 1
                })
            })
            .collect();
        ParameterSets { of_fiber, examples }
    }
}

/// The membrane as C text.
#[derive(Debug)]
pub(crate) struct MembraneText {
    /// `struct Parameters` and the functions that take one.
    pub(crate) text: String,
    /// Numbers that differ between parameter sets, `[parameter][set]`.
    pub(crate) parameters: Vec<LaneValues>,
}

impl MembraneText {
    /// `membrane_currents` and `membrane_step`.
    pub(crate) fn new<R: Real>(
        rollout: &Rollout,
        sets: &ParameterSets,
        constants: Constants,
    ) -> Self {
        let mut printer = Printer::<R>::new(constants);
        let membrane = &rollout.membrane;
        let functions = [
            (&membrane.currents, "membrane_currents"),
            (&membrane.step, "membrane_step"),
        ]
        .map(|(bound, name)| printer.function(rollout, sets, bound, name))
        .concat();
        printer.finish(&functions)
    }
}

/// How a kernel gets the values that are the same at every node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Constants {
    /// As part of its text where all fibers agree: fastest.
    Printed,
    /// Loaded from memory, so that kernels need not be recompiled when parameters change, as in training.
    Read,
}

/// Prints functions that share parameters.
pub(crate) struct Printer<R> {
    constants: Constants,
    parameters: Vec<LaneValues>,
    real: std::marker::PhantomData<R>,
}

impl<R: Real> Printer<R> {
    pub(crate) fn new(constants: Constants) -> Self {
        Printer {
            constants,
            parameters: Vec::new(),
            real: std::marker::PhantomData,
        }
    }

    /// The functions, after the parameters that they turned out to need.
    pub(crate) fn finish(self, functions: &str) -> MembraneText {
        let count = self.parameters.len();
        let mut text = format!("#define PARAMETERS {count}\n\n");
        text += match self.constants {
            Constants::Printed => "// Constants that differ between fibers.\nstruct Parameters {\n",
            Constants::Read => "// Constants, read where they are used.\nstruct Parameters {\n",
        };
        if self.constants == Constants::Read {
            text += "  const REAL* k;\n  DEVICE_MEMBER void load(const REAL* table) { k = table; }\n};\n";
        } else {
            if count > 0 {
                let names: Vec<String> = (0..count).map(|k| format!("k{k}")).collect();
                let _ = writeln!(text, "  REAL {};", names.join(", "));
            }
            text += "  DEVICE_MEMBER void load(const REAL* table) {\n";
            if count == 0 {
                text += "    (void)table;\n";
            }
            for k in 0..count {
                let _ = writeln!(text, "    k{k} = table[{k}];");
            }
            text += "  }\n};\n";
        }
        text += functions;
        MembraneText {
            text,
            parameters: self.parameters,
        }
    }

    /// One of the membrane programs as a function that turns `x` into the new states and sets `g`
    /// and `j`.
    fn function(
        &mut self,
        rollout: &Rollout,
        sets: &ParameterSets,
        bound: &BoundProgram,
        name: &str,
    ) -> String {
        let constants: Vec<Vec<Option<f64>>> = sets
            .examples
            .iter()
            .map(|&fiber| rollout.constants(&bound.bindings, fiber))
            .collect();
        let fused = bound.fused();
        let coefficients = fused.coefficients(&constants);
        let input = |input: usize| match bound.bindings[input] {
            Binding::U => "u".into(),
            Binding::State(state) => format!("x[{state}]"),
            Binding::Shared(_) | Binding::Fiber(_) | Binding::Dt | Binding::Reference => {
                unreachable!("a fused program has taken its constants in")
            }
        };
        let mut text = format!(
            "\nDEVICE void {name}(const Parameters& k, const REAL u, REAL (&x)[STATES_OR_1], REAL& g, REAL& j) {{\n"
        );
        // Outputs are read before states are overwritten: an output may be another state's input.
        let outputs = self.statements(&mut text, fused, &coefficients, &input);
        let (states, density) = outputs.split_at(outputs.len() - 2);
        for (state, value) in states.iter().enumerate() {
            let _ = writeln!(text, "  const REAL y{state} = {value};");
        }
        let _ = writeln!(text, "  g = {};\n  j = {};", density[0], density[1]);
        for state in 0..states.len() {
            let _ = writeln!(text, "  x[{state}] = y{state};");
        }
        text + "}\n"
    }

    /// Appends the steps of a program; returns its outputs as expressions. `input` names inputs of node extent,
    /// `coefficients` are `[coefficient][set]`.
    pub(crate) fn statements(
        &mut self,
        text: &mut String,
        fused: &FusedProgram,
        coefficients: &[LaneValues],
        input: &dyn Fn(usize) -> String,
    ) -> Vec<String> {
        let mut read = vec![None; coefficients.len()];
        let mut name = |argument: &FusedArgument| match argument {
            FusedArgument::Step(number) => format!("t{number}"),
            FusedArgument::Input(index) => input(*index),
            FusedArgument::Coefficient(index) => match self.constants {
                Constants::Printed => self.constant(&coefficients[*index]),
                Constants::Read => {
                    // Keyed by identity, not by value: equal ones may become different.
                    let number = *read[*index].get_or_insert_with(|| {
                        self.parameters.push(coefficients[*index].clone());
                        self.parameters.len() - 1
                    });
                    format!("k.k[{number}]")
                }
            },
            FusedArgument::Number(value) => literal::<R>(*value),
        };
        for (number, step) in fused.steps.iter().enumerate() {
            let arguments: Vec<String> = step.arguments.iter().map(&mut name).collect();
            let value = match step.op {
                FusedOp::WithDerivative(PairedFunction::Exprelr) => {
                    let derivative = number + 1;
                    let _ = writeln!(text, "  REAL t{derivative};");
                    format!("exprelr_derivative({}, t{derivative})", arguments[0])
                }
                FusedOp::WithDerivative(PairedFunction::Sigmoid) => {
                    expression::<R>(FusedOp::Apply(Op::Sigmoid), &arguments)
                }
                FusedOp::Derivative => match fused.steps[number - 1].op {
                    // y - y^2.
                    FusedOp::WithDerivative(PairedFunction::Sigmoid) => {
                        let y = &arguments[0];
                        expression::<R>(FusedOp::NegMulAdd, &[y.clone(), y.clone(), y.clone()])
                    }
                    _ => continue,
                },
                op => expression::<R>(op, &arguments),
            };
            let _ = writeln!(text, "  const REAL t{number} = {value};");
        }
        fused.outputs.iter().map(name).collect()
    }

    /// A literal where all sets agree, else a parameter.
    fn constant(&mut self, values: &LaneValues) -> String {
        let bits = |values: &LaneValues| -> Vec<u64> {
            values
                .iter()
                .map(|&x| R::from_f64(x).to_f64().to_bits())
                .collect()
        };
        let wanted = bits(values);
        if wanted.iter().all(|&x| x == wanted[0]) {
            return literal::<R>(values[0]);
        }
        let found = self
            .parameters
            .iter()
            .position(|known| bits(known) == wanted);
        let index = found.unwrap_or_else(|| {
            self.parameters.push(values.clone());
            self.parameters.len() - 1
        });
        format!("k.k{index}")
    }
}

/// C text of one step; arguments are names or literals, so that no operator binds tighter than meant.
fn expression<R: Real>(op: FusedOp, arguments: &[String]) -> String {
    let suffix = match R::PRECISION {
        Precision::F32 => "f",
        Precision::F64 => "",
    };
    let (pattern, negated) = match op {
        // The prelude chooses how these are computed in each precision.
        FusedOp::Apply(Op::Div) => ("divide({0}, {1})", None),
        FusedOp::Apply(Op::Exp) => ("exponential({0})", None),
        FusedOp::Apply(op) => (op.row().c, None),
        FusedOp::MulAdd => ("fma{f}({0}, {1}, {2})", None),
        FusedOp::MulSub => ("fma{f}({0}, {1}, {2})", Some(2)),
        FusedOp::NegMulAdd => ("fma{f}({0}, {1}, {2})", Some(0)),
        FusedOp::WithDerivative(_) | FusedOp::Derivative => {
            unreachable!("functions with their derivative are statements")
        }
    };
    let mut text = pattern.replace("{f}", suffix);
    for (index, argument) in arguments.iter().enumerate() {
        let argument = if negated == Some(index) {
            format!("-{argument}")
        } else {
            argument.clone()
        };
        text = text.replace(&format!("{{{index}}}"), &argument);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axonml_autodiff::ir::op::OPERATIONS;

    #[test]
    fn every_operation_of_the_table_is_printed_whole() {
        for row in OPERATIONS {
            let arguments: Vec<String> = (0..row.arity).map(|k| format!("a{k}")).collect();
            for text in [
                expression::<f32>(FusedOp::Apply(row.op), &arguments),
                expression::<f64>(FusedOp::Apply(row.op), &arguments),
            ] {
                assert!(!text.contains(['{', '}']), "{}: {text}", row.name);
                assert!(
                    arguments.iter().all(|a| text.contains(a.as_str())),
                    "{}: {text}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn products_fuse_with_their_signs() {
        let arguments = ["a", "b", "c"].map(str::to_owned);
        let print = |op| expression::<f32>(op, &arguments);
        assert_eq!(print(FusedOp::MulAdd), "fmaf(a, b, c)");
        assert_eq!(print(FusedOp::MulSub), "fmaf(a, b, -c)");
        assert_eq!(print(FusedOp::NegMulAdd), "fmaf(-a, b, c)");
    }
}
