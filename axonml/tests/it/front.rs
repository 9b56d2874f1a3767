//! Fronts of two aims on the bundled nerve, and how runs go on with what was kept.

use std::collections::VecDeque;
use std::sync::Arc;

use axonml::design::{
    Aim, Course, DesignError, Ends, EvolutionOptions, Front, Objective, Penalty, Problem, Run,
    Tally, Unkept,
};
use axonml_optimize::{EvolutionSettings, Initial};

use crate::design::problem;

fn aims() -> [Aim; 2] {
    let charge = Penalty {
        charge: 1.0,
        ..Penalty::default()
    };
    [Aim::Loss(Arc::new(Objective::Area)), Aim::Cost(charge)]
}

fn evolve(problem: &Problem, course: &mut dyn Course, generations: usize) -> (Front, Tally) {
    let montages = [
        [-1.0, 0.5, 0.0, 0.5, 0.0, 0.0],
        [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ];
    let members = montages.map(|montage| problem.start(&montage).unwrap());
    let options = EvolutionOptions {
        settings: EvolutionSettings {
            population: 6,
            seed: 3,
            initial: Initial {
                members: members.to_vec(),
                ..Initial::default()
            },
            ..EvolutionSettings::default()
        },
        generations,
        patience: 20,
        target: None,
    };
    let mut run = Run::new(course, Ends::default());
    let front = problem.evolve_front(&aims(), &options, &mut run).unwrap();
    (front, run.tally)
}

/// Keeps batches in memory.
#[derive(Clone, Default)]
struct Memory {
    kept: Vec<String>,
    left: VecDeque<String>,
}

impl Course for Memory {
    fn recall(&mut self) -> Option<String> {
        self.left.pop_front()
    }

    fn keep(&mut self, batch: &str) -> Result<(), DesignError> {
        self.kept.push(batch.to_owned());
        Ok(())
    }
}

/// No stimulus of a front is better than another in both aims, and what is said of them is what their currents do: areas by
/// their thresholds, and 0.2 uC for 1 mA in 0.2 ms.
#[test]
fn a_front_is_what_its_currents_do() {
    let problem = problem();
    let (front, tally) = evolve(&problem, &mut Unkept, 2);
    assert_eq!((tally.thresholds, tally.evaluations), (18, 0));
    assert!(!front.points.is_empty());
    for pair in front.points.windows(2) {
        let ([area, charge], [more, less]) = (pair[0].objectives, pair[1].objectives);
        assert!(area < more && charge > less, "{pair:?}");
    }
    for point in &front.points {
        let delivered = problem.delivered(point);
        let charge_uc: f64 = delivered
            .amplitudes_ma
            .iter()
            .map(|ma| 0.2 * ma.abs())
            .sum();
        let [area, charge] = point.objectives;
        assert!((charge_uc - charge).abs() < 1e-9, "{charge_uc} {charge}");
        let judged = problem.judge(vec![delivered], None, &mut |_| ()).unwrap();
        let active = problem.goal.active_at(&judged[0].multiples.thresholds, 1.0);
        assert!((problem.goal.misclassified(&active) - area).abs() < 1e-9);
    }
    // The members that were given are not better than all of it.
    let given = problem.start(&[-1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    let given = problem.judge(vec![problem.stimulus(&given)], None, &mut |_| ());
    let given = given.unwrap().remove(0);
    let (area, charge) = (given.score.misclassified, 1e-3 * given.score.dose.charge_nc);
    let mut points = front.points.iter();
    assert!(points.any(|point| point.objectives[0] <= area + 1e-9
        && point.objectives[1] <= charge + 1e-9));
}

/// A run that goes on with some batches of another ends with the same front and the same count of its work.
#[test]
fn a_front_goes_on_where_it_was() {
    let problem = problem();
    let mut first = Memory::default();
    let unbroken = evolve(&problem, &mut first, 2);
    assert_eq!(first.kept.len(), 3);
    let mut second = Memory {
        kept: Vec::new(),
        left: first.kept[..2].to_vec().into(),
    };
    assert_eq!(evolve(&problem, &mut second, 2), unbroken);
    assert_eq!(second.kept.len(), 1);
}
