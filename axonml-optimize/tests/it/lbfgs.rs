//! L-BFGS.

use axonml_optimize::{Bounds, Lbfgs, LbfgsSettings, Optimizer, Slope, Stop, Unconstrained};

use crate::functions::{quadratic_slope, rosenbrock_slope, run, sum_zero};

/// The standard start of J. J. More, B. S. Garbow and K. E. Hillstrom, "Testing unconstrained optimization software",
/// ACM Trans. Math. Softw. 7, 17-41 (1981), problem 1; then ten coordinates (problem 21 chained).
#[test]
fn rosenbrocks_valley_is_followed_to_its_end() {
    for (coordinates, most) in [(2, 60), (10, 150)] {
        let start = (0..coordinates).map(|k| if k % 2 == 0 { -1.2 } else { 1.0 });
        let settings = LbfgsSettings {
            steps: 500,
            value_tolerance: 0.0,
            ..LbfgsSettings::default()
        };
        let mut lbfgs = Lbfgs::new(settings, start.collect(), &Unconstrained).unwrap();
        let evaluations = run(&mut lbfgs, rosenbrock_slope, &Unconstrained, 1000);
        assert_eq!(lbfgs.stop(), Some(Stop::Gradient), "{coordinates}");
        let best = lbfgs.best().unwrap();
        // Ten coordinates have a second minimum, near (-1, 1, ..., 1).
        assert!(best.fitness < 1e-14 || coordinates == 10, "{best:?}");
        assert!(evaluations <= most, "{coordinates}: {evaluations}");
    }
}

/// With exact line searches BFGS makes the directions of conjugate gradients (Nocedal and Wright, theorem 6.4): a
/// quadratic of n coordinates ends after n steps.
#[test]
fn a_quadratic_takes_as_many_steps_as_it_has_coordinates() {
    for n in 1..=7 {
        let diagonal = |k: usize| 1.0 + k as f64;
        let a: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                (0..n)
                    .map(|j| if i == j { diagonal(i) } else { 0.3 })
                    .collect()
            })
            .collect();
        let expected: Vec<f64> = (0..n).map(|k| (k as f64).cos()).collect();
        let b: Vec<f64> = a
            .iter()
            .map(|row| row.iter().zip(&expected).map(|(a, x)| a * x).sum())
            .collect();
        let settings = LbfgsSettings {
            curvature: 0.0,
            value_tolerance: 0.0,
            gradient_tolerance: 1e-9,
            ..LbfgsSettings::default()
        };
        let mut lbfgs = Lbfgs::new(settings, vec![2.0; n], &Unconstrained).unwrap();
        run(
            &mut lbfgs,
            |x| quadratic_slope(&a, &b, x),
            &Unconstrained,
            1000,
        );
        assert_eq!((lbfgs.stop(), lbfgs.steps()), (Some(Stop::Gradient), n));
        for (x, expected) in lbfgs.best().unwrap().x.iter().zip(&expected) {
            assert!((x - expected).abs() < 1e-8, "{n}");
        }
    }
}

/// Against the conditions of Karush, Kuhn and Tucker: the gradient vanishes where a coordinate is free, and points out
/// of the box where it is not.
#[test]
fn within_bounds_the_optimality_conditions_hold() {
    let n = 8;
    let a: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let row = (0..n).map(|j| {
                if i == j {
                    3.0
                } else {
                    0.9_f64.powi(i as i32 - j as i32).min(0.5)
                }
            });
            row.collect::<Vec<f64>>()
        })
        .collect();
    let symmetric: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| 0.5 * (a[i][j] + a[j][i])).collect())
        .collect();
    let b: Vec<f64> = (0..n).map(|k| 4.0 * (1.7 * k as f64).sin()).collect();
    let bounds = Bounds::uniform(n, -0.5, 0.8).unwrap();
    let mut lbfgs = Lbfgs::new(LbfgsSettings::default(), vec![0.0; n], &bounds).unwrap();
    let evaluate = |x: &[f64]| {
        assert!(bounds.contain(x), "{x:?}");
        quadratic_slope(&symmetric, &b, x)
    };
    run(&mut lbfgs, evaluate, &bounds, 1000);
    let best = lbfgs.best().unwrap();
    let gradient = quadratic_slope(&symmetric, &b, &best.x).gradient;
    let mut held = 0;
    for (x, g) in best.x.iter().zip(&gradient) {
        match *x {
            -0.5 => assert!(*g >= 0.0, "{g}"),
            0.8 => assert!(*g <= 0.0, "{g}"),
            _ => assert!(g.abs() < 1e-5, "{g}"),
        }
        held += usize::from(*x == -0.5 || *x == 0.8);
    }
    assert!((2..n).contains(&held), "{best:?}");
}

/// On the subspace of sum 0 the minimum of |x - c|^2 weighted by w is c - lambda / w with lambda = sum c / sum 1/w.
#[test]
fn in_a_subspace_the_minimum_is_the_closed_form() {
    let (c, w) = ([3.0, -1.0, 0.5, 1.5], [1.0, 4.0, 0.25, 9.0]);
    let lambda = c.iter().sum::<f64>() / w.iter().map(|w| 1.0 / w).sum::<f64>();
    let settings = LbfgsSettings {
        value_tolerance: 0.0,
        gradient_tolerance: 1e-7,
        ..LbfgsSettings::default()
    };
    let mut lbfgs = Lbfgs::new(settings, vec![1.0, 0.0, 0.0, 0.0], &sum_zero).unwrap();
    let evaluate = |x: &[f64]| {
        assert!(x.iter().sum::<f64>().abs() < 1e-12, "{x:?}");
        let each = x.iter().zip(&c).zip(&w);
        Slope {
            fitness: each.clone().map(|((x, c), w)| w * (x - c).powi(2)).sum(),
            gradient: each.map(|((x, c), w)| 2.0 * w * (x - c)).collect(),
        }
    };
    let evaluations = run(&mut lbfgs, evaluate, &sum_zero, 1000);
    assert_eq!(lbfgs.stop(), Some(Stop::Gradient));
    assert!(evaluations < 40, "{evaluations}");
    for (k, x) in lbfgs.best().unwrap().x.iter().enumerate() {
        assert!((x - (c[k] - lambda / w[k])).abs() < 1e-6, "{x}");
    }
}

/// -ln x + x has no value below 0: trials there are shortened.
#[test]
fn trials_without_a_value_are_shortened() {
    let settings = LbfgsSettings {
        first_step: 5.0,
        ..LbfgsSettings::default()
    };
    let mut lbfgs = Lbfgs::new(settings, vec![3.0], &Unconstrained).unwrap();
    let evaluate = |x: &[f64]| Slope {
        fitness: x[0] - x[0].ln(),
        gradient: vec![1.0 - 1.0 / x[0]],
    };
    run(&mut lbfgs, evaluate, &Unconstrained, 100);
    assert!((lbfgs.best().unwrap().x[0] - 1.0).abs() < 1e-6, "{lbfgs:?}");

    let mut lost = Lbfgs::new(LbfgsSettings::default(), vec![-1.0], &Unconstrained).unwrap();
    run(&mut lost, evaluate, &Unconstrained, 100);
    assert_eq!((lost.stop(), lost.best()), (Some(Stop::NotFinite), None));
}

/// A gradient of the wrong sign never lowers the value: the search gives up, and says so.
#[test]
fn a_direction_that_does_not_descend_ends_the_search() {
    let mut lbfgs = Lbfgs::new(LbfgsSettings::default(), vec![1.0], &Unconstrained).unwrap();
    let evaluate = |x: &[f64]| Slope {
        fitness: x[0] * x[0],
        gradient: vec![-2.0 * x[0]],
    };
    let evaluations = run(&mut lbfgs, evaluate, &Unconstrained, 100);
    assert_eq!(lbfgs.stop(), Some(Stop::NoDescent));
    assert_eq!((evaluations, lbfgs.steps()), (21, 0));
}
