//! Differential evolution: bounds, plateaus, archives, limits.

use std::cmp::Ordering;

use axonml_core::Random;
use axonml_optimize::{
    Boundary, Bounds, Control, DifferentialEvolution, EvolutionSettings, Fitness, Initial, Limits,
    Optimizer, Stop, Strategy, Unconstrained, lexicographic,
};

use crate::functions::{run, sphere, sum_zero};

const BOUNDARIES: [Boundary; 6] = [
    Boundary::Resample,
    Boundary::Clip,
    Boundary::Reflect,
    Boundary::Wrap,
    Boundary::Midpoint,
    Boundary::Reinit,
];

fn settings(strategy: Strategy) -> EvolutionSettings {
    EvolutionSettings {
        population: 12,
        strategy,
        control: Control::Fixed {
            mutation: (0.5, 1.0),
            recombination: 0.9,
        },
        ..EvolutionSettings::default()
    }
}

fn named(name: &str) -> EvolutionSettings {
    settings(name.parse().unwrap())
}

/// Every strategy with every rule, scale factors up to 2, a minimum far out of bounds.
#[test]
fn no_strategy_leaves_the_bounds() {
    let bounds = Bounds::new(vec![-1.0, 0.0, 2.0, 1.0], vec![1.0, 0.5, 2.0, 50.0]).unwrap();
    for strategy in Strategy::all() {
        for boundary in BOUNDARIES {
            let settings = EvolutionSettings {
                boundary,
                archive: 6,
                control: Control::Fixed {
                    mutation: (1.0, 2.0),
                    recombination: 0.9,
                },
                ..settings(strategy)
            };
            let limits: Limits<f64> = Limits::generations(15);
            let mut evolution =
                DifferentialEvolution::new(settings, bounds.clone(), limits, &Unconstrained)
                    .unwrap();
            let evaluate = |x: &[f64]| {
                assert!(bounds.contain(x), "{strategy} {boundary:?}: {x:?}");
                x.iter().map(|x| (x - 100.0).powi(2)).sum()
            };
            let evaluations = run(&mut evolution, evaluate, &Unconstrained, 1000);
            assert_eq!(evaluations, 16 * 12);
            assert!(evolution.members().iter().all(|x| bounds.contain(x)));
        }
    }
}

/// All points obey the set; the minimum of the sphere around (1, 2, 3) on the plane of sum 0 is (-1, 0, 1).
#[test]
fn points_lie_in_the_feasible_set() {
    let settings = EvolutionSettings {
        population: 30,
        ..named("currenttopbestbin")
    };
    let bounds = Bounds::uniform(3, -10.0, 10.0).unwrap();
    let limits: Limits<f64> = Limits::generations(150);
    let mut evolution = DifferentialEvolution::new(settings, bounds, limits, &sum_zero).unwrap();
    let evaluate = |x: &[f64]| {
        assert!(x.iter().sum::<f64>().abs() < 1e-13, "{x:?}");
        x.iter()
            .zip([1.0, 2.0, 3.0])
            .map(|(x, c)| (x - c).powi(2))
            .sum()
    };
    run(&mut evolution, evaluate, &sum_zero, 1000);
    for (x, expected) in evolution.best().unwrap().x.iter().zip([-1.0, 0.0, 1.0]) {
        assert!((x - expected).abs() < 1e-6, "{x}");
    }
}

/// On a plateau all members are replaced in each generation, and nothing is learned: equals are no successes.
#[test]
fn populations_drift_over_plateaus() {
    let settings = EvolutionSettings {
        control: Control::Jade { c: 0.1 },
        archive: 12,
        ..named("rand1bin")
    };
    let bounds = Bounds::uniform(3, -1.0, 1.0).unwrap();
    let limits = Limits {
        patience: Some(4),
        ..Limits::default()
    };
    let mut evolution =
        DifferentialEvolution::new(settings, bounds, limits, &Unconstrained).unwrap();
    run(&mut evolution, |_| 1.0, &Unconstrained, 1);
    let means = evolution.means();
    let before = evolution.members().to_vec();
    let best = evolution.best().cloned();
    run(&mut evolution, |_| 1.0, &Unconstrained, 1);
    let moved = before
        .iter()
        .zip(evolution.members())
        .filter(|(a, b)| a != b);
    assert_eq!(moved.count(), before.len());
    assert_eq!(
        (evolution.means(), evolution.best()),
        (means, best.as_ref())
    );
    assert!(evolution.archive().is_empty());
    run(&mut evolution, |_| 1.0, &Unconstrained, 1000);
    assert_eq!(
        (evolution.stop(), evolution.generation()),
        (Some(Stop::Patience), 4)
    );
}

/// Archived points were members, and are none any more; there are never more than may be.
#[test]
fn archives_hold_replaced_parents() {
    let settings = EvolutionSettings {
        control: Control::Jade { c: 0.1 },
        archive: 7,
        ..named("currenttopbestbin")
    };
    let bounds = Bounds::uniform(3, -5.0, 5.0).unwrap();
    let limits = Limits::generations(30);
    let mut evolution =
        DifferentialEvolution::new(settings, bounds, limits, &Unconstrained).unwrap();
    let mut former: Vec<Vec<f64>> = Vec::new();
    while evolution.stop().is_none() {
        former.extend_from_slice(evolution.members());
        run(&mut evolution, sphere, &Unconstrained, 1);
        for archived in evolution.archive() {
            assert!(former.contains(archived) && !evolution.members().contains(archived));
        }
        assert!(evolution.archive().len() <= 7);
    }
    assert_eq!(evolution.archive().len(), 7);
}

/// Area, then separation.
#[derive(Clone, Debug, PartialEq)]
struct Score {
    area: f64,
    separation: f64,
}

impl Fitness for Score {
    fn compare(&self, other: &Self) -> Ordering {
        let (one, two) = (self.separation, other.separation);
        lexicographic(&[(self.area, other.area, 1e-9), (-one, -two, 0.0)])
    }

    fn is_number(&self) -> bool {
        self.area.is_number()
    }
}

/// The area is a plateau around 0, but for rounding; on it the separation, -|x - 0.3|, decides.
#[test]
fn among_equals_the_next_key_decides() {
    let bounds = Bounds::uniform(2, -5.0, 5.0).unwrap();
    let settings = EvolutionSettings {
        population: 20,
        ..named("rand1bin")
    };
    let evaluate = |x: &[f64]| Score {
        area: sphere(x).max(1.0) - 1.0 + 1e-17 * x[0],
        separation: -x.iter().map(|x| (x - 0.3).powi(2)).sum::<f64>(),
    };
    let limits = Limits::generations(150);
    let mut evolution =
        DifferentialEvolution::new(settings, bounds, limits, &Unconstrained).unwrap();
    run(&mut evolution, evaluate, &Unconstrained, 1000);
    let best = evolution.best().unwrap();
    assert!(best.x.iter().all(|x| (x - 0.3).abs() < 1e-4), "{best:?}");
}

#[test]
fn values_that_are_not_numbers_lose() {
    let bounds = Bounds::uniform(3, -5.0, 5.0).unwrap();
    let limits = || Limits::generations(60);
    let half = |x: &[f64]| if x[0] < 0.0 { f64::NAN } else { sphere(x) };
    let start = |name: &str| {
        DifferentialEvolution::new(named(name), bounds.clone(), limits(), &Unconstrained).unwrap()
    };
    let mut evolution = start("best1bin");
    run(&mut evolution, half, &Unconstrained, 1000);
    assert!(evolution.best().unwrap().x[0] >= 0.0);
    assert!(evolution.fitness().iter().all(|value| value.is_finite()));

    let mut lost = start("best1bin");
    run(&mut lost, |_| f64::NAN, &Unconstrained, 1000);
    assert_eq!((lost.best(), lost.stop()), (None, Some(Stop::Steps)));
}

#[test]
fn limits_end_an_evolution() {
    let bounds = Bounds::uniform(3, -5.0, 5.0).unwrap();
    let end = |limits: Limits<f64>| {
        let mut evolution =
            DifferentialEvolution::new(named("best1bin"), bounds.clone(), limits, &Unconstrained)
                .unwrap();
        run(&mut evolution, sphere, &Unconstrained, 10_000);
        assert!(evolution.ask().is_empty());
        (evolution.stop().unwrap(), evolution.evaluations())
    };
    assert_eq!(end(Limits::generations(3)), (Stop::Steps, 48));
    assert_eq!(end(Limits::generations(0)), (Stop::Steps, 12));
    // A fifth generation would exceed them.
    let evaluations = Limits {
        evaluations: Some(70),
        ..Limits::default()
    };
    assert_eq!(end(evaluations), (Stop::Evaluations, 60));
    let (reason, evaluations) = end(Limits {
        target: Some(1e-3),
        ..Limits::default()
    });
    assert!(
        reason == Stop::Target && evaluations < 2000,
        "{evaluations}"
    );
}

/// Members are told by index: the order in which a batch is evaluated is the caller's.
#[test]
fn the_order_of_evaluation_does_not_matter() {
    let bounds = Bounds::uniform(4, -5.0, 5.0).unwrap();
    let limits = || Limits::generations(20);
    let start = || {
        DifferentialEvolution::new(named("best2exp"), bounds.clone(), limits(), &Unconstrained)
            .unwrap()
    };
    let (mut forward, mut shuffled) = (start(), start());
    let mut random = Random::new(3, 0);
    while forward.stop().is_none() {
        let points = forward.ask();
        forward
            .tell(points.iter().map(|x| sphere(x)).collect(), &Unconstrained)
            .unwrap();
        let points = shuffled.ask();
        let mut values = vec![f64::NAN; points.len()];
        let mut order: Vec<usize> = (0..points.len()).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, random.index(last + 1));
        }
        for index in order {
            values[index] = sphere(&points[index]);
        }
        shuffled.tell(values, &Unconstrained).unwrap();
        assert_eq!(forward, shuffled);
    }
}

#[test]
fn seeds_make_runs() {
    let bounds = Bounds::uniform(4, -5.0, 5.0).unwrap();
    let members = |seed| {
        let settings = EvolutionSettings {
            seed,
            ..named("rand1bin")
        };
        let limits = Limits::generations(5);
        let mut evolution =
            DifferentialEvolution::new(settings, bounds.clone(), limits, &Unconstrained).unwrap();
        run(&mut evolution, sphere, &Unconstrained, 100);
        evolution.members().to_vec()
    };
    assert_eq!(members(1), members(1));
    assert_ne!(members(1), members(2));
}

/// Given members are part of the population, so that nothing worse than the best of them is ever the best.
#[test]
fn given_members_are_never_lost() {
    let given = vec![0.001, -0.002, 0.0];
    let settings = EvolutionSettings {
        initial: Initial {
            members: vec![given.clone()],
            ..Initial::default()
        },
        ..named("rand2exp")
    };
    let bounds = Bounds::uniform(3, -5.0, 5.0).unwrap();
    let limits = Limits::generations(3);
    let mut evolution =
        DifferentialEvolution::new(settings, bounds, limits, &Unconstrained).unwrap();
    run(&mut evolution, sphere, &Unconstrained, 100);
    assert!(evolution.best().unwrap().fitness <= sphere(&given));
}

/// With six members, `rand2` needs all but the target, each once. Members are powers of ten, so that a sum shows its
/// terms: r1 + (r2 - r3) + (r4 - r5) is the sum of the others less twice two of them.
#[test]
fn mutants_are_made_of_different_members_and_not_of_their_target() {
    let members: Vec<f64> = (0..6).map(|k| 10_f64.powi(k)).collect();
    for seed in 0..50 {
        let settings = EvolutionSettings {
            population: 6,
            control: Control::Fixed {
                mutation: (1.0, 1.0),
                recombination: 1.0,
            },
            initial: Initial {
                members: members.iter().map(|x| vec![*x]).collect(),
                ..Initial::default()
            },
            seed,
            ..named("rand2bin")
        };
        let bounds = Bounds::uniform(1, -1e7, 1e7).unwrap();
        let limits: Limits<f64> = Limits::default();
        let mut evolution =
            DifferentialEvolution::new(settings, bounds, limits, &Unconstrained).unwrap();
        run(&mut evolution, |x| x[0], &Unconstrained, 1);
        for (target, trial) in evolution.ask().iter().enumerate() {
            let mut others = members.clone();
            others.remove(target);
            let sum: f64 = others.iter().sum();
            let pairs = (0..5).flat_map(|a| (0..a).map(move |b| (a, b)));
            let mut sums = pairs.map(|(a, b)| sum - 2.0 * (others[a] + others[b]));
            assert!(sums.any(|sum| sum == trial[0]), "{target}: {trial:?}");
        }
    }
}
