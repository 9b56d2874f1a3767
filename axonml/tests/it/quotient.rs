//! The quotient of gates: its value against runs that record them, its slopes against differences, what descents and
//! evolutions make of it.

use std::sync::Arc;

use axonml::design::{
    Amplitudes, DescentOptions, Ends, EvolutionOptions, Expansion, Goal, Parameterization,
    Population, Problem, PulseShape, Pulses, Quotient, Run, Samples, Start, Unkept, contacts,
};
use axonml::field::{Extension, Interpolation};
use axonml::{
    Device, Fiber, Observation, ObserverKind, ObserverSpec, Settings, Simulation, Stimulus,
    Waveform,
};
use axonml_optimize::{EvolutionSettings, Fitness};

const PULSE: &str = "biphasic:pw=0.2,delay=0.2";

/// Currents of which some fibers of the bundled nerve fire and some do not, mA.
const PARTLY_MA: [f64; 6] = [-0.12, 0.03, 0.02, 0.07, -0.01, 0.04];

fn pulse() -> Arc<Waveform> {
    Arc::new(PULSE.parse().unwrap())
}

fn simulation() -> Simulation {
    let settings = Settings {
        tstop_ms: 1.2,
        ..Settings::default()
    };
    let nerve = axonml::demonstration::nerve().unwrap();
    let fibers = vec![Fiber::new(5.7, 53); nerve.fibers()];
    let device = Device::cpu().unwrap();
    Simulation::new(&axonml::model("mrg").unwrap(), fibers, &settings, &device).unwrap()
}

/// The quotient of the bundled nerve, in double precision.
fn problem() -> Problem {
    let nerve = axonml::demonstration::nerve().unwrap();
    let simulation = simulation();
    let (interpolation, extension) = (Interpolation::Cubic, Extension::Refuse);
    let stimulus = contacts(&nerve, 1, &pulse(), interpolation, extension).unwrap();
    let waveform = Arc::new(pulse().sample(simulation.grid()).unwrap());
    let population = Population::new(simulation.basis(&stimulus).unwrap(), waveform).unwrap();
    let mut problem = Problem::new(population, Goal::of_nerve(&nerve, 1).unwrap());
    problem.quotient = Some(Quotient::default());
    problem.unit = 0.3;
    problem
}

fn slopes(problem: &Problem, x: &[f64]) -> (f64, Vec<f64>) {
    let quotient = problem.quotient.as_ref().unwrap();
    let found = problem.quotient_slopes(quotient, &[x.to_vec()]);
    let found = found.unwrap().remove(0);
    (found.loss, found.gradient)
}

/// Activities by a simulation that knows no basis: the m gate at the sixth nodes from either end, summed by hand.
#[test]
fn its_value_is_that_of_recorded_gates() {
    let problem = problem();
    let nerve = axonml::demonstration::nerve().unwrap();
    let mut stimulus = Stimulus::none(nerve.fibers());
    for fiber in 0..nerve.fibers() {
        let (interpolation, extension) = (Interpolation::Cubic, Extension::Refuse);
        let field = nerve.field(fiber, &PARTLY_MA, interpolation, 0.0, extension);
        stimulus = stimulus.source(fiber, Arc::new(field.unwrap()), pulse());
    }
    let recorder = ObserverKind::Recorder {
        states: vec!["m".into()],
        every: 1,
    };
    let sites = problem.search.detection.sites.clone();
    let recorder = ObserverSpec::new(recorder, sites);
    let run = simulation().run(&stimulus, 1.0, &[recorder]).unwrap();
    let (mut off_targets, mut targets) = (0.0, 0.0);
    for (fiber, outcome) in run.fibers.iter().enumerate() {
        let Observation::Recorded(recording) = &outcome.observations[0] else {
            panic!("not recorded")
        };
        assert_eq!(recording.nodes, [5, 48]);
        let activity: f64 = recording.states[0].iter().sum();
        match nerve.target().unwrap()[fiber] {
            true => targets += problem.goal.weights()[fiber] * activity,
            false => off_targets += problem.goal.weights()[fiber] * activity,
        }
    }
    let x = problem.start(&PARTLY_MA).unwrap();
    let (loss, _) = slopes(&problem, &x);
    let expected = off_targets / targets;
    assert!((loss / expected - 1.0).abs() < 1e-6, "{loss} {expected}");
}

/// Of amplitudes with costs and a bound that binds, of widths, and of whole waveforms.
#[test]
fn slopes_are_those_of_differences() {
    const STEP: f64 = 1e-6;
    let grid = *simulation().grid();
    let plain = problem();
    let waveform = plain.population.waveform().clone();
    let widths = [
        (PulseShape::Width, [0.05, 0.3]),
        (PulseShape::Asymmetry, [1.0, 2.0]),
    ];
    let amplitudes = || Arc::new(Amplitudes::new(6, waveform.clone(), grid.dt_ms()));
    let pulses = Pulses::new(6, &pulse(), &grid, widths.to_vec()).unwrap();
    let (window_ms, few) = ([0.2, 0.6], Expansion::Splines(4));
    let samples = Samples::new(6, &waveform, &grid, window_ms, grid.dt_ms(), few).unwrap();
    let cases: [(&str, Arc<dyn Parameterization>, f64, f64); 4] = [
        ("amplitudes", amplitudes(), 3.0, 0.0),
        ("a bound that binds", amplitudes(), 0.1, 2.0),
        ("widths", Arc::new(pulses), 3.0, 2.0),
        ("waveforms", Arc::new(samples), 3.0, 0.0),
    ];
    for (name, parameterization, bound_ma, energy) in cases {
        let mut problem = plain.clone();
        problem.parameterization = parameterization;
        problem.penalty.energy = energy;
        problem.check().unwrap();
        let mut x = problem.start(&PARTLY_MA).unwrap();
        // Edges that lie between steps: the derivative by one that lies on a step is a mean.
        let linear = problem.linear();
        x[linear..].iter_mut().for_each(|shape| *shape += 0.0123);
        problem.limits.bounds_ma = vec![[-bound_ma, bound_ma]; 6];
        let (_, found) = slopes(&problem, &x);
        let length = found.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!(length > 0.0);
        for at in (0..x.len())
            .step_by(x.len().div_ceil(9))
            .chain([x.len() - 1])
        {
            let loss = |by: f64| {
                let mut moved = x.clone();
                moved[at] += by;
                slopes(&problem, &moved).0
            };
            let difference = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
            let error = (difference - found[at]).abs() / length;
            assert!(error < 1e-5, "{name}, {at}: {} and {difference}", found[at]);
        }
    }
}

/// From zero, where no threshold is known: a descent lowers the quotient, keeps its best point, whose separation it knows,
/// and does the same with one thread and two.
#[test]
fn descents_begin_anywhere_and_lower_it() {
    let problem = problem();
    let options = DescentOptions {
        steps: 3,
        rate: 0.06,
        early_stop: false,
        ..DescentOptions::default()
    };
    let starts: Vec<Start> = [("zero", [0.0; 6]), ("partly", PARTLY_MA)]
        .into_iter()
        .map(|(init, amplitudes_ma)| Start {
            init: init.into(),
            x: problem.start(&amplitudes_ma).unwrap(),
        })
        .collect();
    let descend = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut course = Unkept;
            let mut run = Run::new(&mut course, Ends::default());
            let reached = problem.descend(&starts, &options, &mut run).unwrap();
            let losses = run.history.iter().map(|row| (row.start, row.loss));
            (reached, losses.collect::<Vec<_>>(), run.tally)
        })
    };
    let (reached, losses, tally) = descend(2);
    assert_eq!((tally.evaluations, tally.gradients), (8, 8));
    for (start, reached) in reached.iter().enumerate() {
        let own: Vec<f64> = losses
            .iter()
            .filter(|(of, _)| *of == start)
            .map(|(_, loss)| *loss)
            .collect();
        assert!(own.iter().any(|loss| *loss < own[0]), "{own:?}");
        let judged = problem.judge(vec![problem.stimulus(&reached.x)], None, &mut |_| ());
        let judged = judged.unwrap().remove(0);
        assert_eq!(judged.best.scale, 1.0);
        assert_eq!(judged.score, reached.score);
    }
    assert!(!reached[0].score.better_than(&reached[1].score));
    assert_eq!(descend(1), (reached, losses, tally));
}

/// An evolution: the best member is the one of the least quotient.
#[test]
fn evolutions_lower_it() {
    let problem = problem();
    let options = EvolutionOptions {
        settings: EvolutionSettings {
            population: 8,
            seed: 3,
            ..EvolutionSettings::default()
        },
        generations: 2,
        patience: 20,
        target: None,
    };
    let mut course = Unkept;
    let mut run = Run::new(&mut course, Ends::default());
    let evolved = problem.evolve(&options, &mut run).unwrap();
    assert_eq!((run.tally.evaluations, run.tally.gradients), (24, 0));
    let least = evolved.members[0].1.loss;
    for (x, standing) in &evolved.members {
        assert!(standing.loss >= least - 1e-9);
        let (loss, _) = slopes(&problem, x);
        assert!((loss / standing.loss - 1.0).abs() < 1e-9);
    }
    assert_eq!(evolved.best.unwrap().x, evolved.members[0].0);
}

#[test]
fn a_model_without_the_gate_is_refused() {
    let mut problem = problem();
    problem.quotient = Some(Quotient { gate: "q".into() });
    let error = problem.check().unwrap_err().to_string();
    for part in ["mrg", "m, h, p, s", "expected the gate q"] {
        assert!(error.contains(part), "{error}");
    }
}
