//! Intervals that contain the exact result of every operation on the numbers that they contain.
//!
//! Arithmetic is rounded outward by a unit in the last place, for IEEE operations are correctly rounded. Functions of the
//! platform's libm are trusted to [`LIBM`], dozens of times the error that libraries in use have.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Relative error that exponentials and logarithms of libm are trusted to stay below.
const LIBM: f64 = 1e-14;

/// A closed interval; every real number where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    lo: f64,
    hi: f64,
}

impl Interval {
    pub(super) const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
    pub(super) const ANY: Interval = Interval {
        lo: f64::NEG_INFINITY,
        hi: f64::INFINITY,
    };

    /// A number.
    pub(super) fn point(x: f64) -> Self {
        Interval::new(x, x)
    }

    /// From one number to another one that is not smaller; everything if either is NaN.
    pub(super) fn new(lo: f64, hi: f64) -> Self {
        if lo.is_nan() || hi.is_nan() {
            return Interval::ANY;
        }
        Interval { lo, hi }
    }

    fn outward(lo: f64, hi: f64) -> Self {
        Interval::new(lo.next_down(), hi.next_up())
    }

    /// With the errors of a function of libm.
    fn of_libm(lo: f64, hi: f64) -> Self {
        Interval::outward(lo - LIBM * lo.abs(), hi + LIBM * hi.abs())
    }

    /// The largest magnitude.
    pub(super) fn magnitude(self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// The smallest magnitude.
    pub(super) fn least_magnitude(self) -> f64 {
        match self.lo <= 0.0 && self.hi >= 0.0 {
            true => 0.0,
            false => self.lo.abs().min(self.hi.abs()),
        }
    }

    /// All its numbers are below those of another.
    pub(super) fn is_below(self, other: Interval) -> bool {
        self.hi < other.lo
    }

    /// All its numbers are at or above those of another.
    pub(super) fn is_from(self, other: Interval) -> bool {
        self.lo >= other.hi
    }

    /// All its numbers are positive.
    pub(super) fn is_positive(self) -> bool {
        self.lo > 0.0
    }

    pub(super) fn exp(self) -> Self {
        let result = Interval::of_libm(self.lo.exp(), self.hi.exp());
        Interval::new(result.lo.max(0.0), result.hi)
    }

    pub(super) fn expm1(self) -> Self {
        Interval::of_libm(self.lo.exp_m1(), self.hi.exp_m1())
    }

    /// Everything unless positive.
    pub(super) fn ln(self) -> Self {
        match self.is_positive() {
            true => Interval::of_libm(self.lo.ln(), self.hi.ln()),
            false => Interval::ANY,
        }
    }

    /// Everything unless positive.
    pub(super) fn sqrt(self) -> Self {
        match self.is_positive() {
            true => Interval::outward(self.lo.sqrt(), self.hi.sqrt()),
            false => Interval::ANY,
        }
    }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        Interval::outward(self.lo + other.lo, self.hi + other.hi)
    }
}

impl Sub for Interval {
    type Output = Interval;
    fn sub(self, other: Interval) -> Interval {
        self + -other
    }
}

impl Neg for Interval {
    type Output = Interval;
    fn neg(self) -> Interval {
        Interval::new(-self.hi, -self.lo)
    }
}

impl Mul for Interval {
    type Output = Interval;
    fn mul(self, other: Interval) -> Interval {
        // Jets are full of these.
        if self == Interval::ZERO || other == Interval::ZERO {
            return Interval::ZERO;
        }
        let ends = [
            self.lo * other.lo,
            self.lo * other.hi,
            self.hi * other.lo,
            self.hi * other.hi,
        ];
        if ends.iter().any(|x| x.is_nan()) {
            return Interval::ANY;
        }
        let lo = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Interval::outward(lo, hi)
    }
}

impl Div for Interval {
    type Output = Interval;
    fn div(self, other: Interval) -> Interval {
        if other.least_magnitude() == 0.0 {
            return Interval::ANY;
        }
        self * Interval::outward(1.0 / other.hi, 1.0 / other.lo)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(interval: Interval, x: f64) -> bool {
        interval.lo <= x && x <= interval.hi
    }

    proptest! {
        /// Results of members are members of results.
        #[test]
        fn operations_contain_those_of_their_members(
            a in -30.0..30.0_f64, b in -30.0..30.0_f64, wide in (0.0..1.0_f64, 0.0..1.0_f64), at in (0.0..=1.0_f64, 0.0..=1.0_f64),
        ) {
            let (x, y) = (Interval::new(a, a + wide.0), Interval::new(b, b + wide.1));
            let (p, q) = ((a + at.0 * wide.0).min(x.hi), (b + at.1 * wide.1).min(y.hi));
            for (interval, value) in [
                (x + y, p + q), (x - y, p - q), (x * y, p * q), (x / y, p / q), (-x, -p), (x.exp(), p.exp()),
                (x.expm1(), p.exp_m1()), (x.ln(), p.ln()), (x.sqrt(), p.sqrt()),
            ] {
                prop_assert!(value.is_nan() || contains(interval, value), "{interval:?} {value}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_everything() {
        let around_zero = Interval::new(-1.0, 1.0);
        for unknown in [
            Interval::point(1.0) / around_zero,
            around_zero.ln(),
            around_zero.sqrt(),
            Interval::point(f64::NAN),
        ] {
            assert_eq!(unknown, Interval::ANY);
        }
        assert!(contains(Interval::point(1000.0).exp(), f64::INFINITY));
    }
}
