//! Taylor coefficients of programs as intervals.
//!
//! A jet holds the coefficients `f_k = f^(k)/k!` of a function of one variable: all of them at one point, or enclosures over
//! an interval of points. With the latter as remainder the former enclose the function around the point (Moore, Kearfott &
//! Cloud, *Introduction to Interval Analysis*, SIAM 2009, chapter 9).

use std::array;

use super::interval::Interval;
use crate::ir::{Op, Program, Value};

/// Coefficients of a jet: powers 0 to 7.
pub(super) const TERMS: usize = 8;

/// Taylor coefficients, lowest power first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jet(pub(super) [Interval; TERMS]);

impl Jet {
    fn constant(x: Interval) -> Self {
        let mut terms = [Interval::ZERO; TERMS];
        terms[0] = x;
        Jet(terms)
    }

    /// The variable itself, in an interval.
    pub(super) fn variable(x: Interval) -> Self {
        let mut jet = Jet::constant(x);
        jet.0[1] = Interval::point(1.0);
        jet
    }

    /// A function of which nothing is known.
    const UNKNOWN: Jet = Jet([Interval::ANY; TERMS]);

    fn map2(self, other: Jet, f: impl Fn(Interval, Interval) -> Interval) -> Jet {
        Jet(array::from_fn(|k| f(self.0[k], other.0[k])))
    }

    fn neg(self) -> Jet {
        Jet(self.0.map(|x| -x))
    }

    fn mul(self, other: Jet) -> Jet {
        Jet(array::from_fn(|k| {
            (0..=k)
                .map(|j| self.0[j] * other.0[k - j])
                .reduce(|a, b| a + b)
                .unwrap_or(Interval::ZERO)
        }))
    }

    /// From `quotient * divisor = self`.
    fn div(self, divisor: Jet) -> Jet {
        let mut quotient = [Interval::ZERO; TERMS];
        for k in 0..TERMS {
            let known = (0..k).map(|j| quotient[j] * divisor.0[k - j]);
            quotient[k] = known.fold(self.0[k], |rest, x| rest - x) / divisor.0[0];
        }
        Jet(quotient)
    }

    /// From `e' = e self'`.
    fn exp(self) -> Jet {
        let mut e = [Interval::ZERO; TERMS];
        e[0] = self.0[0].exp();
        for k in 1..TERMS {
            let terms = (1..=k).map(|j| Interval::point(j as f64) * self.0[j] * e[k - j]);
            e[k] = terms.fold(Interval::ZERO, |sum, x| sum + x) / Interval::point(k as f64);
        }
        Jet(e)
    }

    fn expm1(self) -> Jet {
        let mut e = self.exp();
        e.0[0] = self.0[0].expm1();
        e
    }

    /// From `self l' = self'`.
    fn ln(self) -> Jet {
        let mut l = [Interval::ZERO; TERMS];
        l[0] = self.0[0].ln();
        for k in 1..TERMS {
            let terms = (1..k).map(|j| Interval::point(j as f64) * l[j] * self.0[k - j]);
            let sum = terms.fold(Interval::ZERO, |sum, x| sum + x) / Interval::point(k as f64);
            l[k] = (self.0[k] - sum) / self.0[0];
        }
        Jet(l)
    }

    /// From `root * root = self`.
    fn sqrt(self) -> Jet {
        let mut root = [Interval::ZERO; TERMS];
        root[0] = self.0[0].sqrt();
        for k in 1..TERMS {
            let terms = (1..k).map(|j| root[j] * root[k - j]);
            let rest = terms.fold(self.0[k], |rest, x| rest - x);
            root[k] = rest / (Interval::point(2.0) * root[0]);
        }
        Jet(root)
    }

    fn sigmoid(self) -> Jet {
        let one = Jet::constant(Interval::point(1.0));
        one.div(one.map2(self.neg().exp(), |a, b| a + b))
    }

    /// `x/(e^x - 1)`: near 0, where numerator and denominator vanish, the reciprocal of the entire function `(e^x - 1)/x`.
    fn exprelr(self) -> Jet {
        let one = Jet::constant(Interval::point(1.0));
        match self.0[0].magnitude() <= NEAR {
            true => one.div(self.mean_exp()),
            false => self.div(self.expm1()),
        }
    }

    /// `(e^x - 1)/x = sum x^n/(n + 1)!` for `|x| <= NEAR`: its Taylor coefficients at `x`, then the composition.
    fn mean_exp(self) -> Jet {
        let x = self.0[0];
        // 1/(n + 1)!
        let mut series = [Interval::point(1.0); SERIES];
        for n in 1..SERIES {
            series[n] = series[n - 1] / Interval::point((n + 1) as f64);
        }
        let mut at = [Interval::ZERO; TERMS];
        for (k, at) in at.iter_mut().enumerate() {
            // sum over n >= k of binomial(n, k) x^(n - k)/(n + 1)!; what is left out is below TAIL.
            let mut sum = Interval::new(-TAIL, TAIL);
            let mut binomial = 1.0;
            let mut power = Interval::point(1.0);
            for n in k..SERIES {
                sum = sum + Interval::point(binomial) * series[n] * power;
                power = power * x;
                // Exact: integers below 2^53.
                binomial = binomial * (n + 1) as f64 / (n + 1 - k) as f64;
            }
            *at = sum;
        }
        let mut shift = self;
        shift.0[0] = Interval::ZERO;
        let highest = Jet::constant(at[TERMS - 1]);
        at[..TERMS - 1].iter().rev().fold(highest, |sum, &c| {
            sum.mul(shift).map2(Jet::constant(c), |a, b| a + b)
        })
    }
}

/// Arguments up to this magnitude are near 0.
const NEAR: f64 = 2.0;

/// Terms of the series of `(e^x - 1)/x`.
const SERIES: usize = 34;

/// Bound of the terms from `SERIES` on, for every coefficient at every `|x| <= 2`: `binomial(n, k) |x|^(n - k)/(n + 1)!` is at
/// most `4^n/(n + 1)!`, whose sum from n = 34 on is below `4^34/35! (1 + 1/8)` = 3.2e-20.
const TAIL: f64 = 1e-19;

/// Jets of a program's outputs, of which input `variable` is the variable and all others are numbers.
pub(super) fn jets(program: &Program, inputs: &[f64], variable: usize, x: Interval) -> Vec<Jet> {
    let mut values: Vec<Jet> = Vec::with_capacity(program.values().len());
    for value in program.values() {
        let jet = match value {
            Value::Constant(c) => Jet::constant(Interval::point(*c)),
            Value::Input(input) if *input == variable => Jet::variable(x),
            Value::Input(input) => Jet::constant(Interval::point(inputs[*input])),
            Value::Apply(op, arguments) => {
                let of: Vec<Jet> = arguments.iter().map(|&a| values[a]).collect();
                apply(*op, &of)
            }
        };
        values.push(jet);
    }
    program
        .outputs()
        .iter()
        .map(|&(_, id)| values[id])
        .collect()
}

fn apply(op: Op, of: &[Jet]) -> Jet {
    let value = |argument: usize| of[argument].0[0];
    match op {
        Op::Add => of[0].map2(of[1], |a, b| a + b),
        Op::Sub => of[0].map2(of[1], |a, b| a - b),
        Op::Mul => of[0].mul(of[1]),
        Op::Div => of[0].div(of[1]),
        Op::Neg => of[0].neg(),
        Op::Exp => of[0].exp(),
        Op::Expm1 => of[0].expm1(),
        Op::Log => of[0].ln(),
        Op::Sqrt => of[0].sqrt(),
        Op::Exprelr => of[0].exprelr(),
        Op::Sigmoid => of[0].sigmoid(),
        // Where it is not certain which one it is, there may be a bend.
        Op::Min if value(0).is_below(value(1)) => of[0],
        Op::Min if value(1).is_below(value(0)) => of[1],
        Op::Max if value(0).is_below(value(1)) => of[1],
        Op::Max if value(1).is_below(value(0)) => of[0],
        Op::SelectLt if value(0).is_below(value(1)) => of[2],
        Op::SelectLt if value(0).is_from(value(1)) => of[3],
        Op::Min | Op::Max | Op::SelectLt | Op::ExprelrD1 | Op::ExprelrD2 => Jet::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Expr, Extent, Tracer};

    fn jet_of(x: Interval, f: impl for<'t> Fn(Expr<'t>) -> Expr<'t>) -> Jet {
        let tracer = Tracer::new();
        let of = f(tracer.input("x", Extent::Node));
        let program = tracer.finish(&[("f".to_owned(), of)]).unwrap();
        jets(&program, &[f64::NAN], 0, x)[0]
    }

    #[track_caller]
    fn assert_encloses(jet: Jet, expected: [f64; TERMS]) {
        for (k, (found, expected)) in jet.0.into_iter().zip(expected).enumerate() {
            let distance = (found - Interval::point(expected)).magnitude();
            // Their sum vanishes nowhere outside of the interval: it contains the number, up to its own rounding.
            let slack = 1e-15 * expected.abs();
            assert!(
                (found - Interval::point(expected)).least_magnitude() <= slack,
                "{k}: {found:?} {expected}"
            );
            assert!(
                distance < 1e-10 * expected.abs().max(1e-3),
                "{k}: {found:?} {expected}"
            );
        }
    }

    fn factorial(n: usize) -> f64 {
        (1..=n).map(|k| k as f64).product()
    }

    /// Coefficients that are in every textbook.
    #[test]
    fn jets_are_the_known_series() {
        let at = |x: f64| Interval::point(x);
        assert_encloses(
            jet_of(at(0.7), |x| x.exp()),
            array::from_fn(|k| 0.7_f64.exp() / factorial(k)),
        );
        assert_encloses(
            jet_of(at(1.0), |x| 1.0 / x),
            array::from_fn(|k| if k % 2 == 0 { 1.0 } else { -1.0 }),
        );
        assert_encloses(
            jet_of(at(1.0), |x| x.ln()),
            array::from_fn(|k| match k {
                0 => 0.0,
                k => -(-1.0_f64).powi(k as i32) / k as f64,
            }),
        );
        // Binomial coefficients of 1/2.
        let mut binomial = [1.0; TERMS];
        for k in 1..TERMS {
            binomial[k] = binomial[k - 1] * (1.5 - k as f64) / k as f64;
        }
        assert_encloses(jet_of(at(1.0), |x| x.sqrt()), binomial);
        // Bernoulli numbers B_k/k!.
        let bernoulli = [
            1.0,
            -0.5,
            1.0 / 12.0,
            0.0,
            -1.0 / 720.0,
            0.0,
            1.0 / 30_240.0,
            0.0,
        ];
        assert_encloses(jet_of(at(0.0), |x| x.exprelr()), bernoulli);
        // 1/2 + tanh(x/2)/2.
        let sigmoid = [
            0.5,
            0.25,
            0.0,
            -1.0 / 48.0,
            0.0,
            1.0 / 480.0,
            0.0,
            -17.0 / 80_640.0,
        ];
        assert_encloses(jet_of(at(0.0), |x| x.sigmoid()), sigmoid);
        assert_encloses(
            jet_of(at(0.3), |x| (x - 0.3).expm1()),
            array::from_fn(|k| if k == 0 { 0.0 } else { 1.0 / factorial(k) }),
        );
    }

    /// The two forms of `x/(e^x - 1)` agree where they meet.
    #[test]
    fn both_forms_of_exprelr_agree() {
        for x in [-1.999, 1.999] {
            let near = jet_of(Interval::point(x), |x| x.exprelr());
            let quotient = jet_of(Interval::point(x), |x| x / x.expm1());
            for (a, b) in near.0.into_iter().zip(quotient.0) {
                assert_eq!((a - b).least_magnitude(), 0.0, "{a:?} {b:?}");
                assert!((a - b).magnitude() < 1e-10, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn selections_are_known_where_they_are_certain() {
        let step = |x: Interval| jet_of(x, |x| x.select_lt(1.0, x * x, x.same(3.0)));
        assert_encloses(
            step(Interval::point(0.5)),
            [0.25, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        );
        assert_encloses(
            step(Interval::point(1.0)),
            [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        );
        assert_eq!(step(Interval::new(0.9, 1.0)).0[0], Interval::ANY);
        let least = |x: Interval| jet_of(x, |x| (x * 2.0).min(1.0).max(-1.0));
        assert_encloses(
            least(Interval::point(0.25)),
            [0.5, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        );
        assert_eq!(least(Interval::new(0.4, 0.6)).0[1], Interval::ANY);
    }

    /// Coefficients over an interval contain those at its points.
    #[test]
    fn wide_jets_contain_narrow_ones() {
        fn f(x: Expr<'_>) -> Expr<'_> {
            ((x / 4.0).exprelr() / (1.0 + (-x).sigmoid())).ln() * (x + 3.0).sqrt()
        }
        for start in 0..40 {
            let lo = -2.0 + 0.3 * f64::from(start);
            let wide = jet_of(Interval::new(lo, lo + 0.25), f);
            for part in 0..=4 {
                let narrow = jet_of(Interval::point(lo + 0.0625 * f64::from(part)), f);
                for (wide, narrow) in wide.0.into_iter().zip(narrow.0) {
                    assert_eq!((wide - narrow).least_magnitude(), 0.0);
                }
            }
        }
    }
}
