//! Symbolic expressions and the trace they leave.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::ir::TraceError;
use crate::ir::op::Op;
use crate::ir::{Extent, Input, Program, Value, ValueId};

/// Records the operations done on its [`Expr`]essions.
///
/// Every value is simplified as it is recorded: operations on constants are evaluated, neutral elements vanish, and a
/// value that was recorded before is reused.
#[derive(Default)]
pub struct Tracer {
    record: RefCell<Record>,
}

#[derive(Default)]
struct Record {
    inputs: Vec<Input>,
    values: Vec<Value>,
    known: HashMap<Key, ValueId>,
    error: Option<TraceError>,
}

/// A value by content; constants by their bits, so that 0.0 and -0.0 stay different and NaN equals itself.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Constant(u64),
    Input(usize),
    Apply(Op, Vec<ValueId>),
}

/// A scalar expression: a handle on a value in a [`Tracer`], to be combined with the usual operators.
#[derive(Clone, Copy)]
pub struct Expr<'t> {
    tracer: &'t Tracer,
    id: ValueId,
}

impl fmt::Debug for Expr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({})", self.id)
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record.borrow();
        write!(
            f,
            "Tracer({} inputs, {} values)",
            record.inputs.len(),
            record.values.len()
        )
    }
}

impl Tracer {
    /// An empty trace.
    pub fn new() -> Self {
        Tracer::default()
    }

    /// A named input; asking again for the same name and extent gives the same expression.
    pub fn input(&self, name: &str, extent: Extent) -> Expr<'_> {
        let input = Input {
            name: name.to_owned(),
            extent,
        };
        let index = {
            let mut record = self.record.borrow_mut();
            record
                .inputs
                .iter()
                .position(|known| *known == input)
                .unwrap_or_else(|| {
                    record.inputs.push(input);
                    record.inputs.len() - 1
                })
        };
        self.push(Value::Input(index))
    }

    /// A constant.
    pub fn constant(&self, value: f64) -> Expr<'_> {
        self.push(Value::Constant(value))
    }

    /// Notes an error; only the first is kept. Tracing continues, and [`Tracer::finish`] reports it.
    pub fn fail(&self, error: TraceError) {
        self.record.borrow_mut().error.get_or_insert(error);
    }

    /// The program that computes `outputs`, without the values that none of them needs.
    ///
    /// # Errors
    /// The first error noted by [`Tracer::fail`].
    pub fn finish(&self, outputs: &[(String, Expr<'_>)]) -> Result<Program, TraceError> {
        let record = self.record.borrow();
        match &record.error {
            Some(error) => Err(error.clone()),
            None => {
                let outputs = outputs
                    .iter()
                    .map(|(name, e)| (name.clone(), e.id))
                    .collect();
                Ok(Program::new(
                    record.inputs.clone(),
                    record.values.clone(),
                    outputs,
                ))
            }
        }
    }

    fn push(&self, value: Value) -> Expr<'_> {
        let mut record = self.record.borrow_mut();
        let key = match &value {
            Value::Constant(c) => Key::Constant(c.to_bits()),
            Value::Input(index) => Key::Input(*index),
            Value::Apply(op, arguments) => Key::Apply(*op, arguments.clone()),
        };
        let next = record.values.len();
        let id = *record.known.entry(key).or_insert(next);
        if id == next {
            record.values.push(value);
        }
        Expr { tracer: self, id }
    }

    pub(crate) fn value(&self, id: ValueId) -> Value {
        self.record.borrow().values[id].clone()
    }

    pub(crate) fn expression(&self, id: ValueId) -> Expr<'_> {
        Expr { tracer: self, id }
    }

    fn constant_of(&self, id: ValueId) -> Option<f64> {
        match self.record.borrow().values[id] {
            Value::Constant(c) => Some(c),
            _ => None,
        }
    }

    /// The product of two values, if it was recorded.
    pub(crate) fn known_product<'t>(&'t self, a: Expr<'t>, b: Expr<'t>) -> Option<Expr<'t>> {
        let key = Key::Apply(Op::Mul, vec![a.id.min(b.id), a.id.max(b.id)]);
        let id = self.record.borrow().known.get(&key).copied()?;
        Some(self.expression(id))
    }
}

impl<'t> Expr<'t> {
    /// A constant in the same trace.
    pub fn same(self, value: f64) -> Expr<'t> {
        self.tracer.constant(value)
    }

    /// The trace this expression belongs to.
    pub fn tracer(self) -> &'t Tracer {
        self.tracer
    }

    pub(crate) fn id(self) -> ValueId {
        self.id
    }

    /// Operand of a negation, if the value is one.
    pub(crate) fn negated(self) -> Option<Expr<'t>> {
        match &self.tracer.record.borrow().values[self.id] {
            Value::Apply(Op::Neg, arguments) => Some(self.tracer.expression(arguments[0])),
            _ => None,
        }
    }

    /// Its factors, if it is a product.
    pub(crate) fn factors(self) -> Option<(Expr<'t>, Expr<'t>)> {
        match &self.tracer.record.borrow().values[self.id] {
            Value::Apply(Op::Mul, arguments) => Some((
                self.tracer.expression(arguments[0]),
                self.tracer.expression(arguments[1]),
            )),
            _ => None,
        }
    }

    /// Its constant value, if it is one.
    pub fn as_constant(self) -> Option<f64> {
        self.tracer.constant_of(self.id)
    }

    /// Applies an operation, simplified where that changes no value: constants are folded, `x + 0`, `x * 1`, `x / 1`
    /// and `--x` are `x`, `0 - x` and `x * -1` are `-x`; signs move out of products and quotients and into sums, where
    /// they cost nothing. (`x * 0` stays: it is NaN for infinite `x`.)
    ///
    /// # Panics
    /// If the number of arguments is not the operation's, or they come from different traces: a bug in the caller.
    pub fn apply(op: Op, arguments: &[Expr<'t>]) -> Expr<'t> {
        let tracer = arguments[0].tracer;
        assert_eq!(
            arguments.len(),
            op.row().arity,
            "{} takes {} arguments",
            op.row().name,
            op.row().arity
        );
        assert!(
            arguments.iter().all(|a| std::ptr::eq(a.tracer, tracer)),
            "expressions of different traces were mixed"
        );
        let constants: Vec<Option<f64>> = arguments.iter().map(|a| a.as_constant()).collect();
        if let Some(values) = constants.iter().copied().collect::<Option<Vec<f64>>>() {
            return tracer.constant((op.row().value)(&values));
        }
        let is = |argument: usize, value: f64| constants[argument] == Some(value);
        match op {
            Op::Add if is(0, 0.0) => arguments[1],
            Op::Add | Op::Sub if is(1, 0.0) => arguments[0],
            Op::Sub if is(0, 0.0) => -arguments[1],
            Op::Mul if is(0, 1.0) => arguments[1],
            Op::Mul | Op::Div if is(1, 1.0) => arguments[0],
            Op::Mul if is(0, -1.0) => -arguments[1],
            Op::Mul | Op::Div if is(1, -1.0) => -arguments[0],
            Op::SelectLt if arguments[2].id == arguments[3].id => arguments[2],
            Op::Neg => match arguments[0].negated() {
                Some(x) => x,
                None => tracer.push(Value::Apply(op, vec![arguments[0].id])),
            },
            Op::Add | Op::Sub | Op::Mul | Op::Div => {
                let (a, b) = (arguments[0], arguments[1]);
                let push =
                    |a: Expr<'t>, b: Expr<'t>| tracer.push(Value::Apply(op, vec![a.id, b.id]));
                match (op, a.negated(), b.negated()) {
                    (Op::Add, _, Some(b)) => a - b,
                    (Op::Add, Some(a), None) => b - a,
                    (Op::Sub, _, Some(b)) => a + b,
                    (Op::Mul | Op::Div, Some(a), Some(b)) => Self::apply(op, &[a, b]),
                    (Op::Mul | Op::Div, Some(a), None) => match constants[1] {
                        Some(c) => Self::apply(op, &[a, b.same(-c)]),
                        None => -Self::apply(op, &[a, b]),
                    },
                    (Op::Mul | Op::Div, None, Some(b)) => match constants[0] {
                        Some(c) => Self::apply(op, &[a.same(-c), b]),
                        None => -Self::apply(op, &[a, b]),
                    },
                    // Commutative arguments in one order, so that a + b and b + a are one value.
                    (Op::Add | Op::Mul, None, None) if b.id < a.id => push(b, a),
                    _ => push(a, b),
                }
            }
            _ => tracer.push(Value::Apply(op, arguments.iter().map(|a| a.id).collect())),
        }
    }

    /// `e^self`.
    #[must_use]
    pub fn exp(self) -> Self {
        Self::apply(Op::Exp, &[self])
    }

    /// `e^self - 1`, accurate near 0.
    #[must_use]
    pub fn expm1(self) -> Self {
        Self::apply(Op::Expm1, &[self])
    }

    /// Natural logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        Self::apply(Op::Log, &[self])
    }

    /// Square root.
    #[must_use]
    pub fn sqrt(self) -> Self {
        Self::apply(Op::Sqrt, &[self])
    }

    /// `self/(e^self - 1)`, 1 at 0: smooth through the removable singularity of many rate functions.
    #[must_use]
    pub fn exprelr(self) -> Self {
        Self::apply(Op::Exprelr, &[self])
    }

    /// First derivative of [`Expr::exprelr`].
    #[must_use]
    pub fn exprelr_d1(self) -> Self {
        Self::apply(Op::ExprelrD1, &[self])
    }

    /// Second derivative of [`Expr::exprelr`].
    #[must_use]
    pub fn exprelr_d2(self) -> Self {
        Self::apply(Op::ExprelrD2, &[self])
    }

    /// `1/(1 + e^-self)`, the Boltzmann function of steady states.
    #[must_use]
    pub fn sigmoid(self) -> Self {
        Self::apply(Op::Sigmoid, &[self])
    }

    /// The smaller of two.
    #[must_use]
    pub fn min(self, other: impl Operand<'t>) -> Self {
        Self::apply(Op::Min, &[self, other.expr(self.tracer)])
    }

    /// The larger of two.
    #[must_use]
    pub fn max(self, other: impl Operand<'t>) -> Self {
        Self::apply(Op::Max, &[self, other.expr(self.tracer)])
    }

    /// `then` where `self < bound`, else `otherwise`.
    ///
    /// The one that is not taken adds exactly nothing to derivatives, even where its own derivative is infinite or no
    /// number.
    #[must_use]
    pub fn select_lt(
        self,
        bound: impl Operand<'t>,
        then: impl Operand<'t>,
        otherwise: impl Operand<'t>,
    ) -> Self {
        let t = self.tracer;
        Self::apply(
            Op::SelectLt,
            &[self, bound.expr(t), then.expr(t), otherwise.expr(t)],
        )
    }

    /// Integer power by repeated multiplication; `powi(0)` is 1.
    #[must_use]
    pub fn powi(self, exponent: u32) -> Self {
        match exponent {
            0 => self.same(1.0),
            1 => self,
            n if n % 2 == 0 => {
                let half = self.powi(n / 2);
                half * half
            }
            n => self.powi(n - 1) * self,
        }
    }

    /// Any real power of a number that is not negative: `e^(exponent ln(self))`.
    ///
    /// At 0 the derivatives by the number and the exponent are 0 for exponents above 1, as they should be; for smaller
    /// ones they are not finite (1 for the constant exponent 1).
    #[must_use]
    pub fn powf(self, exponent: impl Operand<'t>) -> Self {
        let exponent = exponent.expr(self.tracer);
        let power = (exponent * self.ln()).exp();
        // At 0 the logarithm's derivative is infinite, and that of the power would be 0 times infinity. A product with
        // 0 keeps a NaN.
        let flat_at_zero = || {
            let zero = self.select_lt(0.0, power, self * 0.0);
            self.same(0.0).select_lt(self, power, zero)
        };
        match exponent.as_constant() {
            Some(1.0) => self,
            Some(constant) if constant > 1.0 => flat_at_zero(),
            Some(_) => power,
            None => self.same(1.0).select_lt(exponent, flat_at_zero(), power),
        }
    }
}

/// A number or an expression, where either will do.
pub trait Operand<'t>: Copy {
    /// As an expression of the given trace.
    fn expr(self, tracer: &'t Tracer) -> Expr<'t>;
}

impl<'t> Operand<'t> for Expr<'t> {
    fn expr(self, _: &'t Tracer) -> Expr<'t> {
        self
    }
}

impl<'t> Operand<'t> for f64 {
    fn expr(self, tracer: &'t Tracer) -> Expr<'t> {
        tracer.constant(self)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident),+) => {$(
        impl<'t, T: Operand<'t>> $trait<T> for Expr<'t> {
            type Output = Expr<'t>;
            fn $method(self, other: T) -> Expr<'t> {
                Expr::apply(Op::$op, &[self, other.expr(self.tracer)])
            }
        }
        impl<'t> $trait<Expr<'t>> for f64 {
            type Output = Expr<'t>;
            fn $method(self, other: Expr<'t>) -> Expr<'t> {
                Expr::apply(Op::$op, &[other.same(self), other])
            }
        }
    )+};
}

operators!(Add add Add, Sub sub Sub, Mul mul Mul, Div div Div);

impl<'t> Neg for Expr<'t> {
    type Output = Expr<'t>;
    fn neg(self) -> Expr<'t> {
        Expr::apply(Op::Neg, &[self])
    }
}

impl std::iter::Sum for Expr<'_> {
    /// # Panics
    /// If the iterator is empty: a sum without terms has no trace to belong to.
    fn sum<I: Iterator<Item = Self>>(iterator: I) -> Self {
        iterator
            .reduce(|a, b| a + b)
            .expect("a sum of expressions needs at least one term")
    }
}
