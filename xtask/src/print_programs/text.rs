//! A fused program as Rust text.

use std::fmt::Write;

use axonml_autodiff::ir::{
    FusedArgument, FusedOp, FusedProgram, FusedStep, Op, PairedFunction, ProgramLayout, Target,
};

/// A program to be printed: the name of its type, a sentence that describes it, and what it computes.
pub(super) struct Printable<'a> {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) program: &'a FusedProgram,
    pub(super) layout: ProgramLayout,
}

/// A file of programs.
pub(super) fn file(model: &str, programs: &[Printable<'_>]) -> Result<String, String> {
    let mut text = format!(
        "//! Membrane of `{model}`. Printed by `cargo xtask print-programs`: do not edit.\n\n\
         // One statement for each step of the program, whatever its arguments.\n\
         #![allow(clippy::excessive_precision, clippy::unreadable_literal)]\n\n\
         use axonml_autodiff::ir::op::kernel;\nuse axonml_autodiff::ir::{{Real, math}};\n\n\
         use super::NodeProgram;\n"
    );
    for program in programs {
        text += &program.text()?;
    }
    // The rest of the text needs no other imports; this one only adjoints do.
    if !text.contains("math::") {
        text = text.replace(
            "use axonml_autodiff::ir::{Real, math};",
            "use axonml_autodiff::ir::Real;",
        );
    }
    Ok(text)
}

impl Printable<'_> {
    fn text(&self) -> Result<String, String> {
        let fused = self.program;
        let (inputs, outputs) = (self.layout.inputs(), self.layout.outputs());
        if outputs != fused.outputs.len() {
            return Err(format!("{}: sums over nodes are not printed", self.name));
        }
        let mut text = format!(
            "\n/// {}\npub(super) enum {name} {{}}\n\n\
             impl NodeProgram<{inputs}, {outputs}> for {name} {{\n    \
             const FINGERPRINT: u64 = {:#x};\n    const COEFFICIENTS: usize = {};\n\n    \
             #[inline(always)]\n    \
             fn node<R: Real, const L: usize, const FUSED: bool>(\n        k: impl Fn(usize) -> R,\n        \
             x: impl Fn(usize) -> R,\n        y: &mut [[R; L]; {outputs}],\n        \
             l: usize,\n    ) {{\n",
            self.description,
            fused.fingerprint(&self.layout),
            fused.split.coefficients.outputs().len(),
            name = self.name,
        );
        for (number, step) in fused.steps.iter().enumerate() {
            if let Some(statement) = self.statement(number, step) {
                let _ = writeln!(text, "        let {statement};");
            }
        }
        for (output, target) in fused.outputs.iter().zip(&self.layout.targets) {
            if let Target::Array(array) = target {
                let _ = writeln!(text, "        y[{array}][l] = {};", self.operand(output));
            }
        }
        text += "    }\n}\n";
        Ok(text)
    }

    fn operand(&self, argument: &FusedArgument) -> String {
        match *argument {
            FusedArgument::Step(step) => format!("t{step}"),
            FusedArgument::Input(input) => match self.layout.arrays[input] {
                Some(array) => format!("x({array})"),
                None => unreachable!("inputs of node extent are bound to arrays"),
            },
            FusedArgument::Coefficient(index) => format!("k({index})"),
            FusedArgument::Number(number) => format!("R::from_f64({number:?})"),
        }
    }

    /// Pattern and value of a step; none for a derivative, which the step before has computed.
    fn statement(&self, number: usize, step: &FusedStep) -> Option<String> {
        let of: Vec<String> = step
            .arguments
            .iter()
            .map(|argument| self.operand(argument))
            .collect();
        let value = match step.op {
            FusedOp::Derivative => return None,
            FusedOp::WithDerivative(function) => {
                let function = match function {
                    PairedFunction::Exprelr => "exprelr_value_grad",
                    PairedFunction::Sigmoid => "sigmoid_value_grad",
                };
                return Some(format!(
                    "(t{number}, t{}) = math::{function}::<R, FUSED>({})",
                    number + 1,
                    of[0]
                ));
            }
            FusedOp::MulAdd => format!("{}.fma::<FUSED>({}, {})", of[0], of[1], of[2]),
            FusedOp::MulSub => format!("{}.fma::<FUSED>({}, -{})", of[0], of[1], of[2]),
            FusedOp::NegMulAdd => format!("(-{}).fma::<FUSED>({}, {})", of[0], of[1], of[2]),
            FusedOp::Apply(Op::Add) => format!("{} + {}", of[0], of[1]),
            FusedOp::Apply(Op::Sub) => format!("{} - {}", of[0], of[1]),
            FusedOp::Apply(Op::Mul) => format!("{} * {}", of[0], of[1]),
            FusedOp::Apply(Op::Div) => format!("{} / {}", of[0], of[1]),
            FusedOp::Apply(Op::Neg) => format!("-{}", of[0]),
            FusedOp::Apply(op) => {
                format!("kernel::{}::<R, FUSED>({})", op.row().name, of.join(", "))
            }
        };
        Some(format!("t{number} = {value}"))
    }
}
