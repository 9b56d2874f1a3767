//! Functions of one variable as piecewise polynomials in single precision, with a proven bound of their error.
//!
//! # What is proven
//! For every single-precision `u` inside of the grid, the number that [`Table::value`] computes, with or without fused
//! multiply-adds, differs by at most [`Table::bound`] from the function, a real function of the program's constants. The
//! proof is of the finished table, whatever its coefficients came from:
//!
//! 1. On each of [`PARTS`] parts of a segment, with midpoint `m` and radius `r`, the function is `sum f_k (u - m)^k` for
//!    k < 7 with `f_k` enclosed at `m`, plus a remainder of at most `|F_7| r^7` with `F_7` enclosed over the part (Taylor's
//!    theorem, [`super::jet`]). The polynomial, with the very coefficients of the table, is shifted to `m` exactly, in
//!    intervals. The difference is at most `sum |f_k - p_k| r^k + |F_7| r^7`.
//! 2. The offset from the center carries one rounding, which moves the polynomial by at most `2^-24 |t p'(t)|`.
//! 3. Horner's rule rounds each product and each sum by at most half a unit in the last place of the largest number it can
//!    be (Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., SIAM 2002, section 5.1).

use std::cell::OnceCell;
use std::ops::RangeInclusive;

use super::grid::{Grid, Place, SEGMENTS};
use super::interval::Interval;
use super::jet::{Jet, TERMS, jets};
use crate::ir::Program;

/// Degrees that are tried; the highest leaves the remainder of step 1 above it.
const DEGREES: RangeInclusive<usize> = 3..=6;
const DEGREES_TRIED: usize = *DEGREES.end() - *DEGREES.start() + 1;

/// Parts of a segment on which the error is enclosed.
const PARTS: usize = 8;

/// Unit roundoff of single precision.
const ROUNDOFF: f64 = 1.0 / 16_777_216.0;

/// A function over a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Coefficients of the powers of the offset from a segment's center, lowest first, each for all segments.
    pub coefficients: Coefficients,
    /// Largest difference from the function.
    pub bound: f64,
}

impl Table {
    /// The value at a place inside of the grid.
    #[inline(always)]
    pub fn value<const FUSED: bool>(&self, place: Place) -> f32 {
        let mut powers = self.coefficients.iter().rev();
        let of = |row: &[f32; SEGMENTS]| row[place.segment as usize % SEGMENTS];
        let highest = powers.next().map_or(0.0, of);
        powers.fold(highest, |sum, row| match FUSED {
            true => sum.mul_add(place.offset, of(row)),
            false => sum * place.offset + of(row),
        })
    }
}

/// Enclosures of a program's outputs and their derivatives as functions of one of its inputs over a grid.
#[derive(Debug)]
pub struct Functions<'p> {
    program: &'p Program,
    inputs: Vec<f64>,
    variable: usize,
    grid: Grid,
    /// Enclosures, `[segment][part]`.
    parts: Vec<[Part; PARTS]>,
    /// Coefficients, `[degree][function]`.
    fitted: [OnceCell<Vec<Coefficients>>; DEGREES_TRIED],
}

/// Coefficients of the powers of the offset from a segment's center, lowest first, each for all segments.
type Coefficients = Vec<[f32; SEGMENTS]>;

/// Enclosures of all functions on a part of a segment.
#[derive(Debug)]
struct Part {
    /// From the segment's center; exact.
    midpoint: f64,
    radius: f64,
    at_midpoint: Vec<Jet>,
    over_part: Vec<Jet>,
}

impl<'p> Functions<'p> {
    /// The outputs of `program` as functions of the input `variable`; `inputs` are the numbers of all others.
    pub fn new(program: &'p Program, mut inputs: Vec<f64>, variable: usize, grid: Grid) -> Self {
        inputs[variable] = f64::NAN;
        let radius = f64::from(grid.width) / (2 * PARTS) as f64;
        let reach = radius + f64::from(grid.width) * Grid::OVERLAP;
        let part = |segment: usize, part: usize| {
            let midpoint = radius * (2.0 * part as f64 + 1.0 - PARTS as f64);
            let u = f64::from(grid.center(segment)) + midpoint;
            let of = |x: Interval| jets(program, &inputs, variable, x);
            Part {
                midpoint,
                radius: reach,
                at_midpoint: of(Interval::point(u)),
                over_part: of(Interval::new(
                    (u - reach).next_down(),
                    (u + reach).next_up(),
                )),
            }
        };
        let parts = (0..SEGMENTS)
            .map(|segment| std::array::from_fn(|at| part(segment, at)))
            .collect();
        Functions {
            program,
            inputs,
            variable,
            grid,
            parts,
            fitted: Default::default(),
        }
    }

    /// A number that the magnitude of a function reaches somewhere in the grid; 0 where nothing is known.
    pub fn scale(&self, function: usize) -> f64 {
        let parts = self.parts.iter().flatten();
        parts
            .map(|part| part.at_midpoint[function].0[0].least_magnitude())
            .fold(0.0, f64::max)
    }

    /// A number that the magnitude of a function over that of another one reaches somewhere in the grid; 0 where nothing is
    /// known.
    pub fn ratio(&self, function: usize, over: usize) -> f64 {
        let parts = self.parts.iter().flatten();
        let ratio = |part: &Part| {
            let [value, over] = [function, over].map(|index| part.at_midpoint[index].0[0]);
            value.least_magnitude() / over.magnitude()
        };
        parts.map(ratio).fold(0.0, f64::max)
    }

    /// Tables of some functions, by the lowest degree for which their bounds add up to at most `tolerance`; None if there is
    /// none.
    pub fn tables(&self, functions: &[usize], tolerance: f64) -> Option<Vec<Table>> {
        DEGREES.clone().find_map(|degree| {
            let fitted = self.fitted(degree);
            let table = |&function: &usize| {
                let coefficients = fitted[function].clone();
                let bound = self.bound(function, &coefficients);
                Table {
                    coefficients,
                    bound,
                }
            };
            let tables: Vec<Table> = functions.iter().map(table).collect();
            let total: f64 = tables.iter().map(|table| table.bound).sum();
            (total <= tolerance).then_some(tables)
        })
    }

    /// Coefficients of all functions at a degree; computed once.
    fn fitted(&self, degree: usize) -> &[Coefficients] {
        self.fitted[degree - DEGREES.start()].get_or_init(|| self.interpolate(degree))
    }

    /// Coefficients of all functions, by interpolation at Chebyshev points.
    fn interpolate(&self, degree: usize) -> Vec<Coefficients> {
        let count = self.program.outputs().len();
        let mut tables = vec![vec![[0.0; SEGMENTS]; degree + 1]; count];
        let half = 0.5 * f64::from(self.grid.width);
        let points: Vec<f64> = (0..=degree)
            .map(|k| {
                let angle = (2 * k + 1) as f64 / (2 * degree + 2) as f64;
                half * (std::f64::consts::PI * angle).cos()
            })
            .collect();
        let mut inputs = self.inputs.clone();
        for segment in 0..SEGMENTS {
            let center = f64::from(self.grid.center(segment));
            let values: Vec<Vec<f64>> = points
                .iter()
                .map(|t| {
                    inputs[self.variable] = center + t;
                    self.program.eval(&inputs)
                })
                .collect();
            for (function, table) in tables.iter_mut().enumerate() {
                let values = values.iter().map(|values| values[function]).collect();
                for (row, c) in table.iter_mut().zip(monomials(&points, values)) {
                    row[segment] = c as f32;
                }
            }
        }
        tables
    }

    /// Bound of the error of a table with these coefficients; infinite where nothing is known.
    pub fn bound(&self, function: usize, coefficients: &[[f32; SEGMENTS]]) -> f64 {
        let of_segment = |(segment, parts): (usize, &[Part; PARTS])| {
            let polynomial: Vec<f64> = coefficients
                .iter()
                .map(|row| f64::from(row[segment]))
                .collect();
            let fit = parts
                .iter()
                .map(|part| part.distance(function, &polynomial))
                .fold(0.0, larger);
            let largest = parts
                .iter()
                .map(|part| part.over_part[function].0[0].magnitude())
                .fold(0.0, larger);
            fit + rounding(&polynomial, f64::from(self.grid.width), largest + fit)
        };
        let bound = self
            .parts
            .iter()
            .enumerate()
            .map(of_segment)
            .fold(0.0, larger);
        // Sums of bounds are rounded a dozen times themselves.
        bound * (1.0 + 1e-12)
    }
}

/// The larger of two; NaN, of which nothing follows, counts as infinite.
fn larger(a: f64, b: f64) -> f64 {
    match a.is_nan() || b.is_nan() {
        true => f64::INFINITY,
        false => a.max(b),
    }
}

impl Part {
    /// Largest distance of a function from a polynomial of the offset from the segment's center.
    fn distance(&self, function: usize, polynomial: &[f64]) -> f64 {
        let mut shifted = [Interval::ZERO; TERMS];
        for (shifted, &c) in shifted.iter_mut().zip(polynomial) {
            *shifted = Interval::point(c);
        }
        // Repeated synthetic division.
        let midpoint = Interval::point(self.midpoint);
        for first in 0..polynomial.len() {
            for k in (first..polynomial.len() - 1).rev() {
                shifted[k] = shifted[k] + midpoint * shifted[k + 1];
            }
        }
        let (near, over) = (&self.at_midpoint[function].0, &self.over_part[function].0);
        let radius = Interval::point(self.radius);
        let mut power = Interval::point(1.0);
        let mut sum = 0.0;
        for k in 0..TERMS {
            let difference = match k < TERMS - 1 {
                true => near[k] - shifted[k],
                false => over[k] - shifted[k],
            };
            sum += (difference * power).magnitude();
            power = power * radius;
        }
        match sum.is_nan() {
            true => f64::INFINITY,
            false => sum,
        }
    }
}

/// Bound of what rounding does to a polynomial of at most `largest` magnitude over a segment.
fn rounding(polynomial: &[f64], width: f64, largest: f64) -> f64 {
    let reach = width * (0.5 + Grid::OVERLAP);
    // Of the offset: 2^-24 |t p'(t)|.
    let moved: f64 = polynomial
        .iter()
        .enumerate()
        .map(|(k, c)| k as f64 * c.abs() * reach.powi(k as i32))
        .sum();
    // Of Horner's rule; the last sum is the value.
    let mut error = 0.0;
    let mut magnitude = polynomial.last().map_or(0.0, |c| c.abs());
    for (k, c) in polynomial.iter().enumerate().rev().skip(1) {
        let product = magnitude * reach;
        error = error * reach + half_ulp(product);
        magnitude = product + c.abs() + error;
        let sum = match k {
            0 => magnitude.min(largest + error + moved * ROUNDOFF),
            _ => magnitude,
        };
        error += half_ulp(sum);
        magnitude += half_ulp(sum);
    }
    error + moved * ROUNDOFF
}

/// Half a unit in the last place of single-precision numbers of at most this magnitude.
fn half_ulp(magnitude: f64) -> f64 {
    if !magnitude.is_finite() {
        return f64::INFINITY;
    }
    let binade = magnitude.max(f64::from(f32::MIN_POSITIVE));
    // The power of two at or below; rounding may carry into the next binade, where the error is no larger.
    f64::from_bits(binade.to_bits() & !((1 << 52) - 1)) * ROUNDOFF
}

/// Coefficients of the polynomial through points, by divided differences.
fn monomials(points: &[f64], mut values: Vec<f64>) -> Vec<f64> {
    let n = points.len();
    for order in 1..n {
        for k in (order..n).rev() {
            values[k] = (values[k] - values[k - 1]) / (points[k] - points[k - order]);
        }
    }
    let mut powers = vec![0.0; n];
    for k in (0..n).rev() {
        // powers * (t - points[k]) + values[k]
        for j in (1..n).rev() {
            powers[j] = powers[j - 1] - points[k] * powers[j];
        }
        powers[0] = values[k] - points[k] * powers[0];
    }
    powers
}
