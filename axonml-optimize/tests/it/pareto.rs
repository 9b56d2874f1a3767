//! Two objectives.

use axonml_optimize::{Bounds, Control, EvolutionSettings, ParetoEvolution, Stop, Unconstrained};

fn evolve(
    settings: EvolutionSettings,
    bounds: Bounds,
    generations: usize,
    objectives: impl Fn(&[f64]) -> [f64; 2],
) -> ParetoEvolution {
    let limit = Some(generations);
    let mut evolution =
        ParetoEvolution::new(settings, bounds, limit, None, &Unconstrained).unwrap();
    while evolution.stop().is_none() {
        let told = evolution.ask().iter().map(|x| objectives(x)).collect();
        evolution.tell(told, &Unconstrained).unwrap();
    }
    evolution
}

/// ZDT1 (E. Zitzler, K. Deb and L. Thiele, Evol. Comput. 8, 173-195 (2000)) of six coordinates, whose front is
/// 1 - sqrt(f1): found to 0.01, from end to end, and evenly.
#[test]
fn the_front_of_zdt1_is_found_and_covered() {
    let zdt1 = |x: &[f64]| {
        let g = 1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() - 1) as f64;
        [x[0], g * (1.0 - (x[0] / g).sqrt())]
    };
    let controls = [
        Control::Fixed {
            mutation: (0.5, 0.5),
            recombination: 0.5,
        },
        Control::Jade { c: 0.1 },
    ];
    for control in controls {
        let settings = EvolutionSettings {
            population: 40,
            strategy: "rand1bin".parse().unwrap(),
            control,
            archive: 20,
            ..EvolutionSettings::default()
        };
        let bounds = Bounds::uniform(6, 0.0, 1.0).unwrap();
        let evolution = evolve(settings, bounds, 150, zdt1);
        let front = evolution.front();
        assert_eq!(evolution.members().len(), 40);
        assert!(front.len() >= 38, "{}", front.len());
        for point in &front {
            let [first, second] = point.fitness;
            assert!(
                second - (1.0 - first.sqrt()) < 0.01,
                "{control:?}: {point:?}"
            );
        }
        let gaps = front.windows(2).map(|pair| {
            let [one, two] = [pair[0].fitness, pair[1].fitness];
            (two[0] - one[0]).hypot(two[1] - one[1])
        });
        // The front is 1.48 long: 0.04 on average between 40 points.
        let widest = gaps.fold(0.0, f64::max);
        assert!(widest < 0.12, "{control:?}: {widest}");
        assert!(front[0].fitness[0] < 0.02 && front[front.len() - 1].fitness[0] > 0.98);
    }
}

#[test]
fn points_without_objectives_are_no_part_of_a_front() {
    let settings = EvolutionSettings {
        population: 8,
        ..EvolutionSettings::default()
    };
    let bounds = || Bounds::uniform(2, -1.0, 1.0).unwrap();
    let half = |x: &[f64]| {
        if x[0] < 0.0 {
            [f64::NAN, 0.0]
        } else {
            [x[0], 1.0 - x[0] + x[1].abs()]
        }
    };
    let evolution = evolve(settings.clone(), bounds(), 30, half);
    let front = evolution.front();
    assert!(!front.is_empty() && front.iter().all(|point| point.x[0] >= 0.0));

    let lost = evolve(settings, bounds(), 3, |_| [f64::NAN; 2]);
    assert_eq!((lost.front().len(), lost.stop()), (0, Some(Stop::Steps)));
}

#[test]
fn evaluations_are_limited() {
    let settings = EvolutionSettings {
        population: 8,
        ..EvolutionSettings::default()
    };
    let bounds = Bounds::uniform(2, -1.0, 1.0).unwrap();
    let mut evolution =
        ParetoEvolution::new(settings, bounds, None, Some(30), &Unconstrained).unwrap();
    while evolution.stop().is_none() {
        let told = evolution.ask().iter().map(|x| [x[0], x[1]]).collect();
        evolution.tell(told, &Unconstrained).unwrap();
    }
    assert_eq!((evolution.evaluations(), evolution.generation()), (24, 2));
    assert_eq!(evolution.stop(), Some(Stop::Evaluations));
    assert!(evolution.tell(vec![[0.0; 2]], &Unconstrained).is_err());
}
