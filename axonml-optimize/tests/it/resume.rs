//! A state that is written and read between any two batches goes on to the same bits.

use axonml_optimize::{
    Bounds, Control, Descent, DescentSettings, DifferentialEvolution, EvolutionSettings, Lbfgs,
    LbfgsSettings, LeastSquaresSettings, LevenbergMarquardt, Limits, Optimizer, ParetoEvolution,
    Projection, Rows, Rule, Starts, Strategy, Unconstrained,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::functions::{rastrigin, rosenbrock_slope, run};

fn bytes<T: Serialize>(state: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(state, bincode::config::standard()).unwrap()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
    let config = bincode::config::standard();
    let (state, read) = bincode::serde::decode_from_slice(bytes, config).unwrap();
    assert_eq!(read, bytes.len());
    state
}

/// Runs `batches` unbroken, and with the state written and read before each batch; gives the last state.
fn assert_resumes<O>(
    start: O,
    evaluate: impl Fn(&[f64]) -> O::Told + Copy,
    set: &dyn Projection,
    batches: usize,
) -> O
where
    O: Optimizer + Serialize + DeserializeOwned,
{
    let mut broken = bytes(&start);
    let mut unbroken = start;
    for batch in 0..batches {
        run(&mut unbroken, evaluate, set, 1);
        let mut resumed: O = read(&broken);
        run(&mut resumed, evaluate, set, 1);
        broken = bytes(&resumed);
        assert_eq!(bytes(&unbroken), broken, "batch {batch}");
    }
    unbroken
}

#[test]
fn descents_resume() {
    let bounds = Bounds::uniform(4, -1.5, 0.9).unwrap();
    for rule in [Rule::Adam, Rule::RANGER] {
        let settings = DescentSettings {
            rule,
            steps: 40,
            clip: Some(1.0),
            ..DescentSettings::default()
        };
        let start = Descent::new(settings, vec![-1.0, 0.5, -0.5, 0.8], &bounds).unwrap();
        let end = assert_resumes(start, rosenbrock_slope, &bounds, 50);
        assert_eq!(end.updates(), 40);
    }
}

#[test]
fn searches_resume() {
    let bounds = Bounds::uniform(4, -1.5, 0.9).unwrap();
    let start = |x: f64| {
        let settings = LbfgsSettings {
            curvature: 0.1,
            ..LbfgsSettings::default()
        };
        Lbfgs::new(settings, vec![x, 0.5, -0.5, 0.8], &bounds).unwrap()
    };
    let end = assert_resumes(start(-1.0), rosenbrock_slope, &bounds, 100);
    assert!(end.stop().is_some());
    let starts = Starts::new(vec![start(-1.2), start(0.0), start(0.9)]);
    let end = assert_resumes(starts, rosenbrock_slope, &bounds, 100);
    assert!(end.stop().is_some());
}

#[test]
fn fits_resume() {
    let rosenbrock = |x: &[f64]| Rows {
        residuals: vec![10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]],
        jacobian: vec![vec![-20.0 * x[0], 10.0], vec![-1.0, 0.0]],
    };
    let settings = LeastSquaresSettings::default();
    let start = LevenbergMarquardt::new(settings, vec![-1.2, 1.0], &Unconstrained).unwrap();
    let end = assert_resumes(start, rosenbrock, &Unconstrained, 100);
    assert!(end.best().unwrap().fitness < 1e-20, "{end:?}");
}

#[test]
fn evolutions_resume() {
    let controls = [
        Control::Fixed {
            mutation: (0.4, 0.9),
            recombination: 0.7,
        },
        Control::Jade { c: 0.2 },
    ];
    let bounds = Bounds::uniform(3, -5.12, 5.12).unwrap();
    for strategy in Strategy::all() {
        for control in controls {
            let settings = EvolutionSettings {
                population: 10,
                strategy,
                control,
                archive: 5,
                seed: 8,
                ..EvolutionSettings::default()
            };
            let limits = Limits::generations(12);
            let start =
                DifferentialEvolution::new(settings, bounds.clone(), limits, &Unconstrained);
            let end = assert_resumes(start.unwrap(), rastrigin, &Unconstrained, 20);
            assert_eq!(end.generation(), 12);
        }
    }
}

#[test]
fn evolutions_of_two_objectives_resume() {
    let settings = EvolutionSettings {
        population: 10,
        control: Control::Jade { c: 0.2 },
        archive: 5,
        ..EvolutionSettings::default()
    };
    let bounds = Bounds::uniform(3, -5.12, 5.12).unwrap();
    let mut unbroken =
        ParetoEvolution::new(settings, bounds, Some(15), None, &Unconstrained).unwrap();
    let mut broken = bytes(&unbroken);
    while unbroken.stop().is_none() {
        let step = |evolution: &mut ParetoEvolution| {
            let objectives = |x: &Vec<f64>| [rastrigin(x), (x[0] - 2.0).abs()];
            let told = evolution.ask().iter().map(objectives).collect();
            evolution.tell(told, &Unconstrained).unwrap();
        };
        step(&mut unbroken);
        let mut resumed: ParetoEvolution = read(&broken);
        step(&mut resumed);
        broken = bytes(&resumed);
        assert_eq!(bytes(&unbroken), broken);
    }
}
