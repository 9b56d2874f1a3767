//! The branch that a selection does not take adds exactly nothing to a derivative.

use axonml_autodiff::ir::{Expr, Extent, Program, Tracer};

/// A program of `x` and `p`.
fn program(of: impl for<'t> Fn(Expr<'t>, Expr<'t>) -> Expr<'t>) -> Program {
    let tracer = Tracer::new();
    let (x, p) = (
        tracer.input("x", Extent::Node),
        tracer.input("p", Extent::Node),
    );
    tracer.finish(&[("y".into(), of(x, p))]).unwrap()
}

/// Derivatives by `x`, and by `p`, by the adjoint and by the tangent.
fn derivatives(program: &Program, x: f64, p: f64) -> [[f64; 2]; 2] {
    let adjoint = program.adjoint().eval(&[x, p, 1.0]);
    let tangent = program.tangent();
    let along = |dx: f64, dp: f64| tangent.eval(&[x, p, dx, dp])[0];
    [[adjoint[0], adjoint[1]], [along(1.0, 0.0), along(0.0, 1.0)]]
}

#[track_caller]
fn assert_derivatives(program: &Program, at: (f64, f64), expected: [f64; 2]) {
    let (x, p) = at;
    for found in derivatives(program, x, p) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs(),
                "at {at:?}: {found} instead of {expected}\n{program}"
            );
        }
    }
}

#[test]
fn infinite_derivatives_of_a_branch_not_taken_are_masked() {
    let guarded = program(|x, _| x.select_lt(1e-12, 0.0, x.sqrt()));
    assert_derivatives(&guarded, (0.0, 0.0), [0.0, 0.0]);
    assert_derivatives(&guarded, (4.0, 0.0), [0.25, 0.0]);
    let clamped = program(|x, _| x.max(0.0).sqrt());
    assert_derivatives(&clamped, (-1.0, 0.0), [0.0, 0.0]);
    assert_derivatives(&clamped, (4.0, 0.0), [0.25, 0.0]);
    let capped = program(|x, _| (-x.min(0.0)).ln());
    assert_derivatives(&capped, (1.0, 0.0), [0.0, 0.0]);
    assert_derivatives(&capped, (-4.0, 0.0), [-0.25, 0.0]);
    // The mask outside, and the singular function within a longer chain.
    let chain = program(|x, p| (p * (2.0 * x.select_lt(1e-12, 0.0, 3.0 * x.sqrt())).exp()).exp());
    assert_derivatives(&chain, (0.0, 0.5), [0.0, 0.5_f64.exp()]);
}

#[test]
fn a_singular_value_that_several_selections_leave_out_is_masked_by_each() {
    let root = program(|x, p| {
        let y = x.sqrt();
        x.select_lt(1e-12, 0.0, y) + p * x.select_lt(1e-9, 1.0, y * y)
            - x.select_lt(0.5, 2.0, y.exp())
    });
    assert_derivatives(&root, (0.0, 3.0), [0.0, 1.0]);
    // d/dx: 1/(2 sqrt x) + p - e^sqrt(x)/(2 sqrt x).
    let expected = 0.25 + 3.0 - 2.0_f64.exp() / 4.0;
    assert_derivatives(&root, (4.0, 3.0), [expected, 4.0]);
}

#[test]
fn a_singular_branch_that_is_taken_stays_visible() {
    let root = program(|x, p| x.select_lt(1e-12, p, x.sqrt()) + x.select_lt(-1.0, 0.0, x.sqrt()));
    let [adjoint, along] = derivatives(&root, 0.0, 1.0);
    assert!(!adjoint[0].is_finite() && !along[0].is_finite());
    assert_eq!(adjoint[1], 1.0);
    // NaN in a branch that is not taken does not reach the result, in one that is it does.
    let log = program(|x, p| x.select_lt(0.0, p * x.ln(), p));
    assert_derivatives(&log, (2.0, 3.0), [0.0, 1.0]);
    assert!(log.eval(&[-1.0, 1.0])[0].is_nan());
}

#[test]
fn powers_of_zero_have_their_derivatives() {
    for constant in [2.0, 1.5, 7.0] {
        let power = program(move |x, _| x.powf(constant));
        assert_eq!(power.eval(&[0.0, 0.0]), [0.0]);
        assert_derivatives(&power, (0.0, 0.0), [0.0, 0.0]);
        let [[slope, _], _] = derivatives(&power, 3.0, 0.0);
        let expected = constant * 3.0_f64.powf(constant - 1.0);
        assert!((slope / expected - 1.0).abs() < 1e-14, "{slope} {expected}");
        assert!(power.eval(&[-1.0, 0.0])[0].is_nan());
        assert!(power.eval(&[f64::NAN, 0.0])[0].is_nan());
    }
    let any = program(|x, p| x.powf(p));
    assert_eq!(any.eval(&[0.0, 2.0]), [0.0]);
    assert_derivatives(&any, (0.0, 2.0), [0.0, 0.0]);
    assert_eq!(any.eval(&[0.0, 0.5]), [0.0]);
    assert!(any.eval(&[f64::NAN, 2.0])[0].is_nan());
    assert!(any.eval(&[-2.0, 2.0])[0].is_nan());
    // The slope of the root at 0 is infinite: no number may stand for it.
    let [[slope, _], [along, _]] = derivatives(&any, 0.0, 0.5);
    assert!(!slope.is_finite() && !along.is_finite(), "{slope} {along}");
    // As before where nothing is singular, to the bit.
    for (x, p) in [(2.3_f64, 1.7_f64), (0.4, -2.0), (5.0, 0.3)] {
        assert_eq!(any.eval(&[x, p]), [(p * x.ln()).exp()]);
    }
    assert_derivatives(&program(|x, _| x.powf(1.0)), (0.0, 0.0), [1.0, 0.0]);
}
