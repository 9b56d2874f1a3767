use proptest::prelude::*;

use super::*;

/// Knots, values, and (x, spline, derivative) by scipy 1.17.1, `CubicSpline(knots, values)(x)` and
/// `(x, 1)`.
const KNOTS: [f64; 7] = [0.0, 1.0, 2.5, 3.0, 5.0, 8.0, 8.5];
const VALUES: [f64; 7] = [1.0, -2.0, 0.5, 4.0, 3.0, -1.0, 2.0];
const SCIPY: [(f64, f64, f64); 8] = [
    (0.0, 1.0, -3.530818578743395),
    (0.3, -0.045135273351779324, -3.3886593791032302),
    (1.7, -2.3873576185478487, 1.0899323583264044),
    (2.9, 3.351871942426431, 6.846552528157529),
    (4.0, 6.002492946420053, -1.2760623531923994),
    (6.5, -2.143062957460439, -2.1189447117459705),
    (8.2, 0.007246876661165266, 5.657795157677608),
    (8.5, 2.0, 7.658650119717764),
];

fn spline(points: usize) -> CubicSpline {
    CubicSpline::new(KNOTS[..points].to_vec(), VALUES[..points].to_vec()).unwrap()
}

#[test]
fn agrees_with_scipy_on_uneven_knots() {
    for (x, value, slope) in SCIPY {
        let (found, found_slope) = (spline(7).eval(x).unwrap(), spline(7).derivative(x).unwrap());
        assert!(
            (found - value).abs() < 1e-13,
            "value at {x}: {found}, scipy {value}"
        );
        assert!(
            (found_slope - slope).abs() < 1e-13,
            "slope at {x}: {found_slope}, scipy {slope}"
        );
    }
}

#[test]
fn agrees_with_scipy_on_few_knots() {
    // scipy 1.17.1 on the first 4, 3 and 2 points: one cubic, one parabola, one straight line.
    let values = [
        (4, 0.5, -0.8333333333333334),
        (4, 2.0, -1.533333333333333),
        (4, 2.75, 2.0541666666666663),
        (3, 0.5, -0.9666666666666668),
        (3, 2.0, -1.2666666666666664),
        (2, 0.25, 0.25),
    ];
    for (points, x, value) in values {
        let found = spline(points).eval(x).unwrap();
        assert!(
            (found - value).abs() < 1e-14,
            "{points} points at {x}: {found}, scipy {value}"
        );
    }
    let slopes = [
        (4, 0.0, -4.2),
        (4, 3.0, 8.6),
        (3, 0.0, -73.0 / 15.0),
        (3, 1.0, -17.0 / 15.0),
        (3, 2.5, 67.0 / 15.0),
    ];
    for (points, x, slope) in slopes {
        let found = spline(points).derivative(x).unwrap();
        assert!(
            (found - slope).abs() < 1e-14,
            "{points} points at {x}: {found}, scipy {slope}"
        );
    }
}

#[test]
fn lines_that_share_knots_are_as_if_each_had_its_own() {
    let basis = Arc::new(SplineBasis::new(KNOTS.to_vec()).unwrap());
    let doubled: Vec<f64> = VALUES.iter().map(|value| 2.0 * value).collect();
    let shared = CubicSpline::with_basis(Arc::clone(&basis), VALUES.to_vec()).unwrap();
    let other = CubicSpline::with_basis(basis, doubled).unwrap();
    assert_eq!(shared, spline(7));
    assert_eq!(other.eval(4.3).unwrap(), 2.0 * shared.eval(4.3).unwrap());
}

#[test]
fn bad_knots_and_values_are_refused() {
    let refuse = |knots: &[f64]| SplineBasis::new(knots.to_vec()).unwrap_err().to_string();
    assert!(
        refuse(&[1.0]).contains("two or more, found 1"),
        "{}",
        refuse(&[1.0])
    );
    assert!(refuse(&[0.0, f64::NAN, 1.0]).contains("NaN at index 1"));
    assert!(refuse(&[0.0, 2.0, 1.0]).contains("index 2 has 1 after 2"));
    let duplicate = refuse(&[0.0, 2.0, 2.0]);
    assert!(
        duplicate.contains("index 2 has 2 after 2") && duplicate.contains("drop duplicates"),
        "{duplicate}"
    );
    let message = CubicSpline::new(vec![0.0, 1.0], vec![1.0])
        .unwrap_err()
        .to_string();
    assert!(message.contains("one per knot, 2, found 1"), "{message}");
    let message = CubicSpline::new(vec![0.0, 1.0], vec![1.0, f64::INFINITY])
        .unwrap_err()
        .to_string();
    assert!(message.contains("inf at index 1"), "{message}");
}

#[test]
fn nothing_is_extrapolated() {
    for x in [-1e-12, 8.500001, f64::NAN] {
        assert!(matches!(
            spline(7).eval(x),
            Err(CoreError::OutsideRange {
                first: 0.0,
                last: 8.5,
                ..
            })
        ));
        assert!(spline(7).derivative(x).is_err());
    }
}

fn knots(points: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.1..2.0, points).prop_map(|widths| {
        let sum = |x: &mut f64, width: f64| {
            *x += width;
            Some(*x)
        };
        widths.into_iter().scan(-3.0, sum).collect()
    })
}

proptest! {
    #[test]
    fn cubics_are_reproduced(
        knots in knots(4..20),
        c in prop::array::uniform4(-2.0..2.0),
        fraction in 0.0..=1.0_f64,
    ) {
        let cubic = |x: f64| c[0] + x * (c[1] + x * (c[2] + x * c[3]));
        let slope = |x: f64| c[1] + x * (2.0 * c[2] + x * 3.0 * c[3]);
        let (first, last) = (knots[0], knots[knots.len() - 1]);
        let size = 1.0 + c.iter().map(|c: &f64| c.abs()).sum::<f64>() * first.abs().max(last.abs()).max(1.0).powi(3);
        let spline = CubicSpline::new(knots.clone(), knots.iter().map(|&x| cubic(x)).collect()).unwrap();
        let x = (first + fraction * (last - first)).min(last);
        prop_assert!((spline.eval(x).unwrap() - cubic(x)).abs() < 1e-11 * size);
        prop_assert!((spline.derivative(x).unwrap() - slope(x)).abs() < 1e-10 * size);
    }

    #[test]
    fn splines_meet_their_values_smoothly(knots in knots(4..12), seed in prop::collection::vec(-1.0..1.0, 12)) {
        let values = seed[..knots.len()].to_vec();
        let spline = CubicSpline::new(knots.clone(), values.clone()).unwrap();
        // Second derivatives to either side of each inner knot, by differences of the slopes of the
        // two cubics there.
        let bend = |x: f64, h: f64| {
            let slope = |at: f64| spline.derivative(x + at * h).unwrap();
            (4.0 * slope(1.0) - slope(2.0) - 3.0 * slope(0.0)) / (2.0 * h)
        };
        let slopes = spline.pieces.iter().map(|piece| piece.slope.abs());
        let size = 1.0 + slopes.fold(0.0, f64::max);
        for i in 1..knots.len() - 1 {
            prop_assert!((spline.eval(knots[i]).unwrap() - values[i]).abs() < 1e-13);
            let (left, right) = (bend(knots[i], -0.04), bend(knots[i], 0.04));
            prop_assert!((left - right).abs() < 1e-10 * size, "knot {}: {} and {}", i, left, right);
        }
    }
}
