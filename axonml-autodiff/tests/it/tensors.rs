//! The outer tape: every operation's derivative against differences, and what is refused.

use axonml_autodiff::tape::{GradientTape, Tensor, TensorError};
use ndarray::{ArrayD, IxDyn, array};
use proptest::prelude::*;

/// An operation on operands of given shapes, and where its operands lie.
struct Case {
    name: &'static str,
    shapes: &'static [&'static [usize]],
    /// Numbers lie in this range, away from kinks and ends of domains.
    range: (f64, f64),
    apply: for<'t> fn(&'t GradientTape, &[Tensor<'t>]) -> Tensor<'t>,
}

const fn case(
    name: &'static str,
    shapes: &'static [&'static [usize]],
    range: (f64, f64),
    apply: for<'t> fn(&'t GradientTape, &[Tensor<'t>]) -> Tensor<'t>,
) -> Case {
    Case {
        name,
        shapes,
        range,
        apply,
    }
}

const ANY: (f64, f64) = (-2.0, 2.0);
const POSITIVE: (f64, f64) = (0.5, 3.0);

const CASES: &[Case] = &[
    case("add", &[&[2, 3], &[2, 3]], ANY, |_, x| x[0] + x[1]),
    case("add, broadcast", &[&[2, 1], &[3]], ANY, |_, x| x[0] + x[1]),
    case("sub, broadcast", &[&[3], &[4, 1, 3]], ANY, |_, x| {
        x[0] - x[1]
    }),
    case("mul, with a number", &[&[], &[2, 2]], ANY, |_, x| {
        x[0] * x[1] * 1.5
    }),
    case("div", &[&[2, 3], &[3]], POSITIVE, |_, x| x[0] / x[1]),
    case("number / x - x", &[&[3]], POSITIVE, |_, x| {
        2.0 / x[0] - x[0]
    }),
    case("x times itself", &[&[3]], ANY, |_, x| x[0] * x[0]),
    case("neg", &[&[3]], ANY, |_, x| -x[0]),
    case("exp", &[&[3]], ANY, |_, x| x[0].exp()),
    case("ln", &[&[3]], POSITIVE, |_, x| x[0].ln()),
    case("sqrt", &[&[3]], POSITIVE, |_, x| x[0].sqrt()),
    case("square", &[&[3]], ANY, |_, x| x[0].square()),
    case("powf", &[&[3]], POSITIVE, |_, x| x[0].powf(-1.7)),
    case("sin", &[&[3]], ANY, |_, x| x[0].sin()),
    case("cos", &[&[3]], ANY, |_, x| x[0].cos()),
    case("tanh", &[&[3]], ANY, |_, x| x[0].tanh()),
    case("sigmoid", &[&[3]], ANY, |_, x| x[0].sigmoid()),
    case("softplus", &[&[3]], ANY, |_, x| x[0].softplus()),
    case("abs", &[&[3]], POSITIVE, |_, x| {
        (-x[0]).abs() + x[0].abs() * 2.0
    }),
    case("at_least", &[&[9]], POSITIVE, |_, x| {
        (x[0] - 5.0).at_least(-3.0) + x[0].at_least(0.1)
    }),
    case("at_most", &[&[9]], POSITIVE, |_, x| {
        x[0].at_most(5.0) + (x[0] + 9.0).at_most(9.2)
    }),
    case("sum", &[&[2, 3]], ANY, |_, x| x[0].sum()),
    case("mean", &[&[2, 3]], ANY, |_, x| x[0].mean()),
    case("sum_axis", &[&[2, 3, 2]], ANY, |_, x| x[0].sum_axis(1)),
    case("mean_axis", &[&[2, 3, 2]], ANY, |_, x| x[0].mean_axis(2)),
    case("max_axis", &[&[2, 5, 2]], ANY, |_, x| x[0].max_axis(1)),
    case("log_sum_exp_axis", &[&[2, 5, 2]], ANY, |_, x| {
        (x[0] * 3.0).log_sum_exp_axis(1)
    }),
    case("matmul", &[&[2, 3], &[3, 4]], ANY, |_, x| x[0].matmul(x[1])),
    case("reshape", &[&[2, 6]], ANY, |_, x| x[0].reshape(&[3, 4])),
    case("insert_axis", &[&[2, 3]], ANY, |_, x| x[0].insert_axis(1)),
    case("slice_axis", &[&[2, 5]], ANY, |_, x| {
        x[0].slice_axis(1, 1..4)
    }),
    case("index_axis", &[&[4, 3]], ANY, |_, x| x[0].index_axis(0, 2)),
    case("permute", &[&[2, 3, 4]], ANY, |_, x| {
        x[0].permute(&[2, 0, 1])
    }),
    case("concatenate", &[&[2, 3], &[2, 1]], ANY, |tape, x| {
        tape.concatenate(1, &[x[0], x[1], x[0]])
    }),
    case("stack", &[&[2, 3], &[2, 3]], ANY, |tape, x| {
        tape.stack(1, x)
    }),
];

/// Numbers without a pattern, distinct enough that no two are near a tie.
fn numbers(shape: &[usize], (low, high): (f64, f64), salt: usize) -> ArrayD<f64> {
    let mut count = 0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        count += 1;
        let x = (count as f64 * 0.618_033_988_75 + salt as f64 * 0.414_213_562_37).fract();
        low + (high - low) * x
    })
}

/// The result weighed by given numbers, so that every element's derivative counts.
fn weighed<'t>(tape: &'t GradientTape, case: &Case, operands: &[Tensor<'t>]) -> Tensor<'t> {
    let result = (case.apply)(tape, operands);
    let weights = tape.constant(numbers(&result.shape(), (0.5, 1.5), 7));
    (result * weights).sum()
}

/// The largest relative difference of `scale` times the derivative from differences of fourth order.
fn error_of(case: &Case, scale: f64) -> f64 {
    let each = case.shapes.iter().enumerate();
    let values: Vec<ArrayD<f64>> = each
        .map(|(i, shape)| numbers(shape, case.range, i))
        .collect();
    let evaluate = |values: &[ArrayD<f64>]| {
        let tape = GradientTape::new();
        let operands: Vec<Tensor> = values.iter().map(|x| tape.variable(x.clone())).collect();
        weighed(&tape, case, &operands).number().unwrap()
    };
    let tape = GradientTape::new();
    let operands: Vec<Tensor> = values.iter().map(|x| tape.variable(x.clone())).collect();
    let gradients = tape.backward(weighed(&tape, case, &operands)).unwrap();
    let mut worst = 0.0_f64;
    for (operand, tensor) in operands.iter().enumerate() {
        let found = gradients.of(*tensor).unwrap();
        assert_eq!(found.shape(), values[operand].shape(), "{}", case.name);
        for (place, &found) in found.iter().enumerate() {
            let moved = |h: f64| {
                let mut values = values.clone();
                *values[operand].iter_mut().nth(place).unwrap() += h;
                evaluate(&values)
            };
            let h = 1e-3;
            let differences = 8.0 * (moved(h) - moved(-h)) - (moved(2.0 * h) - moved(-2.0 * h));
            let expected = differences / (12.0 * h);
            worst = worst.max((scale * found - expected).abs() / expected.abs().max(0.1));
        }
    }
    worst
}

#[test]
fn derivatives_are_differences() {
    for case in CASES {
        let error = error_of(case, 1.0);
        assert!(error < 1e-9, "{}: {error:e}", case.name);
        // An error of 1e-6 would be seen.
        assert!(error_of(case, 1.0 + 1e-6) > 1e-8, "{}", case.name);
    }
}

proptest! {
    /// The gradient of |A x - b|^2 is 2 A^T (A x - b), whatever the numbers.
    #[test]
    fn least_squares(a in prop::collection::vec(-3.0..3.0, 12), x in prop::collection::vec(-3.0..3.0, 3)) {
        let tape = GradientTape::new();
        let matrix = ArrayD::from_shape_vec(IxDyn(&[4, 3]), a).unwrap();
        let x = ArrayD::from_shape_vec(IxDyn(&[3, 1]), x).unwrap();
        let variable = tape.variable(x.clone());
        let residual = tape.constant(matrix.clone()).matmul(variable) - 1.0;
        let gradients = tape.backward(residual.square().sum()).unwrap();
        let found = gradients.of(variable).unwrap();
        for column in 0..3 {
            let of_row = |row: usize| -> f64 {
                let product: f64 = (0..3).map(|k| matrix[[row, k]] * x[[k, 0]]).sum();
                2.0 * matrix[[row, column]] * (product - 1.0)
            };
            let expected: f64 = (0..4).map(of_row).sum();
            prop_assert!((found[[column, 0]] - expected).abs() < 1e-11);
        }
    }
}

#[test]
fn what_is_not_depended_on_has_no_derivative() {
    let tape = GradientTape::new();
    let (x, y) = (tape.variable(array![1.0, 2.0]), tape.variable(array![3.0]));
    let c = tape.constant(array![5.0, 5.0]);
    let gradients = tape.backward((x * c).sum()).unwrap();
    assert_eq!(gradients.of(x).unwrap(), array![5.0, 5.0].into_dyn());
    assert_eq!(gradients.of(y).unwrap(), array![0.0].into_dyn());
    assert_eq!(gradients.of(c).unwrap(), array![0.0, 0.0].into_dyn());
    let late = tape.variable(array![1.0]);
    assert!(matches!(gradients.of(late), Err(TensorError::Shape { .. })));
}

#[test]
fn the_first_error_is_reported_where_numbers_are_read() {
    let tape = GradientTape::new();
    let (x, y) = (
        tape.variable(array![1.0, 2.0]),
        tape.variable(array![1.0, 2.0, 3.0]),
    );
    let sum = (x + y).sum();
    let text = sum.number().unwrap_err().to_string();
    assert!(text.contains("`add` does not fit [2] and [3]"), "{text}");
    assert_eq!(tape.backward(sum).unwrap_err().to_string(), text);
    let misfits: [for<'t> fn(Tensor<'t>) -> Tensor<'t>; 14] = [
        |x| x.slice_axis(0, 0..0).mean(),
        |x| x.sum_axis(1),
        |x| x.mean_axis(1),
        |x| x.max_axis(3),
        |x| x.log_sum_exp_axis(1),
        |x| x.matmul(x),
        |x| x.reshape(&[3]),
        |x| x.insert_axis(2),
        |x| x.slice_axis(0, 1..3),
        |x| x.index_axis(0, 2),
        |x| x.permute(&[1]),
        |x| x.tape().concatenate(1, &[x, x]),
        |x| x.tape().concatenate(0, &[]),
        |x| x.tape().stack(2, &[x, x]),
    ];
    for misfit in misfits {
        let tape = GradientTape::new();
        let x = tape.variable(array![1.0, 2.0]);
        misfit(x);
        assert!(matches!(x.value(), Err(TensorError::Shape { .. })));
    }
}

#[test]
fn numbers_that_are_none_are_named() {
    let tape = GradientTape::new();
    let x = tape.variable(array![1.0, 0.0]);
    let text = tape.backward(x.ln().sum()).unwrap_err().to_string();
    assert_eq!(
        text,
        "the result of `ln` at [1] is -inf, not a finite number"
    );

    let tape = GradientTape::new();
    let x = tape.variable(array![1.0, 0.0]);
    let text = tape.backward(x.sqrt().sum()).unwrap_err().to_string();
    assert_eq!(
        text,
        "the derivative by operand 0 of `sqrt` at [1] is inf, not a finite number"
    );

    let tape = GradientTape::new();
    let text = tape
        .variable(array![f64::NAN])
        .value()
        .unwrap_err()
        .to_string();
    assert!(text.contains("`variable` at [0] is NaN"), "{text}");

    let tape = GradientTape::new();
    let x = tape.variable(array![1.0, 2.0]);
    let text = tape.backward(x * 2.0).unwrap_err().to_string();
    assert!(text.contains("not of [2]"), "{text}");
}

#[test]
fn operations_of_others() {
    let tape = GradientTape::new();
    let x = tape.variable(array![1.0, 2.0]);
    let doubled = tape.operation("double", &[x], array![2.0, 4.0].into_dyn(), |bar| {
        Ok(vec![2.0 * bar])
    });
    let gradients = tape.backward(doubled.square().sum()).unwrap();
    assert_eq!(gradients.of(x).unwrap(), array![8.0, 16.0].into_dyn());
    assert_eq!(gradients.of(doubled).unwrap(), array![4.0, 8.0].into_dyn());

    let refusing = tape.operation("refuse", &[x], array![1.0].into_dyn(), |_| {
        Err("no way back".into())
    });
    let error = tape.backward(refusing).unwrap_err();
    assert_eq!(error.to_string(), "`refuse` has no derivative: no way back");

    let narrow = |bar: &ArrayD<f64>| Ok(vec![bar.clone()]);
    let wrong = tape.operation("narrow", &[x], array![1.0].into_dyn(), narrow);
    let error = tape.backward(wrong).unwrap_err();
    let text = "`narrow` gave derivatives of shapes [1]; its operands have [2]";
    assert_eq!(error.to_string(), text);
}

#[test]
fn constants_in_disguise_have_derivative_0() {
    let tape = GradientTape::new();
    let x = tape.variable(array![0.0, 2.0]);
    let gradients = tape.backward(x.powf(0.0).sum()).unwrap();
    assert_eq!(gradients.of(x).unwrap(), array![0.0, 0.0].into_dyn());
}

/// Two tapes in a loop are easily mixed up.
#[test]
#[should_panic(expected = "another tape")]
fn derivatives_are_asked_for_by_tensors_of_their_tape() {
    let (tape, other) = (GradientTape::new(), GradientTape::new());
    let x = tape.variable(array![1.0]);
    let unrelated = other.variable(array![1.0]);
    let _ = tape.backward(x.square().sum()).unwrap().of(unrelated);
}
