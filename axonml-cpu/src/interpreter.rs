//! The block interpreter: runs a tape over blocks of nodes x lanes, one instruction at a time, each a vectorized loop.

use std::ops::Range;

use axonml_autodiff::ir::op::kernel;
use axonml_autodiff::ir::{FusedOp, Op, PairedFunction, Real, math};

use crate::isa::{Isa, Kernel, dispatch};
use crate::tape::{Action, Destination, Instruction, Operand, Prologue, Tape};

/// Bytes of intermediate results that a block may occupy: within the smallest first-level cache in use (32 KiB), next
/// to the inputs and outputs that stream through it.
const BLOCK_BYTES: usize = 20 * 1024;

/// Rows that a block has at least where there are so many: below, dispatch costs more than the work, and the
/// second-level cache is fast enough for data that no longer fits the first.
const LEAST_ROWS: usize = 56;

/// Number of parallel partial sums of an accumulator, so that additions need not wait for each other: whole rows of
/// lanes.
pub(crate) const SUM_WIDTH: usize = 64;

/// A tape with the memory that running it needs.
#[derive(Debug)]
pub(crate) struct Interpreter<R> {
    tape: Tape<R>,
    /// Tiles repeated to the length of a block.
    tiles: Vec<Vec<R>>,
    /// Intermediate results, a block each.
    slots: Vec<R>,
    /// Running sums: rows of a sum are added up when they are taken.
    sums: Vec<[R; SUM_WIDTH]>,
    block: usize,
}

impl<R: Real> Interpreter<R> {
    /// Prepares `tape` for arrays of `len` numbers (nodes x lanes).
    pub(crate) fn new(tape: Tape<R>, len: usize) -> Self {
        let rows = len / tape.lanes;
        assert!(SUM_WIDTH.is_multiple_of(tape.lanes), "sums hold whole rows");
        let room = BLOCK_BYTES / (size_of::<R>() * tape.lanes * tape.slots.max(1));
        // Blocks of nearly equal height: the fewest that fit.
        let blocks = rows.div_ceil(room.max(LEAST_ROWS)).max(1);
        let height = match blocks {
            1 => rows,
            // A block begins with the first partial sum, and vectorized loops take several vectors at a time.
            _ => rows
                .div_ceil(blocks)
                .next_multiple_of(SUM_WIDTH / tape.lanes),
        };
        let block = height * tape.lanes;
        let tiles = tape
            .tiles
            .iter()
            .map(|tile| tile.repeat(block / tape.lanes))
            .collect();
        let slots = vec![R::default(); tape.slots * block];
        let sums = vec![[R::default(); SUM_WIDTH]; tape.negated.len()];
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
                    stride: self.block,
                    sums: &mut self.sums,
                    inputs,
                    outputs,
                    range,
                },
            );
        }
    }

    /// Number of sums.
    pub(crate) fn sums(&self) -> usize {
        self.sums.len()
    }

    /// Moves the sums since the last call into `totals[sum][lane]`, which they are added to.
    pub(crate) fn take_sums(&mut self, totals: &mut [Vec<f64>]) {
        for ((sums, totals), &negated) in self.sums.iter_mut().zip(totals).zip(&self.tape.negated) {
            let sign = if negated { -1.0 } else { 1.0 };
            for row in sums.chunks_exact(self.tape.lanes) {
                for (total, x) in totals.iter_mut().zip(row) {
                    *total += sign * x.to_f64();
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
    slots: &'a mut [R],
    /// Numbers from one register to the next.
    stride: usize,
    sums: &'a mut [[R; SUM_WIDTH]],
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

impl<R: Real> Block<'_, '_, R> {
    /// An instruction with two results, both of them registers.
    #[inline(always)]
    fn value_and_derivative<const FUSED: bool>(
        &mut self,
        instruction: &Instruction<R>,
        paired: PairedFunction,
        second: usize,
    ) {
        let Destination::Slot(first) = instruction.to else {
            unreachable!("the first result of two is a slot")
        };
        let at = |slot: usize| slot * self.stride..slot * self.stride + self.range.len();
        let two = [at(first), at(second)];
        let apart = "results and arguments have slots of their own";
        let (value, slope, x) = match instruction.from[0] {
            Operand::Slot(slot) => {
                let three = [at(first), at(second), at(slot)];
                let [value, slope, x] = self.slots.get_disjoint_mut(three).expect(apart);
                (value, slope, &*x)
            }
            from => {
                let [value, slope] = self.slots.get_disjoint_mut(two).expect(apart);
                let x = match from {
                    Operand::Input(index) => &self.inputs[index][self.range.clone()],
                    Operand::Output(index) => &self.outputs[index][self.range.clone()],
                    Operand::Tile(index) => &self.tiles[index][..self.range.len()],
                    Operand::Scalar(_) | Operand::Slot(_) => {
                        unreachable!("a uniform value is a coefficient")
                    }
                };
                (value, slope, x)
            }
        };
        macro_rules! of {
            ($function:expr) => {
                match instruction.before() {
                    Prepared::No => two_results(value, slope, x, |x| $function(x)),
                    Prepared::Scaled(k) => two_results(value, slope, x, |x| $function(x * k)),
                    Prepared::Affine(k, c) => {
                        two_results(value, slope, x, |x: R| $function(x.fma::<FUSED>(k, c)))
                    }
                }
            };
        }
        match paired {
            PairedFunction::Exprelr => of!(math::exprelr_value_grad::<R, FUSED>),
            PairedFunction::Sigmoid => of!(math::sigmoid_value_grad::<R, FUSED>),
        }
    }
}

/// Affine prologue applied to a function's argument.
enum Prepared<R> {
    No,
    Scaled(R),
    Affine(R, R),
}

impl<R: Real> Instruction<R> {
    #[inline(always)]
    fn before(&self) -> Prepared<R> {
        match (self.before, self.from[1], self.from[2]) {
            (Prologue::Nothing, ..) => Prepared::No,
            (Prologue::Scaled, Operand::Scalar(k), _) => Prepared::Scaled(k),
            (Prologue::Affine, Operand::Scalar(k), Operand::Scalar(c)) => Prepared::Affine(k, c),
            _ => unreachable!("only uniform numbers are folded into arguments"),
        }
    }
}

#[inline(always)]
fn two_results<R: Real>(to: &mut [R], second: &mut [R], x: &[R], f: impl Fn(R) -> (R, R)) {
    let n = x.len();
    let (to, second) = (&mut to[..n], &mut second[..n]);
    for i in 0..n {
        (to[i], second[i]) = f(x[i]);
    }
}

impl<R: Real> Kernel for Block<'_, '_, R> {
    #[inline(always)]
    fn run<const FUSED: bool>(mut self) {
        let length = self.range.len();
        for instruction in &self.tape.instructions {
            if let (Action::ValueAndDerivative(paired), Some(second)) =
                (instruction.action, instruction.second)
            {
                self.value_and_derivative::<FUSED>(instruction, paired, second);
                continue;
            }
            // An instruction never reads its result: taking the result out lets the operands be borrowed from the same
            // memory.
            let mut output: &mut [R] = &mut [];
            let (mut before, mut own, mut after, mut taken) =
                (&*self.slots, &mut [][..], &[][..], usize::MAX);
            match instruction.to {
                Destination::Slot(slot) => {
                    let (head, tail) = self.slots.split_at_mut(slot * self.stride);
                    let (middle, tail) = tail.split_at_mut(self.stride);
                    (before, own, after, taken) = (head, &mut middle[..length], tail, slot);
                }
                Destination::Output(index) => {
                    output = std::mem::take(&mut self.outputs[index]);
                    own = &mut output[self.range.clone()];
                }
                Destination::Sum(_) => {}
            }
            let operands = Operands {
                tiles: self.tiles,
                slots: (before, after),
                taken,
                stride: self.stride,
                inputs: self.inputs,
                outputs: self.outputs,
                range: &self.range,
            };
            match instruction.to {
                Destination::Sum(sum) => {
                    operands.collect::<FUSED>(instruction, &mut self.sums[sum])
                }
                Destination::Slot(_) | Destination::Output(_) => {
                    operands.execute::<FUSED>(instruction, own);
                }
            }
            if let Destination::Output(index) = instruction.to {
                self.outputs[index] = output;
            }
        }
    }
}

/// Where the operands of an instruction are found.
struct Operands<'a, 'b, R> {
    tiles: &'a [Vec<R>],
    /// The registers before and after register `taken`, which the instruction writes.
    slots: (&'a [R], &'a [R]),
    taken: usize,
    stride: usize,
    inputs: &'a [&'b [R]],
    outputs: &'a [&'b mut [R]],
    range: &'a Range<usize>,
}

impl<R: Real> Operands<'_, '_, R> {
    #[inline(always)]
    fn source(&self, operand: Operand<R>) -> Source<'_, R> {
        let length = self.range.len();
        match operand {
            Operand::Scalar(x) => Source::Scalar(x),
            Operand::Tile(index) => Source::Array(&self.tiles[index][..length]),
            Operand::Slot(index) => {
                let (slots, index) = match index < self.taken {
                    true => (self.slots.0, index),
                    false => (self.slots.1, index - self.taken - 1),
                };
                Source::Array(&slots[index * self.stride..][..length])
            }
            Operand::Input(index) => Source::Array(&self.inputs[index][self.range.clone()]),
            Operand::Output(index) => Source::Array(&self.outputs[index][self.range.clone()]),
        }
    }

    /// Adds to a sum.
    #[inline(always)]
    fn collect<const FUSED: bool>(&self, instruction: &Instruction<R>, to: &mut [R; SUM_WIDTH]) {
        let (a, b) = (
            self.source(instruction.from[0]),
            self.source(instruction.from[1]),
        );
        let rows = self.range.len() / SUM_WIDTH * SUM_WIDTH;
        let constant = |to: &mut [R; SUM_WIDTH], x: R| {
            for i in 0..SUM_WIDTH {
                let times = rows / SUM_WIDTH + usize::from(rows + i < self.range.len());
                to[i] += x * R::from_f64(times as f64);
            }
        };
        match (instruction.action, a, b) {
            (Action::Add, Source::Array(a), _) => collect(to, a, a, |a, _, sum| sum + a),
            (Action::Add, Source::Scalar(a), _) => constant(to, a),
            (_, Source::Array(a), Source::Array(b)) => {
                collect(to, a, b, |a, b, sum| a.fma::<FUSED>(b, sum));
            }
            (_, Source::Array(a), Source::Scalar(b)) | (_, Source::Scalar(b), Source::Array(a)) => {
                collect(to, a, a, |a, _, sum| a.fma::<FUSED>(b, sum));
            }
            (_, Source::Scalar(a), Source::Scalar(b)) => constant(to, a * b),
        }
    }

    /// A function of an argument that is scaled, and perhaps shifted, first.
    #[inline(always)]
    fn prepared<const FUSED: bool>(&self, instruction: &Instruction<R>, to: &mut [R]) {
        macro_rules! of {
            ($function:expr) => {
                match instruction.before() {
                    Prepared::No => unreachable!("the caller checks for a prologue"),
                    Prepared::Scaled(k) => {
                        unary(to, self.source(instruction.from[0]), |x| $function(x * k))
                    }
                    Prepared::Affine(k, c) => {
                        unary(to, self.source(instruction.from[0]), |x: R| {
                            $function(x.fma::<FUSED>(k, c))
                        })
                    }
                }
            };
        }
        match instruction.action {
            Action::Compute(FusedOp::Apply(Op::Exp)) => of!(math::exp::<R, FUSED>),
            Action::Compute(FusedOp::Apply(Op::Exprelr)) => of!(math::exprelr::<R, FUSED>),
            Action::Compute(FusedOp::Apply(Op::Sigmoid)) => of!(math::sigmoid::<R, FUSED>),
            other => unreachable!("nothing is folded into {other:?}"),
        }
    }

    #[inline(always)]
    fn execute<const FUSED: bool>(&self, instruction: &Instruction<R>, to: &mut [R]) {
        if instruction.before != Prologue::Nothing {
            return self.prepared::<FUSED>(instruction, to);
        }
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
                    Action::Add | Action::AddProduct => unreachable!("sums are accumulated elsewhere"),
                    Action::Compute(FusedOp::WithDerivative(_) | FusedOp::Derivative) | Action::ValueAndDerivative(_) => unreachable!("it has two results"),
                    Action::Product => {
                        ternary(to, source!(0), source!(1), source!(2), |a: R, b, c| a * b * c)
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

// Loops count through slices of one length: as iterators would, without their calls where the compiler's inlining with
// so long a function ends.

#[inline(always)]
fn unary<R: Real>(to: &mut [R], a: Source<'_, R>, f: impl Fn(R) -> R) {
    let n = to.len();
    match a {
        Source::Array(a) => {
            let a = &a[..n];
            for i in 0..n {
                to[i] = f(a[i]);
            }
        }
        Source::Scalar(a) => to.fill(f(a)),
    }
}

#[inline(always)]
fn binary<R: Real>(to: &mut [R], a: Source<'_, R>, b: Source<'_, R>, f: impl Fn(R, R) -> R) {
    let n = to.len();
    match (a, b) {
        (Source::Array(a), Source::Array(b)) => {
            let (a, b) = (&a[..n], &b[..n]);
            for i in 0..n {
                to[i] = f(a[i], b[i]);
            }
        }
        (Source::Array(a), Source::Scalar(b)) => {
            let a = &a[..n];
            for i in 0..n {
                to[i] = f(a[i], b);
            }
        }
        (Source::Scalar(a), Source::Array(b)) => {
            let b = &b[..n];
            for i in 0..n {
                to[i] = f(a, b[i]);
            }
        }
        (Source::Scalar(a), Source::Scalar(b)) => to.fill(f(a, b)),
    }
}

/// Adds `f` of two arrays to a sum, element by element.
#[inline(always)]
fn collect<R: Real>(to: &mut [R; SUM_WIDTH], a: &[R], b: &[R], f: impl Fn(R, R, R) -> R) {
    let n = a.len() / SUM_WIDTH;
    let (rows_a, rows_b) = (
        &a.as_chunks::<SUM_WIDTH>().0[..n],
        &b.as_chunks::<SUM_WIDTH>().0[..n],
    );
    let mut sums = *to;
    for k in 0..n {
        for i in 0..SUM_WIDTH {
            sums[i] = f(rows_a[k][i], rows_b[k][i], sums[i]);
        }
    }
    let (a, b) = (&a[n * SUM_WIDTH..], &b[n * SUM_WIDTH..]);
    let rest = a.len();
    let (b, sums_of_rest) = (&b[..rest], &mut sums[..rest]);
    for i in 0..rest {
        sums_of_rest[i] = f(a[i], b[i], sums_of_rest[i]);
    }
    *to = sums;
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
    let n = to.len();
    let a = &a[..n];
    match (b, c) {
        (Source::Array(b), Source::Array(c)) => {
            let (b, c) = (&b[..n], &c[..n]);
            for i in 0..n {
                to[i] = f(a[i], b[i], c[i]);
            }
        }
        (Source::Array(b), Source::Scalar(c)) => {
            let b = &b[..n];
            for i in 0..n {
                to[i] = f(a[i], b[i], c);
            }
        }
        (Source::Scalar(b), Source::Array(c)) => {
            let c = &c[..n];
            for i in 0..n {
                to[i] = f(a[i], b, c[i]);
            }
        }
        (Source::Scalar(b), Source::Scalar(c)) => {
            for i in 0..n {
                to[i] = f(a[i], b, c);
            }
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
