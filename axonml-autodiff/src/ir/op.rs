//! The operations of traced programs: one row per operation; their derivatives are in `partials.rs`.
//!
//! A row holds the canonical scalar meaning (`value`, on libm), the branch-free kernel that block executors vectorize
//! (`kernel`, generic over [`Real`]), the C text that source-printing backends emit (`c`), and the points that tests try
//! (`domain`).

use crate::ir::Real;
use crate::ir::math;

/// Everything there is to know about an operation.
#[derive(Debug)]
pub struct OpRow {
    /// The operation.
    pub op: Op,
    /// Lower-case name.
    pub name: &'static str,
    /// Number of arguments, 1 to 4.
    pub arity: usize,
    /// Canonical value.
    pub value: fn(&[f64]) -> f64,
    /// C text; `{0}` to `{3}` stand for the arguments and `{f}` for the suffix of single-precision functions.
    pub c: &'static str,
    /// Arguments at which tests compare kernels and derivatives: ordinary points and the special ones.
    pub domain: &'static [&'static [f64]],
}

macro_rules! operations {
    ($d:tt $(
        $(#[$doc:meta])*
        $op:ident = $name:ident($($arg:ident),+) {
            value: $value:expr,
            kernel: $kernel:expr,
            c: $c:literal,
            domain: $domain:expr,
        }
    )+) => {
        /// An operation of a traced program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Op { $( $(#[$doc])* $op, )+ }

        /// The table, in the order of [`Op`].
        pub static OPERATIONS: &[OpRow] = &[ $( OpRow {
            op: Op::$op,
            name: stringify!($name),
            arity: [$(stringify!($arg)),+].len(),
            value: |arguments| {
                let [$($arg),+] = *arguments else { unreachable!("arity of {}", stringify!($name)) };
                $value
            },
            c: $c,
            domain: $domain,
        }, )+ ];

        /// The kernels of the table, one generic function per row.
        pub mod kernel {
            #![allow(unused_imports)]
            use super::*;
            $( $(#[$doc])*
            #[inline(always)]
            pub fn $name<R: Real, const FUSED: bool>($($arg: R),+) -> R { $kernel } )+
        }

        /// Calls `$callback! { (Variant, kernel_name, (argument names)) ... }` with every row, so that a block executor
        /// can expand its own dispatch over the table without naming an operation.
        #[macro_export]
        macro_rules! for_each_operation {
            ($d callback:ident) => { $d callback! { $( ($op, $name, ($($arg),+)) )+ } };
        }
    };
}

/// Absolute values at and around which the functions below change character.
const UNARY: &[&[f64]] = &[
    &[0.0],
    &[1e-300],
    &[-1e-300],
    &[1e-30],
    &[-1e-30],
    &[1e-9],
    &[-1e-9],
    &[3e-5],
    &[-3e-5],
    &[0.3],
    &[-0.3],
    &[0.9999],
    &[1.0001],
    &[-0.9999],
    &[-1.0001],
    &[2.5],
    &[-2.5],
    &[17.0],
    &[-17.0],
    &[60.0],
    &[-60.0],
    &[86.0],
    &[-86.0],
    &[700.0],
    &[-700.0],
    &[800.0],
    &[-800.0],
    &[f64::INFINITY],
    &[f64::NEG_INFINITY],
    &[f64::NAN],
];

const BINARY: &[&[f64]] = &[
    &[1.5, 2.25],
    &[-3.0, 0.7],
    &[1e-30, 4.0],
    &[0.0, 2.0],
    &[2.0, -1e10],
    &[1e30, 1e-8],
    &[f64::INFINITY, 1.0],
    &[f64::NAN, 1.0],
    &[1.0, f64::NAN],
    &[1.0, f64::NEG_INFINITY],
];

const POSITIVE: &[&[f64]] = &[
    &[1e-30],
    &[1e-3],
    &[0.5],
    &[1.0],
    &[1.0000001],
    &[3.7],
    &[1e9],
    &[f64::INFINITY],
    &[f64::NAN],
    &[-1.0],
];

operations! { $
    /// `a + b`.
    Add = add(a, b) {
        value: a + b,
        kernel: a + b,
        c: "{0} + {1}",
        domain: BINARY,
    }
    /// `a - b`.
    Sub = sub(a, b) {
        value: a - b,
        kernel: a - b,
        c: "{0} - {1}",
        domain: BINARY,
    }
    /// `a * b`.
    Mul = mul(a, b) {
        value: a * b,
        kernel: a * b,
        c: "{0} * {1}",
        domain: BINARY,
    }
    /// `a / b`.
    Div = div(a, b) {
        value: a / b,
        kernel: a / b,
        c: "{0} / {1}",
        domain: BINARY,
    }
    /// `-a`.
    Neg = neg(a) {
        value: -a,
        kernel: -a,
        c: "-{0}",
        domain: UNARY,
    }
    /// `e^a`.
    Exp = exp(a) {
        value: a.exp(),
        kernel: math::exp::<R, FUSED>(a),
        c: "exp{f}({0})",
        domain: UNARY,
    }
    /// `e^a - 1`, accurate near 0.
    Expm1 = expm1(a) {
        value: a.exp_m1(),
        kernel: math::expm1::<R, FUSED>(a),
        c: "expm1{f}({0})",
        domain: UNARY,
    }
    /// Natural logarithm.
    Log = log(a) {
        value: a.ln(),
        kernel: math::log::<R, FUSED>(a),
        c: "log{f}({0})",
        domain: POSITIVE,
    }
    /// Square root.
    Sqrt = sqrt(a) {
        value: a.sqrt(),
        kernel: a.sqrt(),
        c: "sqrt{f}({0})",
        domain: POSITIVE,
    }
    /// `a/(e^a - 1)`, 1 at 0.
    Exprelr = exprelr(a) {
        value: exprelr_value(a),
        kernel: math::exprelr::<R, FUSED>(a),
        c: "exprelr{f}({0})",
        domain: UNARY,
    }
    /// First derivative of `a/(e^a - 1)`.
    ExprelrD1 = exprelr_d1(a) {
        value: math::exprelr_d1::<f64, true>(a),
        kernel: math::exprelr_d1::<R, FUSED>(a),
        c: "exprelr_d1{f}({0})",
        domain: UNARY,
    }
    /// Second derivative of `a/(e^a - 1)`.
    ExprelrD2 = exprelr_d2(a) {
        value: math::exprelr_d2::<f64, true>(a),
        kernel: math::exprelr_d2::<R, FUSED>(a),
        c: "exprelr_d2{f}({0})",
        domain: UNARY,
    }
    /// `1/(1 + e^-a)`.
    Sigmoid = sigmoid(a) {
        value: 1.0 / (1.0 + (-a).exp()),
        kernel: math::sigmoid::<R, FUSED>(a),
        c: "sigmoid{f}({0})",
        domain: UNARY,
    }
    /// The smaller of two; NaN if either is NaN.
    Min = min(a, b) {
        value: if a < b || a.is_nan() { a } else { b },
        kernel: if a < b || is_nan(a) { a } else { b },
        c: "{0} < {1} || {0} != {0} ? {0} : {1}",
        domain: BINARY,
    }
    /// The larger of two; NaN if either is NaN.
    Max = max(a, b) {
        value: if a > b || a.is_nan() { a } else { b },
        kernel: if a > b || is_nan(a) { a } else { b },
        c: "{0} > {1} || {0} != {0} ? {0} : {1}",
        domain: BINARY,
    }
    /// `x` where `a < b`, else (also for NaN) `y`.
    SelectLt = select_lt(a, b, x, y) {
        value: if a < b { x } else { y },
        kernel: if a < b { x } else { y },
        c: "{0} < {1} ? {2} : {3}",
        domain: &[
            &[1.0, 2.0, 3.0, 4.0], &[2.0, 1.0, 3.0, 4.0], &[1.0, 1.0, 3.0, -4.0], &[f64::NAN, 1.0, 3.0, 4.0],
            &[-1.0, f64::INFINITY, f64::NAN, 4.0], &[f64::INFINITY, 0.0, 3.0, f64::NEG_INFINITY],
        ],
    }
}

impl Op {
    /// The operation's row of the table.
    pub fn row(self) -> &'static OpRow {
        &OPERATIONS[self as usize]
    }
}

#[inline(always)]
#[allow(clippy::eq_op)]
fn is_nan<R: Real>(x: R) -> bool {
    x != x
}

fn exprelr_value(a: f64) -> f64 {
    if a == 0.0 {
        1.0
    } else if a == f64::INFINITY {
        0.0
    } else {
        a / a.exp_m1()
    }
}
