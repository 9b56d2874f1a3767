//! Partial derivatives of the operations: from them the adjoint and the tangent of a program are built.

use crate::ir::Expr;
use crate::ir::op::Op;

impl Op {
    /// The factor `dy/dx` for each argument `x` of an operation of value `y`, or `None` where it is zero.
    pub fn partials<'t>(self, x: &[Expr<'t>], y: Expr<'t>) -> Vec<Option<Expr<'t>>> {
        match self {
            Op::Add => vec![Some(y.same(1.0)), Some(y.same(1.0))],
            Op::Sub => vec![Some(y.same(1.0)), Some(y.same(-1.0))],
            Op::Mul => vec![Some(x[1]), Some(x[0])],
            Op::Div => vec![Some(1.0 / x[1]), Some(-(y * (1.0 / x[1])))],
            Op::Neg => vec![Some(y.same(-1.0))],
            Op::Exp => vec![Some(y)],
            Op::Expm1 => vec![Some(y + 1.0)],
            Op::Log => vec![Some(1.0 / x[0])],
            Op::Sqrt => vec![Some(0.5 / y)],
            Op::Exprelr => vec![Some(x[0].exprelr_d1())],
            Op::ExprelrD1 => vec![Some(x[0].exprelr_d2())],
            Op::ExprelrD2 => vec![Some(exprelr_d3(x[0], y))],
            Op::Sigmoid => vec![Some(y - y * y)],
            Op::Min => first_or_second(x[0], x[1]),
            Op::Max => first_or_second(x[1], x[0]),
            Op::SelectLt => [vec![None, None], first_or_second(x[0], x[1])].concat(),
        }
    }
}

/// The derivatives by two values of which the first is chosen where `a < b`, else the second.
fn first_or_second<'t>(a: Expr<'t>, b: Expr<'t>) -> Vec<Option<Expr<'t>>> {
    let (one, zero) = (a.same(1.0), a.same(0.0));
    vec![
        Some(a.select_lt(b, one, zero)),
        Some(a.select_lt(b, zero, one)),
    ]
}

/// Third derivative of `x/(e^x - 1)`: its Taylor series within the unit interval, beyond it the differential equation
/// `x E' = E - E^2 - x E` differentiated twice. `d2` is the second derivative at `x`.
fn exprelr_d3<'t>(x: Expr<'t>, d2: Expr<'t>) -> Expr<'t> {
    let x2 = x * x;
    // B_n/(n-3)! for n = 4, 6, ..: x^(n-3).
    let series = [
        -1.0 / 30.0,
        1.0 / 42.0 / 6.0,
        -1.0 / 30.0 / 120.0,
        5.0 / 66.0 / 5_040.0,
        -691.0 / 2_730.0 / 362_880.0,
        7.0 / 6.0 / 39_916_800.0,
        -3_617.0 / 510.0 / 6_227_020_800.0,
        43_867.0 / 798.0 / 1_307_674_368_000.0,
        -174_611.0 / 330.0 / 355_687_428_096_000.0,
        854_513.0 / 138.0 / 121_645_100_408_832_000.0,
        -236_364_091.0 / 2_730.0 / 51_090_942_171_709_440_000.0,
    ];
    let mut sum = x.same(series[series.len() - 1]);
    for &c in series[..series.len() - 1].iter().rev() {
        sum = sum * x2 + c;
    }
    let (e, d1) = (x.exprelr(), x.exprelr_d1());
    let far = -(d2 + 2.0 * d1 * d1 + 2.0 * e * d2 + 2.0 * d1) / x - d2;
    x2.select_lt(x.same(1.0), sum * x, far)
}
