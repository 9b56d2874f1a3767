//! Derivatives of programs as programs.
//!
//! Both directions come from the same partial derivatives, one expression per argument in the table of operations.

use std::collections::HashMap;

use crate::ir::op::Op;
use crate::ir::{Expr, Tracer};
use crate::ir::{Extent, Input, Program, Value, ValueId};

impl Program {
    /// The program of directional derivatives (Jacobian times vector).
    ///
    /// Inputs: those of this program, then one tangent per input, named `d_<input>`, of the same extent.
    /// Outputs: `d_<output>`.
    pub fn tangent(&self) -> Program {
        let tracer = Tracer::new();
        let (inputs, values) = self.replay(&tracer);
        let tangents: Vec<Expr<'_>> = self
            .inputs()
            .iter()
            .map(|input| tracer.input(&format!("d_{}", input.name), input.extent))
            .collect();
        debug_assert_eq!(inputs.len(), tangents.len());

        let mut flowing: Vec<Option<Expr<'_>>> = Vec::with_capacity(values.len());
        for (id, value) in self.values().iter().enumerate() {
            flowing.push(match value {
                Value::Constant(_) => None,
                Value::Input(index) => Some(tangents[*index]),
                Value::Apply(op, arguments) => {
                    let operands: Vec<Expr<'_>> = arguments.iter().map(|&a| values[a]).collect();
                    let partials = op.partials(&operands, values[id]);
                    let terms = arguments
                        .iter()
                        .zip(partials)
                        .filter_map(|(&a, p)| Some(masked_product(p?, flowing[a]?, times)));
                    terms.reduce(|sum, term| sum + term)
                }
            });
        }
        let outputs: Vec<(String, Expr<'_>)> = self
            .outputs()
            .iter()
            .map(|(name, id)| {
                (
                    format!("d_{name}"),
                    flowing[*id].unwrap_or_else(|| tracer.constant(0.0)),
                )
            })
            .collect();
        finish(&tracer, &outputs)
    }

    /// The program of transposed derivatives (vector times Jacobian).
    ///
    /// Inputs: those of this program, then one cotangent per output, named `bar_<output>`, of node extent.
    /// Outputs: `bar_<input>` for every input, in their order. For inputs that lanes share, the executor sums over the
    /// lanes.
    pub fn adjoint(&self) -> Program {
        self.adjoint_with(&[], |_, partial| partial)
    }

    /// [`Program::adjoint`] for callers that have stored some outputs: those listed in `kept` are not recomputed but
    /// inputs, named `kept_<output>`, that follow the program's own.
    pub(crate) fn adjoint_from(&self, kept: &[usize]) -> Program {
        self.adjoint_with(kept, |_, partial| partial)
    }

    /// [`Program::adjoint_from`] with every partial derivative passed through `rule` (by operation index): tests plant
    /// errors there.
    pub(crate) fn adjoint_with(
        &self,
        kept: &[usize],
        rule: impl for<'t> Fn(usize, Expr<'t>) -> Expr<'t>,
    ) -> Program {
        let tracer = Tracer::new();
        self.inputs().iter().for_each(|input| {
            tracer.input(&input.name, input.extent);
        });
        let kept: HashMap<ValueId, Expr<'_>> = kept
            .iter()
            .map(|&output| {
                let (name, id) = &self.outputs()[output];
                (*id, tracer.input(&format!("kept_{name}"), Extent::Node))
            })
            .collect();
        let (inputs, values) = self.replay_with(
            &tracer,
            |_| None,
            |id, op, operands| match kept.get(&id) {
                Some(&value) => value,
                None => reciprocal_quotient(op, operands),
            },
        );
        let mut cotangents: Vec<Cotangent<'_>> = vec![Cotangent::default(); values.len()];
        for (name, id) in self.outputs() {
            cotangents[*id].add(tracer.input(&format!("bar_{name}"), Extent::Node));
        }
        for (id, value) in self.values().iter().enumerate().rev() {
            let (Value::Apply(op, arguments), Some(bar)) = (value, cotangents[id].total()) else {
                continue;
            };
            let operands: Vec<Expr<'_>> = arguments.iter().map(|&a| values[a]).collect();
            let partials = op.partials(&operands, values[id]);
            for (&argument, partial) in arguments.iter().zip(partials) {
                let Some(partial) = partial else { continue };
                let partial = rule(*op as usize, partial);
                cotangents[argument].add(masked_product(partial, bar, product));
            }
        }
        let mut outputs = Vec::with_capacity(inputs.len());
        for (index, input) in self.inputs().iter().enumerate() {
            let bar = self
                .values()
                .iter()
                .position(|value| *value == Value::Input(index))
                .and_then(|id| cotangents[id].total())
                .unwrap_or_else(|| tracer.constant(0.0));
            outputs.push((format!("bar_{}", input.name), bar));
        }
        finish(&tracer, &outputs)
    }

    /// Records this program's computation in `tracer` with some of its inputs replaced (by name); returns the outputs.
    pub fn inline<'t>(
        &self,
        tracer: &'t Tracer,
        replaced: &HashMap<String, Expr<'t>>,
    ) -> Vec<Expr<'t>> {
        let values = self
            .replay_with(
                tracer,
                |input| replaced.get(&input.name).copied(),
                |_, op, operands| Expr::apply(op, operands),
            )
            .1;
        self.outputs().iter().map(|&(_, id)| values[id]).collect()
    }

    /// Records this program's values in `tracer`: its inputs first, in order, then every value.
    fn replay<'t>(&self, tracer: &'t Tracer) -> (Vec<Expr<'t>>, Vec<Expr<'t>>) {
        self.replay_with(
            tracer,
            |_| None,
            |_, op, operands| Expr::apply(op, operands),
        )
    }

    fn replay_with<'t>(
        &self,
        tracer: &'t Tracer,
        replaced: impl Fn(&Input) -> Option<Expr<'t>>,
        apply: impl Fn(ValueId, Op, &[Expr<'t>]) -> Expr<'t>,
    ) -> (Vec<Expr<'t>>, Vec<Expr<'t>>) {
        let own = |input: &Input| tracer.input(&input.name, input.extent);
        let inputs: Vec<Expr<'t>> = self
            .inputs()
            .iter()
            .map(|input| replaced(input).unwrap_or_else(|| own(input)))
            .collect();
        let mut values: Vec<Expr<'t>> = Vec::with_capacity(self.values().len());
        for (id, value) in self.values().iter().enumerate() {
            values.push(match value {
                Value::Constant(c) => tracer.constant(*c),
                Value::Input(index) => inputs[*index],
                Value::Apply(op, arguments) => {
                    let operands: Vec<Expr<'t>> = arguments.iter().map(|&a| values[a]).collect();
                    apply(id, *op, &operands)
                }
            });
        }
        (inputs, values)
    }
}

/// An operation as adjoints repeat it: quotients by the reciprocal, which their derivatives need as well.
fn reciprocal_quotient<'t>(op: Op, operands: &[Expr<'t>]) -> Expr<'t> {
    match (op, operands) {
        (Op::Div, &[a, b]) if b.as_constant().is_none() => a * (1.0 / b),
        _ => Expr::apply(op, operands),
    }
}

/// `a b`, as a product with one that is there already where one factor is itself a product: `(p q) b` is `(p b) q` if
/// `p b` is known. Factors that several partial derivatives of an operation share are computed once.
fn product<'t>(a: Expr<'t>, b: Expr<'t>) -> Expr<'t> {
    match (a.negated(), b.negated()) {
        (Some(a), Some(b)) => return product(a, b),
        (Some(a), None) => return -product(a, b),
        (None, Some(b)) => return -product(a, b),
        (None, None) => {}
    }
    for (whole, other) in [(b, a), (a, b)] {
        let Some((p, q)) = whole.factors() else {
            continue;
        };
        for (kept, paired) in [(p, q), (q, p)] {
            match whole.tracer().known_product(paired, other) {
                Some(known) if known.id() != whole.id() => return known * kept,
                _ => {}
            }
        }
    }
    a * b
}

/// The plain product.
fn times<'t>(a: Expr<'t>, b: Expr<'t>) -> Expr<'t> {
    a * b
}

/// `a b`, multiplied by `multiply`, where a factor that a selection has set to 0 makes the product exactly 0, whatever the
/// other factor is: `select(c, x, 0) b` becomes `select(c, x b, 0)`.
///
/// The branch that a selection does not take is a constant as far as its result is concerned. Its own derivatives may be
/// infinite all the same (`sqrt` at 0), and 0 times infinity is no derivative. Sums whose terms are all selections of that
/// kind are taken apart, so that each keeps its own condition.
fn masked_product<'t>(
    a: Expr<'t>,
    b: Expr<'t>,
    multiply: fn(Expr<'t>, Expr<'t>) -> Expr<'t>,
) -> Expr<'t> {
    for (masked, other) in [(b, a), (a, b)] {
        if let Some(masked) = masked.negated()
            && masked.vanishes_where_masked()
        {
            return -masked_product(masked, other, multiply);
        }
        if let Some((sum, terms)) = masked.terms()
            && masked.vanishes_where_masked()
        {
            let terms = terms.map(|term| masked_product(term, other, multiply));
            return Expr::apply(sum, &terms);
        }
        if let Some(mask) = masked.mask() {
            let product = masked_product(mask.value, other, multiply);
            return mask.around(product);
        }
    }
    multiply(a, b)
}

/// A selection between an expression and 0.
struct Mask<'t> {
    /// Where the first is less than the second,
    condition: [Expr<'t>; 2],
    /// this is taken (else 0), or the other way round.
    value: Expr<'t>,
    zero: Expr<'t>,
    value_first: bool,
}

impl<'t> Mask<'t> {
    /// The same selection between `value` and 0.
    fn around(&self, value: Expr<'t>) -> Expr<'t> {
        let [a, b] = self.condition;
        match self.value_first {
            true => Expr::apply(Op::SelectLt, &[a, b, value, self.zero]),
            false => Expr::apply(Op::SelectLt, &[a, b, self.zero, value]),
        }
    }
}

impl<'t> Expr<'t> {
    /// The selection between an expression and 0 that this is, if it is one.
    fn mask(self) -> Option<Mask<'t>> {
        let Value::Apply(Op::SelectLt, arguments) = self.tracer().value(self.id()) else {
            return None;
        };
        let argument = |index: usize| self.tracer().expression(arguments[index]);
        let condition = [argument(0), argument(1)];
        let (first, second) = (argument(2), argument(3));
        let is_zero = |x: Expr<'t>| x.as_constant() == Some(0.0);
        let (value, zero, value_first) = match (is_zero(first), is_zero(second)) {
            (_, true) => (first, second, true),
            (true, false) => (second, first, false),
            (false, false) => return None,
        };
        Some(Mask {
            condition,
            value,
            zero,
            value_first,
        })
    }

    /// Its operation and its two terms, if it is a sum or difference.
    fn terms(self) -> Option<(Op, [Expr<'t>; 2])> {
        match self.tracer().value(self.id()) {
            Value::Apply(op @ (Op::Add | Op::Sub), arguments) => Some((
                op,
                [arguments[0], arguments[1]].map(|id| self.tracer().expression(id)),
            )),
            _ => None,
        }
    }

    /// Whether it is made of selections between something and 0, and of sums of such.
    fn vanishes_where_masked(self) -> bool {
        match (self.negated(), self.terms()) {
            (Some(x), _) => x.vanishes_where_masked(),
            (None, Some((_, terms))) => terms.into_iter().all(Expr::vanishes_where_masked),
            (None, None) => self.mask().is_some(),
        }
    }
}

/// A cotangent as it grows: terms, and how often each has come (negative if it is subtracted).
#[derive(Clone, Default)]
struct Cotangent<'t> {
    terms: Vec<(Expr<'t>, f64)>,
}

impl<'t> Cotangent<'t> {
    fn add(&mut self, term: Expr<'t>) {
        let (term, sign) = match term.negated() {
            Some(term) => (term, -1.0),
            None => (term, 1.0),
        };
        let known = self.terms.iter_mut().find(|(x, _)| x.id() == term.id());
        match known {
            Some((_, times)) => *times += sign,
            None => self.terms.push((term, sign)),
        }
    }

    /// The sum of the terms; `None` if there are none. Differences come last, so that no sign is changed for them.
    fn total(&self) -> Option<Expr<'t>> {
        let (plus, minus): (Vec<_>, Vec<_>) =
            self.terms.iter().partition(|(_, times)| *times > 0.0);
        let scale = |(x, count): (Expr<'t>, f64)| masked_product(x, x.same(count.abs()), times);
        let sum = |terms: Vec<(Expr<'t>, f64)>| {
            let scaled = terms.into_iter().map(scale);
            scaled.reduce(|sum, term| sum + term)
        };
        let scaled = minus.iter().copied().map(scale);
        match sum(plus) {
            Some(plus) => Some(scaled.fold(plus, |difference, term| difference - term)),
            None => sum(minus).map(|sum| -sum),
        }
    }
}

impl<'t> Expr<'t> {
    /// The partial derivative of this expression with respect to another of the same trace, all other inputs fixed.
    #[must_use]
    pub fn derivative(self, with_respect_to: Expr<'t>) -> Expr<'t> {
        let tracer = self.tracer();
        let mut tangents: Vec<Option<Expr<'t>>> = vec![None; self.id() + 1];
        if let Some(tangent) = tangents.get_mut(with_respect_to.id()) {
            *tangent = Some(tracer.constant(1.0));
        }
        for id in with_respect_to.id() + 1..=self.id() {
            let Value::Apply(op, arguments) = tracer.value(id) else {
                continue;
            };
            if arguments.iter().all(|&a| tangents[a].is_none()) {
                continue;
            }
            let operands: Vec<Expr<'t>> = arguments.iter().map(|&a| tracer.expression(a)).collect();
            let partials = op.partials(&operands, tracer.expression(id));
            let terms = arguments
                .iter()
                .zip(partials)
                .filter_map(|(&a, p)| Some(masked_product(p?, tangents[a]?, times)));
            tangents[id] = terms.reduce(|sum, term| sum + term);
        }
        tangents[self.id()].unwrap_or_else(|| tracer.constant(0.0))
    }
}

fn finish(tracer: &Tracer, outputs: &[(String, Expr<'_>)]) -> Program {
    tracer
        .finish(outputs)
        .expect("a derivative of a valid program has no trace error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::op::OPERATIONS;

    /// The transpose identity must notice a relative error of one millionth in any single rule.
    #[test]
    fn a_planted_error_in_any_one_rule_breaks_the_transpose_identity() {
        for (index, row) in OPERATIONS.iter().enumerate() {
            let tracer = Tracer::new();
            let arguments: Vec<Expr<'_>> = (0..row.arity)
                .map(|i| tracer.input(&format!("x{i}"), Extent::Node))
                .collect();
            let program = tracer
                .finish(&[("y".into(), Expr::apply(row.op, &arguments))])
                .unwrap();
            let x: Vec<f64> = [0.4, 1.3, 0.9, 2.0][..row.arity].to_vec();
            let v: Vec<f64> = [0.3, -0.8, 0.6, 0.2][..row.arity].to_vec();
            let jv = program.tangent().eval(&[&x[..], &v[..]].concat())[0];
            let transposed = |adjoint: Program| -> f64 {
                let bars = adjoint.eval(&[&x[..], &[1.0]].concat());
                bars.iter().zip(&v).map(|(bar, v)| bar * v).sum()
            };
            let sound = transposed(program.adjoint());
            assert!(
                (jv - sound).abs() <= 1e-13 * jv.abs(),
                "{}: {jv} {sound}",
                row.name
            );
            let planted = transposed(
                program.adjoint_with(&[], |op, p| if op == index { p * (1.0 + 1e-6) } else { p }),
            );
            assert!(
                (jv - planted).abs() > 1e-8 * jv.abs(),
                "{}: the planted error passes",
                row.name
            );
        }
    }
}
