//! Programs that are compiled instead of interpreted: the membranes of the bundled models, printed as Rust.
//!
//! `cargo xtask print-programs` writes the files of this folder from the same fused programs that the interpreter runs
//! and CUDA prints, operation by operation, so that both give the same bits; intermediate results stay in registers. A
//! program is recognized by its fingerprint, not by its model: whatever model has the same membrane runs it too. Adjoints with
//! the cotangents of parameters, which add to sums, stay with the interpreter: the compiler makes no vectors of so many sums.

#[rustfmt::skip]
mod mrg;
#[rustfmt::skip]
mod smf;
#[rustfmt::skip]
mod sundt;
#[rustfmt::skip]
mod two_mode;

use axonml_autodiff::ir::Real;

use crate::cable::{lanes, lanes_mut};
use crate::isa::{Isa, Kernel, dispatch};

/// A fused program as a function of one node and lane, with `I` input and `O` output arrays.
trait NodeProgram<const I: usize, const O: usize> {
    /// [`FusedProgram::fingerprint`](axonml_autodiff::ir::FusedProgram::fingerprint) of what it was printed from.
    const FINGERPRINT: u64;
    /// Number of coefficients.
    const COEFFICIENTS: usize;

    /// Computes the outputs `y` in lane `l` from coefficients `k` and inputs `x` by index.
    fn node<R: Real, const L: usize, const FUSED: bool>(
        k: impl Fn(usize) -> R,
        x: impl Fn(usize) -> R,
        y: &mut [[R; L]; O],
        l: usize,
    );
}

/// Runs a printed program over all rows of a group.
struct Rows<'a, 'b, P, R, const L: usize, const I: usize, const O: usize> {
    coefficients: &'a [[R; L]],
    inputs: [&'a [R]; I],
    outputs: &'a mut [&'b mut [R]; O],
    program: std::marker::PhantomData<P>,
}

impl<P: NodeProgram<I, O>, R: Real, const L: usize, const I: usize, const O: usize> Kernel
    for Rows<'_, '_, P, R, L, I, O>
{
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let k = &self.coefficients[..P::COEFFICIENTS];
        let inputs = self.inputs.map(|input| lanes::<R, L>(input));
        let rows = lanes::<R, L>(self.outputs[0]).len();
        for row in 0..rows {
            let x = inputs.map(|input| &input[row]);
            // Local, so that the compiler knows them apart from inputs and makes one loop over vectors of the lanes.
            let mut y = [[R::default(); L]; O];
            for l in 0..L {
                let (k, x) = (|index: usize| k[index][l], |index: usize| x[index][l]);
                P::node::<R, L, FUSED>(k, x, &mut y, l);
            }
            for (output, y) in self.outputs.iter_mut().zip(y) {
                lanes_mut::<R, L>(output)[row] = y;
            }
        }
    }
}

macro_rules! programs {
    ($($variant:ident = $path:path, $inputs:literal, $outputs:literal;)*) => {
        /// A printed program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Printed { $($variant,)* }

        impl Printed {
            /// The program with this fingerprint, if it was printed.
            pub(crate) fn find(fingerprint: u64) -> Option<Printed> {
                $(if fingerprint == <$path as NodeProgram<$inputs, $outputs>>::FINGERPRINT {
                    return Some(Printed::$variant);
                })*
                None
            }

            /// Runs it over whole arrays of `L` lanes.
            pub(crate) fn run<R: Real, const L: usize>(
                self,
                isa: Isa,
                coefficients: &[[R; L]],
                inputs: &[&[R]],
                outputs: &mut [&mut [R]],
            ) {
                match self {
                    $(Printed::$variant => {
                        let (Some(inputs), Some(outputs)) = (
                            inputs.first_chunk::<$inputs>(),
                            outputs.first_chunk_mut::<$outputs>(),
                        ) else {
                            unreachable!("a program has as many arrays as the one it was printed from")
                        };
                        dispatch(isa, Rows::<$path, R, L, $inputs, $outputs> {
                            coefficients,
                            inputs: *inputs,
                            outputs,
                            program: std::marker::PhantomData,
                        });
                    })*
                }
            }
        }
    };
}

programs! {
    MrgCurrents = mrg::Currents, 5, 2;
    MrgStep = mrg::Step, 5, 6;
    MrgAdjoint = mrg::Adjoint, 16, 5;
    MrgRest = mrg::Rest, 11, 6;
    TwoModeStep = two_mode::Step, 5, 6;
    TwoModeAdjoint = two_mode::Adjoint, 16, 5;
    TwoModeRest = two_mode::Rest, 11, 6;
    SmfAdjoint = smf::Adjoint, 15, 5;
    SmfRest = smf::Rest, 7, 6;
    SundtCurrents = sundt::Currents, 5, 2;
    SundtStep = sundt::Step, 5, 6;
    SundtAdjoint = sundt::Adjoint, 16, 5;
    SundtRest = sundt::Rest, 13, 6;
}
