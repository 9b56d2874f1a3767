//! Montages and descents of the bundled nerve, against a search of each stimulus by itself.

use std::sync::Arc;

use axonml::design::{
    DescentOptions, DesignError, Ends, EvolutionOptions, Goal, HistoryRow, Loss, MontageKind,
    Objective, Population, Problem, Run, Softness, Standing, Start, ThresholdLoss, Unkept,
    best_reached, contacts,
};
use axonml::field::{Extension, Interpolation};
use axonml::{Device, Fiber, Precision, Settings, Simulation, Stimulus, ThresholdSearch, Waveform};
use axonml_optimize::{EvolutionSettings, Fitness};

const PULSE: &str = "biphasic:pw=0.2,delay=0.2";

fn simulation(fibers: usize) -> Simulation {
    let settings = Settings {
        precision: Precision::F32,
        tstop_ms: 1.5,
        ..Settings::default()
    };
    let list = vec![Fiber::new(5.7, 53); fibers];
    Simulation::new(
        &axonml::model("mrg").unwrap(),
        list,
        &settings,
        &Device::cpu().unwrap(),
    )
    .unwrap()
}

/// The bundled nerve with its targets.
pub(crate) fn problem() -> Problem {
    let nerve = axonml::demonstration::nerve().unwrap();
    let simulation = simulation(nerve.fibers());
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse).unwrap();
    let waveform = Arc::new(pulse.sample(simulation.grid()).unwrap());
    let population = Population::new(simulation.basis(&stimulus).unwrap(), waveform).unwrap();
    Problem::new(population, Goal::of_nerve(&nerve, 1).unwrap())
}

/// The thresholds of currents through the contacts, by a simulation that knows no basis.
fn alone(problem: &Problem, amplitudes_ma: &[f64]) -> Vec<Option<f64>> {
    let nerve = axonml::demonstration::nerve().unwrap();
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let mut stimulus = Stimulus::none(nerve.fibers());
    for fiber in 0..nerve.fibers() {
        let (interpolation, extension) = (Interpolation::Cubic, Extension::Refuse);
        let field = nerve.field(fiber, amplitudes_ma, interpolation, 0.0, extension);
        stimulus = stimulus.source(fiber, Arc::new(field.unwrap()), pulse.clone());
    }
    let search: &ThresholdSearch = &problem.search;
    let found = simulation(nerve.fibers()).thresholds(&stimulus, search, &mut |_| ());
    found.unwrap().iter().map(|of| of.upper_ma()).collect()
}

fn start(problem: &Problem, amplitudes_ma: &[f64]) -> Start {
    Start {
        init: "given".into(),
        x: problem.start(amplitudes_ma).unwrap(),
    }
}

/// The separations of the best montages are those that a program of its own found, by thresholds to 1e-4.
#[test]
fn the_best_montages_of_the_bundled_nerve_separate_as_known() {
    let problem = problem();
    let found = problem.scan(&mut |_| ()).unwrap();
    assert_eq!(found.montages.len(), 162);
    let expected = [
        (MontageKind::Monopolar, 1.30),
        (MontageKind::Bipolar, 1.30),
        (MontageKind::Tripolar, 1.66),
    ];
    for (kind, separation) in expected {
        let best = found.best_of(kind).unwrap();
        assert_eq!(best.outcome.misclassified, 0.0);
        assert!(
            (best.score().separation - separation).abs() < 0.01,
            "{kind:?}"
        );
    }
    let best = found.best().unwrap();
    assert_eq!(best.montage.kind, MontageKind::Tripolar);
    // Currents that return in the cuff, delivered as said: a run of its own fires the targets and nothing else.
    assert!(best.amplitudes_ma.iter().sum::<f64>().abs() < 1e-12);
    let multiples = alone(&problem, &best.amplitudes_ma);
    for (fiber, multiple) in multiples.iter().enumerate() {
        let multiple = multiple.unwrap_or(f64::INFINITY);
        assert_eq!(
            multiple <= 1.0,
            problem.goal.targets()[fiber],
            "fiber {fiber}: {multiple}"
        );
        let of_montage = best.thresholds[fiber].unwrap_or(f64::INFINITY);
        assert!((multiple / of_montage - 1.0).abs() < 3e-3, "fiber {fiber}");
    }
}

#[test]
fn a_goal_of_other_fibers_is_refused() {
    let mut problem = problem();
    problem.goal = Goal::new(vec![0.5; 2], vec![true, false]).unwrap();
    let error = problem.check().unwrap_err();
    assert!(matches!(error, DesignError::Request(_)));
    assert!(
        error.to_string().contains("the fibers of the goal"),
        "{error}"
    );
}

/// From a bipolar start that separates by 1.30: a few steps improve it, what is found is what its currents do, and currents
/// that shall return in the cuff do.
#[test]
fn a_descent_improves_on_its_start_and_obeys() {
    let mut problem = problem();
    problem.limits.sum_zero = true;
    let options = DescentOptions {
        steps: 6,
        ..DescentOptions::default()
    };
    let bipolar = [1.0, 0.0, 0.0, -1.0, 0.0, 0.0];
    let starts = [start(&problem, &bipolar)];
    let mut course = Unkept;
    let mut run = Run::new(&mut course, Ends::default());
    let reached = problem.descend(&starts, &options, &mut run).unwrap();
    assert_eq!((run.tally.thresholds, run.tally.gradients), (7, 7));
    assert_eq!(run.history.len(), 7);
    let best = best_reached(&reached).unwrap();
    assert!(best.score.separation > 1.45, "{}", best.score.separation);
    assert_eq!(best.score.misclassified, 0.0);
    let judged = problem.judge(vec![problem.stimulus(&best.x)], None, &mut |_| ());
    let judged = judged.unwrap().remove(0);
    let delivered = judged.delivered();
    assert!(problem.limits.violations(&delivered).is_empty());
    let sum: f64 = delivered.amplitudes_ma.iter().sum();
    assert!(sum.abs() < 1e-9 * judged.score.dose.peak_ma);
    let told = judged.thresholds();
    for (fiber, again) in alone(&problem, &delivered.amplitudes_ma).iter().enumerate() {
        let (again, told) = (again.unwrap(), told[fiber].unwrap());
        assert!(
            (again / told - 1.0).abs() < 3e-3,
            "fiber {fiber}: {again} and {told}"
        );
    }
    // A bound that is too small for the best scale is obeyed, and told of.
    problem.limits.bounds_ma = vec![
        [
            -0.5 * judged.score.dose.peak_ma,
            0.5 * judged.score.dose.peak_ma
        ];
        6
    ];
    let bound = problem
        .judge(vec![problem.stimulus(&best.x)], None, &mut |_| ())
        .unwrap();
    assert!(problem.limits.violations(&bound[0].delivered()).is_empty());
    assert!(bound[0].score.misclassified > 0.0);

    let wrong = DescentOptions {
        softness: [0.0, 0.02],
        ..options
    };
    let mut run = Run::new(&mut course, Ends::default());
    let error = problem.descend(&starts, &wrong, &mut run).unwrap_err();
    assert!(error.to_string().contains("softness"), "{error}");
    assert_eq!(problem.start(&[0.0; 6]), None);
}

/// Slopes are those of differences, for a direction and for a stimulus as delivered, with costs and a bound that binds.
#[test]
fn slopes_are_those_of_differences() {
    const STEP: f64 = 2e-4;
    let mut problem = problem();
    problem.search.resolution = 1e-7;
    let settings = Settings {
        tstop_ms: 1.5,
        ..Settings::default()
    };
    let nerve = axonml::demonstration::nerve().unwrap();
    let fibers = vec![Fiber::new(5.7, 53); nerve.fibers()];
    let device = Device::cpu().unwrap();
    let simulation =
        Simulation::new(&axonml::model("mrg").unwrap(), fibers, &settings, &device).unwrap();
    let pulse: Arc<Waveform> = Arc::new(PULSE.parse().unwrap());
    let stimulus = contacts(&nerve, 1, &pulse, Interpolation::Cubic, Extension::Refuse).unwrap();
    let waveform = Arc::new(pulse.sample(simulation.grid()).unwrap());
    problem.population = Population::new(simulation.basis(&stimulus).unwrap(), waveform).unwrap();
    problem.parameterization = Arc::new(axonml::design::Amplitudes::new(
        6,
        problem.population.waveform().clone(),
        problem.population.dt_ms(),
    ));
    problem.penalty.charge = 2.0;
    problem.penalty.energy = 3.0;
    let x = [1.0, 0.2, 0.1, -0.9, 0.05, -0.3];
    for (objective, bound_ma, unit) in [
        (Objective::Selective, 3.0, 1.0),
        (Objective::Area, 0.1, 1.0),
        (Objective::Wbce, 3.0, 0.3),
        (Objective::Dice, 0.15, 0.3),
    ] {
        problem.objective = Arc::new(objective);
        problem.limits.bounds_ma = vec![[-bound_ma, bound_ma]; 6];
        problem.unit = unit;
        let judge = |x: &[f64]| {
            let judged = problem.judge(vec![problem.stimulus(x)], None, &mut |_| ());
            judged.unwrap().remove(0)
        };
        let slopes = |x: &[f64]| {
            let slopes = problem.slopes(&[x.to_vec()], &[judge(x)], 0.3);
            slopes.unwrap().remove(0)
        };
        let found = slopes(&x);
        let length = found.gradient.iter().map(|x| x * x).sum::<f64>().sqrt();
        for direction in [
            [0.5, -0.3, 0.4, 0.2, -0.6, 0.3],
            [-0.2, 0.6, 0.1, 0.5, 0.3, 0.5],
        ] {
            let loss = |by: f64| {
                let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + by * d).collect();
                slopes(&moved).loss
            };
            let difference = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
            let derivative: f64 = found
                .gradient
                .iter()
                .zip(&direction)
                .map(|(g, d)| g * d)
                .sum();
            let error = (difference - derivative).abs() / length;
            assert!(error < 1e-3, "{objective:?}: {derivative} and {difference}");
        }
    }
}

/// [`Objective::Wbce`], of which no evolution knows that a trial has lost before all fibers are run.
#[derive(Debug)]
struct Finished;

impl ThresholdLoss for Finished {
    fn is_scale_free(&self) -> bool {
        false
    }

    fn loss(&self, goal: &Goal, thresholds: &[Option<f64>], softness: Softness) -> Loss {
        Objective::Wbce.loss(goal, thresholds, softness)
    }

    fn of_activation(&self, goal: &Goal, active: &[bool]) -> f64 {
        Objective::Wbce.of_activation(goal, active)
    }
}

/// A stimulus is given up only if it is worse than its rival, whatever both are like; what is kept is judged as without.
#[test]
fn stimuli_are_given_up_only_if_they_are_worse() {
    let mut problem = problem();
    let mut bits = 0x9e37_79b9_u64;
    let mut number = || {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    };
    // Directions around one that separates, the last ones far away.
    let tripolar = [-1.0, 0.5, 0.0, 0.5, 0.0, 0.0];
    let stimuli: Vec<_> = (0..14)
        .map(|k| {
            let spread = 0.15 * f64::from(k);
            let of = |x: &f64| x + spread * (2.0 * number() - 1.0);
            let x: Vec<f64> = tripolar.iter().map(of).collect();
            problem.stimulus(&x)
        })
        .collect();
    for (objective, shifts) in [
        (Objective::Selective, &[0, 3, 7][..]),
        (Objective::Margin, &[7]),
        (Objective::Area, &[5]),
    ] {
        problem.objective = Arc::new(objective);
        let whole = problem.judge(stimuli.clone(), None, &mut |_| ()).unwrap();
        let standings: Vec<Standing> = whole.iter().map(|of| Standing::of(&problem, of)).collect();
        let mut given_up = 0;
        for shift in shifts {
            let mut rivals = standings.clone();
            rivals.rotate_left(*shift);
            let found = problem.judge_against(&stimuli, &rivals).unwrap();
            for (at, found) in found.iter().enumerate() {
                let worse = rivals[at].better_than(&standings[at]);
                match found {
                    Some(found) => assert_eq!(Standing::of(&problem, found), standings[at]),
                    None => assert!(worse, "{objective:?}: {at} beside {:?}", rivals[at]),
                }
                given_up += usize::from(found.is_none());
            }
        }
        assert!(given_up >= 3 * shifts.len(), "{objective:?}: {given_up}");
    }
}

/// A small evolution on thresholds is never worse than the members that it was given, and the same whenever it is run; one
/// on activation ends with currents that a simulation of its own confirms.
#[test]
fn evolutions_keep_their_best_member() {
    let mut problem = problem();
    let tripolar = [-1.0, 0.5, 0.0, 0.5, 0.0, 0.0];
    let given = problem.start(&tripolar).unwrap();
    let options = EvolutionOptions {
        settings: EvolutionSettings {
            population: 8,
            seed: 5,
            initial: axonml_optimize::Initial {
                members: vec![given.clone()],
                ..Default::default()
            },
            ..EvolutionSettings::default()
        },
        generations: 3,
        patience: 20,
        target: None,
    };
    let evolve = |problem: &Problem| {
        let mut course = Unkept;
        let mut run = Run::new(&mut course, Ends::default());
        let evolved = problem.evolve(&options, &mut run).unwrap();
        // Whatever the time it takes.
        let rows = run.history.into_iter();
        let history: Vec<HistoryRow> = rows
            .map(|row| HistoryRow {
                seconds: 0.0,
                ..row
            })
            .collect();
        (evolved, run.tally, history)
    };
    let (evolved, tally, _) = evolve(&problem);
    assert_eq!(tally.thresholds, 32);
    let start = problem.judge(vec![problem.stimulus(&given)], None, &mut |_| ());
    let start = start.unwrap().remove(0).score;
    let best = evolved.best.clone().unwrap();
    assert!(!axonml_optimize::Fitness::better_than(&start, &best.score));
    assert_eq!(evolve(&problem).0, evolved);

    problem.objective = Arc::new(Objective::Wbce);
    problem.unit = 0.3;
    let (evolved, tally, history) = evolve(&problem);
    assert_eq!(tally.evaluations, 32);
    // Trials that have lost against their parents are not finished: the same members are left where they are.
    problem.objective = Arc::new(Finished);
    let (finished, _, of_finished) = evolve(&problem);
    assert_eq!((&finished, of_finished), (&evolved, history));
    let best = evolved.best.unwrap();
    let amplitudes = problem.stimulus(&best.x).amplitudes_ma;
    let active: Vec<bool> = alone(&problem, &amplitudes)
        .iter()
        .map(|multiple| multiple.is_some_and(|least| least <= 1.0))
        .collect();
    let outcome = problem.goal.outcome(&active);
    assert!((outcome.misclassified - best.score.misclassified).abs() < 1e-9);
}
