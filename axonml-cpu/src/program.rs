//! A membrane program for the lanes of a group: printed where it is one of those, interpreted else, with equal bits.

use axonml_autodiff::ir::{FusedProgram, LaneValues, ProgramLayout, Real};

use crate::interpreter::Interpreter;
use crate::isa::Isa;
use crate::printed::PrintedProgram;
use crate::tape::Tape;

/// Which programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Programs {
    /// Printed ones, where they are known.
    Printed,
    /// All are interpreted.
    Interpreted,
}

/// A program bound to the constants of the fibers in the lanes.
#[derive(Debug)]
pub(crate) enum LaneProgram<R, const L: usize> {
    Printed(PrintedProgram<R, L>),
    Interpreted(Interpreter<R>),
}

impl<R: Real, const L: usize> LaneProgram<R, L> {
    /// The program with `coefficients[coefficient][lane]` for arrays of `len` numbers.
    pub(crate) fn new(
        fused: &FusedProgram,
        layout: &ProgramLayout,
        coefficients: &[LaneValues],
        len: usize,
        programs: Programs,
    ) -> Self {
        if programs == Programs::Printed
            && let Some(program) = PrintedProgram::find(fused.fingerprint(layout), coefficients)
        {
            return LaneProgram::Printed(program);
        }
        let tape = Tape::new(fused, coefficients, layout, L);
        LaneProgram::Interpreted(Interpreter::new(tape, len))
    }

    /// Whether a state or density that is not finite stays so, or makes the voltage so, from step to step: known of printed
    /// programs, whose states are gates; others may replace such a number by a finite one.
    pub(crate) fn keeps_nonfinite(&self) -> bool {
        matches!(self, LaneProgram::Printed(_))
    }

    /// Runs over whole arrays, in the order of the program's layout.
    pub(crate) fn run<'b>(&mut self, isa: Isa, inputs: &[&'b [R]], outputs: &mut [&'b mut [R]]) {
        match self {
            LaneProgram::Printed(program) => program.run(isa, inputs, outputs),
            LaneProgram::Interpreted(interpreter) => interpreter.run(isa, inputs, outputs),
        }
    }

    /// Number of sums over nodes.
    pub(crate) fn sums(&self) -> usize {
        match self {
            LaneProgram::Printed(program) => program.sums(),
            LaneProgram::Interpreted(interpreter) => interpreter.sums(),
        }
    }

    /// Moves the sums since the last call into `totals[sum][lane]`, which they are added to.
    pub(crate) fn take_sums(&mut self, totals: &mut [Vec<f64>]) {
        match self {
            LaneProgram::Printed(program) => program.take_sums(totals),
            LaneProgram::Interpreted(interpreter) => interpreter.take_sums(totals),
        }
    }
}
