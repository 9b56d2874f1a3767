//! A fused program as Rust text.

use std::fmt::Write;

use axonml_autodiff::ir::{
    Accumulation, FusedArgument, FusedOp, FusedProgram, FusedStep, Op, PairedFunction,
    ProgramLayout, Target, Term,
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
         #![allow(clippy::erasing_op, clippy::excessive_precision, clippy::unreadable_literal)]\n\n\
         use axonml_autodiff::ir::op::kernel;\nuse axonml_autodiff::ir::{{Real, math}};\n\n\
         use super::{{CHUNK, NodeProgram, Sums}};\n"
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
        let (accumulations, skipped) = fused.accumulations(&self.layout.targets);
        let (inputs, outputs) = (self.layout.inputs(), self.layout.outputs());
        let sums = accumulations.len();
        let coefficients = fused.split.coefficients.outputs().len();
        let mut negated = vec![false; sums];
        for accumulation in &accumulations {
            negated[accumulation.sum] = accumulation.negated;
        }
        let mut text = format!(
            "\n/// {}\npub(super) enum {name} {{}}\n\n\
             impl NodeProgram<{inputs}, {outputs}, {sums}, {coefficients}> for {name} {{\n    \
             const FINGERPRINT: u64 = {:#x};\n    const NEGATED: [bool; {sums}] = {};\n\n    \
             #[inline(always)]\n    \
             fn node<R: Real, const L: usize, const FUSED: bool>(\n        k: impl Fn(usize) -> R,\n        \
             x: impl Fn(usize) -> R,\n        y: &mut [[R; L]; {outputs}],\n        \
             {}: Sums<'_, R, L>,\n        l: usize,\n    ) {{\n",
            self.description,
            fused.fingerprint(&self.layout),
            match negated.contains(&true) {
                true => format!("{negated:?}"),
                false => format!("[false; {sums}]"),
            },
            match sums {
                0 => "_",
                _ => "s",
            },
            name = self.name,
        );
        // Sums of inputs need no step: they come last.
        let known = |after: Option<usize>| {
            let accumulations = accumulations.iter();
            accumulations.filter(move |accumulation| accumulation.after == after)
        };
        for (number, step) in fused.steps.iter().enumerate() {
            if !skipped[number]
                && let Some(statement) = self.statement(number, step)
            {
                let _ = writeln!(text, "        let {statement};");
            }
            for accumulation in known(Some(number)) {
                text += &self.summed(accumulation)?;
            }
        }
        for accumulation in known(None) {
            text += &self.summed(accumulation)?;
        }
        for (output, target) in fused.outputs.iter().zip(&self.layout.targets) {
            if let Target::Array(array) = target {
                let _ = writeln!(text, "        y[{array}][l] = {};", self.operand(output));
            }
        }
        text += "    }\n}\n";
        Ok(text)
    }

    /// The statement that adds to a sum; empty if zero is added.
    fn summed(&self, accumulation: &Accumulation) -> Result<String, String> {
        let sum = format!("s[{0} / CHUNK][{0} % CHUNK][l]", accumulation.sum);
        let statement = match accumulation.term {
            Term::Zero => return Ok(String::new()),
            // The interpreter adds such a summand once, times the number of nodes.
            Term::Value(FusedArgument::Number(_) | FusedArgument::Coefficient(_)) => {
                return Err(format!("{}: a sum of constants is not printed", self.name));
            }
            Term::Value(argument) => format!("{sum} += {}", self.operand(&argument)),
            Term::Product(step) => {
                let [a, b] =
                    [0, 1].map(|factor| self.operand(&self.program.steps[step].arguments[factor]));
                format!("{sum} = {a}.fma::<FUSED>({b}, {sum})")
            }
        };
        Ok(format!("        {statement};\n"))
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
