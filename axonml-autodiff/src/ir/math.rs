//! Branch-free elementary functions, generic over precision, for block kernels.
//!
//! Each is a straight line of arithmetic and selections, so a loop over a block vectorizes whole. `FUSED` chooses fused
//! multiply-adds and must be `false` on processors without them (a call to libm per element otherwise). NaN arguments
//! give NaN. Selections are written `if x < a { .. } else { .. }` with the NaN case in `else`.

use crate::ir::{Precision, Real};

/// `x = n ln 2 + r` with `|r| <= ln(2)/2`.
struct Reduced<R> {
    n: R,
    r: R,
    /// `(e^r - 1 - r)/r^2`.
    q: R,
    /// `2^(n-1)`.
    half: R,
}

#[inline(always)]
fn reduce_to_parts<R: Real, const FUSED: bool>(x: R) -> Reduced<R> {
    // Adding ROUND rounds x log2(e) to an integer, found in the low bits of t: no conversion, NaN stays NaN.
    let t = x.fma::<FUSED>(R::LOG2_E, R::ROUND);
    let n = t - R::ROUND;
    let r = n.fma::<FUSED>(-R::LN2_HI, x);
    let r = n.fma::<FUSED>(-R::LN2_LO, r);
    let coefficients = R::EXPM1_POLY;
    let mut q = coefficients[coefficients.len() - 1];
    for &c in coefficients[..coefficients.len() - 1].iter().rev() {
        q = q.fma::<FUSED>(r, c);
    }
    let half = R::half_exp2(t);
    Reduced { n, r, q, half }
}

/// `expm1(r)` and `2^(n-1)` of `x = n ln 2 + r`.
#[inline(always)]
fn reduce<R: Real, const FUSED: bool>(x: R) -> (R, R) {
    let Reduced { r, q, half, .. } = reduce_to_parts::<R, FUSED>(x);
    ((r * r).fma::<FUSED>(q, r), half)
}

/// `e^x`; 0 below [`Real::EXP_MIN`], infinite above [`Real::EXP_MAX`].
#[inline(always)]
pub fn exp<R: Real, const FUSED: bool>(x: R) -> R {
    let one = R::from_f64(1.0);
    let (p, half) = reduce::<R, FUSED>(x);
    let y = p.fma::<FUSED>(half, half);
    let y = y + y;
    let y = if x < R::EXP_MIN { R::default() } else { y };
    if x > R::EXP_MAX {
        one / R::default()
    } else {
        y
    }
}

/// `e^x - 1`, accurate near 0.
#[inline(always)]
pub fn expm1<R: Real, const FUSED: bool>(x: R) -> R {
    let (p, half) = reduce::<R, FUSED>(x);
    let y = p.fma::<FUSED>(half, half - R::from_f64(0.5));
    let y = y + y;
    let y = if x < R::EXPM1_MIN {
        R::from_f64(-1.0)
    } else {
        y
    };
    if x > R::EXP_MAX {
        R::from_f64(f64::INFINITY)
    } else {
        y
    }
}

/// Natural logarithm; minus infinity at 0, NaN below.
///
/// With `x = 2^n m`, `m` from `sqrt(1/2)` to `sqrt(2)`, and `f = m - 1`, `s = f/(2 + f)`: `ln m = 2 artanh s`, arranged so that `f`
/// itself, which is exact, is the leading term.
#[inline(always)]
pub fn log<R: Real, const FUSED: bool>(x: R) -> R {
    let (zero, one) = (R::default(), R::from_f64(1.0));
    let is_subnormal = x < R::LEAST_NORMAL;
    let normal = if is_subnormal { x * R::TO_NORMAL.0 } else { x };
    let (n, m) = normal.exponent_and_mantissa();
    let n = if is_subnormal { n - R::TO_NORMAL.1 } else { n };
    let is_high = m > R::from_f64(std::f64::consts::SQRT_2);
    let m = if is_high { m * R::from_f64(0.5) } else { m };
    let n = if is_high { n + one } else { n };
    let f = m - one;
    let s = f / (f + R::from_f64(2.0));
    let z = s * s;
    let coefficients = R::LOG_POLY;
    let mut r = coefficients[coefficients.len() - 1];
    for &c in coefficients[..coefficients.len() - 1].iter().rev() {
        r = r.fma::<FUSED>(z, c);
    }
    let half_square = R::from_f64(0.5) * f * f;
    let rest = n.fma::<FUSED>(R::LN2_LO, s * z.fma::<FUSED>(r, half_square));
    let y = n.fma::<FUSED>(R::LN2_HI, f - (half_square - rest));
    let y = if x < zero { R::from_f64(f64::NAN) } else { y };
    let y = if x == zero { -one / zero } else { y };
    // Infinity and NaN are their own logarithms.
    if x < R::from_f64(f64::INFINITY) { y } else { x }
}

/// `1/(1 + e^-x)`.
#[inline(always)]
pub fn sigmoid<R: Real, const FUSED: bool>(x: R) -> R {
    let one = R::from_f64(1.0);
    one / (one + exp::<R, FUSED>(-x))
}

/// [`sigmoid`] `y` and its derivative `y - y^2`.
#[inline(always)]
pub fn sigmoid_value_grad<R: Real, const FUSED: bool>(x: R) -> (R, R) {
    let y = sigmoid::<R, FUSED>(x);
    (y, (-y).fma::<FUSED>(y, y))
}

/// `x/(e^x - 1)`, 1 at 0: the smooth form of the rate functions that are written `a (v - b)/(1 - e^..)`.
#[inline(always)]
pub fn exprelr<R: Real, const FUSED: bool>(x: R) -> R {
    let y = x / expm1::<R, FUSED>(x);
    let y = if x == R::default() {
        R::from_f64(1.0)
    } else {
        y
    };
    if x > R::EXP_MAX { R::default() } else { y }
}

/// Bernoulli coefficients `B_n/(n-1)!` of the first derivative of [`exprelr`] for n = 2, 4, ..: it is
/// `-1/2 + sum c_k x^(2k+1)`. The series converges for |x| < 2 pi; at |x| <= 1 twelve terms err by 1e-19.
const EXPRELR_1_SERIES: [f64; 12] = [
    1.0 / 6.0,
    -1.0 / 30.0 / 6.0,
    1.0 / 42.0 / 120.0,
    -1.0 / 30.0 / 5_040.0,
    5.0 / 66.0 / 362_880.0,
    -691.0 / 2_730.0 / 39_916_800.0,
    7.0 / 6.0 / 6_227_020_800.0,
    -3_617.0 / 510.0 / 1_307_674_368_000.0,
    43_867.0 / 798.0 / 355_687_428_096_000.0,
    -174_611.0 / 330.0 / 121_645_100_408_832_000.0,
    854_513.0 / 138.0 / 51_090_942_171_709_440_000.0,
    -236_364_091.0 / 2_730.0 / 25_852_016_738_884_976_640_000.0,
];

/// Beyond this magnitude the derivatives of [`exprelr`] have reached their limits in f64 (and in f32); the argument is
/// clamped there so that the closed forms never meet infinity.
const EXPRELR_FAR: f64 = 80.0;

#[inline(always)]
fn clamp_far<R: Real>(x: R) -> R {
    let far = R::from_f64(EXPRELR_FAR);
    let x = if x > far { far } else { x };
    if x < -far { -far } else { x }
}

#[inline(always)]
fn even_series<R: Real, const FUSED: bool>(x2: R, coefficient: impl Fn(usize) -> f64) -> R {
    // Terms beyond the sixth are below the rounding of single precision.
    let terms = match R::PRECISION {
        Precision::F32 => 6,
        Precision::F64 => EXPRELR_1_SERIES.len(),
    };
    let mut sum = R::from_f64(coefficient(terms - 1));
    for k in (0..terms - 1).rev() {
        sum = sum.fma::<FUSED>(x2, R::from_f64(coefficient(k)));
    }
    sum
}

/// [`exprelr`] and its first derivative, which is -1/2 at 0, by one exponential and one division.
///
/// With `E = x/p` and `p = expm1(x)` the derivative is `(1 - E - x)/p`. Where `x` is its own remainder, which is where
/// that would cancel, `p = x (1 + x q)` gives `E = 1/(1 + x q)` and `E' = (q - (1 + x q)) E^2`.
#[inline(always)]
pub fn exprelr_value_grad<R: Real, const FUSED: bool>(x: R) -> (R, R) {
    let (one, zero) = (R::from_f64(1.0), R::default());
    // Beyond these both have reached their limits, and below the second p is -1.
    let x = if x > R::EXP_MAX { R::EXP_MAX } else { x };
    let f = if x < R::EXPM1_MIN { R::EXPM1_MIN } else { x };
    let Reduced { n, r, q, half } = reduce_to_parts::<R, FUSED>(f);
    let p = (r * r)
        .fma::<FUSED>(q, r)
        .fma::<FUSED>(half, half - R::from_f64(0.5));
    let near = r.fma::<FUSED>(q, one);
    let inverse = one / if n == zero { near } else { p + p };
    let value = if n == zero { inverse } else { x * inverse };
    let numerator = if n == zero {
        (q - near) * inverse
    } else {
        one - f * inverse - f
    };
    (value, numerator * inverse)
}

/// First derivative of [`exprelr`]; -1/2 at 0.
#[inline(always)]
pub fn exprelr_d1<R: Real, const FUSED: bool>(x: R) -> R {
    exprelr_value_grad::<R, FUSED>(x).1
}

/// Second derivative of [`exprelr`]; 1/6 at 0.
#[inline(always)]
pub fn exprelr_d2<R: Real, const FUSED: bool>(x: R) -> R {
    let one = R::from_f64(1.0);
    let two = R::from_f64(2.0);
    let x2 = x * x;
    let near = even_series::<R, FUSED>(x2, |k| (2 * k + 1) as f64 * EXPRELR_1_SERIES[k]);
    // Even in x: the positive side has no cancellation.
    let f = clamp_far(x.abs());
    let e = exprelr::<R, FUSED>(f);
    let d1 = e * (one - e - f) / f;
    // From x E' = E - E^2 - x E, differentiated once.
    let far = -(e * (two * d1 + one)) / f - d1;
    if x2 < one { near } else { far }
}
