use proptest::prelude::*;

use super::super::closeness::Law;
use super::super::grid::Search;
use super::super::neighbors::Guess;
use super::super::scout::{Answer, Scout};
use super::*;

const OPTIONS: fn(f64) -> ThresholdSearch = |resolution| ThresholdSearch {
    resolution,
    ..ThresholdSearch::default()
};

fn fires(time_ms: f64) -> Verdict {
    Verdict::Fires(SpikeStart {
        node: 26,
        z_um: 0.0,
        time_ms,
    })
}

/// Result of a fiber's scout, and the number of its trials.
fn scouted(
    guess: Option<Guess>,
    spare: usize,
    options: &ThresholdSearch,
    law: Law,
    answer: &dyn Fn(f64) -> Answer,
) -> (Found, usize) {
    let mut scout = Scout::new(1e-3, 8e-3, options);
    scout.expect(guess);
    for trials in 0..1000 {
        if let Some(found) = scout.found() {
            return (found, trials);
        }
        let wanted = scout.wants(options, spare);
        assert!(
            !wanted.is_empty() && wanted.len() <= 16 + spare,
            "{wanted:?}"
        );
        let answers: Vec<(f64, Answer)> = wanted.into_iter().map(|ma| (ma, answer(ma))).collect();
        let rest = |answer: &Answer| (5e-3 * answer.end as f64, answer.end <= 100);
        scout.take(&answers, rest, options, law);
    }
    panic!("the scout does not come back")
}

/// The ending that a fiber's trials confirm.
fn confirmed(
    found: Found,
    spare: usize,
    resolution: f64,
    verdict: &dyn Fn(f64) -> Verdict,
) -> Option<Ending> {
    let mut confirmation = Confirmation::of(&found, false);
    for _ in 0..ROUNDS {
        for ma in confirmation.wants(resolution, spare) {
            let before = std::mem::replace(&mut confirmation, Confirmation::Refuted);
            confirmation = before.take(ma, verdict(ma));
        }
        confirmation.go_on(resolution);
    }
    match confirmation {
        Confirmation::Done(ending) => Some(ending),
        _ => None,
    }
}

/// The ending of a search without guesses.
fn searched(options: &ThresholdSearch, verdict: &dyn Fn(f64) -> Verdict) -> Ending {
    let mut search = Search::new(1e-3, None);
    while let Some(amplitude) = search.wants(options) {
        search.advance(verdict(amplitude), options);
    }
    search.ending().unwrap()
}

fn bracket(ending: Ending) -> (f64, f64) {
    match ending {
        Ending::Found {
            lower_ma, upper_ma, ..
        } => (lower_ma, upper_ma),
        other => panic!("{other:?}"),
    }
}

/// A fiber that fires from a threshold on, later the closer to it: in the end by `tau_ms` for every factor e.
fn lawful(threshold_ma: f64, tau_ms: f64) -> impl Fn(f64) -> Answer {
    move |amplitude| {
        let excess = amplitude / threshold_ma - 1.0;
        let latency = 2.0 * tau_ms * (1.0 + (0.15 / excess.abs().max(1e-9)).sqrt()).ln();
        let fires = match excess >= 0.0 {
            true => fires(0.2 + latency),
            false => Verdict::Quiet,
        };
        Answer {
            verdict: fires,
            end: 100 + (latency / 5e-3) as usize,
            is_quiet: excess < 0.0,
        }
    }
}

proptest! {
    /// Whatever is guessed, and whatever latencies mean, the bracket is that of doubling and halving.
    #[test]
    fn guesses_change_no_bracket(
        threshold_ma in 0.0021_f64..19.0,
        factor in prop::option::of(0.3_f64..3.0),
        error in 1e-5_f64..0.3,
        exponent in 2_i32..6,
        spare in 0_usize..6,
        noise in prop::collection::vec(0.0_f64..1.0, 16),
        tau_ms in prop::option::of(0.01_f64..1.0),
        ln_rest in prop::option::of(-9.0_f64..0.0),
    ) {
        let options = OPTIONS(10_f64.powi(-exponent));
        let guess = factor.map(|factor| Guess { amplitude_ma: factor * threshold_ma, error });
        let answer = |amplitude: f64| {
            let random = noise[(amplitude.to_bits() % 16) as usize];
            Answer {
                verdict: match amplitude >= threshold_ma {
                    true => fires(random),
                    false => Verdict::Quiet,
                },
                end: (300.0 * random) as usize,
                is_quiet: amplitude < threshold_ma,
            }
        };
        let law = Law { tau_ms, ln_rest };
        let (found, _) = scouted(guess, spare, &options, law, &answer);
        let verdict = |amplitude| answer(amplitude).verdict;
        // Where latencies mislead too far, a search follows.
        if let Some(ending) = confirmed(found, spare, options.resolution, &verdict) {
            prop_assert_eq!(ending, searched(&options, &verdict));
        }
    }

    /// What trials that count tell differently, as in another precision, is found all the same.
    #[test]
    fn a_threshold_that_lies_elsewhere_is_found_nearby(
        threshold_ma in 0.0021_f64..19.0,
        shift in -3e-4_f64..3e-4,
        spare in 0_usize..4,
    ) {
        let options = OPTIONS(1e-4);
        let law = Law { tau_ms: Some(0.1), ln_rest: None };
        let (found, _) = scouted(None, spare, &options, law, &lawful(threshold_ma, 0.1));
        let exact = lawful(threshold_ma * (1.0 + shift), 0.1);
        let verdict = |amplitude| exact(amplitude).verdict;
        let expected = searched(&options, &verdict);
        match confirmed(found, spare, options.resolution, &verdict) {
            Some(ending) => prop_assert_eq!(bracket(ending), bracket(expected)),
            // Where it lies in another cell of factor 2.
            None => {
                let Found::Cell { around_ma: (least, most), .. } = found else {
                    panic!("{found:?}")
                };
                let (lower, upper) = bracket(expected);
                prop_assert!(upper <= least || lower >= most, "{found:?}, {expected:?}");
            }
        }
    }

    /// Of fibers that fire in a window, both ends of a bracket are those of trials.
    #[test]
    fn windows_are_bracketed_or_left_to_a_search(
        from_ma in 0.01_f64..1.0,
        width in 1.001_f64..3.0,
        gap in 1.0_f64..3.0,
        spare in 0_usize..4,
    ) {
        let options = OPTIONS(1e-4);
        let (to_ma, again_ma) = (from_ma * width, from_ma * width * gap);
        let verdict = |x: f64| match x {
            x if x < from_ma => Verdict::Quiet,
            x if x < to_ma || x >= again_ma => fires(0.3),
            _ => Verdict::Local,
        };
        let answer = |x: f64| Answer { verdict: verdict(x), end: 200, is_quiet: x < from_ma };
        let (found, _) = scouted(None, spare, &options, Law::default(), &answer);
        if let Some(ending) = confirmed(found, spare, options.resolution, &verdict) {
            let (lower, upper) = bracket(ending);
            prop_assert!(matches!(verdict(upper), Verdict::Fires(_)));
            prop_assert!(!matches!(verdict(lower), Verdict::Fires(_)));
            prop_assert!(lower < upper && upper - lower <= 1e-4 * upper);
        }
    }
}

#[test]
fn latencies_and_guesses_save_most_trials() {
    let options = OPTIONS(1e-4);
    let law = Law {
        tau_ms: Some(0.1),
        ln_rest: None,
    };
    let (mut by_latencies, mut by_guesses, mut by_halves) = (0, 0, 0);
    for step in 1..50 {
        let threshold_ma = 0.1 * 1.013_f64.powi(step);
        let answer = lawful(threshold_ma, 0.1);
        let rounds = |guess, law| scouted(guess, 0, &options, law, &answer).1;
        let guess = Guess {
            amplitude_ma: threshold_ma * (1.0 + 1e-4),
            error: 2e-4,
        };
        by_halves += rounds(None, Law::default());
        by_latencies += rounds(None, law);
        by_guesses += rounds(Some(guess), law);
    }
    // All of them rise by some rounds first.
    assert!(by_latencies < by_halves, "{by_latencies} and {by_halves}");
    assert!(
        2 * by_guesses < by_latencies,
        "{by_guesses} and {by_latencies}"
    );
}

#[test]
fn silence_at_the_largest_amplitude_counts_if_it_is_silent_without_stimulus_too() {
    let nothing = Found::Nothing { top_ma: 20.0 };
    let ending = Ending::NotFound {
        top_ma: 20.0,
        local: false,
    };
    assert_eq!(
        confirmed(nothing, 0, 1e-4, &|_| Verdict::Quiet),
        Some(ending)
    );
    assert_eq!(confirmed(nothing, 0, 1e-4, &|_| Verdict::Local), None);
    for verdict in [Verdict::Local, fires(1.0)] {
        let silent = Confirmation::of(&nothing, false).take(0.0, verdict);
        assert!(matches!(silent, Confirmation::Refuted));
    }
    assert_eq!(
        confirmed(Found::Unclear, 0, 1e-4, &|_| Verdict::Quiet),
        None
    );
}

/// An explicit cable may diverge at an amplitude between the bracket and the end of its cell: plain halving finds that, and
/// so must a confirmation.
#[test]
fn stability_is_confirmed_where_plain_halving_looks() {
    let bracket = Bracket {
        around_ma: (1.0, 2.0),
        lower_ma: 1.25,
        upper_ma: 1.28125,
        failed: None,
        fired: None,
        step: 1.0,
    };
    assert_eq!(bracket.halvings(0.03), [2.0, 1.5, 1.375, 1.3125]);
}
