//! Tracing, simplification, slots, and the adjoint of random programs against their tangent.

use axonml_autodiff::ir::op::OPERATIONS;
use axonml_autodiff::ir::{Expr, Extent, Op, Program, TraceError, Tracer, Value};
use proptest::prelude::*;

#[test]
fn constants_fold_and_neutral_elements_vanish() {
    let tracer = Tracer::new();
    let x = tracer.input("x", Extent::Node);
    let y = (x + 0.0) * 1.0 / 1.0 - 0.0;
    let z = -(-y) + (tracer.constant(2.0).exp() - 2f64.exp());
    let program = tracer.finish(&[("z".into(), z)]).unwrap();
    assert_eq!(program.values(), [Value::Input(0)]);
}

#[test]
fn multiplication_by_zero_is_kept_because_infinity_must_stay_visible() {
    let tracer = Tracer::new();
    let x = tracer.input("x", Extent::Node);
    let program = tracer.finish(&[("y".into(), x * 0.0)]).unwrap();
    assert!(program.eval(&[f64::INFINITY])[0].is_nan());
}

#[test]
fn equal_subexpressions_are_one_value_and_unused_ones_are_dropped() {
    let tracer = Tracer::new();
    let (a, b) = (
        tracer.input("a", Extent::Node),
        tracer.input("b", Extent::Node),
    );
    let _unused = a.exp() * b.sqrt();
    let program = tracer.finish(&[("y".into(), (a + b) * (b + a))]).unwrap();
    assert_eq!(program.values().len(), 4, "{program}");
    assert_eq!(program.eval(&[2.0, 3.0]), [25.0]);
}

#[test]
fn extents_follow_the_narrowest_argument() {
    let tracer = Tracer::new();
    let (v, d, t) = (
        tracer.input("v", Extent::Node),
        tracer.input("d", Extent::Fiber),
        tracer.input("t", Extent::Shared),
    );
    let program = tracer
        .finish(&[
            ("q".into(), t.exp()),
            ("a".into(), d * t.exp()),
            ("y".into(), v * d),
        ])
        .unwrap();
    let extents = program.extents();
    let of = |output: usize| extents[program.outputs()[output].1];
    assert_eq!(
        [of(0), of(1), of(2)],
        [Extent::Shared, Extent::Fiber, Extent::Node]
    );
    let slots = program.slots();
    assert_eq!(slots.count, 1, "only the per-node product needs a slot");
}

#[test]
fn errors_stick_to_the_trace_and_the_first_is_reported() {
    let tracer = Tracer::new();
    let x = tracer.input("x", Extent::Node);
    let error = |name: &str| TraceError::UnknownName {
        model: "m".into(),
        name: name.into(),
        nearest: Some("gna".into()),
    };
    tracer.fail(error("gNa"));
    tracer.fail(error("other"));
    let reported = tracer.finish(&[("y".into(), x)]).unwrap_err();
    assert_eq!(reported, error("gNa"));
    assert!(reported.to_string().contains("`gna`"), "{reported}");
}

const INPUTS: usize = 3;

/// A random program: every step applies an operation of the table to earlier values, kept within the operations'
/// smooth domains by squashing arguments where needed.
fn random_program(choices: &[(usize, usize, usize, usize, usize)]) -> Program {
    let tracer = Tracer::new();
    let mut pool: Vec<Expr<'_>> = (0..INPUTS)
        .map(|i| tracer.input(&format!("x{i}"), Extent::Node))
        .collect();
    pool.push(tracer.constant(0.7));
    for &(op, a, b, c, d) in choices {
        let row = &OPERATIONS[op % OPERATIONS.len()];
        let pick = |i: usize| pool[i % pool.len()];
        // Bounded arguments keep values and derivatives of order one through any depth.
        let squash = |i: usize| pick(i).sigmoid() * 3.0 - 1.0;
        let arguments: Vec<Expr<'_>> = match (row.op, row.arity) {
            (Op::Log | Op::Sqrt, _) => vec![pick(a).sigmoid() + 0.1],
            (Op::Div, _) => vec![pick(a), pick(b).sigmoid() + 0.5],
            (_, 1) => vec![squash(a)],
            (_, 2) => vec![squash(a), squash(b)],
            _ => vec![squash(a), squash(b), pick(c), pick(d)],
        };
        pool.push(Expr::apply(row.op, &arguments));
    }
    let n = pool.len();
    let outputs = [
        ("y0".to_owned(), pool[n - 1]),
        ("y1".to_owned(), pool[n - 2] * pool[n - 1]),
    ];
    tracer.finish(&outputs).unwrap()
}

fn choices() -> impl Strategy<Value = Vec<(usize, usize, usize, usize, usize)>> {
    let index = || 0..1_000_usize;
    proptest::collection::vec((index(), index(), index(), index(), index()), 2..25)
}

proptest! {
    /// <J v, w> = <v, J^T w>: tangent and adjoint are transposes of each other.
    #[test]
    fn adjoint_is_the_transpose_of_the_tangent(
        choices in choices(),
        x in proptest::array::uniform3(-2.0..2.0f64),
        v in proptest::array::uniform3(-1.0..1.0f64),
        w in proptest::array::uniform2(-1.0..1.0f64),
    ) {
        let program = random_program(&choices);
        let jv = program.tangent().eval(&[x, v].concat());
        let jtw = program.adjoint().eval(&[&x[..], &w[..]].concat());
        let left: f64 = jv.iter().zip(&w).map(|(a, b)| a * b).sum();
        let right: f64 = jtw.iter().zip(&v).map(|(a, b)| a * b).sum();
        let size: f64 = jtw.iter().zip(&v).map(|(a, b)| (a * b).abs()).sum::<f64>().max(1e-3);
        prop_assert!((left - right).abs() <= 1e-12 * size, "{left} {right}\n{program}");
    }

    /// No value's slot is overwritten while the value is still needed: running on slots gives the same outputs.
    #[test]
    fn slots_do_not_clobber_live_values(choices in choices(), x in proptest::array::uniform3(-2.0..2.0f64)) {
        let program = random_program(&choices);
        let slots = program.slots();
        let mut memory = vec![f64::NAN; slots.count];
        let read = |memory: &[f64], id: usize| match (&program.values()[id], slots.of_value[id]) {
            (Value::Constant(c), _) => *c,
            (Value::Input(i), _) => x[*i],
            (Value::Apply(..), Some(slot)) => memory[slot],
            (Value::Apply(..), None) => unreachable!("per-node operations have slots"),
        };
        for (id, value) in program.values().iter().enumerate() {
            if let (Value::Apply(op, arguments), Some(slot)) = (value, slots.of_value[id]) {
                prop_assert!(arguments.iter().all(|&a| slots.of_value[a] != Some(slot)), "in-place write");
                let operands: Vec<f64> = arguments.iter().map(|&a| read(&memory, a)).collect();
                memory[slot] = (op.row().value)(&operands);
            }
        }
        let found: Vec<f64> = program.outputs().iter().map(|&(_, id)| read(&memory, id)).collect();
        prop_assert_eq!(found, program.eval(&x));
    }
}
