//! The two floating-point types that kernels are written for.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use axonml_core::CoreError;

/// Arithmetic precision of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// IEEE single precision: thresholds of the exact double cable keep about six digits.
    F32,
    /// IEEE double precision.
    F64,
}

impl Precision {
    /// `f32` or `f64`, as the command line and result files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        }
    }

    /// Bytes of a number.
    pub fn bytes(self) -> usize {
        match self {
            Precision::F32 => size_of::<f32>(),
            Precision::F64 => size_of::<f64>(),
        }
    }
}

impl std::str::FromStr for Precision {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "f32" => Ok(Precision::F32),
            "f64" => Ok(Precision::F64),
            _ => Err(CoreError::BadValue {
                what: "precision".into(),
                found: text.into(),
                expected: "f32 or f64".into(),
            }),
        }
    }
}

/// A scalar that block kernels compute with: `f32` or `f64`.
///
/// The bit-level methods exist so that the elementary functions of [`crate::ir::math`] can be written once, without
/// branches and without `unsafe`, and be vectorized by the compiler.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + MulAssign
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Which precision this is.
    const PRECISION: Precision;
    /// `log2(e)`.
    const LOG2_E: Self;
    /// High part of `ln 2`, with enough trailing zeros that `n * LN2_HI` is exact for every exponent `n`.
    const LN2_HI: Self;
    /// `ln 2 - LN2_HI`.
    const LN2_LO: Self;
    /// `1.5 * 2^(mantissa bits)`: adding it rounds to an integer and leaves that integer in the low bits.
    const ROUND: Self;
    /// Largest argument of `exp` with a finite result.
    const EXP_MAX: Self;
    /// Below this argument `exp` is flushed to zero (its result would be within a factor 2 of subnormal).
    const EXP_MIN: Self;
    /// Below this argument `expm1` rounds to -1.
    const EXPM1_MIN: Self;
    /// Coefficients `q_0, q_1, ...` of `(e^r - 1 - r)/r^2` on `|r| <= ln(2)/2`, lowest order first.
    const EXPM1_POLY: &'static [Self];
    /// Smallest normal number.
    const LEAST_NORMAL: Self;
    /// `2^(mantissa bits + 1)`, which makes every subnormal number normal, and its exponent.
    const TO_NORMAL: (Self, Self);
    /// Coefficients `c_0, c_1, ...` of `(2 artanh(s)/s - 2)/s^2` in `s^2`, `|s| <= (sqrt(2) - 1)/(sqrt(2) + 1)`, lowest order
    /// first.
    const LOG_POLY: &'static [Self];

    /// Rounds from `f64`.
    fn from_f64(x: f64) -> Self;
    /// Widens to `f64` (exact).
    fn to_f64(self) -> f64;
    /// `self * b + c`; one rounding if `FUSED`, which must only be requested where the processor has the instruction.
    fn fma<const FUSED: bool>(self, b: Self, c: Self) -> Self;
    /// `2^(n-1)` from `t = n + ROUND`; any bits at all when `n - 1` is not a normal exponent.
    fn half_exp2(t: Self) -> Self;
    /// The exponent `n` and the mantissa, from 1 to 2, of a positive normal number; any numbers at all for others.
    fn exponent_and_mantissa(self) -> (Self, Self);
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

macro_rules! real {
    ($t:ident, $bits:ident, $precision:ident, $mantissa:literal, $bias:literal, {$($consts:tt)*}) => {
        impl Real for $t {
            const PRECISION: Precision = Precision::$precision;
            $($consts)*

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn fma<const FUSED: bool>(self, b: Self, c: Self) -> Self {
                if FUSED { self.mul_add(b, c) } else { self * b + c }
            }
            #[inline(always)]
            fn half_exp2(t: Self) -> Self {
                $t::from_bits((t.to_bits() << $mantissa).wrapping_add(($bias - 1) << $mantissa))
            }
            #[inline(always)]
            fn exponent_and_mantissa(self) -> (Self, Self) {
                let bits = self.to_bits();
                let fraction = bits & ((1 << $mantissa) - 1);
                let mantissa = $t::from_bits(fraction | ($bias << $mantissa));
                // The biased exponent in the low bits of 2^mantissa: no conversion.
                let unit = ($bias + $mantissa) << $mantissa;
                let biased = $t::from_bits((bits >> $mantissa) | unit);
                let offset = ((1u64 << $mantissa) + $bias) as $t;
                (biased - offset, mantissa)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.abs()
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}

real!(f32, u32, F32, 23, 127, {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HI: f32 = 0.693_115_23;
    const LN2_LO: f32 = 3.194_618_3e-5;
    const ROUND: f32 = 12_582_912.0;
    const EXP_MAX: f32 = 88.722_84;
    const EXP_MIN: f32 = -86.9;
    const EXPM1_MIN: f32 = -18.0;
    // Chebyshev fit, relative error of e^r 7e-10.
    const EXPM1_POLY: &'static [f32] = &[
        0.5,
        0.166_666_67,
        0.041_666_467,
        0.008_333_31,
        0.001_393_365,
        0.000_198_909_9,
    ];
    const LEAST_NORMAL: f32 = f32::MIN_POSITIVE;
    const TO_NORMAL: (f32, f32) = (16_777_216.0, 24.0);
    // Chebyshev fit, relative error of the logarithm 2e-11.
    const LOG_POLY: &'static [f32] = &[0.666_666_7, 0.400_001_22, 0.285_508_2, 0.233_304_67];
});

real!(f64, u64, F64, 52, 1023, {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN2_HI: f64 = 0.693_147_180_559_663;
    const LN2_LO: f64 = 2.823_529_056_303_157_7e-13;
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const EXP_MAX: f64 = 709.782_712_893_384;
    const EXP_MIN: f64 = -707.5;
    const EXPM1_MIN: f64 = -40.0;
    // Chebyshev fit, relative error of e^r 3.4e-19.
    const EXPM1_POLY: &'static [f64] = &[
        0.5,
        0.166_666_666_666_666_7,
        0.041_666_666_666_666_67,
        0.008_333_333_333_326_136,
        0.001_388_888_888_888_374_8,
        0.000_198_412_698_748_206_27,
        2.480_158_732_554_774_3e-5,
        2.755_725_540_020_642_2e-6,
        2.755_727_364_311_03e-7,
        2.510_521_700_472_074_5e-8,
        2.091_468_696_808_689e-9,
    ];
    const LEAST_NORMAL: f64 = f64::MIN_POSITIVE;
    const TO_NORMAL: (f64, f64) = (9_007_199_254_740_992.0, 53.0);
    // Chebyshev fit, relative error of the logarithm 3e-20.
    const LOG_POLY: &'static [f64] = &[
        0.666_666_666_666_666_7,
        0.400_000_000_000_008_8,
        0.285_714_285_708_036_1,
        0.222_222_223_917_139_17,
        0.181_817_956_401_329_06,
        0.153_862_397_028_146_58,
        0.132_687_731_386_568_85,
        0.130_866_261_478_401_02,
    ];
});
