//! The block interpreter: runs a tape over blocks of nodes x lanes, one instruction at a time, each a vectorised loop.

use std::ops::Range;

use axonml_autodiff::op::kernel;
use axonml_autodiff::{FusedOp, Op, Real};

use crate::isa::{Isa, Kernel, dispatch};
use crate::tape::{Action, Destination, Instruction, Operand, Tape};

/// Bytes of intermediate results that a block may occupy: within the smallest first-level cache in use (32 KiB), next
/// to the inputs and outputs that stream through it.
const BLOCK_BYTES: usize = 20 * 1024;

/// A tape with the memory that running it needs.
#[derive(Debug)]
pub(crate) struct Interpreter<R> {
    tape: Tape<R>,
    /// Tiles repeated to the length of a block.
    tiles: Vec<Vec<R>>,
    slots: Vec<Vec<R>>,
    /// Running sums, each of the length of a block: rows are added up when they are taken.
    sums: Vec<Vec<R>>,
    block: usize,
}

impl<R: Real> Interpreter<R> {
    /// Prepares `tape` for arrays of `len` numbers (nodes x lanes).
    pub(crate) fn new(tape: Tape<R>, len: usize) -> Self {
        let rows = len / tape.lanes;
        let room = BLOCK_BYTES / (size_of::<R>() * tape.lanes * tape.slots.max(1));
        let room = room.max(4);
        let height = match tape.sums {
            // Blocks of equal height: the fewest that fit.
            0 => rows.div_ceil(rows.div_ceil(room).max(1)),
            // Rows that are summed together must not depend on how many rows a fibre's companions have.
            _ => room,
        };
        let block = height * tape.lanes;
        let tiles = tape
            .tiles
            .iter()
            .map(|tile| tile.repeat(block / tape.lanes))
            .collect();
        let slots = vec![vec![R::default(); block]; tape.slots];
        let sums = vec![vec![R::default(); block]; tape.sums];
        Interpreter {
            tape,
            tiles,
            slots,
            sums,
            block,
        }
    }

    /// Runs over whole arrays: `inputs` and `outputs` in the tape's numbering, all of the length given to `new`.
    pub(crate) fn run<'b>(&mut self, isa: Isa, inputs: &[&'b [R]], outputs: &mut [&'b mut [R]]) {
        let len = outputs.first().map_or(0, |output| output.len());
        let mut start = 0;
        while start < len {
            let range = start..(start + self.block).min(len);
            start = range.end;
            dispatch(
                isa,
                Block {
                    tape: &self.tape,
                    tiles: &self.tiles,
                    slots: &mut self.slots,
                    sums: &mut self.sums,
                    inputs,
                    outputs,
                    range,
                },
            );
        }
    }

    /// Moves the sums since the last call into `totals[sum][lane]`, which they are added to.
    pub(crate) fn take_sums(&mut self, totals: &mut [Vec<f64>]) {
        for (sums, totals) in self.sums.iter_mut().zip(totals) {
            for row in sums.chunks_exact(self.tape.lanes) {
                for (total, x) in totals.iter_mut().zip(row) {
                    *total += x.to_f64();
                }
            }
            sums.fill(R::default());
        }
    }
}

/// One pass of the tape over one block.
struct Block<'a, 'b, R> {
    tape: &'a Tape<R>,
    tiles: &'a [Vec<R>],
    slots: &'a mut [Vec<R>],
    sums: &'a mut [Vec<R>],
    inputs: &'a [&'b [R]],
    outputs: &'a mut [&'b mut [R]],
    range: Range<usize>,
}

/// An operand as loops see it.
#[derive(Clone, Copy)]
enum Source<'a, R> {
    Scalar(R),
    Array(&'a [R]),
}

impl<R: Real> Kernel for Block<'_, '_, R> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for instruction in &self.tape.instructions {
            // Taking the destination out lets the operands be borrowed from the same memory without aliasing it: an
            // instruction never reads what it writes.
            match instruction.to {
                Destination::Slot(slot) => {
                    let mut memory = std::mem::take(&mut self.slots[slot]);
                    let length = self.range.len();
                    self.execute::<FUSED>(instruction, &mut memory[..length]);
                    self.slots[slot] = memory;
                }
                Destination::Output(output) => {
                    let memory = std::mem::take(&mut self.outputs[output]);
                    self.execute::<FUSED>(instruction, &mut memory[self.range.clone()]);
                    self.outputs[output] = memory;
                }
                Destination::Sum(sum) => {
                    let mut memory = std::mem::take(&mut self.sums[sum]);
                    let length = self.range.len();
                    self.execute::<FUSED>(instruction, &mut memory[..length]);
                    self.sums[sum] = memory;
                }
            }
        }
    }
}

impl<R: Real> Block<'_, '_, R> {
    #[inline(always)]
    fn source(&self, operand: Operand<R>) -> Source<'_, R> {
        let length = self.range.len();
        match operand {
            Operand::Scalar(x) => Source::Scalar(x),
            Operand::Tile(index) => Source::Array(&self.tiles[index][..length]),
            Operand::Slot(index) => Source::Array(&self.slots[index][..length]),
            Operand::Input(index) => Source::Array(&self.inputs[index][self.range.clone()]),
            Operand::Output(index) => Source::Array(&self.outputs[index][self.range.clone()]),
        }
    }

    #[inline(always)]
    fn execute<const FUSED: bool>(&self, instruction: &Instruction<R>, to: &mut [R]) {
        // A macro, for a closure would not be inlined into every arm.
        macro_rules! source {
            ($index:literal) => {
                self.source(instruction.from[$index])
            };
        }
        macro_rules! operation {
            ($( ($variant:ident, $name:ident, $arguments:tt) )+) => {
                match instruction.action {
                    Action::Compute(FusedOp::MulAdd) => {
                        ternary(to, source!(0), source!(1), source!(2), |a: R, b, c| a.fma::<FUSED>(b, c))
                    }
                    Action::Compute(FusedOp::MulSub) => {
                        ternary(to, source!(0), source!(1), source!(2), |a: R, b, c: R| a.fma::<FUSED>(b, -c))
                    }
                    Action::Compute(FusedOp::NegMulAdd) => {
                        ternary(to, source!(0), source!(1), source!(2), |a: R, b, c| (-a).fma::<FUSED>(b, c))
                    }
                    Action::Copy => unary(to, source!(0), |a| a),
                    Action::Add => add(to, source!(0)),
                    Action::AddProduct => {
                        add_product(to, source!(0), source!(1), |a: R, b, c| a.fma::<FUSED>(b, c))
                    }
                    $( Action::Compute(FusedOp::Apply(Op::$variant)) => operation!(@ $name $arguments), )+
                }
            };
            (@ $name:ident ($x:ident)) => { unary(to, source!(0), kernel::$name::<R, FUSED>) };
            (@ $name:ident ($x:ident, $y:ident)) => { binary(to, source!(0), source!(1), kernel::$name::<R, FUSED>) };
            (@ $name:ident ($x:ident, $y:ident, $z:ident, $w:ident)) => {
                quaternary(to, [source!(0), source!(1), source!(2), source!(3)], kernel::$name::<R, FUSED>)
            };
        }
        axonml_autodiff::for_each_operation!(operation);
    }
}

#[inline(always)]
fn unary<R: Real>(to: &mut [R], a: Source<'_, R>, f: impl Fn(R) -> R) {
    match a {
        Source::Array(a) => to.iter_mut().zip(a).for_each(|(to, &a)| *to = f(a)),
        Source::Scalar(a) => to.fill(f(a)),
    }
}

#[inline(always)]
fn binary<R: Real>(to: &mut [R], a: Source<'_, R>, b: Source<'_, R>, f: impl Fn(R, R) -> R) {
    match (a, b) {
        (Source::Array(a), Source::Array(b)) => to
            .iter_mut()
            .zip(a)
            .zip(b)
            .for_each(|((to, &a), &b)| *to = f(a, b)),
        (Source::Array(a), Source::Scalar(b)) => {
            to.iter_mut().zip(a).for_each(|(to, &a)| *to = f(a, b))
        }
        (Source::Scalar(a), Source::Array(b)) => {
            to.iter_mut().zip(b).for_each(|(to, &b)| *to = f(a, b))
        }
        (Source::Scalar(a), Source::Scalar(b)) => to.fill(f(a, b)),
    }
}

#[inline(always)]
fn add<R: Real>(to: &mut [R], a: Source<'_, R>) {
    match a {
        Source::Array(a) => to.iter_mut().zip(a).for_each(|(to, &a)| *to += a),
        Source::Scalar(a) => to.iter_mut().for_each(|to| *to += a),
    }
}

#[inline(always)]
fn add_product<R: Real>(
    to: &mut [R],
    a: Source<'_, R>,
    b: Source<'_, R>,
    f: impl Fn(R, R, R) -> R,
) {
    match (a, b) {
        (Source::Array(a), Source::Array(b)) => {
            to.iter_mut()
                .zip(a)
                .zip(b)
                .for_each(|((to, &a), &b)| *to = f(a, b, *to));
        }
        (Source::Array(x), Source::Scalar(s)) | (Source::Scalar(s), Source::Array(x)) => {
            to.iter_mut().zip(x).for_each(|(to, &x)| *to = f(x, s, *to));
        }
        (Source::Scalar(a), Source::Scalar(b)) => to.iter_mut().for_each(|to| *to = f(a, b, *to)),
    }
}

/// Multiply-adds: the first factor is always an array.
#[inline(always)]
fn ternary<R: Real>(
    to: &mut [R],
    a: Source<'_, R>,
    b: Source<'_, R>,
    c: Source<'_, R>,
    f: impl Fn(R, R, R) -> R,
) {
    let Source::Array(a) = a else {
        unreachable!("the first factor of a multiply-add is an array")
    };
    match (b, c) {
        (Source::Array(b), Source::Array(c)) => {
            to.iter_mut()
                .zip(a)
                .zip(b)
                .zip(c)
                .for_each(|(((to, &a), &b), &c)| *to = f(a, b, c));
        }
        (Source::Array(b), Source::Scalar(c)) => {
            to.iter_mut()
                .zip(a)
                .zip(b)
                .for_each(|((to, &a), &b)| *to = f(a, b, c));
        }
        (Source::Scalar(b), Source::Array(c)) => {
            to.iter_mut()
                .zip(a)
                .zip(c)
                .for_each(|((to, &a), &c)| *to = f(a, b, c));
        }
        (Source::Scalar(b), Source::Scalar(c)) => {
            to.iter_mut().zip(a).for_each(|(to, &a)| *to = f(a, b, c))
        }
    }
}

/// A scalar or an array, known at compile time, so that selections need no array of a constant.
trait At<R>: Copy {
    fn at(self, index: usize) -> R;
}

#[derive(Clone, Copy)]
struct Constant<R>(R);

impl<R: Real> At<R> for Constant<R> {
    #[inline(always)]
    fn at(self, _: usize) -> R {
        self.0
    }
}

impl<R: Real> At<R> for &[R] {
    #[inline(always)]
    fn at(self, index: usize) -> R {
        self[index]
    }
}

#[inline(always)]
fn quaternary<R: Real>(to: &mut [R], from: [Source<'_, R>; 4], f: impl Fn(R, R, R, R) -> R) {
    let n = to.len();
    macro_rules! unpack {
        ([$($done:ident)*]) => {
            for i in 0..n {
                to[i] = f($($done.at(i)),*);
            }
        };
        ([$($done:ident)*] $next:ident $($rest:ident)*) => {
            match $next {
                Source::Array(array) => {
                    let $next = &array[..n];
                    unpack!([$($done)* $next] $($rest)*);
                }
                Source::Scalar(x) => {
                    let $next = Constant(x);
                    unpack!([$($done)* $next] $($rest)*);
                }
            }
        };
    }
    let [a, b, c, d] = from;
    unpack!([] a b c d);
}

#[cfg(test)]
mod tests;
