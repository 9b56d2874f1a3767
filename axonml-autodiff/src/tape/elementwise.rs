//! Operations number by number: arithmetic with broadcasting, and functions of one number with their derivatives.

use std::ops::{Add, Div, Mul, Neg, Sub};

use ndarray::{ArrayD, Axis, Zip};

use super::Tensor;

/// Derivatives by both operands from the operands and the result.
type Slopes = fn(f64, f64, f64) -> (f64, f64);

impl<'t> Tensor<'t> {
    fn binary(
        self,
        other: Tensor<'t>,
        name: &'static str,
        f: fn(f64, f64) -> f64,
        slopes: Slopes,
    ) -> Tensor<'t> {
        let (a, b) = (self.raw(), other.raw());
        let Some(shape) = common_shape(a.shape(), b.shape()) else {
            let expected = "equal sizes along every axis, or 1, counted from the last axis";
            return self.tape.misfit(name, &[self, other], expected);
        };
        let spread = |x: &ArrayD<f64>| x.broadcast(&shape[..]).map(|view| view.to_owned());
        let (Some(x), Some(y)) = (spread(&a), spread(&b)) else {
            unreachable!("both fit the common shape")
        };
        let result = Zip::from(&x).and(&y).map_collect(|&x, &y| f(x, y));
        let (kept, shapes) = (result.clone(), [a.shape().to_vec(), b.shape().to_vec()]);
        self.tape
            .operation(name, &[self, other], result, move |bar| {
                let mut bars = [bar.clone(), bar.clone()];
                let [to_x, to_y] = &mut bars;
                Zip::from(&mut *to_x)
                    .and(&mut *to_y)
                    .and(&x)
                    .and(&y)
                    .and(&kept)
                    .for_each(|to_x, to_y, &x, &y, &z| {
                        let (by_x, by_y) = slopes(x, y, z);
                        *to_x *= by_x;
                        *to_y *= by_y;
                    });
                let sums = bars.into_iter().zip(&shapes);
                Ok(sums.map(|(bar, shape)| sum_to(bar, shape)).collect())
            })
    }

    /// `slope` takes the operand and the result.
    fn unary(
        self,
        name: &'static str,
        f: impl Fn(f64) -> f64,
        slope: impl Fn(f64, f64) -> f64 + 'static,
    ) -> Tensor<'t> {
        let x = self.raw();
        let result = x.mapv(f);
        let kept = result.clone();
        self.tape.operation(name, &[self], result, move |bar| {
            let by_x = Zip::from(bar).and(&*x).and(&kept);
            Ok(vec![by_x.map_collect(|&bar, &x, &y| bar * slope(x, y))])
        })
    }

    /// e to the power of each number.
    pub fn exp(self) -> Self {
        self.unary("exp", f64::exp, |_, y| y)
    }

    /// Natural logarithm.
    pub fn ln(self) -> Self {
        self.unary("ln", f64::ln, |x, _| 1.0 / x)
    }

    /// Square root; it has no derivative at 0.
    pub fn sqrt(self) -> Self {
        self.unary("sqrt", f64::sqrt, |_, y| 0.5 / y)
    }

    /// Each number times itself.
    pub fn square(self) -> Self {
        self.unary("square", |x| x * x, |x, _| 2.0 * x)
    }

    /// Each number to a power that is given.
    pub fn powf(self, exponent: f64) -> Self {
        let slope = move |x: f64, _| match exponent {
            // The derivative of a constant, at 0 too.
            0.0 => 0.0,
            _ => exponent * x.powf(exponent - 1.0),
        };
        self.unary("powf", |x| x.powf(exponent), slope)
    }

    /// Sine of radians.
    pub fn sin(self) -> Self {
        self.unary("sin", f64::sin, |x, _| x.cos())
    }

    /// Cosine of radians.
    pub fn cos(self) -> Self {
        self.unary("cos", f64::cos, |x, _| -x.sin())
    }

    /// Hyperbolic tangent.
    pub fn tanh(self) -> Self {
        self.unary("tanh", f64::tanh, |_, y| 1.0 - y * y)
    }

    /// 1/(1 + e^-x).
    pub fn sigmoid(self) -> Self {
        self.unary("sigmoid", sigmoid, |x, _| sigmoid(x) * sigmoid(-x))
    }

    /// ln(1 + e^x): 0 far below 0, x far above.
    pub fn softplus(self) -> Self {
        let f = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        self.unary("softplus", f, |x, _| sigmoid(x))
    }

    /// Size of each number; at 0 the derivative is taken as 0.
    pub fn abs(self) -> Self {
        let slope = |x: f64, _| if x == 0.0 { 0.0 } else { x.signum() };
        self.unary("abs", f64::abs, slope)
    }

    /// The larger of each number and `least`; where they are equal the derivative is taken as 0.
    pub fn at_least(self, least: f64) -> Self {
        let slope = move |x: f64, _| if x > least { 1.0 } else { 0.0 };
        self.unary("at_least", |x| if x < least { least } else { x }, slope)
    }

    /// The smaller of each number and `most`; where they are equal the derivative is taken as 0.
    pub fn at_most(self, most: f64) -> Self {
        let slope = move |x: f64, _| if x < most { 1.0 } else { 0.0 };
        self.unary("at_most", |x| if x > most { most } else { x }, slope)
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

macro_rules! arithmetic {
    ($( $trait:ident $method:ident $operator:tt $slopes:expr; )+) => { $(
        impl<'t> $trait for Tensor<'t> {
            type Output = Tensor<'t>;

            fn $method(self, other: Tensor<'t>) -> Tensor<'t> {
                self.binary(other, stringify!($method), |x, y| x $operator y, $slopes)
            }
        }

        impl<'t> $trait<f64> for Tensor<'t> {
            type Output = Tensor<'t>;

            fn $method(self, other: f64) -> Tensor<'t> {
                self $operator self.tape.number(other)
            }
        }

        impl<'t> $trait<Tensor<'t>> for f64 {
            type Output = Tensor<'t>;

            fn $method(self, other: Tensor<'t>) -> Tensor<'t> {
                other.tape.number(self) $operator other
            }
        }
    )+ };
}

arithmetic! {
    Add add + |_, _, _| (1.0, 1.0);
    Sub sub - |_, _, _| (1.0, -1.0);
    Mul mul * |x, y, _| (y, x);
    Div div / |_, y, z| (1.0 / y, -z / y);
}

impl<'t> Neg for Tensor<'t> {
    type Output = Tensor<'t>;

    fn neg(self) -> Tensor<'t> {
        self.unary("neg", |x| -x, |_, _| -1.0)
    }
}

/// The shape that both shapes spread to, if there is one.
fn common_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let axes = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(axes) {
        Some(own) => shape[own],
        None => 1,
    };
    let common = |axis| match (size(a, axis), size(b, axis)) {
        (x, y) if x == y => Some(x),
        (1, y) => Some(y),
        (x, 1) => Some(x),
        _ => None,
    };
    (0..axes).map(common).collect()
}

/// Sums a broadcast array over the axes along which `shape` was broadcast.
fn sum_to(mut bar: ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    while bar.ndim() > shape.len() {
        bar = bar.sum_axis(Axis(0));
    }
    for (axis, &size) in shape.iter().enumerate() {
        if bar.shape()[axis] != size {
            bar = bar.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        }
    }
    bar
}
