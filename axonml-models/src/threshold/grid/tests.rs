use proptest::prelude::*;

use super::*;

const START: SpikeStart = SpikeStart {
    node: 26,
    z_um: 0.0,
    time_ms: 0.5,
};

fn options(resolution: f64) -> ThresholdSearch {
    ThresholdSearch {
        resolution,
        ..ThresholdSearch::default()
    }
}

/// Searches a fiber whose responses are given by `verdict`; returns the end and the number of trials.
fn search(
    first_ma: f64,
    options: &ThresholdSearch,
    verdict: impl Fn(f64) -> Verdict,
) -> (Ending, usize) {
    let mut search = Search::new(first_ma, None);
    for trials in 0..1000 {
        match search.wants(options) {
            Some(amplitude) => search.advance(verdict(amplitude), options),
            None => return (search.ending().expect("an end"), trials),
        }
    }
    panic!("the search does not end")
}

/// Fires from `threshold_ma` on.
fn step(threshold_ma: f64) -> impl Fn(f64) -> Verdict {
    move |amplitude| match amplitude >= threshold_ma {
        true => Verdict::Fires(START),
        false => Verdict::Quiet,
    }
}

/// Fires between two amplitudes; nodes cross above them until, from the third on, it fires again.
fn window(from_ma: f64, to_ma: f64, again_ma: f64) -> impl Fn(f64) -> Verdict {
    move |amplitude| match amplitude {
        x if x < from_ma => Verdict::Quiet,
        x if x < to_ma || x >= again_ma => Verdict::Fires(START),
        _ => Verdict::Local,
    }
}

fn bracket(ending: Ending) -> (f64, f64) {
    match ending {
        Ending::Found {
            lower_ma, upper_ma, ..
        } => (lower_ma, upper_ma),
        other => panic!("{other:?}"),
    }
}

/// Doubling from `first`, then halving: the bracket by the plainest means.
fn plain(first_ma: f64, max_ma: f64, resolution: f64, fires: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut lower, mut upper) = (0.0, first_ma);
    while !fires(upper) {
        lower = upper;
        upper = (2.0 * upper).min(max_ma);
    }
    while upper - lower > resolution * upper {
        let middle = 0.5 * (lower + upper);
        if fires(middle) {
            upper = middle;
        } else {
            lower = middle;
        }
    }
    (lower, upper)
}

proptest! {
    #[test]
    fn a_bracket_is_that_of_doubling_and_halving(
        threshold_ma in 0.0021_f64..19.0,
        exponent in 2_i32..9,
    ) {
        let options = options(10_f64.powi(-exponent));
        let (ending, _) = search(1e-3, &options, step(threshold_ma));
        let expected = plain(1e-3, 20.0, options.resolution, |x| x >= threshold_ma);
        prop_assert_eq!(bracket(ending), expected);
    }

    #[test]
    fn a_bracket_does_not_depend_on_where_the_search_begins(
        threshold_ma in 1e-5_f64..10.0,
        halvings in 0_i32..12,
    ) {
        let options = options(1e-4);
        let (first, _) = search(1e-3, &options, step(threshold_ma));
        let first_ma = 1e-3 * 0.5_f64.powi(halvings);
        let (other, _) = search(first_ma, &options, step(threshold_ma));
        prop_assert_eq!(bracket(first), bracket(other));
    }

    #[test]
    fn the_lowest_window_wider_than_a_cell_is_found(
        from_ma in 1e-6_f64..1.0,
        width in 2.1_f64..10.0,
        gap in 1.0_f64..50.0,
        first_ma in 1e-5_f64..1.0,
    ) {
        let to_ma = from_ma * width;
        let options = options(1e-4);
        let (ending, _) = search(first_ma, &options, window(from_ma, to_ma, to_ma * gap));
        let (lower, upper) = bracket(ending);
        prop_assert!(lower < from_ma && from_ma <= upper, "{lower} {upper}");
        prop_assert!(upper - lower <= 1e-4 * upper);
    }
}

#[test]
fn a_search_whose_ending_is_known_wants_nothing() {
    let ending = Ending::NotFound {
        top_ma: 20.0,
        local: false,
    };
    let known = Search::new(1e-3, Some(ending));
    assert_eq!(known.wants(&options(1e-4)), None);
    assert_eq!(known.ending(), Some(ending));
}

#[test]
fn final_cells_are_those_of_halving() {
    for threshold_ma in [1.0001, 1.25, 1.3, 1.99999, 2.0] {
        let (lower, upper) = plain(1.0, 2.0, 1e-4, |x| x >= threshold_ma);
        assert_eq!(final_cell((1.0, 2.0), threshold_ma, 1e-4), (lower, upper));
        // A limit between cells belongs to the lower one.
        assert_eq!(final_cell((1.0, 2.0), upper, 1e-4), (lower, upper));
    }
}

#[test]
fn a_narrow_window_below_a_cell_that_blocks_is_looked_for() {
    // 0.032 is silent, 0.064 blocks, 0.128 fires again: the window is between the first two.
    let (ending, _) = search(1e-3, &options(1e-4), window(0.05, 0.052, 0.1));
    let (lower, upper) = bracket(ending);
    assert!(lower < 0.05 && 0.05 <= upper, "{lower} {upper}");
    // Without a window, the threshold found above holds, and the responses below it are reported.
    let (ending, _) = search(1e-3, &options(1e-4), window(0.05, 0.05, 0.1));
    let Ending::Found {
        upper_ma,
        local_below_ma: Some(local),
        ..
    } = ending
    else {
        panic!("{ending:?}")
    };
    assert!((upper_ma / 0.1 - 1.0).abs() <= 1e-4 && (local / 0.05 - 1.0).abs() <= 1e-4);
}

#[test]
fn fibers_without_threshold_say_why() {
    let options = options(1e-4);
    let ending = |verdict: &dyn Fn(f64) -> Verdict| search(1e-3, &options, verdict).0;
    let top_ma = 20.0;
    assert_eq!(
        ending(&|_| Verdict::Quiet),
        Ending::NotFound {
            top_ma,
            local: false
        }
    );
    assert_eq!(
        ending(&|x| if x < 3.0 {
            Verdict::Quiet
        } else {
            Verdict::Local
        }),
        Ending::NotFound {
            top_ma,
            local: true
        }
    );
    assert_eq!(ending(&|_| Verdict::Fires(START)), Ending::Spontaneous);
    assert_eq!(ending(&|_| Verdict::Local), Ending::Spontaneous);
    // Fires or blocks down to nothing, but not without stimulus.
    let above_zero = |verdict: Verdict| move |x| if x > 0.0 { verdict } else { Verdict::Quiet };
    assert_eq!(ending(&above_zero(Verdict::Local)), Ending::Spontaneous);
    let diverged = FiberStatus::Diverged {
        state: 3,
        node: 1,
        v_mv: 2e4,
        stability: None,
    };
    assert_eq!(
        ending(&|x| if x < 1.0 {
            Verdict::Quiet
        } else {
            Verdict::Diverged(diverged)
        }),
        Ending::Diverged {
            amplitude_ma: 1.024,
            status: diverged,
            lower_ma: Some(0.512)
        }
    );
}

#[test]
fn default_grids_are_powers_of_two_of_a_microampere() {
    assert_eq!(first_amplitude(None, 20.0, None), 1e-3);
    assert_eq!(first_amplitude(Some(5.0), 20.0, None), 1e-3);
    assert_eq!(first_amplitude(Some(0.5), 20.0, None), 0.5e-3);
    assert_eq!(first_amplitude(Some(0.49), 20.0, None), 0.25e-3);
    assert_eq!(first_amplitude(Some(5.0), 1e-4, None), 1e-3 / 16.0);
    // A twentieth of the amplitude at which the twin reaches the level, on the same grid.
    assert_eq!(first_amplitude(Some(5.0), 20.0, Some(0.05)), 0.128);
    assert_eq!(first_amplitude(Some(5.0), 0.1, Some(0.05)), 0.064);
    assert_eq!(first_amplitude(None, 20.0, Some(0.05)), 1e-3);
    assert_eq!(largest_up_to(1.0), 0.512);
    assert_eq!(largest_up_to(1.024), 1.024);
    assert_eq!(largest_up_to(3e-5), 1e-3 / 64.0);
}
