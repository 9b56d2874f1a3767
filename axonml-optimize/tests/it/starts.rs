//! Many starts as one batch.

use axonml_optimize::{Lbfgs, LbfgsSettings, Optimizer, Starts, Stop, Unconstrained};

use crate::functions::{rosenbrock_slope, run};

fn lbfgs(x: f64) -> Lbfgs {
    Lbfgs::new(LbfgsSettings::default(), vec![x, 1.0], &Unconstrained).unwrap()
}

/// Starts side by side end where each ends alone, bit for bit, and at any time one batch has a point of each that runs.
#[test]
fn starts_know_nothing_of_each_other() {
    let alone: Vec<Lbfgs> = [-1.2, 0.5, 3.0]
        .into_iter()
        .map(|x| {
            let mut start = lbfgs(x);
            run(&mut start, rosenbrock_slope, &Unconstrained, 1000);
            start
        })
        .collect();
    let mut starts = Starts::new([-1.2, 0.5, 3.0].map(lbfgs).to_vec());
    while starts.stop().is_none() {
        let running = starts.stops().filter(Option::is_none).count();
        assert_eq!(starts.ask().len(), running);
        assert_eq!(starts.asked().len(), running);
        run(&mut starts, rosenbrock_slope, &Unconstrained, 1);
    }
    assert_eq!(starts.each(), alone);
    let best = alone.iter().map(|start| start.best().unwrap().fitness);
    assert_eq!(
        starts.best().unwrap().fitness,
        best.fold(f64::INFINITY, f64::min)
    );
}

#[test]
fn a_start_that_is_called_off_is_not_asked_any_more() {
    let mut starts = Starts::new([-1.2, 0.5, 3.0].map(lbfgs).to_vec());
    run(&mut starts, rosenbrock_slope, &Unconstrained, 3);
    starts.call_off(1);
    starts.call_off(17);
    assert_eq!(starts.asked(), [0, 2]);
    let kept = starts.each()[1].clone();
    run(&mut starts, rosenbrock_slope, &Unconstrained, 1000);
    assert_eq!(starts.each()[1], kept);
    let stops: Vec<Option<Stop>> = starts.stops().collect();
    assert_eq!(stops[1], Some(Stop::Called));
    assert!(starts.stop().is_some());
}

#[test]
fn no_start_is_the_end() {
    let starts: Starts<Lbfgs> = Starts::new(Vec::new());
    assert!(starts.stop().is_some() && starts.ask().is_empty() && starts.best().is_none());
}

#[test]
fn wrong_evaluations_change_no_start() {
    let mut starts = Starts::new([-1.2, 0.5].map(lbfgs).to_vec());
    let before = starts.clone();
    let mut told: Vec<_> = starts.ask().iter().map(|x| rosenbrock_slope(x)).collect();
    told[1].gradient.pop();
    assert!(starts.tell(told.clone(), &Unconstrained).is_err());
    told.truncate(1);
    assert!(starts.tell(told, &Unconstrained).is_err());
    assert_eq!(starts, before);
}
