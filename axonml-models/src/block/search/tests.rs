use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::TestPulses;
use TransmissionState::{Blocked, Excited, Partial, Transmitted};

fn options(resolution: f64) -> BlockSearch {
    BlockSearch {
        resolution,
        ..BlockSearch::new(TestPulses::new(5, 2.0, 0.1, &[20.0, 25.0]))
    }
}

/// A fiber whose answers are known beforehand.
struct Fiber {
    excitation_ma: f64,
    partial_ma: f64,
    block_ma: f64,
    end_ma: f64,
    mirrored_ma: f64,
}

/// Excited at 0.23 mA, partly blocked at 0.5 mA, blocked from 0.55 mA to 15 mA.
const FIBER: Fiber = Fiber {
    excitation_ma: 0.23,
    partial_ma: 0.5,
    block_ma: 0.55,
    end_ma: 15.0,
    mirrored_ma: 0.55,
};

impl Fiber {
    fn answer(&self, kind: Kind, ma: f64) -> Answer {
        let passes = |state| Answer::Passes(state, state == Transmitted);
        match kind {
            Kind::Alone => Answer::Fires(ma >= self.excitation_ma),
            Kind::Mirrored if ma >= self.mirrored_ma => passes(Blocked),
            Kind::Mirrored => passes(Transmitted),
            Kind::Pulsed if ma >= self.end_ma => passes(Excited),
            Kind::Pulsed if ma >= self.block_ma => passes(Blocked),
            Kind::Pulsed if ma >= self.partial_ma => passes(Partial),
            Kind::Pulsed => passes(Transmitted),
        }
    }
}

/// Searches with up to `most` answers at once; also returns all that were asked.
fn search(
    options: &BlockSearch,
    most: usize,
    answer: impl Fn(Kind, f64) -> Answer,
) -> (BlockThreshold, BTreeSet<(Kind, u64)>) {
    let grid = grid(options);
    let mut known = Known::default();
    for _ in 0..2000 {
        if let Ok(found) = decide(&known, &grid, options.resolution) {
            return (found, known.0.into_keys().collect());
        }
        for question in speculate(&known, &grid, options.resolution, most) {
            let ma = question.amplitude_ma;
            known.insert(question.kind, ma, answer(question.kind, ma));
        }
    }
    panic!("the search does not end")
}

#[test]
fn the_grid_holds_its_end_and_powers_of_two() {
    let points = grid(&options(1e-4));
    assert_eq!(points[0], (1e-3, true));
    assert_eq!(*points.last().unwrap(), (20.0, true));
    for pair in points.windows(2) {
        let ratio = pair[1].0 / pair[0].0;
        assert!(ratio > 1.0 && ratio < 1.19, "{pair:?}");
    }
    for (j, &(ma, octave)) in points[..points.len() - 1].iter().enumerate() {
        let exact = 1e-3 * (j as f64 / 4.0).exp2();
        assert!((ma / exact - 1.0).abs() < 1e-15, "{ma} and {exact}");
        assert_eq!(octave, j % 4 == 0);
    }
    // Another beginning leaves the points where they are.
    let later = BlockSearch {
        first_ma: 0.1,
        ..options(1e-4)
    };
    let later = grid(&later);
    assert!(later[0].0 <= 0.1 && later[1].0 > 0.1);
    assert_eq!(later[..], points[points.len() - later.len()..]);
    let one = BlockSearch {
        first_ma: 20.0,
        ..options(1e-4)
    };
    assert!(grid(&one)[0].0 <= 20.0 && grid(&one).len() <= 2);
}

#[test]
fn edges_are_bracketed_by_amplitudes_that_were_tried() {
    let (found, asked) = search(&options(1e-4), 1, |kind, ma| FIBER.answer(kind, ma));
    assert_eq!(found.status, BlockStatus::Ok);
    for (kind, bracket, edge) in [
        (Kind::Alone, found.excitation, FIBER.excitation_ma),
        (Kind::Pulsed, found.block, FIBER.block_ma),
        (Kind::Pulsed, found.reexcitation, FIBER.end_ma),
    ] {
        let Bracket { lower_ma, upper_ma } = bracket.unwrap();
        assert!(lower_ma < edge && edge <= upper_ma, "{bracket:?}");
        assert!(upper_ma - lower_ma <= 1e-4 * upper_ma, "{bracket:?}");
        for ma in [lower_ma, upper_ma] {
            assert!(asked.contains(&(kind, ma.to_bits())), "{ma}");
        }
    }
    assert!(asked.len() < 120, "{} trials", asked.len());
}

#[test]
fn statuses_are_what_the_words_say() {
    let status = |answer: &dyn Fn(Kind, f64) -> Answer| search(&options(1e-3), 7, answer).0;
    // Test pulses that run the other way are blocked at 0.6 mA only.
    let one_way = Fiber {
        mirrored_ma: 0.6,
        ..FIBER
    };
    let found = status(&|kind, ma| one_way.answer(kind, ma));
    assert_eq!(found.status, BlockStatus::OneWayBlock);
    assert!(found.block.is_some() && found.reexcitation.is_some());

    let partial = Fiber {
        block_ma: f64::INFINITY,
        end_ma: 1.0,
        ..FIBER
    };
    let found = status(&|kind, ma| partial.answer(kind, ma));
    assert_eq!(
        (found.status, found.block),
        (BlockStatus::PartialBlock, None)
    );
    assert!(found.excitation.is_some());

    let none = Fiber {
        partial_ma: f64::INFINITY,
        ..partial
    };
    let found = status(&|kind, ma| none.answer(kind, ma));
    assert_eq!((found.status, found.block), (BlockStatus::NoBlock, None));

    // Blocked up to the end; never excited by the sources alone.
    let silent = Fiber {
        excitation_ma: f64::INFINITY,
        end_ma: f64::INFINITY,
        ..FIBER
    };
    let found = status(&|kind, ma| silent.answer(kind, ma));
    assert_eq!((found.status, found.excitation), (BlockStatus::Ok, None));
    assert!(found.block.is_some() && found.reexcitation.is_none());
}

#[test]
fn fibers_that_fire_or_fail_without_stimulus_are_told_apart() {
    let (found, asked) = search(&options(1e-3), 1, |kind, _| match kind {
        Kind::Alone => Answer::Fires(true),
        _ => Answer::Passes(Transmitted, true),
    });
    assert_eq!((found.status, asked.len()), (BlockStatus::Spontaneous, 1));
    for (state, all_arrive, activated) in [
        (Blocked, false, false),
        (Partial, false, false),
        // Two in one window, none in another.
        (Excited, false, false),
        // Two in each.
        (Excited, true, true),
        (Transmitted, true, true),
    ] {
        let (found, _) = search(&options(1e-3), 1, |kind, ma| match (kind, ma) {
            (Kind::Alone, _) => Answer::Fires(false),
            (_, 0.0) => Answer::Passes(state, all_arrive),
            (_, ma) => FIBER.answer(kind, ma),
        });
        assert_eq!(
            found.status != BlockStatus::NoActivation,
            activated,
            "{state:?}"
        );
        assert_eq!(found.block.is_some(), activated, "{state:?}");
    }
}

#[test]
fn a_divergence_is_named_and_keeps_what_was_found() {
    let diverged = FiberStatus::Diverged {
        state: 7,
        node: 3,
        v_mv: f64::NAN,
        stability: None,
    };
    let (found, _) = search(&options(1e-3), 5, |kind, ma| match ma > 10.0 {
        true => Answer::Diverged(diverged),
        false => FIBER.answer(kind, ma),
    });
    let BlockStatus::Diverged { amplitude_ma, .. } = found.status else {
        panic!("{found:?}")
    };
    let first = grid(&options(1e-3)).into_iter().find(|&(ma, _)| ma > 10.0);
    assert_eq!(Some(amplitude_ma), first.map(|(ma, _)| ma));
    assert!(found.excitation.is_some() && found.block.is_some());
    assert_eq!(found.reexcitation, None);
}

#[test]
fn an_amplitude_that_fires_at_once_is_bracketed_from_0() {
    let weak = Fiber {
        excitation_ma: 2e-5,
        ..FIBER
    };
    let (found, _) = search(&options(1e-4), 1, |kind, ma| weak.answer(kind, ma));
    let Bracket { lower_ma, upper_ma } = found.excitation.unwrap();
    assert!(lower_ma < 2e-5 && 2e-5 <= upper_ma && upper_ma - lower_ma <= 1e-4 * upper_ma);
    // Any amplitude above 0 fires: the search ends all the same.
    let none = Fiber {
        excitation_ma: f64::MIN_POSITIVE,
        ..FIBER
    };
    let (found, _) = search(&options(1e-4), 1, |kind, ma| none.answer(kind, ma));
    assert_eq!(found.excitation.unwrap().lower_ma, 0.0);
}

proptest! {
    /// Answers in advance change which amplitudes are tried, and nothing that is found, whatever the answers are.
    #[test]
    fn speculation_changes_nothing(most in 2_usize..30, seed in any::<u64>(), noise in 0.0..0.3_f64) {
        // Answers near the edges are noise, by a hash of the amplitude's bits.
        let noisy = |kind: Kind, ma: f64| {
            let hash = (ma.to_bits() ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
            let shift = 1.0 + noise * (hash as f64 / (1_u64 << 53) as f64 - 0.5);
            FIBER.answer(kind, ma * shift)
        };
        let options = options(1e-3);
        let (one, asked) = search(&options, 1, noisy);
        let (many, more) = search(&options, most, noisy);
        prop_assert_eq!(one, many);
        prop_assert!(asked.is_subset(&more));
    }
}
