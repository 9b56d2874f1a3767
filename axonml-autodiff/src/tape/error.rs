//! What can be wrong with a computation on a tape.

use std::error::Error;
use std::sync::Arc;

use thiserror::Error;

/// The first thing that went wrong on a [`super::GradientTape`]. Operations note it and go on, so that formulas need no
/// error handling; reading a value or a derivative reports it.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum TensorError {
    /// An operation does not fit the shapes of what it is given.
    #[error("`{operation}` does not fit {}: {expected}", shapes(found))]
    Shape {
        /// The operation.
        operation: &'static str,
        /// Shapes of its operands.
        found: Vec<Vec<usize>>,
        /// What would fit.
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
        /// Shape of what was to be differentiated.
        found: Vec<usize>,
    },
    /// What an operation that is not the tape's own gave on the way back is not one derivative per operand, of its shape.
    #[error(
        "`{operation}` gave derivatives of shapes {}; its operands have {}",
        shapes(found),
        shapes(expected)
    )]
    Pulled {
        /// The operation.
        operation: &'static str,
        /// Shapes of what it gave.
        found: Vec<Vec<usize>>,
        /// Shapes of its operands.
        expected: Vec<Vec<usize>>,
    },
    /// An operation that is not the tape's own failed on the way back.
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
