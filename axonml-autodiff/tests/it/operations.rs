//! Every row of the operation table: kernels against libm, derivatives against finite differences and mpmath.

use axonml_autodiff::ir::op::{OPERATIONS, OpRow, kernel};
use axonml_autodiff::ir::{Expr, Extent, Op, Program, Real, Tracer};

/// Kernel of an operation in one precision, widened to f64.
fn run_kernel<R: Real, const FUSED: bool>(op: Op, arguments: &[f64]) -> f64 {
    let x: Vec<R> = arguments.iter().map(|&a| R::from_f64(a)).collect();
    macro_rules! dispatch {
        ($( ($variant:ident, $name:ident, ($($arg:ident),+)) )+) => {
            match op {
                $( Op::$variant => {
                    let [$($arg),+] = x[..] else { panic!("arity") };
                    kernel::$name::<R, FUSED>($($arg),+)
                } )+
            }
        };
    }
    axonml_autodiff::for_each_operation!(dispatch).to_f64()
}

/// Distance in units in the last place of the wider of two values, as multiples of `epsilon`; 0 for equal or both NaN.
fn ulps(found: f64, expected: f64, epsilon: f64) -> f64 {
    if found == expected || (found.is_nan() && expected.is_nan()) {
        0.0
    } else if !found.is_finite() || !expected.is_finite() {
        f64::INFINITY
    } else {
        (found - expected).abs() / (epsilon * expected.abs().max(found.abs()))
    }
}

/// Ordinary arguments besides the table's special ones, so that the whole useful range is swept.
fn sweep(row: &OpRow) -> Vec<Vec<f64>> {
    let mut cases: Vec<Vec<f64>> = row.domain.iter().map(|case| case.to_vec()).collect();
    if row.arity == 1 {
        cases.extend(
            (0..4_000)
                .map(|i| vec![-86.5 + 175.0 * f64::from(i) / 4_000.0 + 1e-3 / f64::from(i + 1)]),
        );
        cases.extend((0..400).map(|i| vec![10f64.powf(-f64::from(i) / 40.0)]));
        cases.extend((0..400).map(|i| vec![-(10f64.powf(-f64::from(i) / 40.0))]));
    }
    cases
}

fn check_kernel<R: Real, const FUSED: bool>(epsilon: f64, tiny: f64, label: &str) {
    for row in OPERATIONS {
        for case in sweep(row) {
            // The argument as the kernel sees it, so that rounding of the input is not charged to the kernel.
            let seen: Vec<f64> = case.iter().map(|&a| R::from_f64(a).to_f64()).collect();
            let expected = R::from_f64((row.value)(&seen)).to_f64();
            let found = run_kernel::<R, FUSED>(row.op, &seen);
            // Results within a factor 2 of the subnormal range are flushed to zero; derivatives of exprelr cancel to
            // that absolute accuracy where they vanish.
            let floor = match row.op {
                Op::ExprelrD1 | Op::ExprelrD2 => 4.0 * epsilon,
                _ => tiny,
            };
            if expected.abs() <= floor && found.abs() <= floor {
                continue;
            }
            // Beyond EXP_MAX exp overflows in both; sigmoid(-800) is subnormal in f64 and flushed.
            let error = ulps(found, expected, epsilon);
            let allowed = match row.op {
                Op::ExprelrD1 | Op::ExprelrD2 => 16.0,
                _ => 4.0,
            };
            assert!(
                error <= allowed,
                "{label} {}({seen:?}) = {found:e}, expected {expected:e}: {error} ulp",
                row.name
            );
        }
    }
}

/// Over all exponents, with mantissas around those where the kernel splits the range.
#[test]
fn logarithms_agree_with_libm_from_the_least_number_to_the_largest() {
    let mut worst = [0.0_f64; 2];
    for exponent in -1074..=1023 {
        for mantissa in [
            1.0,
            1.0 + f64::EPSILON,
            1.3,
            std::f64::consts::SQRT_2,
            std::f64::consts::SQRT_2 - 1e-5,
            1.4143,
            1.7,
            1.9999999,
        ] {
            let x = mantissa * 2.0_f64.powi(exponent);
            let found = run_kernel::<f64, true>(Op::Log, &[x]);
            worst[0] = worst[0].max(ulps(found, x.ln(), f64::EPSILON));
            let x = f64::from(x as f32);
            let found = run_kernel::<f32, true>(Op::Log, &[x]);
            if x > 0.0 && x.is_finite() {
                let expected = f64::from(x.ln() as f32);
                worst[1] = worst[1].max(ulps(found, expected, f64::from(f32::EPSILON)));
            }
        }
    }
    assert!(worst[0] <= 1.0 && worst[1] <= 1.0, "{worst:?}");
    assert_eq!(run_kernel::<f64, true>(Op::Log, &[0.0]), f64::NEG_INFINITY);
    assert_eq!(run_kernel::<f64, true>(Op::Log, &[-0.0]), f64::NEG_INFINITY);
    assert!(run_kernel::<f64, true>(Op::Log, &[-1e-310]).is_nan());
}

#[test]
fn kernels_agree_with_libm_in_double_precision() {
    check_kernel::<f64, true>(f64::EPSILON, 5e-308, "f64 fused");
    check_kernel::<f64, false>(f64::EPSILON, 5e-308, "f64");
}

#[test]
fn kernels_agree_with_libm_in_single_precision() {
    check_kernel::<f32, true>(f64::from(f32::EPSILON), 2.5e-38, "f32 fused");
    check_kernel::<f32, false>(f64::from(f32::EPSILON), 2.5e-38, "f32");
}

#[test]
fn the_ulp_measure_sees_errors_of_either_sign_and_nan() {
    assert!(ulps(1.0 + 1e-12, 1.0, f64::EPSILON) > 1e3);
    assert!(ulps(1.0 - 1e-12, 1.0, f64::EPSILON) > 1e3);
    assert_eq!(ulps(f64::NAN, 1.0, f64::EPSILON), f64::INFINITY);
    assert_eq!(ulps(1.0, f64::NAN, f64::EPSILON), f64::INFINITY);
    assert_eq!(
        ulps(f64::INFINITY, f64::NEG_INFINITY, f64::EPSILON),
        f64::INFINITY
    );
}

/// First to third derivative of x/(e^x - 1) by mpmath 1.3 with 50 digits (Bernoulli series below 0.5).
const EXPRELR_DERIVATIVES: &[(f64, f64, f64, f64)] = &[
    (0.0, -0.5, 0.16666666666666666, 0.0),
    (
        1e-9,
        -0.4999999998333333,
        0.16666666666666666,
        -3.3333333333333335e-11,
    ),
    (
        -3e-5,
        -0.5000049999999998,
        0.16666666665166666,
        9.99999999892857e-07,
    ),
    (
        0.3,
        -0.45014951929947344,
        0.16517466875381695,
        -0.009893528869197036,
    ),
    (
        -0.3,
        -0.5498504807005266,
        0.16517466875381695,
        0.009893528869197036,
    ),
    (
        0.9999,
        -0.3387119822444755,
        0.15095054144533473,
        -0.029626223346431304,
    ),
    (
        1.0001,
        -0.3386817927287412,
        0.15094461574628865,
        -0.029630766988783575,
    ),
    (
        -0.9999,
        -0.6612880177555245,
        0.15095054144533473,
        0.029626223346431304,
    ),
    (
        -1.0001,
        -0.6613182072712588,
        0.15094461574628865,
        0.029630766988783575,
    ),
    (
        2.5,
        -0.15413053033083896,
        0.09227143684336024,
        -0.04138340049486738,
    ),
    (
        -2.5,
        -0.8458694696691611,
        0.09227143684336024,
        0.04138340049486738,
    ),
    (
        17.0,
        -6.623900915646085e-07,
        6.20990767507925e-07,
        -5.795914931545995e-07,
    ),
    (
        -17.0,
        -0.9999993376099084,
        6.20990767507925e-07,
        5.795914931545995e-07,
    ),
    (
        60.0,
        -5.166341349990947e-25,
        5.078776242363982e-25,
        -4.991211134737016e-25,
    ),
    (-60.0, -1.0, 5.078776242363982e-25, 4.991211134737016e-25),
];

#[test]
fn derivatives_of_exprelr_agree_with_mpmath_through_the_singularity() {
    let tracer = Tracer::new();
    let x = tracer.input("x", Extent::Node);
    let d2 = tracer.finish(&[("d2".into(), x.exprelr_d2())]).unwrap();
    let d3 = d2.tangent();
    for &(x, first, second, third) in EXPRELR_DERIVATIVES {
        for (found, expected) in [
            ((Op::ExprelrD1.row().value)(&[x]), first),
            ((Op::ExprelrD2.row().value)(&[x]), second),
            (run_kernel::<f64, false>(Op::ExprelrD1, &[x]), first),
            (run_kernel::<f64, false>(Op::ExprelrD2, &[x]), second),
            (d3.eval(&[x, 1.0])[0], third),
        ] {
            assert!(
                (found - expected).abs() <= 4e-16 + 3e-14 * expected.abs(),
                "at {x}: {found} for {expected}"
            );
        }
    }
}

/// The operation as a program with inputs a, b, ...
fn program(row: &OpRow) -> Program {
    let tracer = Tracer::new();
    let arguments: Vec<Expr<'_>> = (0..row.arity)
        .map(|i| tracer.input(&format!("x{i}"), Extent::Node))
        .collect();
    tracer
        .finish(&[("y".into(), Expr::apply(row.op, &arguments))])
        .unwrap()
}

/// Richardson-extrapolated central difference of a row's canonical value.
fn difference(row: &OpRow, at: &[f64], argument: usize) -> f64 {
    let h = 1e-2 * at[argument].abs().max(0.05);
    let central = |h: f64| {
        let mut x = at.to_vec();
        x[argument] = at[argument] + h;
        let up = (row.value)(&x);
        x[argument] = at[argument] - h;
        (up - (row.value)(&x)) / (2.0 * h)
    };
    let [d0, d1, d2, d3] = [1.0, 0.5, 0.25, 0.125].map(|k| central(k * h));
    let [e0, e1, e2] = [
        (4.0 * d1 - d0) / 3.0,
        (4.0 * d2 - d1) / 3.0,
        (4.0 * d3 - d2) / 3.0,
    ];
    let [f0, f1] = [(16.0 * e1 - e0) / 15.0, (16.0 * e2 - e1) / 15.0];
    (64.0 * f1 - f0) / 63.0
}

/// Points where every operation is smooth (selections away from their switching line).
fn smooth_points(row: &OpRow) -> Vec<Vec<f64>> {
    let unary = [0.37, 1.0, 2.9, 5.5];
    match (row.op, row.arity) {
        (Op::Log | Op::Sqrt, _) => unary.iter().map(|&x| vec![x]).collect(),
        (_, 1) => unary
            .iter()
            .flat_map(|&x| [vec![x], vec![-x]])
            .chain([vec![0.0]])
            .collect(),
        (_, 2) => vec![vec![1.5, 2.25], vec![-3.0, 0.7], vec![4.0, -1.3]],
        _ => vec![vec![1.0, 2.0, 3.0, 4.0], vec![2.0, 1.0, 3.0, -4.0]],
    }
}

/// Largest relative error of the tangent of any operation, with `scale` multiplied onto it.
fn worst_derivative_error(row: &OpRow, scale: f64) -> f64 {
    let tangent = program(row).tangent();
    let mut worst: f64 = 0.0;
    for at in smooth_points(row) {
        for argument in 0..row.arity {
            let mut inputs = at.clone();
            inputs.extend((0..row.arity).map(|i| f64::from(u8::from(i == argument))));
            let found = scale * tangent.eval(&inputs)[0];
            let expected = difference(row, &at, argument);
            worst = worst.max((found - expected).abs() / expected.abs().max(1e-3));
        }
    }
    worst
}

#[test]
fn derivatives_agree_with_differences_and_a_planted_error_of_one_millionth_is_seen() {
    for row in OPERATIONS {
        let error = worst_derivative_error(row, 1.0);
        assert!(error < 1e-8, "{}: derivative is off by {error:e}", row.name);
        assert!(
            worst_derivative_error(row, 1.0 + 1e-6) > 5e-7,
            "{}: a planted error passes",
            row.name
        );
    }
}

#[test]
fn the_c_text_uses_every_argument() {
    for row in OPERATIONS {
        for argument in 0..row.arity {
            assert!(
                row.c.contains(&format!("{{{argument}}}")),
                "{} drops argument {argument}",
                row.name
            );
        }
        assert!(
            !row.c.contains(&format!("{{{}}}", row.arity)),
            "{} has an argument too many",
            row.name
        );
    }
}
