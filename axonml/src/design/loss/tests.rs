//! Losses against differences and numbers worked by hand.

use super::*;
use proptest::prelude::*;

const ALL: [Objective; 7] = [
    Objective::Selective,
    Objective::Margin,
    Objective::Area,
    Objective::Wbce,
    Objective::Jaccard,
    Objective::Dice,
    Objective::Hamming,
];

fn goal() -> Goal {
    Goal::new(
        vec![0.1, 0.2, 0.3, 0.25, 0.15],
        vec![true, false, true, false, false],
    )
    .unwrap()
}

fn softness(tau: f64) -> Softness {
    Softness {
        tau,
        silent_from: 20.0,
        scales: [1e-3, 1e3],
    }
}

/// Losses of the stimulus as delivered.
fn delivered(tau: f64) -> Softness {
    Softness {
        scales: [1.0, 1.0],
        ..softness(tau)
    }
}

fn of(objective: Objective, tau: f64) -> Softness {
    match objective.is_scale_free() {
        true => softness(tau),
        false => delivered(tau),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn derivatives_are_those_of_differences(
        ln in prop::array::uniform5(-2.0..2.0_f64),
        tau in 0.2..1.0_f64,
    ) {
        let at = |ln: &[f64; 5], objective: Objective| {
            let thresholds = ln.map(|x| Some(x.exp()));
            objective.loss(&goal(), &thresholds, of(objective, tau))
        };
        const STEP: f64 = 1e-5;
        for objective in ALL {
            let loss = at(&ln, objective);
            let largest = loss.by_ln_threshold.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
            for fiber in 0..5 {
                let moved = |by: f64| {
                    let mut moved = ln;
                    moved[fiber] += by;
                    at(&moved, objective).value
                };
                // Two scales may be equally good: there the loss has a kink.
                let (up, down) = (moved(STEP) - loss.value, loss.value - moved(-STEP));
                if (up - down).abs() > 1e-3 * STEP * largest.max(1.0) {
                    continue;
                }
                let difference = (up + down) / (2.0 * STEP);
                let error = (difference - loss.by_ln_threshold[fiber]).abs();
                prop_assert!(error < 1e-5 * largest, "{objective:?}, fiber {fiber}: {error:e} of {largest}");
            }
        }
    }

    /// Scale-free losses stay the same when the stimulus is made stronger.
    #[test]
    fn strength_does_not_matter_to_losses_at_the_best_scale(
        ln in prop::array::uniform5(-2.0..2.0_f64),
        by in -1.0..1.0_f64,
    ) {
        for objective in [Objective::Selective, Objective::Margin, Objective::Area] {
            let value = |by: f64| {
                let thresholds = ln.map(|x| Some((x + by).exp()));
                objective.loss(&goal(), &thresholds, softness(0.1)).value
            };
            prop_assert!((value(by) - value(0.0)).abs() < 1e-9, "{objective:?}");
        }
    }
}

/// Where transitions are sharp, losses are those of activation: thresholds 2 and 4 of the targets, 3, 9 and none.
#[test]
fn sharp_losses_are_those_of_activation() {
    let thresholds = [Some(2.0), Some(3.0), Some(4.0), Some(9.0), None];
    let value = |objective: Objective| {
        objective
            .loss(&goal(), &thresholds, of(objective, 1e-3))
            .value
    };
    let below = (4.0_f64 / 3.0).ln() - value(Objective::Margin);
    // Two targets and three others; of smooth means of n numbers one outweighs by 1/n.
    assert!((below - 1e-3 * 6.0_f64.ln()).abs() < 1e-9, "{below}");
    assert!(
        (value(Objective::Area) - goal().best_scale(&thresholds, [0.0, 20.0]).misclassified).abs()
            < 1e-9
    );
    // As delivered nothing fires.
    assert!((value(Objective::Hamming) - 0.4).abs() < 1e-9);
    assert!((value(Objective::Jaccard) - 1.0).abs() < 1e-9);
    // At five times: both targets (0.4) and the other of 0.2. Jaccard 0.4/0.6, Dice 0.8/1.0.
    let delivered = thresholds.map(|threshold| threshold.map(|x| x / 5.0));
    let value = |objective: Objective| {
        objective
            .loss(&goal(), &delivered, of(objective, 1e-3))
            .value
    };
    assert!((value(Objective::Hamming) - 0.2).abs() < 1e-9);
    assert!((value(Objective::Jaccard) - 1.0 / 3.0).abs() < 1e-9);
    assert!((value(Objective::Dice) - 0.2).abs() < 1e-9);
}

/// Where the largest multiple that is allowed is too small, the loss falls as it grows: against differences.
#[test]
fn losses_know_the_largest_multiple() {
    const STEP: f64 = 1e-5;
    let thresholds = [Some(1.0), Some(3.0), Some(1.5), Some(2.5), None];
    for objective in ALL.into_iter().filter(|of| *of != Objective::Margin) {
        let at = |ln_largest: f64| {
            let least = if objective.is_scale_free() {
                1e-3
            } else {
                ln_largest.exp()
            };
            let softness = Softness {
                scales: [least, ln_largest.exp()],
                ..softness(0.2)
            };
            objective.loss(&goal(), &thresholds, softness)
        };
        let found = at(0.2).by_ln_largest;
        let difference = (at(0.2 + STEP).value - at(0.2 - STEP).value) / (2.0 * STEP);
        assert!(found < -1e-3, "{objective:?}: {found}");
        assert!(
            (found - difference).abs() < 1e-7,
            "{objective:?}: {found} {difference}"
        );
        // More than enough is no matter where the scale is free.
        if objective.is_scale_free() {
            assert_eq!(at(1.5).by_ln_largest, 0.0, "{objective:?}");
        }
    }
}

#[test]
fn no_current_moves_a_fiber_without_a_threshold() {
    let thresholds = [Some(2.0), Some(3.0), None, Some(9.0), None];
    for objective in ALL {
        let loss = objective.loss(&goal(), &thresholds, softness(0.3));
        assert!(loss.value.is_finite());
        assert_eq!(
            (loss.by_ln_threshold[2], loss.by_ln_threshold[4]),
            (0.0, 0.0)
        );
    }
}

/// Of two equal targets one never fires, whatever the scale: the area is that of the other's best.
#[test]
fn a_target_that_never_fires_is_not_activated_by_a_large_scale() {
    let goal = Goal::new(vec![0.3, 0.3, 0.2, 0.2], vec![true, true, false, false]).unwrap();
    let thresholds = [Some(1.0), None, Some(0.9), Some(2.0)];
    for tau in [0.2, 0.02] {
        let loss = Objective::Area.loss(&goal, &thresholds, softness(tau));
        assert!(loss.value > 0.49, "{}", loss.value);
        let (target, other) = (loss.by_ln_threshold[0], loss.by_ln_threshold[2]);
        assert!(target > 0.0 && other < 0.0, "{target} {other}");
    }
    let sharp = Objective::Area
        .loss(&goal, &thresholds, softness(1e-3))
        .value;
    assert!((sharp - 0.5).abs() < 1e-9, "{sharp}");
}

/// However soft, a stimulus that misclassifies nothing has a lower loss than one that does.
#[test]
fn selective_knows_a_perfect_stimulus_among_many_fibers() {
    let targets: Vec<bool> = (0..100).map(|fiber| fiber < 50).collect();
    let goal = Goal::new(vec![0.01; 100], targets).unwrap();
    let loss = |first: f64| {
        let of = |fiber: usize| match fiber {
            0 => first,
            fiber if fiber < 50 => 1.0,
            _ => 1.05,
        };
        let thresholds: Vec<Option<f64>> = (0..100).map(|fiber| Some(of(fiber))).collect();
        Objective::Selective
            .loss(&goal, &thresholds, softness(0.2))
            .value
    };
    assert!(
        loss(1.0) < 0.0 && loss(1.1) > 1.0,
        "{} {}",
        loss(1.0),
        loss(1.1)
    );
}

/// However large the margin, it is worth less than the area of the smallest fiber.
#[test]
fn selective_puts_area_before_separation() {
    let goal = goal();
    let value = |thresholds: [f64; 5]| {
        Objective::Selective
            .loss(&goal, &thresholds.map(Some), softness(0.01))
            .value
    };
    let narrow = value([1.0, 1.2, 1.0, 1.2, 1.2]);
    let wide = value([1.0, 9.0, 1.0, 9.0, 9.0]);
    let misses_one = value([9.5, 9.0, 1.0, 9.0, 9.0]);
    assert!(
        wide < narrow && narrow < misses_one,
        "{wide} {narrow} {misses_one}"
    );
}
