//! Membrane steps whose rates are tables: places of all lanes, values of the tables there, then the rest of the step.

use std::any::Any;

use axonml_autodiff::engine::{Rates, Rollout, TabulatedStep};
use axonml_autodiff::ir::Real;
use axonml_autodiff::ir::tabulation::{Grid, Place, SEGMENTS};

use super::pack::bind;
use crate::cable::{lanes, lanes_mut};
use crate::isa::{Isa, Kernel, LookUp, WIDTH, dispatch, look_up};
use crate::program::{LaneProgram, Programs};

/// Rows that are taken through all tables and the rest of the step together: what passes between them stays in cache.
const BLOCK_ROWS: usize = 64;

/// A step of the fibers in the lanes.
#[derive(Debug)]
pub(super) enum StepProgram<R, const L: usize> {
    Whole(LaneProgram<R, L>),
    Tabulated(Box<Tabulated<R, L>>),
}

impl<R: Real, const L: usize> StepProgram<R, L> {
    /// The step of a rollout for the fibers `members`, one per lane, and arrays of `len` numbers.
    pub(super) fn new(
        rollout: &Rollout,
        members: &[usize; L],
        len: usize,
        programs: Programs,
    ) -> Self {
        match &rollout.rates {
            Rates::Exact => {
                let step = &rollout.membrane.step;
                StepProgram::Whole(bind(rollout, step, members, len, programs))
            }
            Rates::Table(step) => StepProgram::Tabulated(Box::new(Tabulated::new(
                rollout, step, members, len, programs,
            ))),
        }
    }

    /// As [`LaneProgram::keeps_nonfinite`].
    pub(super) fn keeps_nonfinite(&self) -> bool {
        match self {
            StepProgram::Whole(program) => program.keeps_nonfinite(),
            StepProgram::Tabulated(tabulated) => {
                tabulated.rest.keeps_nonfinite() && tabulated.exact.keeps_nonfinite()
            }
        }
    }

    /// Runs over whole arrays, in the order of the layout of the whole step.
    pub(super) fn run<'b>(&mut self, isa: Isa, inputs: &[&'b [R]], outputs: &mut [&'b mut [R]]) {
        match self {
            StepProgram::Whole(program) => program.run(isa, inputs, outputs),
            StepProgram::Tabulated(tabulated) => tabulated.run(isa, inputs, outputs),
        }
    }
}

/// A step with tables, bound to the constants of the fibers in the lanes.
#[derive(Debug)]
pub(super) struct Tabulated<R, const L: usize> {
    grid: Grid,
    /// Coefficients of each table, `[table][power][segment]`.
    tables: Vec<Vec<[f32; SEGMENTS]>>,
    rest: LaneProgram<R, L>,
    /// The whole step, for rows with a lane outside of the tables.
    exact: LaneProgram<R, L>,
    /// Numbers in a block.
    block: usize,
    segments: Vec<u32>,
    offsets: Vec<f32>,
    /// Whether a row has a lane outside.
    outside: Vec<bool>,
    /// Values of the tables, an array of block length each.
    values: Vec<Vec<R>>,
    /// Outputs of the whole step for one row, an array each.
    row: Vec<Vec<R>>,
}

impl<R: Real, const L: usize> Tabulated<R, L> {
    /// The tables of a rollout for the fibers `members`, one per lane, and arrays of `len` numbers.
    fn new(
        rollout: &Rollout,
        step: &TabulatedStep,
        members: &[usize; L],
        len: usize,
        programs: Programs,
    ) -> Self {
        let rows = len / L;
        // Blocks of nearly equal height.
        let blocks = rows.div_ceil(BLOCK_ROWS).max(1);
        let block = rows.div_ceil(blocks).max(1) * L;
        let padded = block.next_multiple_of(WIDTH);
        let outputs = step.rest.program.outputs().len();
        let zeros = |len: usize, arrays: usize| vec![vec![R::default(); len]; arrays];
        Tabulated {
            grid: step.grid,
            tables: step
                .tables
                .iter()
                .map(|table| table.coefficients.clone())
                .collect(),
            rest: bind(rollout, &step.rest, members, block, programs),
            exact: bind(rollout, &rollout.membrane.step, members, L, programs),
            block,
            segments: vec![0; padded],
            offsets: vec![0.0; padded],
            outside: vec![false; block / L],
            values: zeros(padded, step.tables.len()),
            row: zeros(L, outputs),
        }
    }

    /// Runs over whole arrays, in the order of the layout of the whole step.
    fn run(&mut self, isa: Isa, inputs: &[&[R]], outputs: &mut [&mut [R]]) {
        let len = inputs[0].len();
        for start in (0..len).step_by(self.block) {
            let block = start..(start + self.block).min(len);
            self.look_up(isa, &inputs[0][block.clone()]);
            let own = inputs.iter().map(|input| &input[block.clone()]);
            let values = self.values.iter().map(|values| &values[..block.len()]);
            let of_rest: Vec<&[R]> = own.chain(values).collect();
            let mut into: Vec<&mut [R]> = outputs
                .iter_mut()
                .map(|output| &mut output[block.clone()])
                .collect();
            self.rest.run(isa, &of_rest, &mut into);
            for row in 0..block.len() / L {
                if self.outside[row] {
                    self.repair(isa, start / L + row, inputs, outputs);
                }
            }
        }
    }

    /// Values of all tables in a block, and which of its rows have lanes outside.
    fn look_up(&mut self, isa: Isa, u: &[R]) {
        dispatch(
            isa,
            Places::<R, L> {
                grid: self.grid,
                u,
                segments: &mut self.segments,
                offsets: &mut self.offsets,
                outside: &mut self.outside,
            },
        );
        let padded = u.len().next_multiple_of(WIDTH);
        for (table, values) in self.tables.iter().zip(&mut self.values) {
            // Tables are refused in any other precision.
            let Some(values) = (values as &mut dyn Any).downcast_mut::<Vec<f32>>() else {
                unreachable!("a checked rollout with tables is one in single precision")
            };
            look_up(
                isa,
                LookUp {
                    coefficients: table,
                    segments: &self.segments[..padded],
                    offsets: &self.offsets[..padded],
                    values: &mut values[..padded],
                },
            );
        }
    }

    /// Replaces what lanes outside of the tables got in a row by what the whole step gives.
    #[cold]
    fn repair(&mut self, isa: Isa, row: usize, inputs: &[&[R]], outputs: &mut [&mut [R]]) {
        let at = row * L..(row + 1) * L;
        let inputs: Vec<&[R]> = inputs.iter().map(|input| &input[at.clone()]).collect();
        let mut exact: Vec<&mut [R]> = self.row.iter_mut().map(|x| &mut x[..]).collect();
        self.exact.run(isa, &inputs, &mut exact);
        for (output, exact) in outputs.iter_mut().zip(&self.row) {
            for ((y, exact), u) in output[at.clone()].iter_mut().zip(exact).zip(inputs[0]) {
                if !self.grid.place(single(*u)).inside {
                    *y = *exact;
                }
            }
        }
    }
}

/// A number as single precision has it; tables run in nothing else.
#[inline(always)]
fn single<R: Real>(x: R) -> f32 {
    x.to_f64() as f32
}

/// Segments and offsets of a block.
struct Places<'a, R, const L: usize> {
    grid: Grid,
    u: &'a [R],
    segments: &'a mut [u32],
    offsets: &'a mut [f32],
    outside: &'a mut [bool],
}

impl<R: Real, const L: usize> Kernel for Places<'_, R, L> {
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let rows = lanes::<R, L>(self.u);
        let (segments, offsets) = (
            lanes_mut::<u32, L>(self.segments),
            lanes_mut::<f32, L>(self.offsets),
        );
        for row in 0..rows.len() {
            let mut outside = 0;
            for l in 0..L {
                let Place {
                    segment,
                    offset,
                    inside,
                } = self.grid.place(single(rows[row][l]));
                segments[row][l] = segment;
                offsets[row][l] = offset;
                outside |= u32::from(!inside);
            }
            self.outside[row] = outside != 0;
        }
    }
}
