//! Errors of computations on a tape.

use std::error::Error;
use std::sync::Arc;

use thiserror::Error;

/// The first error on a [`GradientTape`](super::GradientTape). Operations note it and continue, so that formulas need no error
/// handling; reading a value or a derivative reports it.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The shapes of the operands do not fit the operation.
    #[error("`{operation}` does not fit {}: {expected}", shapes(found))]
    Shape {
        /// The operation.
        operation: &'static str,
        /// Shapes of its operands.
        found: Vec<Vec<usize>>,
        /// Expected shapes.
        expected: String,
    },
    /// A value or a derivative is NaN or infinite.
    #[error("{what} of `{operation}` at {place:?} is {value}, not a finite number")]
    NonFinite {
        /// Which number: the result, or the derivative by an operand.
        what: String,
        /// The operation.
        operation: &'static str,
        /// Its place, one index per axis.
        place: Vec<usize>,
        /// The number.
        value: f64,
    },
    /// Derivatives are taken of single numbers.
    #[error("a derivative is taken of one number, not of {found:?}; sum it, or take its mean")]
    NotScalar {
        /// Shape of the tensor that was to be differentiated.
        found: Vec<usize>,
    },
    /// The VJP of a custom operation did not return one cotangent per operand, of the operand's shape.
    #[error(
        "`{operation}` gave derivatives of shapes {}; its operands have {}",
        shapes(found),
        shapes(expected)
    )]
    VjpShape {
        /// The operation.
        operation: &'static str,
        /// Shapes of the cotangents that it returned.
        found: Vec<Vec<usize>>,
        /// Shapes of its operands.
        expected: Vec<Vec<usize>>,
    },
    /// The VJP of a custom operation failed.
    #[error("`{operation}` has no derivative: {source}")]
    Operation {
        /// The operation.
        operation: &'static str,
        /// Why; the error of the crate that the operation comes from.
        source: Arc<dyn Error + Send + Sync>,
    },
}

fn shapes(found: &[Vec<usize>]) -> String {
    let each: Vec<String> = found.iter().map(|shape| format!("{shape:?}")).collect();
    each.join(" and ")
}
