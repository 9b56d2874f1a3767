//! Levenberg and Marquardt's method.

use axonml_optimize::{
    Bounds, LeastSquaresSettings, LevenbergMarquardt, Optimizer, Rows, Stop, Unconstrained,
};

use crate::functions::run;

/// y and x of a data set of NIST's.
type Data = &'static [(f64, f64)];

/// NIST Statistical Reference Datasets, nonlinear regression, Misra1a: dental research in monomolecular adsorption
/// (D. Misra 1978).
const MISRA1A: Data = &[
    (10.07, 77.6),
    (14.73, 114.9),
    (17.94, 141.1),
    (23.93, 190.8),
    (29.61, 239.9),
    (35.18, 289.0),
    (40.02, 332.8),
    (44.82, 378.4),
    (50.76, 434.8),
    (55.05, 477.3),
    (61.01, 536.8),
    (66.40, 593.1),
    (75.47, 689.1),
    (81.78, 760.0),
];

fn misra1a(b: &[f64]) -> Rows {
    Rows {
        residuals: MISRA1A
            .iter()
            .map(|(y, x)| b[0] * (1.0 - (-b[1] * x).exp()) - y)
            .collect(),
        jacobian: MISRA1A
            .iter()
            .map(|(_, x)| vec![1.0 - (-b[1] * x).exp(), b[0] * x * (-b[1] * x).exp()])
            .collect(),
    }
}

/// The same, MGH10: R. R. Meyer (1970), of the higher level of difficulty.
const MGH10: Data = &[
    (3.478e4, 50.0),
    (2.861e4, 55.0),
    (2.365e4, 60.0),
    (1.963e4, 65.0),
    (1.637e4, 70.0),
    (1.372e4, 75.0),
    (1.154e4, 80.0),
    (9.744e3, 85.0),
    (8.261e3, 90.0),
    (7.030e3, 95.0),
    (6.005e3, 100.0),
    (5.147e3, 105.0),
    (4.427e3, 110.0),
    (3.820e3, 115.0),
    (3.307e3, 120.0),
    (2.872e3, 125.0),
];

fn mgh10(b: &[f64]) -> Rows {
    let growth = |x: f64| (b[1] / (x + b[2])).exp();
    Rows {
        residuals: MGH10.iter().map(|(y, x)| b[0] * growth(*x) - y).collect(),
        jacobian: MGH10
            .iter()
            .map(|(_, x)| {
                let (e, below) = (growth(*x), x + b[2]);
                vec![e, b[0] * e / below, -b[0] * e * b[1] / (below * below)]
            })
            .collect(),
    }
}

/// Certified values have eleven digits, of which sums of squares of data with four keep about nine in coordinates.
fn assert_certified(rows: fn(&[f64]) -> Rows, starts: &[&[f64]], certified: &[f64], squares: f64) {
    for start in starts {
        let settings = LeastSquaresSettings {
            trials: 1000,
            ..LeastSquaresSettings::default()
        };
        let mut fit = LevenbergMarquardt::new(settings, start.to_vec(), &Unconstrained).unwrap();
        run(&mut fit, rows, &Unconstrained, 10_000);
        let best = fit.best().unwrap();
        // The rounding of residuals may keep the last steps from lowering the sum.
        let stops = [Stop::Gradient, Stop::Decrease, Stop::NoDescent].map(Some);
        assert!(stops.contains(&fit.stop()), "{:?} {best:?}", fit.stop());
        for (found, certified) in best.x.iter().zip(certified) {
            assert!((found / certified - 1.0).abs() < 1e-8, "{best:?}");
        }
        assert!((best.fitness / squares - 1.0).abs() < 1e-10, "{best:?}");
    }
}

#[test]
fn nists_certified_values_are_found() {
    assert_certified(
        misra1a,
        &[&[500.0, 0.0001], &[250.0, 0.0005]],
        &[2.3894212918e2, 5.5015643181e-4],
        1.2455138894e-1,
    );
}

/// From the first start the way leads through a valley in which the scale of a coordinate changes by 50 orders of
/// magnitude.
#[test]
fn nists_certified_values_of_a_difficult_problem_are_found() {
    assert_certified(
        mgh10,
        &[&[2.0, 400_000.0, 25_000.0], &[0.02, 4000.0, 250.0]],
        &[5.6096364710e-3, 6.1813463463e3, 3.4522363462e2],
        8.7945855171e1,
    );
}

/// Linear rows with orthogonal columns: the bounded minimum is the free one, clipped. Then columns that are not
/// orthogonal, by hand: of (x - 1)^2 + (x + y - 3)^2 with y <= 1 the minimum is at x = 3/2, y = 1.
#[test]
fn bounds_hold_coordinates() {
    let bounds = Bounds::new(vec![0.0, 0.0], vec![1.0, 5.0]).unwrap();
    let separate = |x: &[f64]| Rows {
        residuals: vec![2.0 * x[0] - 6.0, x[1] + 1.0],
        jacobian: vec![vec![2.0, 0.0], vec![0.0, 1.0]],
    };
    let mut fit =
        LevenbergMarquardt::new(LeastSquaresSettings::default(), vec![0.5, 3.0], &bounds).unwrap();
    run(&mut fit, separate, &bounds, 1000);
    assert_eq!(fit.best().unwrap().x, [1.0, 0.0]);
    assert_eq!(fit.stop(), Some(Stop::Gradient));

    let bounds = Bounds::new(vec![-9.0, -9.0], vec![9.0, 1.0]).unwrap();
    let coupled = |x: &[f64]| {
        assert!(bounds.contain(x), "{x:?}");
        Rows {
            residuals: vec![x[0] - 1.0, x[0] + x[1] - 3.0],
            jacobian: vec![vec![1.0, 0.0], vec![1.0, 1.0]],
        }
    };
    let mut fit =
        LevenbergMarquardt::new(LeastSquaresSettings::default(), vec![-5.0, -5.0], &bounds)
            .unwrap();
    run(&mut fit, coupled, &bounds, 1000);
    let best = fit.best().unwrap();
    assert!(
        (best.x[0] - 1.5).abs() < 1e-8 && best.x[1] == 1.0,
        "{best:?}"
    );
}

/// A coordinate that no residual depends on stays, and does not stop the others.
#[test]
fn coordinates_without_influence_stay() {
    let rows = |x: &[f64]| Rows {
        residuals: vec![x[0].exp() - 2.0],
        jacobian: vec![vec![x[0].exp(), 0.0]],
    };
    let start = vec![0.0, 7.0];
    let mut fit =
        LevenbergMarquardt::new(LeastSquaresSettings::default(), start, &Unconstrained).unwrap();
    run(&mut fit, rows, &Unconstrained, 1000);
    let best = fit.best().unwrap();
    assert!((best.x[0] - 2_f64.ln()).abs() < 1e-8, "{best:?}");
    assert_eq!(best.x[1], 7.0);
}

#[test]
fn rows_that_are_not_finite_are_bad_trials() {
    // No value beyond 2: long steps from 0 towards 1.9 go there.
    let rows = |x: &[f64]| Rows {
        residuals: vec![(2.0 - x[0]).ln() - 0.1_f64.ln()],
        jacobian: vec![vec![-1.0 / (2.0 - x[0])]],
    };
    let fit_from = |start: f64| {
        let settings = LeastSquaresSettings::default();
        let mut fit = LevenbergMarquardt::new(settings, vec![start], &Unconstrained).unwrap();
        run(&mut fit, rows, &Unconstrained, 1000);
        fit
    };
    let fit = fit_from(0.0);
    assert!((fit.best().unwrap().x[0] - 1.9).abs() < 1e-8, "{fit:?}");
    let lost = fit_from(3.0);
    assert_eq!((lost.stop(), lost.best()), (Some(Stop::NotFinite), None));
}

/// In units that are powers of two, the trials are the same to the bit: nothing depends on the units of coordinates.
#[test]
fn units_of_coordinates_do_not_matter() {
    const UNITS: [f64; 2] = [256.0, 1.0 / 4096.0];
    let scaled = |x: &[f64]| {
        let own: Vec<f64> = x.iter().zip(UNITS).map(|(x, unit)| x * unit).collect();
        let mut rows = misra1a(&own);
        for row in &mut rows.jacobian {
            row.iter_mut()
                .zip(UNITS)
                .for_each(|(slope, unit)| *slope *= unit);
        }
        rows
    };
    let start = [500.0, 0.0001];
    let in_units = start.iter().zip(UNITS).map(|(x, unit)| x / unit).collect();
    let settings = LeastSquaresSettings::default;
    let mut fit = LevenbergMarquardt::new(settings(), start.to_vec(), &Unconstrained).unwrap();
    let mut other = LevenbergMarquardt::new(settings(), in_units, &Unconstrained).unwrap();
    while let (Some(x), Some(y)) = (fit.ask().pop(), other.ask().pop()) {
        let own: Vec<f64> = y.iter().zip(UNITS).map(|(y, unit)| y * unit).collect();
        assert_eq!(x, own);
        run(&mut fit, misra1a, &Unconstrained, 1);
        run(&mut other, scaled, &Unconstrained, 1);
    }
    assert_eq!((fit.stop(), fit.trials()), (other.stop(), other.trials()));
}

/// Rows that have no value beyond 1, nearly stationary: the first step, to 5, promises next to nothing and has no value. That
/// is no convergence: shorter steps lower the cost.
#[test]
fn a_trial_without_a_value_is_no_convergence() {
    let rows = |x: &[f64]| {
        let slope = if x[0] > 1.0 { f64::NAN } else { 1.5e-8 };
        Rows {
            residuals: vec![1.0, slope * (x[0] - 5.0)],
            jacobian: vec![vec![0.0], vec![slope]],
        }
    };
    let settings = LeastSquaresSettings {
        gradient_tolerance: 0.0,
        ..LeastSquaresSettings::default()
    };
    let mut fit = LevenbergMarquardt::new(settings, vec![0.0], &Unconstrained).unwrap();
    while fit.stop().is_none() {
        let told = fit.ask().iter().map(|x| rows(x)).collect();
        fit.tell(told, &Unconstrained).unwrap();
    }
    let best = fit.best().unwrap();
    assert!(best.x[0] > 0.0 && best.x[0] <= 1.0, "{:?}", best.x);
}
