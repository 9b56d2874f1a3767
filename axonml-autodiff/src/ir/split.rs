//! A program in two parts: coefficients, computed once per fiber, and the rest, computed at every node and step.
//!
//! Values that do not depend on a node become coefficients. Chains of additions and multiplications by coefficients
//! collapse into one `k x + c`, divisions by them become multiplications: a rate function of the form `(v + b)/c` costs
//! one multiply-add, whatever its parameters are. (A collapsed `k (x - a)` errs by a rounding of `k a`, no longer
//! relative to a vanishing result.) Which rewrites are made follows from the program alone, never from numbers.
//!
//! Executors run the node part; derivatives with respect to parameters are taken in two steps, first with respect to the
//! coefficients, lane by lane, then through the coefficient part once per fiber.

use std::cell::RefCell;

use crate::ir::op::Op;
use crate::ir::{Expr, Tracer};
use crate::ir::{Extent, Program, Value, ValueId};

/// The two parts of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitProgram {
    /// From the inputs of shared and fiber extent (in the program's order) to the coefficients.
    pub coefficients: Program,
    /// From the inputs of node extent (in the program's order), then the coefficients, to the program's outputs.
    pub node: Program,
    /// Index in the program of each of the first inputs of `node`.
    pub node_inputs: Vec<usize>,
    /// Index in the program of each input of `coefficients`.
    pub coefficient_inputs: Vec<usize>,
}

impl Program {
    /// Splits off the values that are the same at every node of a fiber.
    pub fn split(&self) -> SplitProgram {
        let (outer, inner) = (Tracer::new(), Tracer::new());
        let indices = |node: bool| -> Vec<usize> {
            let all = self.inputs().iter().enumerate();
            all.filter(|(_, input)| (input.extent == Extent::Node) == node)
                .map(|(index, _)| index)
                .collect()
        };
        let (node_inputs, coefficient_inputs) = (indices(true), indices(false));
        // All inputs are declared, used or not: their order is the calling convention.
        for (tracer, declared) in [(&inner, &node_inputs), (&outer, &coefficient_inputs)] {
            for &index in declared {
                let input = &self.inputs()[index];
                tracer.input(&input.name, input.extent);
            }
        }
        let splitting = Splitting {
            program: self,
            outer: &outer,
            inner: &inner,
            coefficients: RefCell::new(Vec::new()),
        };
        let outputs = splitting.outputs();
        let node = inner
            .finish(&outputs)
            .expect("a part of a valid program has no trace error");
        let coefficients = outer
            .finish(&splitting.coefficients.into_inner())
            .expect("a part of a valid program has no trace error");
        SplitProgram {
            coefficients,
            node,
            node_inputs,
            coefficient_inputs,
        }
    }
}

/// Where the values of the program go.
struct Splitting<'p, 'o, 'i> {
    program: &'p Program,
    outer: &'o Tracer,
    inner: &'i Tracer,
    /// Name and expression of every coefficient so far.
    coefficients: RefCell<Vec<(String, Expr<'o>)>>,
}

/// A value of the program.
#[derive(Clone, Copy)]
enum Place<'o> {
    /// The same at every node.
    Outer(Expr<'o>),
    /// Different from node to node.
    Inner(Affine<'o>),
}

/// A per-node value as `k * base + c` of a value that is not itself of this form.
#[derive(Clone, Copy)]
struct Affine<'o> {
    base: ValueId,
    k: Expr<'o>,
    c: Expr<'o>,
    /// Whether the chain contains a multiplication or division, and an addition or subtraction: the operations must not
    /// depend on whether `k` happens to be 1 or `c` 0.
    scaled: bool,
    shifted: bool,
}

impl<'o, 'i> Splitting<'_, 'o, 'i> {
    fn outputs(&self) -> Vec<(String, Expr<'i>)> {
        let extents = self.program.extents();
        let mut places: Vec<Place<'o>> = Vec::with_capacity(extents.len());
        for (id, value) in self.program.values().iter().enumerate() {
            places.push(match extents[id] {
                Extent::Node => Place::Inner(self.affine(id, value, &places)),
                Extent::Shared | Extent::Fiber => Place::Outer(self.hoist(value, &places)),
            });
        }
        // Only needed values get an expression, so that values absorbed by a chain leave no unused coefficients.
        let mut needed = vec![false; places.len()];
        for &(_, id) in self.program.outputs() {
            needed[id] = true;
        }
        for id in (0..places.len()).rev() {
            let Place::Inner(form) = &places[id] else {
                continue;
            };
            if !needed[id] {
                continue;
            }
            if form.base != id {
                needed[form.base] = true;
            } else if let Value::Apply(_, arguments) = &self.program.values()[id] {
                arguments.iter().for_each(|&a| needed[a] = true);
            }
        }
        let mut inner: Vec<Option<Expr<'i>>> = vec![None; places.len()];
        for id in 0..places.len() {
            if needed[id] {
                inner[id] = Some(self.node_value(id, &places, &inner));
            }
        }
        let outputs = self.program.outputs().iter();
        outputs
            .map(|(name, id)| (name.clone(), inner[*id].expect("outputs are needed")))
            .collect()
    }

    fn hoist(&self, value: &Value, places: &[Place<'o>]) -> Expr<'o> {
        match value {
            Value::Constant(c) => self.outer.constant(*c),
            Value::Input(index) => {
                let input = &self.program.inputs()[*index];
                self.outer.input(&input.name, input.extent)
            }
            Value::Apply(op, arguments) => {
                let operands: Vec<Expr<'o>> = arguments
                    .iter()
                    .map(|&a| match places[a] {
                        Place::Outer(e) => e,
                        Place::Inner(_) => unreachable!("arguments of a hoisted value are hoisted"),
                    })
                    .collect();
                Expr::apply(*op, &operands)
            }
        }
    }

    fn affine(&self, id: ValueId, value: &Value, places: &[Place<'o>]) -> Affine<'o> {
        let itself = Affine {
            base: id,
            k: self.outer.constant(1.0),
            c: self.outer.constant(0.0),
            scaled: false,
            shifted: false,
        };
        let Value::Apply(op, arguments) = value else {
            return itself;
        };
        let operands: Vec<Place<'o>> = arguments.iter().map(|&a| places[a]).collect();
        let (form, constant, form_first) = match operands[..] {
            [Place::Inner(form)] => (form, None, true),
            [Place::Inner(form), Place::Outer(x)] => (form, Some(x), true),
            [Place::Outer(x), Place::Inner(form)] => (form, Some(x), false),
            _ => return itself,
        };
        let (k, c) = (form.k, form.c);
        let (k, c) = match (op, constant, form_first) {
            (Op::Neg, None, _) => (-k, -c),
            (Op::Add, Some(x), _) => (k, c + x),
            (Op::Sub, Some(x), true) => (k, c - x),
            (Op::Sub, Some(x), false) => (-k, x - c),
            (Op::Mul, Some(x), _) => (k * x, c * x),
            (Op::Div, Some(x), true) => (k / x, c / x),
            _ => return itself,
        };
        let negates = *op == Op::Neg || (*op == Op::Sub && !form_first);
        Affine {
            base: form.base,
            k,
            c,
            scaled: form.scaled || negates || matches!(op, Op::Mul | Op::Div),
            shifted: form.shifted || matches!(op, Op::Add | Op::Sub),
        }
    }

    fn node_value(
        &self,
        id: ValueId,
        places: &[Place<'o>],
        inner: &[Option<Expr<'i>>],
    ) -> Expr<'i> {
        let known = |id: ValueId| inner[id].expect("operands of a needed value are needed");
        match places[id] {
            Place::Outer(e) => self.coefficient(e),
            Place::Inner(form) if form.base != id => {
                let base = known(form.base);
                // Kept as one product and one sum even where a number is 0 or 1.
                match (form.scaled, form.shifted) {
                    (false, _) => base + self.coefficient(form.c),
                    (true, false) => base * self.coefficient(form.k),
                    (true, true) => base * self.coefficient(form.k) + self.coefficient(form.c),
                }
            }
            Place::Inner(_) => match &self.program.values()[id] {
                Value::Input(index) => {
                    let input = &self.program.inputs()[*index];
                    self.inner.input(&input.name, input.extent)
                }
                Value::Apply(op, arguments) => {
                    let operands: Vec<Expr<'i>> = arguments.iter().map(|&a| known(a)).collect();
                    Expr::apply(*op, &operands)
                }
                Value::Constant(_) => unreachable!("a constant is the same at every node"),
            },
        }
    }

    /// A hoisted value as the node part sees it: a number, or one of its inputs.
    fn coefficient(&self, e: Expr<'o>) -> Expr<'i> {
        if let Some(number) = e.as_constant() {
            return self.inner.constant(number);
        }
        let mut coefficients = self.coefficients.borrow_mut();
        let known = coefficients.iter().position(|(_, c)| c.id() == e.id());
        let index = known.unwrap_or(coefficients.len());
        let name = format!("coefficient {index}");
        let input = self.inner.input(&name, Extent::Fiber);
        if known.is_none() {
            coefficients.push((name, e));
        }
        input
    }
}
