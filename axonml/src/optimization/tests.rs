//! Copies that a search looks at.

use axonml_models::Device;

use super::request::{problem, problem_over_copies};
use super::subject::Subject;
use super::*;
use crate::study::Silent;

/// Two copies that differ in amplitude alone: by whatever factor a copy's field is stronger, its thresholds are lower, all of
/// them by the same, and those of the nerve as it is stand before them.
#[test]
fn thresholds_of_copies_are_those_of_their_fields() {
    let text = r#"
        [fibers]
        nodes = 53
        [field]
        demonstration = true
        [protocol]
        kind = "optimize"
        [search]
        resolution = 1e-4
        [numerics]
        tstop_ms = 1.5
        [robust]
        in_loop = 2
        amplitude = 0.2
        diameter = 0
        offset = "none"
        rotation_deg = 0
    "#;
    let study = Study::from_toml(text).unwrap();
    let machine = Machine::new(Device::cpu().unwrap());
    let subject = Subject::of(std::slice::from_ref(&study), &machine, &mut Silent).unwrap();
    let study = &subject.plans[0].study;
    let nerve = problem(&subject, study).unwrap();
    let (over, left_out) = problem_over_copies(&subject, study).unwrap().unwrap();
    assert_eq!(left_out, Vec::<String>::new());
    let fibers = subject.fibers.len();
    assert_eq!(over.population.fibers(), 3 * fibers);
    over.check().unwrap();

    let tripolar = [-1.0, 0.5, 0.0, 0.5, 0.0, 0.0];
    let judged = |problem: &crate::design::Problem| {
        let stimulus = problem.stimulus(&problem.start(&tripolar).unwrap());
        let judged = problem.judge(vec![stimulus], None, &mut |_| ());
        judged.unwrap().remove(0)
    };
    let (alone, all) = (judged(&nerve), judged(&over));
    let of = |copy: usize| &all.multiples.thresholds[copy * fibers..(copy + 1) * fibers];
    assert_eq!(of(0), alone.multiples.thresholds);
    let factors = [1, 2].map(|copy| {
        let both = of(copy).iter().zip(of(0));
        let ratios: Vec<f64> = both
            .map(|(own, first)| first.unwrap() / own.unwrap())
            .collect();
        let factor = ratios[0];
        let same = |ratio: &f64| (ratio / factor - 1.0).abs() < 1e-3;
        assert!(ratios.iter().all(same), "{ratios:?}");
        factor
    });
    assert!((factors[0] / factors[1] - 1.0).abs() > 1e-2, "{factors:?}");
    // The range of amplitudes that serves both copies is narrower by the ratio of their factors.
    let ratio = factors[0].max(factors[1]) / factors[0].min(factors[1]);
    let expected = alone.score.separation / ratio;
    let found = all.score.separation;
    assert!((found / expected - 1.0).abs() < 2e-3, "{found} {expected}");

    // The same copies again, and the nerve's own figures of a point.
    let again = problem_over_copies(&subject, study).unwrap().unwrap().0;
    assert_eq!(judged(&again).multiples, all.multiples);
    assert_eq!(
        subject.active(&all.thresholds()),
        subject.active(&all.thresholds()[..fibers])
    );
}
