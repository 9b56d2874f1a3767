//! The outer tape: reverse-mode automatic differentiation of array computations that are recorded as they run.
//!
//! It serves computations around a simulation: stimuli as functions of a few numbers, losses, penalties. A run itself
//! is differentiated by its backend ([`Backend::differentiate`](crate::engine::Backend::differentiate)); on a tape the whole run is one
//! operation ([`GradientTape::operation`]).
//!
//! ```
//! use axonml_autodiff::tape::GradientTape;
//! use ndarray::array;
//!
//! // A straight line through three points.
//! let tape = GradientTape::new();
//! let (slope, shift) = (tape.variable(array![2.0]), tape.variable(array![0.5]));
//! let x = tape.constant(array![0.0, 1.0, 2.0]);
//! let wanted = tape.constant(array![1.0, 2.0, 4.0]);
//! let loss = (slope * x + shift - wanted).square().mean();
//! let gradients = tape.backward(loss)?;
//! assert_eq!(gradients.of(shift)?, array![2.0 * (-0.5 + 0.5 + 0.5) / 3.0].into_dyn());
//! # Ok::<(), axonml_autodiff::tape::TensorError>(())
//! ```

mod elementwise;
mod error;
mod reduce;
mod shape;

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use ndarray::{Array, ArrayD, Dimension, IxDyn};

pub use error::TensorError;

/// Error of the VJP of a custom operation.
pub type OperationError = Box<dyn Error + Send + Sync>;

/// Vector-Jacobian product: maps the cotangent of a result to those of the operands, in their order and of their
/// shapes.
type Vjp = Box<dyn Fn(&ArrayD<f64>) -> Result<Vec<ArrayD<f64>>, OperationError>>;

/// One array of a computation and how it came about.
struct Entry {
    operation: &'static str,
    value: Arc<ArrayD<f64>>,
    operands: Vec<usize>,
    /// None for variables, constants, and results that depend on no variable.
    vjp: Option<Vjp>,
    /// Whether it depends on a variable.
    varies: bool,
}

/// A recorded computation on arrays, to be differentiated in reverse mode.
#[derive(Default)]
pub struct GradientTape {
    entries: RefCell<Vec<Entry>>,
    error: RefCell<Option<TensorError>>,
}

/// An array on a tape. Arithmetic on tensors broadcasts as NumPy does.
///
/// # Panics
/// Operations panic if their operands are on different tapes.
#[derive(Clone, Copy)]
pub struct Tensor<'t> {
    tape: &'t GradientTape,
    index: usize,
}

/// Gradients of one number by all tensors that it was computed from.
#[derive(Debug)]
pub struct Gradients<'t> {
    tape: &'t GradientTape,
    /// One per entry of the tape; none where the number does not depend on it.
    by_entry: Vec<Option<ArrayD<f64>>>,
    shapes: Vec<Vec<usize>>,
}

impl GradientTape {
    /// Creates an empty tape.
    pub fn new() -> Self {
        GradientTape::default()
    }

    /// Records an array to differentiate by.
    pub fn variable<D: Dimension>(&self, value: Array<f64, D>) -> Tensor<'_> {
        self.leaf("variable", value.into_dyn(), true)
    }

    /// Records a constant array.
    pub fn constant<D: Dimension>(&self, value: Array<f64, D>) -> Tensor<'_> {
        self.leaf("constant", value.into_dyn(), false)
    }

    /// Records a constant number.
    pub fn number(&self, value: f64) -> Tensor<'_> {
        self.leaf("constant", ArrayD::from_elem(IxDyn(&[]), value), false)
    }

    fn leaf(&self, operation: &'static str, value: ArrayD<f64>, varies: bool) -> Tensor<'_> {
        self.check("a value", operation, &value);
        self.push(Entry {
            operation,
            value: Arc::new(value),
            operands: Vec::new(),
            vjp: None,
            varies,
        })
    }

    /// Records a custom operation with its vector-Jacobian product. `vjp` maps the cotangent of the result to those of
    /// the operands, in their order and of their shapes; it is called at most once per adjoint pass, and not at all if
    /// no operand depends on a variable.
    pub fn operation<'t, P>(
        &'t self,
        name: &'static str,
        operands: &[Tensor<'t>],
        result: ArrayD<f64>,
        vjp: P,
    ) -> Tensor<'t>
    where
        P: Fn(&ArrayD<f64>) -> Result<Vec<ArrayD<f64>>, OperationError> + 'static,
    {
        self.check("the result", name, &result);
        let operands: Vec<usize> = operands.iter().map(|tensor| self.own(tensor)).collect();
        let varies = {
            let entries = self.entries.borrow();
            operands.iter().any(|&operand| entries[operand].varies)
        };
        self.push(Entry {
            operation: name,
            value: Arc::new(result),
            operands,
            vjp: varies.then(|| Box::new(vjp) as Vjp),
            varies,
        })
    }

    /// Runs the adjoint pass: gradients of `of`, a single number, by all variables and intermediate tensors.
    ///
    /// # Errors
    /// The first error noted on the tape; [`TensorError::NotScalar`]; [`TensorError::NonFinite`] naming the operation
    /// whose derivative is not finite; [`TensorError::Operation`] and [`TensorError::VjpShape`].
    pub fn backward(&self, of: Tensor<'_>) -> Result<Gradients<'_>, TensorError> {
        self.check_error()?;
        let last = self.own(&of);
        let entries = self.entries.borrow();
        let found = entries[last].value.shape();
        if found.iter().product::<usize>() != 1 {
            let found = found.to_vec();
            return Err(TensorError::NotScalar { found });
        }
        let mut by_entry: Vec<Option<ArrayD<f64>>> = vec![None; entries.len()];
        by_entry[last] = Some(ArrayD::ones(found));
        for index in (0..=last).rev() {
            let entry = &entries[index];
            let (Some(bar), Some(vjp)) = (&by_entry[index], &entry.vjp) else {
                continue;
            };
            let operation = entry.operation;
            let bars = vjp(bar).map_err(|source| TensorError::Operation {
                operation,
                source: source.into(),
            })?;
            let expected = entry.operands.iter().map(|&x| entries[x].value.shape());
            if !expected.eq(bars.iter().map(|bar| bar.shape())) {
                let operands = entry.operands.iter();
                return Err(TensorError::VjpShape {
                    operation,
                    found: bars.iter().map(|bar| bar.shape().to_vec()).collect(),
                    expected: operands
                        .map(|&x| entries[x].value.shape().to_vec())
                        .collect(),
                });
            }
            for (place, (&operand, bar)) in entry.operands.iter().zip(bars).enumerate() {
                if !entries[operand].varies {
                    continue;
                }
                if let Some(error) = non_finite(&bar, operation, || {
                    format!("the derivative by operand {place}")
                }) {
                    return Err(error);
                }
                match &mut by_entry[operand] {
                    Some(sum) => *sum += &bar,
                    none => *none = Some(bar),
                }
            }
        }
        Ok(Gradients {
            tape: self,
            by_entry,
            shapes: entries.iter().map(|e| e.value.shape().to_vec()).collect(),
        })
    }

    /// Returns the first error that was noted.
    fn check_error(&self) -> Result<(), TensorError> {
        self.error.borrow().clone().map_or(Ok(()), Err)
    }

    fn note(&self, error: TensorError) {
        self.error.borrow_mut().get_or_insert(error);
    }

    /// Notes an operation that does not fit, and returns a number in place of its result.
    fn misfit(
        &self,
        operation: &'static str,
        operands: &[Tensor<'_>],
        expected: impl Into<String>,
    ) -> Tensor<'_> {
        let found = operands.iter().map(Tensor::shape).collect();
        self.note(TensorError::Shape {
            operation,
            found,
            expected: expected.into(),
        });
        self.number(0.0)
    }

    fn check(&self, what: &str, operation: &'static str, value: &ArrayD<f64>) {
        if let Some(error) = non_finite(value, operation, || what.to_owned()) {
            self.note(error);
        }
    }

    fn push(&self, entry: Entry) -> Tensor<'_> {
        let mut entries = self.entries.borrow_mut();
        entries.push(entry);
        Tensor {
            tape: self,
            index: entries.len() - 1,
        }
    }

    fn own(&self, tensor: &Tensor<'_>) -> usize {
        assert!(
            std::ptr::eq(self, tensor.tape),
            "a tensor of another tape cannot be used on this one"
        );
        tensor.index
    }
}

/// The first number of an array that is not finite, as an error.
fn non_finite(
    values: &ArrayD<f64>,
    operation: &'static str,
    what: impl Fn() -> String,
) -> Option<TensorError> {
    let (place, &value) = values
        .indexed_iter()
        .find(|(_, value)| !value.is_finite())?;
    Some(TensorError::NonFinite {
        what: what(),
        operation,
        place: place.as_array_view().to_vec(),
        value,
    })
}

impl<'t> Tensor<'t> {
    /// Returns the tape that it is on.
    pub fn tape(&self) -> &'t GradientTape {
        self.tape
    }

    /// Returns its values.
    ///
    /// # Errors
    /// The first error noted on the tape.
    pub fn value(&self) -> Result<Arc<ArrayD<f64>>, TensorError> {
        self.tape.check_error()?;
        Ok(self.raw())
    }

    /// Returns its value, if it is a single number.
    ///
    /// # Errors
    /// The first error noted on the tape; [`TensorError::NotScalar`].
    pub fn number(&self) -> Result<f64, TensorError> {
        let value = self.value()?;
        match value.len() {
            1 => Ok(value.iter().copied().next().unwrap_or_default()),
            _ => Err(TensorError::NotScalar {
                found: value.shape().to_vec(),
            }),
        }
    }

    /// Returns its size along each axis, outermost first; of no axis if an error was noted where it was made.
    pub fn shape(&self) -> Vec<usize> {
        self.raw().shape().to_vec()
    }

    fn raw(&self) -> Arc<ArrayD<f64>> {
        self.tape.entries.borrow()[self.index].value.clone()
    }
}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.tape.entries.borrow();
        let entry = &entries[self.index];
        write!(f, "{} {:?}", entry.operation, entry.value.shape())
    }
}

impl fmt::Debug for GradientTape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.borrow();
        let operations = entries.iter().map(|entry| entry.operation);
        f.debug_list().entries(operations).finish()
    }
}

impl Gradients<'_> {
    /// Returns the gradient by `tensor`, of its shape; zeros if the number does not depend on it (as on constants).
    ///
    /// # Errors
    /// [`TensorError::Shape`] for a tensor that was put on the tape after the derivative was taken.
    ///
    /// # Panics
    /// If the tensor is on another tape.
    pub fn of(&self, tensor: Tensor<'_>) -> Result<ArrayD<f64>, TensorError> {
        let index = self.tape.own(&tensor);
        match self.by_entry.get(index) {
            Some(Some(bar)) => Ok(bar.clone()),
            Some(None) => Ok(ArrayD::zeros(&self.shapes[index][..])),
            None => Err(TensorError::Shape {
                operation: "backward",
                found: vec![tensor.shape()],
                expected: "a tensor that was there when the derivative was taken".into(),
            }),
        }
    }
}
