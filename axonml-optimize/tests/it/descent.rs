//! Descent with a learning rate.

use std::cmp::Ordering;

use axonml_optimize::{
    Bounds, Descent, DescentSettings, Fitness, Momenta, Optimizer, Rule, Schedule, Slope, Stop,
    Unconstrained,
};

use crate::functions::{quadratic_slope, rosenbrock, rosenbrock_slope, run, sum_zero};

/// A stretched parabola with its minimum at (1, -2).
fn stretched(x: &[f64]) -> Slope {
    quadratic_slope(&[vec![10.0, 0.0], vec![0.0, 1.0]], &[10.0, -2.0], x)
}

#[test]
fn both_rules_descend_and_the_last_point_is_evaluated() {
    for rule in [Rule::Adam, Rule::RANGER] {
        let settings = DescentSettings {
            rule,
            rate: 0.1,
            steps: 2000,
            final_share: 0.0,
            ..DescentSettings::default()
        };
        let mut descent = Descent::new(settings, vec![-1.0, 3.0], &Unconstrained).unwrap();
        let evaluations = run(&mut descent, stretched, &Unconstrained, 5000);
        assert_eq!((evaluations, descent.updates()), (2001, 2000));
        assert_eq!(descent.stop(), Some(Stop::Steps));
        let best = descent.best().unwrap();
        assert!(
            (best.x[0] - 1.0).abs() < 1e-4 && (best.x[1] + 2.0).abs() < 1e-4,
            "{rule:?}: {best:?}"
        );
    }
}

#[test]
fn a_curved_valley_is_followed() {
    for rule in [Rule::Adam, Rule::RANGER] {
        let settings = DescentSettings {
            rule,
            rate: 0.05,
            steps: 4000,
            clip: Some(10.0),
            ..DescentSettings::default()
        };
        let mut descent = Descent::new(settings, vec![-1.2, 1.0], &Unconstrained).unwrap();
        run(&mut descent, rosenbrock_slope, &Unconstrained, usize::MAX);
        let best = descent.best().unwrap();
        assert!(rosenbrock(&best.x) < 1e-4, "{rule:?}: {best:?}");
    }
}

/// Within bounds that cut the minimum off, the corner nearest to it is found, exactly.
#[test]
fn points_stay_within_bounds_and_reach_them() {
    let bounds = Bounds::new(vec![-1.5, -1.5], vec![0.5, 4.0]).unwrap();
    for rule in [Rule::Adam, Rule::RANGER] {
        let settings = DescentSettings {
            rule,
            rate: 0.1,
            steps: 2000,
            ..DescentSettings::default()
        };
        let mut descent = Descent::new(settings, vec![9.0, 9.0], &bounds).unwrap();
        let evaluate = |x: &[f64]| {
            assert!(bounds.contain(x), "{x:?}");
            stretched(x)
        };
        run(&mut descent, evaluate, &bounds, 5000);
        assert_eq!(descent.best().unwrap().x, [0.5, -1.5], "{rule:?}");
    }
}

/// On a subspace the minimum of |x - c|^2 is the projection of c.
#[test]
fn points_stay_in_a_subspace() {
    let c = [3.0, -1.0, 0.5, 1.5];
    for rule in [Rule::Adam, Rule::RANGER] {
        let settings = DescentSettings {
            rule,
            rate: 0.05,
            steps: 3000,
            final_share: 0.0,
            ..DescentSettings::default()
        };
        let mut descent: Descent<f64> = Descent::new(settings, vec![1.0; 4], &sum_zero).unwrap();
        let evaluate = |x: &[f64]| {
            assert!(x.iter().sum::<f64>().abs() < 1e-12, "{x:?}");
            Slope {
                fitness: x.iter().zip(&c).map(|(x, c)| (x - c).powi(2)).sum(),
                gradient: x.iter().zip(&c).map(|(x, c)| 2.0 * (x - c)).collect(),
            }
        };
        run(&mut descent, evaluate, &sum_zero, 5000);
        let best = descent.best().unwrap();
        for (x, c) in best.x.iter().zip(&c) {
            assert!((x - (c - 1.0)).abs() < 1e-3, "{rule:?}: {best:?}");
        }
    }
}

/// The first step of Ranger is the rate times the gradient: shortened to the clip, and without its mean.
#[test]
fn clipping_shortens_and_centralization_takes_the_mean_off() {
    let first_step = |clip, centralize| {
        let settings = DescentSettings {
            rule: Rule::RANGER,
            rate: 0.1,
            schedule: Schedule::Constant,
            clip,
            centralize,
            ..DescentSettings::default()
        };
        let mut descent = Descent::new(settings, vec![0.0; 2], &Unconstrained).unwrap();
        let told = Slope {
            fitness: 0.0,
            gradient: vec![3.0, 4.0],
        };
        descent.tell(vec![told], &Unconstrained).unwrap();
        descent.ask().remove(0)
    };
    let cases = [
        (None, false, [-0.3, -0.4]),
        (Some(1.0), false, [-0.06, -0.08]),
        (Some(10.0), false, [-0.3, -0.4]),
        (None, true, [0.05, -0.05]),
        (
            Some(0.1),
            true,
            [0.005 * 2_f64.sqrt(), -0.005 * 2_f64.sqrt()],
        ),
    ];
    for (clip, centralize, expected) in cases {
        let found = first_step(clip, centralize);
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-15,
                "{clip:?} {centralize}: {found}"
            );
        }
    }
}

/// By hand: with a constant gradient each step of Adam is the rate, which warms up over two updates and stays.
#[test]
fn rates_follow_their_schedule() {
    let settings = DescentSettings {
        rate: 0.1,
        warmup: 2,
        schedule: Schedule::Constant,
        steps: 4,
        momenta: Momenta {
            epsilon: 1e-300,
            ..Momenta::default()
        },
        ..DescentSettings::default()
    };
    let mut descent = Descent::new(settings, vec![0.0], &Unconstrained).unwrap();
    let mut seen = Vec::new();
    while let Some(x) = descent.ask().pop() {
        seen.push(x[0]);
        let told = Slope {
            fitness: x[0],
            gradient: vec![7.0],
        };
        descent.tell(vec![told], &Unconstrained).unwrap();
    }
    for (found, expected) in seen.iter().zip([0.0, -0.05, -0.15, -0.25, -0.35]) {
        assert!((found - expected).abs() < 1e-14, "{seen:?}");
    }
    assert_eq!(seen.len(), 5);
}

/// A fitness that is not the loss: the best point is kept by it.
#[derive(Clone, Debug, PartialEq)]
struct Far(f64);

impl Fitness for Far {
    fn compare(&self, other: &Self) -> Ordering {
        other.0.compare(&self.0)
    }

    fn is_number(&self) -> bool {
        self.0.is_number()
    }
}

#[test]
fn the_best_point_is_that_of_the_told_fitness() {
    let settings = DescentSettings {
        steps: 10,
        ..DescentSettings::default()
    };
    let mut descent = Descent::new(settings, vec![1.0], &Unconstrained).unwrap();
    let evaluate = |x: &[f64]| Slope {
        fitness: Far(x[0]),
        gradient: vec![2.0 * x[0]],
    };
    run(&mut descent, evaluate, &Unconstrained, 100);
    assert_eq!(descent.best().unwrap().x, [1.0]);
}

#[test]
fn a_gradient_that_is_not_finite_ends_the_descent_and_keeps_the_best() {
    for gradient in [f64::NAN, f64::INFINITY] {
        let mut descent =
            Descent::new(DescentSettings::default(), vec![1.0], &Unconstrained).unwrap();
        let good = Slope {
            fitness: 1.0,
            gradient: vec![1.0],
        };
        descent.tell(vec![good], &Unconstrained).unwrap();
        let bad = Slope {
            fitness: 2.0,
            gradient: vec![gradient],
        };
        descent.tell(vec![bad], &Unconstrained).unwrap();
        assert_eq!(descent.stop(), Some(Stop::NotFinite));
        assert_eq!(descent.best().unwrap().x, [1.0]);
        assert!(descent.ask().is_empty());
    }
}
