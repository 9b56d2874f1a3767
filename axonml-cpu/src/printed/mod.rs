//! Programs that are compiled instead of interpreted: the membranes of the bundled models, printed as Rust.
//!
//! `cargo xtask print-programs` writes the files of this folder from the same fused programs that the interpreter runs
//! and CUDA prints, operation by operation, so that both give the same bits; intermediate results stay in registers. A
//! program is recognized by its fingerprint, not by its model: whatever model has the same membrane runs it too.

#[rustfmt::skip]
mod mrg;
#[rustfmt::skip]
mod smf;
#[rustfmt::skip]
mod sundt;
#[rustfmt::skip]
mod two_mode;

use std::marker::PhantomData;

use axonml_autodiff::ir::{LaneValues, Real};

use crate::cable::{lanes, lanes_mut};
use crate::interpreter::SUM_WIDTH;
use crate::isa::{Isa, Kernel, dispatch};

/// Sums that lie in one array. LLVM follows a hundred uses of an array before it takes for granted that others know its
/// address, would compare it with those of inputs, and makes no vectors of eight lanes for that.
const CHUNK: usize = 12;

/// Arrays of sums.
const CHUNKS: usize = 3;

/// Partial sums that rows add to in turn.
const MOST_PARTS: usize = 8;

/// The sums that a row adds to: sum `i` is `[i / CHUNK][i % CHUNK]`.
type Sums<'a, R, const L: usize> = [&'a mut [[R; L]; CHUNK]; CHUNKS];

/// Partial sums, `[chunk][part][sum of the chunk][lane]`.
type PartialSums<R, const L: usize> = [[[[R; L]; CHUNK]; MOST_PARTS]; CHUNKS];

/// A fused program as a function of one node and lane, with `I` input and `O` output arrays, `S` sums over nodes and `K`
/// coefficients.
trait NodeProgram<const I: usize, const O: usize, const S: usize, const K: usize> {
    /// [`FusedProgram::fingerprint`](axonml_autodiff::ir::FusedProgram::fingerprint) of what it was printed from.
    const FINGERPRINT: u64;
    /// For every sum, whether it is accumulated with the opposite sign.
    const NEGATED: [bool; S];

    /// Computes the outputs `y` and adds to the sums `s` in lane `l` from coefficients `k` and inputs `x` by index.
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; O],
        s: Sums<'_, R, L>,
        l: usize,
    );
}

/// A printed program bound to the constants of the fibers in the lanes, with its sums.
#[derive(Debug)]
pub(crate) struct PrintedProgram<R, const L: usize> {
    program: Printed,
    /// `[coefficient][lane]`
    coefficients: Vec<[R; L]>,
    sums: Box<PartialSums<R, L>>,
}

impl<R: Real, const L: usize> PrintedProgram<R, L> {
    /// The program with this fingerprint, if it was printed, with `coefficients[coefficient][lane]`.
    pub(crate) fn find(fingerprint: u64, coefficients: &[LaneValues]) -> Option<Self> {
        let program = Printed::find(fingerprint)?;
        let row = |values: &LaneValues| std::array::from_fn(|lane| R::from_f64(values[lane]));
        Some(PrintedProgram {
            program,
            coefficients: coefficients.iter().map(row).collect(),
            sums: Box::new([[[[R::default(); L]; CHUNK]; MOST_PARTS]; CHUNKS]),
        })
    }

    /// Runs over whole arrays.
    pub(crate) fn run(&mut self, isa: Isa, inputs: &[&[R]], outputs: &mut [&mut [R]]) {
        let (coefficients, sums) = (&self.coefficients, &mut self.sums);
        self.program.run(isa, coefficients, inputs, outputs, sums);
    }

    /// Number of sums over nodes.
    pub(crate) fn sums(&self) -> usize {
        self.program.negated().len()
    }

    /// Moves the sums since the last call into `totals[sum][lane]`, which they are added to.
    pub(crate) fn take_sums(&mut self, totals: &mut [Vec<f64>]) {
        for (index, (totals, &negated)) in totals.iter_mut().zip(self.program.negated()).enumerate()
        {
            let sign = if negated { -1.0 } else { 1.0 };
            for part in &mut self.sums[index / CHUNK] {
                for (total, x) in totals.iter_mut().zip(&mut part[index % CHUNK]) {
                    *total += sign * x.to_f64();
                    *x = R::default();
                }
            }
        }
    }
}

/// Runs a printed program over all rows of a group.
struct Rows<
    'a,
    'b,
    P,
    R,
    const L: usize,
    const I: usize,
    const O: usize,
    const S: usize,
    const K: usize,
> {
    coefficients: &'a [[R; L]; K],
    inputs: [&'a [R]; I],
    outputs: &'a mut [&'b mut [R]; O],
    sums: &'a mut PartialSums<R, L>,
    program: PhantomData<P>,
}

impl<P, R: Real, const L: usize, const I: usize, const O: usize, const S: usize, const K: usize>
    Kernel for Rows<'_, '_, P, R, L, I, O, S, K>
where
    P: NodeProgram<I, O, S, K>,
{
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        // As the interpreter, so that both give the same bits.
        let parts = const { SUM_WIDTH / L };
        const { assert!(SUM_WIDTH / L <= MOST_PARTS && S <= CHUNKS * CHUNK) };
        let inputs = self.inputs.map(|input| lanes::<R, L>(input));
        let rows = lanes::<R, L>(self.outputs[0]).len();
        // Results are local, so that the compiler knows them apart from inputs and makes one loop over vectors of the lanes.
        let none = [[[R::default(); L]; CHUNK]; MOST_PARTS];
        let (mut first, mut second, mut third) = (none, none, none);
        if S > 0 {
            let [of_first, of_second, of_third] = &*self.sums;
            first[..parts].copy_from_slice(&of_first[..parts]);
            second[..parts].copy_from_slice(&of_second[..parts]);
            third[..parts].copy_from_slice(&of_third[..parts]);
        }
        for row in 0..rows {
            let part = row % parts;
            let x = inputs.map(|input| &input[row]);
            let mut y = [[R::default(); L]; O];
            for l in 0..L {
                let k = |index: usize| self.coefficients[index][l];
                let x = |index: usize| x[index][l];
                let s = [&mut first[part], &mut second[part], &mut third[part]];
                P::node::<R, L, FUSED>(k, x, &mut y, s, l);
            }
            for (output, y) in self.outputs.iter_mut().zip(y) {
                lanes_mut::<R, L>(output)[row] = y;
            }
        }
        if S > 0 {
            for (to, from) in self.sums.iter_mut().zip([&first, &second, &third]) {
                to[..parts].copy_from_slice(&from[..parts]);
            }
        }
    }
}

macro_rules! programs {
    ($($variant:ident = $path:path, [$($size:literal),*];)*) => {
        /// A printed program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Printed { $($variant,)* }

        impl Printed {
            /// The program with this fingerprint, if it was printed.
            fn find(fingerprint: u64) -> Option<Printed> {
                $(if fingerprint == <$path as NodeProgram<$($size),*>>::FINGERPRINT {
                    return Some(Printed::$variant);
                })*
                None
            }

            /// For every sum, whether it is accumulated with the opposite sign.
            fn negated(self) -> &'static [bool] {
                match self {
                    $(Printed::$variant => &<$path as NodeProgram<$($size),*>>::NEGATED,)*
                }
            }

            /// Runs it over whole arrays of `L` lanes.
            fn run<R: Real, const L: usize>(
                self,
                isa: Isa,
                coefficients: &[[R; L]],
                inputs: &[&[R]],
                outputs: &mut [&mut [R]],
                sums: &mut PartialSums<R, L>,
            ) {
                match self {
                    $(Printed::$variant => {
                        let (Some(coefficients), Some(inputs), Some(outputs)) = (
                            coefficients.first_chunk(),
                            inputs.first_chunk(),
                            outputs.first_chunk_mut(),
                        ) else {
                            unreachable!("a program has as many arrays as the one it was printed from")
                        };
                        dispatch(isa, Rows::<$path, R, L, $($size),*> {
                            coefficients,
                            inputs: *inputs,
                            outputs,
                            sums,
                            program: PhantomData,
                        });
                    })*
                }
            }
        }
    };
}

// Numbers of inputs, outputs, sums and coefficients.
programs! {
    MrgCurrents = mrg::Currents, [5, 2, 0, 8];
    MrgStep = mrg::Step, [5, 6, 0, 34];
    MrgAdjoint = mrg::Adjoint, [16, 5, 0, 32];
    MrgSummingAdjoint = mrg::SummingAdjoint, [16, 5, 34, 32];
    MrgRest = mrg::Rest, [11, 6, 0, 16];
    TwoModeStep = two_mode::Step, [5, 6, 0, 35];
    TwoModeAdjoint = two_mode::Adjoint, [16, 5, 0, 33];
    TwoModeSummingAdjoint = two_mode::SummingAdjoint, [16, 5, 35, 33];
    TwoModeRest = two_mode::Rest, [11, 6, 0, 17];
    SmfAdjoint = smf::Adjoint, [15, 5, 0, 34];
    SmfSummingAdjoint = smf::SummingAdjoint, [15, 5, 35, 34];
    SmfRest = smf::Rest, [7, 6, 0, 29];
    SundtCurrents = sundt::Currents, [5, 2, 0, 6];
    SundtStep = sundt::Step, [5, 6, 0, 28];
    SundtAdjoint = sundt::Adjoint, [16, 5, 0, 28];
    SundtSummingAdjoint = sundt::SummingAdjoint, [16, 5, 28, 28];
    SundtRest = sundt::Rest, [13, 6, 0, 6];
}
